/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/ban_terms: bans that stand in no nft set, each until its end: those that observe would have made, and those
 * that were lifted by hand, whose source the guard leaves alone for as long. Pure: is told the time. */
#ifndef CTWARDEN_DAEMON_BAN_TERMS_H
#define CTWARDEN_DAEMON_BAN_TERMS_H

#include "kernel/kernel.h"

#define BAN_TERMS_MAX 65536 /* as many as max_bans of a policy may say */

struct ban_terms { /* zeroed: empty */
	struct ban *items; /* grows as needed */
	size_t used, room;
};

/* Empty then. */
void ban_terms_free(struct ban_terms *terms);

/* Takes it in, in place of one of the same prefix and rate and of milder ones that do not outlast it; where there is no
 * room the first to end gives way. */
void ban_terms_put(struct ban_terms *terms, const struct ban *ban, int64_t now_ns);
/* The end of what is there for this very prefix, at this rate or a stricter one; 0: nothing. ret_same (may be NULL):
 * how many there are at this rate. */
int64_t ban_terms_end(const struct ban_terms *terms, const struct ban *ban, int64_t now_ns, size_t *ret_same);
/* The latest end of what shares an address with the prefix; 0: nothing. */
int64_t ban_terms_overlap(const struct ban_terms *terms, const struct prefix *prefix, int64_t now_ns);
/* Those that have not ended, in order of their end: at most max. Returns how many. */
size_t ban_terms_list(const struct ban_terms *terms, int64_t now_ns, struct ban *ret_list, size_t max);

/* Of a list of bans in force that which holds all of the prefix and is wider: the strictest, of these the last to end.
 * until_ns 0: none. */
struct ban ban_wider(const struct ban *list, size_t count, const struct prefix *prefix);

#endif
