/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fill: growth, forecast, deltas, limits, peaks. */
#include "stats_fixture.h"

#include <math.h>

#include "stats/fill.h"

#define ALL (READING_HAS_ENTRIES | READING_HAS_LIMIT | READING_HAS_COUNTERS | READING_HAS_BUCKETS)

static struct table_reading reading(double sec, uint64_t entries)
{
	return (struct table_reading){
		.monotonic_ns = (int64_t)(sec * 1e9),
		.real_ns = 1000 * SEC + (int64_t)(sec * 1e9),
		.has = ALL,
		.entries = entries,
		.entries_limit = 100000,
		.buckets = 65536,
	};
}

static void update(struct fill *fill, double sec, uint64_t entries)
{
	struct table_reading now = reading(sec, entries);

	fill_update(fill, &now);
}

static bool near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance;
}

static void growth_is_the_same_for_regular_and_irregular_readings(void **unused)
{
	struct fill regular, irregular;
	uint64_t random = 7;
	double sec = 1;

	(void)unused;
	fill_init(&regular, 0);
	fill_init(&irregular, 0);
	for (int i = 0; i <= 200; i++)
		update(&regular, 1 + i * 0.1, (uint64_t)(1000 + 500 * i * 0.1));
	for (; sec < 21; sec += 0.001 * (double)(1 + random_next(&random) % 700))
		update(&irregular, sec, (uint64_t)(1000 + 500 * (sec - 1)));
	assert_true(regular.has_growth && irregular.has_growth);
	assert_true(near(regular.growth_per_sec, 500, 2));
	assert_true(near(irregular.growth_per_sec, 500, 5));
}

static void growth_has_its_half_life_whatever_the_interval(void **unused)
{
	static const double steps[] = {0.05, 0.1, 0.5, 2.0};

	(void)unused;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct fill fill;
		double sec;

		fill_init(&fill, 0);
		update(&fill, 1, 0);
		update(&fill, 2, 1000);
		for (sec = 2 + steps[i]; sec < 4 + 1e-6; sec += steps[i]) /* stands still for 2 s */
			update(&fill, sec, 1000);
		assert_true(near(fill.growth_per_sec, 500, 10));
	}
}

static void growth_waits_for_readings_200_ms_apart(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 0);
	assert_false(fill.has_growth);
	update(&fill, 1.1, 100);
	assert_false(fill.has_growth);
	assert_true(fill.seconds_to_full == -1);
	update(&fill, 1.2, 200);
	assert_true(fill.has_growth);
	assert_true(near(fill.growth_per_sec, 1000, 1));
}

static void a_clock_that_stands_or_goes_back_changes_no_growth(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 0);
	update(&fill, 2, 100);
	update(&fill, 2, 5000);
	update(&fill, 1.5, 9000);
	assert_true(near(fill.growth_per_sec, 100, 0.1));
	assert_true(isfinite(fill.growth_per_sec));
	/* A step of the real-time clock is none of the growth's. */
	struct table_reading now = reading(3, 200);

	now.real_ns = 1;
	fill_init(&fill, 0);
	update(&fill, 2, 100);
	fill_update(&fill, &now);
	assert_true(near(fill.growth_per_sec, 100, 0.1));
}

static void forecast_is_headroom_by_growth(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 50000);
	update(&fill, 2, 51000);
	assert_true(near(fill.fill_pct, 51, 1e-9));
	assert_true(near(fill.seconds_to_full, 49, 0.01));
	update(&fill, 60, 40000);
	assert_true(fill.growth_per_sec < 0);
	assert_true(fill.seconds_to_full == -1);
}

static void limit_zero_means_none(void **unused)
{
	struct table_reading now = reading(1, 500);
	struct fill fill;

	(void)unused;
	now.entries_limit = 0;
	fill_init(&fill, 0);
	fill_update(&fill, &now);
	now.monotonic_ns += SEC;
	now.entries = 900;
	fill_update(&fill, &now);
	assert_int_equal(fill.capacity, 0);
	assert_true(fill.fill_pct == 0);
	assert_true(fill.seconds_to_full == -1);
	assert_false(fill.is_implausible);
	fill_init(&fill, 1000); /* the config's capacity holds without a limit */
	fill_update(&fill, &now);
	assert_int_equal(fill.capacity, 1000);
	assert_true(near(fill.fill_pct, 90, 1e-9));
}

