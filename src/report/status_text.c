/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/status_text: the status screen. One fact a line; what is not known has no line. */
#include <ctype.h>
#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "private.h"

#define FILL_BAR    20
#define STATUS_ROWS 10

static char *seconds_format(double sec, char buf[UNITS_TEXT_MAX])
{
	/* A hundred years are enough for any of them. */
	return units_format_duration((int64_t)((sec > 3e9 ? 3e9 : sec) * 1e9), buf);
}

static char *count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	return units_format_count(number, buf);
}

static void add_mark(struct text *t, const char *name, const struct level_marks *marks)
{
	char number[UNITS_TEXT_MAX];

	text_add(t, "%s from %.4g %%", name, marks->enter_pct);
	if (marks->forecast_sec > 0)
		text_add(t, " or full within %s", seconds_format(marks->forecast_sec, number));
}

static void print_level(const struct report_out *out, const struct snapshot *s, const enum level *previous)
{
	char buf[160], number[UNITS_TEXT_MAX], word[16];
	struct line line;
	struct text t;
	size_t i;

	text_init(&t, word, sizeof(word));
	text_add(&t, "%s", level_name(s->level));
	for (i = 0; i < t.len && s->level != LEVEL_OK; i++)
		word[i] = (char)toupper((unsigned char)word[i]);
	line_start(&line, out, "level");
	line_add_colour(&line, level_colour(s->level), "%s", word);
	if (previous)
		line_add(&line, "it was %s", level_name(*previous));
	else if ((s->has & SNAPSHOT_HAS_LEVEL) && s->fill.now.real_ns >= s->level_since_real_ns)
		line_add(&line, "since %s",
			 units_format_duration(s->fill.now.real_ns - s->level_since_real_ns, number));
	else if (!(s->has & SNAPSHOT_HAS_LEVEL))
		line_add(&line, "by this reading alone");
	if (!(s->marks.full_pct > 0)) { /* an old record does not tell them */
		line_end(&line);
		return;
	}
	text_init(&t, buf, sizeof(buf));
	add_mark(&t, "warning", &s->marks.warning);
	line_add(&line, "%s", buf);
	text_init(&t, buf, sizeof(buf));
	add_mark(&t, "critical", &s->marks.critical);
	line_add(&line, "%s", buf);
	line_add(&line, "full from %.4g %% with drops", s->marks.full_pct);
	if (s->marks.forecast_min_pct > 0 && s->marks.warning.forecast_sec > 0)
		line_add(&line, "below %.4g %% no forecast counts", s->marks.forecast_min_pct);
	line_end(&line);
}

static void add_count(struct line *line, const struct snapshot *s)
{
	const struct fill *fill = &s->fill;
	char entries[UNITS_TEXT_MAX], number[UNITS_TEXT_MAX];

	count(fill->now.entries, entries);
	if (!(fill->now.has & READING_HAS_ENTRIES))
		line_add(line, "not known");
	else if (fill->capacity)
		line_add(line, "%s of %s", entries, count(fill->capacity, number));
	else
		line_add(line, "%s", entries);
}

static void add_limit(struct line *line, const struct fill *fill)
{
	char number[UNITS_TEXT_MAX];

	if (!(fill->now.has & READING_HAS_LIMIT))
		line_add(line, "limit not known");
	else if (!fill->now.entries_limit)
		line_add(line, "limit 0: none");
	else if (fill->capacity != fill->now.entries_limit)
		line_add(line, "capacity as set; the kernel's limit is %s",
			 count(fill->now.entries_limit, number));
	if (fill->limit_changed)
		line_add_colour(line, "33", "the limit has just changed");
}

static void add_peak(struct line *line, const struct fill_peak *peak)
{
	char number[UNITS_TEXT_MAX], stamp[CLOCK_TEXT_MAX];

	line_add(line, "peak %s at %s", count(peak->entries, number), clock_format_local(peak->real_ns, stamp));
}

static void print_entries(const struct report_out *out, const struct snapshot *s)
{
	const struct fill *fill = &s->fill;
	bool has_entries = fill->now.has & READING_HAS_ENTRIES;
	char number[UNITS_TEXT_MAX], bar[FILL_BAR + 1];
	struct line line;

	line_start(&line, out, "entries");
	add_count(&line, s);
	if (fill->is_implausible) {
		line_add_colour(&line, "31", "implausible: not believed, the level stays");
	} else if (has_entries && fill->capacity) {
		line_add(&line, "%.1f %%", fill->fill_pct);
		if (out->is_terminal)
			line_add_colour(&line, level_colour(s->level), "[%s]",
					bar_format(fill->fill_pct, FILL_BAR,
						   (s->has & SNAPSHOT_HAS_GROWTH) && fill->growth_per_sec >= 1,
						   bar));
		if (fill->now.entries > fill->capacity)
			line_add_colour(&line, "31", "over by %s",
					count(fill->now.entries - fill->capacity, number));
	}
	add_limit(&line, fill);
	if (s->has & SNAPSHOT_HAS_PEAK)
		add_peak(&line, &fill->peak);
	line_end(&line);
}

