/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds that take what a pass before has chosen, and all that makes them look anew; who is not read again; how lanes
 * share the room that is needed. */
#include "action_guard_world.h"

#include "base/clock.h"

static struct guard_outcome outcome;

static void round_want(struct world *w, uint64_t want, uint64_t other)
{
	struct policy_decision decision = decide(w, want, LEVEL_WARNING);

	decision.want_other = other;
	decision.granted = 40000;
	round_of(w, &decision, &outcome);
}

static void look(struct world *w)
{
	struct flow_scan_report report;

	assert_int_equal(guard_renew(w->guard, &w->table, &report), 0);
}

/* Handshakes of which nobody knows yet whether they are in use, and the first round: as many as the next one needs. */
static void untried(struct world *w)
{
	calm_then_attack(w, 15000, true, 16);
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 1000);
	assert_int_equal(w->fake->whole_scans, 3); /* two in calm */
	w->fake->scans = w->fake->whole_scans = 0;
	now_ns += 300 * NS_PER_MS;
}

static void the_next_rounds_take_what_the_pass_has_chosen(void **state)
{
	struct world *w = *state;

	untried(w);
	for (int i = 0; i < 3; i++) {
		round_want(w, 13000, 1500);
		assert_int_equal(w->fake->scans, 0);
		assert_int_equal(outcome.record.done, 1500);
		assert_int_equal(outcome.record.stages[VICTIM_FIT], 1500);
		assert_non_null(strstr(outcome.record.how, "tcp/80"));
		now_ns += 200 * NS_PER_MS;
	}
	assert_int_equal(alive(w, 0, w->honest), w->honest);
	assert_int_equal(alive(w, w->honest, w->fake->count), 15000 - 1000 - 3 * 1500);
}

static void each_is_read_again_and_who_had_traffic_lives(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->fake->count; i++)
		w->fake->flows[i].has |= FLOW_HAS_COUNTERS;
	calm_then_attack(w, 15000, true, 16);
	for (size_t i = w->honest; i < w->fake->count; i++) {
		w->fake->flows[i].has |= FLOW_HAS_COUNTERS;
		w->fake->flows[i].packets[FLOW_ORIG] = 2;
		w->fake->flows[i].packets[FLOW_REPLY] = 1;
	}
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 1000);
	w->fake->scans = 0;
	now_ns += 300 * NS_PER_MS;
	/* A second is too coarse to show it by the timeout. */
	for (size_t i = w->honest; i < w->fake->count; i++) {
		w->fake->flows[i].packets[FLOW_ORIG] = 4;
		w->fake->flows[i].packets[FLOW_REPLY] = 3;
	}
	round_want(w, 13000, 1000);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(outcome.record.gone, 1000);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, w->honest, w->fake->count), 14000);
}

static void grow_old(struct world *w)
{
	(void)w;
	now_ns += SEC;
}

static void surge_anew(struct world *w)
{
	guard_surge(w->guard, now_ns);
}

static void another_policy(struct world *w)
{
	struct policy *policy = w->policy;

	w->table.policy = w->policy = policy_of_rule(evict_all);
	policy_free(policy);
}

static void whatever_is_in_doubt_looks_anew(void **state)
{
	void (*const doubts[])(struct world *) = {grow_old, surge_anew, another_policy};

	for (size_t i = 0; i < sizeof(doubts) / sizeof(*doubts); i++) {
		void *world = NULL;

		world_make(&world);
		untried(world);
		doubts[i](world);
		round_want(world, 13000, 1500);
		assert_int_equal(((struct world *)world)->fake->whole_scans, 1);
		world_end(&world);
	}
	(void)state;
}

static void at_another_level_others_are_chosen(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 13000, LEVEL_CRITICAL);

	untried(w);
	decision.want_other = 1500;
	round_of(w, &decision, &outcome);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 1500);
}

