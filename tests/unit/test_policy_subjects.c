/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/subjects: rules on sources: who cannot be helped holds back himself alone, and many sources
 * do not hide what the table needs. */
#include "policy_snapshot.h"

#include <errno.h>

static struct policy_decision decisions[POLICY_DECISIONS_MAX];

static size_t at(const struct policy *policy, struct policy_memory *memory,
		 const struct snapshot *snapshot, int64_t now_ns)
{
	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	return policy_evaluate(policy, POLICY_MODE_ACT, snapshot, memory, now_ns, decisions);
}

static bool decided_on(size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(decisions[i].key_text, key))
			return true;
	return false;
}

static void tell(struct policy_memory *memory, const struct policy *policy, const char *key,
		 size_t count, const struct policy_effect *effect, int64_t now_ns)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(decisions[i].key_text, key))
			policy_memory_result(memory, policy, &decisions[i], effect, now_ns);
}

#define LIMIT "\"when\": {\"source\": {\"unreplied\": 100}}, \"do\": {\"action\": \"evict\"}, "    \
	      "\"budget\": {\"per_run\": 100000, \"per_sec\": 100000}"

static void test_who_cannot_be_helped_holds_back_himself_alone(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect nothing = {.matched = 500};
	struct snapshot *s = snapshot_of(50000);
	int64_t now = SEC;
	unsigned tried = 0;
	size_t count;

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0);
	for (int i = 0; i < 600; i++, now += SEC) {
		count = at(policy, memory, s, now);
		tried += decided_on(count, "10.0.0.1");
		tell(memory, policy, "10.0.0.1", count, &nothing, now);
	}
	assert_in_range(tried, 8, 14); /* less and less in ten minutes */
	assert_int_equal(policy_memory_rule(memory, policy, 0, now).ready_ns, 0);
	snapshot_source(s, 2, 400, 0, 0, 0);
	assert_true(decided_on(at(policy, memory, s, now), "10.0.0.2"));
	policy_memory_free(memory);
	policy_free(policy);
}

/* The round has found it within its limit: no try that failed. The snapshot is old, and a new one is on its way. */
static void test_who_is_within_after_all_waits_for_the_next_snapshot_and_no_longer(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT ", \"cooldown\": 0");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect within = {.is_within = true};
	struct snapshot *s = snapshot_of(50000);
	int64_t now = SEC;

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0);
	for (int i = 0; i < 20; i++, now += SEC) {
		size_t count = at(policy, memory, s, now);

		assert_true(decided_on(count, "10.0.0.1"));
		tell(memory, policy, "10.0.0.1", count, &within, now);
		assert_int_equal(at(policy, memory, s, now + SEC - 1), 0);
	}
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_pause_is_forgotten_when_it_helps_and_after_a_long_time(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect nothing = {.matched = 500}, helped = {.matched = 400, .done = 400};
	struct snapshot *s = snapshot_of(50000);
	int64_t now = SEC;
	size_t count;

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0);
	for (int i = 0; i < 3; i++, now += SEC) {
		count = at(policy, memory, s, now);
		tell(memory, policy, "10.0.0.1", count, &nothing, now);
	}
	count = at(policy, memory, s, now);
	assert_int_equal(count, 1);
	tell(memory, policy, "10.0.0.1", count, &helped, now);
	count = at(policy, memory, s, now + SEC / 10); /* no pause */
	assert_int_equal(count, 1);
	tell(memory, policy, "10.0.0.1", count, &nothing, now);
	assert_int_equal(at(policy, memory, s, now + POLICY_PAUSE_MIN_NS - 1), 0);
	assert_int_equal(at(policy, memory, s, now + POLICY_PAUSE_MIN_NS), 1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_all_sources_that_fail_in_one_round_are_one_failure(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect failed = {.error = -EPERM};
	struct snapshot *s = snapshot_of(50000);
	struct policy_rule_state rule;

	(void)state;
	for (uint8_t i = 1; i <= 20; i++)
		snapshot_source(s, i, 500, 0, 0, 0);
	assert_int_equal(at(policy, memory, s, SEC), 20);
	for (size_t i = 0; i < 20; i++)
		policy_memory_result(memory, policy, &decisions[i], &failed, 2 * SEC);
	rule = policy_memory_rule(memory, policy, 0, 2 * SEC);
	assert_int_equal(rule.failures, 20);
	assert_int_equal(rule.ready_ns, 2 * SEC + POLICY_PAUSE_MIN_NS);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_cooldown_of_one_is_not_that_of_another(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"source\": {\"unreplied\": 100}}, "
					       "\"do\": \"log\", \"cooldown\": \"5min\"");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(50000);
	size_t count;

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0);
	assert_int_equal(at(policy, memory, s, SEC), 1);
	snapshot_source(s, 2, 400, 0, 0, 0);
	count = at(policy, memory, s, 2 * SEC);
	assert_int_equal(count, 1);
	assert_true(decided_on(count, "10.0.0.2"));
	assert_int_equal(at(policy, memory, s, 3 * SEC), 0);
	assert_int_equal(at(policy, memory, s, 301 * SEC), 1); /* the first again */
	policy_memory_free(memory);
	policy_free(policy);
}

