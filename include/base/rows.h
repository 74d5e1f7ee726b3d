/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/rows: a hash table of fixed-size rows whose first key_size bytes are the key. Rows are stored densely
 * (row 0 .. used-1), found by an open-addressing index keyed with SipHash. It grows (max 0) or is bounded: when
 * full, the row with the smallest weight among a few sampled ones gives way and is handed to on_evict.
 * Knows nothing of what rows mean. Not thread-safe. */
#ifndef CTWARDEN_BASE_ROWS_H
#define CTWARDEN_BASE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"

struct rows;

struct rows_shape {
	size_t row_size, key_size;
	size_t weight_offset; /* of a uint32_t: what decides who gives way */
	/* Most rows; 0: grows without bound. Bounded tables reserve all at once: untouched pages cost nothing. */
	size_t max;
};

/* Called before a row is overwritten by another key; the row is borrowed. May be NULL. */
typedef void rows_evict_fn(const void *row, void *arg);

struct rows *rows_new(const struct rows_shape *shape, struct siphash_key key, rows_evict_fn *on_evict, void *arg);
void rows_free(struct rows *rows); /* NULL allowed */
void rows_clear(struct rows *rows);
size_t rows_used(const struct rows *rows);
size_t rows_bytes(const struct rows *rows); /* memory in use */
uint64_t rows_evicted(const struct rows *rows); /* rows that gave way since rows_new or rows_clear */
void *rows_at(const struct rows *rows, size_t index); /* index < rows_used */
/* The row of this key or NULL. Valid until the next rows_get, rows_remove or rows_clear. */
void *rows_find(const struct rows *rows, const void *key);
/* The row of this key, made zeroed (but for its key) when missing; never NULL. */
void *rows_get(struct rows *rows, const void *key);
/* For loops over many keys: memory is fetched ahead in three steps, so that the waits overlap. The hash is of this
 * table's key; index first, later (the index has arrived) the row, then rows_get_hashed or rows_find_hashed, which are
 * rows_get and rows_find with the hash known. */
uint32_t rows_hash(const struct rows *rows, const void *key);
void rows_prefetch_index(const struct rows *rows, uint32_t hash);
void rows_prefetch_row(const struct rows *rows, uint32_t hash);
void *rows_get_hashed(struct rows *rows, const void *key, uint32_t hash);
void *rows_find_hashed(const struct rows *rows, const void *key, uint32_t hash);
/* Removes a row; the last row moves into its place. */
void rows_remove(struct rows *rows, void *row);

#endif
