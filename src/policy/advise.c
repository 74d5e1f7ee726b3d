/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/advise: do no harm, as advice: fill alone is no danger, unanswered flows go before
 * answered ones, the operator stays. */
#include "policy/advise.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "flow/names.h"

/* Conditions that speak of danger to honest flows, not of fill. */
#define DANGER                                                                                     \
	(1u << POLICY_WHEN_GROWTH | 1u << POLICY_WHEN_SECONDS_TO_FULL |                            \
	 1u << POLICY_WHEN_REFUSAL | 1u << POLICY_WHEN_REFUSAL_FULL | 1u << POLICY_WHEN_DROPS)
#define FILL (1u << POLICY_WHEN_LEVEL | 1u << POLICY_WHEN_FILL)

struct advice {
	policy_advice_fn *fn;
	void *arg;
	size_t count;
};

static void advise(struct advice *advice, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void advise(struct advice *advice, const char *format, ...)
{
	char text[POLICY_ADVICE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	advice->fn(text, advice->arg);
	advice->count++;
}

static bool takes(const struct policy_rule *rule, bool answered)
{
	for (unsigned i = 0; i < rule->action.class_count; i++)
		if (flow_class_is_two_way(rule->action.classes[i]) == answered)
			return true;
	return false;
}

/* By one alternative the rule acts on how full the table is and on nothing else. (At level full it drops new flows.) */
static bool acts_on_fill_alone(const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->when_count; i++) {
		const struct policy_when *when = &rule->whens[i];

		if (when->has & 1u << POLICY_WHEN_LEVEL && when->level == LEVEL_FULL)
			continue;
		if ((when->has & FILL) && !(when->has & DANGER) &&
		    when->scope == POLICY_SCOPE_TABLE && !when->classes_has && !when->states_has)
			return true;
	}
	return false;
}

bool policy_share_moves_on(const struct policy_rule *rule)
{
	const uint32_t ends = 1u << POLICY_COUNT_ENTRIES | 1u << POLICY_COUNT_UNREPLIED | 1u << POLICY_COUNT_HALF_OPEN;

	if (rule->action.action != POLICY_ACTION_EVICT || rule->until.has_entries)
		return false;
	for (unsigned i = 0; i < rule->when_count; i++) {
		const struct policy_when *when = &rule->whens[i];

		if (when->counts_has & 1u << POLICY_COUNT_SHARE && !(when->counts_has & ends) &&
		    !(when->has & (FILL | DANGER)))
			return true;
	}
	return false;
}

static bool is_about_fill(const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->when_count; i++)
		if (rule->whens[i].has & (FILL | DANGER))
			return true;
	return false;
}

static bool has_answered_first(const struct policy_do *action)
{
	for (unsigned i = 1; i < action->class_count; i++)
		if (flow_class_is_two_way(action->classes[i - 1]) && !flow_class_is_two_way(action->classes[i]))
			return true;
	return false;
}

static bool has_milder(const struct policy *policy, size_t index)
{
	for (size_t i = 0; i <= index; i++)
		if (policy->rules[i].action.action == POLICY_ACTION_EVICT &&
		    takes(&policy->rules[i], false))
			return true;
	return false;
}

/* False: the match leaves no flow of this class, so that the rule does not take it. */
static bool may_take(const struct policy_rule *rule, enum flow_class class)
{
	struct flow_filter *of_class = flow_filter_new();
	bool may;

	flow_filter_add(of_class, FILTER_CLASS, class_name(class), false, NULL);
	flow_filter_finish(of_class, NULL);
	may = flow_filter_may_meet(rule->match.filter, of_class);
	flow_filter_free(of_class);
	return may;
}

static void advise_on_match(struct advice *advice, const struct policy_rule *rule)
{
	char names[128];
	struct text text;
	unsigned count = 0;

	text_init(&text, names, sizeof(names));
	for (unsigned i = 0; i < rule->action.class_count; i++)
		if (!may_take(rule, rule->action.classes[i]))
			text_add(&text, "%s%s", count++ ? ", " : "", class_name(rule->action.classes[i]));
	if (!count)
		return;
	if (count == rule->action.class_count)
		advise(advice, "rule \"%s\" never takes a flow: its \"match\" leaves none of its classes (%s)",
		       rule->name, names);
	else
		advise(advice, "rule \"%s\" never takes these of its classes: %s; its \"match\" leaves no such flow",
		       rule->name, names);
}

static void advise_rule(struct advice *advice, const struct policy *policy, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];

	if (rule->match.count)
		advise_on_match(advice, rule);
	if (rule->action.action != POLICY_ACTION_EVICT)
		return;
	if (acts_on_fill_alone(rule) && rule->action.has_signature)
		advise(advice,
		       "rule \"%s\" acts on fill alone: without growth it takes next to nothing but what fits a "
		       "surge; \"signature\": false takes others too, also where a table is honestly full",
		       rule->name);
	else if (acts_on_fill_alone(rule))
		advise(advice,
		       "rule \"%s\" acts on fill alone, also where a table is honestly full; "
		       "seconds_to_full, "
		       "drops_per_sec or refusal_when_full say whether honest flows are in danger",
		       rule->name);
	if (policy_share_moves_on(rule))
		advise(advice,
		       "rule \"%s\" goes by share_pct alone: what it takes makes the shares of all others larger, so "
		       "that step by step it may take nearly all; \"entries\" or \"level\" beside it bound that",
		       rule->name);
	if (has_answered_first(&rule->action))
		advise(advice, "rule \"%s\" takes answered flows before unanswered ones",
		       rule->name);
	else if (is_about_fill(rule) && takes(rule, true) && !has_milder(policy, index))
		advise(advice,
		       "rule \"%s\" takes answered flows, and no rule before it takes unanswered "
		       "ones",
		       rule->name);
}

size_t policy_advise(const struct policy *policy, policy_advice_fn *fn, void *arg)
{
	struct advice advice = {fn, arg, 0};

	if (policy->mode == POLICY_MODE_ACT && !policy->rule_count)
		advise(&advice, "mode act without a rule: nothing will be done");
	if (policy->mode == POLICY_MODE_ACT && !policy->protects_operator)
		advise(&advice, "the operator's ssh connections are not protected");
	for (size_t i = 0; i < policy->rule_count; i++)
		advise_rule(&advice, policy, i);
	return advice.count;
}
