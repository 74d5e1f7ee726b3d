/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/netns: which network namespace the calling thread is in. */
#include "kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The name under which `ip netns` knows a namespace: a file in its directory, bound to it. */
static void find_name(const struct stat *self, char *ret_name, size_t size)
{
	DIR *directory = opendir("/run/netns");
	struct dirent *entry;
	struct stat file;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= size)
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &file, 0) == 0 &&
		    file.st_ino == self->st_ino && file.st_dev == self->st_dev) {
			memcpy(ret_name, entry->d_name, strlen(entry->d_name) + 1);
			break;
		}
	}
	closedir(directory);
}

int netns_self(struct table_netns *ret_netns)
{
	struct table_netns netns = {0};
	struct stat self, other;

	if (stat("/proc/thread-self/ns/net", &self) < 0)
		return -errno;
	netns.inode = self.st_ino;
	if (stat("/proc/1/ns/net", &other) == 0)
		netns.is_host = other.st_ino == self.st_ino && other.st_dev == self.st_dev;
	else if (stat("/proc/sys/net/netfilter/nf_conntrack_max", &other) == 0)
		/* Without the right to look at process 1: the kernel makes this file writable in
		 * the first namespace only. */
		netns.is_host = other.st_mode & S_IWUSR;
	find_name(&self, netns.name, sizeof(netns.name));
	*ret_netns = netns;
	return 0;
}
