/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds on a source or prefix of which the picture tells more than there is: the pass counts, and no more goes than is
 * beyond what it may keep. */
#include "action_guard_world.h"

#include "base/clock.h"

#define SOURCE	  IP(10, 9, 0, 0)
#define UNREPLIED (1u << FLOW_CLASS_UNREPLIED)
#define NO_PICKUP (((1u << FLOW_CLASS_COUNT) - 1) & ~(1u << FLOW_CLASS_PICKUP))

static struct guard_outcome outcome;

static void take_policy(struct world *w, const char *rule)
{
	policy_free(w->policy);
	w->policy = policy_of_rule(rule);
	w->table.policy = w->policy;
}

static void limit_policy(struct world *w)
{
	take_policy(w, "\"when\": {\"source\": {\"unreplied\": 1000}}, \"do\": {\"action\": \"evict\", \"classes\": "
		       "[\"unreplied\"], \"min_age\": 0, \"signature\": false}");
}

/* On 10.9.0.0, or the prefix of this length that it is in: of these classes it may keep may_stay. */
static struct policy_decision limit(struct world *w, uint8_t len, uint64_t want, uint32_t classes, uint64_t may_stay)
{
	struct policy_decision decision = decide(w, want, LEVEL_OK);
	char text[ADDR_TEXT_MAX];

	decision.scope = len == 32 ? POLICY_SCOPE_SOURCE : POLICY_SCOPE_PREFIX;
	decision.key = (struct ranking_key){.family = AF_INET, .addr = {10, 9}};
	decision.prefix = (struct prefix){.addr = {.family = AF_INET, .bytes = {10, 9}}, .len = len};
	decision.bounds = (struct policy_bounds){.count = 1, .items = {{.classes = classes, .may_stay = may_stay}}};
	flow_filter_add(decision.filter, FILTER_SRC, prefix_format(&decision.prefix, text), false, NULL);
	flow_filter_add(decision.filter, FILTER_ZONE, "0", false, NULL);
	return decision;
}

static void run(struct world *w, struct policy_decision decision)
{
	round_of(w, &decision, &outcome);
}

static void add_many(struct world *w, size_t count, uint32_t src, uint16_t zone, uint16_t sport)
{
	for (size_t i = 0; i < count; i++) {
		struct flow flow = flow_make(UDP, src, IP(198, 51, 100, 9), (uint16_t)(sport + i), 53);

		flow.zone = flow.zone_reply = zone;
		flow.timeout_sec = 20;
		fake_add(w->fake, flow);
	}
}

static void no_more_goes_than_the_table_holds_beyond_it(void **state)
{
	struct world *w = *state;

	limit_policy(w);
	add_many(w, 1600, SOURCE, 0, 1000);
	add_many(w, 500, SOURCE + 1, 0, 1000); /* a neighbour's */
	add_many(w, 500, SOURCE, 7, 1000);     /* of another zone */
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.done, 601);
	/* Nobody was told of their end: the picture still has 1,600. */
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.matched, 0);
	assert_int_equal(alive(w, w->honest, w->fake->count), 999 + 500 + 500);
	add_many(w, 1, SOURCE, 0, 30000);
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.done, 1);
	assert_int_equal(outcome.effect.done, 1);
}

static void who_is_not_beyond_it_is_as_when_nothing_was_found(void **state)
{
	struct world *w = *state;
	struct protect *protect = protect_new();

	limit_policy(w);
	assert_int_equal(protect_add(protect, fake_filter(FILTER_DPORT, "123"), "time"), 0);
	w->table.protect = protect;
	add_many(w, 900, SOURCE, 0, 1000);
	for (size_t i = w->honest; i < w->honest + 300; i++)
		w->fake->flows[i].tuple[FLOW_ORIG].dport = 123;
	run(w, limit(w, 32, 601, UNREPLIED, 900));
	assert_int_equal(outcome.record.matched, 0);
	assert_int_equal(outcome.record.protected_count, 0); /* else it would be a record */
	assert_int_equal(outcome.effect.done, 0);
	assert_false(outcome.effect.is_unneeded);
	assert_true(outcome.effect.is_within);
	assert_int_equal(w->fake->writes, 0);
	/* One more, and it is told again. */
	run(w, limit(w, 32, 601, UNREPLIED, 899));
	assert_int_equal(outcome.record.done, 1);
	assert_int_equal(outcome.record.protected_count, 1);
	assert_false(outcome.effect.is_within);
	protect_free(protect);
}

