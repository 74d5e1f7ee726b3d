/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/facts: class, idle time and age of one flow. */
#include "stats/facts.h"

#define NS_IN_SEC 1000000000LL

void flow_facts_of(const struct flow *flow, const struct flow_timeouts *timeouts,
		   int64_t now_real_ns, struct flow_facts *ret_facts)
{
	struct flow_facts facts = {.class = flow_class_of(flow)};

	facts.is_answered = (flow->status & FLOW_STATUS_SEEN_REPLY) && flow_class_is_two_way(facts.class);
	facts.has_idle = timeouts && flow_idle_sec(flow, timeouts, &facts.idle_sec);
	if ((flow->has & FLOW_HAS_TIMESTAMP) && flow->start_ns) {
		int64_t age_ns = now_real_ns - (int64_t)flow->start_ns;
		int64_t age_sec = age_ns / NS_IN_SEC;

		facts.has_age = true;
		if (age_ns > 0)
			facts.age_sec = age_sec > UINT32_MAX ? UINT32_MAX : (uint32_t)age_sec;
	}
	*ret_facts = facts;
}
