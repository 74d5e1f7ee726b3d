/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/act_options: the options that commands which write share, and what is spared. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/mem.h"
#include "base/units.h"
#include "doc/doc.h"
#include "kernel/kernel.h"
#include "policy/policy.h"

#define RATE_MAX 100000000

static int parse_order(struct act *act, struct problem *problem)
{
	static const char *const names[ACTION_ORDER_COUNT] = {NULL, "idle", "youngest", "heaviest"};
	const char *text = act->cli->values[OPTION_ORDER];
	unsigned i;

	if (!text)
		return 0;
	for (i = 1; i < ACTION_ORDER_COUNT; i++)
		if (!strcmp(text, names[i]))
			act->request.order = (enum action_order)i;
	if (act->request.order == ACTION_ORDER_NONE)
		return option_problem(act->cli, OPTION_ORDER, problem,
				      "no such order; there are idle, youngest, heaviest");
	if (!act->request.limit)
		return option_problem(act->cli, OPTION_ORDER, problem,
				      "an order needs --limit: without one everything goes");
	if (act->request.limit > ACTION_TARGETS_MAX)
		return option_problem(act->cli, OPTION_ORDER, problem,
				      "with an order --limit is at most %d", ACTION_TARGETS_MAX);
	if (act->request.order == ACTION_ORDER_HEAVIEST && setting_read("nf_conntrack_acct") == 0)
		return option_problem(
			act->cli, OPTION_ORDER, problem,
			"bytes are not counted here (net.netfilter.nf_conntrack_acct = 0)");
	if (act->request.order == ACTION_ORDER_YOUNGEST &&
	    setting_read("nf_conntrack_timestamp") == 0)
		return option_problem(
			act->cli, OPTION_ORDER, problem,
			"ages are not known here (net.netfilter.nf_conntrack_timestamp = 0)");
	return 0;
}

int act_parse(struct act *act, struct problem *reterr_problem)
{
	struct cli *cli = act->cli;
	int result;

	if ((result = option_number(cli, OPTION_LIMIT, 1, UINT32_MAX, &act->request.limit,
				    reterr_problem)) ||
	    (result = option_number(cli, OPTION_RATE, 0, RATE_MAX, &act->rate, reterr_problem)) ||
	    (result = option_duration(cli, OPTION_MIN_AGE, &act->request.min_age_ns,
				      reterr_problem)))
		return result;
	return parse_order(act, reterr_problem);
}

/* ---- what is spared ---- */

static int add_operator(struct act *act)
{
	int result;

	result = host_operator_sockets(&act->sockets, &act->socket_count);
	if (result) {
		run_say("cannot tell which flows are the operator's own ssh connections: %s%s; "
			"nothing was done. "
			"--include-self goes on without sparing them",
			strerror(-result),
			result == -EPERM || result == -EACCES
				? " (seeing sshd's sockets needs root)"
				: "");
		return EXIT_FAILED;
	}
	protect_set_operator(act->protect, act->sockets, act->socket_count);
	return 0;
}

static int no_room(void)
{
	run_say("more than %d protected filters; prefixes and lists need fewer", PROTECT_MAX);
	return EXIT_USAGE;
}

static int add_list(struct act *act, struct policy *policy)
{
	char name[PROTECT_NAME_MAX];
	size_t i;

	for (i = 0; i < policy->protect_count; i++) {
		snprintf(name, sizeof(name), "protect \"%s\" of the config",
			 policy->protect[i].name);
		if (protect_add(act->protect, policy->protect[i].match.filter, name))
			return no_room();
		policy->protect[i].match.filter = NULL; /* protect's now */
	}
	return 0;
}

/* The `protect` of the daemon's config file. What is wrong with the rest of the file is the
 * daemon's business. */
static int add_config(struct act *act)
{
	const char *file = act->cli->values[OPTION_CONFIG];
	struct problem problem = {0};
	struct policy *policy;
	struct doc_node root, list;
	struct doc *doc;
	char line[800];
	int result;

	result = doc_load_any(file ? file : CLI_DEFAULT_CONFIG, &doc, &problem);
	if (result == -ENOENT && !file)
		return 0;
	policy = policy_new_default();
	if (!result) {
		root = doc_root(doc);
		list = doc_get(&root, "protect");
		result = doc_is_object(&root)
				 ? policy_protect_read(&list, policy, &problem)
				 : doc_problem(&root, &problem, "an object { ... } is expected");
		doc_free(doc);
	}
	if (result) {
		run_say("%s; nothing was done, for what is to be spared is not known "
			"(--include-protected goes on "
			"without it)",
			problem_format(&problem, line, sizeof(line)));
		result = EXIT_INVALID;
	} else {
		result = add_list(act, policy);
	}
	policy_free(policy);
	return result;
}

static int add_options(struct act *act)
{
	struct problem problem = {0};
	struct flow_filter *filter;
	char name[PROTECT_NAME_MAX];
	unsigned i;

	for (i = 0; i < act->cli->protect_count; i++) {
		filter = flow_filter_new();
		if (options_parse_filter(act->cli->protects[i], filter, &problem)) {
			flow_filter_free(filter);
			return run_usage(&problem);
		}
		snprintf(name, sizeof(name), "--protect %s", act->cli->protects[i]);
		if (protect_add(act->protect, filter, name)) {
			flow_filter_free(filter);
			return no_room();
		}
	}
	return 0;
}

int act_protect(struct act *act)
{
	int result = 0;

	act->protect = protect_new();
	/* Cheap and the user's own first: a wrong option is told before anything is asked of the
	 * system. */
	result = add_options(act);
	if (!result && !option_given(act->cli, OPTION_INCLUDE_PROTECTED))
		result = add_config(act);
	if (!result && !option_given(act->cli, OPTION_INCLUDE_SELF))
		result = add_operator(act);
	return result;
}

bool act_says_which(const struct act *act)
{
	bool is_empty = flow_filter_is_empty(act->cli->filter);
	const char *name = act->cli->command->name;

	if (is_empty && !act->asks_always)
		run_say("%s: which flows? A filter is needed, or --all for every one (ctwarden help %s)", name, name);
	else if (!is_empty && act->asks_always)
		run_say("--all: a filter is given too; leave one of them out");
	else
		return true;
	return false;
}
