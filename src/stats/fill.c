/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fill: one reading after the other becomes fill, growth, forecast, deltas and peaks. Time
 * is the monotonic clock of the readings; real time is only carried along for people. A reading
 * that cannot be true is kept in `now` for display and changes nothing else. */
#include "stats/fill.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define GROWTH_SPAN_NS	    200000000LL	   /* the first growth needs readings this far apart */
#define FORECAST_MAX_SEC    (10 * 86400.0) /* slower than this is not filling */
#define IMPLAUSIBLE_FACTOR  16
#define IMPLAUSIBLE_ENTRIES (1ULL << 31)
/* A counter a little below zero, seen without its sign. */
#define WRAPPED_ENTRIES (UINT32_MAX - 0xffffULL)

static const size_t counter_offsets[] = {
	offsetof(struct table_counters, found),
	offsetof(struct table_counters, invalid),
	offsetof(struct table_counters, insert),
	offsetof(struct table_counters, insert_failed),
	offsetof(struct table_counters, drop),
	offsetof(struct table_counters, early_drop),
	offsetof(struct table_counters, error),
	offsetof(struct table_counters, search_restart),
	offsetof(struct table_counters, clash_resolve),
	offsetof(struct table_counters, chaintoolong),
};

_Static_assert(sizeof(counter_offsets) / sizeof(counter_offsets[0]) * sizeof(uint64_t) ==
		       sizeof(struct table_counters),
	       "every counter has its row");

static uint64_t *counter_at(struct table_counters *counters, size_t i)
{
	return (uint64_t *)((char *)counters + counter_offsets[i]);
}

void fill_init(struct fill *fill, uint64_t capacity_set)
{
	memset(fill, 0, sizeof(*fill));
	fill->capacity_set = capacity_set;
	fill->seconds_to_full = -1;
}

static void update_counters(struct fill *fill, struct table_counters old, struct table_counters now)
{
	if (!fill->has_first) {
		fill->first = now;
		fill->has_first = true;
		memset(&fill->delta, 0, sizeof(fill->delta));
		return;
	}
	for (size_t i = 0; i < sizeof(counter_offsets) / sizeof(counter_offsets[0]); i++) {
		uint64_t before = *counter_at(&old, i), after = *counter_at(&now, i);
		uint64_t *first = counter_at(&fill->first, i);

		*counter_at(&fill->delta, i) = after > before ? after - before : 0;
		/* Somebody zeroed it: what has risen since the first reading must not become
		 * negative. */
		if (after < *first)
			*first = after;
	}
}

static bool is_implausible(const struct table_reading *now)
{
	return now->entries >= WRAPPED_ENTRIES ||
	       (now->entries > IMPLAUSIBLE_ENTRIES &&
		now->entries / IMPLAUSIBLE_FACTOR > now->entries_limit);
}

static double weight_of(int64_t span_ns, int64_t half_life_ns)
{
	return 1 - exp2(-(double)span_ns / (double)half_life_ns);
}

static void update_growth(struct fill *fill)
{
	const struct table_reading *now = &fill->now;
	int64_t span_ns = now->monotonic_ns - fill->last_ns;
	double rate;

	if (fill->is_held)
		return;
	if (fill->has_last) {
		/* The first growth waits for a span that says something; after that every
		 * reading counts by its span, so that many short ones and few long ones come to
		 * the same. */
		if (span_ns <= 0 || (!fill->has_growth && span_ns < GROWTH_SPAN_NS))
			return;
		rate = ((double)now->entries - (double)fill->last_entries) /
		       ((double)span_ns / 1e9);
		if (!fill->has_growth)
			fill->growth_per_sec = fill->late_per_sec = rate;
		fill->growth_per_sec += weight_of(span_ns, FILL_GROWTH_HALF_LIFE_NS) * (rate - fill->growth_per_sec);
		fill->late_per_sec += weight_of(span_ns, FILL_LATE_HALF_LIFE_NS) * (rate - fill->late_per_sec);
		fill->has_growth = true;
	}
	fill->has_last = true;
	fill->last_ns = now->monotonic_ns;
	fill->last_entries = now->entries;
}

/* One burst is no rush: two spans must agree. A slow poll makes them longer. */
static void update_rush(struct fill *fill)
{
	const struct table_reading *now = &fill->now;
	int64_t span_ns = now->monotonic_ns - fill->span_ns;
	double *rate = fill->span_rate;

	if (!fill->is_held && (!fill->span_ns || span_ns < 0)) {
		fill->span_ns = now->monotonic_ns;
		fill->span_entries = now->entries;
	} else if (!fill->is_held && span_ns >= FILL_RUSH_SPAN_NS) {
		rate[1] = rate[0];
		rate[0] = ((double)now->entries - (double)fill->span_entries) / ((double)span_ns / 1e9);
		fill->span_ns = now->monotonic_ns;
		fill->span_entries = now->entries;
	}
	fill->rush_per_sec = rate[0] < rate[1] ? rate[0] : rate[1];
}

