/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/relieve_text: the screen of relieve. Columns stand under each other; bars and colours at a
 * terminal alone. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "private.h"
#include "report/relieve.h"

#define FILL_BAR 20
#define ROW_BAR	 20
#define NAME_MIN 16
#define NAME_MAX 34
#define NOTE_MAX 200
#define FIGURES	 (2 + 1 + 10 + 2 + 7) /* of a row, besides its name and its bar */

static char *count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	return units_format_count(number, buf);
}

static void put(const struct report_out *out, const char *label, const char *text)
{
	struct line line;

	line_start(&line, out, label);
	line_add(&line, "%s", text);
	line_end(&line);
}

/* ---- before ---- */

static void print_fill(const struct report_out *out, const char *label, uint64_t entries,
		       uint64_t capacity, const char *colour, const char *whose)
{
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], bar[FILL_BAR + 1];
	double pct = share_of(entries, capacity);
	struct line line;

	line_start(&line, out, label);
	line_add(&line, "%10s of %s", count(entries, a), count(capacity, b));
	line_add(&line, "%5.1f %%", pct);
	if (out->is_terminal)
		line_add_colour(&line, colour, "[%s]", bar_format(pct, FILL_BAR, false, bar));
	if (whose)
		line_add(&line, "%s", whose);
	line_end(&line);
}

static const char *colour_of(const struct report_relieve *relieve, uint64_t entries)
{
	return level_colour(entries <= relieve->target_entries	       ? LEVEL_OK
			    : relieve->snapshot->level > LEVEL_WARNING ? LEVEL_CRITICAL
								       : LEVEL_WARNING);
}

static void print_head(const struct report_out *out, const struct report_relieve *relieve)
{
	const struct snapshot *s = relieve->snapshot;
	char buf[NOTE_MAX], number[UNITS_TEXT_MAX];
	struct line line;

	put(out, "", place_format(&s->netns, "kernel", buf, sizeof(buf)));
	print_fill(out, "entries", relieve->entries_before, relieve->capacity,
		   colour_of(relieve, relieve->entries_before),
		   capacity_words(relieve->capacity_from));
	if (s->cause.is_known && s->cause.text[0])
		put(out, "cause", s->cause.text);
	line_start(&line, out, "target");
	line_add(&line, "%10s entries", count(relieve->target_entries, number));
	line_add(&line, "%5.1f %%", relieve->target_pct);
	if (relieve->swept)
		line_add(&line, "%s had expired and are gone", count(relieve->swept, number));
	if (relieve->wanted)
		line_add(&line, "%s have to go", count(relieve->wanted, number));
	line_end(&line);
}

/* ---- rows ---- */

static unsigned name_width(const struct report_out *out)
{
	unsigned room = out->columns > FIGURES + NAME_MIN ? out->columns - FIGURES : NAME_MIN;

	return !out->is_terminal || room > NAME_MAX ? NAME_MAX : room;
}

static char *share_words(double share_pct, char buf[UNITS_TEXT_MAX])
{
	bool is_tiny = share_pct > 0 && share_pct < 0.05;

	snprintf(buf, UNITS_TEXT_MAX, is_tiny ? " <0.1 %%" : "%5.1f %%", share_pct);
	return buf;
}

static void print_row(const struct report_out *out, const char *name, uint64_t entries,
		      uint64_t whole, const char *colour)
{
	unsigned before = FIGURES + name_width(out) + 2;
	unsigned width = out->columns > before ? out->columns - before : 0;
	char number[UNITS_TEXT_MAX], words[UNITS_TEXT_MAX], bar[ROW_BAR + 1];
	double share = share_of(entries, whole);
	size_t len;

	width = width > ROW_BAR ? ROW_BAR : width;
	fprintf(out->file, "  %-*s %10s  %s", (int)name_width(out), name, count(entries, number),
		share_words(share, words));
	bar_format(share, width, false, bar);
	len = strspn(bar, "#");
	if (out->is_terminal && width && len)
		fprintf(out->file, "  %s%s%s%.*s%s", out->has_colour ? "\033[" : "",
			out->has_colour ? colour : "", out->has_colour ? "m" : "", (int)len, bar,
			out->has_colour ? "\033[0m" : "");
	fputc('\n', out->file);
}

