/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own filter: on random tables and filters it takes exactly what the filter means, or
 * says that it cannot; and it is used only where a proof says that this kernel can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kernel/kernel.h"
#include "filtered_lab.h"

#define CASES_LEAST 40
#define TABLE_NEW   200 /* cases with one table */

static unsigned cases(void)
{
	const char *text = getenv("CASES");

	return text ? (unsigned)atoi(text) : 800;
}

/* ---- the table ---- */

struct table {
	struct flow flows[2 * TABLE];
	size_t count;
};

static bool take(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct table *table = arg;

	(void)raw;
	(void)raw_len;
	assert_true(table->count < 2 * TABLE);
	table->flows[table->count++] = *flow;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int r = memcmp(&x->tuple[FLOW_ORIG], &y->tuple[FLOW_ORIG], sizeof(x->tuple[0]));

	if (r)
		return r;
	if (x->zone != y->zone)
		return x->zone < y->zone ? -1 : 1;
	return (x->zone_reply > y->zone_reply) - (x->zone_reply < y->zone_reply);
}

/* filter: NULL for all; asked of the kernel where it can be. */
static void read_table(const struct flow_filter *filter, struct table *ret_table)
{
	struct flow_scan_report report;
	unsigned tries = 0;

	/* Others may resize the hash, which is one for all namespaces: such a pass may miss entries, and says so. */
	do {
		ret_table->count = 0;
		assert_int_equal(ports.scan(ports.arg, filter, NULL, take, ret_table, &report), 0);
	} while ((report.unsettled || report.redone) && ++tries < 20);
	assert_false(report.unsettled || report.redone);
	qsort(ret_table->flows, ret_table->count, sizeof(ret_table->flows[0]), by_name);
}

/* ---- filters ---- */

static const struct {
	enum flow_filter_key key;
	const char *values[8];
	bool maybe_whole; /* the kernel can do at least one of the values */
} menu[] = {
	{FILTER_FAMILY, {"ipv4", "ipv6", "ipv4,ipv6"}, true},
	{FILTER_SRC,
	 {"10.0.1.2", "10.0.0.1", "10.0.0.0/24", "2001:db8:1::3", "2001:db8::/32",
	  "10.0.0.1,10.0.2.4"},
	 true},
	{FILTER_DST, {"192.0.2.3", "192.0.2.1", "192.0.2.0/30", "2001:db8:ff00::2"}, true},
	{FILTER_REPLY_SRC, {"192.0.2.3", "203.0.113.2", "192.0.2.0/29", "2001:db8:ff00::4"}, true},
	{FILTER_REPLY_DST, {"10.0.1.2", "203.0.113.1", "2001:db8:2::1", "203.0.113.0/24"}, true},
	{FILTER_PROTOCOL,
	 {"tcp", "udp", "icmp", "icmpv6", "gre", "sctp", "udplite", "tcp,udp"},
	 true},
	{FILTER_SPORT, {"1030", "1024:1040", "1025,1026"}, true},
	{FILTER_DPORT, {"53", "443", "80,22", "8080"}, true},
	{FILTER_REPLY_SPORT, {"53", "443", "1:1000"}, true},
	{FILTER_REPLY_DPORT, {"1031", "1024:1030"}, true},
	{FILTER_MARK, {"0", "1", "256", "0x100/0xff00", "1/1", "0x200/0x300", "0/1"}, true},
	{FILTER_ZONE, {"0", "3", "7", "5", "6", "3,5", "9"}, true},
	{FILTER_STATUS,
	 {"assured", "seen-reply", "src-nat", "unset", "confirmed", "dst-nat", "assured,src-nat"},
	 true},
	{FILTER_UNREPLIED, {NULL}, true},
	{FILTER_NO_NAT, {NULL}, true},
	{FILTER_OFFLOAD, {NULL}, true},
	{FILTER_EXPECTED, {NULL}, true},
	{FILTER_SRC_NAT, {NULL, "203.0.113.1"}, true},
	{FILTER_DST_NAT, {NULL, "203.0.113.2"}, true},
	{FILTER_ANY_NAT, {NULL, "203.0.113.0/31"}, true},
	{FILTER_CLASS, {"unreplied", "replied", "stream", "established", "replied,stream"}, true},
	/* What no kernel filter expresses. */
	{FILTER_LABEL, {"0", "1"}, false},
	{FILTER_STATE, {"established", "syn_sent"}, false},
	{FILTER_EXPIRES_IN, {"3900s"}, false},
};