static uint64_t less(uint64_t entries, uint64_t removed)
{
	return entries > removed ? entries - removed : 0;
}

void fill_removed(struct fill *fill, uint64_t removed)
{
	/* Below 0 it would be a growth of what was never there: a counter that was read while we took. */
	fill->last_entries = less(fill->last_entries, removed);
	fill->span_entries = less(fill->span_entries, removed);
}

void fill_added(struct fill *fill, uint64_t added)
{
	if (fill->has_last)
		fill->last_entries += added;
	if (fill->span_ns)
		fill->span_entries += added;
}

void fill_hold(struct fill *fill, bool is_held)
{
	fill->is_held = is_held;
}

static double seconds_at(const struct fill *fill, double growth_per_sec)
{
	double seconds;

	if (!fill->capacity || !fill->has_growth || !(growth_per_sec > 0))
		return -1;
	if (fill->now.entries >= fill->capacity)
		return 0;
	seconds = (double)(fill->capacity - fill->now.entries) / growth_per_sec;
	return seconds <= FORECAST_MAX_SEC ? seconds : -1;
}

double fill_growth_now(const struct fill *fill)
{
	return fill->rush_per_sec > fill->growth_per_sec ? fill->rush_per_sec : fill->growth_per_sec;
}

double fill_growth_last(const struct fill *fill)
{
	double now = fill_growth_now(fill);

	return fill->span_rate[0] > now ? fill->span_rate[0] : now;
}

double fill_seconds_last(const struct fill *fill)
{
	return seconds_at(fill, fill_growth_last(fill));
}

double fill_seconds_now(const struct fill *fill)
{
	return fill->rush_per_sec > fill->growth_per_sec ? seconds_at(fill, fill->rush_per_sec) : fill->seconds_to_full;
}

double fill_seconds_lasting(const struct fill *fill)
{
	double growth = fill->late_per_sec < fill->growth_per_sec ? fill->late_per_sec : fill->growth_per_sec;

	return seconds_at(fill, fill->rush_per_sec > growth ? fill->rush_per_sec : growth);
}

static void update_peak(struct fill_peak *peak, const struct table_reading *now)
{
	if (now->entries <= peak->entries && peak->real_ns)
		return;
	peak->entries = now->entries;
	peak->real_ns = now->real_ns;
}

static void update_capacity(struct fill *fill)
{
	fill->capacity = fill->now.entries_limit;
	if (fill->capacity_set && (!fill->capacity || fill->capacity_set < fill->capacity))
		fill->capacity = fill->capacity_set;
}

static double fill_pct(const struct fill *fill)
{
	return fill->capacity ? 100.0 * (double)fill->now.entries / (double)fill->capacity : 0;
}

void fill_set_capacity(struct fill *fill, uint64_t capacity_set)
{
	fill->capacity_set = capacity_set;
	update_capacity(fill);
	if (fill->is_implausible || !fill->now.has)
		return;
	fill->fill_pct = fill_pct(fill);
	fill->seconds_to_full = seconds_at(fill, fill->growth_per_sec);
}

void fill_update(struct fill *fill, const struct table_reading *reading)
{
	struct table_reading old = fill->now;

	fill->now = *reading;
	/* What a reading does not tell stays as it was; `has` says what it told. */
	if (!(reading->has & READING_HAS_LIMIT))
		fill->now.entries_limit = old.entries_limit;
	if (!(reading->has & READING_HAS_BUCKETS))
		fill->now.buckets = old.buckets;
	if (!(reading->has & READING_HAS_ENTRIES))
		fill->now.entries = old.entries;
	if (reading->has & READING_HAS_COUNTERS) {
		update_counters(fill, old.counters, reading->counters);
	} else {
		fill->now.counters = old.counters;
		memset(&fill->delta, 0, sizeof(fill->delta));
	}
	fill->limit_changed = fill->has_limit && fill->now.entries_limit != old.entries_limit;
	fill->has_limit = fill->has_limit || (reading->has & READING_HAS_LIMIT);
	update_capacity(fill);
	if (!(reading->has & READING_HAS_ENTRIES))
		return;
	fill->is_implausible = is_implausible(&fill->now);
	if (fill->is_implausible)
		return;
	fill->fill_pct = fill_pct(fill);
	update_growth(fill);
	update_rush(fill);
	fill->seconds_to_full = seconds_at(fill, fill->growth_per_sec);
	update_peak(&fill->peak, &fill->now);
	update_peak(&fill->peak_asked, &fill->now);
}

struct fill_peak fill_peak_take(struct fill *fill)
{
	struct fill_peak peak = fill->peak_asked;

	/* last_entries: the present count where that cannot be believed. */
	fill->peak_asked.entries = fill->is_implausible ? fill->last_entries : fill->now.entries;
	fill->peak_asked.real_ns = fill->now.real_ns;
	return peak;
}