static void print_heading(const struct report_out *out, const char *text)
{
	fprintf(out->file, "\n%s%s%s\n", out->has_colour ? "\033[1m" : "", text,
		out->has_colour ? "\033[0m" : "");
}

/* Most first: the rows of a small table of counts. */
static size_t next_most(const uint64_t *counts, size_t n, uint64_t below, size_t after)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		if (!counts[i] || counts[i] > below || (counts[i] == below && i <= after))
			continue;
		if (best == n || counts[i] > counts[best])
			best = i;
	}
	return best;
}

static void print_classes(const struct report_out *out, const struct action_record *record)
{
	uint64_t below = UINT64_MAX;
	size_t at = 0;

	while ((at = next_most(record->classes, FLOW_CLASS_COUNT, below, at)) < FLOW_CLASS_COUNT) {
		below = record->classes[at];
		print_row(out, class_name((enum flow_class)at), below, record->matched, "33");
	}
}

static void print_sources(const struct report_out *out, const struct action_record *record)
{
	uint64_t shown = 0;

	for (size_t i = 0; i < record->source_count; i++) {
		print_row(out, record->sources[i].name, record->sources[i].count, record->matched,
			  "33");
		shown += record->sources[i].count;
	}
	if (shown < record->matched)
		print_row(out, "all other sources", record->matched - shown, record->matched, "33");
}

/* What most of them have in common, where it is more than their class. */
static void print_pattern(const struct report_out *out, const struct action_record *record)
{
	char pattern[SIGNATURE_TEXT_MAX];
	struct line line;
	size_t i = 0;

	while (i < record->signature_count && !record->signatures[i].is_confirmed)
		i++;
	if (i == record->signature_count || !record->stages[VICTIM_UNANSWERED_FIT])
		return;
	line_start(&line, out, " alike");
	line_add(&line, "%.0f %% of the table: %s", 100 * record->signatures[i].coverage,
		 signature_format(&record->signatures[i].pattern, pattern));
	line_end(&line);
}

static void print_goes(const struct report_out *out, const struct report_relieve *relieve)
{
	const struct action_record *record = &relieve->record;
	char number[UNITS_TEXT_MAX], heading[NOTE_MAX];
	const char *would = relieve->is_dry ? "WOULD GO" : "WENT";
	uint64_t flows = relieve->is_dry ? record->matched : record->done;

	snprintf(heading, sizeof(heading), "%s: %s flow%s, %.1f %% of the table", would,
		 count(flows, number), units_plural(flows),
		 share_of(flows, relieve->entries_before));
	print_heading(out, heading);
	if (!flows)
		return;
	print_pattern(out, record);
	fputs(" by class\n", out->file);
	print_classes(out, record);
	fputs(" by source\n", out->file);
	print_sources(out, record);
}

/* ---- what stays ---- */

static void print_stay_row(const struct report_out *out, const char *name, uint64_t entries,
			   const char *note)
{
	char number[UNITS_TEXT_MAX];

	if (!entries)
		return;
	fprintf(out->file, "  %-*s %10s", (int)name_width(out), name, count(entries, number));
	if (note[0] &&
	    (!out->is_terminal || FIGURES + name_width(out) + strlen(note) < out->columns))
		fprintf(out->file, "  %s", note);
	fputc('\n', out->file);
}

static void tell_protected(const struct action_record *record, char *buf, size_t size)
{
	char number[UNITS_TEXT_MAX];
	struct text t;

	text_init(&t, buf, size);
	for (size_t i = 0; i < record->protected_count; i++)
		text_add(&t, "%s%s %s", i ? ", " : "", record->protected_by[i].name,
			 count(record->protected_by[i].count, number));
}

