/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/evidence: what a sample says of the flows of one key. Private to stats/cause. */
#ifndef CTWARDEN_STATS_EVIDENCE_H
#define CTWARDEN_STATS_EVIDENCE_H

#include <stddef.h>

#include "stats/ranking.h"
#include "stats/sample.h"

struct tally {
	size_t distinct;	/* different keys */
	struct ranking_key key; /* the most frequent one */
	size_t count;		/* its flows */
};

struct evidence {
	const struct sample *sample;
	size_t flows;						/* of the key, in the sample */
	size_t classes[FLOW_CLASS_COUNT];			/* of these */
	struct tally services, sources, destinations, prefixes; /* prefixes: /16 and /48 */
	uint8_t protocol;					/* the most frequent one */
	size_t protocol_flows;
	bool is_part; /* the sample saw only a part: distinct counts are lower bounds */
};

/* The parts of a flow that keys of the picture's rankings are made of; nothing else of *ret_flow is touched. */
void evidence_flow(const struct flow_brief *brief, struct flow *ret_flow);
/* Whether the flow has this key of a ranking; config NULL: every flow has. */
bool evidence_has_key(const struct flow *flow, const struct ranking_config *config, const struct ranking_key *key);
/* The lengths of evidence.prefixes. */
struct ranking_config evidence_wide_prefix(void);
/* The flows of this key of a ranking; config NULL: all flows. source: how the picture cuts
 * sources. Pure. */
void evidence_gather(const struct sample *sample, const struct ranking_config *config,
		     const struct ranking_key *key, const struct ranking_config *source,
		     struct evidence *ret_evidence);
/* How many of the evidence's flows are of this service (protocol alone: service NULL) and class. */
size_t evidence_count(const struct evidence *evidence, const struct ranking_config *config,
		      const struct ranking_key *key, const struct ranking_key *service,
		      uint8_t protocol, enum flow_class class);

#endif
