/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter: random filters keep their meaning through their canonical text, and never say of the status bits what a
 * match does not have; a refused filter matches nothing. Fixed seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "flow/filter.h"

#define FILTERS 3000
#define FLOWS 600

static uint64_t rng = 20251;

static unsigned pick(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng >> 16) % n);
}

static void random_tuple(struct flow_tuple *t, uint8_t family, uint8_t protocol)
{
	static const uint16_t ports[] = { 0, 53, 80, 443, 444, 65535 };

	t->family = family;
	t->protocol = protocol;
	t->sport = ports[pick(6)];
	t->dport = ports[pick(6)];
	t->src[0] = t->dst[0] = family == AF_INET ? 10 : 0x20;
	t->src[family == AF_INET ? 3 : 15] = (uint8_t)pick(8);
	t->dst[family == AF_INET ? 3 : 15] = (uint8_t)pick(8);
}

static struct flow random_flow(void)
{
	static const uint8_t protocols[] = {IPPROTO_TCP,  IPPROTO_TCP,	IPPROTO_TCP, IPPROTO_UDP,
					    IPPROTO_ICMP, IPPROTO_SCTP, 47}; /* TCP often: it has most states */
	uint8_t protocol = protocols[pick(7)], family = pick(3) ? AF_INET : AF_INET6;
	struct flow f = { .has = pick(4) ? 0x3ff : pick(0x400), .mark = pick(8), .zone = (uint16_t)pick(3),
			  .zone_reply = (uint16_t)pick(3), .state = (uint8_t)pick(FLOW_TCP_COUNT),
			  .timeout_sec = pick(140), .start_ns = pick(100) * 1000000000ull };

	if (pick(2))
		f.status = pick(1 << 16);
	else
		f.status = pick(64);
	random_tuple(&f.tuple[0], family, protocol);
	random_tuple(&f.tuple[1], family, protocol);
	f.labels[0] = (uint8_t)pick(8);
	for (unsigned i = 0; i < 2; i++) {
		f.bytes[i] = pick(3000);
		f.packets[i] = pick(20);
	}
	return f;
}

/* Up to four values a key to choose from; flags have none. */
static const char *const values[FLOW_FILTER_KEY_COUNT][4] = {
	[FILTER_FAMILY] = { "ipv4", "ipv6", "ipv4,ipv6", "inet" },
	[FILTER_SRC] = { "10.0.0.1", "10.0.0.0/30,10.0.0.4/30", "2000::/126", "0.0.0.0/0,::/0" },
	[FILTER_DST] = { "10.0.0.3,10.0.0.2", "10.0.0.4/31", "2000::5,2000::6,10.0.0.7", "10.0.0.0/8" },
	[FILTER_REPLY_SRC] = { "10.0.0.1", "10.0.0.0/30", "2000::/16", "::/0" },
	[FILTER_REPLY_DST] = { "10.0.0.6/31", "10.0.0.0/30", "2000::/126", "0.0.0.0/1" },
	[FILTER_PROTOCOL] = { "tcp", "udp,sctp", "icmp,47", "tcp,icmp" },
	[FILTER_SPORT] = { "53", "0-80", "443:444", "65535,1" },
	[FILTER_DPORT] = { "53,54,55", "1-65535", "443", "80-90,85-443" },
	[FILTER_REPLY_SPORT] = { "53", "0-80", "443-444", "0" },
	[FILTER_REPLY_DPORT] = { "53", "0-80", "443-444", "0-65535" },
	[FILTER_MARK] = { "0", "1/1,0x2/0x2", "5,1/1", "0/4" },
	[FILTER_ZONE] = { "0", "1,2", "2", "0-65535" },
	[FILTER_LABEL] = { "0", "1,2", "2", "127" },
	[FILTER_STATUS] = { "assured", "unset,src-nat", "SEEN_REPLY,ASSURED", "dying,expected,unset" },
	[FILTER_STATE] = { "ESTABLISHED", "SYN_SENT,SYN_RECV,sctp:ESTABLISHED", "sctp:CLOSED", "CLOSE,TIME_WAIT" },
	[FILTER_CLASS] = { "unreplied,pickup", "established,stream,replied", "pickup", "stream" },
	[FILTER_IDLE] = { "5", "1500ms", "0,20", "1min" },
	[FILTER_AGE] = { "5", "50,40", "1500ms", "0" },
	[FILTER_EXPIRES_IN] = { "5", "30,60", "100", "1min" },
	[FILTER_SRC_NAT] = { "10.0.0.0/30", "2000::/126", NULL, "10.0.0.5" },
	[FILTER_DST_NAT] = { "10.0.0.0/30", "2000::/126", NULL, "10.0.0.5" },
	[FILTER_ANY_NAT] = { "10.0.0.0/30", "2000::/126", NULL, "10.0.0.5" },
	[FILTER_BYTES] = { "1000", ":2000", "100:200,150:1k", "0" },
	[FILTER_PACKETS] = { "10", ":5,6:7", "0:0", "3:4,20" },
};

static struct flow_filter *random_filter(void)
{
	struct flow_filter *filter = flow_filter_new();

