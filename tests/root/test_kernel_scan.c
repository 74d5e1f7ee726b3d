/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel layer on a table of random entries in a namespace of its own: passes with and without
 * push-down, counters and lines against what was created and what the conntrack tool says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"

#define ENTRIES	  2000
#define FILTERS	  400
#define LINES_MAX 4096

static unsigned created;

/* What identifies an entry and does not change while a test runs. */
struct key {
	struct flow_tuple orig, reply;
	uint16_t zone, zone_reply;
	uint32_t mark, status;
};

struct found {
	struct key keys[2 * ENTRIES];
	struct flow flows[2 * ENTRIES];
	size_t count;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key));
}

static bool collect(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct found *found = arg;
	struct key *key = &found->keys[found->count];

	assert_true(raw && raw_len > 20 && found->count < 2 * ENTRIES);
	memset(key, 0, sizeof(*key));
	key->orig = flow->tuple[FLOW_ORIG];
	key->reply = flow->tuple[FLOW_REPLY];
	key->zone = flow->zone;
	key->zone_reply = flow->zone_reply;
	key->mark = flow->mark;
	key->status = flow->status;
	found->flows[found->count++] = *flow;
	return true;
}

static struct flow_scan_report scan(const struct flow_filter *filter, bool plain,
				    struct found *found)
{
	struct scan_options options = {.plain = plain};
	struct flow_filter_context context = {.now_real_ns = clock_real_ns()};
	struct flow_scan_report report;

	found->count = 0;
	assert_int_equal(scan_flows(filter, &context, collect, found, &options, &report), 0);
	assert_int_equal(report.matched, found->count);
	assert_int_equal(report.undecodable, 0);
	assert_int_equal(report.not_kernel, 0);
	assert_false(report.unsettled);
	qsort(found->keys, found->count, sizeof(found->keys[0]), by_bytes);
	return report;
}

static int fill(void **state)
{
	uint64_t seed = 20251125;
	int fd;

	(void)state;
	if (!lab_enter())
		return -1;
	fd = nl_open();
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct lab_entry e = lab_random(&seed);
		int error = lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL);

		if (error && error != EEXIST)
			return -1;
		created += !error;
		if (i % 100 == 0) { /* some with a helper, where the kernel has it */
			e.helper = "ftp";
			e.orig.proto = IPPROTO_TCP;
			e.orig.dport = 21;
			e.reply = ct_reply(&e.orig);
			created += lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL) == 0;
		}
	}
	close(fd);
	return created > ENTRIES / 2 ? 0 : -1;
}

static void a_pass_lists_every_entry_once(void **state)
{
	struct found *found = mem_alloc(sizeof(*found));
	struct flow_scan_report report = scan(NULL, false, found);

	(void)state;
	assert_int_equal(report.received, created);
	assert_int_equal(found->count, created);
	assert_string_equal(report.pushed_down, "");
	assert_true(report.ended_ns > report.started_ns && report.cpu_ns > 0);
	for (size_t i = 1; i < found->count; i++)
		assert_int_not_equal(by_bytes(&found->keys[i - 1], &found->keys[i]), 0);
	free(found);
}

/* ---- random filters ---- */

static const struct {
	enum flow_filter_key key;
	const char *values[8];
} menu[] = {
	{FILTER_FAMILY, {"ipv4", "ipv6"}},
	{FILTER_SRC,
	 {"10.0.1.2", "10.0.0.0/24", "2001:db8:1::3", "2001:db8::/32", "10.0.0.1,10.0.2.4"}},
	{FILTER_DST,
	 {"192.0.2.3", "192.0.2.0/30", "2001:db8:ff00::2", "2001:db8:ff00::1,192.0.2.1"}},
	{FILTER_REPLY_SRC, {"192.0.2.3", "203.0.113.2", "192.0.2.0/29", "2001:db8:ff00::4"}},
	{FILTER_REPLY_DST, {"10.0.1.2", "203.0.113.1", "2001:db8:2::1", "203.0.113.0/24"}},
	{FILTER_PROTOCOL, {"tcp", "udp", "icmp", "icmpv6", "gre", "sctp", "udplite", "tcp,udp"}},
	{FILTER_SPORT, {"1030", "1024:1040", "1025,1026"}},
	{FILTER_DPORT, {"53", "443", "80,22", "8080"}},
	{FILTER_REPLY_SPORT, {"53", "443", "1:1000"}},
	{FILTER_REPLY_DPORT, {"1031", "1024:1030"}},
	{FILTER_MARK, {"0", "1", "256", "0x100/0xff00", "1/1", "0x200/0x300", "0/1"}},
	{FILTER_ZONE, {"0", "3", "7", "5", "6", "3,5"}},
	{FILTER_LABEL, {"0", "1", "2"}},
	{FILTER_STATUS, {"assured", "seen-reply", "src-nat", "unset", "confirmed", "dst-nat"}},
	{FILTER_STATE, {"established", "syn_sent", "time_wait", "close,last_ack"}},
	{FILTER_CLASS,
	 {"unreplied", "established", "closing", "stream", "half-open", "replied,stream",
	  "pickup"}},
	{FILTER_UNREPLIED, {NULL}},
	{FILTER_SRC_NAT, {NULL, "203.0.113.1"}},
	{FILTER_DST_NAT, {NULL, "203.0.113.2"}},
	{FILTER_ANY_NAT, {NULL, "203.0.113.0/31"}},
	{FILTER_NO_NAT, {NULL}},
	{FILTER_OFFLOAD, {NULL}},
	{FILTER_EXPECTED, {NULL}},
};

