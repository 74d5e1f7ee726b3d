/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved: lines as conntrack, /proc and ctwarden write them, and lines that are none. The
 * tool's own output of a real table is compared in tests/root/test_flow_saved. */
#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/saved.h"

#define SEC 1000000000ll
#define NOW (1795599667 * SEC)

static struct flow read_ok(const char *line)
{
	struct flow flow;
	struct problem problem = {0};

	memset(&flow, 0xaa, sizeof(flow));
	if (saved_line(line, strlen(line), NOW, &flow, &problem))
		fail_msg("%s: %s", line, problem.text);
	return flow;
}

static void refused(const char *line, const char *words)
{
	struct problem problem = {0};
	struct flow flow, before;

	memset(&flow, 0xaa, sizeof(flow));
	before = flow;
	assert_int_equal(saved_line(line, strlen(line), NOW, &flow, &problem), -EINVAL);
	if (!strstr(problem.text, words))
		fail_msg("no \"%s\" in: %s", words, problem.text);
	assert_memory_equal(&flow, &before, sizeof(flow));
}

static void same_tuple(const struct flow_tuple *tuple, const char *text)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], got[256];

	inet_ntop(tuple->family, tuple->src, src, sizeof(src));
	inet_ntop(tuple->family, tuple->dst, dst, sizeof(dst));
	snprintf(got, sizeof(got), "%u %s:%u > %s:%u", tuple->protocol, src, tuple->sport, dst,
		 tuple->dport);
	assert_string_equal(got, text);
}

#define TCP_LINE                                                                                   \
	"tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=192.0.2.1 sport=40000 dport=443 "          \
	"packets=5 bytes=600 "                                                                     \
	"src=192.0.2.1 dst=203.0.113.9 sport=443 dport=1024 packets=4 bytes=9000 [ASSURED] "       \
	"mark=5 zone=3 use=1"

static void test_a_line_of_conntrack(void **state)
{
	struct flow flow = read_ok(TCP_LINE);

	(void)state;
	same_tuple(&flow.tuple[FLOW_ORIG], "6 10.0.0.1:40000 > 192.0.2.1:443");
	same_tuple(&flow.tuple[FLOW_REPLY], "6 192.0.2.1:443 > 203.0.113.9:1024");
	assert_int_equal(flow.state, FLOW_TCP_ESTABLISHED);
	assert_int_equal(flow.timeout_sec, 431999);
	assert_int_equal(flow.mark, 5);
	assert_int_equal(flow.zone, 3);
	assert_int_equal(flow.zone_reply, 3);
	assert_int_equal(flow.packets[FLOW_ORIG], 5);
	assert_int_equal(flow.bytes[FLOW_REPLY], 9000);
	assert_int_equal(flow.status, FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY |
					      FLOW_STATUS_ASSURED | FLOW_STATUS_SRC_NAT);
	assert_int_equal(flow.has, FLOW_HAS_STATUS | FLOW_HAS_STATE | FLOW_HAS_TIMEOUT |
					   FLOW_HAS_MARK | FLOW_HAS_COUNTERS | FLOW_HAS_REPLY);
	assert_int_equal(flow_class_of(&flow), FLOW_CLASS_ESTABLISHED);
}

static void test_the_family_may_stand_before(void **state)
{
	struct flow plain = read_ok(TCP_LINE), extended = read_ok("ipv4     2 " TCP_LINE);
	struct flow tabs = read_ok("\tipv4\t2 " TCP_LINE "\r"),
		    stamped = read_ok("[1764091987.123456]\t" TCP_LINE);

	(void)state;
	assert_memory_equal(&plain, &extended, sizeof(plain));
	assert_memory_equal(&plain, &tabs, sizeof(plain));
	assert_memory_equal(&plain, &stamped, sizeof(plain));
}

