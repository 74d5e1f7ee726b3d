/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims: the choice of one pass. Two bounded heaps side by side, one of what fits a
 * signature and one of the others, as each has a budget of its own; the root is the one that stays
 * longest. */
#include "victims_heap.h"
#include "victims_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rows.h"

#define MASTERS_MAX 4096

enum { HEAP_FIT, HEAP_OTHERS, HEAP_COUNT };

struct source_row {
	struct ranking_key key; /* value: the group */
	uint32_t met;
};

struct master_key {
	struct flow_tuple tuple;
	uint16_t zone;
};

struct master_row {
	struct master_key key;
	uint32_t children;
};

/* Candidates under way: the row of a source is a wait for memory, so that several are fetched at a
 * time and ranked later, in the order they came. */
#define UNDER_WAY 16 /* power of two */

struct pending {
	struct victim victim;
	struct ranking_key key; /* source and group */
	uint32_t hash;
	bool is_ranked; /* counts against its source */
	struct victims_heap *heap;
};

struct victims {
	struct victims_config config;
	struct victim *room; /* of both heaps; in the end the answer */
	struct victims_entry *entries;
	size_t room_max, others_max, sources_max;
	struct victims_heap heaps[HEAP_COUNT];
	struct pending pending[UNDER_WAY];
	size_t began, ended; /* of pending, since the last reset */
	struct rows *sources, *masters;
	struct victims_report report;
};

struct victims_config victims_config_default(void)
{
	return (struct victims_config){
		.max = 4096,
		.max_others = 4096,
		.deepest = VICTIM_IDLE,
		.young_sec = 3,
		.established_floor_sec = 7440,
		.stream_floor_sec = 120,
		.source_prefix = {32, 64},
		.max_sources = 65536,
	};
}

struct victims *victims_new(const struct victims_config *config)
{
	struct rows_shape sources = {.row_size = sizeof(struct source_row),
				     .key_size = sizeof(struct ranking_key),
				     .weight_offset = offsetof(struct source_row, met),
				     .max = config->max_sources ? config->max_sources : 1};
	struct rows_shape masters = {.row_size = sizeof(struct master_row),
				     .key_size = sizeof(struct master_key),
				     .weight_offset = offsetof(struct master_row, children),
				     .max = MASTERS_MAX};
	struct victims *v = mem_alloc(sizeof(*v));

	v->room_max = config->max;
	v->others_max = config->max_others < config->max ? config->max_others : config->max;
	v->room = mem_array(v->room_max + v->others_max + 1, sizeof(*v->room));
	v->entries = mem_array(v->room_max + v->others_max + 1, sizeof(*v->entries));
	v->sources = rows_new(&sources, siphash_key_random(), NULL, NULL);
	v->masters = rows_new(&masters, siphash_key_random(), NULL, NULL);
	victims_reset(v, config);
	return v;
}

void victims_free(struct victims *v)
{
	if (!v)
		return;
	rows_free(v->sources);
	rows_free(v->masters);
	free(v->entries);
	free(v->room);
	free(v);
}

size_t victims_bytes(const struct victims *v)
{
	return sizeof(*v) +
	       (v->room_max + v->others_max + 1) * (sizeof(*v->room) + sizeof(*v->entries)) +
	       rows_bytes(v->sources) + rows_bytes(v->masters);
}

void victims_reset(struct victims *v, const struct victims_config *config)
{
	v->config = *config;
	if (v->config.max > v->room_max)
		v->config.max = v->room_max;
	if (v->config.max_others > v->config.max)
		v->config.max_others = v->config.max;
	if (v->config.max_others > v->others_max)
		v->config.max_others = v->others_max;
	v->heaps[HEAP_FIT] =
		(struct victims_heap){.victims = v->room, .entries = v->entries, .max = v->config.max};
	v->heaps[HEAP_OTHERS] = (struct victims_heap){.victims = v->room + v->room_max,
						      .entries = v->entries + v->room_max,
						      .max = v->config.max_others};
	v->began = v->ended = 0;
	rows_clear(v->sources);
	rows_clear(v->masters);
	memset(&v->report, 0, sizeof(v->report));
}

/* ---- the pass ---- */

