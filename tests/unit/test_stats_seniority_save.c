/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority_save: what a restart within the boot keeps, and what is refused. */
#include <errno.h>
#include <stdlib.h>

#include "stats/seniority.h"
#include "stats_fixture.h"

#define START (1000 * SEC)

static const uint8_t boot[SENIORITY_BOOT_ID] = "boot one";

static struct seniority *make(size_t max_flows)
{
	struct seniority_config config = seniority_config_default();

	config.max_flows = max_flows;
	return seniority_new(&config);
}

static struct flow user(unsigned i)
{
	return flow_answered(TCP, IP(10, 1, 0, 2), IP(203, 0, 113, 2), (uint16_t)(1024 + i), 7000);
}

static struct standing see(struct seniority *s, const struct flow *flow)
{
	struct flow_facts facts;

	flow_facts_of(flow, NULL, 0, &facts);
	return seniority_see(s, flow, &facts);
}

/* A whole pass over the users' first n flows at START + sec. */
static void pass(struct seniority *s, double sec, bool is_calm, unsigned n)
{
	seniority_begin(s, START + (int64_t)(sec * SEC), is_calm, 0);
	for (unsigned i = 0; i < n; i++) {
		struct flow flow = user(i);

		see(s, &flow);
	}
	seniority_end(s, true);
}

static void a_restart_within_the_boot_keeps_seniors(void **state)
{
	struct seniority *s = make(1000), *again = make(3000);
	uint8_t *buf = malloc(seniority_saved_max(s));
	struct flow flow = user(3);
	size_t size;

	(void)state;
	pass(s, 0, true, 10);
	pass(s, 30, true, 20);
	pass(s, 50, false, 20);
	size = seniority_save(s, START + 51 * SEC, boot, buf);
	assert_int_equal(seniority_restore(again, START + 55 * SEC, boot, buf, size), 0);
	assert_true(seniority_counts_get(again).is_ready);
	assert_int_equal(seniority_counts_get(again).seniors, 10);
	assert_int_equal(seniority_counts_get(again).base, 20);
	assert_int_equal(seniority_counts_get(again).candidates, 0);
	assert_true(seniority_is_senior(again, &flow));
	seniority_surge(again, START + 56 * SEC); /* it still knows since when */
	assert_int_equal(seniority_counts_get(again).seniors, 0);
	seniority_free(s);
	seniority_free(again);
	free(buf);
}

static void damaged_or_foreign_bytes_are_refused(void **state)
{
	struct seniority *s = make(100), *again = make(100);
	size_t max = seniority_saved_max(s), size;
	uint8_t *buf = malloc(max);
	uint8_t other[SENIORITY_BOOT_ID] = "boot two";

	(void)state;
	pass(s, 0, true, 20);
	pass(s, 30, true, 20);
	size = seniority_save(s, START + 31 * SEC, boot, buf);
	assert_true(size <= max);
	pass(again, 0, true, 3);
	assert_int_equal(seniority_restore(again, START + 40 * SEC, other, buf, size), -ESTALE);
	assert_int_equal(seniority_restore(again, START + 30 * SEC, boot, buf, size), -ESTALE);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(seniority_restore(again, START + 40 * SEC, boot, buf, cut),
				 -EINVAL);
	for (size_t at = 0; at < size; at++) {
		buf[at] ^= 0x10;
		assert_true(seniority_restore(again, START + 40 * SEC, boot, buf, size) < 0);
		buf[at] ^= 0x10;
	}
	assert_int_equal(seniority_counts_get(again).flows, 3); /* untouched */
	assert_int_equal(seniority_restore(again, START + 40 * SEC, boot, buf, size), 0);
	assert_int_equal(seniority_counts_get(again).seniors, 20);
	seniority_free(s);
	seniority_free(again);
	free(buf);
}

static void undone_is_what_was_learned_and_not_who_was_adopted(void **state)
{
	struct seniority *s = make(1000);
	uint8_t *buf = malloc(seniority_saved_max(s));
	struct flow old = user(3), adopted = user(500), known = user(15), late = user(12);
	size_t size;

	(void)state;
	pass(s, 0, true, 10);
	pass(s, 30, true, 20);
	size = seniority_save(s, START + 60 * SEC, boot, buf);
	pass(s, 60, true, 30); /* 10 to 19 become senior, 20 to 29 base */
	assert_true(seniority_adopt(s, &adopted, START + 61 * SEC));
	assert_true(seniority_is_senior(s, &late));
	assert_true(seniority_adopt(s, &known, START + 61 * SEC)); /* senior just now, and put in anew */
	assert_int_equal(seniority_undo(s, START + 61 * SEC, boot, buf, size), 0);
	assert_true(seniority_is_senior(s, &old));
	assert_true(seniority_is_senior(s, &adopted));
	assert_true(seniority_is_senior(s, &known));
	assert_false(seniority_is_senior(s, &late));
	assert_int_equal(seniority_counts_get(s).seniors, 12);
	seniority_surge(s, START + 61 * SEC);
	assert_true(seniority_is_senior(s, &adopted));
	free(buf);
	seniority_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_within_the_boot_keeps_seniors),
		cmocka_unit_test(damaged_or_foreign_bytes_are_refused),
		cmocka_unit_test(undone_is_what_was_learned_and_not_who_was_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
