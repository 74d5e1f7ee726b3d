/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/pretty: JSON text printed again, indented or on one line. Knows nothing of what it says. */
#include "report/pretty.h"

#include <jansson.h>

char *report_reprint_json(const char *text, const char *member, bool is_pretty)
{
	/* 15 digits: every number that was written with as many comes out as it went in. */
	size_t flags = JSON_REAL_PRECISION(15) | (is_pretty ? JSON_INDENT(2) : JSON_COMPACT);
	json_t *whole, *part;
	char *again;

	whole = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	part = member ? json_object_get(whole, member) : whole;
	again = json_is_object(part) ? json_dumps(part, flags) : NULL;
	json_decref(whole);
	return again;
}
