/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/examples: a handful of flows that show what a cause means. Deterministic: the same picture gives the same
 * ones. */
#include <string.h>

#include "evidence.h"
#include "stats/cause.h"

/* What a birth does not know of itself. */
#define BORN_WITHOUT (FLOW_HAS_STATUS | FLOW_HAS_STATE | FLOW_HAS_TIMEOUT | FLOW_HAS_COUNTERS)

struct wanted {
	const struct cause *cause;
	const struct ranking_config *config; /* of the dominant key; NULL: nobody dominates */
	bool has_class;
};

static bool is_wanted(const struct wanted *wanted, const struct flow_brief *brief)
{
	const struct ranking_config by_service = ranking_config_default(RANKING_BY_SERVICE);
	const struct cause *cause = wanted->cause;
	struct flow flow = {.has = 0};

	if (wanted->has_class && brief->class != cause->class)
		return false;
	if (cause->has_protocol && brief->protocol != cause->service.protocol)
		return false;
	evidence_flow(brief, &flow);
	return evidence_has_key(&flow, wanted->config, &cause->key) &&
	       evidence_has_key(&flow, cause->has_service ? &by_service : NULL, &cause->service);
}

static bool is_same(const struct flow_brief *a, const struct flow_brief *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->zone == b->zone &&
	       a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->src, b->src, sizeof(a->src)) && !memcmp(a->dst, b->dst, sizeof(a->dst));
}

static bool is_among(const struct flow_brief *flow, const struct flow_brief *flows, size_t used)
{
	for (size_t i = 0; i < used; i++)
		if (is_same(flow, &flows[i]))
			return true;
	return false;
}

/* Fills up from used to max, from evenly spaced places among what is wanted. */
static size_t pick(const struct sample *sample, const struct wanted *wanted, size_t used, size_t max,
		   struct flow_brief *flows)
{
	size_t fitting = 0, met = 0, taken = 0, want = max - used;

	for (size_t i = 0; i < sample->used; i++)
		fitting += is_wanted(wanted, &sample->flows[i]);
	for (size_t i = 0; i < sample->used && used < max; i++) {
		if (!is_wanted(wanted, &sample->flows[i]))
			continue;
		/* The n-th place begins at n / want of them; one that was there already gives way to the next. */
		if (met++ * want < taken * fitting || is_among(&sample->flows[i], flows, used))
			continue;
		flows[used++] = sample->flows[i];
		taken++;
	}
	return used;
}

size_t cause_examples(const struct picture *picture, const struct cause *cause, size_t max,
		      struct flow_brief *ret_flows)
{
	struct wanted wanted = {.cause = cause, .has_class = cause->class != FLOW_CLASS_COUNT};
	size_t used, all;

	if (!cause->is_known)
		return 0;
	if (cause->has_dominant)
		wanted.config = ranking_config_get(picture->parts[cause->part]);
	used = pick(&picture->table, &wanted, 0, max, ret_flows);
	/* Of its class a birth is believed only where it is a pickup (see stats/cause.c). */
	wanted.has_class = cause->class == FLOW_CLASS_PICKUP;
	all = pick(&picture->births, &wanted, used, max, ret_flows);
	for (; used < all; used++)
		ret_flows[used].has &= (uint16_t)~BORN_WITHOUT;
	return all;
}
