/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy: what a policy file says, as plain data: mode, capacity, marks, what is protected, and
 * rules. Read strictly: every error has line, path and what would be right. The words of conditions,
 * actions and parameters are tables (policy/words.h), so that the reader, the print-back, the
 * sentences and the manual cannot differ. Pure but for policy_load, which reads the file. */
#ifndef CTWARDEN_POLICY_POLICY_H
#define CTWARDEN_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"
#include "flow/filter.h"
#include "flow/flow.h"
#include "flow/timeouts.h"
#include "policy/mode.h"
#include "stats/level.h"

#define POLICY_SCHEMA	    "ctwarden.policy/1"
#define POLICY_RULES_MAX    64
#define POLICY_WHENS_MAX    8	     /* alternatives of one rule */
#define POLICY_PROTECT_MAX  256	     /* entries of the protect list */
#define POLICY_PREFIXES_MAX 1024     /* of "trusted", or of one "in" */
#define POLICY_NAME_MAX	    49	     /* with the 0 */
#define POLICY_TEXT_MAX	    201	     /* about, with the 0 */
#define POLICY_BUDGET_MAX   10000000 /* per_run and per_sec */

/* ---- match: a flow_filter that can be written back ---- */

struct policy_value {
	enum flow_filter_key key;
	bool negated; /* stands in "not" */
	char *value;  /* one value as text; NULL: a flag, or NAT to any address */
};

struct policy_match {
	struct flow_filter *filter;  /* never NULL once read; empty matches everything */
	struct policy_value *values; /* in the order of the document */
	size_t count;
};

/* A list of prefixes. */
struct policy_prefixes {
	struct prefix *items;
	size_t count;
};

bool policy_prefixes_have(const struct policy_prefixes *prefixes,
			  const struct prefix *prefix); /* the whole of it */

/* ---- conditions ---- */

/* What a condition looks at. One row of policy_conditions[] each. */
enum policy_condition {
	POLICY_WHEN_ALWAYS,	     /* true */
	POLICY_WHEN_LEVEL,	     /* this level or above */
	POLICY_WHEN_FILL,	     /* fill_pct, at least */
	POLICY_WHEN_GROWTH,	     /* growth_per_sec, at least */
	POLICY_WHEN_SECONDS_TO_FULL, /* at most */
	POLICY_WHEN_REFUSAL,	     /* refusal_probability (0-1) of a new flow now, at least */
	POLICY_WHEN_REFUSAL_FULL,    /* refusal_when_full (0-1): what it will be once the table is
					full, at least */
	POLICY_WHEN_DROPS,	     /* drops_per_sec of a full table, at least */
	POLICY_WHEN_COUNT
};

/* What is counted of one source or prefix; all "at least". */
enum policy_count {
	POLICY_COUNT_ENTRIES,
	POLICY_COUNT_UNREPLIED,
	POLICY_COUNT_HALF_OPEN,
	POLICY_COUNT_NEW,   /* new_per_sec */
	POLICY_COUNT_SHARE, /* share_pct of the table */
	POLICY_COUNT_COUNT
};

enum policy_scope {
	POLICY_SCOPE_TABLE,
	POLICY_SCOPE_SOURCE,
	POLICY_SCOPE_PREFIX,
	POLICY_SCOPE_COUNT
};

/* One alternative: all of it must hold. A figure that is not known does not hold. */
struct policy_when {
	uint32_t has; /* 1 << enum policy_condition */
	enum level level;
	double numbers[POLICY_WHEN_COUNT]; /* of the numeric conditions in has */
	enum policy_scope scope; /* SOURCE, PREFIX: each one that holds is a decision of its own */
	uint32_t counts_has;	 /* 1 << enum policy_count; of scope */
	double counts[POLICY_COUNT_COUNT];
	struct policy_prefixes in;	    /* only sources or prefixes within these; none: all */
	uint32_t classes_has;		    /* 1 << enum flow_class */
	uint64_t classes[FLOW_CLASS_COUNT]; /* entries of a class, at least */
	uint32_t states_has;		    /* 1 << enum flow_tcp_state */
	uint64_t states[FLOW_TCP_COUNT];    /* entries of a TCP state, at least */
};

/* ---- actions ---- */

enum policy_action {
	POLICY_ACTION_SWEEP,   /* evicts what has expired but still counts */
	POLICY_ACTION_SHORTEN, /* brings the remaining lifetime down, by fill */
	POLICY_ACTION_EVICT,   /* takes flows out, worst class first */
	POLICY_ACTION_BAN, /* refuses (or slows) new flows of a source; the existing ones live */
	POLICY_ACTION_TIMEOUTS, /* lowers the kernel's base timeouts while the rule is in force */
	POLICY_ACTION_LOG,	/* a record, nothing else */
	POLICY_ACTION_COUNT
};

