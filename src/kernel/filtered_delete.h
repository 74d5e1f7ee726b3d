/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/filtered_delete: the one place where a DELETE without a tuple is built. Private to the layer. */
#ifndef CTWARDEN_KERNEL_FILTERED_DELETE_H
#define CTWARDEN_KERNEL_FILTERED_DELETE_H

#include "proof.h"
#include "prover.h"

/* Whether delete_filtered would do it, in words where not. */
bool filtered_delete_can(struct prover *prover, const struct flow_filter *filter, char *ret_why, size_t why_size);
/* Deletes by the kernel's own filter what the filter means. Looks by itself whether the kernel can, and whether that is
 * proven: -EOPNOTSUPP where not. 0 or -errno. */
int filtered_delete_run(struct writer *writer, struct prover *prover, const struct flow_filter *filter);
/* The same request in a namespace made for it. 0 or -errno. */
int filtered_delete_try(struct throwaway *throwaway, const struct pushdown *pushdown, uint8_t family,
			proof_distort_fn *distort);
/* Everything: an unfiltered flush. 0 or -errno. */
int delete_everything(struct writer *writer);

#endif
