/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the kernel's own filter is used, that the guard holds, and that both ways do the same to
 * random tables. */
#include "action_fake.h"

static uint64_t seed = 4711;

static unsigned pick(unsigned n)
{
	return (unsigned)(random_next(&seed) >> 16) % n;
}

static struct action_choice choice_of(struct fake *fake, const struct action_request *request)
{
	struct action_choice choice;

	action_choose(request, &fake->ports, &choice);
	assert_true(choice.why[0]);
	return choice;
}

static void the_kernel_way_needs_a_proof_and_nothing_to_spare(void **state)
{
	struct fake *fake = fake_new(1);
	struct flow_filter *filter = fake_filter(FILTER_MARK, "5"),
			   *idle = fake_filter(FILTER_IDLE, "5s");
	struct action_request request = {.filters = {filter}, .filter_count = 1}, other;
	struct protect *protect = protect_new();

	(void)state;
	fake->count = 0;
	assert_int_equal(choice_of(fake, &request).way, ACTION_WAY_DUMP);
	fake->can_filter = true;
	assert_int_equal(choice_of(fake, &request).way, ACTION_WAY_FILTER);
	assert_false(choice_of(fake, &request).needs_guard);
	other = request;
	other.limit = 1;
	assert_int_equal(choice_of(fake, &other).way, ACTION_WAY_DUMP);
	other = request;
	other.is_paced = true;
	assert_int_equal(choice_of(fake, &other).way, ACTION_WAY_DUMP);
	other = request;
	other.min_age_ns = 1;
	assert_int_equal(choice_of(fake, &other).way, ACTION_WAY_DUMP);
	other = request;
	other.kind = ACTION_KIND_TIMEOUT;
	assert_int_equal(choice_of(fake, &other).way, ACTION_WAY_DUMP);
	other = request;
	other.filters[0] = idle;
	assert_int_equal(choice_of(fake, &other).way, ACTION_WAY_DUMP);
	protect_add(protect, fake_filter(FILTER_MARK, "6"), "six");
	request.protect = protect;
	assert_false(choice_of(fake, &request).needs_guard);
	protect_add(protect, fake_filter(FILTER_SRC, "10.0.0.1"), "one");
	assert_true(choice_of(fake, &request).needs_guard);
	assert_non_null(strstr(choice_of(fake, &request).why, "\"one\""));
	protect_free(protect);
	flow_filter_free(filter);
	flow_filter_free(idle);
	fake_free(fake);
}

static void everything_at_once_only_where_nothing_is_protected(void **state)
{
	struct fake *fake = fake_new(2);
	struct flow_filter *filter = flow_filter_new();
	struct action_request request = {.filters = {filter}, .filter_count = 1};
	struct protect *protect = protect_new();
	struct action_result result;

	(void)state;
	fake->count = 0;
	fake_add(fake, flow_make(UDP, 1, 2, 3, 4));
	request.protect = protect;
	assert_int_equal(choice_of(fake, &request).way, ACTION_WAY_FILTER);
	protect_add(protect, fake_filter(FILTER_SRC, "10.0.0.1"), "one");
	assert_int_equal(choice_of(fake, &request).way, ACTION_WAY_DUMP);
	assert_int_equal(action_execute_filtered(&request, &fake->ports, NULL, &result), 0);
	assert_int_equal(result.counted, ACTION_COUNTED_COUNTER);
	assert_int_equal(result.done, 1);
	assert_sums_up(&result);
	protect_free(protect);
	flow_filter_free(filter);
	fake_free(fake);
}

/* Two families are two requests: the second may fail when the first is done. */
static void what_went_before_an_error_is_counted(void **state)
{
	struct flow_filter *filter = fake_filter(FILTER_PROTOCOL, "udp");
	struct action_request request = {.filters = {filter}, .filter_count = 1};
	struct action_plan plan = {.matched = 4, .chosen = 4};
	unsigned round;

	(void)state;
	for (round = 0; round < 4; round++) {
		bool is_planned = round & 1, cannot_count = round & 2;
		struct fake *fake = fake_new(6);
		struct action_result result = {0};

		fake->count = 0;
		for (unsigned i = 0; i < 6; i++)
			fake_add(fake, flow_make(i == 2 || i == 5 ? TCP : UDP, 1, i, 3, 4));
		fake->filtered_error = -ENOBUFS;
		fake->count_fails_after = cannot_count;
		assert_int_equal(action_execute_filtered(&request, &fake->ports,
							 is_planned ? &plan : NULL, &result),
				 -ENOBUFS);
		assert_int_equal(result.done, cannot_count ? 0 : 2);
		assert_int_equal(result.unknown, !cannot_count ? 0 : is_planned ? 4 : 6);
		assert_int_equal(result.left, is_planned && !cannot_count ? 2 : 0);
		assert_int_equal(result.counted, ACTION_COUNTED_COUNTER);
		assert_sums_up(&result);
		fake_free(fake);
	}
	flow_filter_free(filter);
}

