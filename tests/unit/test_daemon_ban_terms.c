/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bans that stand in no nft set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/daemon/ban_terms.h"

static struct ban ban_of(const char *text, int64_t until_ns, double rate_per_sec)
{
	struct ban ban = {.until_ns = until_ns, .rate_per_sec = rate_per_sec};

	assert_int_equal(prefix_parse(text, &ban.prefix, NULL), 0);
	return ban;
}

static void put(struct ban_terms *terms, const char *text, int64_t until_ns, double rate_per_sec, int64_t now_ns)
{
	struct ban ban = ban_of(text, until_ns, rate_per_sec);

	ban_terms_put(terms, &ban, now_ns);
}

static int64_t end_of(const struct ban_terms *terms, const char *text, double rate_per_sec, int64_t now_ns,
		      size_t *ret_same)
{
	struct ban ban = ban_of(text, 0, rate_per_sec);

	return ban_terms_end(terms, &ban, now_ns, ret_same);
}

static int64_t overlap(const struct ban_terms *terms, const char *text, int64_t now_ns)
{
	struct ban ban = ban_of(text, 0, 0);

	return ban_terms_overlap(terms, &ban.prefix, now_ns);
}

static int make(void **state)
{
	*state = calloc(1, sizeof(struct ban_terms));
	return *state ? 0 : -1;
}

static int end(void **state)
{
	ban_terms_free(*state);
	free(*state);
	return 0;
}

static void one_stands_until_its_end_at_its_rate_or_a_milder_one(void **state)
{
	struct ban_terms *terms = *state;
	size_t same = 9;

	put(terms, "10.1.0.66", 100, 5, 1);
	put(terms, "10.1.0.67", 200, 5, 1);
	put(terms, "10.1.0.0/24", 300, 0, 1);
	assert_int_equal(end_of(terms, "10.1.0.66", 5, 99, &same), 100);
	assert_int_equal(same, 2);
	assert_int_equal(end_of(terms, "10.1.0.66", 7, 99, NULL), 100);
	assert_int_equal(end_of(terms, "10.1.0.66", 0, 99, NULL), 0); /* stricter than what stands */
	assert_int_equal(end_of(terms, "10.1.0.66", 5, 100, &same), 0);
	assert_int_equal(same, 1);
	assert_int_equal(end_of(terms, "10.1.0.1", 0, 1, NULL), 0);
	put(terms, "10.1.0.67", 250, 3, 2); /* in place of the milder one, which it outlasts */
	assert_int_equal(end_of(terms, "10.1.0.67", 5, 99, &same), 250);
	assert_int_equal(same, 1);
	put(terms, "10.1.0.67", 150, 0, 2); /* a shorter one leaves the milder one its time */
	assert_int_equal(end_of(terms, "10.1.0.67", 5, 99, NULL), 250);
	assert_int_equal(end_of(terms, "10.1.0.67", 0, 99, NULL), 150);
	put(terms, "10.1.0.67", 120, 0, 2); /* in place of its own rate */
	assert_int_equal(end_of(terms, "10.1.0.67", 0, 99, NULL), 120);
}

static void who_else_holds_it_is_a_wider_ban_the_strictest(void **state)
{
	const struct ban list[] = {ban_of("10.1.0.66", 900, 0), ban_of("10.1.0.0/24", 200, 5),
				   ban_of("10.1.0.0/26", 300, 5), ban_of("10.1.0.64/26", 100, 0),
				   ban_of("10.1.0.64/27", 120, 0), ban_of("10.2.0.0/16", 500, 0),
				   ban_of("2001:db8::/32", 600, 0)};
	struct ban asked = ban_of("10.1.0.66", 0, 0), wider;

	(void)state;
	wider = ban_wider(list, 7, &asked.prefix);
	assert_int_equal(wider.until_ns, 120); /* of the strictest the last to end */
	assert_int_equal(wider.prefix.len, 27);
	wider = ban_wider(list, 3, &asked.prefix);
	assert_int_equal(wider.until_ns, 200);
	assert_true(wider.rate_per_sec == 5);
	assert_int_equal(ban_wider(list, 1, &asked.prefix).until_ns, 0); /* itself is no other */
	asked = ban_of("10.1.0.0/16", 0, 0);
	assert_int_equal(ban_wider(list, 7, &asked.prefix).until_ns, 0);
}

