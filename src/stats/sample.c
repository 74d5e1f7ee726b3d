/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/sample: reservoir sampling (Vitter 1985, algorithm R): after n flows each of them is in
 * the sample with the probability SAMPLE_MAX / n. The generator is SplitMix64 (Steele, Lea,
 * Flood 2014): one multiplication chain, no state but a counter. The seed should be secret where
 * flows come from outside: who knew it could hide from the sample. */
#include "stats/sample.h"

#include <string.h>

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void sample_init(struct sample *sample, uint64_t seed)
{
	/* The flows are not cleared: only the first `used` are ever read. */
	sample->seen = 0;
	sample->used = 0;
	sample->random = seed;
}

void sample_offer(struct sample *sample, const struct flow *flow)
{
	uint64_t at;

	sample->seen++;
	if (sample->used < SAMPLE_MAX) {
		flow_brief_from(flow, &sample->flows[sample->used++]);
		return;
	}
	/* A number below seen by multiplication: no division in the path of a dump. */
	at = (uint64_t)((unsigned __int128)next_random(&sample->random) * sample->seen >> 64);
	if (at < SAMPLE_MAX)
		flow_brief_from(flow, &sample->flows[at]);
}
