/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter: each key plain and negated, errors, contradictions, what is said for push-down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/filter.h"

#define NOW_SEC 1000000ll
#define NS 1000000000ll

/* 10.1.2.3:1000 -> 198.51.100.7:443, source translated to 203.0.113.9. */
static struct flow tcp_flow(void)
{
	struct flow f = {
		.has = FLOW_HAS_TIMEOUT | FLOW_HAS_STATE | FLOW_HAS_MARK | FLOW_HAS_COUNTERS | FLOW_HAS_TIMESTAMP |
		       FLOW_HAS_LABELS | FLOW_HAS_STATUS | FLOW_HAS_REPLY,
		.status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | FLOW_STATUS_CONFIRMED | FLOW_STATUS_SRC_NAT,
		.state = FLOW_TCP_ESTABLISHED,
		.timeout_sec = 431900,
		.mark = 0x15,
		.zone = 3,
		.zone_reply = 4,
		.packets = { 10, 5 },
		.bytes = { 1000, 500 },
		.start_ns = (NOW_SEC - 600) * NS,
	};

	f.labels[5] = 1 << 2; /* label 42 */
	for (unsigned i = 0; i < 2; i++) {
		f.tuple[i].family = AF_INET;
		f.tuple[i].protocol = IPPROTO_TCP;
	}
	inet_pton(AF_INET, "10.1.2.3", f.tuple[0].src);
	inet_pton(AF_INET, "198.51.100.7", f.tuple[0].dst);
	inet_pton(AF_INET, "198.51.100.7", f.tuple[1].src);
	inet_pton(AF_INET, "203.0.113.9", f.tuple[1].dst);
	f.tuple[0].sport = 1000;
	f.tuple[0].dport = 443;
	f.tuple[1].sport = 443;
	f.tuple[1].dport = 2000;
	return f;
}

static bool matches(enum flow_filter_key key, const char *value, bool negated, const struct flow *flow)
{
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct flow_filter_context context = { NOW_SEC * NS, &timeouts };
	struct flow_filter *filter = flow_filter_new();
	struct problem problem = { 0 };
	bool r;

	if (flow_filter_add(filter, key, value, negated, &problem) < 0)
		fail_msg("%s: %s", problem.path, problem.text);
	r = flow_filter_match(filter, flow, &context);
	flow_filter_free(filter);
	return r;
}

static void every_key_matches_plain_and_negated(void **unused)
{
	static const struct {
		enum flow_filter_key key;
		const char *yes, *no; /* "-": no such value */
	} rows[] = {
		{ FILTER_FAMILY, "ipv4", "ipv6" },
		{ FILTER_SRC, "10.0.0.0/8", "10.1.2.4" },
		{ FILTER_SRC, "2001:db8::/32,10.1.2.3", "::/0" },
		{ FILTER_SRC, "0.0.0.0/0", "11.0.0.0/8,10.1.2.0/31" },
		{ FILTER_DST, "198.51.100.7", "10.1.2.3" },
		{ FILTER_REPLY_SRC, "198.51.100.0/24", "203.0.113.9" },
		{ FILTER_REPLY_DST, "203.0.113.9", "10.1.2.3" },
		{ FILTER_PROTOCOL, "tcp", "udp,17,icmp" },
		{ FILTER_SPORT, "1000", "443" },
		{ FILTER_DPORT, "400-500,53", "0-442,444:65535" },
		{ FILTER_REPLY_SPORT, "443", "1000" },
		{ FILTER_REPLY_DPORT, "2000", "1000" },
		{ FILTER_MARK, "0x15", "0" },
		{ FILTER_MARK, "0x10/0xf0", "0x10/0xff" },
		{ FILTER_ZONE, "3", "0" },
		{ FILTER_ZONE, "4", "5" },
		{ FILTER_LABEL, "42", "41,43" },
		{ FILTER_STATUS, "ASSURED", "UNSET" },
		{ FILTER_STATUS, "unset,seen-reply", "dying" },
		{ FILTER_STATE, "ESTABLISHED", "sctp:ESTABLISHED,SYN_SENT" },
		{ FILTER_CLASS, "established", "pickup,stream" },
		{ FILTER_IDLE, "100", "101" },
		{ FILTER_AGE, "10min", "601s" },
		{ FILTER_EXPIRES_IN, "431900", "431899" },
		{ FILTER_SRC_NAT, NULL, "-" },
		{ FILTER_SRC_NAT, "203.0.113.0/24", "198.51.100.7" },
		{ FILTER_DST_NAT, "-", NULL },
		{ FILTER_DST_NAT, "-", "198.51.100.7" },
		{ FILTER_ANY_NAT, "203.0.113.9", "198.51.100.7" },
		{ FILTER_NO_NAT, "-", NULL },
		{ FILTER_UNREPLIED, "-", NULL },
		{ FILTER_BYTES, "1500", "1501" },
		{ FILTER_BYTES, "1k:2k", ":1499" },
		{ FILTER_PACKETS, ":15", "16" },
		{ FILTER_OFFLOAD, "-", NULL },
		{ FILTER_EXPECTED, "-", NULL },
	};
	struct flow f = tcp_flow();

	(void)unused;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].yes || strcmp(rows[i].yes, "-")) {
			assert_true(matches(rows[i].key, rows[i].yes, false, &f));
			assert_false(matches(rows[i].key, rows[i].yes, true, &f));
		}
		if (!rows[i].no || strcmp(rows[i].no, "-")) {
			assert_false(matches(rows[i].key, rows[i].no, false, &f));
			assert_true(matches(rows[i].key, rows[i].no, true, &f));
		}
	}
}

