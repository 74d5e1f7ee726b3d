/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/warden: see the header. The policy decides on what is known at the tick: counters, growth and the
 * last pass. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "policy/words.h"
#include "report/report.h"
#include "settings.h"

#define LEARNING_NS (30 * NS_PER_SEC)   /* calm is not known before */
#define QUIET_SPAN_NS NS_PER_SEC
#define QUIET_SHARE 0.02                /* of the capacity in QUIET_SPAN_NS */
#define QUIET_AFTER_DROP_NS (5 * NS_PER_SEC)
#define WHOLE_VIEW_NS NS_PER_SEC        /* between looks at every source */
#define PRESSED_POLL_MS 50
#define AT_WORK_NS (3 * NS_PER_SEC)
#define GROWTH_PATIENCE_NS NS_PER_SEC
#define CALM_UNDONE_NS (3 * NS_PER_SEC) /* a calm pass may be undone so long after it began (guard_surge), and more */
#define AT_ONCE_SEC 1.5 /* the table is full by then: a round is about to come */
#define TOLD_NS (500 * NS_PER_MS) /* a surge may be told to the guard so much later, where no calm pass has met it */
#define SURGE_RENEWAL_NS (2 * NS_PER_SEC) /* in a surge: who is in use shows by then */
#define SURGE_RENEWAL_FACTOR 10           /* and a pass costs at most a tenth of a core */
#define BANS_MAX 4096
#define MOST_FLOWS (4u << 20) /* that the guard remembers: 11 bytes each */
#define STILL_SHARE 0.02      /* of the entries, born since the last renewal: then the next one may wait */
#define STILL_FACTOR 4
#define REST_POLL_MS 250
#define REST_FILL_PCT 50

/* ---- the policy ---- */

int warden_load(const struct daemon_config *config, struct policy **ret_policy, struct problem *reterr_problem)
{
	struct problem problem = { 0 };
	struct policy *policy = NULL;
	int r = policy_load(config->policy_file, &policy, &problem);

	if (r == -ENOENT && !config->has_policy_file) {
		policy = policy_new_default();
		r = 0;
	}
	if (r == 0)
		r = config_protect(config->file, policy, &problem);
	if (r < 0) {
		policy_free(policy);
		if (reterr_problem)
			*reterr_problem = problem;
		return r;
	}
	*ret_policy = policy;
	return 0;
}

static bool looks_at_sources(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy_rule_scope(&policy->rules[i]) != POLICY_SCOPE_TABLE)
			return true;
	}
	return false;
}

/* Another policy may not have the rule that lowered kernel timeouts, and in another mode it ends without a word to the
 * kernel, or has begun without one: they go back, and what still holds begins anew. */
static void begin_timeouts_anew(struct engine *engine, const char *why)
{
	struct warden *warden = &engine->warden;

	/* Who switches to act in an emergency shall not wait for a pause of what only would have been done. */
	if (warden->judged_mode != warden->mode)
		policy_memory_end_pauses(warden->memory);
	warden->told.used = 0; /* another policy or mode tells all anew */
	warden->judged_mode = warden->mode;
	if (!warden->rounds)
		return;
	warden_restore(engine, why);
	policy_memory_forget_timeouts(warden->memory, warden->policy);
}

static void apply(struct engine *engine, struct policy *policy)
{
	struct warden *warden = &engine->warden;
	struct policy_memory *memory = policy_memory_new(policy, warden->policy, warden->memory);

	policy_memory_free(warden->memory);
	policy_free(warden->policy);
	warden->policy = policy;
	warden->policy_changed = true;
	warden->memory = memory;
	warden->base_mode = engine->config.has_mode ? engine->config.mode : policy->mode;
	if (!warden->mode_until_ns)
		warden->mode = warden->base_mode;
	begin_timeouts_anew(engine, "another policy is in force");
	if (policy->has_levels)
		engine->config.levels = policy->levels;
	if (policy->capacity && !engine->config.capacity)
		fill_set_capacity(&engine->fill, policy->capacity);
}

void warden_set_policy(struct engine *engine, struct policy *policy)
{
	struct warden *warden = &engine->warden;

	if (!warden->is_running) {
		apply(engine, policy);
		return;
	}
	policy_free(warden->next);
	warden->next = policy;
}

