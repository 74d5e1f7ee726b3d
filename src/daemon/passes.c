/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/passes: when the table is gone through, and how a picture built meanwhile takes the place of the one in force.
 *
 * A pass takes seconds on a large table and events go on. From its beginning they are applied to the picture in force
 * and kept in the journal. When it has ended, a fence makes sure that what the kernel had sent by then has arrived;
 * then the journal is reconciled with what the pass saw, and the new picture takes over. */
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define JOURNAL_EVENTS 262144
#define FENCE_PATIENCE_NS (3 * NS_PER_SEC)
#define FAILED_RETRY_NS (10 * NS_PER_SEC)
#define REPAIR_FIRST_NS (200 * NS_PER_MS)
#define REPAIR_LAST_NS (60 * NS_PER_SEC)
#define LOSS_FORGET_NS (60 * NS_PER_SEC)
#define DRIFT_NS (300 * NS_PER_MS) /* how long counter and picture may disagree */
#define DRIFT_LEAST 100
#define DRIFT_SHARE 0.02
#define WORK_NS (10 * NS_PER_SEC) /* from pass to pass while the rounds of the guard look at the table by themselves */
#define DRIVEN_NS (200 * NS_PER_MS) /* a crossing is driven for longer */
#define OUTGROWN_SHARE 0.10
#define REST_FACTOR 6     /* how much rarer passes are while the picture is exact and hardly anything moves */
#define REST_SHARE 0.02
#define OUTGROWN_LEAST 100 /* events: in a small table a handful is no news */
#define OUTGROWN_NS (500 * NS_PER_MS)
#define OUTGROWN_OK_NS (2 * NS_PER_SEC) /* at level ok nothing waits for it */

int passes_start(struct engine *engine)
{
	engine->passes.journal = journal_new(JOURNAL_EVENTS);
	return worker_start(engine->done_fd, &engine->passes.worker);
}

void passes_stop(struct engine *engine)
{
	worker_stop(engine->passes.worker);
	pass_done(&engine->passes.built);
	picture_free(engine->passes.picture);
	journal_free(engine->passes.journal);
	memset(&engine->passes, 0, sizeof(engine->passes));
}

static uint64_t muted(const struct engine *engine)
{
	return engine->warden.rounds ? rounds_muted(engine->warden.rounds) : 0;
}

bool passes_begin(struct engine *engine, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	bool is_listening = subscription_is_listening(engine);
	struct pass_order order = {
		.picture = engine->config.picture,
		.expected = engine->fill.now.entries,
		.wants_seen = is_listening,
	};

	if (passes->is_running || passes->is_waiting)
		return false;
	/* The journal begins before the pass does: cleared first, then the order. */
	journal_clear(passes->journal);
	if (!worker_begin(passes->worker, &order))
		return false;
	passes->is_running = true;
	passes->is_journalled = is_listening;
	passes->lost_before = engine_lost(engine);
	passes->muted_before = muted(engine);
	passes->begun_ns = now_ns;
	passes->repair_ns = 0;
	passes->waits_for_drift = false;
	return true;
}

void passes_want(struct engine *engine, int64_t at_ns)
{
	struct passes *passes = &engine->passes;

	if (!passes->repair_ns || passes->repair_ns > at_ns)
		passes->repair_ns = at_ns;
}

void passes_lost(struct engine *engine, uint64_t lost, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	bool is_again = passes->lost_ns && now_ns - passes->lost_ns < LOSS_FORGET_NS;

	if (passes->picture) {
		passes->picture->is_approximate = true;
		passes->picture->lost += lost;
	}
	if (!passes->repair_ns || passes->waits_for_drift) {
		passes->waits_for_drift = false;
		if (!is_again)
			passes->repair_delay_ns = REPAIR_FIRST_NS;
		else if (passes->repair_delay_ns < REPAIR_LAST_NS)
			passes->repair_delay_ns *= 2;
		passes_want(engine, now_ns + passes->repair_delay_ns);
	}
	passes->lost_ns = now_ns;
}

void passes_blind(struct engine *engine)
{
	struct passes *passes = &engine->passes;

	passes->is_journalled = false;
	if (passes->picture)
		passes->picture->is_approximate = true;
}

static bool has_moved(const struct engine *engine, double share)
{
	const struct picture *picture = engine->passes.picture;
	double moved;

	if (!picture)
		return false;
	moved = (double)(picture->born + picture->died);
	/* The counter is ahead of events on the way, and of those that nobody listens to. */
	if (!engine->is_unreadable && !engine->fill.is_implausible)
		moved += fabs((double)engine->fill.now.entries - (double)picture->entries -
			      (double)engine->passes.gap);
	return moved > OUTGROWN_LEAST && moved > share * (double)picture->entries;
}

