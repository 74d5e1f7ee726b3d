/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_top: entries ranked by a key: of a pass, of what was born while it listened (--new), or
 * the daemon's. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rows.h"
#include "base/units.h"
#include "cli.h"
#include "kernel/kernel.h"

#define ROWS_MAX	   1000000
#define EVENT_BUFFER_BYTES (8u << 20)
#define DRAIN_BUDGET	   65536
#define DRAIN_PAUSE_NS	   (5 * NS_PER_MS)

struct top {
	struct cli *cli;
	struct ranking_config config;
	uint64_t n;
	int64_t new_ns, every_ns;
	int signals; /* descriptor; -1 where signals are left alone */
	char filter[1024];
	struct flow_filter_context context;
	struct flow_timeouts timeouts;
	struct ranking *ranking;
	struct rows *births; /* --new: the flows born and still alive */
};

/* What tells one life of a tuple from the next. No padding. */
struct birth {
	struct flow_tuple tuple;
	uint16_t zone, zone_reply;
	uint32_t id;
	uint32_t weight;
};

static int parse_by(struct top *top, struct problem *problem)
{
	const char *text = top->cli->values[OPTION_BY];
	enum ranking_by by = RANKING_BY_SOURCE;

	if (text && ranking_by_parse(text, &by))
		return option_problem(top->cli, OPTION_BY, problem, "no such key; there are %s",
				      option_infos[OPTION_BY].help);
	top->config = ranking_config_default(by);
	return 0;
}

static int parse_prefix_len(struct top *top, struct problem *problem)
{
	const char *text = top->cli->values[OPTION_PREFIX_LEN], *comma;
	struct problem inner = {0};
	uint64_t len;
	char first[16];

	if (!text)
		return 0;
	if (top->config.by >= RANKING_BY_SERVICE && top->config.by != RANKING_BY_REPLY_SOURCE)
		return option_problem(top->cli, OPTION_PREFIX_LEN, problem,
				      "--by %s has no addresses to join",
				      ranking_by_name(top->config.by));
	comma = strchr(text, ',');
	snprintf(first, sizeof(first), "%.*s", comma ? (int)(comma - text) : 15, text);
	if (units_parse_number(first, 0, 32, "an IPv4 prefix length", &len, &inner))
		return option_problem(top->cli, OPTION_PREFIX_LEN, problem, "%s", inner.text);
	top->config.prefix_len[0] = (uint8_t)len;
	if (!comma)
		return 0;
	if (units_parse_number(comma + 1, 0, 128, "an IPv6 prefix length", &len, &inner))
		return option_problem(top->cli, OPTION_PREFIX_LEN, problem, "%s", inner.text);
	top->config.prefix_len[1] = (uint8_t)len;
	return 0;
}

static int parse(struct top *top, struct problem *problem)
{
	if (parse_by(top, problem) || parse_prefix_len(top, problem) ||
	    option_number(top->cli, OPTION_NUMBER, 1, ROWS_MAX, &top->n, problem) ||
	    option_duration(top->cli, OPTION_NEW, &top->new_ns, problem) ||
	    option_duration(top->cli, OPTION_EVERY, &top->every_ns, problem))
		return -EINVAL;
	flow_filter_format(top->cli->filter, top->filter, sizeof(top->filter));
	return 0;
}

/* ---- the kernel's view ---- */

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	(void)raw;
	(void)raw_len;
	ranking_add(arg, flow, flow_class_of(flow));
	return true;
}

static void on_redo(void *arg)
{
	ranking_clear(arg);
}

static void show(struct top *top, struct report_top *shown)
{
	struct ranking_row *rows = mem_array(top->n, sizeof(*rows));
	struct table_reading reading;
	size_t i;

	shown->view = "kernel";
	netns_self(&shown->netns);
	shown->config = top->config;
	shown->filter = top->filter;
	shown->used = ranking_top(top->ranking, shown->order, top->n, rows);
	shown->totals = ranking_totals_get(top->ranking);
	for (i = 0; shown->span_sec > 0 && i < shown->used; i++)
		rows[i].new_per_sec = (float)(rows[i].born / shown->span_sec);
	shown->rows = rows;
	/* Filtered or births: the whole table is what the kernel counts. */
	shown->entries = shown->scan.received;
	if ((top->filter[0] || shown->span_sec > 0) && !run_reading(&reading) &&
	    (reading.has & READING_HAS_ENTRIES))
		shown->entries = reading.entries;
	run_wrote(top->cli, report_top(&top->cli->out, shown));
	free(rows);
}

static int rank_table(struct top *top)
{
	struct pass pass = {.fn = on_flow, .on_redo = on_redo, .arg = top->ranking};
	struct report_top shown = {.order = RANKING_ORDER_ENTRIES};
	int result;

	result = run_pass(top->cli->filter, &pass);
	if (result)
		return run_failed_table(result, "reading the table");
	shown.scan = pass.report;
	shown.matched = pass.report.matched;
	shown.is_approximate = pass.report.unsettled;
	show(top, &shown);
	if (pass.report.unwatched)
		run_say_hidden(top->cli);
	return EXIT_DONE;
}

/* ---- --new ---- */

static void birth_key(const struct flow *flow, struct birth *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->tuple = flow->tuple[FLOW_ORIG];
	ret->zone = flow->zone;
	ret->zone_reply = flow->zone_reply;
	ret->id = flow->id;
}

