/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/filtered_delete: a DELETE without a tuple empties the table, but for what its attributes
 * keep; what a kernel does not know among them it ignores, and answers success. */
#include "filtered_delete.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

static struct nlmsghdr *begin_without_tuple(struct writer *writer, void *buf, uint8_t family)
{
	return nl_request(&writer->socket, buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0,
			  family);
}

int delete_everything(struct writer *writer)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];

	return writer_request(writer, begin_without_tuple(writer, buf, 0));
}
