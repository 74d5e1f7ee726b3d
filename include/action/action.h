/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action: finds the entries that a request means, says what would become of them, and does it,
 * through the ports of the layer flow. A survey is one pass; a list of at most ACTION_TARGETS_MAX
 * entries is kept, and where they are more the work is a second pass that writes as it reads. Never
 * asks for the time: the caller tells it and does the waiting. Block as the ports do. */
#ifndef CTWARDEN_ACTION_ACTION_H
#define CTWARDEN_ACTION_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/protect.h"
#include "action/way.h"
#include "flow/filter.h"
#include "flow/flow.h"
#include "flow/ports.h"
#include "stats/ranking.h"

#define ACTION_TARGETS_MAX 262144 /* entries listed, 72 bytes each: 19 MB */
#define ACTION_FILTERS_MAX 4
#define ACTION_EXAMPLES	   10
#define ACTION_SOURCES_MAX 4096 /* rows of the ranking of sources */
#define ACTION_WHY_MAX	   240

enum action_kind { ACTION_KIND_DELETE, ACTION_KIND_TIMEOUT, ACTION_KIND_COUNT };

enum action_order {			   /* which entries a limit takes first */
		    ACTION_ORDER_NONE,	   /* as they come */
		    ACTION_ORDER_IDLE,	   /* longest idle first; unknown last */
		    ACTION_ORDER_YOUNGEST, /* by the kernel's timestamp; unknown last */
		    ACTION_ORDER_HEAVIEST, /* by bytes of both directions */
		    ACTION_ORDER_COUNT
};

enum action_change {
	ACTION_CHANGE_SET,
	ACTION_CHANGE_AT_MOST, /* never lengthens */
	ACTION_CHANGE_ADD,
	ACTION_CHANGE_COUNT
};

/* What is asked for. Everything pointed to stays the caller's. */
struct action_request {
	enum action_kind kind;
	const struct flow_filter
		*filters[ACTION_FILTERS_MAX]; /* an entry is meant where any of them matches */
	unsigned filter_count;
	/* Several filters: one pass with this one (never narrower than all of them; NULL:
	 * everything), instead of one a filter. */
	bool is_one_pass;
	const struct flow_filter *common;
	struct flow_filter_context context;
	const struct protect *protect;
	int64_t min_age_ns;	 /* known to be younger: spared; 0: none */
	uint64_t limit;		 /* entries written at most; 0: none */
	enum action_order order; /* with a limit of at most ACTION_TARGETS_MAX */
	enum action_change change;
	uint32_t timeout_sec;
	bool is_fixed;
	unsigned batch; /* entries a write, 1 to FLOW_BATCH_MAX */
	bool is_paced;	/* on_batch waits: what a pass has read may be old when it is written, so it
			   is read again */
	bool (*on_batch)(uint64_t written,
			 void *arg); /* after each write; false: stop. May be NULL */
	bool (*on_found)(uint64_t matched,
			 void *arg); /* now and then in a survey; false: stop. May be NULL */
	bool (*inspect)(const struct flow *flow,
			void *arg); /* each entry meant, in a survey; false: stop. May be NULL */
	/* Not NULL: nothing is written; each entry that would be is handed to it. False: stop. */
	bool (*show)(const struct flow *flow, void *arg);
	void *arg;
};

/* Whether the request means this flow (protection not asked). */
bool action_means(const struct action_request *request, const struct flow *flow);

struct action_spared {
	uint64_t total;
	uint64_t young;		  /* below the least age */
	uint64_t by[PROTECT_MAX]; /* by entry of protect */
};

#define ACTION_GROUP_SLOTS  8
#define ACTION_GROUP_STATES 16

struct action_group {	  /* entries that would be written (action_plan.groups), by protocol, state and class */
	uint8_t protocol; /* of its first entry; protocols without a slot share one */
	uint8_t state;
	bool has_state, is_mixed; /* mixed: of several protocols */
	enum flow_class class;
	uint64_t count, idle_known;
	uint32_t idle_min_sec, idle_max_sec;
};

struct targets;

