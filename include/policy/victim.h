/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/victim: whether one flow may be taken (or shortened) by a rule: its class, floor and age,
 * then the protect list. Pure. What needs more than the flow (seniority, the operator's sockets,
 * local addresses) is asked by the caller. */
#ifndef CTWARDEN_POLICY_VICTIM_H
#define CTWARDEN_POLICY_VICTIM_H

#include "policy/evaluate.h"

enum policy_verdict {
	POLICY_VERDICT_TAKE,
	POLICY_VERDICT_NO_MATCH, /* the decision's filter does not match; shorten: no more left than
				    it may have, or nobody knows of how much */
	POLICY_VERDICT_CLASS,	 /* its class is not in the rule's */
	POLICY_VERDICT_ACTIVE, /* idle for less than the floor of its class, or for nobody knows how
				  long */
	POLICY_VERDICT_YOUNG,  /* younger than min_age */
	POLICY_VERDICT_PROTECTED, /* the protect list; always asked last */
	POLICY_VERDICT_COUNT
};

const char *policy_verdict_name(enum policy_verdict verdict); /* "active", for records and JSON */

struct policy_flow_context {
	struct flow_filter_context match;
	bool fits_signature;	      /* of the surge: may be young */
	const struct addr *own_addrs; /* of this host, for "own"; NULL: not known */
	size_t own_count;
};

struct policy_judgement {
	unsigned rank;	/* the position of its class in the rule's order, 0 first */
	size_t protect; /* index in policy->protect, policy->protect_count for "own", SIZE_MAX: none */
	bool is_by_fit; /* goes (or would) because it fits the signature alone: else active or young */
};

/* ret may be NULL; set where the verdict is "take" or "protected". */
enum policy_verdict policy_judge(const struct policy *policy, const struct policy_decision *decision,
				 const struct flow *flow, const struct policy_flow_context *context,
				 struct policy_judgement *ret);
/* evict, of what policy_judge would take: whether a round that has not met it in a calm table spares it all the same,
 * as it may be young: its last packet is younger than min_age, answered or not, or nobody knows. For who looks once and
 * knows no calm. */
bool policy_may_be_young(const struct policy *policy, const struct policy_decision *decision, const struct flow *flow,
			 const struct flow_filter_context *context);
/* shorten: what is to be left of a lifetime, at least 1: its base (idle + left) times the scale of
 * the decision, not under the floor of its class. May be more than left: then there is nothing to
 * shorten. Idle time is not taken off as pf does: once a timeout was written it cannot be told any
 * more, and a second round would take it off again. */
uint32_t policy_shortened_sec(const struct policy_do *action, double scale, enum flow_class class,
			      uint32_t idle_sec, uint32_t left_sec);
/* The part of "own" that a flow shows by itself: answered, protocol 47, 50, 89 or 112, or port 179,
 * 500, 4500 or 3780. */
bool policy_is_own_protocol(const struct flow *flow);
/* The protect list alone: its index, policy->protect_count where it is "own", or SIZE_MAX. */
size_t policy_protected_by(const struct policy *policy, const struct flow *flow,
			   const struct policy_flow_context *context);

#endif
