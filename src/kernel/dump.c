/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/dump: one pass over the table: request, receive loop, match, and a new pass where the
 * table was rehashed under it. 97 % of its time is the kernel's; what is done for each entry here
 * is kept small. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decode.h"
#include "pushdown.h"
#include "socket.h"

#define PROGRESS_NS (50 * NS_PER_MS)
#define BUCKETS_NS  (5 * NS_PER_MS) /* a look costs 5 us */
#define REDO_MAX    3

struct scan {
	const struct flow_filter *filter; /* NULL: all */
	const struct flow_filter_context *context;
	flow_scan_fn *fn;
	void *arg;
	const struct scan_options *options;
	struct flow_scan_report *report;
	struct pushdown pushdown;
	void *buf;
	int64_t progress_ns; /* of the last report */
	int64_t looked_ns;   /* at the number of buckets */
	uint64_t buckets;    /* when the present pass began */
	int torn;	     /* why the present pass cannot be trusted: -errno, or 0 */
};

static bool may_redo(const struct scan *scan)
{
	return scan->options->on_redo && scan->report->redone < REDO_MAX;
}

/* What a step of a pass may end with besides -errno. */
enum step { STEP_MORE = 1, STEP_DONE = 0, STEP_ENDED = 2 /* by the caller's wish */ };

static int take_entry(struct scan *scan, const struct nlmsghdr *message)
{
	enum flow_event_kind kind;
	struct flow flow;

	if (decode_in_place(message, message->nlmsg_len, &flow, &kind) < 0) {
		scan->report->undecodable++;
		return STEP_MORE;
	}
	scan->report->received++;
	if (scan->filter && !flow_filter_match(scan->filter, &flow, scan->context))
		return STEP_MORE;
	scan->report->matched++;
	return scan->fn(&flow, message, message->nlmsg_len, scan->arg) ? STEP_MORE : STEP_ENDED;
}

static int take_datagram(struct scan *scan, size_t len)
{
	const struct nlmsghdr *message = scan->buf;
	int left = (int)len, r = STEP_MORE;

	for (; r == STEP_MORE && mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			scan->torn = -EAGAIN;
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
			r = nl_error_of(message);
			return r < 0 ? r : STEP_DONE;
		}
		r = take_entry(scan, message);
	}
	if (r == STEP_MORE && left > 0)
		scan->report->undecodable++; /* a message longer than what came */
	return r;
}

/* A resize moves entries to where the pass has been or will be, and the kernel does not say so.
 * Looked at on the way too: resized twice it may be back at the old size when the pass ends. */
static void check_buckets(struct scan *scan, int64_t time_ns)
{
	if (scan->torn || time_ns - scan->looked_ns < BUCKETS_NS)
		return;
	scan->looked_ns = time_ns;
	if (buckets_read() != scan->buckets)
		scan->torn = -EAGAIN;
}

static int check_time(struct scan *scan, bool now)
{
	const struct scan_options *options = scan->options;
	int64_t time_ns = clock_monotonic_ns();

	if (options->deadline_ns && time_ns >= options->deadline_ns)
		return -ETIME;
	check_buckets(scan, time_ns);
	if (scan->torn && may_redo(scan))
		return STEP_DONE; /* what is still to come is void already */
	if (!options->on_progress || (!now && time_ns - scan->progress_ns < PROGRESS_NS))
		return STEP_MORE;
	scan->progress_ns = time_ns;
	scan->report->is_stopped = !options->on_progress(scan->report->received, options->arg);
	return scan->report->is_stopped ? STEP_ENDED : STEP_MORE;
}

static int receive_all(struct scan *scan, struct nl_socket *socket)
{
	size_t len;
	int r;

	do {
		r = nl_receive(socket, scan->buf, NL_ANSWER_MAX, &len, &scan->report->not_kernel);
		if (r == -EINTR) {
			/* The caller may want to stop for that signal. */
			r = check_time(scan, true);
			continue;
		}
		if (r == -ENOBUFS) {
			/* The kernel had no memory for an answer; waiting for the next one could be
			 * for ever. */
			scan->torn = r;
			return STEP_DONE;
		}
		if (r < 0)
			return r;
		r = take_datagram(scan, len);
		if (r == STEP_MORE)
			r = check_time(scan, false);
	} while (r == STEP_MORE);
	return r;
}

/* On a socket of its own: one that still has a dump would answer EBUSY. */
static int dump_family(struct scan *scan, uint8_t family)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nl_socket socket;
	struct nlmsghdr *request;
	int r = nl_open(&socket);

	if (r < 0)
		return r;
	request = nl_request(&socket, buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP,
			     family);
	pushdown_put(&scan->pushdown, request);
	r = nl_send(&socket, request);
	if (!r)
		r = receive_all(scan, &socket);
	nl_close(&socket);
	return r;
}

static int pass_once(struct scan *scan)
{
	uint8_t families[2];
	unsigned count = pushdown_families(&scan->pushdown, families);
	int r = STEP_DONE;

	for (unsigned i = 0; i < count && r == STEP_DONE; i++) {
		if (scan->torn == -ENOBUFS || (scan->torn && may_redo(scan)))
			break;
		r = dump_family(scan, families[i]);
	}
	return r;
}

static int pass(struct scan *scan)
{
	int r;

	scan->torn = 0;
	r = pass_once(scan);
	if ((r != -EINVAL && r != -EOPNOTSUPP) || scan->report->received ||
	    pushdown_is_empty(&scan->pushdown))
		return r;
	/* This kernel refuses a filter that we know. */
	memset(&scan->pushdown, 0, sizeof(scan->pushdown));
	scan->report->pushed_down[0] = '\0';
	return pass_once(scan);
}

static int scan_run(struct scan *scan)
{
	const struct scan_options *options = scan->options;
	struct flow_scan_report *report = scan->report;
	int r;

	for (;;) {
		scan->buckets = buckets_read();
		report->unwatched = !scan->buckets;
		r = pass(scan);
		if (r != STEP_DONE)
			break;
		if (!scan->torn && buckets_read() == scan->buckets)
			break;
		if (!may_redo(scan)) {
			report->unsettled = true;
			r = scan->torn == -ENOBUFS ? -ENOBUFS : 0;
			break;
		}
		report->redone++;
		report->received = report->matched = 0;
		options->on_redo(options->arg);
	}
	return r == STEP_ENDED ? 0 : r;
}

int scan_flows(const struct flow_filter *filter, const struct flow_filter_context *context,
	       flow_scan_fn *fn, void *arg, const struct scan_options *options,
	       struct flow_scan_report *ret_report)
{
	static const struct scan_options no_options;
	struct flow_scan_report report = {0};
	struct scan scan = {.filter = filter && !flow_filter_is_empty(filter) ? filter : NULL,
			    .context = context,
			    .fn = fn,
			    .arg = arg,
			    .options = options ? options : &no_options,
			    .report = &report};
	int64_t cpu_ns = clock_cpu_ns();
	int r;

	report.started_ns = scan.progress_ns = clock_monotonic_ns();
	pushdown_from(scan.options->plain ? NULL : scan.filter, &scan.pushdown);
	pushdown_format(&scan.pushdown, report.pushed_down, sizeof(report.pushed_down));
	scan.buf = mem_alloc(NL_ANSWER_MAX);
	r = scan_run(&scan);
	free(scan.buf);
	report.ended_ns = clock_monotonic_ns();
	report.cpu_ns = clock_cpu_ns() - cpu_ns;
	*ret_report = report;
	return r;
}