static bool on_event(enum flow_event_kind kind, const struct flow *flow, const void *raw,
		     size_t raw_len, void *arg)
{
	struct top *top = arg;
	struct birth key;
	void *row;

	(void)raw;
	(void)raw_len;
	birth_key(flow, &key);
	if (kind == FLOW_EVENT_DESTROY) {
		/* Deaths of flows born before are none of ours. */
		row = rows_find(top->births, &key);
		if (row) {
			rows_remove(top->births, row);
			ranking_died(top->ranking, flow);
		}
	} else if (kind == FLOW_EVENT_NEW &&
		   flow_filter_match(top->cli->filter, flow, &top->context)) {
		rows_get(top->births, &key);
		ranking_born(top->ranking, flow);
	}
	return true;
}

/* Listens for new_ns. False where a signal ended it or nobody reads any more. */
static bool listen_for_births(struct top *top, struct events *events, uint64_t *ret_lost)
{
	int64_t end = clock_monotonic_ns() + top->new_ns;
	uint64_t lost;
	int64_t left;

	top->context.now_real_ns = clock_real_ns();
	while ((left = end - clock_monotonic_ns()) > 0) {
		if (run_wait(top->signals, events_fd(events), left) == RUN_WAIT_STOP)
			return false;
		/* Many messages a call: a short sleep lets them gather. */
		if (left > DRAIN_PAUSE_NS &&
		    run_wait(top->signals, -1, DRAIN_PAUSE_NS) == RUN_WAIT_STOP)
			return false;
		events_drain(events, DRAIN_BUDGET, on_event, top, &lost);
		*ret_lost += lost;
	}
	return true;
}

static int rank_births(struct top *top)
{
	static const struct rows_shape shape = {.row_size = sizeof(struct birth),
						.key_size = offsetof(struct birth, weight),
						.weight_offset = offsetof(struct birth, weight)};
	struct events_options options = {.groups = EVENTS_NEW | EVENTS_DESTROY,
					 .rcvbuf_bytes = EVENT_BUFFER_BYTES};
	struct report_top shown = {.order = RANKING_ORDER_BORN, .age_sec = 0};
	struct events *events;
	int64_t started;
	int result;

	result = run_events_open(&options, &events);
	if (result)
		return result;
	top->births = rows_new(&shape, siphash_key_random(), NULL, NULL);
	started = clock_monotonic_ns();
	listen_for_births(top, events, &shown.lost);
	shown.span_sec = (double)(clock_monotonic_ns() - started) / 1e9;
	shown.matched = ranking_totals_get(top->ranking).sum.born;
	shown.is_approximate = shown.lost > 0;
	events_close(events);
	show(top, &shown);
	rows_free(top->births);
	top->births = NULL;
	return EXIT_DONE;
}

/* ---- the daemon's view ---- */

#define DAEMON_ROWS_MAX 1000 /* of an answer */

static bool daemon_keeps(const struct top *top)
{
	return top->config.by <= RANKING_BY_SERVICE && !top->new_ns && top->n <= DAEMON_ROWS_MAX &&
	       flow_filter_is_empty(top->cli->filter);
}

/* The daemon cuts addresses as its config says: that is what is wanted, or another way was asked for. */
static bool is_wanted_cut(const struct top *top, const struct report_top *got)
{
	return !option_given(top->cli, OPTION_PREFIX_LEN) ||
	       !memcmp(got->config.prefix_len, top->config.prefix_len, sizeof(got->config.prefix_len));
}

/* 1: shown; 0: the kernel is to be asked; else -errno, said. */
static int show_daemon_view(struct top *top)
{
	struct problem problem = {0};
	struct view_top view;
	char args[96], *document;
	int result;

	if (!daemon_keeps(top))
		return 0;
	snprintf(args, sizeof(args), "{\"by\":\"%s\",\"n\":%llu}", ranking_by_name(top->config.by),
		 (unsigned long long)top->n);
	result = client_view(top->cli, "top", args, &document);
	if (result <= 0)
		return result;
	if (view_top(document, &view, &problem)) {
		run_say("%s: %s; asking the kernel", problem.path, problem.text);
		free(document);
		return 0;
	}
	if (!is_wanted_cut(top, &view.top))
		result = 0;
	else if (top->cli->out.is_json)
		run_wrote(top->cli, client_print(top->cli, document));
	else
		run_wrote(top->cli, report_top(&top->cli->out, &view.top));
	free(view.rows);
	free(document);
	return result;
}

static int show_once(struct top *top)
{
	int result;

	result = show_daemon_view(top);
	if (result)
		return result > 0 ? EXIT_DONE : EXIT_NO_DAEMON;
	top->ranking = ranking_new(&top->config);
	result = top->new_ns ? rank_births(top) : rank_table(top);
	ranking_free(top->ranking);
	top->ranking = NULL;
	return result;
}

int cmd_top(struct cli *cli)
{
	struct top top = {.cli = cli, .n = 10, .signals = -1};
	struct problem problem = {0};
	int result;

	if (parse(&top, &problem))
		return run_usage(&problem);
	if (timeouts_read(&top.timeouts) == 0)
		top.context.timeouts = &top.timeouts;
	if (top.new_ns || top.every_ns)
		top.signals = run_signals_open();
	for (;;) {
		result = show_once(&top);
		if (result || !top.every_ns || fflush(stdout) || cli->write_error)
			break;
		if (run_wait(top.signals, -1, top.every_ns) == RUN_WAIT_STOP)
			break;
		if (!cli->out.is_json)
			fputc('\n', stdout);
	}
	if (top.signals >= 0)
		close(top.signals);
	return result;
}
