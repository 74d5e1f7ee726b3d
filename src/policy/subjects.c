/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/subjects: what is remembered of single sources and prefixes: when a rule may come back to
 * one of them. One that a rule cannot help with (protected, already banned) holds back itself alone
 * and not the rule, or whoever puts up such a one would shield all others. */
#include <string.h>

#include "base/clock.h"
#include "state.h"

#define FORGET_NS (2 * POLICY_PAUSE_MAX_NS) /* after its pause: what did not help then may help now */

static struct subject_state *find(struct policy_memory *memory, size_t rule,
				  const struct ranking_key *key)
{
	for (size_t i = 0; i < memory->subject_count; i++)
		if (memory->subjects[i].rule == rule &&
		    !memcmp(&memory->subjects[i].key, key, sizeof(*key)))
			return &memory->subjects[i];
	return NULL;
}

static struct subject_state *find_or_add(struct policy_memory *memory, size_t rule,
					 const struct ranking_key *key)
{
	struct subject_state *state = find(memory, rule, key);

	if (state)
		return state;
	if (memory->subject_count < SUBJECTS_MAX) {
		state = &memory->subjects[memory->subject_count++];
	} else {
		/* Who is the next to be looked at again loses least. */
		state = &memory->subjects[0];
		for (size_t i = 1; i < SUBJECTS_MAX; i++)
			if (memory->subjects[i].ready_ns < state->ready_ns)
				state = &memory->subjects[i];
	}
	*state = (struct subject_state){.rule = rule, .key = *key};
	return state;
}

void subjects_forget_old(struct policy_memory *memory, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < memory->subject_count; i++) {
		const struct subject_state *state = &memory->subjects[i];
		int64_t until_ns = state->ready_ns + (state->ineffective ? FORGET_NS : 0);

		if (until_ns > now_ns)
			memory->subjects[kept++] = *state;
	}
	memory->subject_count = kept;
}

bool subject_is_ready(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		      int64_t now_ns)
{
	const struct subject_state *state = find(memory, rule, key);

	return !state || state->ready_ns <= now_ns;
}

void subject_hold(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		  int64_t until_ns)
{
	struct subject_state *state = find_or_add(memory, rule, key);

	if (until_ns > state->ready_ns)
		state->ready_ns = until_ns;
}

void subject_judge(struct policy_memory *memory, size_t rule, const struct ranking_key *key,
		   bool has_helped, int64_t now_ns)
{
	struct subject_state *state = has_helped ? find(memory, rule, key)
						 : find_or_add(memory, rule, key);

	if (!state)
		return;
	if (has_helped) {
		state->ineffective = 0;
		return;
	}
	state->ineffective++;
	subject_hold(memory, rule, key, now_ns + memory_pause_ns(state->ineffective));
}

void policy_memory_forget_settled(struct policy_memory *memory)
{
	memory->subject_count = 0;
}
