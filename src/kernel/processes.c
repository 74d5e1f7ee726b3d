/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/processes: walks over /proc and /proc/PID/fd. A process that ends meanwhile is no error; one that may not be
 * looked at is. */
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name of digits alone, or -1. */
static pid_t pid_of(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return end == name || *end || pid <= 0 ? -1 : (pid_t)pid;
}

static int has_ended(int error)
{
	return error == ENOENT || error == ESRCH;
}

/* 1 and the name, 0 ended meanwhile, -errno. */
static int read_name(int proc_fd, pid_t pid, char name[PROCESS_NAME_MAX])
{
	char path[32];
	ssize_t len;
	int fd, error;

	snprintf(path, sizeof(path), "%d/comm", (int)pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return has_ended(errno) ? 0 : -errno;
	len = read(fd, name, PROCESS_NAME_MAX - 1);
	error = errno;
	close(fd);
	if (len < 0)
		return has_ended(error) ? 0 : -error;
	name[len] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return 1;
}

int processes_each(process_fn *fn, void *arg)
{
	DIR *proc = opendir("/proc");
	char name[PROCESS_NAME_MAX];
	struct dirent *entry;
	bool has_first = false;
	int r = 0;

	if (!proc)
		return -errno;
	while (r >= 0 && (entry = readdir(proc))) {
		pid_t pid = pid_of(entry->d_name);

		if (pid < 0)
			continue;
		has_first = has_first || pid == 1;
		r = read_name(dirfd(proc), pid, name);
		if (r > 0)
			r = fn(pid, name, arg);
	}
	closedir(proc);
	if (r < 0)
		return r == -EPERM ? -EACCES : r;
	/* hidepid: the others' processes are not even listed. */
	return has_first ? 0 : -EACCES;
}

int process_sockets_each(pid_t pid, process_socket_fn *fn, void *arg)
{
	char path[32], target[64];
	struct dirent *entry;
	DIR *directory;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (!directory)
		return has_ended(errno) ? 0 : -EACCES;
	while (r >= 0 && (entry = readdir(directory))) {
		unsigned long long inode;
		ssize_t len = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (len < 0)
			continue; /* closed meanwhile, or a dot */
		target[len] = '\0';
		if (sscanf(target, "socket:[%llu]", &inode) == 1)
			r = fn(inode, arg);
	}
	closedir(directory);
	return r < 0 ? r : 0;
}
