/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy_text: a policy in sentences: when each rule acts, what it does, where it stops, and
 * what is never touched. */
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "policy/words.h"
#include "private.h"
#include "report/policy.h"

#define FILTER_TEXT_MAX 512
#define DAY_NS		(86400 * NS_PER_SEC)

static void add_number(struct text *t, double number)
{
	char text[UNITS_TEXT_MAX];

	if (number == floor(number) && number < 1e15)
		text_add(t, "%s", units_format_count((uint64_t)number, text));
	else
		text_add(t, "%.12g", number);
}

/* Blanks as tabs: not to be broken at. */
static const char *bound(char *text)
{
	for (char *at = text; *at; at++)
		if (*at == ' ')
			*at = '\t';
	return text;
}

static void add_time(struct text *t, int64_t ns)
{
	char text[UNITS_TEXT_MAX];

	if (ns < 60 * NS_PER_SEC)
		text_add(t, "%g\ts", (double)ns / 1e9);
	else if (ns % DAY_NS == 0)
		text_add(t, "%lld\tday%s", (long long)(ns / DAY_NS), ns == DAY_NS ? "" : "s");
	else
		text_add(t, "%s", bound(units_format_duration(ns, text)));
}

/* The phrase with the number in the place of its #. */
static void add_phrase(struct text *t, const char *phrase, double number)
{
	const char *hole = strchr(phrase, '#');

	if (!hole) {
		text_add(t, "%s", phrase);
		return;
	}
	text_add(t, "%.*s", (int)(hole - phrase), phrase);
	add_number(t, number);
	if (!strncmp(hole + 1, " %", 2) || !strcmp(hole + 1, " s"))
		text_add(t, "\t%s",
			 hole + 2); /* a tab is a blank that paragraphs do not break at */
	else
		text_add(t, "%s", hole + 1);
}

/* "a", "a and b", "a, b and c": what stands before item i of count. */
static const char *joint(unsigned i, unsigned count, const char *last)
{
	return !i ? "" : i + 1 < count ? ", " : last;
}

static unsigned bits(uint32_t set)
{
	return (unsigned)__builtin_popcount(set);
}

/* ---- when ---- */

static void add_scope(struct text *t, const struct policy_when *when)
{
	unsigned count = bits(when->counts_has), at = 0;
	char text[ADDR_TEXT_MAX];

	text_add(t, "one %s", policy_scope_name(when->scope));
	for (size_t i = 0; i < when->in.count && i < 4; i++)
		text_add(t, "%s%s", i ? ", " : " of ", prefix_format(&when->in.items[i], text));
	if (when->in.count > 4)
		text_add(t, " and %zu more", when->in.count - 4);
	text_add(t, " has ");
	for (unsigned i = 0; i < POLICY_COUNT_COUNT; i++) {
		if (!(when->counts_has & 1u << i))
			continue;
		text_add(t, "%s", joint(at++, count, " and "));
		add_phrase(t, policy_counts[i].phrase, when->counts[i]);
	}
	text_add(t, " or more");
}

static void add_table_counts(struct text *t, const struct policy_when *when, unsigned *at,
			     unsigned count)
{
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (!(when->classes_has & 1u << i))
			continue;
		text_add(t, "%s", joint((*at)++, count, " and "));
		add_number(t, (double)when->classes[i]);
		text_add(t, " or more %s flows", class_name((enum flow_class)i));
	}
	for (unsigned i = 0; i < FLOW_TCP_COUNT; i++) {
		if (!(when->states_has & 1u << i))
			continue;
		text_add(t, "%s", joint((*at)++, count, " and "));
		add_number(t, (double)when->states[i]);
		text_add(t, " or more flows in %s", tcp_state_name((uint8_t)i));
	}
}

static void add_condition(struct text *t, enum policy_condition which,
			  const struct policy_when *when)
{
	double number = when->numbers[which];

	if (which == POLICY_WHEN_REFUSAL || which == POLICY_WHEN_REFUSAL_FULL)
		number *= 100;
	add_phrase(t, policy_conditions[which].phrase, number);
}

