/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/flow, flow/names, flow/timeouts: the class table, the words, idle time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "flow/flow.h"
#include "flow/names.h"
#include "flow/timeouts.h"

#define SEEN FLOW_STATUS_SEEN_REPLY
#define ASSURED FLOW_STATUS_ASSURED

static struct flow entry(uint8_t protocol, uint8_t state, uint32_t status, uint32_t left)
{
	struct flow f = {
		.has = FLOW_HAS_STATUS | FLOW_HAS_TIMEOUT, .status = status, .state = state, .timeout_sec = left};

	f.tuple[FLOW_ORIG].family = AF_INET;
	f.tuple[FLOW_ORIG].protocol = protocol;
	if (state_name(protocol, 0))
		f.has |= FLOW_HAS_STATE;
	return f;
}

static void each_entry_is_in_its_class(void **unused)
{
	static const struct {
		uint8_t protocol, state;
		uint32_t status;
		enum flow_class class;
	} rows[] = {
		{ IPPROTO_UDP, 0, 0, FLOW_CLASS_UNREPLIED },
		{ IPPROTO_ICMP, 0, 0, FLOW_CLASS_UNREPLIED },
		{ IPPROTO_TCP, FLOW_TCP_NONE, 0, FLOW_CLASS_UNREPLIED },
		{ IPPROTO_TCP, FLOW_TCP_SYN_SENT, 0, FLOW_CLASS_UNREPLIED },
		{ IPPROTO_TCP, FLOW_TCP_SYN_SENT2, 0, FLOW_CLASS_UNREPLIED },
		{ IPPROTO_TCP, FLOW_TCP_SYN_SENT2, SEEN, FLOW_CLASS_HALF_OPEN },
		{ IPPROTO_TCP, FLOW_TCP_SYN_RECV, SEEN, FLOW_CLASS_HALF_OPEN },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, 0, FLOW_CLASS_PICKUP },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN | ASSURED, FLOW_CLASS_ESTABLISHED },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN, FLOW_CLASS_ESTABLISHED },
		{ IPPROTO_TCP, FLOW_TCP_FIN_WAIT, SEEN, FLOW_CLASS_CLOSING },
		{ IPPROTO_TCP, FLOW_TCP_CLOSE_WAIT, SEEN, FLOW_CLASS_CLOSING },
		{ IPPROTO_TCP, FLOW_TCP_LAST_ACK, SEEN, FLOW_CLASS_CLOSING },
		{ IPPROTO_TCP, FLOW_TCP_TIME_WAIT, SEEN | ASSURED, FLOW_CLASS_CLOSING },
		{ IPPROTO_TCP, FLOW_TCP_CLOSE, 0, FLOW_CLASS_CLOSING },
		{ IPPROTO_UDP, 0, SEEN, FLOW_CLASS_REPLIED },
		{ IPPROTO_UDP, 0, SEEN | ASSURED, FLOW_CLASS_STREAM },
		{ IPPROTO_SCTP, 4, SEEN | ASSURED, FLOW_CLASS_STREAM },
		{ IPPROTO_UDP, 0, SEEN | FLOW_STATUS_OFFLOAD, FLOW_CLASS_OFFLOADED },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN | FLOW_STATUS_HW_OFFLOAD, FLOW_CLASS_OFFLOADED },
		{ IPPROTO_TCP, FLOW_TCP_SYN_SENT, SEEN, FLOW_CLASS_OTHER },
		{ IPPROTO_TCP, 200, SEEN, FLOW_CLASS_OTHER },
	};

	(void)unused;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow f = entry(rows[i].protocol, rows[i].state, rows[i].status, 10);

		assert_int_equal(flow_class_of(&f), rows[i].class);
	}
	struct flow blind = entry(IPPROTO_UDP, 0, 0, 10);
	blind.has = 0;
	assert_int_equal(flow_class_of(&blind), FLOW_CLASS_OTHER);
	blind = entry(IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN, 10);
	blind.has &= ~FLOW_HAS_STATE;
	assert_int_equal(flow_class_of(&blind), FLOW_CLASS_OTHER);
}

