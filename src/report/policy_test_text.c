/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy_test_text: what a policy would do, for people: by rule, with victims and reasons. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "policy/advise.h"
#include "policy/words.h"
#include "private.h"
#include "report/policy.h"

#define PARAGRAPH_MAX 1024

static void add_count(struct text *t, uint64_t number)
{
	char text[UNITS_TEXT_MAX];

	text_add(t, "%s", units_format_count(number, text));
}

static void print_heading(const struct report_out *out, const struct policy_test *test)
{
	const struct snapshot *snapshot = test->snapshot;
	const struct fill *fill = &snapshot->fill;
	const char *whose = capacity_words(test->capacity_from);
	char buf[PARAGRAPH_MAX], number[UNITS_TEXT_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%s on %s: ", test->policy->name[0] ? test->policy->name : "policy",
		 test->from ? test->from : "the table as it is");
	add_count(&t, fill->now.entries);
	if (fill->capacity) {
		text_add(&t, " of ");
		add_count(&t, fill->capacity);
		text_add(&t, " entries (%.1f\t%%)%s%s, level %s", fill->fill_pct,
			 whose ? ", " : "", whose ? whose : "", level_name(snapshot->level));
	} else {
		text_add(&t, " entries; without --capacity nothing is known of fill, level and "
			     "refusals");
	}
	if (test->knows_growth)
		text_add(&t, ", growth %s/s",
			 units_format_signed((int64_t)llround(fill->growth_per_sec), number));
	if (test->knows_growth && fill->seconds_to_full >= 0)
		text_add(&t, ", full in %s",
			 units_format_duration((int64_t)(fill->seconds_to_full * 1e9), number));
	paragraph_print(out, 0, buf);
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "Not known from one look: drops, what fits a surge%s%s.",
		 test->knows_growth ? "" : ", growth (--growth N supposes one)",
		 test->from ? ", the operator's connections, this host's addresses" : "");
	paragraph_print(out, 0, buf);
}

static void add_classes(struct text *t, const struct policy_test_decision *d)
{
	const char *lead = " (";

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (!d->classes[i])
			continue;
		text_add(t, "%s", lead);
		add_count(t, d->classes[i]);
		text_add(t, " %s", class_name((enum flow_class)i));
		lead = ", ";
	}
	if (lead[0] == ',')
		text_add(t, ")");
}

static void print_sources(const struct report_out *out, const struct policy_test_decision *d)
{
	char buf[PARAGRAPH_MAX], key[RANKING_TEXT_MAX];
	struct text t;

	if (!d->top_used)
		return;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "candidates by source: ");
	for (size_t i = 0; i < d->top_used; i++) {
		text_add(&t, "%s%s ", i ? ", " : "",
			 ranking_key_format(&d->top_config, &d->top[i].key, key));
		add_count(&t, d->top[i].entries);
	}
	paragraph_print(out, 4, buf);
}

