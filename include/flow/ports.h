/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/ports: what other layers ask of the kernel, declared here so that they need not know the layer kernel,
 * which implements it. */
#ifndef CTWARDEN_FLOW_PORTS_H
#define CTWARDEN_FLOW_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/filter.h"
#include "flow/flow.h"

/* Called for each flow that matches the whole filter. flow is valid for the call only. raw (raw_len bytes) is the
 * netlink message it came in, for kernel/print; NULL where the flow comes from a file. Return false to end the scan. */
typedef bool flow_scan_fn(const struct flow *flow, const void *raw, size_t raw_len, void *arg);

struct flow_scan_report {
	uint64_t received;    /* entries the kernel sent */
	uint64_t matched;     /* entries handed to the callback */
	uint64_t undecodable; /* messages that were no flow */
	uint64_t not_kernel;  /* messages that did not come from the kernel */
	unsigned redone;      /* times the dump was begun anew because the hash was resized meanwhile */
	bool unsettled;       /* resized again and again: the last pass may miss or repeat entries */
	bool unwatched;       /* the number of buckets cannot be read: a resize is not noticed */
	bool is_stopped;      /* by who watches the progress: not all was read */
	int64_t started_ns, ended_ns; /* monotonic */
	int64_t cpu_ns;
	char pushed_down[160]; /* what the kernel was asked to filter, as options; "" nothing */
};

/* ---- writing ---- */

/* What names one entry to the kernel, and what tells its life apart from a later one of the same tuple. 64 bytes. */
struct flow_target {
	struct flow_tuple orig;
	uint16_t zone, zone_reply;
	/* Checked by a delete, not by an update (measured: a wrong id succeeds there). A connection that was reset and
	 * begun anew on the same ports is replaced by the kernel at once, in most cases in the same memory, and then
	 * has the same id (measured: 92 of 100). */
	uint32_t id;
	uint32_t timeout_sec, status;
	uint64_t start_ns; /* 0: not stamped */
};

void flow_target_from(const struct flow *flow, struct flow_target *ret_target);
/* Whether flow, read again, is the same life as the target: tuple, zone, id and, where stamped, start. */
bool flow_target_is(const struct flow_target *target, const struct flow *flow);

#define FLOW_BATCH_MAX 128 /* targets a write or a second reading takes at once (kernel-facts: more gains nothing) */

enum flow_outcome {
	FLOW_OUTCOME_DONE,
	FLOW_OUTCOME_GONE,    /* ENOENT: expired, deleted by somebody else, or another life of the tuple */
	FLOW_OUTCOME_REFUSED, /* EPERM (a fixed timeout), EBUSY to the end, or another error of this entry alone */
	FLOW_OUTCOME_UNKNOWN, /* not sent, or the answer was lost: nobody can say */
	FLOW_OUTCOME_COUNT
};

/* What may be asked for one entry's timeout. */
struct flow_timeout_change {
	uint32_t timeout_sec; /* left from now on; 0: expired at once */
	bool is_fixed;        /* IPS_FIXED_TIMEOUT: packets do not renew it, and nothing can change it any more */
};

/* The kernel as the layer action sees it; kernel/ports.c fills it for the calling thread's namespace. All block.
 * Batches are tried again within bounds on EBUSY, ENOBUFS, EINTR and short sends. Nothing here deletes without a tuple
 * but delete_filtered. */
struct flow_ports {
	void *arg;
	int (*scan)(void *arg, const struct flow_filter *filter, const struct flow_filter_context *context,
		    flow_scan_fn *fn, void *fn_arg, struct flow_scan_report *ret_report);
	/* Reads up to FLOW_BATCH_MAX entries again; ret_found[i] false: gone or another life. 0 or -errno (nothing
	 * known). */
	int (*read_again)(void *arg, const struct flow_target *targets, size_t count, struct flow *ret_flows,
			  bool *ret_found);
	/* A quarter of the price of a second reading, where all that matters of an entry is whether it has come further
	 * than it was read: up to FLOW_BATCH_MAX of them, by tuple and zone alone. ret_sure[i]: it is there and, where
	 * the target's status has SEEN_REPLY, not assured; where it has not, never answered. Else read again. An end of
	 * the connection does not show, nor that this is another life of the tuple. The question is an update of the
	 * status that sets no more than SEEN_REPLY of the target: nothing changes in what was read, but another life
	 * that nobody has answered yet counts as answered from then on: ask soon. EBUSY is the kernel's refusal to take
	 * SEEN_REPLY or ASSURED back (or EXPECTED: a child is never sure): ctnetlink_change_status in
	 * net/netfilter/nf_conntrack_netlink.c, since Linux 6.0 by nf_ct_change_status_common in nf_conntrack_core.c.
	 * It is an event to who listens to updates: only where can_ask_unchanged, once a round, says that nobody does.
	 * NULL: not to be had. 0 or -errno (nothing known). */
	bool (*can_ask_unchanged)(void *arg);
	int (*ask_unchanged)(void *arg, const struct flow_target *targets, size_t count, bool *ret_sure);
	/* Up to FLOW_BATCH_MAX flows by a tuple of either direction and the zone of that direction. 0 or -errno
	 * (nothing known). */
	int (*find)(void *arg, const struct flow_tuple *tuples, const uint16_t *zones, size_t count,
		    struct flow *ret_flows, bool *ret_found);
	/* Up to FLOW_BATCH_MAX entries by tuple, zone and id; one outcome each (DONE also where the kernel's answer was
	 * lost and the entry is no longer there). 0, or -errno where the batch could not be sent at all (outcomes
	 * UNKNOWN): -EPERM without CAP_NET_ADMIN. */
	int (*delete)(void *arg, const struct flow_target *targets, size_t count, enum flow_outcome *ret_outcomes);
	/* Likewise, but by tuple and zone alone: the kernel looks at no id here, so read again right before. Never
	 * makes an entry. is_fixed sends the target's status along; where that has moved on meanwhile it is
	 * read again. */
	int (*set_timeout)(void *arg, const struct flow_target *targets, const struct flow_timeout_change *changes,
			   size_t count, enum flow_outcome *ret_outcomes);
	/* Whether the kernel alone can delete exactly what the filter means: all of it can be pushed down and the set
	 * of attributes is proven in this kernel. False: ret_why says why not, in words. The first question about a set
	 * may cost a proof (kernel/prover: about as long as one filtered DELETE takes); the answer is kept. */
	bool (*can_delete_filtered)(void *arg, const struct flow_filter *filter, char *ret_why, size_t why_size);
	/* One filtered DELETE (two where both families need one). -EOPNOTSUPP where can_delete_filtered is false. */
	int (*delete_filtered)(void *arg, const struct flow_filter *filter);
	/* Everything of the table: conntrack -F. Only for --all, nothing to spare. */
	int (*delete_all)(void *arg);
	/* Evicts what has expired by a pass that matches nothing. */
	int (*sweep)(void *arg);
	int (*count)(void *arg, uint64_t *ret_entries);
};

#endif
