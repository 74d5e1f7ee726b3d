/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/top_text: a ranking as a table under a heading that says of what, by whom and how old. */
#include <errno.h>

#include "base/text.h"
#include "base/units.h"
#include "private.h"

static const char *const key_words[RANKING_BY_COUNT] = {
	[RANKING_BY_SOURCE] = "a source is",
	[RANKING_BY_PREFIX] = "a prefix of sources is",
	[RANKING_BY_DESTINATION] = "a destination is",
	[RANKING_BY_SERVICE] = "a service is protocol and destination port; for ICMP the type",
	[RANKING_BY_CLASS] = "each entry is in exactly one class",
	[RANKING_BY_STATE] = "protocol and state",
	[RANKING_BY_ZONE] = "conntrack zones",
	[RANKING_BY_MARK] = "conntrack marks",
	[RANKING_BY_REPLY_SOURCE] = "who should answer (behind DNAT the real server):",
};

static void add_length(struct text *t, const char *family, unsigned len, unsigned full)
{
	if (len == full)
		text_add(t, "an %s address", family);
	else
		text_add(t, "an %s /%u", family, len);
}

static void add_key_words(struct line *line, const struct ranking_config *config)
{
	char buf[160];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%s", key_words[config->by]);
	if (config->by <= RANKING_BY_DESTINATION || config->by == RANKING_BY_REPLY_SOURCE) {
		text_add(&t, " ");
		add_length(&t, "IPv4", config->prefix_len[0], 32);
		text_add(&t, " or ");
		add_length(&t, "IPv6", config->prefix_len[1], 128);
	}
	line_add(line, "by %s: %s", ranking_by_name(config->by), buf);
}

static void print_heading(const struct report_out *out, const struct report_top *top)
{
	char buf[160], number[UNITS_TEXT_MAX];
	struct line line;

	line_start(&line, out, "");
	line_add(&line, "%s", place_format(&top->netns, top->view, buf, sizeof(buf)));
	line_add(&line, "%s entries", units_format_count(top->entries, number));
	if (top->filter && top->filter[0])
		line_add(&line, "%s match %s", units_format_count(top->matched, number), top->filter);
	if (top->age_sec > 0)
		line_add(&line, "entries live, classes counted %s ago",
			 units_format_duration((int64_t)(top->age_sec * 1e9), number));
	if (top->span_sec > 0)
		line_add(&line, "born in %s, and still alive",
			 units_format_duration((int64_t)(top->span_sec * 1e9), number));
	line_end(&line);
	line_start(&line, out, "");
	add_key_words(&line, &top->config);
	line_end(&line);
}

static void note(const struct report_out *out, const char *text)
{
	struct line line;

	line_start(&line, out, "");
	line_add_colour(&line, "33", "%s", text);
	line_end(&line);
}

static void print_notes(const struct report_out *out, const struct report_top *top)
{
	char number[UNITS_TEXT_MAX], buf[200];

	if (top->lost) {
		snprintf(buf, sizeof(buf), "approximate: %s events were lost",
			 units_format_count(top->lost, number));
		note(out, buf);
	} else if (top->scan.unsettled) {
		note(out, "approximate: the table was resized again and again; entries may be missed or repeated");
	} else if (top->is_approximate) {
		note(out, "approximate: events were lost, or not listened to, since the last pass");
	}
	if (top->totals.folded_entries) {
		snprintf(buf, sizeof(buf), "%s entries are of light keys that gave way; they count in \"more\" only",
			 units_format_count(top->totals.folded_entries, number));
		note(out, buf);
	}
	if (top->scan.redone) {
		snprintf(buf, sizeof(buf), "the dump was begun anew %u time%s: the table was resized meanwhile",
			 top->scan.redone, units_plural(top->scan.redone));
		note(out, buf);
	}
	if (top->scan.undecodable || top->scan.not_kernel) {
		snprintf(buf, sizeof(buf), "messages left out: %llu not understood, %llu not from the kernel",
			 (unsigned long long)top->scan.undecodable, (unsigned long long)top->scan.not_kernel);
		note(out, buf);
	}
}

int report_top(const struct report_out *out, const struct report_top *top)
{
	bool is_born = top->order == RANKING_ORDER_BORN;
	struct ranking_totals totals = top->totals;
	struct table table = {
		.rows = top->rows, .used = top->used, .totals = &totals, .has_total = true,
		.context = {.config = &top->config,
			    .whole = is_born ? totals.sum.born : totals.entries,
			    .is_born = is_born,
			    .has_rates = top->span_sec > 0 || rows_have_rates(top->rows, top->used, &totals)}};
	int result;

	if (out->is_json) {
		result = json_print(out, json_top(top));
		return result ? result : report_flush(out);
	}
	if (top->span_sec > 0)
		totals.sum.new_per_sec = (float)((double)totals.sum.born / top->span_sec);
	print_heading(out, top);
	print_notes(out, top);
	if (!top->used) {
		fprintf(out->file, "no entries%s\n", top->filter && top->filter[0] ? " match" : "");
	} else {
		fputc('\n', out->file);
		table_print(out, &table);
	}
	return report_flush(out);
}
