/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of requests about one entry: whatever the target, a tuple that names one entry is in
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include "../../src/kernel/message.h"

#define TARGETS 5000

static _Alignas(8) uint8_t buffer[MESSAGE_TARGET_MAX];

/* The attribute of this type inside [at, end), or NULL; every attribute must lie inside. */
static const struct nlattr *find(const uint8_t *at, const uint8_t *end, uint16_t type)
{
	const struct nlattr *found = NULL;

	while (at < end) {
		const struct nlattr *attr = (const void *)at;

		assert_true(end - at >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN &&
			    attr->nla_len <= end - at);
		if ((attr->nla_type & NLA_TYPE_MASK) == type) {
			assert_null(found); /* twice: the kernel would take the last */
			found = attr;
		}
		at += NLA_ALIGN(attr->nla_len);
	}
	return found;
}

static const struct nlattr *find_in(const struct nlattr *nest, uint16_t type)
{
	const uint8_t *at = (const void *)nest;

	assert_non_null(nest);
	return find(at + NLA_HDRLEN, at + nest->nla_len, type);
}

static const struct nlattr *top(const struct nlmsghdr *h, uint16_t type)
{
	return find((const uint8_t *)h + NLMSG_LENGTH(sizeof(struct nfgenmsg)),
		    (const uint8_t *)h + h->nlmsg_len, type);
}

static void same(const struct nlattr *attr, const void *bytes, size_t len)
{
	assert_non_null(attr);
	assert_int_equal(attr->nla_len, NLA_HDRLEN + len);
	assert_memory_equal((const uint8_t *)attr + NLA_HDRLEN, bytes, len);
}

static void same_u16(const struct nlattr *attr, uint16_t value)
{
	value = htons(value);
	same(attr, &value, sizeof(value));
}

static void same_u32(const struct nlattr *attr, uint32_t value)
{
	value = htonl(value);
	same(attr, &value, sizeof(value));
}

static void names_the_target(const struct nlmsghdr *h, const struct flow_target *t, uint8_t message)
{
	const struct nfgenmsg *generic = (const void *)((const uint8_t *)h + NLMSG_HDRLEN);
	bool is_v6 = t->orig.family == AF_INET6;
	const struct nlattr *tuple = top(h, CTA_TUPLE_ORIG), *ip, *proto;
	uint8_t type = (uint8_t)(t->orig.dport >> 8), code = (uint8_t)t->orig.dport;

	assert_ptr_equal(h, buffer);
	assert_in_range(h->nlmsg_len, NLMSG_LENGTH(sizeof(*generic)) + 20, MESSAGE_TARGET_MAX);
	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_CTNETLINK << 8 | message);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST); /* no CREATE, no REPLACE, no DUMP */
	assert_int_equal(generic->nfgen_family, t->orig.family);
	assert_non_null(tuple);
	assert_null(top(h, CTA_TUPLE_REPLY));
	assert_null(top(h, CTA_FILTER)); /* makes a DELETE with a tuple a flush */
	ip = find_in(tuple, CTA_TUPLE_IP);
	same(find_in(ip, is_v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC), t->orig.src, is_v6 ? 16 : 4);
	same(find_in(ip, is_v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST), t->orig.dst, is_v6 ? 16 : 4);
	proto = find_in(tuple, CTA_TUPLE_PROTO);
	same(find_in(proto, CTA_PROTO_NUM), &t->orig.protocol, 1);
	if (t->orig.protocol == IPPROTO_ICMP || t->orig.protocol == IPPROTO_ICMPV6) {
		bool v6 = t->orig.protocol == IPPROTO_ICMPV6;

		same_u16(find_in(proto, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID),
			 t->orig.sport);
		same(find_in(proto, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE), &type, 1);
		same(find_in(proto, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE), &code, 1);
	} else {
		same_u16(find_in(proto, CTA_PROTO_SRC_PORT), t->orig.sport);
		same_u16(find_in(proto, CTA_PROTO_DST_PORT), t->orig.dport);
	}
	if (t->zone && t->zone == t->zone_reply)
		same_u16(top(h, CTA_ZONE), t->zone);
	else
		assert_null(top(h, CTA_ZONE));
	if (t->zone && t->zone != t->zone_reply)
		same_u16(find_in(tuple, CTA_TUPLE_ZONE), t->zone);
	else
		assert_null(find_in(tuple, CTA_TUPLE_ZONE));
}

