/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine_events: what became of single flows, as events and the rounds of the guard tell it: into the picture,
 * and to who waits for it. */
#include "engine.h"

#include "base/clock.h"

#define AT_ONCE 64

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

static void on_life(struct engine *engine, enum flow_event_kind kind, const struct flow *flow)
{
	struct passes *passes = &engine->passes;

	if (passes->is_journalled)
		journal_add(passes->journal, kind, flow);
	if (!passes->picture)
		return;
	if (kind == FLOW_EVENT_NEW)
		picture_born(passes->picture, flow);
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
	on_life(engine, kind, flow);
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

static void lose_gone(struct engine *engine)
{
	struct subscription *subscription = &engine->subscription;
	uint64_t lost = rounds_gone_lost(engine->warden.rounds), more = lost - subscription->gone_lost;

	subscription->gone_lost = lost;
	if (more && subscription->skips_own)
		passes_lost(engine, more, clock_monotonic_ns());
}

void engine_take_gone(struct engine *engine, bool all)
{
	struct subscription *subscription = &engine->subscription;
	struct rounds *rounds = engine->warden.rounds;
	struct flow flows[AT_ONCE];
	size_t due, count;

	if (!rounds)
		return;
	/* The birth of one that was deleted at once may still be on its way; by the next tick it is here. */
	due = all ? rounds_gone(rounds) : subscription->gone_due;
	for (; due && (count = rounds_take_gone(rounds, flows, due < AT_ONCE ? due : AT_ONCE)); due -= count)
		for (size_t i = 0; i < count && subscription->skips_own; i++)
			on_life(engine, FLOW_EVENT_DESTROY, &flows[i]);
	subscription->gone_due = rounds_gone(rounds);
	lose_gone(engine);
}
