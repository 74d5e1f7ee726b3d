/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/passes: the passes that a request needs, each entry meant handed over once. Private to the
 * layer. */
#ifndef CTWARDEN_ACTION_PASSES_H
#define CTWARDEN_ACTION_PASSES_H

#include "action/action.h"

/* What protects the flow: an entry of protect, VERDICT_YOUNG, or VERDICT_FREE. */
enum { VERDICT_FREE = PROTECT_NONE, VERDICT_YOUNG = PROTECT_NONE - 1 };
int verdict_of(const struct action_request *request, const struct flow *flow);
void spared_add(struct action_spared *spared, int verdict);

/* What becomes of the timeout; false: it is as asked already. */
bool change_of(const struct action_request *request, const struct flow *flow,
	       struct flow_timeout_change *ret_change);

/* fn returns false to end. 0 or -errno; *ret_report sums up all passes. */
int passes_run(const struct action_request *request, const struct flow_ports *ports,
	       bool (*fn)(const struct flow *flow, void *arg), void *arg,
	       struct flow_scan_report *ret_report);

#endif