void warden_set_mode(struct engine *engine, enum policy_mode mode, int64_t for_ns, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	char time[UNITS_TEXT_MAX];

	warden->mode = mode;
	warden->mode_until_ns = for_ns ? now_ns + for_ns : 0;
	if (!for_ns)
		warden->base_mode = mode;
	log_info("mode %s%s%s", policy_mode_name(mode), for_ns ? " for " : "",
		 for_ns ? units_format_duration(for_ns, time) : "");
}

/* ---- start and stop ---- */

static void start_rounds(struct engine *engine)
{
	struct warden *warden = &engine->warden;
	struct rounds_config config = {.guard = guard_config_default(),
				       .max_bans = BANS_MAX,
				       .supposed = &warden->supposed,
				       .lifted = &warden->lifted,
				       .gone_fd = engine->ready_fd};
	int r;

	memcpy(config.state_dir, engine->config.state_dir, sizeof(config.state_dir));
	config.guard.seniority.renewal_ns = engine->config.seniority_renewal_ns;
	if (config.guard.seniority.max_flows < engine->fill.capacity)
		config.guard.seniority.max_flows = (size_t)engine->fill.capacity;
	if (config.guard.seniority.max_flows > MOST_FLOWS)
		config.guard.seniority.max_flows = MOST_FLOWS;
	memcpy(config.guard.seniority.source_prefix, engine->config.picture.source_prefix, 2);
	r = rounds_start(&config, engine->round_fd, &warden->rounds);
	if (r < 0) {
		log_warning("the policy's rules cannot be run: %s%s", strerror(-r),
			    r == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
		warden->rounds = NULL;
		return;
	}
	warden->order = mem_alloc(sizeof(*warden->order));
	warden->result = mem_alloc(sizeof(*warden->result));
	subscription_skip_own(engine);
}

void warden_start(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	struct problem problem = { 0 };
	size_t count = 0;

	if (settings_restore(engine->config.state_dir, &count, &problem) < 0)
		log_warning("%s: %s", problem.path, problem.text);
	else if (count)
		log_info("put back what an earlier run had lowered: %zu kernel timeout%s", count, units_plural(count));
	warden->calm_config = calm_config_default();
	warden->started_ns = warden->renewal_ns = now_ns;
	warden->renewal_step_ns = NS_PER_SEC;
	if (warden->policy->rule_count)
		start_rounds(engine);
}

void warden_stop(struct engine *engine)
{
	struct warden *warden = &engine->warden;

	if (warden->rounds) {
		rounds_end(warden->rounds);
		warden_on_done(engine, clock_monotonic_ns());
		warden_restore(engine, "the daemon ends");
	}
	rounds_stop(warden->rounds, engine->config.clear_bans);
	ban_terms_free(&warden->supposed);
	ban_terms_free(&warden->lifted);
	policy_memory_free(warden->memory);
	policy_free(warden->policy);
	policy_free(warden->next);
	free(warden->order);
	free(warden->result);
	memset(warden, 0, sizeof(*warden));
}

bool warden_is_running(const struct engine *engine)
{
	return engine->warden.is_running;
}

bool warden_is_at_work(const struct engine *engine, int64_t now_ns)
{
	return engine->warden.round_ns && now_ns - engine->warden.round_ns < AT_WORK_NS;
}

unsigned warden_poll_ms(const struct engine *engine)
{
	const struct warden *warden = &engine->warden;

	if (!warden->rounds || engine->config.poll_ms < PRESSED_POLL_MS)
		return 0;
	if (engine->level.level != LEVEL_OK || warden->calm.in_surge)
		return PRESSED_POLL_MS;
	/* Events tell of a rush before the tick does. */
	if (engine->fill.fill_pct < REST_FILL_PCT && subscription_is_listening(engine) &&
	    engine->config.poll_ms < REST_POLL_MS)
		return REST_POLL_MS;
	return 0;
}

/* ---- calm ---- */

/* Hardly growing for a second: what is there may be taken as the base while calm is not known yet. The end of it is
 * seen at once, and is told to the guard as a surge: what it took as the base in the last moments may have been the
 * first of it. */
static void judge_quiet(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	const struct fill *fill = &engine->fill;
	double most = QUIET_SHARE * (double)(fill->capacity ? fill->capacity : fill->now.entries);
	bool is_rush = (double)fill->now.entries > (double)warden->quiet_entries + most;

	if (warden->is_quiet && is_rush) {
		warden->is_quiet = false;
		warden->surge_began = true;
	}
	if (now_ns - warden->quiet_ns < QUIET_SPAN_NS)
		return;
	warden->is_quiet = warden->quiet_ns && !is_rush && fill->fill_pct < engine->config.levels.full_pct &&
			   (!warden->dropped_ns || now_ns - warden->dropped_ns > QUIET_AFTER_DROP_NS);
	warden->quiet_ns = now_ns;
	warden->quiet_entries = fill->now.entries;
}

/* Whether what is there may count as honest. Until the guard has known the table for a while, hardly growing is enough;
 * once something had to go, the table is not what it would have been. */
static bool is_calm(const struct engine *engine, int64_t now_ns)
{
	const struct warden *warden = &engine->warden;

	if (now_ns - warden->started_ns < LEARNING_NS)
		return warden->is_quiet && !warden->counts.evicted;
	return !warden->calm.in_surge;
}

/* Much was put in: it is the base, also where no event told of it. */
static void judge_adopted(struct warden *warden, uint64_t capacity, int64_t now_ns)
{
	warden->quiet_entries += warden->adopted;
	warden->unrenewed += warden->adopted;
	warden->adopted = 0;
	if ((double)warden->unrenewed <= QUIET_SHARE * (double)capacity || warden->renewal_ns < now_ns + NS_PER_SEC)
		return;
	warden->unrenewed = 0;
	warden->renewal_ns = now_ns + NS_PER_SEC;
}

static void judge_calm(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	const struct fill *fill = &engine->fill;
	struct calm_input input = { .now_ns = now_ns,
				    .entries = fill->now.entries,
				    .capacity = fill->capacity,
				    .adopted = warden->adopted,
				    .removed = warden->removed };

	warden->dropped += fill->delta.drop;
	warden->insert_failed += fill->delta.insert_failed;
	if (fill->delta.drop > fill->delta.insert_failed || fill->delta.early_drop)
		warden->dropped_ns = now_ns;
	if (warden->is_running)
		return;
	input.dropped = warden->dropped;
	input.insert_failed = warden->insert_failed;
	warden->verdict = calm_update(&warden->calm, &warden->calm_config, &input);
	warden->removed = warden->dropped = warden->insert_failed = 0;
	judge_adopted(warden, fill->capacity, now_ns);
	if (warden->verdict.surge_began) {
		warden->surge_began = true;
		log_info("a surge: the table grows by %.0f/s", fill->growth_per_sec);
	}
	if (warden->verdict.surge_ended)
		log_info("the surge is over");
	judge_quiet(engine, now_ns);
}

/* ---- orders ---- */

static void begin(struct engine *engine, size_t count, bool is_renewal, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	struct round_order *order = warden->order;

	order->policy = warden->policy;
	order->count = count;
	order->is_renewal = is_renewal;
	order->capacity = engine->fill.capacity;
	order->new_per_sec = fill_growth_last(&engine->fill);
	if (order->new_per_sec < 0)
		order->new_per_sec = 0;
	order->is_calm = is_renewal && is_calm(engine, now_ns);
	order->surge_began = warden->surge_began;
	order->policy_changed = warden->policy_changed;
	order->acts = warden->mode == POLICY_MODE_ACT;
	order->is_listening = subscription_is_listening(engine);
	if (!rounds_begin(warden->rounds, order)) {
		for (size_t i = 0; i < count; i++)
			policy_decision_done(&order->decisions[i]);
		return;
	}
	warden->surge_began = warden->policy_changed = false;
	warden->is_running = true;
	if (order->is_calm)
		warden->calm_passed_ns = now_ns;
	warden->begun_ns = now_ns;
}

static size_t decide(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));
	/* What the last round took from a source still stands in the picture. */
	bool is_whole = looks_at_sources(warden->policy) && now_ns - warden->looked_ns >= WHOLE_VIEW_NS &&
			!engine_awaits_gone(engine);
	size_t count;

	if (is_whole) {
		engine_snapshot(engine, snapshot);
		if (engine->passes.picture)
			snapshot_add_more(snapshot, engine->passes.picture);
		warden->looked_ns = now_ns;
	} else {
		engine_snapshot_brief(engine, snapshot);
	}
	count = policy_evaluate(warden->policy, warden->mode, snapshot, warden->memory, now_ns,
				warden->order->decisions);
	free(snapshot);
	return count;
}

