/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/ranking, stats/ranking_key: keys, columns, order, bounded mode, rates. */
#include "stats_fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/ranking.h"

static struct ranking *ranking_by(enum ranking_by by, size_t max)
{
	struct ranking_config config = ranking_config_default(by);

	config.max = max;
	return ranking_new(&config);
}

static void add(struct ranking *ranking, const struct flow *flow)
{
	ranking_add(ranking, flow, flow_class_of(flow));
}

static const char *key_text(enum ranking_by by, const struct flow *flow)
{
	static char buf[RANKING_TEXT_MAX];
	struct ranking_config config = ranking_config_default(by);
	struct ranking_key key = ranking_key_of(&config, flow);

	return ranking_key_format(&config, &key, buf);
}

static void keys_are_read_as_people_write_them(void **unused)
{
	struct flow tcp = flow_make(TCP, IP(10, 1, 2, 66), IP(192, 0, 2, 1), 40000, 22);
	struct flow icmp = flow_make(ICMP, IP(10, 1, 2, 66), IP(192, 0, 2, 1), 7, 8 << 8);
	struct flow gre = flow_answered(47, IP(10, 1, 2, 66), IP(192, 0, 2, 1), 0, 0);
	struct flow v6 = flow_make(UDP, 0, 0, 1, 53);

	(void)unused;
	tcp.mark = 5;
	assert_string_equal(key_text(RANKING_BY_SOURCE, &tcp), "10.1.2.66");
	assert_string_equal(key_text(RANKING_BY_PREFIX, &tcp), "10.1.2.0/24");
	assert_string_equal(key_text(RANKING_BY_DESTINATION, &tcp), "192.0.2.1");
	assert_string_equal(key_text(RANKING_BY_SERVICE, &tcp), "tcp/22");
	assert_string_equal(key_text(RANKING_BY_CLASS, &tcp), "unreplied");
	assert_string_equal(key_text(RANKING_BY_STATE, &tcp), "tcp SYN_SENT");
	assert_string_equal(key_text(RANKING_BY_MARK, &tcp), "mark 0x5");
	assert_string_equal(key_text(RANKING_BY_SERVICE, &icmp), "icmp/8");
	assert_string_equal(key_text(RANKING_BY_STATE, &icmp), "icmp unreplied");
	assert_string_equal(key_text(RANKING_BY_SERVICE, &gre), "gre");
	assert_string_equal(key_text(RANKING_BY_STATE, &gre), "gre assured");
	tcp.zone = 3;
	assert_string_equal(key_text(RANKING_BY_SOURCE, &tcp), "10.1.2.66 zone 3");
	assert_string_equal(key_text(RANKING_BY_ZONE, &tcp), "zone 3");
	put_ipv4(tcp.tuple[FLOW_REPLY].src, IP(10, 9, 9, 9)); /* behind DNAT */
	tcp.zone = 0;
	assert_string_equal(key_text(RANKING_BY_REPLY_SOURCE, &tcp), "10.9.9.9");
	v6.tuple[FLOW_ORIG].family = AF_INET6;
	memcpy(v6.tuple[FLOW_ORIG].src,
	       "\x20\x01\x0d\xb8\x00\x07\x00\x00\x11\x22\x33\x44\x55\x66\x77\x88", 16);
	assert_string_equal(key_text(RANKING_BY_SOURCE, &v6), "2001:db8:7::/64");
}

static void names_of_rankings_are_read_back(void **unused)
{
	enum ranking_by by = RANKING_BY_MARK;

	(void)unused;
	for (int i = 0; i < RANKING_BY_COUNT; i++) {
		assert_int_equal(ranking_by_parse(ranking_by_name((enum ranking_by)i), &by), 0);
		assert_int_equal(by, i);
	}
	assert_int_equal(ranking_by_parse("sauce", &by), -EINVAL);
	assert_int_equal(by, RANKING_BY_COUNT - 1);
}

static void zones_and_marks_of_zero_are_keys_of_their_own(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 0, 0, 2), 1, 2);

	(void)unused;
	add(ranking, &flow);
	flow.zone = 7;
	add(ranking, &flow);
	assert_int_equal(ranking_totals_get(ranking).keys, 2);
	ranking_free(ranking);
}

