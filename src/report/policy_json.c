/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy_json: the print-back of a policy. What was left to a default is written out; it
 * parses to the same policy. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "flow/names.h"
#include "policy/words.h"
#include "private.h"
#include "report/policy.h"

/* The reader cuts numbers to 12 digits and times to milliseconds, so 15 digits lose nothing. */
static void add_number(json_t *object, const char *key, double number)
{
	bool is_whole = number == floor(number) && fabs(number) < 1e15;

	json_object_set_new(object, key,
			    is_whole ? json_integer((json_int_t)number) : json_real(number));
}

static void add_seconds(json_t *object, const char *key, int64_t ns)
{
	add_number(object, key, (double)(ns / NS_PER_MS) / 1000);
}

static json_t *json_prefixes(const struct policy_prefixes *prefixes)
{
	json_t *list = json_array();
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < prefixes->count; i++)
		json_array_append_new(list, json_string(prefix_format(&prefixes->items[i], text)));
	return list;
}

static json_t *json_levels(const struct level_config *levels)
{
	const struct level_marks *const marks[] = {&levels->warning, &levels->critical};
	json_t *object = json_object(), *part;

	for (int i = 0; i < 2; i++) {
		part = json_object();
		add_number(part, "enter_pct", marks[i]->enter_pct);
		add_number(part, "leave_pct", marks[i]->leave_pct);
		add_number(part, "forecast_sec", marks[i]->forecast_sec);
		json_object_set_new(object, level_name(i ? LEVEL_CRITICAL : LEVEL_WARNING), part);
	}
	add_number(object, "full_pct", levels->full_pct);
	add_number(object, "forecast_min_pct", levels->forecast_min_pct);
	add_seconds(object, "dwell_sec", levels->dwell_ns);
	return object;
}

/* ---- match ---- */

static json_t *json_value(const char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return json_true();
	/* Up to 15 digits without a leading zero are the same number when read again. */
	if (len && len <= 15 && strspn(value, "0123456789") == len && (value[0] != '0' || len == 1))
		return json_integer(atoll(value));
	return json_string(value);
}

/* A second value makes a list of the first. */
static void add_value(json_t *object, const char *key, json_t *value)
{
	json_t *there = json_object_get(object, key), *list;

	if (!there) {
		json_object_set_new(object, key, value);
	} else if (json_is_array(there)) {
		json_array_append_new(there, value);
	} else {
		list = json_array();
		json_array_append(list, there);
		json_array_append_new(list, value);
		json_object_set_new(object, key, list);
	}
}

static json_t *json_match(const struct policy_match *match)
{
	json_t *object = json_object(), *excluded = json_object();

	for (size_t i = 0; i < match->count; i++)
		add_value(match->values[i].negated ? excluded : object,
			  flow_filter_keys[match->values[i].key].name,
			  json_value(match->values[i].value));
	if (json_object_size(excluded))
		json_object_set(object, "not", excluded);
	json_decref(excluded);
	return object;
}

/* ---- when ---- */

static json_t *json_counts(const struct policy_when *when)
{
	json_t *object = json_object();

	if (when->in.count)
		json_object_set_new(object, "in", json_prefixes(&when->in));
	for (unsigned i = 0; i < POLICY_COUNT_COUNT; i++)
		if (when->counts_has & 1u << i)
			add_number(object, policy_counts[i].key, when->counts[i]);
	return object;
}

static json_t *json_when(const struct policy_when *when)
{
	json_t *object = json_object(), *part;

	for (unsigned i = 0; i < POLICY_WHEN_COUNT; i++) {
		if (!(when->has & 1u << i))
			continue;
		if (i == POLICY_WHEN_ALWAYS)
			json_add_bool(object, policy_conditions[i].key, true);
		else if (i == POLICY_WHEN_LEVEL)
			json_add_text(object, policy_conditions[i].key, level_name(when->level));
		else
			add_number(object, policy_conditions[i].key, when->numbers[i]);
	}
	if (when->scope != POLICY_SCOPE_TABLE)
		json_object_set_new(object, policy_scope_name(when->scope), json_counts(when));
	part = json_object();
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (when->classes_has & 1u << i)
			json_add_count(part, class_name((enum flow_class)i), when->classes[i]);
	if (when->classes_has)
		json_object_set(object, "classes", part);
	json_decref(part);
	part = json_object();
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++)
		if (when->states_has & 1u << i)
			json_add_count(part, tcp_state_name((uint8_t)i), when->states[i]);
	if (when->states_has)
		json_object_set(object, "states", part);
	json_decref(part);
	return object;
}

static json_t *json_whens(const struct policy_rule *rule)
{
	json_t *list;

	if (rule->when_count == 1)
		return json_when(&rule->whens[0]);
	list = json_array();
	for (unsigned i = 0; i < rule->when_count; i++)
		json_array_append_new(list, json_when(&rule->whens[i]));
	return list;
}

/* ---- do ---- */

static json_t *json_classes(const struct policy_do *action)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < action->class_count; i++)
		json_array_append_new(list, json_string(class_name(action->classes[i])));
	return list;
}

static json_t *json_floors(const struct policy_do *action)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (action->floors_ns[i])
			add_seconds(object, class_name((enum flow_class)i), action->floors_ns[i]);
	return object;
}

