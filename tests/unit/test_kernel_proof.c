/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries a proof is made of: for every set of attributes, one that matches, and for each
 * attribute one that fails that attribute alone, no two of them in each other's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "../../src/kernel/proof_table.h"

#define PORTS (SIDE_SPORT | SIDE_DPORT)

enum failure {
	FAIL_FAMILY,
	FAIL_STATUS,
	FAIL_MARK,
	FAIL_ZONE,
	FAIL_PROTOCOL,
	FAIL_SIDE
}; /* FAIL_SIDE + 4 * side + member */

static bool fails_member(const struct flow_tuple *asked, const struct flow_tuple *tuple,
			 unsigned member)
{
	switch (member) {
	case 0:
		return memcmp(asked->src, tuple->src, 16) != 0;
	case 1:
		return memcmp(asked->dst, tuple->dst, 16) != 0;
	case 2:
		return asked->sport != tuple->sport;
	default:
		return asked->dport != tuple->dport;
	}
}

/* Which conditions of the set the entry fails, told independently of how the entries are made. */
static unsigned failures(const struct proof_set *set, const struct pushdown *asked,
			 const struct proof_entry *entry)
{
	static const uint32_t members[] = {SIDE_SRC, SIDE_DST, SIDE_SPORT, SIDE_DPORT};
	uint8_t family = entry->tuple[FLOW_ORIG].family;
	unsigned failed = 0;

	if (set->family && family != set->family)
		return 1u << FAIL_FAMILY; /* its addresses are no measure then */
	if ((entry->status & set->status_mask) != set->status)
		failed |= 1u << FAIL_STATUS;
	if ((entry->mark ^ asked->mark) & set->mark_mask)
		failed |= 1u << FAIL_MARK;
	if (set->has_zone && entry->zone != asked->zone && entry->zone_reply != asked->zone)
		failed |= 1u << FAIL_ZONE;
	if (set->protocol && entry->tuple[FLOW_ORIG].protocol != set->protocol)
		failed |= 1u << FAIL_PROTOCOL;
	for (unsigned side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		for (unsigned i = 0; i < 4; i++) {
			if (set->flags[side] & members[i] &&
			    fails_member(&asked->side[side].tuple, &entry->tuple[side], i))
				failed |= 1u << (FAIL_SIDE + 4 * side + i);
		}
	}
	return failed;
}

/* What the kernel's hash would take for the same entry. */
static bool clash(const struct flow_tuple *a, uint16_t zone_a, const struct flow_tuple *b,
		  uint16_t zone_b)
{
	return !memcmp(a, b, sizeof(*a)) && zone_a == zone_b;
}

static void none_is_in_anothers_way(const struct proof_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		for (unsigned k = 0; k < i; k++) {
			const struct proof_entry *a = &table->entries[i], *b = &table->entries[k];

			assert_false(clash(&a->tuple[0], a->zone, &b->tuple[0], b->zone));
			assert_false(
				clash(&a->tuple[1], a->zone_reply, &b->tuple[1], b->zone_reply));
			assert_false(clash(&a->tuple[0], a->zone, &b->tuple[1], b->zone_reply));
			assert_false(clash(&a->tuple[1], a->zone_reply, &b->tuple[0], b->zone));
		}
	}
}

static unsigned asked_for(const struct proof_set *set)
{
	static const uint32_t members[] = {SIDE_SRC, SIDE_DST, SIDE_SPORT, SIDE_DPORT};
	unsigned asked = 0;

	asked |= set->family ? 1u << FAIL_FAMILY : 0;
	asked |= set->status_mask ? 1u << FAIL_STATUS : 0;
	asked |= set->mark_mask ? 1u << FAIL_MARK : 0;
	asked |= set->has_zone ? 1u << FAIL_ZONE : 0;
	asked |= set->protocol ? 1u << FAIL_PROTOCOL : 0;
	for (unsigned side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		for (unsigned i = 0; i < 4; i++)
			asked |= set->flags[side] & members[i] ? 1u << (FAIL_SIDE + 4 * side + i)
							       : 0;
	}
	return asked;
}

static void check(const struct proof_set *set)
{
	struct proof_table table;
	unsigned alone = 0, goes = 0;

	assert_int_equal(proof_table_make(set, &table), 0);
	none_is_in_anothers_way(&table);
	for (unsigned i = 0; i < table.count; i++) {
		unsigned failed = failures(set, &table.request, &table.entries[i]);

		assert_int_equal(table.entries[i].goes, failed == 0);
		assert_true(!failed || !(failed & (failed - 1))); /* that one alone */
		alone |= failed;
		goes += !failed;
	}
	assert_int_equal(alone, asked_for(set)); /* each is failed by one */
	assert_true(goes >= 2);
}

