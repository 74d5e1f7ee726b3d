/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fairness against a reference that takes one entry at a time, on random holdings. */
#include <stdlib.h>

#include "stats/fairness.h"
#include "stats_fixture.h"

#define ROWS_MAX 40

static uint32_t counted(const struct fairness_row *row)
{
	return row->holds > row->seniors ? row->holds - row->seniors : 0;
}

static uint32_t most(const struct fairness_row *row)
{
	return row->candidates < counted(row) ? row->candidates : counted(row);
}

/* One at a time from the row that holds most and may still give; ties: the one that held most at
 * first, then the lower key. */
static void take_one_by_one(struct fairness_row *rows, size_t n, uint64_t need)
{
	for (size_t i = 0; i < n; i++)
		rows[i].take = 0;
	while (need--) {
		struct fairness_row *best = NULL;

		for (size_t i = 0; i < n; i++) {
			struct fairness_row *row = &rows[i];
			uint32_t left = counted(row) - row->take;

			if (row->take == most(row))
				continue;
			if (!best || left > counted(best) - best->take ||
			    (left == counted(best) - best->take &&
			     (counted(row) > counted(best) ||
			      (counted(row) == counted(best) &&
			       memcmp(&row->key, &best->key, sizeof(row->key)) < 0))))
				best = row;
		}
		if (!best)
			return;
		best->take++;
	}
}

static size_t random_rows(uint64_t *random, struct fairness_row *rows)
{
	size_t n = random_next(random) % (ROWS_MAX + 1);
	uint32_t scale = 1 + (uint32_t)(random_next(random) % 60);

	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct fairness_row){.holds = random_next(random) % scale};
		put_ipv4(rows[i].key.addr, (uint32_t)(i * 2654435761u));
		rows[i].candidates = rows[i].holds;
		if (random_next(random) % 3 == 0)
			rows[i].seniors = random_next(random) % (rows[i].holds + 1);
		if (random_next(random) % 3 == 0)
			rows[i].candidates = random_next(random) % (rows[i].holds + 2);
	}
	return n;
}

static void takes_what_one_by_one_takes(void **state)
{
	uint64_t random = 42;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct fairness_row rows[ROWS_MAX], reference[ROWS_MAX];
		size_t n = random_rows(&random, rows);
		uint64_t need = random_next(&random) % 800;

		memcpy(reference, rows, sizeof(rows));
		fairness_share(rows, n, need);
		take_one_by_one(reference, n, need);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(rows[i].take, reference[i].take);
	}
}

static void sum_is_need_and_who_is_below_the_level_gives_nothing(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct fairness_row rows[ROWS_MAX];
		size_t n = random_rows(&random, rows);
		uint64_t need = random_next(&random) % 800, sum = 0, all = 0;
		struct fairness_result result = fairness_share(rows, n, need);

		for (size_t i = 0; i < n; i++) {
			sum += rows[i].take;
			all += most(&rows[i]);
			assert_true(rows[i].take <= most(&rows[i]));
			if (counted(&rows[i]) <= result.level)
				assert_int_equal(rows[i].take, 0);
			else if (rows[i].take < most(&rows[i]))
				assert_true(counted(&rows[i]) - rows[i].take <= result.level + 1);
		}
		assert_int_equal(sum, need < all ? need : all);
		assert_int_equal(result.taken, sum);
	}
}

static void more_need_takes_no_less_from_anybody(void **state)
{
	uint64_t random = 99;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct fairness_row rows[ROWS_MAX];
		uint32_t before[ROWS_MAX] = {0};
		size_t n = random_rows(&random, rows);

		for (uint64_t need = 0; need < 200; need++) {
			fairness_share(rows, n, need);
			for (size_t i = 0; i < n; i++) {
				assert_true(rows[i].take >= before[i]);
				before[i] = rows[i].take;
			}
		}
	}
}

static void heavy_pays_for_itself(void **state)
{
	struct fairness_row rows[] = {{.holds = 10000, .candidates = 10000},
				      {.holds = 100, .candidates = 100},
				      {.holds = 90, .candidates = 90}};

	(void)state;
	put_ipv4(rows[1].key.addr, 1);
	put_ipv4(rows[2].key.addr, 2);
	assert_int_equal(fairness_share(rows, 3, 9000).level, 1000);
	assert_int_equal(rows[0].take, 9000);
	assert_int_equal(rows[1].take + rows[2].take, 0);
	fairness_share(rows, 3, 9920); /* 10,000 down to 90, 100 to 90, and no further */
	assert_int_equal(rows[0].take, 9910);
	assert_int_equal(rows[1].take, 10);
	assert_int_equal(rows[2].take, 0);
}

static void seniors_do_not_count(void **state)
{
	struct fairness_row rows[] = {{.holds = 14000, .seniors = 13950, .candidates = 14000},
				      {.holds = 500, .candidates = 500}};

	(void)state;
	put_ipv4(rows[1].key.addr, 1);
	fairness_share(rows, 2, 400);
	assert_int_equal(rows[0].take, 0);
	assert_int_equal(rows[1].take, 400);
	assert_int_equal(fairness_share(rows, 2, 1000000).taken, 550);
}

static void extremes_do_not_overflow(void **state)
{
	struct fairness_row rows[] = {{.holds = UINT32_MAX, .candidates = UINT32_MAX},
				      {.holds = UINT32_MAX, .candidates = UINT32_MAX}};
	const uint32_t counts[] = {UINT32_MAX, UINT32_MAX};

	(void)state;
	put_ipv4(rows[1].key.addr, 1);
	assert_int_equal(fairness_share(rows, 2, 3).taken, 3);
	assert_int_equal(rows[0].take, 2); /* the lower key first */
	assert_int_equal(rows[1].take, 1);
	assert_int_equal(fairness_share(rows, 2, UINT64_MAX).taken, 2ULL * UINT32_MAX);
	assert_int_equal(fairness_share(rows, 0, 5).taken, 0);
	assert_int_equal(fairness_level(counts, 2, UINT32_MAX), UINT32_MAX / 2);
}

static void fair_share_is_the_highest_that_fits(void **state)
{
	const uint32_t counts[] = {3, 10, 100};
	uint64_t random = 5;

	(void)state;
	assert_int_equal(fairness_level(counts, 3, 113), UINT32_MAX);
	assert_int_equal(fairness_level(counts, 3, 112), 99);
	assert_int_equal(fairness_level(counts, 3, 23), 10);
	assert_int_equal(fairness_level(counts, 3, 9), 3);
	assert_int_equal(fairness_level(counts, 3, 0), 0);
	for (int round = 0; round < 1000; round++) {
		uint32_t held[20];
		uint64_t budget = random_next(&random) % 300, at = 0, above = 0, sum = 0;
		uint32_t level;

		for (int i = 0; i < 20; i++)
			sum += held[i] = random_next(&random) % 50;
		level = fairness_level(held, 20, budget);
		if (sum <= budget) {
			assert_int_equal(level, UINT32_MAX);
			continue;
		}
		for (int i = 0; i < 20; i++) {
			at += held[i] < level ? held[i] : level;
			above += held[i] < level + 1 ? held[i] : level + 1;
		}
		assert_true(at <= budget && above > budget);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_one_by_one_takes),
		cmocka_unit_test(sum_is_need_and_who_is_below_the_level_gives_nothing),
		cmocka_unit_test(more_need_takes_no_less_from_anybody),
		cmocka_unit_test(heavy_pays_for_itself),
		cmocka_unit_test(seniors_do_not_count),
		cmocka_unit_test(extremes_do_not_overflow),
		cmocka_unit_test(fair_share_is_the_highest_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