static void flags_match_where_the_bit_is_set(void **unused)
{
	struct flow f = tcp_flow();

	(void)unused;
	f.status = FLOW_STATUS_EXPECTED | FLOW_STATUS_HW_OFFLOAD | FLOW_STATUS_DST_NAT;
	assert_true(matches(FILTER_EXPECTED, NULL, false, &f));
	assert_true(matches(FILTER_OFFLOAD, NULL, false, &f));
	assert_true(matches(FILTER_UNREPLIED, NULL, false, &f));
	assert_true(matches(FILTER_DST_NAT, "198.51.100.7", false, &f));
	assert_true(matches(FILTER_ANY_NAT, "198.51.100.7", false, &f));
	assert_false(matches(FILTER_SRC_NAT, NULL, false, &f));
	f.status = 0;
	assert_true(matches(FILTER_NO_NAT, NULL, false, &f));
	assert_false(matches(FILTER_NO_NAT, NULL, true, &f));
}

static void what_a_flow_does_not_tell_never_matches(void **unused)
{
	static const struct {
		enum flow_filter_key key;
		const char *value;
	} rows[] = { { FILTER_IDLE, "0" },     { FILTER_AGE, "0" },	{ FILTER_EXPIRES_IN, "5" },
		     { FILTER_BYTES, "0" },    { FILTER_PACKETS, "0" }, { FILTER_UNREPLIED, NULL },
		     { FILTER_STATUS, "UNSET" }, { FILTER_REPLY_SRC, "::/0" }, { FILTER_STATE, "CLOSE" } };
	struct flow f = tcp_flow();

	(void)unused;
	f.has = 0;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(matches(rows[i].key, rows[i].value, false, &f));
		assert_false(matches(rows[i].key, rows[i].value, true, &f));
	}
}

static void icmp_has_no_ports(void **unused)
{
	struct flow f = tcp_flow();

	(void)unused;
	f.tuple[0].protocol = IPPROTO_ICMP;
	assert_false(matches(FILTER_SPORT, "0-65535", false, &f));
	assert_true(matches(FILTER_SPORT, "0-65535", true, &f));
}