static void print_buckets(const struct report_out *out, const struct table_reading *now, bool is_implausible)
{
	char number[UNITS_TEXT_MAX];
	struct line line;

	if (!(now->has & READING_HAS_BUCKETS) || !now->buckets)
		return;
	line_start(&line, out, "buckets");
	line_add(&line, "%s", count(now->buckets, number));
	if ((now->has & READING_HAS_ENTRIES) && !is_implausible)
		line_add(&line, "%.2f entries each", (double)now->entries / (double)now->buckets);
	line_end(&line);
}

static void print_growth(const struct report_out *out, const struct snapshot *s)
{
	char number[UNITS_TEXT_MAX];
	struct line line;

	if (!(s->has & SNAPSHOT_HAS_GROWTH) && !snapshot_knows_rate(s))
		return;
	line_start(&line, out, "growth");
	if (s->has & SNAPSHOT_HAS_GROWTH)
		line_add(&line, "%s/s", units_format_signed((int64_t)llround(s->fill.growth_per_sec), number));
	if (snapshot_knows_rate(s))
		line_add(&line, "%s new/s", count((uint64_t)(s->new_per_sec + 0.5), number));
	if ((s->has & SNAPSHOT_HAS_GROWTH) && s->fill.seconds_to_full >= 0)
		line_add(&line, "full in %s at this rate", seconds_format(s->fill.seconds_to_full, number));
	line_end(&line);
}

static void print_evictable(const struct report_out *out, const struct snapshot *s)
{
	bool is_known = (s->has & SNAPSHOT_HAS_PASS) && s->listed; /* of nothing there is no share */
	struct line line;

	if (!is_known && !(s->has & SNAPSHOT_HAS_EXPIRED))
		return;
	line_start(&line, out, "evictable");
	if (is_known)
		line_add(&line, "%.1f %% by the kernel itself (not assured)", s->evictable_pct);
	if (s->has & SNAPSHOT_HAS_EXPIRED)
		line_add(&line, "%.1f %% expired but still counted", s->expired_pct);
	line_end(&line);
}

/* "0.0 %", but never for what can happen, nor 100 % for what may not. */
static char *odds_format(double probability, char buf[UNITS_TEXT_MAX])
{
	struct text t;

	text_init(&t, buf, UNITS_TEXT_MAX);
	if (probability > 0 && probability < 0.0005)
		text_add(&t, "<0.1 %%");
	else if (probability > 0.9995 && probability < 1)
		text_add(&t, ">99.9 %%");
	else
		text_add(&t, "%.1f %%", 100 * probability);
	return buf;
}

static void print_refused(const struct report_out *out, const struct snapshot *s)
{
	const struct table_counters *c = &s->fill.now.counters;
	char odds[UNITS_TEXT_MAX], number[UNITS_TEXT_MAX];
	struct line line;

	if (s->has & SNAPSHOT_HAS_REFUSAL) {
		line_start(&line, out, "refused");
		line_add(&line, "%s of new flows now", odds_format(s->refusal_probability, odds));
		if (snapshot_knows_refusal_when_full(s))
			line_add(&line, "%s once full", odds_format(s->refusal_when_full, odds));
		line_end(&line);
	}
	if (!(s->fill.now.has & READING_HAS_COUNTERS))
		return;
	line_start(&line, out, "since boot");
	line_add(&line, "%s dropped", count(c->drop, number));
	line_add(&line, "%s dropped early", count(c->early_drop, number));
	line_add(&line, "%s insert failures", count(c->insert_failed, number));
	line_add(&line, "%s search restarts", count(c->search_restart, number));
	line_end(&line);
}

