/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/facts: what seniority and victims want to know of a flow, told once a pass. Pure. */
#ifndef CTWARDEN_STATS_FACTS_H
#define CTWARDEN_STATS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "flow/timeouts.h"

struct flow_facts {
	enum flow_class class;
	bool is_answered; /* SEEN_REPLY and two-way: classes replied, stream, established */
	bool has_idle, has_age;
	uint32_t idle_sec; /* flow_idle_sec: base timeout minus what is left */
	uint32_t age_sec;  /* by the kernel's timestamp; a start in the future is age 0 */
};

/* timeouts NULL: idle unknown. Idle is a lower bound of age, no more. */
void flow_facts_of(const struct flow *flow, const struct flow_timeouts *timeouts,
		   int64_t now_real_ns, struct flow_facts *ret_facts);

#endif
