/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/trial: whether flows that fit a signature are in use. Kept are the last flows that came with a surge, were
 * answered and have been known for long enough to show traffic (struct standing: is_tried), and whether they did. A
 * flood that only completes handshakes shows none; a crowd of honest users does. Pure, bounded, told the time. */
#ifndef CTWARDEN_STATS_TRIAL_H
#define CTWARDEN_STATS_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/seniority.h"
#include "stats/signature.h"

#define TRIAL_MAX 1024

struct trial {
	size_t at, used; /* a ring */
	struct trial_flow {
		struct flow_brief brief;
		int64_t seen_ns;
		bool is_active;
	} flows[TRIAL_MAX];
};

void trial_init(struct trial *trial);
/* Keeps the flow where it says something, and tells whether it does. now_ns: monotonic. */
bool trial_offer(struct trial *trial, const struct flow *flow, const struct flow_facts *facts,
		 const struct standing *standing, int64_t now_ns);
/* Sets is_untried and is_lively of the signature by the flows of the last minute that fit it: untried below 32 of them,
 * lively where 30 % or more of them are active. */
void trial_judge(const struct trial *trial, struct signature *signature, int64_t now_ns);

#endif
