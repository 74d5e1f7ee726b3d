/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/refusal: the formula against what was measured. */
#include "stats_fixture.h"

#include <math.h>

#include "stats/refusal.h"

static void agrees_with_the_measured_table(void **unused)
{
	/* 262,144 entries and buckets, 5,000 new UDP flows each, kernel 6.18. */
	static const struct {
		double evictable, refused;
	} measured[] = {{0, 1},	       {0.01, 0.856}, {0.05, 0.437}, {0.10, 0.182},
			{0.20, 0.034}, {0.30, 0.007}, {0.50, 0},     {1, 0}};

	(void)unused;
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		double refused = refusal_when_full(262144, 262144, measured[i].evictable);

		assert_true(fabs(refused - measured[i].refused) < 0.021);
	}
	assert_true(fabs(refusal_when_full(262144, 262144, 0.05) - 0.4493) < 0.001);
}

static void a_longer_chain_finds_more_to_evict(void **unused)
{
	(void)unused;
	assert_true(refusal_when_full(4 * 65536, 65536, 0.05) <
		    refusal_when_full(65536, 65536, 0.05));
	assert_true(fabs(refusal_when_full(2000, 1000, 0.05) - exp(-1.6)) < 1e-12);
}

static void nothing_is_refused_below_the_limit_or_without_one(void **unused)
{
	(void)unused;
	assert_true(refusal_now(999, 1000, 1000, 0) == 0);
	assert_true(refusal_now(5000, 0, 1000, 0) == 0);
	assert_true(refusal_now(1000, 1000, 1000, 0) == 1);
	assert_true(refusal_now(1100, 1000, 1000, 0.1) == refusal_when_full(1100, 1000, 0.1));
}

static void what_is_not_known_is_taken_as_the_worst(void **unused)
{
	(void)unused;
	assert_true(refusal_when_full(0, 1000, 0) == 1);
	assert_true(refusal_when_full(1000, 0, 0) == 1);
	assert_true(refusal_when_full(1000, 0, 0.5) == 1);
	assert_true(refusal_when_full(1000, 1000, NAN) == 1);
	assert_true(refusal_when_full(1000, 1000, 7) == refusal_when_full(1000, 1000, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_measured_table),
		cmocka_unit_test(a_longer_chain_finds_more_to_evict),
		cmocka_unit_test(nothing_is_refused_below_the_limit_or_without_one),
		cmocka_unit_test(what_is_not_known_is_taken_as_the_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
