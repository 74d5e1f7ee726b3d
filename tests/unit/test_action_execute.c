/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Surveys and their execution on a table in memory: what is meant goes, what must live lives, every
 * entry is accounted for once, whatever happens between reading and writing. */
#include "action_fake.h"

#define SRC IP(10, 0, 0, 9)
#define DST IP(192, 0, 2, 1)

/* count unreplied flows of SRC, and as many answered ones of the next address. */
static struct fake *two_sources(unsigned count)
{
	struct fake *fake = fake_new(2 * count);
	unsigned i;

	fake->count = 0;
	for (i = 0; i < count; i++) {
		fake_add(fake, flow_make(UDP, SRC, DST, (uint16_t)(1000 + i % 60000),
					 (uint16_t)(53 + i / 60000)))
			->timeout_sec = 30;
		fake_add(fake, flow_answered(TCP, SRC + 1, DST, (uint16_t)(1000 + i % 60000),
					     (uint16_t)(80 + i / 60000)))
			->timeout_sec = 1000;
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

static struct action_request request_of(const struct flow_filter *filter)
{
	return (struct action_request){
		.filters = {filter}, .filter_count = 1, .batch = FLOW_BATCH_MAX};
}

/* Survey and execution; the plan is the caller's where it asks for it. */
static struct action_result act(const struct action_request *request, struct fake *fake,
				struct action_plan **ret_plan)
{
	struct action_result result;
	struct action_plan *plan;

	assert_int_equal(action_survey(request, &fake->ports, &plan), 0);
	assert_int_equal(plan->matched,
			 plan->chosen + plan->spared.total + plan->left + plan->unchanged);
	action_execute(request, &fake->ports, plan, &result);
	assert_sums_up(&result);
	if (ret_plan)
		*ret_plan = plan;
	else
		action_plan_free(plan);
	return result;
}

static void survey_changes_nothing_and_tells_who(void **state)
{
	struct fake *fake = two_sources(300);
	struct flow_filter *filter = fake_filter(FILTER_DST, "192.0.2.1");
	struct action_request request = request_of(filter);
	struct action_group groups[4];
	struct ranking_row rows[3];
	struct action_plan *plan;

	(void)state;
	assert_int_equal(action_survey(&request, &fake->ports, &plan), 0);
	assert_int_equal(plan->matched, 600);
	assert_int_equal(plan->chosen, 600);
	assert_int_equal(action_plan_groups(plan, 4, groups), 2);
	assert_int_equal(groups[0].count, 300);
	assert_int_equal(ranking_top(plan->sources, RANKING_ORDER_ENTRIES, 3, rows), 2);
	assert_int_equal(plan->example_count, ACTION_EXAMPLES);
	assert_int_equal(alive_of(fake, 9) + alive_of(fake, 10), 600);
	assert_int_equal(fake->writes, 0);
	action_plan_free(plan);
	flow_filter_free(filter);
	fake_free(fake);
}

static void what_is_meant_goes_and_the_rest_lives(void **state)
{
	struct fake *fake = two_sources(300);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result = act(&request, fake, NULL);

	(void)state;
	assert_int_equal(result.matched, 300);
	assert_int_equal(result.done, 300);
	assert_int_equal(result.way, ACTION_WAY_DUMP);
	assert_int_equal(fake->writes, 3); /* 128 + 128 + 44 */
	assert_int_equal(alive_of(fake, 9), 0);
	assert_int_equal(alive_of(fake, 10), 300);
	/* Again: nothing is there, and that is no failure. */
	result = act(&request, fake, NULL);
	assert_int_equal(result.matched, 0);
	flow_filter_free(filter);
	fake_free(fake);
}

static void without_a_plan_it_writes_as_it_reads(void **state)
{
	struct fake *fake = two_sources(300);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	assert_int_equal(action_execute(&request, &fake->ports, NULL, &result), 0);
	assert_sums_up(&result);
	assert_int_equal(result.done, 300);
	assert_int_equal(fake->reads, 0);
	assert_int_equal(fake->scans, 1);
	assert_int_equal(alive_of(fake, 9), 0);
	assert_int_equal(alive_of(fake, 10), 300);
	flow_filter_free(filter);
	fake_free(fake);
}

static void more_than_the_list_holds_takes_a_second_pass(void **state)
{
	struct fake *fake = two_sources(ACTION_TARGETS_MAX + 1000);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_plan *plan;
	struct action_result result = act(&request, fake, &plan);

	(void)state;
	assert_null(plan->targets);
	assert_int_equal(plan->chosen, ACTION_TARGETS_MAX + 1000);
	assert_int_equal(result.done, ACTION_TARGETS_MAX + 1000);
	assert_int_equal(alive_of(fake, 9), 0);
	assert_int_equal(alive_of(fake, 10), ACTION_TARGETS_MAX + 1000);
	action_plan_free(plan);
	flow_filter_free(filter);
	fake_free(fake);
}

static void protected_ones_are_spared_and_named(void **state)
{
	struct fake *fake = two_sources(200);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.0/24");
	struct action_request request = request_of(filter);
	struct protect *protect = protect_new();
	struct action_result result;

	(void)state;
	protect_add(protect, fake_filter(FILTER_DPORT, "81"), "none");
	protect_add(protect, fake_filter(FILTER_DPORT, "53"), "names");
	protect_add(protect, fake_filter(FILTER_SPORT, "1000-1009"), "overlaps the one before");
	request.protect = protect;
	result = act(&request, fake, NULL);
	assert_int_equal(result.spared.by[0], 0);
	assert_int_equal(result.spared.by[1], 200);
	assert_int_equal(result.spared.by[2], 10); /* of the others; the first that fits counts */
	assert_int_equal(result.spared.total, 210);
	assert_int_equal(result.done, 190);
	assert_int_equal(alive_of(fake, 9), 200);
	assert_int_equal(alive_of(fake, 10), 10);
	protect_free(protect);
	flow_filter_free(filter);
	fake_free(fake);
}

/* What others do between the survey and the first write. */
static void others_meanwhile(struct fake *fake)
{
	fake->on_read = NULL;
	fake->alive[0] = false;	      /* gone */
	fake->flows[2].start_ns = 77; /* another life of the tuple with the same id */
	fake->flows[4].status |= FLOW_STATUS_SEEN_REPLY; /* no longer unreplied */
	fake->flows[6].mark = 7;			 /* now protected */
	fake->flows[8].tuple[FLOW_ORIG].sport = 9;	 /* the id now belongs to another tuple */
}

static void what_changed_since_the_survey_is_not_written(void **state)
{
	struct fake *fake = two_sources(100);
	struct flow_filter *filter = fake_filter(FILTER_UNREPLIED, NULL);
	struct action_request request = request_of(filter);
	struct protect *protect = protect_new();
	struct action_result result;
	size_t i;

	(void)state;
	protect_add(protect, fake_filter(FILTER_MARK, "7"), "marked");
	request.protect = protect;
	for (i = 0; i < fake->count; i++) {
		fake->flows[i].has |= FLOW_HAS_TIMESTAMP;
		fake->flows[i].start_ns = 1000 + i;
	}
	fake->on_read = others_meanwhile;
	result = act(&request, fake, NULL);
	assert_int_equal(result.matched, 100);
	assert_int_equal(result.gone, 4);
	assert_int_equal(result.spared.total, 1);
	assert_int_equal(result.done, 95);
	for (i = 2; i <= 8; i += 2)
		assert_true(fake->alive[i]);
	protect_free(protect);
	flow_filter_free(filter);
	fake_free(fake);
}

static void flush_by_others(struct fake *fake)
{
	memset(fake->alive, 0, fake->count * sizeof(*fake->alive));
}

static void a_table_flushed_meanwhile_is_gone_not_failed(void **state)
{
	struct fake *fake = two_sources(300);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	fake->on_write = flush_by_others;
	result = act(&request, fake, NULL);
	assert_int_equal(result.gone, 300);
	assert_int_equal(result.done, 0);
	assert_false(result.is_stopped);
	flow_filter_free(filter);
	fake_free(fake);
}

static void a_failed_write_stops_and_says_how_far(void **state)
{
	struct fake *fake = two_sources(400);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;
	struct action_plan *plan;

	(void)state;
	fake->fail_write = 2;
	fake->write_error = -ENOBUFS;
	assert_int_equal(action_survey(&request, &fake->ports, &plan), 0);
	assert_int_equal(action_execute(&request, &fake->ports, plan, &result), -ENOBUFS);
	assert_sums_up(&result);
	assert_true(result.is_stopped);
	assert_int_equal(result.done, 128);
	assert_int_equal(result.unknown, 128);
	assert_int_equal(result.left, 400 - 256);
	action_plan_free(plan);
	fake->fail_write = fake->writes + 1;
	assert_int_equal(action_execute(&request, &fake->ports, NULL, &result), -ENOBUFS);
	assert_sums_up(&result);
	assert_true(result.is_stopped);
	flow_filter_free(filter);
	fake_free(fake);
}

static bool stop_at_second(uint64_t written, void *arg)
{
	(void)arg;
	return written < 150;
}

static void stopped_in_the_middle_sums_up(void **state)
{
	struct fake *fake = two_sources(400);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	request.on_batch = stop_at_second;
	result = act(&request, fake, NULL);
	assert_true(result.is_stopped);
	assert_int_equal(result.done, 256);
	assert_int_equal(result.left, 144);
	assert_int_equal(alive_of(fake, 9), 144);
	assert_int_equal(alive_of(fake, 10), 400);
	flow_filter_free(filter);
	fake_free(fake);
}

static void the_limit_takes_the_first_of_the_order(void **state)
{
	struct fake *fake = two_sources(500);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct action_result result;
	size_t i;

	(void)state;
	for (i = 0; i < fake->count; i++)
		fake->flows[i].timeout_sec = i / 2 % 31; /* idle 0 to 30 s */
	request.context.timeouts = &timeouts;
	request.order = ACTION_ORDER_IDLE;
	request.limit = 32;
	result = act(&request, fake, NULL);
	assert_int_equal(result.matched, 500);
	assert_int_equal(result.done, 32);
	assert_int_equal(result.left, 468);
	for (i = 0; i < fake->count; i += 2)
		assert_true(fake->alive[i] || fake->flows[i].timeout_sec <= 1);
	request.order = ACTION_ORDER_NONE;
	request.limit = 5;
	result = act(&request, fake, NULL);
	assert_int_equal(result.done, 5);
	assert_int_equal(alive_of(fake, 9), 463);
	/* The same without a list. */
	assert_int_equal(action_execute(&request, &fake->ports, NULL, &result), 0);
	assert_sums_up(&result);
	assert_int_equal(result.done, 5);
	assert_int_equal(result.left, 458);
	flow_filter_free(filter);
	fake_free(fake);
}

static void known_youth_is_spared_unknown_is_not(void **state)
{
	struct fake *fake = two_sources(3);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_plan *plan;
	struct action_result result;

	(void)state;
	request.context.now_real_ns = 100 * SEC;
	request.min_age_ns = 10 * SEC;
	fake->flows[0].has |= FLOW_HAS_TIMESTAMP;
	fake->flows[0].start_ns = 95 * SEC;
	fake->flows[2].has |= FLOW_HAS_TIMESTAMP;
	fake->flows[2].start_ns = 80 * SEC;
	result = act(&request, fake, &plan);
	assert_int_equal(plan->ages_unknown, 1);
	assert_int_equal(result.spared.young, 1);
	assert_int_equal(result.done, 2);
	assert_true(fake->alive[0]);
	action_plan_free(plan);
	flow_filter_free(filter);
	fake_free(fake);
}

/* ---- timeouts ---- */

static void timeouts_are_set_capped_and_added_to(void **state)
{
	struct fake *fake = two_sources(200);
	struct flow_filter *filter = fake_filter(FILTER_PROTOCOL, "tcp,udp");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	request.kind = ACTION_KIND_TIMEOUT;
	request.change = ACTION_CHANGE_AT_MOST;
	request.timeout_sec = 60;
	fake->flows[1].status |= FLOW_STATUS_FIXED_TIMEOUT;
	result = act(&request, fake, NULL);
	assert_int_equal(result.unchanged, 200); /* 30 s left: never lengthened */
	assert_int_equal(result.refused, 1);
	assert_int_equal(result.done, 199);
	assert_true(result.verified_read > 0);
	assert_int_equal(result.verified_right, result.verified_read);
	assert_int_equal(fake->flows[0].timeout_sec, 30);
	assert_int_equal(fake->flows[1].timeout_sec, 1000);
	assert_int_equal(fake->flows[3].timeout_sec, 60);
	request.change = ACTION_CHANGE_ADD;
	request.timeout_sec = 5;
	result = act(&request, fake, NULL);
	assert_int_equal(result.done, 399);
	assert_int_equal(fake->flows[0].timeout_sec, 35);
	assert_int_equal(fake->flows[3].timeout_sec, 65);
	request.change = ACTION_CHANGE_SET;
	request.timeout_sec = 35;
	request.is_fixed = true;
	result = act(&request, fake, NULL);
	assert_int_equal(result.unchanged, 0); /* 35 s left already, but not fixed */
	assert_int_equal(result.done, 399);
	assert_true(fake->flows[0].status & FLOW_STATUS_FIXED_TIMEOUT);
	result = act(&request, fake, NULL);
	assert_int_equal(result.unchanged, 399);
	assert_int_equal(result.refused, 1);
	flow_filter_free(filter);
	fake_free(fake);
}

static void heal(struct fake *fake)
{
	size_t i;

	if (fake->reads < 3) /* the second reading reads back */
		for (i = 0; fake->reads == 2 && i < fake->count; i++)
			fake->flows[i].timeout_sec = 432000;
}

static void a_flow_that_got_its_timeout_back_is_not_called_right(void **state)
{
	struct fake *fake = two_sources(20);
	struct flow_filter *filter = fake_filter(FILTER_PROTOCOL, "tcp");
	struct action_request request = request_of(filter);
	struct action_result result;

	(void)state;
	request.kind = ACTION_KIND_TIMEOUT;
	request.change = ACTION_CHANGE_SET;
	request.timeout_sec = 60;
	fake->on_read = heal;
	result = act(&request, fake, NULL);
	assert_int_equal(result.done, 20);
	assert_true(result.verified_read > 0);
	assert_int_equal(result.verified_right, 0);
	flow_filter_free(filter);
	fake_free(fake);
}

/* ---- several filters ---- */

static bool show(const struct flow *flow, void *arg)
{
	unsigned *shown = arg;

	(void)flow;
	++*shown;
	return true;
}

static void an_entry_that_several_filters_match_is_taken_once(void **state)
{
	struct fake *fake = two_sources(100);
	struct flow_filter *src = fake_filter(FILTER_SRC, "10.0.0.9"),
			   *dst = fake_filter(FILTER_REPLY_DST, "10.0.0.9");
	struct action_request request = request_of(src);
	struct action_result result;
	unsigned shown = 0;

	(void)state;
	request.filters[request.filter_count++] = dst;
	request.show = show;
	request.arg = &shown;
	result = act(&request, fake, NULL);
	assert_int_equal(result.matched, 100);
	assert_int_equal(shown, 100);
	assert_int_equal(fake->writes, 0);
	fake->scans = 0;
	request.is_one_pass = true;
	request.show = NULL;
	result = act(&request, fake, NULL);
	assert_int_equal(result.done, 100);
	assert_int_equal(fake->scans, 1);
	assert_int_equal(alive_of(fake, 10), 100);
	flow_filter_free(src);
	flow_filter_free(dst);
	fake_free(fake);
}

static void a_pass_that_fails_is_told(void **state)
{
	struct fake *fake = two_sources(10);
	struct flow_filter *filter = fake_filter(FILTER_SRC, "10.0.0.9");
	struct action_request request = request_of(filter);
	struct action_result result;
	struct action_plan *plan = NULL;

	(void)state;
	fake->fail_scan = 1;
	assert_int_equal(action_survey(&request, &fake->ports, &plan), -EPERM);
	assert_null(plan);
	fake->scans = 0;
	assert_int_equal(action_execute(&request, &fake->ports, NULL, &result), -EPERM);
	assert_sums_up(&result);
	assert_true(result.is_stopped);
	flow_filter_free(filter);
	fake_free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survey_changes_nothing_and_tells_who),
		cmocka_unit_test(what_is_meant_goes_and_the_rest_lives),
		cmocka_unit_test(without_a_plan_it_writes_as_it_reads),
		cmocka_unit_test(more_than_the_list_holds_takes_a_second_pass),
		cmocka_unit_test(protected_ones_are_spared_and_named),
		cmocka_unit_test(what_changed_since_the_survey_is_not_written),
		cmocka_unit_test(a_table_flushed_meanwhile_is_gone_not_failed),
		cmocka_unit_test(a_failed_write_stops_and_says_how_far),
		cmocka_unit_test(stopped_in_the_middle_sums_up),
		cmocka_unit_test(the_limit_takes_the_first_of_the_order),
		cmocka_unit_test(known_youth_is_spared_unknown_is_not),
		cmocka_unit_test(timeouts_are_set_capped_and_added_to),
		cmocka_unit_test(a_flow_that_got_its_timeout_back_is_not_called_right),
		cmocka_unit_test(an_entry_that_several_filters_match_is_taken_once),
		cmocka_unit_test(a_pass_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