static void fill_victim(struct victim *victim, const struct flow *flow,
			const struct flow_facts *facts)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];

	memcpy(victim->src, orig->src, sizeof(victim->src));
	memcpy(victim->dst, orig->dst, sizeof(victim->dst));
	victim->sport = orig->sport;
	victim->dport = orig->dport;
	victim->zone = flow->zone;
	victim->zone_reply = flow->zone_reply;
	victim->id = flow->id;
	victim->timeout_sec = flow->timeout_sec;
	victim->family = orig->family;
	victim->protocol = orig->protocol;
	victim->state = flow->state;
	victim->class = (uint16_t)facts->class & 0xf;
	victim->has |= (uint8_t)((flow->has & FLOW_HAS_ID ? VICTIM_HAS_ID : 0) |
				(flow->has & FLOW_HAS_TIMEOUT ? VICTIM_HAS_TIMEOUT : 0) |
				(facts->has_idle ? VICTIM_HAS_IDLE : 0) |
				(flow->status & FLOW_STATUS_SEEN_REPLY ? VICTIM_HAS_REPLY : 0));
	victim->idle_code = facts->has_idle ? victims_encode_idle(facts->idle_sec) : 0;
}

void victims_see(struct victims *v, const struct flow *flow)
{
	struct master_key key = {.tuple = flow->master, .zone = flow->zone};
	struct master_row *row;

	if (!(flow->has & FLOW_HAS_MASTER))
		return;
	row = rows_get(v->masters, &key);
	row->children++;
}

/* The how-manieth flow of its source in its group, then the heap. */
static void end_candidate(struct victims *v)
{
	struct pending *p = &v->pending[v->ended++ % UNDER_WAY];
	struct source_row *row;

	if (p->is_ranked) {
		row = rows_get_hashed(v->sources, &p->key, p->hash);
		p->victim.order |= (uint64_t)++row->met << ORDER_RANK_SHIFT;
	}
	if (victims_heap_has_room(p->heap, p->victim.order))
		*victims_heap_add(p->heap, p->victim.order) = p->victim;
}

static void begin_candidate(struct victims *v, const struct flow *flow,
			    const struct flow_facts *facts, struct victims_heap *heap,
			    const struct victim *victim)
{
	const struct ranking_config by_source = {.by = RANKING_BY_SOURCE,
						 .prefix_len = {v->config.source_prefix[0],
								v->config.source_prefix[1]}};
	struct pending *p;

	if (v->began - v->ended == UNDER_WAY)
		end_candidate(v);
	p = &v->pending[v->began++ % UNDER_WAY];
	p->heap = heap;
	p->victim = *victim;
	fill_victim(&p->victim, flow, facts);
	/* Who stands as the source of a pickup is not to blame. */
	p->is_ranked = facts->class != FLOW_CLASS_PICKUP && !v->config.of_one_source;
	if (p->is_ranked) {
		p->key = ranking_key_of(&by_source, flow);
		p->key.value = (uint32_t)(victim->order >> ORDER_STEP_SHIFT);
		p->hash = rows_hash(v->sources, &p->key);
		rows_prefetch_index(v->sources, p->hash);
	}
	if (v->began - v->ended > UNDER_WAY / 2) {
		p = &v->pending[(v->began - UNDER_WAY / 2) % UNDER_WAY];
		if (p->is_ranked)
			rows_prefetch_row(v->sources, p->hash);
	}
}

static void try_candidate(struct victims *v, const struct flow *flow,
			  const struct flow_facts *facts, struct victims_heap *heap, struct victim *victim)
{
	/* What is not let in whatever its rank never will be: a full heap only gets choosier. */
	if (!victims_heap_has_room(heap, victim->order | ORDER_REST))
		return;
	if (v->config.is_protected && v->config.is_protected(flow, v->config.protected_arg)) {
		v->report.spared[VICTIM_SPARED_PROTECTED]++;
		return;
	}
	if (facts->has_idle)
		victim->order |= facts->idle_sec < ORDER_IDLE_MAX ? facts->idle_sec
								  : ORDER_IDLE_MAX;
	begin_candidate(v, flow, facts, heap, victim);
}

void victims_offer(struct victims *v, const struct flow *flow, const struct flow_facts *facts,
		   const struct standing *standing, bool goes_by_fit)
{
	int fits = signature_match_any(v->config.signatures, v->config.signature_count, flow,
				       facts->class);
	enum victim_spared spared = victims_spared_by_kind(&v->config, flow, facts->class);
	const struct signature *signature = fits < 0 ? NULL : &v->config.signatures[fits];
	bool has_rank = standing->is_senior || standing->is_over_share;
	struct victim victim = {.signature = (uint8_t)(fits + 1) & 0xf, .has = has_rank ? VICTIM_HAS_RANK : 0};
	struct victims_fit fit = victims_fit_of(&v->config, signature, facts, standing);
	enum victim_stage stage, alone;

	v->report.offered++;
	v->report.fits += fits >= 0;
	victims_see(v, flow);
	if (spared != VICTIM_SPARED_COUNT) {
		v->report.spared[spared]++;
		return;
	}
	stage = victims_stage_of(&v->config, facts, standing, fit.raises, fit.is_weak);
	v->report.candidates[stage]++;
	if (stage > v->config.deepest) {
		v->report.spared[victims_spared_by_depth(stage)]++;
		return;
	}
	alone = fit.raises || fit.is_weak ? victims_stage_of(&v->config, facts, standing, false, false) : stage;
	if (goes_by_fit)
		alone = VICTIM_STAGE_COUNT;
	if (signature && alone > v->config.deepest)
		v->report.by_fit[fits]++;
	victim.stage = (uint16_t)stage & 0xf;
	victim.alone = (uint8_t)alone & 0xf;
	victim.order = victims_group_order(&v->config, facts, stage, fit.is_weak, standing->is_tried);
	fit.is_proven |= !standing->is_put && victims_is_long_dead(stage, victim.order);
	victim.has |= (uint8_t)((fit.is_proven ? VICTIM_HAS_PROOF : 0) |
				(victims_may_have_use(flow, standing) ? VICTIM_HAS_USE : 0));
	try_candidate(v, flow, facts, &v->heaps[fit.is_proven ? HEAP_FIT : HEAP_OTHERS], &victim);
}