static void test_unreplied_and_both_kinds_of_id(void **state)
{
	struct flow flow =
		read_ok("ipv4     2 icmp     1 99 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 "
			"[UNREPLIED] "
			"src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1 id=2126207536");

	(void)state;
	same_tuple(&flow.tuple[FLOW_ORIG], "1 10.0.0.1:77 > 10.0.0.2:2048");
	same_tuple(&flow.tuple[FLOW_REPLY], "1 10.0.0.2:77 > 10.0.0.1:0");
	assert_int_equal(flow.id, 2126207536);
	assert_true(flow.has & FLOW_HAS_ID);
	assert_int_equal(flow.status, FLOW_STATUS_CONFIRMED);
	assert_int_equal(flow_class_of(&flow), FLOW_CLASS_UNREPLIED);
}

static void test_gre_in_proc_has_timeouts_before_the_source(void **state)
{
	struct flow flow = read_ok(
		"ipv4     2 gre      47 99 timeout=30, stream_timeout=180 src=10.0.0.1 "
		"dst=10.0.0.2 "
		"srckey=0x5 dstkey=0x6 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x6 dstkey=0x5 "
		"mark=0 zone=0 use=2");

	(void)state;
	same_tuple(&flow.tuple[FLOW_ORIG], "47 10.0.0.1:5 > 10.0.0.2:6");
	assert_int_equal(flow.timeout_sec, 99);
	assert_int_equal(flow.zone, 0);
}

static void test_full_ipv6_is_the_same_as_short(void **state)
{
	struct flow full =
		read_ok("ipv6     10 udp      17 29 src=0000:0000:0000:0000:0000:0000:0000:0001 "
			"dst=fd00:0000:0000:0000:0000:0000:0000:0002 sport=5 dport=7 [UNREPLIED] "
			"src=fd00:0000:0000:0000:0000:0000:0000:0002 "
			"dst=0000:0000:0000:0000:0000:0000:0000:0001 "
			"sport=7 dport=5 mark=0 zone=0 use=2");
	struct flow brief = read_ok("udp      17 29 src=::1 dst=fd00::2 sport=5 dport=7 "
				    "[UNREPLIED] src=fd00::2 dst=::1 sport=7 "
				    "dport=5 mark=0 use=1");

	(void)state;
	assert_memory_equal(&full, &brief, sizeof(full));
	same_tuple(&full.tuple[FLOW_ORIG], "17 ::1:5 > fd00::2:7");
}

static void test_zones_of_one_direction(void **state)
{
	struct flow flow = read_ok("tcp      6 99 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=5 "
				   "dport=7 zone-orig=4 [UNREPLIED] "
				   "src=10.0.0.2 dst=10.0.0.1 sport=7 dport=5 mark=0 use=1");

	(void)state;
	assert_int_equal(flow.zone, 4);
	assert_int_equal(flow.zone_reply, 0);
	flow = read_ok("tcp      6 99 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=5 dport=7 "
		       "[UNREPLIED] src=10.0.0.2 "
		       "dst=10.0.0.1 sport=7 dport=5 zone-reply=6 mark=0 use=1");
	assert_int_equal(flow.zone, 0);
	assert_int_equal(flow.zone_reply, 6);
}

static void test_states_ages_offload_and_words_that_are_not_known(void **state)
{
	struct flow flow =
		read_ok("sctp     132 99 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=5 dport=7 "
			"src=10.0.0.2 "
			"dst=10.0.0.1 sport=7 dport=5 [ASSURED] mark=0 "
			"secctx=system_u:object_r:x:s0 helper=ftp "
			"delta-time=12 [start=Wed Nov 25 17:52:52 2026] labels=web use=1");

	(void)state;
	assert_int_equal(flow.state, 4); /* SCTP's ESTABLISHED, not TCP's */
	assert_int_equal(flow.start_ns, NOW - 12 * SEC);
	assert_true(flow.has & FLOW_HAS_TIMESTAMP);
	flow = read_ok("ipv4     2 tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=7 "
		       "src=10.0.0.2 dst=10.0.0.1 sport=7 "
		       "dport=5 [OFFLOAD] mark=0 zone=0 use=3");
	assert_int_equal(flow_class_of(&flow), FLOW_CLASS_OFFLOADED);
	assert_false(flow.has & (FLOW_HAS_TIMEOUT | FLOW_HAS_STATE));
	flow = read_ok("unknown  50 99 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 "
		       "dst=10.0.0.1 mark=0 use=1");
	assert_int_equal(flow.tuple[FLOW_ORIG].protocol, 50);
	flow = read_ok("tcp      6 99 LISTEN src=10.0.0.1 dst=10.0.0.2 sport=5 dport=7 "
		       "src=10.0.0.2 dst=10.0.0.1 sport=7 "
		       "dport=5 mark=0 use=1");
	assert_int_equal(flow.state, FLOW_TCP_SYN_SENT2);
}

