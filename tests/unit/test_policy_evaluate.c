/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/evaluate: what is decided, how much, why, and what is left alone. */
#include "policy_snapshot.h"

#include "flow/filter.h"

static struct policy_decision decisions[POLICY_DECISIONS_MAX];

static void clear(size_t count)
{
	for (size_t i = 0; i < count; i++)
		policy_decision_done(&decisions[i]);
}

/* Of a policy of one rule, evaluated once at one second. */
static size_t decide(const char *rule, const struct snapshot *snapshot)
{
	struct policy *policy = policy_of_rule(rule);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	size_t count;

	clear(POLICY_DECISIONS_MAX);
	count = policy_evaluate(policy, POLICY_MODE_ACT, snapshot, memory, SEC, decisions);
	policy_memory_free(memory);
	policy_free(policy);
	return count;
}

#define DO_LOG ", \"do\": \"log\""

static void test_each_condition_holds_at_its_number_and_not_beside_it(void **state)
{
	struct snapshot *s;

	(void)state;
	s = snapshot_of(80000);
	assert_int_equal(decide("\"when\": {\"fill_pct\": 80}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"fill_pct\": 80.1}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"level\": \"critical\"}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"always\": true}" DO_LOG, s), 1);
	snapshot_grow(s, 1000); /* full in 20 s */
	assert_int_equal(decide("\"when\": {\"growth_per_sec\": 1000}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"growth_per_sec\": 1001}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"seconds_to_full\": 20}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"seconds_to_full\": 19}" DO_LOG, s), 0);
	snapshot_grow(s, -10);
	assert_int_equal(decide("\"when\": {\"seconds_to_full\": 86400}" DO_LOG, s), 0);
	snapshot_refuse(s, 0.25);
	assert_int_equal(decide("\"when\": {\"refusal_when_full\": 0.25}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"refusal_when_full\": 0.26}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"refusal_probability\": 0.001}" DO_LOG, s), 0);
	s = snapshot_of(100000);
	snapshot_refuse(s, 0.25);
	assert_int_equal(decide("\"when\": {\"refusal_probability\": 0.25}" DO_LOG, s), 1);
}

static void test_conditions_are_and_alternatives_are_or(void **state)
{
	struct snapshot *s = snapshot_of(80000);

	(void)state;
	assert_int_equal(decide("\"when\": {\"fill_pct\": 70, \"level\": \"critical\"}" DO_LOG, s),
			 0);
	assert_int_equal(
		decide("\"when\": [{\"level\": \"critical\"}, {\"fill_pct\": 70}]" DO_LOG, s), 1);
	assert_non_null(strstr(decisions[0].reason, "fill 80.0 %"));
}

static void test_counts_of_classes_and_states(void **state)
{
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	s->classes[FLOW_CLASS_HALF_OPEN] = 500;
	s->states[FLOW_TCP_SYN_RECV] = 500;
	assert_int_equal(decide("\"when\": {\"classes\": {\"half-open\": 500}}" DO_LOG, s),
			 0); /* no pass: not known */
	s->has |= SNAPSHOT_HAS_PASS;
	assert_int_equal(decide("\"when\": {\"classes\": {\"half-open\": 500}}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"classes\": {\"half-open\": 501}}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"states\": {\"SYN_RECV\": 500}}" DO_LOG, s), 1);
	assert_int_equal(decide("\"when\": {\"states\": {\"SYN_RECV\": 501}}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"classes\": {\"half-open\": 400}}, \"do\": "
				"{\"action\": \"evict\", \"classes\": "
				"[\"half-open\"]}",
				s),
			 1);
	assert_int_equal(decisions[0].want, 101); /* until it no longer holds */
}

static void test_what_is_not_known_holds_nothing(void **state)
{
	struct snapshot *s = snapshot_of(99000);

	(void)state;
	assert_int_equal(decide("\"when\": {\"growth_per_sec\": 0}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"refusal_when_full\": 0}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"drops_per_sec\": 0}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"source\": {\"entries\": 1}}" DO_LOG, s), 0);
	s->fill.capacity = 0; /* no limit: no fill, no level */
	assert_int_equal(decide("\"when\": {\"fill_pct\": 0}" DO_LOG, s), 0);
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_LOG, s), 0);
	s = snapshot_of(99000);
	s->fill.is_implausible = true;
	assert_int_equal(decide("\"when\": {\"always\": true}" DO_LOG, s), 0);
}

