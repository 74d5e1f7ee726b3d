/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/throwaway: a child makes the namespace and opens the socket in it; it shares our descriptors, so that the
 * socket is ours when it has gone. */
#include "throwaway.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

/* In the child: system calls only, we may be one of several threads. -errno or the socket. */
static int open_in_new_netns(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	return fd < 0 ? -errno : fd;
}

/* By pipe from the child; without a message it has died. */
static int read_result(int fd)
{
	ssize_t len;
	int result;

	do {
		len = read(fd, &result, sizeof(result));
	} while (len < 0 && errno == EINTR);
	return len == sizeof(result) ? result : -ECHILD;
}

static int socket_in_new_netns(void)
{
	int ends[2], result, status;
	pid_t child;

	/* Not blocking: we hold the writing end too, so that a child that died without a word would be waited for
	 * without end. When it has gone, its word is there. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* A thread could not make a user namespace. No memory is shared; the descriptors are. No signal at its end: a
	 * program's handler of SIGCHLD is not asked. */
	child = (pid_t)syscall(SYS_clone, (unsigned long)CLONE_FILES, 0ul, 0ul, 0ul, 0ul);
	if (child < 0) {
		result = -errno;
	} else if (!child) {
		result = open_in_new_netns();
		if (write(ends[1], &result, sizeof(result)) != sizeof(result) && result >= 0)
			close(result);
		_exit(0);
	} else {
		while (waitpid(child, &status, (int)__WCLONE) < 0 && errno == EINTR)
			;
		result = read_result(ends[0]);
	}
	close(ends[0]);
	close(ends[1]);
	return result;
}

int throwaway_open(struct throwaway *ret_throwaway)
{
	struct nl_socket socket = {0};
	int fd = socket_in_new_netns(), error;

	if (fd < 0)
		return fd;
	socket.mnl = mnl_socket_fdopen(fd);
	if (!socket.mnl) {
		error = errno;
		close(fd);
		return -error;
	}
	if (mnl_socket_bind(socket.mnl, 0, MNL_SOCKET_AUTOPID) < 0) {
		error = errno;
		nl_close(&socket);
		return -error;
	}
	writer_init(&ret_throwaway->writer, socket);
	return 0;
}

void throwaway_close(struct throwaway *throwaway)
{
	writer_done(&throwaway->writer);
}
