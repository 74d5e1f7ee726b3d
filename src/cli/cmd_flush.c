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
	bool is_empty = flow_filter_is_empty(cli->filter);

	if (is_empty && !act.asks_always) {
		run_say("flush: which flows? A filter is needed, or --all for every one (ctwarden "
			"help flush)");
		return EXIT_USAGE;
	}
	if (!is_empty && act.asks_always) {
		run_say("--all: a filter is given too; leave one of them out");
		return EXIT_USAGE;
	}
	flow_filter_format(cli->filter, act.filter, sizeof(act.filter));
	return act_run(&act);
}
