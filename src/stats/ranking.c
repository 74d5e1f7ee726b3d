/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/ranking: rows of base/rows with counts. The sum of everything is kept beside the rows,
 * those that gave way too, so that totals cost nothing: rows + folded = sum, always.
 *
 * Classes, udp and bytes are of the pass (ranking_add). Births and deaths change entries alone:
 * a NEW event tells the class of a flow's first packet only, a DESTROY event none. */
#include "stats/ranking.h"

#include <math.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rows.h"

#define RATE_HALF_LIFE_NS 2000000000.0
#define LATE_SEC	  5.0 /* births are of late as long as their rate still tells of them */
#define RATE_FORGOTTEN	  0.05f /* new flows per second: an empty row under this goes */

/* Changes on their way to their rows: while some wait for memory, others are decoded. */
#define PENDING_MAX 32

enum change { CHANGE_ADD, CHANGE_APPEAR, CHANGE_BORN, CHANGE_DIED, CHANGE_TAKEN };

struct pending {
	struct ranking_key key;
	uint32_t hash;
	enum change change;
	enum flow_class class; /* this and what follows: CHANGE_ADD alone */
	bool is_udp;
	uint64_t bytes;
};

struct ranking {
	struct ranking_config config;
	struct rows *rows;
	struct ranking_row sum;
	uint64_t entries, folded_entries, folded_keys;
	struct pending pending[PENDING_MAX];
	size_t pending_used;
};

_Static_assert(sizeof(struct ranking_key) == 24, "ranking keys are compared as bytes");

static const char *const column_names[RANKING_COLUMN_COUNT] = {
	[RANKING_UNREPLIED] = "unreplied",
	[RANKING_HALF_OPEN] = "half_open",
	[RANKING_ESTABLISHED] = "established",
	[RANKING_CLOSING] = "closing",
	[RANKING_UDP] = "udp",
	[RANKING_OTHER] = "other",
};

const char *ranking_column_name(enum ranking_column column)
{
	return column_names[column];
}

/* Pickups, offloaded flows, and the two-way ones that are neither TCP nor UDP. */
static uint32_t others_of(const struct ranking_row *row)
{
	uint32_t two_way = row->classes[FLOW_CLASS_REPLIED] + row->classes[FLOW_CLASS_STREAM];

	return row->classes[FLOW_CLASS_PICKUP] + row->classes[FLOW_CLASS_OFFLOADED] +
	       row->classes[FLOW_CLASS_OTHER] + (two_way > row->udp ? two_way - row->udp : 0);
}

uint32_t ranking_row_column(const struct ranking_row *row, enum ranking_column column)
{
	switch (column) {
	case RANKING_UNREPLIED:
		return row->classes[FLOW_CLASS_UNREPLIED];
	case RANKING_HALF_OPEN:
		return row->classes[FLOW_CLASS_HALF_OPEN];
	case RANKING_ESTABLISHED:
		return row->classes[FLOW_CLASS_ESTABLISHED];
	case RANKING_CLOSING:
		return row->classes[FLOW_CLASS_CLOSING];
	case RANKING_UDP:
		return row->udp;
	case RANKING_OTHER:
		return others_of(row);
	case RANKING_COLUMN_COUNT:
		break;
	}
	return 0;
}

static void on_evict(const void *data, void *arg)
{
	const struct ranking_row *row = data;
	struct ranking *ranking = arg;

	ranking->folded_entries += row->entries;
	ranking->folded_keys++;
}

struct ranking *ranking_new(const struct ranking_config *config)
{
	struct ranking *ranking = mem_alloc(sizeof(*ranking));
	const struct rows_shape shape = {
		.row_size = sizeof(struct ranking_row),
		.key_size = sizeof(struct ranking_key),
		.weight_offset = offsetof(struct ranking_row, entries),
		.max = config->max,
	};

	ranking->config = *config;
	ranking->rows = rows_new(&shape, siphash_key_random(), on_evict, ranking);
	return ranking;
}

