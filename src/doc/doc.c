/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc/doc: from bytes to a document, or to the problem with its line and path. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "private.h"

/* Comments become blanks byte for byte, so that lines, columns and offsets stay. A string ends at
 * its line at the latest: one forgotten quote must not hide the comments of the whole file. */
static void blank_comments(char *text, size_t len)
{
	bool in_string = false, in_comment = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\n') {
			in_string = in_comment = false;
		} else if (in_comment) {
			text[i] = c == '\r' ? c : ' ';
		} else if (in_string) {
			if (c == '\\' && i + 1 < len && text[i + 1] != '\n')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '#' || (c == '/' && i + 1 < len && text[i + 1] == '/')) {
			in_comment = true;
			text[i] = ' ';
		}
	}
}

static int line_at(const char *text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* What jansson does not check, or checks without telling where. text: blanked; original: as it
 * came. */
static int check_text(const struct doc *doc, const char *original, struct problem *problem)
{
	size_t bad = utf8_check(original, doc->len);
	char path[DOC_PATH_MAX], text[80];
	enum scan_token token;
	struct scan s;

	if (bad < doc->len) {
		scan_path_at(doc->text, doc->len, bad, path);
		if (original[bad])
			snprintf(text, sizeof(text), "the byte 0x%02x is no UTF-8 text", (unsigned char)original[bad]);
		else
			snprintf(text, sizeof(text), "a zero byte, which no text has: is the file whole?");
		problem_fill(problem, doc->name, line_at(original, bad), path, text);
		return -EINVAL;
	}
	scan_init(&s, doc->text, doc->len);
	if ((token = scan_next(&s)) == SCAN_END) {
		problem_fill(problem, doc->name, 0, "",
			     "there is nothing in it; a JSON object { ... } is expected");
		return -EINVAL;
	}
	while (token != SCAN_END && token != SCAN_TOO_DEEP)
		token = scan_next(&s);
	if (token == SCAN_END)
		return 0;
	snprintf(text, sizeof(text), "nested too deep; at most %d levels are taken", DOC_DEPTH_MAX);
	problem_fill(problem, doc->name, s.line, s.path, text);
	return -EINVAL;
}

/* What jansson says in words of its own interface, in ours. */
static const char *words_for(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return "this key is there twice; once is expected";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "\\u0000 is no character of a text; leave it out";
	default:
		return error->text;
	}
}

static int tell_json_error(const struct doc *doc, const json_error_t *error,
			   struct problem *problem)
{
	bool is_duplicate = json_error_code(error) == json_error_duplicate_key;
	size_t offset = error->position > 0 ? (size_t)error->position : 0;
	char path[DOC_PATH_MAX];

	/* jansson stands behind the token it stumbled over: the second key itself, else what comes
	 * before. */
	if (!is_duplicate && offset)
		offset--;
	scan_path_at(doc->text, doc->len, offset, path);
	problem_fill(problem, doc->name, error->line, path, words_for(error));
	return -EINVAL;
}

int doc_parse(const char *text, size_t len, const char *name, bool comments, struct doc **ret_doc,
	      struct problem *reterr_problem)
{
	json_error_t error = {0};
	struct doc *doc;
	char told[80];
	int r;

	if (len > DOC_SIZE_MAX) {
		snprintf(told, sizeof(told), "too large; at most %u bytes are taken", DOC_SIZE_MAX);
		problem_fill(reterr_problem, name, 0, "", told);
		return -EFBIG;
	}
	doc = mem_alloc(sizeof(*doc));
	doc->name = mem_copy_text(name);
	doc->text = mem_alloc(len + 1);
	doc->len = len;
	if (len)
		memcpy(doc->text, text, len);
	if (comments)
		blank_comments(doc->text, len);
	r = check_text(doc, text, reterr_problem);
	if (r < 0)
		goto fail;
	doc->root = json_loadb(doc->text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!doc->root) {
		r = tell_json_error(doc, &error, reterr_problem);
		goto fail;
	}
	*ret_doc = doc;
	return 0;
fail:
	doc_free(doc);
	return r;
}

/* Up to size bytes; 0 or -errno. */
static int read_all(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* fd: of file, or -errno of opening it; closed here. */
static int load_from(int fd, const char *file, struct doc **ret_doc, struct problem *reterr_problem)
{
	size_t size = DOC_SIZE_MAX + 1, len = 0; /* one more tells what is too large */
	char *text, told[160];
	int r;

	if (fd < 0) {
		snprintf(told, sizeof(told), "cannot be opened: %s", file_strerror(fd));
		problem_fill(reterr_problem, file, 0, "", told);
		return fd;
	}
	text = mem_alloc(size);
	r = read_all(fd, text, size, &len);
	close(fd);
	if (r < 0) {
		snprintf(told, sizeof(told), "cannot be read: %s", strerror(-r));
		problem_fill(reterr_problem, file, 0, "", told);
	} else {
		r = doc_parse(text, len, file, true, ret_doc, reterr_problem);
	}
	free(text);
	return r;
}

int doc_load(const char *file, struct doc **ret_doc, struct problem *reterr_problem)
{
	return load_from(file_open(file, O_RDONLY, 0), file, ret_doc, reterr_problem);
}

int doc_load_any(const char *file, struct doc **ret_doc, struct problem *reterr_problem)
{
	return load_from(file_open_any(file), file, ret_doc, reterr_problem);
}

void doc_free(struct doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	free(doc->text);
	free(doc->name);
	free(doc);
}