static void errors_say_where_and_what_would_be_right(void **unused)
{
	static const struct {
		enum flow_filter_key key;
		const char *value, *text;
	} rows[] = {
		{FILTER_SRC, "10.0.0.0/33", "-s 10.0.0.0/33: an IPv4 prefix is at most /32"},
		{FILTER_DPORT, "90-80", "--dport 90-80: the range is backwards; 80-90 would be right"},
		{FILTER_DPORT, "53,90:80", "--dport 90:80: the range is backwards; 80-90 would be right"},
		{FILTER_CLASS, "bogus",
		 "--class bogus: no such class; one of unreplied, half-open, pickup, closing, replied, "
		 "stream, established, offloaded, other would be right"},
		{FILTER_SRC, "", "-s \"\": an empty value; ADDRESS[/LEN] would be right"},
		{FILTER_SRC, "10.0.0.1,,10.0.0.2", "-s \"\": an empty value; ADDRESS[/LEN] would be right"},
		{FILTER_SRC, NULL, "-s: a value is missing; ADDRESS[/LEN] would be right"},
		{FILTER_FAMILY, "ipx", "-f ipx: no such family; ipv4 or ipv6 would be right"},
		{FILTER_UNREPLIED, "x", "--unreplied x: this option takes no value"},
		{FILTER_MARK, "0xf/0x3",
		 "-m 0xf/0x3: the value has bits outside its mask and would never match; 0x3/0x3 would "
		 "be right"},
		{FILTER_SRC, "@/nonexistent", "-s @/nonexistent: cannot read the file: No such file or directory"},
	};
	char buf[800];

	(void)unused;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_filter *filter = flow_filter_new();
		struct problem problem = { 0 };

		assert_true(flow_filter_add(filter, rows[i].key, rows[i].value, false, &problem) < 0);
		assert_string_equal(problem_format(&problem, buf, sizeof(buf)), rows[i].text);
		assert_true(flow_filter_add(filter, rows[i].key, rows[i].value, true, NULL) < 0);
		flow_filter_free(filter);
	}
	static const struct {
		enum flow_filter_key key;
		const char *value;
	} bad[] = {{FILTER_DPORT, "65536"}, {FILTER_DPORT, "1-"},   {FILTER_MARK, "1/0"},     {FILTER_LABEL, "128"},
		   {FILTER_STATE, "OPEN"},  {FILTER_BYTES, ":"},    {FILTER_BYTES, "2:1"},    {FILTER_IDLE, "-5"},
		   {FILTER_STATUS, "x"},    {FILTER_ZONE, "65536"}, {FILTER_PROTOCOL, "256"}, {FILTER_SRC, "host"}};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct flow_filter *filter = flow_filter_new();

		assert_true(flow_filter_add(filter, bad[i].key, bad[i].value, false, NULL) < 0);
		assert_true(flow_filter_is_empty(filter));
		flow_filter_free(filter);
	}
}

/* Builds from pairs key, value; a value that starts with '!' is negated, "" stands for none. */
static struct flow_filter *built(const char *const values[FLOW_FILTER_KEY_COUNT][2])
{
	struct flow_filter *filter = flow_filter_new();

	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		for (unsigned i = 0; i < 2; i++) {
			const char *v = values[key][i];
			bool negated = v && *v == '!';

			if (!v)
				continue;
			v += negated;
			assert_int_equal(
				flow_filter_add(filter, (enum flow_filter_key)key, *v ? v : NULL, negated, NULL), 0);
		}
	}
	return filter;
}

typedef const char *const pairs[FLOW_FILTER_KEY_COUNT][2];