/* ---- the answer ---- */

static bool is_master(const struct victims *v, const struct victim *victim)
{
	struct master_key key = {.tuple = {.family = victim->family,
					   .protocol = victim->protocol,
					   .sport = victim->sport,
					   .dport = victim->dport},
				 .zone = victim->zone};

	memcpy(key.tuple.src, victim->src, sizeof(victim->src));
	memcpy(key.tuple.dst, victim->dst, sizeof(victim->dst));
	return rows_find(v->masters, &key);
}

static void drop_masters(struct victims *v, struct victims_heap *heap)
{
	size_t kept = 0;

	if (!rows_used(v->masters))
		return;
	for (size_t i = 0; i < heap->used; i++) {
		if (is_master(v, &heap->victims[i]))
			v->report.spared[VICTIM_SPARED_CHILD]++;
		else
			heap->victims[kept++] = heap->victims[i];
	}
	heap->used = kept;
}

/* Walks both sorted heaps as one and cuts them to what their budgets allow. */
static void cut(struct victims *v)
{
	struct victims_heap *fit = &v->heaps[HEAP_FIT], *others = &v->heaps[HEAP_OTHERS];
	size_t i = 0, j = 0, taken = 0;
	size_t kept[HEAP_COUNT] = {0};

	while (taken < v->config.max && (i < fit->used || j < others->used)) {
		bool is_fit = i < fit->used &&
			      (j == others->used || fit->victims[i].order > others->victims[j].order);
		struct victims_heap *heap = is_fit ? fit : others;
		struct victim *victim = &heap->victims[is_fit ? i++ : j++];

		/* A signature that was refuted has left some with the fitting ones. */
		if (!(victim->has & VICTIM_HAS_PROOF) && taken >= v->config.max_others)
			continue;
		heap->victims[kept[is_fit ? HEAP_FIT : HEAP_OTHERS]++] = *victim;
		taken++;
	}
	fit->used = kept[HEAP_FIT];
	others->used = kept[HEAP_OTHERS];
}

/* Its order is not that of a heap any more: the answer sorts it. */
static void refute_in(struct victims *v, struct victims_heap *heap, size_t signature)
{
	size_t kept = 0;

	for (size_t i = 0; i < heap->used; i++) {
		struct victim *victim = &heap->victims[i];

		if (victim->signature == signature + 1) {
			enum victim_spared spared = victims_without_fit(&v->config, victim);

			if (spared != VICTIM_SPARED_COUNT) {
				v->report.spared[spared]++;
				continue;
			}
		}
		heap->victims[kept++] = *victim;
	}
	heap->used = kept;
}

static void end_offers(struct victims *v)
{
	while (v->ended != v->began)
		end_candidate(v);
}

void victims_refute(struct victims *v, size_t signature)
{
	end_offers(v);
	for (int i = 0; i < HEAP_COUNT; i++)
		refute_in(v, &v->heaps[i], signature);
}

struct victim *victims_finish(struct victims *v, size_t *ret_count,
				    struct victims_report *ret_report)
{
	struct victims_heap *fit = &v->heaps[HEAP_FIT], *others = &v->heaps[HEAP_OTHERS];
	size_t count;

	end_offers(v);
	for (int i = 0; i < HEAP_COUNT; i++) {
		victims_heap_sort(&v->heaps[i]);
		drop_masters(v, &v->heaps[i]);
	}
	cut(v);
	victims_heap_merge(fit, others);
	count = fit->used;
	for (size_t i = 0; i < count; i++) {
		v->report.chosen[v->room[i].stage]++;
		v->report.chosen_classes[v->room[i].class]++;
	}
	v->report.sources_folded = rows_evicted(v->sources);
	v->report.masters = rows_used(v->masters);
	*ret_report = v->report;
	*ret_count = count;
	return v->room;
}
