/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/snapshot: copies what readings and pictures tell into one plain structure. What the
 * caller alone knows (namespace, level with memory, expired entries, events) it fills itself. */
#include "stats/snapshot.h"

#include <string.h>

#include "stats/refusal.h"

static void add_top(struct snapshot_top *top, const struct ranking *ranking)
{
	top->config = *ranking_config_get(ranking);
	top->by = top->config.by;
	top->used = ranking_top(ranking, RANKING_ORDER_ENTRIES, SNAPSHOT_TOP, top->rows);
	top->totals = ranking_totals_get(ranking);
}

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

void snapshot_add_pass(struct snapshot *snapshot, const struct picture *picture,
		       int64_t now_monotonic_ns)
{
	uint64_t listed = picture->assured + picture->unassured;

	snapshot->evictable_pct = listed ? 100.0 * (double)picture->unassured / (double)listed : 0;
	snapshot->listed = listed;
	memcpy(snapshot->classes, picture->classes, sizeof(snapshot->classes));
	memcpy(snapshot->states, picture->states, sizeof(snapshot->states));
	memcpy(snapshot->protocols, picture->protocols, sizeof(snapshot->protocols));
	snapshot->pass_age_sec = seconds_between(picture->pass_ended_ns, now_monotonic_ns);
	snapshot->pass_sec = seconds_between(picture->pass_started_ns, picture->pass_ended_ns);
	snapshot->is_approximate = picture->is_approximate || picture->has_missed;
	snapshot->lost_events = picture->lost;
	snapshot->has |= SNAPSHOT_HAS_PASS;
}

void snapshot_add_picture(struct snapshot *snapshot, const struct picture *picture, struct cause_memory *memory,
			  int64_t now_monotonic_ns)
{
	snapshot->cause = memory ? cause_recall(memory, picture) : cause_find(picture);
	snapshot->examples_used = cause_examples(picture, &snapshot->cause, SNAPSHOT_EXAMPLES, snapshot->examples);
	add_top(&snapshot->sources, picture->parts[PICTURE_SOURCE]);
	add_top(&snapshot->prefixes, picture->parts[PICTURE_PREFIX]);
	add_top(&snapshot->destinations, picture->parts[PICTURE_DESTINATION]);
	add_top(&snapshot->services, picture->parts[PICTURE_SERVICE]);
	snapshot_add_pass(snapshot, picture, now_monotonic_ns);
	snapshot->folded_entries = snapshot->sources.totals.folded_entries;
	snapshot->has |= SNAPSHOT_HAS_TOP;
}

void snapshot_add_picture_from(struct snapshot *snapshot, const struct picture *picture, const struct snapshot *from,
			       int64_t now_monotonic_ns)
{
	snapshot->cause = from->cause;
	snapshot->examples_used = from->examples_used;
	memcpy(snapshot->examples, from->examples, sizeof(snapshot->examples));
	snapshot->sources = from->sources;
	snapshot->prefixes = from->prefixes;
	snapshot->destinations = from->destinations;
	snapshot->services = from->services;
	snapshot_add_pass(snapshot, picture, now_monotonic_ns);
	snapshot->folded_entries = snapshot->sources.totals.folded_entries;
	snapshot->has |= SNAPSHOT_HAS_TOP;
}

static bool has_row(const struct ranking_row *rows, size_t used, const struct ranking_key *key)
{
	for (size_t i = 0; i < used; i++)
		if (!memcmp(&rows[i].key, key, sizeof(*key)))
			return true;
	return false;
}

static void add_more(struct snapshot_more *more, const struct snapshot_top *top, const struct ranking *ranking)
{
	static const enum ranking_order orders[] = {RANKING_ORDER_NEW, RANKING_ORDER_UNREPLIED, RANKING_ORDER_HALF_OPEN,
						    RANKING_ORDER_ANSWERED, RANKING_ORDER_SHAKEN};
	struct ranking_row rows[SNAPSHOT_TOP];

	_Static_assert(sizeof(orders) / sizeof(orders[0]) * SNAPSHOT_TOP == SNAPSHOT_MORE, "a row for each");
	more->used = 0;
	/* As long as all rows are there nothing is hidden. */
	for (size_t i = 0; top->totals.keys > top->used && i < sizeof(orders) / sizeof(orders[0]); i++) {
		size_t used = ranking_top(ranking, orders[i], SNAPSHOT_TOP, rows);

		for (size_t k = 0; k < used; k++)
			if (!has_row(top->rows, top->used, &rows[k].key) &&
			    !has_row(more->rows, more->used, &rows[k].key))
				more->rows[more->used++] = rows[k];
	}
}

void snapshot_add_more(struct snapshot *snapshot, const struct picture *picture)
{
	add_more(&snapshot->more_sources, &snapshot->sources, picture->parts[PICTURE_SOURCE]);
	add_more(&snapshot->more_prefixes, &snapshot->prefixes, picture->parts[PICTURE_PREFIX]);
}

void snapshot_add_counts(struct snapshot *snapshot, uint64_t before, uint64_t after, uint64_t listed)
{
	snapshot->counted_before = before;
	snapshot->counted_after = after;
	snapshot->listed = listed;
	if (!before)
		return;
	snapshot->expired = before > after ? before - after : 0;
	snapshot->expired_pct = 100.0 * (double)snapshot->expired / (double)before;
	snapshot->has |= SNAPSHOT_HAS_EXPIRED;
}

void snapshot_add_refusal(struct snapshot *snapshot)
{
	const struct table_reading *now = &snapshot->fill.now;
	double evictable = snapshot->evictable_pct / 100;

	/* Without a limit nothing is refused, without buckets nothing can be said. */
	if (!(now->has & READING_HAS_BUCKETS) || !now->entries_limit)
		return;
	snapshot->refusal_when_full =
		refusal_when_full(now->entries_limit, now->buckets, evictable);
	snapshot->refusal_probability =
		refusal_now(now->entries, now->entries_limit, now->buckets, evictable);
	snapshot->has |= SNAPSHOT_HAS_REFUSAL;
}

void snapshot_from_reading(struct snapshot *ret_snapshot, const struct table_reading *reading,
			   uint64_t capacity, const struct level_config *marks,
			   const struct picture *picture)
{
	memset(ret_snapshot, 0, sizeof(*ret_snapshot));
	fill_init(&ret_snapshot->fill, capacity);
	fill_update(&ret_snapshot->fill, reading);
	ret_snapshot->marks = *marks;
	/* Without capacity, or where the count cannot be believed, fill_pct is 0. */
	ret_snapshot->level = level_at(marks, ret_snapshot->fill.fill_pct);
	if (!picture)
		return;
	snapshot_add_picture(ret_snapshot, picture, NULL, reading->monotonic_ns);
	snapshot_add_refusal(ret_snapshot);
}

bool snapshot_knows_rate(const struct snapshot *snapshot)
{
	if (!(snapshot->has & SNAPSHOT_HAS_RATE))
		return false;
	return !(snapshot->has & SNAPSHOT_HAS_GROWTH) || snapshot->fill.growth_per_sec <= 2 * snapshot->new_per_sec ||
	       snapshot->fill.growth_per_sec < 1;
}

bool snapshot_knows_refusal_when_full(const struct snapshot *snapshot)
{
	return (snapshot->has & SNAPSHOT_HAS_REFUSAL) && snapshot->listed >= SNAPSHOT_MIX_MIN;
}