/* Nobody waits for seniority, and hardly anything is new: what the last pass saw still holds. */
static bool is_still(const struct engine *engine)
{
	const struct warden *warden = &engine->warden;
	double most = STILL_SHARE * (double)engine->fill.now.entries;

	return subscription_is_listening(engine) && !warden->seniors.candidates && warden->seniors.is_ready &&
	       (double)warden->born < most;
}

static bool fills_at_once(const struct engine *engine)
{
	double seconds = fill_seconds_last(&engine->fill);

	return seconds >= 0 && seconds < AT_ONCE_SEC;
}

/* Soon after the start, then less and less often, at last every seniority_renewal_sec. */
static bool renewal_is_due(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	int64_t longest_ns = engine->config.seniority_renewal_ns;

	/* The guard is told with it, and what is new is tried from then on: a large table fills before a later pass
	 * would know whether the surge is in use. Where a round is about to come, that one does as well. */
	if (warden->surge_began && !fills_at_once(engine) &&
	    (now_ns - warden->calm_passed_ns < CALM_UNDONE_NS || now_ns - warden->passed_ns > TOLD_NS))
		return true;
	/* In a surge nobody becomes senior: passes only look for traffic, and rounds do that as well. (While it learns,
	 * what hardly grows is calm whatever came before.) */
	if (warden->calm.in_surge && !is_calm(engine, now_ns)) {
		int64_t pause_ns = SURGE_RENEWAL_FACTOR * warden->pass_took_ns;

		if (pause_ns < SURGE_RENEWAL_NS)
			pause_ns = SURGE_RENEWAL_NS;
		return now_ns - warden->passed_ns > pause_ns;
	}
	if (now_ns < warden->renewal_ns)
		return false;
	if (is_still(engine) && now_ns < warden->renewal_ns + (STILL_FACTOR - 1) * longest_ns)
		return false;
	warden->born = 0;
	if (warden->renewal_step_ns > longest_ns)
		warden->renewal_step_ns = longest_ns;
	warden->renewal_ns = now_ns + warden->renewal_step_ns;
	if (warden->renewal_step_ns < longest_ns && now_ns - warden->started_ns > LEARNING_NS / 2)
		warden->renewal_step_ns *= 2;
	return true;
}

