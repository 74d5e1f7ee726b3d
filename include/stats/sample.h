/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/sample: a uniform sample of a stream of flows of unknown length (reservoir sampling, Vitter's algorithm R with
 * a seeded generator: the same stream gives the same sample). Fixed memory. */
#ifndef CTWARDEN_STATS_SAMPLE_H
#define CTWARDEN_STATS_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"

#define SAMPLE_MAX 4096

struct sample {
	uint64_t seen; /* flows offered */
	uint64_t random;
	size_t used; /* min(seen, SAMPLE_MAX) */
	struct flow_brief flows[SAMPLE_MAX];
};

void sample_init(struct sample *sample, uint64_t seed);
void sample_offer(struct sample *sample, const struct flow *flow);

#endif
