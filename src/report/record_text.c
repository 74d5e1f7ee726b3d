/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/record_text: a record as one line of key=value for logs. */
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "policy/words.h"
#include "private.h"

static void add_counts(struct text *t, const struct action_record *record)
{
	bool is_would = record->mode == POLICY_MODE_OBSERVE;

	text_add(t, is_would ? " would=%llu" : " done=%llu",
		 (unsigned long long)(is_would ? record->matched : record->done));
	text_add(t, " matched=%llu spared=%llu", (unsigned long long)record->matched,
		 (unsigned long long)record->spared);
	if (record->gone)
		text_add(t, " gone=%llu", (unsigned long long)record->gone);
	if (record->refused)
		text_add(t, " refused=%llu", (unsigned long long)record->refused);
	if (record->unknown)
		text_add(t, " unknown=%llu", (unsigned long long)record->unknown);
}

static void add_ban(struct text *t, const struct record_ban *ban)
{
	char time[UNITS_TEXT_MAX];

	text_add_quoted(t, "for", units_format_duration(ban->for_ns, time));
	text_add(t, " rate_per_sec=%g new=%s", ban->rate_per_sec, ban->is_new ? "yes" : "no");
	if (!ban->is_new)
		text_add(t, " before_rate_per_sec=%g", ban->before_rate_per_sec);
}

char *report_record_text(const struct action_record *record, char *buf, size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "action=%s rule=%s mode=%s level=%s", policy_actions[record->action].name, record->rule,
		 policy_mode_name(record->mode), level_name(record->level));
	if (record->is_end)
		text_add(&t, " end=yes");
	if (record->key[0])
		text_add_quoted(&t, "key", record->key);
	if (record->error)
		text_add_quoted(&t, "error", strerror(-record->error));
	add_counts(&t, record);
	if (record->entries_before && record->capacity)
		text_add(&t, " fill_pct=%.1f to_pct=%.1f", share_of(record->entries_before, record->capacity),
			 share_of(record->entries_after, record->capacity));
	if (record->ban.for_ns)
		add_ban(&t, &record->ban);
	if (record->timeout_count) {
		text_add(&t, " timeouts=\"");
		record_add_timeouts(&t, record);
		text_add(&t, "\"");
	}
	text_add(&t, " sec=%.3f", (double)record->duration_ns / 1e9);
	text_add_quoted(&t, "reason", record->reason);
	if (record->how[0])
		text_add_quoted(&t, "how", record->how);
	if (record->source_count) {
		text_add(&t, " sources=\"");
		for (size_t i = 0; i < record->source_count; i++)
			text_add(&t, "%s%s %llu", i ? ", " : "", record->sources[i].name,
				 (unsigned long long)record->sources[i].count);
		text_add(&t, "\"");
	}
	return buf;
}