	for (unsigned n = pick(4); n > 0; n--) {
		enum flow_filter_key key = (enum flow_filter_key)pick(FLOW_FILTER_KEY_COUNT);
		const char *value = values[key][pick(4)];

		assert_int_equal(flow_filter_add(filter, key, value, pick(3) == 0, NULL), 0);
	}
	return filter;
}

static enum flow_filter_key key_of(const char *option)
{
	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		const struct flow_filter_key_info *info = &flow_filter_keys[key];

		if (option[1] == '-' ? !strcmp(option + 2, info->name) : info->letter && option[1] == info->letter)
			return (enum flow_filter_key)key;
	}
	fail_msg("unknown option %s", option);
	return FLOW_FILTER_KEY_COUNT;
}

static struct flow_filter *parsed(char *text)
{
	struct flow_filter *filter = flow_filter_new();
	char *word = strtok(text, " ");

	while (word) {
		bool negated = !strcmp(word, "!");
		enum flow_filter_key key = key_of(negated ? strtok(NULL, " ") : word);
		char *next = strtok(NULL, " ");
		const char *value = next && *next != '-' && *next != '!' ? next : NULL;

		assert_int_equal(flow_filter_add(filter, key, value, negated, NULL), 0);
		word = value ? strtok(NULL, " ") : next;
	}
	return filter;
}

static void check_one(const struct flow_filter *filter, const struct flow *flows, struct flow_filter *again)
{
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct flow_filter_context context = { 100ll * 1000000000, &timeouts };
	char text[4096], text_again[4096];
	uint32_t value = 0, mask = 0;
	bool implied, possible;

	flow_filter_format(filter, text, sizeof(text));
	flow_filter_format(again, text_again, sizeof(text_again));
	assert_string_equal(text, text_again);
	assert_int_equal(flow_filter_is_empty(filter), !text[0]);
	implied = flow_filter_status(filter, &value, &mask);
	possible = flow_filter_finish(again, NULL) == 0;
	for (unsigned i = 0; i < FLOWS; i++) {
		bool yes = flow_filter_match(filter, &flows[i], &context);

		if (yes != flow_filter_match(again, &flows[i], &context))
			fail_msg("%s: another meaning after reading it back", text);
		if (yes && !possible)
			fail_msg("%s: refused, but a flow matches", text);
		if (yes && !flow_filter_may_match_life(filter, &flows[i]))
			fail_msg("%s: matches, though what lasts does not", text);
		if (yes && !flow_filter_may_come(filter, &flows[i]))
			fail_msg("%s: matches, though it can never come to", text);
		if (yes && implied && (flows[i].status & mask) != value)
			fail_msg("%s: status 0x%x under 0x%x is not implied", text, value, mask);
	}
}

static void random_filters_keep_their_meaning(void **unused)
{
	static struct flow flows[FLOWS];
	char text[4096];

	(void)unused;
	for (unsigned i = 0; i < FLOWS; i++)
		flows[i] = random_flow();
	for (unsigned i = 0; i < FILTERS; i++) {
		struct flow_filter *filter = random_filter(), *again;

		again = parsed(flow_filter_format(filter, text, sizeof(text)));
		check_one(filter, flows, again);
		flow_filter_free(filter);
		flow_filter_free(again);
	}
}

static void check_pair(const struct flow_filter *a, const struct flow_filter *b, const struct flow *flows,
		       unsigned *disjoint)
{
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct flow_filter_context context = { 100ll * 1000000000, &timeouts };
	bool may_meet = flow_filter_may_meet(a, b);
	char text_a[4096], text_b[4096];

	assert_int_equal(may_meet, flow_filter_may_meet(b, a));
	*disjoint += !may_meet;
	for (unsigned i = 0; i < FLOWS; i++) {
		const struct flow_tuple *orig = &flows[i].tuple[FLOW_ORIG];
		bool yes = flow_filter_match(a, &flows[i], &context);

		if (yes && !may_meet && flow_filter_match(b, &flows[i], &context))
			fail_msg("%s and %s meet in a flow", flow_filter_format(a, text_a, sizeof(text_a)),
				 flow_filter_format(b, text_b, sizeof(text_b)));
		if (yes && !flow_filter_may_match(a, orig->protocol, orig->family))
			fail_msg("%s matches protocol %u", flow_filter_format(a, text_a, sizeof(text_a)),
				 orig->protocol);
	}
}

static void filters_that_meet_are_never_called_disjoint(void **unused)
{
	static struct flow flows[FLOWS];
	unsigned disjoint = 0;

	(void)unused;
	for (unsigned i = 0; i < FLOWS; i++)
		flows[i] = random_flow();
	for (unsigned i = 0; i < 4 * FILTERS; i++) {
		struct flow_filter *a = random_filter(), *b = random_filter();

		check_pair(a, b, flows, &disjoint);
		flow_filter_free(a);
		flow_filter_free(b);
	}
	/* Many pairs are told apart, or the comparison would be of no use. */
	assert_in_range(disjoint, FILTERS / 4, 4 * FILTERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_filters_keep_their_meaning),
					    cmocka_unit_test(filters_that_meet_are_never_called_disjoint) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