#define MENU (sizeof(menu) / sizeof(menu[0]))

/* NULL where the conditions contradict each other. */
static struct flow_filter *random_filter(uint64_t *seed, bool *ret_hopeless)
{
	struct flow_filter *filter = flow_filter_new();
	unsigned conditions = 1 + rnd64(seed) % 4;
	struct problem problem;

	*ret_hopeless = false;
	for (unsigned i = 0; i < conditions; i++) {
		unsigned row = rnd64(seed) % MENU, values = 0;
		const char *value = NULL;

		if (!menu[row].maybe_whole && rnd64(seed) % 4)
			continue;
		while (values < 8 && menu[row].values[values])
			values++;
		/* The first values are those the kernel knows. */
		if (values && (menu[row].values[0] || rnd64(seed) % 2))
			value = menu[row].values[rnd64(seed) %
						 (rnd64(seed) % 3 ? (values + 1) / 2 : values)];
		if (!menu[row].values[0] && menu[row].values[1] && rnd64(seed) % 2)
			value = menu[row].values[1];
		if (flow_filter_add(filter, menu[row].key, value, rnd64(seed) % 6 == 0, &problem) <
		    0)
			goto none;
		*ret_hopeless = *ret_hopeless || !menu[row].maybe_whole;
	}
	if (!flow_filter_is_empty(filter) && !flow_filter_finish(filter, &problem))
		return filter;
none:
	flow_filter_free(filter);
	return NULL;
}

/* ---- both ways ---- */

/* all must be what left has and what matches. */
static size_t check_left(const struct flow_filter *filter, const char *text, const char *way,
			 const struct table *all, const struct table *left)
{
	size_t at = 0, gone = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct flow *flow = &all->flows[i];
		bool is_left = at < left->count && !by_name(flow, &left->flows[at]) &&
			       flow->id == left->flows[at].id;

		if (is_left == flow_filter_match(filter, flow, NULL))
			fail_msg("%s by %s: family %u protocol %u zone %u/%u mark %#x status %#x "
				 "is %s",
				 text, way, flow->tuple[0].family, flow->tuple[0].protocol,
				 flow->zone, flow->zone_reply, flow->mark, flow->status,
				 is_left ? "left" : "gone");
		at += is_left;
		gone += !is_left;
	}
	assert_int_equal(at, left->count);
	return gone;
}

