/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/main: the table of commands, and from argv to an exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

#define END OPTION_ID_COUNT

const struct command commands[] = {
	{.name = "status",
	 .daemon = DAEMON_MAY_TELL,
	 .run = cmd_status,
	 .help = "how full the table is, what is lost, and who fills it when it is tight",
	 .options = {OPTION_DEEP, OPTION_CAPACITY, END}},
	{.name = "top",
	 .daemon = DAEMON_MAY_TELL,
	 .run = cmd_top,
	 .help = "who fills the table: entries ranked by a key",
	 .has_filter = true,
	 .options = {OPTION_BY, OPTION_NUMBER, OPTION_PREFIX_LEN, OPTION_NEW, OPTION_EVERY, END}},
	{.name = "flows",
	 .run = cmd_flows,
	 .help = "the entries themselves, as conntrack -L -o extended writes them",
	 .has_filter = true,
	 .options = {OPTION_NUMBER, OPTION_SORT, END}},
	{.name = "events",
	 .run = cmd_events,
	 .help = "entries as they are made, changed and destroyed",
	 .has_filter = true,
	 .options = {OPTION_EVENT, OPTION_STAMP, OPTION_NUMBER, OPTION_FOR, OPTION_BUFFER, END}},
	{.name = "log",
	 .run = cmd_log,
	 .help = "what the daemon warned of and did, from its state directory",
	 .options = {OPTION_SINCE, OPTION_UNTIL, OPTION_AT, OPTION_STATE_DIR, OPTION_NUMBER, END}},
	{.name = "policy",
	 .daemon = DAEMON_MAY_TELL,
	 .run = cmd_policy,
	 .help = "check a policy, print it back, tell it in sentences, try it on a table",
	 .options = {OPTION_FROM, OPTION_CAPACITY, OPTION_GROWTH, END},
	 .only_with = "test",
	 .operands = "check|show|explain|test FILE",
	 .operands_max = 2},
	{.name = "relieve",
	 .daemon = DAEMON_MAY_TELL,
	 .run = cmd_relieve,
	 .help = "make room by hand: what nobody answers or uses, of who holds most, and nothing else",
	 .options = {OPTION_TO, OPTION_DRY_RUN, OPTION_YES, OPTION_POLICY, OPTION_CAPACITY, OPTION_PROTECT,
		     OPTION_INCLUDE_SELF, OPTION_INCLUDE_PROTECTED, OPTION_CONFIG, OPTION_FAIL_IF_NONE, END}},
	{.name = "mode",
	 .daemon = DAEMON_NEEDED,
	 .run = cmd_mode,
	 .help = "whether the daemon acts or only observes; switches it while it runs",
	 .options = {OPTION_FOR, END},
	 .operands = "[observe|act]",
	 .operands_max = 1},
	{.name = "bans",
	 .daemon = DAEMON_NEEDED,
	 .run = cmd_bans,
	 .help = "whose new flows the daemon refuses",
	 .options = {END}},
	{.name = "unban",
	 .daemon = DAEMON_NEEDED,
	 .run = cmd_unban,
	 .help = "lift a ban of the daemon, or all",
	 .options = {OPTION_ALL, OPTION_FAIL_IF_NONE, END},
	 .operands = "[ADDRESS[/LEN]]",
	 .operands_max = 1},
	{.name = "reload",
	 .daemon = DAEMON_NEEDED,
	 .run = cmd_reload,
	 .help = "have the daemon read its config and policy again, and tell what is wrong with them",
	 .options = {END}},
	{.name = "flush",
	 .run = cmd_flush,
	 .help = "delete the flows that a filter matches",
	 .has_filter = true,
	 .options = {OPTION_DRY_RUN, OPTION_EXPLAIN, OPTION_YES, OPTION_ALL, OPTION_LIMIT, OPTION_ORDER,
		     OPTION_RATE, OPTION_MIN_AGE, OPTION_PROTECT, OPTION_INCLUDE_SELF,
		     OPTION_INCLUDE_PROTECTED, OPTION_CONFIG, OPTION_FAIL_IF_NONE, END}},
	{.name = "timeout",
	 .run = cmd_timeout,
	 .help = "change the time that is left to the flows that a filter matches",
	 .has_filter = true,
	 .options = {OPTION_SET, OPTION_AT_MOST, OPTION_ADD, OPTION_FIXED, OPTION_DRY_RUN, OPTION_YES,
		     OPTION_ALL, OPTION_LIMIT, OPTION_ORDER, OPTION_RATE, OPTION_MIN_AGE, OPTION_PROTECT,
		     OPTION_INCLUDE_SELF, OPTION_INCLUDE_PROTECTED, OPTION_CONFIG, OPTION_FAIL_IF_NONE, END}},
	{.name = "kill",
	 .run = cmd_kill,
	 .help = "delete everything of some addresses, on both sides of NAT",
	 .operands = "ADDRESS[/LEN]...",
	 .operands_max = OPERANDS_ANY,
	 .options = {OPTION_DRY_RUN, OPTION_YES, OPTION_RATE, OPTION_PROTECT, OPTION_INCLUDE_SELF,
		     OPTION_INCLUDE_PROTECTED, OPTION_CONFIG, OPTION_FAIL_IF_NONE, END}},
	{.name = "sweep",
	 .run = cmd_sweep,
	 .help = "free the entries that have expired but still count",
	 .options = {END}},
	{.name = "self-test",
	 .run = cmd_selftest,
	 .help = "prove in a throw-away namespace what this kernel's own filter can delete",
	 .options = {OPTION_PROOFS, OPTION_BUDGET, END}},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const char *command_name_at(size_t index)
{
	return commands[index].name;
}

static int help(const struct cli *cli)
{
	unsigned columns = cli->out.is_terminal ? cli->out.columns : 0;
	const char *near;
	size_t i;

	if (!cli->topic && !cli->command) {
		usage_all(stdout, columns);
		return EXIT_DONE;
	}
	for (i = 0; i < command_count; i++) {
		if (cli->topic ? !strcmp(commands[i].name, cli->topic)
			       : &commands[i] == cli->command) {
			usage_command(stdout, columns, &commands[i], cli->operand_count ? cli->operands[0] : NULL);
			return EXIT_DONE;
		}
	}
	near = options_nearest(cli->topic, command_count, command_name_at);
	run_say("help %s: there is no such command%s%s%s", cli->topic,
		near ? "; did you mean " : "; ctwarden help lists them", near ? near : "",
		near ? "?" : "");
	return EXIT_USAGE;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct problem problem = {0};
	bool is_pretty;

	if (options_parse(cli, argc, argv, &problem))
		return run_usage(&problem);
	is_pretty = option_given(cli, OPTION_PRETTY);
	cli->out = report_out_stdout(is_pretty || option_given(cli, OPTION_JSON), is_pretty);
	if (option_given(cli, OPTION_VERSION)) {
		printf("ctwarden %s\n", PACKAGE_VERSION);
		return EXIT_DONE;
	}
	if (option_given(cli, OPTION_HELP))
		return help(cli);
	if (!cli->command) {
		usage_all(stderr, 0);
		return EXIT_USAGE;
	}
	return cli->command->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	int code;

	run_prepare();
	log_init("ctwarden", LOG_LEVEL_INFO);
	cli.filter = flow_filter_new();
	code = run_finish(&cli, run(&cli, argc, argv));
	flow_filter_free(cli.filter);
	free(cli.operands);
	free(cli.protects);
	return code;
}