static void test_drops_are_counted_at_the_top_and_without_clashes(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"drops_per_sec\": 100}, \"do\": \"log\", \"cooldown\": 0");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(99000);
	size_t count;

	(void)state;
	s->fill.now.counters.drop = 1000000; /* since boot: says nothing of now */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 0);
	s->fill.now.counters.drop += 250;
	s->fill.now.counters.insert_failed += 200; /* the DNS race */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 2 * SEC, decisions),
			 0);
	s->fill.now.counters.drop += 1000;
	count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 3 * SEC, decisions);
	assert_int_equal(count, 1);
	clear(count);
	s->fill.now.entries = 5000; /* the same drops at a low fill are no want of room */
	s->fill.now.counters.drop += 1000;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 4 * SEC, decisions),
			 0);
	policy_memory_free(memory);
	policy_free(policy);
}

#define DO_EVICT                                                                                   \
	", \"do\": {\"action\": \"evict\"}, \"budget\": {\"per_run\": 100000, \"per_sec\": "       \
	"100000}"

static void test_how_much_goes_is_down_to_the_until(void **state)
{
	struct snapshot *s = snapshot_of(80000);

	(void)state;
	assert_int_equal(decide("\"when\": {\"fill_pct\": 80}" DO_EVICT
				", \"until\": {\"fill_pct\": 65}",
				s),
			 1);
	assert_int_equal(decisions[0].want, 15000);
	assert_int_equal(decisions[0].granted, 15000);
	/* ok is reached below the leave mark of warning: at it the level stays */
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_EVICT, s), 1);
	assert_int_equal(decisions[0].want, 10001);
	/* the forecast needs more: 5 s of 8,000/s do not fit into 20,000 */
	snapshot_grow(s, 8000);
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_EVICT, s), 1);
	assert_int_equal(decisions[0].want, 20000);
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_EVICT
				", \"until\": {\"level\": \"ok\", "
				"\"headroom_sec\": 10}",
				s),
			 1);
	assert_int_equal(decisions[0].want, 60000);
}

static void test_flows_that_do_not_fit_the_surge_only_make_room_until_the_next_round(void **state)
{
	struct snapshot *s = snapshot_of(97000);

	(void)state;
	snapshot_grow(s, 0); /* full of honest flows that do not grow: none of them needs to go */
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_EVICT, s), 1);
	assert_int_equal(decisions[0].want, 27001);
	assert_int_equal(decisions[0].want_other, 0);
	snapshot_grow(s, 20000); /* in 0.3 s: 3,000 fit, 3,000 do not */
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}" DO_EVICT, s), 1);
	assert_int_equal(decisions[0].want_other, 3000);
	assert_int_equal(decide("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": "
				"\"evict\", \"signature\": false}",
				s),
			 1);
	assert_int_equal(decisions[0].want_other, decisions[0].want);
}

