/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_mode: whether the daemon acts or only observes, shown or switched while it runs. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli.h"
#include "view_guard.h"

#define DAY_NS (86400 * NS_PER_SEC)

static int parse(const struct cli *cli, char **ret_args, struct problem *problem)
{
	const char *word = cli->operand_count ? cli->operands[0] : NULL;
	enum policy_mode mode;
	int64_t for_ns = 0;

	if (word && policy_mode_parse(word, &mode))
		return problem_set(problem, word, "no such mode; there are observe and act");
	if (option_given(cli, OPTION_FOR) && !word)
		return option_problem(cli, OPTION_FOR, problem,
				      "needs a mode: ctwarden mode act --for 30min");
	if (option_duration(cli, OPTION_FOR, &for_ns, problem))
		return -EINVAL;
	if (option_given(cli, OPTION_FOR) && for_ns < NS_PER_SEC)
		return option_problem(cli, OPTION_FOR, problem, "at least a second is expected");
	if (for_ns > POLICY_MODE_FOR_MAX_DAYS * DAY_NS)
		return option_problem(cli, OPTION_FOR, problem,
				      "at most %dd; without --for the mode holds until the daemon ends",
				      POLICY_MODE_FOR_MAX_DAYS);
	if (!word)
		*ret_args = mem_copy_text("{}");
	else if (for_ns)
		*ret_args = mem_format("{\"mode\":\"%s\",\"for_sec\":%.3f}", word,
				       (double)for_ns / (double)NS_PER_SEC);
	else
		*ret_args = mem_format("{\"mode\":\"%s\"}", word);
	return 0;
}

int cmd_mode(struct cli *cli)
{
	struct problem problem = {0};
	struct report_mode mode;
	char *args = NULL, *document;
	int code;

	if (parse(cli, &args, &problem))
		return run_usage(&problem);
	code = client_order(cli, "mode", args, &document);
	free(args);
	if (code)
		return code;
	if (cli->out.is_json)
		run_wrote(cli, client_print(cli, document));
	else if (view_mode(document, &mode, &problem))
		code = client_nonsense(&problem);
	else
		run_wrote(cli, report_mode_text(&cli->out, &mode));
	free(document);
	return code;
}
