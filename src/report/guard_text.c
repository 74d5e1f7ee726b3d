/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/guard_text: the daemon's mode, its bans, and what a command changed, for people. */
#include "base/units.h"
#include "private.h"
#include "report/guard.h"

#define PREFIX_WIDTH 24
#define LEFT_WIDTH   14
#define LINE_MAX_BYTES 256 /* of any of these lines */

/* "act for another 59 min, then observe" */
static void print_mode(FILE *file, enum policy_mode mode, enum policy_mode base_mode, int64_t left_ns)
{
	char number[UNITS_TEXT_MAX];

	fputs(policy_mode_name(mode), file);
	if (left_ns)
		fprintf(file, " for another %s, then %s", units_format_duration(left_ns, number),
			policy_mode_name(base_mode));
}

int report_mode_text(const struct report_out *out, const struct report_mode *mode)
{
	print_mode(out->file, mode->mode, mode->base_mode, mode->left_ns);
	fputc('\n', out->file);
	if (mode->mode == POLICY_MODE_ACT && mode->waits_for_seniors)
		fputs(NO_CALM_PICTURE "\n", out->file);
	return report_flush(out);
}

/* Lines that begin with a word, so that a script that looks for a prefix finds who is banned. */
static void add_spared(const struct report_out *out, const struct report_bans *bans)
{
	char prefix[ADDR_TEXT_MAX], number[UNITS_TEXT_MAX], text[LINE_MAX_BYTES];

	for (size_t i = 0; i < bans->spared_count; i++) {
		snprintf(text, sizeof(text), "lifted by hand: %s is not banned again for %s",
			 prefix_format(&bans->spared[i].prefix, prefix),
			 units_format_duration(bans->spared[i].left_ns, number));
		report_wrapped(out, text);
	}
}

int report_bans_text(const struct report_out *out, const struct report_bans *bans)
{
	char prefix[ADDR_TEXT_MAX], number[UNITS_TEXT_MAX], text[LINE_MAX_BYTES];
	int len;

	if (bans->count)
		snprintf(text, sizeof(text), "%-*s  %-*s  %s", PREFIX_WIDTH, "PREFIX", LEFT_WIDTH, "ENDS IN",
			 "NEW FLOWS");
	else
		snprintf(text, sizeof(text), "nobody is banned");
	report_wrapped(out, text);
	for (size_t i = 0; i < bans->count; i++) {
		const struct report_ban *ban = &bans->bans[i];

		len = snprintf(text, sizeof(text), "%-*s  %-*s  ", PREFIX_WIDTH, prefix_format(&ban->prefix, prefix),
			       LEFT_WIDTH, units_format_duration(ban->left_ns, number));
		if (ban->rate_per_sec > 0)
			snprintf(text + len, sizeof(text) - (size_t)len, "at most %.4g/s", ban->rate_per_sec);
		else
			snprintf(text + len, sizeof(text) - (size_t)len, "refused");
		report_wrapped(out, text);
	}
	add_spared(out, bans);
	return report_flush(out);
}

int report_unban_text(const struct report_out *out, const struct report_unban *done)
{
	char number[UNITS_TEXT_MAX], time[UNITS_TEXT_MAX] = "", prefix[ADDR_TEXT_MAX];

	fprintf(out->file, "%s ban%s lifted%s%s", units_format_count(done->removed, number),
		units_plural(done->removed), done->spared_ns > 0 ? "; not to be banned again for " : "",
		done->spared_ns > 0 ? units_format_duration(done->spared_ns, time) : "");
	if (done->held_by.left_ns > 0)
		fprintf(out->file, "; still %s by %s for %s", done->held_by.rate_per_sec > 0 ? "slowed" : "refused",
			prefix_format(&done->held_by.prefix, prefix),
			units_format_duration(done->held_by.left_ns, time));
	fputc('\n', out->file);
	return report_flush(out);
}

int report_reload_text(const struct report_out *out, const struct report_reload *reload)
{
	char number[UNITS_TEXT_MAX];

	if (reload->rules) {
		fprintf(out->file, "in force: policy %s, mode ", reload->policy);
		print_mode(out->file, reload->mode, reload->base_mode, reload->left_ns);
		fprintf(out->file, ", %s rule%s\n", units_format_count(reload->rules, number),
			units_plural(reload->rules));
	} else {
		fputs("in force: no rules, so nothing is done\n", out->file);
	}
	return report_flush(out);
}
