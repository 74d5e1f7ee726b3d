/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/facts: what a source or prefix may keep by the decision on it, in flows that can be counted anew. */
#include "policy_snapshot.h"

#define CLASS(c) (1u << FLOW_CLASS_##c)
#define ALL	 ((1u << FLOW_CLASS_COUNT) - 1)
#define ANSWERED (CLASS(CLOSING) | CLASS(REPLIED) | CLASS(STREAM) | CLASS(ESTABLISHED) | CLASS(OFFLOADED))
#define ALL_HELD (ALL & ~CLASS(PICKUP))

static struct policy_decision decisions[POLICY_DECISIONS_MAX];

static size_t decide(const struct policy *policy, const struct snapshot *snapshot)
{
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	size_t count;

	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	count = policy_evaluate(policy, POLICY_MODE_ACT, snapshot, memory, SEC, decisions);
	policy_memory_free(memory);
	return count;
}

/* Of one source that holds 500 unreplied, 300 half-open, 200 pickups and 1,000 established, of 50,000. */
static struct policy_decision *decided(const char *rule)
{
	struct policy *policy = policy_of_rule(rule);
	struct snapshot *s = snapshot_of(50000);

	snapshot_source(s, 1, 500, 300, 200, 1000);
	s->has |= SNAPSHOT_HAS_RATE;
	s->sources.rows[0].new_per_sec = 50;
	assert_int_equal(decide(policy, s), 1);
	policy_free(policy);
	return &decisions[0];
}

static void is_bound(const struct policy_bounds *bounds, unsigned i, uint32_t classes, uint64_t may_stay, bool is_gate)
{
	assert_true(i < bounds->count);
	assert_int_equal(bounds->items[i].classes, classes);
	assert_int_equal(bounds->items[i].may_stay, may_stay);
	assert_int_equal(bounds->items[i].is_gate, is_gate);
}

#define EVICT ", \"do\": {\"action\": \"evict\", \"classes\": [\"unreplied\"]}"

static void each_kind_is_counted_by_its_classes(void **state)
{
	const struct policy_decision *d;

	(void)state;
	d = decided("\"when\": {\"source\": {\"unreplied\": 100}}" EVICT);
	assert_int_equal(d->bounds.count, 1);
	is_bound(&d->bounds, 0, CLASS(UNREPLIED), 99, false);
	assert_int_equal(d->want, 401);
	d = decided("\"when\": {\"source\": {\"half_open\": 100}}" EVICT);
	assert_int_equal(d->bounds.count, 1);
	is_bound(&d->bounds, 0, CLASS(HALF_OPEN), 99, false);
	assert_int_equal(d->want, 201);
	d = decided("\"when\": {\"source\": {\"entries\": 100}}" EVICT);
	assert_int_equal(d->bounds.count, 1);
	is_bound(&d->bounds, 0, ALL_HELD, 99, false); /* pickups are nobody's */
	assert_int_equal(d->want, 1701);
}

static void a_share_is_so_many_entries_rounded_up(void **state)
{
	const struct policy_decision *d = decided("\"when\": {\"source\": {\"share_pct\": 3.0001}}" EVICT);

	(void)state;
	is_bound(&d->bounds, 0, ALL_HELD, 1500, false); /* 1500.05 */
	assert_int_equal(d->want, 300);
	d = decided("\"when\": {\"source\": {\"share_pct\": 3}}" EVICT);
	is_bound(&d->bounds, 0, ALL_HELD, 1499, false); /* at the mark it still holds */
	assert_int_equal(d->want, 301);
}

static void the_least_of_several_is_what_may_go(void **state)
{
	const struct policy_decision *d = decided("\"when\": {\"source\": {\"entries\": 1700, \"unreplied\": 490, "
						  "\"half_open\": 1, \"share_pct\": 1, \"new_per_sec\": 1}}" EVICT);

	(void)state;
	assert_int_equal(d->bounds.count, 4); /* a rate bounds nothing */
	is_bound(&d->bounds, 0, ALL_HELD, 1699, false);
	is_bound(&d->bounds, 1, CLASS(UNREPLIED), 489, false);
	is_bound(&d->bounds, 2, CLASS(HALF_OPEN), 0, false);
	is_bound(&d->bounds, 3, ALL_HELD, 499, false);
	assert_int_equal(d->want, 11);
}

