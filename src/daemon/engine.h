/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/engine: one watched table: its readings, picture, level, alarms, store and clients. The loop thread owns all
 * of it; listener and worker are its two helpers. Two engines can live in one process: nothing here is global. */
#ifndef CTWARDEN_DAEMON_ENGINE_H
#define CTWARDEN_DAEMON_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "alarm.h"
#include "base/problem.h"
#include "config.h"
#include "control.h"
#include "kept.h"
#include "kernel/kernel.h"
#include "listener.h"
#include "stats/adopted.h"
#include "stats/snapshot.h"
#include "store/store.h"
#include "warden.h"
#include "worker.h"

struct event;
struct event_base;

/* Passes over the table and the picture they make (passes.c). */
struct passes {
	struct worker *worker;
	struct picture *picture; /* in force; NULL: none yet */
	struct journal *journal;
	bool is_running;    /* the worker has an order */
	bool is_journalled; /* every event since the pass began is in the journal */
	bool is_waiting;    /* built waits for the fence */
	struct pass built;
	uint64_t fence;         /* 0: not asked for yet */
	uint64_t gone;          /* what rounds had deleted by then */
	int64_t fence_until_ns;
	int64_t begun_ns;       /* the last pass */
	int64_t ended_ns;       /* 0: none yet */
	int64_t cpu_ns;
	uint64_t lost_before;   /* events lost in all when it began */
	uint64_t muted_before, muted_seen; /* rounds_muted when it began, and when that of the picture in force did */
	int64_t repair_ns;      /* a pass is wanted from then on; 0: none */
	bool waits_for_drift;   /* and for nothing but a drift */
	int64_t repair_delay_ns;
	int64_t lost_ns;        /* when events were last lost */
	uint64_t counted_before, counted_after, listed;
	int64_t gap;            /* counter minus picture when it took over */
	int64_t drift_since_ns; /* counter and picture have disagreed since; 0: they agree */
	unsigned redone;        /* since start */
	uint64_t not_kernel;    /* messages of other senders in its dumps, since start */
	bool is_failure_said, is_based;
};

/* Whether and how well the daemon listens (subscription.c). */
struct subscription {
	struct listener *listener; /* NULL: not listening */
	bool is_off_in_kernel;     /* nf_conntrack_events = 0 */
	bool is_refused;           /* said: no CAP_NET_ADMIN or another error */
	int64_t retry_ns;          /* when to subscribe again; 0: not planned */
	int64_t rest_ns;           /* how long it rests the next time */
	int64_t high_since_ns;     /* new flows above the maximum since; 0: not */
	int64_t trial_until_ns;    /* back from a rest, must stay below 80 %; 0: no trial */
	int64_t checked_ns;        /* of the kernel's setting */
	bool is_never_muted;       /* once unmuting has failed */
	bool skips_own;            /* what rounds delete one by one comes from them, not as events */
	/* Of that: how many are counted out, how many will be when the fence has passed (the same: none), how many
	 * were lost. */
	uint64_t gone_taken, gone_due, gone_fence, gone_lost, gone_lost_told;
	uint64_t births;           /* since the last tick */
	uint64_t arrivals;         /* with what user space put in */
	double births_last_per_sec, arrivals_last_per_sec, new_per_sec;
	int64_t put_high_since_ns; /* as high_since_ns, of all arrivals */
	struct events_counts before; /* of the sockets closed */
	struct events_counts now;    /* of all */
	char note[128];
};

struct engine {
	struct event_base *base;
	struct daemon_config config;
	struct table_netns netns;
	struct counters *counters;
	struct store *store; /* NULL: the state directory cannot be written */
	struct control *control;
	struct alarms *alarms;
	struct kept *kept;   /* of the picture's view, for a tick */
	struct cause_memory *causes; /* what drove the table to its level */
	struct passes passes;
	struct subscription subscription;
	struct warden warden;
	struct adopted_state adopted;
	uint64_t foreign_put, foreign_deleted; /* NEW and DESTROY events that others caused since the last reading */
	uint64_t lost_before; /* events lost in all at the last reading */
	struct fill fill;
	struct level_state level;
	int64_t level_since_real_ns, since_real_ns;
	int64_t ticked_ns, picture_ticked_ns;
	int64_t calm_since_ns; /* 0: not calm */
	int64_t topline_ns;    /* when the next is due */
	bool can_prove;        /* rounds prove by themselves what the kernel's filter may delete */
	bool is_unreadable;    /* said: the counters cannot be read */
	bool is_hidden;        /* said: the files of /proc/sys cannot be read */
	int ready_fd, done_fd, round_fd; /* eventfds of listener, worker and rounds */
	struct event *tick_event, *ready_event, *done_event, *round_event;
	unsigned tick_ms;      /* in force */
	struct event *again_event; /* more events are ready: after the timers */
	/* What a client's "reload" does, set by who knows the command line; NULL: nothing. 0 or -errno with the
	 * problem. */
	int (*reload)(void *arg, struct problem *reterr_problem);
	void *reload_arg;
};

