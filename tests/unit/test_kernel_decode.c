/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as the kernel makes them, built by hand, through kernel/decode and kernel/print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "kernel/kernel.h"

static _Alignas(8) uint8_t buffer[2048];

static struct nlmsghdr *begin(unsigned message, unsigned flags, uint8_t family)
{
	struct nlmsghdr *h;
	struct nfgenmsg *g;

	memset(buffer, 0, sizeof(buffer));
	h = mnl_nlmsg_put_header(buffer);
	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message);
	h->nlmsg_flags = (uint16_t)flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	return h;
}

static struct nlattr *put_addresses(struct nlmsghdr *h, unsigned type, const char *src,
				    const char *dst)
{
	bool is_v6 = strchr(src, ':');
	struct nlattr *tuple = mnl_attr_nest_start(h, (uint16_t)type);
	struct nlattr *ip = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	uint8_t bytes[16];

	assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, src, bytes), 1);
	mnl_attr_put(h, is_v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, is_v6 ? 16 : 4, bytes);
	assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, dst, bytes), 1);
	mnl_attr_put(h, is_v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, is_v6 ? 16 : 4, bytes);
	mnl_attr_nest_end(h, ip);
	return tuple;
}

static struct nlattr *put_ports(struct nlmsghdr *h, unsigned type, const char *src, const char *dst,
				uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct nlattr *tuple = put_addresses(h, type, src, dst);
	struct nlattr *proto = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(h, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(h, proto);
	return tuple;
}

static void put_tuple(struct nlmsghdr *h, unsigned type, const char *src, const char *dst,
		      uint8_t protocol, uint16_t sport, uint16_t dport)
{
	mnl_attr_nest_end(h, put_ports(h, type, src, dst, protocol, sport, dport));
}

static void put_icmp(struct nlmsghdr *h, unsigned type, const char *src, const char *dst,
		     uint16_t id, uint8_t icmp_type, uint8_t code)
{
	bool is_v6 = strchr(src, ':');
	struct nlattr *tuple = put_addresses(h, type, src, dst);
	struct nlattr *proto = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(h, CTA_PROTO_NUM, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	mnl_attr_put_u16(h, is_v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, htons(id));
	mnl_attr_put_u8(h, is_v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, icmp_type);
	mnl_attr_put_u8(h, is_v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, code);
	mnl_attr_nest_end(h, proto);
	mnl_attr_nest_end(h, tuple);
}

static void put_state(struct nlmsghdr *h, unsigned protocol_nest, uint8_t state)
{
	struct nlattr *info = mnl_attr_nest_start(h, CTA_PROTOINFO);
	struct nlattr *nest = mnl_attr_nest_start(h, (uint16_t)protocol_nest);

	mnl_attr_put_u8(h, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(h, nest);
	mnl_attr_nest_end(h, info);
}

static void put_pair(struct nlmsghdr *h, unsigned type, unsigned a, uint64_t first, unsigned b,
		     uint64_t second)
{
	struct nlattr *nest = mnl_attr_nest_start(h, (uint16_t)type);

	mnl_attr_put_u64(h, (uint16_t)a, htobe64(first));
	mnl_attr_put_u64(h, (uint16_t)b, htobe64(second));
	mnl_attr_nest_end(h, nest);
}

/* A TCP entry with everything an entry can have. */
static struct nlmsghdr *full_tcp(void)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, NLM_F_MULTI, AF_INET);
	static const uint8_t labels[16] = {0x02, [15] = 0x80};

	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "192.0.2.7", IPPROTO_TCP, 40000, 443);
	put_tuple(h, CTA_TUPLE_REPLY, "192.0.2.7", "203.0.113.1", IPPROTO_TCP, 443, 40001);
	mnl_attr_put_u32(h, CTA_STATUS,
			 htonl(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED | IPS_SRC_NAT));
	mnl_attr_put_u32(h, CTA_TIMEOUT, htonl(431999));
	put_state(h, CTA_PROTOINFO_TCP, TCP_CONNTRACK_ESTABLISHED);
	mnl_attr_put_u32(h, CTA_MARK, htonl(0xdeadbeef));
	mnl_attr_put_u16(h, CTA_ZONE, htons(7));
	mnl_attr_put_u32(h, CTA_ID, htonl(0x01020304));
	put_pair(h, CTA_COUNTERS_ORIG, CTA_COUNTERS_PACKETS, 5, CTA_COUNTERS_BYTES, 1ull << 33);
	put_pair(h, CTA_COUNTERS_REPLY, CTA_COUNTERS_PACKETS, 6, CTA_COUNTERS_BYTES, 700);
	put_pair(h, CTA_TIMESTAMP, CTA_TIMESTAMP_START, 1764064000000000001ull, CTA_TIMESTAMP_STOP,
		 1764064000000000002ull);
	mnl_attr_put(h, CTA_LABELS, sizeof(labels), labels);
	put_tuple(h, CTA_TUPLE_MASTER, "10.0.0.1", "192.0.2.7", IPPROTO_TCP, 39999, 21);
	mnl_attr_put_u32(h, CTA_USE, htonl(1));
	return h;
}

