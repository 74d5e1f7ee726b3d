/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/record: what was decided and done, as plain data: for the log, for JSON, for people. */
#ifndef CTWARDEN_ACTION_RECORD_H
#define CTWARDEN_ACTION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action/way.h"
#include "flow/flow.h"
#include "policy/evaluate.h"
#include "stats/signature.h"
#include "stats/victims.h"

#define RECORD_EXAMPLES	 5
#define RECORD_SOURCES	 5
#define RECORD_PROTECTED 8
#define RECORD_HOW_MAX	 1024 /* every stage, and four signatures of the longest */

struct record_count { /* of a source, or of an entry of the protect list */
	char name[RANKING_TEXT_MAX];
	uint64_t count;
};

struct record_ban {
	int64_t for_ns; /* 0: no ban came of it, and how says why */
	double rate_per_sec; /* new flows still let in; 0: none */
	bool is_new;	     /* false: in place of a milder one, which is told below */
	double before_rate_per_sec;
	int64_t before_left_ns;
};

#define RECORD_TIMEOUTS 24 /* policy_timeout_count at most */

struct record_timeout {
	uint32_t index; /* in policy_timeouts */
	uint32_t from_sec, to_sec;
};

/* matched = done + gone + refused + unknown + left; in observe all of it is left. */
struct action_record {
	int64_t real_ns; /* when it began */
	enum level level;
	enum policy_mode mode; /* observe: this is what would have been done */
	enum policy_action action;
	bool is_end; /* timeouts: put back */
	char rule[POLICY_NAME_MAX];
	char key[RANKING_TEXT_MAX];	/* the source or prefix it is about, or "" */
	char reason[POLICY_REASON_MAX]; /* why: what held */
	char how[RECORD_HOW_MAX];	/* what was chosen, in words; "" nothing to say */
	int error;			/* 0 or -errno of the kernel */
	uint64_t matched, done, gone, refused, unknown, left;
	uint64_t spared;		     /* met and let live */
	uint64_t spared_by[VICTIM_SPARED_COUNT];
	uint64_t by_fit; /* met, of matched or not: they may go because they fit what was borne out, and only so */
	struct record_count protected_by[RECORD_PROTECTED];
	size_t protected_count;
	uint64_t classes[FLOW_CLASS_COUNT];  /* of matched */
	uint64_t stages[VICTIM_STAGE_COUNT]; /* of matched */
	struct record_count sources[RECORD_SOURCES]; /* of matched, most first */
	struct ranking_key source_keys[RECORD_SOURCES]; /* the same, while the round goes on */
	size_t source_count; /* 0 also where nobody counted whose they were */
	struct flow_brief examples[RECORD_EXAMPLES];
	size_t example_count;
	struct signature signatures[SIGNATURE_MAX]; /* what has grown since calm */
	size_t signature_count;
	struct record_ban ban; /* of a ban */
	struct record_timeout timeouts[RECORD_TIMEOUTS]; /* of timeouts: what was, or would be, changed */
	size_t timeout_count;
	enum action_way way; /* of evict and shorten */
	uint64_t entries_before, entries_after, capacity;
	uint64_t budget_left;
	int64_t duration_ns;
};

#endif
