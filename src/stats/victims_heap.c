/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims_heap: four children each while the pass goes on, then sorted by the digits of the order: four or five
 * walks over the entries, as most bits of the order are the same in all. */
#include "victims_heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHILDREN   4
#define DIGIT_BITS 8
#define DIGITS	   (1u << DIGIT_BITS)

static void sift_down(struct victims_heap *heap, struct victims_entry entry)
{
	struct victims_entry *entries = heap->entries;
	size_t at = 0;

	for (;;) {
		size_t child = CHILDREN * at + 1, end = child + CHILDREN, least = child;

		if (child >= heap->used)
			break;
		if (end > heap->used)
			end = heap->used;
		while (++child < end)
			if (entries[child].order < entries[least].order)
				least = child;
		if (entries[least].order >= entry.order)
			break;
		entries[at] = entries[least];
		at = least;
	}
	entries[at] = entry;
}

static void sift_up(struct victims_heap *heap, size_t at, struct victims_entry entry)
{
	while (at && heap->entries[(at - 1) / CHILDREN].order > entry.order) {
		heap->entries[at] = heap->entries[(at - 1) / CHILDREN];
		at = (at - 1) / CHILDREN;
	}
	heap->entries[at] = entry;
}

struct victim *victims_heap_add(struct victims_heap *heap, uint64_t order)
{
	struct victims_entry entry = {.order = order, .at = (uint32_t)heap->used};

	if (heap->used < heap->max) {
		sift_up(heap, heap->used++, entry);
	} else {
		entry.at = heap->entries[0].at;
		sift_down(heap, entry);
	}
	return &heap->victims[entry.at];
}

/* ---- the order ---- */

/* The highest first. */
static size_t digit_of(uint64_t order, unsigned shift)
{
	return ~(order >> shift) & (DIGITS - 1);
}

/* By one digit; equals keep their places among each other. */
static void sort_by_digit(const struct victims_entry *from, struct victims_entry *to, size_t count, unsigned shift)
{
	uint32_t places[DIGITS] = {0}, next = 0;

	for (size_t i = 0; i < count; i++)
		places[digit_of(from[i].order, shift)]++;
	for (size_t i = 0; i < DIGITS; i++) {
		uint32_t met = places[i];

		places[i] = next;
		next += met;
	}
	for (size_t i = 0; i < count; i++)
		to[places[digit_of(from[i].order, shift)]++] = from[i];
}

/* The lowest digit first, each beginning where the entries differ. Returns the one of the two arrays that is sorted. */
static struct victims_entry *sort_entries(struct victims_entry *entries, struct victims_entry *scratch, size_t count)
{
	uint64_t differing = 0;

	for (size_t i = 1; i < count; i++)
		differing |= entries[i].order ^ entries[0].order;
	while (differing) {
		unsigned shift = (unsigned)__builtin_ctzll(differing);
		struct victims_entry *sorted = scratch;

		sort_by_digit(entries, sorted, count, shift);
		scratch = entries;
		entries = sorted;
		differing &= ~((DIGITS - 1ULL) << shift);
	}
	return entries;
}

/* The victims into the order of the sorted entries, in place: a cycle at a time. */
static void arrange(struct victim *victims, struct victims_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct victim first;
		size_t to = i, from;

		if (entries[i].at == i)
			continue;
		first = victims[i];
		for (; (from = entries[to].at) != i; to = from) {
			victims[to] = victims[from];
			entries[to].at = (uint32_t)to;
		}
		victims[to] = first;
		entries[to].at = (uint32_t)to;
	}
}

void victims_heap_sort(struct victims_heap *heap)
{
	struct victims_entry *scratch;

	if (heap->used < 2)
		return;
	scratch = mem_array(heap->used, sizeof(*scratch));
	for (size_t i = 0; i < heap->used; i++)
		heap->entries[i] = (struct victims_entry){.order = heap->victims[i].order, .at = (uint32_t)i};
	arrange(heap->victims, sort_entries(heap->entries, scratch, heap->used), heap->used);
	free(scratch);
}

void victims_heap_merge(struct victims_heap *heap, struct victims_heap *other)
{
	size_t i = heap->used, j = other->used, to = i + j;

	assert(to <= heap->max);
	/* From the end on, so that nothing is written over before it has moved. */
	while (j) {
		if (i && heap->victims[i - 1].order < other->victims[j - 1].order)
			heap->victims[--to] = heap->victims[--i];
		else
			heap->victims[--to] = other->victims[--j];
	}
	heap->used += other->used;
	other->used = 0;
}
