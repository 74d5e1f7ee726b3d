/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/message: requests about one entry. Private to the layer. A DELETE without a tuple empties
 * the table, so these take a target and put CTA_TUPLE_ORIG first, always: there is no way to leave
 * it out. The one request without a tuple is made in kernel/filtered_delete.c. */
#ifndef CTWARDEN_KERNEL_MESSAGE_H
#define CTWARDEN_KERNEL_MESSAGE_H

#include "flow/ports.h"
#include "socket.h"

#define MESSAGE_TARGET_MAX 256 /* bytes of the largest of them */

/* All build at buf (MESSAGE_TARGET_MAX bytes, aligned) with the socket's next sequence number. A
 * target whose family is neither IPv4 nor IPv6 is our own bug; the kernel refuses what comes of it
 * (EINVAL). */
struct nlmsghdr *message_get(struct nl_socket *socket, void *buf, const struct flow_target *target);
/* With the id: another life of the tuple is ENOENT. */
struct nlmsghdr *message_delete(struct nl_socket *socket, void *buf,
				const struct flow_target *target);
/* Never makes an entry (no NLM_F_CREATE). The kernel looks at no id here. */
struct nlmsghdr *message_set_timeout(struct nl_socket *socket, void *buf,
				     const struct flow_target *target,
				     const struct flow_timeout_change *change);
/* An update to SEEN_REPLY as the target has it, without ASSURED: the kernel takes it (0), and sets nothing that is not
 * set, where the entry has come no further, and refuses (EBUSY) to take back what it has beyond. Of a target with
 * SEEN_REPLY it sets that in another life of the tuple that nobody has answered. Who listens to updates hears it. */
struct nlmsghdr *message_ask_unchanged(struct nl_socket *socket, void *buf, const struct flow_target *target);
/* Makes an entry, for proofs in a namespace of their own: the target's zones, status and timeout. */
struct nlmsghdr *message_create(struct nl_socket *socket, void *buf, const struct flow_target *target,
				const struct flow_tuple *reply, uint32_t mark);

#endif
