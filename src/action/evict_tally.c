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

#define AHEAD	  16 /* victims whose places are fetched at a time: each is a wait for memory */

struct source {
	uint32_t hash;
	uint32_t victims; /* 0: the place is free */
	uint32_t first;	  /* the number of the first victim; from their count on: of the record's source */
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

static void count_source(struct tally *tally, uint64_t hash, size_t first, uint32_t victims)
{
	struct source *sources = tally->sources;
	size_t at = home_of(tally, hash);

	while (sources[at].victims && sources[at].hash != (uint32_t)hash)
		at = at + 1 == tally->places ? 0 : at + 1;
	if (!sources[at].victims) {
		sources[at].hash = (uint32_t)hash;
		sources[at].first = (uint32_t)first;
	}
	sources[at].victims += victims;
}

/* The victims from begin on, AHEAD at most. */
static void count_some(struct tally *tally, const struct victim *victims, size_t begin, size_t end,
		       uint32_t flows)
{
	uint64_t hashes[AHEAD];
	struct flow flow = {0};

	for (size_t i = begin; i < end; i++) {
		struct ranking_key key = key_of(tally, &flow, &victims[i]);

		hashes[i - begin] = siphash(&key, sizeof(key), tally->secret);
		__builtin_prefetch(&tally->sources[home_of(tally, hashes[i - begin])], 1);
	}
	for (size_t i = begin; i < end; i++)
		count_source(tally, hashes[i - begin], i, flows);
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

/* All that was matched before is told by source, or the most of it by as many as there is room for. */
static bool knows_sources(const struct action_record *record)
{
	uint64_t told = 0;

	for (size_t i = 0; i < record->source_count; i++)
		told += record->sources[i].count;
	return told == record->matched || record->source_count == RECORD_SOURCES;
}

static void tell_most(const struct tally *tally, const struct victim *victims, size_t count,
		      struct action_record *record)
{
	struct ranking_key before[RECORD_SOURCES];
	struct source most[RECORD_SOURCES];
	struct flow flow = {0};

	memcpy(before, record->source_keys, sizeof(before));
	record->source_count = most_of(tally, most);
	for (size_t i = 0; i < record->source_count; i++) {
		struct ranking_key *key = &record->source_keys[i];

		*key = most[i].first < count ? key_of(tally, &flow, &victims[most[i].first])
					     : before[most[i].first - count];
		ranking_key_format(&tally->config, key, record->sources[i].name);
		record->sources[i].count = most[i].victims;
	}
}

/* Each victim stands for so many flows. */
static void add_sources(struct action_record *record, const uint8_t source_prefix[2], const struct victim *victims,
			size_t count, uint32_t flows)
{
	struct tally tally = {.config = ranking_config_default(RANKING_BY_SOURCE),
			      .secret = siphash_key_random(),
			      .places = count + RECORD_SOURCES + count / 4 + 1};

	if (!knows_sources(record)) {
		record->source_count = 0;
		return;
	}
	memcpy(tally.config.prefix_len, source_prefix, sizeof(tally.config.prefix_len));
	tally.sources = mem_array(tally.places, sizeof(*tally.sources));
	for (size_t i = 0; i < count; i += AHEAD)
		count_some(&tally, victims, i, lesser(count, i + AHEAD), flows);
	for (size_t i = 0; i < record->source_count; i++)
		count_source(&tally, siphash(&record->source_keys[i], sizeof(record->source_keys[i]), tally.secret),
			     count + i, (uint32_t)record->sources[i].count);
	tell_most(&tally, victims, count, record);
	free(tally.sources);
}

void evict_tally_sources(struct action_record *record, const uint8_t source_prefix[2], const struct victim *victims,
			 size_t count)
{
	add_sources(record, source_prefix, victims, count, 1);
}

void evict_tally_source(struct action_record *record, const uint8_t source_prefix[2], uint8_t family,
			const uint8_t src[16], uint64_t flows)
{
	struct victim victim = {.family = family};

	memcpy(victim.src, src, sizeof(victim.src));
	add_sources(record, source_prefix, &victim, 1, (uint32_t)flows);
}