/* Who is banned is over the limit for as long as his flows live. */
static void test_the_banned_leave_the_budget_to_others(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"source\": {\"entries\": 100}}, \"do\": \"ban\", \"cooldown\": 0, "
		"\"budget\": {\"per_run\": 2, \"per_sec\": 1}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect banned = {.matched = 1, .done = 1};
	struct snapshot *s = snapshot_of(50000);
	bool seen[7] = {false};
	int64_t now = SEC;

	(void)state;
	for (uint8_t i = 1; i <= 6; i++)
		snapshot_source(s, i, 0, 0, 0, (uint32_t)(1000 - i));
	for (int round = 0; round < 10; round++, now += SEC) {
		size_t count = at(policy, memory, s, now);

		for (size_t i = 0; i < count; i++) {
			uint8_t who = decisions[i].key.addr[3];

			assert_false(seen[who]); /* not twice while it is in force */
			seen[who] = true;
			banned.settled_ns = now + 600 * SEC;
			policy_memory_result(memory, policy, &decisions[i], &banned, now);
		}
	}
	for (uint8_t i = 1; i <= 6; i++)
		assert_true(seen[i]);
	assert_int_equal(at(policy, memory, s, SEC + POLICY_SETTLED_NS - 1), 0);
	assert_true(at(policy, memory, s, now + POLICY_SETTLED_NS) > 0); /* looked at again */
	policy_memory_forget_settled(memory);
	now += POLICY_SETTLED_NS + 10 * SEC;
	assert_int_equal(at(policy, memory, s, now), 2); /* lifted by hand: at once */
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_ban_that_has_ended_begins_anew(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"source\": {\"entries\": 100}}, "
					       "\"do\": \"ban\", \"cooldown\": 0");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect banned = {.matched = 1, .done = 1, .settled_ns = 11 * SEC};
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	snapshot_source(s, 1, 0, 0, 0, 500);
	assert_int_equal(at(policy, memory, s, SEC), 1);
	policy_memory_result(memory, policy, &decisions[0], &banned, SEC);
	assert_int_equal(at(policy, memory, s, 11 * SEC - 1), 0);
	assert_int_equal(at(policy, memory, s, 11 * SEC), 1);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_many_sources_leave_each_rule_behind_a_slot(void **state)
{
	struct policy *policy = policy_of(
		HEAD ", \"rules\": ["
		     "{\"name\": \"a\", \"when\": {\"source\": {\"unreplied\": 9}}, \"do\": \"evict\"},"
		     "{\"name\": \"b\", \"when\": {\"source\": {\"half_open\": 9}}, \"do\": \"evict\"},"
		     "{\"name\": \"c\", \"when\": {\"source\": {\"share_pct\": 0.01}}, \"do\": \"log\"},"
		     "{\"name\": \"d\", \"when\": {\"source\": {\"entries\": 9}}, \"do\": \"log\"},"
		     "{\"name\": \"e\", \"when\": {\"fill_pct\": 50}, \"do\": \"sweep\"},"
		     "{\"name\": \"f\", \"when\": {\"level\": \"warning\"}, \"do\": \"evict\"}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(90000);
	size_t count;

	(void)state;
	for (uint8_t i = 1; i <= SNAPSHOT_TOP; i++)
		snapshot_source(s, i, 300, 300, 0, 300);
	count = at(policy, memory, s, SEC);
	assert_int_equal(count, POLICY_DECISIONS_MAX);
	assert_int_equal(decisions[count - 2].rule, 4);
	assert_int_equal(decisions[count - 1].rule, 5);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_more_sources_than_are_remembered_are_decided_on_all_the_same(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"source\": {\"unreplied\": 100}}, "
					       "\"do\": \"log\", \"cooldown\": \"1h\"");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(50000);
	size_t decided = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		s->sources.used = 0;
		for (uint8_t k = 1; k <= 10; k++)
			snapshot_source(s, k, 500, 0, 0, 0)->key.addr[2] = (uint8_t)i;
		decided += at(policy, memory, s, (i + 1) * SEC);
	}
	assert_int_equal(decided, 2000);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_another_mode_ends_every_pause(void **state)
{
	struct policy *policy = policy_of(
		HEAD ", \"rules\": ["
		     "{\"name\": \"a\", \"when\": {\"source\": {\"unreplied\": 9}}, \"do\": \"evict\"},"
		     "{\"name\": \"f\", \"when\": {\"level\": \"warning\"}, \"do\": \"evict\"}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect would = {.matched = 300};
	struct snapshot *s = snapshot_of(90000);
	int64_t now = SEC;

	(void)state;
	snapshot_source(s, 1, 300, 0, 0, 0);
	for (int i = 0; i < 600; i++, now += SEC) {
		size_t count = at(policy, memory, s, now);

		for (size_t k = 0; k < count; k++)
			policy_memory_result(memory, policy, &decisions[k], &would, now);
	}
	assert_int_equal(at(policy, memory, s, now), 0);
	policy_memory_end_pauses(memory);
	assert_int_equal(at(policy, memory, s, now), 2);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_a_reload_keeps_the_pauses_of_sources(void **state)
{
	struct policy *policy = policy_of(HEAD ", \"rules\": [{\"name\": \"r\", " LIMIT "}]}");
	struct policy *next = policy_of(
		HEAD ", \"rules\": [{\"name\": \"first\", \"when\": {\"fill_pct\": 99}, \"do\": \"log\"}, "
		     "{\"name\": \"r\", " LIMIT "}]}");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL), *newer;
	struct policy_effect nothing = {.matched = 500};
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0);
	assert_int_equal(at(policy, memory, s, SEC), 1);
	policy_memory_result(memory, policy, &decisions[0], &nothing, SEC);
	newer = policy_memory_new(next, policy, memory);
	assert_int_equal(at(next, newer, s, SEC + POLICY_PAUSE_MIN_NS - 1), 0);
	assert_int_equal(at(next, newer, s, SEC + POLICY_PAUSE_MIN_NS), 1);
	policy_memory_free(memory);
	policy_memory_free(newer);
	policy_free(policy);
	policy_free(next);
}

static void test_the_dead_of_the_last_pass_are_not_held_against_a_source(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(50000);

	(void)state;
	snapshot_source(s, 1, 500, 0, 0, 0)->entries = 99; /* events told of the end of the others */
	assert_int_equal(at(policy, memory, s, SEC), 0);
	policy_memory_free(memory);
	policy_free(policy);
}

static void test_who_is_not_among_the_first_by_entries_is_seen_too(void **state)
{
	struct policy *policy = policy_of_rule(LIMIT);
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot *s = snapshot_of(50000);
	size_t count;

	(void)state;
	snapshot_source(s, 1, 0, 0, 0, 5000);
	s->more_sources.rows[s->more_sources.used++] = *snapshot_source(s, 2, 150, 0, 0, 0);
	s->sources.used = 1;
	count = at(policy, memory, s, SEC);
	assert_int_equal(count, 1);
	assert_true(decided_on(count, "10.0.0.2"));
	policy_memory_free(memory);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_cannot_be_helped_holds_back_himself_alone),
		cmocka_unit_test(test_who_is_within_after_all_waits_for_the_next_snapshot_and_no_longer),
		cmocka_unit_test(test_a_pause_is_forgotten_when_it_helps_and_after_a_long_time),
		cmocka_unit_test(test_all_sources_that_fail_in_one_round_are_one_failure),
		cmocka_unit_test(test_a_cooldown_of_one_is_not_that_of_another),
		cmocka_unit_test(test_the_banned_leave_the_budget_to_others),
		cmocka_unit_test(test_a_ban_that_has_ended_begins_anew),
		cmocka_unit_test(test_many_sources_leave_each_rule_behind_a_slot),
		cmocka_unit_test(test_more_sources_than_are_remembered_are_decided_on_all_the_same),
		cmocka_unit_test(test_another_mode_ends_every_pause),
		cmocka_unit_test(test_a_reload_keeps_the_pauses_of_sources),
		cmocka_unit_test(test_who_is_not_among_the_first_by_entries_is_seen_too),
		cmocka_unit_test(test_the_dead_of_the_last_pass_are_not_held_against_a_source),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	return failed;
}
