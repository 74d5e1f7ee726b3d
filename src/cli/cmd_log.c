/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_log: what the daemon wrote to its state directory, for people or verbatim; needs no
 * daemon. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "cli.h"
#include "doc/doc.h"
#include "policy/words.h"
#include "store/store.h"

#define TAIL_MAX      1000000
#define LINE_TEXT_MAX 1024
#define ORDER_MAX     64		 /* lines held to be put in order */
#define ORDER_SPAN_NS (10 * NS_PER_SEC) /* so far apart lines are not: then the clock was set */
#define ALARM_MEMBER  "\"schema\":\"ctwarden.alarm/1\""
#define RECORD_MEMBER "\"schema\":\"ctwarden.record/1\""

struct kept {
	char *line; /* owned */
	int64_t real_ns;
};

/* With -n or --at the last lines are kept, else each is shown as it is read. */
struct log {
	struct cli *cli;
	struct kept *tail;
	uint64_t tail_max, seen, bad;
	bool is_whole; /* --at: the newest alarm or topline with all it says; tail_max is 1 */
	struct kept alarm; /* is_whole: the newest alarm */
	struct kept record; /* is_whole: the newest of what the guard did */
	struct kept held[ORDER_MAX]; /* by time, those of one moment as they were written */
	size_t held_count;
};

/* ---- one line for people ---- */

static double number_of(const struct doc_node *root, const char *key, double fallback)
{
	struct doc_node node = doc_get(root, key);
	double number = fallback;

	doc_number(&node, -1e300, 1e300, &number, PROBLEM_IGNORED);
	return number;
}

static const char *text_of(const struct doc_node *root, const char *key)
{
	struct doc_node node = doc_get(root, key);
	const char *text = NULL;

	doc_text(&node, &text, PROBLEM_IGNORED);
	return text;
}

static void add_sources(struct text *t, const struct doc_node *root, size_t most)
{
	struct doc_node list = doc_get(root, "top_sources"), row;
	const char *key;
	size_t i;

	for (i = 0; i < doc_count(&list) && i < most; i++) {
		row = doc_at(&list, i);
		key = text_of(&row, "key");
		if (key)
			text_add(t, "%s%s (%.1f %%)", i ? ", " : "", key,
				 number_of(&row, "share_pct", 0));
	}
}

static void add_fill(struct text *t, const struct doc_node *root)
{
	double growth = number_of(root, "growth_per_sec", 0),
	       to_full = number_of(root, "seconds_to_full", -1);
	double fill = number_of(root, "fill_pct", -1);
	char number[UNITS_TEXT_MAX];

	if (fill >= 0)
		text_add(t, "%.1f %%", fill);
	else
		text_add(t, "%s entries",
			 units_format_count((uint64_t)number_of(root, "entries", 0), number));
	if (growth >= 0.5 || growth <= -0.5)
		text_add(t, ", %s/s", units_format_signed((int64_t)llround(growth), number));
	if (to_full >= 0)
		text_add(t, ", full in %s",
			 units_format_duration((int64_t)(to_full * 1e9), number));
}

/* What the guard did, or would have done. */
static void describe_record(const struct doc_node *root, struct text *t)
{
	struct action_record *record = mem_alloc(sizeof(*record));
	char words[REPORT_WORDS_MAX];

	if (view_record(root, record, PROBLEM_IGNORED))
		text_add(t, "%-9s  (see -j)", "record");
	else
		text_add(t, "%-9s  %s", policy_actions[record->action].name,
			 report_record_words(record, words, sizeof(words)));
	free(record);
}