/* "at warning or above, if full within 60 s and ..." */
static void add_when(struct text *t, const struct policy_when *when)
{
	uint32_t others = when->has & ~(1u << POLICY_WHEN_LEVEL);
	unsigned count = bits(others) + bits(when->classes_has) + bits(when->states_has) +
			 (when->scope != POLICY_SCOPE_TABLE);
	unsigned at = 0;

	if (when->has != others)
		text_add(t, "at %s%s", level_name(when->level),
			 when->level == LEVEL_FULL ? "" : " or above");
	if (when->has != others && count)
		text_add(t, ", if ");
	for (unsigned i = 0; i < POLICY_WHEN_COUNT; i++) {
		if (!(others & 1u << i))
			continue;
		text_add(t, "%s", joint(at++, count, " and "));
		add_condition(t, (enum policy_condition)i, when);
	}
	if (when->scope != POLICY_SCOPE_TABLE) {
		text_add(t, "%s", joint(at++, count, " and "));
		add_scope(t, when);
	}
	add_table_counts(t, when, &at, count);
}

/* ---- what is done ---- */

static void add_classes(struct text *t, const struct policy_do *action, const char *last)
{
	for (unsigned i = 0; i < action->class_count; i++)
		text_add(t, "%s%s", joint(i, action->class_count, last),
			 class_name(action->classes[i]));
}

static void add_floors(struct text *t, const struct policy_do *action, const char *lead)
{
	bool is_first = true;

	for (unsigned i = 0; i < action->class_count; i++) {
		if (!action->floors_ns[action->classes[i]])
			continue;
		text_add(t, "%s%s ", is_first ? lead : ", ", class_name(action->classes[i]));
		add_time(t, action->floors_ns[action->classes[i]]);
		is_first = false;
	}
}

/* Of what has been silent for its floor nothing is younger than that. */
static bool may_be_young(const struct policy_do *action)
{
	for (unsigned i = 0; i < action->class_count; i++)
		if (action->floors_ns[action->classes[i]] < action->min_age_ns)
			return true;
	return false;
}

static void add_evict(struct text *t, const struct policy_rule *rule)
{
	const struct policy_do *action = &rule->action;

	text_add(t, "evict ");
	add_classes(t, action, " and ");
	text_add(t, " flows%s", action->class_count > 1 ? ", in this order" : "");
	if (action->has_signature)
		text_add(t, "; those that fit the surge first, others only as far as the time to the "
			    "next round needs");
	text_add(t, ".");
	add_floors(t, action, " Only after a silence of: ");
	if (action->has_signature)
		text_add(t, "%s", t->buf[t->len - 1] == '.' ? "" : " (but what fits the surge).");
	else
		text_add(t, "%s", t->buf[t->len - 1] == '.' ? "" : ".");
	if (may_be_young(action)) {
		text_add(t, " Younger than ");
		add_time(t, action->min_age_ns);
		text_add(t, " is spared%s.",
			 action->has_signature ? ", unless it fits the surge" : "");
	}
	if (action->takes_active_at_full)
		text_add(t, " At level full active flows too, by fair share.");
}

static void add_shorten(struct text *t, const struct policy_rule *rule)
{
	const struct policy_do *action = &rule->action;

	text_add(t, "shorten the lifetime of idle ");
	add_classes(t, action, " and ");
	text_add(t,
		 " flows: whole up to %g\t%% fill, nothing left at %g\t%%, in proportion between",
		 action->start_pct, action->end_pct);
	add_floors(t, action, "; never under: ");
	text_add(t, ". A flow that sends again gets its usual lifetime back.");
}

static void add_ban(struct text *t, const struct policy_rule *rule)
{
	const struct policy_do *action = &rule->action;

	if (action->rate_per_sec > 0) {
		text_add(t, "let in only ");
		add_number(t, action->rate_per_sec);
		text_add(t, " new flows of it a second for ");
	} else {
		text_add(t, "refuse its new flows for ");
	}
	add_time(t, action->duration_ns);
	text_add(t, "; the existing ones live. At most ");
	add_number(t, (double)action->max_bans);
	text_add(t, " at one time.");
}

