/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/evaluate: rules on facts give decisions. How much: down to the rule's until for flows that
 * fit the surge; others only make room for what will come until the next round (do no harm: a table
 * that is merely full of honest flows and does not grow is left alone). Then the budget. */
#include "policy/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "policy/words.h"
#include "private.h"
#include "state.h"

#define MISSED_FOR_NS	(10 * NS_PER_SEC) /* then it is another table */
#define SHORTEN_LEAST_SEC 2 /* to full */
#define URGENT_MOST_SEC 0.5 /* longer cool-downs are meant to hold */
#define RUSH		2    /* times as much, */
#define RUSH_SHARE	0.01 /* and of the capacity a second */
#define REST_MOST_SEC	2.0
#define REST_SHARE	20
#define OBSERVE_LEAST_NS NS_PER_SEC

struct evaluation {
	const struct policy *policy;
	enum policy_mode mode;
	const struct snapshot *snapshot;
	struct policy_memory *memory;
	int64_t now_ns;
	struct facts facts;
	uint64_t promised; /* entries that rules before are expected to take out */
	bool evicts;	   /* the table is gone through anyway */
	bool is_lent;	   /* by a rule whose cool-down is not over */
	struct policy_decision *decisions;
	size_t count;
};

void policy_decision_done(struct policy_decision *decision)
{
	flow_filter_free(decision->filter);
	decision->filter = NULL;
}

/* ---- decisions ---- */

static struct flow_filter *filter_for(const struct policy_rule *rule,
				      const struct policy_decision *decision)
{
	struct flow_filter *filter = match_copy(&rule->match);
	char text[ADDR_TEXT_MAX], zone[8];

	if (decision->scope == POLICY_SCOPE_TABLE)
		return filter;
	/* rule_check made sure that the match has no values of these keys. Zone 0 is a zone. */
	flow_filter_add(filter, FILTER_SRC, prefix_format(&decision->prefix, text), false, NULL);
	snprintf(zone, sizeof(zone), "%u", decision->key.zone);
	flow_filter_add(filter, FILTER_ZONE, zone, false, NULL);
	return filter;
}

/* pf's adaptive timeouts: whole up to start, nothing from end on, a line between. */
static double scale_of(const struct policy_do *action, double fill_pct)
{
	double scale = (action->end_pct - fill_pct) / (action->end_pct - action->start_pct);

	return scale > 1 ? 1 : scale < 0 ? 0 : scale;
}

static void tell_reason(struct policy_decision *decision, const struct policy_rule *rule,
			const char *why)
{
	char number[UNITS_TEXT_MAX], granted[UNITS_TEXT_MAX];
	struct text text;

	text_init(&text, decision->reason, sizeof(decision->reason));
	if (decision->key_text[0])
		text_add(&text, "%s: ", decision->key_text);
	text_add(&text, "%s", why);
	if (decision->is_end)
		text_add(&text, "the rule is over");
	if (!policy_actions[rule->action.action].has_match ||
	    rule->action.action == POLICY_ACTION_LOG)
		return;
	if (decision->want == POLICY_ALL)
		text_add(&text, "; all that match");
	else
		text_add(&text, "; %s to go", units_format_count(decision->want, number));
	if (decision->granted < decision->want)
		text_add(&text, ", %s by the budget",
			 units_format_count(decision->granted, granted));
}

static struct policy_decision *add_decision(struct evaluation *e, size_t rule_index,
					    const struct subject *subject)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	struct policy_decision *decision = &e->decisions[e->count++];

	*decision = (struct policy_decision){.rule = rule_index,
					     .action = rule->action.action,
					     .would = e->mode == POLICY_MODE_OBSERVE,
					     .level = e->facts.level,
					     .scale = 1};
	if (subject->row) {
		decision->scope = policy_rule_scope(rule);
		decision->key = subject->row->key;
		decision->prefix = subject->prefix;
		ranking_key_format(subject->config, &subject->row->key, decision->key_text);
	}
	if (rule->action.action == POLICY_ACTION_SHORTEN &&
	    (e->facts.known & 1u << POLICY_WHEN_FILL))
		decision->scale = scale_of(&rule->action, e->facts.numbers[POLICY_WHEN_FILL]);
	decision->filter = filter_for(rule, decision);
	e->memory->rules[rule_index].decisions++;
	return decision;
}