static void test_a_round_that_takes_long_makes_room_for_longer(void **state)
{
	struct snapshot *s = snapshot_of(97000);
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}, \"cooldown\": "
					       "\"200ms\"" DO_EVICT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect effect = {.matched = 1, .done = 1, .seconds = 0.75};

	(void)state;
	clear(POLICY_DECISIONS_MAX);
	snapshot_grow(s, 20000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
	assert_int_equal(decisions[0].want_other, 3000); /* 0.3 s are more than 1.15 * (0.2 s pause + 50 ms) */
	policy_memory_result(memory, policy, &decisions[0], &effect, SEC);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 2 * SEC, decisions), 1);
	assert_int_equal(decisions[0].want_other, 32650); /* 1.15 * 1.55 s, less 3,000 free */
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_later_rule_takes_what_the_earlier_ones_do_not(void **state)
{
	struct policy *policy =
		policy_of(HEAD ", \"rules\": [{\"name\": \"mild\", \"when\": {\"level\": "
			       "\"warning\"}, \"do\": \"evict\", \"budget\": "
			       "{\"per_run\": 100000, \"per_sec\": 100000}}, {\"name\": \"hard\", "
			       "\"when\": {\"level\": \"warning\"}, "
			       "\"do\": {\"action\": \"evict\", \"classes\": [\"established\"]}, "
			       "\"budget\": {\"per_run\": 100000, "
			       "\"per_sec\": 100000}}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect effect = {.matched = 1000, .done = 1000}, all = {.matched = 20001, .done = 20001},
			     unneeded = {.is_unneeded = true};
	struct snapshot *s = snapshot_of(90000);
	size_t count;

	(void)state;
	clear(POLICY_DECISIONS_MAX);
	count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions);
	assert_int_equal(count, 2); /* nobody knows yet what the mild one will find */
	assert_int_equal(decisions[0].granted, 20001);
	assert_int_equal(decisions[1].want, 20001);
	assert_int_equal(decisions[1].promised, 0);
	/* It did all, and the hard one was not needed: that is nothing against it. */
	policy_memory_result(memory, policy, &decisions[0], &all, SEC);
	policy_memory_result(memory, policy, &decisions[1], &unneeded, SEC);
	assert_int_equal(policy_memory_rule(memory, policy, 1, SEC).ineffective, 0);
	assert_int_equal(policy_memory_rule(memory, policy, 1, SEC).budget_left, 100000);
	clear(count);
	count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + SEC / 2, decisions);
	assert_int_equal(count, 1); /* the mild one is expected to do it again */
	assert_int_equal(decisions[0].rule, 0);
	/* It found 1,000 of 20,001: next time the hard one takes the rest. */
	policy_memory_result(memory, policy, &decisions[0], &effect, SEC + SEC / 2);
	clear(count);
	count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 2 * SEC, decisions);
	assert_int_equal(count, 2);
	assert_int_equal(decisions[1].rule, 1);
	assert_in_range(decisions[1].want, 18990, 19010);
	clear(count);
	/* Long after, it is another table. */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 60 * SEC, decisions), 2);
	assert_int_equal(decisions[1].want, 20001);
	clear(2);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_cooldown_of_evictions_does_not_hold_where_the_table_is_gone_through_anyway(void **state)
{
#define COOLING "\"when\": {\"level\": \"warning\"}, \"do\": \"evict\", \"cooldown\": "
	struct policy *policy =
		policy_of(HEAD ", \"rules\": [{\"name\": \"mild\", " COOLING "\"1s\"}, {\"name\": \"hard\", " COOLING
			       "\"10s\"}, {\"name\": \"sweep\", \"when\": {\"level\": \"warning\"}, \"do\": "
			       "\"sweep\", \"cooldown\": \"10s\"}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect effects[] = {{.matched = 12000, .done = 12000}, {.matched = 8000, .done = 8000}};
	struct snapshot *s = snapshot_of(90000);
	size_t count;

	(void)state;
	clear(POLICY_DECISIONS_MAX);
	for (int second = 20; second <= 22; second++) {
		count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, second * SEC, decisions);
		assert_int_equal(count, second == 20 ? 3 : 2); /* the sweep cools down by itself */
		assert_int_equal(decisions[0].rule, 0);
		assert_int_equal(decisions[1].rule, 1);
		for (size_t i = 0; i < count; i++)
			if (decisions[i].action == POLICY_ACTION_EVICT)
				policy_memory_result(memory, policy, &decisions[i], &effects[i], second * SEC);
		clear(count);
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, second * SEC + SEC / 2, decisions),
				 0);
	}
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_the_milder_rule_is_not_left_out_where_a_harder_one_begins(void **state)
{
	struct policy *policy =
		policy_of(HEAD ", \"rules\": [{\"name\": \"mild\", " COOLING "\"10s\"}, {\"name\": \"hard\", \"when\": "
			       "{\"level\": \"critical\"}, \"do\": {\"action\": \"evict\", \"classes\": "
			       "[\"established\"]}, \"cooldown\": \"10s\"}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect effect = {.matched = 1, .done = 1};
	struct snapshot *s = snapshot_of(80000);

	(void)state;
	clear(POLICY_DECISIONS_MAX);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
	policy_memory_result(memory, policy, &decisions[0], &effect, SEC);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 2 * SEC, decisions), 0);
	s = snapshot_of(92000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, 3 * SEC, decisions), 2);
	assert_int_equal(decisions[0].rule, 0);
	assert_int_equal(decisions[1].rule, 1);
	clear(2);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_source_is_a_decision_of_its_own_with_its_filter(void **state)
{
	struct snapshot *s = snapshot_of(50000);
	char text[256];

	(void)state;
	snapshot_source(s, 1, 300, 0, 0, 10);
	snapshot_source(s, 2, 100, 0, 0, 10)->key.zone = 7;
	snapshot_source(s, 3, 99, 0, 0, 10);
	assert_int_equal(decide("\"when\": {\"source\": {\"unreplied\": 100}}, \"match\": "
				"{\"dport\": 53}" DO_EVICT,
				s),
			 2);
	assert_string_equal(decisions[0].key_text, "10.0.0.1");
	assert_string_equal(flow_filter_format(decisions[0].filter, text, sizeof(text)),
			    "-s 10.0.0.1 --dport 53 -w 0");
	assert_int_equal(decisions[0].want, 201);
	assert_non_null(strstr(decisions[0].reason, "10.0.0.1: 300 unreplied (100 or more)"));
	assert_string_equal(flow_filter_format(decisions[1].filter, text, sizeof(text)),
			    "-s 10.0.0.2 --dport 53 -w 7");
	assert_int_equal(decisions[1].want, 1);
	assert_int_equal(decide("\"when\": {\"source\": {\"entries\": 50}}" DO_EVICT
				", \"until\": {\"entries\": 40}",
				s),
			 3);
	assert_int_equal(decisions[0].want, 270);
	assert_int_equal(decide("\"when\": {\"source\": {\"entries\": 50, \"in\": "
				"\"10.0.0.2/31\"}}" DO_EVICT,
				s),
			 2);
	assert_string_equal(decisions[0].key_text, "10.0.0.2 zone 7");
	assert_int_equal(decide("\"when\": {\"source\": {\"new_per_sec\": 1}}" DO_EVICT, s),
			 0); /* no events */
	s->has |= SNAPSHOT_HAS_RATE;
	s->sources.rows[2].new_per_sec = 5;
	assert_int_equal(decide("\"when\": {\"source\": {\"new_per_sec\": 5}}" DO_EVICT, s), 1);
	assert_true(decisions[0].want == POLICY_ALL);
	assert_int_equal(decide("\"when\": {\"source\": {\"share_pct\": 0.6}}" DO_EVICT, s), 1);
	assert_int_equal(decisions[0].want, 11); /* 310 of 50,000 is 0.62 %, 0.6 % is 300 */
}

