/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/held: the rules whose kernel timeouts are in force, on top of daemon/settings. Two of them
 * may lower the same one, so at the end of one all are put back and those of the others lowered
 * anew. */
#ifndef CTWARDEN_DAEMON_HELD_H
#define CTWARDEN_DAEMON_HELD_H

#include <stddef.h>

#include "base/problem.h"
#include "policy/policy.h"

struct held { /* zeroed: nothing */
	struct {
		char name[POLICY_NAME_MAX];
		struct flow_timeouts set;
	} rules[POLICY_RULES_MAX];
	size_t count;
};

/* Both: 0 or -errno with the problem, of settings_lower and settings_restore; what cannot be put back is not
 * forgotten. */
int held_take(struct held *held, const char *directory, const struct policy_rule *rule,
	      struct problem *reterr_problem);
int held_let_go(struct held *held, const char *directory, const char *name,
		struct problem *reterr_problem);

#endif
