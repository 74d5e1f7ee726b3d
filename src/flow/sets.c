/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/sets: tries of prefixes, bitmaps of ports and zones, ranges, masked values. */
#include "sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NUMBERS 65536u

static unsigned bit_of(const uint8_t *bytes, unsigned i)
{
	return bytes[i >> 3] >> (7 - (i & 7)) & 1;
}

static uint32_t trie_node_new(struct trie *trie)
{
	if (!trie->used)
		trie->used = 1; /* index 0 means "none" */
	if (trie->used >= trie->reserved) {
		trie->reserved = trie->reserved ? trie->reserved * 2 : 64;
		trie->nodes = mem_resize(trie->nodes, trie->reserved, sizeof(*trie->nodes));
	}
	memset(trie->nodes[trie->used], 0, sizeof(*trie->nodes));
	return trie->used++;
}

/* Returns the node that stands where node stood. At most 128 deep. */
static uint32_t trie_add(struct trie *trie, uint32_t node, const uint8_t *bytes, unsigned depth, unsigned len)
{
	uint32_t child;
	unsigned side;

	if (node == TRIE_ALL || depth == len)
		return TRIE_ALL; /* what was below is covered now */
	if (node == TRIE_NONE)
		node = trie_node_new(trie);
	side = bit_of(bytes, depth);
	child = trie_add(trie, trie->nodes[node][side], bytes, depth + 1, len);
	trie->nodes[node][side] = child; /* nodes may have moved meanwhile */
	if (child == TRIE_ALL && trie->nodes[node][!side] == TRIE_ALL)
		return TRIE_ALL;
	return node;
}

static bool trie_covers(const struct trie *trie, const uint8_t *bytes, unsigned len)
{
	uint32_t node = trie->root;

	for (unsigned i = 0; i < len && node != TRIE_NONE && node != TRIE_ALL; i++)
		node = trie->nodes[node][bit_of(bytes, i)];
	return node == TRIE_ALL;
}

struct walk {
	const struct trie *trie;
	struct prefix prefix;
	addr_set_fn *fn;
	void *arg;
};

static void trie_walk(struct walk *w, uint32_t node, unsigned depth)
{
	if (node == TRIE_NONE)
		return;
	if (node == TRIE_ALL) {
		w->prefix.len = (uint8_t)depth;
		w->fn(&w->prefix, w->arg);
		return;
	}
	trie_walk(w, w->trie->nodes[node][0], depth + 1);
	w->prefix.addr.bytes[depth >> 3] |= (uint8_t)(0x80 >> (depth & 7));
	trie_walk(w, w->trie->nodes[node][1], depth + 1);
	w->prefix.addr.bytes[depth >> 3] &= (uint8_t)~(0x80 >> (depth & 7));
}

static const struct trie *trie_of(const struct addr_set *set, uint8_t family)
{
	return family == AF_INET6 ? &set->v6 : &set->v4;
}

void addr_set_add(struct addr_set *set, const struct prefix *prefix)
{
	struct trie *trie = prefix->addr.family == AF_INET6 ? &set->v6 : &set->v4;

	trie->root = trie_add(trie, trie->root, prefix->addr.bytes, 0, prefix->len);
}

bool addr_set_has(const struct addr_set *set, uint8_t family, const uint8_t *bytes)
{
	return trie_covers(trie_of(set, family), bytes, family == AF_INET6 ? 128 : 32);
}

bool addr_set_covers(const struct addr_set *set, const struct prefix *prefix)
{
	return trie_covers(trie_of(set, prefix->addr.family), prefix->addr.bytes, prefix->len);
}

/* At most 128 deep. */
static bool trie_overlaps(const struct trie *a, uint32_t at_a, const struct trie *b, uint32_t at_b)
{
	if (at_a == TRIE_NONE || at_b == TRIE_NONE)
		return false;
	if (at_a == TRIE_ALL || at_b == TRIE_ALL)
		return true; /* an inner node covers something */
	return trie_overlaps(a, a->nodes[at_a][0], b, b->nodes[at_b][0]) ||
	       trie_overlaps(a, a->nodes[at_a][1], b, b->nodes[at_b][1]);
}

bool addr_set_overlaps(const struct addr_set *a, const struct addr_set *b)
{
	return trie_overlaps(&a->v4, a->v4.root, &b->v4, b->v4.root) ||
	       trie_overlaps(&a->v6, a->v6.root, &b->v6, b->v6.root);
}

bool addr_set_has_family(const struct addr_set *set, uint8_t family)
{
	return trie_of(set, family)->root != TRIE_NONE;
}

void addr_set_each(const struct addr_set *set, addr_set_fn *fn, void *arg)
{
	struct walk v4 = { &set->v4, { .addr.family = AF_INET }, fn, arg };
	struct walk v6 = { &set->v6, { .addr.family = AF_INET6 }, fn, arg };

	trie_walk(&v4, set->v4.root, 0);
	trie_walk(&v6, set->v6.root, 0);
}

