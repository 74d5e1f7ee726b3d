/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/ban_terms: see the header. */
#include "ban_terms.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

#define ROOM_FIRST 64

void ban_terms_free(struct ban_terms *terms)
{
	free(terms->items);
	*terms = (struct ban_terms){0};
}

static bool is_replaced(const struct ban *old, const struct ban *ban)
{
	return prefix_equal(&old->prefix, &ban->prefix) &&
	       (old->rate_per_sec == ban->rate_per_sec ||
		(old->rate_per_sec > ban->rate_per_sec && old->until_ns <= ban->until_ns));
}

void ban_terms_put(struct ban_terms *terms, const struct ban *ban, int64_t now_ns)
{
	size_t kept = 0, first = 0;

	for (size_t i = 0; i < terms->used; i++)
		if (terms->items[i].until_ns > now_ns && !is_replaced(&terms->items[i], ban))
			terms->items[kept++] = terms->items[i];
	terms->used = kept;
	if (kept == terms->room && kept < BAN_TERMS_MAX) {
		terms->room = kept ? 2 * kept : ROOM_FIRST;
		terms->items = mem_resize(terms->items, terms->room, sizeof(*terms->items));
	}
	if (kept < terms->room) {
		terms->items[terms->used++] = *ban;
		return;
	}
	for (size_t i = 1; i < kept; i++)
		if (terms->items[i].until_ns < terms->items[first].until_ns)
			first = i;
	terms->items[first] = *ban;
}

int64_t ban_terms_end(const struct ban_terms *terms, const struct ban *ban, int64_t now_ns, size_t *ret_same)
{
	int64_t end_ns = 0;
	size_t same = 0;

	for (size_t i = 0; i < terms->used; i++) {
		const struct ban *item = &terms->items[i];

		if (item->until_ns <= now_ns)
			continue;
		same += item->rate_per_sec == ban->rate_per_sec;
		if (item->rate_per_sec <= ban->rate_per_sec && prefix_equal(&item->prefix, &ban->prefix) &&
		    item->until_ns > end_ns)
			end_ns = item->until_ns;
	}
	if (ret_same)
		*ret_same = same;
	return end_ns;
}

int64_t ban_terms_overlap(const struct ban_terms *terms, const struct prefix *prefix, int64_t now_ns)
{
	int64_t end_ns = 0;

	for (size_t i = 0; i < terms->used; i++) {
		const struct ban *item = &terms->items[i];

		if (item->until_ns > now_ns && item->until_ns > end_ns &&
		    item->prefix.addr.family == prefix->addr.family &&
		    (prefix_contains(&item->prefix, &prefix->addr) || prefix_contains(prefix, &item->prefix.addr)))
			end_ns = item->until_ns;
	}
	return end_ns;
}

static int by_end(const void *a, const void *b)
{
	int64_t x = ((const struct ban *)a)->until_ns, y = ((const struct ban *)b)->until_ns;

	return x < y ? -1 : x > y;
}

size_t ban_terms_list(const struct ban_terms *terms, int64_t now_ns, struct ban *ret_list, size_t max)
{
	struct ban *list = mem_array(terms->used, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < terms->used; i++)
		if (terms->items[i].until_ns > now_ns)
			list[count++] = terms->items[i];
	qsort(list, count, sizeof(*list), by_end);
	count = lesser(count, max);
	for (size_t i = 0; i < count; i++)
		ret_list[i] = list[i];
	free(list);
	return count;
}

struct ban ban_wider(const struct ban *list, size_t count, const struct prefix *prefix)
{
	struct ban wider = {0};

	for (size_t i = 0; i < count; i++) {
		const struct ban *item = &list[i];

		if (item->prefix.addr.family != prefix->addr.family || item->prefix.len >= prefix->len ||
		    !prefix_contains(&item->prefix, &prefix->addr))
			continue;
		if (!wider.until_ns || item->rate_per_sec < wider.rate_per_sec ||
		    (item->rate_per_sec == wider.rate_per_sec && item->until_ns > wider.until_ns))
			wider = *item;
	}
	return wider;
}
