/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/victim: one flow against one decision. The protect list comes last, whatever the rule
 * says. */
#include "policy/victim.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "stats/facts.h"

static const char *const names[POLICY_VERDICT_COUNT] = {
	[POLICY_VERDICT_TAKE] = "take",	  [POLICY_VERDICT_NO_MATCH] = "no-match",
	[POLICY_VERDICT_CLASS] = "class", [POLICY_VERDICT_ACTIVE] = "active",
	[POLICY_VERDICT_YOUNG] = "young", [POLICY_VERDICT_PROTECTED] = "protected",
};

const char *policy_verdict_name(enum policy_verdict verdict)
{
	return names[verdict];
}

static bool is_own_port(uint16_t port)
{
	return port == 179 || port == 500 || port == 4500 ||
	       port == 3780; /* BGP, IKE, NAT-T, conntrackd */
}

bool policy_is_own_protocol(const struct flow *flow)
{
	const struct flow_tuple *tuple = &flow->tuple[FLOW_ORIG];

	/* Unanswered ones would be a shield that anybody can put up. */
	if (!(flow->status & FLOW_STATUS_SEEN_REPLY))
		return false;
	switch (tuple->protocol) {
	case IPPROTO_GRE:
	case IPPROTO_ESP:
	case 89:  /* OSPF */
	case 112: /* VRRP */
		return true;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return is_own_port(tuple->dport) || is_own_port(tuple->sport);
	default:
		return false;
	}
}

static bool has_address(const struct addr *addrs, size_t count, uint8_t family,
			const uint8_t *bytes)
{
	for (size_t i = 0; i < count; i++)
		if (addrs[i].family == family &&
		    !memcmp(addrs[i].bytes, bytes, sizeof(addrs[i].bytes)))
			return true;
	return false;
}

/* An end of it is this host: what it opened itself, or what was sent to it (behind DNAT: who
 * answers). */
static bool is_local(const struct flow *flow, const struct policy_flow_context *context)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG], *reply = &flow->tuple[FLOW_REPLY];

	return (flow->status & FLOW_STATUS_SEEN_REPLY) &&
	       (has_address(context->own_addrs, context->own_count, orig->family, orig->src) ||
		has_address(context->own_addrs, context->own_count, reply->family, reply->src));
}

size_t policy_protected_by(const struct policy *policy, const struct flow *flow,
			   const struct policy_flow_context *context)
{
	for (size_t i = 0; i < policy->protect_count; i++)
		if (flow_filter_match(policy->protect[i].match.filter, flow, &context->match))
			return i;
	if (policy->protects_own && (policy_is_own_protocol(flow) || is_local(flow, context)))
		return policy->protect_count;
	return SIZE_MAX;
}

/* Idle for at least floor_ns; not known is not idle. */
static bool is_idle(const struct flow *flow, int64_t floor_ns,
		    const struct flow_filter_context *context)
{
	uint32_t idle_sec;

	return floor_ns <= 0 ||
	       (context->timeouts && flow_idle_sec(flow, context->timeouts, &idle_sec) &&
		idle_sec * NS_PER_SEC >= floor_ns);
}

/* Younger than min_age by the kernel's stamp, else its last packet is: the answer may still be on
 * its way. Answered flows have their floor for that, as a busy one has little idle time all its
 * life. Where nothing is known, nothing is spared. */
static bool is_young(const struct flow *flow, enum flow_class class, int64_t min_age_ns,
		     const struct flow_filter_context *context)
{
	uint32_t idle_sec;

	if (min_age_ns <= 0)
		return false;
	if ((flow->has & FLOW_HAS_TIMESTAMP) && flow->start_ns)
		return context->now_real_ns - (int64_t)flow->start_ns < min_age_ns;
	if (class != FLOW_CLASS_UNREPLIED && class != FLOW_CLASS_HALF_OPEN &&
	    class != FLOW_CLASS_PICKUP)
		return false;
	return context->timeouts && flow_idle_sec(flow, context->timeouts, &idle_sec) &&
	       idle_sec * NS_PER_SEC < min_age_ns;
}

