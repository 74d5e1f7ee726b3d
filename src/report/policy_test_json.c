/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy_test_json: what a policy would do, as a document ctwarden.policytest/1. */
#include <string.h>

#include "flow/names.h"
#include "policy/words.h"
#include "private.h"
#include "report/policy.h"

static json_t *json_top_sources(const struct policy_test_decision *d)
{
	json_t *list = json_array(), *row;
	char key[RANKING_TEXT_MAX];

	for (size_t i = 0; i < d->top_used; i++) {
		row = json_object();
		json_add_text(row, "key", ranking_key_format(&d->top_config, &d->top[i].key, key));
		json_add_count(row, "entries", d->top[i].entries);
		json_array_append_new(list, row);
	}
	return list;
}

static void add_victims(json_t *object, const struct policy_test_decision *d)
{
	json_t *part = json_object();

	json_add_count(object, "candidates", d->candidates);
	json_add_count(object, "taken", d->taken);
	if (d->more_if_surge)
		json_add_count(object, "more_if_surge", d->more_if_surge);
	if (d->later_rounds) {
		json_t *later = json_object();

		json_add_count(later, "rounds", d->later_rounds);
		json_add_count(later, "taken", d->later_taken);
		json_object_set_new(object, "later", later);
	}
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (d->classes[i])
			json_add_count(part, class_key((enum flow_class)i), d->classes[i]);
	json_object_set_new(object, "classes", part);
	part = json_object();
	for (unsigned i = POLICY_VERDICT_ACTIVE; i < POLICY_VERDICT_COUNT; i++)
		json_add_count(part, policy_verdict_name((enum policy_verdict)i), d->spared[i]);
	json_object_set_new(object, "spared", part);
	json_object_set_new(object, "top_sources", json_top_sources(d));
}

static void add_what(json_t *object, const struct policy_do *action)
{
	if (action->action == POLICY_ACTION_BAN) {
		json_add_real(object, "duration_sec", (double)action->duration_ns / 1e9);
		json_add_real(object, "rate_per_sec", action->rate_per_sec);
	} else if (action->action == POLICY_ACTION_TIMEOUTS) {
		json_object_set_new(object, "set", json_timeouts_set(action));
	}
}

static json_t *json_decision(const struct policy_test *test, const struct policy_test_decision *d)
{
	const struct policy_decision *decision = &d->decision;
	const struct policy_action_info *info = &policy_actions[decision->action];
	json_t *object = json_object();
	char filter[512];

	if (decision->key_text[0])
		json_add_text(object, "key", decision->key_text);
	json_add_text(object, "reason", decision->reason);
	json_add_count(object, "after_sec", d->round);
	if (info->has_budget) {
		if (decision->action != POLICY_ACTION_BAN && decision->want != POLICY_ALL)
			json_add_count(object, "want", decision->want);
		json_add_count(object, "granted", decision->granted);
	}
	if (decision->action == POLICY_ACTION_SHORTEN)
		json_add_real(object, "scale", decision->scale);
	add_what(object, &test->policy->rules[decision->rule].action);
	if (info->has_match)
		json_add_text(object, "filter",
			      flow_filter_format(decision->filter, filter, sizeof(filter)));
	if (info->has_match && info->has_budget)
		add_victims(object, d);
	return object;
}

static json_t *json_rule_of(const struct policy_test *test, size_t index)
{
	const struct policy_rule *rule = &test->policy->rules[index];
	json_t *object = json_object(), *list = json_array();
	char why[POLICY_TEST_WHY_MAX];

	json_add_text(object, "rule", rule->name);
	json_add_text(object, "action", policy_actions[rule->action.action].name);
	for (size_t i = 0; i < test->count; i++)
		if (test->decisions[i].decision.rule == index)
			json_array_append_new(list, json_decision(test, &test->decisions[i]));
	if (!json_array_size(list))
		json_add_text(object, "why_not", policy_test_why_not(test, index, why, sizeof(why)));
	json_object_set_new(object, "decisions", list);
	return object;
}

json_t *json_policy_test(const struct policy_test *test)
{
	const struct fill *fill = &test->snapshot->fill;
	json_t *document = json_document("ctwarden.policytest/1"), *rules = json_array();

	if (test->policy->name[0])
		json_add_text(document, "policy", test->policy->name);
	json_add_text(document, "mode", policy_mode_name(test->policy->mode));
	if (test->from)
		json_add_text(document, "from", test->from);
	json_add_count(document, "entries", fill->now.entries);
	if (fill->capacity) {
		json_add_count(document, "capacity", fill->capacity);
		json_add_text(document, "capacity_from", capacity_name(test->capacity_from));
		json_add_real(document, "fill_pct", fill->fill_pct);
		json_add_text(document, "level", level_name(test->snapshot->level));
	}
	if (test->knows_growth) {
		json_add_real(document, "growth_per_sec", fill->growth_per_sec);
		if (fill->seconds_to_full >= 0)
			json_add_real(document, "seconds_to_full", fill->seconds_to_full);
	}
	if (snapshot_knows_refusal_when_full(test->snapshot))
		json_add_real(document, "refusal_when_full", test->snapshot->refusal_when_full);
	if (test->from)
		json_add_count(document, "unread_lines", test->unread);
	for (size_t i = 0; i < test->policy->rule_count; i++)
		json_array_append_new(rules, json_rule_of(test, i));
	json_object_set_new(document, "rules", rules);
	return document;
}
