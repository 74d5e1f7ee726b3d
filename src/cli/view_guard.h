/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view_guard: the daemon's answers about its guard. Private to cli. All: 0 or -EINVAL with the
 * problem. */
#ifndef CTWARDEN_CLI_VIEW_GUARD_H
#define CTWARDEN_CLI_VIEW_GUARD_H

#include "base/problem.h"
#include "report/guard.h"

int view_mode(const char *document, struct report_mode *ret_mode, struct problem *reterr_problem);
/* *ret_rows is to be freed; what *ret_bans points to is in it. */
int view_bans(const char *document, struct report_ban **ret_rows, struct report_bans *ret_bans,
	      struct problem *reterr_problem);
int view_unban(const char *document, struct report_unban *ret_done, struct problem *reterr_problem);
/* policy points to ret_policy then. */
int view_reload(const char *document, struct report_reload *ret_reload, char *ret_policy,
		size_t size, struct problem *reterr_problem);

#endif
