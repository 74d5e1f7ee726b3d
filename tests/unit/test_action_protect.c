/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is protected is found whichever way round it stands, and is called out of reach only where
 * that is certain. */
#include "stats_fixture.h"

#include <errno.h>

#include "action/protect.h"

#define PEER  IP(192, 0, 2, 7)
#define LOCAL IP(10, 0, 0, 1)

static struct flow_filter *filter_of(enum flow_filter_key key, const char *value)
{
	struct flow_filter *filter = flow_filter_new();

	assert_int_equal(flow_filter_add(filter, key, value, false, NULL), 0);
	return filter;
}

static struct protect *with_operator(void)
{
	struct flow flow = flow_answered(TCP, PEER, LOCAL, 50000, 22),
		    other = flow_answered(TCP, PEER, LOCAL, 50001, 22);
	struct flow_tuple tuples[2] = {other.tuple[FLOW_ORIG], flow.tuple[FLOW_ORIG]};
	struct protect *protect = protect_new();

	protect_set_operator(protect, tuples, 2);
	return protect;
}

static void operator_is_found_in_every_orientation(void **state)
{
	struct protect *protect = with_operator();
	struct flow flow = flow_answered(TCP, PEER, LOCAL, 50000, 22);

	(void)state;
	assert_int_equal(protect_hit(protect, &flow, NULL), 0);
	flow = flow_pickup(LOCAL, PEER, 22,
			   50000); /* after a flush the server may stand as source */
	assert_int_equal(protect_hit(protect, &flow, NULL), 0);
	/* Redirected from another port and address: only the reply tuple tells. */
	flow = flow_answered(TCP, PEER, LOCAL, 50000, 22);
	put_ipv4(flow.tuple[FLOW_ORIG].dst, IP(203, 0, 113, 1));
	flow.tuple[FLOW_ORIG].dport = 2222;
	assert_int_equal(protect_hit(protect, &flow, NULL), 0);
	flow.has &= ~(uint32_t)FLOW_HAS_REPLY;
	assert_int_equal(protect_hit(protect, &flow, NULL), PROTECT_NONE);
	flow = flow_answered(TCP, PEER, LOCAL, 50001, 22);
	flow.zone = flow.zone_reply = 9;
	assert_int_equal(protect_hit(protect, &flow, NULL), 0);
	protect_free(protect);
}

static void neighbours_of_the_operator_are_not_protected(void **state)
{
	struct protect *protect = with_operator();
	struct flow flow = flow_answered(TCP, PEER, LOCAL, 50002, 22);

	(void)state;
	assert_int_equal(protect_hit(protect, &flow, NULL), PROTECT_NONE);
	flow = flow_answered(TCP, PEER, LOCAL, 50000, 23);
	assert_int_equal(protect_hit(protect, &flow, NULL), PROTECT_NONE);
	flow = flow_answered(UDP, PEER, LOCAL, 50000, 22);
	assert_int_equal(protect_hit(protect, &flow, NULL), PROTECT_NONE);
	flow = flow_answered(TCP, PEER + 1, LOCAL, 50000, 22);
	assert_int_equal(protect_hit(protect, &flow, NULL), PROTECT_NONE);
	protect_free(protect);
}

static void mapped_sockets_protect_ipv4_flows(void **state)
{
	struct flow flow = flow_answered(TCP, PEER, LOCAL, 50000, 22);
	struct flow_tuple tuple = flow.tuple[FLOW_ORIG];
	struct protect *protect = protect_new();

	(void)state;
	tuple.family = AF_INET6;
	memset(tuple.src, 0, sizeof(tuple.src));
	memset(tuple.dst, 0, sizeof(tuple.dst));
	tuple.src[10] = tuple.src[11] = tuple.dst[10] = tuple.dst[11] = 0xff;
	memcpy(tuple.src + 12, flow.tuple[FLOW_ORIG].src, 4);
	memcpy(tuple.dst + 12, flow.tuple[FLOW_ORIG].dst, 4);
	protect_set_operator(protect, &tuple, 1);
	assert_int_equal(protect_hit(protect, &flow, NULL), 0);
	protect_free(protect);
}

static void filters_protect_in_their_order(void **state)
{
	struct protect *protect = protect_new();
	struct flow flow = flow_answered(UDP, PEER, LOCAL, 1, 53);
	struct flow other = flow_answered(UDP, LOCAL, PEER, 1, 123);

	(void)state;
	assert_int_equal(protect_add(protect, filter_of(FILTER_SRC, "10.0.0.0/8"), "inside"), 0);
	assert_int_equal(protect_add(protect, filter_of(FILTER_DPORT, "53,123"), "names and time"),
			 0);
	assert_int_equal(protect_hit(protect, &flow, NULL), 1);
	assert_int_equal(protect_hit(protect, &other, NULL), 0);
	assert_string_equal(protect_name(protect, 1), "names and time");
	assert_int_equal(protect_count(protect), 2);
	protect_free(protect);
}

