/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds_other: decisions that change no entry: bans, and kernel timeouts; and bans asked from outside. */
#include "rounds_private.h"

#include <stdio.h>
#include <string.h>

#include "ban_check.h"
#include "base/clock.h"
#include "settings.h"

#define BANS_CHECK_NS (5 * NS_PER_SEC)

/* ---- bans and settings ---- */

static int open_bans(struct rounds *rounds, struct problem *problem)
{
	return rounds->bans ? 0 : bans_open(rounds->config.max_bans, &rounds->bans, problem);
}

/* Those in force at this rate; and until when this one is in force already, so or more strictly. */
static uint64_t bans_of_rule(struct rounds *rounds, const struct ban *ban, int64_t now_ns, int64_t *ret_until_ns)
{
	const struct ban *list;
	uint64_t same = 0;
	size_t count;

	list = bans_list(rounds->bans, now_ns, &count);
	for (size_t i = 0; i < count; i++) {
		same += list[i].rate_per_sec == ban->rate_per_sec;
		if (list[i].rate_per_sec <= ban->rate_per_sec && list[i].prefix.len == ban->prefix.len &&
		    addr_equal(&list[i].prefix.addr, &ban->prefix.addr))
			*ret_until_ns = list[i].until_ns;
	}
	return same;
}

/* 0 and *ret_settled_ns, the end of the ban that is in force then: of this moment (record->done) or an earlier one, which
 * is no event and is not prolonged; or without, and why in the record. -errno. */
static int put_in_force(struct rounds *rounds, const struct policy_do *action, const struct ban *ban, int64_t now_ns,
			struct action_record *record, int64_t *ret_settled_ns, struct problem *problem)
{
	int result = open_bans(rounds, problem);
	uint64_t same;

	if (result)
		return result;
	same = bans_of_rule(rounds, ban, now_ns, ret_settled_ns);
	if (*ret_settled_ns) {
		record->matched = record->left = 0;
		return 0;
	}
	if (same >= action->max_bans) {
		snprintf(record->how, sizeof(record->how), "at most %llu of the rule at a time, and so many are in force",
			 (unsigned long long)action->max_bans);
		return 0;
	}
	result = bans_add(rounds->bans, ban, problem);
	if (result)
		return result;
	*ret_settled_ns = ban->until_ns;
	record->done = 1;
	record->left = 0;
	return 0;
}

static int ban(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
	       struct action_record *record, int64_t *ret_settled_ns)
{
	const struct policy_do *action = &policy->rules[decision->rule].action;
	struct ban_context context = {.policy = policy,
				      .own = rounds->own,
				      .own_count = rounds->own_count,
				      .operators = rounds->operators,
				      .operator_count = rounds->operator_count};
	int64_t now_ns = clock_monotonic_ns();
	struct ban ban = {.prefix = decision->prefix,
			  .until_ns = now_ns + action->duration_ns,
			  .rate_per_sec = action->rate_per_sec};
	struct problem problem = {0};
	int result;

	record->matched = record->left = 1;
	if (!ban_allowed(&context, &ban.prefix, record->how, sizeof(record->how))) {
		record->spared = 1;
		return 0;
	}
	if (decision->would)
		return 0;
	pthread_mutex_lock(&rounds->bans_lock);
	result = put_in_force(rounds, action, &ban, now_ns, record, ret_settled_ns, &problem);
	pthread_mutex_unlock(&rounds->bans_lock);
	if (result)
		snprintf(record->how, sizeof(record->how), "%s", problem.text);
	return result;
}

static int change_timeouts(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
			   struct action_record *record)
{
	const struct policy_rule *rule = &policy->rules[decision->rule];
	struct problem problem = {0};
	int result;

	record->matched = record->left = 1;
	if (decision->would)
		return 0;
	if (decision->is_end)
		result = held_let_go(&rounds->held, rounds->config.state_dir, rule->name, &problem);
	else
		result = held_take(&rounds->held, rounds->config.state_dir, rule, &problem);
	if (result) {
		snprintf(record->how, sizeof(record->how), "%.60s: %.250s", problem.path, problem.text);
		return result;
	}
	record->done = 1;
	record->left = 0;
	return 0;
}

/* Decisions that change no entry. */
void rounds_run_other(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
		      const struct guard_table *table, struct guard_outcome *outcome)
{
	struct action_record *record = &outcome->record;
	int64_t began_ns = clock_monotonic_ns(), settled_ns = 0;

	guard_record_init(record, table, decision);
	record->error = decision->action == POLICY_ACTION_BAN ? ban(rounds, policy, decision, record, &settled_ns)
							      : change_timeouts(rounds, policy, decision, record);
	record->duration_ns = clock_monotonic_ns() - began_ns;
	outcome->effect = (struct policy_effect){.error = record->error,
						 .settled_ns = settled_ns,
						 .matched = record->matched,
						 .done = record->done,
						 .seconds = (double)record->duration_ns / 1e9};
}

/* ---- bans, asked from outside ---- */

int rounds_bans(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max, size_t *ret_count,
		struct problem *reterr_problem)
{
	const struct ban *list;
	size_t count = 0;
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	/* Who only looks opens nothing: opening makes the table anew. */
	result = rounds->bans ? 0 : bans_read(max, ret_bans, ret_count, reterr_problem);
	if (rounds->bans) {
		list = bans_list(rounds->bans, now_ns, &count);
		count = count < max ? count : max;
		if (count)
			memcpy(ret_bans, list, count * sizeof(*list));
		*ret_count = count;
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

size_t rounds_ban_count(struct rounds *rounds, int64_t now_ns, bool opens)
{
	size_t count = 0;

	pthread_mutex_lock(&rounds->bans_lock);
	if (opens && !rounds->bans && !rounds->were_bans_asked)
		open_bans(rounds, NULL);
	rounds->were_bans_asked |= opens;
	if (rounds->bans)
		bans_list(rounds->bans, now_ns, &count);
	pthread_mutex_unlock(&rounds->bans_lock);
	return count;
}

int rounds_unban(struct rounds *rounds, const struct prefix *prefix, struct problem *reterr_problem)
{
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result)
		result = bans_remove(rounds->bans, prefix, reterr_problem);
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

int rounds_unban_all(struct rounds *rounds, size_t *ret_count, struct problem *reterr_problem)
{
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result) {
		bans_list(rounds->bans, clock_monotonic_ns(), ret_count);
		result = bans_clear(rounds->bans, reterr_problem);
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

void rounds_settle_bans(struct rounds *rounds, int64_t now_ns)
{
	struct problem problem = {0};
	size_t count;
	int back = 0;

	pthread_mutex_lock(&rounds->bans_lock);
	if (rounds->bans)
		bans_list(rounds->bans, now_ns, &count);
	if (rounds->bans && now_ns - rounds->bans_ns >= BANS_CHECK_NS) {
		rounds->bans_ns = now_ns;
		back = bans_check(rounds->bans, &problem);
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	if (back > 0)
		snprintf(rounds->note, sizeof(rounds->note), "the nft table of bans was gone: made anew with %d bans", back);
	else if (back < 0 && !rounds->are_bans_lost)
		snprintf(rounds->note, sizeof(rounds->note), "the nft table of bans cannot be made anew: %.100s", problem.text);
	rounds->are_bans_lost = back < 0;
}