struct action_plan {
	/* matched = chosen + left + unchanged + spared.total */
	uint64_t matched, chosen; /* chosen: would be written */
	uint64_t left;		  /* would be, beyond the limit */
	uint64_t unchanged;	  /* timeouts: as asked already */
	struct action_spared spared;
	/* These, groups, sources and examples: of the chosen; with an order, of what is left too, for
	 * who is chosen is known last. */
	uint64_t offloaded, loopback, sctp, fixed;
	uint64_t ages_unknown; /* with a least age: entries of which none is known */
	struct action_group groups[ACTION_GROUP_SLOTS][ACTION_GROUP_STATES][FLOW_CLASS_COUNT];
	struct ranking *sources;
	struct flow examples[ACTION_EXAMPLES];
	size_t example_count;
	struct targets *targets;      /* NULL: more than are listed */
	bool is_stopped;	      /* a callback stopped it: figures are as far as it came */
	struct flow_scan_report scan; /* of the last pass; received and matched of all */
};

#define ACTION_REDO_MAX 3 /* passes made anew where the table was resized under them */

/* One pass that changes nothing, made anew (ACTION_REDO_MAX times) where the table was resized meanwhile: callbacks
 * then hear of entries again. 0 with *ret_plan, to be freed; -errno of the pass. */
int action_survey(const struct action_request *request, const struct flow_ports *ports,
		  struct action_plan **ret_plan);
void action_plan_free(struct action_plan *plan);
/* The groups with entries, most first; returns how many were copied. */
size_t action_plan_groups(const struct action_plan *plan, size_t max,
			  struct action_group *ret_groups);

enum action_counted {			      /* how `done` is known */
		      ACTION_COUNTED_EACH,    /* the kernel answered for each entry */
		      ACTION_COUNTED_BEFORE,  /* by a pass right before the one request */
		      ACTION_COUNTED_COUNTER, /* by the table's counter before and after: at least,
						 for what came meanwhile, and deleted flows
						 that waiting packets hold, still count */
		      ACTION_COUNTED_COUNT
};

const char *action_counted_name(enum action_counted counted); /* "each", "before", "counter" */

/* matched = done + gone + refused + unknown + unchanged + spared.total + left, always. */
struct action_result {
	uint64_t matched, done;
	uint64_t gone; /* expired, deleted by somebody else, another life, or no longer what was
			  asked for */
	uint64_t refused, unknown;
	uint64_t unchanged; /* timeouts: as asked already */
	uint64_t left;	    /* beyond the limit, or not come to when it was stopped */
	struct action_spared spared;
	uint64_t verified_read,
		verified_right; /* timeouts: some of the changed ones, read back right after */
	enum action_way way;
	enum action_counted counted;
	bool is_stopped;   /* by on_batch, or the work failed on its way */
	unsigned redone;   /* passes made anew, for the table was resized under the one before */
	bool is_unsettled; /* resized under the last one too: some may be left, or changed twice */
};

/* Does it: from the plan's list, read again right before each write; without a list (plan NULL or
 * more than are listed) by a pass that writes as it reads. Where the table is resized under that pass
 * it is followed by another, until one was not or ACTION_REDO_MAX were: what it had missed is found then. Not where a
 * change must not be made twice (--add, --fixed, a limit on changes): then it is said (is_unsettled). 0, or -errno
 * where it could not begin or go on; *ret_result says how far it came either way. */
int action_execute(const struct action_request *request, const struct flow_ports *ports,
		   const struct action_plan *plan, struct action_result *ret_result);

/* ---- the kernel's own filter ---- */

struct action_choice {
	enum action_way way;
	bool needs_guard;	  /* a pass right before must find nothing protected */
	char why[ACTION_WHY_MAX]; /* in words */
};

/* Which way a deletion goes. Asks the kernel for a proof of the filter's attributes, changes
 * nothing. */
void action_choose(const struct action_request *request, const struct flow_ports *ports,
		   struct action_choice *ret_choice);
/* The guard: a pass with the request's filter that ends at the first protected entry. 1: none; 0:
 * one is there, or a resize may have hidden it; -ECANCELED: who watches the progress stopped it; -errno. */
int action_guard(const struct action_request *request, const struct flow_ports *ports);
/* One request to the kernel. plan (may be NULL): what was counted right before. Only where
 * action_choose says so and the guard, where needed, found nothing. 0, or -errno; then too
 * *ret_result tells what went (as the counter says) once the request was sent. */
int action_execute_filtered(const struct action_request *request, const struct flow_ports *ports,
			    const struct action_plan *plan, struct action_result *ret_result);

#endif
