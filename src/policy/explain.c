/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/explain: why a rule decides nothing now, in words: of each of its alternatives the first part that fails; of a
 * rule on sources or prefixes for the one that is nearest to its condition. */
#include <string.h>

#include "base/text.h"
#include "policy/words.h"
#include "state.h"

/* How much of its marks a subject has at least, 1 being all; negative: it is not of the networks that are meant. */
static double share_of(const struct policy_when *when, const struct subject *subject)
{
	double least = 1, number;

	if (when->in.count && !policy_prefixes_have(&when->in, &subject->prefix))
		return -1;
	for (unsigned i = 0; i < POLICY_COUNT_COUNT; i++) {
		if (!(when->counts_has & 1u << i))
			continue;
		if (!subject_count(subject, (enum policy_count)i, &number))
			number = 0;
		if (number < least * when->counts[i])
			least = number / when->counts[i];
	}
	return least;
}

struct nearest {
	struct subject subject;
	double share; /* negative: there is none */
};

static void look_at(struct nearest *nearest, const struct policy_rule *rule, const struct subject *subject)
{
	for (unsigned i = 0; i < rule->when_count; i++) {
		double share = share_of(&rule->whens[i], subject);

		if (share > nearest->share)
			*nearest = (struct nearest){*subject, share};
	}
}

static struct nearest find_nearest(const struct policy *policy, const struct policy_rule *rule,
				   const struct snapshot *snapshot)
{
	bool is_prefix = policy_rule_scope(rule) == POLICY_SCOPE_PREFIX;
	const struct snapshot_top *top = is_prefix ? &snapshot->prefixes : &snapshot->sources;
	const struct snapshot_more *more = is_prefix ? &snapshot->more_prefixes : &snapshot->more_sources;
	struct nearest nearest = {.share = -1};
	struct subject subject;

	for (size_t i = 0; i < top->used; i++) {
		subject = subject_from(policy, rule, snapshot, &top->rows[i]);
		look_at(&nearest, rule, &subject);
	}
	for (size_t i = 0; i < more->used; i++) {
		subject = subject_from(policy, rule, snapshot, &more->rows[i]);
		look_at(&nearest, rule, &subject);
	}
	return nearest;
}

/* The first part of the alternative that does not hold; whose number it is, where it is a subject's. */
static void tell_part(const struct policy_when *when, const struct facts *facts, const struct subject *subject,
		      struct text *ret_why)
{
	char key[RANKING_TEXT_MAX], part[POLICY_REASON_MAX];
	struct subject table = {0};
	struct text text;

	if (!when_holds(when, facts, &table, ret_why))
		return;
	ret_why->len = 0;
	text_init(&text, part, sizeof(part));
	when_holds(when, facts, subject, &text);
	text_add(ret_why, "%s: %s", ranking_key_format(subject->config, &subject->row->key, key), part);
}

static void tell_why_not(const struct policy_rule *rule, const struct facts *facts, const struct subject *subject,
			 struct text *ret_text)
{
	char parts[POLICY_WHENS_MAX][POLICY_REASON_MAX];
	struct text part;

	for (unsigned i = 0; i < rule->when_count; i++) {
		bool is_told = false;

		text_init(&part, parts[i], sizeof(parts[i]));
		tell_part(&rule->whens[i], facts, subject, &part);
		for (unsigned j = 0; j < i && !is_told; j++)
			is_told = !strcmp(parts[j], parts[i]);
		if (!is_told)
			text_add(ret_text, "%s%s", i ? "; " : "", parts[i]);
	}
}

static void tell_why(const struct policy_rule *rule, const struct facts *facts, const struct subject *subject,
		     const struct policy_when *when, const struct amount *amount, struct text *ret_text)
{
	const struct policy_action_info *info = &policy_actions[rule->action.action];
	char why[POLICY_REASON_MAX];
	struct text text;

	text_init(&text, why, sizeof(why));
	when_holds(when, facts, subject, &text);
	if (info->has_budget && info->has_match && !amount->all)
		text_add(ret_text, "%s; its \"until\" is reached already", why);
	else if (no_use_to_shorten(rule, facts))
		text_add(ret_text, "%s; but %s", why, no_use_to_shorten(rule, facts));
	else
		text_add(ret_text, "holds: %s", why);
}

char *policy_explain_rule(const struct policy *policy, const struct snapshot *snapshot, size_t rule_index,
			  char *buf, size_t size)
{
	const struct policy_rule *rule = &policy->rules[rule_index];
	const char *scope = policy_scope_name(policy_rule_scope(rule));
	bool is_prefix = policy_rule_scope(rule) == POLICY_SCOPE_PREFIX;
	const struct rule_state fresh = {0};
	const struct policy_when *when;
	struct nearest nearest = {0};
	struct amount amount;
	struct facts facts;
	struct text text;

	text_init(&text, buf, size);
	if (!facts_from(&facts, snapshot, -1)) {
		text_add(&text, "the count of entries cannot be read or believed");
		return buf;
	}
	if (policy_rule_scope(rule) != POLICY_SCOPE_TABLE) {
		nearest = find_nearest(policy, rule, snapshot);
		if (!(snapshot->has & SNAPSHOT_HAS_TOP) ||
		    !(is_prefix ? snapshot->prefixes.used : snapshot->sources.used)) {
			text_add(&text, "no %s is known", scope);
			return buf;
		}
		if (nearest.share < 0) {
			text_add(&text, "no %s is in the networks that the rule is for", scope);
			return buf;
		}
	}
	amount = amount_of(rule, &fresh, &facts, &nearest.subject, &when);
	if (when)
		tell_why(rule, &facts, &nearest.subject, when, &amount, &text);
	else
		tell_why_not(rule, &facts, &nearest.subject, &text);
	return buf;
}
