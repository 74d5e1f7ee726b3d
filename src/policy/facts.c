/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/facts: the figures of one moment, whether conditions hold on them, and why in words. A
 * figure that is not known holds nothing: without a pass nobody is accused, without two readings
 * nothing grows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/units.h"
#include "flow/names.h"
#include "policy/words.h"
#include "state.h"

static void know(struct facts *facts, enum policy_condition which, double number)
{
	facts->known |= 1u << which;
	facts->numbers[which] = number;
}

bool facts_from(struct facts *ret_facts, const struct snapshot *snapshot, double drops_per_sec)
{
	const struct fill *fill = &snapshot->fill;
	struct facts facts = {.snapshot = snapshot, .level = snapshot->level};

	if (fill->is_implausible || !(fill->now.has & READING_HAS_ENTRIES))
		return false;
	facts.known |= 1u << POLICY_WHEN_ALWAYS;
	if (fill->capacity) {
		facts.known |= 1u << POLICY_WHEN_LEVEL;
		know(&facts, POLICY_WHEN_FILL, fill->fill_pct);
	}
	if ((snapshot->has & SNAPSHOT_HAS_GROWTH) && fill->has_growth) {
		double seconds = fill_seconds_now(fill);

		know(&facts, POLICY_WHEN_GROWTH, fill_growth_now(fill));
		know(&facts, POLICY_WHEN_SECONDS_TO_FULL, seconds < 0 ? INFINITY : seconds);
	}
	if (snapshot->has & SNAPSHOT_HAS_REFUSAL) {
		know(&facts, POLICY_WHEN_REFUSAL, snapshot->refusal_probability);
		know(&facts, POLICY_WHEN_REFUSAL_FULL, snapshot->refusal_when_full);
	}
	if (drops_per_sec >= 0)
		know(&facts, POLICY_WHEN_DROPS, drops_per_sec);
	*ret_facts = facts;
	return true;
}

/* ---- subjects ---- */

struct subject subject_from(const struct policy *policy, const struct policy_rule *rule,
			    const struct snapshot *snapshot, const struct ranking_row *row)
{
	const struct snapshot_top *top = policy_rule_scope(rule) == POLICY_SCOPE_PREFIX
						 ? &snapshot->prefixes
						 : &snapshot->sources;
	struct subject subject = {.row = row,
				  .config = &top->config,
				  .whole = top->totals.entries,
				  .has_rates = snapshot->has & SNAPSHOT_HAS_RATE};

	if (!row)
		return subject;
	subject.prefix.addr.family = row->key.family;
	for (unsigned i = 0; i < sizeof(row->key.addr); i++)
		subject.prefix.addr.bytes[i] = row->key.addr[i];
	subject.prefix.len = top->config.prefix_len[row->key.family == AF_INET6];
	subject.is_trusted = policy_prefixes_have(&policy->trusted, &subject.prefix);
	subject.is_proven = policy_rule_holds_proven(rule) && !subject.is_trusted;
	subject.is_banned = subject.is_proven && rule->action.action == POLICY_ACTION_BAN;
	return subject;
}

#define CLASSES_SHAKEN (1u << FLOW_CLASS_ESTABLISHED | 1u << FLOW_CLASS_OFFLOADED)
#define CLASSES_ANSWERED \
	(CLASSES_SHAKEN | 1u << FLOW_CLASS_CLOSING | 1u << FLOW_CLASS_REPLIED | 1u << FLOW_CLASS_STREAM)
#define CLASSES_NO_PICKUP (((1u << FLOW_CLASS_COUNT) - 1) & ~(1u << FLOW_CLASS_PICKUP))

/* A pickup's source is often the server: it never counts against it. Of who may have been forged
 * only what was answered counts. A ban hits more than the flows counted, so there not even that is
 * enough: a resolver answers forged queries, a closed port forged SYNs; a handshake needs the real
 * one. */
