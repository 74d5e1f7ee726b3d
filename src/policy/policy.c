/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/policy: reads a whole policy, completely or not at all. */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/levels.h"
#include "private.h"

#define CAPACITY_MAX UINT32_MAX /* the kernel's limit is no more */

struct policy *policy_new_default(void)
{
	struct policy *policy = mem_alloc(sizeof(*policy));

	policy->mode = POLICY_MODE_OBSERVE;
	policy->levels = level_config_default();
	policy->protects_operator = policy->protects_own = true;
	return policy;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		rule_free(&policy->rules[i]);
	for (size_t i = 0; i < policy->protect_count; i++)
		match_free(&policy->protect[i].match);
	free(policy->rules);
	free(policy->protect);
	free(policy->trusted.items);
	free(policy);
}

static int read_mode(const struct doc_node *node, enum policy_mode *ret, struct problem *problem)
{
	const char *names[POLICY_MODE_COUNT + 1];
	int mode = (int)*ret, result;

	for (unsigned i = 0; i < POLICY_MODE_COUNT; i++)
		names[i] = policy_mode_name((enum policy_mode)i);
	names[POLICY_MODE_COUNT] = NULL;
	result = doc_choice(node, names, &mode, problem);
	*ret = (enum policy_mode)mode;
	return result;
}

static int read_schema(const struct doc_node *root, struct problem *problem)
{
	static const char *const names[] = {POLICY_SCHEMA, NULL};
	struct doc_node node = doc_get(root, "schema");
	int choice;

	if (!node.value)
		return doc_problem(root, problem,
				   "\"schema\": \"" POLICY_SCHEMA
				   "\" is missing: it says what the file is");
	return doc_choice(&node, names, &choice, problem);
}

/* ---- the protect list ---- */

static int read_protected(const struct doc_node *node, struct policy *policy,
			  struct problem *problem)
{
	static const char *const known[] = {"name", "match", NULL};
	struct policy_protect *protect = &policy->protect[policy->protect_count];
	struct doc_node name = doc_get(node, "name"), match = doc_get(node, "match");
	int result;

	*protect = (struct policy_protect){0};
	policy->protect_count++;
	match_init(&protect->match);
	if (!doc_is_object(node))
		return doc_problem(node, problem,
				   "an object with \"name\" and \"match\" is expected");
	if ((result = doc_only_keys(node, known, problem)))
		return result;
	if (!name.value)
		return doc_problem(node, problem,
				   "\"name\" is missing: records say by it what was spared");
	if ((result = read_text(&name, protect->name, sizeof(protect->name), problem)))
		return result;
	match_free(&protect->match);
	if ((result = match_read(&match, &protect->match, problem)))
		return result;
	if (match.value && !protect->match.count)
		return doc_problem(&match, problem,
				   "names no flow; which are to be protected?");
	if (!protect->match.count)
		return doc_problem(
			node, problem,
			"\"match\" is missing: which flows are to be protected");
	for (size_t i = 0; i + 1 < policy->protect_count; i++)
		if (!strcmp(policy->protect[i].name, protect->name))
			return doc_problem(&name, problem,
					   "another entry has this name; each needs its own");
	return 0;
}

int policy_protect_read(const struct doc_node *flows, struct policy *policy,
			struct problem *problem)
{
	struct doc_node item;
	int result = 0;

	if (!flows->value)
		return 0;
	if (!doc_is_array(flows))
		return doc_problem(flows, problem, "a list [ ... ] is expected");
	if (doc_count(flows) + policy->protect_count > POLICY_PROTECT_MAX)
		return doc_problem(flows, problem,
				   "at most %d are taken; one entry may list many prefixes",
				   POLICY_PROTECT_MAX);
	/* The list of the config comes behind that of the policy. */
	policy->protect = mem_resize(policy->protect, policy->protect_count + doc_count(flows) + 1,
				     sizeof(*policy->protect));
	for (size_t i = 0; !result && i < doc_count(flows); i++) {
		item = doc_at(flows, i);
		result = read_protected(&item, policy, problem);
	}
	return result;
}

