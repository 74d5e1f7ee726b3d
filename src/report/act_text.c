/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/act_text: a dry run in full, and the one line of what was done. */
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "private.h"
#include "report/act.h"

#define GROUPS_SHOWN  12
#define SOURCES_SHOWN 5
#define NAME_WIDTH    34
#define LINE_MAX_TEXT 512

static char *count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	return units_format_count(number, buf);
}

static const char *flows(uint64_t number)
{
	return number == 1 ? "flow" : "flows";
}

static void put(const struct report_out *out, const char *label, const char *text)
{
	struct line line;

	line_start(&line, out, label);
	line_add(&line, "%s", text);
	line_end(&line);
}

/* ---- a dry run ---- */

static void print_head(const struct report_out *out, const struct report_act *act)
{
	const struct action_plan *plan = act->plan;
	bool is_timeout = act->kind == REPORT_ACT_TIMEOUT;
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "would %s %s", is_timeout ? "change" : "delete", count(plan->chosen, a));
	if (act->entries)
		text_add(&t, " of %s %s (%.1f %%", count(act->entries, b), flows(act->entries),
			 share_of(plan->chosen, act->entries));
	else
		text_add(&t, " %s (", flows(plan->chosen));
	if (act->needs_yes)
		text_add(&t, "%smore than half: asks, or --yes", act->entries ? "; " : "");
	text_add(&t, ")");
	if (plan->left)
		text_add(&t, ", of %s that it could: --limit", count(plan->chosen + plan->left, a));
	if (plan->chosen && ranking_totals_get(plan->sources).keys == 1)
		text_add(&t, ", all of one source");
	if (plan->unchanged)
		text_add(&t, "; %s are so already", count(plan->unchanged, a));
	put(out, "", buf);
}

/* Whole seconds, which is what is known; "2 min 3 s" from a minute on. */
static char *seconds(uint32_t sec, char buf[UNITS_TEXT_MAX])
{
	if (sec >= 60)
		return units_format_duration(sec * NS_PER_SEC, buf);
	snprintf(buf, UNITS_TEXT_MAX, "%u s", sec);
	return buf;
}

static void print_idle(const struct report_out *out, const struct action_group *group)
{
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

	if (!group->idle_known)
		return;
	fprintf(out->file, "   idle %s", seconds(group->idle_min_sec, a));
	if (group->idle_max_sec > group->idle_min_sec)
		fprintf(out->file, " to %s", seconds(group->idle_max_sec, b));
	if (group->idle_known < group->count)
		fprintf(out->file, ", not known of %s", count(group->count - group->idle_known, a));
}

/* With an order who goes is known when all are seen: groups, sources and examples are of all. */
static void print_candidates(const struct report_out *out, const struct action_plan *plan)
{
	uint64_t candidates = ranking_totals_get(plan->sources).entries;
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];

	if (candidates <= plan->chosen)
		return;
	snprintf(buf, sizeof(buf), "the %s candidates, of which %s %s, by --order:",
		 count(candidates, a), count(plan->chosen, b), plan->chosen == 1 ? "goes" : "go");
	put(out, "", buf);
}

static void print_groups(const struct report_out *out, const struct action_plan *plan)
{
	struct action_group groups[GROUPS_SHOWN];
	char name[NAMES_TEXT_MAX], number[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];
	size_t i, used = action_plan_groups(plan, GROUPS_SHOWN, groups);
	const char *state;
	struct text t;

	for (i = 0; i < used; i++) {
		const struct action_group *group = &groups[i];

		state = group->has_state && !group->is_mixed
				? state_name(group->protocol, group->state)
				: NULL;
		text_init(&t, buf, sizeof(buf));
		text_add(&t, "%s%s%s %s",
			 group->is_mixed ? "other" : protocol_name(group->protocol, name),
			 state ? " " : "", state ? state : "", class_name(group->class));
		fprintf(out->file, "  %-*s %10s", NAME_WIDTH, buf, count(group->count, number));
		print_idle(out, group);
		fputc('\n', out->file);
	}
}

static void print_sources(const struct report_out *out, const struct action_plan *plan)
{
	struct ranking_row rows[SOURCES_SHOWN];
	struct ranking_totals totals = ranking_totals_get(plan->sources);
	char key[RANKING_TEXT_MAX], number[UNITS_TEXT_MAX];
	size_t i, used = ranking_top(plan->sources, RANKING_ORDER_ENTRIES, SOURCES_SHOWN, rows);

	if (!used)
		return;
	fputs("top sources:\n", out->file);
	for (i = 0; i < used; i++)
		fprintf(out->file, "  %-*s %10s  %5.1f %%\n", NAME_WIDTH,
			ranking_key_format(ranking_config_get(plan->sources), &rows[i].key, key),
			count(rows[i].entries, number), share_of(rows[i].entries, totals.entries));
	if (totals.keys > used)
		fprintf(out->file, "  ... and %s more\n", count(totals.keys - used, number));
}

