/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority: the standing of flows, from pass to pass. */
#include "seniority_private.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "stats/fairness.h"

#define STEPS_PER_RENEWAL 16 /* generations: times are kept to a sixteenth of a renewal */
#define SLOTS_IN_LINE	  8 /* of 8 bytes, in a line of the cache */
#define SLOTS_MAX	  (1u << 28) /* tag * slots must fit in 64 bits */

struct source_row {
	struct ranking_key key;
	uint32_t seniors;
};

struct seniority_config seniority_config_default(void)
{
	return (struct seniority_config){
		.max_flows = 262144,
		.max_sources = 65536,
		.renewal_ns = 30 * 1000000000LL,
		.activity_ns = 2 * 1000000000LL,
		.source_prefix = {32, 64},
		.established_floor_sec = 7440,
		.stream_floor_sec = 120,
	};
}

struct seniority *seniority_new(const struct seniority_config *config)
{
	const struct rows_shape shape = {.row_size = sizeof(struct source_row),
					 .key_size = sizeof(struct ranking_key),
					 .weight_offset = offsetof(struct source_row, seniors),
					 .max = config->max_sources ? config->max_sources : 1};
	struct seniority *s = mem_alloc(sizeof(*s));

	s->config = *config;
	s->key = siphash_key_random();
	s->slot_count = config->max_flows + config->max_flows / 3 + 1;
	if (s->slot_count > SLOTS_MAX)
		s->slot_count = SLOTS_MAX;
	s->slots = mem_scattered(slots_all(s), sizeof(*s->slots));
	s->sources = rows_new(&shape, siphash_key_random(), NULL, NULL);
	s->source_counts = mem_array(shape.max, sizeof(*s->source_counts));
	s->counts.fair_share = UINT32_MAX;
	return s;
}

void seniority_free(struct seniority *s)
{
	if (!s)
		return;
	rows_free(s->sources);
	free(s->source_counts);
	free(s->slots);
	free(s);
}

size_t seniority_bytes(const struct seniority *s)
{
	return sizeof(*s) + slots_all(s) * sizeof(*s->slots) + rows_bytes(s->sources) +
	       s->config.max_sources * sizeof(*s->source_counts);
}

uint64_t seniority_tag(const struct seniority *s, const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];
	size_t bytes = orig->family == AF_INET ? 4 : 16;
	uint8_t buf[40];
	uint64_t tag;

	memcpy(buf, &orig->sport, 2);
	memcpy(buf + 2, &orig->dport, 2);
	memcpy(buf + 4, &flow->zone, 2);
	buf[6] = orig->protocol;
	buf[7] = orig->family;
	memcpy(buf + 8, orig->src, bytes);
	memcpy(buf + 8 + bytes, orig->dst, bytes);
	tag = siphash(buf, 8 + 2 * bytes, s->key) >> TAG_SHIFT;
	return tag ? tag : 1;
}

uint64_t *seniority_find(const struct seniority *s, uint64_t tag)
{
	uint64_t *slot = s->slots + slot_home(s, tag);

	for (int i = 0; i < PROBES && *slot; i++, slot++)
		if (*slot >> TAG_SHIFT == tag)
			return slot;
	return NULL;
}

/* Who stays where room is short: the standing first, then who was seen by this pass. */
static unsigned worth(const struct seniority *s, const struct slot *slot)
{
	return (unsigned)slot->state * 4 + (slot->seen == s->parity ? 2 : 0) +
	       (slot->active || slot->was_active ? 1 : 0);
}

void seniority_place(struct seniority *s, const struct slot *slot)
{
	uint64_t *at = s->slots + slot_home(s, slot->tag), *least = NULL;
	unsigned least_worth = worth(s, slot);

	for (int i = 0; i < PROBES; i++, at++) {
		struct slot there;

		if (!*at) {
			*at = slot_pack(slot);
			return;
		}
		there = slot_unpack(*at);
		if (worth(s, &there) < least_worth) {
			least_worth = worth(s, &there);
			least = at;
		}
	}
	s->counts.gave_way++; /* the neighbour, or the new one itself */
	if (least)
		*least = slot_pack(slot);
}

