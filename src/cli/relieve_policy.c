/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/relieve_policy: whose rules a round by hand follows. Their conditions are not asked: a person
 * has decided that it is time. Their classes, floors, least age and protect list hold. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "relieve.h"

/* The classes and floors of the shipped gateway policy. Nothing is known of a calm table here, so
 * nothing younger goes and no answered flow that is in use. */
static const char built_in[] =
	"{\"schema\": \"ctwarden.policy/1\", \"name\": \"built-in\", \"mode\": \"act\","
	" \"protect\": {\"operator\": true, \"own\": true, \"flows\": ["
	"  {\"name\": \"loopback\", \"match\": {\"src\": [\"127.0.0.0/8\", \"::1\"]}},"
	"  {\"name\": \"established sctp\", \"match\": {\"state\": \"sctp:ESTABLISHED\"}}]},"
	" \"rules\": [{\"name\": \"relieve\", \"when\": {\"level\": \"warning\"}, \"do\": "
	"{\"action\": \"evict\","
	"  \"classes\": [\"unreplied\", \"pickup\", \"half-open\", \"closing\", \"replied\", "
	"\"stream\", \"established\"],"
	"  \"floors\": {\"replied\": \"20s\", \"stream\": \"2min\", \"established\": \"2h4min\"}, "
	"\"min_age\": \"5s\"},"
	"  \"until\": {\"level\": \"ok\"}}]}";

static void choose_rules(struct relieve *relieve)
{
	const struct policy *policy = relieve->policy;

	for (size_t i = 0; i < policy->rule_count && relieve->rule_count < RELIEVE_RULES_MAX; i++)
		if (policy->rules[i].action.action == POLICY_ACTION_EVICT &&
		    policy_rule_scope(&policy->rules[i]) == POLICY_SCOPE_TABLE)
			relieve->rules[relieve->rule_count++] = i;
}

int relieve_load(struct relieve *relieve)
{
	const char *file = relieve->cli->values[OPTION_POLICY];
	struct problem problem = {0};
	char line[800];
	int result;

	result = file ? policy_load_any(file, &relieve->policy, &problem)
		      : policy_parse(built_in, strlen(built_in), "built-in", &relieve->policy,
				     &problem);
	if (result) {
		run_say("%s", problem_format(&problem, line, sizeof(line)));
		return EXIT_INVALID;
	}
	relieve->shown.policy = file ? file : "built-in";
	choose_rules(relieve);
	if (relieve->rule_count)
		return EXIT_DONE;
	run_say("%s: no rule of it evicts from the whole table, so it cannot make room", file);
	return EXIT_INVALID;
}

static struct flow_filter *filter_of(const struct policy_match *match)
{
	struct flow_filter *filter = flow_filter_new();

	/* They were taken once, so they are taken again. */
	for (size_t i = 0; i < match->count; i++)
		flow_filter_add(filter, match->values[i].key, match->values[i].value,
				match->values[i].negated, NULL);
	return filter;
}

size_t relieve_decide(const struct relieve *relieve, uint64_t want, bool would,
		      struct policy_decision *ret_decisions)
{
	enum level level = relieve->snapshot->level;

	for (size_t i = 0; i < relieve->rule_count; i++) {
		struct policy_decision *decision = &ret_decisions[i];

		*decision = (struct policy_decision){
			.rule = relieve->rules[i],
			.action = POLICY_ACTION_EVICT,
			.would = would,
			/* What a policy allows at "full" alone needs a calm table to compare with. */
			.level = level > LEVEL_CRITICAL ? LEVEL_CRITICAL : level,
			.filter = filter_of(&relieve->policy->rules[relieve->rules[i]].match),
			.want = want,
			.want_other = want,
			.granted = want,
			.scale = 1};
		snprintf(decision->reason, sizeof(decision->reason), "by hand");
	}
	return relieve->rule_count;
}
