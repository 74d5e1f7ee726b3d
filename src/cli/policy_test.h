/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/policy_test: `ctwarden policy test`. Private to cli. */
#ifndef CTWARDEN_CLI_POLICY_TEST_H
#define CTWARDEN_CLI_POLICY_TEST_H

#include "cli.h"
#include "policy/policy.h"

/* What the policy would do to the table as it is, or with --from to a saved one. Touches no flow;
 * returns an exit code. */
int policy_test_run(struct cli *cli, const struct policy *policy, const char *file);

#endif
