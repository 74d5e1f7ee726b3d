/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fill: from readings to fill, growth, forecast, counter deltas and peaks. Pure; told the time by
 * the readings. */
#ifndef CTWARDEN_STATS_FILL_H
#define CTWARDEN_STATS_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/reading.h"

#define FILL_GROWTH_HALF_LIFE_NS 2000000000LL /* of the EWMA of growth */
#define FILL_LATE_HALF_LIFE_NS	 500000000LL  /* of that of late */
#define FILL_RUSH_SPAN_NS	 60000000LL   /* of the spans that tell a rush before the EWMA does */

struct fill_peak {
	uint64_t entries;
	int64_t real_ns;
};

struct fill {
	struct table_reading now;     /* the last reading */
	struct table_counters first;  /* counters of the first reading */
	struct table_counters delta;  /* rise since the reading before; a counter that went back: 0 */
	uint64_t capacity_set;        /* by the config; 0: the kernel's limit */
	uint64_t capacity;            /* in force, the smaller of both; 0: none (limit 0 and none set) */
	double fill_pct;              /* entries / capacity * 100; 0 without capacity */
	double growth_per_sec;        /* EWMA of net growth */
	double late_per_sec;	      /* the same of late: falls soon once nothing comes any more */
	double rush_per_sec;          /* net growth in each of the last two spans of 60 ms or more, the smaller */
	/* At this growth; 0: full and growing; -1: not filling (or slower than 10 days), no capacity. */
	double seconds_to_full;
	bool has_growth;              /* at least two readings, 200 ms apart */
	bool is_implausible;          /* count above 16 x limit and above 2^31 or wrapped: not to be believed */
	bool limit_changed;           /* since the reading before */
	struct fill_peak peak;        /* since start */
	struct fill_peak peak_asked;  /* since fill_peak_take */
	/* Of fill.c alone: */
	bool has_first, has_limit, has_last, is_held;
	int64_t last_ns;              /* the last reading that growth was taken from, monotonic */
	uint64_t last_entries;
	int64_t span_ns;              /* when the open span began, with how many */
	uint64_t span_entries;
	double span_rate[2];          /* of the last two, the newer first */
};

void fill_init(struct fill *fill, uint64_t capacity_set);
/* Another capacity by the config: in force at once, for the reading of last time too. */
void fill_set_capacity(struct fill *fill, uint64_t capacity_set);
void fill_update(struct fill *fill, const struct table_reading *reading);
/* Entries that we took out since growth was last counted: they do not make it negative. */
void fill_removed(struct fill *fill, uint64_t removed);
/* Entries that user space has put in, known before the reading that has them: they are no growth. */
void fill_added(struct fill *fill, uint64_t added);
/* While we take entries out growth is not counted: the span goes on, and fill_removed comes at its end. */
void fill_hold(struct fill *fill, bool is_held);
/* Growth and forecast of this moment, for who must act: by the rush where it is the faster. As growth_per_sec and
 * seconds_to_full. */
double fill_growth_now(const struct fill *fill);
double fill_growth_last(const struct fill *fill); /* by the last span alone: how much may come, not whether */
double fill_seconds_now(const struct fill *fill);
/* The same, and soon over once nothing comes any more: by late_per_sec where that is less than growth_per_sec. */
double fill_seconds_lasting(const struct fill *fill);
double fill_seconds_last(const struct fill *fill); /* at the growth of fill_growth_last; -1: not told */
/* The peak since the last call of this; starts a new one at the present count. */
struct fill_peak fill_peak_take(struct fill *fill);

#endif