static void delete_by_dump(const struct flow_filter *filter)
{
	struct table *found = mem_alloc(sizeof(*found));
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	struct flow_target targets[FLOW_BATCH_MAX];

	read_table(filter, found);
	for (size_t i = 0; i < found->count;) {
		size_t n = 0;

		for (; n < FLOW_BATCH_MAX && i < found->count; n++, i++)
			flow_target_from(&found->flows[i], &targets[n]);
		assert_int_equal(ports.delete(ports.arg, targets, n, outcomes), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(outcomes[k], FLOW_OUTCOME_DONE);
	}
	free(found);
}

static void both_ways_take_exactly_what_the_filter_means(void **state)
{
	struct table *all = mem_alloc(sizeof(*all)), *left = mem_alloc(sizeof(*left));
	unsigned whole = 0, some = 0, tried = 0, hopeless = 0, wanted = cases();
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 99, table_seed = seed;
	int64_t end_ns = clock_monotonic_ns() + (getenv("CASES") ? 3600 : 60) * NS_PER_SEC;
	char text[512], why[256];

	(void)state;
	/* Each case takes walks over the tables of all namespaces: where others fill theirs, fewer
	 * will do. */
	while (whole < wanted && (whole < CASES_LEAST || clock_monotonic_ns() < end_ns)) {
		bool is_hopeless;
		struct flow_filter *filter = random_filter(&seed, &is_hopeless);
		size_t gone;

		if (!filter)
			continue;
		if (tried++ % TABLE_NEW == 0) {
			assert_int_equal(empty_table(NULL), 0);
			table_seed++;
		}
		flow_filter_format(filter, text, sizeof(text));
		if (!ports.can_delete_filtered(ports.arg, filter, why, sizeof(why))) {
			assert_int_equal(ports.delete_filtered(ports.arg, filter), -EOPNOTSUPP);
			assert_true(why[0]);
			hopeless += is_hopeless;
			flow_filter_free(filter);
			continue;
		}
		assert_false(is_hopeless);
		fill(table_seed);
		read_table(NULL, all);
		assert_true(all->count > TABLE / 2);
		assert_int_equal(ports.delete_filtered(ports.arg, filter), 0);
		read_table(NULL, left);
		gone = check_left(filter, text, "the kernel", all, left);
		some += gone && left->count;
		if (whole++ % 4 == 0) {
			fill(table_seed);
			read_table(NULL, all);
			delete_by_dump(filter);
			read_table(NULL, left);
			check_left(filter, text, "dump", all, left);
		}
		flow_filter_free(filter);
	}
	print_message(
		"%u filters: %u by the kernel alone (%u took some and left some), %u beyond it\n",
		tried, whole, some, hopeless);
	assert_true(some > whole / 3 && hopeless);
	free(all);
	free(left);
}

/* ---- which filters ---- */

static void what_the_kernel_can_do_alone_is_known(void **state)
{
	static const char *const yes[] = {
		"-f ipv6",
		"-s 10.0.0.1 -d 10.0.0.1 -p tcp --dport 443 --unreplied -m 3",
		"-s 10.0.0.1",
		"-d 10.0.0.1 -p tcp --dport 443",
		"-p udp",
		"-m 0",
		"-m 3",
		"-m 0x100/0xff00",
		"-w 7",
		"--unreplied",
		"-u assured",
		"-r 10.0.0.1",
		"-q 10.0.0.1 -w 7",
		"-s 10.0.0.1 --unreplied -m 5",
		"-p tcp --sport 22",
		"-p gre",
		"--class unreplied -p udp",
		"--class unreplied -p icmp -m 3",
		"--class replied -p udp -s 10.0.0.1",
		"--class stream -p udp --dport 53",
		"! -u assured",
		"-u unset",
		"-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2"};
	static const char *const no[] = {/* a part of each could be pushed */
					 "-u assured,src-nat --unreplied",
					 "--offload --unreplied",
					 "--any-nat --unreplied",
					 "! --no-nat --unreplied",
					 "! --src-nat-to 10.0.0.1 --unreplied",
					 "--class unreplied -m 3",
					 "--class unreplied -p tcp",
					 "--class unreplied -p tcp,udp",
					 "--class unreplied ! -p tcp",
					 "--class unreplied,replied -p udp",
					 "! --class unreplied -p udp",
					 "--class offloaded -p udp",
					 "-s 2001:db8::1 -m 3",
					 "-w 0 -m 3",
					 "--dport 53 -s 10.0.0.1",
					 "-s 10.0.0.0/8",
					 "-s 2001:db8::1",
					 "-d 2001:db8::1 -p tcp",
					 "-w 0",
					 "-p tcp,udp",
					 "-p tcp --dport 1:1024",
					 "--dport 53",
					 "! -p tcp",
					 "! -s 10.0.0.1",
					 "-s 10.0.0.1,10.0.0.2",
					 "--state established",
					 "--class unreplied",
					 "-p sctp --dport 80",
					 "! -w 7",
					 "! -m 3",
					 "-f ipv4,ipv6",
					 "-u assured,seen-reply",
					 "! --no-nat",
					 "-s 10.0.0.1 ! -s 10.0.0.2",
					 "-w 7 -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2"};
	struct flow_filter *empty = flow_filter_new();
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!can(yes[i], why))
			fail_msg("%s: %s", yes[i], why);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (can(no[i], why))
			fail_msg("%s: should not be for the kernel alone", no[i]);
	assert_false(ports.can_delete_filtered(ports.arg, empty, why, sizeof(why)));
	assert_int_equal(ports.delete_filtered(ports.arg, empty), -EOPNOTSUPP);
	flow_filter_free(empty);
}