static uint32_t classes_held(const struct subject *subject, enum policy_count count)
{
	switch (count) {
	case POLICY_COUNT_ENTRIES:
	case POLICY_COUNT_SHARE:
		return subject->is_banned   ? CLASSES_SHAKEN
		       : subject->is_proven ? CLASSES_ANSWERED
					    : CLASSES_NO_PICKUP;
	case POLICY_COUNT_UNREPLIED:
		return subject->is_proven ? 0 : 1u << FLOW_CLASS_UNREPLIED;
	case POLICY_COUNT_HALF_OPEN:
		return subject->is_proven ? 0 : 1u << FLOW_CLASS_HALF_OPEN;
	case POLICY_COUNT_NEW:
	case POLICY_COUNT_COUNT:
		break;
	}
	return 0;
}

/* Classes are of the last pass, entries of now: those that have died since are not held against it. */
static uint64_t entries_of(const struct ranking_row *row, uint32_t classes)
{
	uint64_t sum = 0, pickups = row->classes[FLOW_CLASS_PICKUP];

	if (classes == CLASSES_NO_PICKUP) /* those born since, too */
		return row->entries > pickups ? row->entries - pickups : 0;
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (classes & 1u << i)
			sum += row->classes[i];
	return lesser(sum, row->entries);
}

bool subject_count(const struct subject *subject, enum policy_count count, double *ret)
{
	double held = (double)entries_of(subject->row, classes_held(subject, count));

	switch (count) {
	case POLICY_COUNT_ENTRIES:
	case POLICY_COUNT_UNREPLIED:
	case POLICY_COUNT_HALF_OPEN:
		*ret = held;
		return true;
	case POLICY_COUNT_NEW:
		*ret = subject->is_proven ? 0 : (double)subject->row->new_per_sec;
		return subject->has_rates;
	case POLICY_COUNT_SHARE:
		*ret = subject->whole ? 100.0 * held / (double)subject->whole : 0;
		return subject->whole > 0;
	case POLICY_COUNT_COUNT:
		break;
	}
	return false;
}

/* ---- words ---- */

static void add_part(struct text *why)
{
	if (why->len)
		text_add(why, ", ");
}

/* Rounded; but what is below a mark is not told as if it had reached it. */
static double whole(double number, double mark)
{
	return number < mark && round(number) >= mark ? floor(number) : round(number);
}

static void add_number(struct text *why, double number, double mark)
{
	char text[UNITS_TEXT_MAX];

	if (number >= 100 || number == floor(number)) {
		text_add(why, "%s", units_format_count((uint64_t)whole(number, mark), text));
		return;
	}
	snprintf(text, sizeof(text), "%.3g", number);
	if (number < mark && strtod(text, NULL) >= mark)
		snprintf(text, sizeof(text), "%.6g", number);
	text_add(why, "%s", text);
}

static void add_condition(struct text *why, enum policy_condition which, const struct facts *facts, double mark)
{
	double number = facts->numbers[which];
	char text[UNITS_TEXT_MAX];

	switch (which) {
	case POLICY_WHEN_ALWAYS:
		text_add(why, "the rule may act at any time");
		break;
	case POLICY_WHEN_LEVEL:
		text_add(why, "level %s", level_name(facts->level));
		break;
	case POLICY_WHEN_FILL:
		text_add(why, "fill %.1f %%", number);
		break;
	case POLICY_WHEN_GROWTH:
		text_add(why, "growth %s/s", units_format_signed((int64_t)whole(number, mark), text));
		break;
	case POLICY_WHEN_SECONDS_TO_FULL:
		if (isinf(number))
			text_add(why, "not filling");
		else
			text_add(why, "full in %s",
				 units_format_duration((int64_t)(number * 1e9), text));
		break;
	case POLICY_WHEN_REFUSAL:
		text_add(why, "%.3g %% of new flows refused now", 100 * number);
		break;
	case POLICY_WHEN_REFUSAL_FULL:
		text_add(why, "%.3g %% of new flows refused once full", 100 * number);
		break;
	case POLICY_WHEN_DROPS:
		text_add(why, "%.3g new flows a second dropped", number);
		break;
	case POLICY_WHEN_COUNT:
		break;
	}
}

