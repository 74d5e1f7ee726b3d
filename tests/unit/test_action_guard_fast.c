/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds that need not look at the whole table: by one request to the kernel, or over the known surge alone; and all
 * that makes them do so. */
#include "action_guard_world.h"

static struct guard_outcome outcome;

static void round_want(struct world *w, uint64_t want, uint64_t other)
{
	round_at(w, LEVEL_WARNING, want, other, &outcome);
}

/* A flood of datagrams from one source, and the first round over it. */
static void flood(struct world *w)
{
	w->fake->can_filter = true;
	calm_then_attack(w, 15000, false, 1);
	round_want(w, 10000, 10000);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_DUMP);
	attack(w, 5000, false, 1);
	w->fake->whole_scans = 0;
}

static void a_confirmed_flood_of_one_source_goes_by_one_request(void **state)
{
	struct world *w = *state;

	flood(w);
	round_want(w, 10000, 1000);
	assert_int_equal(w->fake->filtered, 1);
	assert_int_equal(w->fake->whole_scans, 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_FILTER);
	assert_int_equal(outcome.record.done, 10000);
	assert_int_equal(outcome.effect.done, 10000);
	assert_int_equal(outcome.record.classes[FLOW_CLASS_UNREPLIED], 10000);
	assert_string_equal(outcome.record.sources[0].name, "10.9.0.0");
	assert_non_null(strstr(outcome.record.how, "udp/53 from 10.9.0.0"));
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void where_more_has_to_go_a_pass_follows(void **state)
{
	struct world *w = *state;

	flood(w);
	round_want(w, 12000, 12000);
	assert_int_equal(w->fake->filtered, 1);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 10000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

/* What the pass then takes counts with what the request took, and does not stand for all. */
static void of_both_together_the_sources_are_told(void **state)
{
	struct world *w = *state;

	flood(w);
	for (uint16_t i = 0; i < 600; i++)
		fake_add(w->fake, flow_make(UDP, IP(10, 9, 0, 0), IP(203, 0, 113, 2), (uint16_t)(3000 + i), 54));
	round_want(w, 12000, 12000);
	assert_int_equal(w->fake->filtered, 1);
	assert_int_equal(outcome.record.done, 10600);
	assert_int_equal(outcome.record.matched, 10600);
	assert_int_equal(outcome.record.source_count, 1);
	assert_string_equal(outcome.record.sources[0].name, "10.9.0.0");
	assert_int_equal(outcome.record.sources[0].count, 10600);
	assert_non_null(strstr(outcome.record.how, "udp/53 from 10.9.0.0 by one request to the kernel"));
	assert_non_null(strstr(outcome.record.how, "10,600 unanswered, fits the surge"));
}

static void protect_source(struct world *w)
{
	struct protect *protect = protect_new();

	assert_int_equal(protect_add(protect, fake_filter(FILTER_SRC, "10.9.0.0/24"), "p"), 0);
	w->table.protect = protect;
}

static void grow_old(struct world *w)
{
	(void)w;
	now_ns += 11 * SEC;
}

static void surge_anew(struct world *w)
{
	guard_surge(w->guard, now_ns);
}

static void cannot_filter(struct world *w)
{
	w->fake->can_filter = false;
}

static void another_policy(struct world *w)
{
	policy_free(w->policy);
	w->policy =
		policy_of_rule("\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": "
			       "[\"unreplied\"], \"signature\": false, \"min_age\": 0}, \"until\": {\"fill_pct\": 50}");
	w->table.policy = w->policy;
}

static void whatever_is_in_doubt_takes_the_pass(void **state)
{
	static void (*const doubts[])(struct world *) = {protect_source, grow_old, surge_anew, cannot_filter,
							 another_policy};
	void *own = *state;

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		struct world *w;

		assert_int_equal(world_make(&own), 0);
		w = own;
		flood(w);
		doubts[i](w);
		round_want(w, 5000, 1000);
		assert_int_equal(w->fake->filtered, 0);
		protect_free((struct protect *)w->table.protect);
		world_end(&own);
	}
}

static void nor_does_it_exceed_the_budget_or_act_where_it_only_observes(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);

	flood(w);
	decision.granted = 5000; /* 10,000 are there */
	round_of(w, &decision, &outcome);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(outcome.record.done, 5000);
	attack(w, 5000, false, 1);
	decision = decide(w, 5000, LEVEL_WARNING);
	decision.granted = 40000;
	decision.would = true;
	round_of(w, &decision, &outcome);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(outcome.record.done, 0);
}