void policy_add_timeouts(struct text *t, const struct policy_do *action)
{
	uint32_t seconds;
	bool is_first = true;

	for (size_t i = 0; i < policy_timeout_count; i++) {
		seconds = policy_timeout_get(&action->set, i);
		if (!seconds)
			continue;
		text_add(t, "%s%s to ", is_first ? "" : ", ", policy_timeouts[i].key);
		add_time(t, seconds * NS_PER_SEC);
		is_first = false;
	}
}

static void add_do(struct text *t, const struct policy_rule *rule)
{
	switch (rule->action.action) {
	case POLICY_ACTION_SWEEP:
		text_add(t,
			 "sweep out what has expired but still counts; no living flow is touched.");
		break;
	case POLICY_ACTION_SHORTEN:
		add_shorten(t, rule);
		break;
	case POLICY_ACTION_EVICT:
		add_evict(t, rule);
		break;
	case POLICY_ACTION_BAN:
		add_ban(t, rule);
		break;
	case POLICY_ACTION_TIMEOUTS:
		text_add(t, "set the kernel's timeouts ");
		policy_add_timeouts(t, &rule->action);
		text_add(t, ", and put them back afterwards.");
		break;
	case POLICY_ACTION_LOG:
		text_add(t, "write a record, nothing else.");
		break;
	case POLICY_ACTION_COUNT:
		break;
	}
}

/* ---- where it stops ---- */

static void add_until(struct text *t, const struct policy_until *until)
{
	const char *lead = "Until ";

	if (until->has_fill) {
		text_add(t, "%sfill is at %g\t%%", lead, until->fill_pct);
		lead = " and ";
	}
	if (until->has_level) {
		text_add(t, "%sthe level is %s", lead, level_name(until->level));
		lead = " and ";
	}
	if (until->has_headroom && until->headroom_sec > 0) {
		text_add(t, "%sthere is room for %g\ts of the present growth", lead,
			 until->headroom_sec);
		lead = " and ";
	}
	if (until->has_entries) {
		text_add(t, "%s%llu entries are left of it", lead,
			 (unsigned long long)until->entries);
		lead = " and ";
	}
	if (!strcmp(lead, " and "))
		text_add(t, ".");
}

static void add_budget(struct text *t, const struct policy_rule *rule)
{
	bool is_ban = rule->action.action == POLICY_ACTION_BAN;

	if (!policy_actions[rule->action.action].has_budget)
		return;
	text_add(t, "At most ");
	add_number(t, (double)rule->budget.per_run);
	text_add(t, " %s at once and ", is_ban ? "addresses" : "flows");
	add_number(t, (double)rule->budget.per_sec);
	text_add(t, " a second.");
}

static void add_cooldown(struct text *t, const struct policy_rule *rule)
{
	if (!rule->cooldown_ns)
		return;
	text_add(t, "Not again within ");
	add_time(t, rule->cooldown_ns);
	text_add(t, ".");
}

/* The next sentence of a list; what stays empty is none. */
static struct text next_sentence(struct policy_sentences *list)
{
	struct text t;

	if (list->count < POLICY_SENTENCES && list->texts[list->count][0])
		list->count++;
	assert(list->count < POLICY_SENTENCES);
	text_init(&t, list->texts[list->count], sizeof(list->texts[0]));
	return t;
}

static void end_sentences(struct policy_sentences *list)
{
	if (list->texts[list->count][0])
		list->count++;
}

void policy_rule_sentences(const struct policy_rule *rule, struct policy_sentences *ret_list)
{
	char filter[FILTER_TEXT_MAX];
	struct text t;

	memset(ret_list, 0, sizeof(*ret_list));
	t = next_sentence(ret_list);
	for (unsigned i = 0; i < rule->when_count; i++) {
		text_add(&t, "%s", i ? "; or " : "");
		add_when(&t, &rule->whens[i]);
	}
	ret_list->texts[0][0] = (char)toupper((unsigned char)ret_list->texts[0][0]);
	text_add(&t, ": ");
	add_do(&t, rule);
	t = next_sentence(ret_list);
	if (rule->match.count)
		text_add(&t, "Only of: %s.",
			 flow_filter_format(rule->match.filter, filter, sizeof(filter)));
	t = next_sentence(ret_list);
	add_until(&t, &rule->until);
	t = next_sentence(ret_list);
	add_budget(&t, rule);
	t = next_sentence(ret_list);
	add_cooldown(&t, rule);
	end_sentences(ret_list);
}

