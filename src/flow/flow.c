/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/flow: the class of an entry (the only place that knows which entries are in which class) and the
 * compact flow. */
#include "flow/flow.h"

#include <netinet/in.h>
#include <string.h>

static enum flow_class tcp_class(const struct flow *flow, bool replied)
{
	if (!(flow->has & FLOW_HAS_STATE))
		return FLOW_CLASS_OTHER;
	switch (flow->state) {
	case FLOW_TCP_NONE:
	case FLOW_TCP_SYN_SENT:
		/* A reply that did not move the state (a stray packet) leaves an entry that is none of the classes. */
		return replied ? FLOW_CLASS_OTHER : FLOW_CLASS_UNREPLIED;
	case FLOW_TCP_SYN_SENT2:
		return replied ? FLOW_CLASS_HALF_OPEN : FLOW_CLASS_UNREPLIED;
	case FLOW_TCP_SYN_RECV:
		return FLOW_CLASS_HALF_OPEN;
	case FLOW_TCP_ESTABLISHED:
		return replied ? FLOW_CLASS_ESTABLISHED : FLOW_CLASS_PICKUP;
	case FLOW_TCP_FIN_WAIT:
	case FLOW_TCP_CLOSE_WAIT:
	case FLOW_TCP_LAST_ACK:
	case FLOW_TCP_TIME_WAIT:
	case FLOW_TCP_CLOSE:
		return FLOW_CLASS_CLOSING;
	default:
		return FLOW_CLASS_OTHER;
	}
}

enum flow_class flow_class_of(const struct flow *flow)
{
	bool replied;

	if (!(flow->has & FLOW_HAS_STATUS))
		return FLOW_CLASS_OTHER;
	if (flow->status & (FLOW_STATUS_OFFLOAD | FLOW_STATUS_HW_OFFLOAD))
		return FLOW_CLASS_OFFLOADED;
	replied = flow->status & FLOW_STATUS_SEEN_REPLY;
	if (flow->tuple[FLOW_ORIG].protocol == IPPROTO_TCP)
		return tcp_class(flow, replied);
	if (!replied)
		return FLOW_CLASS_UNREPLIED;
	return flow->status & FLOW_STATUS_ASSURED ? FLOW_CLASS_STREAM : FLOW_CLASS_REPLIED;
}

void flow_brief_from(const struct flow *flow, struct flow_brief *ret_brief)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];

	memset(ret_brief, 0, sizeof(*ret_brief));
	ret_brief->family = orig->family;
	ret_brief->protocol = orig->protocol;
	ret_brief->state = flow->state;
	ret_brief->class = flow_class_of(flow);
	ret_brief->zone = flow->zone;
	ret_brief->sport = orig->sport;
	ret_brief->dport = orig->dport;
	ret_brief->has = (uint16_t)flow->has;
	ret_brief->id = flow->id;
	ret_brief->mark = flow->mark;
	ret_brief->status = flow->status;
	memcpy(ret_brief->src, orig->src, sizeof(ret_brief->src));
	memcpy(ret_brief->dst, orig->dst, sizeof(ret_brief->dst));
	memcpy(ret_brief->reply_src, flow->tuple[FLOW_REPLY].src, sizeof(ret_brief->reply_src));
}

bool flow_tuple_is_loopback(const struct flow_tuple *tuple)
{
	static const uint8_t v6[16] = {[15] = 1};

	if (tuple->family == AF_INET)
		return tuple->src[0] == 127 || tuple->dst[0] == 127;
	return !memcmp(tuple->src, v6, sizeof(v6)) || !memcmp(tuple->dst, v6, sizeof(v6));
}