static struct flow decoded(const struct nlmsghdr *h)
{
	struct flow flow;

	assert_int_equal(decode_message(h, h->nlmsg_len, &flow, NULL), 0);
	return flow;
}

static void assert_address(uint8_t family, const uint8_t *bytes, const char *text)
{
	char buf[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(family, bytes, buf, sizeof(buf)), text);
}

static void tcp_with_everything_is_read_whole(void **state)
{
	struct flow f = decoded(full_tcp());

	(void)state;
	assert_int_equal(f.has, FLOW_HAS_TIMEOUT | FLOW_HAS_STATE | FLOW_HAS_MARK | FLOW_HAS_ID |
					FLOW_HAS_COUNTERS | FLOW_HAS_TIMESTAMP | FLOW_HAS_LABELS |
					FLOW_HAS_MASTER | FLOW_HAS_STATUS | FLOW_HAS_REPLY);
	assert_int_equal(f.tuple[FLOW_ORIG].family, AF_INET);
	assert_int_equal(f.tuple[FLOW_ORIG].protocol, IPPROTO_TCP);
	assert_address(AF_INET, f.tuple[FLOW_ORIG].src, "10.0.0.1");
	assert_address(AF_INET, f.tuple[FLOW_ORIG].dst, "192.0.2.7");
	assert_address(AF_INET, f.tuple[FLOW_REPLY].src, "192.0.2.7");
	assert_address(AF_INET, f.tuple[FLOW_REPLY].dst, "203.0.113.1");
	assert_int_equal(f.tuple[FLOW_ORIG].sport, 40000);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 443);
	assert_int_equal(f.tuple[FLOW_REPLY].sport, 443);
	assert_int_equal(f.tuple[FLOW_REPLY].dport, 40001);
	assert_int_equal(f.status, FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY |
					   FLOW_STATUS_ASSURED | FLOW_STATUS_SRC_NAT);
	assert_int_equal(f.timeout_sec, 431999);
	assert_int_equal(f.state, FLOW_TCP_ESTABLISHED);
	assert_int_equal(f.mark, 0xdeadbeef);
	assert_int_equal(f.id, 0x01020304);
	assert_int_equal(f.zone, 7);
	assert_int_equal(f.zone_reply, 7);
	assert_int_equal(f.packets[FLOW_ORIG], 5);
	assert_true(f.bytes[FLOW_ORIG] == 1ull << 33);
	assert_int_equal(f.packets[FLOW_REPLY], 6);
	assert_int_equal(f.bytes[FLOW_REPLY], 700);
	assert_true(f.start_ns == 1764064000000000001ull);
	assert_true(f.stop_ns == 1764064000000000002ull);
	assert_int_equal(f.labels[0], 0x02);
	assert_int_equal(f.labels[15], 0x80);
	assert_int_equal(f.master.sport, 39999);
	assert_int_equal(f.master.dport, 21);
}