static void print_stays(const struct report_out *out, const struct report_relieve *relieve)
{
	const struct action_record *record = &relieve->record;
	char note[NOTE_MAX];

	print_heading(out, relieve->is_dry ? "WOULD STAY" : "STAYED");
	tell_protected(record, note, sizeof(note));
	print_stay_row(out, "protected", relieve->protected_flows, note);
	print_stay_row(out, "answered and in use", relieve->in_use,
		       "idle for less than their floor");
	print_stay_row(out, "too young to tell", relieve->young, "an answer may be on its way");
	print_stay_row(out, "young", relieve->unsettled, "closing or answered once a moment ago");
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++) {
		if (i == VICTIM_SPARED_PROTECTED || i == VICTIM_SPARED_FLOOR ||
		    i == VICTIM_SPARED_YOUNG_FLOW)
			continue;
		print_stay_row(out, victim_spared_name((enum victim_spared)i), record->spared_by[i],
			       "");
	}
	print_stay_row(out, "not what a rule matches", relieve->unmatched, "");
	print_stay_row(out, "of classes no rule takes", relieve->others, "");
	print_stay_row(out,
		       relieve->entries_after > relieve->target_entries ? "could go, not taken"
									: "could go, not needed",
		       relieve->candidates, "");
}

/* ---- after ---- */

static const char *why_short(const struct report_relieve *relieve)
{
	if (relieve->record.matched >= relieve->wanted && relieve->daemon_acts)
		return "The target is not reached: it fills up as fast. ctwardend is in mode act and goes on by its "
		       "policy, down to its own marks.";
	if (relieve->record.matched >= relieve->wanted)
		return "The target is not reached: it fills up as fast. ctwardend with a policy keeps it open.";
	if (relieve->candidates)
		return "The target is not reached, though more could go: run it again.";
	if (relieve->young + relieve->unsettled)
		return "The target is not reached: what is left is in use, young or protected. Run it again when the "
		       "young ones are older. ctwarden top tells whose the rest is, ctwarden flush and kill take what "
		       "you name.";
	return "The target is not reached: what is left is in use or protected. ctwarden top tells whose it is, "
	       "ctwarden flush and kill take what you name.";
}

static void print_short(const struct report_out *out, const struct report_relieve *relieve)
{
	if (relieve->entries_after <= relieve->target_entries || relieve->record.error)
		return;
	paragraph_print(out, 0, why_short(relieve));
}

static void print_after(const struct report_out *out, const struct report_relieve *relieve)
{
	const struct action_record *record = &relieve->record;
	char number[UNITS_TEXT_MAX];
	struct line line;

	fputc('\n', out->file);
	if (!relieve->is_dry) {
		print_fill(out, "before", relieve->entries_before, relieve->capacity,
			   colour_of(relieve, relieve->entries_before), NULL);
	}
	print_fill(out, relieve->is_dry ? "would be" : "after", relieve->entries_after,
		   relieve->capacity, colour_of(relieve, relieve->entries_after), NULL);
	if (relieve->is_dry)
		return;
	line_start(&line, out, "done");
	line_add(&line, "%10s flow%s in %s", count(record->done, number),
		 units_plural(record->done),
		 units_format_duration(relieve->took_ns, (char[UNITS_TEXT_MAX]){0}));
	if (record->gone)
		line_add(&line, "%s gone or changed meanwhile", count(record->gone, number));
	if (record->refused)
		line_add_colour(&line, "31", "%s refused", count(record->refused, number));
	if (record->unknown)
		line_add_colour(&line, "31", "of %s nobody can say",
				count(record->unknown, number));
	if (record->error)
		line_add_colour(&line, "31", "stopped: %s", strerror(-record->error));
	line_end(&line);
}

int report_relieve(const struct report_out *out, const struct report_relieve *relieve)
{
	int result;

	if (out->is_json) {
		result = json_print(out, json_relieve(relieve));
		return result ? result : report_flush(out);
	}
	if (!relieve->is_planned)
		print_head(out, relieve);
	if (!relieve->wanted) {
		fprintf(out->file, "at or below %.4g %% already%s: nothing to do\n",
			relieve->target_pct,
			relieve->swept ? ", now that the expired ones are gone" : "");
		return report_flush(out);
	}
	if (!relieve->is_planned) {
		print_goes(out, relieve);
		print_stays(out, relieve);
	}
	print_after(out, relieve);
	print_short(out, relieve);
	return report_flush(out);
}
