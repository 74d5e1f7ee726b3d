/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims: which flows are to go, in order, out of one pass. A bounded heap of candidates, 80
 * bytes each. Pure; decides nothing by itself on whether room is needed: the caller says how many
 * and how deep. Not thread-safe.
 *
 * Order: by stage (below), in a stage by class (worst first), in a class max-min fair over
 * sources: the k-th flow of a source that is met in the pass ranks k, the highest ranks go; to
 * take the n highest is exactly to take from those that hold most, down to a common level. Then
 * the longest idle; where all are of one source (of_one_source) that alone. Before fairness, inside
 * a class: where a signature hits the base, what fits it; of what is idle beyond the floor,
 * doublings of the idle time (4 days are worse than 3 hours); of what is unanswered and fits,
 * seconds of age up to young_sec. Pickups count against nobody. */
#ifndef CTWARDEN_STATS_VICTIMS_H
#define CTWARDEN_STATS_VICTIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "stats/facts.h"
#include "stats/ranking.h"
#include "stats/seniority.h"
#include "stats/signature.h"

enum victim_stage {            /* each before the next one */
	VICTIM_UNANSWERED_FIT, /* unreplied or pickup, fits a signature (young ones too) */
	VICTIM_UNANSWERED,     /* unreplied or pickup, not young */
	VICTIM_FIT,            /* answered, fits a signature; not active, not senior. At full also
				* one that hits the base */
	VICTIM_SHORT,          /* half-open, closing, replied; not young, active or senior */
	VICTIM_IDLE,           /* stream, established: idle beyond the floor. The usual depth */
	VICTIM_YOUNGER,        /* not base, idle less than that; only at level full, by policy */
	VICTIM_SPARED_YOUNG,   /* what was spared as young, and YOUNGER with it: as equals */
	VICTIM_BASE,           /* answered, there before the surge; idle below the floor */
	VICTIM_ACTIVE,         /* traffic in both directions of late */
	VICTIM_SENIOR,         /* only at level full */
	VICTIM_STAGE_COUNT
};

const char *victim_stage_name(enum victim_stage stage); /* "unanswered, fits the surge" */

enum victim_spared {           /* why a flow was not taken */
	VICTIM_SPARED_OFFLOADED,
	VICTIM_SPARED_LOOPBACK,
	VICTIM_SPARED_SCTP,    /* established */
	VICTIM_SPARED_UNKNOWN, /* class other: not told what it is */
	VICTIM_SPARED_SENIOR,
	VICTIM_SPARED_ACTIVE,
	VICTIM_SPARED_YOUNG_FLOW,
	VICTIM_SPARED_FLOOR,     /* two-way, idle below the floor or not told; base too */
	VICTIM_SPARED_DEEPER,    /* of another stage than asked for */
	VICTIM_SPARED_PROTECTED, /* by is_protected; asked only where it would be taken else */
	VICTIM_SPARED_CHILD,     /* the master of a flow that lives (FTP, SIP, PPTP) */
	VICTIM_SPARED_COUNT
};

const char *victim_spared_name(enum victim_spared spared); /* "senior", "protected", ... */

#define VICTIM_HAS_ID      1
#define VICTIM_HAS_TIMEOUT 2
#define VICTIM_HAS_IDLE    4
#define VICTIM_HAS_RANK    8  /* senior, also where beyond the fair share of its source */
#define VICTIM_HAS_PROOF   16 /* goes as long as the level is not ok, not only as far as room is needed */
/* maybe: its counters show more than a handshake, and it is not known for long enough to tell */
#define VICTIM_HAS_USE	   32
#define VICTIM_HAS_REPLY   64 /* SEEN_REPLY */

struct victim { /* 64 bytes: enough for a DELETE and for a look before it */
	uint64_t order;               /* the higher the sooner; of victims.c */
	uint8_t src[16], dst[16];     /* original direction, as the ports */
	uint16_t sport, dport, zone, zone_reply;
	uint32_t id, timeout_sec;
	uint8_t family, protocol, state;
	uint8_t signature : 4;   /* the number of the one that fits, + 1; 0: none */
	uint8_t alone : 4;       /* enum victim_stage: did it fit none; VICTIM_STAGE_COUNT: it would not go */
	uint16_t class : 4, stage : 4, has : 8; /* enum flow_class, victim_stage; VICTIM_HAS_* */
	uint16_t idle_code;      /* of victim_idle_sec */
};

