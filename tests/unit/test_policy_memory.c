/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/memory: budgets that are never exceeded, cool-downs, pauses of rules that do not help,
 * reloads; and what holds of every evaluation whatever the figures. */
#include "policy_snapshot.h"

#include <errno.h>

#include "base/mem.h"
#include "base/units.h"

static struct policy_decision decisions[POLICY_DECISIONS_MAX];

static void clear(size_t count)
{
	for (size_t i = 0; i < count; i++)
		policy_decision_done(&decisions[i]);
}

#define RULE(budget, cooldown)                                                                     \
	"\"when\": {\"fill_pct\": 50}, \"do\": {\"action\": \"evict\"}, \"until\": "               \
	"{\"fill_pct\": 1}, "                                                                      \
	"\"budget\": " budget ", \"cooldown\": " cooldown

static size_t at(const struct policy *policy, struct policy_memory *memory, uint64_t entries,
		 int64_t now_ns)
{
	return policy_evaluate(policy, POLICY_MODE_ACT, snapshot_of(entries), memory, now_ns,
			       decisions);
}

static void test_a_budget_is_spent_and_comes_back(void **state)
{
	struct policy *policy = policy_of_rule(RULE("{\"per_run\": 100, \"per_sec\": 10}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);

	(void)state;
	assert_int_equal(policy_memory_rule(memory, policy, 0, SEC).budget_left, 100);
	assert_int_equal(at(policy, memory, 90000, SEC), 1);
	assert_int_equal(decisions[0].granted, 100);
	assert_non_null(strstr(decisions[0].reason, "89,000 to go, 100 by the budget"));
	clear(1);
	assert_int_equal(at(policy, memory, 90000, SEC), 0); /* nothing left */
	assert_int_equal(at(policy, memory, 90000, SEC + SEC / 2), 1);
	assert_int_equal(decisions[0].granted, 5);
	clear(1);
	assert_int_equal(at(policy, memory, 90000, 1000 * SEC), 1); /* never more than one run */
	assert_int_equal(decisions[0].granted, 100);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_what_was_not_used_comes_back(void **state)
{
	struct policy *policy = policy_of_rule(RULE("{\"per_run\": 100, \"per_sec\": 1}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect effect = {.matched = 30, .done = 30};
	struct policy_rule_state rule;

	(void)state;
	assert_int_equal(at(policy, memory, 90000, SEC), 1);
	policy_memory_result(memory, policy, &decisions[0], &effect, SEC);
	clear(1);
	rule = policy_memory_rule(memory, policy, 0, SEC);
	assert_int_equal(rule.budget_left, 70);
	assert_int_equal(rule.granted, 100);
	assert_int_equal(rule.done, 30);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_time_that_goes_back_fills_no_budget(void **state)
{
	struct policy *policy = policy_of_rule(RULE("{\"per_run\": 100, \"per_sec\": 100}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);

	(void)state;
	assert_int_equal(at(policy, memory, 90000, 10 * SEC), 1);
	clear(1);
	assert_int_equal(at(policy, memory, 90000, 5 * SEC), 0);
	assert_int_equal(at(policy, memory, 90000, 10 * SEC),
			 0); /* not the five seconds a second time */
	assert_int_equal(at(policy, memory, 90000, 11 * SEC), 1);
	assert_int_equal(decisions[0].granted, 100);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_cooldown_is_kept(void **state)
{
	struct policy *policy =
		policy_of_rule(RULE("{\"per_run\": 10, \"per_sec\": 10}", "\"2s\""));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);

	(void)state;
	assert_int_equal(at(policy, memory, 90000, 1 * SEC), 1);
	clear(1);
	assert_int_equal(at(policy, memory, 90000, 3 * SEC - 1), 0);
	assert_int_equal(at(policy, memory, 90000, 3 * SEC), 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

/* One decision at now, which does not help; returns when the next one comes. */
static int64_t pause_after(const struct policy *policy, struct policy_memory *memory,
			   int64_t now_ns, const struct policy_effect *effect)
{
	int64_t ready_ns;

	assert_int_equal(at(policy, memory, 90000, now_ns), 1);
	policy_memory_result(memory, policy, &decisions[0], effect, now_ns);
	clear(1);
	ready_ns = policy_memory_rule(memory, policy, 0, now_ns).ready_ns;
	if (ready_ns) {
		assert_int_equal(at(policy, memory, 90000, ready_ns - 1), 0);
		return ready_ns;
	}
	return now_ns;
}

static void test_what_does_not_help_is_tried_less_and_less(void **state)
{
	struct policy *policy =
		policy_of_rule(RULE("{\"per_run\": 1000, \"per_sec\": 1000000}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect none = {.matched = 0}, failed = {.error = -EPERM},
			     helped = {.done = 1000};
	int64_t now = SEC, next, pause, last = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		next = pause_after(policy, memory, now, i % 2 ? &failed : &none);
		pause = next - now;
		assert_true(pause > last || pause == POLICY_PAUSE_MAX_NS);
		last = pause;
		now = next;
	}
	assert_int_equal(last, POLICY_PAUSE_MAX_NS);
	assert_int_equal(policy_memory_rule(memory, policy, 0, now).failures, 10);
	/* One success ends it. */
	assert_int_equal(pause_after(policy, memory, now, &helped), now);
	assert_int_equal(policy_memory_rule(memory, policy, 0, now).ineffective, 0);
	now += SEC;
	assert_int_equal(pause_after(policy, memory, now, &none) - now, POLICY_PAUSE_MIN_NS);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_what_was_not_to_be_found_is_looked_for_again_once_more_may_go(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"level\": \"warning\"}, \"cooldown\": 0, \"do\": {\"action\": \"evict\", "
		"\"classes\": [\"established\"]}, \"until\": {\"level\": \"ok\"}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect none = {.matched = 0}, failed = {.error = -EPERM};
	struct snapshot *s = snapshot_of(90000);

	(void)state;
	snapshot_grow(s, 100); /* room for long: only what fits the surge may go */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC, decisions), 1);
	assert_int_equal(decisions[0].want_other, 0);
	policy_memory_result(memory, policy, &decisions[0], &none, SEC);
	clear(1);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + 1, decisions), 0);
	snapshot_grow(s, 50000); /* 15,000 in 0.3 s, 10,000 fit */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + 2, decisions), 1);
	assert_int_equal(decisions[0].want_other, 5000);
	policy_memory_result(memory, policy, &decisions[0], &none, SEC + 2);
	clear(1);
	snapshot_grow(s, 60000); /* hardly more */
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + 3, decisions), 0);
	snapshot_grow(s, 90000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + 4, decisions), 1);
	/* What failed is not tried again for that. */
	policy_memory_result(memory, policy, &decisions[0], &failed, SEC + 4);
	clear(1);
	snapshot_grow(s, 1000000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + 5, decisions), 0);
	policy_memory_free(memory);
	policy_free(policy);
}

#define EVICT_ANSWERED                                                                                                 \
	"\"when\": {\"level\": \"warning\"}, \"cooldown\": \"200ms\", \"do\": {\"action\": \"evict\", \"classes\": "   \
	"[\"established\"]}, \"until\": {\"level\": \"ok\"}"

static void test_a_table_far_from_full_is_gone_through_less_often(void **state)
{
	struct policy *policy = policy_of_rule(EVICT_ANSWERED ", \"budget\": {\"per_run\": 50000, \"per_sec\": 50000}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect helped = {.done = 5000};
	struct snapshot *s = snapshot_of(80000);
	/* Growth, and milliseconds to the next round: a twentieth of the time to full. */
	static const struct {
		double growth;
		int ms;
	} cases[] = {{20000 / 3.0, 200}, {2000, 500}, {1000, 1000}, {100, 2000}, {-10, 2000}};
	int64_t now_ns = SEC;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t rest_ns = cases[i].ms * (SEC / 1000);

		snapshot_grow(s, cases[i].growth);
		s->level = LEVEL_WARNING;
		now_ns += 100 * SEC;
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns, decisions), 1);
		policy_memory_result(memory, policy, &decisions[0], &helped, now_ns);
		clear(1);
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns + rest_ns - SEC / 1000,
						 decisions),
				 0);
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns + rest_ns, decisions), 1);
		clear(1);
	}
	/* The growth quickens: at once. */
	snapshot_grow(s, 100);
	now_ns += 100 * SEC;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns, decisions), 1);
	policy_memory_result(memory, policy, &decisions[0], &helped, now_ns);
	clear(1);
	snapshot_grow(s, 10000);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns + SEC / 5, decisions), 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_whom_the_budget_cut_short_goes_on(void **state)
{
	struct policy *policy =
		policy_of_rule(EVICT_ANSWERED ", \"budget\": {\"per_run\": 1000, \"per_sec\": 1000000}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect helped = {.done = 1000};
	struct snapshot *s = snapshot_of(80000);

	(void)state;
	snapshot_grow(s, 10);
	s->level = LEVEL_WARNING;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, SEC + i * SEC / 5, decisions), 1);
		policy_memory_result(memory, policy, &decisions[0], &helped, SEC + i * SEC / 5);
		clear(1);
	}
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_what_found_nothing_shares_the_pass_of_others(void **state)
{
	struct policy *policy = policy_of(
		HEAD ", \"rules\": [{\"name\": \"mild\", \"when\": {\"level\": \"warning\"}, \"cooldown\": 0, \"do\": "
		     "{\"action\": \"evict\", \"classes\": [\"unreplied\"]}, \"until\": {\"level\": \"ok\"}}, "
		     "{\"name\": \"hard\", \"when\": {\"level\": \"critical\"}, \"cooldown\": 0, \"do\": {\"action\": "
		     "\"evict\", \"classes\": [\"established\"]}, \"until\": {\"level\": \"ok\"}}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect none = {.matched = 0}, failed = {.error = -EPERM};
	struct snapshot *s = snapshot_of(80000);
	int64_t ready_ns, now = 0;

	(void)state;
	snapshot_grow(s, 2000);
	s->level = LEVEL_WARNING;
	for (int i = 0; i < 3; i++) { /* the pauses grow, to seconds as no flow was needed that does not go freely */
		now = (1 + 10 * i) * SEC;
		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now, decisions), 1);
		policy_memory_result(memory, policy, &decisions[0], &none, now);
		clear(1);
	}
	now += SEC / 2;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now, decisions), 0);
	s->level = LEVEL_CRITICAL;
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now, decisions), 2);
	assert_int_equal(decisions[0].rule, 0);
	assert_int_equal(decisions[1].rule, 1);
	/* To look where others had to is no try of its own. */
	ready_ns = policy_memory_rule(memory, policy, 0, now).ready_ns;
	policy_memory_result(memory, policy, &decisions[0], &none, now);
	assert_int_equal(policy_memory_rule(memory, policy, 0, now).ineffective, 3);
	assert_int_equal(policy_memory_rule(memory, policy, 0, now).ready_ns, ready_ns);
	/* Whom the kernel refuses waits all the same. */
	policy_memory_result(memory, policy, &decisions[0], &failed, now + SEC / 2);
	clear(2);
	assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now + SEC, decisions), 1);
	assert_int_equal(decisions[0].rule, 1);
	clear(1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_deletes_that_do_not_lower_the_count_do_not_help(void **state)
{
	struct policy *policy =
		policy_of_rule(RULE("{\"per_run\": 1000, \"per_sec\": 1000000}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	/* Dying entries that somebody holds count on. */
	struct policy_effect stuck = {
		.done = 1000, .has_entries = true, .entries_before = 90000, .entries_after = 90000};
	/* The flood goes on meanwhile: 800 came in 0.1 s. */
	struct policy_effect flooded = {.done = 1000,
					.has_entries = true,
					.entries_before = 90000,
					.entries_after = 89800,
					.seconds = 0.1,
					.growth_per_sec = 8000};

	(void)state;
	assert_true(pause_after(policy, memory, SEC, &stuck) > SEC);
	assert_int_equal(pause_after(policy, memory, 10 * SEC, &flooded), 10 * SEC);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_reload_keeps_budgets_and_pauses_of_rules_of_the_same_name(void **state)
{
	struct policy *policy = policy_of_rule(RULE("{\"per_run\": 100, \"per_sec\": 1}", "0"));
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL), *next;
	struct policy *other = policy_of(
		HEAD ", \"rules\": [{\"name\": \"new\", \"when\": {\"always\": true}, \"do\": "
		     "\"log\"}, {\"name\": \"r\", " RULE("{\"per_run\": 100, \"per_sec\": 1}",
							 "0") "}]}");

	(void)state;
	assert_int_equal(at(policy, memory, 90000, SEC), 1);
	clear(1);
	next = policy_memory_new(other, policy, memory);
	policy_memory_free(memory);
	assert_int_equal(policy_memory_rule(next, other, 1, SEC).budget_left, 0);
	assert_int_equal(policy_memory_rule(next, other, 0, SEC).decisions, 0);
	policy_memory_free(next);
	policy_free(policy);
	policy_free(other);
}

/* ---- properties ---- */

#define STEPS 300

/* Over every span of every history: what was granted and not given back is at most one run and the
 * refill of the span. */
static void test_property_a_budget_is_never_exceeded(void **state)
{
	struct random r = {0x1234567};
	static double used[STEPS], when[STEPS];

	(void)state;
	for (int history = 0; history < 40; history++) {
		unsigned per_run = 1 + random_below(&r, 5000), per_sec = 1 + random_below(&r, 5000);
		char rule[512];
		struct policy *policy;
		struct policy_memory *memory;
		int64_t now = SEC;

		snprintf(rule, sizeof(rule), RULE("{\"per_run\": %u, \"per_sec\": %u}", "0"),
			 per_run, per_sec);
		policy = policy_of_rule(rule);
		memory = policy_memory_new(policy, NULL, NULL);
		for (int i = 0; i < STEPS; i++) {
			size_t count = at(policy, memory, 50000 + random_below(&r, 60000), now);
			struct policy_effect effect = {0};

			used[i] = 0;
			when[i] = (double)now / 1e9;
			if (count) {
				effect.done =
					random_one_in(&r, 2)
						? decisions[0].granted
						: random_below(&r,
							       (unsigned)decisions[0].granted + 1);
				assert_in_range(decisions[0].granted, 1, per_run);
				assert_true(decisions[0].granted <= decisions[0].want);
				policy_memory_result(memory, policy, &decisions[0], &effect, now);
				used[i] = (double)effect.done;
			}
			clear(count);
			now += (int64_t)random_below(&r, 1500) * 1000000;
		}
		for (int from = 0; from < STEPS; from++) {
			double sum = 0;

			for (int to = from; to < STEPS; to++) {
				sum += used[to];
				assert_true(sum <=
					    per_run + per_sec * (when[to] - when[from]) + 0.001);
			}
		}
		policy_memory_free(memory);
		policy_free(policy);
	}
}

static struct snapshot *random_snapshot(struct random *r)
{
	struct snapshot *s = snapshot_of(random_below(r, 120000));

	if (random_one_in(r, 2))
		snapshot_grow(s, (double)random_below(r, 20000) - 5000);
	if (random_one_in(r, 2))
		snapshot_refuse(s, (double)random_below(r, 1000) / 1000);
	for (unsigned i = random_below(r, 8); i; i--)
		snapshot_source(s, (uint8_t)i, random_below(r, 10000), random_below(r, 5000),
				random_below(r, 5000), random_below(r, 20000));
	if (random_one_in(r, 3))
		s->has |= SNAPSHOT_HAS_RATE;
	if (random_one_in(r, 20))
		s->fill.is_implausible = true;
	if (random_one_in(r, 20))
		s->fill.capacity = 0;
	s->fill.now.counters.drop = random_below(r, 5000);
	return s;
}

static const char many_rules[] = HEAD
	", \"rules\": ["
	"{\"name\": \"a\", \"when\": {\"level\": \"warning\"}, \"do\": \"sweep\", \"cooldown\": "
	"\"1s\"},"
	"{\"name\": \"b\", \"when\": {\"fill_pct\": 50}, \"do\": \"evict\"},"
	"{\"name\": \"c\", \"when\": {\"drops_per_sec\": 1}, \"do\": {\"action\": \"evict\", "
	"\"classes\": [\"closing\"]}},"
	"{\"name\": \"d\", \"when\": {\"source\": {\"unreplied\": 5000}}, \"do\": \"evict\", "
	"\"cooldown\": 0},"
	"{\"name\": \"e\", \"when\": {\"source\": {\"entries\": 9000}}, \"do\": \"ban\"},"
	"{\"name\": \"f\", \"when\": {\"growth_per_sec\": 100}, \"do\": \"shorten\"},"
	"{\"name\": \"g\", \"when\": {\"level\": \"critical\"}, \"do\": {\"action\": \"timeouts\", "
	"\"set\": {\"udp\": 9}}},"
	"{\"name\": \"h\", \"when\": {\"refusal_when_full\": 0.5}, \"do\": \"log\"}]}";

static void check_decision(const struct policy *policy, const struct policy_decision *d,
			   const struct snapshot *s)
{
	const struct policy_rule *rule = &policy->rules[d->rule];

	assert_int_equal(d->action, rule->action.action);
	assert_true(d->reason[0] && d->filter);
	assert_false(s->fill.is_implausible);
	assert_true(d->granted <= rule->budget.per_run);
	assert_true(d->want_other <= d->want);
	if (d->want && d->want != POLICY_ALL) {
		assert_true(d->granted <= d->want);
		assert_true(d->scope != POLICY_SCOPE_TABLE || d->want <= s->fill.now.entries);
	}
	assert_true(d->scale >= 0 && d->scale <= 1);
	assert_int_equal(d->scope != POLICY_SCOPE_TABLE, d->key_text[0] != 0);
}

/* Two memories with the same history decide the same; every decision keeps its bounds. */
static void test_property_evaluation_is_pure_and_bounded(void **state)
{
	static struct policy_decision again[POLICY_DECISIONS_MAX];
	struct policy *policy = policy_of(many_rules);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_memory *twin = policy_memory_new(policy, NULL, NULL);
	struct random r = {0x9e3779b9};
	unsigned seen[POLICY_ACTION_COUNT] = {0};
	int64_t now = SEC;

	(void)state;
	for (int i = 0; i < 5000; i++, now += (int64_t)random_below(&r, 3000) * 1000000) {
		const struct snapshot *s = random_snapshot(&r);
		size_t count = policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now, decisions),
		       j;

		assert_int_equal(policy_evaluate(policy, POLICY_MODE_ACT, s, twin, now, again),
				 count);
		assert_in_range(count, 0, POLICY_DECISIONS_MAX);
		for (j = 0; j < count; j++) {
			struct policy_effect effect = {.error = random_one_in(&r, 9) ? -ENOBUFS
										     : 0};

			check_decision(policy, &decisions[j], s);
			assert_string_equal(decisions[j].reason, again[j].reason);
			assert_int_equal(decisions[j].granted, again[j].granted);
			seen[decisions[j].action]++;
			effect.done = random_below(&r, 2) ? decisions[j].granted : 0;
			policy_memory_result(memory, policy, &decisions[j], &effect, now);
			policy_memory_result(twin, policy, &again[j], &effect, now);
			policy_decision_done(&again[j]);
		}
		clear(count);
	}
	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		assert_true(seen[i] > 10); /* the figures reach every action */
	policy_memory_free(memory);
	policy_memory_free(twin);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_budget_is_spent_and_comes_back),
		cmocka_unit_test(test_what_was_not_used_comes_back),
		cmocka_unit_test(test_time_that_goes_back_fills_no_budget),
		cmocka_unit_test(test_a_cooldown_is_kept),
		cmocka_unit_test(test_a_table_far_from_full_is_gone_through_less_often),
		cmocka_unit_test(test_whom_the_budget_cut_short_goes_on),
		cmocka_unit_test(test_what_found_nothing_shares_the_pass_of_others),
		cmocka_unit_test(test_what_does_not_help_is_tried_less_and_less),
		cmocka_unit_test(test_what_was_not_to_be_found_is_looked_for_again_once_more_may_go),
		cmocka_unit_test(test_deletes_that_do_not_lower_the_count_do_not_help),
		cmocka_unit_test(test_a_reload_keeps_budgets_and_pauses_of_rules_of_the_same_name),
		cmocka_unit_test(test_property_a_budget_is_never_exceeded),
		cmocka_unit_test(test_property_evaluation_is_pure_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
