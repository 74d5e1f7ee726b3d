/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc, inside: the document, and the scanner that knows where in the text a path is (jansson keeps
 * no lines). */
#ifndef CTWARDEN_DOC_PRIVATE_H
#define CTWARDEN_DOC_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "doc/doc.h"

#define DOC_PATH_MAX sizeof(((struct doc_node *)0)->path)

struct doc {
	char *name;
	char *text; /* comments blanked, ends with 0: lines are looked up in it, only when there is
		       a problem */
	size_t len;
	void *root; /* json_t */
};

enum scan_token { SCAN_END, SCAN_KEY, SCAN_VALUE, SCAN_MARK, SCAN_TOO_DEEP };

struct scan_frame {
	bool is_array;
	size_t index, path_len; /* path_len: of the path of the object or array itself */
};

/* Walks the tokens of a text that need not be valid JSON; never fails, stops at SCAN_END. */
struct scan {
	const char *text;
	size_t len, at; /* at: behind the last token */
	int line;	/* of the last token's start */
	bool wants_key;
	unsigned depth;
	struct scan_frame frames[DOC_DEPTH_MAX];
	char path[DOC_PATH_MAX];
};

void scan_init(struct scan *s, const char *text, size_t len);
/* After SCAN_KEY and SCAN_VALUE path is that of the member or item. */
enum scan_token scan_next(struct scan *s);
/* The path that is being read behind the last token that ends at or before offset. */
void scan_path_at(const char *text, size_t len, size_t offset, char ret_path[DOC_PATH_MAX]);
/* The line of path, or of the longest part of it that is there. */
int scan_line_of(const char *text, size_t len, const char *path);

/* Appends a member or an item to a path; what does not fit is cut between characters, in scanner
 * and nodes alike. */
void path_add_key(char path[DOC_PATH_MAX], const char *key, size_t len);
void path_add_index(char path[DOC_PATH_MAX], size_t index);
/* Cuts an incomplete UTF-8 sequence off the end, so that cut text can still be sent as JSON. */
void utf8_trim(char *text);
/* The offset of the first byte that is not UTF-8, or is zero; len: all is well. */
size_t utf8_check(const char *text, size_t len);
/* Fills a problem; the text is cut and freed of control characters, as it may quote the document. p
 * may be NULL. */
void problem_fill(struct problem *p, const char *file, int line, const char *path,
		  const char *text);

#endif
