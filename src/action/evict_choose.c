/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_choose: after the pass: of those it has chosen, who goes in this round, who may go in the next ones, and
 * who lives after all. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "evict_private.h"

#define LAST_ROOM_DIVISOR 20 /* of the capacity: 5 % */

/* The pass does not bear a signature out: what is taken only because it fits lives. */
static void drop_refuted(const struct eviction *e, struct lane *lane)
{
	for (size_t i = 0; i < e->signature_count; i++)
		if (!e->signatures[i].is_confirmed)
			victims_refute(lane->pool, i);
}

/* Who was put in by user space while the pass went on is no victim. */
static size_t without_seniors(const struct eviction *e, struct lane *lane, struct victim *victims, size_t count)
{
	size_t kept = 0;

	guard_take_in(e->table);
	for (size_t i = 0; i < count; i++) {
		if (evict_is_senior_now(e, &victims[i]))
			lane->record->spared_by[VICTIM_SPARED_SENIOR]++;
		else
			victims[kept++] = victims[i];
	}
	return kept;
}

/* What the rules before have done beyond what the decision counts on already. */
static uint64_t beyond_promise(uint64_t done, const struct policy_decision *decision)
{
	return done > decision->promised ? done - decision->promised : 0;
}

/* Entries to go that are not gone yet: the sweep, and the pass itself, which evicts what has expired, have made room
 * too. */
static uint64_t room_made(const struct eviction *e, const struct lane *lane, uint64_t freed)
{
	uint64_t now = 0, before = lane->record->entries_before, fell = 0;

	/* What a source, or a class of flows, is to be brought down by nobody else's entries make up for; its own that
	 * the lanes before took do. */
	if (lane->decision->scope != POLICY_SCOPE_TABLE || evict_is_bounded(lane))
		return beyond_promise(lane->made, lane->decision);
	if (!lane->decision->would && !e->table->ports->count(e->table->ports->arg, &now) && now < before)
		fell = before - now;
	/* What came meanwhile hides some of what is done. */
	return beyond_promise(freed + (fell > e->done ? fell : e->done), lane->decision);
}

static size_t still_wanted(const struct lane *lane, size_t chosen, uint64_t made)
{
	uint64_t want = lane->decision->want, may_go = evict_may_go(lane);

	if (want != POLICY_ALL)
		want = want > made ? want - made : 0;
	want = want < may_go ? want : may_go;
	return want < chosen ? (size_t)want : chosen;
}

/* Seniors and who is active go only where all else makes next to no room, and then no further than that. */
static size_t without_last(const struct eviction *e, struct lane *lane, const struct victim *victims, size_t count)
{
	uint64_t least = e->table->capacity / LAST_ROOM_DIVISOR, entries = 0, room;
	size_t kept = 0;

	if (lane->decision->would || e->table->ports->count(e->table->ports->arg, &entries))
		entries = lane->record->entries_before;
	room = e->table->capacity > entries ? e->table->capacity - entries : 0;

	while (kept < count && (victims[kept].stage < VICTIM_ACTIVE || room + kept < least))
		kept++;
	for (size_t i = kept; i < count; i++)
		lane->record
			->spared_by[victims[i].stage == VICTIM_SENIOR ? VICTIM_SPARED_SENIOR : VICTIM_SPARED_ACTIVE]++;
	return kept;
}

static void choose(struct eviction *e, struct lane *lane)
{
	size_t count;

	if (!lane->victims)
		return;
	lane->pool = lane->victims;
	lane->victims = NULL;
	drop_refuted(e, lane);
	lane->chosen = victims_finish(lane->pool, &count, &lane->report);
	lane->chosen_count = without_seniors(e, lane, lane->chosen, count);
}

static void drop_chosen(struct lane *lane)
{
	if (lane->pool)
		victims_free(lane->pool);
	else
		free(lane->chosen);
	lane->pool = NULL;
	lane->chosen = NULL;
}

/* Of the room that others need some is made already. */
static bool goes_now(const struct lane *lane, const struct victim *victim, uint64_t before, uint64_t made)
{
	uint64_t others = lane->max_others > made ? lane->max_others - made : 0;

	return before < (victim->has & VICTIM_HAS_PROOF ? lane->max : others);
}

