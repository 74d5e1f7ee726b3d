/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/round: the flows of one pass through facts, standing, samples, counts and the choice of
 * victims, in the order they come. One call a flow; several are under way at a time, so that waits
 * for memory overlap: what a flow did shows after round_end only. Pure, allocates nothing. */
#ifndef CTWARDEN_STATS_ROUND_H
#define CTWARDEN_STATS_ROUND_H

#include <stddef.h>
#include <stdint.h>

#include "stats/facts.h"
#include "stats/sample.h"
#include "stats/seniority.h"
#include "stats/signature.h"
#include "stats/victims.h"

#define ROUND_UNDER_WAY 32 /* power of two */

/* A flow whose standing is known now; all borrowed for the call. */
typedef void round_fn(const struct flow *flow, const struct flow_facts *facts,
		      const struct standing *standing, void *arg);

struct round_config { /* all borrowed until round_end; what is NULL is not served */
	struct seniority *seniority; /* never NULL; seniority_begin was called */
	const struct flow_timeouts *timeouts; /* NULL: idle unknown */
	int64_t now_real_ns;
	struct sample *base;   /* gets what was there in the calm */
	struct sample *growth; /* gets what was not */
	const struct signature *signatures; /* each counted in counts[] of the same number */
	size_t signature_count;
	struct signature_counts *counts;
	struct victims *victims;
	round_fn *on_flow; /* after all of these, in the order of round_add */
	void *arg;
};

struct round {
	struct round_config config;
	uint64_t base_flows, growth_flows; /* seen so far */
	size_t began, ended;
	struct round_flow {
		struct flow flow;
		struct flow_facts facts;
		struct seniority_hint hint;
	} under_way[ROUND_UNDER_WAY];
};

void round_begin(struct round *round, const struct round_config *config);
void round_add(struct round *round, const struct flow *flow);
void round_end(struct round *round); /* seniority_end and victims_finish come after it */

#endif
