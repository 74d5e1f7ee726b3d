/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds of the guard on tables in memory: whom they take, whom never, and that the numbers add up. */
#include "action_guard_world.h"

#include "base/clock.h"

static void unanswered_flood_goes_and_honest_flows_stay(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 10000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 10000);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
	assert_int_equal(outcome.record.classes[FLOW_CLASS_UNREPLIED], 10000);
	assert_string_equal(outcome.record.sources[0].name, "10.9.0.0");
	assert_int_equal(outcome.record.example_count, RECORD_EXAMPLES);
	assert_true(outcome.effect.has_entries);
	assert_int_equal(outcome.effect.entries_before - outcome.effect.entries_after, 10000);
}

static void answered_flood_goes_by_its_signature(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 14000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, true, 4096);
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
	assert_int_equal(outcome.record.done, 14000);
	assert_true(outcome.record.signature_count >= 1);
	assert_true(outcome.record.signatures[0].is_confirmed);
	assert_non_null(strstr(outcome.record.how, "the surge is"));
}

/* More flows than are kept until the signature is found. */
static void a_large_table_is_streamed(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 20000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 36000, true, 4096);
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
	assert_int_equal(outcome.record.done, 20000);
}

static void without_a_calm_picture_no_answered_flow_goes_by_signature(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 14000, LEVEL_WARNING);
	struct guard_outcome outcome;

	attack(w, 15000, true, 4096);
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	assert_non_null(strstr(outcome.record.how, "no calm picture"));
}

static void observing_changes_nothing(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 10000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	decision.would = true;
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.mode, POLICY_MODE_OBSERVE);
	assert_int_equal(outcome.record.matched, 10000);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	assert_int_equal(w->fake->writes, 0);
}

static void protected_flows_stay_and_are_named(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 15000, LEVEL_WARNING);
	struct protect *protect = protect_new();
	struct guard_outcome outcome;

	protect_add(protect, fake_filter(FILTER_DPORT, "53"), "dns");
	w->table.protect = protect;
	calm_then_attack(w, 15000, false, 1);
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	assert_int_equal(outcome.record.protected_count, 1);
	assert_string_equal(outcome.record.protected_by[0].name, "dns");
	assert_int_equal(outcome.record.protected_by[0].count, 15000);
	protect_free(protect);
}

static void own_is_what_this_host_begins_or_answers(void **state)
{
	struct world *w = *state;
	struct addr own = {.family = AF_INET, .bytes = {203, 0, 113, 1}};
	struct flow to_us = answered_tcp(IP(10, 9, 0, 1), IP(203, 0, 113, 1), 4000, 22, 400000), through = to_us;
	struct flow asked = flow_make(UDP, IP(10, 9, 0, 1), IP(203, 0, 113, 1), 4000, 53);

	w->table.own = &own;
	w->table.own_count = 1;
	assert_true(guard_is_own(&w->table, &to_us));
	/* Unanswered: no shield. */
	assert_false(guard_is_own(&w->table, &asked));
	/* Masquerading: the reply goes to our address, the flow is another's. */
	put_ipv4(through.tuple[FLOW_ORIG].dst, IP(198, 51, 100, 1));
	put_ipv4(through.tuple[FLOW_REPLY].src, IP(198, 51, 100, 1));
	put_ipv4(through.tuple[FLOW_REPLY].dst, IP(203, 0, 113, 1));
	assert_false(guard_is_own(&w->table, &through));
	/* Forwarded to a server behind us (DNAT): the server answers. */
	through = to_us;
	put_ipv4(through.tuple[FLOW_REPLY].src, IP(10, 1, 0, 5));
	assert_false(guard_is_own(&w->table, &through));
}

/* Between the pass and the delete somebody answers. */
static void answer_all(struct fake *fake)
{
	for (size_t i = 0; i < fake->count; i++)
		fake->flows[i].status |= FLOW_STATUS_SEEN_REPLY;
}

static void what_was_answered_meanwhile_lives(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	w->fake->on_read = answer_all;
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(outcome.record.gone, 5000);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

static void who_is_unanswered_is_asked_for_that_alone(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 5000);
	assert_true(w->fake->asks > 0);
	assert_int_equal(w->fake->reads, 0);
}

static int64_t pass_takes_ns;

