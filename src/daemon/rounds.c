/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds: from an order to a result, in a thread of its own. Knows nothing of levels, alarms or clients. */
#include "rounds_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "listener.h"
#include "settings.h"

/* A commit of conntrackd's is some 100,000 entries a second, and the reader is away for the length of a pass: 0.15 s in
 * a table of 20,000. */
#define ADOPTED_RING 16384
#define BORN_RING    32768 /* 0.5 s at 60,000 a second */
#define GONE_RING    32768 /* a large round deletes 400,000 a second, and the loop takes them every 50 ms; */
#define GONE_TOLD    8192  /* at rest it comes less often, and is told of each so many */
#define MUTE_LEAST   32	   /* deletes in a batch: of fewer the kernel may tell */
#define ADOPT_AT_ONCE 64

/* ---- what user space puts in ---- */

/* In the thread. */
static void adopt(void *arg)
{
	struct rounds *rounds = arg;
	struct flow flows[ADOPT_AT_ONCE];
	size_t count;

	if (flow_ring_is_empty(rounds->put_in))
		return;
	while ((count = flow_ring_take(rounds->put_in, flows, ADOPT_AT_ONCE)))
		for (size_t i = 0; i < count; i++)
			guard_adopt(rounds->guard, &flows[i], clock_monotonic_ns());
	atomic_store(&rounds->adopted, seniority_adopted(guard_seniority(rounds->guard)));
}

void rounds_adopt(struct rounds *rounds, const struct flow *flow)
{
	static const uint32_t needed = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;

	if ((flow->status & needed) == needed)
		flow_ring_offer(rounds->put_in, flow);
}

void rounds_adopt_now(struct rounds *rounds)
{
	if (flow_ring_is_empty(rounds->put_in))
		return;
	pthread_mutex_lock(&rounds->lock);
	pthread_cond_signal(&rounds->changed);
	pthread_mutex_unlock(&rounds->lock);
}

struct rounds_adoption rounds_adopted(const struct rounds *rounds)
{
	return (struct rounds_adoption){.adopted = atomic_load(&rounds->adopted),
					.lost = flow_ring_lost(rounds->put_in)};
}

/* ---- what is born ---- */

void rounds_hear(struct rounds *rounds, const struct flow *flow)
{
	if (rounds && atomic_load_explicit(&rounds->wants_born, memory_order_relaxed))
		flow_ring_offer(rounds->born, flow);
}

void rounds_miss(struct rounds *rounds, uint64_t count)
{
	if (rounds)
		flow_ring_miss(rounds->born, count);
}

static void hear_anew(void *arg, bool wanted)
{
	struct rounds *rounds = arg;

	atomic_store_explicit(&rounds->wants_born, wanted, memory_order_relaxed);
	flow_ring_take(rounds->born, NULL, SIZE_MAX);
	rounds->born_lost = flow_ring_lost(rounds->born);
}

static size_t heard(void *arg, struct flow *ret_flows, size_t max)
{
	struct rounds *rounds = arg;

	/* What came last is not among those that are there: who looks at them alone would see another table. */
	if (flow_ring_lost(rounds->born) != rounds->born_lost)
		return 0;
	return flow_ring_take(rounds->born, ret_flows, max);
}

uint32_t rounds_portid(const struct rounds *rounds)
{
	return writer_portid(rounds->writer);
}

bool rounds_has_portid(const struct rounds *rounds, uint32_t portid)
{
	return writer_has_portid(rounds->writer, portid);
}

/* ---- what is deleted ---- */

void rounds_set_listener(struct rounds *rounds, struct listener *listener)
{
	pthread_mutex_lock(&rounds->listener_lock);
	rounds->listener = listener;
	rounds->is_muted = false;
	atomic_store(&rounds->is_deaf, false);
	pthread_mutex_unlock(&rounds->listener_lock);
}

/* In the thread. The listener skips what we delete, but the kernel makes the event all the same, which is more than
 * half of the delete. Who dies by himself in the 0.2 ms that a batch takes is not heard of either: of the deaths of a
 * second, at 8,000 deletes in it, one in a hundred. */
static void mute(struct rounds *rounds, bool muted)
{
	pthread_mutex_lock(&rounds->listener_lock);
	if (rounds->listener && rounds->is_muted != muted) {
		if (!listener_mute_deaths(rounds->listener, muted)) {
			rounds->is_muted = muted;
			atomic_fetch_add(&rounds->muted, 1); /* at both ends: who looks between them sees it end */
		} else if (!muted) {
			atomic_store(&rounds->is_deaf, true);
		}
	}
	pthread_mutex_unlock(&rounds->listener_lock);
}