static void no_more_than_was_wanted_goes(void **state)
{
	struct world *w = *state;

	struct policy_decision decision;

	limit_policy(w);
	add_many(w, 1600, SOURCE, 0, 1000);
	decision = limit(w, 32, 50, UNREPLIED, 999);
	decision.granted = 40000;
	run(w, decision);
	assert_int_equal(outcome.record.done, 50);
}

static void pickups_do_not_count(void **state)
{
	struct world *w = *state;

	take_policy(w, "\"when\": {\"source\": {\"entries\": 1000}}, \"do\": {\"action\": \"evict\", \"classes\": "
		       "[\"unreplied\", \"pickup\"], \"min_age\": 0, \"signature\": false}");
	add_many(w, 600, SOURCE, 0, 1000);
	for (uint16_t i = 0; i < 600; i++) {
		struct flow flow = flow_make(TCP, SOURCE, IP(198, 51, 100, 9), (uint16_t)(1000 + i), 80);

		flow.state = FLOW_TCP_ESTABLISHED;
		flow.timeout_sec = 200;
		assert_int_equal(flow_class_of(&flow), FLOW_CLASS_PICKUP);
		fake_add(w->fake, flow);
	}
	run(w, limit(w, 32, 600, NO_PICKUP, 599));
	assert_int_equal(outcome.record.done, 1);
	run(w, limit(w, 32, 600, NO_PICKUP, 599));
	assert_int_equal(outcome.record.matched, 0);
}

/* The condition is on all that the source holds; the rule takes of it what it may. */
static void what_cannot_go_counts_too(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	limit_policy(w);
	add_many(w, 200, SOURCE, 0, 1000);
	for (uint16_t i = 0; i < 500; i++)
		fake_add(w->fake, answered_tcp(SOURCE, IP(203, 0, 113, 9), (uint16_t)(2000 + i), 443, 431999));
	for (size_t i = w->honest; i < w->honest + 100; i++)
		w->fake->flows[i].tuple[FLOW_ORIG].dport = 999;
	decision = limit(w, 32, 600, NO_PICKUP, 599);
	flow_filter_add(decision.filter, FILTER_DPORT, "53", false, NULL); /* a match of the rule */
	run(w, decision);
	assert_int_equal(outcome.record.done, 100); /* of 101: all that it means */
	assert_int_equal(alive(w, w->honest, w->honest + 100), 100);
}

/* Of a source down to the limit, oldest first; of a network those go who hold most of it, whatever their age. */
static void the_oldest_of_a_source_go_first(void **state)
{
	struct world *w = *state;
	size_t first = w->honest;

	limit_policy(w);
	add_many(w, 1600, SOURCE, 0, 1000);
	for (size_t i = first; i < w->fake->count; i++)
		w->fake->flows[i].timeout_sec = i % 2 ? 20 : 5;
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.done, 601);
	for (size_t i = first; i < w->fake->count; i++)
		assert_true(w->fake->alive[i] || i % 2 == 0);
	w->fake->count = first;
	add_many(w, 900, SOURCE, 0, 1000);
	add_many(w, 100, SOURCE + 1, 0, 1000);
	for (size_t i = first + 900; i < w->fake->count; i++)
		w->fake->flows[i].timeout_sec = 5;
	run(w, limit(w, 24, 500, UNREPLIED, 500));
	assert_int_equal(outcome.record.done, 500);
	assert_int_equal(alive(w, first + 900, w->fake->count), 100);
}

static void all_of_a_prefix_count(void **state)
{
	struct world *w = *state;

	limit_policy(w);
	for (uint32_t i = 0; i < 8; i++)
		add_many(w, 200, SOURCE + 16 * i, 0, 1000);
	add_many(w, 200, SOURCE + 128, 0, 1000);
	run(w, limit(w, 25, 1000, UNREPLIED, 1500));
	assert_int_equal(outcome.record.done, 100);
	run(w, limit(w, 25, 1000, UNREPLIED, 1500));
	assert_int_equal(outcome.record.matched, 0);
	assert_int_equal(alive(w, w->fake->count - 200, w->fake->count), 200);
}

