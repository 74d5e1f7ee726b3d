/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine_events, daemon/passes: what rounds tell of their deletes gets into the picture like an event, behind
 * the birth, once; and into the picture that a pass has built meanwhile. Rounds, listener and worker are lists here. */
#include "stats_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#include "../../src/daemon/engine.h"

#define MANY 200

struct event {
	enum flow_event_kind kind;
	size_t flow;
	uint32_t portid;
};

struct lab {
	struct engine *engine;
	struct flow gone[MANY];
	size_t begin, end;
	uint64_t gone_lost, muted;
	bool is_deleting, is_listening;
	struct event events[4 * MANY];
	size_t event_begin, event_end;
	uint64_t fence, passed;
	struct pass built;
	bool is_at_work;
};

static struct lab lab;

static struct flow nth(size_t i)
{
	struct flow flow =
		flow_answered(TCP, IP(10, 1, 0, 2) + (uint32_t)(i / 50), IP(10, 2, 0, 1), (uint16_t)(1000 + i), 443);

	flow.id = (uint32_t)i;
	return flow;
}

/* ---- in the place of rounds, listener, worker and others ---- */

size_t rounds_take_gone(struct rounds *rounds, struct flow *ret_flows, size_t max)
{
	size_t count = lab.end - lab.begin;

	(void)rounds;
	count = count < max ? count : max;
	memcpy(ret_flows, lab.gone + lab.begin, count * sizeof(*ret_flows));
	lab.begin += count;
	return count;
}

uint64_t rounds_gone(const struct rounds *rounds)
{
	(void)rounds;
	return lab.end;
}

uint64_t rounds_gone_lost(const struct rounds *rounds)
{
	(void)rounds;
	return lab.gone_lost;
}

uint64_t rounds_muted(const struct rounds *rounds)
{
	(void)rounds;
	return lab.muted;
}

bool rounds_are_deleting(const struct rounds *rounds)
{
	(void)rounds;
	return lab.is_deleting;
}

bool rounds_has_portid(const struct rounds *rounds, uint32_t portid)
{
	(void)rounds;
	return portid == 7;
}

void rounds_adopt(struct rounds *rounds, const struct flow *flow)
{
	(void)rounds;
	(void)flow;
}

void rounds_adopt_now(struct rounds *rounds)
{
	(void)rounds;
}

void rounds_hear(struct rounds *rounds, const struct flow *flow)
{
	(void)rounds;
	(void)flow;
}

size_t listener_take(struct listener *listener, size_t budget, listener_fn *fn, void *arg)
{
	size_t taken = 0;

	(void)listener;
	for (; taken < budget && lab.event_begin < lab.event_end; taken++) {
		const struct event *event = &lab.events[lab.event_begin++];
		struct flow flow = nth(event->flow);

		fn(event->kind, &flow, event->portid, arg);
	}
	return taken;
}

uint64_t listener_fence_ask(struct listener *listener)
{
	(void)listener;
	return ++lab.fence;
}

bool listener_fence_passed(struct listener *listener, uint64_t number)
{
	(void)listener;
	return lab.passed >= number;
}

bool subscription_is_listening(const struct engine *engine)
{
	(void)engine;
	return lab.is_listening;
}

void subscription_tick(struct engine *engine, int64_t now_ns, int64_t span_ns)
{
	(void)engine;
	(void)now_ns;
	(void)span_ns;
}

int worker_start(int done_fd, struct worker **ret_worker)
{
	(void)done_fd;
	(void)ret_worker;
	return 0;
}

void worker_stop(struct worker *worker)
{
	(void)worker;
}

bool worker_begin(struct worker *worker, const struct pass_order *order)
{
	(void)worker;
	(void)order;
	return true;
}

bool worker_take(struct worker *worker, struct pass *ret_pass)
{
	(void)worker;
	*ret_pass = lab.built;
	return true;
}

void pass_done(struct pass *pass)
{
	picture_free(pass->picture);
	seen_free(pass->seen);
	memset(pass, 0, sizeof(*pass));
}

bool warden_is_at_work(const struct engine *engine, int64_t now_ns)
{
	(void)engine;
	(void)now_ns;
	return lab.is_at_work;
}

