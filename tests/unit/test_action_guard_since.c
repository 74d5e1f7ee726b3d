/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has changed since the guard's victims were chosen: another flood, room that others made, use. */
#include "action_guard_world.h"

#include "base/clock.h"

static struct guard_outcome outcome;

static void round_counted(struct world *w, enum level level, uint64_t want, uint64_t other)
{
	w->fake->scans = 0;
	round_at(w, level, want, other, &outcome);
}

static void another_flood_is_looked_for_at_once(void **state)
{
	struct world *w = *state;
	size_t crowd;

	calm_then_attack(w, 8000, true, 16);
	w->table.new_per_sec = 1000;
	round_counted(w, LEVEL_WARNING, 7000, 300);
	crowd = alive(w, 0, w->fake->count);
	now_ns += 250 * NS_PER_MS;
	for (uint32_t i = 0; i < 6000; i++) {
		struct flow flow = flow_make(UDP, IP(10, 9, 0, 0) + i, IP(198, 51, 100, 7), (uint16_t)(1024 + i), 53);

		flow.timeout_sec = 30;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
	w->table.new_per_sec = 30000;
	round_counted(w, LEVEL_WARNING, 12000, 1500);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.stages[VICTIM_FIT], 0);
	assert_int_equal(alive(w, 0, 8300), crowd);
}

static void idle_and_expired(struct world *w)
{
	for (uint16_t i = 0; i < 3000; i++)
		fake_add(w->fake,
			 answered_tcp(IP(10, 1, 0, 3), IP(203, 0, 113, 2), (uint16_t)(3000 + i), 7000, 400000));
	w->honest = w->fake->count;
	renew(w);
	renew(w);
	for (uint32_t i = 0; i < 2000; i++) {
		struct flow flow = flow_make(UDP, IP(10, 3, 0, 0) + i, IP(192, 0, 2, 1), 2000, 53);

		flow.has |= FLOW_HAS_TIMEOUT;
		flow.timeout_sec = 1;
		fake_add(w->fake, flow);
	}
	w->table.is_calm = false;
}

static int expire(void *arg)
{
	struct fake *fake = arg;

	for (size_t i = fake->count - 2000; i < fake->count; i++)
		fake->alive[i] = false;
	return 0;
}

static int scan_expired(void *arg, const struct flow_filter *filter, const struct flow_filter_context *context,
			flow_scan_fn *fn, void *fn_arg, struct flow_scan_report *ret_report)
{
	expire(arg);
	return fake_scan(arg, filter, context, fn, fn_arg, ret_report);
}

/* 300 of those that do not fit were needed, and 2,000 that had expired are gone: by the pass itself. */
static void nobody_goes_for_room_that_the_pass_has_made(void **state)
{
	struct world *w = *state;

	idle_and_expired(w);
	w->fake->ports.scan = scan_expired;
	round_counted(w, LEVEL_CRITICAL, 5000, 300);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static const char at_full[] = "\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"min_age\": 3, "
			      "\"active_at_full\": true, \"classes\": "
			      "[\"unreplied\", \"pickup\", \"half-open\", \"closing\", \"replied\", \"stream\", "
			      "\"established\"]}, \"until\": "
			      "{\"fill_pct\": 50}";

static void add_diverse(struct world *w, uint32_t count, uint32_t from)
{
	for (uint32_t i = from; i < from + count; i++) {
		struct flow flow = answered_tcp(IP(10, 0, 0, 0) + i * 7919u % 16000000u,
						IP(20, 0, 0, 0) + i * 104729u % 16000000u, (uint16_t)(1024 + i * 7),
						(uint16_t)(1 + i * 31), 431992);

		flow.has |= FLOW_HAS_COUNTERS;
		flow.packets[FLOW_ORIG] = flow.packets[FLOW_REPLY] = 10;
		fake_add(w->fake, flow);
	}
}

static void of_a_full_table_who_is_in_use_meanwhile_is_the_last(void **state)
{
	struct world *w = *state;
	struct policy *policy = w->policy;
	struct flow_scan_report report;
	size_t from, before;

	w->table.policy = w->policy = policy_of_rule(at_full);
	policy_free(policy);
	add_diverse(w, 6000, 0);
	renew(w);
	renew(w);
	from = w->honest = w->fake->count;
	add_diverse(w, 6000, 6000);
	w->table.is_calm = false;
	for (int pass = 0; pass < 5; pass++) {
		assert_int_equal(guard_renew(w->guard, &w->table, &report), 0);
		now_ns += 3 * SEC;
		for (size_t i = from; i < w->fake->count; i += 2) {
			w->fake->flows[i].packets[FLOW_ORIG] += 5;
			w->fake->flows[i].packets[FLOW_REPLY] += 5;
		}
	}
	round_counted(w, LEVEL_FULL, 7000, 500);
	assert_int_equal(outcome.record.done, 500);
	now_ns += 300 * NS_PER_MS;
	before = alive(w, from, w->fake->count);
	for (size_t i = from; i < w->fake->count; i++) {
		w->fake->flows[i].packets[FLOW_ORIG] = w->fake->flows[i].packets[FLOW_REPLY] = 50;
		w->fake->flows[i].timeout_sec = 432000;
	}
	round_counted(w, LEVEL_FULL, 6500, 500);
	assert_int_equal(alive(w, from, w->fake->count), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(another_flood_is_looked_for_at_once),
		TEST(nobody_goes_for_room_that_the_pass_has_made),
		TEST(of_a_full_table_who_is_in_use_meanwhile_is_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
