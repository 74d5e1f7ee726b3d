/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds: from an order to a result, in a thread of its own. Knows nothing of levels, alarms or clients. */
#include "rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ban_check.h"
#include "held.h"
#include "settings.h"

#define HOST_FRESH_NS (2 * NS_PER_SEC) /* how old the operator's sockets may be */
#define SENIORITY_FILE "seniority"

enum rounds_state { ROUNDS_IDLE, ROUNDS_ORDERED, ROUNDS_DONE };

struct rounds {
	struct rounds_config config;
	int done_fd; /* borrowed */
	pthread_t thread;
	pthread_mutex_t lock; /* of state, order, result */
	pthread_cond_t changed;
	bool is_stopping;
	enum rounds_state state;
	struct round_order order;
	struct round_result result;
	/* Of the thread: */
	struct guard *guard;
	struct writer *writer;
	struct flow_ports ports;
	struct protect *protect;
	struct addr *own;
	size_t own_count;
	struct flow_tuple *operators;
	size_t operator_count;
	struct flow_timeouts timeouts;
	bool has_timeouts, is_operator_hidden;
	struct held held;
	int64_t host_ns; /* when the host was asked; 0: never */
	char note[160];
	pthread_mutex_t bans_lock;
	struct bans *bans; /* NULL: not opened yet */
	bool were_bans_asked;
};

/* ---- kept between runs ---- */

static bool boot_id(uint8_t ret[SENIORITY_BOOT_ID])
{
	char text[64] = "";
	unsigned byte, at = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i + 1 < len && at < SENIORITY_BOOT_ID; i++) {
		if (text[i] == '-')
			continue;
		if (sscanf(&text[i], "%2x", &byte) != 1)
			return false;
		ret[at++] = (uint8_t)byte;
		i++;
	}
	return at == SENIORITY_BOOT_ID;
}

static void keep_seniority(struct rounds *rounds)
{
	struct seniority *seniority = guard_seniority(rounds->guard);
	uint8_t id[SENIORITY_BOOT_ID];
	char path[512], fresh[520];
	size_t len;
	void *buf;
	int fd;

	if (!boot_id(id))
		return;
	snprintf(path, sizeof(path), "%s/%s", rounds->config.state_dir, SENIORITY_FILE);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	/* It holds the key of the hashes. */
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	buf = mem_alloc(seniority_saved_max(seniority));
	len = seniority_save(seniority, clock_monotonic_ns(), id, buf);
	if (write(fd, buf, len) != (ssize_t)len || rename(fresh, path))
		unlink(fresh);
	close(fd);
	free(buf);
}

static void take_seniority_over(struct rounds *rounds)
{
	struct seniority *seniority = guard_seniority(rounds->guard);
	size_t max = seniority_saved_max(seniority);
	uint8_t id[SENIORITY_BOOT_ID], *buf;
	char path[512];
	ssize_t len;
	int fd, result;

	snprintf(path, sizeof(path), "%s/%s", rounds->config.state_dir, SENIORITY_FILE);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	buf = mem_alloc(max + 1);
	len = read(fd, buf, max + 1);
	close(fd);
	result = len > 0 && boot_id(id) ? seniority_restore(seniority, clock_monotonic_ns(), id, buf, (size_t)len) : -EINVAL;
	if (!result)
		snprintf(rounds->note, sizeof(rounds->note), "%llu senior flows of the last run are known",
			 (unsigned long long)seniority_counts_get(seniority).seniors);
	else if (result == -EINVAL)
		snprintf(rounds->note, sizeof(rounds->note), "%.100s is damaged: seniority begins anew", path);
	free(buf);
}

/* ---- the host ---- */

/* Where the operator's sockets cannot be seen (no right to look into /proc/PID/fd), ssh at its usual port is spared. */
static void protect_ssh_port(struct protect *protect)
{
	static const enum flow_filter_key keys[] = {FILTER_DPORT, FILTER_REPLY_SPORT};

	for (size_t i = 0; i < 2; i++) {
		struct flow_filter *filter = flow_filter_new();

		flow_filter_add(filter, FILTER_PROTOCOL, "tcp", false, NULL);
		flow_filter_add(filter, keys[i], "22", false, NULL);
		flow_filter_add(filter, FILTER_UNREPLIED, NULL, true, NULL);
		if (protect_add(protect, filter, "operator (port 22)"))
			flow_filter_free(filter);
	}
}

