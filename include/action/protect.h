/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/protect: what no action may touch: the operator's own connections and named filters. Asked
 * last, of the entry as it was just read. Pure: is told the operator's sockets and the filters. */
#ifndef CTWARDEN_ACTION_PROTECT_H
#define CTWARDEN_ACTION_PROTECT_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/filter.h"
#include "flow/flow.h"

#define PROTECT_MAX	 320 /* entries, the operator's included; the config may have 256 */
#define PROTECT_NAME_MAX 160
#define PROTECT_NONE	 (-1)

struct protect;

struct protect *protect_new(void); /* protects nothing */
void protect_free(struct protect *protect);
/* The operator's sockets as tuples (src: the peer; copied; v4-mapped addresses become IPv4): every
 * flow of which the original or the reply tuple has these two ends, in either order and any zone.
 * Once; count 0 is fine. */
void protect_set_operator(struct protect *protect, const struct flow_tuple *tuples, size_t count);
/* The flows of those sockets, as found in the table (copied; of each socket at least one, and all of
 * the zones that the filter could mean): with
 * them protect_may_meet asks whether the filter could match one of these, instead of any flow of
 * their kind. Once, behind protect_set_operator. */
void protect_set_operator_flows(struct protect *protect, const struct flow *flows, size_t count);
/* A filter, which becomes protect's, under a name for people ("--protect -s 10.0.0.0/8"; cut at
 * PROTECT_NAME_MAX). 0, or -ENOSPC where PROTECT_MAX are there: then the filter stays the
 * caller's. */
int protect_add(struct protect *protect, struct flow_filter *filter, const char *name);
size_t protect_count(const struct protect *protect);
const char *protect_name(const struct protect *protect, size_t index);
/* The first entry that the flow belongs to, or PROTECT_NONE. */
int protect_hit(const struct protect *protect, const struct flow *flow,
		const struct flow_filter_context *context);
/* Whether a flow that is not protected now could come to be while it lives, by its mark or state, say: false only where
 * that is certain. Of the flow only what never changes is looked at. */
bool protect_may_come(const struct protect *protect, const struct flow *flow);
/* Whether some flow could match the filter and be protected: false only where that is certain. With
 * the operator's sockets alone, without their flows, addresses and ports of the filter are not
 * compared: NAT may show the peer, or this host, under other ones. ret_index (may be NULL): the
 * entry it may meet. */
bool protect_may_meet(const struct protect *protect, const struct flow_filter *filter,
		      size_t *ret_index);

#endif
