/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/rule: reads one rule, and what its parts say against each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flow/names.h"
#include "policy/evaluate.h"
#include "policy/words.h"
#include "private.h"

#define DAY_NS (86400 * NS_PER_SEC)

enum policy_scope policy_rule_scope(const struct policy_rule *rule)
{
	return rule->whens[0].scope;
}

bool policy_rule_holds_proven(const struct policy_rule *rule)
{
	const struct policy_do *action = &rule->action;

	if (action->action == POLICY_ACTION_BAN)
		return true;
	for (unsigned i = 0; i < action->class_count; i++)
		if (action->classes[i] != FLOW_CLASS_UNREPLIED &&
		    action->classes[i] != FLOW_CLASS_HALF_OPEN &&
		    action->classes[i] != FLOW_CLASS_PICKUP)
			return true;
	return false;
}

void rule_free(struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->when_count; i++)
		free(rule->whens[i].in.items);
	match_free(&rule->match);
}

/* ---- until, budget ---- */

/* Conditions that speak of the whole table's tightness: for them a rule stops at a fill or level. */
#define TIGHTNESS                                                                                  \
	(1u << POLICY_WHEN_LEVEL | 1u << POLICY_WHEN_FILL | 1u << POLICY_WHEN_GROWTH |             \
	 1u << POLICY_WHEN_SECONDS_TO_FULL | 1u << POLICY_WHEN_REFUSAL |                           \
	 1u << POLICY_WHEN_REFUSAL_FULL | 1u << POLICY_WHEN_DROPS)

static bool is_about_tightness(const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->when_count; i++)
		if (rule->whens[i].has & TIGHTNESS)
			return true;
	return false;
}

/* Rules that act because the table is tight stop when it no longer is; the others take what exceeds
 * their count. */
static void set_until(struct policy_rule *rule)
{
	struct policy_until *until = &rule->until;

	if (!policy_actions[rule->action.action].has_until ||
	    policy_rule_scope(rule) != POLICY_SCOPE_TABLE)
		return;
	if (!until->has_fill && !until->has_level) {
		if (!until->has_headroom && !is_about_tightness(rule))
			return;
		until->has_level = true;
		until->level = LEVEL_OK;
	}
	if (!until->has_headroom) {
		until->has_headroom = true;
		until->headroom_sec = POLICY_HEADROOM_SEC;
	}
}

static int read_until(const struct doc_node *node, struct policy_until *until,
		      struct problem *problem)
{
	static const char *const known[] = {"fill_pct", "level", "headroom_sec", "entries", NULL};
	static const char *const levels[] = {"ok", "warning", "critical", NULL};
	struct doc_node fill = doc_get(node, "fill_pct"), level = doc_get(node, "level");
	struct doc_node headroom = doc_get(node, "headroom_sec"),
			entries = doc_get(node, "entries");
	int choice = 0, result = read_object(node, known, problem);

	if (result || !node->value)
		return result;
	if (!doc_count(node))
		return doc_problem(node, problem,
				   "say where the rule stops, as in {\"fill_pct\": 65}");
	*until = (struct policy_until){.has_fill = fill.value,
				       .has_level = level.value,
				       .has_headroom = headroom.value,
				       .has_entries = entries.value};
	if ((result = read_number(&fill, 0, 1000, &until->fill_pct, problem)) ||
	    (result = doc_choice(&level, levels, &choice, problem)) ||
	    (result = read_number(&headroom, 0, 3600, &until->headroom_sec, problem)) ||
	    (result = read_count(&entries, 0, UINT32_MAX, &until->entries, problem)))
		return result;
	until->level = (enum level)choice;
	return 0;
}

static int read_budget(const struct doc_node *node, struct policy_budget *budget,
		       struct problem *problem)
{
	static const char *const known[] = {"per_run", "per_sec", NULL};
	struct doc_node per_run = doc_get(node, "per_run"), per_sec = doc_get(node, "per_sec");
	int result = read_object(node, known, problem);

	if (result ||
	    (result = read_count(&per_run, 1, POLICY_BUDGET_MAX, &budget->per_run, problem)))
		return result;
	return read_count(&per_sec, 1, POLICY_BUDGET_MAX, &budget->per_sec, problem);
}

/* Only some actions take flows: for the others these words would say nothing. */
static int refuse_idle_words(const struct doc_node *node, const struct policy_action_info *info,
			     struct problem *problem)
{
	const struct {
		const char *key;
		bool is_taken;
	} words[] = {{"match", info->has_match},
		     {"until", info->has_until},
		     {"budget", info->has_budget}};
	struct doc_node member;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		member = doc_get(node, words[i].key);
		if (member.value && !words[i].is_taken)
			return doc_problem(&member, problem, "%s takes no \"%s\"; leave it out",
					   info->name, words[i].key);
	}
	return 0;
}

