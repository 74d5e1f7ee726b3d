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

/* Called for each flow that matches the whole filter. flow is valid for the call only. raw (raw_len bytes) is the netlink
 * message it came in, for kernel/print; NULL where the flow comes from a file. Return false to end the scan. */
typedef bool flow_scan_fn(const struct flow *flow, const void *raw, size_t raw_len, void *arg);

struct flow_scan_report {
	uint64_t received;    /* entries the kernel sent */
	uint64_t matched;     /* entries handed to the callback */
	uint64_t undecodable; /* messages that were no flow */
	uint64_t not_kernel;  /* messages that did not come from the kernel */
	unsigned redone;      /* times the dump was begun anew because the hash was resized meanwhile */
	bool unsettled;       /* resized again and again: the last pass may miss or repeat entries */
	int64_t started_ns, ended_ns; /* monotonic */
	int64_t cpu_ns;
	char pushed_down[160]; /* what the kernel was asked to filter, as options; "" nothing */
};

#endif