static void too_many_filters_are_refused(void **state)
{
	struct protect *protect = protect_new();
	struct flow_filter *filter;
	int i;

	(void)state;
	for (i = 0; i < PROTECT_MAX; i++)
		assert_int_equal(protect_add(protect, filter_of(FILTER_DPORT, "53"), "one"), 0);
	filter = filter_of(FILTER_DPORT, "53");
	assert_int_equal(protect_add(protect, filter, "too many"), -ENOSPC);
	flow_filter_free(filter);
	protect_free(protect);
}

static bool meets(const struct protect *protect, enum flow_filter_key key, const char *value,
		  size_t *ret_index)
{
	struct flow_filter *filter = filter_of(key, value);
	bool yes = protect_may_meet(protect, filter, ret_index);

	flow_filter_free(filter);
	return yes;
}

static void overlaps_are_told_by_comparing(void **state)
{
	struct protect *protect = protect_new();
	size_t index = 99;

	(void)state;
	assert_false(meets(protect, FILTER_SRC, "10.0.0.5", NULL));
	protect_add(protect, filter_of(FILTER_PROTOCOL, "udp"), "udp");
	protect_add(protect, filter_of(FILTER_SRC, "10.0.0.0/24"), "inside");
	assert_true(meets(protect, FILTER_DST, "10.0.0.5", &index));
	assert_int_equal(index, 0);
	protect_free(protect);
	protect = protect_new();
	protect_add(protect, filter_of(FILTER_SRC, "10.0.0.0/24,10.2.0.0/16"), "inside");
	assert_true(meets(protect, FILTER_SRC, "10.0.0.5", NULL));
	assert_true(meets(protect, FILTER_SRC, "10.0.0.0/8", NULL));
	assert_false(meets(protect, FILTER_SRC, "10.1.0.0/16", NULL));
	assert_false(meets(protect, FILTER_FAMILY, "ipv6", NULL));
	/* A flow has two zones: nothing is certain. */
	assert_true(meets(protect, FILTER_ZONE, "3", NULL));
	protect_free(protect);
}

static void only_tcp_of_its_family_can_be_the_operators(void **state)
{
	struct protect *protect = with_operator();

	(void)state;
	assert_true(meets(protect, FILTER_SRC, "10.9.9.9", NULL));
	assert_false(meets(protect, FILTER_PROTOCOL, "udp", NULL));
	assert_false(meets(protect, FILTER_SRC, "2001:db8::1", NULL));
	assert_true(meets(protect, FILTER_STATE, "TIME_WAIT", NULL));
	protect_free(protect);
}

static void the_operators_flows_say_what_cannot_meet_them(void **state)
{
	struct protect *protect = with_operator();
	struct flow flows[2] = {flow_answered(TCP, PEER, LOCAL, 50000, 22),
				flow_answered(TCP, PEER, LOCAL, 50001, 22)};

	(void)state;
	put_ipv4(flows[0].tuple[FLOW_ORIG].dst, IP(203, 0, 113, 1));
	flows[0].tuple[FLOW_ORIG].dport = 2222;
	protect_set_operator_flows(protect, flows, 2);
	assert_false(meets(protect, FILTER_SRC, "10.9.9.9", NULL));
	assert_false(meets(protect, FILTER_DPORT, "443", NULL));
	assert_true(meets(protect, FILTER_SRC, "192.0.2.0/24", NULL));
	assert_true(meets(protect, FILTER_DPORT, "2222", NULL));
	assert_true(meets(protect, FILTER_DST, "203.0.113.1", NULL));
	assert_true(meets(protect, FILTER_REPLY_SRC, "10.0.0.1", NULL));
	assert_true(meets(protect, FILTER_ZONE, "0", NULL));
	assert_false(meets(protect, FILTER_ZONE, "5", NULL));
	/* What may change is no difference. */
	assert_true(meets(protect, FILTER_STATE, "TIME_WAIT", NULL));
	assert_true(meets(protect, FILTER_MARK, "7", NULL));
	assert_true(meets(protect, FILTER_UNREPLIED, NULL, NULL));
	protect_free(protect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operator_is_found_in_every_orientation),
		cmocka_unit_test(neighbours_of_the_operator_are_not_protected),
		cmocka_unit_test(mapped_sockets_protect_ipv4_flows),
		cmocka_unit_test(filters_protect_in_their_order),
		cmocka_unit_test(too_many_filters_are_refused),
		cmocka_unit_test(overlaps_are_told_by_comparing),
		cmocka_unit_test(only_tcp_of_its_family_can_be_the_operators),
		cmocka_unit_test(the_operators_flows_say_what_cannot_meet_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
