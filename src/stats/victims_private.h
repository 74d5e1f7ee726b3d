/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims_private: from what a flow is to its place in the order. Private to
 * stats/victims*.c. */
#ifndef CTWARDEN_STATS_VICTIMS_PRIVATE_H
#define CTWARDEN_STATS_VICTIMS_PRIVATE_H

#include "stats/victims.h"

/* order, from the highest bit: 4 stage, 4 class, 1 fits a signature that hits the base, 5 steps of
 * idle time (below), 32 rank in its source, 16 idle seconds. All above the rank make a
 * group: flows of one group are equals, among which fairness chooses. Steps: of VICTIM_IDLE the
 * doublings beyond the floor, of VICTIM_UNANSWERED_FIT the seconds of age up to young_sec, of
 * VICTIM_FIT whether it was tried (and found not in use). */
#define ORDER_STAGE_SHIFT  58
#define ORDER_CLASS_SHIFT  54
#define ORDER_FITS_SHIFT   53
#define ORDER_STEP_SHIFT   48
#define ORDER_RANK_SHIFT   16
#define ORDER_IDLE_MAX	   0xffff
#define ORDER_STEPS	   32
#define ORDER_REST	   ((1ULL << ORDER_STEP_SHIFT) - 1)

/* What is never taken whatever its stage; VICTIM_SPARED_COUNT: none of these. */
enum victim_spared victims_spared_by_kind(const struct victims_config *config,
					  const struct flow *flow, enum flow_class class);
/* fits: a signature that may raise the flow's stage; fits_weakly: one that may not, but says at full who goes first. */
enum victim_stage victims_stage_of(const struct victims_config *config,
				   const struct flow_facts *facts, const struct standing *standing,
				   bool fits, bool fits_weakly);
/* Why what is of this stage is left where less deep ones were asked for. */
enum victim_spared victims_spared_by_depth(enum victim_stage stage);
/* The order of its group. fits_weakly: a signature that may not raise the stage. is_tried: of struct standing. */
uint64_t victims_group_order(const struct victims_config *config, const struct flow_facts *facts,
			     enum victim_stage stage, bool fits_weakly, bool is_tried);
/* Younger than the config says; what nothing is known of may be. */
bool victims_is_young(const struct victims_config *config, const struct flow_facts *facts,
		      const struct standing *standing);
/* Of a flow first seen of late traffic is told by its counters alone, where the kernel keeps them. */
bool victims_may_have_use(const struct flow *flow, const struct standing *standing);
/* What it does to a flow that it fits a signature. */
struct victims_fit {
	bool raises;	/* the stage */
	bool is_proven; /* goes until the level is ok */
	bool is_weak;	/* chooses among equals alone, but at full */
};
struct victims_fit victims_fit_of(const struct victims_config *config, const struct signature *signature,
				  const struct flow_facts *facts, const struct standing *standing);
/* Silent for eight times the floor (established TCP: 16.5 h), by the order of its group: its peers are gone, and room
 * may be made of it freely. */
bool victims_is_long_dead(enum victim_stage stage, uint64_t order);
/* Makes it what it would be did it fit no signature: VICTIM_SPARED_COUNT, or why it lives. */
enum victim_spared victims_without_fit(const struct victims_config *config, struct victim *victim);
uint16_t victims_encode_idle(uint32_t idle_sec);

static inline bool victims_is_unanswered(enum flow_class class)
{
	return class == FLOW_CLASS_UNREPLIED || class == FLOW_CLASS_PICKUP;
}

#endif
