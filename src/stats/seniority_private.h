/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority_private: the slots, shared by pass and saving. Private to stats/seniority*.c.
 *
 * Open addressing without wrapping: a flow lies in one of the PROBES slots from its home on; the
 * home is told by the tag alone, so that slots can be moved, and saved for a table of another size.
 * A slot, from the highest bit: 35 tag, 2 state, 7 generation, 16 digest, adopted, seen, active, was
 * active. The tag is never 0, so that 0 is an empty slot. Two flows share a tag with a chance of
 * 2^-35. */
#ifndef CTWARDEN_STATS_SENIORITY_PRIVATE_H
#define CTWARDEN_STATS_SENIORITY_PRIVATE_H

#include "base/rows.h"
#include "base/siphash.h"
#include "stats/seniority.h"

#define HALF_SEC_NS    500000000LL
#define PROBES	       32
#define TAG_BITS       35
#define TAG_SHIFT      (64 - TAG_BITS)
#define GENERATIONS    128 /* 0: long ago; the others in a ring */
#define GENERATION_OLD 63  /* steps back in the ring from which on a generation is long ago */

enum slot_state { SLOT_NEW, SLOT_BASE, SLOT_CANDIDATE, SLOT_SENIOR };

struct slot { /* a slot taken apart */
	uint64_t tag;
	enum slot_state state;
	unsigned generation; /* when it became candidate or senior; of a new one: when it was seen first */
	uint16_t digest;
	bool adopted; /* put in by user space and not renewed since: its timeout tells no idle time */
	bool seen, active, was_active; /* seen: the parity of the pass that saw it last */
};

struct seniority {
	struct seniority_config config;
	struct siphash_key key;
	uint64_t *slots;
	size_t slot_count; /* homes; PROBES more slots behind them */
	struct rows *sources;
	uint32_t *source_counts; /* room for fairness_level */
	struct seniority_counts counts;
	int64_t times[GENERATIONS]; /* the last pass of each generation; [0] is never asked */
	int64_t generation_ns;	    /* the first pass of the present one */
	int64_t adopted_ns;	    /* when a flow was adopted last */
	uint64_t adopted;	    /* with no pause of a floor's length between */
	unsigned generation;
	int64_t now_ns, mark_ns, calm_since_ns;
	uint64_t budget;
	uint64_t spare, rest; /* what the fair share leaves of the budget; what is left of that in this pass */
	bool is_open, is_calm, is_mark, has_calm_since, parity;
	bool is_bounded; /* seniors may be too many: their sources are counted, which costs a row of memory each */
};

static inline uint64_t slot_pack(const struct slot *s)
{
	return s->tag << TAG_SHIFT | (uint64_t)s->state << 27 | (uint64_t)s->generation << 20 |
	       (uint64_t)s->digest << 4 | (uint64_t)s->adopted << 3 | (uint64_t)s->seen << 2 |
	       (uint64_t)s->active << 1 | (uint64_t)s->was_active;
}

static inline struct slot slot_unpack(uint64_t word)
{
	return (struct slot){
		.tag = word >> TAG_SHIFT,
		.state = (enum slot_state)(word >> 27 & 3),
		.generation = (unsigned)(word >> 20 & (GENERATIONS - 1)),
		.digest = (uint16_t)(word >> 4),
		.adopted = word >> 3 & 1,
		.seen = word >> 2 & 1,
		.active = word >> 1 & 1,
		.was_active = word & 1,
	};
}

static inline size_t slot_home(const struct seniority *s, uint64_t tag)
{
	return (size_t)(tag * s->slot_count >> TAG_BITS);
}

static inline size_t slots_all(const struct seniority *s)
{
	return s->slot_count + PROBES;
}

/* With counters: the low bytes of both packet counts. Without: the time of the look, in half
 * seconds. */
static inline uint16_t seniority_digest(int64_t now_ns, const struct flow *flow)
{
	if (flow->has & FLOW_HAS_COUNTERS)
		return (uint16_t)((flow->packets[FLOW_ORIG] & 0xff) << 8 |
				  (flow->packets[FLOW_REPLY] & 0xff));
	return (uint16_t)(now_ns / HALF_SEC_NS);
}

uint64_t seniority_tag(const struct seniority *s, const struct flow *flow);
/* Idle beyond the floor of its class. */
bool seniority_is_idle(const struct seniority *s, const struct flow_facts *facts);
/* Its timeout tells no idle time, as user space gave it. */
bool seniority_has_no_idle(const struct seniority *s, struct slot *slot, const struct flow *flow,
			   const struct flow_facts *facts);
/* Seniors that may count now. */
uint64_t seniority_budget(const struct seniority *s);
/* The slot of this tag or NULL. */
uint64_t *seniority_find(const struct seniority *s, uint64_t tag);
/* Puts a slot that is not there yet; the least worthy neighbour gives way where all are taken. */
void seniority_place(struct seniority *s, const struct slot *slot);
/* Counts the slots anew, forgets (all unseen ones where drop_unseen), makes old generations old. */
void seniority_sweep(struct seniority *s, bool drop_unseen);

#endif
