/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims_heap: keeps the highest, and its order against that of a plain sort. */
#include "stats_fixture.h"

#include <stdlib.h>

#include "../../src/stats/victims_heap.h"

#define MOST 5000

static const size_t sizes[] = {0, 1, 2, 3, 255, 256, 257, MOST};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Where the orders of one kind may differ. */
static const uint64_t kinds[] = {
	0,		       /* all equal */
	1,		       /* the lowest bit */
	1ULL << 63,	       /* the highest */
	0x8000000000000001ULL, /* both */
	0x03ULL << 58,	       /* the stage, many ties */
	0x0ff0ULL,	       /* across two bytes */
	0xfULL << 60,	       /* less than a digit is left */
	0x0c40000000030007ULL, /* as those of a pass: stage, class, rank, idle time */
	0x00ff00ff00ff00ffULL, /* every other byte */
	~0ULL,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct rig {
	struct victim victims[2 * MOST], before[2 * MOST];
	struct victims_entry entries[MOST];
	uint64_t random;
};

static int rig_make(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->random = 20260101;
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	free(*state);
	return 0;
}

/* Each knows where it stood and, beside its order, bytes of its own. */
static void fill(struct rig *rig, struct victim *victims, size_t count, uint64_t kind)
{
	for (size_t i = 0; i < count; i++) {
		victims[i] = (struct victim){.id = (uint32_t)(&victims[i] - rig->victims)};
		/* The bits that all have in common are not all zero. */
		victims[i].order = (random_next(&rig->random) & kind) | (0x5a5a5a5a5a5a5a5aULL & ~kind);
		memcpy(victims[i].dst, &rig->random, sizeof(rig->random));
	}
}

/* Highest first; of equals who stood first. */
static int compare(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;

	if (x->order != y->order)
		return x->order > y->order ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void sorts_as_a_plain_sort_does(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < SIZES * KINDS; i++) {
		size_t count = sizes[i % SIZES];
		struct victims_heap heap = {
			.victims = rig->victims, .entries = rig->entries, .used = count, .max = count};

		fill(rig, rig->victims, count, kinds[i / SIZES]);
		memcpy(rig->before, rig->victims, count * sizeof(struct victim));
		victims_heap_sort(&heap);
		qsort(rig->before, count, sizeof(struct victim), compare);
		assert_memory_equal(rig->victims, rig->before, count * sizeof(struct victim));
		assert_int_equal(heap.used, count);
	}
}

static void keeps_the_highest_of_all_that_came(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < SIZES * KINDS; i++) {
		struct victims_heap heap = {.victims = rig->victims, .entries = rig->entries, .max = sizes[i % SIZES]};

		fill(rig, rig->before, MOST, kinds[i / SIZES]);
		for (size_t k = 0; k < MOST; k++)
			if (victims_heap_has_room(&heap, rig->before[k].order))
				*victims_heap_add(&heap, rig->before[k].order) = rig->before[k];
		victims_heap_sort(&heap);
		assert_int_equal(heap.used, heap.max);
		qsort(rig->before, MOST, sizeof(struct victim), compare);
		for (size_t k = 0; k < heap.used; k++)
			assert_int_equal(rig->victims[k].order, rig->before[k].order);
	}
}

static void one_with_room_for_none_takes_none(void **state)
{
	struct victims_heap heap = {.max = 0};

	(void)state;
	assert_false(victims_heap_has_room(&heap, ~0ULL));
	victims_heap_sort(&heap);
}

/* The ids say whose it was: heap's are below other's. */
static void merge(struct rig *rig, size_t own, size_t others, uint64_t kind)
{
	struct victims_heap heap = {.victims = rig->victims, .entries = rig->entries, .used = own, .max = own + others};
	struct victims_heap other = {
		.victims = rig->victims + own + others, .entries = rig->entries, .used = others, .max = others};

	fill(rig, heap.victims, own, kind);
	fill(rig, other.victims, others, kind);
	victims_heap_sort(&heap);
	victims_heap_sort(&other);
	memcpy(rig->before, heap.victims, own * sizeof(struct victim));
	memcpy(rig->before + own, other.victims, others * sizeof(struct victim));
	victims_heap_merge(&heap, &other);
	qsort(rig->before, own + others, sizeof(struct victim), compare);
	assert_memory_equal(rig->victims, rig->before, (own + others) * sizeof(struct victim));
	assert_int_equal(heap.used, own + others);
	assert_int_equal(other.used, 0);
}

static void two_become_one_and_of_equals_its_own_are_first(void **state)
{
	static const size_t each[] = {0, 1, 2, 255, 257, 1500};
	const size_t count = sizeof(each) / sizeof(each[0]);

	for (size_t i = 0; i < count * count; i++)
		for (size_t kind = 0; kind < KINDS; kind++)
			merge(*state, each[i / count], each[i % count], kinds[kind]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_make, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sorts_as_a_plain_sort_does),
		TEST(keeps_the_highest_of_all_that_came),
		TEST(one_with_room_for_none_takes_none),
		TEST(two_become_one_and_of_equals_its_own_are_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
