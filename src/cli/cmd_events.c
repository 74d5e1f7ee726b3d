/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_events: the table's events as they come. What the kernel had to drop is a line of its own
 * with the exact number, in its place in the stream. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli.h"
#include "kernel/kernel.h"

#define BUFFER_BYTES (8u << 20)
#define DRAIN_BUDGET 65536
#define DRAIN_PAUSE_NS                                                                             \
	(5 * NS_PER_MS) /* lets messages gather: fewer wake-ups, many messages a call */

struct watch {
	struct cli *cli;
	struct printer *printer;
	struct flow_filter_context context;
	struct flow_timeouts timeouts;
	unsigned groups;
	uint64_t buffer_bytes, n, shown, lost;
	int64_t for_ns;
	bool has_stamp;
};

static int parse_groups(struct watch *watch, struct problem *problem)
{
	static const char *const names[FLOW_EVENT_KIND_COUNT] = {"new", "update", "destroy"};
	const char *text = watch->cli->values[OPTION_EVENT];
	unsigned i;
	size_t len;

	while (text) {
		len = strcspn(text, ",");
		for (i = 0; i < FLOW_EVENT_KIND_COUNT; i++)
			if (len == strlen(names[i]) && !strncasecmp(text, names[i], len))
				break;
		if (i < FLOW_EVENT_KIND_COUNT)
			watch->groups |=
				1u
				<< i; /* EVENTS_NEW, _UPDATE, _DESTROY in the order of the kinds */
		else if (len == 3 && !strncasecmp(text, "all", len))
			watch->groups = EVENTS_NEW | EVENTS_UPDATE | EVENTS_DESTROY;
		else
			return option_problem(
				watch->cli, OPTION_EVENT, problem,
				"\"%.*s\" is no kind of event; there are new, update, destroy",
				(int)len, text);
		text = text[len] ? text + len + 1 : NULL;
	}
	if (!watch->groups)
		watch->groups = EVENTS_NEW | EVENTS_UPDATE | EVENTS_DESTROY;
	return 0;
}

static int parse(struct watch *watch, struct problem *problem)
{
	const char *buffer = watch->cli->values[OPTION_BUFFER];
	struct problem inner = {0};

	watch->has_stamp = option_given(watch->cli, OPTION_STAMP);
	if (buffer && (units_parse_bytes(buffer, &watch->buffer_bytes, &inner) ||
		       !watch->buffer_bytes || watch->buffer_bytes > INT32_MAX / 2))
		return option_problem(watch->cli, OPTION_BUFFER, problem, "%s",
				      inner.text[0] ? inner.text : "a buffer is from 1 byte to 1023M");
	if (parse_groups(watch, problem) ||
	    option_number(watch->cli, OPTION_NUMBER, 1, UINT32_MAX, &watch->n, problem) ||
	    option_duration(watch->cli, OPTION_FOR, &watch->for_ns, problem))
		return -EINVAL;
	return 0;
}

static bool on_event(enum flow_event_kind kind, const struct flow *flow, const void *raw,
		     size_t raw_len, void *arg)
{
	struct watch *watch = arg;
	const char *line = NULL;

	if (!flow_filter_match(watch->cli->filter, flow, &watch->context))
		return true;
	if (!watch->cli->out.is_json) {
		line = printer_line(watch->printer, raw, raw_len, true);
		if (!line)
			return true;
	}
	watch->shown++;
	return run_wrote(watch->cli, report_event(&watch->cli->out, kind, flow, line,
						  watch->has_stamp, watch->context.now_real_ns)) &&
	       (!watch->n || watch->shown < watch->n);
}

static void follow(struct watch *watch, struct events *events, int signals)
{
	int64_t end = watch->for_ns ? clock_monotonic_ns() + watch->for_ns : 0, left = -1;
	uint64_t lost;

	while (!watch->cli->write_error && (!watch->n || watch->shown < watch->n)) {
		if (end && (left = end - clock_monotonic_ns()) <= 0)
			return;
		switch (run_wait(signals, events_fd(events), left)) {
		case RUN_WAIT_STOP:
		case RUN_WAIT_TIME:
			end = 1; /* what has come by now is still shown */
			break;
		case RUN_WAIT_READY:
			if (run_wait(signals, -1, DRAIN_PAUSE_NS) == RUN_WAIT_STOP)
				end = 1;
			break;
		}
		watch->context.now_real_ns = clock_real_ns();
		events_drain(events, DRAIN_BUDGET, on_event, watch, &lost);
		watch->lost += lost;
		if (lost)
			run_wrote(watch->cli, report_lost(&watch->cli->out, lost, watch->has_stamp,
							  watch->context.now_real_ns));
		run_flush(watch->cli);
	}
}

static void say_end(const struct watch *watch)
{
	char shown[UNITS_TEXT_MAX], lost[UNITS_TEXT_MAX];

	if (watch->cli->out.is_json || watch->cli->write_error)
		return;
	run_say("%s event%s shown, %s lost", units_format_count(watch->shown, shown),
		units_plural(watch->shown), units_format_count(watch->lost, lost));
}

int cmd_events(struct cli *cli)
{
	struct watch watch = {.cli = cli, .buffer_bytes = BUFFER_BYTES};
	struct problem problem = {0};
	struct events_options options;
	struct events *events;
	int result, signals;
	bool is_ready;

	if (parse(&watch, &problem))
		return run_usage(&problem);
	if (timeouts_read(&watch.timeouts) == 0)
		watch.context.timeouts = &watch.timeouts;
	options =
		(struct events_options){.groups = watch.groups, .rcvbuf_bytes = watch.buffer_bytes};
	result = run_events_open(&options, &events);
	if (result)
		return result;
	watch.printer = printer_new();
	signals = run_signals_open();
	is_ready = watch.printer && signals >= 0;
	if (is_ready) {
		follow(&watch, events, signals);
		say_end(&watch);
	} else {
		run_say("events: %s", signals < 0 ? strerror(-signals) : "out of memory");
	}
	if (signals >= 0)
		close(signals);
	if (watch.printer)
		printer_free(watch.printer);
	events_close(events);
	return is_ready ? EXIT_DONE : EXIT_FAILED;
}