static void print_pass(const struct report_out *out, const struct snapshot *s)
{
	char number[UNITS_TEXT_MAX], reason[GAP_TEXT_MAX];
	struct line line;
	int i;

	if (!(s->has & SNAPSHOT_HAS_PASS))
		return;
	line_start(&line, out, "classes");
	for (i = 0; i < FLOW_CLASS_COUNT; i++)
		if (s->classes[i])
			line_add(&line, "%s %s", class_name((enum flow_class)i), count(s->classes[i], number));
	if (!line.has_parts)
		line_add(&line, "none");
	line_end(&line);
	if (s->listed || s->counted_before) {
		line_start(&line, out, "listed");
		line_add(&line, "%s", count(s->listed, number));
		line_add(&line, "counted %s%s", count(s->counted_before, number),
			 s->is_daemon_view ? " at the last pass" : "");
		if (s->listed != s->counted_before)
			line_add(&line, "likely %s", gap_format(s, reason));
		line_end(&line);
	}
	line_start(&line, out, "pass");
	line_add(&line, "%s ago", seconds_format(s->pass_age_sec < 0 ? 0 : s->pass_age_sec, number));
	if (s->pass_sec > 0)
		line_add(&line, "took %s", seconds_format(s->pass_sec, number));
	if (s->redone_passes)
		line_add(&line, "begun anew %u x: the table was resized", s->redone_passes);
	if (s->is_approximate)
		line_add_colour(&line, "33", "approximate since: events were lost or not listened to");
	line_end(&line);
}

static void print_events(const struct report_out *out, const struct snapshot *s)
{
	char number[UNITS_TEXT_MAX];
	struct line line;

	if (!(s->has & SNAPSHOT_HAS_EVENTS))
		return;
	line_start(&line, out, "events");
	line_add(&line, "%s", s->is_listening ? "listening" : "not listening");
	if (s->events_received)
		line_add(&line, "%s received", count(s->events_received, number));
	if (s->events_lost)
		line_add(&line, "%s lost", count(s->events_lost, number));
	if (s->events_overruns)
		line_add(&line, "%s overruns", count(s->events_overruns, number));
	if (s->events_undecodable)
		line_add(&line, "%s not understood", count(s->events_undecodable, number));
	if (s->events_not_kernel)
		line_add(&line, "%s not from the kernel", count(s->events_not_kernel, number));
	if (s->events_note[0])
		line_add_colour(&line, "33", "%s", s->events_note);
	line_end(&line);
}

static void print_fast_delete(const struct report_out *out, const struct snapshot *s)
{
	struct line line;

	if (!(s->has & SNAPSHOT_HAS_FAST_DELETE))
		return;
	line_start(&line, out, "fast delete");
	line_add(&line, "%s%s%s", s->fast_delete ? "on: proven in this kernel" : "off",
		 s->fast_delete ? "" : ", because ", s->fast_delete ? "" : s->fast_delete_why);
	if (s->fast_delete && s->fast_delete_sets)
		line_add(&line, " (%u sets of conditions)", s->fast_delete_sets);
	line_end(&line);
}

static void print_sources(const struct report_out *out, const struct snapshot *s)
{
	const struct snapshot_top *top = &s->sources;
	struct table table = {
		.rows = top->rows, .used = top->used < STATUS_ROWS ? top->used : STATUS_ROWS,
		.totals = &top->totals,
		.context = {.config = &top->config, .whole = top->totals.entries,
			    .has_rates = rows_have_rates(top->rows, top->used, &top->totals)}};

	if (!(s->has & SNAPSHOT_HAS_TOP) || !top->used)
		return;
	fputc('\n', out->file);
	table_print(out, &table);
}

void status_lines(const struct report_out *out, const struct snapshot *s, const enum level *previous)
{
	struct line line;

	print_level(out, s, previous);
	print_entries(out, s);
	print_buckets(out, &s->fill.now, s->fill.is_implausible);
	print_growth(out, s);
	print_evictable(out, s);
	print_refused(out, s);
	print_pass(out, s);
	print_events(out, s);
	print_fast_delete(out, s);
	if (s->cause.is_known && s->cause.text[0]) {
		line_start(&line, out, "cause");
		line_add(&line, "%s", s->cause.text);
		line_end(&line);
	}
}

int report_status(const struct report_out *out, const struct snapshot *s)
{
	char buf[160];
	struct line line;
	int result;

	if (out->is_json) {
		result = json_print(out, json_status(s));
		return result ? result : report_flush(out);
	}
	line_start(&line, out, "");
	line_add(&line, "%s",
		 place_format(&s->netns, s->is_daemon_view ? "daemon" : "kernel", buf,
			      sizeof(buf)));
	line_end(&line);
	status_lines(out, s, NULL);
	guard_lines(out, s);
	print_sources(out, s);
	return report_flush(out);
}