static void take_time(struct fake *fake)
{
	(void)fake;
	now_ns += pass_takes_ns;
}

/* Unless it was read in this instant: then no second reading tells more. */
static void who_was_answered_is_read_again(void **state)
{
	static const int64_t took_ns[] = {24 * NS_PER_MS, 25 * NS_PER_MS};
	struct world *w = *state;
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, true, 65536);
	w->fake->on_scan = take_time;
	for (size_t i = 0; i < 2; i++) {
		struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);

		pass_takes_ns = took_ns[i];
		guard_forget_chosen(w->guard);
		round_of(w, &decision, &outcome);
		assert_int_equal(outcome.record.done, 5000);
		assert_int_equal(w->fake->asks, 0);
		assert_int_equal(w->fake->read_flows, i ? 5000 : 0);
	}
}

/* A question would be an update to them. */
static void where_updates_are_heard_all_are_read_again(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	w->fake->hears_updates = true;
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, 5000);
	assert_int_equal(w->fake->asks, 0);
	assert_true(w->fake->reads > 0);
}

static void a_question_that_fails_makes_nobody_sure(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	w->fake->ask_error = -ENOBUFS;
	w->fake->on_read = answer_all;
	round_of(w, &decision, &outcome);
	assert_true(w->fake->asks > 0);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

/* Between the pass and the delete somebody marks them. */
static void mark_all(struct fake *fake)
{
	for (size_t i = 0; i < fake->count; i++) {
		fake->flows[i].mark = 7;
		fake->flows[i].has |= FLOW_HAS_MARK;
	}
}

static void marked_meanwhile(struct world *w, struct guard_outcome *ret_outcome)
{
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);

	calm_then_attack(w, 15000, false, 1);
	w->fake->on_read = mark_all;
	round_of(w, &decision, ret_outcome);
	assert_int_equal(ret_outcome->record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

static void what_the_policy_protects_meanwhile_lives(void **state)
{
	static const char text[] = "{\"schema\": \"ctwarden.policy/1\", \"protect\": {\"flows\": [{\"name\": \"m\", "
				   "\"match\": {\"mark\": 7}}]}, \"rules\": [{\"name\": \"r\", \"when\": "
				   "{\"fill_pct\": 60}, \"do\": {\"action\": "
				   "\"evict\", \"classes\": [\"unreplied\"]}, \"until\": {\"fill_pct\": 50}}]}";
	struct world *w = *state;
	struct guard_outcome outcome;
	struct problem problem = {0};

	policy_free(w->policy);
	w->policy = NULL;
	if (policy_parse(text, strlen(text), "p.json", &w->policy, &problem))
		fail_msg("%s: %s", problem.path, problem.text);
	w->table.policy = w->policy;
	marked_meanwhile(w, &outcome);
}

static void what_the_config_protects_meanwhile_lives(void **state)
{
	struct flow_filter *marked = flow_filter_new();
	struct protect *protect = protect_new();
	struct world *w = *state;
	struct guard_outcome outcome;

	assert_int_equal(flow_filter_add(marked, FILTER_MARK, "7", false, NULL), 0);
	assert_int_equal(flow_filter_finish(marked, NULL), 0);
	assert_int_equal(protect_add(protect, marked, "m"), 0);
	w->table.protect = protect;
	marked_meanwhile(w, &outcome);
	protect_free(protect);
}

static void a_failing_pass_takes_nothing(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	attack(w, 15000, false, 1);
	w->fake->fail_scan = 1;
	guard_round(w->guard, &w->table, &decision, 1, &outcome);
	policy_decision_done(&decision);
	assert_int_equal(outcome.record.error, -EPERM);
	assert_int_equal(outcome.effect.error, -EPERM);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

static void a_failing_write_stops_and_adds_up(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 5000, LEVEL_WARNING);
	struct guard_outcome outcome;

	calm_then_attack(w, 15000, false, 1);
	w->fake->fail_write = 3;
	w->fake->write_error = -ENOBUFS;
	guard_round(w->guard, &w->table, &decision, 1, &outcome);
	policy_decision_done(&decision);
	assert_int_equal(outcome.record.error, -ENOBUFS);
	assert_int_equal(outcome.record.done, 2 * FLOW_BATCH_MAX);
	assert_int_equal(outcome.record.unknown, FLOW_BATCH_MAX);
	assert_int_equal(outcome.record.left, 5000 - 3 * FLOW_BATCH_MAX);
}

static void shortening_keeps_the_floor_and_seniors(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcome;
	struct policy_decision decision;
	uint32_t floor;

	policy_free(w->policy);
	w->policy = policy_of_rule(
		"\"when\": {\"fill_pct\": 1}, \"do\": {\"action\": \"shorten\", \"classes\": [\"established\"]}");
	w->table.policy = w->policy;
	floor = (uint32_t)(w->policy->rules[0].action.floors_ns[FLOW_CLASS_ESTABLISHED] / SEC);
	assert_true(floor >= 7440);
	decision = (struct policy_decision){.action = POLICY_ACTION_SHORTEN,
					    .filter = flow_filter_new(),
					    .want = POLICY_ALL,
					    .granted = 100000,
					    .scale = 0.0001};
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.done, w->honest);
	for (size_t i = 0; i < w->honest; i++)
		assert_int_equal(w->fake->flows[i].timeout_sec, floor);
	/* Again: nothing is longer than that any more. */
	decision.filter = flow_filter_new();
	round_of(w, &decision, &outcome);
	assert_int_equal(outcome.record.matched, 0);
}

/* A fail-over: 12,000 entries of another firewall, of a network of its own, as the ring of the daemon tells of them. */
#define PUT 12000

static void put_in(struct world *w)
{
	for (uint32_t i = 0; i < PUT; i++)
		fake_add(w->fake, answered_tcp(IP(10, 3, 0, 0) + i % 3000, IP(198, 18, 0, 1),
					       (uint16_t)(1024 + i / 3000), 443, i % 2 ? 431990 : 1800));
}

static unsigned told; /* how many passes and writes have asked so far */
static unsigned tell_at;

static void tell_of_put(void *arg)
{
	struct world *w = arg;

	if (++told != tell_at)
		return;
	for (size_t i = w->honest; i < w->honest + PUT; i++)
		guard_adopt(w->guard, &w->fake->flows[i], now_ns);
}

static void failover(struct world *w, unsigned at)
{
	w->table.adopt = tell_of_put;
	w->table.adopt_arg = w;
	told = 0;
	renew(w);
	renew(w);
	put_in(w);
	tell_at = told + at;
}

static void what_user_space_put_in_stays_and_the_flood_goes(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 7000, LEVEL_FULL);
	struct guard_outcome outcome;

	failover(w, 1);
	attack(w, 8000, true, 4096);
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->honest + PUT), w->honest + PUT);
	assert_int_equal(outcome.record.done, 7000);
	assert_true(outcome.record.signature_count >= 1);
	assert_true(outcome.record.signatures[0].base_share < 0.01);
}

