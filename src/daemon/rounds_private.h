/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds_private: what the files of rounds share. */
#ifndef CTWARDEN_DAEMON_ROUNDS_PRIVATE_H
#define CTWARDEN_DAEMON_ROUNDS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "flow_ring.h"
#include "held.h"
#include "rounds.h"

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
	/* Of two threads: */
	struct flow_ring *put_in; /* by user space */
	struct flow_ring *born;	  /* while the guard wants to hear of births */
	struct flow_ring *gone;	  /* by the thread: what it has deleted */
	atomic_bool wants_born, is_deleting;
	atomic_uint_fast64_t adopted; /* written by the thread */
	pthread_mutex_t listener_lock; /* of listener and is_muted */
	struct listener *listener;     /* borrowed; NULL: nobody listens who skips what the thread deletes */
	bool is_muted;		       /* the listener, by the thread */
	atomic_bool is_deaf;	       /* it could not be unmuted */
	atomic_uint_fast64_t muted;
	/* Of the thread: */
	struct guard *guard;
	uint64_t born_lost; /* when it began to hear */
	struct writer *writer;
	struct flow_ports ports;
	struct protect *protect;
	struct addr *own;
	size_t own_count;
	struct addr gateways[HOST_GATEWAYS_MAX]; /* asked for where something is to be banned */
	size_t gateway_count;
	int64_t gateways_ns, gateways_took_ns; /* when (0: never), and for how long */
	bool knows_gateways;
	struct flow_tuple *operators;
	size_t operator_count;
	struct flow_timeouts timeouts;
	bool has_timeouts, is_operator_hidden;
	struct held held;
	int64_t host_ns; /* when the host was asked; 0: never */
	char note[160];
	pthread_mutex_t bans_lock;
	struct bans *bans; /* NULL: not opened yet */
	bool were_bans_asked, are_bans_lost;
	bool tends_bans; /* in mode act, of the last order */
	int64_t bans_ns; /* when it was looked whether the kernel still has them */
};

/* rounds_host.c: who this host is, and what it kept of the last run. */
void rounds_keep_seniority(struct rounds *rounds);
void rounds_take_seniority_over(struct rounds *rounds);
/* Its addresses, the operator's sockets, the base timeouts: into rounds, where they are not fresh. */
void rounds_ask_host(struct rounds *rounds, const struct policy *policy, int64_t now_ns);

/* rounds_other.c: a decision that changes no entry (bans, kernel timeouts). */
void rounds_run_other(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
		      const struct guard_table *table, struct guard_outcome *outcome);
/* rounds_bans.c: one of them a ban. 0 and *ret_settled_ns, until when there is nothing to be done for this source (0:
 * there is); -errno. */
int rounds_ban(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
	       struct action_record *record, int64_t *ret_settled_ns);
/* What bans have ended, ended; where the mode is act, what stood behind one comes into force and what somebody removed
 * is put back. */
void rounds_settle_bans(struct rounds *rounds, bool acts, int64_t now_ns);

#endif
