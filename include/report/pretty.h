/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/pretty: JSON text printed again, indented or on one line. */
#ifndef CTWARDEN_REPORT_PRETTY_H
#define CTWARDEN_REPORT_PRETTY_H

#include <stdbool.h>

/* text (JSON) or, with member not NULL, that member of it, printed again; keys keep their order. To be freed; NULL
 * where text is no JSON object or has no such member. */
char *report_reprint_json(const char *text, const char *member, bool is_pretty);

#endif
