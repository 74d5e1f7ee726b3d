/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/rows: dense rows behind an open-addressing index. A slot keeps 32 bits of the keyed hash beside the row's
 * number, so that searching, moving slots and growing touch no row but the one that is meant. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rows.h"

#define ROWS_FIRST 64
#define EVICT_SAMPLES 8

struct slot {
	uint32_t hash;
	uint32_t row; /* its number + 1; 0: empty */
};

struct rows {
	struct rows_shape shape;
	struct siphash_key key;
	rows_evict_fn *on_evict;
	void *arg;
	char *data;
	struct slot *slots;
	size_t used, room; /* rows */
	size_t slot_count;
	uint64_t evicted, random;
};

uint32_t rows_hash(const struct rows *rows, const void *key)
{
	return (uint32_t)siphash(key, rows->shape.key_size, rows->key);
}

static size_t home_of(const struct rows *rows, uint32_t hash)
{
	return (size_t)((uint64_t)hash * rows->slot_count >> 32);
}

static size_t next_slot(const struct rows *rows, size_t at)
{
	return at + 1 == rows->slot_count ? 0 : at + 1;
}

static char *row_at(const struct rows *rows, size_t index)
{
	return rows->data + index * rows->shape.row_size;
}

static void place(struct rows *rows, uint32_t hash, uint32_t row)
{
	size_t at = home_of(rows, hash);

	while (rows->slots[at].row)
		at = next_slot(rows, at);
	rows->slots[at] = (struct slot){ .hash = hash, .row = row };
}

static size_t slots_for(size_t rows)
{
	return rows + rows / 2 + 2; /* at most 2/3 full */
}

/* The index doubles while the rows grow by a quarter: each slot is moved about once, and few rows are room unused. */
static void grow_slots(struct rows *rows)
{
	struct slot *old = rows->slots;
	size_t old_count = rows->slot_count;

	rows->slot_count = slots_for(rows->room) * 4 / 3;
	rows->slots = mem_array(rows->slot_count, sizeof(*rows->slots));
	for (size_t i = 0; i < old_count; i++)
		if (old[i].row)
			place(rows, old[i].hash, old[i].row);
	free(old);
}

static void reserve(struct rows *rows, size_t room)
{
	if (rows->data)
		rows->data = mem_resize(rows->data, room, rows->shape.row_size);
	else
		rows->data = mem_array(room, rows->shape.row_size);
	rows->room = room;
	if (slots_for(room) > rows->slot_count)
		grow_slots(rows);
}

struct rows *rows_new(const struct rows_shape *shape, struct siphash_key key, rows_evict_fn *on_evict, void *arg)
{
	struct rows *rows = mem_alloc(sizeof(*rows));

	rows->shape = *shape;
	rows->key = key;
	rows->on_evict = on_evict;
	rows->arg = arg;
	rows->random = (key.k0 ^ key.k1) | 1;
	reserve(rows, shape->max ? shape->max : ROWS_FIRST);
	return rows;
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	free(rows->data);
	free(rows->slots);
	free(rows);
}

void rows_clear(struct rows *rows)
{
	if (rows->used) /* the index of many rows is a megabyte */
		memset(rows->slots, 0, rows->slot_count * sizeof(*rows->slots));
	rows->used = 0;
	rows->evicted = 0;
}

size_t rows_used(const struct rows *rows)
{
	return rows->used;
}

size_t rows_bytes(const struct rows *rows)
{
	size_t room = rows->shape.max ? rows->used : rows->room;

	return sizeof(*rows) + room * rows->shape.row_size + rows->slot_count * sizeof(*rows->slots);
}

uint64_t rows_evicted(const struct rows *rows)
{
	return rows->evicted;
}

void *rows_at(const struct rows *rows, size_t index)
{
	return row_at(rows, index);
}

/* The slot of this key, or the empty one where it would go. */
static size_t find_slot(const struct rows *rows, const void *key, uint32_t hash)
{
	size_t at = home_of(rows, hash);

	for (; rows->slots[at].row; at = next_slot(rows, at))
		if (rows->slots[at].hash == hash &&
		    memcmp(row_at(rows, rows->slots[at].row - 1), key, rows->shape.key_size) == 0)
			break;
	return at;
}

