/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc: JSON that people write and that peers send, read strictly: # and // comments allowed where asked, bounded
 * size and depth, duplicate keys refused, every error with line and path. jansson stays inside this layer. */
#ifndef CTWARDEN_DOC_DOC_H
#define CTWARDEN_DOC_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"

#define DOC_DEPTH_MAX 32
#define DOC_SIZE_MAX (1u << 20) /* bytes of a config, policy or message */

struct doc;

/* A value inside a document; plain, copied freely, borrowed from its doc. value NULL: the key is absent. */
struct doc_node {
	const struct doc *doc;
	const void *value;
	char path[160]; /* "levels.warning.enter", "rules[2].match"; "" is the root */
};

/* Parses text (len bytes, need not be terminated, valid UTF-8). name is used in problems. comments: # and // are
 * blanked outside strings. 0, or -EINVAL (problem filled), -EFBIG (above DOC_SIZE_MAX; problem filled). */
int doc_parse(const char *text, size_t len, const char *name, bool comments, struct doc **ret_doc,
	      struct problem *reterr_problem);
/* Reads a regular file with comments allowed. Also -errno of file_open and read with the problem filled. Waits for
 * the disk alone. */
int doc_load(const char *file, struct doc **ret_doc, struct problem *reterr_problem);
/* The same of what a person names in a command, a pipe too (file_open_any): waits for who writes to it. */
int doc_load_any(const char *file, struct doc **ret_doc, struct problem *reterr_problem);
void doc_free(struct doc *doc);
struct doc_node doc_root(const struct doc *doc);

bool doc_has(const struct doc_node *node); /* false where the key was absent or null */
bool doc_is_object(const struct doc_node *node);
bool doc_is_array(const struct doc_node *node);
/* The member of an object, absent node if there is none (or node is no object). key may be "a.b.c". */
struct doc_node doc_get(const struct doc_node *node, const char *key);
size_t doc_count(const struct doc_node *node); /* members of an object or array, else 0 */
struct doc_node doc_at(const struct doc_node *array, size_t index);
/* The index-th member of an object in document order; ret_key borrowed from the doc. */
struct doc_node doc_member(const struct doc_node *object, size_t index, const char **ret_key);

/* Typed getters. An absent node leaves *ret untouched and returns 0; a wrong type or range is -EINVAL with the
 * problem (file, line, path, what would be right) filled. */
int doc_text(const struct doc_node *node, const char **ret, struct problem *reterr_problem); /* borrowed */
int doc_bool(const struct doc_node *node, bool *ret, struct problem *reterr_problem);
int doc_whole(const struct doc_node *node, int64_t min, int64_t max, int64_t *ret, struct problem *reterr_problem);
int doc_number(const struct doc_node *node, double min, double max, double *ret, struct problem *reterr_problem);
/* A duration: a number of seconds or text as units_parse_duration takes it. */
int doc_duration(const struct doc_node *node, int64_t min_ns, int64_t max_ns, int64_t *ret_ns,
		 struct problem *reterr_problem);
/* The index of the text in names (ends with NULL). */
int doc_choice(const struct doc_node *node, const char *const *names, int *ret, struct problem *reterr_problem);
/* Refuses members of object that are not in known (ends with NULL); suggests the nearest. */
int doc_only_keys(const struct doc_node *object, const char *const *known, struct problem *reterr_problem);
/* Fills problem with file, line and path of node and the text; returns -EINVAL. */
int doc_problem(const struct doc_node *node, struct problem *reterr_problem, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
