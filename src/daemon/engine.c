/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine: wires the stages for one table: readings -> fill -> level -> alarms; events and passes -> picture;
 * all of it
 * -> store and clients. The only file that names all stages. */
#include "engine.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "notify.h"
#include "report/report.h"

#define TAKE_BUDGET 8192
#define PICTURE_TICK_NS NS_PER_SEC
#define CROSSING_FRESH_NS NS_PER_SEC       /* a pass younger than this tells the cause well enough */
#define CROSSING_PATIENCE_NS (5 * NS_PER_SEC)
#define CALM_NS (10 * NS_PER_SEC)
#define CALM_SHARE 0.01 /* calm: growing by less than this share of the capacity in CALM_NS */

static void tick(struct engine *engine);

/* ---- events ---- */

static void read_eventfd(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return; /* EAGAIN: told already */
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = { 0, 0 };
	struct engine *engine = arg;

	(void)what;
	if (fd >= 0)
		read_eventfd(fd);
	/* One budget a turn, so that timers and clients are served. By way of the timers: event_active would put it
	 * back into the very queue that is being served, before them. */
	if (engine_take_events(engine, TAKE_BUDGET) == TAKE_BUDGET)
		event_add(engine->again_event, &now);
	engine_take_gone(engine);
	passes_check_fence(engine, clock_monotonic_ns());
	if (subscription_is_rush(engine, clock_monotonic_ns()))
		tick(engine);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	read_eventfd(fd);
	passes_on_done(arg, clock_monotonic_ns());
}

static void on_round(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;

	(void)what;
	read_eventfd(fd);
	engine_take_gone(engine);
	warden_on_done(engine, clock_monotonic_ns());
	fill_hold(&engine->fill, false);
}

/* ---- the tick ---- */

void engine_release_alarm(struct engine *engine, int64_t now_ns)
{
	if (alarms_is_waiting(engine->alarms))
		engine_add_passes(engine, NULL, alarms_waiting_view(engine->alarms), now_ns);
	alarms_release(engine->alarms, now_ns);
}

static void on_crossing(struct engine *engine, enum level previous, int64_t now_ns)
{
	struct passes *passes = &engine->passes;
	struct snapshot *at = mem_alloc(sizeof(*at));
	char text[64];

	engine->level_since_real_ns = engine->fill.now.real_ns;
	engine_snapshot(engine, at);
	alarms_cross(engine->alarms, previous, at, now_ns);
	free(at);
	snprintf(text, sizeof(text), "level %s, %.1f %%", level_name(engine->level.level), engine->fill.fill_pct);
	notify_status(text);
	if (passes->is_running || passes->is_waiting)
		return;
	if (passes->ended_ns && now_ns - passes->ended_ns < CROSSING_FRESH_NS && !passes_outgrown(engine))
		engine_release_alarm(engine, now_ns);
	else if (passes->is_failure_said || !passes_begin(engine, now_ns))
		engine_release_alarm(engine, now_ns);
}

static void judge_level(struct engine *engine, int64_t now_ns)
{
	const struct fill *fill = &engine->fill;
	enum level previous = engine->level.level;
	bool is_crossed;
	struct level_input input = {
		.now_ns = now_ns,
		.fill_pct = fill->fill_pct,
		.is_implausible = fill->is_implausible,
		.seconds_to_full = fill->has_growth ? fill_seconds_lasting(fill) : -1,
		.dropped = fill->delta.drop,
		.insert_failed = fill->delta.insert_failed,
	};

	if ((fill->now.has & READING_HAS_LIMIT) && fill->now.entries_limit > 0)
		input.limit_fill_pct = 100.0 * (double)fill->now.entries / (double)fill->now.entries_limit;
	is_crossed = level_update(&engine->level, &engine->config.levels, &input);
	cause_watch(engine->causes, engine->passes.picture, engine->level.level);
	if (is_crossed)
		on_crossing(engine, previous, now_ns);
}