static void test_pickups_never_count_against_the_source(void **state)
{
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	snapshot_source(s, 1, 0, 0, 5000, 10);
	assert_int_equal(decide("\"when\": {\"source\": {\"entries\": 11}}" DO_EVICT, s), 0);
	assert_int_equal(decide("\"when\": {\"source\": {\"entries\": 10}}" DO_EVICT, s), 1);
}

static void test_forged_flows_never_get_a_source_banned_or_its_answered_flows_taken(void **state)
{
	const char *const ban = "\"when\": {\"source\": {\"entries\": 100}}, \"do\": \"ban\"";
	const char *const take =
		"\"when\": {\"source\": {\"entries\": 100}}, \"do\": {\"action\": \"evict\", "
		"\"classes\": [\"unreplied\", \"established\"]}";
	struct policy *policy;
	struct policy_memory *memory;
	struct snapshot *s = snapshot_of(50000);
	struct ranking_row *row = snapshot_source(s, 1, 9000, 900, 0, 99);

	(void)state;
	assert_int_equal(decide(ban, s), 0);
	assert_int_equal(decide(take, s), 0);
	/* A resolver answers whom a query only claims to come from, a closed port resets. */
	row->classes[FLOW_CLASS_REPLIED] = row->classes[FLOW_CLASS_STREAM] = 1000;
	row->classes[FLOW_CLASS_CLOSING] = 1000;
	assert_int_equal(decide(ban, s), 0);
	assert_int_equal(decide(take, s), 1);
	row->classes[FLOW_CLASS_REPLIED] = row->classes[FLOW_CLASS_STREAM] = 0;
	row->classes[FLOW_CLASS_CLOSING] = 0;
	row->classes[FLOW_CLASS_ESTABLISHED] = 100;
	row->entries++;
	assert_int_equal(decide(ban, s), 1);
	assert_int_equal(decisions[0].granted, 1);
	assert_int_equal(decisions[0].prefix.len, 32);
	assert_int_equal(decide(take, s), 1);
	/* In a network that the config trusts everything counts. */
	row->classes[FLOW_CLASS_ESTABLISHED] = 0;
	policy = policy_of(HEAD ", \"trusted\": \"10.0.0.0/8\", \"rules\": [{\"name\": \"r\", "
				"\"when\": {\"source\": "
				"{\"unreplied\": 100}}, \"do\": \"ban\"}]}");
	memory = policy_memory_new(policy, NULL, NULL);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
	clear(1);
	row->key.addr[0] = 11; /* outside of it */
	policy_memory_free(memory);
	memory = policy_memory_new(policy, NULL, NULL);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 0);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_observing_decides_the_same_with_would(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}" DO_EVICT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);

	(void)state;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, snapshot_of(80000), memory,
					 SEC, decisions),
			 1);
	assert_true(decisions[0].would);
	assert_int_equal(decisions[0].granted, 10001);
	clear(1);
	policy_memory_free(memory);
	memory = policy_memory_new(policy, NULL, NULL);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(80000), memory, SEC,
					 decisions),
			 1);
	assert_false(decisions[0].would);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_rule_that_has_begun_goes_on_to_its_until(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"fill_pct\": 80}" DO_EVICT
					       ", \"until\": {\"fill_pct\": 60, "
					       "\"headroom_sec\": 0}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);

	(void)state;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(75000), memory, SEC,
					 decisions),
			 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(80000), memory,
					 2 * SEC, decisions),
			 1);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(75000), memory,
					 3 * SEC, decisions),
			 1);
	assert_int_equal(decisions[0].want, 15000);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(60000), memory,
					 4 * SEC, decisions),
			 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(75000), memory,
					 5 * SEC, decisions),
			 0);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_timeouts_are_set_once_and_put_back_once(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"level\": \"critical\"}, \"do\": {\"action\": \"timeouts\", "
		"\"set\": {\"udp\": 10}}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect failed = {.error = -1};

	(void)state;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(92000), memory,
					 1 * SEC, decisions),
			 1);
	assert_false(decisions[0].is_end);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(92000), memory,
					 2 * SEC, decisions),
			 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(80000), memory,
					 3 * SEC, decisions),
			 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(60000), memory,
					 4 * SEC, decisions),
			 1);
	assert_true(decisions[0].is_end);
	/* Putting back failed: it is tried again, after a pause. */
	policy_memory_result(memory, policy, &decisions[0], &failed, 4 * SEC);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(60000), memory,
					 4 * SEC + 1, decisions),
			 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(60000), memory,
					 6 * SEC, decisions),
			 1);
	assert_true(decisions[0].is_end);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(60000), memory,
					 9 * SEC, decisions),
			 0);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_lifetimes_shrink_as_the_table_fills(void **state)
{
	const char *const rule = "\"when\": {\"fill_pct\": 10}, \"do\": {\"action\": \"shorten\", "
				 "\"start_pct\": 60, "
				 "\"end_pct\": 120}, \"until\": {\"fill_pct\": 5}";

	(void)state;
	assert_int_equal(decide(rule, snapshot_of(60000)), 0); /* as they are: no pass for that */
	assert_int_equal(decide(rule, snapshot_of(75000)), 1);
	assert_true(decisions[0].scale == 0.75);
	assert_int_equal(decide(rule, snapshot_of(90000)), 1);
	assert_true(decisions[0].scale == 0.5);
	assert_int_equal(decide(rule, snapshot_of(130000)), 1);
	assert_true(decisions[0].scale == 0);
	clear(1);
}

