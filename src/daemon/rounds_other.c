/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds_other: decisions that change no entry: kernel timeouts, and bans by way of rounds_bans. */
#include "rounds_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/words.h"
#include "settings.h"

static void record_timeout(struct action_record *record, size_t index, uint32_t from_sec, uint32_t to_sec)
{
	if (record->timeout_count < RECORD_TIMEOUTS)
		record->timeouts[record->timeout_count++] =
			(struct record_timeout){.index = (uint32_t)index, .from_sec = from_sec, .to_sec = to_sec};
}

/* What the rule would lower. */
static void tell_wanted(const struct policy_rule *rule, const struct flow_timeouts *now, struct action_record *record)
{
	for (size_t i = 0; i < policy_timeout_count; i++) {
		uint32_t wanted = policy_timeout_get(&rule->action.set, i), there = policy_timeout_get(now, i);

		if (wanted && wanted < there)
			record_timeout(record, i, there, wanted);
	}
}

/* What the kernel has now and had not before, also where the work ended half-way. */
static void tell_changed(const struct flow_timeouts *before, const struct flow_timeouts *after,
			 struct action_record *record)
{
	for (size_t i = 0; i < policy_timeout_count; i++) {
		uint32_t from = policy_timeout_get(before, i), to = policy_timeout_get(after, i);

		if (from != to)
			record_timeout(record, i, from, to);
	}
}

/* What held_take or held_let_go has done, into the record. */
static void tell_held(const struct flow_timeouts *before, bool is_known, int result, const struct problem *problem,
		      struct action_record *record)
{
	struct flow_timeouts after = {0};

	record->matched = record->left = 1;
	record->error = result;
	if (is_known && !timeouts_read(&after))
		tell_changed(before, &after, record);
	if (result) {
		snprintf(record->how, sizeof(record->how), "%.60s: %.250s", problem->path, problem->text);
		return;
	}
	if (is_known && !record->timeout_count)
		snprintf(record->how, sizeof(record->how), "%s",
			 record->is_end ? "nothing was to be put back: they are held by another rule, or somebody "
					  "has set them since"
					: "nothing was to be lowered: they are as low already");
	record->done = 1;
	record->left = 0;
}

static int change_timeouts(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
			   struct action_record *record)
{
	const struct policy_rule *rule = &policy->rules[decision->rule];
	struct flow_timeouts before = {0};
	bool is_known = !timeouts_read(&before);
	struct problem problem = {0};
	int result;

	if (decision->would) {
		record->matched = record->left = 1;
		if (!decision->is_end && is_known)
			tell_wanted(rule, &before, record);
		return 0;
	}
	if (decision->is_end)
		result = held_let_go(&rounds->held, rounds->config.state_dir, rule->name, &problem);
	else
		result = held_take(&rounds->held, rounds->config.state_dir, rule, &problem);
	tell_held(&before, is_known, result, &problem, record);
	return result;
}

void rounds_restore(struct rounds *rounds, const struct action_record *frame, const char *why, rounds_record_fn *fn,
		    void *arg)
{
	struct held *held = &rounds->held;
	struct action_record *record = mem_alloc(sizeof(*record));

	while (held->count && !record->error) {
		struct flow_timeouts before = {0};
		bool is_known = !timeouts_read(&before);
		int64_t began_ns = clock_monotonic_ns();
		struct problem problem = {0};
		char name[POLICY_NAME_MAX];

		memcpy(name, held->rules[held->count - 1].name, sizeof(name));
		*record = *frame;
		snprintf(record->rule, sizeof(record->rule), "%s", name);
		snprintf(record->reason, sizeof(record->reason), "%s", why);
		tell_held(&before, is_known, held_let_go(held, rounds->config.state_dir, name, &problem), &problem,
			  record);
		record->duration_ns = clock_monotonic_ns() - began_ns;
		fn(record, arg);
	}
	/* What a rule lowered before it failed nobody holds. */
	if (!record->error)
		settings_restore(rounds->config.state_dir, NULL, NULL);
	free(record);
}

/* Decisions that change no entry. */
void rounds_run_other(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
		      const struct guard_table *table, struct guard_outcome *outcome)
{
	struct action_record *record = &outcome->record;
	int64_t began_ns = clock_monotonic_ns(), settled_ns = 0;

	guard_record_init(record, table, decision);
	record->error = decision->action == POLICY_ACTION_BAN
				? rounds_ban(rounds, policy, decision, record, &settled_ns)
				: change_timeouts(rounds, policy, decision, record);
	record->duration_ns = clock_monotonic_ns() - began_ns;
	outcome->effect = (struct policy_effect){.error = record->error,
						 .settled_ns = settled_ns,
						 .matched = record->matched,
						 .done = record->done,
						 .seconds = (double)record->duration_ns / 1e9};
}
