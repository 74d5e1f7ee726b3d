/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof: whether this kernel compares what a filtered DELETE asks it to. Private to the layer. A kernel that
 * does not know an attribute ignores it, deletes too much and answers success (kernel-facts 3), and one that knows it
 * may compare wrongly (IPv6 addresses, inverted on 6.18). So before a set of attributes is used it is tried on entries
 * made for it. */
#ifndef CTWARDEN_KERNEL_PROOF_H
#define CTWARDEN_KERNEL_PROOF_H

#include "pushdown.h"
#include "throwaway.h"

/* What is compared, not with what: a proof holds for all values. */
struct proof_set {
	uint8_t family;	  /* of the request; 0: both */
	uint8_t protocol; /* of the ports that are compared; UDP where only protocols are; 0: nothing */
	bool has_zone;
	uint32_t flags[FLOW_DIRECTION_COUNT]; /* enum pushdown_flag */
	uint32_t status, status_mask;	      /* the very bits: not every bit can be made at will */
	uint32_t mark_mask;		      /* 0: not compared */
};

#define PROOF_TEXT_MAX 128

void proof_set_from(const struct pushdown *pushdown, uint8_t family, struct proof_set *ret_set);
bool proof_set_equal(const struct proof_set *a, const struct proof_set *b);
/* One word of key=value pairs, as in the file of proofs; returns buf. */
char *proof_set_format(const struct proof_set *set, char buf[PROOF_TEXT_MAX]);

/* May change the request a proof is about to send: a test's way to stand in for a kernel that knows less. */
typedef void proof_distort_fn(struct nlmsghdr *request);

/* Tries the set. 1: exactly the right entries went. 0: not (ret_why, why_size, says which). -errno: it could not be
 * tried. The throw-away namespace is empty again afterwards. distort: NULL but in tests. */
int proof_try(struct throwaway *throwaway, const struct proof_set *set, proof_distort_fn *distort,
	      char *ret_why, size_t why_size);

#endif
