/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/guard: runs the decisions of a policy on one table: sweep, shorten, evict. Remembers from round to round what
 * was there while the table was calm (stats/seniority) and a sample of it. Belongs to one thread. Blocks as the ports
 * do. Bans and kernel timeouts are not its work: they change no entry. */
#ifndef CTWARDEN_ACTION_GUARD_H
#define CTWARDEN_ACTION_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/protect.h"
#include "action/record.h"
#include "base/addr.h"
#include "flow/ports.h"
#include "flow/timeouts.h"
#include "policy/evaluate.h"
#include "stats/seniority.h"
#include "stats/signature.h"

struct guard_config {
	struct seniority_config seniority;
	struct signature_config signature;
	size_t max_victims; /* of one round over all decisions; 80 B each, and 80 more where it need not fit a surge */
	/* 0-1: what of the table a signature has to cover where nothing is known of the calm, or young flows that fit
	 * it are spared as others are. 0: as signature.min_coverage. That is right where rounds follow on each other
	 * while a flood goes on: it fills the table sooner than its flows grow old, and more is known by the next
	 * round. Who makes room once, and can again when they are not young any more, asks for most of the table. */
	double min_alike;
	double senior_pct;  /* seniors that count, of the capacity, shared max-min over sources */
};

struct guard_config guard_config_default(void); /* 262,144 victims (20 to 40 MiB while a round runs), 80 % */

struct guard;

struct guard *guard_new(const struct guard_config *config);
void guard_free(struct guard *guard); /* NULL allowed */
struct seniority *guard_seniority(struct guard *guard); /* borrowed: to adopt, save, restore and count */

/* Flows that traffic has just opened, as events tell of them: original tuple, zones, id. */
struct guard_births {
	/* Drops what was heard; whether it is wanted to hear from now on. */
	void (*hear_anew)(void *arg, bool wanted);
	/* Takes up to max of them, the oldest first; 0: none, or not all could be kept. */
	size_t (*heard)(void *arg, struct flow *ret_flows, size_t max);
	void *arg;
};

/* The table and the moment of a round. All borrowed. */
struct guard_table {
	const struct flow_ports *ports;
	const struct policy *policy;
	const struct protect *protect; /* the operator and what the config protects; NULL: nothing */
	const struct addr *own;	       /* addresses of this host, for "own" */
	size_t own_count;
	const struct flow_timeouts *timeouts; /* NULL: idle unknown */
	int64_t (*monotonic_ns)(void);
	int64_t real_ns;
	uint64_t capacity;
	double new_per_sec; /* expected while it works */
	bool is_calm;	    /* as stats/calm says */
	const struct guard_births *births; /* NULL: nobody tells */
	/* Takes in what user space has put into the table meanwhile (guard_adopt); called before a pass and before each
	 * write. NULL: nobody tells. */
	void (*adopt)(void *arg);
	void *adopt_arg;
};

/* A pass at rest: seniority is renewed and, where calm, the sample of the calm table. 0 or -errno. */
int guard_renew(struct guard *guard, const struct guard_table *table, struct flow_scan_report *ret_report);
/* A surge began: the newest seniors are struck out; a calm pass in the two seconds before is undone, as it may have met
 * the surge already. */
void guard_surge(struct guard *guard, int64_t now_ns);
/* What the next rounds could do without a pass is void: another policy holds. */
void guard_forget_chosen(struct guard *guard);

/* A flow that user space has put in (a NEW event with a port id): where it is answered and assured it is senior and
 * base at once. */
void guard_adopt(struct guard *guard, const struct flow *flow, int64_t now_ns);

/* Runs the decisions in their order: one record and one effect each (ban and timeouts: left untouched, is_mine false).
 * At most one pass for all evictions and one for all shortenings. */
struct guard_outcome {
	bool is_mine;
	struct action_record record;
	struct policy_effect effect;
};
void guard_round(struct guard *guard, const struct guard_table *table, const struct policy_decision *decisions,
		 size_t count, struct guard_outcome *ret_outcomes);

/* A record of a decision before anything came of it. */
void guard_record_init(struct action_record *record, const struct guard_table *table,
		       const struct policy_decision *decision);

/* Protects "own": answered flows that this host began or answers itself. */
bool guard_is_own(const struct guard_table *table, const struct flow *flow);

#endif
