/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_kill: everything of some addresses, whichever side of NAT shows them: for ban hooks, so
 * it does not ask, and nothing to do is success. What would hit others is refused: this host's
 * addresses, addresses that NAT lends to others, and prefixes that are wide. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "kernel/kernel.h"

#define WIDEST_V4 16
#define WIDEST_V6 48
#define ADDRESSES_MAX 262144 /* of IPv6 some 0.7 kB each */

static const enum flow_filter_key sides[] = {FILTER_SRC, FILTER_DST, FILTER_REPLY_SRC,
					     FILTER_REPLY_DST};
#define SIDES (sizeof(sides) / sizeof(sides[0]))

struct kill {
	struct cli *cli;
	struct flow_filter *filters[SIDES], *common;
	struct addr *local;
	size_t local_count;
	struct prefix first;
	struct addr lent; /* an address that NAT lends to others; family 0: none seen */
	bool has_v4, has_v6;
	uint64_t addresses;
};

static int refuse(const char *word, const char *subject, const char *text)
{
	struct problem problem = {0};

	problem_set(&problem, word, "%s%s", subject, text);
	return run_usage(&problem);
}

static int add_prefix(struct kill *kill, const char *word)
{
	struct problem problem = {0};
	char text[ADDR_TEXT_MAX];
	struct prefix prefix;
	unsigned widest;

	if (kill->addresses == ADDRESSES_MAX) {
		run_say("more than %d addresses; nothing was done: a list is given in parts",
			ADDRESSES_MAX);
		return EXIT_USAGE;
	}
	if (prefix_parse(word, &prefix, &problem))
		return refuse(word, problem.text, "");
	widest = prefix.addr.family == AF_INET ? WIDEST_V4 : WIDEST_V6;
	if (prefix.len < widest && !option_given(kill->cli, OPTION_YES))
		return refuse(word,
			      prefix.addr.family == AF_INET ? "wider than /16" : "wider than /48",
			      ": --yes does it");
	for (size_t k = 0; k < kill->local_count; k++)
		if (prefix_contains(&prefix, &kill->local[k]))
			return refuse(word, addr_format(&kill->local[k], text),
				      " is an address of this host; flush -s or -d is for that");
	if (flow_filter_add(kill->filters[0], sides[0], word, false, &problem))
		return run_usage(&problem);
	if (!kill->addresses++)
		kill->first = prefix;
	*(prefix.addr.family == AF_INET ? &kill->has_v4 : &kill->has_v6) = true;
	return 0;
}

/* 1: a line without its end; 0: there is none; EXIT_USAGE of a line that is none, said. */
static int read_line(char *line, size_t size, unsigned number)
{
	size_t len = 0;
	int c;

	while ((c = getc(stdin)) != EOF && c != '\n') {
		if (!c || len == size - 1) {
			run_say(c ? "standard input:%u: a line is longer than %zu bytes"
				  : "standard input:%u: a NUL byte: this is no list of addresses",
				number, size - 1);
			return EXIT_USAGE;
		}
		line[len++] = (char)c;
	}
	line[len] = '\0';
	return len || c != EOF;
}

/* One address a line; what stands behind # and empty lines do not count. */
static int add_stdin(struct kill *kill)
{
	char line[256];
	unsigned number = 0;
	size_t len;
	char *word;
	int result;

	while ((result = read_line(line, sizeof(line), ++number)) == 1) {
		line[strcspn(line, "#")] = '\0';
		word = line + strspn(line, " \t\r");
		for (len = strlen(word); len && isspace((unsigned char)word[len - 1]); len--)
			word[len - 1] = '\0';
		if (!*word)
			continue;
		result = add_prefix(kill, word);
		if (result)
			return result;
	}
	if (result || !ferror(stdin))
		return result;
	run_say("cannot read standard input: %s", strerror(errno));
	return EXIT_FAILED;
}

static bool is_meant(const struct kill *kill, enum flow_direction direction, bool is_src,
		     const struct flow *flow)
{
	/* The four filters hold the same addresses: each asks one side. */
	return flow_filter_match(kill->filters[2 * direction + !is_src], flow, NULL);
}

static void lend(struct kill *kill, const struct flow_tuple *tuple, bool is_src)
{
	kill->lent.family = tuple->family;
	memcpy(kill->lent.bytes, is_src ? tuple->src : tuple->dst, sizeof(kill->lent.bytes));
}