void engine_release_alarm(struct engine *engine, int64_t now_ns)
{
	(void)engine;
	(void)now_ns;
}

bool alarms_is_waiting(const struct alarms *alarms)
{
	(void)alarms;
	return false;
}

int64_t alarms_waiting_since_ns(const struct alarms *alarms)
{
	(void)alarms;
	return 0;
}

/* ---- a picture of MANY flows ---- */

static void happen(enum flow_event_kind kind, size_t from, size_t to, uint32_t portid)
{
	for (size_t i = from; i < to; i++)
		lab.events[lab.event_end++] = (struct event){.kind = kind, .flow = i, .portid = portid};
}

static int begin(void **state)
{
	struct picture_config config = picture_config_default();

	(void)state;
	lab = (struct lab){.engine = mem_alloc(sizeof(*lab.engine)), .is_listening = true};
	lab.engine->passes.picture = picture_new(&config);
	lab.engine->passes.journal = journal_new(1000);
	lab.engine->warden.rounds = (void *)&lab;
	lab.engine->subscription.listener = (void *)&lab;
	lab.engine->subscription.skips_own = true;
	happen(FLOW_EVENT_NEW, 0, MANY, 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	picture_free(lab.engine->passes.picture);
	journal_free(lab.engine->passes.journal);
	free(lab.engine);
	return 0;
}

static void delete(size_t count)
{
	for (size_t i = 0; i < count; i++, lab.end++)
		lab.gone[lab.end] = nth(lab.end);
}

static uint64_t entries(void)
{
	return lab.engine->passes.picture->entries;
}

static void what_rounds_delete_dies_behind_a_fence_once(void **state)
{
	(void)state;
	assert_int_equal(engine_take_events(lab.engine, 10000), MANY);
	assert_int_equal(lab.engine->subscription.births, MANY);
	delete (150);
	assert_true(engine_awaits_gone(lab.engine));
	engine_take_gone(lab.engine);
	engine_take_gone(lab.engine);
	assert_int_equal(lab.fence, 1);
	assert_int_equal(entries(), MANY);
	delete (10);
	lab.passed = 1;
	engine_take_gone(lab.engine); /* and asks for the next */
	assert_int_equal(entries(), MANY - 150);
	assert_int_equal(lab.fence, 2);
	assert_true(engine_awaits_gone(lab.engine));
	lab.passed = 2;
	engine_take_gone(lab.engine);
	engine_take_gone(lab.engine);
	assert_int_equal(entries(), MANY - 160);
	assert_int_equal(lab.engine->passes.picture->died, 160);
	assert_int_equal(lab.engine->passes.picture->taken, 160);
	assert_int_equal(lab.fence, 2);
	assert_false(engine_awaits_gone(lab.engine));
	assert_false(lab.engine->passes.picture->is_approximate);
}

/* Of four sources; the row of one whose flows died before they were born would stay. */
static void a_birth_that_comes_late_comes_first(void **state)
{
	struct ranking_row rows[8];
	size_t count;

	(void)state;
	delete (MANY);
	engine_take_gone(lab.engine);
	lab.passed = 1;
	engine_take_gone(lab.engine); /* the births wait in the ring of the listener */
	engine_take_events(lab.engine, 10000);
	assert_int_equal(entries(), 0);
	count = ranking_top(lab.engine->passes.picture->parts[PICTURE_SOURCE], RANKING_ORDER_ENTRIES, 8, rows);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rows[i].entries, 0);
}

/* ---- a pass meanwhile ---- */

static void end_pass(size_t seen_count)
{
	struct picture_config config = picture_config_default();

	lab.built = (struct pass){.picture = picture_new(&config), .seen = seen_new(MANY, 1 << 20)};
	for (size_t i = 0; i < seen_count; i++) {
		struct flow flow = nth(i);

		picture_add(lab.built.picture, &flow);
		seen_add(lab.built.seen, &flow);
	}
}

static void build(size_t seen_count)
{
	assert_true(passes_begin(lab.engine, 1000));
	end_pass(seen_count);
}

