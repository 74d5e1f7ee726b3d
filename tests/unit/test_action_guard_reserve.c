/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds that take what a pass before has chosen, and all that makes them look anew; who is not read again; how lanes
 * share the room that is needed. */
#include "action_guard_world.h"

#include "base/clock.h"

static struct guard_outcome outcome;

static void round_want(struct world *w, uint64_t want, uint64_t other)
{
	round_at(w, LEVEL_WARNING, want, other, &outcome);
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
		assert_non_null(strstr(outcome.record.how, "no more than the next round needs"));
		assert_int_equal(outcome.record.way, ACTION_WAY_RESERVE);
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
	assert_int_equal(w->fake->scans, 1); /* who is in use now is told by a pass alone */
	assert_int_equal(outcome.record.gone, 1000);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, w->honest, w->fake->count), 14000);
}

static void grow_old(struct world *w)
{
	(void)w;
	now_ns += 2 * SEC;
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
	guard_forget_chosen(w->guard);
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
	round_want(w, 13000, 11000);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 11000);
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

/* Those that were chosen are in use now, and others are not. */
static void where_most_have_gone_the_table_is_looked_at(void **state)
{
	struct world *w = *state;

	untried(w);
	for (size_t i = w->honest; i < w->fake->count; i++)
		w->fake->flows[i].timeout_sec = 300;
	attack(w, 8000, true, 4000);
	round_want(w, 13000, 1000);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 1000);
	assert_int_equal(outcome.record.way, ACTION_WAY_DUMP);
}

static void answered_later(struct world *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_add(w->fake,
			 answered_tcp(IP(10, 1, 0, 3), IP(203, 0, 113, 2), (uint16_t)(3000 + i), 7000, 420000));
	w->honest = w->fake->count;
}

/* More of the unanswered surge, by other ports. */
static void more_unanswered(struct world *w, size_t count, uint16_t by)
{
	size_t from = w->fake->count;

	attack(w, count, false, 200);
	for (size_t i = from; i < w->fake->count; i++) {
		w->fake->flows[i].tuple[FLOW_ORIG].sport += by;
		w->fake->flows[i].tuple[FLOW_REPLY].dport += by;
	}
}

static void no_answered_flow_goes_for_an_unanswered_surge_that_came_since(void **state)
{
	struct world *w = *state;
	size_t left;

	answered_later(w, 3000);
	calm_then_attack(w, 200, false, 200);
	round_want(w, 6000, 300);
	left = alive(w, 0, w->honest);
	more_unanswered(w, 6000, 20000);
	now_ns += 200 * NS_PER_MS;
	round_want(w, 6000, 300);
	assert_int_equal(outcome.record.done, 6000);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED_FIT], 6000);
	assert_int_equal(alive(w, 0, w->honest), left);
}

/* Nor where neither is proven: the unanswered before the answered. */
static void nor_for_one_that_goes_on(void **state)
{
	struct world *w = *state;
	size_t answered;

	renew(w);
	renew(w);
	attack(w, 12000, true, 16);
	answered = w->fake->count;
	attack(w, 3000, false, 200);
	round_want(w, 14000, 3500);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED_FIT], 3000);
	assert_int_equal(outcome.record.stages[VICTIM_FIT], 500);
	more_unanswered(w, 1600, 20000);
	now_ns += 200 * NS_PER_MS;
	round_want(w, 13000, 500);
	assert_int_equal(outcome.record.stages[VICTIM_UNANSWERED_FIT], 500);
	assert_int_equal(outcome.record.done, 500);
	assert_int_equal(alive(w, w->honest, answered), 12000 - 500);
}

static void set_two_rules(struct world *w, const char *first, const char *second)
{
	struct policy *policy = w->policy;
	char text[900];

	snprintf(text, sizeof(text),
		 "\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": [%s]}, \"until\": "
		 "{\"fill_pct\": 50}}, "
		 "{\"name\": \"b\", \"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": [%s]}, "
		 "\"until\": "
		 "{\"fill_pct\": 50}",
		 first, second);
	w->table.policy = w->policy = policy_of_rule(text);
	policy_free(policy);
}

static void round_of_two(struct world *w, struct policy_decision decisions[2], struct guard_outcome ret_outcomes[2])
{
	for (size_t i = 0; i < 2; i++)
		decisions[i].rule = i;
	guard_round(w->guard, &w->table, decisions, 2, ret_outcomes);
	policy_decision_done(&decisions[0]);
	policy_decision_done(&decisions[1]);
}

