/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/memory: what is remembered of each rule between evaluations: budget, cool-down, whether it
 * is in force, and whether it helps. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "policy/words.h"
#include "state.h"

/* Results in a row that did not help after which a rule whose conditions are gone is no longer in
 * force. */
#define INEFFECTIVE_GIVE_UP 3
#define WITHIN_NS	   NS_PER_SEC
#define SHORTEN_PAUSES	    4 /* cool-downs, where there was nothing to be shortened */
#define IN_VAIN		    2 /* half of what was needed at most */
#define SOUGHT_ALL	    UINT64_MAX
#define SOUGHT_MORE	    2 /* times as many that may go are another question */
#define SOUGHT_NONE_PAUSES  3 /* pauses longer, where no flow was needed that does not go freely: need ends it at once */

static const struct rule_state *state_named(const struct policy *policy,
					    const struct policy_memory *memory,
					    const struct policy_rule *rule)
{
	for (size_t i = 0; policy && memory && i < policy->rule_count && i < memory->count; i++)
		if (!strcmp(policy->rules[i].name, rule->name) &&
		    policy->rules[i].action.action == rule->action.action)
			return &memory->rules[i];
	return NULL;
}

struct policy_memory *policy_memory_new(const struct policy *policy,
					const struct policy *older_policy,
					const struct policy_memory *older)
{
	struct policy_memory *memory = mem_alloc(sizeof(*memory));
	const struct rule_state *state;

	memory->count = policy->rule_count;
	memory->rules = mem_array(policy->rule_count + 1, sizeof(*memory->rules));
	for (size_t i = 0; i < policy->rule_count; i++) {
		state = state_named(older_policy, older, &policy->rules[i]);
		if (state)
			memory->rules[i] = *state;
	}
	for (size_t i = 0; older && i < older->subject_count; i++) {
		const struct subject_state *subject = &older->subjects[i];
		const struct rule_state *was = &older->rules[subject->rule];

		for (size_t k = 0; k < policy->rule_count; k++) {
			if (state_named(older_policy, older, &policy->rules[k]) != was)
				continue;
			memory->subjects[memory->subject_count] = *subject;
			memory->subjects[memory->subject_count++].rule = k;
			break;
		}
	}
	if (older) {
		memcpy(memory->marks, older->marks, sizeof(memory->marks));
		memory->mark_count = older->mark_count;
	}
	return memory;
}

void policy_memory_free(struct policy_memory *memory)
{
	if (!memory)
		return;
	free(memory->rules);
	free(memory);
}

/* ---- drops ---- */

double memory_drops_per_sec(struct policy_memory *memory, const struct snapshot *snapshot,
			    int64_t now_ns)
{
	const struct fill *fill = &snapshot->fill;
	const struct table_counters *counters = &fill->now.counters;
	struct drops_mark now = {now_ns, 0};
	double seconds, dropped;

	if (!(fill->now.has & READING_HAS_COUNTERS) || !fill->now.entries_limit)
		return -1;
	/* A clash of two inserts raises both; only the rest was refused for want of room. */
	if (counters->drop > counters->insert_failed)
		now.drops = counters->drop - counters->insert_failed;
	if (!memory->mark_count || now.drops < memory->marks[0].drops ||
	    now_ns < memory->marks[1].ns) {
		memory->marks[0] = memory->marks[1] = now;
		memory->mark_count = 1;
		return -1;
	}
	seconds = (double)(now_ns - memory->marks[0].ns) / 1e9;
	dropped = (double)(now.drops - memory->marks[0].drops);
	if (now_ns - memory->marks[1].ns >= NS_PER_SEC) {
		memory->marks[0] = memory->marks[1];
		memory->marks[1] = now;
	}
	/* Below the top of the table drops are clashes or invalid packets: nothing that room would
	 * help. */
	if (100.0 * (double)fill->now.entries <
	    snapshot->marks.full_pct * (double)fill->now.entries_limit)
		return 0;
	return dropped / (seconds > 1 ? seconds : 1);
}

/* ---- budget: a token bucket of per_run tokens, refilled at per_sec ---- */

static double tokens_at(const struct rule_state *state, const struct policy_budget *budget,
			int64_t now_ns)
{
	double tokens = state->tokens, full = (double)budget->per_run;

	if (!state->has_tokens)
		return full;
	if (now_ns > state->tokens_ns)
		tokens += (double)budget->per_sec * ((double)(now_ns - state->tokens_ns) / 1e9);
	return tokens < full ? tokens : full;
}

