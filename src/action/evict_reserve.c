/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_reserve: victims that a pass chose beyond what its round took. While it is not proven that what fits the
 * surge is not in use, each round takes no more than the time to the next one needs, and would pay for a whole pass each
 * time: the rounds of the next seconds take from here instead. Each victim is read again before it goes, as ever. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "evict_private.h"

#define GOOD_FOR_NS (1900 * NS_PER_MS) /* then others hold most, and what fits may be in use */
#define ROUNDS	    10		       /* as many as there may be until then; */
#define ROUNDS_MIN  4		       /* less is no use */
#define FEW	    8		       /* an eighth at most */
#define RESERVE_MAX 32768 /* victims; who takes more at once has no second round before it is old */

void reserve_forget(struct reserve *reserve)
{
	reserve->count = reserve->part_count = 0;
}

void reserve_free(struct reserve *reserve)
{
	free(reserve->victims);
	reserve->victims = NULL;
	reserve_forget(reserve);
}

/* What takes part in it: lanes that make room in the table, of which not all goes at once. */
static bool has_later(const struct lane *lane)
{
	return lane->has_signature && !lane->decision->would && !evict_is_bounded(lane) &&
	       lane->decision->want != POLICY_ALL && lane->decision->scope == POLICY_SCOPE_TABLE &&
	       flow_filter_is_empty(lane->decision->filter);
}

size_t evict_for_later(const struct eviction *e, const struct lane *lane, size_t max_others)
{
	size_t most = RESERVE_MAX / e->lane_count;

	if (!has_later(lane) || max_others > most / ROUNDS_MIN)
		return 0;
	return lesser(max_others * ROUNDS, most);
}

/* ---- keeping ---- */

void reserve_begin(struct reserve *reserve, const struct eviction *e)
{
	reserve_forget(reserve);
	reserve->chosen = e->chosen;
	reserve->signature_count = e->signature_count;
	memcpy(reserve->signatures, e->signatures, sizeof(reserve->signatures));
}

/* What is known to be the surge goes at once, and more of it will have come by the next round: that one has to see it,
 * or others would go in its place. */
static bool has_proven(const struct lane *lane)
{
	size_t proven = 0;

	for (size_t i = 0; i < lane->chosen_count; i++)
		proven += lane->chosen[i].signature && lane->chosen[i].has & VICTIM_HAS_PROOF;
	return proven > lane->chosen_count / FEW;
}

/* Who goes before the answered was there, and more will be by the next round. */
static bool has_unanswered(const struct eviction *e)
{
	uint64_t unanswered = 0, chosen = 0;

	for (size_t i = 0; i < e->lane_count; i++) {
		const struct victims_report *report = &e->lanes[i].report;

		unanswered += report->candidates[VICTIM_UNANSWERED_FIT] + report->candidates[VICTIM_UNANSWERED];
		chosen += e->lanes[i].chosen_count;
	}
	return unanswered > chosen / FEW;
}

/* Of a full table also those that nothing speaks against, as equals. */
static bool may_wait(const struct lane *lane, const struct victim *victim)
{
	return victim->stage == VICTIM_FIT || (lane->decision->level == LEVEL_FULL && victim->stage < VICTIM_ACTIVE);
}

void reserve_keep(struct reserve *reserve, const struct eviction *e, const struct lane *lane,
		  const struct victim *victims, size_t count)
{
	struct reserve_part *part = &reserve->parts[reserve->part_count];
	size_t room = RESERVE_MAX - reserve->count;

	if (!has_later(lane) || lane->record->error || has_proven(lane) || has_unanswered(e))
		return;
	if (!reserve->victims)
		reserve->victims = mem_array(RESERVE_MAX, sizeof(*reserve->victims));
	*part = (struct reserve_part){
		.rule = lane->decision->rule, .begin = reserve->count, .level = lane->decision->level};
	for (size_t i = 0; i < count && part->count < room; i++)
		if (may_wait(lane, &victims[i]))
			reserve->victims[part->begin + part->count++] = victims[i];
	reserve->count += part->count;
	reserve->part_count++;
}