/* One flow of each class, and some of other protocols. */
static size_t one_of_each(struct flow flows[16])
{
	const uint32_t a = IP(10, 0, 0, 1), b = IP(10, 0, 0, 2);
	size_t n = 0;

	flows[n++] = flow_make(TCP, a, b, 1, 80);
	flows[n++] = flow_make(UDP, a, b, 1, 53);
	flows[n] = flow_answered(TCP, a, b, 2, 80);
	flows[n++].state = FLOW_TCP_SYN_RECV;
	flows[n++] = flow_answered(TCP, a, b, 3, 80);
	flows[n] = flow_answered(TCP, a, b, 4, 80);
	flows[n++].state = FLOW_TCP_TIME_WAIT;
	flows[n++] = flow_answered(UDP, a, b, 5, 53); /* stream */
	flows[n] = flow_answered(UDP, a, b, 6, 53);
	flows[n++].status = FLOW_STATUS_SEEN_REPLY; /* replied */
	flows[n++] = flow_answered(ICMP, a, b, 7, 8 << 8);
	flows[n++] = flow_answered(47, a, b, 0, 0);
	flows[n++] = flow_pickup(a, b, 8, 80);
	flows[n] = flow_answered(TCP, a, b, 9, 80);
	flows[n++].status |= FLOW_STATUS_OFFLOAD;
	flows[n] = flow_answered(UDP, a, b, 10, 80);
	flows[n++].status |= FLOW_STATUS_OFFLOAD;
	return n;
}

static void columns_are_disjoint_and_sum_up(void **unused)
{
	static const uint32_t expected[RANKING_COLUMN_COUNT] = {
		[RANKING_UNREPLIED] = 2, [RANKING_HALF_OPEN] = 1, [RANKING_ESTABLISHED] = 1,
		[RANKING_CLOSING] = 1,	 [RANKING_UDP] = 2,	  [RANKING_OTHER] = 5,
	};
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flows[16];
	size_t n = one_of_each(flows);
	struct ranking_row row;
	uint32_t sum = 0;

	(void)unused;
	for (size_t i = 0; i < n; i++)
		add(ranking, &flows[i]);
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_ENTRIES, 1, &row), 1);
	for (int column = 0; column < RANKING_COLUMN_COUNT; column++) {
		assert_int_equal(ranking_row_column(&row, (enum ranking_column)column),
				 expected[column]);
		sum += ranking_row_column(&row, (enum ranking_column)column);
	}
	assert_int_equal(sum, n);
	assert_int_equal(row.entries, n);
	assert_string_equal(ranking_column_name(RANKING_HALF_OPEN), "half_open");
	ranking_free(ranking);
}

static void bytes_are_summed_where_accounted(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flow = flow_make(UDP, 1, 2, 3, 4);
	struct ranking_row row;

	(void)unused;
	flow.bytes[FLOW_ORIG] = 100;
	flow.bytes[FLOW_REPLY] = 11;
	add(ranking, &flow);
	flow.has |= FLOW_HAS_COUNTERS;
	add(ranking, &flow);
	ranking_top(ranking, RANKING_ORDER_ENTRIES, 1, &row);
	assert_int_equal(row.bytes, 111);
	ranking_free(ranking);
}

static void the_heaviest_come_in_order_ties_by_key(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct ranking_row rows[600], few[7];
	char text[RANKING_TEXT_MAX];
	size_t n;

	(void)unused;
	for (uint32_t source = 0; source < 500; source++) {
		struct flow flow = flow_make(UDP, IP(10, 0, 0, 0) + source, 1, 2, 3);

		for (uint32_t i = 0; i <= source % 100; i++)
			add(ranking, &flow);
	}
	n = ranking_top(ranking, RANKING_ORDER_ENTRIES, 600, rows);
	assert_int_equal(n, 500);
	for (size_t i = 1; i < n; i++) {
		assert_true(rows[i - 1].entries >= rows[i].entries);
		if (rows[i - 1].entries == rows[i].entries)
			assert_true(memcmp(&rows[i - 1].key, &rows[i].key, sizeof(rows[i].key)) <
				    0);
	}
	assert_string_equal(ranking_key_format(ranking_config_get(ranking), &rows[0].key, text),
			    "10.0.0.99");
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_ENTRIES, 7, few), 7);
	for (size_t i = 0; i < 7; i++)
		assert_memory_equal(&few[i], &rows[i], sizeof(few[i]));
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_ENTRIES, 0, few), 0);
	ranking_clear(ranking);
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_ENTRIES, 7, few), 0);
	assert_int_equal(ranking_totals_get(ranking).entries, 0);
	ranking_free(ranking);
}