int rule_read(const struct doc_node *node, struct policy_rule *rule, struct problem *problem)
{
	static const char *const known[] = {"name",  "when",   "match",	   "do",
					    "until", "budget", "cooldown", NULL};
	struct doc_node name = doc_get(node, "name"), when = doc_get(node, "when"),
			match = doc_get(node, "match");
	struct doc_node action = doc_get(node, "do"), until = doc_get(node, "until");
	struct doc_node budget = doc_get(node, "budget"), cooldown = doc_get(node, "cooldown");
	const struct policy_action_info *info;
	int result;

	match_init(&rule->match);
	if (!doc_is_object(node))
		return doc_problem(node, problem, "an object { ... } is expected");
	if ((result = doc_only_keys(node, known, problem)))
		return result;
	if (!name.value)
		return doc_problem(node, problem,
				   "\"name\" is missing: records and the log call the rule by it");
	match_free(&rule->match);
	if ((result = match_read(&match, &rule->match, problem)) ||
	    (result = read_text(&name, rule->name, sizeof(rule->name), problem)) ||
	    (result = when_read(&when, rule, problem)) ||
	    (result = action_read(&action, &rule->action, problem)))
		return result;
	info = &policy_actions[rule->action.action];
	rule->budget = info->budget;
	rule->cooldown_ns = info->cooldown_ns;
	if ((result = refuse_idle_words(node, info, problem)) ||
	    (result = read_until(&until, &rule->until, problem)) ||
	    (result = read_budget(&budget, &rule->budget, problem)))
		return result;
	set_until(rule);
	return read_duration(&cooldown, 0, DAY_NS, &rule->cooldown_ns, problem);
}

/* ---- parts against each other ---- */

static int check_key(const struct doc_node *node, const struct policy *policy,
		     const struct policy_rule *rule, struct problem *problem)
{
	uint32_t forgeable = 1u << POLICY_COUNT_UNREPLIED | 1u << POLICY_COUNT_HALF_OPEN |
			     1u << POLICY_COUNT_NEW;
	struct doc_node when = doc_get(node, "when"), match = doc_get(node, "match");

	if (match_has(&rule->match, FILTER_SRC, false) ||
	    match_has(&rule->match, FILTER_ZONE, false))
		return doc_problem(&match, problem,
				   "the condition says which source; limit it there, as in \"%s\": "
				   "{\"in\": [\"10.0.0.0/8\"], ...}",
				   policy_scope_name(policy_rule_scope(rule)));
	if (!policy_rule_holds_proven(rule) || policy->trusted.count)
		return 0;
	for (unsigned i = 0; i < rule->when_count; i++)
		if (rule->whens[i].counts_has & forgeable)
			return doc_problem(&when, problem,
					   "addresses can be forged: only answered flows (entries, "
					   "share_pct) are held against a source where answered "
					   "flows are taken or the "
					   "source is banned; or list networks that cannot be "
					   "forged in \"trusted\"");
	return 0;
}

/* The least entries of a source or prefix that the rule begins at: its other counts are among them. */
static enum policy_count least_entries(const struct policy_when *when)
{
	static const enum policy_count parts[] = {POLICY_COUNT_ENTRIES, POLICY_COUNT_UNREPLIED, POLICY_COUNT_HALF_OPEN};
	enum policy_count least = POLICY_COUNT_COUNT;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((when->counts_has & 1u << parts[i]) &&
		    (least == POLICY_COUNT_COUNT || when->counts[parts[i]] > when->counts[least]))
			least = parts[i];
	return least;
}

static int check_when_until(const struct doc_node *node, const struct policy *policy,
			    const struct policy_rule *rule, const struct policy_when *when,
			    struct problem *problem)
{
	double mark = when->level == LEVEL_WARNING    ? policy->levels.warning.enter_pct
		      : when->level == LEVEL_CRITICAL ? policy->levels.critical.enter_pct
						      : policy->levels.full_pct;
	const struct policy_until *until = &rule->until;
	enum policy_count least = least_entries(when);
	struct doc_node fill = doc_get(node, "until.fill_pct"), level = doc_get(node, "until.level"),
			entries = doc_get(node, "until.entries");

	/* It would find nothing to do at what it begins at. */
	if (until->has_entries && least < POLICY_COUNT_COUNT && (double)until->entries >= when->counts[least])
		return doc_problem(&entries, problem, "must be below the %s that the rule begins at (%.0f)",
				   policy_counts[least].key, when->counts[least]);
	if (until->has_fill && (when->has & 1u << POLICY_WHEN_FILL) &&
	    until->fill_pct >= when->numbers[POLICY_WHEN_FILL])
		return doc_problem(&fill, problem,
				   "must be below the fill_pct that the rule begins at (%g)",
				   when->numbers[POLICY_WHEN_FILL]);
	if (!(when->has & 1u << POLICY_WHEN_LEVEL))
		return 0;
	if (until->has_fill && until->fill_pct >= mark)
		return doc_problem(&fill, problem, "must be below the mark of level %s (%g)",
				   level_name(when->level), mark);
	if (until->has_level && until->level >= when->level)
		return doc_problem(&level, problem,
				   "must be below the level that the rule begins at (%s)",
				   level_name(when->level));
	return 0;
}

