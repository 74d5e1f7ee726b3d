/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/host: what of this host must not be cut off: the operator's sessions, its addresses, those who listen. */
#include "kernel/kernel.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/mem.h"
#include "processes.h"
#include "socket.h"

#define TCP_STATE_ESTABLISHED 1 /* include/net/tcp_states.h, not in the UAPI headers */

/* ---- addresses ---- */

/* ::ffff:a.b.c.d of a socket of both families is IPv4 on the wire. */
static void unmap(struct addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t v4[4];

	if (addr->family != AF_INET6 || memcmp(addr->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memcpy(v4, addr->bytes + 12, sizeof(v4));
	*addr = (struct addr){.family = AF_INET};
	memcpy(addr->bytes, v4, sizeof(v4));
}

int host_addresses(struct addr **ret_addrs, size_t *ret_count)
{
	struct ifaddrs *list, *at;
	struct addr *addrs;
	size_t count = 0;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (at = list; at; at = at->ifa_next)
		count++;
	addrs = mem_array(count + 1, sizeof(*addrs));
	count = 0;
	for (at = list; at; at = at->ifa_next) {
		struct addr addr = {0};

		if (!at->ifa_addr)
			continue;
		addr.family = (uint8_t)at->ifa_addr->sa_family;
		if (addr.family == AF_INET)
			memcpy(addr.bytes, &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr, 4);
		else if (addr.family == AF_INET6)
			memcpy(addr.bytes, &((const struct sockaddr_in6 *)(const void *)at->ifa_addr)->sin6_addr, 16);
		else
			continue;
		addrs[count++] = addr;
	}
	freeifaddrs(list);
	*ret_addrs = addrs;
	*ret_count = count;
	return 0;
}

/* ---- the operator's sockets ---- */

struct operator_sockets {
	uint64_t *inodes; /* of sockets that an sshd holds, sorted for the search */
	size_t inode_count, inodes_reserved;
	uint16_t port; /* 0: those of the inodes; else those at this port of ours, whoever holds them */
	struct flow_tuple *tuples;
	size_t count, reserved;
};

static int add_inode(uint64_t inode, void *arg)
{
	struct operator_sockets *found = arg;

	if (found->inode_count == found->inodes_reserved) {
		found->inodes_reserved = found->inodes_reserved ? 2 * found->inodes_reserved : 64;
		found->inodes = mem_resize(found->inodes, found->inodes_reserved, sizeof(*found->inodes));
	}
	found->inodes[found->inode_count++] = inode;
	return 0;
}

/* By name alone: one that only calls itself so has its own flows spared, which does less harm than an operator cut
 * off. */
static int look_at_process(pid_t pid, const char *name, void *arg)
{
	if (strcmp(name, "sshd") != 0 && strcmp(name, "sshd-session") != 0)
		return 0;
	return process_sockets_each(pid, add_inode, arg);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void put_end(uint8_t family, const __be32 words[4], __be16 port_be, uint8_t bytes[16], uint8_t *ret_family,
		    uint16_t *ret_port)
{
	struct addr addr = {.family = family};

	memcpy(addr.bytes, words, family == AF_INET ? 4 : 16);
	unmap(&addr);
	memcpy(bytes, addr.bytes, sizeof(addr.bytes));
	*ret_family = addr.family;
	*ret_port = ntohs(port_be);
}

static void take_socket(const struct nlmsghdr *answer, void *arg)
{
	struct operator_sockets *found = arg;
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(answer);
	uint64_t inode;
	struct flow_tuple tuple = {.protocol = IPPROTO_TCP};

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(*socket))
		return;
	inode = socket->idiag_inode;
	if (found->port ? ntohs(socket->id.idiag_sport) != found->port
			: !found->inode_count ||
				  !bsearch(&inode, found->inodes, found->inode_count, sizeof(inode), by_number))
		return;
	/* The peer began it: as its packets come in. */
	put_end(socket->idiag_family, socket->id.idiag_dst, socket->id.idiag_dport, tuple.src, &tuple.family,
		&tuple.sport);
	put_end(socket->idiag_family, socket->id.idiag_src, socket->id.idiag_sport, tuple.dst, &tuple.family,
		&tuple.dport);
	if (found->count == found->reserved) {
		found->reserved = found->reserved ? 2 * found->reserved : 16;
		found->tuples = mem_resize(found->tuples, found->reserved, sizeof(*found->tuples));
	}
	found->tuples[found->count++] = tuple;
}

static int ask_family(struct nl_socket *socket, uint8_t family, struct operator_sockets *found)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct inet_diag_req_v2 *wanted = nl_begin_dump(socket, buf, SOCK_DIAG_BY_FAMILY, sizeof(*wanted));

	wanted->sdiag_family = family;
	wanted->sdiag_protocol = IPPROTO_TCP;
	wanted->idiag_states = 1u << TCP_STATE_ESTABLISHED;
	return nl_query(socket, (const struct nlmsghdr *)buf, take_socket, found);
}

static int ask_kernel(struct operator_sockets *found)
{
	struct nl_socket socket;
	int r = nl_open_bus(NETLINK_SOCK_DIAG, &socket);

	if (r < 0)
		return r;
	r = ask_family(&socket, AF_INET, found);
	if (!r)
		r = ask_family(&socket, AF_INET6, found);
	nl_close(&socket);
	return r;
}

int host_operator_sockets(struct flow_tuple **ret_tuples, size_t *ret_count)
{
	struct operator_sockets found = {0};
	int r = processes_each(look_at_process, &found);

	if (!r && found.inode_count) {
		qsort(found.inodes, found.inode_count, sizeof(*found.inodes), by_number);
		r = ask_kernel(&found);
	}
	free(found.inodes);
	if (r < 0) {
		free(found.tuples);
		return r;
	}
	*ret_tuples = found.tuples;
	*ret_count = found.count;
	return 0;
}

int host_port_sockets(uint16_t port, struct flow_tuple **ret_tuples, size_t *ret_count)
{
	struct operator_sockets found = {.port = port};
	int r = ask_kernel(&found);

	if (r < 0) {
		free(found.tuples);
		return r;
	}
	*ret_tuples = found.tuples;
	*ret_count = found.count;
	return 0;
}
