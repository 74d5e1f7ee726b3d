/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel timeouts that are lowered and put back, against a kernel of three numbers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/daemon/held.h"
#include "../../src/daemon/settings.h"
#include "kernel/kernel.h"
#include "policy/words.h"

static struct flow_timeouts kernel_has;
static int read_error, write_error;
static unsigned writes;
static char directory[] = "/tmp/ctwarden-settings-XXXXXX";

int timeouts_read(struct flow_timeouts *ret_timeouts)
{
	if (!read_error)
		*ret_timeouts = kernel_has;
	return read_error;
}

int timeouts_write(const struct flow_timeouts *set)
{
	uint32_t *to = (uint32_t *)&kernel_has;
	const uint32_t *from = (const uint32_t *)set;

	if (write_error)
		return write_error;
	writes++;
	for (size_t i = 0; i < sizeof(*set) / sizeof(*from); i++)
		if (from[i])
			to[i] = from[i];
	return 0;
}

static int fresh(void **state)
{
	char path[128];

	(void)state;
	kernel_has = flow_timeouts_default();
	read_error = write_error = 0;
	writes = 0;
	snprintf(path, sizeof(path), "%s/%s", directory, SETTINGS_FILE);
	unlink(path);
	return 0;
}

static bool is_kept(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, SETTINGS_FILE);
	return access(path, F_OK) == 0;
}

static void keep(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, SETTINGS_FILE);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static uint32_t *named(struct flow_timeouts *timeouts, const char *key)
{
	for (size_t i = 0; i < policy_timeout_count; i++)
		if (!strcmp(policy_timeouts[i].key, key))
			return (uint32_t *)((char *)timeouts + policy_timeouts[i].offset);
	fail_msg("no timeout %s", key);
	return NULL;
}

static uint32_t now(const char *key)
{
	return *named(&kernel_has, key);
}

static void lower(const char *key, uint32_t sec, const char *other, uint32_t other_sec)
{
	struct flow_timeouts set = {0};

	*named(&set, key) = sec;
	if (other)
		*named(&set, other) = other_sec;
	assert_int_equal(settings_lower(directory, &set, NULL), 0);
}

static size_t restore(void)
{
	size_t count = 99;

	assert_int_equal(settings_restore(directory, &count, NULL), 0);
	return count;
}

static const char *first, *second;

static void lowered_values_come_back(void **state)
{
	uint32_t before = now(first);

	(void)state;
	lower(first, 5, second, 6);
	assert_int_equal(now(first), 5);
	assert_int_equal(now(second), 6);
	assert_true(is_kept());
	assert_int_equal(restore(), 2);
	assert_int_equal(now(first), before);
	assert_false(is_kept());
	assert_int_equal(restore(), 0); /* once */
}

static void nothing_is_ever_raised(void **state)
{
	uint32_t before = now(first);

	(void)state;
	lower(first, before + 1, NULL, 0);
	lower(first, before, NULL, 0);
	assert_int_equal(now(first), before);
	assert_int_equal(writes, 0);
	assert_false(is_kept());
}

static void what_somebody_else_changed_is_his(void **state)
{
	uint32_t second_before = now(second);

	(void)state;
	lower(first, 5, second, 6);
	*named(&kernel_has, first) = 17;
	assert_int_equal(restore(), 1);
	assert_int_equal(now(first), 17);
	assert_int_equal(now(second), second_before);
	assert_false(is_kept());
}

static void lowering_again_keeps_the_first_value(void **state)
{
	uint32_t before = now(first);

	(void)state;
	lower(first, 20, NULL, 0);
	lower(first, 5, NULL, 0);
	assert_int_equal(now(first), 5);
	assert_int_equal(restore(), 1);
	assert_int_equal(now(first), before);
}

static void lowering_what_somebody_else_changed_puts_his_back(void **state)
{
	(void)state;
	lower(first, 20, NULL, 0);
	*named(&kernel_has, first) = 25;
	lower(first, 5, NULL, 0);
	assert_int_equal(restore(), 1);
	assert_int_equal(now(first), 25);
}