/* ---- who is told ---- */

struct told {
	unsigned begun, done, gone, destroyed[2]; /* by the port of single deletes, and by others of the writer */
	bool is_under_way;
};

static void on_delete(const struct flow_target *targets, size_t count, const enum flow_outcome *outcomes, void *arg)
{
	struct told *told = arg;

	assert_non_null(targets);
	told->begun += !outcomes;
	assert_int_equal(told->is_under_way, outcomes != NULL);
	told->is_under_way = !outcomes;
	for (size_t i = 0; outcomes && i < count; i++) {
		told->done += outcomes[i] == FLOW_OUTCOME_DONE;
		told->gone += outcomes[i] == FLOW_OUTCOME_GONE;
	}
}

static bool on_event(enum flow_event_kind kind, const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct told *told = arg;
	uint32_t portid = event_portid(raw);

	(void)flow;
	(void)raw_len;
	if (kind != FLOW_EVENT_DESTROY)
		return true;
	assert_true(writer_has_portid(writer, portid));
	told->destroyed[portid != writer_portid(writer)]++;
	return true;
}

static void drain(struct events *events, struct told *told)
{
	uint64_t lost;

	while (events_drain(events, 1000, on_event, told, &lost))
		assert_int_equal(lost, 0);
	assert_int_equal(lost, 0);
}

/* Of single deletes who deletes is told at once, and events can be left out; which ones a filter took only events tell.
 */
static void single_deletes_are_told_and_filtered_ones_heard(void **state)
{
	const struct events_options options = {.groups = EVENTS_DESTROY, .rcvbuf_bytes = 8 << 20};
	struct table *all = mem_alloc(sizeof(*all));
	struct flow_target targets[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	struct told told = {0};
	struct events *events;

	(void)state;
	assert_int_equal(events_open(&options, &events), 0); /* before them: what nobody listens to has no event */
	assert_int_equal(empty_table(NULL), 0);
	fill(7);
	read_table(NULL, all);
	assert_true(all->count > 40);
	drain(events, &told);
	told = (struct told){0};
	writer_on_delete(writer, on_delete, &told);
	for (size_t i = 0; i < 20; i++)
		flow_target_from(&all->flows[i], &targets[i]);
	assert_int_equal(ports.delete(ports.arg, targets, 10, outcomes), 0);
	drain(events, &told);
	assert_int_equal(told.destroyed[0], 10);
	assert_int_equal(events_skip(events, writer_portid(writer)), 0);
	assert_int_equal(ports.delete(ports.arg, targets, 20, outcomes), 0);
	drain(events, &told);
	assert_int_equal(told.destroyed[0], 10);
	assert_int_equal(told.begun, 2);
	assert_int_equal(told.done, 20);
	assert_int_equal(told.gone, 10);
	assert_int_equal(ports.delete_all(ports.arg), 0);
	drain(events, &told);
	assert_int_equal(told.destroyed[0], 10);
	assert_int_equal(told.destroyed[1], all->count - 20);
	assert_int_equal(told.begun, 2);
	writer_on_delete(writer, NULL, NULL);
	events_close(events);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_kernel_can_do_alone_is_known),
		TEST(both_ways_take_exactly_what_the_filter_means),
		TEST(single_deletes_are_told_and_filtered_ones_heard),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