static void ask_host(struct rounds *rounds, const struct policy *policy, int64_t now_ns)
{
	struct addr *own;
	int result;

	if (rounds->host_ns && now_ns - rounds->host_ns < HOST_FRESH_NS)
		return;
	rounds->host_ns = now_ns;
	rounds->has_timeouts = !timeouts_read(&rounds->timeouts);
	/* Where they cannot be read (no memory, no descriptor) those of the last time hold: none would spare nothing. */
	own = rounds->own;
	if (!host_addresses(&rounds->own, &rounds->own_count))
		free(own);
	free(rounds->operators);
	rounds->operators = NULL;
	rounds->operator_count = 0;
	protect_free(rounds->protect);
	rounds->protect = protect_new();
	if (!policy->protects_operator)
		return;
	result = host_operator_sockets(&rounds->operators, &rounds->operator_count);
	if (!result) {
		protect_set_operator(rounds->protect, rounds->operators, rounds->operator_count);
		return;
	}
	protect_ssh_port(rounds->protect);
	if (!rounds->is_operator_hidden)
		snprintf(rounds->note, sizeof(rounds->note),
			 "the sockets of sshd cannot be seen (%s): answered flows to port 22 are spared instead",
			 strerror(-result));
	rounds->is_operator_hidden = true;
}

/* ---- bans and settings ---- */

static int open_bans(struct rounds *rounds, struct problem *problem)
{
	return rounds->bans ? 0 : bans_open(rounds->config.max_bans, &rounds->bans, problem);
}

static uint64_t bans_of_rule(struct rounds *rounds, double rate, int64_t now_ns)
{
	const struct ban *list;
	uint64_t same = 0;
	size_t count;

	list = bans_list(rounds->bans, now_ns, &count);
	for (size_t i = 0; i < count; i++)
		same += list[i].rate_per_sec == rate;
	return same;
}

static int ban(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
	       struct action_record *record)
{
	const struct policy_do *action = &policy->rules[decision->rule].action;
	struct ban_context context = {.policy = policy,
				      .own = rounds->own,
				      .own_count = rounds->own_count,
				      .operators = rounds->operators,
				      .operator_count = rounds->operator_count};
	int64_t now_ns = clock_monotonic_ns();
	struct ban ban = {.prefix = decision->prefix,
			  .until_ns = now_ns + action->duration_ns,
			  .rate_per_sec = action->rate_per_sec};
	struct problem problem = {0};
	int result;

	record->matched = record->left = 1;
	if (!ban_allowed(&context, &ban.prefix, record->how, sizeof(record->how))) {
		record->spared = 1;
		return 0;
	}
	if (decision->would)
		return 0;
	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, &problem);
	if (!result && bans_of_rule(rounds, ban.rate_per_sec, now_ns) >= action->max_bans) {
		snprintf(record->how, sizeof(record->how), "the rule's %llu bans are in force already",
			 (unsigned long long)action->max_bans);
		pthread_mutex_unlock(&rounds->bans_lock);
		return 0;
	}
	if (!result)
		result = bans_add(rounds->bans, &ban, &problem);
	pthread_mutex_unlock(&rounds->bans_lock);
	if (result) {
		snprintf(record->how, sizeof(record->how), "%s", problem.text);
		return result;
	}
	record->done = 1;
	record->left = 0;
	return 0;
}

static int change_timeouts(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
			   struct action_record *record)
{
	const struct policy_rule *rule = &policy->rules[decision->rule];
	struct problem problem = {0};
	int result;

	record->matched = record->left = 1;
	if (decision->would)
		return 0;
	if (decision->is_end)
		result = held_let_go(&rounds->held, rounds->config.state_dir, rule->name, &problem);
	else
		result = held_take(&rounds->held, rounds->config.state_dir, rule, &problem);
	if (result) {
		snprintf(record->how, sizeof(record->how), "%.60s: %.250s", problem.path, problem.text);
		return result;
	}
	record->done = 1;
	record->left = 0;
	return 0;
}

