/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/record_json: ctwarden.record/1, what was decided and done. */
#include <string.h>

#include "flow/names.h"
#include "policy/words.h"
#include "private.h"

static void add_named(json_t *list, const struct record_count *counts, size_t count, const char *name,
		      const char *number)
{
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_object();

		json_add_text(item, name, counts[i].name);
		json_add_count(item, number, counts[i].count);
		json_array_append_new(list, item);
	}
}

static void add_classes(json_t *document, const struct action_record *record)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (record->classes[i])
			json_add_count(object, class_key((enum flow_class)i), record->classes[i]);
	json_object_set_new(document, "classes", object);
	object = json_object();
	for (unsigned i = 0; i < VICTIM_STAGE_COUNT; i++)
		if (record->stages[i])
			json_add_count(object, victim_stage_name((enum victim_stage)i), record->stages[i]);
	json_object_set_new(document, "stages", object);
	object = json_array();
	add_named(object, record->sources, record->source_count, "key", "entries");
	json_object_set_new(document, "sources", object);
}

void json_add_spared(json_t *document, const struct action_record *record)
{
	json_t *object = json_object(), *list = json_array();

	json_add_count(document, "spared", record->spared);
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		if (record->spared_by[i])
			json_add_count(object, victim_spared_name((enum victim_spared)i), record->spared_by[i]);
	json_object_set_new(document, "spared_by", object);
	add_named(list, record->protected_by, record->protected_count, "name", "entries");
	json_object_set_new(document, "protected_by", list);
}

static void add_signatures(json_t *document, const struct action_record *record)
{
	json_t *list = json_array();
	char text[SIGNATURE_TEXT_MAX];

	for (size_t i = 0; i < record->signature_count; i++) {
		const struct signature *signature = &record->signatures[i];
		json_t *item = json_object();

		json_add_text(item, "text", signature_format(&signature->pattern, text));
		json_add_real(item, "coverage", signature->coverage);
		json_add_real(item, "base_share", signature->base_share);
		json_add_bool(item, "confirmed", signature->is_confirmed);
		json_add_bool(item, "cannot_tell_apart", signature->cannot_tell_apart);
		json_array_append_new(list, item);
	}
	json_object_set_new(document, "signatures", list);
}

static void add_examples(json_t *document, const struct action_record *record)
{
	json_t *list = json_array();

	for (size_t i = 0; i < record->example_count; i++)
		json_array_append_new(list, json_flow_brief(&record->examples[i]));
	json_object_set_new(document, "examples", list);
}

void json_add_choice(json_t *document, const struct action_record *record)
{
	add_classes(document, record);
	add_signatures(document, record);
	add_examples(document, record);
}

static void add_ban(json_t *document, const struct record_ban *ban)
{
	json_t *object = json_object(), *before;

	json_add_real(object, "for_sec", (double)ban->for_ns / 1e9);
	json_add_real(object, "rate_per_sec", ban->rate_per_sec);
	json_add_bool(object, "new", ban->is_new);
	if (!ban->is_new) {
		before = json_object();
		json_add_real(before, "rate_per_sec", ban->before_rate_per_sec);
		json_add_real(before, "remaining_sec", (double)ban->before_left_ns / 1e9);
		json_object_set_new(object, "before", before);
	}
	json_object_set_new(document, "ban", object);
}

static void add_timeouts(json_t *document, const struct action_record *record)
{
	json_t *list = json_array();

	for (size_t i = 0; i < record->timeout_count; i++) {
		const struct record_timeout *timeout = &record->timeouts[i];
		json_t *item = json_object();

		json_add_text(item, "name", policy_timeouts[timeout->index].key);
		json_add_count(item, "from_sec", timeout->from_sec);
		json_add_count(item, "to_sec", timeout->to_sec);
		json_array_append_new(list, item);
	}
	json_object_set_new(document, "timeouts", list);
}

char *report_record_json(const struct action_record *record, const struct table_netns *netns)
{
	json_t *document = json_document("ctwarden.record/1");

	json_add_time(document, "time", record->real_ns);
	json_add_netns(document, netns);
	json_add_text(document, "level", level_name(record->level));
	json_add_text(document, "mode", policy_mode_name(record->mode));
	json_add_text(document, "rule", record->rule);
	json_add_text(document, "action", policy_actions[record->action].name);
	json_add_bool(document, "would", record->mode == POLICY_MODE_OBSERVE);
	if (record->action == POLICY_ACTION_TIMEOUTS)
		json_add_bool(document, "end", record->is_end);
	if (record->key[0])
		json_add_text(document, "key", record->key);
	json_add_text(document, "reason", record->reason);
	json_add_text(document, "how", record->how);
	if (record->ban.for_ns)
		add_ban(document, &record->ban);
	if (record->action == POLICY_ACTION_TIMEOUTS)
		add_timeouts(document, record);
	if (record->error)
		json_add_text(document, "error", strerror(-record->error));
	json_add_count(document, "matched", record->matched);
	json_add_count(document, "done", record->done);
	json_add_count(document, "gone", record->gone);
	json_add_count(document, "refused", record->refused);
	json_add_count(document, "unknown", record->unknown);
	json_add_count(document, "left", record->left);
	json_add_spared(document, record);
	add_classes(document, record);
	add_signatures(document, record);
	if (record->entries_before) {
		json_add_count(document, "entries_before", record->entries_before);
		json_add_count(document, "entries_after", record->entries_after);
	}
	if (record->capacity)
		json_add_count(document, "capacity", record->capacity);
	json_add_count(document, "budget_left", record->budget_left);
	if (record->action == POLICY_ACTION_EVICT || record->action == POLICY_ACTION_SHORTEN)
		json_add_text(document, "way", action_way_name(record->way));
	json_add_real(document, "duration_sec", (double)record->duration_ns / 1e9);
	add_examples(document, record);
	return json_to_line(document);
}
