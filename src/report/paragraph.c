/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/paragraph: sentences broken at blanks to the width of the output, with an indent. A tab is
 * a blank that is not broken at: "5\ts". */
#include <string.h>

#include "private.h"

#define WIDTH_MAX 100 /* longer lines are hard to read */
#define WIDTH_MIN 20

void paragraph_print(const struct report_out *out, unsigned indent, const char *text)
{
	unsigned width = out->columns < WIDTH_MIN   ? WIDTH_MIN
			 : out->columns > WIDTH_MAX ? WIDTH_MAX
						    : out->columns;
	unsigned column = 0;
	size_t len;

	while (*(text += strspn(text, " "))) {
		len = strcspn(text, " ");
		if (column && column + 1 + len > width) {
			fputc('\n', out->file);
			column = 0;
		}
		column += (unsigned)fprintf(out->file, "%*s", column ? 1 : (int)indent, "") +
			  (unsigned)len;
		for (; len; len--, text++)
			fputc(*text == '\t' ? ' ' : *text, out->file);
	}
	fputc('\n', out->file);
}