/* Idle time; 0 where not known. Above nine hours in whole minutes. */
uint32_t victim_idle_sec(const struct victim *victim);

/* True: never to be taken. */
typedef bool victims_protected_fn(const struct flow *flow, void *arg);

struct victims_config {
	size_t max;        /* victims at most: the budget of the run */
	size_t max_others; /* one that fits no signature goes only while fewer than this are to go
			    * before it, fitting ones included. (What fits goes until the level is
			    * ok, others only until headroom is enough. Answered flows fit in this
			    * sense only where trial showed that what fits is not in use; what is
			    * silent for eight times the floor goes as freely.) */
	enum victim_stage deepest; /* VICTIM_IDLE as a rule */
	uint32_t young_sec;        /* spared below this age */
	uint32_t established_floor_sec, stream_floor_sec;
	uint8_t source_prefix[2];           /* 32, 64 */
	size_t max_sources;                 /* times class; the lightest give way */
	bool of_one_source; /* it is one source that is to give: whichever of its flows is met later is no worse */
	bool takes_loopback, takes_sctp;    /* false: spared */
	bool is_blind; /* what was there in calm is not known: where even young ones are asked for, idle beyond the
			* floor is no reason of its own, and who holds most gives first */
	const struct signature *signatures; /* borrowed until victims_reset or victims_free */
	size_t signature_count;
	victims_protected_fn *is_protected; /* NULL: nothing is */
	void *protected_arg;
};

/* 4,096 of both, VICTIM_IDLE, young 3 s, floors 7440 and 120 s, 65,536 sources. */
struct victims_config victims_config_default(void);

struct victims;

/* Takes all memory at once: 80 B x (max + max_others), and the sources. */
struct victims *victims_new(const struct victims_config *config);
void victims_free(struct victims *victims); /* NULL allowed */
size_t victims_bytes(const struct victims *victims);
/* For the next pass, with other numbers or signatures; max, max_others and max_sources are cut to
 * those of victims_new. */
void victims_reset(struct victims *victims, const struct victims_config *config);

/* One flow of the pass. goes_by_fit: did it fit no signature, the rule would spare it. */
void victims_offer(struct victims *victims, const struct flow *flow,
		   const struct flow_facts *facts, const struct standing *standing, bool goes_by_fit);

/* A flow of the pass that is not offered: a child that lives keeps its master. */
void victims_see(struct victims *victims, const struct flow *flow);

/* After the last offer, before victims_finish: the pass does not bear out the signature of this number. What was to go
 * because it fits lives; what may go without it takes the place it would have had: its stage, class and idle time, and
 * its rank among the flows of its source that fit too. */
void victims_refute(struct victims *victims, size_t signature);

struct victims_report {
	uint64_t offered;
	uint64_t candidates[VICTIM_STAGE_COUNT]; /* by stage, deeper ones too: what could be had */
	uint64_t chosen[VICTIM_STAGE_COUNT];
	uint64_t chosen_classes[FLOW_CLASS_COUNT];
	uint64_t spared[VICTIM_SPARED_COUNT];
	uint64_t by_fit[SIGNATURE_MAX]; /* by signature: those that might go because they fit it, and only so */
	uint64_t fits;           /* flows that fit a signature, of all offered */
	uint64_t sources_folded; /* sources that gave way in the count */
	uint64_t masters;        /* of living flows, met in the pass */
};

/* The victims in order of eviction, valid until victims_reset or victims_free. Once a pass. */
struct victim *victims_finish(struct victims *victims, size_t *ret_count,
				    struct victims_report *ret_report);

#define VICTIM_TEXT_MAX 96
/* "unreplied, idle for 31 s, fits the surge": words for records; returns buf. */
char *victim_reason(const struct victim *victim, char buf[VICTIM_TEXT_MAX]);

#endif
