/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/warden: the loop's side of the guard: judges calm and surge, asks the policy at each tick, sends orders to the
 * rounds' thread, and writes down what came of them. */
#ifndef CTWARDEN_DAEMON_WARDEN_H
#define CTWARDEN_DAEMON_WARDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/problem.h"
#include "control.h"
#include "policy/evaluate.h"
#include "rounds.h"
#include "stats/calm.h"
#include "stats/snapshot.h"
#include "told.h"

struct engine;

struct warden_counts { /* since start */
	uint64_t rounds, renewals, records, evicted, failed;
};

struct warden {
	struct policy *policy;    /* in force; never NULL once loaded */
	struct policy *next;      /* waits until no round uses the old one */
	struct policy_memory *memory;
	enum policy_mode mode;    /* in force */
	enum policy_mode base_mode; /* of the policy or --mode */
	enum policy_mode judged_mode; /* in which the rules were last looked at */
	int64_t mode_until_ns;    /* switched at run time until then; 0: not */
	struct rounds *rounds;    /* NULL: no rule, or no right to act */
	struct ban_terms supposed, lifted; /* of the rounds */
	struct round_order *order;
	struct round_result *result;
	bool is_running, is_failing;
	struct calm_state calm;
	struct calm_verdict verdict;
	struct calm_config calm_config;
	bool surge_began, policy_changed; /* to be told with the next order */
	uint64_t adopted;         /* put in by user space since the last judgement of calm */
	uint64_t unrenewed;       /* the same since a renewal was asked for because of it */
	uint64_t removed;         /* by rounds since the last judgement of calm */
	uint64_t dropped, insert_failed; /* likewise, while a round ran */
	int64_t started_ns, renewal_ns, renewal_step_ns, looked_ns;
	uint64_t born;            /* flows since the last renewal */
	int64_t begun_ns, passed_ns, pass_took_ns; /* of the last order: when begun and ended, how long; 0: none yet */
	int64_t calm_passed_ns; /* when the last pass began that took what it met for the calm table; 0: none yet */
	int64_t round_ns;         /* when a round ended last; 0: never */
	int64_t quiet_ns;         /* when quiet was judged last, and with how many entries */
	uint64_t quiet_entries;
	int64_t dropped_ns;       /* when the table last dropped; 0: never */
	bool is_quiet;
	struct seniority_counts seniors;
	struct warden_counts counts;
	struct told told;         /* what observe would do, by rule of the policy in force */
	char last[SNAPSHOT_LAST_MAX];           /* the last record in words */
	int64_t last_real_ns;
};

struct daemon_config;

/* Loads the policy that the config names. 0 or -errno with the problem. */
int warden_load(const struct daemon_config *config, struct policy **ret_policy, struct problem *reterr_problem);
/* Takes policy over (also at a reload; the swap waits for a round under way). */
void warden_set_policy(struct engine *engine, struct policy *policy);
void warden_start(struct engine *engine, int64_t now_ns);
void warden_stop(struct engine *engine);
/* Puts kernel timeouts back that rules have lowered, with a record for each rule. Only while no order is under way. */
void warden_restore(struct engine *engine, const char *why);
/* After each reading. */
void warden_tick(struct engine *engine, int64_t now_ns);
void warden_on_done(struct engine *engine, int64_t now_ns);
/* Between polls while it is tight; 0: the usual. */
unsigned warden_poll_ms(const struct engine *engine);
/* A round is under way: what it takes out must not look like a table that empties by itself. */
bool warden_is_running(const struct engine *engine);
/* Rounds have been run in the last seconds. */
bool warden_is_at_work(const struct engine *engine, int64_t now_ns);
void warden_set_mode(struct engine *engine, enum policy_mode mode, int64_t for_ns, int64_t now_ns);

/* What status tells of the guard. */
void warden_tell(const struct engine *engine, struct snapshot *snapshot, int64_t now_ns);

/* The control commands mode, bans, unban and reload (warden_answer.c); NULL: none of them. */
char *warden_answer(struct engine *engine, const struct control_request *request);

#endif