uint64_t rounds_muted(const struct rounds *rounds)
{
	return atomic_load(&rounds->muted);
}

bool rounds_are_deaf(const struct rounds *rounds)
{
	return atomic_load(&rounds->is_deaf);
}

/* In the thread. */
static void on_delete(const struct flow_target *targets, size_t count, const enum flow_outcome *outcomes, void *arg)
{
	struct rounds *rounds = arg;
	uint64_t before = flow_ring_offered(rounds->gone), one = 1;

	if (!outcomes) {
		atomic_store(&rounds->is_deleting, true);
		if (count >= MUTE_LEAST)
			mute(rounds, true);
		return;
	}
	mute(rounds, false);
	for (size_t i = 0; i < count; i++) {
		const struct flow flow = {.tuple[FLOW_ORIG] = targets[i].orig,
					  .zone = targets[i].zone,
					  .zone_reply = targets[i].zone_reply,
					  .id = targets[i].id};

		if (outcomes[i] == FLOW_OUTCOME_DONE)
			flow_ring_offer(rounds->gone, &flow);
		else if (outcomes[i] == FLOW_OUTCOME_UNKNOWN)
			flow_ring_miss(rounds->gone, 1);
	}
	atomic_store(&rounds->is_deleting, false);
	if (before / GONE_TOLD != flow_ring_offered(rounds->gone) / GONE_TOLD &&
	    write(rounds->config.gone_fd, &one, sizeof(one)) < 0)
		return; /* a counter at its top: the loop has been told */
}

size_t rounds_take_gone(struct rounds *rounds, struct flow *ret_flows, size_t max)
{
	return flow_ring_take(rounds->gone, ret_flows, max);
}

uint64_t rounds_gone(const struct rounds *rounds)
{
	return flow_ring_offered(rounds->gone);
}

uint64_t rounds_gone_lost(const struct rounds *rounds)
{
	return flow_ring_lost(rounds->gone);
}

bool rounds_are_deleting(const struct rounds *rounds)
{
	return atomic_load(&rounds->is_deleting);
}

/* ---- the thread ---- */

static void run_order(struct rounds *rounds, struct round_order *order, struct round_result *result)
{
	const struct guard_births births = {.hear_anew = hear_anew, .heard = heard, .arg = rounds};
	struct guard_table table = {.ports = &rounds->ports,
				    .policy = order->policy,
				    .monotonic_ns = clock_monotonic_ns,
				    .real_ns = clock_real_ns(),
				    .capacity = order->capacity,
				    .new_per_sec = order->new_per_sec,
				    .is_calm = order->is_calm,
				    .births = order->is_listening ? &births : NULL,
				    .adopt = adopt,
				    .adopt_arg = rounds};
	struct flow_scan_report report = {0};
	int64_t began_ns = clock_monotonic_ns();

	memset(result, 0, sizeof(*result));
	if (order->policy_changed)
		rounds->host_ns = 0; /* whom it protects */
	rounds_ask_host(rounds, order->policy, began_ns);
	rounds_settle_bans(rounds, order->acts, began_ns);
	table.protect = rounds->protect;
	table.own = rounds->own;
	table.own_count = rounds->own_count;
	table.timeouts = rounds->has_timeouts ? &rounds->timeouts : NULL;
	adopt(rounds);
	if (order->policy_changed)
		guard_forget_chosen(rounds->guard);
	if (order->surge_began)
		guard_surge(rounds->guard, began_ns);
	result->is_renewal = order->is_renewal;
	if (result->is_renewal) {
		result->error = guard_renew(rounds->guard, &table, &report);
		rounds_keep_seniority(rounds);
	} else if (order->count) {
		guard_round(rounds->guard, &table, order->decisions, order->count, result->outcomes);
	}
	for (size_t i = 0; i < order->count; i++) {
		result->decisions[i] = order->decisions[i];
		if (!result->outcomes[i].is_mine)
			rounds_run_other(rounds, order->policy, &order->decisions[i], &table, &result->outcomes[i]);
		else if (order->decisions[i].action != POLICY_ACTION_SHORTEN)
			result->removed += result->outcomes[i].record.done;
	}
	result->count = order->count;
	result->seniors = seniority_counts_get(guard_seniority(rounds->guard));
	snprintf(result->note, sizeof(result->note), "%s", rounds->note);
	rounds->note[0] = '\0';
}

