/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine_events: what became of single flows, as events and the rounds of the guard tell it: into the picture,
 * and to who waits for it. */
#include "engine.h"

#include "base/clock.h"

#define AT_ONCE 64
#define TAKE_BUDGET 8192
#define TURNS 8 /* more than the ring holds */

/* What user space caused: table synchronization puts most of a table in at a fail-over. */
static void on_foreign_event(struct engine *engine, enum flow_event_kind kind, const struct flow *flow, uint32_t portid)
{
	struct rounds *rounds = engine->warden.rounds;

	if (rounds && rounds_has_portid(rounds, portid))
		return;
	if (kind == FLOW_EVENT_DESTROY)
		engine->foreign_deleted++;
	if (kind != FLOW_EVENT_NEW)
		return;
	engine->foreign_put++;
	if (rounds)
		rounds_adopt(rounds, flow);
}

static void on_life(struct engine *engine, enum flow_event_kind kind, const struct flow *flow, bool is_own)
{
	struct passes *passes = &engine->passes;

	if (passes->is_journalled)
		journal_add(passes->journal, kind, flow);
	if (!passes->picture)
		return;
	if (kind == FLOW_EVENT_NEW)
		picture_born(passes->picture, flow);
	else if (kind == FLOW_EVENT_DESTROY && is_own)
		picture_taken(passes->picture, flow);
	else if (kind == FLOW_EVENT_DESTROY)
		picture_died(passes->picture, flow);
}

static void on_flow_event(enum flow_event_kind kind, const struct flow *flow, uint32_t portid, void *arg)
{
	struct engine *engine = arg;

	if (kind == FLOW_EVENT_NEW) {
		engine->warden.born++;
		engine->subscription.arrivals++;
	}
	if (portid) {
		on_foreign_event(engine, kind, flow, portid);
	} else if (kind == FLOW_EVENT_NEW) {
		engine->subscription.births++;
		rounds_hear(engine->warden.rounds, flow);
	}
	on_life(engine, kind, flow,
		portid && engine->warden.rounds && rounds_has_portid(engine->warden.rounds, portid));
}

size_t engine_take_events(struct engine *engine, size_t budget)
{
	size_t taken;

	if (!engine->subscription.listener)
		return 0;
	taken = listener_take(engine->subscription.listener, budget, on_flow_event, engine);
	if (engine->warden.rounds)
		rounds_adopt_now(engine->warden.rounds);
	return taken;
}

void engine_take_all_events(struct engine *engine)
{
	for (int i = 0; i < TURNS && engine_take_events(engine, TAKE_BUDGET) == TAKE_BUDGET; i++)
		;
}

/* ---- what rounds have deleted ---- */

static void lose_gone(struct engine *engine)
{
	struct subscription *subscription = &engine->subscription;
	uint64_t told = rounds_gone_lost(engine->warden.rounds), more = told - subscription->gone_lost_told;

	subscription->gone_lost_told = told;
	if (!more || !subscription->skips_own)
		return;
	subscription->gone_lost += more;
	passes_lost(engine, more, clock_monotonic_ns());
}

void engine_take_gone_up_to(struct engine *engine, uint64_t last)
{
	struct subscription *subscription = &engine->subscription;
	/* Where births are not heard, deaths alone would let the picture only shrink. */
	bool counts = subscription->skips_own && subscription_is_listening(engine);
	struct flow flows[AT_ONCE];

	while (engine->warden.rounds && subscription->gone_taken < last) {
		uint64_t left = last - subscription->gone_taken;
		size_t count = rounds_take_gone(engine->warden.rounds, flows, left < AT_ONCE ? left : AT_ONCE);

		for (size_t i = 0; i < count && counts; i++)
			on_life(engine, FLOW_EVENT_DESTROY, &flows[i], true);
		subscription->gone_taken += count;
		if (!count)
			break;
	}
	if (subscription->gone_due < subscription->gone_taken)
		subscription->gone_due = subscription->gone_taken;
}

void engine_take_gone(struct engine *engine)
{
	struct subscription *subscription = &engine->subscription;
	struct rounds *rounds = engine->warden.rounds;
	struct listener *listener = subscription->listener;

	if (!rounds)
		return;
	lose_gone(engine);
	/* The birth of one that was deleted at once may still be on its way. */
	if (!listener) {
		engine_take_gone_up_to(engine, rounds_gone(rounds));
	} else if (subscription->gone_due > subscription->gone_taken &&
		   listener_fence_passed(listener, subscription->gone_fence)) {
		engine_take_all_events(engine);
		engine_take_gone_up_to(engine, subscription->gone_due);
	}
	if (listener && subscription->gone_due == subscription->gone_taken &&
	    rounds_gone(rounds) > subscription->gone_taken) {
		subscription->gone_due = rounds_gone(rounds);
		subscription->gone_fence = listener_fence_ask(listener);
	}
}

bool engine_awaits_gone(const struct engine *engine)
{
	return engine->warden.rounds && rounds_gone(engine->warden.rounds) > engine->subscription.gone_taken;
}

uint64_t engine_lost(const struct engine *engine)
{
	return engine->subscription.now.lost + engine->subscription.gone_lost;
}