static void udp_without_options_has_only_what_was_sent(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET6);
	struct flow f;

	(void)state;
	put_tuple(h, CTA_TUPLE_ORIG, "2001:db8::1", "2001:db8::53", IPPROTO_UDP, 1024, 53);
	f = decoded(h);
	assert_int_equal(f.has, 0);
	assert_int_equal(f.tuple[FLOW_ORIG].family, AF_INET6);
	assert_address(AF_INET6, f.tuple[FLOW_ORIG].src, "2001:db8::1");
	assert_int_equal(f.tuple[FLOW_REPLY].family, 0);
}

static void icmp_has_its_id_type_and_code_as_ports(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	struct flow f;

	(void)state;
	put_icmp(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", 4711, 8, 0);
	put_icmp(h, CTA_TUPLE_REPLY, "10.0.0.2", "10.0.0.1", 4711, 0, 3);
	f = decoded(h);
	assert_int_equal(f.tuple[FLOW_ORIG].protocol, IPPROTO_ICMP);
	assert_int_equal(f.tuple[FLOW_ORIG].sport, 4711);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 8 << 8);
	assert_int_equal(f.tuple[FLOW_REPLY].dport, 3);

	h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET6);
	put_icmp(h, CTA_TUPLE_ORIG, "fe80::1", "fe80::2", 99, 128, 1);
	f = decoded(h);
	assert_int_equal(f.tuple[FLOW_ORIG].protocol, IPPROTO_ICMPV6);
	assert_int_equal(f.tuple[FLOW_ORIG].sport, 99);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 128 << 8 | 1);
}

static void gre_keeps_its_keys_and_protocols_without_ports_have_none(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	struct nlattr *tuple, *proto;
	struct flow f;

	(void)state;
	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_GRE, 0x1234, 0x5678);
	f = decoded(h);
	assert_int_equal(f.tuple[FLOW_ORIG].sport, 0x1234);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 0x5678);

	h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	tuple = put_addresses(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2");
	proto = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_ESP);
	mnl_attr_nest_end(h, proto);
	mnl_attr_nest_end(h, tuple);
	f = decoded(h);
	assert_int_equal(f.tuple[FLOW_ORIG].protocol, IPPROTO_ESP);
	assert_int_equal(f.tuple[FLOW_ORIG].sport, 0);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 0);
}

static void sctp_and_dccp_states_are_read(void **state)
{
	static const struct {
		uint8_t protocol;
		unsigned nest;
	} cases[] = {{IPPROTO_SCTP, CTA_PROTOINFO_SCTP}, {IPPROTO_DCCP, CTA_PROTOINFO_DCCP}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
		struct flow f;

		put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", cases[i].protocol, 1, 2);
		put_state(h, cases[i].nest, 4);
		f = decoded(h);
		assert_true(f.has & FLOW_HAS_STATE);
		assert_int_equal(f.state, 4);
	}
}

/* A zone may be that of one direction only; the other direction is in zone 0 then. */
static void zone_of_a_tuple_is_that_of_its_direction(void **state)
{
	(void)state;
	for (unsigned which = 1; which <= 3; which++) {
		struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
		struct nlattr *tuple;
		struct flow f;

		tuple = put_ports(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 1, 2);
		if (which & 1)
			mnl_attr_put_u16(h, CTA_TUPLE_ZONE, htons(11));
		mnl_attr_nest_end(h, tuple);
		tuple = put_ports(h, CTA_TUPLE_REPLY, "10.0.0.2", "10.0.0.1", IPPROTO_UDP, 2, 1);
		if (which & 2)
			mnl_attr_put_u16(h, CTA_TUPLE_ZONE, htons(12));
		mnl_attr_nest_end(h, tuple);
		f = decoded(h);
		assert_int_equal(f.zone, which & 1 ? 11 : 0);
		assert_int_equal(f.zone_reply, which & 2 ? 12 : 0);
	}
}

static void labels_shorter_than_128_bits_leave_the_rest_clear(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	static const uint8_t zero[8];
	struct flow f;

	(void)state;
	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 1, 2);
	mnl_attr_put_u64(h, CTA_LABELS, htole64(0x8000000000000001ull));
	f = decoded(h);
	assert_true(f.has & FLOW_HAS_LABELS);
	assert_int_equal(f.labels[0], 0x01);
	assert_int_equal(f.labels[7], 0x80);
	assert_memory_equal(f.labels + 8, zero, 8);
}

