/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad days for a program, preloaded into it: the directory CTW_FAULTS holds what is wrong at this moment, as files that
 * tests make and remove while it runs. clock: seconds by which the wall clock is off. delete: errno that every request
 * to delete conntrack entries fails with. join: errno that every subscription to
 * conntrack's deaths fails with. nft: what nf_tables answers every request with (as where it is missing). */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

struct nft_ctx;

int nft_run_cmd_from_buffer(struct nft_ctx *nft, const char *buf);
const char *nft_ctx_get_error_buffer(struct nft_ctx *nft);

static _Thread_local char nft_error[256];

/* The text of a fault; NULL: nothing is wrong. */
static const char *fault(const char *name, char *buf, size_t size)
{
	const char *directory = getenv("CTW_FAULTS");
	char path[512];
	FILE *file;
	size_t len;

	if (!directory)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	len = fread(buf, 1, size - 1, file);
	fclose(file);
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
	char text[32];
	int result = (int)syscall(SYS_clock_gettime, id, ret);

	if (!result && id == CLOCK_REALTIME && fault("clock", text, sizeof(text)))
		ret->tv_sec += atol(text);
	return result;
}

static bool is_delete(const void *buf, size_t len)
{
	const struct nlmsghdr *message = buf;

	return len >= sizeof(*message) &&
	       message->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	char text[32];

	if (to && to->sa_family == AF_NETLINK && is_delete(buf, len) && fault("delete", text, sizeof(text))) {
		errno = atoi(text);
		return -1;
	}
	return syscall(SYS_sendto, fd, buf, len, flags, to, to_len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	char text[32];

	if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP &&
	    *(const int *)value == NFNLGRP_CONNTRACK_DESTROY && fault("join", text, sizeof(text))) {
		errno = atoi(text);
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

int nft_run_cmd_from_buffer(struct nft_ctx *nft, const char *buf)
{
	int (*next)(struct nft_ctx *, const char *) =
		(int (*)(struct nft_ctx *, const char *))dlsym(RTLD_NEXT, "nft_run_cmd_from_buffer");

	if (fault("nft", nft_error, sizeof(nft_error)))
		return -1;
	nft_error[0] = '\0';
	return next ? next(nft, buf) : -1;
}

const char *nft_ctx_get_error_buffer(struct nft_ctx *nft)
{
	const char *(*next)(struct nft_ctx *) =
		(const char *(*)(struct nft_ctx *))dlsym(RTLD_NEXT, "nft_ctx_get_error_buffer");

	return nft_error[0] ? nft_error : next ? next(nft) : "";
}
