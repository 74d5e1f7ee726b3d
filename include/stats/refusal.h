/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/refusal: the probability that a full table refuses the next new flow. */
#ifndef CTWARDEN_STATS_REFUSAL_H
#define CTWARDEN_STATS_REFUSAL_H

#include <stdint.h>

/* P(refused) once the table is full: exp(-16 * entries/buckets * u), u (0-1) the share of entries that early drop may
 * take (not ASSURED, or expired). Derivation in the .c. 1 where buckets or entries is 0 and u is 0. */
double refusal_when_full(uint64_t entries, uint64_t buckets, double evictable_share);
/* P(refused) now: 0 below the limit (the kernel refuses nothing then), refusal_when_full at or above it; limit 0: 0. */
double refusal_now(uint64_t entries, uint64_t limit, uint64_t buckets, double evictable_share);

#endif
