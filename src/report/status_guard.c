/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/status_guard: what status tells of the guard, as lines and as JSON. */
#include "base/units.h"
#include "private.h"

static const char *mode_word(bool acts)
{
	return acts ? "act" : "observe";
}

static char *count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	return units_format_count(number, buf);
}

static void add_mode(struct line *line, const struct snapshot *s)
{
	const struct snapshot_guard *guard = &s->guard;
	int64_t left_ns = guard->until_real_ns - s->fill.now.real_ns;
	char number[UNITS_TEXT_MAX];

	line_add(line, "%s (%s)", guard->policy[0] ? guard->policy : "unnamed",
		 mode_word(guard->acts));
	if (guard->until_real_ns)
		line_add_colour(line, "33", "for another %s, then %s",
				units_format_duration(left_ns > 0 ? left_ns : 0, number),
				mode_word(guard->base_acts));
	line_add(line, "%s rule%s", count(guard->rules, number), units_plural(guard->rules));
	if (!guard->is_running)
		line_add_colour(line, "31", "they cannot be run: no right to change the table");
}

static void print_last(const struct report_out *out, const struct snapshot *s)
{
	int64_t ago_ns = s->fill.now.real_ns - s->guard.last_real_ns;
	char number[UNITS_TEXT_MAX];
	struct line line;

	if (!s->guard.last[0])
		return;
	line_start(&line, out, "last");
	line_add(&line, "%s ago: %s", units_format_duration(ago_ns > 0 ? ago_ns : 0, number),
		 s->guard.last);
	line_end(&line);
}

void guard_lines(const struct report_out *out, const struct snapshot *s)
{
	const struct snapshot_guard *guard = &s->guard;
	char number[UNITS_TEXT_MAX];
	struct line line;

	if (!(s->has & SNAPSHOT_HAS_GUARD))
		return;
	line_start(&line, out, "policy");
	if (!guard->rules) {
		line_add(&line, "no rules: nothing is ever done");
		line_end(&line);
		return;
	}
	add_mode(&line, s);
	if (guard->in_surge)
		line_add_colour(&line, "33", "a surge");
	else if (guard->is_calm)
		line_add(&line, "calm now");
	if (guard->knows_seniors || guard->seniors)
		line_add(&line, "%s senior flow%s", count(guard->seniors, number),
			 units_plural(guard->seniors));
	else if (guard->acts)
		line_add_colour(&line, "33", "%s", NO_CALM_PICTURE);
	else
		line_add(&line, "no calm picture yet");
	if (guard->adopted)
		line_add(&line, "%s put in by user space", count(guard->adopted, number));
	if (guard->adopted_lost)
		line_add_colour(&line, "33", "%s more not remembered in time", count(guard->adopted_lost, number));
	if (guard->bans)
		line_add_colour(&line, "33", "%s banned", count(guard->bans, number));
	if (guard->evicted)
		line_add(&line, "%s evicted", count(guard->evicted, number));
	if (guard->failed)
		line_add_colour(&line, "31", "%s failed", count(guard->failed, number));
	line_end(&line);
	print_last(out, s);
}

void json_add_guard(json_t *document, const struct snapshot *s)
{
	const struct snapshot_guard *guard = &s->guard;
	json_t *part, *last;

	if (!(s->has & SNAPSHOT_HAS_GUARD))
		return;
	part = json_object();
	json_add_text(part, "policy", guard->policy);
	json_add_count(part, "rules", guard->rules);
	json_add_text(part, "mode", mode_word(guard->acts));
	json_add_text(part, "base_mode", mode_word(guard->base_acts));
	if (guard->until_real_ns)
		json_add_time(part, "until", guard->until_real_ns);
	json_add_bool(part, "running", guard->is_running);
	json_add_bool(part, "calm", guard->is_calm);
	json_add_bool(part, "surge", guard->in_surge);
	json_add_bool(part, "seniors_known", guard->knows_seniors);
	json_add_count(part, "seniors", guard->seniors);
	json_add_count(part, "adopted", guard->adopted);
	json_add_count(part, "adopted_lost", guard->adopted_lost);
	json_add_count(part, "bans", guard->bans);
	json_add_count(part, "rounds", guard->rounds);
	json_add_count(part, "renewals", guard->renewals);
	json_add_count(part, "records", guard->records);
	json_add_count(part, "evicted", guard->evicted);
	json_add_count(part, "failed", guard->failed);
	if (guard->last[0]) {
		last = json_object();
		json_add_time(last, "time", guard->last_real_ns);
		json_add_text(last, "text", guard->last);
		json_object_set_new(part, "last", last);
	}
	json_object_set_new(document, "guard", part);
}
