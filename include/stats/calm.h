/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/calm: whether the table is calm, at any fill: net growth within its usual band for 10 s and
 * no full-table drops. A table that is honestly 80 % full is calm. Pure; told the time. */
#ifndef CTWARDEN_STATS_CALM_H
#define CTWARDEN_STATS_CALM_H

#include <stdbool.h>
#include <stdint.h>

#define CALM_WINDOWS 2 /* growth is judged over 1 s and over 10 s: a rush and a slow ramp */

struct calm_config {
	int64_t calm_after_ns;  /* within the band for so long: calm */
	double floor_pct;       /* of capacity: so much growth in one window is never a surge */
	uint32_t floor_entries; /* the same for small tables: the larger of both counts */
	double deviations;      /* how many standard deviations the band is wide */
	double max_band_pct;    /* of capacity a second: the band is never learned wider (bursts
				 * cannot stretch it) */
};

struct calm_config calm_config_default(void); /* 10 s, 2 %, 64, 4, 2 % */

struct calm_input {
	int64_t now_ns;    /* monotonic */
	uint64_t entries;  /* the kernel's count */
	uint64_t capacity; /* 0: none */
	/* since the last input: */
	uint64_t adopted;       /* put in by user space (table sync): no growth */
	uint64_t removed;       /* deleted or swept by ourselves: else our work looks like calm */
	uint64_t dropped;       /* rise of drop */
	uint64_t insert_failed; /* rise of it; a full table drops more than it fails to insert */
};

struct calm_verdict {
	bool is_calm;
	bool surge_began, surge_ended; /* at this input */
};

struct calm_state { /* zeroed at first; of calm.c alone but for is_calm and in_surge */
	bool is_calm, in_surge, has_last;
	int64_t last_ns, settled_ns; /* settled_ns: since when within the band */
	uint64_t last_entries;
	struct calm_window {
		int64_t start_ns;
		double growth; /* entries since start */
	} windows[CALM_WINDOWS];
	double growth;   /* of the last whole second */
	double variance; /* EWMA, of growth in one second */
};

/* Not calm and no surge in the first 10 s: nothing is known yet. What is there then is base all the
 * same: seniority_begin wants to know whether there is a surge (in_surge). */
struct calm_verdict calm_update(struct calm_state *state, const struct calm_config *config,
				const struct calm_input *input);

#endif
