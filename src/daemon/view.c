/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/view: what the engine knows at this moment, as a snapshot. */
#include "engine.h"

#include <string.h>

#include "base/clock.h"

void engine_add_passes(const struct engine *engine, struct kept *kept, struct snapshot *snapshot, int64_t now_ns)
{
	const struct passes *passes = &engine->passes;

	if (!passes->picture)
		return;
	if (kept)
		kept_add(kept, snapshot, passes->picture, engine->causes, now_ns, engine->ticked_ns,
			 engine->picture_ticked_ns);
	else
		snapshot_add_picture(snapshot, passes->picture, engine->causes, now_ns);
	snapshot_add_counts(snapshot, passes->counted_before, passes->counted_after, passes->listed);
	snapshot->redone_passes = passes->redone;
	snapshot_add_refusal(snapshot);
}

static void snapshot_counters(const struct engine *engine, struct snapshot *ret_snapshot)
{
	const struct subscription *subscription = &engine->subscription;
	struct snapshot *snapshot = ret_snapshot;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot_from_reading(snapshot, &engine->fill.now, engine->config.capacity, &engine->config.levels, NULL);
	snapshot->is_daemon_view = true;
	snapshot->netns = engine->netns;
	snapshot->fill = engine->fill;
	snapshot->marks = engine->config.levels;
	snapshot->level = engine->level.level;
	snapshot->level_since_real_ns = engine->level_since_real_ns;
	snapshot->has |= SNAPSHOT_HAS_LEVEL | SNAPSHOT_HAS_PEAK | SNAPSHOT_HAS_EVENTS;
	if (engine->fill.has_growth)
		snapshot->has |= SNAPSHOT_HAS_GROWTH;
	snapshot->is_listening = subscription_is_listening(engine);
	if (snapshot->is_listening)
		snapshot->has |= SNAPSHOT_HAS_RATE;
	snapshot->new_per_sec = subscription->new_per_sec;
	snapshot->daemon_since_real_ns = engine->since_real_ns;
	memcpy(snapshot->events_note, subscription->note, sizeof(snapshot->events_note));
	snapshot->events_received = subscription->now.messages;
	snapshot->events_lost = subscription->now.lost;
	snapshot->events_overruns = subscription->now.overruns;
	snapshot->events_undecodable = subscription->now.undecodable;
	snapshot->events_not_kernel = subscription->now.not_kernel + engine->passes.not_kernel;
}

void engine_snapshot(const struct engine *engine, struct snapshot *ret_snapshot)
{
	int64_t now_ns = clock_monotonic_ns();

	snapshot_counters(engine, ret_snapshot);
	engine_add_passes(engine, engine->kept, ret_snapshot, now_ns);
	warden_tell(engine, ret_snapshot, now_ns);
}

void engine_snapshot_brief(const struct engine *engine, struct snapshot *ret_snapshot)
{
	snapshot_counters(engine, ret_snapshot);
	if (!engine->passes.picture)
		return;
	snapshot_add_pass(ret_snapshot, engine->passes.picture, clock_monotonic_ns());
	snapshot_add_refusal(ret_snapshot);
}
