/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc/get: values out of a document, each with its path; a wrong one is told with line, path and
 * what would be right. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "private.h"

#define SHOWN_MAX	 64  /* bytes of a value or key shown in a problem */
#define KEY_ASKED_MAX	 255 /* bytes of a key doc_get looks for: our own words are shorter */
#define KEY_COMPARED_MAX 48  /* longer keys get no suggestion */
#define WHOLE_REAL_MAX	 9007199254740992.0 /* 2^53: above it not every whole number is a double */

static const json_t *value_of(const struct doc_node *node)
{
	return node->value;
}

/* ---- nodes ---- */

struct doc_node doc_root(const struct doc *doc)
{
	return (struct doc_node){.doc = doc, .value = doc->root};
}

bool doc_has(const struct doc_node *node)
{
	return node->value && !json_is_null(value_of(node));
}

bool doc_is_object(const struct doc_node *node)
{
	return json_is_object(value_of(node));
}

bool doc_is_array(const struct doc_node *node)
{
	return json_is_array(value_of(node));
}

static struct doc_node member_of(const struct doc_node *object, const char *key, size_t len)
{
	struct doc_node node = *object;
	char name[KEY_ASKED_MAX + 1];

	path_add_key(node.path, key, len);
	node.value = NULL;
	if (!doc_is_object(object) || len > KEY_ASKED_MAX)
		return node;
	memcpy(name, key, len);
	name[len] = 0;
	node.value = json_object_get(value_of(object), name);
	return node;
}

struct doc_node doc_get(const struct doc_node *node, const char *key)
{
	struct doc_node found = *node;
	size_t len;

	for (;; key += len + 1) {
		len = strcspn(key, ".");
		found = member_of(&found, key, len);
		if (!key[len])
			return found;
	}
}

size_t doc_count(const struct doc_node *node)
{
	if (doc_is_object(node))
		return json_object_size(value_of(node));
	return doc_is_array(node) ? json_array_size(value_of(node)) : 0;
}

struct doc_node doc_at(const struct doc_node *array, size_t index)
{
	struct doc_node node = *array;

	node.value = doc_is_array(array) ? json_array_get(value_of(array), index) : NULL;
	path_add_index(node.path, index);
	return node;
}

/* jansson keeps the order of the document; its iterators take a json_t that is not const but do not
 * change it. */
struct doc_node doc_member(const struct doc_node *object, size_t index, const char **ret_key)
{
	json_t *value = (json_t *)value_of(object);
	struct doc_node node = *object;
	void *at = doc_is_object(object) ? json_object_iter(value) : NULL;

	for (; at && index; index--)
		at = json_object_iter_next(value, at);
	node.value = NULL;
	if (!at)
		return node;
	node.value = json_object_iter_value(at);
	*ret_key = json_object_iter_key(at);
	path_add_key(node.path, *ret_key, strlen(*ret_key));
	return node;
}

/* ---- problems ---- */

int doc_problem(const struct doc_node *node, struct problem *reterr_problem, const char *format,
		...)
{
	const struct doc *doc = node->doc;
	char text[sizeof(reterr_problem->text)];
	va_list args;

	if (!reterr_problem)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args); /* apart: args may point into the problem */
	va_end(args);
	problem_fill(reterr_problem, doc ? doc->name : "",
		     doc ? scan_line_of(doc->text, doc->len, node->path) : 0, node->path, text);
	return -EINVAL;
}

