/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/flow_ring: see the header. One writer, one reader, no lock. */
#include "flow_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

struct ring_flow {
	struct flow_tuple orig;
	uint32_t status, id;
	uint16_t zone, zone_reply;
	uint8_t state, has_state;
};

struct flow_ring {
	atomic_size_t head, tail; /* next to read, next to write */
	atomic_uint_fast64_t lost;
	size_t size;
	struct ring_flow flows[];
};

struct flow_ring *flow_ring_new(size_t size)
{
	struct flow_ring *ring;

	assert(size && !(size & (size - 1)));
	ring = mem_alloc(sizeof(*ring) + size * sizeof(ring->flows[0]));
	ring->size = size;
	return ring;
}

void flow_ring_free(struct flow_ring *ring)
{
	free(ring);
}

void flow_ring_offer(struct flow_ring *ring, const struct flow *flow)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&ring->head, memory_order_acquire) == ring->size) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return;
	}
	ring->flows[tail & (ring->size - 1)] = (struct ring_flow){.orig = flow->tuple[FLOW_ORIG],
								  .status = flow->status,
								  .id = flow->id,
								  .zone = flow->zone,
								  .zone_reply = flow->zone_reply,
								  .state = flow->state,
								  .has_state = !!(flow->has & FLOW_HAS_STATE)};
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

void flow_ring_miss(struct flow_ring *ring, uint64_t count)
{
	atomic_fetch_add_explicit(&ring->lost, count, memory_order_relaxed);
}

bool flow_ring_is_empty(const struct flow_ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_relaxed) ==
	       atomic_load_explicit(&ring->tail, memory_order_acquire);
}

uint64_t flow_ring_offered(const struct flow_ring *ring)
{
	return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

uint64_t flow_ring_lost(const struct flow_ring *ring)
{
	return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}

size_t flow_ring_take(struct flow_ring *ring, struct flow *ret_flows, size_t max)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	size_t count = atomic_load_explicit(&ring->tail, memory_order_acquire) - head;

	if (count > max)
		count = max;
	for (size_t i = 0; ret_flows && i < count; i++) {
		const struct ring_flow *at = &ring->flows[(head + i) & (ring->size - 1)];

		ret_flows[i] = (struct flow){.tuple[FLOW_ORIG] = at->orig,
					     .has = FLOW_HAS_STATUS | (at->has_state ? FLOW_HAS_STATE : 0),
					     .status = at->status,
					     .id = at->id,
					     .zone = at->zone,
					     .zone_reply = at->zone_reply,
					     .state = at->state};
	}
	atomic_store_explicit(&ring->head, head + count, memory_order_release);
	return count;
}
