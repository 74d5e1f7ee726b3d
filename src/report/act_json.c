/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/act_json: ctwarden.flush/1, ctwarden.timeout/1, ctwarden.kill/1, ctwarden.sweep/1,
 * ctwarden.selftest/1. */
#include "flow/names.h"
#include "private.h"
#include "report/act.h"

#define GROUPS_SHOWN  16
#define SOURCES_SHOWN 10

static const char *const schemas[REPORT_ACT_KIND_COUNT] = {"ctwarden.flush/1", "ctwarden.timeout/1",
							   "ctwarden.kill/1"};

static void add_spared(json_t *document, const struct report_act *act,
		       const struct action_spared *spared)
{
	json_t *list = json_array(), *item;
	size_t i;

	json_add_count(document, "spared", spared->total);
	for (i = 0; act->protect && i < protect_count(act->protect); i++) {
		if (!spared->by[i])
			continue;
		item = json_object();
		json_add_text(item, "name", protect_name(act->protect, i));
		json_add_count(item, "entries", spared->by[i]);
		json_array_append_new(list, item);
	}
	if (spared->young) {
		item = json_object();
		json_add_text(item, "name", "min-age");
		json_add_count(item, "entries", spared->young);
		json_array_append_new(list, item);
	}
	json_object_set_new(document, "spared_by", list);
}

static void add_result(json_t *document, const struct report_act *act)
{
	const struct action_result *result = act->result;
	bool is_timeout = act->kind == REPORT_ACT_TIMEOUT;
	json_t *part;

	json_add_count(document, "matched", result->matched);
	json_add_count(document, is_timeout ? "changed" : "deleted", result->done);
	json_add_count(document, "gone", result->gone);
	json_add_count(document, "refused", result->refused);
	json_add_count(document, "unknown", result->unknown);
	if (is_timeout)
		json_add_count(document, "unchanged", result->unchanged);
	json_add_count(document, "left", result->left);
	add_spared(document, act, &result->spared);
	json_add_bool(document, "stopped", result->is_stopped);
	json_add_bool(document, "unsettled", result->is_unsettled);
	json_add_count(document, "redone", result->redone);
	if (!is_timeout) {
		json_add_text(document, "counted", action_counted_name(result->counted));
		return;
	}
	part = json_object();
	json_add_count(part, "read", result->verified_read);
	json_add_count(part, "right", result->verified_right);
	json_object_set_new(document, "verified", part);
}

static json_t *json_group(const struct action_group *group)
{
	json_t *item = json_object(), *idle;
	char text[NAMES_TEXT_MAX];
	const char *state = group->has_state ? state_name(group->protocol, group->state) : NULL;

	json_add_text(item, "protocol",
		      group->is_mixed ? "other" : protocol_name(group->protocol, text));
	if (state && !group->is_mixed)
		json_add_text(item, "state", state);
	json_add_text(item, "class", class_name(group->class));
	json_add_count(item, "entries", group->count);
	if (group->idle_known) {
		idle = json_object();
		json_add_count(idle, "known", group->idle_known);
		json_add_count(idle, "min", group->idle_min_sec);
		json_add_count(idle, "max", group->idle_max_sec);
		json_object_set_new(item, "idle_sec", idle);
	}
	return item;
}

static void add_plan(json_t *document, const struct report_act *act)
{
	const struct action_plan *plan = act->plan;
	struct ranking_row rows[SOURCES_SHOWN];
	struct action_group groups[GROUPS_SHOWN];
	char text[RANKING_TEXT_MAX];
	json_t *list = json_array(), *item;
	size_t i, used;

	used = action_plan_groups(plan, GROUPS_SHOWN, groups);
	for (i = 0; i < used; i++)
		json_array_append_new(list, json_group(&groups[i]));
	json_object_set_new(document, "groups", list);
	list = json_array();
	used = ranking_top(plan->sources, RANKING_ORDER_ENTRIES, SOURCES_SHOWN, rows);
	for (i = 0; i < used; i++) {
		item = json_object();
		json_add_text(item, "key",
			      ranking_key_format(ranking_config_get(plan->sources), &rows[i].key,
						 text));
		json_add_count(item, "entries", rows[i].entries);
		json_array_append_new(list, item);
	}
	json_object_set_new(document, "sources", list);
	json_add_count(document, "offloaded", plan->offloaded);
	if (act->kind == REPORT_ACT_TIMEOUT)
		json_add_count(document, "fixed_already", plan->fixed);
}

