/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/events: the event socket. It lives in a handle of libnfnetlink, which opens, sizes and
 * subscribes it; the messages are taken by recvmmsg, 32 a call. Nothing is allocated per event. */
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libnfnetlink/libnfnetlink.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/mem.h"
#include "decode.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define BATCH 32
/* An event has some 200 bytes. Not a power of two, so that the slots do not fall on the same cache
 * lines. */
#define SLOT_BYTES (4096 + 320)

struct events {
	struct nfnl_handle *handle;
	int fd;
	size_t rcvbuf_bytes;
	uint32_t drops; /* the socket's count when last read; wraps */
	struct events_counts counts;
	/* The last batch: slots taken .. got-1 are not handed over yet, nor is what follows offset
	 * in the first of them. */
	unsigned got, taken;
	size_t offset;
	struct mmsghdr headers[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_nl from[BATCH];
	_Alignas(struct nlmsghdr) uint8_t slots[BATCH][SLOT_BYTES];
};

/* Drops DESTROY messages that carry this port: the effect of our own deletes. Offsets are those of
 * struct nlmsghdr; a load gives network order, the header is in host order. */
int events_skip(struct events *events, uint32_t portid)
{
	const uint16_t destroy = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(destroy), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (setsockopt(events->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

int events_mute_deaths(struct events *events, bool muted)
{
	int option = muted ? NETLINK_DROP_MEMBERSHIP : NETLINK_ADD_MEMBERSHIP, group = NFNLGRP_CONNTRACK_DESTROY;

	if (setsockopt(events->fd, SOL_NETLINK, option, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

static int join_groups(struct nfnl_handle *handle, unsigned groups)
{
	static const struct {
		unsigned group, kernel;
	} all[] = {
		{EVENTS_NEW, NFNLGRP_CONNTRACK_NEW},
		{EVENTS_UPDATE, NFNLGRP_CONNTRACK_UPDATE},
		{EVENTS_DESTROY, NFNLGRP_CONNTRACK_DESTROY},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (groups & all[i].group && nfnl_join(handle, all[i].kernel) < 0)
			return -errno;
	}
	return 0;
}

static int set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* What was granted. SO_RCVBUFFORCE, else SO_RCVBUF, both by libnfnetlink; 0 leaves the system's
 * default. The kernel says twice what it was asked for. */
static size_t size_buffer(struct nfnl_handle *handle, size_t bytes)
{
	const size_t max = INT32_MAX / 2;
	int size = 0;
	socklen_t len = sizeof(size);

	if (bytes)
		return nfnl_rcvbufsiz(handle, (unsigned)(bytes < max ? bytes : max)) / 2;
	if (getsockopt(nfnl_fd(handle), SOL_SOCKET, SO_RCVBUF, &size, &len) < 0)
		return 0;
	return (size_t)size / 2;
}

static void prepare_slots(struct events *events)
{
	for (unsigned i = 0; i < BATCH; i++) {
		events->iov[i] = (struct iovec){events->slots[i], SLOT_BYTES};
		events->headers[i].msg_hdr = (struct msghdr){.msg_name = &events->from[i],
							     .msg_namelen = sizeof(events->from[i]),
							     .msg_iov = &events->iov[i],
							     .msg_iovlen = 1};
	}
}

int events_open(const struct events_options *options, struct events **ret_events)
{
	struct nfnl_handle *handle = nfnl_open();
	struct events *events;
	int r;

	if (!handle)
		return errno ? -errno : -EIO;
	events = mem_alloc(sizeof(*events));
	events->handle = handle;
	events->fd = nfnl_fd(handle);
	/* Size and filter first: from the first message on they count. */
	events->rcvbuf_bytes = size_buffer(handle, options->rcvbuf_bytes);
	r = set_flags(events->fd);
	if (!r && options->skip_portid)
		r = events_skip(events, options->skip_portid);
	if (!r)
		r = join_groups(handle, options->groups);
	if (r < 0) {
		events_close(events);
		return r;
	}
	prepare_slots(events);
	*ret_events = events;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	nfnl_close(events->handle);
	free(events);
}

int events_fd(const struct events *events)
{
	return events->fd;
}

size_t events_rcvbuf_bytes(const struct events *events)
{
	return events->rcvbuf_bytes;
}

struct events_counts events_counts_get(const struct events *events)
{
	return events->counts;
}

uint32_t event_portid(const void *raw)
{
	const struct nlmsghdr *message = raw;

	return message->nlmsg_pid;
}

/* The messages the kernel could not queue since the last call: the Drops column of
 * /proc/net/netlink, without /proc. */
static uint64_t take_lost(struct events *events)
{
	uint32_t info[SK_MEMINFO_VARS] = {0}, lost;
	socklen_t len = sizeof(info);

	if (getsockopt(events->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ||
	    len < (SK_MEMINFO_DROPS + 1) * sizeof(info[0]))
		return 0;
	lost = info[SK_MEMINFO_DROPS] - events->drops;
	events->drops = info[SK_MEMINFO_DROPS];
	events->counts.lost += lost;
	return lost;
}

/* Fills the next batch of at most `most`. False: nothing there. */
static bool receive_batch(struct events *events, size_t most)
{
	int got;

	for (unsigned i = 0; i < events->got;
	     i++) /* the kernel wrote the lengths of the last batch there */
		events->headers[i].msg_hdr.msg_namelen = sizeof(events->from[i]);
	events->got = events->taken = 0;
	events->offset = 0;
	for (;;) {
		got = recvmmsg(events->fd, events->headers, (unsigned)(most < BATCH ? most : BATCH),
			       MSG_DONTWAIT, NULL);
		if (got >= 0)
			break;
		if (errno == ENOBUFS)
			events->counts
				.overruns++; /* once for each episode; how many is in SO_MEMINFO */
		else if (errno != EINTR)
			return false;
	}
	events->got = (unsigned)got;
	return got > 0;
}

/* The next message of the slot in hand, NULL where there is none (and the slot is done). */
static const struct nlmsghdr *next_message(struct events *events)
{
	const struct mmsghdr *header = &events->headers[events->taken];
	const struct nlmsghdr *message =
		(const void *)(events->slots[events->taken] + events->offset);
	size_t left = header->msg_len > events->offset ? header->msg_len - events->offset : 0;

	if (!events->offset && (header->msg_hdr.msg_namelen < sizeof(struct sockaddr_nl) ||
				events->from[events->taken].nl_pid != 0)) {
		events->counts.not_kernel++;
		left = 0;
	} else if (left > 0 && (left < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
				message->nlmsg_len > left)) {
		events->counts.undecodable++;
		left = 0;
	}
	if (!left) {
		events->taken++;
		events->offset = 0;
		return NULL;
	}
	events->offset += NLMSG_ALIGN(message->nlmsg_len);
	return message;
}

size_t events_drain(struct events *events, size_t budget, events_fn *fn, void *arg,
		    uint64_t *ret_lost)
{
	size_t handed = 0, seen = 0;
	enum flow_event_kind kind;
	struct flow flow;

	while (seen < budget) {
		const struct nlmsghdr *message;
		bool is_first;

		if (events->taken == events->got && !receive_batch(events, budget - seen))
			break;
		is_first = !events->offset;
		message = next_message(events);
		if (!message) {
			seen += is_first; /* rubbish spends the budget too */
			continue;
		}
		seen++;
		if (decode_in_place(message, message->nlmsg_len, &flow, &kind) < 0) {
			events->counts.undecodable++;
			continue;
		}
		events->counts.messages++;
		handed++;
		if (!fn(kind, &flow, message, message->nlmsg_len, arg))
			break;
	}
	*ret_lost = take_lost(events);
	return handed;
}
