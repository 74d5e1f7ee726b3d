/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/amount: how many entries a rule wants to go: down to its until for flows that fit the surge; others only make
 * room for what will come until the next round. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "private.h"
#include "state.h"

#define ROUND_MARGIN 1.15  /* growth may rise until then */
#define TICK_SEC     0.05  /* between readings while it is tight */
#define LEAST_SHARE  0.01  /* of the capacity, where anything has to go at all */

/* Entries to go so that free room lasts for seconds at this rate. */
static uint64_t for_headroom(const struct fill *fill, double rate, double seconds)
{
	double need = ceil(rate * seconds),
	       free_room = (double)fill->capacity - (double)fill->now.entries;

	if (free_room < 0)
		free_room = 0;
	return need > free_room ? (uint64_t)(need - free_room) : 0;
}

/* Where a level is left: by the leave mark of the next one. */
static double leave_pct(const struct level_config *levels, enum level level)
{
	switch (level) {
	case LEVEL_OK:
		return levels->warning.leave_pct;
	case LEVEL_WARNING:
		return levels->critical.leave_pct;
	case LEVEL_CRITICAL:
	case LEVEL_FULL:
	case LEVEL_COUNT:
		break;
	}
	return levels->full_pct;
}

/* Until the next round has done its work: it begins when this one has ended and its pause is over, and takes its
 * victims at its end. And a margin. */
static double ahead_sec(const struct policy_rule *rule, const struct rule_state *state)
{
	double pause = (double)rule->cooldown_ns / NS_PER_SEC,
	       seconds = ROUND_MARGIN * (fmax(pause, state->seconds) + state->seconds + TICK_SEC);

	return seconds > POLICY_ROUND_SEC ? seconds : POLICY_ROUND_SEC;
}

/* A full table is not nibbled at: each round costs a pass. */
static uint64_t at_least(const struct fill *fill, uint64_t count)
{
	uint64_t least = (uint64_t)((double)fill->capacity * LEAST_SHARE);

	return count && count < least ? least : count;
}

static struct amount amount_until(const struct policy_rule *rule, const struct rule_state *state,
				  const struct facts *facts)
{
	const struct fill *fill = &facts->snapshot->fill;
	const struct policy_until *until = &rule->until;
	bool is_growth_known = facts->known & 1u << POLICY_WHEN_GROWTH;
	double growth = is_growth_known ? facts->numbers[POLICY_WHEN_GROWTH] : 0, target = 1000, rate, left;
	struct amount amount = {0};

	if (!fill->capacity)
		return amount;
	if (until->has_fill)
		target = until->fill_pct;
	target = floor(target / 100 * (double)fill->capacity);
	/* A level is left below its mark, not at it: what ends there exactly would never end. */
	if (until->has_level) {
		left = ceil(leave_pct(&facts->snapshot->marks, until->level) / 100 * (double)fill->capacity) - 1;
		if (left < target)
			target = left > 0 ? left : 0;
	}
	amount.is_above = (double)fill->now.entries > target;
	if (amount.is_above)
		amount.all = fill->now.entries - (uint64_t)target;
	/* A full table cannot grow: what it refuses is the demand then. */
	rate = (growth > 0 ? growth : 0) +
	       (facts->known & 1u << POLICY_WHEN_DROPS ? facts->numbers[POLICY_WHEN_DROPS] : 0);
	if (until->has_headroom)
		amount.all = greater(amount.all, for_headroom(fill, rate, until->headroom_sec));
	amount.all = lesser(amount.all, fill->now.entries);
	amount.other = amount.all;
	if (rule->action.has_signature && is_growth_known)
		amount.other = lesser(amount.all, at_least(fill, for_headroom(fill, rate, ahead_sec(rule, state))));
	amount.is_reached = !amount.all && (!until->has_level || facts->level <= until->level);
	return amount;
}

bool rule_has_until(const struct policy_rule *rule)
{
	return rule->until.has_fill || rule->until.has_level;
}

/* By one alternative that holds, and what it lets a source, a prefix or the table keep. */
static uint64_t amount_by(const struct policy_rule *rule, unsigned alternative, const struct facts *facts,
			  const struct subject *subject, struct policy_bounds *ret_bounds)
{
	uint64_t all = rule->until.has_entries ? POLICY_ALL : when_excess(&rule->whens[alternative], facts);

	*ret_bounds = bounds_of(rule, alternative, subject);
	return subject->row ? lesser(all, subject_excess(subject, ret_bounds)) : all;
}

/* Any alternative is reason enough: by the one that means most, and what one counts nothing of (or more than
 * there is room for) nothing bounds. */
static void add_alternative(struct amount *amount, uint64_t all, const struct policy_bounds *bounds, bool is_first)
{
	amount->all = greater(amount->all, all);
	if (!bounds->count || (!is_first && !amount->bounds.count) ||
	    amount->bounds.count + bounds->count > POLICY_BOUNDS_MAX) {
		amount->bounds.count = 0;
		return;
	}
	memcpy(amount->bounds.items + amount->bounds.count, bounds->items, bounds->count * sizeof(bounds->items[0]));
	amount->bounds.count += bounds->count;
}

struct amount amount_of(const struct policy_rule *rule, const struct rule_state *state, const struct facts *facts,
			const struct subject *subject, const struct policy_when **ret_when)
{
	const struct policy_when *best = NULL;
	struct policy_bounds bounds;
	struct amount amount = {0};
	bool is_first;

	for (unsigned i = 0; i < rule->when_count; i++) {
		uint64_t all;

		if (!when_holds(&rule->whens[i], facts, subject, &(struct text){0}))
			continue;
		all = amount_by(rule, i, facts, subject, &bounds);
		is_first = !best;
		if (is_first || all > amount.all)
			best = &rule->whens[i];
		add_alternative(&amount, all, &bounds, is_first);
	}
	if (ret_when)
		*ret_when = best;
	if (rule_has_until(rule))
		return amount_until(rule, state, facts);
	amount.other = amount.all;
	return amount;
}

struct amount amount_less_promised(struct amount amount, uint64_t promised)
{
	if (amount.all == POLICY_ALL)
		return amount;
	amount.all -= lesser(amount.all, promised);
	amount.other -= lesser(amount.other, promised);
	return amount;
}
