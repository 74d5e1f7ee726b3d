/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_flows: the entries themselves. Streamed as they come; --sort holds them in memory, with
 * -n only the N that are shown (a heap whose top is the one to give way). */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "cli.h"
#include "kernel/kernel.h"

enum sort_key { SORT_TIMEOUT, SORT_BYTES, SORT_PACKETS, SORT_IDLE, SORT_SRC, SORT_DST, SORT_COUNT };

static const char *const sort_names[SORT_COUNT] = {"timeout", "bytes", "packets",
						   "idle",    "src",   "dst"};

struct held {
	struct flow flow;
	uint8_t key[20]; /* ascending by memcmp is the order shown */
	size_t raw_len;
	unsigned char *raw; /* owned */
};

struct flows {
	struct cli *cli;
	struct pass *pass;
	struct printer *printer;
	uint64_t n, shown; /* n 0: all */
	int64_t now_real_ns;
	bool is_sorted, is_reversed;
	enum sort_key sort;
	struct held *held;
	size_t used, room, raw_bytes;
};

static int parse_sort(struct flows *flows, struct problem *problem)
{
	const char *text = flows->cli->values[OPTION_SORT];
	unsigned i;

	if (!text)
		return 0;
	flows->is_sorted = true;
	flows->is_reversed = *text == '-';
	for (i = 0; i < SORT_COUNT; i++) {
		if (!strcmp(text + flows->is_reversed, sort_names[i])) {
			flows->sort = (enum sort_key)i;
			return 0;
		}
	}
	return option_problem(flows->cli, OPTION_SORT, problem,
			      "no such key; there are timeout, bytes, packets, idle, src, dst");
}

static void put_flow(struct flows *flows, const struct flow *flow, const void *raw, size_t raw_len)
{
	const char *line = NULL;

	if (!flows->cli->out.is_json) {
		line = printer_line(flows->printer, raw, raw_len, false);
		if (!line)
			return;
	}
	flows->shown++;
	run_wrote(flows->cli, report_flow(&flows->cli->out, flow, line, &flows->pass->timeouts,
					  flows->now_real_ns));
}

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct flows *flows = arg;

	put_flow(flows, flow, raw, raw_len);
	return !flows->cli->write_error && (!flows->n || flows->shown < flows->n);
}

/* ---- sorted ---- */

static uint64_t number_of(const struct flows *flows, const struct flow *flow)
{
	uint32_t idle = 0;

	switch (flows->sort) {
	case SORT_TIMEOUT:
		return flow->timeout_sec;
	case SORT_BYTES:
		return flow->bytes[FLOW_ORIG] + flow->bytes[FLOW_REPLY];
	case SORT_PACKETS:
		return flow->packets[FLOW_ORIG] + flow->packets[FLOW_REPLY];
	case SORT_IDLE:
		return flow_idle_sec(flow, &flows->pass->timeouts, &idle) ? idle + 1ull
									  : 0; /* unknown: last */
	case SORT_SRC:
	case SORT_DST:
	case SORT_COUNT:
		break;
	}
	return 0;
}

static void make_key(const struct flows *flows, const struct flow *flow, uint8_t key[20])
{
	const struct flow_tuple *tuple = &flow->tuple[FLOW_ORIG];
	uint64_t number;
	unsigned i;

	memset(key, 0, 20);
	if (flows->sort == SORT_SRC || flows->sort == SORT_DST) {
		uint16_t port = flows->sort == SORT_SRC ? tuple->sport : tuple->dport;

		key[0] = tuple->family == AF_INET6;
		memcpy(key + 1, flows->sort == SORT_SRC ? tuple->src : tuple->dst, 16);
		key[17] = (uint8_t)(port >> 8);
		key[18] = (uint8_t)port;
	} else {
		number = ~number_of(flows, flow); /* most first */
		for (i = 0; i < 8; i++)
			key[i] = (uint8_t)(number >> (56 - 8 * i));
	}
	for (i = 0; flows->is_reversed && i < 20; i++)
		key[i] = (uint8_t)~key[i];
}

static int compare_held(const void *a, const void *b)
{
	return memcmp(((const struct held *)a)->key, ((const struct held *)b)->key, 20);
}

static void swap_held(struct held *a, struct held *b)
{
	struct held keep = *a;

	*a = *b;
	*b = keep;
}