bool passes_outgrown(const struct engine *engine)
{
	return has_moved(engine, OUTGROWN_SHARE);
}

/* Events keep the picture exact, and what they do not tell (classes) cannot have changed much. */
static bool is_resting(const struct engine *engine)
{
	const struct picture *picture = engine->passes.picture;

	return engine->level.level == LEVEL_OK && picture && !picture->is_approximate && !picture->has_missed &&
	       subscription_is_listening(engine) && !has_moved(engine, REST_SHARE);
}

/* What was there before anybody listened goes without an event. Who has come in the middle of a flood takes that out
 * round after round, and each time a pass would be right for a moment. */
static int64_t drift_due_ns(const struct engine *engine, int64_t now_ns)
{
	int64_t due_ns = engine->passes.ended_ns + WORK_NS;

	return warden_is_at_work(engine, now_ns) && due_ns > now_ns ? due_ns : now_ns;
}

/* Flows born while nobody listened die without an event: the picture keeps them, the counter does not. The counter says
 * only that something is wrong, a pass says what. */
void passes_compare(struct engine *engine, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	const struct picture *picture = passes->picture;
	double count = (double)engine->fill.now.entries, apart, most;

	if (!picture || picture->is_approximate || passes->is_running || passes->is_waiting || engine->is_unreadable)
		return;
	apart = fabs(count - (double)picture->entries - (double)passes->gap);
	/* A tick's worth of events may be on the way. */
	most = DRIFT_LEAST + DRIFT_SHARE * count + engine->subscription.new_per_sec * 2 * engine->config.poll_ms / 1000;
	if (apart <= most) {
		passes->drift_since_ns = 0;
		return;
	}
	if (!passes->drift_since_ns)
		passes->drift_since_ns = now_ns;
	if (now_ns - passes->drift_since_ns < DRIFT_NS)
		return;
	passes->drift_since_ns = 0;
	passes->picture->is_approximate = true;
	passes->waits_for_drift = !passes->repair_ns;
	passes_want(engine, drift_due_ns(engine, now_ns));
}

static int64_t next_due_ns(const struct engine *engine)
{
	const struct passes *passes = &engine->passes;
	double cpu_ns = (double)passes->cpu_ns;
	int64_t interval_ns = (int64_t)(cpu_ns / (engine->config.pass_share_pct / 100));
	int64_t least_ns = interval_ns; /* the share holds whatever asks for a pass (but for crossings) */
	int64_t outgrown_ns = engine->level.level == LEVEL_OK ? OUTGROWN_OK_NS : OUTGROWN_NS;
	int64_t due_ns;

	/* Then nobody but a reader of rankings waits for one. */
	if (warden_is_at_work(engine, clock_monotonic_ns()))
		outgrown_ns = WORK_NS;
	if (interval_ns < engine->config.pass_min_ns)
		interval_ns = engine->config.pass_min_ns;
	if (is_resting(engine))
		interval_ns *= REST_FACTOR;
	if (interval_ns > engine->config.pass_max_ns)
		interval_ns = engine->config.pass_max_ns;
	/* Events bring no classes: when much of the table is new, what the pass said of them is old. */
	if (passes_outgrown(engine) && interval_ns > outgrown_ns)
		interval_ns = outgrown_ns;
	due_ns = passes->ended_ns + interval_ns;
	if (passes->repair_ns && passes->repair_ns < due_ns)
		due_ns = passes->repair_ns;
	if (due_ns < passes->ended_ns + least_ns)
		due_ns = passes->ended_ns + least_ns;
	return due_ns;
}

/* Whom nobody heard die while rounds deleted only a pass tells. None is asked for: the next one comes soon, as such a
 * picture does not rest (is_resting), and where they are many the counter tells (passes_compare). */
static void note_missed(struct engine *engine)
{
	if (engine->passes.picture)
		engine->passes.picture->has_missed = muted(engine) != engine->passes.muted_seen;
}

void passes_tick(struct engine *engine, int64_t now_ns)
{
	struct passes *passes = &engine->passes;

	note_missed(engine);
	if (passes->is_running)
		return;
	if (passes->is_waiting) {
		passes_check_fence(engine, now_ns);
		return;
	}
	if (passes->is_failure_said && now_ns - passes->begun_ns < FAILED_RETRY_NS)
		return;
	if (!passes->ended_ns || now_ns >= next_due_ns(engine))
		passes_begin(engine, now_ns);
}

/* Nothing of the picture before can be compared with the new one. */
static void begin_anew(struct engine *engine)
{
	engine->passes.is_based = false;
	cause_forget(engine->causes);
}

