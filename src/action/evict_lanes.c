/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_lanes: a lane for each decision of the round: what it may choose, how deep, and in how much room. */
#include "evict_private.h"

#include <string.h>

#include "base/clock.h"
#include "policy/victim.h"

#define LANE_SOURCES  65536
#define TALLY_SOURCES 4096

static bool takes_all(const struct lane *lane)
{
	return lane->rule->action.takes_active_at_full && lane->decision->level == LEVEL_FULL;
}

bool evict_knows_calm(const struct guard *guard)
{
	return guard->has_base || seniority_counts_get(guard->seniority).is_ready;
}

/* ---- protection ---- */

static bool is_protected(const struct flow *flow, void *arg)
{
	struct lane *lane = arg;
	struct flow_filter_context context = guard_context(lane->table);
	const char *name = guard_protected_by(lane->table, flow, &context);

	if (name)
		record_protected(lane->record, name);
	return name != NULL;
}

/* ---- lanes ---- */

static struct victims_config lane_config(const struct eviction *e, const struct lane *lane, size_t later)
{
	const struct policy_do *action = &lane->rule->action;
	struct victims_config config = victims_config_default();

	config.max = lane->max + later;
	config.max_others = lane->max_others + later;
	/* At full, where the policy says so, even seniors, the last of all. */
	config.deepest = takes_all(lane) ? VICTIM_SENIOR : VICTIM_IDLE;
	/* Who has come in the middle of a flood does not know whom it hits: silence is no reason yet. */
	if (config.deepest == VICTIM_IDLE && lane->has_signature && !evict_knows_calm(e->guard) &&
	    e->table->new_per_sec > 0)
		config.deepest = VICTIM_SHORT;
	config.young_sec = (uint32_t)(action->min_age_ns / NS_PER_SEC);
	if (action->floors_ns[FLOW_CLASS_ESTABLISHED])
		config.established_floor_sec = (uint32_t)(action->floors_ns[FLOW_CLASS_ESTABLISHED] / NS_PER_SEC);
	if (action->floors_ns[FLOW_CLASS_STREAM])
		config.stream_floor_sec = (uint32_t)(action->floors_ns[FLOW_CLASS_STREAM] / NS_PER_SEC);
	memcpy(config.source_prefix, e->guard->config.seniority.source_prefix, sizeof(config.source_prefix));
	config.max_sources = lane->decision->scope == POLICY_SCOPE_TABLE ? LANE_SOURCES : TALLY_SOURCES;
	config.of_one_source = lane->decision->scope == POLICY_SCOPE_SOURCE;
	config.is_blind = !evict_knows_calm(e->guard);
	config.is_protected = is_protected;
	config.protected_arg = (void *)lane;
	if (lane->has_signature) {
		config.signatures = e->signatures;
		config.signature_count = e->signature_count;
	}
	return config;
}

/* Of the room for victims, what the lanes behind may need: a fair share of it at most, so that the first, should it
 * find nothing, does not leave them without. */
static uint64_t kept_for_lanes(const struct eviction *e, size_t begin)
{
	uint64_t share = e->guard->config.max_victims / e->lane_count, kept = 0;

	for (size_t i = begin; i < e->lane_count; i++) {
		uint64_t granted = e->lanes[i].decision->granted;

		kept += granted < share ? granted : share;
	}
	return kept;
}

void evict_open_lanes(struct eviction *e)
{
	uint64_t room = e->guard->config.max_victims;

	for (size_t i = 0; i < e->lane_count; i++) {
		struct lane *lane = &e->lanes[i];
		uint64_t granted = lane->decision->granted, done = lane->record->done;
		uint64_t max = granted > done ? granted - done : 0, kept = kept_for_lanes(e, i + 1);
		uint64_t most = room > kept ? room - kept : 0, later, others;
		struct victims_config config;

		max = max < most ? max : most;
		if (!max) /* no room is left in this round: it takes nothing */
			continue;
		lane->max = (size_t)max;
		others = lane->decision->want_other > done ? lane->decision->want_other - done : 0;
		lane->max_others = others < max ? (size_t)others : lane->max;
		later = evict_for_later(e, lane, lane->max_others);
		later = later < most - max ? later : 0;
		room -= max + later;
		config = lane_config(e, lane, (size_t)later);
		lane->victims = victims_new(&config);
	}
	e->is_open = true;
}
