/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/level: entering, leaving, forecast, full. */
#include "stats_fixture.h"

#include <errno.h>

#include "stats/level.h"

struct run {
	struct level_config config;
	struct level_state state;
	int64_t now_ns;
};

static struct run run_start(void)
{
	struct run run = {.config = level_config_default(), .now_ns = 100 * SEC};

	run.config.dwell_ns = 5 * SEC;
	return run;
}

/* One input after `sec` seconds. */
static bool step(struct run *run, double sec, struct level_input input)
{
	run->now_ns += (int64_t)(sec * 1e9);
	input.now_ns = run->now_ns;
	return level_update(&run->state, &run->config, &input);
}

static bool step_fill(struct run *run, double sec, double fill_pct)
{
	return step(run, sec,
		    (struct level_input){.fill_pct = fill_pct,
					 .limit_fill_pct = fill_pct,
					 .seconds_to_full = -1});
}

static bool step_drops(struct run *run, double sec, double fill_pct, uint64_t dropped,
		       uint64_t failed)
{
	return step(run, sec,
		    (struct level_input){.fill_pct = fill_pct,
					 .limit_fill_pct = fill_pct,
					 .seconds_to_full = -1,
					 .dropped = dropped,
					 .insert_failed = failed});
}

static void first_input_sets_the_level_at_once(void **unused)
{
	struct run run = run_start();

	(void)unused;
	assert_true(step_fill(&run, 0, 92));
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
	run = run_start();
	assert_false(step_fill(&run, 0, 72));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void a_level_is_entered_at_its_mark_and_left_below_the_other_after_the_dwell(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_fill(&run, 0, 50);
	assert_false(step_fill(&run, 1, 74.9));
	assert_true(step_fill(&run, 1, 75));
	assert_int_equal(run.state.level, LEVEL_WARNING);
	for (int i = 0; i < 100; i++) /* between the marks: stays */
		assert_false(step_fill(&run, 1, 71));
	assert_false(step_fill(&run, 1, 69));
	assert_false(step_fill(&run, 4, 69));
	assert_true(step_fill(&run, 1, 69));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void flapping_around_the_leave_mark_begins_the_dwell_anew(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_fill(&run, 0, 80);
	for (int i = 0; i < 20; i++) {
		assert_false(step_fill(&run, 3, 69));
		assert_false(step_fill(&run, 1, 70.5));
	}
	assert_int_equal(run.state.level, LEVEL_WARNING);
}

static void dwell_never_holds_back_entering(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_fill(&run, 0, 10);
	assert_true(step_fill(&run, 0.1, 76));
	assert_true(step_fill(&run, 0.1, 91));
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
}

static void critical_falls_to_warning_where_warning_still_holds(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_fill(&run, 0, 95);
	step_fill(&run, 1, 72);
	assert_true(step_fill(&run, 5, 72)); /* below warning's enter mark, above its leave mark */
	assert_int_equal(run.state.level, LEVEL_WARNING);
	step_fill(&run, 1, 20);
	assert_true(step_fill(&run, 5, 20));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void forecast_enters_only_above_its_least_fill(void **unused)
{
	struct run run = run_start();
	struct level_input fast = {.fill_pct = 40, .limit_fill_pct = 40, .seconds_to_full = 8};

	(void)unused;
	step_fill(&run, 0, 30);
	assert_false(step(&run, 1, fast));
	fast.fill_pct = 55;
	fast.seconds_to_full = 59;
	assert_true(step(&run, 1, fast));
	assert_int_equal(run.state.level, LEVEL_WARNING);
	assert_true(run.state.by_forecast);
	fast.seconds_to_full = 9;
	assert_true(step(&run, 1, fast));
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
	assert_false(step_fill(&run, 1, 60)); /* filling no more: the dwell */
	assert_true(step_fill(&run, 5, 60));
	assert_int_equal(run.state.level, LEVEL_OK);
	assert_false(run.state.by_forecast);
}

/* A guard makes room for seconds, again and again: that is one alarm, not one for each time. */
static void what_will_be_full_in_seconds_is_not_over(void **unused)
{
	struct run run = run_start();
	struct level_input held = {.fill_pct = 55, .limit_fill_pct = 55, .seconds_to_full = 3};

	(void)unused;
	step_fill(&run, 0, 30);
	assert_true(step(&run, 1, held));
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
	held.fill_pct = 10;
	held.seconds_to_full = 6;
	for (int i = 0; i < 20; i++)
		assert_false(step(&run, 1, held));
	held.seconds_to_full = 40; /* warning's */
	step(&run, 1, held);
	assert_true(step(&run, 5, held));
	assert_int_equal(run.state.level, LEVEL_WARNING);
	step_fill(&run, 1, 10);
	assert_true(step_fill(&run, 5, 10));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void full_needs_the_limit_and_refused_flows(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_fill(&run, 0, 50);
	assert_true(step_fill(&run, 1, 100)); /* at the top, but nothing refused */
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
	assert_false(step_drops(&run, 1, 99, 40, 40)); /* clashes */
	assert_true(step_drops(&run, 1, 99, 41, 40));
	assert_int_equal(run.state.level, LEVEL_FULL);
}

static void full_is_left_after_the_dwell_without_refused_flows(void **unused)
{
	struct run run = run_start();

	(void)unused;
	step_drops(&run, 0, 99, 5, 0);
	assert_int_equal(run.state.level, LEVEL_FULL);
	assert_false(step_fill(&run, 4, 80));
	assert_false(step_drops(&run, 1, 97, 1, 0)); /* again: anew */
	assert_false(step_fill(&run, 1, 80));
	assert_false(step_fill(&run, 4, 80));
	assert_true(step_fill(&run, 1, 80));
	assert_int_equal(run.state.level, LEVEL_WARNING);
}

static void storm_of_insert_clashes_at_five_percent_raises_no_level(void **unused)
{
	struct run run = run_start();

	(void)unused;
	for (int i = 0; i < 1000; i++)
		assert_false(step_drops(&run, 0.1, 5, 100000, 100000));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void drops_at_a_low_fill_are_never_a_level(void **unused)
{
	struct run run = run_start();

	(void)unused;
	for (int i = 0; i < 100; i++)
		assert_false(step_drops(&run, 0.1, 5, 100000, 0));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void capacity_below_the_limit_is_never_full(void **unused)
{
	struct run run = run_start();

	(void)unused;
	/* 100 % of the own capacity, 10 % of the kernel's limit: what is dropped there is not
	 * for want of room. */
	step(&run, 0,
	     (struct level_input){
		     .fill_pct = 100, .limit_fill_pct = 10, .seconds_to_full = -1, .dropped = 9});
	assert_int_equal(run.state.level, LEVEL_CRITICAL);
}

static void no_capacity_is_ok_whatever_drops(void **unused)
{
	struct run run = run_start();

	(void)unused;
	assert_false(step_drops(&run, 0, 0, 1000, 0));
	assert_int_equal(run.state.level, LEVEL_OK);
	step_fill(&run, 1, 92);
	step_fill(&run, 1, 0); /* the limit was lifted */
	assert_true(step_fill(&run, 5, 0));
	assert_int_equal(run.state.level, LEVEL_OK);
}

static void an_implausible_count_keeps_the_level(void **unused)
{
	struct run run = run_start();
	struct level_input wrapped = {
		.fill_pct = 1e6, .limit_fill_pct = 1e6, .is_implausible = true, .dropped = 9};

	(void)unused;
	step_fill(&run, 0, 50);
	assert_false(step(&run, 1, wrapped));
	assert_int_equal(run.state.level, LEVEL_OK);
	step_fill(&run, 1, 80);
	step_fill(&run, 1, 60);
	wrapped.fill_pct = 0;
	assert_false(step(&run, 60, wrapped)); /* nor does it count as calm */
	assert_false(step_fill(&run, 1, 60));
	assert_int_equal(run.state.level, LEVEL_WARNING);
}

static void one_reading_is_judged_by_the_enter_marks(void **unused)
{
	struct level_config config = level_config_default();

	(void)unused;
	assert_int_equal(level_at(&config, 0), LEVEL_OK);
	assert_int_equal(level_at(&config, 74.9), LEVEL_OK);
	assert_int_equal(level_at(&config, 75), LEVEL_WARNING);
	assert_int_equal(level_at(&config, 120), LEVEL_CRITICAL);
	assert_string_equal(level_name(LEVEL_FULL), "full");
}

static void assert_refused(struct level_config config, const char *path)
{
	struct problem problem = {0};

	assert_int_equal(level_config_check(&config, &problem), -EINVAL);
	assert_string_equal(problem.path, path);
	assert_true(problem.text[0] != '\0');
}

static void marks_out_of_order_are_refused_with_their_path(void **unused)
{
	struct level_config good = level_config_default(), bad;

	(void)unused;
	assert_int_equal(level_config_check(&good, NULL), 0);
	bad = good;
	bad.warning.leave_pct = 75;
	assert_refused(bad, "levels.warning.leave_pct");
	bad = good;
	bad.critical.leave_pct = 60;
	assert_refused(bad, "levels.critical.leave_pct");
	bad = good;
	bad.critical.enter_pct = 71;
	bad.critical.leave_pct = 70;
	assert_refused(bad, "levels.critical.enter_pct");
	bad = good;
	bad.full_pct = 101;
	assert_refused(bad, "levels.full_pct");
	bad = good;
	bad.dwell_ns = -1;
	assert_refused(bad, "levels.dwell_sec");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_input_sets_the_level_at_once),
		cmocka_unit_test(
			a_level_is_entered_at_its_mark_and_left_below_the_other_after_the_dwell),
		cmocka_unit_test(flapping_around_the_leave_mark_begins_the_dwell_anew),
		cmocka_unit_test(dwell_never_holds_back_entering),
		cmocka_unit_test(critical_falls_to_warning_where_warning_still_holds),
		cmocka_unit_test(forecast_enters_only_above_its_least_fill),
		cmocka_unit_test(what_will_be_full_in_seconds_is_not_over),
		cmocka_unit_test(full_needs_the_limit_and_refused_flows),
		cmocka_unit_test(full_is_left_after_the_dwell_without_refused_flows),
		cmocka_unit_test(storm_of_insert_clashes_at_five_percent_raises_no_level),
		cmocka_unit_test(drops_at_a_low_fill_are_never_a_level),
		cmocka_unit_test(capacity_below_the_limit_is_never_full),
		cmocka_unit_test(no_capacity_is_ok_whatever_drops),
		cmocka_unit_test(an_implausible_count_keeps_the_level),
		cmocka_unit_test(one_reading_is_judged_by_the_enter_marks),
		cmocka_unit_test(marks_out_of_order_are_refused_with_their_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