uint64_t memory_take(struct rule_state *state, const struct policy_budget *budget, uint64_t want,
		     int64_t now_ns)
{
	double tokens = tokens_at(state, budget, now_ns);
	uint64_t granted = tokens > 0 ? (uint64_t)tokens : 0;

	if (granted > want)
		granted = want;
	state->tokens = tokens - (double)granted;
	if (!state->has_tokens || now_ns > state->tokens_ns)
		state->tokens_ns = now_ns;
	state->has_tokens = true;
	return granted;
}

static void give_back(struct rule_state *state, const struct policy_budget *budget, double tokens)
{
	state->tokens += tokens;
	if (state->tokens > (double)budget->per_run)
		state->tokens = (double)budget->per_run;
}

/* ---- results ---- */

/* Whether it helped: for what takes flows, that the count fell by half of them at least, beside the
 * growth meanwhile. Entries that are dying while somebody still holds them count on: then more of
 * the same changes nothing. */
static bool has_helped(const struct policy_decision *decision, const struct policy_effect *effect)
{
	double expected;

	if (effect->error)
		return false;
	switch (decision->action) {
	case POLICY_ACTION_TIMEOUTS:
	case POLICY_ACTION_LOG:
		return true;
	case POLICY_ACTION_BAN:
	case POLICY_ACTION_SHORTEN: /* shows only later */
		return effect->done > 0;
	case POLICY_ACTION_SWEEP:
	case POLICY_ACTION_EVICT:
	case POLICY_ACTION_COUNT:
		break;
	}
	if (!effect->done || !effect->has_entries)
		return effect->done > 0;
	expected = (double)effect->entries_before - (double)effect->done / 2;
	if (effect->growth_per_sec > 0 && effect->seconds > 0)
		expected += effect->growth_per_sec * effect->seconds;
	return (double)effect->entries_after <= expected;
}

int64_t memory_pause_ns(unsigned ineffective)
{
	int64_t pause = POLICY_PAUSE_MIN_NS;

	while (--ineffective && pause < POLICY_PAUSE_MAX_NS)
		pause *= 2;
	return pause < POLICY_PAUSE_MAX_NS ? pause : POLICY_PAUSE_MAX_NS;
}

bool memory_is_paused(const struct rule_state *state, enum level level, uint64_t other, int64_t now_ns)
{
	if (state->pause_ns <= now_ns)
		return false;
	if (state->sought == SOUGHT_ALL)
		return true;
	return level <= state->sought_level &&
	       (other <= state->sought || other - state->sought <= (SOUGHT_MORE - 1) * state->sought);
}

bool memory_found_nothing(const struct rule_state *state)
{
	return state->sought != SOUGHT_ALL;
}

static void judge_subject(struct policy_memory *memory, const struct policy_decision *decision,
			  const struct policy_effect *effect, int64_t now_ns)
{
	/* Who was within its limit after all is no try that failed; until the snapshot is made anew another one would
	 * tell the same. */
	int64_t settled_ns = effect->is_within ? now_ns + WITHIN_NS : effect->settled_ns,
		latest_ns = now_ns + POLICY_SETTLED_NS;

	subject_judge(memory, decision->rule, &decision->key,
		      settled_ns > now_ns || has_helped(decision, effect), now_ns);
	if (settled_ns > now_ns)
		subject_hold(memory, decision->rule, &decision->key,
			     settled_ns < latest_ns ? settled_ns : latest_ns);
}

/* How much of what was asked for was to be found. */
static void judge_found(struct rule_state *state, const struct policy_decision *decision,
			const struct policy_effect *effect, int64_t now_ns)
{
	uint64_t needed = lesser(decision->want_other, decision->granted),
		 asked = decision->granted > effect->made ? decision->granted - effect->made : 0;

	state->judged_level = decision->level;
	state->judged_growth = effect->growth_per_sec;
	state->is_in_vain = needed && effect->done + effect->made <= needed / IN_VAIN;
	state->missed = effect->done < asked ? 1 - (double)effect->done / (double)asked : 0;
	state->missed_ns = now_ns;
}