static void where_it_is_not_enough_more_is_looked_at(void **state)
{
	struct world *w = *state;

	untried(w);
	round_want(w, 13000, 7000);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 7000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void once_it_is_tried_all_of_the_surge_is_looked_for(void **state)
{
	struct world *w = *state;

	renew(w);
	renew(w);
	attack(w, 15000, true, 16);
	look(w);
	now_ns += 1900 * NS_PER_MS;
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 1000);
	now_ns += 300 * NS_PER_MS;
	look(w);
	w->fake->scans = 0;
	round_want(w, 13000, 1000);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 13000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void masters_of_living_flows_are_spared_by_looking_anew(void **state)
{
	struct world *w = *state;
	struct flow child = answered_tcp(IP(10, 9, 0, 1), IP(198, 51, 100, 1), 9, 9, 431999);

	child.has |= FLOW_HAS_MASTER;
	child.master = answered_tcp(IP(10, 9, 0, 1), IP(198, 51, 100, 1), 1024, 80, 1).tuple[FLOW_ORIG];
	fake_add(w->fake, child);
	w->honest++;
	untried(w);
	round_want(w, 13000, 1500);
	assert_int_equal(w->fake->whole_scans, 1);
}

static void observing_keeps_nothing(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	calm_then_attack(w, 15000, true, 16);
	for (int i = 0; i < 2; i++) {
		w->fake->scans = 0;
		decision = decide(w, 14000, LEVEL_WARNING);
		decision.want_other = 1000;
		decision.would = true;
		guard_round(w->guard, &w->table, &decision, 1, &outcome);
		policy_decision_done(&decision);
		assert_true(w->fake->scans > 0);
		assert_int_equal(outcome.record.matched, 1000);
		now_ns += 300 * NS_PER_MS;
	}
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

/* ---- who is not read again ---- */

/* A surge known to be idle by trial. */
static void tried(struct world *w)
{
	renew(w);
	renew(w);
	attack(w, 15000, true, 16);
	look(w);
	now_ns += 3 * SEC;
	look(w);
	w->fake->reads = 0;
}

static void who_was_read_a_moment_ago_of_a_surge_not_in_use_goes_as_it_was_read(void **state)
{
	struct world *w = *state;

	tried(w);
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 14000);
	assert_int_equal(w->fake->reads, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void take_time(struct fake *fake)
{
	(void)fake;
	now_ns += 30 * NS_PER_MS;
}

static void later_it_is_read_again(void **state)
{
	struct world *w = *state;

	tried(w);
	w->fake->on_write = take_time;
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 14000);
	assert_in_range(w->fake->reads, 14000 / FLOW_BATCH_MAX - 8, 14000 / FLOW_BATCH_MAX);
}

static void where_a_mark_would_protect_it_is_read_again(void **state)
{
	struct world *w = *state;
	static const char text[] = "{\"schema\": \"ctwarden.policy/1\", \"protect\": {\"flows\": [{\"name\": "
				   "\"marked\", \"match\": {\"mark\": 7}}]}, \"rules\": [{\"name\": \"r\", \"when\": "
				   "{\"fill_pct\": 60}, \"do\": {\"action\": "
				   "\"evict\", \"classes\": [\"established\"]}, \"until\": {\"fill_pct\": 50}}]}";
	struct problem problem = {0};

	tried(w);
	policy_free(w->policy);
	assert_int_equal(policy_parse(text, sizeof(text) - 1, "p.json", &w->policy, &problem), 0);
	w->table.policy = w->policy;
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 14000);
	assert_true(w->fake->reads > 0);
}

/* ---- lanes ---- */

static void answered_flows_stay_where_unanswered_ones_made_the_room(void **state)
{
	struct world *w = *state;
	struct policy *policy = w->policy;
	struct policy_decision decisions[2] = {decide(w, 4000, LEVEL_WARNING), decide(w, 4000, LEVEL_WARNING)};
	struct guard_outcome outcomes[2];

	w->table.policy = w->policy = policy_of_rule("\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", "
						     "\"classes\": [\"unreplied\"]}, \"until\": {\"fill_pct\": 50}}, "
						     "{\"name\": \"answered\", \"when\": {\"fill_pct\": 60}, \"do\": "
						     "{\"action\": \"evict\", \"classes\": [\"established\"]}, "
						     "\"until\": {\"fill_pct\": 50}");
	policy_free(policy);
	/* Silent for longer than the floor: they would go where nothing else does. */
	for (uint16_t i = 0; i < 500; i++)
		fake_add(w->fake,
			 answered_tcp(IP(10, 1, 0, 3), IP(203, 0, 113, 2), (uint16_t)(3000 + i), 7000, 400000));
	w->honest = w->fake->count;
	calm_then_attack(w, 3000, false, 3000);
	for (size_t i = w->honest; i < w->fake->count; i++)
		w->fake->flows[i].timeout_sec = 20;
	for (int i = 0; i < 2; i++) {
		decisions[i].rule = (size_t)i;
		decisions[i].want_other = 400;
		decisions[i].granted = 40000;
	}
	guard_round(w->guard, &w->table, decisions, 2, outcomes);
	policy_decision_done(&decisions[0]);
	policy_decision_done(&decisions[1]);
	assert_in_range(outcomes[0].record.done, 400, 3000);
	assert_int_equal(outcomes[1].record.done, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_rounds_take_what_the_pass_has_chosen),
		TEST(each_is_read_again_and_who_had_traffic_lives),
		cmocka_unit_test(whatever_is_in_doubt_looks_anew),
		TEST(at_another_level_others_are_chosen),
		TEST(where_it_is_not_enough_more_is_looked_at),
		TEST(once_it_is_tried_all_of_the_surge_is_looked_for),
		TEST(masters_of_living_flows_are_spared_by_looking_anew),
		TEST(observing_keeps_nothing),
		TEST(who_was_read_a_moment_ago_of_a_surge_not_in_use_goes_as_it_was_read),
		TEST(later_it_is_read_again),
		TEST(where_a_mark_would_protect_it_is_read_again),
		TEST(answered_flows_stay_where_unanswered_ones_made_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
