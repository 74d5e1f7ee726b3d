/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/mem: checked memory. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "base/mem.h"

#define HUGE_PAGE  ((size_t)2 << 20)
#define HUGE_LEAST (2 * HUGE_PAGE) /* less fits into what the processor remembers of small ones */

static void *checked(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
	/* calloc checks the product itself; one byte where nothing is asked, as NULL would mean failure. */
	return count && size ? checked(calloc(count, size)) : mem_alloc(1);
}

void *mem_scattered(size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes < HUGE_LEAST || bytes > SIZE_MAX - HUGE_PAGE)
		return mem_array(count, size);
	p = checked(aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE));
	madvise(p, bytes, MADV_HUGEPAGE); /* refused or not, it is memory */
	return memset(p, 0, bytes);
}

void *mem_resize(void *p, size_t count, size_t size)
{
	if (!count || !size)
		count = size = 1;
	return checked(reallocarray(p, count, size));
}

char *mem_copy_text(const char *text)
{
	return checked(strdup(text));
}

char *mem_format(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return checked(n < 0 ? NULL : text);
}
