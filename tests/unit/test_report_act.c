/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an action would do and what it did, as text and as documents. The plans come from surveys of
 * a table in memory. */
#include "action_fake.h"
#include "report_fixture.h"

#include "report/act.h"

#define SRC IP(10, 1, 0, 66)
#define DST IP(10, 2, 0, 7)

struct scene {
	struct fake *fake;
	struct flow_filter *filter;
	struct protect *protect;
	struct flow_timeouts timeouts;
	struct action_request request;
	struct action_plan *plan;
	struct report_act act;
};

static void scene_fill(struct fake *fake)
{
	unsigned i;

	fake->count = 0;
	for (i = 0; i < 40; i++)
		fake_add(fake, flow_make(TCP, SRC, DST, (uint16_t)(40000 + i), 22))->timeout_sec =
			117 - i;
	for (i = 0; i < 4; i++)
		fake_add(fake, flow_make(UDP, SRC, DST, (uint16_t)(50000 + i), 53))->timeout_sec =
			26;
	fake_add(fake, flow_answered(TCP, SRC, DST, 50100, 443))->timeout_sec =
		200; /* idle not known */
	fake_add(fake, flow_answered(TCP, SRC + 1, DST, 50100, 443))->timeout_sec = 431000;
	fake_add(fake, flow_answered(TCP, SRC, DST, 50101, 22))->timeout_sec = 431000;
	fake_add(fake, flow_answered(132, SRC, DST, 9, 9))->timeout_sec = 10;
	fake->flows[fake->count - 1].status |= FLOW_STATUS_OFFLOAD;
	fake->flows[2].mark = 5;
	fake->flows[2].zone = 3;
}

static void scene_start(struct scene *s, enum report_act_kind kind)
{
	memset(s, 0, sizeof(*s));
	s->fake = fake_new(60);
	scene_fill(s->fake);
	s->filter = fake_filter(FILTER_SRC, "10.1.0.66");
	s->protect = protect_new();
	protect_add(s->protect, fake_filter(FILTER_DPORT, "443"), "--protect --dport 443");
	s->timeouts = flow_timeouts_default();
	s->request = (struct action_request){
		.filters = {s->filter},
		.filter_count = 1,
		.protect = s->protect,
		.context.timeouts = &s->timeouts,
		.kind = kind == REPORT_ACT_TIMEOUT ? ACTION_KIND_TIMEOUT : ACTION_KIND_DELETE,
		.change = ACTION_CHANGE_AT_MOST,
		.timeout_sec = 100};
	s->act = (struct report_act){.kind = kind,
				     .netns = fixture_netns(),
				     .filter = "-s 10.1.0.66",
				     .entries = 60,
				     .protect = s->protect,
				     .why = "there is a limit",
				     .listeners = "",
				     .change = ACTION_CHANGE_AT_MOST,
				     .timeout_sec = 100,
				     .took_ns = 12 * NS_PER_MS};
}

static void scene_survey(struct scene *s)
{
	assert_int_equal(action_survey(&s->request, &s->fake->ports, &s->plan), 0);
	s->act.plan = s->plan;
}

static void scene_end(struct scene *s)
{
	action_plan_free(s->plan);
	protect_free(s->protect);
	flow_filter_free(s->filter);
	fake_free(s->fake);
}

static void show(const struct report_act *act, const char *name)
{
	char path[64];
	struct capture c;

	capture_start(&c, 100, false);
	assert_int_equal(report_act(&c.out, act), 0);
	snprintf(path, sizeof(path), "%s.txt", name);
	capture_compare(&c, path);
	snprintf(path, sizeof(path), "%s.json", name);
	line_compare(report_act_json(act), path);
}

static void a_dry_run_tells_who_what_and_why_not(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_FLUSH);
	scene_survey(&s);
	s.act.needs_yes = true;
	s.act.way = ACTION_WAY_DUMP;
	show(&s.act, "flush-dry");
	scene_end(&s);
}

/* Of what a limit leaves nothing is listed; with an order all candidates are, and that is said. */
static void a_limited_dry_run_lists_what_goes(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_FLUSH);
	s.request.limit = 5;
	scene_survey(&s);
	s.act.way = ACTION_WAY_DUMP;
	show(&s.act, "flush-dry-limit");
	action_plan_free(s.plan);
	s.request.order = ACTION_ORDER_IDLE;
	scene_survey(&s);
	show(&s.act, "flush-dry-order");
	scene_end(&s);
}