/* Starts watching the table of the calling thread's namespace. 0; -errno with the problem. */
int engine_start(struct event_base *base, const struct daemon_config *config, bool is_json,
		 struct engine **ret_engine, struct problem *reterr_problem);
/* Takes another config over completely, or leaves the old one in force and says why not. */
int engine_reload(struct engine *engine, const struct daemon_config *config, struct problem *reterr_problem);
void engine_stop(struct engine *engine); /* NULL allowed */

/* ---- between the files of the engine ---- */

/* Lets the waiting alarm out with what the last pass tells of its cause. */
void engine_release_alarm(struct engine *engine, int64_t now_ns);
/* Adds what passes and events tell of the table. kept: NULL where the rankings of this very moment are wanted. */
void engine_add_passes(const struct engine *engine, struct kept *kept, struct snapshot *snapshot, int64_t now_ns);
/* The daemon's view of this moment (view.c). */
void engine_snapshot(const struct engine *engine, struct snapshot *ret_snapshot);
/* The same without what costs to gather: no rankings, no cause. */
void engine_snapshot_brief(const struct engine *engine, struct snapshot *ret_snapshot);
/* Takes up to budget events from the listener; returns how many. */
size_t engine_take_events(struct engine *engine, size_t budget);
void engine_take_all_events(struct engine *engine); /* that wait when it begins */
/* Takes what rounds have deleted one by one, as far as all earlier events have come; asks for a fence for the rest. */
void engine_take_gone(struct engine *engine);
/* The same up to the number `last` of rounds_gone, of which the caller knows that. */
void engine_take_gone_up_to(struct engine *engine, uint64_t last);
bool engine_awaits_gone(const struct engine *engine); /* some are deleted and not taken yet */
/* Events, and deletes of rounds, that nobody could tell of, since the start. */
uint64_t engine_lost(const struct engine *engine);

int passes_start(struct engine *engine);
void passes_stop(struct engine *engine);
void passes_tick(struct engine *engine, int64_t now_ns);     /* begins what is due */
bool passes_begin(struct engine *engine, int64_t now_ns);    /* at once; false: one is under way or none is possible */
void passes_on_done(struct engine *engine, int64_t now_ns);  /* the worker has told */
void passes_check_fence(struct engine *engine, int64_t now_ns);
/* So many births and deaths since the last pass that its classes and mix no longer hold. */
bool passes_outgrown(const struct engine *engine);
void passes_want(struct engine *engine, int64_t at_ns);      /* a pass from at_ns on */
void passes_lost(struct engine *engine, uint64_t lost, int64_t now_ns);
void passes_compare(struct engine *engine, int64_t now_ns);  /* the picture with the reading just taken */
void passes_blind(struct engine *engine);                    /* nobody listens from now on */

void subscription_start(struct engine *engine, int64_t now_ns);
void subscription_stop(struct engine *engine);
void subscription_reload(struct engine *engine, bool buffer_changed, int64_t now_ns);
void subscription_tick(struct engine *engine, int64_t now_ns, int64_t span_ns);
bool subscription_is_listening(const struct engine *engine);
/* Rounds have begun: they tell of what they delete themselves, and for half of what an event costs. */
void subscription_skip_own(struct engine *engine);
/* So many births since the last reading that the next one must not wait for the tick. */
bool subscription_is_rush(const struct engine *engine, int64_t now_ns);

/* Answers requests of the control socket (answer.c); arg is the engine. */
char *answer_request(const struct control_request *request, void *arg);

#endif
