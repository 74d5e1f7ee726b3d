/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fairness: max-min fairness in whole entries. What is taken comes from those that hold most,
 * down to a common water level: a light source never pays for a heavy one (Bertsekas, Gallager:
 * Data Networks, 6.5.2). Pure, deterministic. */
#ifndef CTWARDEN_STATS_FAIRNESS_H
#define CTWARDEN_STATS_FAIRNESS_H

#include <stddef.h>
#include <stdint.h>

#include "stats/ranking.h"

struct fairness_row {
	struct ranking_key key; /* breaks ties */
	uint32_t holds;		/* all entries of the source */
	uint32_t seniors;	/* of these: do not count and are not taken */
	uint32_t candidates;	/* of these: may be taken; cut to holds - seniors */
	uint32_t take;		/* answer */
};

struct fairness_result {
	uint64_t taken; /* sum of take: need, or all candidates where they are fewer */
	uint32_t level; /* who holds no more than this (seniors aside) gives nothing */
};

/* Fills take of every row, so that their sum is need. Who holds more than level and has candidates
 * gives down to it; where that would be one round too much, the last ones come from the heaviest,
 * then by key. The order of rows is left as it is. O(n log n); allocates n pointers (base/mem). */
struct fairness_result fairness_share(struct fairness_row *rows, size_t n, uint64_t need);
/* The fair share: the largest level with sum(min(count, level)) <= budget; UINT32_MAX where all
 * counts fit. */
uint32_t fairness_level(const uint32_t *counts, size_t n, uint64_t budget);

#endif
