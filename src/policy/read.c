/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/read: single values of a policy, on top of the getters of doc. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "private.h"

int read_object(const struct doc_node *node, const char *const *known, struct problem *problem)
{
	if (node->value && !doc_is_object(node))
		return doc_problem(node, problem, "an object { ... } is expected");
	return doc_only_keys(node, known, problem);
}

int read_number(const struct doc_node *node, double min, double max, double *ret,
		struct problem *problem)
{
	double number = *ret;
	char text[40];
	int result;

	if (!node->value)
		return 0;
	result = doc_number(node, min, max, &number, problem);
	if (result < 0)
		return result;
	snprintf(text, sizeof(text), "%.12g", number);
	*ret = strtod(text, NULL);
	return 0;
}

int read_duration(const struct doc_node *node, int64_t min_ns, int64_t max_ns, int64_t *ret_ns,
		  struct problem *problem)
{
	int64_t ns = *ret_ns;
	int result;

	if (!node->value)
		return 0;
	result = doc_duration(node, min_ns, max_ns, &ns, problem);
	if (result < 0)
		return result;
	*ret_ns = ns - ns % NS_PER_MS;
	return 0;
}

int read_count(const struct doc_node *node, uint64_t min, uint64_t max, uint64_t *ret,
	       struct problem *problem)
{
	int64_t number = (int64_t)*ret;
	int result = doc_whole(node, (int64_t)min, (int64_t)max, &number, problem);

	if (result < 0)
		return result;
	*ret = (uint64_t)number;
	return 0;
}

int read_text(const struct doc_node *node, char *ret, size_t size, struct problem *problem)
{
	const char *text = NULL, *at;
	int result = doc_text(node, &text, problem);

	if (result < 0 || !text)
		return result;
	if (!*text || strlen(text) >= size)
		return doc_problem(node, problem, "text of 1 to %zu bytes is expected", size - 1);
	for (at = text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return doc_problem(node, problem,
					   "text without control characters is expected");
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

int read_list(const struct doc_node *node, size_t max,
	      int (*on_item)(const struct doc_node *item, void *arg), void *arg,
	      struct problem *problem)
{
	struct doc_node item;
	int result = 0;

	if (!doc_is_array(node))
		return on_item(node, arg);
	if (!doc_count(node))
		return doc_problem(node, problem, "an empty list; give a value or leave it out");
	if (doc_count(node) > max)
		return doc_problem(node, problem, "at most %zu are taken", max);
	for (size_t i = 0; !result && i < doc_count(node); i++) {
		item = doc_at(node, i);
		if (doc_is_array(&item))
			return doc_problem(&item, problem, "a value is expected, not another list");
		result = on_item(&item, arg);
	}
	return result;
}

struct prefixes_reading {
	struct policy_prefixes *prefixes;
	struct problem *problem;
};

static int read_prefix(const struct doc_node *item, void *arg)
{
	struct prefixes_reading *r = arg;
	struct problem inner = {0};
	const char *text = NULL;
	struct prefix prefix;

	if (doc_text(item, &text, NULL) < 0)
		return doc_problem(
			item, r->problem,
			"an address or a prefix in quotes is expected, as in \"10.0.0.0/8\"");
	if (prefix_parse(text, &prefix, &inner) < 0)
		return doc_problem(item, r->problem, "%s", inner.text);
	r->prefixes->items[r->prefixes->count++] = prefix;
	return 0;
}

int read_prefixes(const struct doc_node *node, struct policy_prefixes *prefixes,
		  struct problem *problem)
{
	struct prefixes_reading r = {prefixes, problem};

	if (!node->value)
		return 0;
	prefixes->items = mem_array(doc_count(node) + 1, sizeof(*prefixes->items));
	return read_list(node, POLICY_PREFIXES_MAX, read_prefix, &r, problem);
}

bool policy_prefixes_have(const struct policy_prefixes *prefixes, const struct prefix *prefix)
{
	for (size_t i = 0; i < prefixes->count; i++)
		if (prefixes->items[i].len <= prefix->len &&
		    prefix_contains(&prefixes->items[i], &prefix->addr))
			return true;
	return false;
}