static void type_and_flags_tell_the_event(void **state)
{
	static const struct {
		unsigned message, flags;
		enum flow_event_kind kind;
	} cases[] = {
		{IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, FLOW_EVENT_NEW},
		{IPCTNL_MSG_CT_NEW, 0, FLOW_EVENT_UPDATE},
		{IPCTNL_MSG_CT_DELETE, 0, FLOW_EVENT_DESTROY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nlmsghdr *h = begin(cases[i].message, cases[i].flags, AF_INET);
		enum flow_event_kind kind;
		struct flow f;

		put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 1, 2);
		assert_int_equal(decode_message(h, h->nlmsg_len, &f, &kind), 0);
		assert_int_equal(kind, cases[i].kind);
	}
}

/* Refused, with the outputs as they were. */
static void assert_refused(const void *message, size_t len)
{
	enum flow_event_kind kind = FLOW_EVENT_KIND_COUNT;
	struct flow flow, before;

	memset(&flow, 0x5a, sizeof(flow));
	before = flow;
	assert_int_equal(decode_message(message, len, &flow, &kind), -EBADMSG);
	assert_memory_equal(&flow, &before, sizeof(flow));
	assert_int_equal(kind, FLOW_EVENT_KIND_COUNT);
}

static void a_message_cut_short_anywhere_is_refused(void **state)
{
	struct nlmsghdr *h = full_tcp();

	(void)state;
	for (size_t len = 0; len < h->nlmsg_len; len++) {
		void *copy = malloc(
			len ? len : 1); /* exactly as long: a sanitizer sees a read behind it */

		memcpy(copy, h, len);
		assert_refused(copy, len);
		free(copy);
	}
}

/* The length in the header cut too: refused, or read up to an attribute's end, never behind. */
static void a_message_that_ends_early_is_read_up_to_its_end(void **state)
{
	struct nlmsghdr *h = full_tcp();
	unsigned accepted = 0;

	(void)state;
	for (uint32_t len = sizeof(*h); len < h->nlmsg_len; len++) {
		struct nlmsghdr *copy = malloc(len);
		struct flow flow;
		int r;

		memcpy(copy, h, len);
		copy->nlmsg_len = len;
		r = decode_message(copy, len, &flow, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		if (r == 0) {
			accepted++;
			assert_int_equal(flow.tuple[FLOW_ORIG].dport, 443);
		}
		free(copy);
	}
	assert_in_range(accepted, 12,
			20); /* one for each end of an attribute, some without their padding */
}

static void what_is_no_entry_is_refused(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	struct nlattr *tuple;

	(void)state;
	mnl_attr_put_u32(h, CTA_STATUS, 0); /* no tuple */
	assert_refused(h, h->nlmsg_len);
	tuple = mnl_attr_nest_start(h, CTA_TUPLE_ORIG); /* an empty one */
	mnl_attr_nest_end(h, tuple);
	assert_refused(h, h->nlmsg_len);

	h = full_tcp();
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW;
	assert_refused(h, h->nlmsg_len);
	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS;
	assert_refused(h, h->nlmsg_len);
	h->nlmsg_type = NLMSG_DONE;
	assert_refused(h, h->nlmsg_len);
	h = full_tcp();
	h->nlmsg_len = 15;
	assert_refused(h, sizeof(buffer));

	h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET); /* an attribute too short for its kind */
	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 1, 2);
	mnl_attr_put_u16(h, CTA_STATUS, 1);
	assert_refused(h, h->nlmsg_len);
}

static void unknown_attributes_are_skipped(void **state)
{
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, 0, AF_INET);
	struct nlattr *tuple, *nest;
	struct flow f;

	(void)state;
	mnl_attr_put_u32(h, 200, 1);
	tuple = put_ports(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 1, 2);
	mnl_attr_put_u64(h, 99, 1);
	mnl_attr_nest_end(h, tuple);
	nest = mnl_attr_nest_start(h, CTA_PROTOINFO);
	mnl_attr_put_u8(h, 77, 3);
	mnl_attr_nest_end(h, nest);
	mnl_attr_put(h, CTA_MAX + 1, 0, NULL);
	mnl_attr_put_u32(h, CTA_TIMEOUT, htonl(5));
	f = decoded(h);
	assert_int_equal(f.has, FLOW_HAS_TIMEOUT);
	assert_int_equal(f.timeout_sec, 5);
	assert_int_equal(f.tuple[FLOW_ORIG].dport, 2);
}

