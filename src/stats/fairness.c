/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fairness: the water level is found by halving: what all rows give above a level falls as
 * the level rises, so that the highest level that still gives enough is unique. 33 rounds over the
 * rows at most, no fractions. */
#include "stats/fairness.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint32_t counted(const struct fairness_row *row)
{
	return row->holds > row->seniors ? row->holds - row->seniors : 0;
}

/* What a row gives when the water stands at level. */
static uint32_t gives(const struct fairness_row *row, uint32_t level)
{
	uint32_t holds = counted(row), over = holds > level ? holds - level : 0;
	uint32_t most = row->candidates < holds ? row->candidates : holds;

	return over < most ? over : most;
}

static uint64_t all_give(const struct fairness_row *rows, size_t n, uint32_t level)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += gives(&rows[i], level);
	return sum;
}

/* The heaviest first; ties by key. */
static int compare_rows(const void *a, const void *b)
{
	const struct fairness_row *x = *(const struct fairness_row *const *)a;
	const struct fairness_row *y = *(const struct fairness_row *const *)b;

	if (counted(x) != counted(y))
		return counted(x) > counted(y) ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* One more of each row that would give more at level than at level + 1, until rest is none. */
static void take_rest(struct fairness_row *rows, size_t n, uint32_t level, uint64_t rest)
{
	struct fairness_row **more = mem_array(n, sizeof(*more));
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (gives(&rows[i], level) > rows[i].take)
			more[used++] = &rows[i];
	qsort(more, used, sizeof(*more), compare_rows);
	for (size_t i = 0; i < used && rest; i++, rest--)
		more[i]->take++;
	free(more);
}

struct fairness_result fairness_share(struct fairness_row *rows, size_t n, uint64_t need)
{
	uint32_t low = 0, high = UINT32_MAX; /* at low enough is given, at high it is not */
	uint64_t given = 0;

	for (size_t i = 0; i < n; i++)
		rows[i].take = 0;
	if (!need || !n)
		return (struct fairness_result){.taken = 0, .level = UINT32_MAX};
	if (all_give(rows, n, 0) <= need) {
		for (size_t i = 0; i < n; i++)
			given += rows[i].take = gives(&rows[i], 0);
		return (struct fairness_result){.taken = given, .level = 0};
	}
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (all_give(rows, n, middle) >= need)
			low = middle;
		else
			high = middle;
	}
	for (size_t i = 0; i < n; i++)
		given += rows[i].take = gives(&rows[i], high);
	take_rest(rows, n, low, need - given);
	return (struct fairness_result){.taken = need, .level = low};
}

uint32_t fairness_level(const uint32_t *counts, size_t n, uint64_t budget)
{
	uint32_t low = 0, high = UINT32_MAX; /* low fits, high does not */
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += counts[i];
	if (sum <= budget)
		return UINT32_MAX;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += counts[i] < middle ? counts[i] : middle;
		if (sum <= budget)
			low = middle;
		else
			high = middle;
	}
	return low;
}