static void the_smaller_of_capacity_and_limit_is_in_force(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 20000);
	update(&fill, 1, 10000);
	assert_true(near(fill.fill_pct, 50, 1e-9));
	fill_init(&fill, 500000);
	update(&fill, 1, 10000);
	assert_int_equal(fill.capacity, 100000);
}

static void another_capacity_is_in_force_at_once(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	fill_set_capacity(&fill, 4000); /* before any reading */
	assert_int_equal(fill.capacity, 4000);
	assert_true(fill.fill_pct == 0);
	update(&fill, 1, 1000);
	update(&fill, 2, 2000);
	fill_set_capacity(&fill, 20000);
	assert_int_equal(fill.capacity, 20000);
	assert_true(near(fill.fill_pct, 10, 1e-9));
	assert_true(near(fill.seconds_to_full, 18000 / fill.growth_per_sec, 1e-6));
	fill_set_capacity(&fill, 0);
	assert_int_equal(fill.capacity, 100000);
	assert_true(near(fill.fill_pct, 2, 1e-9));
}

static void count_above_the_limit_is_over_100_percent(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 110000);
	update(&fill, 2, 120000);
	assert_true(near(fill.fill_pct, 120, 1e-9));
	assert_true(fill.seconds_to_full == 0);
	assert_false(fill.is_implausible);
}

static void a_wrapped_count_is_implausible_and_changes_nothing(void **unused)
{
	struct fill fill;
	double growth;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 1000);
	update(&fill, 2, 1100);
	growth = fill.growth_per_sec;
	update(&fill, 3, 4294967290ULL);
	assert_true(fill.is_implausible);
	assert_true(near(fill.fill_pct, 1.1, 1e-9));
	assert_true(fill.growth_per_sec == growth);
	assert_int_equal(fill.peak.entries, 1100);
	update(&fill, 4, 3000000000ULL);
	assert_true(fill.is_implausible);
	update(&fill, 5, 1400);
	assert_false(fill.is_implausible);
	assert_true(near(fill.growth_per_sec, 100,
			 0.1)); /* 300 in the 3 s since the last that was believed */
}

static void counters_never_go_negative(void **unused)
{
	struct table_reading now = reading(1, 10);
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	now.counters.drop = 100;
	now.counters.insert_failed = 50;
	fill_update(&fill, &now);
	assert_int_equal(fill.delta.drop, 0); /* since boot is no rise */
	now.monotonic_ns += SEC;
	now.counters.drop = 130;
	fill_update(&fill, &now);
	assert_int_equal(fill.delta.drop, 30);
	assert_int_equal(fill.first.drop, 100);
	now.monotonic_ns += SEC;
	now.counters.drop = 5; /* zeroed */
	now.counters.insert_failed = 60;
	fill_update(&fill, &now);
	assert_int_equal(fill.delta.drop, 0);
	assert_int_equal(fill.delta.insert_failed, 10);
	assert_true(fill.now.counters.drop >= fill.first.drop);
	now.has &= ~(uint32_t)READING_HAS_COUNTERS;
	memset(&now.counters, 0, sizeof(now.counters));
	fill_update(&fill, &now);
	assert_int_equal(fill.delta.drop, 0);
	now.has |= READING_HAS_COUNTERS;
	now.counters.drop = 9;
	fill_update(&fill, &now);
	assert_int_equal(fill.delta.drop, 4); /* across the reading that had none */
}

static void a_changed_limit_is_told_once(void **unused)
{
	struct table_reading now = reading(1, 10);
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	fill_update(&fill, &now);
	assert_false(fill.limit_changed);
	now.entries_limit = 50000;
	fill_update(&fill, &now);
	assert_true(fill.limit_changed);
	assert_int_equal(fill.capacity, 50000);
	fill_update(&fill, &now);
	assert_false(fill.limit_changed);
	now.has &= ~(uint32_t)READING_HAS_LIMIT; /* unreadable: the last one holds */
	now.entries_limit = 0;
	fill_update(&fill, &now);
	assert_false(fill.limit_changed);
	assert_int_equal(fill.capacity, 50000);
}

static void peaks_are_kept_since_start_and_since_last_asked(void **unused)
{
	struct fill_peak peak;
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 100);
	update(&fill, 2, 900);
	update(&fill, 3, 200);
	assert_int_equal(fill.peak.entries, 900);
	assert_int_equal(fill.peak.real_ns, 1002 * SEC);
	peak = fill_peak_take(&fill);
	assert_int_equal(peak.entries, 900);
	update(&fill, 4, 300);
	peak = fill_peak_take(&fill);
	assert_int_equal(peak.entries, 300);
	assert_int_equal(fill.peak.entries, 900);
}