static void count_slot(struct seniority_counts *counts, enum slot_state state)
{
	counts->flows++;
	counts->base += state != SLOT_NEW;
	counts->candidates += state == SLOT_CANDIDATE;
	counts->seniors += state == SLOT_SENIOR;
}

/* In one walk: each slot is lifted and put into the first free one from its home on, which is not
 * behind where it was, as all before it are settled. */
void seniority_sweep(struct seniority *s, bool drop_unseen)
{
	struct seniority_counts *counts = &s->counts;

	counts->flows = counts->base = counts->candidates = counts->seniors = 0;
	for (size_t i = 0; i < slots_all(s); i++) {
		struct slot slot;
		uint64_t *at;

		if (!s->slots[i])
			continue;
		slot = slot_unpack(s->slots[i]);
		s->slots[i] = 0;
		if (drop_unseen && slot.seen != s->parity) {
			counts->lapsed += slot.state == SLOT_SENIOR;
			continue;
		}
		slot.seen = s->parity;
		if (slot.generation &&
		    (s->generation + GENERATIONS - 1 - slot.generation) % (GENERATIONS - 1) >
			    GENERATION_OLD)
			slot.generation = 0;
		for (at = s->slots + slot_home(s, slot.tag); *at; at++)
			;
		*at = slot_pack(&slot);
		count_slot(counts, slot.state);
	}
}

void seniority_begin(struct seniority *s, int64_t now_ns, bool is_calm, uint64_t senior_budget)
{
	if (s->is_open)
		seniority_end(s, false);
	s->is_open = true;
	s->now_ns = now_ns;
	s->is_calm = is_calm;
	s->budget = senior_budget;
	s->parity = !s->parity;
	if (!s->generation ||
	    now_ns - s->generation_ns >= s->config.renewal_ns / STEPS_PER_RENEWAL) {
		s->generation = s->generation % (GENERATIONS - 1) + 1;
		s->generation_ns = now_ns;
	}
	/* Who joined by an earlier pass of the same generation counts as joined by this one: never
	 * too early, and too late by a sixteenth of a renewal at most. */
	s->times[s->generation] = now_ns;
	s->is_mark = now_ns - s->mark_ns >= s->config.activity_ns;
	if (s->is_mark)
		s->mark_ns = now_ns;
	s->counts.over_share = 0;
	s->rest = s->spare;
	/* In a surge nobody rises; whom user space puts in meanwhile the next pass counts. */
	s->is_bounded = is_calm || s->counts.fair_share != UINT32_MAX || s->counts.seniors > seniority_budget(s);
	rows_clear(s->sources);
}

void seniority_look(struct seniority *s, int64_t now_ns)
{
	if (s->is_open)
		seniority_end(s, false);
	s->now_ns = now_ns;
	s->is_calm = s->is_mark = false;
	s->is_bounded = s->counts.fair_share != UINT32_MAX;
	s->counts.over_share = 0;
	s->rest = s->spare;
	rows_clear(s->sources);
}

/* Joined at least a renewal ago. */
static bool is_ripe(const struct seniority *s, const struct slot *slot, int64_t now_ns)
{
	return !slot->generation || now_ns - s->times[slot->generation] >= s->config.renewal_ns;
}

/* First seen an activity span ago. The generation of what is new is when it was seen first. */
static bool is_tried(const struct seniority *s, const struct slot *slot)
{
	return slot->state != SLOT_NEW || !slot->generation ||
	       s->now_ns - s->times[slot->generation] >= s->config.activity_ns;
}

bool seniority_is_idle(const struct seniority *s, const struct flow_facts *facts)
{
	uint32_t floor = facts->class == FLOW_CLASS_ESTABLISHED ? s->config.established_floor_sec
								: s->config.stream_floor_sec;

	return facts->has_idle && facts->idle_sec > floor;
}

/* Traffic since the look that the digest is of. */
static bool has_traffic(int64_t now_ns, const struct slot *slot, const struct flow *flow,
			const struct flow_facts *facts)
{
	uint16_t now = seniority_digest(now_ns, flow), changed = now ^ slot->digest;

	if (!facts->is_answered)
		return false;
	if (flow->has & FLOW_HAS_COUNTERS)
		return (changed & 0xff00) && (changed & 0xff);
	/* Where idle cannot be told (TCP with unacknowledged data), what was there in the calm has
	 * the benefit of the doubt; anybody can make such a flow. */
	if (!facts->has_idle)
		return slot->state != SLOT_NEW && facts->class == FLOW_CLASS_ESTABLISHED;
	/* Idle is rounded: the last packet may be up to a second older. */
	return (uint16_t)(now - slot->digest) >= 2 * ((uint64_t)facts->idle_sec + 1);
}