#define MENU (sizeof(menu) / sizeof(menu[0]))

/* NULL where the conditions contradict each other. */
static struct flow_filter *random_filter(uint64_t *seed)
{
	struct flow_filter *filter = flow_filter_new();
	unsigned conditions = 1 + rnd64(seed) % 4;
	struct problem problem;

	for (unsigned i = 0; i < conditions; i++) {
		unsigned row = rnd64(seed) % MENU, values = 0;
		const char *value;

		while (values < 8 && menu[row].values[values])
			values++;
		value = values && (menu[row].values[0] || rnd64(seed) % 2)
				? menu[row].values[rnd64(seed) % values]
				: NULL;
		if (flow_filter_add(filter, menu[row].key, value, rnd64(seed) % 5 == 0, &problem) <
		    0) {
			flow_filter_free(filter);
			return NULL;
		}
	}
	if (flow_filter_finish(filter, &problem) < 0) {
		flow_filter_free(filter);
		return NULL;
	}
	return filter;
}

static size_t match_in_memory(const struct flow_filter *filter, const struct found *all,
			      struct found *ret)
{
	struct flow_filter_context context = {.now_real_ns = clock_real_ns()};

	ret->count = 0;
	for (size_t i = 0; i < all->count; i++) {
		if (flow_filter_match(filter, &all->flows[i], &context))
			collect(&all->flows[i], all, sizeof(*all), ret);
	}
	qsort(ret->keys, ret->count, sizeof(ret->keys[0]), by_bytes);
	return ret->count;
}

static void push_down_changes_no_answer(void **state)
{
	struct found *all = mem_alloc(sizeof(*all)), *want = mem_alloc(sizeof(*want)),
		     *pushed = mem_alloc(sizeof(*pushed)), *plain = mem_alloc(sizeof(*plain));
	unsigned tried = 0, with_pushdown = 0, with_matches = 0, exact = 0;
	uint64_t seed = 7;

	(void)state;
	scan(NULL, true, all);
	while (tried < FILTERS) {
		struct flow_filter *filter = random_filter(&seed);
		struct flow_scan_report report;
		char text[512];

		if (!filter)
			continue;
		tried++;
		flow_filter_format(filter, text, sizeof(text));
		match_in_memory(filter, all, want);
		report = scan(filter, false, pushed);
		if (pushed->count != want->count ||
		    memcmp(pushed->keys, want->keys, want->count * sizeof(want->keys[0])))
			fail_msg("%s: pushed down as \"%s\" %zu, in memory %zu", text,
				 report.pushed_down, pushed->count, want->count);
		with_pushdown += report.pushed_down[0] != '\0';
		with_matches += want->count > 0;
		exact += report.pushed_down[0] && report.received < created &&
			 report.received == report.matched;
		/* What is pushed is really asked for: the kernel sends less. */
		report = scan(filter, true, plain);
		assert_int_equal(report.received, created);
		assert_string_equal(report.pushed_down, "");
		if (plain->count != want->count ||
		    memcmp(plain->keys, want->keys, want->count * sizeof(want->keys[0])))
			fail_msg("%s: plain %zu, in memory %zu", text, plain->count, want->count);
		flow_filter_free(filter);
	}
	print_message(
		"%u filters: %u pushed down, %u with matches, %u answered by the kernel alone\n",
		tried, with_pushdown, with_matches, exact);
	assert_true(with_pushdown > FILTERS / 2 && with_matches > FILTERS / 4 &&
		    exact > FILTERS / 8);
	free(all);
	free(want);
	free(pushed);
	free(plain);
}

