/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view_record: records of the log back into what report says in words. What only JSON tells
 * (examples, signatures, what was spared) is left out. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli.h"
#include "field.h"
#include "policy/words.h"

#define AT(member) offsetof(struct action_record, member)
#define ERRNO_MAX  134

static const struct field record_fields[] = {
	{"time", FIELD_MOMENT, AT(real_ns), 0},
	{"end", FIELD_BOOL, AT(is_end), 0},
	{"matched", FIELD_U64, AT(matched), 0},
	{"done", FIELD_U64, AT(done), 0},
	{"gone", FIELD_U64, AT(gone), 0},
	{"refused", FIELD_U64, AT(refused), 0},
	{"unknown", FIELD_U64, AT(unknown), 0},
	{"left", FIELD_U64, AT(left), 0},
	{"spared", FIELD_U64, AT(spared), 0},
	{"entries_before", FIELD_U64, AT(entries_before), 0},
	{"entries_after", FIELD_U64, AT(entries_after), 0},
	{"capacity", FIELD_U64, AT(capacity), 0},
	{"budget_left", FIELD_U64, AT(budget_left), 0},
};

static void read_text(const struct doc_node *object, const char *key, char *ret, size_t size)
{
	struct doc_node node = doc_get(object, key);
	const char *text = NULL;

	if (!doc_text(&node, &text, PROBLEM_IGNORED) && text)
		snprintf(ret, size, "%s", text);
}

/* Its number is not kept, its words are. */
static int error_of(const char *text)
{
	for (int i = 1; i < ERRNO_MAX; i++)
		if (!strcmp(strerror(i), text))
			return -i;
	return *text ? -EIO : 0;
}

static void read_sources(const struct doc_node *root, struct action_record *record)
{
	struct doc_node list = doc_get(root, "sources"), row, node;
	int64_t count;

	for (size_t i = 0; i < doc_count(&list) && record->source_count < RECORD_SOURCES; i++) {
		struct record_count *source = &record->sources[record->source_count++];

		row = doc_at(&list, i);
		read_text(&row, "key", source->name, sizeof(source->name));
		node = doc_get(&row, "entries");
		count = 0;
		doc_whole(&node, 0, INT64_MAX, &count, PROBLEM_IGNORED);
		source->count = (uint64_t)count;
	}
}

static double number_of(const struct doc_node *object, const char *key)
{
	struct doc_node node = doc_get(object, key);
	double number = 0;

	doc_number(&node, 0, 1e12, &number, PROBLEM_IGNORED);
	return number;
}

static void read_ban(const struct doc_node *root, struct record_ban *ban)
{
	struct doc_node node = doc_get(root, "ban"), is_new = doc_get(&node, "new"), before = doc_get(&node, "before");

	ban->for_ns = (int64_t)(number_of(&node, "for_sec") * (double)NS_PER_SEC);
	ban->rate_per_sec = number_of(&node, "rate_per_sec");
	ban->is_new = true;
	doc_bool(&is_new, &ban->is_new, PROBLEM_IGNORED);
	ban->before_rate_per_sec = number_of(&before, "rate_per_sec");
	ban->before_left_ns = (int64_t)(number_of(&before, "remaining_sec") * (double)NS_PER_SEC);
}

static void read_timeouts(const struct doc_node *root, struct action_record *record)
{
	struct doc_node list = doc_get(root, "timeouts"), row;
	char name[32];

	for (size_t i = 0; i < doc_count(&list) && record->timeout_count < RECORD_TIMEOUTS; i++) {
		row = doc_at(&list, i);
		name[0] = '\0';
		read_text(&row, "name", name, sizeof(name));
		for (size_t k = 0; k < policy_timeout_count; k++)
			if (!strcmp(policy_timeouts[k].key, name))
				record->timeouts[record->timeout_count++] =
					(struct record_timeout){.index = (uint32_t)k,
								.from_sec = (uint32_t)number_of(&row, "from_sec"),
								.to_sec = (uint32_t)number_of(&row, "to_sec")};
	}
}

static int read_action(const struct doc_node *root, struct action_record *record,
		       struct problem *problem)
{
	struct doc_node node = doc_get(root, "action");
	const char *names[POLICY_ACTION_COUNT + 1] = {NULL};
	int action = 0, result;

	for (unsigned i = 0; i < POLICY_ACTION_COUNT; i++)
		names[i] = policy_actions[i].name;
	result = doc_choice(&node, names, &action, problem);
	record->action = (enum policy_action)action;
	return result;
}

static int read_record(const struct doc_node *root, struct action_record *record,
		       struct problem *problem)
{
	static const char *const levels[] = {"ok", "warning", "critical", "full", NULL};
	static const char *const modes[] = {"observe", "act", NULL};
	struct doc_node node = doc_get(root, "level"), mode = doc_get(root, "mode");
	double seconds = 0;
	char error[128] = "";
	int level = 0, acts = 0, result;

	if ((result = field_read_all(root, record_fields,
				     sizeof(record_fields) / sizeof(record_fields[0]), record, NULL,
				     problem)) ||
	    (result = read_action(root, record, problem)) ||
	    (result = doc_choice(&node, levels, &level, problem)) ||
	    (result = doc_choice(&mode, modes, &acts, problem)))
		return result;
	record->level = (enum level)level;
	record->mode = (enum policy_mode)acts;
	node = doc_get(root, "duration_sec");
	doc_number(&node, 0, 1e6, &seconds, PROBLEM_IGNORED);
	record->duration_ns = (int64_t)(seconds * (double)NS_PER_SEC);
	read_text(root, "rule", record->rule, sizeof(record->rule));
	read_text(root, "key", record->key, sizeof(record->key));
	read_text(root, "reason", record->reason, sizeof(record->reason));
	read_text(root, "how", record->how, sizeof(record->how));
	read_text(root, "error", error, sizeof(error));
	record->error = error_of(error);
	read_sources(root, record);
	read_ban(root, &record->ban);
	read_timeouts(root, record);
	return 0;
}

int view_record(const struct doc_node *root, struct action_record *ret_record,
		struct problem *reterr_problem)
{
	struct action_record *record = mem_alloc(sizeof(*record));
	int result = read_record(root, record, reterr_problem);

	if (!result)
		*ret_record = *record;
	free(record);
	return result;
}
