/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doc/lines: where in the text a path is. Paths as people read them: "levels.warning.enter",
 * "rules[2].match"; a key that is no plain word is quoted: rules["a.b"]. Lines are looked up when a
 * problem is told, so that a good document costs nothing. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

/* ---- UTF-8 ---- */

/* The length of the valid sequence at text, or 0. */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t need;

	if (first < 0x80)
		return first ? 1 : 0;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	need = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	/* No long forms, no surrogates, nothing above U+10FFFF. */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (len < need || text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

size_t utf8_check(const char *text, size_t len)
{
	size_t at = 0, step;

	while (at < len && (step = utf8_sequence((const unsigned char *)text + at, len - at)))
		at += step;
	return at;
}

void utf8_trim(char *text)
{
	text[utf8_check(text, strlen(text))] = 0;
}

static size_t utf8_put(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | (code >> 18 & 7));
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* C0, DEL, and C1 as UTF-8: what a terminal would obey. Its length, or 0. */
static size_t control_at(const char *text)
{
	unsigned char first = (unsigned char)text[0], second = first ? (unsigned char)text[1] : 0;

	if (first < 0x20 || first == 0x7f)
		return 1;
	return first == 0xc2 && second >= 0x80 && second <= 0x9f ? 2 : 0;
}

void problem_fill(struct problem *p, const char *file, int line, const char *path, const char *text)
{
	if (!p)
		return;
	memset(p, 0, sizeof(*p));
	snprintf(p->file, sizeof(p->file), "%s", file);
	p->line = line > 0 ? line : 0;
	snprintf(p->path, sizeof(p->path), "%s", path);
	snprintf(p->text, sizeof(p->text), "%s", text);
	utf8_trim(p->path);
	utf8_trim(p->text);
	for (char *c = p->text; *c; c++)
		if (control_at(c))
			memset(c, '?', control_at(c));
}

/* ---- paths ---- */

static void path_add(char path[DOC_PATH_MAX], const char *text, size_t len)
{
	size_t used = strlen(path);

	if (len > DOC_PATH_MAX - 1 - used)
		len = DOC_PATH_MAX - 1 - used;
	memcpy(path + used, text, len);
	path[used + len] = 0;
	utf8_trim(path + used);
}

static bool is_plain(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++)
		if (control_at(key) || strchr(".[]\"\\ ", *key))
			return false;
	return true;
}

static void path_add_quoted(char path[DOC_PATH_MAX], const char *key)
{
	char escaped[8];

	path_add(path, "[\"", 2);
	while (*key) {
		size_t control = control_at(key), step;

		if (control) {
			unsigned code = (unsigned char)key[control - 1];

			snprintf(escaped, sizeof(escaped), "\\u%04x", code & 0xff);
			path_add(path, escaped, strlen(escaped));
			key += control;
			continue;
		}
		if (*key == '"' || *key == '\\')
			path_add(path, "\\", 1);
		step = utf8_sequence((const unsigned char *)key, strlen(key));
		step = step ? step : 1;
		path_add(path, key, step);
		key += step;
	}
	path_add(path, "\"]", 2);
}

void path_add_key(char path[DOC_PATH_MAX], const char *key, size_t len)
{
	char start[DOC_PATH_MAX + 1];

	/* A longer key is cut anyway; scanner and nodes must decide on the same bytes whether to
	 * quote. */
	if (len > DOC_PATH_MAX)
		len = DOC_PATH_MAX;
	memcpy(start, key, len);
	start[len] = 0;
	if (!is_plain(start)) {
		path_add_quoted(path, start);
		return;
	}
	if (path[0])
		path_add(path, ".", 1);
	path_add(path, start, len);
}

void path_add_index(char path[DOC_PATH_MAX], size_t index)
{
	char text[32];

	snprintf(text, sizeof(text), "[%zu]", index);
	path_add(path, text, strlen(text));
}

/* ---- the scanner ---- */

void scan_init(struct scan *s, const char *text, size_t len)
{
	*s = (struct scan){.text = text, .len = len, .line = 1};
}

static uint32_t hex4(const char *text, const char *end)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++, text++) {
		if (text >= end)
			return 0xfffd;
		if (*text >= '0' && *text <= '9')
			code = code << 4 | (uint32_t)(*text - '0');
		else if ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'f')
			code = code << 4 | (uint32_t)((*text | 0x20) - 'a' + 10);
		else
			return 0xfffd;
	}
	return code;
}

/* Decodes one escape behind its backslash; returns the bytes read. */
static size_t unescape(const char *text, const char *end, char *to, size_t *to_len)
{
	static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char *name = *text ? strchr(names, *text) : NULL;
	uint32_t code, low;
	size_t step = 5;

	if (*text != 'u') {
		to[(*to_len)++] = name ? codes[name - names] : *text;
		return 1;
	}
	code = hex4(text + 1, end);
	if (code >= 0xd800 && code < 0xdc00 && end - text >= 11 && text[5] == '\\' &&
	    text[6] == 'u') {
		low = hex4(text + 7, end);
		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
			step = 11;
		}
	}
	*to_len += utf8_put(to + *to_len, code);
	return (size_t)(end - text) < step ? (size_t)(end - text) : step;
}

