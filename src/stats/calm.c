/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/calm: growth against its usual band.
 *
 * The band is so many standard deviations of the growth in one second, plus a floor, so that a
 * table that never moved may move a little. The deviation is taken from the differences between one
 * second and the next (von Neumann 1941), kept as an EWMA with a time constant of a minute: what
 * grows steadily is no noise, so that a ramp never becomes usual however long it lasts. What a
 * second teaches is bounded, and the band has a cap, so that on/off bursts cannot stretch it for
 * ever. Two windows are judged at every input, also while they are still open: a rush shows at
 * once, a slow ramp within 10 s. Growth is net of what user space put in and of what we took out
 * ourselves. A fall is no surge.
 */
#include "stats/calm.h"

#include <math.h>

#define NS_IN_SEC	1e9
#define LEARN		(1.0 / 64)
#define LEARN_DEVIATION 1.5 /* what a second outside the band counts as at most */

static const double window_sec[CALM_WINDOWS] = {1, 10};

struct calm_config calm_config_default(void)
{
	return (struct calm_config){
		.calm_after_ns = 10 * 1000000000LL,
		.floor_pct = 2,
		.floor_entries = 64,
		.deviations = 4,
		.max_band_pct = 2,
	};
}

static double floor_of(const struct calm_config *config, uint64_t capacity)
{
	double floor = config->floor_pct / 100 * (double)capacity;

	return floor > config->floor_entries ? floor : config->floor_entries;
}

/* The most growth in sec seconds that is usual. */
static double band(const struct calm_state *state, const struct calm_config *config,
		   uint64_t capacity, double sec)
{
	double spread = config->deviations * sqrt(state->variance);
	double cap = config->max_band_pct / 100 * (double)capacity;

	if (capacity && spread > cap)
		spread = cap;
	return spread * sqrt(sec) + floor_of(config, capacity);
}

/* growth per second, seen for sec. */
static void learn(struct calm_state *state, double growth, double sec, double floor)
{
	double weight = sec < 1 ? LEARN * sec : LEARN;
	double off = fabs(growth - state->growth) / sqrt(2);
	double most = LEARN_DEVIATION * sqrt(state->variance);

	if (most < floor / 4)
		most = floor / 4;
	if (off > most)
		off = most;
	state->growth = growth;
	state->variance += weight * (off * off - state->variance);
}

static void open_windows(struct calm_state *state, int64_t now_ns)
{
	for (int i = 0; i < CALM_WINDOWS; i++)
		state->windows[i] = (struct calm_window){.start_ns = now_ns};
}

/* Adds growth to both windows, closes those that have had their time. True: one of them is above
 * the band. */
static bool is_above(struct calm_state *state, const struct calm_config *config,
		     const struct calm_input *input, double growth)
{
	bool above = false;

	for (int i = 0; i < CALM_WINDOWS; i++) {
		struct calm_window *window = &state->windows[i];
		double sec = (double)(input->now_ns - window->start_ns) / NS_IN_SEC;
		bool is_over;

		window->growth += growth;
		is_over = window->growth > band(state, config, input->capacity, sec);
		above |= is_over;
		/* One that is above begins anew: what was told shall not be told for 10 s more. */
		if (sec < window_sec[i] && !is_over)
			continue;
		if (i == 0 && sec > 0)
			learn(state, window->growth / sec, sec, floor_of(config, input->capacity));
		*window = (struct calm_window){.start_ns = input->now_ns};
	}
	return above;
}

struct calm_verdict calm_update(struct calm_state *state, const struct calm_config *config,
				const struct calm_input *input)
{
	struct calm_verdict verdict = {.is_calm = state->is_calm};
	bool drops = input->dropped > input->insert_failed, above;
	double growth;

	if (!state->has_last || input->now_ns < state->last_ns) { /* told a time that went back */
		state->has_last = true;
		state->settled_ns = input->now_ns;
		state->last_ns = input->now_ns;
		state->last_entries = input->entries;
		open_windows(state, input->now_ns);
	}
	growth = (double)input->entries - (double)state->last_entries + (double)input->removed -
		 (double)input->adopted;
	state->last_ns = input->now_ns;
	state->last_entries = input->entries;
	above = is_above(state, config, input, growth);
	if (above || drops) {
		state->settled_ns = input->now_ns;
		verdict.surge_began = !state->in_surge;
		state->in_surge = true;
		state->is_calm = false;
	} else if (input->now_ns - state->settled_ns >= config->calm_after_ns) {
		verdict.surge_ended = state->in_surge;
		state->in_surge = false;
		state->is_calm = true;
	}
	verdict.is_calm = state->is_calm;
	return verdict;
}