/* An address that is there only because NAT put it there: the replies of a translated source go to
 * it, the packets to a translated destination did. Whoever they belong to, it is not this address. */
static bool inspect(const struct flow *flow, void *arg)
{
	struct act *act = arg;
	struct kill *kill = act->check_arg;

	if (kill->lent.family)
		return true;
	if (flow->status & FLOW_STATUS_SRC_NAT && is_meant(kill, FLOW_REPLY, false, flow) &&
	    !is_meant(kill, FLOW_ORIG, true, flow))
		lend(kill, &flow->tuple[FLOW_REPLY], false);
	else if (flow->status & FLOW_STATUS_DST_NAT && is_meant(kill, FLOW_ORIG, false, flow) &&
		 !is_meant(kill, FLOW_REPLY, true, flow))
		lend(kill, &flow->tuple[FLOW_ORIG], false);
	return true;
}

static int check(struct act *act)
{
	const struct kill *kill = act->check_arg;
	char text[ADDR_TEXT_MAX];

	if (!kill->lent.family)
		return 0;
	run_say("%s is the NAT address of flows of others; nothing was done. flush -q or -d is for "
		"that",
		addr_format(&kill->lent, text));
	return EXIT_USAGE;
}

/* Four passes of which the kernel sends the matches alone are cheaper than one that sends
 * everything: but only an exact IPv4 address is filtered by the kernel. */
static void set_passes(struct kill *kill, struct action_request *request)
{
	bool is_exact = kill->addresses == 1 && kill->first.addr.family == AF_INET &&
			kill->first.len == 32;

	request->is_one_pass = !is_exact;
	if (kill->has_v4 != kill->has_v6) {
		flow_filter_add(kill->common, FILTER_FAMILY, kill->has_v4 ? "ipv4" : "ipv6", false,
				NULL);
		request->common = kill->common;
	}
}

static int run(struct kill *kill)
{
	struct act act = {
		.cli = kill->cli,
		.kind = REPORT_ACT_KILL,
		.done_word = "deleted",
		.doing_word = "deletes",
		.needs_survey = true,
		.addresses = kill->addresses,
		.check = check,
		.check_arg = kill,
		.request = {.kind = ACTION_KIND_DELETE, .filter_count = SIDES, .inspect = inspect}};
	size_t i;

	/* One set of addresses, asked of four sides. */
	for (i = 1; i < SIDES; i++)
		flow_filter_share(kill->filters[i], sides[i], kill->filters[0], sides[0]);
	for (i = 0; i < SIDES; i++)
		act.request.filters[i] = kill->filters[i];
	set_passes(kill, &act.request);
	return act_run(&act);
}

static int gather(struct kill *kill)
{
	struct cli *cli = kill->cli;
	bool has_stdin = false;
	unsigned i;
	int result;

	if (!cli->operand_count) {
		run_say("kill: whose flows? ADDRESS, ADDRESS/LEN, or - for a list on standard "
			"input");
		return EXIT_USAGE;
	}
	result = host_addresses(&kill->local, &kill->local_count);
	if (result) {
		run_say("cannot tell this host's own addresses: %s; nothing was done",
			strerror(-result));
		return EXIT_FAILED;
	}
	for (i = 0; i < cli->operand_count; i++) {
		if (strcmp(cli->operands[i], "-"))
			result = add_prefix(kill, cli->operands[i]);
		else if (has_stdin)
			result = refuse("-", "standard input is read once", "");
		else
			result = add_stdin(kill);
		has_stdin |= !strcmp(cli->operands[i], "-");
		if (result)
			return result;
	}
	return 0;
}

int cmd_kill(struct cli *cli)
{
	struct kill kill = {.cli = cli};
	int code;
	size_t i;

	for (i = 0; i < SIDES; i++)
		kill.filters[i] = flow_filter_new();
	kill.common = flow_filter_new();
	code = gather(&kill);
	if (!code && !kill.addresses) {
		/* An empty list: nothing is to be killed, and that is fine. */
		run_say("no address given");
		code = option_given(cli, OPTION_FAIL_IF_NONE) ? EXIT_NONE : EXIT_DONE;
	} else if (!code) {
		code = run(&kill);
	}
	for (i = SIDES; i > 0; i--) /* whose set is shared last */
		flow_filter_free(kill.filters[i - 1]);
	flow_filter_free(kill.common);
	free(kill.local);
	return code;
}