static void a_rush_is_told_by_two_spans_and_a_burst_by_none(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	update(&fill, 1, 1000);
	update(&fill, 2, 1000);
	update(&fill, 2.1, 1800); /* a burst */
	assert_true(fill.rush_per_sec < 1);
	update(&fill, 2.2, 1800);
	assert_true(fill.rush_per_sec < 1);
	update(&fill, 2.3, 2600);
	assert_true(fill.rush_per_sec < 1);
	update(&fill, 2.4, 3400); /* two in a row */
	assert_true(near(fill.rush_per_sec, 8000, 1));
	assert_true(fill.growth_per_sec < 3000);
	assert_true(near(fill_growth_now(&fill), 8000, 1));
	assert_true(near(fill_seconds_now(&fill), 96600 / 8000.0, 0.1));
	assert_true(fill.seconds_to_full > 2 * fill_seconds_now(&fill));
	/* What we take out is no fall, and while we do it no span ends. */
	fill_hold(&fill, true);
	update(&fill, 2.5, 2000);
	fill_removed(&fill, 3000);
	fill_hold(&fill, false);
	update(&fill, 2.6, 2000);
	assert_true(near(fill.rush_per_sec, 8000, 1));
	update(&fill, 2.7, 1990);
	assert_true(fill.rush_per_sec < 0);
	assert_true(fill_growth_now(&fill) == fill.growth_per_sec);
}

/* From 8,000 a second in a table of 100,000: the forecast of a minute is over 3 s after the last of them. */
static void a_forecast_ends_soon_after_what_made_it(void **unused)
{
	struct fill fill;
	uint64_t entries = 1000;
	double sec = 1;

	(void)unused;
	fill_init(&fill, 0);
	for (int i = 0; i < 200; i++, sec += 0.05) {
		entries += 400;
		if (entries > 60000) {
			fill_removed(&fill, 400);
			entries = 60000;
		}
		update(&fill, sec, entries);
	}
	assert_true(fill.growth_per_sec > 7000);
	assert_true(fill.late_per_sec > 7000);
	assert_in_range((int)fill_seconds_lasting(&fill), 4, 6);
	for (int i = 0; i < 60; i++, sec += 0.05)
		update(&fill, sec, 60000);
	assert_in_range((int)fill_seconds_now(&fill), 4, 59);
	assert_true(fill_seconds_lasting(&fill) > 60);
}

static void what_user_space_put_in_is_no_growth(void **unused)
{
	struct fill fill;

	(void)unused;
	fill_init(&fill, 0);
	fill_added(&fill, 700); /* before the first reading: it is in it */
	for (int i = 0; i < 20; i++)
		update(&fill, 1 + i, 1000);
	fill_added(&fill, 80000);
	update(&fill, 21, 81000);
	fill_added(&fill, 5000);
	update(&fill, 21.5, 86000); /* two spans in a row */
	assert_true(near(fill_growth_now(&fill), 0, 0.001));
	assert_true(fill_seconds_now(&fill) < 0);
	assert_true(near(fill.fill_pct, 86, 0.001));
	update(&fill, 22, 87000);
	assert_true(fill.growth_per_sec > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth_is_the_same_for_regular_and_irregular_readings),
		cmocka_unit_test(growth_has_its_half_life_whatever_the_interval),
		cmocka_unit_test(growth_waits_for_readings_200_ms_apart),
		cmocka_unit_test(a_clock_that_stands_or_goes_back_changes_no_growth),
		cmocka_unit_test(forecast_is_headroom_by_growth),
		cmocka_unit_test(limit_zero_means_none),
		cmocka_unit_test(the_smaller_of_capacity_and_limit_is_in_force),
		cmocka_unit_test(another_capacity_is_in_force_at_once),
		cmocka_unit_test(count_above_the_limit_is_over_100_percent),
		cmocka_unit_test(a_wrapped_count_is_implausible_and_changes_nothing),
		cmocka_unit_test(counters_never_go_negative),
		cmocka_unit_test(a_changed_limit_is_told_once),
		cmocka_unit_test(peaks_are_kept_since_start_and_since_last_asked),
		cmocka_unit_test(a_rush_is_told_by_two_spans_and_a_burst_by_none),
		cmocka_unit_test(a_forecast_ends_soon_after_what_made_it),
		cmocka_unit_test(what_user_space_put_in_is_no_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