/* The built picture takes over. */
static void swap(struct engine *engine, bool is_fenced, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	struct picture *picture = passes->built.picture;
	uint64_t lost = engine_lost(engine) - passes->lost_before;
	int64_t begun_ns = passes->begun_ns;
	bool is_exact = is_fenced && passes->is_journalled && lost == 0 &&
			!passes->built.report.unsettled && subscription_is_listening(engine);

	if (passes->is_journalled && passes->built.seen &&
	    !picture_reconcile(picture, passes->journal, passes->built.seen))
		is_exact = false;
	if (passes->picture && memcmp(&passes->picture->config, &picture->config, sizeof(picture->config)) == 0)
		picture_inherit(picture, passes->picture);
	else
		begin_anew(engine);
	if (!is_exact) {
		picture->is_approximate = true;
		picture->lost += lost;
		if (subscription_is_listening(engine))
			passes_lost(engine, 0, now_ns);
	}
	picture_free(passes->picture);
	passes->picture = picture;
	passes->built.picture = NULL;
	passes->counted_before = passes->built.counted_before;
	passes->counted_after = passes->built.counted_after;
	passes->listed = passes->built.report.received;
	/* Entries the counter has and no list shows (unconfirmed, dying) stay apart: no reason for pass after pass. */
	passes->gap = (int64_t)passes->counted_after - (int64_t)passes->listed;
	if (passes->gap < 0)
		passes->gap = 0;
	passes->muted_seen = passes->muted_before;
	passes->drift_since_ns = 0;
	passes->redone += passes->built.report.redone;
	passes->not_kernel += passes->built.report.not_kernel;
	pass_done(&passes->built);
	passes->is_waiting = passes->is_journalled = false;
	if (!passes->is_based && engine->level.level == LEVEL_OK) {
		picture_set_base(picture);
		passes->is_based = true;
	}
	/* A pass begun before the crossing may not have met what drives it: another one tells. */
	if (alarms_is_waiting(engine->alarms) && begun_ns + DRIVEN_NS < alarms_waiting_since_ns(engine->alarms) &&
	    passes_begin(engine, now_ns))
		return;
	engine_release_alarm(engine, now_ns);
}

static void pass_failed(struct engine *engine, int error, int64_t now_ns)
{
	if (!engine->passes.is_failure_said)
		log_warning("cannot go through the table: %s%s; fill and level go on without rankings",
			    strerror(-error), error == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
	engine->passes.is_failure_said = true;
	engine_release_alarm(engine, now_ns);
}

void passes_on_done(struct engine *engine, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	struct pass pass;

	if (!worker_take(passes->worker, &pass))
		return;
	passes->is_running = false;
	if (pass.error < 0) {
		pass_failed(engine, pass.error, now_ns);
		pass_done(&pass);
		return;
	}
	if (passes->is_failure_said)
		log_info("the table can be gone through again");
	passes->is_failure_said = false;
	passes->ended_ns = now_ns;
	passes->cpu_ns = pass.picture->pass_cpu_ns;
	passes->built = pass;
	if (!passes->is_journalled) {
		swap(engine, false, now_ns);
		return;
	}
	passes->fence = 0;
	passes->fence_until_ns = now_ns + FENCE_PATIENCE_NS;
	passes->is_waiting = true;
	passes_check_fence(engine, now_ns);
}

/* What the kernel had sent by now, and rounds have deleted by now, is in their rings once this fence has passed. In the
 * middle of a batch nobody can tell what the pass may have missed already. */
static void ask_fence(struct engine *engine)
{
	struct rounds *rounds = engine->warden.rounds;

	if (rounds && rounds_are_deleting(rounds))
		return;
	engine->passes.gone = rounds ? rounds_gone(rounds) : 0;
	engine->passes.fence = listener_fence_ask(engine->subscription.listener);
}

void passes_check_fence(struct engine *engine, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	bool is_fenced;

	if (!passes->is_waiting)
		return;
	if (!passes->is_journalled) { /* the subscription ended meanwhile */
		swap(engine, false, now_ns);
		return;
	}
	if (!passes->fence)
		ask_fence(engine);
	is_fenced = passes->fence && listener_fence_passed(engine->subscription.listener, passes->fence);
	if (!is_fenced && now_ns < passes->fence_until_ns)
		return;
	/* What was in the ring when the fence was seen to be passed belongs to this side of it. */
	engine_take_all_events(engine);
	engine_take_gone_up_to(engine, passes->gone);
	engine_take_gone(engine); /* and what was lost of that */
	subscription_tick(engine, now_ns, 0); /* lost events counted up to the fence */
	if (passes->is_waiting)
		swap(engine, is_fenced, now_ns);
}
