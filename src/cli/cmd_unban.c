/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_unban: lifts one ban of the daemon, or all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "cli.h"
#include "view_guard.h"

static int parse(const struct cli *cli, char **ret_args, struct problem *problem)
{
	char text[ADDR_TEXT_MAX];
	struct prefix prefix;

	if (option_given(cli, OPTION_ALL)) {
		if (cli->operand_count)
			return problem_set(problem, cli->operands[0], "either an address or --all");
		*ret_args = mem_copy_text("{\"all\":true}");
		return 0;
	}
	if (!cli->operand_count)
		return problem_set(problem, "unban", "an address is expected, or --all");
	if (prefix_parse(cli->operands[0], &prefix, problem)) {
		snprintf(problem->path, sizeof(problem->path), "%s", cli->operands[0]);
		return -EINVAL;
	}
	*ret_args = mem_format("{\"prefix\":\"%s\"}", prefix_format(&prefix, text));
	return 0;
}

static void say_not_banned(const char *what, const struct report_ban *wider)
{
	char prefix[ADDR_TEXT_MAX], time[UNITS_TEXT_MAX];

	if (wider->left_ns > 0)
		run_say("%s is not banned by itself: held by %s for %s", what, prefix_format(&wider->prefix, prefix),
			units_format_duration(wider->left_ns, time));
	else
		run_say("%s is not banned", what);
}

int cmd_unban(struct cli *cli)
{
	struct problem problem = {0};
	char *args = NULL, *document = NULL;
	struct report_unban done = {0};
	int code;

	if (parse(cli, &args, &problem))
		return run_usage(&problem);
	code = client_order(cli, "unban", args, &document);
	free(args);
	if (code)
		return code;
	if (view_unban(document, &done, &problem))
		code = client_nonsense(&problem);
	else if (cli->out.is_json)
		run_wrote(cli, client_print(cli, document));
	else if (!done.removed && cli->operand_count)
		say_not_banned(cli->operands[0], &done.held_by);
	else
		run_wrote(cli, report_unban_text(&cli->out, &done));
	free(document);
	return !code && !done.removed && option_given(cli, OPTION_FAIL_IF_NONE) ? EXIT_NONE : code;
}
