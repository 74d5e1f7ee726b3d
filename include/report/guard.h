/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/guard: answers of the daemon about its guard: mode, bans, what was lifted, what was read
 * again. */
#ifndef CTWARDEN_REPORT_GUARD_H
#define CTWARDEN_REPORT_GUARD_H

#include "base/addr.h"
#include "flow/reading.h"
#include "policy/policy.h"
#include "report/report.h"

struct report_mode { /* ctwarden.mode/1 */
	int64_t real_ns;
	struct table_netns netns;
	enum policy_mode mode, base_mode; /* in force; what comes back at its end */
	int64_t left_ns;		  /* 0: for good */
	bool waits_for_seniors; /* there are rules, and not two calm passes yet: who is senior is not known */
	bool knows_seniors;	/* neither: no rules, or not told */
};

struct report_ban {
	struct prefix prefix;
	int64_t left_ns;
	double rate_per_sec; /* new flows still let in; 0: none */
};

struct report_bans { /* ctwarden.bans/1 */
	int64_t real_ns;
	struct table_netns netns;
	const struct report_ban *bans; /* the first to end first */
	size_t count;
	const struct report_ban *spared; /* lifted by hand, not banned again until then; no rate */
	size_t spared_count;
};

struct report_unban { /* ctwarden.unban/1 */
	int64_t real_ns;
	struct table_netns netns;
	uint64_t removed;
	const struct report_ban *lifted; /* as many: as they were, the first to end first; not needed for the text */
	int64_t spared_ns;	   /* so long the guard does not ban it again; 0: it may at once */
	struct report_ban held_by; /* a wider ban that still holds it; left_ns 0: none */
};

struct report_reload { /* ctwarden.reload/1 */
	int64_t real_ns;
	struct table_netns netns;
	const char *policy;
	enum policy_mode mode, base_mode; /* in force; what comes back at its end: a switch for a while goes on */
	int64_t left_ns;		  /* 0: for good */
	uint64_t rules;
};

/* One-line JSON documents without the newline, to be freed by the caller. */
char *report_mode_json(const struct report_mode *mode);
char *report_bans_json(const struct report_bans *bans);
char *report_unban_json(const struct report_unban *done);
char *report_reload_json(const struct report_reload *reload);

/* Text to out; 0 or -errno of writing. */
int report_mode_text(const struct report_out *out, const struct report_mode *mode);
int report_bans_text(const struct report_out *out, const struct report_bans *bans);
int report_unban_text(const struct report_out *out, const struct report_unban *done);
int report_reload_text(const struct report_out *out, const struct report_reload *reload);

#endif
