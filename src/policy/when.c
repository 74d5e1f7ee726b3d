/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/when: reads the conditions of a rule: an object whose parts must all hold, or a list of
 * such objects of which any may. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/names.h"
#include "policy/words.h"
#include "private.h"

#define ENTRIES_MAX UINT32_MAX

static int read_level(const struct doc_node *node, enum level *ret, struct problem *problem)
{
	static const char *const names[] = {"warning", "critical", "full", NULL};
	int level = 0, result = doc_choice(node, names, &level, problem);

	if (result < 0)
		return result;
	*ret = (enum level)(level + LEVEL_WARNING);
	return 0;
}

static int read_condition(const struct doc_node *node, enum policy_condition which,
			  struct policy_when *when, struct problem *problem)
{
	const struct policy_condition_info *info = &policy_conditions[which];
	bool is_true = false;
	int result;

	if (which == POLICY_WHEN_ALWAYS) {
		result = doc_bool(node, &is_true, problem);
		if (!result && !is_true)
			result = doc_problem(node, problem,
					     "true is expected; leave it out otherwise");
	} else if (which == POLICY_WHEN_LEVEL) {
		result = read_level(node, &when->level, problem);
	} else {
		result = read_number(node, info->min, info->max, &when->numbers[which], problem);
	}
	when->has |= 1u << which;
	return result;
}

/* "source" or "prefix": what is counted of each, and of which. */
static int read_scope(const struct doc_node *node, enum policy_scope scope,
		      struct policy_when *when, struct problem *problem)
{
	const char *known[POLICY_COUNT_COUNT + 2];
	struct doc_node member;
	unsigned i;
	int result;

	for (i = 0; i < POLICY_COUNT_COUNT; i++)
		known[i] = policy_counts[i].key;
	known[i++] = "in";
	known[i] = NULL;
	if (when->scope != POLICY_SCOPE_TABLE)
		return doc_problem(node, problem, "source or prefix is expected, not both");
	when->scope = scope;
	result = read_object(node, known, problem);
	for (i = 0; !result && i < POLICY_COUNT_COUNT; i++) {
		member = doc_get(node, policy_counts[i].key);
		if (!member.value)
			continue;
		when->counts_has |= 1u << i;
		result = read_number(&member, policy_counts[i].min, policy_counts[i].max,
				     &when->counts[i], problem);
	}
	if (result)
		return result;
	if (!when->counts_has)
		return doc_problem(
			node, problem,
			"say what is counted: entries, unreplied, half_open, new_per_sec or "
			"share_pct");
	member = doc_get(node, "in");
	return read_prefixes(&member, &when->in, problem);
}

static int read_classes(const struct doc_node *node, struct policy_when *when,
			struct problem *problem)
{
	const char *known[FLOW_CLASS_COUNT + 1];
	struct doc_node member;
	int result;

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		known[i] = class_name((enum flow_class)i);
	known[FLOW_CLASS_COUNT] = NULL;
	result = read_object(node, known, problem);
	if (!result && !doc_count(node))
		return doc_problem(node, problem,
				   "name a class and a number, as in \"half-open\": 5000");
	for (unsigned i = 0; !result && i < FLOW_CLASS_COUNT; i++) {
		member = doc_get(node, known[i]);
		if (!member.value)
			continue;
		when->classes_has |= 1u << i;
		result = read_count(&member, 1, ENTRIES_MAX, &when->classes[i], problem);
	}
	return result;
}

static int read_states(const struct doc_node *node, struct policy_when *when,
		       struct problem *problem)
{
	const char *known[FLOW_TCP_COUNT];
	struct doc_node member;
	int result;

	for (unsigned i = 1; i < FLOW_TCP_COUNT; i++) /* NONE is no state to count */
		known[i - 1] = tcp_state_name((uint8_t)i);
	known[FLOW_TCP_COUNT - 1] = NULL;
	result = read_object(node, known, problem);
	if (!result && !doc_count(node))
		return doc_problem(node, problem,
				   "name a TCP state and a number, as in \"SYN_RECV\": 5000");
	for (unsigned i = 1; !result && i < FLOW_TCP_COUNT; i++) {
		member = doc_get(node, known[i - 1]);
		if (!member.value)
			continue;
		when->states_has |= 1u << i;
		result = read_count(&member, 1, ENTRIES_MAX, &when->states[i], problem);
	}
	return result;
}

static int read_member(const struct doc_node *node, const char *key, struct policy_when *when,
		       struct problem *problem)
{
	for (unsigned i = 0; i < POLICY_WHEN_COUNT; i++)
		if (!strcmp(policy_conditions[i].key, key))
			return read_condition(node, (enum policy_condition)i, when, problem);
	if (!strcmp(key, "source"))
		return read_scope(node, POLICY_SCOPE_SOURCE, when, problem);
	if (!strcmp(key, "prefix"))
		return read_scope(node, POLICY_SCOPE_PREFIX, when, problem);
	if (!strcmp(key, "classes"))
		return read_classes(node, when, problem);
	return read_states(node, when, problem);
}

static int read_when(const struct doc_node *node, struct policy_when *when, struct problem *problem)
{
	const char *known[POLICY_WHEN_COUNT + 5], *key = NULL;
	struct doc_node member;
	unsigned i;
	int result;

	for (i = 0; i < POLICY_WHEN_COUNT; i++)
		known[i] = policy_conditions[i].key;
	known[i++] = "source";
	known[i++] = "prefix";
	known[i++] = "classes";
	known[i++] = "states";
	known[i] = NULL;
	result = read_object(node, known, problem);
	if (!result && !doc_count(node))
		return doc_problem(
			node, problem,
			"say what must hold; {\"always\": true} is a rule that may act at any "
			"time");
	for (i = 0; !result && i < doc_count(node); i++) {
		member = doc_member(node, i, &key);
		result = read_member(&member, key, when, problem);
	}
	if (!result && (when->has & 1u << POLICY_WHEN_ALWAYS) && doc_count(node) > 1)
		return doc_problem(
			node, problem,
			"always stands alone; the other conditions would have to hold as well");
	return result;
}

struct whens_reading {
	struct policy_rule *rule;
	struct problem *problem;
};

static int on_when(const struct doc_node *item, void *arg)
{
	struct whens_reading *r = arg;
	struct policy_rule *rule = r->rule;
	struct policy_when *when = &rule->whens[rule->when_count++];
	int result = read_when(item, when, r->problem);

	if (!result && when->scope != rule->whens[0].scope)
		return doc_problem(
			item, r->problem,
			"every alternative must look at the same: all at a source, all at a "
			"prefix, or none");
	return result;
}

int when_read(const struct doc_node *node, struct policy_rule *rule, struct problem *problem)
{
	struct whens_reading r = {rule, problem};

	if (!node->value)
		return doc_problem(
			node, problem,
			"is missing: say when the rule acts, as in {\"level\": \"warning\"}");
	return read_list(node, POLICY_WHENS_MAX, on_when, &r, problem);
}
