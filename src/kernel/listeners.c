/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/listeners: who else hears of entries, by /proc/net/netlink. */
#include "kernel/kernel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "base/text.h"
#include "processes.h"

#define LISTENERS_MAX 32

struct listener {
	uint64_t inode;
	uint32_t portid;
	bool is_ours;
	char name[PROCESS_NAME_MAX];
};

struct listeners {
	struct listener at[LISTENERS_MAX];
	unsigned count, unnamed;
	/* Of the process that is being looked at. */
	const char *name;
	bool is_ours;
};

static void read_listeners(struct listeners *listeners)
{
	/* That of the thread: /proc/net is the process's. */
	FILE *stream = fopen("/proc/thread-self/net/netlink", "re");
	char line[256];

	if (!stream)
		return;
	/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; groups: the first 32 */
	while (listeners->count < LISTENERS_MAX && fgets(line, sizeof(line), stream)) {
		struct listener *listener = &listeners->at[listeners->count];
		unsigned long long inode;
		unsigned bus, portid, groups;

		if (sscanf(line, "%*s %u %u %x %*s %*s %*s %*s %*s %llu", &bus, &portid, &groups, &inode) != 4 ||
		    bus != NETLINK_NETFILTER || !(groups & 1u << (NFNLGRP_CONNTRACK_DESTROY - 1)))
			continue;
		*listener = (struct listener){.inode = inode, .portid = portid};
		listeners->count++;
	}
	fclose(stream);
	listeners->unnamed = listeners->count;
}

static int claim(uint64_t inode, void *arg)
{
	struct listeners *listeners = arg;

	for (unsigned i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->at[i];

		if (listener->inode != inode)
			continue;
		if (listener->name[0])
			continue;
		listeners->unnamed--;
		listener->is_ours = listeners->is_ours;
		snprintf(listener->name, sizeof(listener->name), "%s", listeners->name);
	}
	return 0;
}

static int look_at_process(pid_t pid, const char *name, void *arg)
{
	struct listeners *listeners = arg;
	int r;

	if (pid == getpid())
		return 0;
	listeners->name = name;
	r = process_sockets_each(pid, claim, listeners);
	/* Where we may not look at its descriptors: the port is mostly the process's number. */
	for (unsigned i = 0; r < 0 && i < listeners->count; i++) {
		if (!listeners->at[i].name[0] && listeners->at[i].portid == (uint32_t)pid)
			snprintf(listeners->at[i].name, sizeof(listeners->at[i].name), "%s", name);
	}
	return listeners->unnamed ? 0 : -1; /* all are known */
}

/* Our own sockets first: a child of ours may hold them too. */
static void find_names(struct listeners *listeners)
{
	listeners->name = "self";
	listeners->is_ours = true;
	process_sockets_each(getpid(), claim, listeners);
	listeners->is_ours = false;
	if (listeners->unnamed)
		processes_each(look_at_process, listeners);
}

static bool is_named_before(const struct listeners *listeners, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (!listeners->at[k].is_ours && !strcmp(listeners->at[k].name, listeners->at[i].name))
			return true;
	}
	return false;
}

bool host_hears_no_updates(void)
{
	FILE *stream = fopen("/proc/thread-self/net/netlink", "re");
	bool hears = false;
	char line[256];

	if (!stream)
		return false;
	while (!hears && fgets(line, sizeof(line), stream)) {
		unsigned bus, groups;

		hears = sscanf(line, "%*s %u %*u %x", &bus, &groups) == 2 && bus == NETLINK_NETFILTER &&
			groups & 1u << (NFNLGRP_CONNTRACK_UPDATE - 1);
	}
	fclose(stream);
	return !hears;
}

unsigned host_destroy_listeners(char *ret_names, size_t size)
{
	struct listeners listeners = {.count = 0};
	struct text text;
	unsigned others = 0;

	text_init(&text, ret_names, size);
	read_listeners(&listeners);
	if (listeners.count)
		find_names(&listeners);
	for (unsigned i = 0; i < listeners.count; i++) {
		struct listener *listener = &listeners.at[i];

		if (listener->is_ours)
			continue;
		others++;
		if (!listener->name[0])
			snprintf(listener->name, sizeof(listener->name), "port %u", listener->portid);
		if (!is_named_before(&listeners, i))
			text_add(&text, "%s%s", text.len ? ", " : "", listener->name);
	}
	return others;
}