static void status_bits_and_states_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(FLOW_STATUS_EXPECTED, IPS_EXPECTED);
	assert_int_equal(FLOW_STATUS_SEEN_REPLY, IPS_SEEN_REPLY);
	assert_int_equal(FLOW_STATUS_ASSURED, IPS_ASSURED);
	assert_int_equal(FLOW_STATUS_CONFIRMED, IPS_CONFIRMED);
	assert_int_equal(FLOW_STATUS_SRC_NAT, IPS_SRC_NAT);
	assert_int_equal(FLOW_STATUS_DST_NAT, IPS_DST_NAT);
	assert_int_equal(FLOW_STATUS_DYING, IPS_DYING);
	assert_int_equal(FLOW_STATUS_FIXED_TIMEOUT, IPS_FIXED_TIMEOUT);
	assert_int_equal(FLOW_STATUS_UNTRACKED, IPS_UNTRACKED);
	assert_int_equal(FLOW_STATUS_HELPER, IPS_HELPER);
	assert_int_equal(FLOW_STATUS_OFFLOAD, IPS_OFFLOAD);
	assert_int_equal(FLOW_STATUS_HW_OFFLOAD, IPS_HW_OFFLOAD);
	assert_int_equal(FLOW_TCP_SYN_SENT, TCP_CONNTRACK_SYN_SENT);
	assert_int_equal(FLOW_TCP_ESTABLISHED, TCP_CONNTRACK_ESTABLISHED);
	assert_int_equal(FLOW_TCP_SYN_SENT2, TCP_CONNTRACK_SYN_SENT2);
}

static void a_line_is_the_conntrack_tools(void **state)
{
	struct printer *printer = printer_new();
	struct nlmsghdr *h = begin(IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, AF_INET);

	(void)state;
	put_tuple(h, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 1, 2);
	put_tuple(h, CTA_TUPLE_REPLY, "10.0.0.2", "10.0.0.1", IPPROTO_UDP, 2, 1);
	mnl_attr_put_u32(h, CTA_STATUS, htonl(IPS_CONFIRMED));
	mnl_attr_put_u32(h, CTA_TIMEOUT, htonl(29));
	mnl_attr_put_u16(h, CTA_ZONE, htons(7));
	mnl_attr_put_u32(h, CTA_MARK, 0);
	mnl_attr_put_u32(h, CTA_USE, htonl(1));
	assert_string_equal(
		printer_line(printer, h, h->nlmsg_len, false),
		"ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] "
		"src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 zone=7 use=1");
	assert_string_equal(printer_line(printer, h, h->nlmsg_len, true),
			    "    [NEW] ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 "
			    "dport=2 [UNREPLIED] "
			    "src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 zone=7 use=1");
	assert_null(printer_line(printer, h, h->nlmsg_len - 1, false));
	printer_free(printer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_with_everything_is_read_whole),
		cmocka_unit_test(udp_without_options_has_only_what_was_sent),
		cmocka_unit_test(icmp_has_its_id_type_and_code_as_ports),
		cmocka_unit_test(gre_keeps_its_keys_and_protocols_without_ports_have_none),
		cmocka_unit_test(sctp_and_dccp_states_are_read),
		cmocka_unit_test(zone_of_a_tuple_is_that_of_its_direction),
		cmocka_unit_test(labels_shorter_than_128_bits_leave_the_rest_clear),
		cmocka_unit_test(type_and_flags_tell_the_event),
		cmocka_unit_test(a_message_cut_short_anywhere_is_refused),
		cmocka_unit_test(a_message_that_ends_early_is_read_up_to_its_end),
		cmocka_unit_test(what_is_no_entry_is_refused),
		cmocka_unit_test(unknown_attributes_are_skipped),
		cmocka_unit_test(status_bits_and_states_are_the_kernels),
		cmocka_unit_test(a_line_is_the_conntrack_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
