/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/status_json: ctwarden.status/1, ctwarden.alarm/1 and ctwarden.topline/1: one body, more or less of it. */
#include <string.h>

#include "flow/names.h"
#include "private.h"
#include "stats/fit.h"

#define STATUS_ROWS 10
#define PROTOCOLS   256

static void add_marks(json_t *document, const struct level_config *marks)
{
	const struct level_marks *both[] = {&marks->warning, &marks->critical};
	json_t *part = json_object(), *one;
	int i;

	for (i = 0; i < 2; i++) {
		one = json_object();
		json_add_real(one, "enter_pct", both[i]->enter_pct);
		json_add_real(one, "leave_pct", both[i]->leave_pct);
		json_add_real(one, "forecast_sec", both[i]->forecast_sec);
		json_object_set_new(part, level_name(i ? LEVEL_CRITICAL : LEVEL_WARNING), one);
	}
	json_add_real(part, "full_pct", marks->full_pct);
	json_add_real(part, "forecast_min_pct", marks->forecast_min_pct);
	json_object_set_new(document, "marks", part);
}

static json_t *json_counters(const struct table_counters *counters)
{
	json_t *part = json_object();

	json_add_count(part, "found", counters->found);
	json_add_count(part, "invalid", counters->invalid);
	json_add_count(part, "insert", counters->insert);
	json_add_count(part, "insert_failed", counters->insert_failed);
	json_add_count(part, "drop", counters->drop);
	json_add_count(part, "early_drop", counters->early_drop);
	json_add_count(part, "error", counters->error);
	json_add_count(part, "search_restart", counters->search_restart);
	json_add_count(part, "clash_resolve", counters->clash_resolve);
	json_add_count(part, "chaintoolong", counters->chaintoolong);
	return part;
}

static void add_head(json_t *document, const struct snapshot *s, const enum level *previous)
{
	const struct table_reading *now = &s->fill.now;

	json_add_time(document, "time", now->real_ns);
	json_add_text(document, "view", s->is_daemon_view ? "daemon" : "kernel");
	json_add_netns(document, &s->netns);
	if (now->has & READING_HAS_ENTRIES)
		json_add_count(document, "entries", now->entries);
	if (now->has & READING_HAS_LIMIT)
		json_add_count(document, "entries_limit", now->entries_limit);
	if (s->fill.capacity) {
		json_add_count(document, "capacity", s->fill.capacity);
		if ((now->has & READING_HAS_ENTRIES) && !s->fill.is_implausible)
			json_add_real(document, "fill_pct", s->fill.fill_pct);
	}
	json_add_bool(document, "implausible", s->fill.is_implausible);
	json_add_text(document, "level", level_name(s->level));
	if (previous)
		json_add_text(document, "previous", level_name(*previous));
	if (s->has & SNAPSHOT_HAS_LEVEL)
		json_add_time(document, "level_since", s->level_since_real_ns);
}

static void add_peak(json_t *document, const char *key, const struct fill_peak *peak)
{
	json_t *part = json_object();

	json_add_count(part, "entries", peak->entries);
	json_add_time(part, "time", peak->real_ns);
	json_object_set_new(document, key, part);
}

static void add_rates(json_t *document, const struct snapshot *s)
{
	if (s->has & SNAPSHOT_HAS_GROWTH) {
		json_add_real(document, "growth_per_sec", s->fill.growth_per_sec);
		if (s->fill.seconds_to_full >= 0)
			json_add_real(document, "seconds_to_full", s->fill.seconds_to_full);
	}
	if (snapshot_knows_rate(s))
		json_add_real(document, "new_per_sec", s->new_per_sec);
	if (s->has & SNAPSHOT_HAS_PEAK) {
		add_peak(document, "peak", &s->fill.peak);
		if (s->fill.peak_asked.real_ns)
			add_peak(document, "peak_since_asked", &s->fill.peak_asked);
	}
}

static void add_table(json_t *document, const struct snapshot *s)
{
	const struct table_reading *now = &s->fill.now;

	if (now->has & READING_HAS_BUCKETS) {
		json_add_count(document, "buckets", now->buckets);
		if (now->buckets && (now->has & READING_HAS_ENTRIES) && !s->fill.is_implausible)
			json_add_real(document, "load", (double)now->entries / (double)now->buckets);
	}
	if (now->has & READING_HAS_COUNTERS) {
		json_object_set_new(document, "counters", json_counters(&now->counters));
		if (s->fill.has_growth) /* two readings: there is something to subtract */
			json_object_set_new(document, "counters_delta", json_counters(&s->fill.delta));
	}
}

