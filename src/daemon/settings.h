/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/settings: kernel timeouts that a rule has lowered, kept in the state directory so that they are put back
 * whatever becomes of us. One value is put back only where it still is what we set: what somebody else changed
 * meanwhile is his. */
#ifndef CTWARDEN_DAEMON_SETTINGS_H
#define CTWARDEN_DAEMON_SETTINGS_H

#include <stddef.h>

#include "base/problem.h"
#include "flow/timeouts.h"

#define SETTINGS_FILE "settings"

/* Lowers what is not 0 in set and lower than what is in force; what was there is written to directory/SETTINGS_FILE
 * first (of what is kept there already the older value stays, unless somebody has changed it since). 0; -errno with the
 * problem: then nothing was changed. */
int settings_lower(const char *directory, const struct flow_timeouts *set, struct problem *reterr_problem);
/* Puts back what the file says and removes it. ret_count (may be NULL): values put back. No file: 0. */
int settings_restore(const char *directory, size_t *ret_count, struct problem *reterr_problem);

#endif
