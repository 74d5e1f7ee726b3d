/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_selftest: proves in a throw-away namespace what the kernel's own filter can delete, and
 * keeps the result for commands and a daemon that may make no namespace. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cli.h"
#include "kernel/kernel.h"
#include "report/act.h"

#define BUDGET_DEFAULT_NS (4 * NS_PER_SEC)

int cmd_selftest(struct cli *cli)
{
	const char *dir = option_given(cli, OPTION_PROOFS) ? cli->values[OPTION_PROOFS]
							   : CLI_DEFAULT_PROOFS;
	struct report_selftest shown = {.text = ""};
	struct selftest_result test = {0};
	char why[160] = "";
	struct problem problem = {0};
	int64_t budget_ns = BUDGET_DEFAULT_NS;
	int result;

	if (option_duration(cli, OPTION_BUDGET, &budget_ns, &problem))
		return run_usage(&problem);
	result = selftest_run(dir, budget_ns, &test);
	if (result && !test.text[0]) {
		run_say("%s: cannot keep what is proven there: %s%s", dir, strerror(-result),
			result == -EPERM || result == -EACCES
				? "; self-test needs CAP_NET_ADMIN, and root to keep its proofs; "
				  "try sudo"
				: "");
		return EXIT_FAILED;
	}
	shown.fast_delete = selftest_fast_delete(dir, why, sizeof(why));
	shown.has_netns = test.has_netns;
	shown.usual = test.usual;
	shown.proven = test.proven;
	shown.failed = test.failed;
	shown.took_ns = test.took_ns;
	shown.text = test.text[0] ? test.text : why;
	run_wrote(cli, report_selftest(&cli->out, &shown));
	return shown.fast_delete && !result ? EXIT_DONE : EXIT_FAILED;
}