/* What is there instead. */
static const char *shown(const struct doc_node *node, char buf[SHOWN_MAX])
{
	const json_t *value = value_of(node);

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		snprintf(buf, SHOWN_MAX - 5, "\"%s", json_string_value(value));
		utf8_trim(buf);
		strcat(buf, strlen(buf) < json_string_length(value) + 1 ? "...\"" : "\"");
		return buf;
	case JSON_INTEGER:
		snprintf(buf, SHOWN_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return buf;
	case JSON_REAL:
		snprintf(buf, SHOWN_MAX, "%.12g", json_real_value(value));
		return buf;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static int expected(const struct doc_node *node, struct problem *problem, const char *what)
{
	char buf[SHOWN_MAX];

	return doc_problem(node, problem, "%s is expected, not %s", what, shown(node, buf));
}

/* ---- typed getters ---- */

int doc_text(const struct doc_node *node, const char **ret, struct problem *reterr_problem)
{
	if (!node->value)
		return 0;
	if (!json_is_string(value_of(node)))
		return expected(node, reterr_problem, "text in quotes");
	*ret = json_string_value(value_of(node));
	return 0;
}

int doc_bool(const struct doc_node *node, bool *ret, struct problem *reterr_problem)
{
	if (!node->value)
		return 0;
	if (!json_is_boolean(value_of(node)))
		return expected(node, reterr_problem, "true or false");
	*ret = json_is_true(value_of(node));
	return 0;
}

int doc_whole(const struct doc_node *node, int64_t min, int64_t max, int64_t *ret,
	      struct problem *reterr_problem)
{
	const json_t *value = value_of(node);
	int64_t whole = 0;
	bool is_whole;
	char what[96];
	double real;

	if (!value)
		return 0;
	is_whole = json_is_integer(value);
	if (is_whole) {
		whole = json_integer_value(value);
	} else if (json_is_real(value)) {
		/* 5.0 and 1e3 are whole numbers in JSON */
		real = json_real_value(value);
		is_whole = fabs(real) <= WHOLE_REAL_MAX && real == floor(real);
		whole = is_whole ? (int64_t)real : 0;
	}
	if (is_whole && whole >= min && whole <= max) {
		*ret = whole;
		return 0;
	}
	if (max == INT64_MAX)
		snprintf(what, sizeof(what), "a whole number of at least %" PRId64, min);
	else
		snprintf(what, sizeof(what), "a whole number from %" PRId64 " to %" PRId64, min,
			 max);
	return expected(node, reterr_problem,
			min == INT64_MIN && max == INT64_MAX ? "a whole number" : what);
}

int doc_number(const struct doc_node *node, double min, double max, double *ret,
	       struct problem *reterr_problem)
{
	const json_t *value = value_of(node);
	double number;
	char what[96];

	if (!value)
		return 0;
	number = json_number_value(value);
	if (json_is_number(value) && number >= min && number <= max) {
		*ret = number;
		return 0;
	}
	snprintf(what, sizeof(what), "a number from %.12g to %.12g", min, max);
	return expected(node, reterr_problem, what);
}

int doc_duration(const struct doc_node *node, int64_t min_ns, int64_t max_ns, int64_t *ret_ns,
		 struct problem *reterr_problem)
{
	const json_t *value = value_of(node);
	char what[160], from[UNITS_TEXT_MAX], to[UNITS_TEXT_MAX];
	struct problem inner = {0};
	bool in_range = false;
	int64_t ns = 0;
	double number;

	if (!value)
		return 0;
	if (json_is_number(value)) {
		/* The first comparison keeps what no int64_t holds from being converted. */
		number = json_number_value(value) * (double)NS_PER_SEC;
		in_range = fabs(number) < 9e18;
		ns = in_range ? (int64_t)(number + (number < 0 ? -0.5 : 0.5)) : 0;
	} else if (json_is_string(value)) {
		if (units_parse_duration(json_string_value(value), &ns, &inner) < 0)
			return doc_problem(node, reterr_problem, "%s", inner.text);
		in_range = true;
	}
	if (in_range && ns >= min_ns && ns <= max_ns) {
		*ret_ns = ns;
		return 0;
	}
	snprintf(what, sizeof(what), "a duration from %s to %s, in seconds or as in \"5min\",",
		 units_format_duration(min_ns, from), units_format_duration(max_ns, to));
	return expected(node, reterr_problem, what);
}

/* "auto, on or off" */
static void list_names(struct text *t, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		text_add(t, "%s%s", !i ? "" : names[i + 1] ? ", " : " or ", names[i]);
}

int doc_choice(const struct doc_node *node, const char *const *names, int *ret,
	       struct problem *reterr_problem)
{
	char what[200];
	struct text t;

	if (!node->value)
		return 0;
	if (json_is_string(value_of(node)))
		for (int i = 0; names[i]; i++)
			if (!strcmp(names[i], json_string_value(value_of(node)))) {
				*ret = i;
				return 0;
			}
	text_init(&t, what, sizeof(what));
	list_names(&t, names);
	return expected(node, reterr_problem, what);
}

/* ---- known keys ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters added, dropped, changed, or swapped with their neighbour (optimal string alignment). */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][KEY_COMPARED_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2],
						*spare;

	for (size_t j = 0; j <= b_len; j++) {
		before[j] = 0;
		last[j] = (unsigned)j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

/* The known key that was likely meant, or NULL. */
static const char *nearest_key(const char *key, const char *const *known)
{
	size_t len = strlen(key);
	unsigned distance, best = (unsigned)(len / 3) + 1;
	const char *nearest = NULL;

	if (len > KEY_COMPARED_MAX)
		return NULL;
	for (size_t i = 0; known[i]; i++) {
		if (strlen(known[i]) > KEY_COMPARED_MAX)
			continue;
		distance = edit_distance(key, len, known[i], strlen(known[i]));
		/* As many edits as letters is no likeness. */
		if (distance < len && distance <= best && (!nearest || distance < best)) {
			best = distance;
			nearest = known[i];
		}
	}
	return nearest;
}

static int tell_unknown(const struct doc_node *object, const char *key, const char *const *known,
			struct problem *problem)
{
	const char *nearest = nearest_key(key, known);
	char names[sizeof(problem->text) - SHOWN_MAX - 40], start[SHOWN_MAX];
	struct doc_node node = *object;
	struct text t;

	path_add_key(node.path, key, strlen(key));
	snprintf(start, sizeof(start), "%s", key);
	utf8_trim(start);
	if (nearest)
		return doc_problem(&node, problem, "\"%s\" is not known here; did you mean \"%s\"?",
				   start, nearest);
	text_init(&t, names, sizeof(names));
	list_names(&t, known);
	return doc_problem(&node, problem, "\"%s\" is not known here; %s is expected", start, names);
}

int doc_only_keys(const struct doc_node *object, const char *const *known,
		  struct problem *reterr_problem)
{
	json_t *value = (json_t *)value_of(object);
	size_t i;

	if (!value)
		return 0;
	if (!doc_is_object(object))
		return expected(object, reterr_problem, "an object { ... }");
	for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at)) {
		const char *key = json_object_iter_key(at);

		for (i = 0; known[i] && strcmp(known[i], key); i++)
			;
		if (!known[i])
			return tell_unknown(object, key, known, reterr_problem);
	}
	return 0;
}
