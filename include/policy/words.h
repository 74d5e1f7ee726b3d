/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/words: the tables of what a policy may say. A condition is one row, an action one row, a
 * parameter one row. */
#ifndef CTWARDEN_POLICY_WORDS_H
#define CTWARDEN_POLICY_WORDS_H

#include "policy/policy.h"

struct policy_condition_info {
	const char *key;    /* "fill_pct" */
	double min, max;    /* of the number */
	bool is_at_most;    /* holds at or below the number, else at or above */
	const char *phrase; /* with # for the number: "fill at # % or more"; probabilities in % */
};
extern const struct policy_condition_info policy_conditions[POLICY_WHEN_COUNT];

struct policy_count_info {
	const char *key; /* "unreplied" */
	double min, max;
	const char *phrase; /* "# unreplied flows" */
};
extern const struct policy_count_info policy_counts[POLICY_COUNT_COUNT];

enum policy_param {
	POLICY_PARAM_CLASSES,
	POLICY_PARAM_FLOORS,
	POLICY_PARAM_MIN_AGE,
	POLICY_PARAM_SIGNATURE,
	POLICY_PARAM_ACTIVE_AT_FULL,
	POLICY_PARAM_START,
	POLICY_PARAM_END,
	POLICY_PARAM_DURATION,
	POLICY_PARAM_MAX_BANS,
	POLICY_PARAM_RATE,
	POLICY_PARAM_SET,
	POLICY_PARAM_COUNT
};
extern const char
	*const policy_param_keys[POLICY_PARAM_COUNT + 1]; /* "classes", ...; ends with NULL */

struct policy_action_info {
	const char *name;	     /* "evict" */
	uint32_t params;	     /* 1 << enum policy_param: what it takes */
	bool has_match;		     /* takes "match" */
	bool has_until;		     /* takes "until" */
	bool has_budget;	     /* takes "budget" */
	bool needs_key;		     /* needs a source or prefix condition */
	struct policy_budget budget; /* default */
	int64_t cooldown_ns;	     /* default */
	const char *help;	     /* a short phrase */
};
extern const struct policy_action_info policy_actions[POLICY_ACTION_COUNT];

const char *policy_scope_name(enum policy_scope scope); /* "table", "source", "prefix" */

/* The least a floor may be: what a flow of this class may be idle by the RFCs. 0: nothing. */
int64_t policy_floor_min_ns(enum flow_class class);

/* Kernel timeouts a rule may set: the sysctl without "nf_conntrack_" and "timeout". */
struct policy_timeout_info {
	const char *key;  /* "tcp_established" */
	size_t offset;	  /* in struct flow_timeouts */
	uint32_t min_sec; /* not lower than this */
};
extern const struct policy_timeout_info policy_timeouts[];
extern const size_t policy_timeout_count;
uint32_t policy_timeout_get(const struct flow_timeouts *timeouts,
			    size_t index); /* seconds; 0: left alone */

#endif
