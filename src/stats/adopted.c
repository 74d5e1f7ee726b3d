/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/adopted: the counter `insert` against the events. */
#include "stats/adopted.h"

#define PATIENCE_NS 10000000000LL /* events come some milliseconds after the counter; a busy listener is late */
#define SLACK	    64

/* Inserts that stay without an event for long were not asked for by a socket. */
static void compare(struct adopted_state *state, const struct adopted_input *input)
{
	uint64_t told = input->put + input->lost, unexplained = state->unexplained + input->inserts;

	state->unexplained = unexplained > told ? unexplained - told : 0;
	if (!input->is_listening)
		state->unexplained = 0;
	if (state->unexplained <= SLACK)
		state->since_ns = 0;
	else if (!state->since_ns)
		state->since_ns = input->now_ns;
	else if (input->now_ns - state->since_ns >= PATIENCE_NS)
		state->is_doubtful = true;
}

uint64_t adopted_update(struct adopted_state *state, const struct adopted_input *input)
{
	uint64_t added;

	compare(state, input);
	added = state->is_doubtful ? input->put : input->inserts;
	return added > input->deleted ? added - input->deleted : 0;
}
