/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text: text built step by step in a fixed buffer; what does not fit is cut behind a word, with "...", never
 * overrun. */
#ifndef CTWARDEN_BASE_TEXT_H
#define CTWARDEN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *buf;
	size_t size, len;
	bool cut; /* something did not fit; what is added then is nothing (len = 0 begins anew) */
};

/* Starts empty text in buf (borrowed; size at least 1). */
void text_init(struct text *t, char *buf, size_t size); /* size 0: nothing is kept, buf may be NULL */
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text of others (a file, a process's name, a command line) for a terminal or a log: control characters become '?', so
 * that none moves the cursor, starts a line of its own or hides another. */
void text_make_plain(char *text);
/* " key=\"value\"" as in logs: quotes within become apostrophes, control characters blanks. */
void text_add_quoted(struct text *t, const char *key, const char *value);

#endif
