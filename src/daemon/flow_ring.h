/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/flow_ring: a ring of flows from one thread (the only writer) to another (the only reader): what events told of
 * from the loop to the rounds, what these have deleted back. Allocated once; where it is full the flow is counted and
 * not taken. */
#ifndef CTWARDEN_DAEMON_FLOW_RING_H
#define CTWARDEN_DAEMON_FLOW_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"

struct flow_ring;

struct flow_ring *flow_ring_new(size_t size); /* flows; a power of two; 64 bytes each */
void flow_ring_free(struct flow_ring *ring);  /* NULL allowed */

/* The writer: of the flow are kept the original tuple, zones, id, status and state. */
void flow_ring_offer(struct flow_ring *ring, const struct flow *flow);
/* Flows that nobody told of, by their number: counted as lost. Any thread. */
void flow_ring_miss(struct flow_ring *ring, uint64_t count);
/* Any thread. */
bool flow_ring_is_empty(const struct flow_ring *ring);
uint64_t flow_ring_offered(const struct flow_ring *ring); /* since flow_ring_new, without what found it full */
uint64_t flow_ring_lost(const struct flow_ring *ring); /* found the ring full, or were missed, since flow_ring_new */

/* The reader: takes up to max of those that were offered before the call, the oldest first, into
 * ret_flows (NULL: they are dropped). Returns how many. */
size_t flow_ring_take(struct flow_ring *ring, struct flow *ret_flows, size_t max);

#endif
