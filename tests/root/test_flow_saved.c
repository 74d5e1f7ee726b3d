/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved against the tools themselves: a table of random entries as the kernel dumps it is the
 * same as what conntrack -L (with and without the family), /proc/net/nf_conntrack and ctwarden
 * flows -j write of it, read back. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/saved.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"

#define ENTRIES 2000

struct table {
	struct flow flows[ENTRIES];
	size_t count;
};

static struct table *dumped, *saved;

static int fill(void **state)
{
	uint64_t seed = 424242;
	int fd, acct;

	(void)state;
	if (!lab_enter())
		return -1;
	acct = open("/proc/sys/net/netfilter/nf_conntrack_acct", O_WRONLY);
	if (acct < 0 || write(acct, "1", 1) != 1)
		return -1;
	close(acct);
	fd = nl_open();
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct lab_entry e = lab_random(&seed);
		int error = lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL);

		if (error && error != EEXIST)
			return -1;
	}
	close(fd);
	dumped = mem_alloc(sizeof(*dumped));
	saved = mem_alloc(sizeof(*saved));
	return 0;
}

static int done(void **state)
{
	(void)state;
	free(dumped);
	free(saved);
	return 0;
}

static bool collect(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct table *table = arg;

	(void)raw;
	(void)raw_len;
	assert_true(table->count < ENTRIES);
	table->flows[table->count++] = *flow;
	return true;
}

static int by_tuple(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int order = memcmp(&x->tuple[FLOW_ORIG], &y->tuple[FLOW_ORIG], sizeof(x->tuple[FLOW_ORIG]));

	if (!order)
		order = x->zone - y->zone;
	return order ? order : x->zone_reply - y->zone_reply;
}

static void dump(void)
{
	struct flow_filter_context context = {.now_real_ns = clock_real_ns()};
	struct scan_options options = {0};
	struct flow_scan_report report;

	dumped->count = 0;
	assert_int_equal(scan_flows(NULL, &context, collect, dumped, &options, &report), 0);
	assert_true(dumped->count > ENTRIES / 2);
	qsort(dumped->flows, dumped->count, sizeof(dumped->flows[0]), by_tuple);
}

/* What every text says; ids and labels only some do. */
static void compare(const struct flow *kernel, const struct flow *text, uint32_t status_mask)
{
	assert_memory_equal(&kernel->tuple[FLOW_ORIG], &text->tuple[FLOW_ORIG],
			    sizeof(kernel->tuple[FLOW_ORIG]));
	assert_memory_equal(&kernel->tuple[FLOW_REPLY], &text->tuple[FLOW_REPLY],
			    sizeof(kernel->tuple[FLOW_REPLY]));
	assert_int_equal(kernel->zone, text->zone);
	assert_int_equal(kernel->zone_reply, text->zone_reply);
	assert_int_equal(kernel->mark, text->mark);
	assert_int_equal(kernel->has & FLOW_HAS_STATE, text->has & FLOW_HAS_STATE);
	assert_int_equal(kernel->state, text->state);
	assert_int_equal(kernel->status & status_mask, text->status & status_mask);
	assert_int_equal(flow_class_of(kernel), flow_class_of(text));
	assert_true(text->has & FLOW_HAS_TIMEOUT);
	/* Dumped before, so no more is left; the machine may be slow. */
	assert_true(text->timeout_sec <= kernel->timeout_sec &&
		    kernel->timeout_sec - text->timeout_sec < 120);
	assert_int_equal(kernel->packets[FLOW_ORIG], text->packets[FLOW_ORIG]);
	if (text->has & FLOW_HAS_ID)
		assert_int_equal(kernel->id, text->id);
	if (text->has & FLOW_HAS_LABELS)
		assert_memory_equal(kernel->labels, text->labels, sizeof(text->labels));
}

static void same_as(const char *command, uint32_t status_mask, uint32_t must_have)
{
	char path[] = "/tmp/test_flow_saved.XXXXXX", line[600];
	struct saved_report report;
	struct problem problem = {0};
	uint32_t seen = 0;

	dump();
	close(mkstemp(path));
	snprintf(line, sizeof(line), "%s >%s 2>/dev/null", command, path);
	assert_int_equal(system(line), 0);
	saved->count = 0;
	assert_int_equal(saved_read(path, clock_real_ns(), collect, saved, &report, &problem), 0);
	unlink(path);
	if (report.unread)
		fail_msg("%s: line %d: %s", command, report.problem.line, report.problem.text);
	assert_int_equal(saved->count, dumped->count);
	qsort(saved->flows, saved->count, sizeof(saved->flows[0]), by_tuple);
	for (size_t i = 0; i < saved->count; i++) {
		compare(&dumped->flows[i], &saved->flows[i], status_mask);
		seen |= saved->flows[i].has;
	}
	assert_int_equal(seen & must_have, must_have);
}

#define TEXT_STATUS                                                                                \
	(FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED |                    \
	 FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT)

static void conntrack_extended(void **state)
{
	(void)state;
	same_as("conntrack -L -o extended,id", TEXT_STATUS, FLOW_HAS_ID);
}

static void conntrack_plain(void **state)
{
	(void)state;
	same_as("conntrack -L", TEXT_STATUS, FLOW_HAS_COUNTERS);
}

static void proc(void **state)
{
	(void)state;
	if (access("/proc/net/nf_conntrack", R_OK)) {
		puts("this kernel has no /proc/net/nf_conntrack");
		skip();
	}
	same_as("cat /proc/self/net/nf_conntrack", TEXT_STATUS, FLOW_HAS_COUNTERS);
}

static void documents(void **state)
{
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), "%s/ctwarden flows --direct -j",
		 getenv("BIN") ? getenv("BIN") : ".");
	same_as(command, 0xffff, FLOW_HAS_ID | FLOW_HAS_COUNTERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conntrack_extended),
		cmocka_unit_test(conntrack_plain),
		cmocka_unit_test(proc),
		cmocka_unit_test(documents),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, fill, done);
}
