/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_bounds: how many flows of a source or prefix, or of a class or state, a round may take. The decision
 * rests on the picture, which goes on counting what ended without an event; the pass of the round counts what is
 * there. */
#include <netinet/in.h>
#include <string.h>

#include "evict_private.h"

/* As the picture takes them together. */
static bool is_of_key(const struct policy_decision *decision, uint16_t zone, uint8_t family, const uint8_t src[16])
{
	const struct prefix *prefix = &decision->prefix;
	struct addr addr = {.family = family};

	if (decision->scope == POLICY_SCOPE_TABLE)
		return true;
	if (zone != decision->key.zone || family != prefix->addr.family ||
	    memcmp(src, prefix->addr.bytes, prefix->len / 8))
		return false;
	memcpy(addr.bytes, src, family == AF_INET ? 4 : 16);
	return prefix_contains(prefix, &addr);
}

static bool counts(const struct policy_bound *bound, unsigned class, uint8_t protocol, uint8_t state)
{
	return bound->classes >> class & 1 ||
	       (bound->states && protocol == IPPROTO_TCP && state < FLOW_TCP_COUNT && bound->states >> state & 1);
}

void evict_count(struct lane *lane, const struct flow *flow, enum flow_class class)
{
	const struct policy_bounds *bounds = &lane->decision->bounds;
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];

	if (!is_of_key(lane->decision, flow->zone, orig->family, orig->src))
		return;
	for (unsigned i = 0; i < bounds->count; i++)
		lane->counts[i] += counts(&bounds->items[i], class, orig->protocol,
					  flow->has & FLOW_HAS_STATE ? flow->state : FLOW_TCP_COUNT);
}

uint64_t evict_may_go(const struct lane *lane)
{
	return policy_bounds_excess(&lane->decision->bounds, lane->counts);
}

void evict_uncount(struct eviction *e)
{
	for (size_t i = 0; i < e->lane_count; i++)
		memset(e->lanes[i].counts, 0, sizeof(e->lanes[i].counts));
}

static void count_down(struct lane *lane, const struct victim *victim)
{
	const struct policy_bounds *bounds = &lane->decision->bounds;
	bool is_counted = false;

	if (!is_of_key(lane->decision, victim->zone, victim->family, victim->src))
		return;
	for (unsigned i = 0; i < bounds->count; i++) {
		if (!counts(&bounds->items[i], victim->class, victim->protocol, victim->state) || !lane->counts[i])
			continue;
		lane->counts[i]--;
		is_counted = true;
	}
	lane->made += is_counted;
}

void evict_count_taken(struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count)
{
	for (size_t i = (size_t)(lane - e->lanes) + 1; i < e->lane_count; i++)
		for (size_t k = 0; k < count && evict_is_bounded(&e->lanes[i]); k++)
			count_down(&e->lanes[i], &victims[k]);
}
