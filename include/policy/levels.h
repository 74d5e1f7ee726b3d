/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/levels: the marks of the levels as a config or a policy writes them. */
#ifndef CTWARDEN_POLICY_LEVELS_H
#define CTWARDEN_POLICY_LEVELS_H

#include <stdbool.h>

#include "doc/doc.h"
#include "stats/level.h"

/* Reads the member "levels" of root over what is in *levels. *ret_is_there (may be NULL): it was
 * written. 0, or -EINVAL with the problem, also for marks out of order (leave above enter, critical
 * below warning). */
int policy_levels_read(const struct doc_node *root, struct level_config *levels, bool *ret_is_there,
		       struct problem *reterr_problem);

#endif