static void what_shares_an_address_overlaps(void **state)
{
	struct ban_terms *terms = *state;

	put(terms, "10.1.0.64/26", 100, 0, 1);
	put(terms, "2001:db8:7::/64", 200, 0, 1);
	assert_int_equal(overlap(terms, "10.1.0.66", 1), 100);
	assert_int_equal(overlap(terms, "10.1.0.0/16", 1), 100);
	assert_int_equal(overlap(terms, "10.1.0.1", 1), 0);
	assert_int_equal(overlap(terms, "2001:db8:7::/48", 1), 200);
	assert_int_equal(overlap(terms, "10.1.0.66", 100), 0);
	put(terms, "10.1.0.66", 70, 0, 1);
	assert_int_equal(overlap(terms, "10.1.0.66", 1), 100); /* the later end */
}

static void a_list_is_in_order_of_their_ends(void **state)
{
	struct ban_terms *terms = *state;
	struct ban list[4];

	assert_int_equal(ban_terms_list(terms, 1, list, 4), 0);
	put(terms, "10.1.0.3", 300, 0, 1);
	put(terms, "10.1.0.1", 100, 0, 1);
	put(terms, "10.1.0.2", 200, 0, 1);
	assert_int_equal(ban_terms_list(terms, 99, list, 4), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(list[i].until_ns, (i + 1) * 100);
	assert_int_equal(ban_terms_list(terms, 100, list, 4), 2); /* what has ended is not of them */
	assert_int_equal(list[0].prefix.addr.bytes[3], 2);
	assert_int_equal(ban_terms_list(terms, 99, list, 2), 2);
	assert_int_equal(list[1].until_ns, 200);
}

static struct ban nth_ban(unsigned i)
{
	struct ban ban = ban_of("10.0.0.0", i == 77 ? 500 : 1000, 0);

	ban.prefix.addr.bytes[2] = (uint8_t)(i >> 8);
	ban.prefix.addr.bytes[3] = (uint8_t)i;
	return ban;
}

static void thousands_stand_beside_each_other(void **state)
{
	struct ban_terms *terms = *state;
	const unsigned count = 3000;
	struct ban ban;
	size_t same;

	for (unsigned i = 0; i < count; i++) {
		ban = nth_ban(i);
		ban_terms_put(terms, &ban, 1);
	}
	assert_int_equal(terms->used, count);
	assert_in_range(terms->room, count, 2 * count); /* no more than they need */
	for (unsigned i = 0; i < count; i++) {
		ban = nth_ban(i);
		assert_int_equal(ban_terms_end(terms, &ban, 1, &same), ban.until_ns);
		assert_int_equal(same, count);
	}
}

static void where_there_is_no_room_the_first_to_end_gives_way(void **state)
{
	struct ban_terms *terms = *state;

	/* Put one by one, each would look at all before it. */
	terms->items = calloc(BAN_TERMS_MAX, sizeof(*terms->items));
	assert_non_null(terms->items);
	terms->used = terms->room = BAN_TERMS_MAX;
	for (unsigned i = 0; i < BAN_TERMS_MAX; i++)
		terms->items[i] = nth_ban(i);
	put(terms, "192.0.2.1", 2000, 0, 2);
	assert_int_equal(terms->used, BAN_TERMS_MAX);
	assert_int_equal(end_of(terms, "192.0.2.1", 0, 2, NULL), 2000);
	assert_int_equal(end_of(terms, "10.0.0.77", 0, 2, NULL), 0);
	assert_int_equal(end_of(terms, "10.0.0.78", 0, 2, NULL), 1000);
	put(terms, "192.0.2.2", 3000, 0, 1000); /* what has ended makes room */
	assert_int_equal(terms->used, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_stands_until_its_end_at_its_rate_or_a_milder_one, make, end),
		cmocka_unit_test(who_else_holds_it_is_a_wider_ban_the_strictest),
		cmocka_unit_test_setup_teardown(what_shares_an_address_overlaps, make, end),
		cmocka_unit_test_setup_teardown(a_list_is_in_order_of_their_ends, make, end),
		cmocka_unit_test_setup_teardown(thousands_stand_beside_each_other, make, end),
		cmocka_unit_test_setup_teardown(where_there_is_no_room_the_first_to_end_gives_way, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
