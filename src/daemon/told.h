/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/told: what observe has told already. Nothing of what it would do is done, so it would do the same again and
 * again: that is told once in a while. Pure: is told the time. */
#ifndef CTWARDEN_DAEMON_TOLD_H
#define CTWARDEN_DAEMON_TOLD_H

#include "action/record.h"

#define TOLD_AGAIN_NS 30000000000LL
#define TOLD_MAX      256 /* rules and sources that are remembered */
#define TOLD_SHARE    0.1 /* of the flows: more or less than that is something else */

struct told_item {
	size_t rule;
	char key[RANKING_TEXT_MAX];
	enum level level;
	uint64_t matched;
	int64_t ns;
};

struct told { /* zeroed: empty */
	struct told_item items[TOLD_MAX];
	size_t used;
};

/* Whether a record says what was told of its rule (index in the policy) and source within TOLD_AGAIN_NS: at the same
 * level, about as many flows. Else it is remembered as told now, in place of the oldest one where there is no room.
 * Never true of what was done, has failed, or is a ban (told once by itself), timeouts or log. now_ns: monotonic. */
bool told_again(struct told *told, size_t rule, const struct action_record *record, int64_t now_ns);

#endif
