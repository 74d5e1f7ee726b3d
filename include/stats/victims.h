/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims: which flows are to go, in order, out of one pass. A bounded heap of 64 bytes a
 * candidate. Pure; decides nothing by itself on whether room is needed: the caller says how many
 * and how deep. Not thread-safe.
 *
 * Order: by stage (below), in a stage by class (worst first), in a class max-min fair over sources:
 * the k-th flow of a source that is met in the pass ranks k, the highest ranks go; taking the n
 * highest is exactly taking from those that hold most down to a common level. Then the longest
 * idle. */
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

enum victim_stage {			   /* each before the next one */
		    VICTIM_UNANSWERED_FIT, /* unreplied or pickup, fits a signature (young ones too)
					    */
		    VICTIM_UNANSWERED,	   /* unreplied or pickup, not young */
		    VICTIM_FIT,		   /* answered, fits a signature, not active, not senior */
		    VICTIM_SHORT,	   /* half-open, closing, replied; not young, not active */
		    VICTIM_IDLE, /* stream, established, other two-way: idle beyond the floor. The
				    usual depth ends here */
		    VICTIM_YOUNGER, /* stream, established, replied: idle less than that; only at
				       level full and if the policy says so */
		    VICTIM_SPARED_YOUNG, /* what was spared as young */
		    VICTIM_ACTIVE,	 /* traffic in both directions since the pass before */
		    VICTIM_SENIOR,	 /* seniors; only at level full */
		    VICTIM_STAGE_COUNT
};

const char *
victim_stage_name(enum victim_stage stage); /* "unanswered, fits the surge"; for records */

enum victim_spared { /* why a flow was not offered; in this order of judgement */
		     VICTIM_SPARED_OFFLOADED,
		     VICTIM_SPARED_LOOPBACK,
		     VICTIM_SPARED_SCTP,
		     VICTIM_SPARED_UNKNOWN, /* no status: class other */
		     VICTIM_SPARED_SENIOR,
		     VICTIM_SPARED_ACTIVE,
		     VICTIM_SPARED_YOUNG_FLOW,
		     VICTIM_SPARED_FLOOR,     /* idle below the floor */
		     VICTIM_SPARED_PROTECTED, /* by is_protected */
		     VICTIM_SPARED_CHILD,     /* the master of a flow that lives (FTP, SIP, PPTP) */
		     VICTIM_SPARED_COUNT
};

const char *victim_spared_name(enum victim_spared spared); /* "senior", "protected", ... */

struct victim {		/* 64 bytes: enough for a DELETE and for a look before it */
	uint64_t order; /* the higher the sooner; of victims.c */
	uint8_t src[16], dst[16];
	uint16_t sport, dport, zone, zone_reply;
	uint32_t id, timeout_sec;
	uint8_t family, protocol, state;
	uint8_t class : 4; /* enum flow_class */
	uint8_t stage : 4; /* enum victim_stage */
	uint16_t idle_sec; /* saturating; 0 where unknown */
	uint8_t has;	   /* VICTIM_HAS_* */
	int8_t signature;  /* the number of the one that fits, or -1 */
};

#define VICTIM_HAS_ID	   1
#define VICTIM_HAS_TIMEOUT 2
#define VICTIM_HAS_IDLE	   4

/* True: never to be taken. Called only for flows that would be candidates else. */
typedef bool victims_protected_fn(const struct flow *flow, void *arg);

struct victims_config {
	size_t max;	   /* victims at most: the budget of the run */
	size_t max_others; /* at most, with what fits counted in: how many may be gone when one that
			    * fits no signature goes. (What fits goes until the level is ok, others
			    * only until headroom is enough.) */
	enum victim_stage deepest; /* VICTIM_IDLE as a rule */
	uint32_t young_sec;	   /* spared below this age */
	uint32_t established_floor_sec, stream_floor_sec;
	uint8_t source_prefix[2];	 /* 32, 64 */
	size_t max_sources;		 /* counted one by one (x class); the lightest give way */
	bool takes_loopback, takes_sctp; /* "unless told" */
	const struct signature *signatures; /* borrowed until victims_free; with hits_base: for
					       order in a class only */
	size_t signature_count;
	victims_protected_fn *is_protected; /* NULL: nothing is */
	void *protected_arg;
};

struct victims_config victims_config_default(
	void); /* max 4096, VICTIM_IDLE, young 3 s, floors 7440 and 120, 65,536 sources */

struct victims;

/* Takes all memory at once: 64 B x (max + max_others) and the sources. */
struct victims *victims_new(const struct victims_config *config);
void victims_free(struct victims *victims); /* NULL allowed */
size_t victims_bytes(const struct victims *victims);
/* For the next pass: with other numbers or signatures; max, max_others and max_sources at most
 * those of victims_new. */
void victims_reset(struct victims *victims, const struct victims_config *config);

/* One flow of the pass. */
void victims_offer(struct victims *victims, const struct flow *flow, const struct flow_facts *facts,
		   const struct standing *standing);

struct victims_report {
	uint64_t offered;
	uint64_t candidates[VICTIM_STAGE_COUNT]; /* flows of each stage, deeper than `deepest` too:
						    what could be had */
	uint64_t chosen[VICTIM_STAGE_COUNT];
	uint64_t chosen_classes[FLOW_CLASS_COUNT];
	uint64_t spared[VICTIM_SPARED_COUNT];
	uint64_t fits;		 /* flows that fit a signature, of all offered */
	uint64_t sources_folded; /* sources that gave way in the count */
};

/* The victims in order of eviction; valid until victims_reset or victims_free. Call once a pass. */
const struct victim *victims_finish(struct victims *victims, size_t *ret_count,
				    struct victims_report *ret_report);
/* "unreplied, 31 s idle, fits the surge": words for records; returns buf. */
#define VICTIM_TEXT_MAX 96
char *victim_reason(const struct victim *victim, char buf[VICTIM_TEXT_MAX]);

#endif