/* What a dry run counted. */
static void add_dry(json_t *document, const struct report_act *act)
{
	const struct action_plan *plan = act->plan;
	bool is_timeout = act->kind == REPORT_ACT_TIMEOUT;

	if (!plan)
		return;
	json_add_count(document, "matched", plan->matched);
	json_add_count(document, is_timeout ? "would_change" : "would_delete", plan->chosen);
	if (is_timeout)
		json_add_count(document, "unchanged", plan->unchanged);
	json_add_count(document, "left", plan->left);
	add_spared(document, act, &plan->spared);
	if (act->entries)
		json_add_real(document, "share_pct", share_of(plan->chosen, act->entries));
	json_add_bool(document, "needs_yes", act->needs_yes);
	json_add_bool(document, "unsettled", plan->scan.unsettled);
	json_add_count(document, "redone", plan->scan.redone);
	add_plan(document, act);
}

static const char *const change_keys[ACTION_CHANGE_COUNT] = {"set_sec", "at_most_sec", "add_sec"};

static json_t *json_act(const struct report_act *act)
{
	json_t *document = json_document(schemas[act->kind]);

	json_add_netns(document, &act->netns);
	if (act->kind == REPORT_ACT_KILL)
		json_add_count(document, "addresses", act->addresses);
	else
		json_add_text(document, "filter", act->filter);
	if (act->kind == REPORT_ACT_TIMEOUT) {
		json_add_count(document, change_keys[act->change], act->timeout_sec);
		json_add_bool(document, "fixed", act->is_fixed);
	}
	json_add_bool(document, "dry_run", !act->result);
	if (act->entries)
		json_add_count(document, "entries", act->entries);
	if (act->result)
		add_result(document, act);
	else
		add_dry(document, act);
	json_add_text(document, "way", action_way_name(act->result ? act->result->way : act->way));
	json_add_text(document, "why", act->why);
	if (act->rate)
		json_add_count(document, "rate_per_sec", act->rate);
	if (act->listeners[0])
		json_add_text(document, "listeners", act->listeners);
	json_add_real(document, "duration_sec", (double)act->took_ns / 1e9);
	return document;
}

char *report_act_json(const struct report_act *act)
{
	return json_to_line(json_act(act));
}

int act_print_json(const struct report_out *out, const struct report_act *act)
{
	int result = json_print(out, json_act(act));

	return result ? result : report_flush(out);
}

int sweep_print_json(const struct report_out *out, const struct report_sweep *sweep)
{
	json_t *document = json_document("ctwarden.sweep/1");
	int result;

	json_add_netns(document, &sweep->netns);
	json_add_count(document, "before", sweep->before);
	json_add_count(document, "after", sweep->after);
	json_add_count(document, "swept",
		       sweep->before > sweep->after ? sweep->before - sweep->after : 0);
	json_add_real(document, "duration_sec", (double)sweep->took_ns / 1e9);
	result = json_print(out, document);
	return result ? result : report_flush(out);
}

int selftest_print_json(const struct report_out *out, const struct report_selftest *test)
{
	json_t *document = json_document("ctwarden.selftest/1");
	int result;

	json_add_bool(document, "fast_delete", test->fast_delete);
	json_add_bool(document, "has_netns", test->has_netns);
	json_add_count(document, "usual", test->usual);
	json_add_count(document, "proven", test->proven);
	json_add_count(document, "failed", test->failed);
	if (test->text[0])
		json_add_text(document, "text", test->text);
	json_add_real(document, "duration_sec", (double)test->took_ns / 1e9);
	result = json_print(out, document);
	return result ? result : report_flush(out);
}
