/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/held: see the header. */
#include "held.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"

static bool has(const struct held *held, const char *name)
{
	for (size_t i = 0; i < held->count; i++)
		if (!strcmp(held->rules[i].name, name))
			return true;
	return false;
}

int held_take(struct held *held, const char *directory, const struct policy_rule *rule,
	      struct problem *reterr_problem)
{
	int result = settings_lower(directory, &rule->action.set, reterr_problem);

	if (result || has(held, rule->name) || held->count == POLICY_RULES_MAX)
		return result;
	snprintf(held->rules[held->count].name, POLICY_NAME_MAX, "%s", rule->name);
	held->rules[held->count++].set = rule->action.set;
	return 0;
}

int held_let_go(struct held *held, const char *directory, const char *name,
		struct problem *reterr_problem)
{
	int result = settings_restore(directory, NULL, reterr_problem);
	size_t kept = 0;

	if (result)
		return result;
	for (size_t i = 0; i < held->count; i++) {
		if (!strcmp(held->rules[i].name, name))
			continue;
		held->rules[kept] = held->rules[i];
		result = settings_lower(directory, &held->rules[kept++].set, reterr_problem);
	}
	held->count = kept;
	return result;
}
