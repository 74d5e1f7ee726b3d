/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_flush: deletes what a filter matches. Never everything by accident: no filter is an
 * error, --all says it. */
#include "act.h"

int cmd_flush(struct cli *cli)
{
	struct act act = {.cli = cli,
			  .kind = REPORT_ACT_FLUSH,
			  .done_word = "deleted",
			  .doing_word = "deletes",
			  .asks_half = true,
			  .asks_always = option_given(cli, OPTION_ALL),
			  .request = {.kind = ACTION_KIND_DELETE,
				      .filters = {cli->filter},
				      .filter_count = 1}};

	if (!act_says_which(&act))
		return EXIT_USAGE;
	flow_filter_format(cli->filter, act.filter, sizeof(act.filter));
	return act_run(&act);
}
