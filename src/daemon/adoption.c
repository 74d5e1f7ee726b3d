/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/adoption: see the header. One writer, one reader, no lock. */
#include "adoption.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

/* A power of two. A commit of conntrackd's is some 100,000 entries a second, and the reader is away for the length of a
 * pass: 0.15 s in a table of 20,000. */
#define RING_SIZE 16384
#define GIVE_BACK 256 /* places are given back to the writer by so many */

struct adoptee {
	struct flow_tuple orig;
	uint32_t status;
	uint16_t zone;
	uint8_t state, has_state;
};

struct adoption {
	atomic_size_t head, tail; /* next to read, next to write */
	atomic_uint_fast64_t lost;
	struct adoptee ring[RING_SIZE];
};

struct adoption *adoption_new(void)
{
	return mem_alloc(sizeof(struct adoption));
}

void adoption_free(struct adoption *adoption)
{
	free(adoption);
}

void adoption_offer(struct adoption *adoption, const struct flow *flow)
{
	static const uint32_t needed = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
	size_t tail = atomic_load_explicit(&adoption->tail, memory_order_relaxed);

	if ((flow->status & needed) != needed)
		return;
	if (tail - atomic_load_explicit(&adoption->head, memory_order_acquire) == RING_SIZE) {
		atomic_fetch_add_explicit(&adoption->lost, 1, memory_order_relaxed);
		return;
	}
	adoption->ring[tail % RING_SIZE] = (struct adoptee){.orig = flow->tuple[FLOW_ORIG],
							    .status = flow->status,
							    .zone = flow->zone,
							    .state = flow->state,
							    .has_state = !!(flow->has & FLOW_HAS_STATE)};
	atomic_store_explicit(&adoption->tail, tail + 1, memory_order_release);
}

bool adoption_is_empty(const struct adoption *adoption)
{
	return atomic_load_explicit(&adoption->head, memory_order_relaxed) ==
	       atomic_load_explicit(&adoption->tail, memory_order_acquire);
}

uint64_t adoption_lost(const struct adoption *adoption)
{
	return atomic_load_explicit(&adoption->lost, memory_order_relaxed);
}

void adoption_drain(struct adoption *adoption, adoption_fn *fn, void *arg)
{
	size_t head = atomic_load_explicit(&adoption->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&adoption->tail, memory_order_acquire);

	for (; head != tail; head++) {
		const struct adoptee *at = &adoption->ring[head % RING_SIZE];
		struct flow flow = {.tuple[FLOW_ORIG] = at->orig,
				    .has = FLOW_HAS_STATUS | (at->has_state ? FLOW_HAS_STATE : 0),
				    .status = at->status,
				    .zone = at->zone,
				    .zone_reply = at->zone,
				    .state = at->state};

		fn(&flow, arg);
		if (head % GIVE_BACK == 0)
			atomic_store_explicit(&adoption->head, head + 1, memory_order_release);
	}
	atomic_store_explicit(&adoption->head, head, memory_order_release);
}
