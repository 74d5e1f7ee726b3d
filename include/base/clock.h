/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/clock: time. Spans use the monotonic clock; what people read uses the real-time clock.
 * Only kernel, daemon and cli call the *_now functions; stats and policy are told the time. */
#ifndef CTWARDEN_BASE_CLOCK_H
#define CTWARDEN_BASE_CLOCK_H

#include <stdint.h>

#include "base/problem.h"

#define CLOCK_TEXT_MAX 40
#define NS_PER_SEC 1000000000LL
#define NS_PER_MS 1000000LL

int64_t clock_monotonic_ns(void);
int64_t clock_real_ns(void); /* since 1970 */
int64_t clock_cpu_ns(void);  /* CPU time of the calling thread */

/* RFC 3339 in UTC with milliseconds, "2026-11-25T09:41:07.123Z"; returns buf. */
char *clock_format_rfc3339(int64_t real_ns, char buf[CLOCK_TEXT_MAX]);
/* Local time for people, "2026-11-25 09:41:07"; returns buf. */
char *clock_format_local(int64_t real_ns, char buf[CLOCK_TEXT_MAX]);
/* Reads a moment as journalctl takes it: "2026-11-25 09:41:07", "2026-11-25", "09:41", "09:41:07", RFC 3339,
 * "now", "today", "yesterday", "tomorrow", "-10min", "10min ago", "10min" (= ago), "+10min", "10min left", "@SECONDS".
 * now is real time. 0 or -EINVAL with the problem filled. */
int clock_parse_moment(const char *text, int64_t now_real_ns, int64_t *ret_real_ns,
		       struct problem *reterr_problem);

#endif