static void a_proven_surge_that_goes_on_is_looked_for_in_each_round(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcomes[2];
	size_t others = w->honest;

	set_two_rules(w, "\"unreplied\", \"pickup\", \"half-open\"",
		      "\"closing\", \"replied\", \"stream\", \"established\"");
	for (uint16_t i = 0; i < 3000; i++) {
		struct flow flow = flow_make(UDP, IP(10, 2, 0, 0) + i, IP(192, 0, 2, 1), (uint16_t)(2000 + i), 53);

		flow.timeout_sec = 20;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
	w->honest = w->fake->count;
	calm_then_attack(w, 1600, false, 200);
	for (uint16_t round = 0; round < 4; round++) {
		struct policy_decision decisions[2] = {decide(w, 6000, LEVEL_WARNING), decide(w, 5700, LEVEL_WARNING)};

		decisions[0].want_other = 300;
		decisions[1].want_other = 0;
		round_of_two(w, decisions, outcomes);
		assert_int_equal(outcomes[0].record.stages[VICTIM_UNANSWERED_FIT], 1600);
		assert_int_equal(alive(w, others, w->honest), 3000);
		now_ns += 200 * NS_PER_MS;
		more_unanswered(w, 1600, (uint16_t)(5000 * (round + 1)));
	}
}

static void a_rule_the_pass_chose_nothing_for_looks_at_the_table(void **state)
{
	struct world *w = *state;
	struct policy_decision decisions[2];
	struct guard_outcome outcomes[2];

	set_two_rules(w, "\"established\"", "\"unreplied\"");
	for (uint16_t i = 0; i < 500; i++) {
		struct flow flow = flow_make(UDP, IP(10, 2, 0, 0) + i, IP(192, 0, 2, 1), (uint16_t)(2000 + i), 53);

		flow.timeout_sec = 20;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
	w->honest = w->fake->count;
	untried(w);
	decisions[0] = decide(w, 13000, LEVEL_WARNING);
	decisions[1] = decide(w, 13000, LEVEL_WARNING);
	decisions[0].want_other = decisions[1].want_other = 200;
	round_of_two(w, decisions, outcomes);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcomes[1].record.matched + outcomes[0].record.matched,
			 200 + outcomes[1].record.stages[VICTIM_UNANSWERED_FIT]);
}

/* What the first rule may take is more than is needed: the second wants none of those that do not fit. */
static void a_promise_of_more_than_is_needed_is_enough(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcomes[2];

	set_two_rules(w, "\"established\"", "\"closing\"");
	calm_then_attack(w, 15000, true, 16);
	for (int round = 0; round < 3; round++) {
		struct policy_decision decisions[2] = {decide(w, 13000, LEVEL_WARNING),
						       decide(w, 11000, LEVEL_WARNING)};

		w->fake->scans = 0;
		decisions[0].want_other = 1500;
		decisions[1].want_other = 0;
		decisions[1].promised = 2000;
		round_of_two(w, decisions, outcomes);
		assert_int_equal(w->fake->scans, round ? 0 : 1);
		assert_int_equal(outcomes[0].record.done, 1500);
		now_ns += 200 * NS_PER_MS;
	}
}

static void the_age_of_a_choice_is_that_of_its_own_pass(void **state)
{
	struct world *w = *state;

	untried(w); /* a pass, and 0.3 s */
	round_want(w, 13000, 5000);
	now_ns += 400 * NS_PER_MS;
	round_want(w, 13000, 2000); /* not enough: a pass */
	w->fake->scans = 0;
	now_ns += 400 * NS_PER_MS;
	round_want(w, 13000, 200);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(outcome.record.done, 200);
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

static void establish(struct fake *fake)
{
	for (size_t i = 300; i < fake->count; i++) {
		if (!fake->alive[i])
			continue;
		fake->flows[i].state = FLOW_TCP_ESTABLISHED;
		fake->flows[i].status |= FLOW_STATUS_ASSURED;
		fake->flows[i].timeout_sec = 432000;
	}
}

/* A surge of handshakes that nobody has ended yet. */
static void half_open(struct world *w)
{
	calm_then_attack(w, 15000, true, 16);
	for (size_t i = w->honest; i < w->fake->count; i++) {
		w->fake->flows[i].state = FLOW_TCP_SYN_RECV;
		w->fake->flows[i].status &= ~(uint32_t)FLOW_STATUS_ASSURED;
		w->fake->flows[i].timeout_sec = 55;
	}
}

/* It fits without any trial; what it becomes only a reading tells. */
static void a_handshake_that_ends_meanwhile_is_seen(void **state)
{
	struct world *w = *state;

	half_open(w);
	w->fake->on_write = w->fake->on_read = establish;
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

/* The server repeats its answer, and the kernel begins the timeout anew. */
static void answer_again(struct fake *fake)
{
	for (size_t i = 300; i < fake->count; i++)
		fake->flows[i].timeout_sec = 60;
}

static void a_handshake_nobody_ends_goes(void **state)
{
	struct world *w = *state;

	half_open(w);
	w->fake->on_read = answer_again;
	round_want(w, 14000, 1000);
	assert_int_equal(outcome.record.done, 14000);
}

static void transfer(struct fake *fake)
{
	for (size_t i = 15300; i < fake->count; i++) {
		fake->flows[i].packets[FLOW_ORIG]++;
		fake->flows[i].packets[FLOW_REPLY]++;
	}
}

/* Within the pattern of a surge that is not in use: users who came since the last look, and transfer. */
static void who_is_first_seen_with_more_than_a_handshake_is_read_again(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->fake->count; i++)
		w->fake->flows[i].has |= FLOW_HAS_COUNTERS;
	tried(w);
	now_ns += SEC;
	for (uint16_t i = 0; i < 50; i++) {
		struct flow flow = answered_tcp(IP(10, 9, 0, 5), IP(198, 51, 100, 7), (uint16_t)(40000 + i), 80, 299);

		flow.has |= FLOW_HAS_COUNTERS;
		flow.packets[FLOW_ORIG] = 20;
		flow.packets[FLOW_REPLY] = 18;
		fake_add(w->fake, flow);
	}
	w->fake->reads = 0;
	w->fake->on_write = w->fake->on_read = transfer;
	round_want(w, 16000, 1000);
	assert_int_equal(alive(w, 15300, w->fake->count), 50);
	assert_int_equal(outcome.record.done, 15000);
	assert_in_range(w->fake->reads, 1, 50);
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

/* Room for 400 is needed, of which the first rule can do 200: the second was asked for the other 200 alone. */
static void what_the_rules_before_promised_is_counted_once(void **state)
{
	struct world *w = *state;
	struct policy_decision decisions[2] = {decide(w, 1000, LEVEL_WARNING), decide(w, 800, LEVEL_WARNING)};
	struct guard_outcome outcomes[2];

	set_two_rules(w, "\"unreplied\"", "\"established\"");
	answered_later(w, 3000);
	calm_then_attack(w, 3000, false, 3000);
	for (size_t i = w->honest; i < w->fake->count; i++)
		w->fake->flows[i].timeout_sec = 20;
	decisions[0].want_other = 400;
	decisions[0].granted = 200;
	decisions[1].want_other = 200;
	decisions[1].promised = 200;
	round_of_two(w, decisions, outcomes);
	assert_int_equal(outcomes[0].record.done, 200);
	assert_int_equal(outcomes[1].record.done, 200);
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
		TEST(where_most_have_gone_the_table_is_looked_at),
		TEST(no_answered_flow_goes_for_an_unanswered_surge_that_came_since),
		TEST(nor_for_one_that_goes_on),
		TEST(a_proven_surge_that_goes_on_is_looked_for_in_each_round),
		TEST(a_rule_the_pass_chose_nothing_for_looks_at_the_table),
		TEST(a_promise_of_more_than_is_needed_is_enough),
		TEST(the_age_of_a_choice_is_that_of_its_own_pass),
		TEST(who_was_read_a_moment_ago_of_a_surge_not_in_use_goes_as_it_was_read),
		TEST(later_it_is_read_again),
		TEST(where_a_mark_would_protect_it_is_read_again),
		TEST(a_handshake_that_ends_meanwhile_is_seen),
		TEST(a_handshake_nobody_ends_goes),
		TEST(who_is_first_seen_with_more_than_a_handshake_is_read_again),
		TEST(answered_flows_stay_where_unanswered_ones_made_the_room),
		TEST(what_the_rules_before_promised_is_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