static int check_until(const struct doc_node *node, const struct policy *policy,
		       const struct policy_rule *rule, struct problem *problem)
{
	bool has_key = policy_rule_scope(rule) != POLICY_SCOPE_TABLE;
	const struct policy_until *until = &rule->until;
	struct doc_node where = doc_get(node, "until");
	int result = 0;

	if (has_key && (until->has_fill || until->has_level || until->has_headroom))
		return doc_problem(&where, problem, "a rule on a %s stops at \"entries\" of it",
				   policy_scope_name(policy_rule_scope(rule)));
	if (!has_key && until->has_entries)
		return doc_problem(
			&where, problem,
			"\"entries\" is for rules on a source or prefix; fill_pct or level is "
			"expected");
	for (unsigned i = 0; !result && i < rule->when_count; i++)
		result = check_when_until(node, policy, rule, &rule->whens[i], problem);
	return result;
}

static bool may_always(const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->when_count; i++)
		if (rule->whens[i].has & 1u << POLICY_WHEN_ALWAYS)
			return true;
	return false;
}

static bool has_class(const struct policy_do *action, enum flow_class class)
{
	for (unsigned i = 0; i < action->class_count; i++)
		if (action->classes[i] == class)
			return true;
	return false;
}

/* Idle time is told by what is left of a timeout: where that was written, every flow looks idle,
 * and an eviction by idle time would take the active ones. */
static bool goes_by_idle(const struct policy_rule *rule, enum flow_class class)
{
	const struct policy_do *action = &rule->action;

	if (action->action != POLICY_ACTION_EVICT || !has_class(action, class))
		return false;
	if (action->floors_ns[class] > 0 || flow_filter_has(rule->match.filter, FILTER_IDLE))
		return true;
	return action->min_age_ns > 0 &&
	       (class == FLOW_CLASS_UNREPLIED || class == FLOW_CLASS_HALF_OPEN ||
		class == FLOW_CLASS_PICKUP);
}

static bool shortens(const struct policy_rule *rule, enum flow_class class)
{
	return rule->action.action == POLICY_ACTION_SHORTEN && has_class(&rule->action, class);
}

static int check_idle(const struct doc_node *node, const struct policy *policy,
		      const struct policy_rule *rule, struct problem *problem)
{
	struct doc_node action = doc_get(node, "do");

	for (size_t i = 0; &policy->rules[i] != rule; i++)
		for (unsigned c = 0; c < FLOW_CLASS_COUNT; c++) {
			const struct policy_rule *other = &policy->rules[i];
			enum flow_class class = (enum flow_class)c;

			if ((shortens(rule, class) && goes_by_idle(other, class)) ||
			    (shortens(other, class) && goes_by_idle(rule, class)))
				return doc_problem(
					&action, problem,
					"shortened %s flows all look idle, and one of this "
					"rule and \"%s\" evicts them by idle time; take the class "
					"out of one",
					class_name(class), other->name);
		}
	return 0;
}

int rule_check(const struct doc_node *node, const struct policy *policy,
	       const struct policy_rule *rule, struct problem *problem)
{
	const struct policy_action_info *info = &policy_actions[rule->action.action];
	bool has_key = policy_rule_scope(rule) != POLICY_SCOPE_TABLE;
	struct doc_node action = doc_get(node, "do");
	int result;

	for (size_t i = 0; &policy->rules[i] != rule; i++)
		if (!strcmp(policy->rules[i].name, rule->name)) {
			struct doc_node name = doc_get(node, "name");

			return doc_problem(&name, problem,
					   "another rule has this name; each needs its own");
		}
	if (info->needs_key && !has_key)
		return doc_problem(&action, problem,
				   "%s needs a condition on a source or prefix that says whom",
				   info->name);
	if (info->has_budget && info->has_match && !rule->match.count && may_always(rule))
		return doc_problem(
			node, problem,
			"a rule that may act at any time needs a \"match\": which flows");
	if (has_key && !info->has_match && !info->needs_key)
		return doc_problem(&action, problem, "%s is for the whole table, not for one %s",
				   info->name, policy_scope_name(policy_rule_scope(rule)));
	result = has_key ? check_key(node, policy, rule, problem) : 0;
	if (!result)
		result = check_idle(node, policy, rule, problem);
	return result ? result : check_until(node, policy, rule, problem);
}