/* Level ok and hardly growing for a while: what is there now is what growth is measured from. */
static void judge_calm(struct engine *engine, int64_t now_ns)
{
	const struct fill *fill = &engine->fill;
	double whole = (double)(fill->capacity ? fill->capacity : fill->now.entries);
	double growth = fill->growth_per_sec * ((double)CALM_NS / (double)NS_PER_SEC);

	if (engine->level.level != LEVEL_OK || growth > CALM_SHARE * whole || !engine->passes.picture) {
		engine->calm_since_ns = 0;
		return;
	}
	if (!engine->calm_since_ns)
		engine->calm_since_ns = now_ns;
	if (now_ns - engine->calm_since_ns < CALM_NS)
		return;
	picture_set_base(engine->passes.picture);
	cause_forget(engine->causes);
	engine->passes.is_based = true;
	engine->calm_since_ns = now_ns;
}

static void store_topline(struct engine *engine, int64_t now_ns)
{
	struct snapshot *snapshot;
	char *line;

	if (now_ns < engine->topline_ns)
		return;
	engine->topline_ns = now_ns + engine->config.topline_ns;
	if (!engine->store)
		return;
	snapshot = mem_alloc(sizeof(*snapshot));
	engine_snapshot(engine, snapshot);
	line = report_topline_json(snapshot);
	/* A failure is counted by the store and said with the next alarm. */
	store_append(engine->store, line);
	free(line);
	free(snapshot);
}

/* Said once when it begins and once when it ends. */
static void say_hidden(struct engine *engine, bool is_hidden)
{
	if (is_hidden == engine->is_hidden)
		return;
	engine->is_hidden = is_hidden;
	if (is_hidden)
		log_warning("nf_conntrack_buckets cannot be read (is /proc/sys/net hidden?): the load and the "
			    "odds of a refusal are not known, a resize during a pass is not noticed");
	else
		log_info("nf_conntrack_buckets can be read again");
}

/* What user space put in since the reading before is no growth. */
static void judge_adopted(struct engine *engine, const struct table_reading *reading, int64_t now_ns)
{
	const struct subscription *subscription = &engine->subscription;
	uint64_t before = engine->fill.now.counters.insert;
	struct adopted_input input = { .now_ns = now_ns,
				       .put = engine->foreign_put,
				       .deleted = engine->foreign_deleted,
				       .lost = subscription->now.lost - engine->lost_before,
				       .is_listening = subscription_is_listening(engine) };
	uint64_t adopted;

	if (engine->fill.has_first && (reading->has & READING_HAS_COUNTERS) && reading->counters.insert > before)
		input.inserts = reading->counters.insert - before;
	adopted = adopted_update(&engine->adopted, &input);
	engine->foreign_put = engine->foreign_deleted = 0;
	engine->lost_before = subscription->now.lost;
	engine->warden.adopted += adopted;
	fill_added(&engine->fill, adopted);
}

static void read_fill(struct engine *engine, int64_t now_ns)
{
	struct table_reading reading = { 0 };
	int r = counters_read(engine->counters, &reading);

	if (r < 0 || !(reading.has & READING_HAS_ENTRIES)) {
		if (!engine->is_unreadable)
			log_warning("cannot read the kernel's counters: %s", strerror(r < 0 ? -r : ENODATA));
		engine->is_unreadable = true;
		return;
	}
	if (engine->is_unreadable)
		log_info("the kernel's counters can be read again");
	engine->is_unreadable = false;
	say_hidden(engine, !(reading.has & READING_HAS_BUCKETS));
	judge_adopted(engine, &reading, now_ns);
	fill_update(&engine->fill, &reading);
	if (engine->fill.limit_changed)
		log_info("the limit is %llu entries now%s", (unsigned long long)reading.entries_limit,
			 reading.entries_limit ? "" : ": there is none");
	judge_level(engine, now_ns);
}

/* Quicker while it is tight. */
static int set_tick(struct engine *engine)
{
	unsigned pressed_ms = warden_poll_ms(engine), ms = pressed_ms ? pressed_ms : engine->config.poll_ms;
	struct timeval every = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (ms == engine->tick_ms)
		return 0;
	engine->tick_ms = ms;
	return event_add(engine->tick_event, &every) < 0 ? -ENOMEM : 0;
}

