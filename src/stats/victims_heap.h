/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims_heap: those of a pass that go soonest, at most so many: a bounded heap, whose root is the one that
 * stays longest, and in the end their order. Private to stats/victims*.c. Not thread-safe. */
#ifndef CTWARDEN_STATS_VICTIMS_HEAP_H
#define CTWARDEN_STATS_VICTIMS_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/victims.h"

/* The heap proper holds 16 bytes a victim, so that a new one moves little memory. */
struct victims_entry {
	uint64_t order; /* of the victim */
	uint32_t at;	/* in victims */
};

struct victims_heap {
	struct victim *victims;	       /* both borrowed, max of each */
	struct victims_entry *entries; /* four children each; the root has the lowest order */
	size_t used, max;
};

/* Whether one of this order gets in; nothing does where max is 0. */
static inline bool victims_heap_has_room(const struct victims_heap *heap, uint64_t order)
{
	if (heap->used < heap->max)
		return true;
	return heap->max && order > heap->entries[0].order;
}

/* The place for a victim of this order that has room, to be filled in: a new one, or that of the root, which goes. */
struct victim *victims_heap_add(struct victims_heap *heap, uint64_t order);

/* The victims themselves into their order, soonest first; of equals the one whose place came first: while the heap was
 * not full that is the order of the table, which the caches of who deletes them like best. What is sorted is no heap
 * any more: entries mean nothing from here on. Any used victims will do, heap or not. Takes 16 bytes a victim for as
 * long as it runs. */
void victims_heap_sort(struct victims_heap *heap);

/* Both sorted, other's victims into heap, in one order; of equals heap's before other's. Takes no memory: heap->max is
 * to be enough for both, and other's victims not among the first max of heap's. */
void victims_heap_merge(struct victims_heap *heap, struct victims_heap *other);

#endif