static bool evicts_of_table(const struct policy_rule *rule)
{
	return rule->action.action == POLICY_ACTION_EVICT && policy_rule_scope(rule) == POLICY_SCOPE_TABLE;
}

/* All evictions of a round come from one pass: a cool-down saves nothing where another rule makes it, and the milder
 * rule must not be left out of it. */
static bool shares_pass(const struct evaluation *e, size_t rule_index)
{
	return e->evicts && evicts_of_table(&e->policy->rules[rule_index]);
}

/* A rule that found nothing looks again where the pass is made anyway: else it will ask for one of its own soon. */
static bool is_paused(const struct evaluation *e, size_t rule_index, uint64_t other)
{
	const struct rule_state *state = &e->memory->rules[rule_index];

	return memory_is_paused(state, e->facts.level, other, e->now_ns) &&
	       !(shares_pass(e, rule_index) && memory_found_nothing(state));
}

/* What it will take, as far as one knows from the last time. Where nobody knows, a rule behind has the same pass at its
 * disposal, for what this one then leaves. */
static uint64_t promise_of(const struct rule_state *state, uint64_t granted, int64_t now_ns)
{
	if (!state->missed_ns || now_ns - state->missed_ns > MISSED_FOR_NS)
		return 0;
	return (uint64_t)((1 - state->missed) * (double)granted);
}

/* A decision on the table or one subject, as far as the budget goes. True where there is one. */
static bool decide(struct evaluation *e, size_t rule_index, const struct subject *subject,
		   struct amount amount, const char *why)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	const struct policy_action_info *info = &policy_actions[rule->action.action];
	struct rule_state *state = &e->memory->rules[rule_index];
	struct policy_decision *decision;
	uint64_t granted = 0;

	/* Each rule behind has a slot left: many sources may not hide what the table needs. */
	if (e->count + (e->policy->rule_count - 1 - rule_index) >= POLICY_DECISIONS_MAX ||
	    is_paused(e, rule_index, amount.other))
		return false;
	if (rule->action.action == POLICY_ACTION_BAN)
		amount = (struct amount){.all = 1};
	else if (!info->has_budget)
		amount = (struct amount){0};
	else if (rule->action.action == POLICY_ACTION_SHORTEN && amount.all)
		amount = (struct amount){.all = POLICY_ALL,
					 .other = POLICY_ALL}; /* it frees nothing at once */
	if (rule->action.action == POLICY_ACTION_EVICT && !subject->row)
		amount = amount_less_promised(amount, e->promised);
	if (info->has_budget) {
		granted = amount.all ? memory_take(state, &rule->budget, amount.all, e->now_ns) : 0;
		if (!granted)
			return false;
	}
	decision = add_decision(e, rule_index, subject);
	decision->granted = granted;
	if (rule->action.action == POLICY_ACTION_EVICT && !subject->row)
		decision->promised = e->promised;
	if (rule->action.action != POLICY_ACTION_BAN) {
		decision->want = amount.all;
		decision->want_other = amount.other;
		decision->bounds = amount.bounds;
	}
	state->granted += granted;
	state->is_cut = info->has_budget && granted < amount.all;
	if (rule->action.action == POLICY_ACTION_EVICT)
		e->promised += promise_of(state, granted, e->now_ns);
	tell_reason(decision, rule, why);
	return true;
}

static void tell_why(char why[POLICY_REASON_MAX], const struct policy_when *when, const struct facts *facts,
		     const struct subject *subject)
{
	struct text text;

	text_init(&text, why, POLICY_REASON_MAX);
	when_holds(when, facts, subject, &text);
}

/* Kernel timeouts are set once, when the rule begins, and put back once, when it ends. */
static void evaluate_timeouts(struct evaluation *e, size_t rule_index, bool holds, bool is_over,
			      const char *why)
{
	struct rule_state *state = &e->memory->rules[rule_index];
	struct subject table = {0};

	if (!state->is_active && holds && !is_over)
		state->is_active = decide(e, rule_index, &table, (struct amount){0}, why);
	else if (state->is_active && is_over &&
		 decide(e, rule_index, &table, (struct amount){0}, "")) {
		e->decisions[e->count - 1].is_end = true;
		tell_reason(&e->decisions[e->count - 1], &e->policy->rules[rule_index], "");
		state->is_active = false;
	}
}

