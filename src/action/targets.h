/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/targets: a bounded list of entries to be written: the first that came, or the best by a
 * key (a heap whose top is the one to give way). Private to the layer. */
#ifndef CTWARDEN_ACTION_TARGETS_H
#define CTWARDEN_ACTION_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/ports.h"

struct target_row {
	struct flow_target target;
	uint64_t key; /* the greatest first; targets without an order: 0 */
};

struct targets {
	struct target_row *rows;
	size_t used, room, max;
	bool is_ordered;
};

struct targets *targets_new(size_t max, bool is_ordered);
void targets_free(struct targets *targets);
/* False where it is full and the entry was not taken, or took the place of another. */
bool targets_add(struct targets *targets, const struct flow *flow, uint64_t key);
/* Ordered ones: into the order in which they are written. Once, last. */
void targets_sort(struct targets *targets);

#endif
