/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/worker: builds a new picture by a pass over the table, in a thread of its own, so that neither the loop nor
 * the event socket waits for it. Knows nothing of levels, alarms or clients. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kernel/kernel.h"

#define SEEN_MAX_BYTES (64u << 20) /* fingerprints of about 8 million flows */

enum worker_state { WORKER_IDLE, WORKER_ORDERED, WORKER_DONE };

struct worker {
	int done_fd; /* borrowed */
	pthread_t thread;
	pthread_mutex_t lock; /* of state, order, result */
	pthread_cond_t changed;
	atomic_bool is_stopping;
	enum worker_state state;
	struct pass_order order;
	struct pass result;
	struct counters *counters; /* of the thread */
};

/* What the callbacks of one pass need. */
struct pass_run {
	const struct pass_order *order;
	struct pass *pass;
	struct worker *worker;
};

void pass_done(struct pass *pass)
{
	picture_free(pass->picture);
	seen_free(pass->seen);
	memset(pass, 0, sizeof(*pass));
}

static void pass_begin(struct pass *pass, const struct pass_order *order)
{
	pass_done(pass);
	pass->picture = picture_new(&order->picture);
	if (order->wants_seen)
		pass->seen = seen_new((size_t)order->expected + 1024, SEEN_MAX_BYTES);
	pass->picture->pass_started_ns = clock_monotonic_ns();
}

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct pass_run *run = arg;

	(void)raw;
	(void)raw_len;
	picture_add(run->pass->picture, flow);
	if (run->pass->seen)
		seen_add(run->pass->seen, flow);
	return true;
}

static bool on_progress(uint64_t received, void *arg)
{
	const struct pass_run *run = arg;

	(void)received;
	return !atomic_load(&run->worker->is_stopping);
}

/* The hash was resized: what was gathered is void, the journal since the first try stays good (the start of the pass is
 * later, and an event that the new try has seen is told apart as any other). */
static void on_redo(void *arg)
{
	struct pass_run *run = arg;

	pass_begin(run->pass, run->order);
}

static uint64_t count_now(struct worker *worker)
{
	struct table_reading reading = { 0 };

	if (!worker->counters || counters_read(worker->counters, &reading) < 0)
		return 0;
	return reading.entries;
}

static void run_pass(struct worker *worker, const struct pass_order *order, struct pass *ret_pass)
{
	struct pass pass = { 0 };
	struct pass_run run = { .order = order, .pass = &pass, .worker = worker };
	struct scan_options options = { .on_progress = on_progress, .on_redo = on_redo, .arg = &run };
	struct flow_scan_report report = { 0 };
	int64_t cpu_ns = clock_cpu_ns();
	uint64_t before = count_now(worker);
	int r;

	pass_begin(&pass, order);
	r = scan_flows(NULL, NULL, on_flow, &run, &options, &report);
	if (r == 0 && atomic_load(&worker->is_stopping))
		r = -ECANCELED;
	if (r < 0)
		pass_done(&pass);
	pass.error = r;
	pass.report = report;
	pass.counted_before = before;
	pass.counted_after = count_now(worker);
	if (pass.picture) {
		pass.picture->pass_ended_ns = clock_monotonic_ns();
		pass.picture->pass_real_ns = clock_real_ns();
		pass.picture->pass_cpu_ns = clock_cpu_ns() - cpu_ns;
		if (report.unsettled)
			pass.picture->is_approximate = true;
	}
	*ret_pass = pass;
}

static void *work_thread(void *arg)
{
	struct worker *worker = arg;
	struct pass_order order;
	struct pass pass;
	uint64_t one = 1;

	pthread_mutex_lock(&worker->lock);
	while (!atomic_load(&worker->is_stopping)) {
		if (worker->state != WORKER_ORDERED) {
			pthread_cond_wait(&worker->changed, &worker->lock);
			continue;
		}
		order = worker->order;
		pthread_mutex_unlock(&worker->lock);
		run_pass(worker, &order, &pass);
		pthread_mutex_lock(&worker->lock);
		worker->result = pass;
		worker->state = WORKER_DONE;
		if (write(worker->done_fd, &one, sizeof(one)) < 0)
			continue; /* a counter at its top: the loop has been told */
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

int worker_start(int done_fd, struct worker **ret_worker)
{
	struct worker *worker = mem_alloc(sizeof(*worker));
	int r;

	worker->done_fd = done_fd;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->changed, NULL);
	if (counters_open(&worker->counters) < 0)
		worker->counters = NULL; /* then the gap between counter and list is not known */
	r = thread_start("ct-passes", work_thread, worker, &worker->thread);
	if (r < 0) {
		counters_close(worker->counters);
		free(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->is_stopping, true);
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pass_done(&worker->result);
	if (worker->counters)
		counters_close(worker->counters);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

bool worker_begin(struct worker *worker, const struct pass_order *order)
{
	bool begun;

	pthread_mutex_lock(&worker->lock);
	begun = worker->state == WORKER_IDLE;
	if (begun) {
		worker->order = *order;
		worker->state = WORKER_ORDERED;
		pthread_cond_signal(&worker->changed);
	}
	pthread_mutex_unlock(&worker->lock);
	return begun;
}

bool worker_take(struct worker *worker, struct pass *ret_pass)
{
	bool taken;

	pthread_mutex_lock(&worker->lock);
	taken = worker->state == WORKER_DONE;
	if (taken) {
		*ret_pass = worker->result;
		memset(&worker->result, 0, sizeof(worker->result));
		worker->state = WORKER_IDLE;
	}
	pthread_mutex_unlock(&worker->lock);
	return taken;
}