static void an_until_says_how_many_and_the_condition_whether_any(void **state)
{
	const struct policy_decision *d = decided("\"when\": {\"source\": {\"unreplied\": 400, \"entries\": 100}}, "
						  "\"until\": {\"entries\": 60}" EVICT);
	const uint64_t now[POLICY_BOUNDS_MAX] = {1000, 400, 1000}, below[POLICY_BOUNDS_MAX] = {1000, 399, 1000},
		       done[POLICY_BOUNDS_MAX] = {100, 400, 60};

	(void)state;
	assert_int_equal(d->bounds.count, 3);
	is_bound(&d->bounds, 0, ALL_HELD, 99, true);
	is_bound(&d->bounds, 1, CLASS(UNREPLIED), 399, true);
	is_bound(&d->bounds, 2, ALL_HELD, 60, false);
	assert_int_equal(d->want, 1740);
	assert_int_equal(policy_bounds_excess(&d->bounds, now), 940);
	assert_int_equal(policy_bounds_excess(&d->bounds, below), 0);
	assert_int_equal(policy_bounds_excess(&d->bounds, done), 0);
}

static void what_was_answered_alone_counts_where_the_rule_takes_it(void **state)
{
	static const char rule[] = "\"when\": {\"source\": {\"entries\": 100}}, \"do\": {\"action\": \"evict\", "
				   "\"classes\": [\"unreplied\", \"established\"]}";
	const struct policy_decision *d = decided(rule);
	struct snapshot *s = snapshot_of(50000);
	struct policy *policy;

	(void)state;
	assert_int_equal(d->bounds.count, 1);
	is_bound(&d->bounds, 0, ANSWERED, 99, false);
	assert_int_equal(d->want, 901);
	/* Who cannot have been forged is judged by all of his. */
	policy = policy_of(
		HEAD ", \"trusted\": [\"10.0.0.0/8\"], \"rules\": [{\"name\": \"r\", \"when\": {\"source\": "
		     "{\"entries\": 100}}, \"do\": {\"action\": \"evict\", \"classes\": [\"established\"]}}]}");
	snapshot_source(s, 1, 500, 300, 200, 1000);
	assert_int_equal(decide(policy, s), 1);
	is_bound(&decisions[0].bounds, 0, ALL_HELD, 99, false);
	assert_int_equal(decisions[0].want, 1701);
	policy_free(policy);
}

static void a_prefix_has_its_own(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"prefix\": {\"unreplied\": 100}}" EVICT);
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	s->prefixes.rows[0] = *snapshot_source(s, 0, 500, 0, 0, 0);
	s->prefixes.used = 1;
	s->prefixes.config = ranking_config_default(RANKING_BY_PREFIX);
	assert_int_equal(decide(policy, s), 1);
	assert_int_equal(decisions[0].scope, POLICY_SCOPE_PREFIX);
	assert_int_equal(decisions[0].prefix.len, 24);
	is_bound(&decisions[0].bounds, 0, CLASS(UNREPLIED), 99, false);
	policy_free(policy);
}