void *rows_find(const struct rows *rows, const void *key)
{
	return rows_find_hashed(rows, key, rows_hash(rows, key));
}

void *rows_find_hashed(const struct rows *rows, const void *key, uint32_t hash)
{
	size_t at = find_slot(rows, key, hash);

	return rows->slots[at].row ? row_at(rows, rows->slots[at].row - 1) : NULL;
}

/* Empties a slot and moves back what had to pass over it: no tombstones, searches stay short. */
static void empty_slot(struct rows *rows, size_t hole)
{
	for (size_t at = next_slot(rows, hole); rows->slots[at].row; at = next_slot(rows, at)) {
		size_t home = home_of(rows, rows->slots[at].hash);
		bool stays = hole < at ? home > hole && home <= at : home > hole || home <= at;

		if (stays)
			continue;
		rows->slots[hole] = rows->slots[at];
		hole = at;
	}
	rows->slots[hole].row = 0;
}

void rows_remove(struct rows *rows, void *row)
{
	size_t index = (size_t)((char *)row - rows->data) / rows->shape.row_size;
	size_t last = rows->used - 1;
	char *moved = row_at(rows, last);

	empty_slot(rows, find_slot(rows, row, rows_hash(rows, row)));
	if (index != last) {
		rows->slots[find_slot(rows, moved, rows_hash(rows, moved))].row = (uint32_t)index + 1;
		memcpy(row, moved, rows->shape.row_size);
	}
	rows->used--;
}

static uint32_t weight_at(const struct rows *rows, size_t index)
{
	uint32_t weight;

	memcpy(&weight, row_at(rows, index) + rows->shape.weight_offset, sizeof(weight));
	return weight;
}

static size_t random_below(struct rows *rows, size_t count)
{
	rows->random ^= rows->random << 13;
	rows->random ^= rows->random >> 7;
	rows->random ^= rows->random << 17;
	return (size_t)((rows->random >> 32) * count >> 32);
}

/* Frees the place of a light row; returns its number. */
static size_t evict(struct rows *rows)
{
	size_t victim = random_below(rows, rows->used);
	const char *row;

	for (int i = 1; i < EVICT_SAMPLES; i++) {
		size_t other = random_below(rows, rows->used);

		if (weight_at(rows, other) < weight_at(rows, victim))
			victim = other;
	}
	row = row_at(rows, victim);
	if (rows->on_evict)
		rows->on_evict(row, rows->arg);
	rows->evicted++;
	empty_slot(rows, find_slot(rows, row, rows_hash(rows, row)));
	return victim;
}

void rows_prefetch_index(const struct rows *rows, uint32_t hash)
{
	__builtin_prefetch(&rows->slots[home_of(rows, hash)]);
}

void rows_prefetch_row(const struct rows *rows, uint32_t hash)
{
	for (size_t at = home_of(rows, hash); rows->slots[at].row; at = next_slot(rows, at)) {
		const char *row = row_at(rows, rows->slots[at].row - 1);

		if (rows->slots[at].hash != hash)
			continue;
		/* A row may lie across cache lines; its first and last byte are enough for two. */
		__builtin_prefetch(row, 1);
		__builtin_prefetch(row + rows->shape.row_size - 1, 1);
		return;
	}
}

void *rows_get(struct rows *rows, const void *key)
{
	return rows_get_hashed(rows, key, rows_hash(rows, key));
}

void *rows_get_hashed(struct rows *rows, const void *key, uint32_t hash)
{
	size_t at = find_slot(rows, key, hash), index;
	char *row;

	if (rows->slots[at].row)
		return row_at(rows, rows->slots[at].row - 1);
	if (rows->used == rows->room && rows->shape.max) {
		index = evict(rows);
	} else {
		if (rows->used == rows->room)
			reserve(rows, rows->room + rows->room / 4);
		index = rows->used++;
	}
	row = row_at(rows, index);
	memset(row, 0, rows->shape.row_size);
	memcpy(row, key, rows->shape.key_size);
	place(rows, hash, (uint32_t)index + 1);
	return row;
}