/* The floor is for flows that nothing speaks against. */
static bool takes_all(const struct policy_decision *decision, const struct policy_do *action)
{
	return action->takes_active_at_full && decision->level == LEVEL_FULL;
}

/* What is in use, or so young that its answer may still be on its way. */
static enum policy_verdict spared_by_time(const struct policy_decision *decision, const struct policy_do *action,
					  const struct flow *flow, enum flow_class class,
					  const struct flow_filter_context *context)
{
	if (takes_all(decision, action))
		return POLICY_VERDICT_TAKE;
	if (action->action == POLICY_ACTION_EVICT && !is_idle(flow, action->floors_ns[class], context))
		return POLICY_VERDICT_ACTIVE;
	return is_young(flow, class, action->min_age_ns, context) ? POLICY_VERDICT_YOUNG : POLICY_VERDICT_TAKE;
}

bool policy_may_be_young(const struct policy *policy, const struct policy_decision *decision, const struct flow *flow,
			 const struct flow_filter_context *context)
{
	const struct policy_do *action = &policy->rules[decision->rule].action;
	struct flow_facts facts;

	if (action->action != POLICY_ACTION_EVICT || takes_all(decision, action))
		return false;
	flow_facts_of(flow, context->timeouts, context->now_real_ns, &facts);
	if (facts.has_age)
		return facts.age_sec < action->min_age_ns / NS_PER_SEC;
	return !facts.has_idle || facts.idle_sec < action->min_age_ns / NS_PER_SEC;
}

uint32_t policy_shortened_sec(const struct policy_do *action, double scale, enum flow_class class,
			      uint32_t idle_sec, uint32_t left_sec)
{
	double left = scale * ((double)idle_sec + left_sec);
	double floor = (double)action->floors_ns[class] / NS_PER_SEC;

	if (left < floor)
		left = floor;
	return left < 1 ? 1 : (uint32_t)left;
}

/* More left than it may have. Where idle time is not known the base is not known either. */
static bool is_long(const struct flow *flow, enum flow_class class, const struct policy_do *action,
		    double scale, const struct flow_filter_context *context)
{
	uint32_t idle_sec;

	return context->timeouts && flow_idle_sec(flow, context->timeouts, &idle_sec) &&
	       flow->timeout_sec >
		       policy_shortened_sec(action, scale, class, idle_sec, flow->timeout_sec);
}

enum policy_verdict policy_judge(const struct policy *policy, const struct policy_decision *decision,
				 const struct flow *flow, const struct policy_flow_context *context,
				 struct policy_judgement *ret)
{
	const struct policy_do *action = &policy->rules[decision->rule].action;
	struct policy_judgement judgement = {.protect = SIZE_MAX};
	enum flow_class class = flow_class_of(flow);
	enum policy_verdict by_time;

	if (!flow_filter_match(decision->filter, flow, &context->match))
		return POLICY_VERDICT_NO_MATCH;
	while (judgement.rank < action->class_count && action->classes[judgement.rank] != class)
		judgement.rank++;
	if (judgement.rank == action->class_count)
		return POLICY_VERDICT_CLASS;
	if (action->action == POLICY_ACTION_SHORTEN &&
	    !is_long(flow, class, action, decision->scale, &context->match))
		return POLICY_VERDICT_NO_MATCH;
	by_time = spared_by_time(decision, action, flow, class, &context->match);
	judgement.is_by_fit = by_time != POLICY_VERDICT_TAKE;
	if (judgement.is_by_fit && !(context->fits_signature && action->has_signature))
		return by_time;
	judgement.protect = policy_protected_by(policy, flow, context);
	if (ret)
		*ret = judgement;
	return judgement.protect == SIZE_MAX ? POLICY_VERDICT_TAKE : POLICY_VERDICT_PROTECTED;
}
