/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text: text built step by step in a fixed buffer; what does not fit is cut, never overrun. */
#ifndef CTWARDEN_BASE_TEXT_H
#define CTWARDEN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *buf;
	size_t size, len;
	bool cut; /* something did not fit */
};

/* Starts empty text in buf (borrowed; size at least 1). */
void text_init(struct text *t, char *buf, size_t size);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