static void what_is_deleted_during_a_pass_is_out_of_what_it_built(void **state)
{
	(void)state;
	engine_take_events(lab.engine, 10000);
	build(MANY);
	delete (70);
	lab.is_deleting = true; /* and nobody knows yet whom */
	passes_on_done(lab.engine, 2000);
	assert_int_equal(lab.fence, 0);
	delete (30);
	lab.is_deleting = false;
	passes_check_fence(lab.engine, 3000);
	assert_int_equal(lab.fence, 1);
	assert_true(lab.engine->passes.is_waiting);
	delete (20); /* behind the fence: the pass has met them */
	lab.passed = 1;
	passes_check_fence(lab.engine, 4000);
	assert_false(lab.engine->passes.is_waiting);
	assert_int_equal(entries(), MANY - 100);
	assert_false(lab.engine->passes.picture->is_approximate);
	engine_take_gone(lab.engine);
	lab.passed = lab.fence;
	engine_take_gone(lab.engine);
	assert_int_equal(entries(), MANY - 120);
}

/* The pass went by some before they were deleted, by others after it. */
static void it_does_not_matter_which_of_them_the_pass_has_met(void **state)
{
	(void)state;
	engine_take_events(lab.engine, 10000);
	delete (40);
	build(MANY);
	engine_take_gone(lab.engine);
	passes_on_done(lab.engine, 2000);
	lab.passed = lab.fence;
	passes_check_fence(lab.engine, 3000);
	assert_int_equal(entries(), MANY - 40);
	engine_take_gone(lab.engine);
	lab.passed = lab.fence;
	engine_take_gone(lab.engine);
	assert_int_equal(entries(), MANY - 40);
}

static void what_is_lost_during_a_pass_makes_what_it_built_approximate(void **state)
{
	(void)state;
	engine_take_events(lab.engine, 10000);
	build(MANY);
	lab.gone_lost = 150; /* the ring was full, or no answer came */
	passes_on_done(lab.engine, 2000);
	lab.passed = lab.fence;
	passes_check_fence(lab.engine, 3000);
	assert_true(lab.engine->passes.picture->is_approximate);
	assert_int_equal(lab.engine->passes.picture->lost, 150);
	assert_true(lab.engine->passes.repair_ns > 0);
}

static void lost_events_do_not_wait_for_a_drift(void **state)
{
	const int64_t now_ns = 100 * NS_PER_SEC;
	struct passes *passes = &lab.engine->passes;

	(void)state;
	passes->ended_ns = now_ns - NS_PER_SEC;
	lab.is_at_work = true;
	lab.engine->config.poll_ms = 100;
	lab.engine->fill.now.entries = 5000;
	passes_compare(lab.engine, now_ns);
	passes_compare(lab.engine, now_ns + 400 * NS_PER_MS);
	assert_true(passes->picture->is_approximate);
	assert_int_equal(passes->repair_ns, passes->ended_ns + 10 * NS_PER_SEC);
	passes_lost(lab.engine, 50000, now_ns + 500 * NS_PER_MS);
	assert_int_equal(passes->repair_ns, now_ns + 700 * NS_PER_MS);
	passes_lost(lab.engine, 50000, now_ns + 600 * NS_PER_MS);
	assert_int_equal(passes->repair_ns, now_ns + 700 * NS_PER_MS);
}

/* ---- who died while deaths were muted ---- */

static void whom_nobody_heard_die_the_next_pass_finds_which_comes_soon(void **state)
{
	const int64_t now_ns = 100 * NS_PER_SEC;
	struct passes *passes = &lab.engine->passes;

	(void)state;
	engine_take_events(lab.engine, 10000);
	passes->picture->born = passes->picture->died = 0; /* nothing moves */
	passes->ended_ns = now_ns;
	lab.engine->config.pass_share_pct = 5;
	lab.engine->config.pass_min_ns = 10 * NS_PER_SEC;
	lab.engine->config.pass_max_ns = 60 * NS_PER_SEC;
	lab.engine->fill.now.entries = entries();
	passes_tick(lab.engine, now_ns + 11 * NS_PER_SEC);
	assert_false(passes->picture->has_missed);
	assert_false(passes->is_running); /* it rests */
	lab.muted = 2;
	passes_tick(lab.engine, now_ns + 9 * NS_PER_SEC);
	assert_true(passes->picture->has_missed);
	assert_false(passes->is_running);
	passes_tick(lab.engine, now_ns + 11 * NS_PER_SEC);
	assert_true(passes->is_running);
	passes_tick(lab.engine, now_ns + 12 * NS_PER_SEC);
	end_pass(MANY / 2);
	passes_on_done(lab.engine, now_ns + 13 * NS_PER_SEC);
	lab.passed = lab.fence;
	passes_check_fence(lab.engine, now_ns + 13 * NS_PER_SEC);
	assert_int_equal(entries(), MANY / 2);
	passes_tick(lab.engine, now_ns + 14 * NS_PER_SEC);
	assert_false(passes->picture->has_missed);
	assert_false(passes->is_running); /* one was enough */
	assert_int_equal(passes->repair_ns, 0);
}

