/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/level: how tight the table is, with hysteresis. Pure; told the time. */
#ifndef CTWARDEN_STATS_LEVEL_H
#define CTWARDEN_STATS_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/problem.h"

enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_FULL, LEVEL_COUNT };

const char *level_name(enum level level); /* "ok", "warning", "critical", "full" */

struct level_marks {
	double enter_pct, leave_pct;  /* of capacity; leave below enter */
	double forecast_sec;          /* entered too when full within this; 0: not by forecast */
};

struct level_config {
	struct level_marks warning, critical;
	double full_pct; /* full: at least this fill of the kernel's limit and drop rose by more than insert_failed */
	double forecast_min_pct; /* no level is entered by a forecast below this fill; left is one only when the
				    forecast is over */
	int64_t dwell_ns;       /* holds back leaving a level, never entering one */
};

struct level_config level_config_default(void); /* 75/70 60 s, 90/85 10 s, full 95, forecast from 50, dwell 3 s */
int level_config_check(const struct level_config *config, struct problem *reterr_problem); /* marks in order, 0-100+ */

struct level_input {
	int64_t now_ns;           /* monotonic */
	double fill_pct;          /* of capacity; may exceed 100 */
	double limit_fill_pct;    /* of the kernel's limit; 0 where there is none */
	bool is_implausible;      /* the count cannot be true: keep the level */
	double seconds_to_full;   /* negative: not filling */
	uint64_t dropped;         /* rise of drop since the last input */
	uint64_t insert_failed;   /* rise of insert_failed since the last input */
};

struct level_state {
	enum level level;
	int64_t since_ns;         /* when this level was entered */
	int64_t calm_since_ns;    /* since when the leave condition has held; 0: does not hold */
	int64_t dropped_at_ns;    /* last full-table drop; 0: never */
	bool by_forecast;         /* entered by forecast, not by mark */
};

/* True where the level changed; state->level is the new one. The first input sets the level at once. */
bool level_update(struct level_state *state, const struct level_config *config, const struct level_input *input);
/* Level of one reading alone, without memory: by the enter marks. */
enum level level_at(const struct level_config *config, double fill_pct);

#endif
