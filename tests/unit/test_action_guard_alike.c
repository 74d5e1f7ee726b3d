/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A signature without a calm picture, and one that the pass does not bear out: who goes by himself goes all the same,
 * who goes by the signature alone lives. */
#include "action_guard_world.h"

#include "base/clock.h"

#define YOUNG 0	 /* seconds of silence */
#define OLD   10
#define EARLY 16384 /* flows of a pass among which the signature is looked for */

static struct guard_outcome outcome;

static void guard_that_asks_for(struct world *w, double min_alike)
{
	struct guard_config config = guard_config_default();

	config.min_alike = min_alike;
	guard_free(w->guard);
	w->guard = guard_new(&config);
	w->table.is_calm = false;
}

/* Of one source, to one port. */
static void add_flood(struct world *w, uint32_t count, uint32_t idle_sec)
{
	for (uint32_t i = 0; i < count; i++) {
		struct flow flow = flow_make(UDP, IP(10, 9, 0, 7), IP(198, 51, 100, 0) + i % 256,
					     (uint16_t)(1024 + i / 256), (uint16_t)(50 + idle_sec));

		flow.has |= FLOW_HAS_TIMEOUT;
		flow.timeout_sec = w->timeouts.udp_unreplied - idle_sec;
		fake_add(w->fake, flow);
	}
}

/* Of many to many, in use. */
static void add_users(struct world *w, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		fake_add(w->fake, answered_tcp(IP(10, 0, 0, 0) + i * 7919u % 16000000u,
					       IP(20, 0, 0, 0) + i * 104729u % 16000000u, (uint16_t)(1024 + i * 7),
					       (uint16_t)(1 + i * 31), 431999));
}

static void young_ones_go_by_hand_where_most_of_the_table_is_alike(void **state)
{
	struct world *w = *state;

	guard_that_asks_for(w, 0.5);
	add_users(w, 2700);
	add_flood(w, 6000, YOUNG);
	round_at(w, LEVEL_CRITICAL, 4000, 4000, &outcome);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED_FIT], 4000);
	assert_int_equal(outcome.record.signature_count, 1);
	assert_true(outcome.record.signatures[0].coverage > 0.6 && outcome.record.signatures[0].coverage < 0.7);
}

/* Where the source alone is what they share, the addresses that honest flows have in common with it are not named. */
static void honest_young_ones_beside_them_live(void **state)
{
	struct world *w = *state;
	size_t from;

	guard_that_asks_for(w, 0.5);
	for (uint16_t i = 0; i < 600; i++)
		fake_add(w->fake, answered_tcp(IP(10, 9, 0, 8) + i % 8, IP(198, 51, 100, 7), i, 80, 431999));
	add_flood(w, 3400, YOUNG);
	from = w->fake->count;
	for (uint16_t i = 0; i < 50; i++) {
		struct flow flow =
			flow_make(TCP, IP(10, 9, 0, 8) + i % 8, IP(198, 51, 100, 7), (uint16_t)(1024 + i), 80);

		flow.state = FLOW_TCP_SYN_SENT;
		flow.has |= FLOW_HAS_TIMEOUT;
		flow.timeout_sec = w->timeouts.tcp[FLOW_TCP_SYN_SENT];
		fake_add(w->fake, flow);
	}
	round_at(w, LEVEL_CRITICAL, 4000, 4000, &outcome);
	assert_int_equal(outcome.record.done, 3400);
	assert_int_equal(alive(w, from, w->fake->count), 50);
}

static void by_hand_less_than_most_takes_what_is_old_alone(void **state)
{
	struct world *w = *state;

	guard_that_asks_for(w, 0.5);
	add_users(w, 4700);
	add_flood(w, 1500, YOUNG);
	add_flood(w, 1500, OLD);
	round_at(w, LEVEL_CRITICAL, 4000, 4000, &outcome);
	assert_int_equal(outcome.record.done, 1500);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED], 1500);
	assert_int_equal(outcome.record.signature_count, 0);
}

/* A daemon that is started in a flood: it fills the table sooner than its flows grow old. */
static void of_rounds_on_end_less_than_most_takes_young_ones_too(void **state)
{
	struct world *w = *state;

	guard_that_asks_for(w, 0);
	add_users(w, 4700);
	add_flood(w, 3000, YOUNG);
	w->table.new_per_sec = 3000;
	round_at(w, LEVEL_CRITICAL, 4000, 4000, &outcome);
	assert_int_equal(outcome.record.done, 3000);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED_FIT], 3000);
}

/* The first of the pass look like a surge, and then nothing more of it comes. */
static void what_is_not_borne_out_takes_what_would_go_without_it(void **state)
{
	struct world *w = *state;

	guard_that_asks_for(w, 0);
	add_users(w, EARLY - 4300);
	add_flood(w, 2000, YOUNG);
	add_flood(w, 2000, OLD);
	add_users(w, 14000);
	round_at(w, LEVEL_CRITICAL, 4000, 4000, &outcome);
	assert_int_equal(outcome.record.signature_count, 1);
	assert_false(outcome.record.signatures[0].is_confirmed);
	assert_int_equal(outcome.record.done, 2000);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED], 2000);
	assert_true(outcome.record.spared_by[VICTIM_SPARED_YOUNG_FLOW] >= 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(young_ones_go_by_hand_where_most_of_the_table_is_alike),
		TEST(honest_young_ones_beside_them_live),
		TEST(by_hand_less_than_most_takes_what_is_old_alone),
		TEST(of_rounds_on_end_less_than_most_takes_young_ones_too),
		TEST(what_is_not_borne_out_takes_what_would_go_without_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