void warden_tick(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	bool is_renewal, must_tell;
	size_t count = 0;

	if (!warden->rounds) {
		if (!warden->policy->rule_count || warden->is_failing)
			return;
		start_rounds(engine); /* a reload brought the first rules */
		warden->is_failing = !warden->rounds;
		return;
	}
	if (engine->is_unreadable)
		return;
	judge_calm(engine, now_ns);
	if (warden->mode_until_ns && now_ns >= warden->mode_until_ns) {
		warden->mode_until_ns = 0;
		warden->mode = warden->base_mode;
		log_info("mode %s again", policy_mode_name(warden->mode));
	}
	if (warden->is_running)
		return;
	if (warden->next) {
		struct policy *next = warden->next;

		warden->next = NULL;
		apply(engine, next);
	}
	if (warden->mode != warden->judged_mode)
		begin_timeouts_anew(engine, "the mode was switched");
	/* How fast it fills is known after two readings, and says what is worth a pass. */
	if (engine->fill.has_growth || now_ns - warden->started_ns > GROWTH_PATIENCE_NS)
		count = decide(engine, now_ns);
	is_renewal = !count && renewal_is_due(engine, now_ns);
	/* While the guard's last calm pass can still be undone. */
	must_tell = warden->surge_began && now_ns - warden->calm_passed_ns < CALM_UNDONE_NS;
	if (count || is_renewal || must_tell)
		begin(engine, count, is_renewal, now_ns);
}