static void *round_thread(void *arg)
{
	struct rounds *rounds = arg;
	struct round_result *result = mem_alloc(sizeof(*result));
	uint64_t one = 1;

	pthread_mutex_lock(&rounds->lock);
	while (!rounds->is_stopping) {
		if (rounds->state != ROUNDS_ORDERED && !flow_ring_is_empty(rounds->put_in)) {
			pthread_mutex_unlock(&rounds->lock);
			adopt(rounds);
			pthread_mutex_lock(&rounds->lock);
			continue;
		}
		if (rounds->state != ROUNDS_ORDERED) {
			pthread_cond_wait(&rounds->changed, &rounds->lock);
			continue;
		}
		/* Nobody touches the order until the state changes. */
		pthread_mutex_unlock(&rounds->lock);
		run_order(rounds, &rounds->order, result);
		pthread_mutex_lock(&rounds->lock);
		rounds->result = *result;
		rounds->state = ROUNDS_DONE;
		if (write(rounds->done_fd, &one, sizeof(one)) < 0)
			continue; /* a counter at its top: the loop has been told */
	}
	pthread_mutex_unlock(&rounds->lock);
	free(result);
	return NULL;
}

static void rounds_free(struct rounds *rounds)
{
	guard_free(rounds->guard);
	flow_ring_free(rounds->put_in);
	flow_ring_free(rounds->born);
	flow_ring_free(rounds->gone);
	writer_close(rounds->writer);
	protect_free(rounds->protect);
	bans_close(rounds->bans);
	free(rounds->own);
	free(rounds->operators);
	free(rounds);
}

int rounds_start(const struct rounds_config *config, int done_fd, struct rounds **ret_rounds)
{
	struct rounds *rounds = mem_alloc(sizeof(*rounds));
	int result;

	rounds->config = *config;
	rounds->done_fd = done_fd;
	pthread_mutex_init(&rounds->lock, NULL);
	pthread_mutex_init(&rounds->bans_lock, NULL);
	pthread_mutex_init(&rounds->listener_lock, NULL);
	pthread_cond_init(&rounds->changed, NULL);
	rounds->guard = guard_new(&config->guard);
	rounds->put_in = flow_ring_new(ADOPTED_RING);
	rounds->born = flow_ring_new(BORN_RING);
	rounds->gone = flow_ring_new(GONE_RING);
	/* The service had its proofs made before it had fewer rights. */
	result = writer_open(PROOFS_DIR_DEFAULT, &rounds->writer);
	if (!result) {
		rounds->ports = writer_ports(rounds->writer);
		writer_on_delete(rounds->writer, on_delete, rounds);
		rounds_take_seniority_over(rounds);
		result = thread_start("ct-rounds", round_thread, rounds, &rounds->thread);
	}
	if (result) {
		rounds_free(rounds);
		return result;
	}
	*ret_rounds = rounds;
	return 0;
}

void rounds_end(struct rounds *rounds)
{
	pthread_mutex_lock(&rounds->lock);
	rounds->is_stopping = true;
	pthread_cond_signal(&rounds->changed);
	pthread_mutex_unlock(&rounds->lock);
	pthread_join(rounds->thread, NULL);
}

void rounds_stop(struct rounds *rounds, bool clear_bans)
{
	if (!rounds)
		return;
	if (rounds->state == ROUNDS_ORDERED) /* not begun */
		for (size_t i = 0; i < rounds->order.count; i++)
			policy_decision_done(&rounds->order.decisions[i]);
	if (rounds->state == ROUNDS_DONE)
		round_result_done(&rounds->result);
	settings_restore(rounds->config.state_dir, NULL, NULL);
	rounds_keep_seniority(rounds);
	if (clear_bans && rounds->bans)
		bans_clear(rounds->bans, NULL);
	rounds_free(rounds);
}

bool rounds_begin(struct rounds *rounds, const struct round_order *order)
{
	bool begun;

	pthread_mutex_lock(&rounds->lock);
	begun = rounds->state == ROUNDS_IDLE;
	if (begun) {
		rounds->order = *order;
		rounds->state = ROUNDS_ORDERED;
		pthread_cond_signal(&rounds->changed);
	}
	pthread_mutex_unlock(&rounds->lock);
	return begun;
}

bool rounds_take(struct rounds *rounds, struct round_result *ret_result)
{
	bool taken;

	pthread_mutex_lock(&rounds->lock);
	taken = rounds->state == ROUNDS_DONE;
	if (taken) {
		*ret_result = rounds->result;
		rounds->state = ROUNDS_IDLE;
	}
	pthread_mutex_unlock(&rounds->lock);
	return taken;
}

void round_result_done(struct round_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		policy_decision_done(&result->decisions[i]);
	result->count = 0;
}
