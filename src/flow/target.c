/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/target: one entry as the writer needs it. */
#include <string.h>

#include "flow/ports.h"

void flow_target_from(const struct flow *flow, struct flow_target *ret_target)
{
	*ret_target = (struct flow_target){
		.orig = flow->tuple[FLOW_ORIG],
		.zone = flow->zone,
		.zone_reply = flow->zone_reply,
		.id = flow->id,
		.timeout_sec = flow->timeout_sec,
		.status = flow->status,
		.start_ns = flow->has & FLOW_HAS_TIMESTAMP ? flow->start_ns : 0,
	};
}

bool flow_target_is(const struct flow_target *target, const struct flow *flow)
{
	const struct flow_tuple *a = &target->orig, *b = &flow->tuple[FLOW_ORIG];

	return a->family == b->family && a->protocol == b->protocol && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->src, b->src, sizeof(a->src)) && !memcmp(a->dst, b->dst, sizeof(a->dst)) &&
	       target->zone == flow->zone && target->zone_reply == flow->zone_reply && target->id == flow->id &&
	       (!target->start_ns || !(flow->has & FLOW_HAS_TIMESTAMP) || target->start_ns == flow->start_ns);
}