static void contradictions_are_refused(void **unused)
{
	static pairs refused[] = {
		{ [FILTER_FAMILY] = { "ipv4" }, [FILTER_SRC] = { "2001:db8::1" } },
		{ [FILTER_FAMILY] = { "!ipv4,ipv6" } },
		{ [FILTER_SRC] = { "10.0.0.1" }, [FILTER_DST] = { "::1" } },
		{ [FILTER_SRC] = { "10.0.0.0/24", "!10.0.0.0/25,10.0.0.128/25" } },
		{ [FILTER_PROTOCOL] = { "tcp", "!tcp" } },
		{ [FILTER_DPORT] = { "53", "!1-100" } },
		{ [FILTER_PROTOCOL] = { "icmp" }, [FILTER_DPORT] = { "53" } },
		{ [FILTER_UNREPLIED] = { "" }, [FILTER_CLASS] = { "established" } },
		{ [FILTER_UNREPLIED] = { "", "!" } },
		{ [FILTER_STATE] = { "ESTABLISHED" }, [FILTER_PROTOCOL] = { "udp" } },
		{ [FILTER_STATE] = { "SYN_SENT" }, [FILTER_CLASS] = { "established" } },
		{ [FILTER_PROTOCOL] = { "udp" }, [FILTER_CLASS] = { "half-open,pickup" } },
		{ [FILTER_PROTOCOL] = { "tcp" }, [FILTER_CLASS] = { "stream" } },
		{ [FILTER_NO_NAT] = { "" }, [FILTER_SRC_NAT] = { "" } },
		{ [FILTER_NO_NAT] = { "" }, [FILTER_ANY_NAT] = { "10.0.0.1" } },
		{ [FILTER_STATUS] = { "UNSET" }, [FILTER_UNREPLIED] = { "!" } },
		{ [FILTER_STATUS] = { "assured", "!assured" } },
		{ [FILTER_OFFLOAD] = { "" }, [FILTER_CLASS] = { "unreplied" } },
		{ [FILTER_IDLE] = { "10", "!5" } },
		{ [FILTER_EXPIRES_IN] = { "5", "!10" } },
		{ [FILTER_MARK] = { "0x15", "!0x5/0xf" } },
		{ [FILTER_ZONE] = { "0", "!0" } },
		{ [FILTER_BYTES] = { "5:10", "!:20" } },
	};
	static pairs kept[] = {
		{ { NULL } },
		{ [FILTER_FAMILY] = { "ipv4" }, [FILTER_SRC] = { "2001:db8::1,10.0.0.1" } },
		{ [FILTER_SRC] = { "10.0.0.0/24", "!10.0.0.0/25" } },
		{ [FILTER_UNREPLIED] = { "" }, [FILTER_CLASS] = { "established,unreplied" } },
		{ [FILTER_STATE] = { "ESTABLISHED,sctp:CLOSED" }, [FILTER_PROTOCOL] = { "sctp" } },
		{ [FILTER_IDLE] = { "5", "!10" } },
		{ [FILTER_MARK] = { "0x5/0xf", "!0x15" } },
		{ [FILTER_NO_NAT] = { "!" }, [FILTER_ANY_NAT] = { "" } },
		{ [FILTER_PROTOCOL] = { "tcp,udp", "!tcp" }, [FILTER_CLASS] = { "stream" } },
	};
	struct problem p;

	(void)unused;
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct flow_filter *filter = built(refused[i]);

		memset(&p, 0, sizeof(p));
		if (flow_filter_finish(filter, &p) != -EINVAL)
			fail_msg("contradiction %u passed", i);
		assert_true(p.text[0] && p.path[0]);
		flow_filter_free(filter);
	}
	for (unsigned i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct flow_filter *filter = built(kept[i]);

		memset(&p, 0, sizeof(p));
		if (flow_filter_finish(filter, &p) != 0)
			fail_msg("filter %u refused: %s: %s", i, p.path, p.text);
		flow_filter_free(filter);
	}
}

static void a_file_holds_one_value_a_line(void **unused)
{
	char name[] = "/tmp/flow-filter-XXXXXX", value[64], text[128];
	struct flow_filter *filter = flow_filter_new();
	struct problem p = { 0 };
	int fd = mkstemp(name);

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "# list\n10.0.0.0/8 # office\n\n  192.0.2.1\n"), 40);
	snprintf(value, sizeof(value), "@%s", name);
	assert_int_equal(flow_filter_add(filter, FILTER_SRC, value, false, &p), 0);
	assert_string_equal(flow_filter_format(filter, text, sizeof(text)), "-s 10.0.0.0/8,192.0.2.1");
	assert_int_equal(dprintf(fd, "10.0.0.0/40\n"), 12);
	assert_int_equal(flow_filter_add(filter, FILTER_SRC, value, false, &p), -EINVAL);
	assert_int_equal(p.line, 5);
	assert_string_equal(p.file, name);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(flow_filter_add(filter, FILTER_SRC, value, false, &p), -EINVAL);
	close(fd);
	unlink(name);
	flow_filter_free(filter);
}

