/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/file: files opened without waiting for anybody. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITER_WAIT_MS 2000

/* What a path names: opened, with its kind. O_NONBLOCK is of this descriptor alone, of /dev/stdin too. */
static int open_at_once(const char *path, int flags, mode_t mode, struct stat *ret_stat)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode), error;

	/* A socket, or a pipe opened for writing that nobody reads. */
	if (fd < 0)
		return errno == ENXIO ? -ENODEV : -errno;
	if (fstat(fd, ret_stat) == 0 && !S_ISDIR(ret_stat->st_mode))
		return fd;
	error = S_ISDIR(ret_stat->st_mode) ? EISDIR : errno;
	close(fd);
	return -error;
}

int file_open(const char *path, int flags, mode_t mode)
{
	struct stat file = {0};
	int fd = open_at_once(path, flags, mode, &file);

	if (fd < 0 || S_ISREG(file.st_mode))
		return fd;
	close(fd);
	return -ENODEV;
}

int file_open_any(const char *path)
{
	struct pollfd wait = {.events = POLLIN};
	struct stat file = {0};
	int fd = open_at_once(path, O_RDONLY, 0, &file), flags;

	if (fd < 0 || S_ISREG(file.st_mode))
		return fd;
	/* Without a writer a pipe that is read on ends at once; with one it is waited for as long as it takes. */
	wait.fd = fd;
	if (S_ISFIFO(file.st_mode))
		poll(&wait, 1, WRITER_WAIT_MS);
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

const char *file_strerror(int error)
{
	return error == ENODEV || error == -ENODEV ? "it is no regular file" : strerror(error < 0 ? -error : error);
}