static void look_at_traffic(const struct seniority *s, struct slot *slot, const struct flow *flow,
			    const struct flow_facts *facts)
{
	bool traffic = has_traffic(s->now_ns, slot, flow, facts);

	if (!s->is_mark) {
		slot->active |= traffic;
		return;
	}
	slot->was_active = slot->active;
	slot->active = traffic;
	slot->digest = seniority_digest(s->now_ns, flow);
}

/* What this pass makes of its standing. */
static void rise_or_lapse(struct seniority *s, struct slot *slot, const struct flow_facts *facts,
			  bool no_idle)
{
	bool worthy = facts->is_answered && (no_idle || !seniority_is_idle(s, facts));

	if (!worthy) {
		s->counts.lapsed += slot->state == SLOT_SENIOR;
		if (slot->state != SLOT_NEW || s->is_calm)
			slot->state = SLOT_BASE;
		return;
	}
	if (!s->is_calm)
		return;
	if (slot->state == SLOT_NEW || slot->state == SLOT_BASE) {
		slot->state = SLOT_CANDIDATE;
		slot->generation = s->generation;
	} else if (slot->state == SLOT_CANDIDATE && is_ripe(s, slot, s->now_ns)) {
		slot->state = SLOT_SENIOR;
		slot->generation = s->generation;
	}
}

/* ---- one flow ---- */

void seniority_fetch(const struct seniority *s, const struct flow *flow,
		     struct seniority_hint *ret_hint)
{
	ret_hint->tag = seniority_tag(s, flow);
	ret_hint->has_source = false;
	__builtin_prefetch(s->slots + slot_home(s, ret_hint->tag), 1);
	/* Where the slots are full the search goes on in the next line. */
	__builtin_prefetch(s->slots + slot_home(s, ret_hint->tag) + SLOTS_IN_LINE, 1);
}

static void find_source(const struct seniority *s, const struct flow *flow,
			struct seniority_hint *hint)
{
	const struct ranking_config by_source = {.by = RANKING_BY_SOURCE,
						 .prefix_len = {s->config.source_prefix[0],
								s->config.source_prefix[1]}};

	hint->has_source = true;
	hint->source = ranking_key_of(&by_source, flow);
	hint->source_hash = rows_hash(s->sources, &hint->source);
}

void seniority_fetch_source(const struct seniority *s, const struct flow *flow,
			    struct seniority_hint *hint)
{
	const uint64_t *at = s->is_bounded ? seniority_find(s, hint->tag) : NULL; /* the search costs 10 ns */

	if (!at || slot_unpack(*at).state != SLOT_SENIOR)
		return;
	find_source(s, flow, hint);
	rows_prefetch_index(s->sources, hint->source_hash);
}

void seniority_fetch_row(const struct seniority *s, const struct seniority_hint *hint)
{
	if (hint->has_source)
		rows_prefetch_row(s->sources, hint->source_hash);
}

/* Counts a senior of its source; false: beyond the fair share. */
static bool is_within_share(struct seniority *s, const struct flow *flow,
			    struct seniority_hint *hint)
{
	struct source_row *row;

	if (!hint->has_source)
		find_source(s, flow, hint);
	row = rows_get_hashed(s->sources, &hint->source, hint->source_hash);
	if (++row->seniors <= s->counts.fair_share)
		return true;
	/* What the level leaves of the budget goes to whom the pass meets first: where sources are
	 * more than the budget the level is 0. */
	if (row->seniors - 1 == s->counts.fair_share && s->rest) {
		s->rest--;
		return true;
	}
	s->counts.over_share++;
	return false;
}

struct standing seniority_see(struct seniority *s, const struct flow *flow,
			      const struct flow_facts *facts)
{
	struct seniority_hint hint = {.tag = seniority_tag(s, flow)};

	return seniority_see_fetched(s, flow, facts, &hint);
}