/* Any alternative is reason enough: of several that hold each is counted, and the one that means most decides. */
static void of_alternatives_that_hold_each_bounds_and_the_most_goes(void **state)
{
	const struct policy_decision *d = decided("\"when\": [{\"source\": {\"entries\": 1790}}, "
						  "{\"source\": {\"half_open\": 301}}, "
						  "{\"source\": {\"unreplied\": 100, \"entries\": 200}}]" EVICT);
	const uint64_t now[POLICY_BOUNDS_MAX] = {1800, 1800, 500}, less[POLICY_BOUNDS_MAX] = {1000, 1000, 500},
		       few[POLICY_BOUNDS_MAX] = {1795, 1795, 99}, small[POLICY_BOUNDS_MAX] = {150, 150, 140};

	(void)state;
	assert_int_equal(d->bounds.count, 3); /* not those of the one that does not hold */
	assert_non_null(strstr(d->reason, "500 unreplied (100 or more)"));
	assert_int_equal(d->want, 401);
	assert_int_equal(policy_bounds_excess(&d->bounds, now), 401);
	/* What the first had seen is gone when it is counted: the other is reason enough. */
	assert_int_equal(policy_bounds_excess(&d->bounds, less), 401);
	assert_int_equal(policy_bounds_excess(&d->bounds, few), 6);
	assert_int_equal(policy_bounds_excess(&d->bounds, small), 0);
	/* An until holds for each of them; whether any goes its own counts say. */
	d = decided("\"when\": [{\"source\": {\"entries\": 1790}}, {\"source\": {\"unreplied\": 100}}], "
		    "\"until\": {\"entries\": 60}" EVICT);
	assert_int_equal(d->bounds.count, 4);
	assert_int_equal(d->want, 1740);
	assert_int_equal(policy_bounds_excess(&d->bounds, (uint64_t[POLICY_BOUNDS_MAX]){1700, 1700, 100, 1700}), 1640);
	assert_int_equal(policy_bounds_excess(&d->bounds, (uint64_t[POLICY_BOUNDS_MAX]){1790, 1790, 99, 1790}), 1730);
	assert_int_equal(policy_bounds_excess(&d->bounds, (uint64_t[POLICY_BOUNDS_MAX]){1700, 1700, 99, 1700}), 0);
	/* One that counts nothing of it, and holds, lets all of it go. */
	d = decided("\"when\": [{\"source\": {\"entries\": 100}}, {\"source\": {\"new_per_sec\": 10}}]" EVICT);
	assert_int_equal(d->bounds.count, 0);
	assert_true(d->want == POLICY_ALL);
	d = decided("\"when\": [{\"source\": {\"new_per_sec\": 10}}, {\"source\": {\"entries\": 100}}]" EVICT);
	assert_int_equal(d->bounds.count, 0);
	assert_true(d->want == POLICY_ALL);
	d = decided("\"when\": [{\"source\": {\"entries\": 100}}, {\"source\": {\"new_per_sec\": 51}}]" EVICT);
	assert_int_equal(d->bounds.count, 1);
	assert_int_equal(d->want, 1701);
}

static void classes_and_states_of_the_table_are_bounds_too(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": [{\"classes\": {\"unreplied\": 100}, \"states\": "
					       "{\"SYN_RECV\": 20}}, {\"classes\": {\"closing\": 50}}]" EVICT);
	struct snapshot *s = snapshot_of(50000);
	const struct policy_bounds *bounds = &decisions[0].bounds;

	(void)state;
	s->has |= SNAPSHOT_HAS_PASS;
	s->classes[FLOW_CLASS_UNREPLIED] = 500;
	s->classes[FLOW_CLASS_CLOSING] = 60;
	s->states[FLOW_TCP_SYN_RECV] = 40;
	assert_int_equal(decide(policy, s), 1);
	assert_int_equal(bounds->count, 3);
	is_bound(bounds, 0, CLASS(UNREPLIED), 99, false);
	is_bound(bounds, 1, 0, 19, false);
	assert_int_equal(bounds->items[1].states, 1u << FLOW_TCP_SYN_RECV);
	is_bound(bounds, 2, CLASS(CLOSING), 49, false);
	assert_int_equal(decisions[0].want, 21);
	assert_int_equal(policy_bounds_excess(bounds, (uint64_t[POLICY_BOUNDS_MAX]){500, 40, 60}), 21);
	assert_int_equal(policy_bounds_excess(bounds, (uint64_t[POLICY_BOUNDS_MAX]){99, 40, 52}), 3);
	assert_int_equal(policy_bounds_excess(bounds, (uint64_t[POLICY_BOUNDS_MAX]){99, 40, 49}), 0);
	policy_free(policy);
}

static void what_counts_nothing_of_the_source_bounds_nothing(void **state)
{
	static const char *const rules[] = {
		"\"when\": {\"source\": {\"new_per_sec\": 10}}" EVICT,
		"\"when\": {\"source\": {\"entries\": 100}}, \"do\": \"log\"",
		"\"when\": {\"source\": {\"entries\": 100}}, \"do\": \"ban\"",
		"\"when\": {\"source\": {\"unreplied\": 100}}, \"do\": {\"action\": \"shorten\", \"classes\": "
		"[\"unreplied\"], \"start_pct\": 1}",
		"\"when\": {\"fill_pct\": 40}, \"until\": {\"fill_pct\": 30}" EVICT,
	};
	const uint64_t counts[POLICY_BOUNDS_MAX] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct policy_decision *d = decided(rules[i]);

		assert_int_equal(d->bounds.count, 0);
		assert_true(policy_bounds_excess(&d->bounds, counts) == POLICY_ALL);
	}
}