static void test_lifetimes_are_not_shortened_where_it_would_come_too_late(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"fill_pct\": 10}, \"do\": \"shorten\"");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(90000);
	char text[POLICY_REASON_MAX];

	(void)state;
	snapshot_grow(s, 10000); /* full in a second */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 0);
	assert_non_null(strstr(policy_explain_rule(policy, s, 0, text, sizeof(text)), "too late"));
	snapshot_grow(s, 1000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

/* Where a rule took next to nothing, a table that fills does not make it look again before its cool-down is over; a
 * higher level does. */
static void test_who_looked_in_vain_waits(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}" DO_EVICT
					       ", \"cooldown\": \"200ms\", \"until\": {\"fill_pct\": 50, "
					       "\"headroom_sec\": 5}");
	const struct policy_effect effects[] = {
		{.matched = 20000, .done = 20000, .growth_per_sec = 40000},
		{.matched = 100, .done = 100, .growth_per_sec = 40000},
		{.matched = 100, .done = 100, .growth_per_sec = 40000},		       /* the level rises then */
		{.matched = 100, .done = 100, .growth_per_sec = 10000},		       /* far more comes now */
		{.matched = 100, .done = 100, .made = 20000, .growth_per_sec = 40000}, /* others made the room */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(effects) / sizeof(*effects); i++) {
		struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
		struct snapshot *s = snapshot_of(98000);

		s->level = LEVEL_CRITICAL;
		snapshot_grow(s, 40000); /* full in 50 ms */
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
		policy_memory_result(memory, policy, &decisions[0], &effects[i], SEC + SEC / 20);
		clear(1);
		if (i == 2)
			s->level = LEVEL_FULL;
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + SEC / 10, decisions),
				 i != 1);
		clear(i != 1);
		if (i == 1)
			assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + SEC / 5, decisions),
					 1);
		clear(i == 1);
		policy_memory_free(memory);
	}
	policy_free(policy);
}

