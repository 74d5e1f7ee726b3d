/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_private: what the filter holds. Private to the layer. For each key one half of what is wanted (values OR)
 * and one of what is excluded; a bit in `keys` says that the half of a key has values. */
#ifndef CTWARDEN_FLOW_FILTER_PRIVATE_H
#define CTWARDEN_FLOW_FILTER_PRIVATE_H

#include <netinet/in.h>

#include "flow/filter.h"
#include "sets.h"

/* Rows of filter_half.addrs, .numbers: keys that share a kind of set. */
enum {
	ADDRS_SRC,
	ADDRS_DST,
	ADDRS_REPLY_SRC,
	ADDRS_REPLY_DST,
	ADDRS_SRC_NAT,
	ADDRS_DST_NAT,
	ADDRS_ANY_NAT,
	ADDRS_COUNT,
};
enum { NUMBERS_SPORT, NUMBERS_DPORT, NUMBERS_REPLY_SPORT, NUMBERS_REPLY_DPORT, NUMBERS_ZONE, NUMBERS_COUNT };
enum { STATES_TCP, STATES_SCTP, STATES_DCCP, STATES_COUNT };

#define FAMILY_V4 1u /* bits of filter_half.families */
#define FAMILY_V6 2u

struct filter_half {
	uint32_t keys; /* 1 << enum flow_filter_key */
	uint32_t any_address; /* keys of NAT given without an address: then their set is not asked */
	uint32_t families, classes; /* bitmaps */
	uint32_t shared; /* rows of addrs that are another filter's: not freed here, not added to */
	struct addr_set addrs[ADDRS_COUNT];
	struct number_set numbers[NUMBERS_COUNT];
	uint64_t protocols[4], labels[2]; /* bitmaps */
	uint16_t states[STATES_COUNT];	  /* bitmap by state number */
	struct masked_set marks, statuses;
	struct range_set bytes, packets;
	int64_t idle_ns, age_ns; /* at least: the least of the values */
	int64_t expires_in_ns;	 /* at most: the greatest of the values */
};

struct flow_filter {
	struct filter_half want, exclude;
};

static inline int filter_addrs_row(enum flow_filter_key key)
{
	switch (key) {
	case FILTER_SRC:
		return ADDRS_SRC;
	case FILTER_DST:
		return ADDRS_DST;
	case FILTER_REPLY_SRC:
		return ADDRS_REPLY_SRC;
	case FILTER_REPLY_DST:
		return ADDRS_REPLY_DST;
	case FILTER_SRC_NAT:
		return ADDRS_SRC_NAT;
	case FILTER_DST_NAT:
		return ADDRS_DST_NAT;
	case FILTER_ANY_NAT:
		return ADDRS_ANY_NAT;
	default:
		return -1;
	}
}

static inline int filter_numbers_row(enum flow_filter_key key)
{
	switch (key) {
	case FILTER_SPORT:
		return NUMBERS_SPORT;
	case FILTER_DPORT:
		return NUMBERS_DPORT;
	case FILTER_REPLY_SPORT:
		return NUMBERS_REPLY_SPORT;
	case FILTER_REPLY_DPORT:
		return NUMBERS_REPLY_DPORT;
	case FILTER_ZONE:
		return NUMBERS_ZONE;
	default:
		return -1;
	}
}

static inline int filter_states_row(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return STATES_TCP;
	case IPPROTO_SCTP:
		return STATES_SCTP;
	case IPPROTO_DCCP:
		return STATES_DCCP;
	default:
		return -1;
	}
}

static inline uint8_t filter_states_protocol(int row)
{
	return row == STATES_TCP ? IPPROTO_TCP : row == STATES_SCTP ? IPPROTO_SCTP : IPPROTO_DCCP;
}

static inline bool filter_protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

static inline bool filter_bit(const uint64_t *bitmap, unsigned i)
{
	return bitmap[i >> 6] >> (i & 63) & 1;
}

static inline bool filter_half_has(const struct filter_half *half, enum flow_filter_key key)
{
	return half->keys >> key & 1;
}

/* flow/filter_check: the status bits that every match has; -EINVAL where two conditions ask for the opposite. */
int filter_implied_status(const struct flow_filter *filter, struct masked *ret_status);
/* flow/filter_check: the classes and the protocols (bitmap) that a match can have; the families (FAMILY_*). */
uint32_t filter_classes(const struct flow_filter *filter);
void filter_protocols(const struct flow_filter *filter, uint64_t ret_protocols[4]);
uint32_t filter_families(const struct flow_filter *filter);

#endif