static void random_counts(struct random *r, bool is_proven, char *counts, size_t size)
{
	static const char *const keys[] = {"entries", "unreplied", "half_open", "share_pct"};
	const char *comma = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (i ? random_one_in(r, 2) || (is_proven && (i == 1 || i == 2)) : random_one_in(r, 4))
			continue;
		len += (size_t)snprintf(counts + len, size - len, "%s\"%s\": %u", comma, keys[i],
					i == 3 ? 1 + random_below(r, 40) : 10 + random_below(r, 60));
		comma = ", ";
	}
	if (!len)
		snprintf(counts, size, "\"entries\": %u", 10 + random_below(r, 60));
}

/* Of one to three alternatives. */
static struct policy *random_policy(struct random *r)
{
	char counts[200] = "", whens[700] = "", until[60] = "", rule[1000];
	bool is_proven = random_one_in(r, 3);
	unsigned alternatives = 1 + random_below(r, 3);
	size_t len = 0;

	for (unsigned i = 0; i < alternatives; i++) {
		random_counts(r, is_proven, counts, sizeof(counts));
		len += (size_t)snprintf(whens + len, sizeof(whens) - len, "%s{\"source\": {%s}}", i ? ", " : "",
					counts);
	}
	if (random_one_in(r, 3))
		snprintf(until, sizeof(until), ", \"until\": {\"entries\": %u}", random_below(r, 10));
	snprintf(rule, sizeof(rule),
		 "\"when\": [%s]%s, \"do\": {\"action\": \"evict\", \"classes\": [\"%s\"]}", whens,
		 until, is_proven ? "established" : "unreplied");
	return policy_of_rule(rule);
}

/* Where the picture is right, a count of the table by the bounds gives what is wanted; and once so many are gone, of
 * whatever class that counts, the rule holds no longer. */
static void a_count_of_the_table_agrees_with_the_picture(void **state)
{
	struct random r = {.state = 42};
	unsigned decided_on = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct policy *policy = random_policy(&r);
		struct snapshot *s = snapshot_of(100 + random_below(&r, 400));
		struct ranking_row *row = snapshot_source(s, 1, 0, 0, 0, 0);
		uint64_t counts[POLICY_BOUNDS_MAX] = {0};

		for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++) {
			row->classes[c] = random_one_in(&r, 2) ? random_below(&r, 100) : 0;
			row->entries += row->classes[c];
		}
		if (decide(policy, s)) {
			const struct policy_bounds *bounds = &decisions[0].bounds;

			decided_on++;
			for (unsigned b = 0; b < bounds->count; b++)
				for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++)
					if (bounds->items[b].classes & 1u << c)
						counts[b] += row->classes[c];
			assert_true(bounds->count > 0);
			assert_int_equal(policy_bounds_excess(bounds, counts), decisions[0].want);
			for (unsigned b = 0; b < bounds->count; b++)
				counts[b] = counts[b] > decisions[0].want ? counts[b] - decisions[0].want : 0;
			assert_int_equal(policy_bounds_excess(bounds, counts), 0);
		}
		policy_free(policy);
	}
	assert_true(decided_on > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_counted_by_its_classes),
		cmocka_unit_test(a_share_is_so_many_entries_rounded_up),
		cmocka_unit_test(the_least_of_several_is_what_may_go),
		cmocka_unit_test(an_until_says_how_many_and_the_condition_whether_any),
		cmocka_unit_test(what_was_answered_alone_counts_where_the_rule_takes_it),
		cmocka_unit_test(a_prefix_has_its_own),
		cmocka_unit_test(of_alternatives_that_hold_each_bounds_and_the_most_goes),
		cmocka_unit_test(classes_and_states_of_the_table_are_bounds_too),
		cmocka_unit_test(what_counts_nothing_of_the_source_bounds_nothing),
		cmocka_unit_test(a_count_of_the_table_agrees_with_the_picture),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	return failed;
}
