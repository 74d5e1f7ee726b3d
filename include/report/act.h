/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/act: what an action would do, and what it did. */
#ifndef CTWARDEN_REPORT_ACT_H
#define CTWARDEN_REPORT_ACT_H

#include "action/action.h"
#include "flow/reading.h"
#include "report/report.h"

enum report_act_kind {
	REPORT_ACT_FLUSH,
	REPORT_ACT_TIMEOUT,
	REPORT_ACT_KILL,
	REPORT_ACT_KIND_COUNT
};

struct report_act {
	enum report_act_kind kind;
	struct table_netns netns;
	const char *filter;		    /* canonical text; "" everything */
	uint64_t addresses;		    /* kill: how many were given */
	uint64_t entries;		    /* of the whole table; 0: not known */
	const struct action_plan *plan;	    /* NULL: nothing was counted before */
	const struct action_result *result; /* NULL: nothing was done, a dry run */
	const struct protect *protect;
	enum action_way way;
	const char *why;	   /* of the way */
	enum action_change change; /* timeout */
	uint32_t timeout_sec;
	bool is_fixed;
	uint64_t rate;	       /* flows a second; 0: not paced */
	const char *listeners; /* who else listens to deletions; "" nobody known */
	bool needs_yes;	       /* more than half of the table, or all of it */
	int64_t took_ns;
};

/* Text or JSON to out as it says; 0 or -errno of writing. A dry run in full, or the summary of what
 * was done. */
int report_act(const struct report_out *out, const struct report_act *act);
char *report_act_json(const struct report_act *act); /* one line without the newline, to be freed */

struct report_sweep {
	struct table_netns netns;
	uint64_t before, after; /* by the table's counter */
	int64_t took_ns;
};
int report_sweep(const struct report_out *out, const struct report_sweep *sweep);

struct report_selftest {
	bool fast_delete, has_netns;
	unsigned usual, proven, failed; /* sets of attributes: all that are usual, and of them */
	const char *text; /* why not; "" all good */
	int64_t took_ns;
};
int report_selftest(const struct report_out *out, const struct report_selftest *test);

#endif
