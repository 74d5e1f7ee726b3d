/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_tally: which sources the victims of a round come from. Each source is counted, however many there are,
 * so that who has most is found where nearly all have one. In place of its key stand 32 bits of a keyed hash, the
 * other 32 say where: less than one round in ten million takes two sources for one where it shows in the few that are
 * told. 15 bytes a victim, for as long as it runs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "base/units.h"
#include "evict_private.h"

#define AHEAD 16 /* victims whose places are fetched at a time: each is a wait for memory */

struct source {
	uint32_t hash;
	uint32_t victims; /* 0: the place is free */
	uint32_t first;	  /* the number of the first victim */
};

struct tally {
	struct ranking_config config;
	struct siphash_key secret;
	struct source *sources;
	size_t places; /* a source stands in the first free one from where its hash says; some are always free */
};

/* flow: nothing set but what this sets. */
static struct ranking_key key_of(const struct tally *tally, struct flow *flow, const struct victim *victim)
{
	flow->zone = victim->zone;
	flow->tuple[FLOW_ORIG].family = victim->family;
	memcpy(flow->tuple[FLOW_ORIG].src, victim->src, sizeof(victim->src));
	return ranking_key_of(&tally->config, flow);
}

static size_t home_of(const struct tally *tally, uint64_t hash)
{
	return (size_t)((hash >> 32) * tally->places >> 32);
}

static void count_victim(struct tally *tally, uint64_t hash, size_t victim)
{
	struct source *sources = tally->sources;
	size_t at = home_of(tally, hash);

	while (sources[at].victims && sources[at].hash != (uint32_t)hash)
		at = at + 1 == tally->places ? 0 : at + 1;
	if (!sources[at].victims++) {
		sources[at].hash = (uint32_t)hash;
		sources[at].first = (uint32_t)victim;
	}
}

/* The victims from begin on, AHEAD at most. */
static void count_some(struct tally *tally, const struct victim *victims, size_t begin, size_t end)
{
	uint64_t hashes[AHEAD];
	struct flow flow = {0};

	for (size_t i = begin; i < end; i++) {
		struct ranking_key key = key_of(tally, &flow, &victims[i]);

		hashes[i - begin] = siphash(&key, sizeof(key), tally->secret);
		__builtin_prefetch(&tally->sources[home_of(tally, hashes[i - begin])], 1);
	}
	for (size_t i = begin; i < end; i++)
		count_victim(tally, hashes[i - begin], i);
}

static bool is_before(const struct source *a, const struct source *b)
{
	return a->victims > b->victims || (a->victims == b->victims && a->first < b->first);
}

static size_t most_of(const struct tally *tally, struct source ret_most[RECORD_SOURCES])
{
	size_t used = 0;

	for (size_t i = 0; i < tally->places; i++) {
		const struct source *source = &tally->sources[i];
		size_t at;

		if (!source->victims || (used == RECORD_SOURCES && !is_before(source, &ret_most[used - 1])))
			continue;
		used += used < RECORD_SOURCES;
		for (at = used - 1; at && is_before(source, &ret_most[at - 1]); at--)
			ret_most[at] = ret_most[at - 1];
		ret_most[at] = *source;
	}
	return used;
}

void evict_tally_sources(struct action_record *record, const uint8_t source_prefix[2], const struct victim *victims,
			 size_t count)
{
	struct tally tally = {.config = ranking_config_default(RANKING_BY_SOURCE),
			      .secret = siphash_key_random(),
			      .places = count + count / 4 + 1};
	struct source most[RECORD_SOURCES];
	struct flow flow = {0};

	memcpy(tally.config.prefix_len, source_prefix, sizeof(tally.config.prefix_len));
	tally.sources = mem_array(tally.places, sizeof(*tally.sources));
	for (size_t i = 0; i < count; i += AHEAD)
		count_some(&tally, victims, i, lesser(count, i + AHEAD));
	record->source_count = most_of(&tally, most);
	for (size_t i = 0; i < record->source_count; i++) {
		const struct ranking_key key = key_of(&tally, &flow, &victims[most[i].first]);

		ranking_key_format(&tally.config, &key, record->sources[i].name);
		record->sources[i].count = most[i].victims;
	}
	free(tally.sources);
}