json_t *json_timeouts_set(const struct policy_do *action)
{
	json_t *object = json_object();
	uint32_t seconds;

	for (size_t i = 0; i < policy_timeout_count; i++) {
		seconds = policy_timeout_get(&action->set, i);
		if (seconds)
			json_add_count(object, policy_timeouts[i].key, seconds);
	}
	return object;
}

static void add_param(json_t *object, enum policy_param param, const struct policy_do *action)
{
	const char *key = policy_param_keys[param];

	switch (param) {
	case POLICY_PARAM_CLASSES:
		json_object_set_new(object, key, json_classes(action));
		break;
	case POLICY_PARAM_FLOORS:
		json_object_set_new(object, key, json_floors(action));
		break;
	case POLICY_PARAM_MIN_AGE:
		add_seconds(object, key, action->min_age_ns);
		break;
	case POLICY_PARAM_SIGNATURE:
		json_add_bool(object, key, action->has_signature);
		break;
	case POLICY_PARAM_ACTIVE_AT_FULL:
		json_add_bool(object, key, action->takes_active_at_full);
		break;
	case POLICY_PARAM_START:
		add_number(object, key, action->start_pct);
		break;
	case POLICY_PARAM_END:
		add_number(object, key, action->end_pct);
		break;
	case POLICY_PARAM_DURATION:
		add_seconds(object, key, action->duration_ns);
		break;
	case POLICY_PARAM_MAX_BANS:
		json_add_count(object, key, action->max_bans);
		break;
	case POLICY_PARAM_RATE:
		add_number(object, key, action->rate_per_sec);
		break;
	case POLICY_PARAM_SET:
		json_object_set_new(object, key, json_timeouts_set(action));
		break;
	case POLICY_PARAM_COUNT:
		break;
	}
}

static json_t *json_do(const struct policy_do *action)
{
	json_t *object = json_object();

	json_add_text(object, "action", policy_actions[action->action].name);
	for (unsigned i = 0; i < POLICY_PARAM_COUNT; i++)
		if (policy_actions[action->action].params & 1u << i)
			add_param(object, (enum policy_param)i, action);
	return object;
}

static json_t *json_until(const struct policy_until *until)
{
	json_t *object = json_object();

	if (until->has_fill)
		add_number(object, "fill_pct", until->fill_pct);
	if (until->has_level)
		json_add_text(object, "level", level_name(until->level));
	if (until->has_headroom)
		add_number(object, "headroom_sec", until->headroom_sec);
	if (until->has_entries)
		json_add_count(object, "entries", until->entries);
	return object;
}

/* ---- the whole ---- */

static json_t *json_rule(const struct policy_rule *rule)
{
	const struct policy_action_info *info = &policy_actions[rule->action.action];
	json_t *object = json_object(), *part;

	json_add_text(object, "name", rule->name);
	json_object_set_new(object, "when", json_whens(rule));
	if (rule->match.count)
		json_object_set_new(object, "match", json_match(&rule->match));
	json_object_set_new(object, "do", json_do(&rule->action));
	part = json_until(&rule->until);
	if (json_object_size(part))
		json_object_set(object, "until", part);
	json_decref(part);
	if (info->has_budget) {
		part = json_object();
		json_add_count(part, "per_run", rule->budget.per_run);
		json_add_count(part, "per_sec", rule->budget.per_sec);
		json_object_set_new(object, "budget", part);
	}
	add_seconds(object, "cooldown", rule->cooldown_ns);
	return object;
}

static json_t *json_protect(const struct policy *policy)
{
	json_t *object = json_object(), *list = json_array(), *item;

	json_add_bool(object, "operator", policy->protects_operator);
	json_add_bool(object, "own", policy->protects_own);
	for (size_t i = 0; i < policy->protect_count; i++) {
		item = json_object();
		json_add_text(item, "name", policy->protect[i].name);
		json_object_set_new(item, "match", json_match(&policy->protect[i].match));
		json_array_append_new(list, item);
	}
	json_object_set_new(object, "flows", list);
	return object;
}

static json_t *json_policy(const struct policy *policy)
{
	json_t *document = json_document(POLICY_SCHEMA), *rules = json_array();

	if (policy->name[0])
		json_add_text(document, "name", policy->name);
	if (policy->about[0])
		json_add_text(document, "about", policy->about);
	json_add_text(document, "mode", policy_mode_name(policy->mode));
	if (policy->capacity)
		json_add_count(document, "capacity", policy->capacity);
	if (policy->has_levels)
		json_object_set_new(document, "levels", json_levels(&policy->levels));
	json_object_set_new(document, "protect", json_protect(policy));
	if (policy->trusted.count)
		json_object_set_new(document, "trusted", json_prefixes(&policy->trusted));
	for (size_t i = 0; i < policy->rule_count; i++)
		json_array_append_new(rules, json_rule(&policy->rules[i]));
	json_object_set_new(document, "rules", rules);
	return document;
}

char *report_policy_json(const struct policy *policy)
{
	return json_to_line(json_policy(policy));
}

int report_policy(const struct report_out *out, const struct policy *policy)
{
	struct report_out indented = *out;

	indented.is_pretty = out->is_pretty || !out->is_json;
	return json_print(&indented, json_policy(policy));
}