static struct flow_target random_target(void)
{
	static const uint8_t protocols[] = {IPPROTO_TCP,
					    IPPROTO_UDP,
					    IPPROTO_ICMP,
					    IPPROTO_ICMPV6,
					    IPPROTO_GRE,
					    IPPROTO_SCTP,
					    IPPROTO_DCCP,
					    IPPROTO_UDPLITE,
					    IPPROTO_ESP,
					    99,
					    0,
					    255};
	struct flow_target t = {.id = (uint32_t)rand(), .status = (uint32_t)rand() & 0xffff};
	unsigned zoned = (unsigned)rand() % 4;

	t.orig.family = rand() % 2 ? AF_INET : AF_INET6;
	t.orig.protocol = protocols[(size_t)rand() % sizeof(protocols)];
	for (unsigned i = 0; i < (t.orig.family == AF_INET ? 4 : 16); i++) {
		t.orig.src[i] = (uint8_t)rand();
		t.orig.dst[i] = (uint8_t)rand();
	}
	t.orig.sport = rand() % 4 ? (uint16_t)rand() : 0;
	t.orig.dport = rand() % 4 ? (uint16_t)rand() : 0;
	if (zoned & 1)
		t.zone = (uint16_t)rand();
	t.zone_reply = zoned & 2 ? t.zone : 0;
	return t;
}

static void a_delete_names_one_entry_whatever_the_target(void **state)
{
	struct nl_socket socket = {.seq = 41};

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		struct flow_target t = random_target();
		const struct nlmsghdr *h;

		memset(buffer, 0xa5, sizeof(buffer));
		h = message_delete(&socket, buffer, &t);
		names_the_target(h, &t, IPCTNL_MSG_CT_DELETE);
		same_u32(top(h, CTA_ID), t.id);
		assert_int_equal(h->nlmsg_seq, 42 + i);
	}
}

static void a_second_reading_names_one_entry(void **state)
{
	struct nl_socket socket = {0};

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		struct flow_target t = random_target();

		names_the_target(message_get(&socket, buffer, &t), &t, IPCTNL_MSG_CT_GET);
	}
}

static void a_change_of_timeout_names_one_entry_and_creates_none(void **state)
{
	struct nl_socket socket = {0};

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		struct flow_target t = random_target();
		struct flow_timeout_change change = {.timeout_sec = (uint32_t)rand(),
						     .is_fixed = rand() % 2};
		const struct nlmsghdr *h = message_set_timeout(&socket, buffer, &t, &change);

		names_the_target(h, &t, IPCTNL_MSG_CT_NEW);
		same_u32(top(h, CTA_TIMEOUT), change.timeout_sec);
		if (change.is_fixed)
			same_u32(top(h, CTA_STATUS),
				 t.status | FLOW_STATUS_CONFIRMED | FLOW_STATUS_FIXED_TIMEOUT);
		else
			assert_null(top(h, CTA_STATUS));
	}
}

static void a_question_names_one_entry_and_never_puts_assured(void **state)
{
	struct nl_socket socket = {0};

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		struct flow_target t = random_target();
		const struct nlmsghdr *h = message_ask_unchanged(&socket, buffer, &t);

		names_the_target(h, &t, IPCTNL_MSG_CT_NEW);
		same_u32(top(h, CTA_STATUS), FLOW_STATUS_CONFIRMED | (t.status & FLOW_STATUS_SEEN_REPLY));
		assert_null(top(h, CTA_TIMEOUT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delete_names_one_entry_whatever_the_target),
		cmocka_unit_test(a_second_reading_names_one_entry),
		cmocka_unit_test(a_change_of_timeout_names_one_entry_and_creates_none),
		cmocka_unit_test(a_question_names_one_entry_and_never_puts_assured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