static void add_end(struct text *t, const struct flow_tuple *tuple, bool is_src)
{
	struct addr addr = {.family = tuple->family};
	uint16_t port = is_src ? tuple->sport : tuple->dport;
	char text[ADDR_TEXT_MAX];

	memcpy(addr.bytes, is_src ? tuple->src : tuple->dst, sizeof(addr.bytes));
	addr_format(&addr, text);
	if (!port)
		text_add(t, "%s", text);
	else
		text_add(t, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
}

static void print_examples(const struct report_out *out, const struct action_plan *plan)
{
	char name[NAMES_TEXT_MAX], left[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];
	const struct flow *flow;
	const char *state;
	struct text t;
	size_t i;

	if (plan->example_count)
		fputs("for example:\n", out->file);
	for (i = 0; i < plan->example_count; i++) {
		flow = &plan->examples[i];
		text_init(&t, buf, sizeof(buf));
		text_add(&t, "  %s ", protocol_name(flow->tuple[FLOW_ORIG].protocol, name));
		add_end(&t, &flow->tuple[FLOW_ORIG], true);
		text_add(&t, " -> ");
		add_end(&t, &flow->tuple[FLOW_ORIG], false);
		state = flow->has & FLOW_HAS_STATE
				? state_name(flow->tuple[FLOW_ORIG].protocol, flow->state)
				: NULL;
		text_add(&t, "%s%s, %s", state ? ", " : "", state ? state : "",
			 class_name(flow_class_of(flow)));
		if (flow->has & FLOW_HAS_TIMEOUT)
			text_add(&t, ", %s left", seconds(flow->timeout_sec, left));
		if (flow->mark)
			text_add(&t, ", mark %u", flow->mark);
		if (flow->zone)
			text_add(&t, ", zone %u", flow->zone);
		fprintf(out->file, "%s\n", buf);
	}
}

static void print_spared(const struct report_out *out, const struct report_act *act,
			 const struct action_spared *spared)
{
	char number[UNITS_TEXT_MAX], buf[PROTECT_NAME_MAX + 64];
	size_t i;

	if (!spared->total) {
		put(out, "",
		    act->protect && protect_count(act->protect)
			    ? "spared: nothing (no protect entry fits)"
			    : "spared: nothing (nothing is protected)");
		return;
	}
	for (i = 0; act->protect && i < protect_count(act->protect); i++) {
		if (!spared->by[i])
			continue;
		snprintf(buf, sizeof(buf), "spared: %s, %s", count(spared->by[i], number),
			 protect_name(act->protect, i));
		put(out, "", buf);
	}
	if (spared->young) {
		snprintf(buf, sizeof(buf), "spared: %s, younger than --min-age",
			 count(spared->young, number));
		put(out, "", buf);
	}
}

static void warn(const struct report_out *out, uint64_t number, const char *what)
{
	char text[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];

	if (!number)
		return;
	snprintf(buf, sizeof(buf), "note: %s %s", count(number, text), what);
	put(out, "", buf);
}

static void print_warnings(const struct report_out *out, const struct report_act *act)
{
	const struct action_plan *plan = act->plan;
	bool is_timeout = act->kind == REPORT_ACT_TIMEOUT;

	warn(out, plan->offloaded,
	     "handled by a flow table (offloaded): their packets do not pass here, so idle times "
	     "say nothing, and a live one comes back");
	warn(out, plan->loopback, "of this host with itself (loopback)");
	warn(out, plan->sctp,
	     "of SCTP: an association that loses its entry may not be let through again");
	warn(out, plan->ages_unknown,
	     "without a timestamp (net.netfilter.nf_conntrack_timestamp): --min-age spares none "
	     "of them");
	if (is_timeout)
		warn(out, plan->fixed, "with a fixed timeout: the kernel will refuse to change it");
	if (plan->scan.unsettled)
		put(out, "", "note: the table was resized meanwhile: the figures may be off");
	else if (plan->scan.redone)
		put(out, "", "note: the table was resized meanwhile and was read anew");
}

static int print_dry(const struct report_out *out, const struct report_act *act)
{
	char number[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];

	if (act->plan) {
		print_head(out, act);
		print_candidates(out, act->plan);
		print_groups(out, act->plan);
		print_sources(out, act->plan);
		print_examples(out, act->plan);
		print_spared(out, act, &act->plan->spared);
		print_warnings(out, act);
	}
	snprintf(buf, sizeof(buf), "way: %s (%s)", action_way_name(act->way), act->why);
	put(out, "", buf);
	if (act->rate) {
		snprintf(buf, sizeof(buf), "pace: %s flows a second%s%s", count(act->rate, number),
			 act->listeners[0] ? ", for these listen to deletions: " : "",
			 act->listeners);
		put(out, "", buf);
	}
	put(out, "",
	    act->plan ? "nothing was changed; run without --dry-run to do it"
		      : "nothing was changed");
	return report_flush(out);
}

/* ---- what was done ---- */

static void add_part(struct text *t, uint64_t number, const char *what)
{
	char text[UNITS_TEXT_MAX];

	if (number)
		text_add(t, ", %s %s", count(number, text), what);
}

static void print_verified(const struct report_out *out, const struct report_act *act)
{
	const struct action_result *result = act->result;
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];

	if (result->verified_read) {
		snprintf(buf, sizeof(buf), "%s read back: %s have the new timeout%s",
			 count(result->verified_read, a),
			 result->verified_right == result->verified_read
				 ? "all"
				 : count(result->verified_right, b),
			 result->verified_right == result->verified_read
				 ? ""
				 : ", the others had a packet meanwhile");
		put(out, "", buf);
	}
	if (!result->done)
		return;
	put(out, "",
	    act->is_fixed ? "packets do not renew it any more, and nothing can change it again: "
			    "live flows end too"
			  : "a live flow gets its usual timeout with its next packet");
}

