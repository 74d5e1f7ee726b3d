/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/trial: see the header. A pass comes in the order of the hash, so that the last flows of it are a
 * fair sample. */
#include "stats/trial.h"

#include "signature_private.h"

#define LEAST_TRIED  32
#define LIVELY_SHARE 0.3 /* honest flows pause: in some seconds many show no traffic */
#define MEMORY_NS    60000000000LL

void trial_init(struct trial *trial)
{
	trial->at = trial->used = 0;
}

bool trial_offer(struct trial *trial, const struct flow *flow, const struct flow_facts *facts,
		 const struct standing *standing, int64_t now_ns)
{
	struct trial_flow *to = &trial->flows[trial->at];

	if (standing->is_base || !standing->is_tried || !facts->is_answered)
		return false;
	flow_brief_from(flow, &to->brief);
	to->seen_ns = now_ns;
	to->is_active = standing->is_active;
	trial->at = (trial->at + 1) % TRIAL_MAX;
	if (trial->used < TRIAL_MAX)
		trial->used++;
	return true;
}

void trial_judge(const struct trial *trial, struct signature *signature, int64_t now_ns)
{
	size_t tried = 0, active = 0;

	for (size_t i = 0; i < trial->used; i++) {
		const struct trial_flow *flow = &trial->flows[i];
		struct look look = look_at_brief(&flow->brief);

		if (now_ns - flow->seen_ns > MEMORY_NS || !look_fits(&signature->pattern, &look))
			continue;
		tried++;
		active += flow->is_active;
	}
	signature->is_untried = tried < LEAST_TRIED;
	signature->is_lively = !signature->is_untried && (double)active >= LIVELY_SHARE * (double)tried;
}
