/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define NOW (1795599667LL * NS_PER_SEC) /* 2026-11-25T09:41:07Z */

static void test_moments_are_written_in_utc_and_locally(void **state)
{
	char buf[CLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(clock_format_rfc3339(NOW + 123 * NS_PER_MS, buf), "2026-11-25T09:41:07.123Z");
	assert_string_equal(clock_format_rfc3339(-1, buf), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_format_local(NOW, buf), "2026-11-25 10:41:07");
}

static void test_moments_are_read_as_journalctl_does(void **state)
{
	static const struct {
		const char *text;
		int64_t sec_from_now;
	} rows[] = {
		{"now", 0},
		{"2026-11-25 10:41:07", 0},
		{"2026-11-25T09:41:07Z", 0},
		{"2026-11-25T11:41:07+02:00", 0},
		{"10:41:07", 0},
		{"10:41", -7},
		{"-10min", -600},
		{"10min ago", -600},
		{"1h", -3600},
		{"today", -38467},
		{"yesterday", -38467 - 86400},
		{"2026-11-25", -38467},
		{"@1795599600", -67},
		{"tomorrow", -38467 + 86400},
		{"+1h", 3600},
		{"+10min", 600},
		{"10min left", 600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ns = 0;

		assert_int_equal(clock_parse_moment(rows[i].text, NOW, &ns, NULL), 0);
		assert_int_equal((ns - NOW) / NS_PER_SEC, rows[i].sec_from_now);
	}
}

static void test_what_is_no_moment_is_refused_and_leaves_the_output(void **state)
{
	static const char *const bad[] = {
		"",    "-",	     "tomorrowish", "2026-02-30", "25:00",	    "2026-11-25 10:41:07 x",
		"@-1", "+10min ago", "-1h left",    "+",	  "+300000000000s", "2026-11-25T11:41:07+99:00",
		NULL};

	(void)state;
	for (const char *const *text = bad; *text; text++) {
		struct problem problem = { 0 };
		int64_t ns = 7;

		assert_int_equal(clock_parse_moment(*text, NOW, &ns, &problem), -EINVAL);
		assert_int_equal(ns, 7);
		assert_true(problem.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments_are_written_in_utc_and_locally),
		cmocka_unit_test(test_moments_are_read_as_journalctl_does),
		cmocka_unit_test(test_what_is_no_moment_is_refused_and_leaves_the_output),
	};

	setenv("TZ", "CET-1", 1); /* an hour ahead of UTC, no summer time, no zone files needed */
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