static const struct {
	uint32_t status, mask;
} statuses[] = {{0, 0}, {0, 2}, {2, 2},	 {0, 4},      {4, 4},
		{6, 6}, {0, 6}, {8, 10}, {0, 0xc002}, {0x400, 0x400}};

static void each_attribute_is_failed_alone(void **state)
{
	static const uint32_t marks[] = {0, UINT32_MAX, 0xff00, 1, 0x80000000};
	static const uint8_t families[] = {0, AF_INET, AF_INET6};
	static const uint8_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};
	struct proof_table table;
	unsigned checked = 0, impossible = 0;

	(void)state;
	/* Every combination of 8 tuple members, protocol, family, status, mark, zone that a filter
	 * can come to. */
	for (unsigned n = 0; n < 256u * 3 * 3 * 10 * 5 * 2; n++) {
		unsigned rest = n, members = rest % 256;
		struct proof_set set = {0};

		rest /= 256;
		set.protocol = protocols[rest % 3];
		set.family = families[rest / 3 % 3];
		rest /= 9;
		set.status = statuses[rest % 10].status;
		set.status_mask = statuses[rest % 10].mask;
		set.mark_mask = marks[rest / 10 % 5];
		set.has_zone = rest / 50;
		set.flags[FLOW_ORIG] = (members & 3) | (members & 12) << 2 |
				       (set.protocol ? SIDE_PROTOCOL : 0);
		set.flags[FLOW_REPLY] = (members >> 4 & 3) | (members >> 4 & 12) << 2;
		if (set.flags[FLOW_REPLY] & PORTS)
			set.flags[FLOW_REPLY] |= SIDE_PROTOCOL;
		/* Ports need a protocol, addresses IPv4, a tuple a family. */
		if (((set.flags[0] | set.flags[1]) & PORTS && !set.protocol) ||
		    ((set.flags[0] | set.flags[1]) & (SIDE_SRC | SIDE_DST) &&
		     set.family != AF_INET) ||
		    ((set.flags[0] | set.flags[1]) && !set.family))
			continue;
		if (set.has_zone &&
		    ((set.flags[0] & 0x33) == 0x33 || (set.flags[1] & 0x33) == 0x33)) {
			assert_int_equal(proof_table_make(&set, &table), -EOPNOTSUPP);
			impossible++;
			continue;
		}
		check(&set);
		checked++;
	}
	print_message("%u sets, %u that name one entry and its zone\n", checked, impossible);
	assert_true(checked > 30000 && impossible > 100);
}

static void what_cannot_be_made_is_not_proven(void **state)
{
	static const struct proof_set sets[] = {
		{.status = FLOW_STATUS_OFFLOAD, .status_mask = FLOW_STATUS_OFFLOAD},
		{.status = FLOW_STATUS_SRC_NAT, .status_mask = FLOW_STATUS_SRC_NAT},
		{.status = FLOW_STATUS_SRC_NAT,
		 .status_mask = FLOW_STATUS_SRC_NAT | FLOW_STATUS_SEEN_REPLY},
		{.status = FLOW_STATUS_EXPECTED, .status_mask = FLOW_STATUS_EXPECTED},
		{.status_mask = FLOW_STATUS_CONFIRMED},
		{.status_mask = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_CONFIRMED},
		{.status = FLOW_STATUS_CONFIRMED, .status_mask = FLOW_STATUS_CONFIRMED},
		{.status_mask = FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT},
	};
	struct proof_table table;

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		assert_int_equal(proof_table_make(&sets[i], &table), -EOPNOTSUPP);
}

static void sets_are_told_apart_by_their_text(void **state)
{
	static const struct proof_set sets[] = {
		{0},
		{.family = AF_INET},
		{.family = AF_INET6},
		{.protocol = IPPROTO_TCP},
		{.protocol = IPPROTO_UDP},
		{.has_zone = true},
		{.flags = {1, 0}},
		{.flags = {0, 1}},
		{.flags = {2, 0}},
		{.status_mask = 2},
		{.status = 2, .status_mask = 2},
		{.status_mask = 4},
		{.mark_mask = 1},
		{.mark_mask = UINT32_MAX},
	};
	char a[PROOF_TEXT_MAX], b[PROOF_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
			proof_set_format(&sets[i], a);
			proof_set_format(&sets[k], b);
			assert_int_equal(!strcmp(a, b), i == k);
			assert_int_equal(proof_set_equal(&sets[i], &sets[k]), i == k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attribute_is_failed_alone),
		cmocka_unit_test(what_cannot_be_made_is_not_proven),
		cmocka_unit_test(sets_are_told_apart_by_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