/* The heap's top is the last in order: the first to give way. */
static void sift_up(struct held *held, size_t i)
{
	while (i && compare_held(&held[(i - 1) / 2], &held[i]) < 0) {
		swap_held(&held[(i - 1) / 2], &held[i]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct held *held, size_t used)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < used) {
		if (child + 1 < used && compare_held(&held[child], &held[child + 1]) < 0)
			child++;
		if (compare_held(&held[i], &held[child]) >= 0)
			return;
		swap_held(&held[i], &held[child]);
		i = child;
	}
}

static void fill_held(struct flows *flows, struct held *held, const struct flow *flow,
		      const void *raw, size_t raw_len)
{
	held->flow = *flow;
	make_key(flows, flow, held->key);
	if (flows->cli->out.is_json)
		return; /* the text is made from raw only */
	held->raw = mem_resize(held->raw, raw_len ? raw_len : 1, 1);
	memcpy(held->raw, raw, raw_len);
	flows->raw_bytes += raw_len;
	held->raw_len = raw_len;
}

static bool hold_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct flows *flows = arg;
	uint8_t key[20];

	if (flows->n && flows->used == flows->n) {
		make_key(flows, flow, key);
		if (memcmp(key, flows->held[0].key, 20) >= 0)
			return true;
		flows->raw_bytes -= flows->held[0].raw_len;
		fill_held(flows, &flows->held[0], flow, raw, raw_len);
		sift_down(flows->held, flows->used);
		return true;
	}
	if (flows->used == flows->room) {
		flows->room = flows->room ? flows->room * 2 : 256;
		flows->held = mem_resize(flows->held, flows->room, sizeof(*flows->held));
	}
	memset(&flows->held[flows->used], 0, sizeof(*flows->held));
	fill_held(flows, &flows->held[flows->used], flow, raw, raw_len);
	if (flows->n)
		sift_up(flows->held, flows->used);
	flows->used++;
	return true;
}

static void forget_held(void *arg)
{
	struct flows *flows = arg;

	while (flows->used)
		free(flows->held[--flows->used].raw);
	flows->raw_bytes = 0;
}

static void show_held(struct flows *flows)
{
	size_t i;

	if (flows->used)
		qsort(flows->held, flows->used, sizeof(*flows->held), compare_held);
	for (i = 0; i < flows->used && !flows->cli->write_error; i++)
		put_flow(flows, &flows->held[i].flow, flows->held[i].raw, flows->held[i].raw_len);
}

static void say_count(const struct flows *flows)
{
	char count[UNITS_TEXT_MAX], bytes[UNITS_TEXT_MAX];

	/* Only what has arrived is counted as shown. */
	if (!run_flush(flows->cli) || flows->cli->out.is_json)
		return;
	units_format_count(flows->shown, count);
	if (flows->is_sorted && !flows->n)
		run_say("%s flow%s shown (sorting held %s; -n N holds only N)", count,
			units_plural(flows->shown),
			units_format_bytes(flows->used * sizeof(struct held) + flows->raw_bytes,
					   bytes));
	else
		run_say("%s flow%s shown", count, units_plural(flows->shown));
}

/* Bytes and packets are known only where the kernel counts them. */
static void warn_accounting(const struct flows *flows)
{
	if (flows->is_sorted && (flows->sort == SORT_BYTES || flows->sort == SORT_PACKETS) &&
	    setting_read("nf_conntrack_acct") == 0)
		run_say("accounting is off (net.netfilter.nf_conntrack_acct = 0): %s are not "
			"known, the order means nothing",
			sort_names[flows->sort]);
}

int cmd_flows(struct cli *cli)
{
	struct flows flows = {.cli = cli, .now_real_ns = clock_real_ns()};
	struct pass pass = {.arg = &flows};
	struct problem problem = {0};
	int result;

	flows.pass = &pass;
	if (parse_sort(&flows, &problem) ||
	    option_number(cli, OPTION_NUMBER, 1, UINT32_MAX, &flows.n, &problem))
		return run_usage(&problem);
	warn_accounting(&flows);
	flows.printer = printer_new();
	if (!flows.printer) {
		run_say("out of memory");
		return EXIT_FAILED;
	}
	pass.fn = flows.is_sorted ? hold_flow : on_flow;
	pass.on_redo = flows.is_sorted ? forget_held : NULL;
	result = run_pass(cli->filter, &pass);
	if (!result && flows.is_sorted)
		show_held(&flows);
	if (!result)
		say_count(&flows);
	if (!result && pass.report.unwatched)
		run_say_hidden(cli);
	forget_held(&flows);
	free(flows.held);
	printer_free(flows.printer);
	if (result)
		return run_failed_table(result, "reading the table");
	return EXIT_DONE;
}