/* The key between its quotes, as jansson reads it. */
static void add_key(struct scan *s, const char *raw, const char *end)
{
	char key[DOC_PATH_MAX + 8];
	size_t len = 0;

	while (raw < end && len < DOC_PATH_MAX) {
		if (*raw == '\\' && raw + 1 < end)
			raw += 1 + unescape(raw + 1, end, key, &len);
		else
			key[len++] = *raw++;
	}
	path_add_key(s->path, key, len);
}

/* Behind the string that starts at s->at; a string ends at its line at the latest. */
static size_t string_end(const struct scan *s)
{
	size_t at = s->at + 1;

	while (at < s->len && s->text[at] != '"' && s->text[at] != '\n')
		at += s->text[at] == '\\' && at + 1 < s->len && s->text[at + 1] != '\n' ? 2 : 1;
	return at < s->len && s->text[at] == '"' ? at + 1 : at;
}

static struct scan_frame *frame_of(struct scan *s)
{
	return s->depth ? &s->frames[s->depth - 1] : NULL;
}

static enum scan_token scan_string(struct scan *s)
{
	struct scan_frame *frame = frame_of(s);
	size_t start = s->at, end = string_end(s);

	s->at = end;
	if (!frame || frame->is_array || !s->wants_key)
		return SCAN_VALUE;
	s->wants_key = false;
	s->path[frame->path_len] = 0;
	add_key(s, s->text + start + 1,
		s->text + (end > start + 1 && s->text[end - 1] == '"' ? end - 1 : end));
	return SCAN_KEY;
}

static enum scan_token scan_open(struct scan *s, bool is_array)
{
	if (s->depth == DOC_DEPTH_MAX)
		return SCAN_TOO_DEEP;
	s->frames[s->depth++] =
		(struct scan_frame){.is_array = is_array, .path_len = strlen(s->path)};
	s->wants_key = !is_array;
	s->at++;
	return SCAN_VALUE;
}

static enum scan_token scan_mark(struct scan *s, char mark)
{
	struct scan_frame *frame = frame_of(s);

	s->at++;
	if (!frame || mark == ':')
		return SCAN_MARK;
	s->path[frame->path_len] = 0;
	s->wants_key = false;
	if (mark == ',') {
		frame->index++;
		s->wants_key = !frame->is_array;
	} else {
		s->depth--;
	}
	return SCAN_MARK;
}

enum scan_token scan_next(struct scan *s)
{
	struct scan_frame *frame = frame_of(s);
	char c;

	for (; s->at < s->len && memchr(" \t\r\n", s->text[s->at], 4); s->at++)
		s->line += s->text[s->at] == '\n';
	if (s->at >= s->len)
		return SCAN_END;
	c = s->text[s->at];
	if (c == ',' || c == ':' || c == '}' || c == ']')
		return scan_mark(s, c);
	if (frame && frame->is_array) {
		s->path[frame->path_len] = 0;
		path_add_index(s->path, frame->index);
	}
	if (c == '"')
		return scan_string(s);
	if (c == '{' || c == '[')
		return scan_open(s, c == '[');
	while (s->at < s->len && !memchr(" \t\r\n,:{}[]\"", s->text[s->at], 11))
		s->at++;
	return SCAN_VALUE;
}

void scan_path_at(const char *text, size_t len, size_t offset, char ret_path[DOC_PATH_MAX])
{
	enum scan_token token;
	struct scan s;

	scan_init(&s, text, len);
	do {
		memcpy(ret_path, s.path, DOC_PATH_MAX);
		token = scan_next(&s);
	} while (token != SCAN_END && token != SCAN_TOO_DEEP && s.at <= offset);
	/* At the end of the text nothing was left out. */
	if (token == SCAN_END)
		memcpy(ret_path, s.path, DOC_PATH_MAX);
}

int scan_line_of(const char *text, size_t len, const char *path)
{
	size_t best = 0, part, want = strlen(path);
	enum scan_token token;
	bool found = false;
	struct scan s;
	int line = 1;

	scan_init(&s, text, len);
	while ((token = scan_next(&s)) != SCAN_END && token != SCAN_TOO_DEEP) {
		if (token == SCAN_MARK)
			continue;
		part = strlen(s.path);
		if ((found && part <= best) || part > want || memcmp(path, s.path, part) ||
		    (part && path[part] && path[part] != '.' && path[part] != '['))
			continue;
		found = true;
		best = part;
		line = s.line;
		if (part == want)
			break;
	}
	return line;
}