static void add_odds(json_t *document, const struct snapshot *s)
{
	if (s->has & SNAPSHOT_HAS_PASS)
		json_add_real(document, "evictable_pct", s->evictable_pct);
	if (s->has & SNAPSHOT_HAS_EXPIRED) {
		json_add_real(document, "expired_pct", s->expired_pct);
		json_add_count(document, "expired", s->expired);
	}
	if (s->has & SNAPSHOT_HAS_REFUSAL)
		json_add_real(document, "refusal_probability", s->refusal_probability);
	if (snapshot_knows_refusal_when_full(s))
		json_add_real(document, "refusal_when_full", s->refusal_when_full);
}

/* Counter against list: gap may be negative, where flows were born while the pass ran. */
static void add_gap(json_t *document, const struct snapshot *s)
{
	char reason[GAP_TEXT_MAX];
	json_t *part;

	if (!s->listed && !s->counted_before)
		return;
	json_add_count(document, "listed", s->listed);
	json_add_count(document, "counted", s->counted_before);
	json_add_count(document, "counted_after", s->counted_after);
	if (s->counted_before == s->listed)
		return;
	part = json_object();
	json_object_set_new(part, "entries",
			    json_integer((json_int_t)s->counted_before - (json_int_t)s->listed));
	json_add_text(part, "reason", gap_format(s, reason));
	json_object_set_new(document, "gap", part);
}

/* What the pass counted; of a daemon's picture no more of it than there are entries now. */
static void add_mix(json_t *document, const struct snapshot *s)
{
	uint64_t classes[FLOW_CLASS_COUNT], protocols[PROTOCOLS];
	json_t *part = json_object();
	char name[NAMES_TEXT_MAX];
	int i;

	memcpy(classes, s->classes, sizeof(classes));
	memcpy(protocols, s->protocols, sizeof(protocols));
	if (s->is_daemon_view && (s->fill.now.has & READING_HAS_ENTRIES) && !s->fill.is_implausible) {
		fit_counts(classes, FLOW_CLASS_COUNT, s->fill.now.entries);
		fit_counts(protocols, PROTOCOLS, s->fill.now.entries);
	}
	for (i = 0; i < FLOW_CLASS_COUNT; i++)
		json_add_count(part, class_key((enum flow_class)i), classes[i]);
	json_object_set_new(document, "classes", part);
	part = json_object();
	for (i = 0; i < PROTOCOLS; i++)
		if (protocols[i])
			json_add_count(part, protocol_name((uint8_t)i, name), protocols[i]);
	json_object_set_new(document, "protocols", part);
}

static void add_pass(json_t *document, const struct snapshot *s)
{
	json_t *part;

	if (!(s->has & SNAPSHOT_HAS_PASS))
		return;
	add_mix(document, s);
	add_gap(document, s);
	part = json_object();
	json_add_real(part, "age_sec", s->pass_age_sec);
	json_add_real(part, "duration_sec", s->pass_sec);
	json_add_count(part, "redone", s->redone_passes);
	json_object_set_new(document, "pass", part);
}

static void add_cause(json_t *document, const struct snapshot *s)
{
	const struct cause *cause = &s->cause;
	static const enum ranking_by parts[PICTURE_PART_COUNT] = {
		[PICTURE_SOURCE] = RANKING_BY_SOURCE, [PICTURE_PREFIX] = RANKING_BY_PREFIX,
		[PICTURE_DESTINATION] = RANKING_BY_DESTINATION, [PICTURE_SERVICE] = RANKING_BY_SERVICE};
	json_t *part;

	if (!cause->is_known)
		return;
	part = json_object();
	json_add_text(part, "text", cause->text);
	json_add_text(part, "of", cause->is_growth ? "growth" : "table");
	if (cause->is_past)
		json_add_bool(part, "past", true);
	json_add_bool(part, "dominant", cause->has_dominant);
	if (cause->has_dominant) {
		json_add_text(part, "by", ranking_by_name(parts[cause->part]));
		json_add_real(part, "share_pct", cause->share_pct);
		json_add_count(part, "destinations", cause->destinations);
		json_add_count(part, "ports", cause->ports);
		json_add_bool(part, "at_least", cause->at_least);
	}
	json_object_set_new(document, "cause", part);
}

