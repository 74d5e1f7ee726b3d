/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/record_words: a record as one line for people: "rule evict-unanswered: 40,000 flows
 * of 10.1.0.66 in 0.21 s; 77.8 -> 62.6 %". In observe the same says "would". */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "policy/words.h"
#include "private.h"

#define MOST_PCT 50.0 /* of the flows: then a source is named */
#define ALL_PCT	 99.95

static char *count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	return units_format_count(number, buf);
}

static bool is_would(const struct action_record *record)
{
	return record->mode == POLICY_MODE_OBSERVE;
}

/* " of 10.1.0.66", ", 74 % of 10.1.0.66": where one source has most of them. */
static void add_source(struct text *t, const struct action_record *record)
{
	double share;

	if (record->key[0]) {
		text_add(t, " of %s", record->key);
		return;
	}
	if (!record->source_count || !record->matched)
		return;
	share = share_of(record->sources[0].count, record->matched);
	if (share >= ALL_PCT)
		text_add(t, " of %s", record->sources[0].name);
	else if (share >= MOST_PCT)
		text_add(t, ", %.0f %% of %s", floor(share), record->sources[0].name);
}

/* What became of the others. */
static void add_rest(struct text *t, const struct action_record *record)
{
	char number[UNITS_TEXT_MAX];

	if (record->refused)
		text_add(t, "; %s refused", count(record->refused, number));
	if (record->unknown)
		text_add(t, "; of %s nobody can say", count(record->unknown, number));
}

static void add_end(struct text *t, const struct action_record *record)
{
	char number[UNITS_TEXT_MAX];

	if (!is_would(record))
		text_add(t, " in %s", units_format_duration(record->duration_ns, number));
	add_rest(t, record);
	if (record->entries_before && record->capacity && !is_would(record))
		text_add(t, "; %.1f -> %.1f %%", share_of(record->entries_before, record->capacity),
			 share_of(record->entries_after, record->capacity));
	else if (record->entries_before && record->capacity)
		text_add(t, "; at %.1f %%", share_of(record->entries_before, record->capacity));
}

static void add_flows(struct text *t, const struct action_record *record, const char *would,
		      const char *what)
{
	char number[UNITS_TEXT_MAX];
	uint64_t flows = is_would(record) ? record->matched : record->done;

	text_add(t, "%s%s %s%s", is_would(record) ? would : "", count(flows, number), what,
		 units_plural(flows));
	add_source(t, record);
	add_end(t, record);
}

/* A sweep that only would be done cannot know how much there is. */
static void add_sweep(struct text *t, const struct action_record *record)
{
	char number[UNITS_TEXT_MAX];

	if (is_would(record)) {
		text_add(t, "would free what has expired");
		return;
	}
	text_add(t, "%s expired", count(record->done, number));
	add_end(t, record);
}

/* "600 unreplied (300 or more)" of "10.1.0.66: 600 unreplied (300 or more)". */
static const char *reason_of(const struct action_record *record)
{
	size_t len = strlen(record->key);

	return !strncmp(record->reason, record->key, len) && !strncmp(record->reason + len, ": ", 2)
		       ? record->reason + len + 2
		       : record->reason;
}

static void add_ban(struct text *t, const struct action_record *record)
{
	const struct record_ban *ban = &record->ban;
	const char *verb = is_would(record) ? "would refuse" : "refuses";
	char number[UNITS_TEXT_MAX];

	if (record->how[0]) {
		text_add(t, "%s %s", record->key, record->how);
		return;
	}
	if (ban->rate_per_sec > 0)
		text_add(t, "%s new flows of %s beyond %g a second", verb, record->key, ban->rate_per_sec);
	else
		text_add(t, "%s new flows of %s", verb, record->key);
	if (ban->for_ns) /* an old record does not tell */
		text_add(t, " for %s", units_format_duration(ban->for_ns, number));
	if (ban->for_ns && !ban->is_new)
		text_add(t, ", until now beyond %g a second", ban->before_rate_per_sec);
	if (record->reason[0])
		text_add(t, ": %s", reason_of(record));
}

void record_add_timeouts(struct text *t, const struct action_record *record)
{
	char from[UNITS_TEXT_MAX], to[UNITS_TEXT_MAX];

	for (size_t i = 0; i < record->timeout_count; i++) {
		const struct record_timeout *timeout = &record->timeouts[i];

		text_add(t, "%s%s %s -> %s", i ? ", " : "", policy_timeouts[timeout->index].key,
			 units_format_duration(timeout->from_sec * NS_PER_SEC, from),
			 units_format_duration(timeout->to_sec * NS_PER_SEC, to));
	}
}

static void add_timeouts(struct text *t, const struct action_record *record)
{
	const char *what = record->is_end ? "put back" : "lowered";

	if (record->how[0]) {
		text_add(t, "kernel timeouts: %s", record->how);
		return;
	}
	text_add(t, "kernel timeouts %s%s", is_would(record) ? "would be " : "", what);
	if (record->timeout_count) {
		text_add(t, ": ");
		record_add_timeouts(t, record);
	}
}

char *report_record_words(const struct action_record *record, char *buf, size_t size)
{
	char done[UNITS_TEXT_MAX], matched[UNITS_TEXT_MAX];
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "rule %s: ", record->rule);
	if (record->error) {
		text_add(&t, "failed: %s", strerror(-record->error));
		if (record->done)
			text_add(&t, " after %s of %s", count(record->done, done),
				 count(record->matched, matched));
		if (record->how[0])
			text_add(&t, " (%s)", record->how);
		return buf;
	}
	switch (record->action) {
	case POLICY_ACTION_SWEEP:
		add_sweep(&t, record);
		break;
	case POLICY_ACTION_SHORTEN:
		add_flows(&t, record, "would shorten ", "idle flow");
		break;
	case POLICY_ACTION_EVICT:
		add_flows(&t, record, "would evict ", "flow");
		break;
	case POLICY_ACTION_BAN:
		add_ban(&t, record);
		break;
	case POLICY_ACTION_TIMEOUTS:
		add_timeouts(&t, record);
		break;
	case POLICY_ACTION_LOG:
	case POLICY_ACTION_COUNT:
		text_add(&t, "%s", record->reason);
		break;
	}
	return buf;
}