static void test_lines_without_an_entry_are_passed_over(void **state)
{
	static const char *const lines[] = {
		"", "   ", "\r", "# a comment",
		"conntrack v1.4.7 (conntrack-tools): 7 flow entries have been shown."};
	struct flow flow;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(saved_line(lines[i], strlen(lines[i]), NOW, &flow, NULL),
				 -ENODATA);
}

static void test_what_is_no_entry_is_refused(void **state)
{
	(void)state;
	refused("hello world", "no entry");
	refused("<?xml version=\"1.0\"?>", "no entry");
	refused("tcp      6 99 ESTABLISHED", "no entry");
	refused("src=10.0.0.1 dst=10.0.0.2", "no entry");
	refused("tcp 6 99 src=10.0.0.300 dst=10.0.0.2", "an address");
	refused("tcp 6 99 src=10.0.0.1 dst=::1", "an address");
	refused("tcp 6 99 src=10.0.0.1 dst=10.0.0.2 sport=70000", "0 to 65535");
	refused("tcp 6 99 src=10.0.0.1 dst=10.0.0.2 sport=-5", "0 to 65535");
	refused("tcp 6 99 src=10.0.0.1 dst=10.0.0.2 mark=x", "a number");
	refused("tcp 6000 99 src=10.0.0.1 dst=10.0.0.2", "protocol number");
	refused("tcp 6 9 src=1.1.1.1 dst=1.1.1.2 src=1.1.1.1 dst=1.1.1.2 src=1.1.1.1 dst=1.1.1.2",
		"two directions");
	refused("{\"schema\":\"ctwarden.top/1\"}", "ctwarden.flow/1");
	refused("{\"schema\":\"ctwarden.flow/1\"}", "missing");
	refused("{\"schema\":\"ctwarden.flow/1\",\"protocol_number\":6}", "an address");
	refused("{\"schema\":\"ctwarden.flow/"
		"1\",\"protocol_number\":6,\"orig\":{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\"},"
		"\"mark\":-1}",
		"whole number");
	refused("{\"schema\"", "");
}

/* ---- documents ---- */

static void test_a_document_is_the_same_entry_as_its_line(void **state)
{
	struct flow line = read_ok(TCP_LINE);
	struct flow json = read_ok(
		"{\"schema\":\"ctwarden.flow/"
		"1\",\"family\":\"ipv4\",\"protocol\":\"tcp\",\"protocol_number\":6,"
		"\"state\":\"ESTABLISHED\",\"timeout_sec\":431999,\"orig\":{\"src\":\"10.0.0.1\","
		"\"dst\":\"192.0.2.1\","
		"\"sport\":40000,\"dport\":443,\"packets\":5,\"bytes\":600},\"reply\":{\"src\":"
		"\"192.0.2.1\","
		"\"dst\":\"203.0.113.9\",\"sport\":443,\"dport\":1024,\"packets\":4,\"bytes\":9000}"
		",\"status\":"
		"[\"seen-reply\",\"assured\",\"confirmed\",\"src-nat\"],\"mark\":5,\"zone\":3}");

	(void)state;
	assert_memory_equal(&line, &json, sizeof(line));
}

static void test_the_document_that_report_writes_is_read(void **state)
{
	const char *source = getenv("srcdir");
	char path[512], line[8192];
	struct flow flow;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/golden/report/flow-icmp.json",
		 source ? source : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	flow = read_ok(line);
	assert_int_equal(flow.tuple[FLOW_ORIG].protocol, IPPROTO_ICMP);
	assert_int_equal(flow.tuple[FLOW_ORIG].dport, 8 << 8);
	assert_true(flow.tuple[FLOW_ORIG].sport != 0);
}

/* ---- files ---- */