/* ---- taking ---- */

#define OTHER_RUSH	 2   /* times as much, */
#define OTHER_RUSH_SHARE 100 /* and a hundredth of the capacity a second */

bool evict_is_other_rush(const struct eviction *e, double then_per_sec)
{
	return e->table->new_per_sec > OTHER_RUSH * then_per_sec + (double)e->table->capacity / OTHER_RUSH_SHARE;
}

static bool is_same_trial(const struct signature *a, const struct signature *b)
{
	return a->is_untried == b->is_untried && a->is_lively == b->is_lively;
}

/* What was chosen for the rule, at this level: how deep it goes depends on it. */
static const struct reserve_part *part_of(const struct reserve *reserve, const struct lane *lane)
{
	for (size_t i = 0; i < reserve->part_count; i++)
		if (reserve->parts[i].rule == lane->decision->rule && reserve->parts[i].level == lane->decision->level)
			return &reserve->parts[i];
	return NULL;
}

/* What was chosen by it would be chosen now. */
static bool is_good(const struct reserve *reserve, const struct eviction *e)
{
	if (!reserve->count || e->began_ns - reserve->chosen.read_ns >= GOOD_FOR_NS ||
	    evict_is_other_rush(e, reserve->chosen.new_per_sec))
		return false;
	for (size_t i = 0; i < reserve->signature_count; i++) {
		struct signature now = reserve->signatures[i];

		trial_judge(&e->guard->trial, &now, e->began_ns);
		if (!is_same_trial(&now, &reserve->signatures[i]))
			return false;
	}
	for (size_t i = 0; i < e->lane_count; i++)
		if (!has_later(&e->lanes[i]) || !part_of(reserve, &e->lanes[i]))
			return false;
	return true;
}

static void take(const struct reserve *reserve, struct lane *lane)
{
	const struct reserve_part *part = part_of(reserve, lane);
	uint64_t granted = lane->decision->granted, done = lane->record->done;

	if (granted <= done)
		return;
	lane->chosen = mem_array(part->count + 1, sizeof(*lane->chosen));
	memcpy(lane->chosen, reserve->victims + part->begin, part->count * sizeof(*lane->chosen));
	lane->max = (size_t)(granted - done);
	lane->max_others = lane->decision->want_other < lane->max ? (size_t)lane->decision->want_other : lane->max;
	lane->chosen_count = part->count;
}

bool evict_run_reserve(struct eviction *e, uint64_t freed)
{
	struct reserve *reserve = &e->guard->reserve;
	struct chosen now = e->chosen;
	bool is_enough;

	if (!is_good(reserve, e)) {
		reserve_forget(reserve);
		return false;
	}
	e->chosen = reserve->chosen;
	e->signature_count = reserve->signature_count;
	memcpy(e->signatures, reserve->signatures, sizeof(e->signatures));
	for (size_t i = 0; i < e->lane_count; i++) {
		take(reserve, &e->lanes[i]);
		e->lanes[i].record->way = ACTION_WAY_RESERVE;
	}
	is_enough = evict_is_chosen_enough(e);
	reserve_begin(reserve, e);
	e->has_begun = is_enough;
	if (is_enough)
		evict_finish(e, freed);
	evict_drop_chosen(e);
	/* Many are gone, or in use: the rest is no better. */
	for (size_t i = 0; i < e->lane_count; i++)
		is_enough &= 2 * (e->done + freed) >= e->lanes[i].decision->want_other;
	if (!is_enough) {
		for (size_t i = 0; i < e->lane_count; i++)
			e->lanes[i].record->way = ACTION_WAY_DUMP;
		reserve_forget(reserve);
		e->chosen = now;
		e->signature_count = 0;
	}
	return is_enough;
}