static void each_single_condition_is_asked_of_the_kernel(void **state)
{
	static const struct {
		enum flow_filter_key key, more;
		const char *value, *more_value, *pushed;
	} cases[] = {
		{FILTER_FAMILY, 0, "ipv6", NULL, "-f ipv6"},
		{FILTER_SRC, 0, "10.0.1.2", NULL, "-f ipv4 -s 10.0.1.2"},
		{FILTER_DST, 0, "2001:db8:ff00::2", NULL, "-f ipv6"},
		{FILTER_REPLY_SRC, 0, "192.0.2.3", NULL, "-f ipv4 -r 192.0.2.3"},
		{FILTER_REPLY_DST, 0, "10.0.1.2", NULL, "-f ipv4 -q 10.0.1.2"},
		{FILTER_PROTOCOL, 0, "udp", NULL, "-p udp"},
		{FILTER_PROTOCOL, FILTER_DPORT, "udp", "53", "-p udp --dport 53"},
		{FILTER_PROTOCOL, FILTER_SPORT, "tcp", "1030", "-p tcp --sport 1030"},
		{FILTER_PROTOCOL, FILTER_REPLY_SPORT, "tcp", "443", "-p tcp --reply-sport 443"},
		{FILTER_PROTOCOL, FILTER_REPLY_DPORT, "udp", "1031", "-p udp --reply-dport 1031"},
		{FILTER_MARK, 0, "0x100/0xff00", NULL, "-m 0x100/0xff00"},
		{FILTER_MARK, 0, "0", NULL, "-m 0"},
		{FILTER_ZONE, 0, "7", NULL, "-w 7"},
		{FILTER_STATUS, 0, "assured", NULL, "-u assured"},
		{FILTER_UNREPLIED, 0, NULL, NULL, "! -u seen-reply"},
	};
	struct found *found = mem_alloc(sizeof(*found));
	struct problem problem;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_filter *filter = flow_filter_new();
		struct flow_scan_report report;

		assert_int_equal(
			flow_filter_add(filter, cases[i].key, cases[i].value, false, &problem), 0);
		if (cases[i].more_value)
			assert_int_equal(flow_filter_add(filter, cases[i].more, cases[i].more_value,
							 false, &problem),
					 0);
		report = scan(filter, false, found);
		assert_string_equal(report.pushed_down, cases[i].pushed);
		assert_true(found->count > 0);
		/* IPv6 addresses stay with us, see kernel/pushdown.c. */
		if (!strchr(cases[i].value ? cases[i].value : "", ':'))
			assert_int_equal(report.received, report.matched);
		assert_true(report.received < created);
		flow_filter_free(filter);
	}
	free(found);
}

static bool stop_at_first(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	(void)flow;
	(void)raw;
	(void)raw_len;
	(void)arg;
	return false;
}

static void a_pass_ends_when_the_caller_says_so(void **state)
{
	struct scan_options options = {.deadline_ns = 1};
	struct found *found = mem_alloc(sizeof(*found));
	struct flow_scan_report report;

	(void)state;
	assert_int_equal(scan_flows(NULL, NULL, stop_at_first, NULL, NULL, &report), 0);
	assert_int_equal(report.matched, 1);
	assert_int_equal(scan_flows(NULL, NULL, collect, found, &options, &report), -ETIME);
	assert_true(report.received < created);
	free(found);
}

/* ---- against the conntrack tool ---- */

struct line {
	char text[512]; /* without the timeout */
	long timeout;
};

struct lines {
	struct line at[LINES_MAX];
	size_t count;
	struct printer *printer;
};

/* "ipv4 2 tcp 6 431999 ESTABLISHED ...": the fifth word is the timeout. */
static void add_line(struct lines *lines, const char *text)
{
	struct line *line = &lines->at[lines->count++];
	char copy[1024], *word, *rest = copy;
	size_t len = 0;

	assert_true(lines->count <= LINES_MAX);
	memset(line, 0, sizeof(*line));
	snprintf(copy, sizeof(copy), "%s", text);
	for (unsigned i = 0; (word = strtok_r(rest, " \n", &rest)); i++) {
		if (i == 4)
			line->timeout = strtol(word, NULL, 10);
		else
			len += (size_t)snprintf(line->text + len, sizeof(line->text) - len, "%s ",
						word);
	}
}

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	return r ? r : (x->timeout > y->timeout) - (x->timeout < y->timeout);
}