struct counting {
	unsigned count, enough;
};

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct counting *c = arg;

	assert_true(flow && !raw && !raw_len);
	return ++c->count != c->enough;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_a_file_of_all_kinds_of_lines(void **state)
{
	char path[] = "/tmp/test_flow_saved.XXXXXX", *text = malloc(3 * SAVED_LINE_MAX);
	struct counting c = {0};
	struct saved_report report;
	struct problem problem = {0};

	(void)state;
	close(mkstemp(path));
	strcpy(text, TCP_LINE "\n\nnot an entry\nconntrack v1.4.7 (conntrack-tools): 1 flow "
			      "entries have been shown.\n");
	memset(text + strlen(text), 'x', SAVED_LINE_MAX + 100);
	strcpy(text + strcspn(text, "x") + SAVED_LINE_MAX + 100,
	       "\nipv4 2 " TCP_LINE); /* no newline at the end */
	write_file(path, text);
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), 0);
	assert_int_equal(c.count, 2);
	assert_int_equal(report.flows, 2);
	assert_int_equal(report.unread, 2);
	assert_int_equal(report.lines, 6);
	assert_int_equal(report.problem.line, 3);
	assert_string_equal(report.problem.file, path);
	c = (struct counting){.enough = 1};
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), 0);
	assert_int_equal(c.count, 1);
	write_file(path, "what is this\nand this\n");
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), -EINVAL);
	assert_int_equal(problem.line, 1);
	write_file(path, "{\n  \"schema\": \"ctwarden.policy/1\"\n}\n");
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "as conntrack -L"));
	write_file(path, ""); /* an empty table */
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), 0);
	assert_int_equal(report.flows, 0);
	unlink(path);
	assert_int_equal(saved_read(path, NOW, on_flow, &c, &report, &problem), -ENOENT);
	assert_non_null(strstr(problem.text, "No such file"));
	assert_int_equal(saved_read("/", NOW, on_flow, &c, &report, &problem), -EISDIR);
	free(text);
}

/* Whatever the bytes, reading ends well (under the sanitizers this looks at every access). */
static void test_property_damaged_lines_do_no_harm(void **state)
{
	static const char *const lines[] = {
		TCP_LINE,
		"ipv4     2 gre      47 99 timeout=30, stream_timeout=180 src=10.0.0.1 "
		"dst=10.0.0.2 srckey=0x5 dstkey=0x6 "
		"[UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x6 dstkey=0x5 mark=0 zone=0 use=2 "
		"[start=Wed Nov 25]",
		"{\"schema\":\"ctwarden.flow/"
		"1\",\"protocol_number\":6,\"orig\":{\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\"},"
		"\"labels\":[1,2],\"status\":[\"assured\"],\"age_sec\":5.5,\"state\":\"CLOSE\"}",
	};
	uint64_t random = 88172645463325252ull;
	unsigned read = 0;
	struct flow flow;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		const char *line = lines[i % 3];
		size_t len = strlen(line), at;
		char *copy = malloc(len); /* exactly so long: nothing behind it may be read */

		memcpy(copy, line, len);
		for (int j = 0; j < 1 + i % 4; j++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			at = random % len;
			copy[at] = (char)(random >> 32);
		}
		len -= (random >> 40) % (len / 2);
		read += saved_line(copy, len, NOW, &flow, NULL) == 0;
		free(copy);
	}
	assert_in_range(read, 1000, 55000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_of_conntrack),
		cmocka_unit_test(test_the_family_may_stand_before),
		cmocka_unit_test(test_unreplied_and_both_kinds_of_id),
		cmocka_unit_test(test_gre_in_proc_has_timeouts_before_the_source),
		cmocka_unit_test(test_full_ipv6_is_the_same_as_short),
		cmocka_unit_test(test_zones_of_one_direction),
		cmocka_unit_test(test_states_ages_offload_and_words_that_are_not_known),
		cmocka_unit_test(test_lines_without_an_entry_are_passed_over),
		cmocka_unit_test(test_what_is_no_entry_is_refused),
		cmocka_unit_test(test_a_document_is_the_same_entry_as_its_line),
		cmocka_unit_test(test_the_document_that_report_writes_is_read),
		cmocka_unit_test(test_a_file_of_all_kinds_of_lines),
		cmocka_unit_test(test_property_damaged_lines_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