static int read_protect(const struct doc_node *node, struct policy *policy, struct problem *problem)
{
	static const char *const known[] = {"operator", "own", "flows", NULL};
	struct doc_node on_operator = doc_get(node, "operator"), own = doc_get(node, "own");
	struct doc_node flows = doc_get(node, "flows");
	int result = read_object(node, known, problem);

	if (result || (result = doc_bool(&on_operator, &policy->protects_operator, problem)) ||
	    (result = doc_bool(&own, &policy->protects_own, problem)))
		return result;
	return policy_protect_read(&flows, policy, problem);
}

/* ---- rules ---- */

static int read_rules(const struct doc_node *node, struct policy *policy, struct problem *problem)
{
	struct policy_rule *rule;
	struct doc_node item;
	int result = 0;

	if (!node->value)
		return 0;
	if (!doc_is_array(node))
		return doc_problem(node, problem, "a list [ ... ] is expected");
	if (doc_count(node) > POLICY_RULES_MAX)
		return doc_problem(node, problem, "at most %d rules are taken", POLICY_RULES_MAX);
	policy->rules = mem_array(doc_count(node) + 1, sizeof(*policy->rules));
	for (size_t i = 0; !result && i < doc_count(node); i++) {
		item = doc_at(node, i);
		rule = &policy->rules[policy->rule_count++];
		result = rule_read(&item, rule, problem);
		if (!result)
			result = rule_check(&item, policy, rule, problem);
	}
	return result;
}

static int read_root(const struct doc_node *root, struct policy *policy, struct problem *problem)
{
	static const char *const known[] = {"schema", "name",	 "about",   "mode",  "capacity",
					    "levels", "protect", "trusted", "rules", NULL};
	struct doc_node name = doc_get(root, "name"), about = doc_get(root, "about"),
			mode = doc_get(root, "mode");
	struct doc_node capacity = doc_get(root, "capacity"), protect = doc_get(root, "protect");
	struct doc_node trusted = doc_get(root, "trusted"), rules = doc_get(root, "rules");
	int result;

	if (!doc_is_object(root))
		return doc_problem(root, problem, "an object { ... } is expected");
	if ((result = doc_only_keys(root, known, problem)) ||
	    (result = read_schema(root, problem)) ||
	    (result = read_text(&name, policy->name, sizeof(policy->name), problem)) ||
	    (result = read_text(&about, policy->about, sizeof(policy->about), problem)) ||
	    (result = read_mode(&mode, &policy->mode, problem)) ||
	    (result = read_count(&capacity, 1, CAPACITY_MAX, &policy->capacity, problem)) ||
	    (result = policy_levels_read(root, &policy->levels, &policy->has_levels, problem)) ||
	    (result = read_protect(&protect, policy, problem)) ||
	    (result = read_prefixes(&trusted, &policy->trusted, problem)))
		return result;
	return read_rules(&rules, policy, problem);
}

static int read_doc(struct doc *doc, struct policy **ret_policy, struct problem *problem)
{
	struct policy *policy = policy_new_default();
	struct doc_node root = doc_root(doc);
	int result = read_root(&root, policy, problem);

	doc_free(doc);
	if (result < 0)
		policy_free(policy);
	else
		*ret_policy = policy;
	return result;
}

int policy_parse(const char *text, size_t len, const char *name, struct policy **ret_policy,
		 struct problem *reterr_problem)
{
	struct doc *doc;
	int result = doc_parse(text, len, name, true, &doc, reterr_problem);

	return result < 0 ? result : read_doc(doc, ret_policy, reterr_problem);
}

int policy_load(const char *file, struct policy **ret_policy, struct problem *reterr_problem)
{
	struct doc *doc;
	int result = doc_load(file, &doc, reterr_problem);

	return result < 0 ? result : read_doc(doc, ret_policy, reterr_problem);
}

int policy_load_any(const char *file, struct policy **ret_policy, struct problem *reterr_problem)
{
	struct doc *doc;
	int result = doc_load_any(file, &doc, reterr_problem);

	return result < 0 ? result : read_doc(doc, ret_policy, reterr_problem);
}
