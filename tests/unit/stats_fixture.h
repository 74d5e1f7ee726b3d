/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of stats: made-up flows and a generator of numbers that is the same in
 * every run. */
#ifndef CTWARDEN_TESTS_STATS_FIXTURE_H
#define CTWARDEN_TESTS_STATS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "flow/flow.h"

#define SEC  1000000000LL
#define TCP  6
#define UDP  17
#define ICMP 1

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void put_ipv4(uint8_t address[16], uint32_t value)
{
	address[0] = (uint8_t)(value >> 24);
	address[1] = (uint8_t)(value >> 16);
	address[2] = (uint8_t)(value >> 8);
	address[3] = (uint8_t)value;
}

#define IP(a, b, c, d)                                                                             \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* An unreplied IPv4 flow; TCP is in SYN_SENT. */
static inline struct flow flow_make(uint8_t protocol, uint32_t src, uint32_t dst, uint16_t sport,
				    uint16_t dport)
{
	struct flow flow = {.has = FLOW_HAS_STATUS | FLOW_HAS_REPLY | FLOW_HAS_ID};
	struct flow_tuple *orig = &flow.tuple[FLOW_ORIG], *reply = &flow.tuple[FLOW_REPLY];

	orig->family = reply->family = AF_INET;
	orig->protocol = reply->protocol = protocol;
	orig->sport = reply->dport = sport;
	orig->dport = reply->sport = dport;
	put_ipv4(orig->src, src);
	put_ipv4(orig->dst, dst);
	put_ipv4(reply->src, dst);
	put_ipv4(reply->dst, src);
	if (protocol == TCP) {
		flow.has |= FLOW_HAS_STATE;
		flow.state = FLOW_TCP_SYN_SENT;
	}
	return flow;
}

/* The same, two-way and ASSURED; TCP is ESTABLISHED. */
static inline struct flow flow_answered(uint8_t protocol, uint32_t src, uint32_t dst,
					uint16_t sport, uint16_t dport)
{
	struct flow flow = flow_make(protocol, src, dst, sport, dport);

	flow.status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
	if (protocol == TCP)
		flow.state = FLOW_TCP_ESTABLISHED;
	return flow;
}

static inline struct flow flow_pickup(uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct flow flow = flow_make(TCP, src, dst, sport, dport);

	flow.state = FLOW_TCP_ESTABLISHED;
	return flow;
}

static inline double cpu_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