static void births_become_a_rate_that_fades(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), 2, 3, 4);
	struct ranking_row row;

	(void)unused;
	for (int sec = 0; sec < 20; sec++) {
		for (int i = 0; i < 100; i++) {
			ranking_born(ranking, &flow);
			ranking_died(ranking, &flow);
		}
		ranking_tick(ranking, SEC);
	}
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_NEW, 1, &row), 1);
	assert_true(fabsf(row.new_per_sec - 100) < 1);
	assert_int_equal(row.entries, 0);
	ranking_tick(ranking, 2 * SEC);
	ranking_top(ranking, RANKING_ORDER_NEW, 1, &row);
	assert_true(fabsf(row.new_per_sec - 50) < 1);
	for (int sec = 0; sec < 60; sec++)
		ranking_tick(ranking, SEC);
	assert_int_equal(ranking_totals_get(ranking).keys, 0); /* nothing alive, no rate: gone */
	ranking_free(ranking);
}

static void deaths_never_go_below_zero(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), 2, 3, 4);
	struct flow stranger = flow_make(UDP, IP(10, 0, 0, 2), 2, 3, 4);

	(void)unused;
	add(ranking, &flow);
	ranking_died(ranking, &stranger);
	ranking_died(ranking, &flow);
	ranking_died(ranking, &flow);
	assert_int_equal(ranking_totals_get(ranking).entries, 0);
	assert_int_equal(ranking_totals_get(ranking).sum.entries, 0);
	ranking_free(ranking);
}

/* Changes wait a little for their rows; what is read, and when, must not show it. */
static void changes_count_in_their_order_whenever_one_reads(void **unused)
{
	enum { SOURCES = 50, CHANGES = 20000 };
	struct ranking *read = ranking_by(RANKING_BY_SOURCE, 0);
	struct ranking *unread = ranking_by(RANKING_BY_SOURCE, 0);
	uint32_t entries[SOURCES] = {0}, born[SOURCES] = {0};
	uint64_t random = 7, sum = 0;

	(void)unused;
	for (int i = 0; i < CHANGES; i++) {
		uint32_t at = (uint32_t)(random_next(&random) % SOURCES);
		struct flow flow = flow_make(UDP, at, 2, 3, 4);
		uint64_t change = random_next(&random) % 4;

		for (int k = 0; k < 2; k++) {
			struct ranking *ranking = k ? unread : read;

			if (change == 0)
				ranking_born(ranking, &flow);
			else if (change == 1)
				ranking_appear(ranking, &flow);
			else
				ranking_died(ranking, &flow);
		}
		born[at] += change == 0;
		if (change < 2)
			entries[at]++, sum++;
		else if (entries[at])
			entries[at]--, sum--;
		assert_int_equal(ranking_totals_get(read).sum.entries, sum);
	}
	assert_int_equal(ranking_totals_get(unread).entries, sum);
	for (uint32_t at = 0; at < SOURCES; at++) {
		struct flow flow = flow_make(UDP, at, 2, 3, 4);
		struct ranking_key key = ranking_key_of(ranking_config_get(read), &flow);

		assert_int_equal(ranking_find(read, &key)->entries, entries[at]);
		assert_int_equal(ranking_find(unread, &key)->entries, entries[at]);
		assert_int_equal(ranking_find(unread, &key)->born, born[at]);
	}
	ranking_free(read);
	ranking_free(unread);
}

