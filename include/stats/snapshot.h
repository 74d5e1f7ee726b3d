/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/snapshot: all that status, alarms and outputs say of one table at one moment, as plain data without pointers
 * into live tables. The contract between statistics and report. */
#ifndef CTWARDEN_STATS_SNAPSHOT_H
#define CTWARDEN_STATS_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/reading.h"
#include "stats/cause_memory.h"
#include "stats/fill.h"
#include "stats/level.h"
#include "stats/picture.h"

#define SNAPSHOT_TOP 20
#define SNAPSHOT_EXAMPLES 5

enum snapshot_has {
	SNAPSHOT_HAS_LEVEL = 1 << 0,    /* judged with memory (daemon), else by the marks alone */
	SNAPSHOT_HAS_GROWTH = 1 << 1,
	SNAPSHOT_HAS_PASS = 1 << 2,     /* classes, assured share: from a pass over the table */
	SNAPSHOT_HAS_PEAK = 1 << 3,
	SNAPSHOT_HAS_TOP = 1 << 4,
	SNAPSHOT_HAS_RATE = 1 << 5,     /* new flows per second, by events */
	SNAPSHOT_HAS_EXPIRED = 1 << 6,
	SNAPSHOT_HAS_REFUSAL = 1 << 7,
	SNAPSHOT_HAS_EVENTS = 1 << 8,   /* whether somebody listens, and what came of it */
	SNAPSHOT_HAS_FAST_DELETE = 1 << 9,
	SNAPSHOT_HAS_GUARD = 1 << 10,   /* what the daemon's policy does */
};

#define SNAPSHOT_POLICY_MAX 64
#define SNAPSHOT_LAST_MAX   480

/* The guard of the daemon. */
struct snapshot_guard {
	char policy[SNAPSHOT_POLICY_MAX]; /* its name, or its file; "" none */
	uint32_t rules;
	bool acts;              /* false: observes */
	bool base_acts;         /* what comes back at until_real_ns */
	int64_t until_real_ns;  /* 0: for good */
	bool is_running;        /* false: no rule, or no right to carry one out */
	bool is_calm, in_surge; /* neither: not known yet */
	bool knows_seniors;     /* two calm passes were made */
	uint64_t seniors, bans;
	/* Since the start: put in by user space and senior at once; not remembered in time. */
	uint64_t adopted, adopted_lost;
	uint64_t rounds, renewals, records, evicted, failed; /* since the start */
	char last[SNAPSHOT_LAST_MAX]; /* the last record in words; "" none yet */
	int64_t last_real_ns;
};

struct snapshot_top {
	enum ranking_by by;
	struct ranking_config config;
	size_t used;
	struct ranking_row rows[SNAPSHOT_TOP];
	struct ranking_totals totals;
};

/* Rows that are not among the first by entries but by another count: new flows, unreplied, half-open, answered. For
 * policies: whom entries alone would hide. */
#define SNAPSHOT_MORE (5 * SNAPSHOT_TOP)
struct snapshot_more {
	size_t used;
	struct ranking_row rows[SNAPSHOT_MORE];
};

struct snapshot {
	uint32_t has;               /* enum snapshot_has */
	bool is_daemon_view;
	struct table_netns netns;
	struct fill fill;
	struct level_config marks;
	enum level level;
	int64_t level_since_real_ns;
	double new_per_sec;
	/* of the last pass */
	double evictable_pct;       /* not ASSURED: early drop may take them */
	double expired_pct;         /* still counted though expired, measured by the pass */
	uint64_t expired;           /* entries before the pass minus after, at least 0 */
	uint64_t listed;            /* entries the pass listed */
	uint64_t counted_before, counted_after; /* the kernel's count around the pass */
	double refusal_probability; /* now */
	double refusal_when_full;
	uint64_t classes[FLOW_CLASS_COUNT];
	uint64_t states[FLOW_TCP_COUNT]; /* TCP */
	uint64_t protocols[256];
	double pass_age_sec;
	double pass_sec;            /* how long it took */
	unsigned redone_passes;
	bool is_approximate;
	uint64_t lost_events;       /* since the last pass */
	struct cause cause;
	size_t examples_used;       /* flows that fit the cause */
	struct flow_brief examples[SNAPSHOT_EXAMPLES];
	struct snapshot_top sources, prefixes, services, destinations;
	struct snapshot_more more_sources, more_prefixes; /* snapshot_add_more alone fills them */
	bool fast_delete;           /* deletes by the kernel's own filter are proven here */
	char fast_delete_why[160];  /* why not */
	uint32_t fast_delete_sets;  /* kept proofs; 0: not known */
	/* daemon only */
	int64_t daemon_since_real_ns;
	bool is_listening;
	char events_note[128];      /* "events off: above 20,000 new/s", empty when all is well */
	uint64_t events_received, events_lost, events_overruns, events_undecodable, events_not_kernel;
	uint64_t folded_entries;
	struct snapshot_guard guard;
};

/* Fills fill, level (by marks alone), refusal from readings and picture (NULL: no pass) for the one-shot commands. */
void snapshot_from_reading(struct snapshot *ret_snapshot, const struct table_reading *reading, uint64_t capacity,
			   const struct level_config *marks, const struct picture *picture);
/* Fills what the last pass counted: classes, states, protocols, evictable share. Copies only. */
void snapshot_add_pass(struct snapshot *snapshot, const struct picture *picture, int64_t now_monotonic_ns);
/* Fills what a picture tells: classes, protocols, top tables, evictable share, cause. memory: of causes found before;
 * NULL: of this picture alone. */
void snapshot_add_picture(struct snapshot *snapshot, const struct picture *picture, struct cause_memory *memory,
			  int64_t now_monotonic_ns);
/* The same with cause, examples and top tables taken from an earlier snapshot of that picture, which cost
 * milliseconds. */
void snapshot_add_picture_from(struct snapshot *snapshot, const struct picture *picture, const struct snapshot *from,
			       int64_t now_monotonic_ns);

/* After one of these two: fills more_sources and more_prefixes. Costs ten walks over the rows. */
void snapshot_add_more(struct snapshot *snapshot, const struct picture *picture);

/* What the kernel's counter said before and after the pass, and how many entries the pass listed: fills counted_before,
 * counted_after, listed and the expired share (what the pass freed; births meanwhile can only hide some of it). before
 * 0 claims nothing of expired entries: the counter was not read. */
void snapshot_add_counts(struct snapshot *snapshot, uint64_t before, uint64_t after, uint64_t listed);
/* Fills the refusal probabilities from the reading and evictable_pct; claims nothing without a limit or buckets. */
void snapshot_add_refusal(struct snapshot *snapshot);

/* An alarm: one crossing. previous is the level before. */
struct alarm {
	enum level previous;
	struct snapshot at;
};

/* New flows a second are known and no contradiction: the table cannot grow by more than what is new, so where growth is
 * twice as much the events are still on their way. */
bool snapshot_knows_rate(const struct snapshot *snapshot);
/* What a full table would refuse: at SNAPSHOT_MIX_MIN listed entries at least, for the mix of a nearly empty table says
 * nothing of the one that fills it. (Policies take refusal_when_full as it is: without evictable entries the worst.) */
#define SNAPSHOT_MIX_MIN 100
bool snapshot_knows_refusal_when_full(const struct snapshot *snapshot);

#endif
