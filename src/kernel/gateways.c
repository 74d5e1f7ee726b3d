/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/gateways: the next hops of this namespace's routes, by rtnetlink: of every table and both families, which
 * /proc/net does not show. */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"
#include "socket.h"

struct gateways {
	struct addr addrs[HOST_GATEWAYS_MAX];
	size_t count;
	bool are_more;
};

static void add(struct gateways *found, uint8_t family, const void *bytes, size_t len)
{
	struct addr addr = {.family = family};
	size_t i;

	if ((family != AF_INET && family != AF_INET6) || len < addr_bits(family) / 8)
		return;
	memcpy(addr.bytes, bytes, addr_bits(family) / 8);
	for (i = 0; i < found->count; i++)
		if (addr_equal(&found->addrs[i], &addr))
			return;
	found->are_more |= found->count == HOST_GATEWAYS_MAX;
	if (!found->are_more)
		found->addrs[found->count++] = addr;
}

static void take_hop(struct gateways *found, uint8_t family, const struct nlattr *attr)
{
	const uint8_t *payload = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	uint16_t via_family;

	if (mnl_attr_get_type(attr) == RTA_GATEWAY)
		add(found, family, payload, len);
	if (mnl_attr_get_type(attr) != RTA_VIA || len < sizeof(via_family))
		return;
	/* A hop of the other family. */
	memcpy(&via_family, payload, sizeof(via_family));
	add(found, (uint8_t)via_family, payload + sizeof(via_family), len - sizeof(via_family));
}

static void take_hops(struct gateways *found, uint8_t family, const struct nlattr *list)
{
	const uint8_t *at = mnl_attr_get_payload(list);
	size_t left = mnl_attr_get_payload_len(list);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		const struct nlattr *attr = (const void *)(at + sizeof(*hop));
		size_t len = hop->rtnh_len;
		int inside = (int)len - (int)sizeof(*hop);

		if (len < sizeof(*hop) || len > left)
			return;
		for (; mnl_attr_ok(attr, inside); attr = mnl_attr_next(attr)) {
			take_hop(found, family, attr);
			inside -= (int)MNL_ALIGN(attr->nla_len);
		}
		len = RTNH_ALIGN(len);
		if (len > left)
			return;
		at += len;
		left -= len;
	}
}

static void take_route(const struct nlmsghdr *answer, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(answer);
	const struct nlattr *attr;

	if (answer->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(answer) < sizeof(*route))
		return;
	mnl_attr_for_each(attr, answer, sizeof(*route)) {
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			take_hops(arg, route->rtm_family, attr);
		else
			take_hop(arg, route->rtm_family, attr);
	}
}

/* Routes may name a nexthop object alone (net.ipv4.nexthop_compat_mode 0). */
static void take_object(const struct nlmsghdr *answer, void *arg)
{
	const struct nhmsg *hop = mnl_nlmsg_get_payload(answer);
	const struct nlattr *attr;

	if (answer->nlmsg_type != RTM_NEWNEXTHOP || mnl_nlmsg_get_payload_len(answer) < sizeof(*hop))
		return;
	mnl_attr_for_each(attr, answer, sizeof(*hop))
		if (mnl_attr_get_type(attr) == NHA_GATEWAY)
			add(arg, hop->nh_family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
}

/* Kernels before 5.3 have none: EOPNOTSUPP, or EINVAL. */
static int ask_objects(struct nl_socket *socket, struct gateways *found)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	int r;

	nl_begin_dump(socket, buf, RTM_GETNEXTHOP, sizeof(struct nhmsg));
	r = nl_query(socket, (const struct nlmsghdr *)buf, take_object, found);
	return r == -EOPNOTSUPP || r == -EINVAL ? 0 : r;
}

static int ask_family(struct nl_socket *socket, uint8_t family, struct gateways *found)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct rtmsg *wanted = nl_begin_dump(socket, buf, RTM_GETROUTE, sizeof(*wanted));

	wanted->rtm_family = family;
	return nl_query(socket, (const struct nlmsghdr *)buf, take_route, found);
}

int host_gateways(struct addr ret_addrs[HOST_GATEWAYS_MAX], size_t *ret_count)
{
	struct gateways *found;
	struct nl_socket socket;
	int r = nl_open_bus(NETLINK_ROUTE, &socket);

	if (r < 0)
		return r;
	found = mem_alloc(sizeof(*found));
	r = ask_family(&socket, AF_INET, found);
	if (!r)
		r = ask_family(&socket, AF_INET6, found);
	if (!r)
		r = ask_objects(&socket, found);
	nl_close(&socket);
	if (!r && found->are_more)
		r = -E2BIG;
	if (!r) {
		memcpy(ret_addrs, found->addrs, found->count * sizeof(found->addrs[0]));
		*ret_count = found->count;
	}
	free(found);
	return r;
}
