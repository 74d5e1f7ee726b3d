/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/reading: one reading of a table's counters, as plain data: filled by kernel, judged by stats. */
#ifndef CTWARDEN_FLOW_READING_H
#define CTWARDEN_FLOW_READING_H

#include <stdbool.h>
#include <stdint.h>

struct table_counters { /* sums over all CPUs since boot, IPCTNL_MSG_CT_GET_STATS_CPU */
	uint64_t found, invalid, insert, insert_failed, drop, early_drop, error, search_restart, clash_resolve,
		chaintoolong;
};

enum reading_has {
	READING_HAS_ENTRIES = 1 << 0,
	READING_HAS_LIMIT = 1 << 1, /* by netlink or, failing that, nf_conntrack_max */
	READING_HAS_COUNTERS = 1 << 2,
	READING_HAS_BUCKETS = 1 << 3, /* /proc/sys only: there is no netlink request for it */
};

struct table_reading {
	int64_t monotonic_ns, real_ns;
	uint32_t has; /* enum reading_has */
	uint64_t entries;
	uint64_t entries_limit; /* 0: none */
	uint64_t buckets;
	struct table_counters counters;
};

/* The namespace a table belongs to. */
struct table_netns {
	uint64_t inode; /* of the netns file, as "net:[4026531840]"; 0: not known */
	bool is_host;   /* the same as that of process 1 (where that can be seen) */
	char name[64];  /* of `ip netns`, else empty */
};

#endif
