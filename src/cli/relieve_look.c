/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/relieve_look: the pass before a round by hand: the figures and the cause, and of each flow
 * whether it is protected, in use, young, or might go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/kernel.h"
#include "policy/victim.h"
#include "relieve.h"

struct look {
	struct relieve *relieve;
	struct policy_decision decisions[RELIEVE_RULES_MAX];
	size_t count;
	struct policy_flow_context context;
	struct report_relieve seen; /* its counts of the table */
};

static void count_protected(struct look *look, const char *name)
{
	struct action_record *record = &look->seen.record;
	size_t i;

	look->seen.protected_flows++;
	for (i = 0; i < record->protected_count; i++)
		if (!strncmp(record->protected_by[i].name, name,
			     sizeof(record->protected_by[i].name) - 1))
			break;
	if (i == RECORD_PROTECTED)
		return;
	if (i == record->protected_count)
		snprintf(record->protected_by[record->protected_count++].name,
			 sizeof(record->protected_by[i].name), "%s", name);
	record->protected_by[i].count++;
}

static const char *protector(const struct look *look, const struct flow *flow)
{
	const struct relieve *relieve = look->relieve;
	size_t by = policy_protected_by(relieve->policy, flow, &look->context);
	int hit;

	if (by < relieve->policy->protect_count)
		return relieve->policy->protect[by].name;
	if (by != SIZE_MAX ||
	    (relieve->policy->protects_own && guard_is_own(&relieve->table, flow)))
		return "own";
	hit = protect_hit(relieve->act.protect, flow, &look->context.match);
	return hit == PROTECT_NONE ? NULL : protect_name(relieve->act.protect, (size_t)hit);
}

static bool takes_class(const struct policy_do *action, enum flow_class class)
{
	for (unsigned i = 0; i < action->class_count; i++)
		if (action->classes[i] == class)
			return true;
	return false;
}

/* Of several rules the first that takes its class and matches it. */
static enum policy_verdict verdict_of(const struct look *look, const struct flow *flow)
{
	enum policy_verdict verdict, sum = POLICY_VERDICT_CLASS;
	const struct policy *policy = look->relieve->policy;

	for (size_t i = 0; i < look->count; i++) {
		const struct policy_do *action = &policy->rules[look->decisions[i].rule].action;

		if (!takes_class(action, flow_class_of(flow)))
			continue;
		verdict = policy_judge(policy, &look->decisions[i], flow, &look->context, NULL);
		if (verdict == POLICY_VERDICT_TAKE &&
		    policy_may_be_young(policy, &look->decisions[i], flow, &look->context.match))
			verdict = POLICY_VERDICT_YOUNG;
		if (verdict != POLICY_VERDICT_NO_MATCH)
			return verdict;
		sum = verdict;
	}
	return sum;
}

static void count_young(struct look *look, const struct flow *flow)
{
	enum flow_class class = flow_class_of(flow);

	if (class == FLOW_CLASS_CLOSING || class == FLOW_CLASS_REPLIED)
		look->seen.unsettled++;
	else
		look->seen.young++;
}

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct look *look = arg;
	const char *name = protector(look, flow);

	(void)raw;
	(void)raw_len;
	picture_add(look->relieve->picture, flow);
	if (name) {
		count_protected(look, name);
		return true;
	}
	switch (verdict_of(look, flow)) {
	case POLICY_VERDICT_TAKE:
		look->seen.candidates++;
		break;
	case POLICY_VERDICT_ACTIVE:
		look->seen.in_use++;
		break;
	case POLICY_VERDICT_YOUNG:
		count_young(look, flow);
		break;
	case POLICY_VERDICT_NO_MATCH:
		look->seen.unmatched++;
		break;
	case POLICY_VERDICT_CLASS:
	case POLICY_VERDICT_PROTECTED:
	case POLICY_VERDICT_COUNT:
		look->seen.others++;
		break;
	}
	return true;
}

static void new_picture(struct relieve *relieve)
{
	const struct picture_config config = picture_config_default();

	picture_free(relieve->picture);
	relieve->picture = picture_new(&config);
}

static void on_redo(void *arg)
{
	struct look *look = arg;

	new_picture(look->relieve);
	memset(&look->seen, 0, sizeof(look->seen));
}

static void take_over(struct relieve *relieve, const struct look *look, const struct pass *pass,
		      const struct table_reading *before, uint64_t capacity)
{
	struct report_relieve *shown = &relieve->shown;
	struct table_netns netns = relieve->snapshot->netns;

	relieve->picture->pass_started_ns = pass->report.started_ns;
	relieve->picture->pass_ended_ns = pass->report.ended_ns;
	relieve->picture->pass_real_ns = clock_real_ns();
	snapshot_from_reading(relieve->snapshot, before, capacity, &relieve->policy->levels,
			      relieve->picture);
	relieve->snapshot->netns = netns;
	shown->protected_flows = look->seen.protected_flows;
	shown->in_use = look->seen.in_use;
	shown->young = look->seen.young;
	shown->unsettled = look->seen.unsettled;
	shown->others = look->seen.others;
	shown->unmatched = look->seen.unmatched;
	shown->candidates = look->seen.candidates;
	shown->record.protected_count = look->seen.record.protected_count;
	memcpy(shown->record.protected_by, look->seen.record.protected_by,
	       sizeof(shown->record.protected_by));
}

int relieve_look(struct relieve *relieve, const struct table_reading *before, uint64_t capacity)
{
	struct look look = {.relieve = relieve};
	struct pass pass = {.fn = on_flow, .on_redo = on_redo, .arg = &look};
	int result;

	new_picture(relieve);
	look.context.match = (struct flow_filter_context){.now_real_ns = relieve->table.real_ns,
							  .timeouts = relieve->table.timeouts};
	look.count = relieve_decide(relieve, POLICY_ALL, true, look.decisions);
	result = run_pass(NULL, &pass);
	if (!result)
		take_over(relieve, &look, &pass, before, capacity);
	for (size_t i = 0; i < look.count; i++)
		policy_decision_done(&look.decisions[i]);
	return result ? run_failed_table(result, "reading the table") : EXIT_DONE;
}
