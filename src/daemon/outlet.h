/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/outlet: lines on their way out: to stdout, to syslog or to both. Never waits long for a reader that does not
 * read; what cannot be written is said once on stderr when it begins and once when it ends. */
#ifndef CTWARDEN_DAEMON_OUTLET_H
#define CTWARDEN_DAEMON_OUTLET_H

#include "stats/level.h"

enum outlet_to { OUTLET_TO_STDOUT, OUTLET_TO_SYSLOG, OUTLET_TO_BOTH, OUTLET_TO_COUNT };

struct outlet;

struct outlet *outlet_new(enum outlet_to to);
void outlet_free(struct outlet *outlet); /* NULL allowed */
void outlet_set(struct outlet *outlet, enum outlet_to to);

/* line goes to stdout, text (key=value, one line) to syslog: facility daemon, priority by level (ok: notice, warning:
 * warning, critical: crit, full: alert). 0, or the -errno of one that did not take it (-EAGAIN: its reader does not
 * read). */
int outlet_write(struct outlet *outlet, const char *line, const char *text, enum level level);

#endif
