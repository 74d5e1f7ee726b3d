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
#include "settings.h"

/* ---- what user space puts in ---- */

static void adopt_one(const struct flow *flow, void *arg)
{
	guard_adopt(arg, flow, clock_monotonic_ns());
}

/* In the thread. */
static void adopt(void *arg)
{
	struct rounds *rounds = arg;

	if (adoption_is_empty(rounds->adoption))
		return;
	adoption_drain(rounds->adoption, adopt_one, rounds->guard);
	atomic_store(&rounds->adopted, seniority_counts_get(guard_seniority(rounds->guard)).adopted);
}

void rounds_adopt(struct rounds *rounds, const struct flow *flow)
{
	adoption_offer(rounds->adoption, flow);
}

void rounds_adopt_now(struct rounds *rounds)
{
	if (adoption_is_empty(rounds->adoption))
		return;
	pthread_mutex_lock(&rounds->lock);
	pthread_cond_signal(&rounds->changed);
	pthread_mutex_unlock(&rounds->lock);
}

struct rounds_adoption rounds_adopted(const struct rounds *rounds)
{
	return (struct rounds_adoption){.adopted = atomic_load(&rounds->adopted),
					.lost = adoption_lost(rounds->adoption)};
}

uint32_t rounds_portid(const struct rounds *rounds)
{
	return writer_portid(rounds->writer);
}

/* ---- the thread ---- */

static void run_order(struct rounds *rounds, struct round_order *order, struct round_result *result)
{
	struct guard_table table = {.ports = &rounds->ports,
				    .policy = order->policy,
				    .monotonic_ns = clock_monotonic_ns,
				    .real_ns = clock_real_ns(),
				    .capacity = order->capacity,
				    .new_per_sec = order->new_per_sec,
				    .is_calm = order->is_calm,
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
	result->is_renewal = order->count == 0;
	if (result->is_renewal) {
		result->error = guard_renew(rounds->guard, &table, &report);
		rounds_keep_seniority(rounds);
	} else {
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
		if (rounds->state != ROUNDS_ORDERED && !adoption_is_empty(rounds->adoption)) {
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
	adoption_free(rounds->adoption);
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
	pthread_cond_init(&rounds->changed, NULL);
	rounds->guard = guard_new(&config->guard);
	rounds->adoption = adoption_new();
	/* The service had its proofs made before it had fewer rights. */
	result = writer_open(PROOFS_DIR_DEFAULT, &rounds->writer);
	if (!result) {
		rounds->ports = writer_ports(rounds->writer);
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

void rounds_stop(struct rounds *rounds, bool clear_bans)
{
	if (!rounds)
		return;
	pthread_mutex_lock(&rounds->lock);
	rounds->is_stopping = true;
	pthread_cond_signal(&rounds->changed);
	pthread_mutex_unlock(&rounds->lock);
	pthread_join(rounds->thread, NULL);
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

void rounds_restore(struct rounds *rounds)
{
	if (!settings_restore(rounds->config.state_dir, NULL, NULL))
		rounds->held.count = 0;
}

void round_result_done(struct round_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		policy_decision_done(&result->decisions[i]);
	result->count = 0;
}