static void a_source_of_ipv6_is_its_network(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;
	char text[ADDR_TEXT_MAX];

	limit_policy(w);
	for (size_t i = 0; i < 1600; i++) {
		struct flow flow = flow_make(UDP, 0, 0, (uint16_t)(1000 + i), 53);
		struct flow_tuple *orig = &flow.tuple[FLOW_ORIG];

		orig->family = AF_INET6;
		memcpy(orig->src, (uint8_t[16]){0x20, 1, 0xd, 0xb8, 0, 7, 0, i % 4 == 3}, sizeof(orig->src));
		orig->src[15] = (uint8_t)i;
		flow.timeout_sec = 20;
		fake_add(w->fake, flow);
	}
	decision = limit(w, 32, 601, UNREPLIED, 999);
	decision.key = (struct ranking_key){.family = AF_INET6, .addr = {0x20, 1, 0xd, 0xb8, 0, 7}};
	decision.prefix = (struct prefix){.addr = {.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, 0, 7}}, .len = 64};
	flow_filter_free(decision.filter);
	decision.filter = fake_filter(FILTER_SRC, prefix_format(&decision.prefix, text));
	run(w, decision);
	assert_int_equal(outcome.record.done, 201); /* of 1,200 */
}

static void a_condition_that_holds_no_longer_lets_nothing_go(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	limit_policy(w);
	add_many(w, 900, SOURCE, 0, 1000);
	decision = limit(w, 32, 700, NO_PICKUP, 999);
	decision.bounds.items[0].is_gate = true;
	decision.bounds.items[1] = (struct policy_bound){.classes = NO_PICKUP, .may_stay = 500};
	decision.bounds.count = 2;
	run(w, decision);
	assert_int_equal(outcome.record.matched, 0);
	add_many(w, 100, SOURCE, 0, 30000);
	decision.filter = flow_filter_new();
	run(w, decision);
	assert_int_equal(outcome.record.done, 500);
}

static void of_alternatives_the_one_that_holds_is_enough(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	limit_policy(w);
	add_many(w, 1100, SOURCE, 0, 1000);
	decision = limit(w, 32, 601, NO_PICKUP, 4999); /* the picture had so many */
	decision.bounds.items[1] = (struct policy_bound){.classes = UNREPLIED, .may_stay = 999, .alternative = 1};
	decision.bounds.count = 2;
	run(w, decision);
	assert_int_equal(outcome.record.done, 101);
}

/* A rule on a class or state of the table. */
static struct policy_decision limit_table(struct world *w, uint64_t want, struct policy_bound bound)
{
	struct policy_decision decision = decide(w, want, LEVEL_OK);

	decision.bounds = (struct policy_bounds){.count = 1, .items = {bound}};
	return decision;
}

static void of_a_class_of_the_table_no_more_goes_than_is_beyond_it(void **state)
{
	struct world *w = *state;
	uint64_t before = 0;

	limit_policy(w);
	for (size_t i = 0; i < w->fake->count; i++)
		before += flow_class_of(&w->fake->flows[i]) == FLOW_CLASS_UNREPLIED;
	add_many(w, 1100, SOURCE, 0, 1000);
	run(w, limit_table(w, 601, (struct policy_bound){.classes = UNREPLIED, .may_stay = before + 999}));
	assert_int_equal(outcome.record.done, 101);
	run(w, limit_table(w, 601, (struct policy_bound){.classes = UNREPLIED, .may_stay = before + 999}));
	assert_int_equal(outcome.record.matched, 0);
	assert_true(outcome.effect.is_within);
}

static void nor_of_a_state(void **state)
{
	struct world *w = *state;

	limit_policy(w);
	add_many(w, 300, SOURCE, 0, 1000); /* of UDP: of no state */
	for (uint16_t i = 0; i < 300; i++) {
		struct flow flow = flow_make(TCP, SOURCE, IP(203, 0, 113, 9), (uint16_t)(2000 + i), 443);

		flow.state = FLOW_TCP_SYN_SENT2;
		flow.timeout_sec = 20;
		fake_add(w->fake, flow);
	}
	run(w, limit_table(w, 200, (struct policy_bound){.states = 1u << FLOW_TCP_SYN_SENT2, .may_stay = 249}));
	assert_int_equal(outcome.record.done, 51);
}

static void who_only_observes_tells_what_would_go(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	limit_policy(w);
	add_many(w, 1100, SOURCE, 0, 1000);
	decision = limit(w, 32, 601, UNREPLIED, 999);
	decision.would = true;
	run(w, decision);
	assert_int_equal(outcome.record.matched, 101);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(w->fake->writes, 0);
}