static void print_spared(const struct report_out *out, const struct policy_test_decision *d)
{
	static const char *const words[POLICY_VERDICT_COUNT] = {
		[POLICY_VERDICT_ACTIVE] = "active or of unknown idle time",
		[POLICY_VERDICT_YOUNG] = "young",
		[POLICY_VERDICT_PROTECTED] = "protected",
	};
	const char *lead = "spared: ";
	char buf[PARAGRAPH_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (unsigned i = 0; i < POLICY_VERDICT_COUNT; i++) {
		if (!words[i] || !d->spared[i])
			continue;
		text_add(&t, "%s", lead);
		add_count(&t, d->spared[i]);
		text_add(&t, " %s", words[i]);
		lead = ", ";
	}
	if (t.len)
		paragraph_print(out, 4, buf);
}

static void add_flows(struct text *t, const struct policy_rule *rule, const struct policy_test_decision *d)
{
	const struct policy_decision *decision = &d->decision;
	const char *verb = policy_actions[decision->action].name;

	if (d->candidates) {
		text_add(t, "would %s ", verb);
		if (d->taken)
			add_count(t, d->taken);
		else
			text_add(t, "none");
		text_add(t, " of ");
		add_count(t, d->candidates);
		text_add(t, " candidates");
	} else {
		text_add(t, "would find nothing to %s", verb);
	}
	if (d->candidates && decision->action == POLICY_ACTION_SHORTEN)
		text_add(t, " to %.0f\t%% of their lifetime", 100 * decision->scale);
	add_classes(t, d);
	if (d->later_rounds) {
		text_add(t, ", ");
		add_count(t, d->later_taken);
		text_add(t, " more in the %u s after that", d->last_round - d->round);
	}
	if (d->taken && policy_share_moves_on(rule))
		text_add(t, "; more may follow, of others too, as their shares of what is left grow");
	if (d->more_if_surge) {
		text_add(t, "; up to ");
		add_count(t, d->more_if_surge);
		text_add(t, " more if they fit a surge (others only make room for growth)");
	}
}

static void add_ban(struct text *t, const struct policy_do *action, const char *key)
{
	char number[UNITS_TEXT_MAX];

	text_add(t, "would ban %s for %s: ", key, units_format_duration(action->duration_ns, number));
	if (action->rate_per_sec > 0)
		text_add(t, "at most %g new flows a second", action->rate_per_sec);
	else
		text_add(t, "no new flows");
}

static void add_would(struct text *t, const struct policy_test *test, const struct policy_test_decision *d)
{
	const struct policy_decision *decision = &d->decision;
	const struct policy_do *action = &test->policy->rules[decision->rule].action;

	switch (decision->action) {
	case POLICY_ACTION_SWEEP:
		text_add(t, "would sweep out what has expired");
		break;
	case POLICY_ACTION_EVICT:
	case POLICY_ACTION_SHORTEN:
		add_flows(t, &test->policy->rules[decision->rule], d);
		break;
	case POLICY_ACTION_BAN:
		add_ban(t, action, decision->key_text);
		break;
	case POLICY_ACTION_TIMEOUTS:
		text_add(t, "would set the kernel's timeouts ");
		policy_add_timeouts(t, action);
		break;
	case POLICY_ACTION_LOG:
		text_add(t, "would write a record");
		break;
	case POLICY_ACTION_COUNT:
		break;
	}
}

/* Another rule takes of the whole table in the same round: this one has to take what that one is expected to leave. */
static bool comes_behind(const struct policy_test *test, const struct policy_test_decision *d)
{
	const struct policy_decision *decision = &d->decision;

	if (decision->want == POLICY_ALL) /* nothing is taken off that */
		return false;
	for (const struct policy_test_decision *other = test->decisions; other < d; other++)
		if (other->decision.action == POLICY_ACTION_EVICT && other->decision.scope == POLICY_SCOPE_TABLE &&
		    other->decision.rule != decision->rule && other->last_round >= d->round)
			return decision->action == POLICY_ACTION_EVICT && decision->scope == POLICY_SCOPE_TABLE;
	return false;
}

static bool finds_nothing(const struct policy_test_decision *d)
{
	const struct policy_action_info *info = &policy_actions[d->decision.action];

	return info->has_match && info->has_budget && !d->candidates;
}

static void print_decision(const struct report_out *out, const struct policy_test *test,
			   const struct policy_test_decision *d)
{
	char buf[PARAGRAPH_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	add_would(&t, test, d);
	paragraph_print(out, 2, buf);
	text_init(&t, buf, sizeof(buf));
	if (d->round)
		text_add(&t, "%u s later, ", d->round);
	text_add(&t, "%sbecause %s%s", finds_nothing(d) ? "it would look " : "", d->decision.reason,
		 comes_behind(test, d) ? " besides what the rules before it are expected to take" : "");
	paragraph_print(out, 4, buf);
	if (!policy_actions[d->decision.action].has_match ||
	    !policy_actions[d->decision.action].has_budget)
		return;
	print_sources(out, d);
	print_spared(out, d);
}

static bool is_evicted_before(const struct policy_test *test, size_t rule)
{
	for (size_t i = 0; i < test->count; i++)
		if (test->decisions[i].decision.rule < rule &&
		    test->decisions[i].decision.action == POLICY_ACTION_EVICT)
			return true;
	return false;
}

char *policy_test_why_not(const struct policy_test *test, size_t rule, char *buf, size_t size)
{
	static const char holds[] = "holds: ";
	char why[POLICY_EXPLAIN_MAX];

	policy_explain_rule(test->policy, test->snapshot, rule, why, sizeof(why));
	if (strncmp(why, holds, strlen(holds)) != 0)
		snprintf(buf, size, "%s", why);
	else if (is_evicted_before(test, rule))
		snprintf(buf, size, "%s; the rules before it are enough", why + strlen(holds));
	else
		snprintf(buf, size, "%s; all %d decisions of a round are of other rules or keys", why + strlen(holds),
			 POLICY_DECISIONS_MAX);
	return buf;
}

static void print_rule(const struct report_out *out, const struct policy_test *test, size_t index)
{
	char why[POLICY_TEST_WHY_MAX], buf[POLICY_TEST_WHY_MAX + 16];
	bool has_any = false;
	struct text t;

	fprintf(out->file, "\n%s\n", test->policy->rules[index].name);
	for (size_t i = 0; i < test->count; i++) {
		if (test->decisions[i].decision.rule != index)
			continue;
		print_decision(out, test, &test->decisions[i]);
		has_any = true;
	}
	if (has_any)
		return;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "nothing: %s", policy_test_why_not(test, index, why, sizeof(why)));
	paragraph_print(out, 2, buf);
}

int report_policy_test(const struct report_out *out, const struct policy_test *test)
{
	if (out->is_json)
		return json_print(out, json_policy_test(test));
	print_heading(out, test);
	if (!test->policy->rule_count)
		fputs("\nno rules: it only warns\n", out->file);
	for (size_t i = 0; i < test->policy->rule_count; i++)
		print_rule(out, test, i);
	fputs("\nnothing was touched\n", out->file);
	return report_flush(out);
}
