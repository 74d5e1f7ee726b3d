/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/socket: opens netlink sockets, sends requests, takes answers from the kernel only. Knows
 * no message's content. */
#include "socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define DISCARD_MAX 65536 /* messages; a sender may be faster than we are */

int nl_open(struct nl_socket *ret_socket)
{
	return nl_open_bus(NETLINK_NETFILTER, ret_socket);
}

int nl_open_bus(int bus, struct nl_socket *ret_socket)
{
	struct mnl_socket *mnl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int r;

	if (!mnl) /* no such bus: what we would ask for is not in this kernel or not loaded */
		return errno == EPROTONOSUPPORT ? -ENOENT : -errno;
	if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		mnl_socket_close(mnl);
		return r;
	}
	*ret_socket = (struct nl_socket){.mnl = mnl};
	return 0;
}

void nl_close(struct nl_socket *socket)
{
	if (socket->mnl)
		mnl_socket_close(socket->mnl);
	socket->mnl = NULL;
}

struct nlmsghdr *nl_request(struct nl_socket *socket, void *buf, uint8_t subsystem, uint8_t message,
			    uint16_t flags, uint8_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *generic;

	header->nlmsg_type = (uint16_t)(subsystem << 8 | message);
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++socket->seq;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->nfgen_family = family;
	generic->version = 1;
	return header;
}

void *nl_begin_dump(struct nl_socket *socket, void *buf, uint16_t type, size_t header_size)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++socket->seq;
	return mnl_nlmsg_put_extra_header(header, header_size);
}

int nl_send(struct nl_socket *socket, const struct nlmsghdr *request)
{
	while (mnl_socket_sendto(socket->mnl, request, request->nlmsg_len) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int receive(struct nl_socket *socket, void *buf, size_t size, int flags, size_t *ret_len,
		   uint64_t *not_kernel)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	ssize_t len;

	for (;;) {
		struct msghdr msg = {.msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1};

		len = recvmsg(mnl_socket_get_fd(socket->mnl), &msg, flags);
		if (len < 0)
			return -errno;
		/* Any process may send to our port; only port 0 is the kernel. */
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0) {
			if (not_kernel)
				(*not_kernel)++;
			continue;
		}
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		*ret_len = (size_t)len;
		return 0;
	}
}

int nl_receive(struct nl_socket *socket, void *buf, size_t size, size_t *ret_len,
	       uint64_t *not_kernel)
{
	return receive(socket, buf, size, 0, ret_len, not_kernel);
}

/* Empties the queue: once it was full the kernel drops answers until it has been empty. */
static void discard(struct nl_socket *socket)
{
	uint8_t byte;

	for (int i = 0; i < DISCARD_MAX; i++) {
		if (recv(mnl_socket_get_fd(socket->mnl), &byte, sizeof(byte),
			 MSG_DONTWAIT | MSG_TRUNC) < 0 &&
		    errno != ENOBUFS && errno != EINTR)
			return;
	}
}

int nl_error_of(const struct nlmsghdr *message)
{
	int error = 0;

	/* Both begin with an int: struct nlmsgerr, and the result of a dump. */
	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(message), sizeof(error));
	else if (message->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	return error > 0 ? -error : error;
}

/* 1: more to come, 0: complete, or -errno. */
static int take_answers(struct nl_socket *socket, const void *buf, size_t len, bool is_dump,
			nl_answer_fn *fn, void *arg)
{
	const struct nlmsghdr *message = buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != socket->seq)
			continue; /* a late answer to an older request */
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
			return nl_error_of(message);
		if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
			return -EBADMSG;
		fn(message, arg);
		if (!is_dump)
			return 0;
	}
	return 1;
}

int nl_query(struct nl_socket *socket, const struct nlmsghdr *request, nl_answer_fn *fn, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_ANSWER_MAX];
	bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	size_t len;
	int r = nl_send(socket, request);

	if (r < 0)
		return r;
	do {
		/* The kernel answers while the request is sent, and goes on with a dump while an
		 * answer is received: what is not there was lost, waiting would be for ever. */
		r = receive(socket, buf, sizeof(buf), MSG_DONTWAIT, &len, NULL);
		if (r == -EINTR)
			r = 1;
		else if (r == -EAGAIN)
			r = -ENOBUFS;
		else if (!r)
			r = take_answers(socket, buf, len, is_dump, fn, arg);
	} while (r > 0);
	if (r == -ENOBUFS)
		discard(socket);
	return r;
}
