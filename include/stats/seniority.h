/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority: what is remembered of flows from pass to pass: which were there while the table
 * was calm, which are senior, which are active. One slot of 8 bytes a flow: 35 bits of a keyed
 * hash (SipHash of original tuple and zone) and its standing. Seniority is a rank, not immunity: a
 * flow becomes senior when seen answered in two calm passes at least renewal_ns apart with no surge
 * between; on a surge, what became senior in the last renewal_ns is struck out; what a complete
 * pass does not see answered, or sees idle beyond the floor, lapses; the seniors of one source
 * count only up to its fair share. Bounded, allocates at start only, told the time. Not
 * thread-safe. */
#ifndef CTWARDEN_STATS_SENIORITY_H
#define CTWARDEN_STATS_SENIORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "stats/facts.h"
#include "stats/ranking.h"

struct seniority_config {
	size_t max_flows;   /* remembered; 8 B x 4/3 each. Beyond: the least worthy of a few
			     * neighbours gives way */
	size_t max_sources; /* sources whose seniors are counted one by one */
	int64_t renewal_ns; /* seniority_renewal_sec */
	int64_t activity_ns;      /* length of the spans in which traffic is looked for */
	uint8_t source_prefix[2]; /* 32, 64 */
	uint32_t established_floor_sec; /* idle beyond: lapses; RFC 5382: 2 h 4 min */
	uint32_t stream_floor_sec;      /* the same, not TCP */
};

/* 262,144 flows, 65,536 sources, 30 s, 2 s, {32, 64}, 7440 s, 120 s. */
struct seniority_config seniority_config_default(void);

struct seniority;

struct seniority *seniority_new(const struct seniority_config *config);
void seniority_free(struct seniority *seniority); /* NULL allowed */
size_t seniority_bytes(const struct seniority *seniority);

struct standing {	    /* of one flow at this pass */
	bool is_known;	    /* seen by an earlier pass */
	bool is_base;	    /* there since the table was last calm (else: growth) */
	bool is_senior;	    /* and within the fair share of its source */
	bool is_over_share; /* senior, but beyond the fair share: does not count */
	bool is_tried;	    /* known for an activity span: if it were in use that would have shown */
	bool is_active;     /* traffic in both directions in the last one or two spans: counters,
			     * else timeout renewed */
	bool is_adopted;    /* put in by user space and not renewed since: its idle time is not known,
			     * whatever its timeout looks like */
	bool is_put;	    /* put in by user space and not renewed since: its idle time, if told at all,
			     * may be that of another host */
};

/* A pass (renewal) over the whole table. is_calm: there is no surge (not in_surge of stats/calm):
 * in a surge nobody rises and what is new is not base. senior_budget: how many seniors may count in
 * all (a share of capacity; after an adoption up to a quarter more); 0: no bound. A pass begun before the last one was
 * ended ends that one as incomplete. */
void seniority_begin(struct seniority *seniority, int64_t now_ns, bool is_calm,
		     uint64_t senior_budget);
/* A look at some flows between passes: their standing is told, and nothing is learned of traffic or of who has gone.
 * Needs no end. */
void seniority_look(struct seniority *seniority, int64_t now_ns);
/* Each flow of the pass, once (again does no harm but to the count of its source). Unanswered
 * flows are remembered only in calm passes. */
struct standing seniority_see(struct seniority *seniority, const struct flow *flow,
			      const struct flow_facts *facts);
/* The same in steps, for loops over many flows (stats/round): the memory of one is fetched while
 * others are judged, so that the waits overlap. The steps in this order, some flows apart; then
 * seniority_see_fetched is seniority_see. The hint is good for this pass only. */
struct seniority_hint {
	uint64_t tag;
	struct ranking_key source;
	uint32_t source_hash;
	bool has_source;
};
void seniority_fetch(const struct seniority *seniority, const struct flow *flow,
		     struct seniority_hint *ret_hint);
void seniority_fetch_source(const struct seniority *seniority, const struct flow *flow,
			    struct seniority_hint *hint);
void seniority_fetch_row(const struct seniority *seniority, const struct seniority_hint *hint);
struct standing seniority_see_fetched(struct seniority *seniority, const struct flow *flow,
				      const struct flow_facts *facts,
				      struct seniority_hint *hint);
/* is_complete: every flow of the table was seen: what was not has gone. Else nothing lapses. */
void seniority_end(struct seniority *seniority, bool is_complete);

/* A surge began: candidates and the seniors of the last renewal_ns are struck out; they stay base.
 * A pass under way goes on as one in a surge. */
void seniority_surge(struct seniority *seniority, int64_t now_ns);
/* A flow put in by user space (a NEW event with a port id: table sync at fail-over): senior at once
 * if ASSURED and two-way, and no surge strikes it out. Its timeout is that of who put it in: it does
 * not lapse as idle before the kernel has renewed it or established_floor_sec have passed since the
 * last adoption. True where it is senior now. */
bool seniority_adopt(struct seniority *seniority, const struct flow *flow, int64_t now_ns);
/* Outside a pass: senior by the last one; the fair share is not looked at. */
bool seniority_is_senior(const struct seniority *seniority, const struct flow *flow);

/* Outside a pass: this reading of the flow shows traffic since the passes looked for it last. False where it was not
 * seen. */
bool seniority_shows_traffic(const struct seniority *seniority, int64_t now_ns, const struct flow *flow,
			     const struct flow_facts *facts);

struct seniority_counts {
	uint64_t flows, base, candidates, seniors; /* now; base includes candidates and seniors */
	uint64_t adopted, struck, lapsed;	   /* since the start */
	uint64_t gave_way;   /* slots that another flow took because of max_flows */
	uint64_t over_share; /* of the last pass */
	uint32_t fair_share; /* seniors a source may have that count; UINT32_MAX: no bound. One more
			      * each for those met first, while the budget lasts */
	bool is_ready;	     /* seniors, or two calm passes renewal_ns apart found none */
};
struct seniority_counts seniority_counts_get(const struct seniority *seniority);
uint64_t seniority_adopted(const struct seniority *seniority); /* of the counts: asked for each victim */

#define SENIORITY_BOOT_ID 16

/* For a restart within one boot. The bytes hold the hash key: keep them where only root reads. */
size_t seniority_saved_max(const struct seniority *seniority); /* an upper bound of the size */
/* Writes base and seniors to buf (size at least seniority_saved_max); returns the bytes used. */
size_t seniority_save(const struct seniority *seniority, int64_t now_ns,
		      const uint8_t boot_id[SENIORITY_BOOT_ID], void *buf);
/* Takes saved bytes over, key included; candidates begin anew. 0; -ESTALE: of another boot, or of
 * later than now (nothing is taken); -EINVAL: cut, damaged or of another format (nothing is taken).
 * More flows than fit give way as in a pass. */
int seniority_restore(struct seniority *seniority, int64_t now_ns,
		      const uint8_t boot_id[SENIORITY_BOOT_ID], const void *buf, size_t size);

/* The same for bytes of this very set, to undo what was learned since they were saved: who was adopted
 * since then stays senior. */
int seniority_undo(struct seniority *seniority, int64_t now_ns,
		   const uint8_t boot_id[SENIORITY_BOOT_ID], const void *buf, size_t size);

#endif
