/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/lock: of many daemons started in one instant on one stale socket exactly one may replace it. Looking whether
 * somebody answers there and removing the file are two steps: another one may have bound its own in between. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define TRIES 100 /* each lost one means that a holder has come and gone */

struct lock {
	char *path;
	int fd;
};

/* Whether the file that is locked is still the one that others would open. */
static bool is_in_place(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

static int take(const char *path, int *ret_fd)
{
	for (int i = 0; i < TRIES; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int error;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			error = errno == EWOULDBLOCK ? EADDRINUSE : errno;
			close(fd);
			return -error;
		}
		if (is_in_place(fd, path)) {
			*ret_fd = fd;
			return 0;
		}
		close(fd); /* its holder removed it after our open */
	}
	return -EADDRINUSE;
}

int lock_take(const char *path, struct lock **ret_lock)
{
	char *file = mem_format("%s.lock", path);
	struct lock *lock;
	int fd = -1, r = take(file, &fd);

	if (r < 0) {
		free(file);
		return r;
	}
	lock = mem_alloc(sizeof(*lock));
	lock->path = file;
	lock->fd = fd;
	*ret_lock = lock;
	return 0;
}

void lock_drop(struct lock *lock)
{
	if (!lock)
		return;
	/* Removed while it is held: who opened it before sees that it is no longer in place. */
	unlink(lock->path);
	close(lock->fd);
	free(lock->path);
	free(lock);
}