void ranking_free(struct ranking *ranking)
{
	if (!ranking)
		return;
	rows_free(ranking->rows);
	free(ranking);
}

void ranking_clear(struct ranking *ranking)
{
	rows_clear(ranking->rows);
	ranking->pending_used = 0;
	memset(&ranking->sum, 0, sizeof(ranking->sum));
	ranking->entries = ranking->folded_entries = ranking->folded_keys = 0;
}

const struct ranking_config *ranking_config_get(const struct ranking *ranking)
{
	return &ranking->config;
}

static void row_add(struct ranking_row *row, const struct pending *one)
{
	row->entries++;
	row->classes[one->class]++;
	/* Most rows lie in no cache: what stays as it is, is not touched. */
	if (one->is_udp)
		row->udp++;
	if (one->bytes)
		row->bytes += one->bytes;
}

static void row_died(struct ranking *ranking, struct ranking_row *row, bool is_taken)
{
	if (row && is_taken)
		row->taken++;
	/* A key that gave way and came back has its older flows among the folded ones. */
	if (row && row->entries)
		row->entries--;
	else if (ranking->folded_entries)
		ranking->folded_entries--;
	else
		return;
	ranking->sum.entries--;
	ranking->entries--;
}

static void apply(struct ranking *ranking, const struct pending *one)
{
	struct ranking_row *row;

	if (one->change == CHANGE_DIED || one->change == CHANGE_TAKEN) {
		row_died(ranking, rows_find_hashed(ranking->rows, &one->key, one->hash),
			 one->change == CHANGE_TAKEN);
		return;
	}
	row = rows_get_hashed(ranking->rows, &one->key, one->hash);
	if (one->change == CHANGE_ADD) {
		row_add(row, one);
		return;
	}
	row->entries++;
	row->born += one->change == CHANGE_BORN;
}

/* Makes the pending changes, in their order. Readers call it too: pending is a matter of speed, what
 * a ranking says does not depend on it, hence the const. */
static void settle(const struct ranking *read_only)
{
	struct ranking *ranking = (struct ranking *)(uintptr_t)read_only;

	for (size_t i = 0; i < ranking->pending_used; i++)
		rows_prefetch_row(ranking->rows, ranking->pending[i].hash);
	for (size_t i = 0; i < ranking->pending_used; i++)
		apply(ranking, &ranking->pending[i]);
	ranking->pending_used = 0;
}

/* The rows with nothing pending. */
static struct rows *settled(const struct ranking *ranking)
{
	if (ranking->pending_used)
		settle(ranking);
	return ranking->rows;
}

/* A place for one more change of this flow's row. */
static struct pending *pending_next(struct ranking *ranking, const struct flow *flow,
				    enum change change)
{
	struct pending *one;

	if (ranking->pending_used == PENDING_MAX)
		settle(ranking);
	one = &ranking->pending[ranking->pending_used++];
	one->key = ranking_key_of(&ranking->config, flow);
	one->hash = rows_hash(ranking->rows, &one->key);
	one->change = change;
	rows_prefetch_index(ranking->rows, one->hash);
	return one;
}

void ranking_add(struct ranking *ranking, const struct flow *flow, enum flow_class class)
{
	struct pending *one = pending_next(ranking, flow, CHANGE_ADD);

	one->class = class;
	one->is_udp = flow->tuple[FLOW_ORIG].protocol == IPPROTO_UDP &&
		      (class == FLOW_CLASS_REPLIED || class == FLOW_CLASS_STREAM);
	one->bytes = flow->has & FLOW_HAS_COUNTERS ? flow->bytes[FLOW_ORIG] + flow->bytes[FLOW_REPLY] : 0;
	row_add(&ranking->sum, one);
	ranking->entries++;
}

void ranking_appear(struct ranking *ranking, const struct flow *flow)
{
	pending_next(ranking, flow, CHANGE_APPEAR);
	ranking->sum.entries++;
	ranking->entries++;
}

void ranking_born(struct ranking *ranking, const struct flow *flow)
{
	pending_next(ranking, flow, CHANGE_BORN);
	ranking->sum.entries++;
	ranking->sum.born++;
	ranking->entries++;
}

