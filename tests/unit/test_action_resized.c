/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surveys and executions under which the table is resized: passes that miss entries and repeat others. What is meant
 * goes all the same, nothing is done twice that must not be, and it is said where it could not be settled. */
#include "action_fake.h"

#define SRC   IP(10, 0, 0, 9)
#define DST   IP(192, 0, 2, 1)
#define COUNT 300u

/* COUNT flows of SRC between as many of the next address. */
static struct fake *two_sources(void)
{
	struct fake *fake = fake_new(2 * COUNT);
	unsigned i;

	for (i = 0; i < COUNT; i++) {
		fake_add(fake, flow_make(UDP, SRC, DST, (uint16_t)(1000 + i), 53))->timeout_sec = 300;
		fake_add(fake, flow_make(UDP, SRC + 1, DST, (uint16_t)(1000 + i), 53))->timeout_sec = 300;
	}
	return fake;
}

static unsigned alive_of(const struct fake *fake, uint8_t last_byte)
{
	unsigned alive = 0;
	size_t i;

	for (i = 0; i < fake->count; i++)
		alive += fake->alive[i] && fake->flows[i].tuple[FLOW_ORIG].src[3] == last_byte;
	return alive;
}

static struct action_result run(struct fake *fake, const struct action_request *request, unsigned torn, bool has_plan)
{
	struct action_plan *plan = NULL;
	struct action_result result;

	fake->torn_scans = torn;
	fake->scans = 0;
	if (has_plan)
		assert_int_equal(action_survey(request, &fake->ports, &plan), 0);
	assert_int_equal(action_execute(request, &fake->ports, plan, &result), 0);
	assert_sums_up(&result);
	action_plan_free(plan);
	return result;
}

static struct action_request request_of(const struct flow_filter *filter)
{
	return (struct action_request){.filters = {filter}, .filter_count = 1, .batch = FLOW_BATCH_MAX};
}

static void a_survey_is_made_anew(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result = run(fake, &request, 2, true);

	(void)state;
	assert_int_equal(fake->scans, 3);
	assert_int_equal(result.matched, COUNT);
	assert_int_equal(result.done, COUNT);
	assert_int_equal(result.redone, 2);
	assert_false(result.is_unsettled);
	assert_int_equal(alive_of(fake, 10), COUNT);
	flow_filter_free(filter);
	fake_free(fake);
}

static void a_survey_that_never_settles_says_so(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result = run(fake, &request, 100, true);

	(void)state;
	assert_int_equal(fake->scans, 1 + ACTION_REDO_MAX);
	assert_true(result.is_unsettled);
	assert_true(alive_of(fake, 9));
	assert_int_equal(alive_of(fake, 10), COUNT);
	flow_filter_free(filter);
	fake_free(fake);
}

static void a_streaming_delete_goes_on_until_a_pass_was_whole(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result = run(fake, &request, 2, false);

	(void)state;
	assert_int_equal(fake->scans, 3);
	assert_int_equal(result.done, COUNT);
	assert_int_equal(result.redone, 2);
	assert_false(result.is_unsettled);
	assert_int_equal(alive_of(fake, 9), 0);
	assert_int_equal(alive_of(fake, 10), COUNT);
	flow_filter_free(filter);
	fake_free(fake);
}

static void what_is_spared_is_counted_once(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_DST, "192.0.2.1");
	struct action_request request = request_of(filter);
	struct protect *protect = protect_new();
	struct action_result result;

	(void)state;
	protect_add(protect, fake_filter(FILTER_SRC, "10.0.0.10"), "ten");
	request.protect = protect;
	result = run(fake, &request, 2, false);
	assert_int_equal(result.done, COUNT);
	assert_int_equal(result.spared.total, COUNT);
	assert_int_equal(alive_of(fake, 10), COUNT);
	protect_free(protect);
	flow_filter_free(filter);
	fake_free(fake);
}

static void a_limit_holds_over_all_passes(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	request.limit = 250;
	result = run(fake, &request, 1, false);
	assert_in_range(result.done, 1, 250);
	assert_int_equal(result.done + result.gone, 250);
	assert_int_equal(alive_of(fake, 9), COUNT - result.done);
	assert_int_equal(result.left, COUNT - result.done);
	flow_filter_free(filter);
	fake_free(fake);
}

static unsigned with_timeout(const struct fake *fake, uint32_t sec)
{
	unsigned with = 0;
	size_t i;

	for (i = 0; i < fake->count; i++)
		with += fake->flows[i].timeout_sec == sec && fake->flows[i].tuple[FLOW_ORIG].src[3] == 9;
	return with;
}

static void timeouts_are_set_and_capped_over_all_passes(void **state)
{
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	enum action_change changes[] = {ACTION_CHANGE_SET, ACTION_CHANGE_AT_MOST};
	struct action_result result;
	struct fake *fake;
	size_t i;

	(void)state;
	request.kind = ACTION_KIND_TIMEOUT;
	request.timeout_sec = 100;
	for (i = 0; i < 2; i++) {
		fake = two_sources();
		fake->ages_sec = 1;
		request.change = changes[i];
		result = run(fake, &request, 1, false);
		assert_int_equal(fake->scans, 2);
		assert_int_equal(result.redone, 1);
		assert_int_equal(result.done, COUNT);
		assert_int_equal(result.unchanged, 0);
		assert_false(result.is_unsettled);
		assert_int_equal(with_timeout(fake, 100) + with_timeout(fake, 99), COUNT);
		fake_free(fake);
	}
	flow_filter_free(filter);
}

static void what_must_not_be_done_twice_is_not(void **state)
{
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;
	struct fake *fake;
	unsigned i;

	(void)state;
	request.kind = ACTION_KIND_TIMEOUT;
	request.timeout_sec = 100;
	for (i = 0; i < 3; i++) {
		fake = two_sources();
		request.change = i ? ACTION_CHANGE_SET : ACTION_CHANGE_ADD;
		request.is_fixed = i == 1;
		request.limit = i == 2 ? 10 : 0;
		result = run(fake, &request, 1, false);
		assert_int_equal(fake->scans, 1);
		assert_true(result.is_unsettled);
		fake_free(fake);
	}
	flow_filter_free(filter);
}

/* The guard, whose "nothing protected" would empty more than it should. */
static void a_guard_that_was_torn_finds_nothing_clear(void **state)
{
	struct fake *fake = two_sources();
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);

	(void)state;
	assert_int_equal(action_guard(&request, &fake->ports), 1);
	fake->torn_scans = 1;
	assert_int_equal(action_guard(&request, &fake->ports), 0);
	fake->torn_scans = 0;
	assert_int_equal(action_guard(&request, &fake->ports), 1);
	fake->is_unwatched = true;
	assert_int_equal(action_guard(&request, &fake->ports), 0);
	flow_filter_free(filter);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_survey_is_made_anew),
		cmocka_unit_test(a_survey_that_never_settles_says_so),
		cmocka_unit_test(a_streaming_delete_goes_on_until_a_pass_was_whole),
		cmocka_unit_test(what_is_spared_is_counted_once),
		cmocka_unit_test(a_limit_holds_over_all_passes),
		cmocka_unit_test(timeouts_are_set_and_capped_over_all_passes),
		cmocka_unit_test(what_must_not_be_done_twice_is_not),
		cmocka_unit_test(a_guard_that_was_torn_finds_nothing_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