static void tick(struct engine *engine)
{
	int64_t now_ns = clock_monotonic_ns();

	fill_hold(&engine->fill, warden_is_running(engine));
	read_fill(engine, now_ns);
	engine_take_gone(engine);
	warden_tick(engine, now_ns);
	set_tick(engine);
	subscription_tick(engine, now_ns, now_ns - engine->ticked_ns);
	passes_compare(engine, now_ns);
	engine->ticked_ns = now_ns;
	if (engine->passes.picture && now_ns - engine->picture_ticked_ns >= PICTURE_TICK_NS) {
		picture_tick(engine->passes.picture, now_ns - engine->picture_ticked_ns);
		engine->picture_ticked_ns = now_ns;
	}
	judge_calm(engine, now_ns);
	passes_tick(engine, now_ns);
	if (alarms_is_waiting(engine->alarms) &&
	    now_ns - alarms_waiting_since_ns(engine->alarms) > CROSSING_PATIENCE_NS)
		engine_release_alarm(engine, now_ns);
	alarms_tick(engine->alarms, now_ns);
	store_topline(engine, now_ns);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tick(arg);
}

/* ---- start, reload, stop ---- */

static int make_events(struct engine *engine)
{
	engine->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	engine->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	engine->round_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (engine->ready_fd < 0 || engine->done_fd < 0 || engine->round_fd < 0)
		return -errno;
	engine->tick_event = event_new(engine->base, -1, EV_PERSIST, on_tick, engine);
	engine->ready_event = event_new(engine->base, engine->ready_fd, EV_READ | EV_PERSIST, on_ready, engine);
	engine->again_event = event_new(engine->base, -1, 0, on_ready, engine);
	engine->done_event = event_new(engine->base, engine->done_fd, EV_READ | EV_PERSIST, on_done, engine);
	engine->round_event = event_new(engine->base, engine->round_fd, EV_READ | EV_PERSIST, on_round, engine);
	if (!engine->round_event || event_add(engine->round_event, NULL) < 0)
		return -ENOMEM;
	if (!engine->tick_event || !engine->ready_event || !engine->again_event || !engine->done_event ||
	    event_add(engine->ready_event, NULL) < 0 || event_add(engine->done_event, NULL) < 0)
		return -ENOMEM;
	return set_tick(engine);
}

/* An unwritable state directory does not stop the watch: alarms still go to stdout. */
static struct store *open_store(const struct daemon_config *config)
{
	struct problem problem = { 0 };
	struct store *store;

	if (store_open(config->state_dir, config->alarms_max_bytes, &store, &problem) == 0)
		return store;
	log_warning("%s; alarms are not kept", problem.text);
	return NULL;
}

static int fail(struct problem *problem, int r, const char *what)
{
	problem_set(problem, "", "%s: %s", what, strerror(-r));
	return r;
}

static int start_parts(struct engine *engine, struct problem *problem)
{
	int r = counters_open(&engine->counters);
	int64_t now_ns;
	char why[160];

	if (r < 0)
		return fail(problem, r, "cannot ask the kernel about connection tracking");
	if (netns_self(&engine->netns) < 0)
		memset(&engine->netns, 0, sizeof(engine->netns));
	/* Here, as it takes the longer the more entries there are; at once where a self-test is kept. */
	engine->can_prove = selftest_fast_delete(PROOFS_DIR_DEFAULT, why, sizeof(why));
	if ((r = passes_start(engine)) < 0)
		return fail(problem, r, "cannot start the worker");
	now_ns = clock_monotonic_ns();
	/* Subscribe first, then the pass: what is born in between is in both and counted once. The first reading comes
	 * between: in a table that is tight already it is a crossing, which orders the pass. */
	subscription_start(engine, now_ns);
	read_fill(engine, now_ns);
	if (engine->is_unreadable)
		return fail(problem, -ENOENT, "connection tracking is not there (is nf_conntrack loaded?)");
	passes_begin(engine, now_ns);
	warden_start(engine, now_ns);
	engine->topline_ns = now_ns + engine->config.topline_ns;
	return 0;
}

int engine_start(struct event_base *base, const struct daemon_config *config, bool is_json,
		 struct engine **ret_engine, struct problem *reterr_problem)
{
	struct engine *engine = mem_alloc(sizeof(*engine));
	struct policy *policy;
	int r;

