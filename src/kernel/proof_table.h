/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof_table: the entries a set of attributes is tried on. Private to the layer. */
#ifndef CTWARDEN_KERNEL_PROOF_TABLE_H
#define CTWARDEN_KERNEL_PROOF_TABLE_H

#include "proof.h"

#define PROOF_ENTRIES_MAX 32

struct proof_entry {
	struct flow_tuple tuple[FLOW_DIRECTION_COUNT];
	uint16_t zone, zone_reply; /* equal, or one of them 0 */
	uint32_t status, mark;
	bool goes;	  /* the request must take it */
	const char *what; /* in words, for a failed proof */
};

struct proof_table {
	struct pushdown request; /* the set with values */
	struct proof_entry entries[PROOF_ENTRIES_MAX];
	unsigned count;
};

/* One entry that matches all, one that differs in all that is not asked, one that fails each attribute alone, one of
 * the other family. 0, or -EOPNOTSUPP where no such table can be made: a status bit nobody can set at will, or every
 * tuple member and the zone asked for, so that no two entries could be told apart. Pure. */
int proof_table_make(const struct proof_set *set, struct proof_table *ret_table);

#endif