/* The parts that fail are told alone, with what is needed. */
static bool fail_unknown(struct text *why, const char *key)
{
	why->len = 0;
	text_add(why, "%s is not known", key);
	return false;
}

static bool condition_holds(const struct policy_when *when, enum policy_condition which,
			    const struct facts *facts, struct text *why)
{
	const struct policy_condition_info *info = &policy_conditions[which];
	double number = facts->numbers[which], mark = when->numbers[which];
	bool holds;

	if (!(facts->known & 1u << which))
		return fail_unknown(why, info->key);
	holds = which == POLICY_WHEN_ALWAYS ||
		(which == POLICY_WHEN_LEVEL ? facts->level >= when->level
		 : info->is_at_most	    ? number <= mark
					    : number >= mark);
	if (holds) {
		add_part(why);
		add_condition(why, which, facts, mark);
		return true;
	}
	why->len = 0;
	add_condition(why, which, facts, mark);
	if (which == POLICY_WHEN_LEVEL)
		text_add(why, " (%s or above is needed)", level_name(when->level));
	else
		text_add(why, " (%s of %g or %s is needed)", info->key, mark,
			 info->is_at_most ? "less" : "more");
	return false;
}

/* One count against its mark, with its name: "10.1.0.66 has 151,200 entries (5,000 or more)". */
static bool at_least(struct text *why, double number, double mark, const char *name)
{
	if (number < mark)
		why->len = 0;
	else
		add_part(why);
	add_number(why, number, mark);
	text_add(why, " %s (", name);
	add_number(why, mark, mark);
	text_add(why, " or more%s)", number < mark ? " is needed" : "");
	return number >= mark;
}

static bool counts_hold(const struct policy_when *when, const struct subject *subject,
			struct text *why)
{
	static const char *const names[POLICY_COUNT_COUNT] = {"entries", "unreplied", "half-open",
							      "new/s", "% of the table"};
	double number = 0;

	if (when->in.count && !policy_prefixes_have(&when->in, &subject->prefix)) {
		why->len = 0;
		text_add(why, "not in the networks that the rule is for");
		return false;
	}
	for (unsigned i = 0; i < POLICY_COUNT_COUNT; i++) {
		if (!(when->counts_has & 1u << i))
			continue;
		if (!subject_count(subject, (enum policy_count)i, &number))
			return fail_unknown(why, policy_counts[i].key);
		if (!at_least(why, number, when->counts[i], names[i]))
			return false;
	}
	return true;
}

static bool table_counts_hold(const struct policy_when *when, const struct snapshot *snapshot,
			      struct text *why)
{
	if ((when->classes_has || when->states_has) && !(snapshot->has & SNAPSHOT_HAS_PASS))
		return fail_unknown(why, "a pass over the table");
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if ((when->classes_has & 1u << i) &&
		    !at_least(why, (double)snapshot->classes[i], (double)when->classes[i],
			      class_name((enum flow_class)i)))
			return false;
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++)
		if ((when->states_has & 1u << i) &&
		    !at_least(why, (double)snapshot->states[i], (double)when->states[i],
			      tcp_state_name((uint8_t)i)))
			return false;
	return true;
}

bool when_holds(const struct policy_when *when, const struct facts *facts,
		const struct subject *subject, struct text *why)
{
	for (unsigned i = 0; i < POLICY_WHEN_COUNT; i++)
		if ((when->has & 1u << i) &&
		    !condition_holds(when, (enum policy_condition)i, facts, why))
			return false;
	if (!table_counts_hold(when, facts->snapshot, why))
		return false;
	return !subject->row || counts_hold(when, subject, why);
}

/* ---- by how much ---- */

/* At the mark itself the condition still holds, so one more has to go. */
static uint64_t excess_of(uint64_t number, uint64_t mark)
{
	return number >= mark ? number - mark + 1 : 0;
}

static uint64_t below(uint64_t mark)
{
	return mark ? mark - 1 : 0;
}

