/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/evaluate: from a policy and a snapshot to decisions with reasons. Pure: the same policy,
 * snapshot, memory and time give the same decisions; nothing is asked of anyone. */
#ifndef CTWARDEN_POLICY_EVALUATE_H
#define CTWARDEN_POLICY_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "stats/ranking.h"
#include "stats/snapshot.h"

#define POLICY_DECISIONS_MAX 64
#define POLICY_ALL	     UINT64_MAX /* want: all that match */
#define POLICY_REASON_MAX    320
#define POLICY_HEADROOM_SEC  5.0 /* until.headroom_sec by default */
#define POLICY_ROUND_SEC     0.3 /* flows that do not fit the surge make room for this long only, or
				  * until the next round by cooldown and the last one's length */
#define POLICY_SETTLED_NS    30000000000LL /* what is settled is looked at again by then */
#define POLICY_PAUSE_MIN_NS  200000000LL
#define POLICY_PAUSE_MAX_NS  300000000000LL

/* What a source or prefix may keep, or the table of the classes and states that a rule counts: who takes flows of it
 * counts them anew, by the table and not by a picture that may be older. Which of its flows count is told by their
 * class (or state) alone, whichever of them the rule may take. */
struct policy_bound {
	uint32_t classes;    /* 1 << enum flow_class */
	uint32_t states;     /* 1 << enum flow_tcp_state: of TCP, whatever the class */
	uint8_t alternative; /* of the rule's: its bounds stand together */
	bool is_gate;	     /* more than that only let any go; how many, the others say (until.entries) */
	uint64_t may_stay;   /* so many of them */
};

#define POLICY_BOUNDS_MAX (POLICY_WHENS_MAX * POLICY_COUNT_COUNT) /* each count but the rate, and until.entries */

struct policy_bounds {
	unsigned count; /* 0: nothing is counted, as by new_per_sec alone */
	struct policy_bound items[POLICY_BOUNDS_MAX];
};

/* How many may go where so many flows of each are there; POLICY_ALL: nothing bounds it. By one alternative as many as
 * each of its bounds lets go, for then it holds no more; of several the most: any of them is reason enough, and the
 * rule is content when none holds. */
uint64_t policy_bounds_excess(const struct policy_bounds *bounds, const uint64_t counts[POLICY_BOUNDS_MAX]);

struct policy_decision {
	size_t rule; /* index in policy->rules */
	enum policy_action action;
	bool would;	  /* mode observe: to be recorded, not to be done */
	bool is_end;	  /* timeouts: the rule is over, put them back */
	enum level level; /* then */
	enum policy_scope scope;
	struct ranking_key key;	    /* of scope source or prefix */
	struct prefix prefix;	    /* the same as a prefix */
	struct flow_filter *filter; /* match of the rule and the key; owned by the decision */
	uint64_t want;	     /* entries to take of what fits the surge, POLICY_ALL: all that match
			      * (shorten: always); 0 where the action takes none (sweep, ban,
			      * timeouts, log) */
	uint64_t want_other; /* at most this many of want may be flows that do not fit the surge */
	uint64_t promised;   /* entries that the rules before are expected to take, which both leave out */
	uint64_t granted;    /* by the budget, at most want; ban: 1 address */
	struct policy_bounds bounds; /* evict: of what the key holds, or the table */
	double scale;	     /* shorten: what is left of a lifetime, 0-1 */
	char key_text[RANKING_TEXT_MAX]; /* "10.1.0.66"; "" for the table */
	char reason[POLICY_REASON_MAX];	 /* what holds, in words and numbers */
};

void policy_decision_done(struct policy_decision *decision); /* frees the filter */

struct policy_memory;

/* One memory for one policy and one table. older (may be NULL, of whatever policy) gives the state
 * of rules of the same name: a reload must not refill a budget or end a pause. */
struct policy_memory *policy_memory_new(const struct policy *policy,
					const struct policy *older_policy,
					const struct policy_memory *older);
