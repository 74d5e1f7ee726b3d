/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/guard: shared by the files of the guard. Private to the layer. */
#ifndef CTWARDEN_ACTION_GUARD_PRIVATE_H
#define CTWARDEN_ACTION_GUARD_PRIVATE_H

#include "action/guard.h"
#include "flow/filter.h"
#include "stats/sample.h"
#include "stats/trial.h"

struct early_flow; /* of evict.c */

/* What one request to the kernel may take out (evict_fast.c). */
struct fast {
	struct fast_way {
		struct signature_pattern pattern;
		struct flow_filter *filter;
		size_t number;		 /* of the signature, in the pass */
		uint64_t met, strangers; /* flows of the pass that the filter means; those that must live */
	} ways[SIGNATURE_MAX];
	size_t count;
	int64_t confirmed_ns;
	int64_t counted_ns;	       /* when rest and entries were true */
	uint64_t rest, entries;	       /* what the filters still meant after the round, and the table's count then */
};

/* The surge as the last whole pass confirmed it. */
struct known {
	struct signature signatures[SIGNATURE_MAX];
	uint64_t hits[SIGNATURE_MAX]; /* flows that came with the surge and fit each, when it was found */
	size_t count;
	int64_t found_ns;
	double new_per_sec;	     /* then */
	uint64_t left;		     /* flows that fit and were not taken by the last pass over all that do */
	bool is_wide;		     /* a pass by the kernel's filter takes about as long as one over all */
	uint64_t rules;		     /* 1 << rule: they have had all else that they may take */
};

/* As of when victims were chosen. */
struct chosen {
	int64_t read_ns;  /* when the pass began that read them */
	uint64_t adopted; /* flows that had been adopted when it began */
	double new_per_sec; /* then */
};

/* Victims chosen beyond what their round took (evict_reserve.c). */
struct reserve {
	struct victim *victims;
	size_t count;
	struct reserve_part {
		size_t rule, begin, count;
		enum level level;
	} parts[POLICY_DECISIONS_MAX];
	size_t part_count;
	struct signature signatures[SIGNATURE_MAX]; /* that the victims name */
	size_t signature_count;
	struct chosen chosen;
};

struct guard {
	struct guard_config config;
	struct seniority *seniority;
	struct signature_finder *finder;
	struct sample base;	      /* of the table when it was last calm */
	uint64_t base_flows;	      /* what it stands for */
	bool has_base;		      /* there was a complete pass over a calm table */
	/* growing: what was not there then; fresh: the next base, while a calm pass makes it. */
	struct sample growing, fresh;
	/* As it was before the last calm pass: a surge soon after it may have been met by it. */
	struct sample older_base;
	uint64_t older_flows;
	bool had_base;
	void *older; /* seniority_save */
	size_t older_size;
	int64_t renewed_ns; /* the last calm pass; 0: none to be undone */
	struct early_flow *early;     /* the first flows of a pass, until the signature is found */
	struct trial trial;
	struct fast fast;
	struct known known;
	struct reserve reserve;
	int64_t tried_ns; /* when a pass began that had flows for the trial */
	int64_t heard_ns; /* when births were listened to anew, or taken last */
	int64_t pass_ns; /* how long the last pass over the whole table took, without its deletes */
	uint64_t seed;
};

/* Begins a record of a decision: all but what comes of it. */
void record_begin(struct guard_outcome *outcome, const struct guard_table *table,
		  const struct policy_decision *decision);
/* The counts after it, and the effect from the record. */
void record_end(struct guard_outcome *outcome, const struct guard_table *table, int64_t began_ns);
void record_protected(struct action_record *record, const char *name);
/* One outcome for each entry of a batch. */
void record_outcomes(struct action_record *record, const enum flow_outcome *outcomes, size_t count);
/* The name of what protects the flow beside the policy's own list ("own", an entry of protect), or NULL. */
const char *guard_protected_by(const struct guard_table *table, const struct flow *flow,
			       const struct flow_filter_context *context);
/* Takes in what user space has put into the table meanwhile. */
void guard_take_in(const struct guard_table *table);
/* Begins a pass that sees every flow of the table. */
void guard_begin_pass(struct guard *guard, const struct guard_table *table, int64_t now_ns);
struct flow_filter_context guard_context(const struct guard_table *table);

struct evict_lane {
	const struct policy_decision *decision;
	struct guard_outcome *outcome;
};
/* One pass for all lanes, then the deletes. freed: entries that the same round freed already (sweep). */
void guard_evict(struct guard *guard, const struct guard_table *table, const struct evict_lane *lanes, size_t count,
		 uint64_t freed);
/* Around a pass: from what it finds to what the next rounds may do without one. */
void fast_begin(struct fast *fast, const struct guard_table *table, const struct signature *signatures, size_t count);
void fast_see(struct fast *fast, const struct guard_table *table, const struct flow *flow, enum flow_class class,
	      const struct standing *standing);
void fast_confirm(struct fast *fast, const struct signature *signatures, int64_t now_ns);
/* taken: victims of the round, by signature. */
void fast_end(struct fast *fast, const struct guard_table *table, const uint64_t taken[SIGNATURE_MAX]);
void fast_forget(struct fast *fast);
/* Deletes by one request where that is possible, and puts it into the record; how many have gone by the counter. */
uint64_t fast_run(struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		  struct action_record *record);
void reserve_forget(struct reserve *reserve);
void reserve_free(struct reserve *reserve);
void guard_shorten(struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		   struct guard_outcome *outcome);

#endif