uint64_t when_excess(const struct policy_when *when, const struct facts *facts)
{
	uint64_t excess = POLICY_ALL;

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (when->classes_has & 1u << i)
			excess = lesser(excess, excess_of(facts->snapshot->classes[i], when->classes[i]));
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++)
		if (when->states_has & 1u << i)
			excess = lesser(excess, excess_of(facts->snapshot->states[i], when->states[i]));
	return excess;
}

static void add_bound(struct policy_bounds *bounds, unsigned alternative, struct policy_bound bound)
{
	bound.alternative = (uint8_t)alternative;
	bounds->items[bounds->count++] = bound;
}

static struct policy_bounds table_bounds_of(const struct policy_when *when, unsigned alternative)
{
	struct policy_bounds bounds = {0};

	_Static_assert(FLOW_CLASS_COUNT + FLOW_TCP_COUNT <= POLICY_BOUNDS_MAX, "those of one alternative have room");
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (when->classes_has & 1u << i)
			add_bound(&bounds, alternative,
				  (struct policy_bound){.classes = 1u << i, .may_stay = below(when->classes[i])});
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++)
		if (when->states_has & 1u << i)
			add_bound(&bounds, alternative,
				  (struct policy_bound){.states = 1u << i, .may_stay = below(when->states[i])});
	return bounds;
}

struct policy_bounds bounds_of(const struct policy_rule *rule, unsigned alternative,
			       const struct subject *subject)
{
	const struct policy_when *when = &rule->whens[alternative];
	struct policy_bounds bounds = {0};
	double mark;

	if (!subject->row)
		return table_bounds_of(when, alternative);
	for (unsigned i = 0; i < POLICY_COUNT_COUNT; i++) {
		if (!(when->counts_has & 1u << i) || i == POLICY_COUNT_NEW)
			continue;
		mark = when->counts[i];
		if (i == POLICY_COUNT_SHARE)
			mark = mark * (double)subject->whole / 100;
		bounds.items[bounds.count++] =
			(struct policy_bound){.classes = classes_held(subject, (enum policy_count)i),
					      .alternative = (uint8_t)alternative,
					      .may_stay = mark > 1 ? (uint64_t)ceil(mark) - 1 : 0,
					      .is_gate = rule->until.has_entries};
	}
	if (rule->until.has_entries)
		bounds.items[bounds.count++] =
			(struct policy_bound){.classes = classes_held(subject, POLICY_COUNT_ENTRIES),
					      .alternative = (uint8_t)alternative,
					      .may_stay = rule->until.entries};
	return bounds;
}

/* Of the alternative whose bounds begin at *first, which is set to the next one's. */
static uint64_t alternative_excess(const struct policy_bounds *bounds, const uint64_t counts[POLICY_BOUNDS_MAX],
				   unsigned *first)
{
	uint8_t alternative = bounds->items[*first].alternative;
	uint64_t excess = POLICY_ALL;

	for (; *first < bounds->count && bounds->items[*first].alternative == alternative; ++*first) {
		const struct policy_bound *bound = &bounds->items[*first];
		uint64_t beyond = counts[*first] > bound->may_stay ? counts[*first] - bound->may_stay : 0;

		if (!beyond || !bound->is_gate)
			excess = lesser(excess, beyond);
	}
	return excess;
}

uint64_t policy_bounds_excess(const struct policy_bounds *bounds, const uint64_t counts[POLICY_BOUNDS_MAX])
{
	uint64_t excess = bounds->count ? 0 : POLICY_ALL;

	for (unsigned i = 0; i < bounds->count;)
		excess = greater(excess, alternative_excess(bounds, counts, &i));
	return excess;
}

uint64_t subject_excess(const struct subject *subject, const struct policy_bounds *bounds)
{
	uint64_t counts[POLICY_BOUNDS_MAX] = {0};

	for (unsigned i = 0; i < bounds->count; i++)
		counts[i] = entries_of(subject->row, bounds->items[i].classes);
	return policy_bounds_excess(bounds, counts);
}
