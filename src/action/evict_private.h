/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_private: one round of evictions under way. Private to action/evict*.c. */
#ifndef CTWARDEN_ACTION_EVICT_PRIVATE_H
#define CTWARDEN_ACTION_EVICT_PRIVATE_H

#include "guard_private.h"
#include "stats/round.h"

struct lane {
	const struct policy_decision *decision;
	const struct policy_rule *rule;
	struct action_record *record;
	const struct guard_table *table;
	struct victims *victims;
	uint64_t floor_spared, young_spared;
	bool has_signature;
	uint32_t classes; /* 1 << enum flow_class: that the rule takes */
	bool is_within;	  /* there is no more than may stay of it */
	bool is_unneeded; /* the lanes before it, or the pass itself, have made all the room it was to make */
	uint64_t made; /* room, by others, of what it was to make */
	size_t max, max_others; /* victims of this round, as in victims_config */
	struct victim *chosen;	/* after the pass; of this round, and what may go in the next ones */
	struct victims *pool;	/* that chosen is part of; NULL: it is the lane's own */
	size_t chosen_count;
	struct victims_report report;
	uint64_t counts[POLICY_BOUNDS_MAX]; /* flows of the pass that each bound of the decision counts */
};

struct eviction {
	struct guard *guard;
	const struct guard_table *table;
	struct flow_filter_context context;
	struct lane lanes[POLICY_DECISIONS_MAX];
	size_t lane_count, used;
	bool has_begun; /* the records hold what was done: they are not begun anew */
	uint64_t done; /* by the lanes that are finished; where they only observe: what they would have */
	bool is_open; /* the signature was looked for: flows go to the lanes at once */
	uint64_t base_flows, growth_flows;
	uint64_t sampled; /* of growth_flows: the signature is looked for among them */
	struct signature signatures[SIGNATURE_MAX];
	struct signature_counts counts[SIGNATURE_MAX];
	size_t signature_count;
	struct round round;
	const struct evict_lane *asked; /* what the lanes were made from */
	bool is_known;	/* a look at what is known to fit alone, */
	bool is_heard;	/* of which events told */
	size_t scanned; /* then: the signature whose flows come now */
	size_t tried;	/* flows of the pass that the trial has kept */
	uint64_t seen;	/* flows of the pass */
	uint64_t taken[SIGNATURE_MAX]; /* unreplied victims, by signature */
	uint64_t fits_taken; /* victims of any */
	uint64_t unanswered_taken;
	int64_t began_ns;
	struct chosen chosen;
};

/* What a source, a prefix, a class or a state may keep (evict_bounds.c). True: the pass has to count such flows, all of
 * them. */
static inline bool evict_is_bounded(const struct lane *lane)
{
	return lane->decision->bounds.count > 0;
}

void evict_count(struct lane *lane, const struct flow *flow, enum flow_class class);
/* How many of its flows may go, as counted. */
uint64_t evict_may_go(const struct lane *lane);
/* The pass has missed and repeated some: nobody knows. */
void evict_uncount(struct eviction *e);
/* What this lane takes the lanes behind it need not take of the same source. */
void evict_count_taken(struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count);

/* Far more comes than when those were chosen: another flood may have begun, whose flows go first. */
bool evict_is_other_rush(const struct eviction *e, double then_per_sec);
/* What is there can be compared with a table that was calm. */
bool evict_knows_calm(const struct guard *guard);
/* The steps of a pass: what fits the signatures is known, the flows come (a flow_scan_fn, its arg the eviction), the
 * victims are chosen, and deleted. */
void evict_open_lanes(struct eviction *e);
void evict_begin_round(struct eviction *e);
bool evict_on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg);
void evict_choose(struct eviction *e);
void evict_finish(struct eviction *e, uint64_t freed);
/* Whether the lanes have what each wants of what does not go freely. */
bool evict_is_chosen_enough(const struct eviction *e);
void evict_drop_chosen(struct eviction *e);
/* The rules of the lanes as bits; 0 where one is beyond 63. */
uint64_t evict_rules(const struct eviction *e);
/* Of the flows that came with a surge and fit it: those that the round has met and not taken. */
uint64_t evict_left(const struct eviction *e);
/* Forgets what was chosen and found so far, as if the round began now. */
void evict_begin_anew(struct eviction *e);
/* A look at what is known to fit alone. False: nothing is known, or it was not enough: nothing was done, and the
 * whole table has to be looked at. */
bool evict_run_known(struct eviction *e, uint64_t freed);
/* Reads what events told of and what is known to fit, one by one: 0 or -errno. Whether that is worth it, it is to tell
 * before. */
bool evict_may_hear(const struct eviction *e);
/* From here on only what is known of two-way flows fits. */
void evict_begin_hearing(struct eviction *e);
int evict_look_at_heard(struct eviction *e);
/* The round from what an earlier pass has chosen beyond its own. False: that is too old or not enough: nothing was
 * done. */
bool evict_run_reserve(struct eviction *e, uint64_t freed);
/* A new reserve, of what e has chosen; then what each lane leaves. */
void reserve_begin(struct reserve *reserve, const struct eviction *e);
void reserve_keep(struct reserve *reserve, const struct eviction *e, const struct lane *lane,
		  const struct victim *victims, size_t count);
/* How many more victims a pass chooses for the next rounds, where this one takes max_others. */
size_t evict_for_later(const struct eviction *e, const struct lane *lane, size_t max_others);
/* Puts into the record who goes and why. */
void evict_tell(const struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count);
/* Adds to the record which sources most of them come from, each counted wholly; of equals who goes first. To be called
 * before they are added to its matched; where the sources of what was matched before are not known, none is told. */
void evict_tally_sources(struct action_record *record, const uint8_t source_prefix[2], const struct victim *victims,
			 size_t count);
/* The same of one source's flows, of which nobody looked at each. */
void evict_tally_source(struct action_record *record, const uint8_t source_prefix[2], uint8_t family,
			const uint8_t src[16], uint64_t flows);

/* True: it has become senior since it was chosen. */
bool evict_is_senior_now(const struct eviction *e, const struct victim *victim);
/* Deletes victims in their order, each read again unless it is sure; counts into the record of the lane. */
void evict_write(const struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count);

#endif