static void names_read_back_as_themselves(void **unused)
{
	char buf[NAMES_TEXT_MAX];
	enum flow_class class;
	uint8_t protocol, state, family;
	uint32_t value, mask;

	(void)unused;
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		assert_int_equal(class_parse(class_name((enum flow_class)i), &class), 0);
		assert_int_equal(class, i);
		assert_int_equal(class_parse(class_key((enum flow_class)i), &class), 0);
		assert_int_equal(class, i);
	}
	for (unsigned i = 0; i < 256; i++) {
		assert_int_equal(protocol_parse(protocol_name((uint8_t)i, buf), &protocol), 0);
		assert_int_equal(protocol, i);
	}
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++) {
		assert_int_equal(state_parse(tcp_state_name((uint8_t)i), &protocol, &state), 0);
		assert_int_equal(protocol, IPPROTO_TCP);
		assert_int_equal(state, i);
	}
	assert_int_equal(state_parse("sctp:established", &protocol, &state), 0);
	assert_int_equal(protocol, IPPROTO_SCTP);
	assert_int_equal(state, 4);
	assert_int_equal(state_parse("udp:x", &protocol, &state), -EINVAL);
	assert_null(state_name(IPPROTO_UDP, 0));
	assert_string_equal(tcp_state_name(99), "UNKNOWN");
	assert_int_equal(protocol_parse("ipv6-icmp", &protocol), 0);
	assert_int_equal(protocol, IPPROTO_ICMPV6);
	assert_int_equal(protocol_parse("256", &protocol), -EINVAL);
	assert_int_equal(protocol_parse("", &protocol), -EINVAL);
	assert_int_equal(family_parse("inet6", &family), 0);
	assert_int_equal(family, AF_INET6);
	assert_int_equal(family_parse("5", &family), -EINVAL);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(status_parse(status_bit_name(i), &value, &mask), 0);
		assert_int_equal(value, 1u << i);
		assert_int_equal(mask, value);
	}
	assert_null(status_bit_name(16));
	assert_int_equal(status_parse("SEEN_REPLY", &value, &mask), 0);
	assert_int_equal(value, SEEN);
	assert_int_equal(status_parse("UNSET", &value, &mask), 0);
	assert_int_equal(value, 0);
	assert_int_equal(mask, SEEN | ASSURED);
	assert_int_equal(status_parse("no", &value, &mask), -EINVAL);
}

static void idle_is_base_minus_left_where_the_base_is_known(void **unused)
{
	static const struct {
		uint8_t protocol, state;
		uint32_t status, left;
		int idle; /* -1: unknown */
	} rows[] = {
		{ IPPROTO_UDP, 0, 0, 10, 20 },
		{ IPPROTO_UDP, 0, SEEN, 10, 20 },
		{ IPPROTO_UDP, 0, SEEN | ASSURED, 10, 110 },
		{ IPPROTO_UDP, 0, 0, 31, -1 },
		{ IPPROTO_ICMP, 0, 0, 30, 0 },
		{ IPPROTO_ICMPV6, 0, 0, 1, 29 },
		{ IPPROTO_GRE, 0, SEEN | ASSURED, 80, 100 },
		{ IPPROTO_GRE, 0, 0, 10, 20 },
		{ IPPROTO_ESP, 0, 0, 100, 500 },
		{ IPPROTO_SCTP, 4, SEEN, 200, 10 },
		{ IPPROTO_TCP, FLOW_TCP_SYN_SENT, 0, 100, 20 },
		{ IPPROTO_TCP, FLOW_TCP_SYN_RECV, SEEN, 1, 59 },
		{ IPPROTO_TCP, FLOW_TCP_TIME_WAIT, SEEN, 0, 120 },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN | ASSURED, 431990, 10 },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN | ASSURED, 301, 431699 },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN | ASSURED, 300, -1 },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, 0, 299, -1 },
		{ IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN, 432001, -1 },
		{ IPPROTO_TCP, FLOW_TCP_NONE, 0, 0, -1 },
		{ IPPROTO_UDP, 0, FLOW_STATUS_FIXED_TIMEOUT, 10, -1 },
		{ IPPROTO_UDP, 0, FLOW_STATUS_OFFLOAD, 10, -1 },
	};
	struct flow_timeouts timeouts = flow_timeouts_default();
	uint32_t idle;

	(void)unused;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow f = entry(rows[i].protocol, rows[i].state, rows[i].status, rows[i].left);
		bool known = flow_idle_sec(&f, &timeouts, &idle);

		assert_int_equal(known, rows[i].idle >= 0);
		if (known)
			assert_int_equal(idle, rows[i].idle);
	}
	struct flow f = entry(IPPROTO_UDP, 0, 0, 10);
	f.has &= ~FLOW_HAS_TIMEOUT;
	assert_false(flow_idle_sec(&f, &timeouts, &idle));
	timeouts.udp_unreplied = 0;
	f = entry(IPPROTO_UDP, 0, 0, 0);
	assert_false(flow_idle_sec(&f, &timeouts, &idle));
}

static void a_brief_keeps_what_rankings_need(void **unused)
{
	struct flow f = entry(IPPROTO_TCP, FLOW_TCP_ESTABLISHED, SEEN, 10);
	struct flow_brief b;

	(void)unused;
	f.tuple[FLOW_ORIG].sport = 1000;
	f.tuple[FLOW_ORIG].src[0] = 10;
	f.tuple[FLOW_REPLY].src[0] = 11;
	f.mark = 7;
	flow_brief_from(&f, &b);
	assert_int_equal(b.class, FLOW_CLASS_ESTABLISHED);
	assert_int_equal(b.sport, 1000);
	assert_int_equal(b.src[0], 10);
	assert_int_equal(b.reply_src[0], 11);
	assert_int_equal(b.mark, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_is_in_its_class),
		cmocka_unit_test(names_read_back_as_themselves),
		cmocka_unit_test(idle_is_base_minus_left_where_the_base_is_known),
		cmocka_unit_test(a_brief_keeps_what_rankings_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
