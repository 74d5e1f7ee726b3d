/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/level: ok, warning, critical, full. Entering is immediate, leaving waits for the leave
 * mark and then for the dwell time. Drops count only at the top of the kernel's table, and only
 * those that are no insert clashes: a clash (two packets of one flow racing) raises drop and
 * insert_failed together, at any fill. Knows no counters but their rise, no clock. */
#include "stats/level.h"

#include <errno.h>
#include <stddef.h>

static const char *const names[LEVEL_COUNT] = {
	[LEVEL_OK] = "ok",
	[LEVEL_WARNING] = "warning",
	[LEVEL_CRITICAL] = "critical",
	[LEVEL_FULL] = "full",
};

const char *level_name(enum level level)
{
	return names[level];
}

struct level_config level_config_default(void)
{
	return (struct level_config){
		.warning = {.enter_pct = 75, .leave_pct = 70, .forecast_sec = 60},
		.critical = {.enter_pct = 90, .leave_pct = 85, .forecast_sec = 10},
		.full_pct = 95,
		.forecast_min_pct = 50,
		.dwell_ns = 3000000000LL,
	};
}

static int marks_check(const struct level_marks *marks, const char *leave_path,
		       const char *forecast_path, struct problem *reterr_problem)
{
	if (!(marks->leave_pct >= 0) || !(marks->enter_pct > marks->leave_pct))
		return problem_set(reterr_problem, leave_path,
				   "leave_pct (%g) must be below enter_pct (%g)", marks->leave_pct,
				   marks->enter_pct);
	if (!(marks->forecast_sec >= 0))
		return problem_set(reterr_problem, forecast_path,
				   "forecast_sec must not be negative");
	return 0;
}

int level_config_check(const struct level_config *config, struct problem *reterr_problem)
{
	const struct level_marks *warning = &config->warning, *critical = &config->critical;
	int r;

	r = marks_check(warning, "levels.warning.leave_pct", "levels.warning.forecast_sec",
			reterr_problem);
	if (r < 0)
		return r;
	r = marks_check(critical, "levels.critical.leave_pct", "levels.critical.forecast_sec",
			reterr_problem);
	if (r < 0)
		return r;
	if (!(critical->enter_pct > warning->enter_pct))
		return problem_set(reterr_problem, "levels.critical.enter_pct",
				   "enter_pct of critical (%g) must be above that of warning (%g)",
				   critical->enter_pct, warning->enter_pct);
	if (!(critical->leave_pct >= warning->leave_pct))
		return problem_set(
			reterr_problem, "levels.critical.leave_pct",
			"leave_pct of critical (%g) must not be below that of warning (%g)",
			critical->leave_pct, warning->leave_pct);
	if (critical->forecast_sec > warning->forecast_sec)
		return problem_set(
			reterr_problem, "levels.critical.forecast_sec",
			"forecast_sec of critical (%g) must not be above that of warning (%g)",
			critical->forecast_sec, warning->forecast_sec);
	if (!(config->full_pct > 0) || config->full_pct > 100)
		return problem_set(reterr_problem, "levels.full_pct",
				   "full_pct must be above 0 and at most 100: the kernel refuses "
				   "nothing below its limit");
	if (!(config->forecast_min_pct >= 0))
		return problem_set(reterr_problem, "levels.forecast_min_pct",
				   "forecast_min_pct must not be negative");
	if (config->dwell_ns < 0)
		return problem_set(reterr_problem, "levels.dwell_sec",
				   "dwell_sec must not be negative");
	return 0;
}

/* The marks of warning and critical; NULL for the others. */
static const struct level_marks *marks_of(const struct level_config *config, enum level level)
{
	switch (level) {
	case LEVEL_WARNING:
		return &config->warning;
	case LEVEL_CRITICAL:
		return &config->critical;
	case LEVEL_OK:
	case LEVEL_FULL:
	case LEVEL_COUNT:
		break;
	}
	return NULL;
}

static bool will_be_full(const struct level_marks *marks, const struct level_input *input)
{
	return marks->forecast_sec > 0 && input->seconds_to_full >= 0 &&
	       input->seconds_to_full <= marks->forecast_sec && input->fill_pct > 0;
}

static bool is_forecast(const struct level_config *config, const struct level_marks *marks,
			const struct level_input *input)
{
	return will_be_full(marks, input) && input->fill_pct >= config->forecast_min_pct;
}

static bool is_refusing(const struct level_config *config, const struct level_input *input)
{
	return input->limit_fill_pct > 0 && input->limit_fill_pct >= config->full_pct &&
	       input->dropped > input->insert_failed;
}

/* The highest level whose enter condition holds. */
static enum level level_entered(const struct level_config *config, const struct level_input *input)
{
	if (is_refusing(config, input))
		return LEVEL_FULL;
	for (enum level level = LEVEL_CRITICAL; level > LEVEL_OK; level--) {
		const struct level_marks *marks = marks_of(config, level);

		if (input->fill_pct >= marks->enter_pct || is_forecast(config, marks, input))
			return level;
	}
	return LEVEL_OK;
}

/* The highest level not above `from` that is not to be left. */
static enum level level_held(const struct level_config *config, const struct level_input *input,
			     enum level from)
{
	/* Who keeps a full table just open by making room must not be told that it is over. */
	if (from == LEVEL_FULL &&
	    (is_refusing(config, input) || input->fill_pct >= config->critical.enter_pct))
		return LEVEL_FULL;
	for (enum level level = from < LEVEL_FULL ? from : LEVEL_CRITICAL; level > LEVEL_OK;
	     level--) {
		const struct level_marks *marks = marks_of(config, level);

		/* Marks of 0 hold nothing: without capacity there is no fill, and the level is ok. What begins by a
		 * forecast does not end where a guard has made room for seconds. */
		if ((input->fill_pct > 0 && input->fill_pct >= marks->leave_pct) || will_be_full(marks, input))
			return level;
	}
	return LEVEL_OK;
}

static bool by_forecast(const struct level_config *config, const struct level_input *input,
			enum level level)
{
	const struct level_marks *marks = marks_of(config, level);

	return marks && input->fill_pct < marks->enter_pct && is_forecast(config, marks, input);
}

static void level_enter(struct level_state *state, const struct level_config *config,
			const struct level_input *input, enum level level)
{
	state->level = level;
	state->since_ns = input->now_ns;
	state->calm_since_ns = 0;
	state->by_forecast = by_forecast(config, input, level);
}

bool level_update(struct level_state *state, const struct level_config *config,
		  const struct level_input *input)
{
	enum level entered, held, before = state->level;

	if (input->is_implausible) {
		state->calm_since_ns = 0; /* what cannot be read is no calm */
		return false;
	}
	if (is_refusing(config, input))
		state->dropped_at_ns = input->now_ns;
	entered = level_entered(config, input);
	if (entered > before || !state->since_ns) {
		level_enter(state, config, input, entered);
		return entered != before;
	}
	held = level_held(config, input, before);
	if (held == before) {
		state->calm_since_ns = 0;
		if (!by_forecast(config, input, before))
			state->by_forecast = false;
		return false;
	}
	if (!state->calm_since_ns)
		state->calm_since_ns = input->now_ns;
	if (input->now_ns - state->calm_since_ns < config->dwell_ns)
		return false;
	level_enter(state, config, input, held);
	return true;
}

enum level level_at(const struct level_config *config, double fill_pct)
{
	struct level_input input = {.fill_pct = fill_pct, .seconds_to_full = -1};

	return level_entered(config, &input);
}
