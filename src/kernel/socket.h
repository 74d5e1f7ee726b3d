/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/socket: requests and answers on one netlink socket. Private to the layer. */
#ifndef CTWARDEN_KERNEL_SOCKET_H
#define CTWARDEN_KERNEL_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NL_REQUEST_MAX 1024 /* bytes of our largest request */
/* The kernel makes no answer of a dump larger (netlink_dump caps it), so more gains nothing. */
#define NL_ANSWER_MAX 32768

struct nl_socket {
	struct mnl_socket *mnl;
	uint32_t seq; /* of the last request */
};

/* Opens in the calling thread's network namespace. 0 or -errno. */
int nl_open(struct nl_socket *ret_socket); /* NETLINK_NETFILTER */
int nl_open_bus(int bus, struct nl_socket *ret_socket);
void nl_close(struct nl_socket *socket);

/* Begins a request of an nfnetlink subsystem in buf (NL_REQUEST_MAX bytes, aligned); attributes may
 * follow. Version 1 tells ctnetlink to honour the family wherever it can (kernel-facts: version 0
 * does not in a flush). */
struct nlmsghdr *nl_request(struct nl_socket *socket, void *buf, uint8_t subsystem, uint8_t message,
			    uint16_t flags, uint8_t family);
/* Begins a dump of another bus in buf, likewise. Returns its family header of so many bytes, all 0. */
void *nl_begin_dump(struct nl_socket *socket, void *buf, uint16_t type, size_t header_size);
int nl_send(struct nl_socket *socket, const struct nlmsghdr *request);
/* One datagram from the kernel; those of other senders are dropped and counted in *not_kernel (may
 * be NULL). Blocks. 0, -EMSGSIZE where it did not fit, -errno (EINTR too). */
int nl_receive(struct nl_socket *socket, void *buf, size_t size, size_t *ret_len,
	       uint64_t *not_kernel);

/* The error an NLMSG_ERROR or NLMSG_DONE message carries: 0 or -errno. */
int nl_error_of(const struct nlmsghdr *message);

typedef void nl_answer_fn(const struct nlmsghdr *answer, void *arg);
/* Sends a request and hands over each answer (one, or all of a dump). 0 or -errno; EINTR is waited
 * out: the kernel answers at once. */
int nl_query(struct nl_socket *socket, const struct nlmsghdr *request, nl_answer_fn *fn, void *arg);

#endif