void ranking_died(struct ranking *ranking, const struct flow *flow)
{
	/* Whether one comes off the sum is known when its row is. */
	pending_next(ranking, flow, CHANGE_DIED);
}

void ranking_taken(struct ranking *ranking, const struct flow *flow)
{
	pending_next(ranking, flow, CHANGE_TAKEN);
}

static void row_tick(struct ranking_row *row, double weight, double span_sec)
{
	float rate = (float)((double)row->born / span_sec);

	row->new_per_sec += (float)weight * (rate - row->new_per_sec);
	row->born = 0;
}

void ranking_tick(struct ranking *ranking, int64_t span_ns)
{
	double weight = 1 - exp2(-(double)span_ns / RATE_HALF_LIFE_NS);

	if (span_ns <= 0)
		return;
	row_tick(&ranking->sum, weight, (double)span_ns / 1e9);
	/* From the end: the last row moves into the place of one that goes, and has been seen
	 * then. */
	for (size_t i = rows_used(settled(ranking)); i-- > 0;) {
		struct ranking_row *row = rows_at(settled(ranking), i);

		row_tick(row, weight, (double)span_ns / 1e9);
		if (!row->entries && row->new_per_sec < RATE_FORGOTTEN)
			rows_remove(settled(ranking), row);
	}
}

void ranking_inherit(struct ranking *ranking, const struct ranking *older)
{
	size_t used = rows_used(settled(ranking));

	for (size_t i = 0; i < used; i++) {
		struct ranking_row *row = rows_at(settled(ranking), i);
		const struct ranking_row *was = rows_find(settled(older), &row->key);

		row->born = was ? was->born : 0;
		row->base = was ? was->base : 0;
		row->taken = was ? was->taken : 0;
		row->new_per_sec = was ? was->new_per_sec : 0;
	}
	/* Keys whose flows live too short for a pass to meet any keep their rate, where there is
	 * room. */
	for (size_t i = 0; i < rows_used(settled(older)); i++) {
		const struct ranking_row *was = rows_at(settled(older), i);
		struct ranking_row *row;

		if (!was->born && was->new_per_sec < RATE_FORGOTTEN)
			continue;
		if (rows_find(settled(ranking), &was->key))
			continue;
		if (ranking->config.max && rows_used(settled(ranking)) >= ranking->config.max)
			break;
		row = rows_get(settled(ranking), &was->key);
		row->born = was->born;
		row->base = was->base;
		row->taken = was->taken;
		row->new_per_sec = was->new_per_sec;
	}
	ranking->sum.born = older->sum.born;
	ranking->sum.base = older->sum.base;
	ranking->sum.new_per_sec = older->sum.new_per_sec;
}

void ranking_set_base(struct ranking *ranking)
{
	for (size_t i = 0; i < rows_used(settled(ranking)); i++) {
		struct ranking_row *row = rows_at(settled(ranking), i);

		row->base = row->entries;
		row->taken = 0;
	}
	ranking->sum.base = ranking->sum.entries;
}

const struct ranking_row *ranking_find(const struct ranking *ranking, const struct ranking_key *key)
{
	return rows_find(settled(ranking), key);
}

struct ranking_totals ranking_totals_get(const struct ranking *ranking)
{
	const struct rows *rows = settled(ranking); /* before what settling may fold is read */

	return (struct ranking_totals){
		.keys = rows_used(rows),
		.entries = ranking->entries,
		.folded_entries = ranking->folded_entries,
		.folded_keys = ranking->folded_keys,
		.sum = ranking->sum,
		.bytes = sizeof(*ranking) + rows_bytes(rows),
	};
}

/* ---- the heaviest ---- */

double ranking_row_late(const struct ranking_row *row)
{
	double grown = (double)row->entries + row->taken - row->base;
	double born = row->born + LATE_SEC * (double)row->new_per_sec;

	return grown < 0 ? 0 : grown < born ? grown : born;
}