static void damaged_lines_are_said_and_the_others_count(void **state)
{
	struct problem problem = {0};
	size_t count = 0;
	char text[256];

	(void)state;
	*named(&kernel_has, first) = 5;
	*named(&kernel_has, second) = 6;
	snprintf(text, sizeof(text), "no_such_timeout 1 2\nx\n%s 30\n%s 40 5\n%s 50 6", first,
		 first, second);
	keep(text);
	assert_int_equal(settings_restore(directory, &count, &problem), -EBADMSG);
	assert_int_equal(count, 2);
	assert_int_equal(now(first), 40);
	assert_int_equal(now(second), 50);
	/* What it meant is not known: it is said, and stays. */
	assert_true(is_kept());
	assert_non_null(strstr(problem.path, directory));
	/* Numbers no kernel takes, and the second of two, are no values. */
	snprintf(text, sizeof(text), "%s 99999999999 40\n%s 50 50\n%s 60 50\n", first, second, second);
	keep(text);
	assert_int_equal(settings_restore(directory, &count, NULL), -EBADMSG);
	assert_int_equal(now(first), 40);
	assert_int_equal(now(second), 50);
	keep("");
	assert_int_equal(restore(), 0);
	assert_false(is_kept());
}

static void nothing_is_lowered_that_cannot_be_kept(void **state)
{
	struct flow_timeouts set = {0};
	struct problem problem = {0};
	uint32_t before = now(first);

	(void)state;
	*named(&set, first) = 5;
	assert_int_equal(settings_lower("/nonexistent", &set, &problem), -ENOENT);
	assert_non_null(strstr(problem.text, "cannot be written"));
	assert_int_equal(now(first), before);
	assert_int_equal(writes, 0);
}

static void errors_of_the_kernel_leave_the_file_for_later(void **state)
{
	uint32_t before = now(first);
	struct flow_timeouts set = {0};
	struct problem problem = {0};

	(void)state;
	read_error = -EPERM;
	*named(&set, first) = 5;
	assert_int_equal(settings_lower(directory, &set, &problem), -EPERM);
	read_error = 0;
	lower(first, 5, NULL, 0);
	write_error = -EPERM;
	assert_int_equal(settings_restore(directory, NULL, &problem), -EPERM);
	assert_true(is_kept());
	write_error = 0;
	assert_int_equal(restore(), 1);
	assert_int_equal(now(first), before);
}

static struct policy_rule rule_of(const char *name, const char *key, uint32_t sec)
{
	struct policy_rule rule = {.action.action = POLICY_ACTION_TIMEOUTS};

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	*named(&rule.action.set, key) = sec;
	return rule;
}

static void of_two_rules_the_other_goes_on(void **state)
{
	static struct held held;
	struct policy_rule mild = rule_of("mild", first, 20), hard = rule_of("hard", first, 5);
	uint32_t before = now(first);

	(void)state;
	memset(&held, 0, sizeof(held));
	assert_int_equal(held_take(&held, directory, &mild, NULL), 0);
	assert_int_equal(held_take(&held, directory, &hard, NULL), 0);
	assert_int_equal(now(first), 5);
	assert_int_equal(held_let_go(&held, directory, "hard", NULL), 0);
	assert_int_equal(now(first), 20);
	assert_int_equal(held.count, 1);
	write_error = -EPERM;
	assert_int_equal(held_let_go(&held, directory, "mild", NULL), -EPERM);
	assert_int_equal(held.count, 1); /* to be tried again */
	write_error = 0;
	assert_int_equal(held_let_go(&held, directory, "mild", NULL), 0);
	assert_int_equal(now(first), before);
	assert_false(is_kept());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lowered_values_come_back, fresh),
		cmocka_unit_test_setup(nothing_is_ever_raised, fresh),
		cmocka_unit_test_setup(what_somebody_else_changed_is_his, fresh),
		cmocka_unit_test_setup(lowering_again_keeps_the_first_value, fresh),
		cmocka_unit_test_setup(lowering_what_somebody_else_changed_puts_his_back, fresh),
		cmocka_unit_test_setup(damaged_lines_are_said_and_the_others_count, fresh),
		cmocka_unit_test_setup(nothing_is_lowered_that_cannot_be_kept, fresh),
		cmocka_unit_test_setup(errors_of_the_kernel_leave_the_file_for_later, fresh),
		cmocka_unit_test_setup(of_two_rules_the_other_goes_on, fresh),
	};
	int failed;

	first = policy_timeouts[0].key;
	second = policy_timeouts[1].key;
	if (!mkdtemp(directory))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fresh(NULL);
	rmdir(directory);
	return failed;
}