static void a_new_pass_inherits_rates_births_and_base(void **unused)
{
	struct ranking *older = ranking_by(RANKING_BY_SOURCE, 0),
		       *newer = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow kept = flow_make(UDP, IP(10, 0, 0, 1), 2, 3, 4),
		    brief = flow_make(UDP, IP(10, 0, 0, 2), 2, 3, 4);
	struct ranking_key key = ranking_key_of(ranking_config_get(older), &kept);
	const struct ranking_row *row;

	(void)unused;
	for (int i = 0; i < 10; i++)
		ranking_born(older, &kept);
	ranking_set_base(older);
	ranking_tick(older, 2 * SEC);
	ranking_born(older, &kept);
	ranking_born(older, &brief);
	ranking_died(older, &brief);
	for (int i = 0; i < 12; i++)
		add(newer, &kept);
	ranking_inherit(newer, older);
	row = ranking_find(newer, &key);
	assert_int_equal(row->entries, 12);
	assert_int_equal(row->base, 10);
	assert_int_equal(row->born, 1);
	assert_true(fabsf(row->new_per_sec - 2.5f) < 0.01f);
	key = ranking_key_of(ranking_config_get(older), &brief);
	assert_int_equal(ranking_find(newer, &key)->born,
			 1); /* lives too short for a pass, but is no stranger */
	assert_int_equal(ranking_totals_get(newer).sum.born, 2);
	ranking_free(older);
	ranking_free(newer);
}

static void growth_of_late_is_what_grew_and_was_born_of_late(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow grows = flow_make(UDP, IP(10, 0, 0, 1), 2, 3, 4), rests = flow_make(UDP, IP(10, 0, 0, 2), 2, 3, 4),
		    changes = flow_make(UDP, IP(10, 0, 0, 3), 2, 3, 4);
	struct ranking_row rows[3];
	double late;

	(void)unused;
	for (int i = 0; i < 500; i++)
		add(ranking, &rests);
	for (int i = 0; i < 1000; i++) {
		ranking_born(ranking, &grows);
		ranking_born(ranking, &changes);
		ranking_died(ranking, &changes);
	}
	for (int i = 0; i < 900; i++)
		ranking_taken(ranking, &grows);
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_LATE, 3, rows), 3);
	assert_int_equal(rows[0].key.addr[3], 1);
	assert_int_equal(rows[0].entries, 100);
	assert_int_equal(rows[0].taken, 900);
	late = ranking_row_late(&rows[0]);
	assert_true(late > 999 && late < 1001);
	assert_true(ranking_row_late(&rows[1]) < 1 && ranking_row_late(&rows[2]) < 1);
	late = ranking_late(ranking);
	assert_true(late > 999 && late < 1001);
	assert_int_equal(ranking_totals_get(ranking).entries, 600);
	for (int i = 0; i < 20; i++)
		ranking_tick(ranking, SEC);
	assert_true(ranking_late(ranking) < 10);
	ranking_born(ranking, &grows);
	ranking_set_base(ranking);
	ranking_top(ranking, RANKING_ORDER_ENTRIES, 3, rows);
	assert_int_equal(rows[1].key.addr[3], 1);
	assert_int_equal(rows[1].taken, 0);
	assert_true(ranking_late(ranking) < 1);
	ranking_free(ranking);
}

/* What gave way grows too: by its rate. */
static void growth_of_late_counts_who_gave_way(void **unused)
{
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 100);

	(void)unused;
	ranking_set_base(ranking);
	for (uint32_t i = 0; i < 5000; i++) {
		struct flow flow = flow_make(UDP, IP(10, 0, 0, 0) + i, 2, 3, 4);

		ranking_born(ranking, &flow);
	}
	ranking_tick(ranking, SEC);
	assert_true(ranking_late(ranking) > 4900);
	ranking_free(ranking);
}

/* rows + folded = all, and the sum of the rows agrees with the running one. */
static void assert_conserved(const struct ranking *ranking, uint64_t all)
{
	struct ranking_totals totals = ranking_totals_get(ranking);
	struct ranking_row *rows = calloc(totals.keys + 1, sizeof(*rows));
	size_t n = ranking_top(ranking, RANKING_ORDER_ENTRIES, totals.keys, rows);
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += rows[i].entries;
	assert_int_equal(sum + totals.folded_entries, all);
	assert_int_equal(totals.entries, all);
	assert_int_equal(totals.sum.entries, all);
	free(rows);
}