static void what_is_muted_during_a_pass_is_missed_by_it(void **state)
{
	struct passes *passes = &lab.engine->passes;

	(void)state;
	engine_take_events(lab.engine, 10000);
	lab.muted = 2;
	build(MANY);
	lab.muted = 3; /* began */
	passes_on_done(lab.engine, 2000);
	lab.passed = lab.fence;
	passes_check_fence(lab.engine, 3000);
	lab.is_at_work = true;
	lab.engine->config.pass_share_pct = 1;
	lab.engine->config.pass_max_ns = 60 * NS_PER_SEC;
	passes_tick(lab.engine, 4000);
	assert_true(passes->picture->has_missed);
	assert_false(passes->picture->is_approximate);
}

/* ---- whose deletes they are ---- */

static void what_is_heard_as_events_is_not_told_again(void **state)
{
	(void)state;
	lab.engine->subscription.skips_own = false;
	happen(FLOW_EVENT_DESTROY, 0, 40, 7);
	engine_take_events(lab.engine, 10000);
	assert_int_equal(lab.engine->foreign_deleted, 0);
	delete (40);
	lab.gone_lost = 5;
	engine_take_gone(lab.engine);
	lab.passed = lab.fence;
	engine_take_gone(lab.engine);
	assert_false(engine_awaits_gone(lab.engine));
	assert_int_equal(entries(), MANY - 40);
	assert_int_equal(lab.engine->passes.picture->taken, 40);
	assert_int_equal(engine_lost(lab.engine), 0);
	lab.engine->subscription.skips_own = true;
	lab.gone_lost = 8;
	engine_take_gone(lab.engine);
	assert_int_equal(engine_lost(lab.engine), 3);
}

static void where_no_births_are_heard_deaths_do_not_count(void **state)
{
	(void)state;
	engine_take_events(lab.engine, 10000);
	lab.is_listening = false; /* nf_conntrack_events = 0 */
	delete (150);
	engine_take_gone(lab.engine);
	lab.passed = lab.fence;
	engine_take_gone(lab.engine);
	assert_false(engine_awaits_gone(lab.engine));
	assert_int_equal(entries(), MANY);
	lab.engine->subscription.listener = NULL;
	delete (10);
	engine_take_gone(lab.engine);
	assert_false(engine_awaits_gone(lab.engine));
	assert_int_equal(entries(), MANY);
}

static void what_others_delete_is_theirs(void **state)
{
	(void)state;
	happen(FLOW_EVENT_DESTROY, 0, 30, 8);
	engine_take_events(lab.engine, 10000);
	assert_int_equal(lab.engine->foreign_deleted, 30);
	assert_int_equal(entries(), MANY - 30);
	assert_int_equal(lab.engine->passes.picture->taken, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_rounds_delete_dies_behind_a_fence_once),
		TEST(a_birth_that_comes_late_comes_first),
		TEST(what_is_deleted_during_a_pass_is_out_of_what_it_built),
		TEST(it_does_not_matter_which_of_them_the_pass_has_met),
		TEST(what_is_lost_during_a_pass_makes_what_it_built_approximate),
		TEST(lost_events_do_not_wait_for_a_drift),
		TEST(whom_nobody_heard_die_the_next_pass_finds_which_comes_soon),
		TEST(what_is_muted_during_a_pass_is_missed_by_it),
		TEST(what_is_heard_as_events_is_not_told_again),
		TEST(where_no_births_are_heard_deaths_do_not_count),
		TEST(what_others_delete_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