const char *no_use_to_shorten(const struct policy_rule *rule, const struct facts *facts)
{
	if (rule->action.action != POLICY_ACTION_SHORTEN)
		return NULL;
	if (facts->known & 1u << POLICY_WHEN_FILL &&
	    scale_of(&rule->action, facts->numbers[POLICY_WHEN_FILL]) >= 1)
		return "lifetimes are left as they are below its start_pct";
	if (facts->known & 1u << POLICY_WHEN_SECONDS_TO_FULL &&
	    facts->numbers[POLICY_WHEN_SECONDS_TO_FULL] < SHORTEN_LEAST_SEC)
		return "to shorten lifetimes would come too late";
	return NULL;
}

/* In observe nothing is done: the next look finds what the last one found, and what made it hold goes on. */
static int64_t cooldown_of(const struct evaluation *e, const struct policy_rule *rule)
{
	if (e->mode == POLICY_MODE_OBSERVE && rule->action.action != POLICY_ACTION_LOG &&
	    rule->cooldown_ns < OBSERVE_LEAST_NS)
		return OBSERVE_LEAST_NS;
	return rule->cooldown_ns;
}

static void evaluate_table(struct evaluation *e, size_t rule_index)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	struct rule_state *state = &e->memory->rules[rule_index];
	struct subject table = {0};
	char why[POLICY_REASON_MAX] = "";
	const struct policy_when *when;
	struct amount amount = amount_of(rule, state, &e->facts, &table, &when);

	if (!when && !state->is_active)
		return;
	if (when)
		tell_why(why, when, &e->facts, &table);
	if (rule->action.action == POLICY_ACTION_TIMEOUTS) {
		/* Without room to gain it still holds while the level does: flapping timeouts help
		 * nobody. */
		bool is_over = !when && (!rule_has_until(rule) || amount.is_reached);

		evaluate_timeouts(e, rule_index, when != NULL, is_over, why);
		return;
	}
	if (rule_has_until(rule) && amount.is_reached)
		state->is_active = false;
	else if (rule_has_until(rule) && when)
		state->is_active = true;
	if (!when && !state->is_active)
		return;
	/* What has begun goes on down to its mark; the headroom says how much to take then, and is no
	 * reason of its own: under a lasting flood it may never be reached. */
	if (!when && rule->until.has_headroom && !amount.is_above)
		return;
	if (no_use_to_shorten(rule, &e->facts))
		return;
	if (!when)
		snprintf(why, sizeof(why), "level %s, begun and not yet at its end",
			 level_name(e->facts.level));
	/* The pass that it asked for is made by one that would have waited: so it waits itself. */
	if (decide(e, rule_index, &table, amount, why) || (e->is_lent && evicts_of_table(rule)))
		state->ready_ns = e->now_ns + cooldown_of(e, rule);
}

static void evaluate_subject(struct evaluation *e, size_t rule_index, const struct ranking_row *row)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	struct subject subject;
	char why[POLICY_REASON_MAX];
	const struct policy_when *when;
	struct amount amount;

	if (!subject_is_ready(e->memory, rule_index, &row->key, e->now_ns))
		return;
	subject = subject_from(e->policy, rule, e->snapshot, row);
	amount = amount_of(rule, &e->memory->rules[rule_index], &e->facts, &subject, &when);
	if (!when)
		return;
	tell_why(why, when, &e->facts, &subject);
	if (decide(e, rule_index, &subject, amount, why) && cooldown_of(e, rule))
		subject_hold(e->memory, rule_index, &row->key, e->now_ns + cooldown_of(e, rule));
}

static void evaluate_subjects(struct evaluation *e, size_t rule_index)
{
	const struct snapshot *s = e->snapshot;
	bool is_prefix = policy_rule_scope(&e->policy->rules[rule_index]) == POLICY_SCOPE_PREFIX;
	const struct snapshot_top *top = is_prefix ? &s->prefixes : &s->sources;
	const struct snapshot_more *more = is_prefix ? &s->more_prefixes : &s->more_sources;

	if (!(s->has & SNAPSHOT_HAS_TOP))
		return;
	for (size_t i = 0; i < top->used; i++)
		evaluate_subject(e, rule_index, &top->rows[i]);
	for (size_t i = 0; i < more->used; i++)
		evaluate_subject(e, rule_index, &more->rows[i]);
}

static bool has_fact(const struct evaluation *e, enum policy_condition condition)
{
	return e->facts.known & 1u << condition;
}

/* Where the table will be full in a minute, or does not grow, nobody has to go through it every 200 ms: a twentieth of
 * the time that is left. Told anew at each look, so that a growth that quickens does not wait. Whom the budget has cut
 * short goes on. */