static bool print(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct lines *lines = arg;
	const char *line = printer_line(lines->printer, raw, raw_len, false);

	(void)flow;
	assert_non_null(line);
	add_line(lines, line);
	return true;
}

static void lines_are_those_of_conntrack_token_for_token(void **state)
{
	struct lines *ours = mem_alloc(sizeof(*ours)), *theirs = mem_alloc(sizeof(*theirs));
	struct flow_scan_report report;
	char text[1024];
	unsigned zones = 0, marks = 0, helpers = 0, assured = 0;
	FILE *tool = popen("conntrack -L -o extended 2>/dev/null", "r");

	(void)state;
	assert_non_null(tool);
	while (fgets(text, sizeof(text), tool))
		add_line(theirs, text);
	assert_int_equal(pclose(tool), 0);
	ours->printer = printer_new();
	assert_int_equal(scan_flows(NULL, NULL, print, ours, NULL, &report), 0);
	printer_free(ours->printer);
	assert_int_equal(ours->count, created);
	assert_int_equal(ours->count, theirs->count);
	qsort(ours->at, ours->count, sizeof(ours->at[0]), by_text);
	qsort(theirs->at, theirs->count, sizeof(theirs->at[0]), by_text);
	for (size_t i = 0; i < ours->count; i++) {
		assert_string_equal(ours->at[i].text, theirs->at[i].text);
		assert_in_range(theirs->at[i].timeout - ours->at[i].timeout + 1, 0, 2);
		zones += strstr(ours->at[i].text, " zone=7") != NULL;
		marks += strstr(ours->at[i].text, " mark=257") != NULL;
		helpers += strstr(ours->at[i].text, " helper=ftp") != NULL;
		assured += strstr(ours->at[i].text, "[ASSURED]") != NULL;
	}
	print_message("%zu lines: zone=7 %u, mark=257 %u, helper=ftp %u, [ASSURED] %u\n",
		      ours->count, zones, marks, helpers, assured);
	assert_true(zones && marks && assured);
	free(ours);
	free(theirs);
}

static uint64_t number_of(const char *command)
{
	FILE *tool = popen(command, "r");
	unsigned long long number = 0;

	assert_non_null(tool);
	assert_int_equal(fscanf(tool, "%llu", &number), 1);
	pclose(tool);
	return number;
}

#define SUM_OF(name)                                                                               \
	"conntrack -S | grep -ow '" name "=[0-9]*' | awk -F= '{s += $2} END {print s + 0}'"

static void counters_are_those_of_conntrack(void **state)
{
	struct table_reading reading;
	struct counters *counters;

	(void)state;
	assert_int_equal(counters_open(&counters), 0);
	assert_int_equal(counters_read(counters, &reading), 0);
	assert_int_equal(reading.has, READING_HAS_ENTRIES | READING_HAS_LIMIT |
					      READING_HAS_COUNTERS | READING_HAS_BUCKETS);
	assert_int_equal(reading.entries, created);
	assert_int_equal(reading.entries, number_of("conntrack -C"));
	assert_int_equal(reading.entries_limit,
			 number_of("cat /proc/sys/net/netfilter/nf_conntrack_max"));
	assert_int_equal(reading.buckets,
			 number_of("cat /proc/sys/net/netfilter/nf_conntrack_buckets"));
	assert_int_equal(reading.buckets, buckets_read());
	assert_int_equal(reading.counters.insert, created);
	assert_int_equal(reading.counters.insert, number_of(SUM_OF("insert")));
	assert_int_equal(reading.counters.drop, number_of(SUM_OF("drop")));
	assert_int_equal(reading.counters.found, number_of(SUM_OF("found")));
	assert_int_equal(reading.counters.search_restart, number_of(SUM_OF("search_restart")));
	counters_close(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_lists_every_entry_once),
		cmocka_unit_test(push_down_changes_no_answer),
		cmocka_unit_test(each_single_condition_is_asked_of_the_kernel),
		cmocka_unit_test(a_pass_ends_when_the_caller_says_so),
		cmocka_unit_test(lines_are_those_of_conntrack_token_for_token),
		cmocka_unit_test(counters_are_those_of_conntrack),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, fill, NULL);
}