/* ---- what is never done ---- */

static bool has_action(const struct policy *policy, enum policy_action action)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].action.action == action)
			return true;
	return false;
}

void policy_never_sentences(const struct policy *policy, struct policy_sentences *ret_list)
{
	char filter[FILTER_TEXT_MAX];
	struct text t;

	memset(ret_list, 0, sizeof(*ret_list));
	t = next_sentence(ret_list);
	if (policy->mode == POLICY_MODE_OBSERVE)
		text_add(&t, "Touches nothing: mode observe only records what it would do.");
	t = next_sentence(ret_list);
	text_add(&t, "Never: offloaded flows");
	if (policy->protects_operator)
		text_add(&t, "; the operator's ssh connections");
	if (policy->protects_own)
		text_add(&t, "; answered flows of this host, of routing, VPN, VRRP and table sync");
	for (size_t i = 0; i < policy->protect_count; i++)
		text_add(&t, "; %s (%s)", policy->protect[i].name,
			 flow_filter_format(policy->protect[i].match.filter, filter,
					    sizeof(filter)));
	text_add(&t, ".");
	t = next_sentence(ret_list);
	text_add(&t, "%s", has_action(policy, POLICY_ACTION_BAN) ? "" : "Bans nobody.");
	t = next_sentence(ret_list);
	text_add(&t, "%s",
		 has_action(policy, POLICY_ACTION_TIMEOUTS) ? "" : "Changes no kernel setting.");
	end_sentences(ret_list);
}

static void add_levels(struct text *t, const struct policy *policy)
{
	const struct level_config *levels = &policy->levels;

	text_add(t, "Levels%s: warning at %g\t%%",
		 policy->has_levels ? "" : " (unless the daemon's config has others)",
		 levels->warning.enter_pct);
	if (levels->warning.forecast_sec > 0)
		text_add(t, " or when full within %g\ts", levels->warning.forecast_sec);
	text_add(t, "; critical at %g\t%%", levels->critical.enter_pct);
	if (levels->critical.forecast_sec > 0)
		text_add(t, " or when full within %g\ts", levels->critical.forecast_sec);
	text_add(t, "; full at %g\t%% while new flows are dropped.", levels->full_pct);
}

void policy_head_sentences(const struct policy *policy, struct policy_sentences *ret_list)
{
	char capacity[UNITS_TEXT_MAX];
	struct text t;

	memset(ret_list, 0, sizeof(*ret_list));
	t = next_sentence(ret_list);
	if (policy->capacity)
		text_add(&t, "Judged by a capacity of %s entries.",
			 units_format_count(policy->capacity, capacity));
	t = next_sentence(ret_list);
	add_levels(&t, policy);
	t = next_sentence(ret_list);
	if (!policy->rule_count)
		text_add(&t, "No rules: it only warns.");
	end_sentences(ret_list);
}

static void print_sentences(const struct report_out *out, unsigned indent,
			    const struct policy_sentences *list)
{
	char buf[POLICY_SENTENCES * (POLICY_SENTENCE_MAX + 1)];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < list->count; i++)
		text_add(&t, "%s%s", i ? " " : "", list->texts[i]);
	paragraph_print(out, indent, buf);
}

int report_policy_explain(const struct report_out *out, const struct policy *policy)
{
	struct policy_sentences list;

	if (out->is_json)
		return json_print(out, json_policy_explain(policy));
	fprintf(out->file, "%s%s%s (mode %s)\n", policy->name[0] ? policy->name : "policy",
		policy->about[0] ? ": " : "", policy->about, policy_mode_name(policy->mode));
	policy_head_sentences(policy, &list);
	for (size_t i = 0; i < list.count; i++)
		paragraph_print(out, 0, list.texts[i]);
	for (size_t i = 0; i < policy->rule_count; i++) {
		policy_rule_sentences(&policy->rules[i], &list);
		fprintf(out->file, "\n%s\n", policy->rules[i].name);
		print_sentences(out, 2, &list);
	}
	policy_never_sentences(policy, &list);
	fputc('\n', out->file);
	print_sentences(out, 0, &list);
	return report_flush(out);
}
