/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/sets: the sets a filter is made of. Private to the layer. Each starts zeroed and is freed by its _clear. */
#ifndef CTWARDEN_FLOW_SETS_H
#define CTWARDEN_FLOW_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Prefixes of one family: a binary trie of the fewest prefixes that cover the same addresses. A lookup takes at most
 * one step a bit, whatever the size. */
struct trie {
	uint32_t (*nodes)[2]; /* child: TRIE_NONE, TRIE_ALL or an index */
	uint32_t used, reserved;
	uint32_t root;
};

#define TRIE_NONE 0u
#define TRIE_ALL UINT32_MAX

struct addr_set {
	struct trie v4, v6;
};

typedef void addr_set_fn(const struct prefix *prefix, void *arg);

void addr_set_add(struct addr_set *set, const struct prefix *prefix);
bool addr_set_has(const struct addr_set *set, uint8_t family, const uint8_t *bytes);
bool addr_set_covers(const struct addr_set *set, const struct prefix *prefix); /* the whole prefix */
bool addr_set_overlaps(const struct addr_set *a, const struct addr_set *b); /* they have an address in common */
bool addr_set_has_family(const struct addr_set *set, uint8_t family);
void addr_set_each(const struct addr_set *set, addr_set_fn *fn, void *arg); /* in ascending order, IPv4 first */
void addr_set_clear(struct addr_set *set);

/* Numbers from 0 to 65535 (ports, zones). */
struct number_set {
	uint64_t *bits; /* NULL: empty */
};

void number_set_add(struct number_set *set, uint16_t from, uint16_t to);
static inline bool number_set_has(const struct number_set *set, uint16_t number)
{
	return set->bits && (set->bits[number >> 6] >> (number & 63) & 1);
}
/* The next run of numbers at or after *from: false where none. */
bool number_set_run(const struct number_set *set, unsigned from, unsigned *ret_first, unsigned *ret_last);
/* Every number of set is in other too. */
bool number_set_within(const struct number_set *set, const struct number_set *other);
bool number_set_overlaps(const struct number_set *a, const struct number_set *b);
void number_set_clear(struct number_set *set);

struct range {
	uint64_t min, max;
};

/* Ranges of 64-bit numbers, sorted, merged where they touch. */
struct range_set {
	struct range *ranges;
	size_t count;
};

void range_set_add(struct range_set *set, struct range range);
bool range_set_has(const struct range_set *set, uint64_t number);
bool range_set_within(const struct range_set *set, const struct range_set *other);
void range_set_clear(struct range_set *set);

/* A few (value, mask) pairs: marks, status words. */
struct masked {
	uint32_t value, mask;
};

struct masked_set {
	struct masked *items;
	size_t count;
};

void masked_set_add(struct masked_set *set, struct masked item);
bool masked_set_has(const struct masked_set *set, uint32_t number);
/* Whatever set has, other has (told item by item: a union that only together covers an item is not seen). */
bool masked_set_within(const struct masked_set *set, const struct masked_set *other);
/* The bits that are the same in all; a mask of 0 where there are none. */
void masked_set_common(const struct masked_set *set, struct masked *ret_common);
void masked_set_clear(struct masked_set *set);

#endif