void addr_set_clear(struct addr_set *set)
{
	free(set->v4.nodes);
	free(set->v6.nodes);
	memset(set, 0, sizeof(*set));
}

void number_set_add(struct number_set *set, uint16_t from, uint16_t to)
{
	if (!set->bits)
		set->bits = mem_array(NUMBERS / 64, sizeof(*set->bits));
	for (unsigned i = from; i <= to; i++)
		set->bits[i >> 6] |= 1ull << (i & 63);
}

bool number_set_run(const struct number_set *set, unsigned from, unsigned *ret_first, unsigned *ret_last)
{
	unsigned last;

	while (from < NUMBERS && !number_set_has(set, (uint16_t)from))
		from++;
	if (from >= NUMBERS)
		return false;
	last = from;
	while (last + 1 < NUMBERS && number_set_has(set, (uint16_t)(last + 1)))
		last++;
	*ret_first = from;
	*ret_last = last;
	return true;
}

bool number_set_within(const struct number_set *set, const struct number_set *other)
{
	if (!set->bits)
		return true;
	for (unsigned i = 0; i < NUMBERS / 64; i++) {
		if (set->bits[i] & ~(other->bits ? other->bits[i] : 0))
			return false;
	}
	return true;
}

bool number_set_overlaps(const struct number_set *a, const struct number_set *b)
{
	if (!a->bits || !b->bits)
		return false;
	for (unsigned i = 0; i < NUMBERS / 64; i++) {
		if (a->bits[i] & b->bits[i])
			return true;
	}
	return false;
}

void number_set_clear(struct number_set *set)
{
	free(set->bits);
	set->bits = NULL;
}

void range_set_add(struct range_set *set, struct range range)
{
	size_t first = 0, last;

	/* All ranges from first up to before last overlap or touch the new one and become part of it. */
	while (first < set->count && set->ranges[first].max < range.min && set->ranges[first].max + 1 < range.min)
		first++;
	last = first;
	while (last < set->count && (range.max == UINT64_MAX || set->ranges[last].min <= range.max + 1)) {
		if (set->ranges[last].min < range.min)
			range.min = set->ranges[last].min;
		if (set->ranges[last].max > range.max)
			range.max = set->ranges[last].max;
		last++;
	}
	set->ranges = mem_resize(set->ranges, set->count + 1, sizeof(*set->ranges));
	memmove(set->ranges + first + 1, set->ranges + last, (set->count - last) * sizeof(*set->ranges));
	set->ranges[first] = range;
	set->count = set->count + 1 - (last - first);
}

static bool range_set_covers(const struct range_set *set, struct range range)
{
	size_t low = 0, high = set->count;

	while (low < high) { /* the first range that ends at or after range.min */
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].max < range.min)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && set->ranges[low].min <= range.min && range.max <= set->ranges[low].max;
}

bool range_set_has(const struct range_set *set, uint64_t number)
{
	return range_set_covers(set, (struct range){ number, number });
}

bool range_set_within(const struct range_set *set, const struct range_set *other)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!range_set_covers(other, set->ranges[i]))
			return false;
	}
	return true;
}

void range_set_clear(struct range_set *set)
{
	free(set->ranges);
	memset(set, 0, sizeof(*set));
}

/* Everything that inner matches, outer matches. */
static bool masked_covers(struct masked outer, struct masked inner)
{
	return !(outer.mask & ~inner.mask) && (inner.value & outer.mask) == outer.value;
}

void masked_set_add(struct masked_set *set, struct masked item)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (masked_covers(set->items[i], item))
			return;
	}
	for (size_t i = 0; i < set->count; i++) {
		if (!masked_covers(item, set->items[i]))
			set->items[kept++] = set->items[i];
	}
	set->items = mem_resize(set->items, kept + 1, sizeof(*set->items));
	set->items[kept] = item;
	set->count = kept + 1;
}

bool masked_set_has(const struct masked_set *set, uint32_t number)
{
	for (size_t i = 0; i < set->count; i++) {
		if ((number & set->items[i].mask) == set->items[i].value)
			return true;
	}
	return false;
}

bool masked_set_within(const struct masked_set *set, const struct masked_set *other)
{
	for (size_t i = 0; i < set->count; i++) {
		bool covered = false;

		for (size_t k = 0; k < other->count && !covered; k++)
			covered = masked_covers(other->items[k], set->items[i]);
		if (!covered)
			return false;
	}
	return true;
}

void masked_set_common(const struct masked_set *set, struct masked *ret_common)
{
	struct masked common = { 0, 0 };

	if (set->count)
		common = set->items[0];
	for (size_t i = 1; i < set->count; i++) {
		common.mask &= set->items[i].mask & ~(common.value ^ set->items[i].value);
		common.value &= common.mask;
	}
	*ret_common = common;
}

void masked_set_clear(struct masked_set *set)
{
	free(set->items);
	memset(set, 0, sizeof(*set));
}
