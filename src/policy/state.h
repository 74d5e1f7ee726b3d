/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/state: what the parts of the evaluation share: the figures of one moment, and what is
 * remembered of a rule. */
#ifndef CTWARDEN_POLICY_STATE_H
#define CTWARDEN_POLICY_STATE_H

#include "base/text.h"
#include "policy/evaluate.h"

/* ---- facts.c: the figures that conditions ask for ---- */

struct facts {
	uint32_t known;			   /* 1 << enum policy_condition */
	double numbers[POLICY_WHEN_COUNT]; /* seconds_to_full: infinite where the table does not
					      fill */
	enum level level;
	const struct snapshot *snapshot;
};

/* False where the count cannot be believed: then nothing is decided. drops_per_sec negative: not
 * known. */
bool facts_from(struct facts *ret_facts, const struct snapshot *snapshot, double drops_per_sec);

/* A source or prefix of the snapshot. */
struct subject {
	const struct ranking_row *row; /* NULL: the table */
	const struct ranking_config *config;
	struct prefix prefix;
	bool is_trusted, is_proven; /* only what was answered, or is trusted, is held against it */
	bool is_banned;		    /* of what was answered only what needed a handshake */
	uint64_t whole;		    /* entries of the table */
	bool has_rates;
};

struct subject subject_from(const struct policy *policy, const struct policy_rule *rule,
			    const struct snapshot *snapshot, const struct ranking_row *row);
/* What counts of the subject. False: not known. */
bool subject_count(const struct subject *subject, enum policy_count count, double *ret);
/* Whether an alternative holds; why it does, or the first part that does not, is added to why. */
bool when_holds(const struct policy_when *when, const struct facts *facts,
		const struct subject *subject, struct text *why);
/* The entries by which the alternative's counts of the table (classes, states) are exceeded, the least of them;
 * POLICY_ALL where it counts none. */
uint64_t when_excess(const struct policy_when *when, const struct facts *facts);
/* What the subject may keep by the counts of one of the rule's alternatives, or by its until (the table by its classes
 * and states). */
struct policy_bounds bounds_of(const struct policy_rule *rule, unsigned alternative,
			       const struct subject *subject);
/* By how much it is beyond them, as the snapshot has it; as policy_bounds_excess. */
uint64_t subject_excess(const struct subject *subject, const struct policy_bounds *bounds);

/* ---- amount.c ---- */

struct rule_state;

/* How many entries are to go. */
struct amount {
	uint64_t all, other; /* other: of flows that do not fit the surge */
	bool is_reached;     /* the until holds */
	bool is_above;	     /* the mark of fill or level, whatever the headroom */
	struct policy_bounds bounds;
};

bool rule_has_until(const struct policy_rule *rule); /* of fill or level */
/* By all alternatives that hold; ret_when (may be NULL): the one by which most is to go, the first of them; NULL: none
 * holds. */
struct amount amount_of(const struct policy_rule *rule, const struct rule_state *state, const struct facts *facts,
			const struct subject *subject, const struct policy_when **ret_when);

/* Mildest first: a later rule takes only what the earlier ones will not. */
struct amount amount_less_promised(struct amount amount, uint64_t promised);

/* ---- evaluate.c ---- */

/* To shorten takes a pass over the table and makes room only later. Why it is not worth that; NULL: it is. */
const char *no_use_to_shorten(const struct policy_rule *rule, const struct facts *facts);

/* ---- memory.c ---- */

struct rule_state {
	bool is_active, has_tokens;
	double missed;	   /* 0-1: the share of what was granted last that was not to be found, */
	int64_t missed_ns; /* as told then; 0: never */
	double tokens;	   /* of the budget */
	int64_t tokens_ns; /* when they were counted */
	int64_t ready_ns;  /* of the cool-down; 0: now */
	int64_t pause_ns;  /* held back until then, as it did not help; 0: not */
	bool is_in_vain;   /* the last result is next to none of what was needed, */
	enum level judged_level; /* at this level, */
	double judged_growth;	 /* and where so many came a second */
	uint64_t sought;   /* flows that do not fit the surge, of those that were not to be found then */
	enum level sought_level;
	bool is_cut;	   /* by its budget: more was wanted at the last decision */
	double seconds;	   /* the last result took so long, or may the next */
	unsigned ineffective; /* results in a row that found nothing, or failed */
	unsigned stuck;	      /* that took some, and the count did not fall */
	int64_t judged_ns; /* when a failure was counted last: all of one round count once */
	uint64_t decisions, granted, done, failures;
};

/* Of a rule on sources or prefixes: one of them. */
struct subject_state {
	size_t rule;
	struct ranking_key key;
	int64_t ready_ns;
	unsigned ineffective;
};

#define SUBJECTS_MAX 1024

struct drops_mark {
	int64_t ns;
	uint64_t drops;
};

struct policy_memory {
	size_t count;
	struct rule_state *rules;   /* one for each rule of the policy */
	struct drops_mark marks[2]; /* about one and two seconds ago */
	unsigned mark_count;
	struct subject_state subjects[SUBJECTS_MAX];
	size_t subject_count;
};

/* Drops of a full table a second, over the last one to two seconds; negative: not known yet. */
double memory_drops_per_sec(struct policy_memory *memory, const struct snapshot *snapshot,
			    int64_t now_ns);
/* Whether the rule is held back because it did not help. Where nothing was to be found it looks again once far more may
 * be taken (other: of those that do not fit the surge), or the level is higher. */
bool memory_is_paused(const struct rule_state *state, enum level level, uint64_t other, int64_t now_ns);
/* Where it is held back: for want of flows to take, not because to take them did not help or failed. */
bool memory_found_nothing(const struct rule_state *state);
/* Takes up to want from the rule's budget; returns how many. */
uint64_t memory_take(struct rule_state *state, const struct policy_budget *budget, uint64_t want,
		     int64_t now_ns);
/* How long what did not help so many times in a row is held back. */
int64_t memory_pause_ns(unsigned ineffective);

/* ---- subjects.c ---- */

void subjects_forget_old(struct policy_memory *memory, int64_t now_ns);
/* Whether the rule may decide on it now. */
bool subject_is_ready(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		      int64_t now_ns);
void subject_hold(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		  int64_t until_ns);
/* Whether the last decision on it helped; if not it is held back. */
void subject_judge(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		   bool has_helped, int64_t now_ns);

#endif