void policy_memory_free(struct policy_memory *memory);

/* What is to be done now. Rules are milder first: what an earlier rule is expected to take (by its
 * last result) a later one on the whole table need not take. mode: that of the policy or what was
 * switched to at run time. now_ns: monotonic, like the readings'. Grants are taken from the budgets
 * at once; policy_memory_result gives back what was not used. Decisions stand in the order of the
 * rules; each rule has a slot, whatever the number of sources that earlier ones mean. The cool-down of
 * a rule on sources or prefixes holds for each of them by itself. Returns how many (at most POLICY_DECISIONS_MAX, in
 * ret_decisions). */
size_t policy_evaluate(const struct policy *policy, enum policy_mode mode,
		       const struct snapshot *snapshot, struct policy_memory *memory,
		       int64_t now_ns, struct policy_decision ret_decisions[POLICY_DECISIONS_MAX]);

struct policy_effect {
	int error;				/* 0, or -errno of the port */
	int64_t settled_ns;			/* monotonic: nothing to be done for this source
						 * before (it is banned until then); 0: no */
	uint64_t matched, done;			/* entries (ban: addresses) */
	bool is_unneeded;			/* the rules before it did all: it was not put to the test */
	bool is_within;				/* no more was there than the source may keep: the snapshot
						 * tells of more than there is */
	uint64_t made;				/* entries of what was wanted that others made room for */
	bool has_entries;			/* the two below are known */
	uint64_t entries_before, entries_after; /* the kernel's count around the action */
	double seconds;				/* how long it took */
	double longest_sec; /* how long one like it may take, where this one found its work half done; 0: not told */
	double growth_per_sec;			/* expected meanwhile */
};

/* What came of a decision. A rule whose action failed, found nothing, or did not bring the count
 * down is held back: for 0.2 s, then twice as long each time, up to five minutes; one success ends
 * that. Where nothing failed, of a rule on sources or prefixes only the one that was not helped is
 * held back. now_ns: monotonic. */
void policy_memory_result(struct policy_memory *memory, const struct policy *policy,
			  const struct policy_decision *decision,
			  const struct policy_effect *effect, int64_t now_ns);

/* As if each rule had found all that it looked for: who tries a policy asks a later rule once it knows what the earlier
 * ones find. (The daemon asks both in one pass, and the later one takes what the earlier leaves.) */
void policy_memory_trust(struct policy_memory *memory, int64_t now_ns);

/* The kernel timeouts that rules set were put back: the rules that still hold set them anew. */
void policy_memory_forget_timeouts(struct policy_memory *memory, const struct policy *policy);

/* What was settled is no longer (bans were lifted by hand): the rules look at every source anew. */
void policy_memory_forget_settled(struct policy_memory *memory);
/* Nothing is held back any more: in another mode what did not help may. */
void policy_memory_end_pauses(struct policy_memory *memory);

/* The state of one rule, for status and records. */
struct policy_rule_state {
	bool is_active;	      /* begun and not yet at its until */
	uint64_t budget_left; /* now */
	int64_t ready_ns;     /* monotonic: not before (cool-down or pause); 0: now */
	unsigned ineffective; /* results in a row that did not help */
	uint64_t decisions, granted, done, failures; /* since the memory was made */
};
struct policy_rule_state policy_memory_rule(const struct policy_memory *memory,
					    const struct policy *policy, size_t rule,
					    int64_t now_ns);

#define POLICY_EXPLAIN_MAX 1024

/* Why a rule decides nothing now, for `policy test`: what fails of each of its alternatives, of a rule on sources or
 * prefixes for the one that is nearest to it; "holds: " and why, where only other rules could keep it from that. What
 * does not fit in is cut. Returns buf. */
char *policy_explain_rule(const struct policy *policy, const struct snapshot *snapshot, size_t rule,
			  char *buf, size_t size);

#endif
