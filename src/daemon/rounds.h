/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds: the thread that runs guard rounds: it owns the guard's memory, the writer, the bans. Another thread
 * than that of the passes, so that a round never waits for one. One order at a time. */
#ifndef CTWARDEN_DAEMON_ROUNDS_H
#define CTWARDEN_DAEMON_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "action/guard.h"
#include "ban_terms.h"
#include "kernel/kernel.h"

struct rounds;

struct rounds_config {
	struct guard_config guard;
	size_t max_bans;
	/* Borrowed; of the rounds until they are stopped, which leaves them as they are. */
	struct ban_terms *supposed; /* in observe: would be in force */
	struct ban_terms *lifted;   /* by hand: not banned again until then */
	char state_dir[256];
	int gone_fd; /* borrowed: told where many that were deleted wait */
};

struct round_order {
	const struct policy *policy; /* borrowed until the result is taken */
	struct policy_decision decisions[POLICY_DECISIONS_MAX]; /* owned by the order */
	size_t count;
	bool is_renewal; /* a pass without decisions. Else, without any: the guard is only told of the surge */
	uint64_t capacity;
	double new_per_sec;
	bool is_calm, surge_began;
	bool policy_changed; /* since the last order */
	bool acts;	     /* the mode: else bans in force are left as they are */
	bool is_listening; /* to events: births are told */
};

struct round_result {
	bool is_renewal;
	int error; /* of a renewal */
	struct policy_decision decisions[POLICY_DECISIONS_MAX];
	struct guard_outcome outcomes[POLICY_DECISIONS_MAX];
	size_t count;
	uint64_t removed; /* entries that are gone by it */
	struct seniority_counts seniors;
	char note[160]; /* once: what could not be told or taken over; "" nothing */
};

/* done_fd (an eventfd, borrowed) is written to when an order has ended. 0, -EPERM, other -errno. */
int rounds_start(const struct rounds_config *config, int done_fd, struct rounds **ret_rounds);
/* Waits for the order under way and ends the thread; the result can still be taken. */
void rounds_end(struct rounds *rounds);
/* After rounds_end: keeps seniority in the state directory, puts kernel timeouts back; bans stay until their end but
 * with clear_bans. NULL allowed. */
void rounds_stop(struct rounds *rounds, bool clear_bans);
/* Takes *order over (and its decisions). False where one is under way or its result was not taken: then it stays the
 * caller's. */
bool rounds_begin(struct rounds *rounds, const struct round_order *order);
/* True where one has ended; *ret_result is the caller's, to be given to round_result_done. */
bool rounds_take(struct rounds *rounds, struct round_result *ret_result);
void round_result_done(struct round_result *result);
/* Puts kernel timeouts back. fn hears of each rule that held some: a record made from *frame, with why. Only while no
 * order is under way. */
typedef void rounds_record_fn(const struct action_record *record, void *arg);
void rounds_restore(struct rounds *rounds, const struct action_record *frame, const char *why, rounds_record_fn *fn,
		    void *arg);

/* A NEW event that user space caused: what is answered and assured becomes senior. Of the loop; rounds_adopt_now wakes
 * the thread where something waits. A ring of 16,384: what finds no place is counted as lost. */
void rounds_adopt(struct rounds *rounds, const struct flow *flow);
void rounds_adopt_now(struct rounds *rounds);
struct rounds_adoption { /* since the start */
	uint64_t adopted, lost;
};
struct rounds_adoption rounds_adopted(const struct rounds *rounds);
/* A NEW event that traffic caused; rounds may be NULL. Of the loop; costs next to nothing where no round wants to hear
 * of it. */
void rounds_hear(struct rounds *rounds, const struct flow *flow);
/* Events were lost, or nobody listened; rounds may be NULL. Of the loop. */
void rounds_miss(struct rounds *rounds, uint64_t count);
/* The netlink port of what rounds delete one by one, and whether this is any of theirs. */
uint32_t rounds_portid(const struct rounds *rounds);
bool rounds_has_portid(const struct rounds *rounds, uint32_t portid);

/* What rounds have deleted one by one, the oldest first: the original tuple, zones and id; at most max. A ring of
 * 32,768. Of the loop. */
size_t rounds_take_gone(struct rounds *rounds, struct flow *ret_flows, size_t max);
uint64_t rounds_gone(const struct rounds *rounds); /* how many came into the ring, since the start */
/* Of how many nobody could tell whether they are gone, or which: since the start. */
uint64_t rounds_gone_lost(const struct rounds *rounds);
/* Whose deaths are muted (events_mute_deaths) while many are deleted at a time; NULL: nobody's. It must skip what
 * rounds delete, and live until another is set. */
struct listener;
void rounds_set_listener(struct rounds *rounds, struct listener *listener);
/* How often that began or ended: whoever else died meanwhile is not heard of. */
uint64_t rounds_muted(const struct rounds *rounds);
/* True: it could not be ended, and no death is heard of any more. */
bool rounds_are_deaf(const struct rounds *rounds);
/* True: the kernel may have deleted some that are not in the ring yet. */
bool rounds_are_deleting(const struct rounds *rounds);

/* Bans, from any thread; block while a round bans (milliseconds). */
int rounds_bans(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max, size_t *ret_count,
		struct problem *reterr_problem);
/* How many are in force; of those an earlier run left only where opens (asks nft, once). */
size_t rounds_ban_count(struct rounds *rounds, int64_t now_ns, bool opens);
/* Who is spared after an unban and until when, the first to end first: at most max. */
size_t rounds_spared(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max);

struct rounds_lifted {
	struct ban *bans; /* as they were, the first to end first; to be freed */
	size_t count;
	int64_t spared_until_ns; /* (monotonic) the guard bans nothing that shares an address with it; 0: it may */
	struct ban wider;	 /* who else holds it, a wider ban, the strictest; until_ns 0: none */
};
/* Lifts the bans of this prefix, at all its rates, and spares it for as long as they would have lasted; NULL: all, and
 * who was spared is no longer: the guard decides anew. 0 also where there was none; -errno with the problem. */
int rounds_unban(struct rounds *rounds, const struct prefix *prefix, struct rounds_lifted *ret_lifted,
		 struct problem *reterr_problem);
/* The same of bans that are no rounds': nobody is spared. */
int rounds_lift(struct bans *bans, const struct prefix *prefix, struct rounds_lifted *ret_lifted,
		struct problem *reterr_problem);

#endif