/* Decisions that change no entry. */
static void run_other(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
		      const struct guard_table *table, struct guard_outcome *outcome)
{
	struct action_record *record = &outcome->record;
	int64_t began_ns = clock_monotonic_ns();

	*record = (struct action_record){.real_ns = table->real_ns,
					 .level = decision->level,
					 .mode = decision->would ? POLICY_MODE_OBSERVE : POLICY_MODE_ACT,
					 .action = decision->action,
					 .is_end = decision->is_end,
					 .capacity = table->capacity};
	snprintf(record->rule, sizeof(record->rule), "%s", policy->rules[decision->rule].name);
	snprintf(record->key, sizeof(record->key), "%s", decision->key_text);
	snprintf(record->reason, sizeof(record->reason), "%s", decision->reason);
	record->error = decision->action == POLICY_ACTION_BAN ? ban(rounds, policy, decision, record)
							      : change_timeouts(rounds, policy, decision, record);
	record->duration_ns = clock_monotonic_ns() - began_ns;
	outcome->effect = (struct policy_effect){.error = record->error,
						 .matched = record->matched,
						 .done = record->done,
						 .seconds = (double)record->duration_ns / 1e9};
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
				    .is_calm = order->is_calm};
	struct flow_scan_report report = {0};
	int64_t began_ns = clock_monotonic_ns(), cpu_ns = clock_cpu_ns();

	memset(result, 0, sizeof(*result));
	ask_host(rounds, order->policy, began_ns);
	table.protect = rounds->protect;
	table.own = rounds->own;
	table.own_count = rounds->own_count;
	table.timeouts = rounds->has_timeouts ? &rounds->timeouts : NULL;
	if (order->surge_began)
		guard_surge(rounds->guard, began_ns);
	result->is_renewal = order->count == 0;
	if (result->is_renewal) {
		result->error = guard_renew(rounds->guard, &table, &report);
		keep_seniority(rounds);
	} else {
		guard_round(rounds->guard, &table, order->decisions, order->count, result->outcomes);
	}
	for (size_t i = 0; i < order->count; i++) {
		result->decisions[i] = order->decisions[i];
		if (!result->outcomes[i].is_mine)
			run_other(rounds, order->policy, &order->decisions[i], &table, &result->outcomes[i]);
		else if (order->decisions[i].action != POLICY_ACTION_SHORTEN)
			result->removed += result->outcomes[i].record.done;
	}
	result->count = order->count;
	result->seniors = seniority_counts_get(guard_seniority(rounds->guard));
	result->took_ns = clock_monotonic_ns() - began_ns;
	result->cpu_ns = clock_cpu_ns() - cpu_ns;
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
	sigset_t all, old;
	int result;

	rounds->config = *config;
	rounds->done_fd = done_fd;
	pthread_mutex_init(&rounds->lock, NULL);
	pthread_mutex_init(&rounds->bans_lock, NULL);
	pthread_cond_init(&rounds->changed, NULL);
	rounds->guard = guard_new(&config->guard);
	result = writer_open(NULL, &rounds->writer);
	if (!result) {
		rounds->ports = writer_ports(rounds->writer);
		take_seniority_over(rounds);
		/* Signals belong to the loop. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		result = -pthread_create(&rounds->thread, NULL, round_thread, rounds);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
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
	keep_seniority(rounds);
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

/* ---- bans, asked from outside ---- */

int rounds_bans(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max, size_t *ret_count,
		struct problem *reterr_problem)
{
	const struct ban *list;
	size_t count = 0;
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result) {
		list = bans_list(rounds->bans, now_ns, &count);
		count = count < max ? count : max;
		if (count)
			memcpy(ret_bans, list, count * sizeof(*list));
		*ret_count = count;
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

size_t rounds_ban_count(struct rounds *rounds, int64_t now_ns, bool opens)
{
	size_t count = 0;

	pthread_mutex_lock(&rounds->bans_lock);
	if (opens && !rounds->bans && !rounds->were_bans_asked)
		open_bans(rounds, NULL);
	rounds->were_bans_asked |= opens;
	if (rounds->bans)
		bans_list(rounds->bans, now_ns, &count);
	pthread_mutex_unlock(&rounds->bans_lock);
	return count;
}

int rounds_unban(struct rounds *rounds, const struct prefix *prefix, struct problem *reterr_problem)
{
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result)
		result = bans_remove(rounds->bans, prefix, reterr_problem);
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

int rounds_unban_all(struct rounds *rounds, size_t *ret_count, struct problem *reterr_problem)
{
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result) {
		bans_list(rounds->bans, clock_monotonic_ns(), ret_count);
		result = bans_clear(rounds->bans, reterr_problem);
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}
