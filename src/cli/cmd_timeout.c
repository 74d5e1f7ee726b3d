/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_timeout: changes the time that is left to what a filter matches. Never lengthens unless
 * --set or --add say so. */
#include <errno.h>

#include "act.h"
#include "base/clock.h"

/* The kernel counts in ticks of at most 1 ms in 31 bits: what is longer is cut there. */
#define TIMEOUT_SEC_MAX 2147483

static int parse(struct act *act, struct problem *problem)
{
	static const enum option_id ids[ACTION_CHANGE_COUNT] = {OPTION_SET, OPTION_AT_MOST,
								OPTION_ADD};
	unsigned i, given = 0;
	int64_t ns = 0;
	int result;

	for (i = 0; i < ACTION_CHANGE_COUNT; i++) {
		if (!option_given(act->cli, ids[i]))
			continue;
		given++;
		result = option_duration(act->cli, ids[i], &ns, problem);
		if (result)
			return result;
		if (ns % NS_PER_SEC || ns / NS_PER_SEC > TIMEOUT_SEC_MAX)
			return option_problem(act->cli, ids[i], problem,
					      "whole seconds are needed, at most %d (24 d 20 h)",
					      TIMEOUT_SEC_MAX);
		act->request.change = (enum action_change)i;
		act->request.timeout_sec = (uint32_t)(ns / NS_PER_SEC);
	}
	if (given != 1)
		return problem_set(problem, "timeout", "%s of --set T, --at-most T and --add T",
				   given ? "only one is taken" : "it needs one");
	return 0;
}

int cmd_timeout(struct cli *cli)
{
	struct act act = {.cli = cli,
			  .kind = REPORT_ACT_TIMEOUT,
			  .done_word = "changed",
			  .doing_word = "changes",
			  .asks_half = true,
			  .asks_always = option_given(cli, OPTION_ALL),
			  .request = {.kind = ACTION_KIND_TIMEOUT,
				      .filters = {cli->filter},
				      .filter_count = 1,
				      .is_fixed = option_given(cli, OPTION_FIXED)}};
	struct problem problem = {0};

	if (parse(&act, &problem))
		return run_usage(&problem);
	if (!act_says_which(&act))
		return EXIT_USAGE;
	flow_filter_format(cli->filter, act.filter, sizeof(act.filter));
	return act_run(&act);
}