struct standing seniority_see_fetched(struct seniority *s, const struct flow *flow,
				      const struct flow_facts *facts, struct seniority_hint *hint)
{
	struct standing standing = {.is_known = false};
	struct slot slot = {.tag = hint->tag, .seen = s->parity};
	uint64_t *at = seniority_find(s, hint->tag);

	if (!at && !s->is_calm && !facts->is_answered)
		return standing;
	if (at) {
		slot = slot_unpack(*at);
		standing.is_tried = is_tried(s, &slot);
		standing.is_known = true;
		standing.is_base = slot.state != SLOT_NEW;
		/* A look between passes meets what the last one has seen. */
		if (slot.seen != s->parity || !s->is_mark)
			look_at_traffic(s, &slot, flow, facts);
		slot.seen = s->parity;
	} else {
		slot.generation = s->generation;
		slot.digest = seniority_digest(s->now_ns, flow);
	}
	standing.is_adopted = seniority_has_no_idle(s, &slot, flow, facts);
	standing.is_put = slot.adopted;
	rise_or_lapse(s, &slot, facts, standing.is_adopted);
	standing.is_base |= slot.state != SLOT_NEW;
	standing.is_active = slot.active || slot.was_active;
	if (at)
		*at = slot_pack(&slot);
	else
		seniority_place(s, &slot);
	if (slot.state == SLOT_SENIOR) {
		standing.is_senior = !s->is_bounded || is_within_share(s, flow, hint);
		standing.is_over_share = !standing.is_senior;
	}
	return standing;
}

/* ---- end of the pass, surge ---- */

static void find_fair_share(struct seniority *s)
{
	size_t n = rows_used(s->sources);
	uint64_t budget = seniority_budget(s), given = 0;

	for (size_t i = 0; i < n; i++)
		s->source_counts[i] = ((const struct source_row *)rows_at(s->sources, i))->seniors;
	s->counts.fair_share = budget ? fairness_level(s->source_counts, n, budget) : UINT32_MAX;
	for (size_t i = 0; i < n; i++)
		given += s->source_counts[i] < s->counts.fair_share ? s->source_counts[i]
								    : s->counts.fair_share;
	s->spare = budget > given ? budget - given : 0;
}

void seniority_end(struct seniority *s, bool is_complete)
{
	if (!s->is_open)
		return;
	s->is_open = false;
	seniority_sweep(s, is_complete);
	if (!is_complete)
		return;
	if (s->is_bounded)
		find_fair_share(s);
	if (s->is_calm && !s->has_calm_since) {
		s->has_calm_since = true;
		s->calm_since_ns = s->now_ns;
	}
	/* Adopted seniors alone tell nothing of a calm. */
	if (s->is_calm && (s->counts.seniors || s->now_ns - s->calm_since_ns >= s->config.renewal_ns))
		s->counts.is_ready = true;
}

void seniority_surge(struct seniority *s, int64_t now_ns)
{
	s->has_calm_since = s->is_calm = false;
	for (size_t i = 0; i < slots_all(s); i++) {
		struct slot slot;

		if (!s->slots[i])
			continue;
		slot = slot_unpack(s->slots[i]);
		if (slot.state == SLOT_SENIOR && !is_ripe(s, &slot, now_ns)) {
			s->counts.struck++;
			s->counts.seniors--;
		} else if (slot.state == SLOT_CANDIDATE) {
			s->counts.candidates--;
		} else {
			continue;
		}
		slot.state = SLOT_BASE;
		s->slots[i] = slot_pack(&slot);
	}
}

bool seniority_is_senior(const struct seniority *s, const struct flow *flow)
{
	const uint64_t *at = seniority_find(s, seniority_tag(s, flow));

	return at && slot_unpack(*at).state == SLOT_SENIOR;
}

bool seniority_shows_traffic(const struct seniority *s, int64_t now_ns, const struct flow *flow,
			     const struct flow_facts *facts)
{
	const uint64_t *at = seniority_find(s, seniority_tag(s, flow));
	struct slot slot;

	if (!at)
		return false;
	slot = slot_unpack(*at);
	return has_traffic(now_ns, &slot, flow, facts);
}

uint64_t seniority_adopted(const struct seniority *s)
{
	return s->counts.adopted;
}

struct seniority_counts seniority_counts_get(const struct seniority *s)
{
	return s->counts;
}
