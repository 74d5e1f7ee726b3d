/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/pushdown: the part of a filter that ctnetlink can match by itself. Private to the layer.
 * Push-down is a hint: an older kernel ignores what it does not know, so every entry received is
 * matched again. What is pushed must therefore never be narrower than the filter. */
#ifndef CTWARDEN_KERNEL_PUSHDOWN_H
#define CTWARDEN_KERNEL_PUSHDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "flow/filter.h"
#include "flow/flow.h"

/* Bits of CTA_FILTER_{ORIG,REPLY}_FLAGS, in host byte order. The kernel keeps them out of its UAPI
 * headers (net/netfilter/nf_conntrack_netlink.c, enum ctattr_filter flags). */
enum pushdown_flag {
	SIDE_SRC = 1 << 0,
	SIDE_DST = 1 << 1,
	SIDE_PROTOCOL = 1 << 3,
	SIDE_SPORT = 1 << 4,
	SIDE_DPORT = 1 << 5,
};

struct pushdown_side {
	uint32_t flags; /* what of the tuple is to be compared, as CTA_FILTER_{ORIG,REPLY}_FLAGS */
	struct flow_tuple tuple;
};

struct pushdown {
	uint8_t family; /* 0: both */
	bool has_mark;
	uint16_t zone;		      /* 0: not pushed */
	uint32_t status, status_mask; /* mask 0: not pushed */
	uint32_t mark, mark_mask;
	struct pushdown_side side[FLOW_DIRECTION_COUNT];
};

/* filter may be NULL: nothing is pushed. */
void pushdown_from(const struct flow_filter *filter, struct pushdown *ret_pushdown);
/* The families to ask for, one request each: the kernel refuses a tuple without a family
 * (EOPNOTSUPP), so that a protocol of both families takes two requests. AF_UNSPEC: both at once.
 * Returns 1 or 2. */
unsigned pushdown_families(const struct pushdown *pushdown, uint8_t ret_families[2]);
/* Whether what is pushed means exactly the filter, no less: the kernel needs no help. False for nothing pushed. */
bool pushdown_is_whole(const struct pushdown *pushdown, const struct flow_filter *filter);
bool pushdown_is_empty(const struct pushdown *pushdown);
/* Adds the attributes; the family goes into the request's nfgenmsg by the caller. */
void pushdown_put(const struct pushdown *pushdown, struct nlmsghdr *request);
/* As options of the command; "" for nothing; cut where size is too small. */
void pushdown_format(const struct pushdown *pushdown, char *buf, size_t size);

#endif
