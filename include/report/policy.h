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

/* ---- what it would do: ctwarden.policytest/1 ---- */

#define POLICY_TEST_TOP	   5
#define POLICY_TEST_ROUNDS 4 /* a second apart */

/* One decision, and what of the table it is about. */
struct policy_test_decision {
	struct policy_decision decision;	 /* owned: policy_decision_done */
	uint64_t candidates;			 /* may be taken, whatever the budget */
	uint64_t taken;				 /* of them, by want and budget, in the round of the decision */
	uint64_t more_if_surge;			 /* at most, if they fit one; active and young ones too */
	unsigned round;				 /* of the decision; 0: the first */
	unsigned last_round;			 /* in which the rule decided */
	unsigned later_rounds;			 /* in which it would take more */
	uint64_t later_taken;
	uint64_t classes[FLOW_CLASS_COUNT];	 /* of taken */
	uint64_t spared[POLICY_VERDICT_COUNT];	 /* of its classes: active, young, protected */
	struct ranking_row top[POLICY_TEST_TOP]; /* sources of the candidates, heaviest first */
	size_t top_used;
	struct ranking_config top_config;
};

struct policy_test {
	const char *from; /* file, or NULL: this machine's table */
	const struct policy *policy;
	const struct snapshot *snapshot;
	const struct policy_test_decision *decisions;
	size_t count;
	enum report_capacity capacity_from;
	uint64_t unread;   /* lines of the file that are no entry */
	bool knows_growth; /* told, or by the daemon */
};

int report_policy_test(const struct report_out *out, const struct policy_test *test);

#endif
