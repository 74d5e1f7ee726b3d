/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/kept: what a picture's rankings and samples tell (tables, cause, examples), kept for as long as it holds:
 * going through them costs milliseconds, and every client asks for the same. Pure: told the time. */
#ifndef CTWARDEN_DAEMON_KEPT_H
#define CTWARDEN_DAEMON_KEPT_H

#include "stats/snapshot.h"

struct kept;

struct kept *kept_new(void);
void kept_free(struct kept *kept); /* NULL allowed */
/* As snapshot_add_picture. The rankings are gone through again where the picture is another one or of another pass, and
 * in another tick (any number that grows with the ticks; rates_tick: with those of the rates) where anything has
 * moved. */
void kept_add(struct kept *kept, struct snapshot *snapshot, const struct picture *picture, struct cause_memory *memory,
	      int64_t now_monotonic_ns, int64_t tick, int64_t rates_tick);
uint64_t kept_made(const struct kept *kept); /* how often they were gone through */

#endif
