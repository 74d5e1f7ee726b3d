/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/prover: what has been proven, in memory and on disk. Private to the layer. */
#ifndef CTWARDEN_KERNEL_PROVER_H
#define CTWARDEN_KERNEL_PROVER_H

#include "proof.h"

#define PROVER_SETS_MAX 256
#define PROVER_WHY_MAX 256

struct proof_file;

struct prover {
	struct proof_verdict {
		struct proof_set set;
		bool proven;
		char why[PROVER_WHY_MAX];
	} verdicts[PROVER_SETS_MAX]; /* a ring: the oldest makes room */
	unsigned count, next;
	struct proof_file *file;   /* what was read; NULL: nothing */
	char file_why[160];	   /* why nothing */
	proof_distort_fn *distort; /* NULL but in tests */
	bool no_namespace;	   /* in tests: as where none may be made */
};

/* proofs_dir may be NULL. Reads what is kept there for this kernel and boot. */
void prover_init(struct prover *prover, const char *proofs_dir);
void prover_done(struct prover *prover);
/* Whether the set is proven: from memory, else from disk, else tried now in a namespace made for it (1 to 8 ms by the
 * size of the hash table, 0.2 s a million entries: the kernel walks over all namespaces' entries). ret_why: in words
 * where not. */
bool prover_has(struct prover *prover, const struct proof_set *set, char *ret_why, size_t why_size);

#endif
