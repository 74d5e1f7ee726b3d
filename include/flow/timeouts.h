/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/timeouts: the base timeouts of protocols and states, and idle time from them. Pure; the values are read by
 * kernel/timeouts. */
#ifndef CTWARDEN_FLOW_TIMEOUTS_H
#define CTWARDEN_FLOW_TIMEOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"

struct flow_timeouts { /* seconds; 0: not known */
	uint32_t tcp[FLOW_TCP_COUNT];
	uint32_t tcp_max_retrans, tcp_unacknowledged;
	uint32_t udp_unreplied, udp_stream;
	uint32_t icmp, icmpv6, generic;
	uint32_t gre_unreplied, gre_replied;
	uint32_t sctp[16], dccp[16]; /* by state number */
};

/* The kernel's own defaults (6.18), for tests and for saved tables. */
struct flow_timeouts flow_timeouts_default(void);
/* Seconds since the last packet: base timeout of protocol and state minus what is left. False (unknown) where the base
 * cannot be told: no timeout, offloaded, FIXED_TIMEOUT, more left than the base, TCP ESTABLISHED with no more than
 * max(tcp_max_retrans, tcp_unacknowledged) left (kernel-facts: runs on those), protocol without a known base. */
bool flow_idle_sec(const struct flow *flow, const struct flow_timeouts *timeouts, uint32_t *ret_idle_sec);

#endif