static void the_guard_sees_one_protected_entry(void **state)
{
	struct fake *fake = fake_new(3);
	struct flow_filter *filter = fake_filter(FILTER_PROTOCOL, "udp");
	struct action_request request = {.filters = {filter}, .filter_count = 1};
	struct protect *protect = protect_new();

	(void)state;
	fake->count = 0;
	fake_add(fake, flow_make(UDP, IP(10, 0, 0, 1), 2, 3, 4));
	fake_add(fake, flow_make(UDP, IP(10, 0, 0, 2), 2, 3, 4));
	protect_add(protect, fake_filter(FILTER_SRC, "10.0.0.2"), "two");
	request.protect = protect;
	assert_int_equal(action_guard(&request, &fake->ports), 0);
	fake->alive[1] = false;
	assert_int_equal(action_guard(&request, &fake->ports), 1);
	fake->fail_scan = fake->scans + 1;
	assert_int_equal(action_guard(&request, &fake->ports), -EPERM);
	protect_free(protect);
	flow_filter_free(filter);
	fake_free(fake);
}

#define FLOWS 200

static void fill(struct fake *fake)
{
	unsigned i;

	fake->count = 0;
	for (i = 0; i < FLOWS; i++) {
		struct flow flow = pick(2) ? flow_make(pick(2) ? UDP : TCP, IP(10, 0, 0, pick(6)),
						       IP(192, 0, 2, pick(4)), (uint16_t)i,
						       (uint16_t)(53 + pick(4)))
					   : flow_answered(pick(2) ? UDP : TCP,
							   IP(10, 0, 0, pick(6)),
							   IP(192, 0, 2, pick(4)), (uint16_t)i,
							   (uint16_t)(53 + pick(4)));

		flow.mark = pick(3);
		flow.zone = flow.zone_reply = (uint16_t)pick(3);
		flow.timeout_sec = pick(120);
		if (pick(8) == 0)
			flow.status |= FLOW_STATUS_FIXED_TIMEOUT;
		fake_add(fake, flow);
	}
}

static struct flow_filter *random_filter(void)
{
	static const struct {
		enum flow_filter_key key;
		const char *value;
	} conditions[] = {{FILTER_SRC, "10.0.0.1"},   {FILTER_SRC, "10.0.0.0/30"},
			  {FILTER_DST, "192.0.2.1"},  {FILTER_DPORT, "53"},
			  {FILTER_PROTOCOL, "udp"},   {FILTER_MARK, "0"},
			  {FILTER_MARK, "1/1"},	      {FILTER_ZONE, "0"},
			  {FILTER_ZONE, "2"},	      {FILTER_UNREPLIED, NULL},
			  {FILTER_STATUS, "assured"}, {FILTER_REPLY_SRC, "192.0.2.2"}};
	struct flow_filter *filter = flow_filter_new();
	unsigned n, i;

	for (n = 1 + pick(2); n; n--) {
		i = pick(sizeof(conditions) / sizeof(conditions[0]));
		flow_filter_add(filter, conditions[i].key, conditions[i].value, pick(4) == 0, NULL);
	}
	return filter;
}

/* The whole of a command, as commands do it. */
static struct action_result command(const struct action_request *request, struct fake *fake,
				    bool has_plan)
{
	struct action_choice choice;
	struct action_result result;
	struct action_plan *plan = NULL;
	bool is_filtered;

	action_choose(request, &fake->ports, &choice);
	is_filtered = choice.way == ACTION_WAY_FILTER &&
		      (!choice.needs_guard || action_guard(request, &fake->ports) == 1);
	if (has_plan)
		assert_int_equal(action_survey(request, &fake->ports, &plan), 0);
	if (is_filtered)
		assert_int_equal(action_execute_filtered(request, &fake->ports, plan, &result), 0);
	else
		assert_int_equal(action_execute(request, &fake->ports, plan, &result), 0);
	assert_sums_up(&result);
	action_plan_free(plan);
	return result;
}