static int64_t rest_ns(const struct evaluation *e, size_t rule_index)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	double seconds = REST_MOST_SEC;

	if (!evicts_of_table(rule) || e->memory->rules[rule_index].is_cut || !has_fact(e, POLICY_WHEN_GROWTH))
		return 0;
	if (has_fact(e, POLICY_WHEN_DROPS) ? e->facts.numbers[POLICY_WHEN_DROPS] > 0 : e->facts.level == LEVEL_FULL)
		return 0;
	if (has_fact(e, POLICY_WHEN_SECONDS_TO_FULL))
		seconds = fmin(seconds, e->facts.numbers[POLICY_WHEN_SECONDS_TO_FULL] / REST_SHARE);
	return (int64_t)(seconds * NS_PER_SEC) - cooldown_of(e, rule);
}

/* Where the table was gone through for next to nothing a moment ago, it would be again; unless far more comes now. */
static bool is_in_vain(const struct evaluation *e, const struct policy_rule *rule, const struct rule_state *state)
{
	double growth = has_fact(e, POLICY_WHEN_GROWTH) ? e->facts.numbers[POLICY_WHEN_GROWTH] : 0,
	       rush = RUSH * state->judged_growth + RUSH_SHARE * (double)e->snapshot->fill.capacity;

	return evicts_of_table(rule) && state->is_in_vain && growth <= rush && e->facts.level <= state->judged_level &&
	       e->facts.level != LEVEL_FULL;
}

/* A cool-down does not see a table become full that has half of it left. In observe nothing comes too late. */
static bool is_ready(const struct evaluation *e, size_t rule_index)
{
	const struct policy_rule *rule = &e->policy->rules[rule_index];
	const struct rule_state *state = &e->memory->rules[rule_index];
	double urgent_sec = (double)rule->cooldown_ns / NS_PER_SEC / 2;
	int64_t rest = rest_ns(e, rule_index);
	bool is_vain = is_in_vain(e, rule, state);

	if (rest < 0)
		rest = 0;
	if (state->ready_ns + rest <= e->now_ns || !state->ready_ns)
		return true;
	return e->mode == POLICY_MODE_ACT && evicts_of_table(rule) && !is_vain &&
	       e->facts.known & 1u << POLICY_WHEN_SECONDS_TO_FULL &&
	       e->facts.numbers[POLICY_WHEN_SECONDS_TO_FULL] < urgent_sec &&
	       urgent_sec <= URGENT_MOST_SEC;
}

/* A rule whose cool-down is over will have the table gone through. */
static bool will_evict(const struct evaluation *e)
{
	struct subject table = {0};

	for (size_t i = 0; i < e->policy->rule_count; i++) {
		const struct policy_rule *rule = &e->policy->rules[i];
		const struct rule_state *state = &e->memory->rules[i];
		const struct policy_when *when;
		struct amount amount;

		if (!evicts_of_table(rule) || !is_ready(e, i))
			continue;
		amount = amount_of(rule, state, &e->facts, &table, &when);
		if (when && amount.all && !memory_is_paused(state, e->facts.level, amount.other, e->now_ns))
			return true;
	}
	return false;
}

size_t policy_evaluate(const struct policy *policy, enum policy_mode mode,
		       const struct snapshot *snapshot, struct policy_memory *memory,
		       int64_t now_ns, struct policy_decision ret_decisions[POLICY_DECISIONS_MAX])
{
	struct evaluation e = {.policy = policy,
			       .mode = mode,
			       .snapshot = snapshot,
			       .memory = memory,
			       .now_ns = now_ns,
			       .decisions = ret_decisions};

	if (!facts_from(&e.facts, snapshot, memory_drops_per_sec(memory, snapshot, now_ns)))
		return 0;
	subjects_forget_old(memory, now_ns);
	e.evicts = will_evict(&e);
	for (size_t i = 0; i < policy->rule_count; i++) {
		bool is_in_turn = is_ready(&e, i);
		size_t before = e.count;

		if (!is_in_turn && !shares_pass(&e, i))
			continue;
		if (policy_rule_scope(&policy->rules[i]) == POLICY_SCOPE_TABLE)
			evaluate_table(&e, i);
		else
			evaluate_subjects(&e, i);
		e.is_lent |= !is_in_turn && e.count > before;
	}
	return e.count;
}
