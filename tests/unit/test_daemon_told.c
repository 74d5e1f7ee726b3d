/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What observe says is not said again at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/daemon/told.h"

#define SEC 1000000000LL

static struct action_record record_of(uint64_t matched, const char *key)
{
	struct action_record record = {.mode = POLICY_MODE_OBSERVE,
				       .action = POLICY_ACTION_EVICT,
				       .level = LEVEL_WARNING,
				       .matched = matched,
				       .left = matched};

	snprintf(record.key, sizeof(record.key), "%s", key);
	return record;
}

static bool again(struct told *told, size_t rule, uint64_t matched, const char *key, int64_t now_ns)
{
	struct action_record record = record_of(matched, key);

	return told_again(told, rule, &record, now_ns);
}

static void test_the_same_is_told_again_only_after_a_while(void **state)
{
	struct told told = {0};

	(void)state;
	assert_false(again(&told, 0, 1000, "", SEC));
	assert_true(again(&told, 0, 1000, "", 2 * SEC));
	assert_true(again(&told, 0, 1000, "", 30 * SEC)); /* what is held back prolongs nothing */
	assert_false(again(&told, 0, 1000, "", 31 * SEC));
	assert_true(again(&told, 0, 1000, "", 32 * SEC));
}

static void test_about_as_many_is_the_same_and_what_creeps_away_from_it_is_not(void **state)
{
	struct told told = {0};

	(void)state;
	assert_false(again(&told, 0, 1000, "", SEC));
	assert_true(again(&told, 0, 1100, "", SEC));
	assert_true(again(&told, 0, 900, "", SEC));
	assert_false(again(&told, 0, 1101, "", SEC));
	assert_true(again(&told, 0, 1000, "", SEC));
	assert_false(again(&told, 0, 990, "", SEC));
	assert_false(again(&told, 0, 0, "", SEC)); /* only protected ones were met */
	assert_true(again(&told, 0, 0, "", SEC));
	assert_false(again(&told, 0, 1, "", SEC));
}

static void test_each_rule_source_and_level_is_told(void **state)
{
	struct told told = {0};
	struct action_record record = record_of(1000, "");

	(void)state;
	assert_false(again(&told, 0, 1000, "", SEC));
	assert_false(again(&told, 1, 1000, "", SEC));
	assert_false(again(&told, 0, 1000, "10.0.0.1", SEC));
	assert_false(again(&told, 0, 1000, "10.0.0.2", SEC));
	record.level = LEVEL_CRITICAL;
	assert_false(told_again(&told, 0, &record, SEC));
	assert_true(told_again(&told, 0, &record, SEC));
	assert_true(again(&told, 1, 1000, "", SEC));
	assert_true(again(&told, 0, 1000, "10.0.0.1", SEC));
}

static void test_what_is_done_or_fails_is_always_told(void **state)
{
	static const enum policy_action others[] = {POLICY_ACTION_BAN, POLICY_ACTION_TIMEOUTS, POLICY_ACTION_LOG};
	struct told told = {0};
	struct action_record record = record_of(1000, "");

	(void)state;
	assert_false(told_again(&told, 0, &record, SEC));
	record.error = -1;
	assert_false(told_again(&told, 0, &record, SEC));
	record.error = 0;
	record.mode = POLICY_MODE_ACT;
	assert_false(told_again(&told, 0, &record, SEC));
	record.mode = POLICY_MODE_OBSERVE;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		record.action = others[i];
		assert_false(told_again(&told, 0, &record, SEC));
	}
	record.action = POLICY_ACTION_EVICT;
	assert_true(told_again(&told, 0, &record, SEC));
}

static void test_of_too_many_the_oldest_is_forgotten(void **state)
{
	struct told told = {0};

	(void)state;
	for (size_t i = 0; i <= TOLD_MAX; i++)
		assert_false(again(&told, i, 1000, "", SEC + (int64_t)i));
	assert_true(again(&told, TOLD_MAX, 1000, "", 2 * SEC));
	assert_true(again(&told, 1, 1000, "", 2 * SEC));
	assert_false(again(&told, 0, 1000, "", 2 * SEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_is_told_again_only_after_a_while),
		cmocka_unit_test(test_about_as_many_is_the_same_and_what_creeps_away_from_it_is_not),
		cmocka_unit_test(test_each_rule_source_and_level_is_told),
		cmocka_unit_test(test_what_is_done_or_fails_is_always_told),
		cmocka_unit_test(test_of_too_many_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