static void bounded_keeps_the_heavy_under_a_million_spoofed_sources(void **unused)
{
	enum { HEAVY = 20, EACH = 5000, SPOOFED = 1000000 };
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 65536);
	struct ranking_row rows[HEAVY];
	uint64_t random = 99, all = 0;
	struct ranking_totals totals;

	(void)unused;
	for (uint32_t i = 0; i < SPOOFED; i++) {
		struct flow flow =
			flow_make(TCP, (uint32_t)random_next(&random) | 1u << 31, 1, 2, 80);

		add(ranking, &flow);
		all++;
		if (i % (SPOOFED / (HEAVY * EACH)) == 0) {
			flow = flow_answered(TCP, IP(10, 0, 0, 1) + i / 10 % HEAVY, 1, 2, 80);
			add(ranking, &flow);
			all++;
		}
	}
	totals = ranking_totals_get(ranking);
	assert_int_equal(totals.keys, 65536);
	assert_true(totals.folded_keys > 900000);
	assert_true(totals.bytes < 8u << 20);
	assert_conserved(ranking, all);
	assert_int_equal(ranking_top(ranking, RANKING_ORDER_ENTRIES, HEAVY, rows), HEAVY);
	for (int i = 0; i < HEAVY; i++) {
		assert_int_equal(rows[i].key.addr[0], 10);
		assert_true(rows[i].entries >= EACH * 99 / 100 && rows[i].entries <= EACH);
	}
	ranking_free(ranking);
}

static void deaths_of_folded_keys_come_off_the_folded(void **unused)
{
	enum { KEYS = 5000, MAX = 64 };
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, MAX);
	uint64_t all = 0;

	(void)unused;
	for (uint32_t i = 0; i < KEYS; i++, all++) {
		struct flow flow = flow_make(UDP, IP(10, 0, 0, 0) + i, 1, 2, 3);

		ranking_born(ranking, &flow);
	}
	assert_conserved(ranking, all);
	for (uint32_t i = 0; i < KEYS; i++, all--) {
		struct flow flow = flow_make(UDP, IP(10, 0, 0, 0) + i, 1, 2, 3);

		if (i % 500 == 0)
			assert_conserved(ranking, all);
		ranking_died(ranking, &flow);
	}
	assert_conserved(ranking, 0);
	assert_int_equal(ranking_totals_get(ranking).folded_entries, 0);
	ranking_free(ranking);
}

/* Not a bench, but a tripwire: what is spent on one entry of a dump, and the memory of 100,000
 * sources. */
static void counting_an_entry_is_cheap(void **unused)
{
	enum { SOURCES = 100000, ENTRIES = 1000000 };
	struct ranking *ranking = ranking_by(RANKING_BY_SOURCE, 0);
	struct flow flow = flow_answered(TCP, 0, 1, 2, 80);
	uint64_t random = 5;
	struct ranking_totals totals;
	double before = cpu_sec(), ns;

	(void)unused;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		put_ipv4(flow.tuple[FLOW_ORIG].src,
			 i < SOURCES ? i : (uint32_t)(random_next(&random) % SOURCES));
		add(ranking, &flow);
	}
	ns = (cpu_sec() - before) * 1e9 / ENTRIES;
	totals = ranking_totals_get(ranking);
	print_message("ranking_add: %.0f ns an entry, %zu bytes for %llu sources\n", ns,
		      totals.bytes, (unsigned long long)totals.keys);
	assert_int_equal(totals.keys, SOURCES);
	assert_true(ns < 3000); /* a busy machine, sanitizers */
	ranking_free(ranking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read_as_people_write_them),
		cmocka_unit_test(names_of_rankings_are_read_back),
		cmocka_unit_test(zones_and_marks_of_zero_are_keys_of_their_own),
		cmocka_unit_test(columns_are_disjoint_and_sum_up),
		cmocka_unit_test(bytes_are_summed_where_accounted),
		cmocka_unit_test(the_heaviest_come_in_order_ties_by_key),
		cmocka_unit_test(births_become_a_rate_that_fades),
		cmocka_unit_test(deaths_never_go_below_zero),
		cmocka_unit_test(changes_count_in_their_order_whenever_one_reads),
		cmocka_unit_test(a_new_pass_inherits_rates_births_and_base),
		cmocka_unit_test(growth_of_late_is_what_grew_and_was_born_of_late),
		cmocka_unit_test(growth_of_late_counts_who_gave_way),
		cmocka_unit_test(bounded_keeps_the_heavy_under_a_million_spoofed_sources),
		cmocka_unit_test(deaths_of_folded_keys_come_off_the_folded),
		cmocka_unit_test(counting_an_entry_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