static int print_done(const struct report_out *out, const struct report_act *act)
{
	const struct action_result *result = act->result;
	bool is_timeout = act->kind == REPORT_ACT_TIMEOUT;
	char number[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	if (result->is_stopped)
		text_add(&t, "stopped: ");
	text_add(&t, "%s%s %s %s", result->counted == ACTION_COUNTED_COUNTER ? "at least " : "",
		 count(result->done, number), flows(result->done),
		 is_timeout ? "changed" : "deleted");
	/* What came meanwhile, and flows that waiting packets hold, make it too few. */
	if (result->counted == ACTION_COUNTED_COUNTER)
		text_add(&t, " (by the table's counter)");
	else if (result->counted == ACTION_COUNTED_BEFORE)
		text_add(&t, " (counted right before)");
	add_part(&t, result->unchanged, "as asked already");
	add_part(&t, result->gone, "gone meanwhile");
	add_part(&t, result->refused,
		 is_timeout ? "refused (a fixed timeout)" : "refused by the kernel");
	add_part(&t, result->unknown, "of which nobody can say");
	add_part(&t, result->spared.total, "spared");
	add_part(&t, result->left, result->is_stopped ? "left" : "left by --limit");
	text_add(&t, ", in %s", units_format_duration(act->took_ns, took));
	put(out, "", buf);
	if (result->spared.total)
		print_spared(out, act, &result->spared);
	if (result->is_unsettled)
		put(out, "", "the table was resized meanwhile: some may have been missed");
	else if (result->redone)
		put(out, "", "the table was resized meanwhile and was gone through again");
	if (is_timeout)
		print_verified(out, act);
	return report_flush(out);
}

int report_act(const struct report_out *out, const struct report_act *act)
{
	if (out->is_json)
		return act_print_json(out, act);
	return act->result ? print_done(out, act) : print_dry(out, act);
}

int report_sweep(const struct report_out *out, const struct report_sweep *sweep)
{
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX], took[UNITS_TEXT_MAX],
		buf[LINE_MAX_TEXT];
	uint64_t swept = sweep->before > sweep->after ? sweep->before - sweep->after : 0;

	if (out->is_json)
		return sweep_print_json(out, sweep);
	snprintf(buf, sizeof(buf), "%s expired %s freed (%s before, %s after), in %s",
		 count(swept, a), swept == 1 ? "entry" : "entries", count(sweep->before, b),
		 count(sweep->after, c), units_format_duration(sweep->took_ns, took));
	put(out, "", buf);
	return report_flush(out);
}

int report_selftest(const struct report_out *out, const struct report_selftest *test)
{
	char took[UNITS_TEXT_MAX], buf[LINE_MAX_TEXT];

	if (out->is_json)
		return selftest_print_json(out, test);
	snprintf(buf, sizeof(buf), "fast delete: %s%s%s", test->fast_delete ? "on" : "off",
		 test->text[0] ? ", " : "", test->text);
	put(out, "", buf);
	snprintf(buf, sizeof(buf), "%u of %u sets of attributes proven, %u failed, in %s", test->proven,
		 test->usual, test->failed, units_format_duration(test->took_ns, took));
	put(out, "", buf);
	return report_flush(out);
}