static void one_flow_that_must_live_forbids_it(void **state)
{
	struct world *w = *state;
	struct flow flow = flow_make(UDP, IP(10, 9, 0, 0), IP(203, 0, 113, 2), 7, 53);

	/* It was there in calm and has not been answered yet. */
	flow.timeout_sec = 30;
	fake_add(w->fake, flow);
	w->honest++;
	flood(w);
	round_want(w, 5000, 1000);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void nor_where_the_address_has_an_answered_flow(void **state)
{
	struct world *w = *state;

	/* A user in whose name others send. */
	fake_add(w->fake, answered_tcp(IP(10, 9, 0, 0), IP(203, 0, 113, 2), 7, 7000, 431999));
	w->honest++;
	flood(w);
	round_want(w, 5000, 1000);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void answered_flows_never_go_by_one_request(void **state)
{
	struct world *w = *state;

	w->fake->can_filter = true;
	calm_then_attack(w, 15000, true, 1);
	round_want(w, 10000, 10000);
	round_want(w, 2000, 1000);
	assert_int_equal(w->fake->filtered, 0);
}

/* ---- over the known surge alone ---- */

static void handshakes(struct world *w)
{
	calm_then_attack(w, 15000, true, 16);
	round_want(w, 10000, 10000);
	assert_int_equal(w->fake->whole_scans, 3); /* two in calm */
	attack(w, 5000, true, 16);
	w->fake->whole_scans = 0;
}

static void for_a_moment_only_the_known_surge_is_looked_at(void **state)
{
	struct world *w = *state;

	handshakes(w);
	round_want(w, 4000, 4000);
	assert_int_equal(w->fake->whole_scans, 0);
	assert_int_equal(outcome.record.done, 4000);
	assert_int_equal(outcome.record.stages[VICTIM_FIT], 4000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
	now_ns += 3 * SEC;
	round_want(w, 1000, 1000);
	assert_int_equal(w->fake->whole_scans, 1);
}

static void where_it_is_not_enough_the_whole_table_is_looked_at_once(void **state)
{
	struct world *w = *state;

	handshakes(w);
	round_want(w, 12000, 12000);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 10000);
	assert_int_equal(outcome.record.stages[VICTIM_FIT], 10000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void a_rule_that_had_no_part_in_it_looks_at_the_whole_table(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 4000, LEVEL_WARNING);
	struct policy *policy = w->policy;

	handshakes(w);
	policy_free(policy);
	w->policy = policy =
		policy_of_rule("\"when\": {\"fill_pct\": 99}, \"do\": \"log\"}, {\"name\": \"other\", \"when\": "
			       "{\"fill_pct\": 60}, \"do\": {\"action\": "
			       "\"evict\", \"classes\": [\"established\"]}, \"until\": {\"fill_pct\": 50}");
	w->table.policy = policy;
	decision.rule = 1;
	decision.granted = 40000;
	round_of(w, &decision, &outcome);
	assert_int_equal(w->fake->whole_scans, 1);
	decision = decide(w, 1000, LEVEL_WARNING);
	decision.rule = 1;
	decision.granted = 40000;
	round_of(w, &decision, &outcome);
	assert_int_equal(w->fake->whole_scans, 1);
}

static void after_another_surge_it_is_not_known_any_more(void **state)
{
	struct world *w = *state;

	handshakes(w);
	guard_surge(w->guard, now_ns);
	round_want(w, 4000, 4000);
	assert_int_equal(w->fake->whole_scans, 1);
}

static void a_failed_look_takes_the_whole_pass(void **state)
{
	struct world *w = *state;

	handshakes(w);
	w->fake->fail_scan = w->fake->scans + 1;
	round_want(w, 4000, 4000);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 4000);
}

static void masters_of_living_flows_are_spared_by_looking_at_all(void **state)
{
	struct world *w = *state;
	struct flow child = answered_tcp(IP(10, 9, 0, 1), IP(198, 51, 100, 1), 9, 9, 431999);

	child.has |= FLOW_HAS_MASTER;
	child.master = answered_tcp(IP(10, 9, 0, 1), IP(198, 51, 100, 1), 1024, 80, 1).tuple[FLOW_ORIG];
	fake_add(w->fake, child);
	w->honest++;
	handshakes(w);
	round_want(w, 4000, 4000);
	assert_int_equal(w->fake->whole_scans, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_confirmed_flood_of_one_source_goes_by_one_request),
		TEST(where_more_has_to_go_a_pass_follows),
		TEST(of_both_together_the_sources_are_told),
		TEST(whatever_is_in_doubt_takes_the_pass),
		TEST(nor_does_it_exceed_the_budget_or_act_where_it_only_observes),
		TEST(one_flow_that_must_live_forbids_it),
		TEST(nor_where_the_address_has_an_answered_flow),
		TEST(answered_flows_never_go_by_one_request),
		TEST(for_a_moment_only_the_known_surge_is_looked_at),
		TEST(where_it_is_not_enough_the_whole_table_is_looked_at_once),
		TEST(a_rule_that_had_no_part_in_it_looks_at_the_whole_table),
		TEST(after_another_surge_it_is_not_known_any_more),
		TEST(a_failed_look_takes_the_whole_pass),
		TEST(masters_of_living_flows_are_spared_by_looking_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