static void both_ways_do_the_same_to_random_tables(void **state)
{
	unsigned round, filtered = 0, spared = 0;
	size_t i;

	(void)state;
	for (round = 0; round < 2000; round++) {
		struct fake *a = fake_new(FLOWS), *b = fake_new(FLOWS);
		struct flow_filter *filter = random_filter();
		struct protect *protect = protect_new();
		struct action_request request = {.filters = {filter},
						 .filter_count = 1,
						 .protect = protect,
						 .batch = 1 + pick(FLOW_BATCH_MAX)};
		struct action_result of_a, of_b;

		fill(a);
		memcpy(b->flows, a->flows, FLOWS * sizeof(*a->flows));
		memcpy(b->alive, a->alive, FLOWS * sizeof(*a->alive));
		b->count = a->count;
		if (pick(2))
			protect_add(protect, random_filter(), "random");
		a->can_filter = true;
		of_a = command(&request, a, pick(2));
		of_b = command(&request, b, pick(2));
		filtered += a->filtered;
		spared += of_b.spared.total > 0;
		assert_int_equal(of_a.done, of_b.done);
		assert_memory_equal(a->alive, b->alive, FLOWS * sizeof(*a->alive));
		for (i = 0; i < FLOWS; i++)
			assert_int_equal(a->alive[i],
					 !flow_filter_match(filter, &a->flows[i], NULL) ||
						 protect_hit(protect, &a->flows[i], NULL) !=
							 PROTECT_NONE);
		protect_free(protect);
		flow_filter_free(filter);
		fake_free(a);
		fake_free(b);
	}
	assert_in_range(filtered, 200, 2000);
	assert_in_range(spared, 200, 2000);
}

/* ---- everything at once, while others act ---- */

static void others_act(struct fake *fake)
{
	unsigned n;

	for (n = pick(6); n; n--) {
		size_t at = pick(FLOWS);

		switch (pick(3)) {
		case 0:
			fake->alive[at] = false;
			break;
		case 1: /* another life */
			fake->flows[at].status ^= FLOW_STATUS_SEEN_REPLY;
			fake->alive[at] = true;
			break;
		default:
			fake->flows[at].mark = pick(3);
		}
	}
}

static bool sometimes(uint64_t written, void *arg)
{
	(void)written;
	(void)arg;
	return pick(12) != 0;
}

static void figures_sum_up_whatever_happens(void **state)
{
	unsigned round, stopped = 0, refused = 0, gone = 0, left = 0;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct fake *fake = fake_new(FLOWS);
		struct flow_filter *filter = random_filter();
		struct protect *protect = protect_new();
		struct flow_timeouts timeouts = flow_timeouts_default();
		struct action_request request = {
			.filters = {filter},
			.filter_count = 1,
			.protect = protect,
			.batch = 1 + pick(FLOW_BATCH_MAX),
			.on_batch = sometimes,
			.context.timeouts = &timeouts,
			.is_paced = pick(2),
			.kind = pick(2) ? ACTION_KIND_DELETE : ACTION_KIND_TIMEOUT,
			.change = (enum action_change)pick(ACTION_CHANGE_COUNT),
			.timeout_sec = 1 + pick(100)};
		struct action_plan *plan = NULL;
		struct action_result result;

		fill(fake);
		if (pick(2))
			request.limit = 1 + pick(FLOWS);
		if (request.limit)
			request.order = (enum action_order)pick(ACTION_ORDER_COUNT);
		if (pick(2))
			protect_add(protect, random_filter(), "random");
		if (pick(4) == 0) {
			fake->fail_write = 1 + pick(4);
			fake->write_error = -ENOBUFS;
		}
		fake->on_read = fake->on_write = others_act;
		if (request.order != ACTION_ORDER_NONE || pick(2))
			assert_int_equal(action_survey(&request, &fake->ports, &plan), 0);
		action_execute(&request, &fake->ports, plan, &result);
		assert_sums_up(&result);
		if (request.limit)
			assert_true(result.done <= request.limit);
		stopped += result.is_stopped;
		refused += result.refused > 0;
		gone += result.gone > 0;
		left += result.left > 0;
		action_plan_free(plan);
		protect_free(protect);
		flow_filter_free(filter);
		fake_free(fake);
	}
	assert_in_range(stopped, 100, 3000);
	assert_in_range(refused, 100, 3000);
	assert_in_range(gone, 100, 3000);
	assert_in_range(left, 100, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_way_needs_a_proof_and_nothing_to_spare),
		cmocka_unit_test(everything_at_once_only_where_nothing_is_protected),
		cmocka_unit_test(what_went_before_an_error_is_counted),
		cmocka_unit_test(the_guard_sees_one_protected_entry),
		cmocka_unit_test(both_ways_do_the_same_to_random_tables),
		cmocka_unit_test(figures_sum_up_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