/* Those that go in this round, at most most of them, before those that may in the next; how many the first are. */
static size_t split(struct lane *lane, size_t most, uint64_t made)
{
	size_t now = 0, then = 0;
	struct victim *later;

	while (now < lane->chosen_count && now < most && goes_now(lane, &lane->chosen[now], now, made))
		now++;
	if (now == lane->chosen_count)
		return now;
	later = mem_array(lane->chosen_count - now, sizeof(*later));
	for (size_t i = now; i < lane->chosen_count; i++) {
		if (now < most && goes_now(lane, &lane->chosen[i], now, made))
			lane->chosen[now++] = lane->chosen[i];
		else
			later[then++] = lane->chosen[i];
	}
	memcpy(lane->chosen + now, later, then * sizeof(*later));
	free(later);
	return now;
}

/* Of births alone a little less does too: they come as fast as room is needed, and what is missing the next round asks
 * for, at last in a pass. */
static uint64_t needed(const struct eviction *e, uint64_t want)
{
	return e->is_heard ? want - want / 4 : want;
}

bool evict_is_chosen_enough(const struct eviction *e)
{
	uint64_t sum = 0, now;

	for (size_t i = 0; i < e->lane_count; i++) {
		const struct lane *lane = &e->lanes[i];

		now = 0;
		for (size_t k = 0; k < lane->chosen_count; k++)
			now += goes_now(lane, &lane->chosen[k], now, beyond_promise(e->done, lane->decision));
		sum += now;
	}
	for (size_t i = 0; i < e->lane_count; i++)
		if (e->lanes[i].decision->want_other &&
		    e->done + sum < e->lanes[i].decision->promised + needed(e, e->lanes[i].decision->want_other))
			return false;
	return sum > 0;
}

void evict_drop_chosen(struct eviction *e)
{
	for (size_t i = 0; i < e->lane_count; i++)
		drop_chosen(&e->lanes[i]);
}

static void count_taken(struct eviction *e, const struct victim *victims, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		e->fits_taken += victims[i].signature != 0;
		e->unanswered_taken +=
			victims[i].stage == VICTIM_UNANSWERED_FIT || victims[i].stage == VICTIM_UNANSWERED;
		if (victims[i].signature && victims[i].class == FLOW_CLASS_UNREPLIED)
			e->taken[victims[i].signature - 1]++;
	}
}

static void finish_lane(struct eviction *e, struct lane *lane, uint64_t freed)
{
	struct action_record *record = lane->record;
	uint64_t made;
	size_t count;

	if (!lane->chosen)
		return;
	made = room_made(e, lane, freed);
	lane->made = made;
	lane->is_unneeded = made && !still_wanted(lane, SIZE_MAX, made);
	count = split(lane, still_wanted(lane, lane->chosen_count, made), made);
	count = without_last(e, lane, lane->chosen, count);
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		record->spared_by[i] += lane->report.spared[i];
	for (size_t i = 0; i < e->signature_count; i++)
		record->by_fit += e->signatures[i].is_confirmed ? lane->report.by_fit[i] : 0;
	record->spared_by[VICTIM_SPARED_FLOOR] += lane->floor_spared;
	record->spared_by[VICTIM_SPARED_YOUNG_FLOW] += lane->young_spared;
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		record->spared += record->spared_by[i];
	evict_tell(e, lane, lane->chosen, count);
	count_taken(e, lane->chosen, count);
	evict_count_taken(e, lane, lane->chosen, count);
	lane->is_within = !evict_may_go(lane);
	if (lane->is_within)
		record->protected_count = 0; /* nothing was to go: what protects the one or the other is no event */
	if (!lane->decision->would && count)
		evict_write(e, lane, lane->chosen, count);
	reserve_keep(&e->guard->reserve, e, lane, lane->chosen + count, lane->chosen_count - count);
	e->done += lane->decision->would ? count : record->done;
	drop_chosen(lane);
}

void evict_choose(struct eviction *e)
{
	for (size_t i = 0; i < e->lane_count; i++)
		choose(e, &e->lanes[i]);
}

void evict_finish(struct eviction *e, uint64_t freed)
{
	for (size_t i = 0; i < e->lane_count; i++)
		finish_lane(e, &e->lanes[i], freed);
}
