/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/match: which flows are meant, as an object whose keys are the long names of the filter
 * options. Values are kept as they were written, for the print-back and for the filter of a
 * decision; what they mean is the layer flow's business. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "private.h"

#define VALUES_MAX 8192
#define NUMBER_MAX (1ll << 53)

void match_init(struct policy_match *match)
{
	*match = (struct policy_match){.filter = flow_filter_new()};
}

void match_free(struct policy_match *match)
{
	for (size_t i = 0; i < match->count; i++)
		free(match->values[i].value);
	free(match->values);
	flow_filter_free(match->filter);
	*match = (struct policy_match){0};
}

bool match_has(const struct policy_match *match, enum flow_filter_key key, bool negated)
{
	for (size_t i = 0; i < match->count; i++)
		if (match->values[i].key == key && match->values[i].negated == negated)
			return true;
	return false;
}

struct flow_filter *match_copy(const struct policy_match *match)
{
	struct flow_filter *filter = flow_filter_new();

	/* They were taken once, so they are taken again. */
	for (size_t i = 0; i < match->count; i++)
		flow_filter_add(filter, match->values[i].key, match->values[i].value,
				match->values[i].negated, NULL);
	return filter;
}

struct reading {
	struct policy_match *match;
	enum flow_filter_key key;
	bool negated;
	struct problem *problem;
};

static int keep(const struct reading *r, const struct doc_node *node, const char *value)
{
	struct policy_match *match = r->match;
	struct problem inner = {0};

	if (match->count >= VALUES_MAX)
		return doc_problem(node, r->problem,
				   "more than %d values; prefixes and ranges need fewer",
				   VALUES_MAX);
	if (value && strchr(value, '@'))
		return doc_problem(node, r->problem,
				   "a policy is one file; the values belong here, not in another");
	if (flow_filter_add(match->filter, r->key, value, r->negated, &inner) < 0)
		return doc_problem(node, r->problem, "%s", inner.text);
	if (!(match->count & (match->count + 1)))
		match->values =
			mem_resize(match->values, 2 * (match->count + 1), sizeof(*match->values));
	match->values[match->count++] = (struct policy_value){
		.key = r->key, .negated = r->negated, .value = value ? mem_copy_text(value) : NULL};
	return 0;
}

/* "a, b": one value each. */
static int keep_text(const struct reading *r, const struct doc_node *node, const char *text)
{
	char *copy = mem_copy_text(text), *rest = copy, *item;
	size_t len;
	int result = 0;

	while (!result && (item = strsep(&rest, ","))) {
		item += strspn(item, " \t");
		for (len = strlen(item); len && strchr(" \t", item[len - 1]); len--)
			item[len - 1] = '\0';
		result = keep(r, node, item);
	}
	free(copy);
	return result;
}

static int read_item(const struct doc_node *node, void *arg)
{
	const struct flow_filter_key_info *info;
	const struct reading *r = arg;
	const char *text = NULL;
	bool is_on = false;
	int64_t number;
	char buf[24];

	info = &flow_filter_keys[r->key];
	if (info->arg != FILTER_ARG_REQUIRED && doc_bool(node, &is_on, NULL) == 0) {
		if (is_on)
			return keep(r, node, NULL);
		return doc_problem(node, r->problem,
				   "leave it out, or put \"%s\": true into \"not\"", info->name);
	}
	if (info->arg == FILTER_ARG_NONE)
		return doc_problem(node, r->problem, "true is expected");
	if (doc_text(node, &text, NULL) == 0)
		return keep_text(r, node, text);
	if (doc_whole(node, 0, NUMBER_MAX, &number, NULL) == 0) {
		snprintf(buf, sizeof(buf), "%" PRId64, number);
		return keep(r, node, buf);
	}
	return doc_problem(node, r->problem,
			   "%s is expected, as text, a whole number, or a list of these",
			   info->value);
}

static int read_half(const struct doc_node *node, struct policy_match *match, bool negated,
		     struct problem *problem);

/* One member: a filter key, or "not". */
static int read_member(const struct doc_node *node, const char *name, struct policy_match *match,
		       bool negated, struct problem *problem)
{
	struct reading r = {.match = match, .negated = negated, .problem = problem};

	if (!strcmp(name, "not"))
		return negated ? doc_problem(node, problem, "\"not\" within \"not\"; once is expected")
			       : read_half(node, match, true, problem);
	while (r.key < FLOW_FILTER_KEY_COUNT && strcmp(flow_filter_keys[r.key].name, name))
		r.key++;
	return read_list(node, VALUES_MAX, read_item, &r, problem);
}

static int read_half(const struct doc_node *node, struct policy_match *match, bool negated,
		     struct problem *problem)
{
	const char *known[FLOW_FILTER_KEY_COUNT + 2], *name = NULL;
	struct doc_node member;
	size_t count = 0;
	int result;

	for (; count < FLOW_FILTER_KEY_COUNT; count++)
		known[count] = flow_filter_keys[count].name;
	known[count++] = "not"; /* within itself too: there is a better word for that than that it is not known */
	known[count] = NULL;
	result = read_object(node, known, problem);
	if (!result && negated && !doc_count(node))
		return doc_problem(node, problem,
				   "an empty \"not\"; name what is not meant, or leave it out");
	for (size_t i = 0; !result && i < doc_count(node); i++) {
		member = doc_member(node, i, &name);
		result = read_member(&member, name, match, negated, problem);
	}
	return result;
}

/* The filter speaks of options ("--src", "! -f"), the document of keys; and it says itself what comes of it. */
static int tell_no_match(const struct doc_node *node, const struct problem *inner, struct problem *problem)
{
	static const char conclusion[] = ", so nothing could match";
	const char *cut = strstr(inner->text, conclusion), *option = inner->path, *key = "", *lead = "";
	size_t len = cut ? (size_t)(cut - inner->text) : strlen(inner->text);

	if (!strncmp(option, "! ", 2)) {
		lead = "not.";
		option += 2;
	}
	if (!strcmp(option, "-f") || !strcmp(option, "-p"))
		key = option[1] == 'f' ? "family" : "protocol";
	else if (!strncmp(option, "--", 2))
		key = option + 2;
	return doc_problem(node, problem, "nothing could ever match: %s%s%s%.*s%s", key[0] ? lead : "", key,
			   key[0] ? ": " : "", (int)len, inner->text, cut ? cut + strlen(conclusion) : "");
}

int match_read(const struct doc_node *node, struct policy_match *match, struct problem *problem)
{
	struct problem inner = {0};
	int result;

	match_init(match);
	if (!node->value)
		return 0;
	result = read_half(node, match, false, problem);
	if (!result && flow_filter_finish(match->filter, &inner) < 0)
		result = tell_no_match(node, &inner, problem);
	return result;
}