static void describe(const struct doc_node *root, int64_t real_ns, struct text *t)
{
	const char *schema = text_of(root, "schema"), *level = text_of(root, "level"), *cause;
	bool is_alarm = schema && !strcmp(schema, "ctwarden.alarm/1");
	bool is_topline = schema && !strcmp(schema, "ctwarden.topline/1");
	struct doc_node node = doc_get(root, "top_sources");
	char stamp[CLOCK_TEXT_MAX];

	text_add(t, "%s  ", clock_format_local(real_ns, stamp));
	if (schema && !strcmp(schema, "ctwarden.record/1")) {
		describe_record(root, t);
		return;
	}
	if (!is_alarm && !is_topline) {
		text_add(t, "%-9s  (see -j)", schema ? schema : "?");
		return;
	}
	text_add(t, "%-9s  ", is_topline ? "top" : level ? level : "?");
	add_fill(t, root);
	cause = text_of(root, "cause.text");
	if (is_alarm && cause && *cause && (!level || strcmp(level, "ok"))) {
		text_add(t, ": %s", cause);
	} else if (doc_count(&node) && (is_topline || !level || strcmp(level, "ok"))) {
		text_add(t, ": ");
		add_sources(t, root, is_topline ? 3 : 5);
	}
}

static void show(struct log *log, const char *line, size_t len, int64_t real_ns)
{
	char buf[LINE_TEXT_MAX], *pretty;
	struct problem problem;
	struct doc_node root;
	struct doc *doc;
	struct text text;
	int result;

	if (log->cli->out.is_json) {
		pretty = log->cli->out.is_pretty ? mem_format("%.*s", (int)len, line) : NULL;
		if (pretty)
			client_print(log->cli, pretty);
		else
			printf("%.*s\n", (int)len, line);
		free(pretty);
		return;
	}
	result = doc_parse(line, len, "log", false, &doc, &problem);
	if (result) {
		log->bad++;
		return;
	}
	root = doc_root(doc);
	text_init(&text, buf, sizeof(buf));
	describe(&root, real_ns, &text);
	report_wrapped(&log->cli->out, buf);
	doc_free(doc);
}

/* The whole of one record, as status would have shown it then. */
static void show_breakdown(struct log *log, const struct kept *kept)
{
	struct alarm *alarm = mem_alloc(sizeof(*alarm));
	struct problem problem = {0};
	bool is_alarm = true;

	if (log->cli->out.is_json || view_breakdown(kept->line, alarm, &is_alarm, &problem))
		show(log, kept->line, strlen(kept->line), kept->real_ns);
	else
		run_wrote(log->cli, report_breakdown(&log->cli->out, alarm, is_alarm));
	free(alarm);
	if (!is_alarm && log->alarm.line) {
		printf("\nthe alarm before it:\n"); /* it may tell what a topline does not */
		show(log, log->alarm.line, strlen(log->alarm.line), log->alarm.real_ns);
	}
	if (log->record.line && !log->cli->out.is_json) {
		printf("\nwhat the guard did last:\n");
		show(log, log->record.line, strlen(log->record.line), log->record.real_ns);
	}
}

static void keep(struct kept *kept, const char *line, size_t len, int64_t real_ns)
{
	free(kept->line);
	kept->line = mem_format("%.*s", (int)len, line);
	kept->real_ns = real_ns;
}

static bool take(struct log *log, const char *line, size_t len, int64_t real_ns)
{
	if (log->is_whole && memmem(line, len, RECORD_MEMBER, strlen(RECORD_MEMBER))) {
		keep(&log->record, line, len, real_ns);
		return true;
	}
	log->seen++;
	if (!log->tail_max) {
		show(log, line, len, real_ns);
		return !ferror(stdout);
	}
	keep(&log->tail[(log->seen - 1) % log->tail_max], line, len, real_ns);
	if (log->is_whole && memmem(line, len, ALARM_MEMBER, strlen(ALARM_MEMBER)))
		keep(&log->alarm, line, len, real_ns);
	return true;
}

static bool take_held(struct log *log, size_t count)
{
	bool goes_on = true;

	for (size_t i = 0; i < count; i++) {
		struct kept *held = &log->held[i];

		goes_on = goes_on && take(log, held->line, strlen(held->line), held->real_ns);
		free(held->line);
	}
	log->held_count -= count;
	memmove(log->held, log->held + count, log->held_count * sizeof(log->held[0]));
	return goes_on;
}

