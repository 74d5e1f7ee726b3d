/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/targets: the list, and the heap where there is an order. */
#include "targets.h"

#include <stdlib.h>

#include "base/mem.h"

#define ROOM_FIRST 1024

struct targets *targets_new(size_t max, bool is_ordered)
{
	struct targets *targets = mem_alloc(sizeof(*targets));

	targets->max = max;
	targets->is_ordered = is_ordered;
	return targets;
}

void targets_free(struct targets *targets)
{
	if (!targets)
		return;
	free(targets->rows);
	free(targets);
}

static void swap(struct target_row *a, struct target_row *b)
{
	struct target_row keep = *a;

	*a = *b;
	*b = keep;
}

static void sift_up(struct target_row *rows, size_t i)
{
	while (i && rows[(i - 1) / 2].key > rows[i].key) {
		swap(&rows[(i - 1) / 2], &rows[i]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct target_row *rows, size_t used)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < used) {
		if (child + 1 < used && rows[child + 1].key < rows[child].key)
			child++;
		if (rows[i].key <= rows[child].key)
			return;
		swap(&rows[i], &rows[child]);
		i = child;
	}
}

bool targets_add(struct targets *targets, const struct flow *flow, uint64_t key)
{
	if (targets->used == targets->max) {
		if (!targets->is_ordered || !targets->max || key <= targets->rows[0].key)
			return false;
		flow_target_from(flow, &targets->rows[0].target);
		targets->rows[0].key = key;
		sift_down(targets->rows, targets->used);
		return false;
	}
	if (targets->used == targets->room) {
		targets->room = targets->room ? targets->room * 2 : ROOM_FIRST;
		if (targets->room > targets->max)
			targets->room = targets->max;
		targets->rows = mem_resize(targets->rows, targets->room, sizeof(*targets->rows));
	}
	flow_target_from(flow, &targets->rows[targets->used].target);
	targets->rows[targets->used].key = key;
	if (targets->is_ordered)
		sift_up(targets->rows, targets->used);
	targets->used++;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t of_a = ((const struct target_row *)a)->key,
		 of_b = ((const struct target_row *)b)->key;

	return of_a > of_b ? -1 : of_a < of_b;
}

void targets_sort(struct targets *targets)
{
	if (targets->is_ordered && targets->used)
		qsort(targets->rows, targets->used, sizeof(*targets->rows), compare);
}
