/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of a pass against the entries of now: never more than there are, by share, and nothing lost by rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "stats/fit.h"

static void what_fits_is_not_touched(void **state)
{
	uint64_t counts[3] = {7, 0, 3};

	(void)state;
	fit_counts(counts, 3, 10);
	assert_int_equal(counts[0], 7);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 3);
	fit_counts(counts, 3, 500); /* entries born since have no class yet */
	assert_int_equal(counts[0], 7);
}

static void what_does_not_is_cut_by_share(void **state)
{
	uint64_t counts[3] = {1000, 0, 3000};

	(void)state;
	fit_counts(counts, 3, 400);
	assert_int_equal(counts[0], 100);
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], 300);
	fit_counts(counts, 3, 0);
	assert_int_equal(counts[0] + counts[1] + counts[2], 0);
}

static void rounding_loses_and_adds_nothing(void **state)
{
	uint64_t counts[9], before[9], sum, whole, there;

	(void)state;
	srand(7);
	for (int i = 0; i < 5000; i++) {
		there = sum = 0;
		for (int k = 0; k < 9; k++)
			there += counts[k] = before[k] = rand() % 3 ? (uint64_t)rand() % 300000 : 0;
		whole = there ? (uint64_t)rand() % there : 0;
		fit_counts(counts, 9, whole);
		for (int k = 0; k < 9; k++) {
			sum += counts[k];
			assert_true(counts[k] <= before[k]);
		}
		assert_int_equal(sum, whole);
	}
}

static void a_row_shows_no_more_than_its_entries(void **state)
{
	struct ranking_row row = {.entries = 703, .udp = 90};
	uint32_t sum = 0;

	(void)state;
	row.classes[FLOW_CLASS_UNREPLIED] = 1756;
	row.classes[FLOW_CLASS_STREAM] = 90;
	fit_row(&row);
	for (int i = 0; i < FLOW_CLASS_COUNT; i++)
		sum += row.classes[i];
	assert_int_equal(sum, 703);
	assert_int_equal(row.classes[FLOW_CLASS_STREAM], 34);
	sum = 0;
	for (int i = 0; i < RANKING_COLUMN_COUNT; i++)
		sum += ranking_row_column(&row, (enum ranking_column)i);
	assert_int_equal(sum, 703);
	assert_int_equal(row.entries, 703);
}

/* One row has lost most of its flows, the others none: a cut of the sums alone would take from those, and show less of
 * all than of one. */
static void totals_hold_what_rows_and_rest_do(void **state)
{
	struct ranking_row rows[2] = {{.entries = 100}, {.entries = 50}};
	struct ranking_totals totals = {.entries = 200};

	(void)state;
	rows[0].classes[FLOW_CLASS_UNREPLIED] = 1000;
	rows[1].classes[FLOW_CLASS_ESTABLISHED] = 50;
	totals.sum.classes[FLOW_CLASS_UNREPLIED] = 1010;
	totals.sum.classes[FLOW_CLASS_ESTABLISHED] = 90;
	totals.sum.new_per_sec = 5;
	fit_totals(&totals, rows, 2);
	assert_int_equal(totals.sum.classes[FLOW_CLASS_UNREPLIED], 110);
	assert_int_equal(totals.sum.classes[FLOW_CLASS_ESTABLISHED], 90);
	assert_true(totals.sum.new_per_sec == 5);
	assert_int_equal(rows[0].classes[FLOW_CLASS_UNREPLIED], 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_not_touched),
		cmocka_unit_test(what_does_not_is_cut_by_share),
		cmocka_unit_test(rounding_loses_and_adds_nothing),
		cmocka_unit_test(a_row_shows_no_more_than_its_entries),
		cmocka_unit_test(totals_hold_what_rows_and_rest_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
