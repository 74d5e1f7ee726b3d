/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/adopted: what user space put in by counter and events. */
#include "stats/adopted.h"
#include "stats_fixture.h"

static uint64_t step(struct adopted_state *state, double sec, struct adopted_input input)
{
	input.now_ns = 1000 * SEC + (int64_t)(sec * SEC);
	return adopted_update(state, &input);
}

static void the_counter_counts_at_once_and_events_may_come_later(void **unused)
{
	struct adopted_state state = {0};

	(void)unused;
	assert_int_equal(step(&state, 0, (struct adopted_input){.is_listening = true}), 0);
	assert_int_equal(step(&state, 0.5, (struct adopted_input){.inserts = 16000, .put = 300, .is_listening = true}),
			 16000);
	for (int i = 0; i < 16; i++) /* for 8 s */
		step(&state, 1 + 0.5 * i, (struct adopted_input){.put = 900, .is_listening = true});
	assert_int_equal(step(&state, 9, (struct adopted_input){.put = 1300, .is_listening = true}), 0);
	for (int i = 0; i < 100; i++)
		step(&state, 10 + i, (struct adopted_input){.is_listening = true});
	assert_int_equal(step(&state, 111, (struct adopted_input){.inserts = 500, .is_listening = true}), 500);
}

static void lost_events_explain_inserts_too(void **unused)
{
	struct adopted_state state = {0};

	(void)unused;
	step(&state, 0, (struct adopted_input){.inserts = 16000, .put = 1000, .lost = 15000, .is_listening = true});
	for (int i = 1; i < 30; i++)
		step(&state, i, (struct adopted_input){.is_listening = true});
	assert_int_equal(step(&state, 31, (struct adopted_input){.inserts = 700, .is_listening = true}), 700);
}

static void inserts_that_nobody_asked_for_are_growth(void **unused)
{
	struct adopted_state state = {0};
	uint64_t last = 0;

	(void)unused;
	for (int i = 0; i < 60; i++)
		last = step(&state, 0.5 * i, (struct adopted_input){.inserts = 100, .put = 3, .is_listening = true});
	assert_int_equal(last, 3);
}

static void where_nobody_listens_the_counter_is_believed(void **unused)
{
	struct adopted_state state = {0};
	uint64_t last = 0;

	(void)unused;
	for (int i = 0; i < 60; i++)
		last = step(&state, 0.5 * i, (struct adopted_input){.inserts = 100});
	assert_int_equal(last, 100);
}

static void tables_kept_in_step_do_not_hide_growth(void **unused)
{
	struct adopted_state state = {0};

	(void)unused;
	assert_int_equal(step(&state, 0, (struct adopted_input){.inserts = 500, .put = 500, .deleted = 480}), 20);
	assert_int_equal(step(&state, 1, (struct adopted_input){.inserts = 500, .put = 500, .deleted = 9000}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_counts_at_once_and_events_may_come_later),
		cmocka_unit_test(lost_events_explain_inserts_too),
		cmocka_unit_test(inserts_that_nobody_asked_for_are_growth),
		cmocka_unit_test(where_nobody_listens_the_counter_is_believed),
		cmocka_unit_test(tables_kept_in_step_do_not_hide_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
