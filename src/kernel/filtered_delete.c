/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/filtered_delete: a DELETE without a tuple empties the table, but for what its attributes keep; what a kernel
 * does not know among them it ignores, and answers success. So: none without a filter, none without a proof, and one
 * function that builds it, for the proof and the use alike. */
#include "filtered_delete.h"

#include <errno.h>
#include <stdio.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

static struct nlmsghdr *begin_without_tuple(struct writer *writer, void *buf, uint8_t family)
{
	return nl_request(writer_filtered(writer), buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0, family);
}

int delete_everything(struct writer *writer)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];

	return writer_request(writer, begin_without_tuple(writer, buf, 0));
}

static int send_filtered(struct writer *writer, const struct pushdown *pushdown, uint8_t family,
			 proof_distort_fn *distort)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *request = begin_without_tuple(writer, buf, family);
	const uint32_t bare = request->nlmsg_len;

	pushdown_put(pushdown, request);
	/* Nothing to filter by would be everything. */
	if (!family && request->nlmsg_len == bare)
		return -EINVAL;
	if (distort)
		distort(request);
	return writer_request(writer, request);
}

int filtered_delete_try(struct throwaway *throwaway, const struct pushdown *pushdown, uint8_t family,
			proof_distort_fn *distort)
{
	return send_filtered(&throwaway->writer, pushdown, family, distort);
}

static bool can(struct prover *prover, const struct flow_filter *filter, struct pushdown *ret_pushdown,
		char *ret_why, size_t why_size)
{
	struct pushdown pushdown;
	struct proof_set set;
	uint8_t families[2];
	unsigned count;

	pushdown_from(filter, &pushdown);
	if (!pushdown_is_whole(&pushdown, filter)) {
		snprintf(ret_why, why_size, "the kernel cannot filter by all of it");
		return false;
	}
	count = pushdown_families(&pushdown, families);
	for (unsigned i = 0; i < count; i++) {
		proof_set_from(&pushdown, families[i], &set);
		if (!prover_has(prover, &set, ret_why, why_size))
			return false;
	}
	*ret_pushdown = pushdown;
	return true;
}

bool filtered_delete_can(struct prover *prover, const struct flow_filter *filter, char *ret_why, size_t why_size)
{
	struct pushdown pushdown;

	return can(prover, filter, &pushdown, ret_why, why_size);
}

int filtered_delete_run(struct writer *writer, struct prover *prover, const struct flow_filter *filter)
{
	struct pushdown pushdown;
	uint8_t families[2];
	unsigned count;
	char why[160];
	int r = 0;

	if (!can(prover, filter, &pushdown, why, sizeof(why)))
		return -EOPNOTSUPP;
	count = pushdown_families(&pushdown, families);
	for (unsigned i = 0; i < count && !r; i++)
		r = send_filtered(writer, &pushdown, families[i], NULL);
	return r;
}