static void add_examples(json_t *document, const struct snapshot *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->examples_used; i++)
		json_array_append_new(list, json_flow_brief(&s->examples[i]));
	json_object_set_new(document, "examples", list);
}

static void add_rows(json_t *document, const char *key, const struct snapshot_top *top, size_t most)
{
	struct row_context context = {
		.config = &top->config, .whole = top->totals.entries,
		.has_rates = rows_have_rates(top->rows, top->used, &top->totals)};

	json_object_set_new(document, key,
			    json_rows(&context, top->rows, top->used < most ? top->used : most));
}

/* The ten or, in an alarm, all rows of the sources and what is in none of them. */
static void add_sources(json_t *document, const struct snapshot *s, size_t most)
{
	const struct snapshot_top *top = &s->sources;

	if (!(s->has & SNAPSHOT_HAS_TOP))
		return;
	add_rows(document, "top_sources", top, most);
	json_add_others(document, &top->totals, top->rows, top->used < most ? top->used : most);
	json_add_count(document, "folded_entries", s->folded_entries);
}

static void add_tail(json_t *document, const struct snapshot *s)
{
	json_t *part;

	json_add_bool(document, "approximate", s->is_approximate);
	if (s->has & SNAPSHOT_HAS_FAST_DELETE) {
		part = json_object();
		json_add_bool(part, "on", s->fast_delete);
		if (!s->fast_delete)
			json_add_text(part, "why", s->fast_delete_why);
		if (s->fast_delete_sets)
			json_add_count(part, "sets", s->fast_delete_sets);
		json_object_set_new(document, "fast_delete", part);
	}
	if (!s->is_daemon_view)
		return;
	json_add_count(document, "lost_events", s->lost_events);
	if (s->daemon_since_real_ns)
		json_add_time(document, "daemon_since", s->daemon_since_real_ns);
	part = json_object();
	json_add_bool(part, "listening", s->is_listening);
	json_add_text(part, "note", s->events_note);
	json_add_count(part, "received", s->events_received);
	json_add_count(part, "lost", s->events_lost);
	json_add_count(part, "overruns", s->events_overruns);
	json_add_count(part, "undecodable", s->events_undecodable);
	json_add_count(part, "not_kernel", s->events_not_kernel);
	json_object_set_new(document, "events", part);
}

json_t *json_status(const struct snapshot *s)
{
	json_t *document = json_document("ctwarden.status/1");

	add_head(document, s, NULL);
	add_marks(document, &s->marks);
	add_table(document, s);
	add_rates(document, s);
	add_odds(document, s);
	add_pass(document, s);
	add_cause(document, s);
	add_sources(document, s, STATUS_ROWS);
	add_tail(document, s);
	json_add_guard(document, s);
	return document;
}

char *report_status_json(const struct snapshot *snapshot)
{
	return json_to_line(json_status(snapshot));
}

char *report_alarm_json(const struct alarm *alarm)
{
	const struct snapshot *s = &alarm->at;
	json_t *document = json_document("ctwarden.alarm/1");

	add_head(document, s, &alarm->previous);
	add_marks(document, &s->marks);
	add_table(document, s);
	add_rates(document, s);
	add_odds(document, s);
	add_pass(document, s);
	add_cause(document, s);
	add_sources(document, s, SNAPSHOT_TOP);
	if (s->has & SNAPSHOT_HAS_TOP) {
		add_rows(document, "top_prefixes", &s->prefixes, SNAPSHOT_TOP);
		add_rows(document, "top_services", &s->services, SNAPSHOT_TOP);
		add_rows(document, "top_destinations", &s->destinations, SNAPSHOT_TOP);
		add_examples(document, s);
	}
	add_tail(document, s);
	return json_to_line(document);
}

char *report_topline_json(const struct snapshot *snapshot)
{
	json_t *document = json_document("ctwarden.topline/1");

	add_head(document, snapshot, NULL);
	add_rates(document, snapshot);
	add_sources(document, snapshot, STATUS_ROWS);
	json_add_bool(document, "approximate", snapshot->is_approximate);
	return json_to_line(document);
}