/* Parameters; which action takes which is policy_actions[].params. */
struct policy_do {
	enum policy_action action;
	enum flow_class
		classes[FLOW_CLASS_COUNT]; /* evict: the order, worst first; shorten: whose */
	unsigned class_count;
	int64_t floors_ns[FLOW_CLASS_COUNT]; /* evict: taken only when idle this long, unless they
					      * fit the signature; shorten: lifetime left is never
					      * brought under this; 0: no floor */
	int64_t min_age_ns; /* evict: younger ones are spared, unless they fit the signature of the
			       surge */
	bool has_signature; /* evict: what fits the signature of the surge goes first, and the
			     * others only as far as the next round needs */
	bool takes_active_at_full; /* evict: at level full also answered flows under their floor */
	double start_pct,
		end_pct; /* shorten: lifetimes are whole up to start_pct and nothing at end_pct */
	int64_t duration_ns;	  /* ban */
	uint64_t max_bans;	  /* ban: at one time, of this rule */
	double rate_per_sec;	  /* ban: new flows a second still let in; 0: none */
	struct flow_timeouts set; /* timeouts; 0: left alone */
};

/* When a rule that has begun stops: all that is set must hold. */
struct policy_until {
	bool has_fill, has_level, has_headroom, has_entries;
	double fill_pct;     /* at most */
	enum level level;    /* this or below */
	double headroom_sec; /* free room for this long at the present growth */
	uint64_t entries;    /* of the source or prefix: down to these */
};

struct policy_budget { /* a token bucket: at most per_run at once, refilled at per_sec. Of entries;
			  ban: of addresses */
	uint64_t per_run, per_sec;
};

struct policy_rule {
	char name[POLICY_NAME_MAX];
	struct policy_when whens[POLICY_WHENS_MAX]; /* any of them */
	unsigned when_count;
	struct policy_match match;
	struct policy_do action;
	struct policy_until until;
	struct policy_budget budget;
	int64_t cooldown_ns;
};

struct policy_protect {
	char name[POLICY_NAME_MAX];
	struct policy_match match;
};

struct policy {
	char name[POLICY_NAME_MAX]; /* "" where the file says none */
	char about[POLICY_TEXT_MAX];
	enum policy_mode mode; /* default observe */
	uint64_t capacity;     /* 0: not set: the daemon's, else the kernel's limit */
	bool has_levels; /* false: levels are the defaults, and the daemon's config goes first */
	struct level_config levels;
	bool protects_operator; /* the flows of this host's sshd sockets */
	bool protects_own; /* answered flows of local addresses; routing, VPN, VRRP, table sync */
	struct policy_protect *protect;
	size_t protect_count;
	struct policy_prefixes
		trusted; /* sources that cannot be forged: all of theirs is held against them */
	struct policy_rule *rules;
	size_t rule_count;
};

/* Reads a policy. text: len bytes, comments allowed; name is used in problems. 0; -EINVAL, -EFBIG
 * with the problem (file, line, path, what would be right). *ret_policy is owned by the caller,
 * untouched on failure. */
int policy_parse(const char *text, size_t len, const char *name, struct policy **ret_policy,
		 struct problem *reterr_problem);
/* As policy_parse for a regular file; also -errno of open and read. Waits for the disk alone. */
int policy_load(const char *file, struct policy **ret_policy, struct problem *reterr_problem);
/* The same of what a person names in a command, a pipe too: waits for who writes to it. */
int policy_load_any(const char *file, struct policy **ret_policy, struct problem *reterr_problem);
/* The policy in force where there is no file: observes, protects operator and own, has no rules. */
struct policy *policy_new_default(void);
void policy_free(struct policy *policy); /* NULL allowed */

struct doc_node;
/* A list of what is protected, entries with "name" and "match" as `protect.flows` has them, into
 * policy->protect, behind what is there. An absent node is an empty list. 0 or -EINVAL with the problem; the
 * policy is to be freed either way. */
int policy_protect_read(const struct doc_node *flows, struct policy *policy,
			struct problem *reterr_problem);

/* True where a rule looks at single sources or prefixes. */
enum policy_scope policy_rule_scope(const struct policy_rule *rule);
/* True where the rule takes flows that were answered (or bans): then only what was answered, or
 * comes from a trusted source, is held against a source, since addresses can be forged. */
bool policy_rule_holds_proven(const struct policy_rule *rule);

#endif
