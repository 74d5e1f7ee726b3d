/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/kept: what is kept holds, and what no longer holds is not kept. */
#include "stats_fixture.h"

#include <stdlib.h>

#include "../../src/daemon/kept.h"

struct lab {
	struct picture *picture;
	struct kept *kept;
	struct snapshot *at;
};

static int setup(void **state)
{
	const struct picture_config config = picture_config_default();
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->picture = picture_new(&config);
	lab->kept = kept_new();
	lab->at = calloc(1, sizeof(*lab->at));
	for (uint16_t i = 0; i < 100; i++) {
		struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 2, 0, i), 1, 53);

		picture_add(lab->picture, &flow);
	}
	lab->picture->pass_ended_ns = 5 * SEC;
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	picture_free(lab->picture);
	kept_free(lab->kept);
	free(lab->at);
	free(lab);
	return 0;
}

static void births(struct picture *picture, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct flow flow = flow_make(TCP, IP(10, 0, 0, 2), IP(10, 3, 0, 0) + i, i, 80);

		picture_born(picture, &flow);
	}
}

static void look(struct lab *lab, int64_t now_ns, int64_t tick, int64_t rates_tick)
{
	memset(lab->at, 0, sizeof(*lab->at));
	kept_add(lab->kept, lab->at, lab->picture, NULL, now_ns, tick, rates_tick);
}

static void within_a_tick_many_ask_and_one_looks(void **state)
{
	struct lab *lab = *state;
	struct snapshot *fresh = calloc(1, sizeof(*fresh));

	for (int i = 0; i < 300; i++)
		look(lab, 6 * SEC, 1, 1);
	assert_int_equal(kept_made(lab->kept), 1);
	snapshot_add_picture(fresh, lab->picture, NULL, 6 * SEC);
	assert_memory_equal(lab->at, fresh, sizeof(*fresh)); /* the very same as without keeping */
	look(lab, 9 * SEC, 1, 1);
	assert_true(lab->at->pass_age_sec > 3.9 && lab->at->pass_age_sec < 4.1); /* ages all the same */
	free(fresh);
}

static void what_moved_is_seen_in_the_next_tick(void **state)
{
	struct lab *lab = *state;

	look(lab, 6 * SEC, 1, 1);
	births(lab->picture, 400);
	look(lab, 6 * SEC, 1, 1);
	assert_int_equal(lab->at->sources.rows[0].entries, 100);
	look(lab, 6 * SEC, 2, 1);
	assert_int_equal(lab->at->sources.rows[0].entries, 400);
	assert_non_null(strstr(lab->at->cause.text, "10.0.0.2"));
	/* And what moved just before a tick in which nobody asked. */
	births(lab->picture, 10);
	look(lab, 6 * SEC, 5, 1);
	assert_int_equal(lab->at->sources.rows[0].entries, 410);
	assert_int_equal(kept_made(lab->kept), 3);
}

static void where_nothing_moved_it_stays_over_ticks(void **state)
{
	struct lab *lab = *state;

	for (int tick = 1; tick < 50; tick++)
		look(lab, 6 * SEC, tick, 1);
	assert_int_equal(kept_made(lab->kept), 1);
	look(lab, 6 * SEC, 50, 2); /* rates have decayed */
	assert_int_equal(kept_made(lab->kept), 2);
	picture_set_base(lab->picture); /* growth counts from here */
	look(lab, 6 * SEC, 51, 2);
	assert_int_equal(kept_made(lab->kept), 3);
}

static void another_pass_is_seen_at_once(void **state)
{
	struct lab *lab = *state;

	look(lab, 6 * SEC, 1, 1);
	births(lab->picture, 300);
	lab->picture->pass_ended_ns = 7 * SEC;
	look(lab, 8 * SEC, 1, 1);
	assert_int_equal(lab->at->sources.rows[0].entries, 300);
	assert_int_equal(kept_made(lab->kept), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(within_a_tick_many_ask_and_one_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(what_moved_is_seen_in_the_next_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(where_nothing_moved_it_stays_over_ticks, setup, teardown),
		cmocka_unit_test_setup_teardown(another_pass_is_seen_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