	engine->base = base;
	engine->config = *config;
	engine->since_real_ns = engine->level_since_real_ns = clock_real_ns();
	engine->ticked_ns = engine->picture_ticked_ns = clock_monotonic_ns();
	engine->ready_fd = engine->done_fd = engine->round_fd = -1;
	engine->alarms = alarms_new(is_json, config->log, config->alarm_repeat_ns);
	engine->kept = kept_new();
	engine->causes = mem_alloc(sizeof(*engine->causes));
	fill_init(&engine->fill, config->capacity);
	if ((r = warden_load(config, &policy, reterr_problem)) < 0)
		goto failed;
	warden_set_policy(engine, policy);
	/* The socket before all else: a second daemon must not touch anything. */
	r = control_open(base, config->socket, answer_request, engine, &engine->control, reterr_problem);
	if (r < 0)
		goto failed;
	if ((r = make_events(engine)) < 0) {
		fail(reterr_problem, r, "cannot start the loop");
		goto failed;
	}
	engine->store = open_store(config);
	alarms_set(engine->alarms, config->log, config->alarm_repeat_ns, engine->store);
	if ((r = start_parts(engine, reterr_problem)) < 0)
		goto failed;
	*ret_engine = engine;
	return 0;
failed:
	engine_stop(engine);
	return r;
}

int engine_reload(struct engine *engine, const struct daemon_config *config, struct problem *reterr_problem)
{
	const struct daemon_config old = engine->config;
	struct control *control = engine->control;
	struct store *store = engine->store;
	int64_t now_ns = clock_monotonic_ns();
	struct policy *policy;
	int r;

	/* What can fail comes first; from then on nothing does. */
	r = warden_load(config, &policy, reterr_problem);
	if (r < 0)
		return r;
	if (strcmp(old.socket, config->socket) != 0) {
		r = control_open(engine->base, config->socket, answer_request, engine, &control, reterr_problem);
		if (r < 0)
			goto failed;
	}
	if (!store || strcmp(old.state_dir, config->state_dir) != 0 ||
	    old.alarms_max_bytes != config->alarms_max_bytes) {
		r = store_open(config->state_dir, config->alarms_max_bytes, &store, reterr_problem);
		if (r < 0 && engine->store) {
			if (control != engine->control)
				control_close(control);
			goto failed;
		}
		if (r < 0)
			store = NULL; /* there was none before either */
	}
	if (control != engine->control)
		control_close(engine->control);
	if (store != engine->store && engine->store)
		store_close(engine->store);
	engine->control = control;
	engine->store = store;
	engine->config = *config;
	alarms_set(engine->alarms, config->log, config->alarm_repeat_ns, store);
	fill_set_capacity(&engine->fill, config->capacity);
	warden_set_policy(engine, policy);
	set_tick(engine);
	if (memcmp(&old.picture, &config->picture, sizeof(old.picture)) != 0)
		passes_want(engine, now_ns);
	subscription_reload(engine, old.events_buffer_bytes != config->events_buffer_bytes, now_ns);
	engine->topline_ns = now_ns + config->topline_ns;
	return 0;
failed:
	policy_free(policy);
	return r;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void engine_stop(struct engine *engine)
{
	if (!engine)
		return;
	if (alarms_is_waiting(engine->alarms))
		engine_release_alarm(engine, clock_monotonic_ns());
	subscription_stop(engine);
	passes_stop(engine);
	warden_stop(engine);
	free_event(engine->tick_event);
	free_event(engine->ready_event);
	free_event(engine->again_event);
	free_event(engine->done_event);
	free_event(engine->round_event);
	if (engine->round_fd >= 0)
		close(engine->round_fd);
	if (engine->ready_fd >= 0)
		close(engine->ready_fd);
	if (engine->done_fd >= 0)
		close(engine->done_fd);
	control_close(engine->control);
	alarms_free(engine->alarms);
	kept_free(engine->kept);
	free(engine->causes);
	if (engine->store)
		store_close(engine->store);
	if (engine->counters)
		counters_close(engine->counters);
	free(engine);
}
