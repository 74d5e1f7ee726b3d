/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/evidence: counts over a sample. Keys are those of the rankings, so that both always
 * agree. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void evidence_flow(const struct flow_brief *brief, struct flow *ret_flow)
{
	struct flow_tuple *orig = &ret_flow->tuple[FLOW_ORIG];

	ret_flow->zone = brief->zone;
	orig->family = brief->family;
	orig->protocol = brief->protocol;
	orig->sport = brief->sport;
	orig->dport = brief->dport;
	memcpy(orig->src, brief->src, sizeof(orig->src));
	memcpy(orig->dst, brief->dst, sizeof(orig->dst));
}

bool evidence_has_key(const struct flow *flow, const struct ranking_config *config,
		      const struct ranking_key *key)
{
	struct ranking_key own;

	if (!config)
		return true;
	own = ranking_key_of(config, flow);
	return memcmp(&own, key, sizeof(own)) == 0;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ranking_key));
}

/* Sorts keys and counts runs. */
static struct tally tally_of(struct ranking_key *keys, size_t n)
{
	struct tally tally = {.distinct = 0};
	size_t run = 0;

	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare_keys(&keys[i], &keys[i - 1]) != 0) {
			tally.distinct++;
			run = 0;
		}
		run++;
		if (run > tally.count) {
			tally.count = run;
			tally.key = keys[i];
		}
	}
	return tally;
}

enum { KEYS_SERVICE, KEYS_SOURCE, KEYS_DESTINATION, KEYS_PREFIX, KEYS_COUNT };

struct ranking_config evidence_wide_prefix(void)
{
	return (struct ranking_config){.by = RANKING_BY_PREFIX, .prefix_len = {16, 48}};
}

static void tally_protocols(struct evidence *evidence, const size_t protocols[256])
{
	for (int i = 0; i < 256; i++) {
		if (protocols[i] > evidence->protocol_flows) {
			evidence->protocol = (uint8_t)i;
			evidence->protocol_flows = protocols[i];
		}
	}
}

void evidence_gather(const struct sample *sample, const struct ranking_config *config,
		     const struct ranking_key *key, const struct ranking_config *source,
		     struct evidence *ret_evidence)
{
	const struct ranking_config by[KEYS_COUNT] = {
		[KEYS_SERVICE] = ranking_config_default(RANKING_BY_SERVICE),
		[KEYS_SOURCE] = *source,
		[KEYS_DESTINATION] = ranking_config_default(RANKING_BY_DESTINATION),
		[KEYS_PREFIX] = evidence_wide_prefix(),
	};
	struct evidence evidence = {.sample = sample, .is_part = sample->seen > sample->used};
	struct ranking_key *keys = mem_array(KEYS_COUNT * SAMPLE_MAX, sizeof(*keys));
	struct flow flow = {.has = 0};
	size_t protocols[256] = {0};

	for (size_t i = 0; i < sample->used; i++) {
		evidence_flow(&sample->flows[i], &flow);
		if (!evidence_has_key(&flow, config, key))
			continue;
		for (int k = 0; k < KEYS_COUNT; k++)
			keys[k * SAMPLE_MAX + evidence.flows] = ranking_key_of(&by[k], &flow);
		evidence.classes[sample->flows[i].class]++;
		protocols[sample->flows[i].protocol]++;
		evidence.flows++;
	}
	evidence.services = tally_of(keys + KEYS_SERVICE * SAMPLE_MAX, evidence.flows);
	evidence.sources = tally_of(keys + KEYS_SOURCE * SAMPLE_MAX, evidence.flows);
	evidence.destinations = tally_of(keys + KEYS_DESTINATION * SAMPLE_MAX, evidence.flows);
	evidence.prefixes = tally_of(keys + KEYS_PREFIX * SAMPLE_MAX, evidence.flows);
	tally_protocols(&evidence, protocols);
	free(keys);
	*ret_evidence = evidence;
}

size_t evidence_count(const struct evidence *evidence, const struct ranking_config *config,
		      const struct ranking_key *key, const struct ranking_key *service,
		      uint8_t protocol, enum flow_class class)
{
	const struct ranking_config by_service = ranking_config_default(RANKING_BY_SERVICE);
	const struct sample *sample = evidence->sample;
	struct flow flow = {.has = 0};
	size_t count = 0;

	for (size_t i = 0; i < sample->used; i++) {
		if (sample->flows[i].class != class || sample->flows[i].protocol != protocol)
			continue;
		evidence_flow(&sample->flows[i], &flow);
		count += evidence_has_key(&flow, config, key) &&
			 evidence_has_key(&flow, service ? &by_service : NULL, service);
	}
	return count;
}
