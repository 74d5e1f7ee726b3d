/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_policy: a policy read, printed back, told in sentences, or tried on a table. Touches no
 * flow. */
#include <string.h>

#include "base/units.h"
#include "cli.h"
#include "policy/advise.h"
#include "policy/policy.h"
#include "policy_test.h"
#include "report/policy.h"

static void on_advice(const char *text, void *arg)
{
	const char *file = arg;

	run_say("%s: note: %s", file, text);
}

static int policy_check(struct cli *cli, const struct policy *policy, const char *file)
{
	if (cli->out.is_json)
		run_wrote(cli, report_policy(&cli->out, policy));
	else
		printf("%s: %s: %zu rule%s, mode %s\n", file,
		       policy->name[0] ? policy->name : "valid", policy->rule_count,
		       units_plural(policy->rule_count), policy_mode_name(policy->mode));
	policy_advise(policy, on_advice, (void *)file);
	return EXIT_DONE;
}

static int policy_show(struct cli *cli, const struct policy *policy, const char *file)
{
	(void)file;
	run_wrote(cli, report_policy(&cli->out, policy));
	return EXIT_DONE;
}

static int policy_explain(struct cli *cli, const struct policy *policy, const char *file)
{
	(void)file;
	run_wrote(cli, report_policy_explain(&cli->out, policy));
	return EXIT_DONE;
}

static const struct verb {
	const char *name;
	int (*run)(struct cli *cli, const struct policy *policy, const char *file);
} verbs[] = {
	{"check", policy_check},
	{"show", policy_show},
	{"explain", policy_explain},
	{"test", policy_test_run},
};

static const char *verb_name_at(size_t index)
{
	return verbs[index].name;
}

static const struct verb *verb_named(const char *word, struct problem *problem)
{
	size_t count = sizeof(verbs) / sizeof(verbs[0]);
	const char *near;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(verbs[i].name, word))
			return &verbs[i];
	near = options_nearest(word, count, verb_name_at);
	if (near)
		problem_set(problem, word, "policy does not know it; did you mean %s?", near);
	else
		problem_set(problem, word,
			    "policy does not know it; check, show, explain or test is expected");
	return NULL;
}

/* Options that only a test takes: -EINVAL with the problem where one was given. */
static int given_for_test(const struct cli *cli, const char *verb, struct problem *problem)
{
	static const enum option_id ids[] = {OPTION_FROM, OPTION_CAPACITY, OPTION_GROWTH};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (option_given(cli, ids[i]))
			return option_problem(cli, ids[i], problem,
					      "is for policy test, not for policy %s", verb);
	return 0;
}

int cmd_policy(struct cli *cli)
{
	struct problem problem = {0};
	struct policy *policy = NULL;
	const struct verb *verb;
	char line[800];
	int code;

	if (!cli->operand_count) {
		problem_set(&problem, "policy",
			    "check, show, explain or test is expected, and a file");
		return run_usage(&problem);
	}
	verb = verb_named(cli->operands[0], &problem);
	if (!verb)
		return run_usage(&problem);
	if (cli->operand_count < 2) {
		problem_set(&problem, "policy", "%s needs a file: ctwarden policy %s FILE",
			    verb->name, verb->name);
		return run_usage(&problem);
	}
	if (verb->run != policy_test_run && given_for_test(cli, verb->name, &problem))
		return run_usage(&problem);
	if (policy_load_any(cli->operands[1], &policy, &problem)) {
		run_say("%s", problem_format(&problem, line, sizeof(line)));
		return EXIT_INVALID;
	}
	code = verb->run(cli, policy, cli->operands[1]);
	policy_free(policy);
	return code;
}