/* A source and its network, or two rules on it: what the one takes the other need not. */
static void what_the_rules_before_took_of_it_is_gone(void **state)
{
	struct world *w = *state;
	struct policy_decision both[2];
	struct guard_outcome outcomes[2];

	for (int would = 0; would < 2; would++) {
		limit_policy(w);
		w->fake->count = w->honest;
		add_many(w, 1600, SOURCE, 0, 1000);
		add_many(w, 1600, SOURCE + 1, 0, 1000);
		both[0] = limit(w, 32, 601, UNREPLIED, 999);
		both[1] = limit(w, 24, 701, UNREPLIED, 2499);
		both[0].would = both[1].would = would;
		guard_round(w->guard, &w->table, both, 2, outcomes);
		assert_int_equal(outcomes[0].record.matched, 601);
		assert_int_equal(outcomes[1].record.matched, 100);
		assert_false(outcomes[1].effect.is_unneeded);
		policy_decision_done(&both[0]);
		policy_decision_done(&both[1]);
	}
	w->fake->count = w->honest;
	add_many(w, 1600, SOURCE, 0, 1000);
	both[0] = limit(w, 32, 601, UNREPLIED, 999);
	both[1] = limit(w, 32, 901, NO_PICKUP, 999);
	guard_round(w->guard, &w->table, both, 2, outcomes);
	assert_int_equal(outcomes[0].record.done, 601);
	assert_int_equal(outcomes[1].record.matched, 0);
	assert_true(outcomes[1].effect.is_unneeded);
	policy_decision_done(&both[0]);
	policy_decision_done(&both[1]);
}

/* What they took of other classes makes no room in what this one counts. */
static void what_they_took_beside_it_is_not_counted(void **state)
{
	struct world *w = *state;
	struct policy_decision both[2];
	struct guard_outcome outcomes[2];

	take_policy(w, "\"when\": {\"source\": {\"entries\": 1000}}, \"do\": {\"action\": \"evict\", \"classes\": "
		       "[\"established\", \"unreplied\"], \"min_age\": 0, \"signature\": false}");
	add_many(w, 1600, SOURCE, 0, 1000);
	for (uint16_t i = 0; i < 500; i++)
		fake_add(w->fake, answered_tcp(SOURCE, IP(203, 0, 113, 9), (uint16_t)(2000 + i), 443, 300000));
	both[0] = limit(w, 32, 500, 1u << FLOW_CLASS_ESTABLISHED, 0);
	flow_filter_add(both[0].filter, FILTER_DPORT, "443", false, NULL);
	both[1] = limit(w, 32, 601, UNREPLIED, 999);
	flow_filter_add(both[1].filter, FILTER_DPORT, "53", false, NULL);
	guard_round(w->guard, &w->table, both, 2, outcomes);
	assert_int_equal(outcomes[0].record.done, 500);
	assert_int_equal(outcomes[1].record.done, 601);
	policy_decision_done(&both[0]);
	policy_decision_done(&both[1]);
}

static void a_torn_pass_counts_nothing(void **state)
{
	struct world *w = *state;

	limit_policy(w);
	add_many(w, 1600, SOURCE, 0, 1000);
	w->fake->torn_scans = 1;
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.matched, 0);
	run(w, limit(w, 32, 601, UNREPLIED, 999));
	assert_int_equal(outcome.record.done, 601);
}

/* ---- looks at a part of the table ---- */

static size_t nothing_heard(void *arg, struct flow *ret_flows, size_t max)
{
	(void)arg;
	(void)ret_flows;
	(void)max;
	return 0;
}

static void heard_anew(void *arg, bool wanted)
{
	(void)arg;
	(void)wanted;
}

static void the_known_surge_is_not_all_that_there_is(void **state)
{
	static const struct guard_births births = {.hear_anew = heard_anew, .heard = nothing_heard};
	struct world *w = *state;

	for (int hears = 0; hears < 2; hears++) {
		struct policy_decision decision;

		w->table.births = hears ? &births : NULL;
		calm_then_attack(w, 8000, true, 1);
		round_at(w, LEVEL_WARNING, 3000, 1000, &outcome);
		now_ns += 100 * NS_PER_MS;
		w->fake->scans = w->fake->whole_scans = 0;
		round_at(w, LEVEL_WARNING, 100, 1, &outcome);
		assert_int_equal(w->fake->whole_scans, 0); /* such a look would be at hand */
		decision = limit_table(w, 100, (struct policy_bound){.classes = NO_PICKUP, .may_stay = 100});
		decision.want_other = 1;
		decision.level = LEVEL_WARNING;
		run(w, decision);
		assert_int_equal(w->fake->whole_scans, 1);
		decision = limit(w, 32, 400, NO_PICKUP, 100);
		run(w, decision);
		assert_int_equal(w->fake->whole_scans, 2);
	}
}