/* In observe the table stays as full as it is: nothing can be late where nothing is done. */
static void test_observing_keeps_a_second_also_where_the_table_is_full(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}" DO_EVICT
					       ", \"cooldown\": \"200ms\", \"until\": {\"fill_pct\": 50, "
					       "\"headroom_sec\": 5}");
	const struct policy_effect effect = {.matched = 1000, .done = 1000, .growth_per_sec = 40000};
	struct snapshot *s = snapshot_of(99999);

	(void)state;
	s->level = LEVEL_FULL;
	snapshot_grow(s, 40000); /* full in no time */
	for (enum policy_mode mode = POLICY_MODE_OBSERVE; mode <= POLICY_MODE_ACT; mode++) {
		struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
		size_t rounds = 0;

		for (int64_t now_ns = SEC; now_ns <= 4 * SEC; now_ns += SEC / 20) {
			if (!policy_evaluate(policy, mode, s, memory, now_ns, decisions))
				continue;
			policy_memory_result(memory, policy, &decisions[0], &effect, now_ns);
			clear(1);
			rounds++;
		}
		assert_int_equal(rounds, mode == POLICY_MODE_OBSERVE ? 4 : 61);
		policy_memory_free(memory);
	}
	policy_free(policy);
}

static void test_observing_a_longer_cooldown_holds_and_a_source_has_its_second(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"source\": {\"entries\": 100}}" DO_EVICT
					       ", \"cooldown\": \"200ms\"");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(80000);

	(void)state;
	snapshot_source(s, 66, 0, 0, 0, 1000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, SEC, decisions), 1);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, SEC + SEC / 2, decisions), 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, 2 * SEC, decisions), 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
	policy = policy_of_rule("\"when\": {\"level\": \"warning\"}" DO_EVICT
				", \"cooldown\": \"5s\", \"until\": {\"fill_pct\": 50}");
	memory = policy_memory_new(policy, NULL, NULL);
	s = snapshot_of(80000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, SEC, decisions), 1);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, 5 * SEC, decisions), 0);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_OBSERVE, s, memory, 6 * SEC, decisions), 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_why_a_rule_does_not_act_is_told(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\", \"seconds_to_full\": 60}" DO_EVICT);
	struct snapshot *s = snapshot_of(80000);
	char text[POLICY_REASON_MAX];

	(void)state;
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "seconds_to_full is not known");
	snapshot_grow(s, 1);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "full in 5 h 33 min (seconds_to_full of 60 or less is needed)");
	snapshot_grow(s, 1000);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "holds: level warning, full in 20 s");
	s = snapshot_of(30000);
	snapshot_grow(s, 0);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "level ok (warning or above is needed)");
	policy_free(policy);
	policy = policy_of_rule("\"when\": {\"growth_per_sec\": 10}, \"until\": {\"fill_pct\": 50}" DO_EVICT);
	snapshot_grow(s, 10);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "growth +10/s; its \"until\" is reached already");
	s = snapshot_of(50001);
	snapshot_grow(s, 10);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)), "holds: growth +10/s");
	policy_free(policy);
}