void policy_memory_result(struct policy_memory *memory, const struct policy *policy,
			  const struct policy_decision *decision,
			  const struct policy_effect *effect, int64_t now_ns)
{
	const struct policy_rule *rule = &policy->rules[decision->rule];
	struct rule_state *state = &memory->rules[decision->rule];

	/* What one request to the kernel took beyond the grant is owed. */
	give_back(state, &rule->budget, (double)decision->granted - (double)effect->done);
	if (effect->is_unneeded)
		return;
	state->done += effect->done;
	state->seconds = effect->seconds > effect->longest_sec ? effect->seconds : effect->longest_sec;
	judge_found(state, decision, effect, now_ns);
	if (decision->scope != POLICY_SCOPE_TABLE && !effect->error) {
		state->ineffective = 0;
		state->pause_ns = 0;
		judge_subject(memory, decision, effect, now_ns);
		return;
	}
	if (has_helped(decision, effect)) {
		state->ineffective = state->stuck = 0;
		state->pause_ns = 0;
		return;
	}
	/* A look at what others had to go through anyway is no try of its own. */
	if (state->pause_ns > now_ns && memory_found_nothing(state) && !effect->error && !effect->done) {
		if (decision->want_other > state->sought)
			state->sought = decision->want_other;
		if (decision->level > state->sought_level)
			state->sought_level = decision->level;
		return;
	}
	state->failures += effect->error != 0;
	/* Twenty sources that fail for one reason in one round are one failure. */
	if (state->ineffective + state->stuck && state->judged_ns == now_ns)
		return;
	state->judged_ns = now_ns;
	/* That nothing was found for long says nothing of what is found now and does not help: it came faster than it
	 * went. */
	if (effect->done && !effect->error) {
		state->ineffective = 0;
		state->stuck++;
	} else {
		state->ineffective++;
	}
	state->sought_level = decision->level;
	state->sought = effect->error || effect->done		? SOUGHT_ALL
			: decision->want_other < SOUGHT_ALL - 1 ? decision->want_other
								: SOUGHT_ALL - 1;
	state->pause_ns = now_ns + memory_pause_ns(state->ineffective + state->stuck +
						   (state->sought ? 0 : SOUGHT_NONE_PAUSES - 1));
	/* It takes a pass over the table, and makes room only later. */
	if (decision->action == POLICY_ACTION_SHORTEN && !effect->error && !decision->would &&
	    state->pause_ns < now_ns + SHORTEN_PAUSES * rule->cooldown_ns)
		state->pause_ns = now_ns + SHORTEN_PAUSES * rule->cooldown_ns;
	/* Timeouts are set once; what failed has to be tried again, and what was not put back is
	 * still set. */
	if (decision->action == POLICY_ACTION_TIMEOUTS)
		state->is_active = decision->is_end;
	else if (state->ineffective + state->stuck >= INEFFECTIVE_GIVE_UP)
		state->is_active = false;
}

void policy_memory_trust(struct policy_memory *memory, int64_t now_ns)
{
	for (size_t i = 0; i < memory->count; i++)
		memory->rules[i].missed_ns = now_ns;
}

void policy_memory_end_pauses(struct policy_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		memory->rules[i].ready_ns = memory->rules[i].pause_ns = 0;
		memory->rules[i].ineffective = memory->rules[i].stuck = 0;
	}
	policy_memory_forget_settled(memory);
}

void policy_memory_forget_timeouts(struct policy_memory *memory, const struct policy *policy)
{
	for (size_t i = 0; i < memory->count; i++)
		if (policy->rules[i].action.action == POLICY_ACTION_TIMEOUTS)
			memory->rules[i].is_active = false;
}

struct policy_rule_state policy_memory_rule(const struct policy_memory *memory,
					    const struct policy *policy, size_t rule,
					    int64_t now_ns)
{
	const struct rule_state *state = &memory->rules[rule];
	int64_t ready_ns = state->pause_ns > state->ready_ns ? state->pause_ns : state->ready_ns;
	double tokens = tokens_at(state, &policy->rules[rule].budget, now_ns);

	return (struct policy_rule_state){
		.is_active = state->is_active,
		.budget_left = tokens > 0 ? (uint64_t)tokens : 0,
		.ready_ns = ready_ns > now_ns ? ready_ns : 0,
		.ineffective = state->ineffective + state->stuck,
		.decisions = state->decisions,
		.granted = state->granted,
		.done = state->done,
		.failures = state->failures,
	};
}