/* Nor is what one request to the kernel takes for another rule what the source is to lose. */
static void nor_is_a_request_for_another_rule(void **state)
{
	struct world *w = *state;
	struct policy_decision both[2];
	struct guard_outcome outcomes[2];

	w->fake->can_filter = true;
	calm_then_attack(w, 15000, false, 1);
	round_at(w, LEVEL_WARNING, 10000, 10000, &outcome);
	attack(w, 5000, false, 1);
	add_many(w, 1600, SOURCE + 5, 0, 1000);
	w->fake->whole_scans = 0;
	both[0] = decide(w, 10000, LEVEL_WARNING);
	both[0].want_other = 100;
	both[0].granted = 40000;
	both[1] = limit(w, 32, 601, UNREPLIED, 999);
	both[1].key.addr[3] = both[1].prefix.addr.bytes[3] = 5;
	flow_filter_free(both[1].filter);
	both[1].filter = fake_filter(FILTER_SRC, "10.9.0.5");
	guard_round(w->guard, &w->table, both, 2, outcomes);
	assert_int_equal(w->fake->filtered, 1);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcomes[1].record.done, 601);
	policy_decision_done(&both[0]);
	policy_decision_done(&both[1]);
}

/* And what one request would take of a class nobody counts. */
static void a_request_is_not_made_where_a_class_is_counted(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	w->fake->can_filter = true;
	calm_then_attack(w, 15000, false, 1);
	round_at(w, LEVEL_WARNING, 10000, 10000, &outcome);
	attack(w, 5000, false, 1);
	w->fake->whole_scans = 0;
	decision = limit_table(w, 10000, (struct policy_bound){.classes = UNREPLIED, .may_stay = 9000});
	decision.level = LEVEL_WARNING;
	decision.want_other = 100;
	decision.granted = 40000;
	run(w, decision);
	assert_int_equal(w->fake->filtered, 0);
	assert_int_equal(w->fake->whole_scans, 1);
}

/* Nor is it taken from what an earlier pass chose. */
static void a_reserve_is_not_used_where_a_class_is_counted(void **state)
{
	struct world *w = *state;
	struct policy_decision decision;

	calm_then_attack(w, 15000, true, 16);
	round_at(w, LEVEL_WARNING, 14000, 1000, &outcome);
	now_ns += 300 * NS_PER_MS;
	w->fake->whole_scans = 0;
	decision = limit_table(w, 13000, (struct policy_bound){.classes = NO_PICKUP, .may_stay = 100});
	decision.level = LEVEL_WARNING;
	decision.want_other = 1500;
	run(w, decision);
	assert_int_equal(outcome.record.done, 1500);
	assert_int_equal(w->fake->whole_scans, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_more_goes_than_the_table_holds_beyond_it),
		TEST(who_is_not_beyond_it_is_as_when_nothing_was_found),
		TEST(no_more_than_was_wanted_goes),
		TEST(pickups_do_not_count),
		TEST(what_cannot_go_counts_too),
		TEST(the_oldest_of_a_source_go_first),
		TEST(all_of_a_prefix_count),
		TEST(a_source_of_ipv6_is_its_network),
		TEST(a_condition_that_holds_no_longer_lets_nothing_go),
		TEST(of_alternatives_the_one_that_holds_is_enough),
		TEST(of_a_class_of_the_table_no_more_goes_than_is_beyond_it),
		TEST(nor_of_a_state),
		TEST(who_only_observes_tells_what_would_go),
		TEST(what_the_rules_before_took_of_it_is_gone),
		TEST(what_they_took_beside_it_is_not_counted),
		TEST(a_torn_pass_counts_nothing),
		TEST(the_known_surge_is_not_all_that_there_is),
		TEST(nor_is_a_request_for_another_rule),
		TEST(a_request_is_not_made_where_a_class_is_counted),
		TEST(a_reserve_is_not_used_where_a_class_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
