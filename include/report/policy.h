/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy: policies for programs (JSON that parses to the same policy, every default written
 * out) and for people (in sentences), and what a policy would do. */
#ifndef CTWARDEN_REPORT_POLICY_H
#define CTWARDEN_REPORT_POLICY_H

#include "policy/evaluate.h"
#include "policy/policy.h"
#include "policy/victim.h"
#include "report/report.h"

/* One line without the newline, to be freed by the caller. */
char *report_policy_json(const struct policy *policy);
/* The print-back: indented, but with -j one line. 0 or -errno of writing. */
int report_policy(const struct report_out *out, const struct policy *policy);
/* In sentences. */
int report_policy_explain(const struct report_out *out, const struct policy *policy);

/* ---- what it would do ---- */

#define POLICY_TEST_TOP 5

struct policy_test_decision {
	const struct policy_decision *decision;
	uint64_t matched;		       /* the filter matches and the class is the rule's */
	uint64_t victims;		       /* may be taken, before the budget */
	uint64_t taken;			       /* within the budget */
	uint64_t classes[FLOW_CLASS_COUNT];    /* of taken */
	uint64_t spared[POLICY_VERDICT_COUNT]; /* by active, young, protected */
	struct ranking_row top[POLICY_TEST_TOP]; /* sources of taken, heaviest first */
	size_t top_used;
	struct ranking_config top_config;
	struct ranking_totals top_totals;
};

struct policy_test {
	const char *from; /* file, or "" for this machine's table */
	const struct policy *policy;
	const struct snapshot *snapshot;
	const struct policy_test_decision *decisions;
	size_t count;
	uint64_t unread_lines; /* of the file */
	bool knows_timeouts;   /* of this kernel; else the usual ones are taken for granted */
};

int report_policy_test(const struct report_out *out, const struct policy_test *test);

#endif
