/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine_events: what rounds tell of their deletes gets into the picture like an event, a tick later, once. The
 * rounds are a list here. */
#include "stats_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "../../src/daemon/engine.h"

#define MANY 200

struct lab {
	struct engine *engine;
	struct flow gone[MANY];
	size_t begin, end;
	uint64_t gone_lost, said_lost;
};

static struct lab lab;

/* ---- in the place of rounds, listener and passes ---- */

size_t rounds_take_gone(struct rounds *rounds, struct flow *ret_flows, size_t max)
{
	size_t count = lab.end - lab.begin;

	(void)rounds;
	count = count < max ? count : max;
	memcpy(ret_flows, lab.gone + lab.begin, count * sizeof(*ret_flows));
	lab.begin += count;
	return count;
}

size_t rounds_gone(const struct rounds *rounds)
{
	(void)rounds;
	return lab.end - lab.begin;
}

uint64_t rounds_gone_lost(const struct rounds *rounds)
{
	(void)rounds;
	return lab.gone_lost;
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

static struct flow nth(size_t i)
{
	struct flow flow = flow_answered(TCP, IP(10, 1, 0, 2), IP(10, 2, 0, 1), (uint16_t)(1000 + i), 443);

	flow.id = (uint32_t)i;
	return flow;
}

/* Births of the first MANY, and the deaths, with their port, of the first `deaths` of them. */
static size_t deaths;
static uint32_t death_portid;

size_t listener_take(struct listener *listener, size_t budget, listener_fn *fn, void *arg)
{
	(void)listener;
	assert_true(budget >= 2 * MANY);
	for (size_t i = 0; i < MANY; i++) {
		struct flow flow = nth(i);

		fn(FLOW_EVENT_NEW, &flow, 0, arg);
	}
	for (size_t i = 0; i < deaths; i++) {
		struct flow flow = nth(i);

		fn(FLOW_EVENT_DESTROY, &flow, death_portid, arg);
	}
	return MANY + deaths;
}

void passes_lost(struct engine *engine, uint64_t lost, int64_t now_ns)
{
	(void)engine;
	(void)now_ns;
	lab.said_lost += lost;
}

/* ---- a picture of MANY flows ---- */

static int begin(void **state)
{
	struct picture_config config = picture_config_default();

	(void)state;
	lab = (struct lab){.engine = mem_alloc(sizeof(*lab.engine))};
	lab.engine->passes.picture = picture_new(&config);
	lab.engine->passes.journal = journal_new(1000);
	lab.engine->warden.rounds = (void *)&lab;
	lab.engine->subscription.listener = (void *)&lab;
	lab.engine->subscription.skips_own = true;
	deaths = 0;
	death_portid = 0;
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

static void what_rounds_delete_dies_by_the_next_tick_once(void **state)
{
	(void)state;
	assert_int_equal(engine_take_events(lab.engine, 10000), MANY);
	assert_int_equal(lab.engine->subscription.births, MANY);
	assert_int_equal(entries(), MANY);
	delete (150);
	engine_take_gone(lab.engine, false);
	assert_int_equal(entries(), MANY); /* a birth may still be on its way */
	delete (10);
	engine_take_gone(lab.engine, false);
	assert_int_equal(entries(), MANY - 150);
	engine_take_gone(lab.engine, false);
	assert_int_equal(entries(), MANY - 160);
	engine_take_gone(lab.engine, false);
	assert_int_equal(entries(), MANY - 160);
	assert_int_equal(lab.engine->passes.picture->died, 160);
	assert_int_equal(lab.said_lost, 0);
}

static void before_a_picture_takes_over_all_is_taken(void **state)
{
	struct seen *seen = seen_new(MANY, 1 << 20);
	struct picture_config config = picture_config_default();
	struct picture *built = picture_new(&config);

	(void)state;
	engine_take_events(lab.engine, 10000);
	/* A pass that saw all of them, and what went meanwhile. */
	for (size_t i = 0; i < MANY; i++) {
		struct flow flow = nth(i);

		picture_add(built, &flow);
		seen_add(seen, &flow);
	}
	lab.engine->passes.is_journalled = true;
	delete (70);
	engine_take_gone(lab.engine, true);
	assert_int_equal(entries(), MANY - 70);
	assert_true(picture_reconcile(built, lab.engine->passes.journal, seen));
	assert_int_equal(built->entries, MANY - 70);
	engine_take_gone(lab.engine, false);
	engine_take_gone(lab.engine, true);
	assert_int_equal(entries(), MANY - 70);
	picture_free(built);
	seen_free(seen);
}

static void what_is_heard_as_events_is_not_told_again(void **state)
{
	(void)state;
	deaths = 40;
	death_portid = 7;
	lab.engine->subscription.skips_own = false;
	engine_take_events(lab.engine, 10000);
	assert_int_equal(lab.engine->foreign_deleted, 0);
	delete (40);
	lab.gone_lost = 5;
	engine_take_gone(lab.engine, true);
	assert_int_equal(rounds_gone(NULL), 0);
	assert_int_equal(entries(), MANY - 40);
	assert_int_equal(lab.said_lost, 0);
	/* Events are skipped from now on: only what is lost from now on counts. */
	lab.engine->subscription.skips_own = true;
	lab.gone_lost = 8;
	engine_take_gone(lab.engine, false);
	assert_int_equal(lab.said_lost, 3);
	engine_take_gone(lab.engine, false);
	assert_int_equal(lab.said_lost, 3);
}

static void what_others_delete_is_theirs(void **state)
{
	(void)state;
	deaths = 30;
	death_portid = 8;
	engine_take_events(lab.engine, 10000);
	assert_int_equal(lab.engine->foreign_deleted, 30);
	assert_int_equal(entries(), MANY - 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_rounds_delete_dies_by_the_next_tick_once, begin, end),
		cmocka_unit_test_setup_teardown(before_a_picture_takes_over_all_is_taken, begin, end),
		cmocka_unit_test_setup_teardown(what_is_heard_as_events_is_not_told_again, begin, end),
		cmocka_unit_test_setup_teardown(what_others_delete_is_theirs, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
