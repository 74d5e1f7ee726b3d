/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/message: builds the requests about one entry: its tuple, its zone, and what is to be
 * done. */
#include "message.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

static void put_addresses(const struct flow_tuple *tuple, struct nlmsghdr *request)
{
	struct nlattr *nest = mnl_attr_nest_start(request, CTA_TUPLE_IP);

	assert(tuple->family == AF_INET || tuple->family == AF_INET6);
	if (tuple->family == AF_INET) {
		mnl_attr_put(request, CTA_IP_V4_SRC, 4, tuple->src);
		mnl_attr_put(request, CTA_IP_V4_DST, 4, tuple->dst);
	} else {
		mnl_attr_put(request, CTA_IP_V6_SRC, 16, tuple->src);
		mnl_attr_put(request, CTA_IP_V6_DST, 16, tuple->dst);
	}
	mnl_attr_nest_end(request, nest);
}

/* What the kernel needs to find the entry, by protocol: ICMP by id, type and code; GRE by its keys,
 * which stand in the attributes of ports; protocols without ports ignore them. */
static void put_protocol(const struct flow_tuple *tuple, struct nlmsghdr *request)
{
	struct nlattr *nest = mnl_attr_nest_start(request, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(request, CTA_PROTO_NUM, tuple->protocol);
	if (tuple->protocol == IPPROTO_ICMP) {
		mnl_attr_put_u16(request, CTA_PROTO_ICMP_ID, htons(tuple->sport));
		mnl_attr_put_u8(request, CTA_PROTO_ICMP_TYPE, (uint8_t)(tuple->dport >> 8));
		mnl_attr_put_u8(request, CTA_PROTO_ICMP_CODE, (uint8_t)tuple->dport);
	} else if (tuple->protocol == IPPROTO_ICMPV6) {
		mnl_attr_put_u16(request, CTA_PROTO_ICMPV6_ID, htons(tuple->sport));
		mnl_attr_put_u8(request, CTA_PROTO_ICMPV6_TYPE, (uint8_t)(tuple->dport >> 8));
		mnl_attr_put_u8(request, CTA_PROTO_ICMPV6_CODE, (uint8_t)tuple->dport);
	} else {
		mnl_attr_put_u16(request, CTA_PROTO_SRC_PORT, htons(tuple->sport));
		mnl_attr_put_u16(request, CTA_PROTO_DST_PORT, htons(tuple->dport));
	}
	mnl_attr_nest_end(request, nest);
}

/* A zone inside the tuple is that of its direction alone. */
static void put_tuple(struct nlmsghdr *request, uint16_t type, const struct flow_tuple *tuple, uint16_t zone)
{
	struct nlattr *nest = mnl_attr_nest_start(request, type);

	put_addresses(tuple, request);
	put_protocol(tuple, request);
	if (zone)
		mnl_attr_put_u16(request, CTA_TUPLE_ZONE, htons(zone));
	mnl_attr_nest_end(request, nest);
}

/* The kernel looks the tuple up in the zone of the original direction; one of the reply direction alone plays no part
 * (the original one is then zone 0). */
static struct nlmsghdr *begin(struct nl_socket *socket, void *buf, uint8_t message,
			      const struct flow_target *target)
{
	bool both = target->zone == target->zone_reply;
	struct nlmsghdr *request =
		nl_request(socket, buf, NFNL_SUBSYS_CTNETLINK, message, 0, target->orig.family);

	put_tuple(request, CTA_TUPLE_ORIG, &target->orig, both ? 0 : target->zone);
	if (both && target->zone)
		mnl_attr_put_u16(request, CTA_ZONE, htons(target->zone));
	return request;
}

struct nlmsghdr *message_get(struct nl_socket *socket, void *buf, const struct flow_target *target)
{
	return begin(socket, buf, IPCTNL_MSG_CT_GET, target);
}

struct nlmsghdr *message_delete(struct nl_socket *socket, void *buf,
				const struct flow_target *target)
{
	struct nlmsghdr *request = begin(socket, buf, IPCTNL_MSG_CT_DELETE, target);

	mnl_attr_put_u32(request, CTA_ID, htonl(target->id));
	return request;
}

struct nlmsghdr *message_set_timeout(struct nl_socket *socket, void *buf,
				     const struct flow_target *target,
				     const struct flow_timeout_change *change)
{
	struct nlmsghdr *request = begin(socket, buf, IPCTNL_MSG_CT_NEW, target);

	mnl_attr_put_u32(request, CTA_TIMEOUT, htonl(change->timeout_sec));
	/* The kernel refuses (EBUSY) a status that takes back what the entry has. */
	if (change->is_fixed)
		mnl_attr_put_u32(request, CTA_STATUS,
				 htonl(target->status | FLOW_STATUS_CONFIRMED |
				       FLOW_STATUS_FIXED_TIMEOUT));
	return request;
}

struct nlmsghdr *message_ask_unchanged(struct nl_socket *socket, void *buf, const struct flow_target *target)
{
	struct nlmsghdr *request = begin(socket, buf, IPCTNL_MSG_CT_NEW, target);

	/* Never ASSURED: the kernel would set it. */
	mnl_attr_put_u32(request, CTA_STATUS,
			 htonl(FLOW_STATUS_CONFIRMED | (target->status & FLOW_STATUS_SEEN_REPLY)));
	return request;
}

struct nlmsghdr *message_create(struct nl_socket *socket, void *buf, const struct flow_target *target,
				const struct flow_tuple *reply, uint32_t mark)
{
	struct nlmsghdr *request = begin(socket, buf, IPCTNL_MSG_CT_NEW, target);

	request->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	put_tuple(request, CTA_TUPLE_REPLY, reply,
		  target->zone == target->zone_reply ? 0 : target->zone_reply);
	mnl_attr_put_u32(request, CTA_TIMEOUT, htonl(target->timeout_sec));
	mnl_attr_put_u32(request, CTA_STATUS, htonl(target->status));
	mnl_attr_put_u32(request, CTA_MARK, htonl(mark));
	return request;
}
