/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/timeouts: which base timeout an entry runs on, and how long it has been idle where that can be told. */
#include "flow/timeouts.h"

#include <netinet/in.h>

#define TCP_UNACKNOWLEDGED_DEFAULT_SEC 300
#define STATES_KNOWN 16 /* entries of flow_timeouts.sctp and .dccp */

struct flow_timeouts flow_timeouts_default(void)
{
	return (struct flow_timeouts){
		.tcp = { [FLOW_TCP_SYN_SENT] = 120, [FLOW_TCP_SYN_RECV] = 60, [FLOW_TCP_ESTABLISHED] = 432000,
			 [FLOW_TCP_FIN_WAIT] = 120, [FLOW_TCP_CLOSE_WAIT] = 60, [FLOW_TCP_LAST_ACK] = 30,
			 [FLOW_TCP_TIME_WAIT] = 120, [FLOW_TCP_CLOSE] = 10, [FLOW_TCP_SYN_SENT2] = 120 },
		.tcp_max_retrans = TCP_UNACKNOWLEDGED_DEFAULT_SEC,
		.tcp_unacknowledged = TCP_UNACKNOWLEDGED_DEFAULT_SEC,
		.udp_unreplied = 30,
		.udp_stream = 120,
		.icmp = 30,
		.icmpv6 = 30,
		.generic = 600,
		.gre_unreplied = 30,
		.gre_replied = 180,
		/* closed, cookie wait, cookie echoed, established, shutdown sent, received, ack sent, heartbeat sent */
		.sctp = { 0, 10, 3, 3, 210, 3, 3, 3, 30 },
		/* request, respond, partopen, open, closereq, closing, timewait */
		.dccp = { 0, 240, 480, 480, 43200, 64, 64, 240 },
	};
}

/* TCP with retransmits, a zero window or unacknowledged data runs on one of two shorter timeouts, and nothing shows
 * which: what has no more left than those may be idle for days or active. */
static bool tcp_base_is_sure(uint8_t state, uint32_t left, uint32_t base, const struct flow_timeouts *t)
{
	const uint32_t limits[] = { t->tcp_max_retrans ? t->tcp_max_retrans : TCP_UNACKNOWLEDGED_DEFAULT_SEC,
				    t->tcp_unacknowledged ? t->tcp_unacknowledged : TCP_UNACKNOWLEDGED_DEFAULT_SEC };

	for (unsigned i = 0; i < 2; i++) {
		if (left <= limits[i] && (state == FLOW_TCP_ESTABLISHED || base > limits[i]))
			return false;
	}
	return true;
}

static uint32_t base_of_state(const struct flow *flow, const uint32_t *by_state, unsigned count)
{
	if (!(flow->has & FLOW_HAS_STATE) || flow->state >= count)
		return 0;
	return by_state[flow->state];
}

static uint32_t base_timeout(const struct flow *flow, const struct flow_timeouts *t)
{
	/* For UDP and GRE the packet that makes a flow ASSURED is the first one that runs on the longer timeout;
	 * SEEN_REPLY alone does not say so. */
	bool assured = flow->status & FLOW_STATUS_ASSURED;

	switch (flow->tuple[FLOW_ORIG].protocol) {
	case IPPROTO_TCP:
		return base_of_state(flow, t->tcp, FLOW_TCP_COUNT);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return assured ? t->udp_stream : t->udp_unreplied;
	case IPPROTO_ICMP:
		return t->icmp;
	case IPPROTO_ICMPV6:
		return t->icmpv6;
	case IPPROTO_GRE:
		return assured ? t->gre_replied : t->gre_unreplied;
	case IPPROTO_SCTP:
		return base_of_state(flow, t->sctp, STATES_KNOWN);
	case IPPROTO_DCCP:
		return base_of_state(flow, t->dccp, STATES_KNOWN);
	default:
		return t->generic;
	}
}

bool flow_idle_sec(const struct flow *flow, const struct flow_timeouts *timeouts, uint32_t *ret_idle_sec)
{
	const uint32_t unknowable = FLOW_STATUS_OFFLOAD | FLOW_STATUS_HW_OFFLOAD | FLOW_STATUS_FIXED_TIMEOUT;
	const uint32_t needed = FLOW_HAS_TIMEOUT | FLOW_HAS_STATUS;
	uint32_t base;

	if ((flow->has & needed) != needed || flow->status & unknowable)
		return false;
	base = base_timeout(flow, timeouts);
	if (!base || flow->timeout_sec > base)
		return false;
	if (flow->tuple[FLOW_ORIG].protocol == IPPROTO_TCP &&
	    !tcp_base_is_sure(flow->state, flow->timeout_sec, base, timeouts))
		return false;
	*ret_idle_sec = base - flow->timeout_sec;
	return true;
}
