/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority_adopt: flows that user space put in: senior at once, and what their timeouts do not tell. */
#include "seniority_private.h"

static int64_t floor_ns(const struct seniority *s)
{
	return s->config.established_floor_sec * 2LL * HALF_SEC_NS;
}

/* Who puts a flow in may give it a short timeout of his own (conntrackd's CommitTimeout), which looks
 * like days of silence. Until the kernel renews it, no idle time is told by it; for a floor's length
 * at most. A long one tells since when its state has not changed (conntrackd's lastupdate), be it in
 * use or not: it goes as silent, but never as long dead. */
bool seniority_has_no_idle(const struct seniority *s, struct slot *slot, const struct flow *flow,
			   const struct flow_facts *facts)
{
	bool is_renewed = facts->has_idle && !seniority_is_idle(s, facts);

	if (is_renewed || s->now_ns - s->adopted_ns > floor_ns(s))
		slot->adopted = false;
	return slot->adopted && flow->timeout_sec <= s->config.established_floor_sec;
}

/* Adopted flows are more than a calm table teaches: for a while they widen the budget, by a quarter
 * at most (80 % of capacity to all of it). */
uint64_t seniority_budget(const struct seniority *s)
{
	uint64_t most = s->budget / 4;

	if (s->now_ns - s->adopted_ns > floor_ns(s))
		return s->budget;
	return s->budget + (s->adopted < most ? s->adopted : most);
}

bool seniority_adopt(struct seniority *s, const struct flow *flow, int64_t now_ns)
{
	struct slot slot = {.tag = seniority_tag(s, flow),
			    .state = SLOT_SENIOR,
			    .digest = seniority_digest(now_ns, flow),
			    .adopted = true,
			    .seen = s->parity};
	struct flow_facts facts;
	bool was_senior;
	uint64_t *at;

	flow_facts_of(flow, NULL, 0, &facts);
	if (!facts.is_answered || !(flow->status & FLOW_STATUS_ASSURED))
		return false;
	if (now_ns - s->adopted_ns > floor_ns(s))
		s->adopted = 0;
	s->adopted_ns = now_ns;
	at = seniority_find(s, slot.tag);
	/* Also who is senior already: it may have been put in anew, with another timeout. */
	was_senior = at && slot_unpack(*at).state == SLOT_SENIOR;
	if (at)
		*at = slot_pack(&slot);
	else
		seniority_place(s, &slot);
	if (was_senior)
		return true;
	s->counts.adopted++;
	s->adopted++;
	at = seniority_find(s, slot.tag);
	if (at)
		s->counts.seniors++; /* the other counts wait for the next pass */
	return at;
}
