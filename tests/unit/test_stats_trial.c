/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/trial: what says something, for how long, and what a signature is told. */
#include "stats/trial.h"
#include "stats_fixture.h"

#define START (1000 * SEC)

static struct trial trial;

static struct flow crowd(unsigned i)
{
	return flow_answered(TCP, IP(10, 9, 0, 0) + i, IP(198, 51, 100, 9), 5000, 80);
}

static void offer_standing(struct flow flow, struct standing standing, int64_t now_ns)
{
	struct flow_facts facts;

	flow_facts_of(&flow, NULL, 0, &facts);
	trial_offer(&trial, &flow, &facts, &standing, now_ns);
}

static void offer(unsigned count, bool is_active, int64_t now_ns)
{
	for (unsigned i = 0; i < count; i++)
		offer_standing(crowd(i), (struct standing){.is_tried = true, .is_active = is_active}, now_ns);
}

static struct signature judge(int64_t now_ns)
{
	struct signature signature = {.pattern = {.classes = 1u << FLOW_CLASS_ESTABLISHED,
						  .has_protocol = true,
						  .protocol = TCP,
						  .has_port = true,
						  .port = 80}};

	trial_judge(&trial, &signature, now_ns);
	return signature;
}

static void nothing_known_is_untried(void **state)
{
	(void)state;
	trial_init(&trial);
	assert_true(judge(START).is_untried);
	assert_false(judge(START).is_lively);
	offer(31, true, START);
	assert_true(judge(START).is_untried);
	offer(1, true, START);
	assert_false(judge(START).is_untried);
	assert_true(judge(START).is_lively);
}

static void a_flood_shows_no_traffic_and_a_crowd_does(void **state)
{
	(void)state;
	trial_init(&trial);
	offer(71, false, START);
	offer(29, true, START);
	assert_false(judge(START).is_untried);
	assert_false(judge(START).is_lively);
	offer(2, true, START);
	assert_true(judge(START).is_lively);
}

static void only_the_last_minute_and_the_last_flows_count(void **state)
{
	(void)state;
	trial_init(&trial);
	offer(TRIAL_MAX, true, START);
	assert_true(judge(START + 60 * SEC).is_lively);
	assert_true(judge(START + 61 * SEC).is_untried);
	offer(TRIAL_MAX - 300, false, START + 61 * SEC);
	assert_false(judge(START + 61 * SEC).is_lively);
	assert_false(judge(START + 61 * SEC).is_untried);
}

static void base_untried_unanswered_and_other_flows_say_nothing(void **state)
{
	(void)state;
	trial_init(&trial);
	for (unsigned i = 0; i < 100; i++) {
		offer_standing(crowd(i), (struct standing){.is_tried = true, .is_base = true}, START);
		offer_standing(crowd(i), (struct standing){.is_active = true}, START);
		offer_standing(flow_make(TCP, IP(10, 9, 0, 0) + i, IP(198, 51, 100, 9), 5000, 80),
			       (struct standing){.is_tried = true}, START);
		offer_standing(flow_answered(TCP, IP(10, 9, 0, 0) + i, IP(198, 51, 100, 9), 5000, 443),
			       (struct standing){.is_tried = true}, START);
	}
	assert_int_equal(trial.used, 100); /* those to port 443 */
	assert_true(judge(START).is_untried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known_is_untried),
		cmocka_unit_test(a_flood_shows_no_traffic_and_a_crowd_does),
		cmocka_unit_test(only_the_last_minute_and_the_last_flows_count),
		cmocka_unit_test(base_untried_unanswered_and_other_flows_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