/* ASAN and valgrind see a set that is freed twice or not at all. */
static void a_shared_set_is_asked_of_another_side(void **unused)
{
	struct flow_filter *from = flow_filter_new(), *other = flow_filter_new();
	struct flow flow = tcp_flow();
	char text[128];

	(void)unused;
	assert_int_equal(flow_filter_add(from, FILTER_SRC, "203.0.113.9,2001:db8::/64", false, NULL), 0);
	flow_filter_share(other, FILTER_REPLY_DST, from, FILTER_SRC);
	assert_false(flow_filter_match(from, &flow, NULL));
	assert_true(flow_filter_match(other, &flow, NULL));
	inet_pton(AF_INET, "203.0.113.8", flow.tuple[1].dst);
	assert_false(flow_filter_match(other, &flow, NULL));
	assert_string_equal(flow_filter_format(other, text, sizeof(text)), "-q 203.0.113.9,2001:db8::/64");
	flow_filter_free(other);
	assert_string_equal(flow_filter_format(from, text, sizeof(text)), "-s 203.0.113.9,2001:db8::/64");
	flow_filter_free(from);
}

static void single_values_are_told_for_push_down(void **unused)
{
	static pairs plain = { [FILTER_SRC] = { "10.0.0.1" }, [FILTER_DST] = { "10.0.0.1,10.0.0.3" },
			       [FILTER_DPORT] = { "53" }, [FILTER_SPORT] = { "53-54" }, [FILTER_PROTOCOL] = { "udp" },
			       [FILTER_FAMILY] = { "ipv4" }, [FILTER_MARK] = { "1/3" }, [FILTER_ZONE] = { "0" } };
	static pairs negated = { [FILTER_SRC] = { "10.0.0.0/8", "!10.0.0.1" }, [FILTER_DPORT] = { "!53" },
				 [FILTER_MARK] = { "!1" } };
	struct flow_filter *filter = built(plain);
	struct prefix prefix;
	uint32_t number, mask;

	(void)unused;
	assert_true(flow_filter_single_address(filter, FILTER_SRC, &prefix));
	assert_int_equal(prefix.len, 32);
	assert_false(flow_filter_single_address(filter, FILTER_DST, &prefix));
	assert_true(flow_filter_single_number(filter, FILTER_DPORT, &number));
	assert_int_equal(number, 53);
	assert_false(flow_filter_single_number(filter, FILTER_SPORT, &number));
	assert_true(flow_filter_single_number(filter, FILTER_PROTOCOL, &number));
	assert_int_equal(number, IPPROTO_UDP);
	assert_true(flow_filter_single_number(filter, FILTER_FAMILY, &number));
	assert_int_equal(number, AF_INET);
	assert_true(flow_filter_single_number(filter, FILTER_ZONE, &number));
	assert_int_equal(number, 0);
	assert_true(flow_filter_single_mark(filter, &number, &mask));
	assert_int_equal(number, 1);
	assert_int_equal(mask, 3);
	flow_filter_free(filter);
	filter = built(negated);
	assert_false(flow_filter_single_address(filter, FILTER_SRC, &prefix));
	assert_false(flow_filter_single_number(filter, FILTER_DPORT, &number));
	assert_false(flow_filter_single_mark(filter, &number, &mask));
	assert_false(flow_filter_status(filter, &number, &mask));
	flow_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_matches_plain_and_negated),
		cmocka_unit_test(flags_match_where_the_bit_is_set),
		cmocka_unit_test(what_a_flow_does_not_tell_never_matches),
		cmocka_unit_test(icmp_has_no_ports),
		cmocka_unit_test(errors_say_where_and_what_would_be_right),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(a_file_holds_one_value_a_line),
		cmocka_unit_test(a_shared_set_is_asked_of_another_side),
		cmocka_unit_test(single_values_are_told_for_push_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
