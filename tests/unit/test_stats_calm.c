/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/calm: what is a surge and what is not. */
#include "stats/calm.h"
#include "stats_fixture.h"

#define MS	 1000000LL
#define CAPACITY 20000

struct run {
	struct calm_state state;
	struct calm_config config;
	int64_t now_ns;
	uint64_t random;
	double entries;
	unsigned began, ended;
	int64_t began_ns, ended_ns;
};

static struct run run_start(double entries)
{
	return (struct run){.config = calm_config_default(),
			    .entries = entries,
			    .random = 17,
			    .now_ns = 1000 * SEC};
}

static struct calm_verdict step(struct run *run, struct calm_input more)
{
	struct calm_verdict verdict;

	more.now_ns = run->now_ns;
	more.entries = (uint64_t)run->entries;
	more.capacity = CAPACITY;
	verdict = calm_update(&run->state, &run->config, &more);
	if (verdict.surge_began) {
		run->began++;
		run->began_ns = run->now_ns;
	}
	if (verdict.surge_ended) {
		run->ended++;
		run->ended_ns = run->now_ns;
	}
	return verdict;
}

/* per_sec more entries a second, +- noise at each look of span_ms. */
static struct calm_verdict go(struct run *run, double sec, double per_sec, double noise,
			      int64_t span_ms)
{
	struct calm_verdict verdict = {.is_calm = false};
	int64_t end = run->now_ns + (int64_t)(sec * SEC);

	while (run->now_ns < end) {
		double off = (double)(random_next(&run->random) % 2001) / 1000 - 1;

		run->now_ns += span_ms * MS;
		run->entries += per_sec * (double)span_ms / 1000 + off * noise;
		verdict = step(run, (struct calm_input){0});
	}
	return verdict;
}

static void calm_after_ten_seconds_at_any_fill(void **state)
{
	const double fills[] = {0, 100, 0.8 * CAPACITY, CAPACITY, 1.2 * CAPACITY};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct run run = run_start(fills[i]);

		assert_false(go(&run, 9, 0, 0, 100).is_calm);
		assert_true(go(&run, 2, 0, 0, 100).is_calm);
		assert_int_equal(run.began, 0);
	}
}

static void usual_noise_is_calm(void **state)
{
	struct run run = run_start(10000);

	(void)state;
	assert_true(go(&run, 600, 0, 15, 200).is_calm);
	assert_int_equal(run.began, 0);
}

static void a_rush_shows_within_a_quarter_of_a_second(void **state)
{
	struct run run = run_start(6000);
	int64_t at;

	(void)state;
	go(&run, 60, 0, 10, 100);
	at = run.now_ns;
	assert_false(go(&run, 0.5, 8000, 10, 50).is_calm);
	assert_int_equal(run.began, 1);
	assert_true(run.began_ns - at <= 250 * MS);
}

static void a_slow_ramp_shows_too(void **state)
{
	struct run run = run_start(6000);

	(void)state;
	go(&run, 60, 0, 5, 100);
	go(&run, 600, 100, 5, 100); /* 0.5 % a second, for ten minutes */
	assert_int_equal(run.began, 1);
	assert_int_equal(run.ended, 0);
}

static void a_surge_ends_after_ten_quiet_seconds_once(void **state)
{
	struct run run = run_start(6000);
	int64_t over;

	(void)state;
	go(&run, 30, 0, 5, 100);
	go(&run, 1, 8000, 0, 100);
	over = run.now_ns;
	assert_false(go(&run, 8, 0, 5, 100).is_calm);
	assert_true(go(&run, 5, 0, 5, 100).is_calm);
	assert_int_equal(run.began, 1);
	assert_int_equal(run.ended, 1);
	assert_true(run.ended_ns - over >= 9 * SEC);
}

static void a_fall_is_no_surge(void **state)
{
	struct run run = run_start(18000);

	(void)state;
	go(&run, 20, 0, 5, 100);
	run.entries = 5000; /* a flush */
	assert_true(go(&run, 1, 0, 5, 100).is_calm);
	assert_true(go(&run, 20, 0, 5, 100).is_calm);
	assert_int_equal(run.began, 0);
}

static void our_own_deletes_hide_no_growth(void **state)
{
	struct run run = run_start(16000);

	(void)state;
	go(&run, 20, 0, 5, 100);
	for (int i = 0; i < 50; i++) { /* 800 come, 800 are deleted */
		run.now_ns += 100 * MS;
		step(&run, (struct calm_input){.removed = 800});
	}
	assert_int_equal(run.began, 1);
	assert_false(run.state.is_calm);
}

static void what_user_space_puts_in_is_no_growth(void **state)
{
	struct run run = run_start(1000);

	(void)state;
	go(&run, 20, 0, 5, 100);
	run.now_ns += 100 * MS;
	run.entries += 15000;
	assert_true(step(&run, (struct calm_input){.adopted = 15000}).is_calm);
	assert_int_equal(run.began, 0);
	run.now_ns += 100 * MS;
	run.entries += 3000;
	assert_true(step(&run, (struct calm_input){.adopted = 500}).surge_began);
}

static void drops_of_a_full_table_are_a_surge_and_clashes_are_not(void **state)
{
	struct run run = run_start(CAPACITY);

	(void)state;
	go(&run, 20, 0, 0, 100);
	run.now_ns += 100 * MS;
	assert_true(step(&run, (struct calm_input){.dropped = 9, .insert_failed = 9}).is_calm);
	assert_true(step(&run, (struct calm_input){.dropped = 9, .insert_failed = 8}).surge_began);
	assert_false(step(&run, (struct calm_input){0}).is_calm);
}

static void bursts_do_not_stretch_the_band(void **state)
{
	struct run run = run_start(4000);

	(void)state;
	go(&run, 30, 0, 5, 100);
	for (int i = 0; i < 120; i++) { /* ten minutes: one second of 2,000, four of falling */
		go(&run, 1, 2000, 5, 100);
		go(&run, 4, -500, 5, 100);
	}
	go(&run, 60, 0, 5, 100);
	run.began = 0;
	go(&run, 1, 650, 5, 100); /* far less than the bursts were */
	assert_int_equal(run.began, 1);
}

static void time_that_goes_back_is_a_new_start(void **state)
{
	struct run run = run_start(4000);

	(void)state;
	go(&run, 30, 0, 5, 100);
	run.now_ns -= 3600 * SEC;
	run.entries = 12000; /* who knows what happened meanwhile */
	step(&run, (struct calm_input){0});
	assert_int_equal(run.began, 0);
	go(&run, 1, 8000, 0, 100);
	assert_int_equal(run.began, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calm_after_ten_seconds_at_any_fill),
		cmocka_unit_test(usual_noise_is_calm),
		cmocka_unit_test(a_rush_shows_within_a_quarter_of_a_second),
		cmocka_unit_test(a_slow_ramp_shows_too),
		cmocka_unit_test(a_surge_ends_after_ten_quiet_seconds_once),
		cmocka_unit_test(a_fall_is_no_surge),
		cmocka_unit_test(our_own_deletes_hide_no_growth),
		cmocka_unit_test(what_user_space_puts_in_is_no_growth),
		cmocka_unit_test(drops_of_a_full_table_are_a_surge_and_clashes_are_not),
		cmocka_unit_test(bursts_do_not_stretch_the_band),
		cmocka_unit_test(time_that_goes_back_is_a_new_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