/* All that flood and put flows differ in is who was there before: a signature would be refuted by the pass,
 * too late. */
static void a_flood_at_the_service_of_those_put_in_is_told_apart_by_the_base(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 7000, LEVEL_FULL);
	struct guard_outcome outcome;

	policy_free(w->policy);
	w->policy = policy_of_rule("\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": "
				   "[\"established\"], \"active_at_full\": true}, \"until\": {\"fill_pct\": 50}");
	w->table.policy = w->policy;
	failover(w, 1);
	for (uint32_t i = 0; i < 8000; i++)
		fake_add(w->fake, answered_tcp(i * 2654435761u, IP(198, 18, 0, 1), 4000, 443, 431999));
	w->table.is_calm = false;
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->honest + PUT), w->honest + PUT);
	assert_int_equal(outcome.record.done, 7000);
}

/* More is wanted than there is of the flood: seniors go only as far as 5 % of room takes. */
static void seniors_go_only_where_nothing_else_makes_room(void **state)
{
	struct world *w = *state;
	struct policy_decision few = decide(w, 15000, LEVEL_FULL), none = decide(w, 15000, LEVEL_FULL);
	struct guard_outcome outcome;

	policy_free(w->policy);
	w->policy = policy_of_rule("\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": "
				   "[\"established\"], \"active_at_full\": true}, \"until\": {\"fill_pct\": 50}");
	w->table.policy = w->policy;
	w->table.capacity = PUT + 2300;
	failover(w, 1);
	attack(w, 2000, true, 4096);
	round_of(w, &few, &outcome);
	assert_int_equal(outcome.record.done, 2000);
	assert_int_equal(alive(w, 0, w->honest + PUT), w->honest + PUT);
	w->table.capacity = PUT + w->honest;
	round_of(w, &none, &outcome);
	assert_int_equal(outcome.record.done, w->table.capacity / 20);
	assert_int_equal(outcome.record.stages[VICTIM_SENIOR] + outcome.record.stages[VICTIM_ACTIVE] +
				 outcome.record.stages[VICTIM_BASE],
			 outcome.record.done);
}