static void test_growth_is_told_rounded_as_everywhere(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"growth_per_sec\": 1000}" DO_LOG);
	struct snapshot *s = snapshot_of(50001);
	char text[POLICY_REASON_MAX];

	(void)state;
	snapshot_grow(s, 1099.6);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)), "holds: growth +1,100/s");
	snapshot_grow(s, 899.6);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "growth +900/s (growth_per_sec of 1000 or more is needed)");
	snapshot_grow(s, 999.6); /* +1,000 would be enough */
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "growth +999/s (growth_per_sec of 1000 or more is needed)");
	policy_free(policy);
	policy = policy_of_rule("\"when\": {\"source\": {\"new_per_sec\": 1000}}" DO_LOG);
	snapshot_source(s, 1, 500, 0, 0, 0)->new_per_sec = 1234.6f;
	s->has |= SNAPSHOT_HAS_RATE;
	assert_non_null(strstr(policy_explain_rule(policy, s, 0, text, sizeof(text)), "1,235 new/s"));
	policy_free(policy);
	policy = policy_of_rule("\"when\": {\"source\": {\"new_per_sec\": 100}}" DO_LOG);
	s = snapshot_of(50001);
	s->has |= SNAPSHOT_HAS_RATE;
	snapshot_source(s, 1, 500, 0, 0, 0)->new_per_sec = 99.96f;
	assert_non_null(strstr(policy_explain_rule(policy, s, 0, text, sizeof(text)), " 99.96 new/s"));
	s = snapshot_of(50001);
	s->has |= SNAPSHOT_HAS_RATE;
	snapshot_source(s, 1, 500, 0, 0, 0)->new_per_sec = 999.7f;
	assert_non_null(strstr(policy_explain_rule(policy, s, 0, text, sizeof(text)), " 1,000 new/s"));
	policy_free(policy);
}

static void test_of_several_alternatives_each_is_told_why_it_does_not_hold(void **state)
{
	struct policy *policy =
		policy_of_rule("\"when\": [{\"fill_pct\": 75, \"seconds_to_full\": 60}, {\"level\": \"warning\", "
			       "\"drops_per_sec\": 1}, {\"fill_pct\": 70, \"seconds_to_full\": 9}, "
			       "{\"fill_pct\": 90}]" DO_EVICT);
	struct snapshot *s = snapshot_of(80000);
	char text[POLICY_EXPLAIN_MAX];

	(void)state;
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "seconds_to_full is not known; drops_per_sec is not known; fill 80.0 % (fill_pct of 90 or "
			    "more is needed)");
	policy_free(policy);
}