double ranking_late(const struct ranking *ranking)
{
	size_t used = rows_used(settled(ranking));
	double sum = 0, folded = (double)ranking->sum.new_per_sec;

	for (size_t i = 0; i < used; i++) {
		const struct ranking_row *row = rows_at(settled(ranking), i);

		sum += ranking_row_late(row);
		folded -= (double)row->new_per_sec;
	}
	/* Of who gave way to others only the rate is known. */
	folded = folded > 0 ? LATE_SEC * folded : 0;
	return sum + (folded < (double)ranking->folded_entries ? folded : (double)ranking->folded_entries);
}

static double shaken(const struct ranking_row *row)
{
	return (double)row->classes[FLOW_CLASS_ESTABLISHED] + row->classes[FLOW_CLASS_OFFLOADED];
}

static double weight_of(const struct ranking_row *row, enum ranking_order order)
{
	switch (order) {
	case RANKING_ORDER_ENTRIES:
		return row->entries;
	case RANKING_ORDER_NEW:
		return (double)row->new_per_sec;
	case RANKING_ORDER_GROWTH:
		return (double)row->entries - row->base;
	case RANKING_ORDER_LATE:
		return ranking_row_late(row);
	case RANKING_ORDER_BORN:
		return row->born;
	case RANKING_ORDER_UNREPLIED:
		return row->classes[FLOW_CLASS_UNREPLIED];
	case RANKING_ORDER_HALF_OPEN:
		return row->classes[FLOW_CLASS_HALF_OPEN];
	case RANKING_ORDER_ANSWERED:
		return (double)row->classes[FLOW_CLASS_CLOSING] + row->classes[FLOW_CLASS_REPLIED] +
		       row->classes[FLOW_CLASS_STREAM] + shaken(row);
	case RANKING_ORDER_SHAKEN:
		return shaken(row);
	case RANKING_ORDER_COUNT:
		break;
	}
	return 0;
}

static int key_compare(const struct ranking_key *a, const struct ranking_key *b)
{
	int r;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	r = memcmp(a->addr, b->addr, sizeof(a->addr));
	if (r)
		return r;
	if (a->zone != b->zone)
		return a->zone < b->zone ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

/* a comes before b in a ranking. */
static bool is_before(const struct ranking_row *a, const struct ranking_row *b,
		      enum ranking_order order)
{
	double weight_a = weight_of(a, order), weight_b = weight_of(b, order);

	if (weight_a > weight_b)
		return true;
	if (weight_a < weight_b)
		return false;
	return key_compare(&a->key, &b->key) < 0;
}

/* Puts row at `at` of a heap whose root is the last of the ranking, moving up what comes after
 * it. */
static void sift_down(struct ranking_row *heap, size_t n, size_t at, const struct ranking_row *row,
		      enum ranking_order order)
{
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && is_before(&heap[child], &heap[child + 1], order))
			child++;
		if (!is_before(row, &heap[child], order))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = *row;
}

size_t ranking_top(const struct ranking *ranking, enum ranking_order order, size_t n,
		   struct ranking_row *ret_rows)
{
	size_t used = rows_used(settled(ranking)), kept = n < used ? n : used;
	struct ranking_row row;

	for (size_t i = 0; i < kept; i++)
		memcpy(&ret_rows[i], rows_at(settled(ranking), i), sizeof(row));
	for (size_t i = kept / 2; i-- > 0;) {
		row = ret_rows[i];
		sift_down(ret_rows, kept, i, &row, order);
	}
	for (size_t i = kept; kept && i < used; i++) {
		const struct ranking_row *next = rows_at(settled(ranking), i);

		if (is_before(next, &ret_rows[0], order))
			sift_down(ret_rows, kept, 0, next, order);
	}
	/* The root is the last of what is left: from the end on. */
	for (size_t left = kept; left > 1; left--) {
		row = ret_rows[left - 1];
		ret_rows[left - 1] = ret_rows[0];
		sift_down(ret_rows, left - 1, 0, &row, order);
	}
	return kept;
}