static void a_dry_run_of_nothing_is_short(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_FLUSH);
	s.fake->count = 0;
	scene_survey(&s);
	s.act.way = ACTION_WAY_FILTER;
	s.act.why = "proven in this kernel; nothing protected can match this filter";
	s.act.rate = 10000;
	s.act.listeners = "conntrackd, ulogd";
	show(&s.act, "flush-dry-none");
	scene_end(&s);
}

static void an_explanation_counts_nothing(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_FLUSH);
	s.act.entries = 0;
	show(&s.act, "flush-explain");
	scene_end(&s);
}

static void what_was_deleted_is_one_line(void **state)
{
	struct action_result result = {.matched = 1300,
				       .done = 1000,
				       .gone = 3,
				       .refused = 1,
				       .unknown = 2,
				       .left = 200,
				       .spared = {.total = 94, .young = 4, .by = {90}}};
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_FLUSH);
	s.act.result = &result;
	show(&s.act, "flush-done");
	result = (struct action_result){.matched = 1,
					.done = 1,
					.way = ACTION_WAY_FILTER,
					.counted = ACTION_COUNTED_BEFORE};
	show(&s.act, "flush-done-before");
	result.counted = ACTION_COUNTED_COUNTER;
	show(&s.act, "flush-done-counter");
	result = (struct action_result){
		.matched = 300, .done = 128, .left = 172, .is_stopped = true, .is_unsettled = true};
	show(&s.act, "flush-stopped");
	scene_end(&s);
}

static void timeouts_are_proven_and_explained(void **state)
{
	struct action_result result = {.matched = 400,
				       .done = 100,
				       .unchanged = 298,
				       .refused = 2,
				       .verified_read = 100,
				       .verified_right = 99};
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_TIMEOUT);
	s.fake->flows[0].status |= FLOW_STATUS_FIXED_TIMEOUT;
	scene_survey(&s);
	show(&s.act, "timeout-dry");
	s.act.result = &result;
	show(&s.act, "timeout-done");
	s.act.is_fixed = true;
	result.verified_right = 100;
	show(&s.act, "timeout-done-fixed");
	scene_end(&s);
}

static void kill_tells_how_many_addresses(void **state)
{
	struct action_result result = {.matched = 5, .done = 5};
	struct scene s;

	(void)state;
	scene_start(&s, REPORT_ACT_KILL);
	s.act.addresses = 2;
	s.act.result = &result;
	show(&s.act, "kill-done");
	scene_end(&s);
}

static void capture_json(int (*print)(const struct report_out *out, const void *what),
			 const void *what, const char *name)
{
	struct capture c;

	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(print(&c.out, what), 0);
	capture_compare(&c, name);
}

static int print_sweep(const struct report_out *out, const void *what)
{
	return report_sweep(out, what);
}

static int print_selftest(const struct report_out *out, const void *what)
{
	return report_selftest(out, what);
}

static void sweep_and_selftest(void **state)
{
	struct report_sweep sweep = {.netns = fixture_netns(),
				     .before = 203417,
				     .after = 203005,
				     .took_ns = 61 * NS_PER_MS};
	struct report_selftest test = {.fast_delete = true,
				       .has_netns = true,
				       .usual = 24,
				       .proven = 24,
				       .text = "",
				       .took_ns = NS_PER_MS};
	struct capture c;

	(void)state;
	capture_start(&c, 100, false);
	assert_int_equal(report_sweep(&c.out, &sweep), 0);
	assert_int_equal(report_selftest(&c.out, &test), 0);
	capture_compare(&c, "sweep-selftest.txt");
	capture_json(print_sweep, &sweep, "sweep.json");
	capture_json(print_selftest, &test, "selftest.json");
	test.fast_delete = false;
	test.text = "no throw-away namespace can be made (Operation not permitted)";
	capture_json(print_selftest, &test, "selftest-off.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dry_run_tells_who_what_and_why_not),
		cmocka_unit_test(a_limited_dry_run_lists_what_goes),
		cmocka_unit_test(a_dry_run_of_nothing_is_short),
		cmocka_unit_test(an_explanation_counts_nothing),
		cmocka_unit_test(what_was_deleted_is_one_line),
		cmocka_unit_test(timeouts_are_proven_and_explained),
		cmocka_unit_test(kill_tells_how_many_addresses),
		cmocka_unit_test(sweep_and_selftest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