static void test_of_many_sources_the_nearest_is_told(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\", \"source\": {\"half_open\": 2000, "
					       "\"unreplied\": 10}}" DO_EVICT);
	struct snapshot *s = snapshot_of(80000);
	char text[POLICY_EXPLAIN_MAX];
	struct ranking_row more;

	(void)state;
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)), "no source is known");
	snapshot_source(s, 1, 5, 100, 0, 50000);
	snapshot_source(s, 2, 30, 1800, 0, 0);
	snapshot_source(s, 3, 1, 1999, 0, 0); /* nearer by one count, not by the other */
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "10.0.0.2: 1,800 half-open (2,000 or more is needed)");
	/* One that is not among those with the most entries. */
	more = s->sources.rows[1];
	more.key.addr[3] = 4;
	more.classes[FLOW_CLASS_HALF_OPEN] = more.entries = 1900;
	s->more_sources.rows[s->more_sources.used++] = more;
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "10.0.0.4: 1,900 half-open (2,000 or more is needed)");
	s->level = LEVEL_OK; /* that is nobody's */
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "level ok (warning or above is needed)");
	policy_free(policy);
	policy = policy_of_rule("\"when\": [{\"source\": {\"half_open\": 2000, \"in\": [\"10.0.0.1\"]}}, "
				"{\"source\": {\"half_open\": 9000, \"in\": [\"10.0.0.1\"]}}]" DO_EVICT);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "10.0.0.1: 100 half-open (2,000 or more is needed); 10.0.0.1: 100 half-open (9,000 or more "
			    "is needed)");
	policy_free(policy);
	policy = policy_of_rule("\"when\": {\"source\": {\"half_open\": 2000, \"in\": [\"10.9.0.0/16\"]}}" DO_EVICT);
	assert_string_equal(policy_explain_rule(policy, s, 0, text, sizeof(text)),
			    "no source is in the networks that the rule is for");
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_condition_holds_at_its_number_and_not_beside_it),
		cmocka_unit_test(test_conditions_are_and_alternatives_are_or),
		cmocka_unit_test(test_counts_of_classes_and_states),
		cmocka_unit_test(test_what_is_not_known_holds_nothing),
		cmocka_unit_test(test_drops_are_counted_at_the_top_and_without_clashes),
		cmocka_unit_test(test_how_much_goes_is_down_to_the_until),
		cmocka_unit_test(
			test_flows_that_do_not_fit_the_surge_only_make_room_until_the_next_round),
		cmocka_unit_test(test_a_round_that_takes_long_makes_room_for_longer),
		cmocka_unit_test(test_a_later_rule_takes_what_the_earlier_ones_do_not),
		cmocka_unit_test(test_a_cooldown_of_evictions_does_not_hold_where_the_table_is_gone_through_anyway),
		cmocka_unit_test(test_the_milder_rule_is_not_left_out_where_a_harder_one_begins),
		cmocka_unit_test(test_a_source_is_a_decision_of_its_own_with_its_filter),
		cmocka_unit_test(test_pickups_never_count_against_the_source),
		cmocka_unit_test(
			test_forged_flows_never_get_a_source_banned_or_its_answered_flows_taken),
		cmocka_unit_test(test_observing_decides_the_same_with_would),
		cmocka_unit_test(test_a_rule_that_has_begun_goes_on_to_its_until),
		cmocka_unit_test(test_timeouts_are_set_once_and_put_back_once),
		cmocka_unit_test(test_lifetimes_shrink_as_the_table_fills),
		cmocka_unit_test(test_lifetimes_are_not_shortened_where_it_would_come_too_late),
		cmocka_unit_test(test_who_looked_in_vain_waits),
		cmocka_unit_test(test_observing_keeps_a_second_also_where_the_table_is_full),
		cmocka_unit_test(test_observing_a_longer_cooldown_holds_and_a_source_has_its_second),
		cmocka_unit_test(test_why_a_rule_does_not_act_is_told),
		cmocka_unit_test(test_growth_is_told_rounded_as_everywhere),
		cmocka_unit_test(test_of_several_alternatives_each_is_told_why_it_does_not_hold),
		cmocka_unit_test(test_of_many_sources_the_nearest_is_told),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	clear(POLICY_DECISIONS_MAX);
	return failed;
}
