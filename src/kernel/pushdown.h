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
bool pushdown_is_empty(const struct pushdown *pushdown);
/* Adds the attributes; the family goes into the request's nfgenmsg by the caller. */
void pushdown_put(const struct pushdown *pushdown, struct nlmsghdr *request);
/* As options of the command; "" for nothing; cut where size is too small. */
void pushdown_format(const struct pushdown *pushdown, char *buf, size_t size);

#endif
