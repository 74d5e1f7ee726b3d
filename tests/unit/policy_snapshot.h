/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots for the tests of policies. */
#ifndef CTWARDEN_TESTS_POLICY_SNAPSHOT_H
#define CTWARDEN_TESTS_POLICY_SNAPSHOT_H

#include <sys/socket.h>

#include "policy/evaluate.h"
#include "policy_fixture.h"

#define SEC 1000000000LL

/* A table of 100,000 of which so many are in use; counters, buckets = limit; nothing else is known.
 */
static inline struct snapshot *snapshot_of(uint64_t entries)
{
	static struct snapshot s;

	memset(&s, 0, sizeof(s));
	s.fill.now.has = READING_HAS_ENTRIES | READING_HAS_LIMIT | READING_HAS_COUNTERS |
			 READING_HAS_BUCKETS;
	s.fill.now.entries = entries;
	s.fill.now.entries_limit = s.fill.now.buckets = s.fill.capacity = 100000;
	s.fill.fill_pct = (double)entries / 1000;
	s.fill.seconds_to_full = -1;
	s.marks = level_config_default();
	s.level = level_at(&s.marks, s.fill.fill_pct);
	return &s;
}

static inline void snapshot_grow(struct snapshot *s, double growth_per_sec)
{
	s->has |= SNAPSHOT_HAS_GROWTH;
	s->fill.has_growth = true;
	s->fill.growth_per_sec = growth_per_sec;
	s->fill.seconds_to_full =
		growth_per_sec > 0
			? ((double)s->fill.capacity - (double)s->fill.now.entries) / growth_per_sec
			: -1;
	if (s->fill.seconds_to_full >= 0 && s->fill.fill_pct >= s->marks.forecast_min_pct) {
		if (s->fill.seconds_to_full <= s->marks.warning.forecast_sec &&
		    s->level < LEVEL_WARNING)
			s->level = LEVEL_WARNING;
		if (s->fill.seconds_to_full <= s->marks.critical.forecast_sec &&
		    s->level < LEVEL_CRITICAL)
			s->level = LEVEL_CRITICAL;
	}
}

static inline void snapshot_refuse(struct snapshot *s, double when_full)
{
	s->has |= SNAPSHOT_HAS_REFUSAL;
	s->refusal_when_full = when_full;
	s->refusal_probability = s->fill.now.entries >= s->fill.now.entries_limit ? when_full : 0;
}

/* The next source: 10.0.0.N, or a network of its own for prefixes. */
static inline struct ranking_row *snapshot_source(struct snapshot *s, uint8_t last,
						  uint32_t unreplied, uint32_t half_open,
						  uint32_t pickup, uint32_t established)
{
	struct ranking_row *row = &s->sources.rows[s->sources.used++];

	s->has |= SNAPSHOT_HAS_TOP | SNAPSHOT_HAS_PASS;
	s->sources.config = ranking_config_default(RANKING_BY_SOURCE);
	*row = (struct ranking_row){.entries = unreplied + half_open + pickup + established};
	row->key.family = AF_INET;
	row->key.addr[0] = 10;
	row->key.addr[3] = last;
	row->classes[FLOW_CLASS_UNREPLIED] = unreplied;
	row->classes[FLOW_CLASS_HALF_OPEN] = half_open;
	row->classes[FLOW_CLASS_PICKUP] = pickup;
	row->classes[FLOW_CLASS_ESTABLISHED] = established;
	s->sources.totals.entries = s->fill.now.entries;
	return row;
}

#endif