static void who_comes_in_the_middle_of_a_flood_takes_nobody_for_his_silence(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcome;

	for (int grows = 1; grows >= 0; grows--) { /* no calm pass was made */
		struct policy_decision decision = decide(w, 100, LEVEL_CRITICAL);

		if (grows)
			for (uint16_t i = 0; i < 20; i++)
				fake_add(w->fake, answered_tcp(IP(10, 1, 0, 3), IP(203, 0, 113, 2),
							       (uint16_t)(3000 + i), 7000, 432000 - 3 * 3600));
		w->table.is_calm = false;
		w->table.new_per_sec = grows * 8000;
		round_of(w, &decision, &outcome);
		assert_int_equal(outcome.record.stages[VICTIM_IDLE], grows ? 0 : 20);
	}
}

static void what_was_put_in_during_the_pass_is_no_victim(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, PUT, LEVEL_FULL);
	struct guard_outcome outcome;

	failover(w, 2); /* the pass has begun: it takes them for the surge */
	w->table.is_calm = false;
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	assert_int_equal(outcome.record.matched, 0);
	assert_true(outcome.record.spared_by[VICTIM_SPARED_SENIOR] > 0);
}

static void what_was_put_in_before_the_write_is_no_victim(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, PUT, LEVEL_FULL);
	struct guard_outcome outcome;

	/* With the first batch in hand: in the pass it is asked each 2,048 flows. */
	failover(w, 3 + (PUT + w->fake->count) / 2048);
	w->table.is_calm = false;
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	assert_int_equal(outcome.record.gone, PUT);
	assert_int_equal(outcome.record.done, 0);
}

static void a_surge_right_after_does_not_undo_who_was_put_in(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 7000, LEVEL_FULL);
	struct flow_scan_report report;
	struct guard_outcome outcome;

	failover(w, 2);
	assert_int_equal(guard_renew(w->guard, &w->table, &report), 0);
	tell_of_put(w);
	attack(w, 8000, true, 4096);
	guard_surge(w->guard, now_ns);
	assert_true(seniority_is_senior(guard_seniority(w->guard), &w->fake->flows[w->honest + 7]));
	round_of(w, &decision, &outcome);
	assert_int_equal(alive(w, 0, w->honest + PUT), w->honest + PUT);
	assert_int_equal(outcome.record.done, 7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unanswered_flood_goes_and_honest_flows_stay),
		TEST(answered_flood_goes_by_its_signature),
		TEST(a_large_table_is_streamed),
		TEST(without_a_calm_picture_no_answered_flow_goes_by_signature),
		TEST(observing_changes_nothing),
		TEST(protected_flows_stay_and_are_named),
		TEST(own_is_what_this_host_begins_or_answers),
		TEST(what_was_answered_meanwhile_lives),
		TEST(who_is_unanswered_is_asked_for_that_alone),
		TEST(who_was_answered_is_read_again),
		TEST(where_updates_are_heard_all_are_read_again),
		TEST(a_question_that_fails_makes_nobody_sure),
		TEST(what_the_policy_protects_meanwhile_lives),
		TEST(what_the_config_protects_meanwhile_lives),
		TEST(a_failing_pass_takes_nothing),
		TEST(a_failing_write_stops_and_adds_up),
		TEST(shortening_keeps_the_floor_and_seniors),
		TEST(what_user_space_put_in_stays_and_the_flood_goes),
		TEST(a_flood_at_the_service_of_those_put_in_is_told_apart_by_the_base),
		TEST(seniors_go_only_where_nothing_else_makes_room),
		TEST(who_comes_in_the_middle_of_a_flood_takes_nobody_for_his_silence),
		TEST(what_was_put_in_during_the_pass_is_no_victim),
		TEST(what_was_put_in_before_the_write_is_no_victim),
		TEST(a_surge_right_after_does_not_undo_who_was_put_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