/* A round may be done, and written, before the alarm of the reading that called for it: what is close together is put
 * in order by its time. */
static bool on_line(const char *line, size_t len, int64_t real_ns, void *arg)
{
	struct log *log = arg;
	size_t due = 0, at;

	if (log->held_count && real_ns < log->held[0].real_ns - ORDER_SPAN_NS)
		due = log->held_count;
	while (due < log->held_count && log->held[due].real_ns < real_ns - ORDER_SPAN_NS)
		due++;
	if (!due && log->held_count == ORDER_MAX)
		due = 1;
	if (!take_held(log, due))
		return false;
	for (at = log->held_count; at > 0 && log->held[at - 1].real_ns > real_ns; at--)
		log->held[at] = log->held[at - 1];
	log->held[at] = (struct kept){mem_format("%.*s", (int)len, line), real_ns};
	log->held_count++;
	return true;
}

static void show_tail(struct log *log)
{
	uint64_t i = log->seen > log->tail_max ? log->seen - log->tail_max : 0;
	struct kept *kept;

	if (log->is_whole && log->seen) {
		show_breakdown(log, &log->tail[0]);
		return;
	}
	for (; i < log->seen; i++) {
		kept = &log->tail[i % log->tail_max];
		show(log, kept->line, strlen(kept->line), kept->real_ns);
	}
}

static void free_tail(struct log *log)
{
	uint64_t i;

	for (i = 0; i < log->tail_max; i++)
		free(log->tail[i].line);
	free(log->tail);
	free(log->alarm.line);
	free(log->record.line);
}

static int parse(struct log *log, int64_t *since_ns, int64_t *until_ns, struct problem *problem)
{
	int64_t now = clock_real_ns();
	const struct cli *cli = log->cli;

	if (option_number(cli, OPTION_NUMBER, 1, TAIL_MAX, &log->tail_max, problem) ||
	    option_moment(cli, OPTION_SINCE, now, since_ns, problem) ||
	    option_moment(cli, OPTION_UNTIL, now, until_ns, problem))
		return -EINVAL;
	if (option_given(cli, OPTION_AT)) {
		if (option_given(cli, OPTION_SINCE) || option_given(cli, OPTION_UNTIL))
			return option_problem(cli, OPTION_AT, problem,
					      "does not go with --since or --until");
		log->is_whole = !log->tail_max;
		if (!log->tail_max)
			log->tail_max = 1;
		return option_moment(cli, OPTION_AT, now, until_ns, problem);
	}
	if (*since_ns > *until_ns)
		return option_problem(cli, OPTION_UNTIL, problem, "is before --since");
	return 0;
}

int cmd_log(struct cli *cli)
{
	const char *directory = cli->values[OPTION_STATE_DIR] ? cli->values[OPTION_STATE_DIR]
							      : CLI_DEFAULT_STATE_DIR;
	struct log log = {.cli = cli};
	int64_t since_ns = INT64_MIN, until_ns = INT64_MAX;
	struct problem problem = {0};
	uint64_t bad = 0;
	int result;

	if (parse(&log, &since_ns, &until_ns, &problem))
		return run_usage(&problem);
	if (log.tail_max)
		log.tail = mem_array(log.tail_max, sizeof(*log.tail));
	result = store_read(directory, since_ns, until_ns, on_line, &log, &bad);
	take_held(&log, log.held_count);
	if (result == -ENOENT)
		run_say("%s: no log there; has ctwardend run, with this --state-dir?", directory);
	else if (result)
		run_say("%s: %s", directory, file_strerror(result));
	else if (log.tail_max)
		show_tail(&log);
	free_tail(&log);
	if (!result && bad + log.bad)
		run_say("%s: %llu line%s could not be read", directory,
			(unsigned long long)(bad + log.bad), units_plural(bad + log.bad));
	return result ? EXIT_FAILED : EXIT_DONE;
}
