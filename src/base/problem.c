/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/problem: fills and writes what a person must fix. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/problem.h"
#include "base/text.h"

int problem_set(struct problem *p, const char *path, const char *format, ...)
{
	va_list args;

	if (!p)
		return -EINVAL;
	snprintf(p->path, sizeof(p->path), "%s", path ? path : "");
	va_start(args, format);
	vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
	return -EINVAL;
}

char *problem_format(const struct problem *p, char *buf, unsigned long size)
{
	struct text t;

	text_init(&t, buf, size);
	if (p->file[0])
		text_add(&t, "%s:", p->file);
	if (p->line > 0)
		text_add(&t, "%d:", p->line);
	if (t.len)
		text_add(&t, " ");
	if (p->path[0])
		text_add(&t, "%s: ", p->path);
	text_add(&t, "%s", p->text);
	return buf;
}
