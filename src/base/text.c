/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text: text built step by step in a fixed buffer. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void text_init(struct text *t, char *buf, size_t size)
{
	*t = (struct text){ .buf = buf, .size = size };
	if (size)
		buf[0] = 0;
}

/* The buffer is full: half a word says something else than a whole one, so that the last whole one ends it. */
static void end_at_word(struct text *t)
{
	static const char dots[] = "...";
	size_t at = t->size > sizeof(dots) ? t->size - sizeof(dots) : 0;

	t->cut = true;
	while (at && t->buf[at] != ' ')
		at--;
	if (at)
		memcpy(t->buf + at, dots, sizeof(dots));
	t->len = at ? at + strlen(dots) : t->size - 1;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	if (!t->len) /* also who began anew */
		t->cut = false;
	if (!t->size || t->cut)
		return;
	va_start(args, format);
	n = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= t->size - t->len)
		end_at_word(t);
	else
		t->len += (size_t)n;
}

void text_make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void text_add_quoted(struct text *t, const char *key, const char *value)
{
	text_add(t, " %s=\"", key);
	for (; *value; value++)
		text_add(t, "%c", *value == '"' ? '\'' : (unsigned char)*value < ' ' ? ' ' : *value);
	text_add(t, "\"");
}
