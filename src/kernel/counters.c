/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/counters: how full the table is and what the kernel counted. Netlink first (2.6 us and 5.3
 * us, needs CAP_NET_ADMIN), then what everybody may read in /proc. */
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proc.h"
#include "socket.h"

#define BUCKETS_NS NS_PER_SEC /* how old their number may be: reading the file costs half of both messages */

struct counters {
	struct nl_socket socket;
	uint64_t buckets; /* 0: not known */
	int64_t buckets_ns;
};

int counters_open(struct counters **ret_counters)
{
	struct counters *counters = mem_alloc(sizeof(*counters));
	int r = nl_open(&counters->socket);

	if (r < 0) {
		free(counters);
		return r;
	}
	*ret_counters = counters;
	return 0;
}

void counters_close(struct counters *counters)
{
	if (!counters)
		return;
	nl_close(&counters->socket);
	free(counters);
}

static bool get_be32(const struct nlattr *attr, uint64_t *ret)
{
	if (mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return false;
	*ret = ntohl(mnl_attr_get_u32(attr));
	return true;
}

static void take_global(const struct nlmsghdr *answer, void *arg)
{
	struct table_reading *reading = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_STATS_GLOBAL_ENTRIES:
			if (get_be32(attr, &reading->entries))
				reading->has |= READING_HAS_ENTRIES;
			break;
		case CTA_STATS_GLOBAL_MAX_ENTRIES:
			if (get_be32(attr, &reading->entries_limit))
				reading->has |= READING_HAS_LIMIT;
			break;
		}
	}
}

/* The member that holds this attribute, NULL where the kernel no longer uses it or we do not know
 * it. */
static uint64_t *counter_of(struct table_counters *counters, unsigned type)
{
	switch (type) {
	case CTA_STATS_FOUND:
		return &counters->found;
	case CTA_STATS_INVALID:
		return &counters->invalid;
	case CTA_STATS_INSERT:
		return &counters->insert;
	case CTA_STATS_INSERT_FAILED:
		return &counters->insert_failed;
	case CTA_STATS_DROP:
		return &counters->drop;
	case CTA_STATS_EARLY_DROP:
		return &counters->early_drop;
	case CTA_STATS_ERROR:
		return &counters->error;
	case CTA_STATS_SEARCH_RESTART:
		return &counters->search_restart;
	case CTA_STATS_CLASH_RESOLVE:
		return &counters->clash_resolve;
	case CTA_STATS_CHAIN_TOOLONG:
		return &counters->chaintoolong;
	default:
		return NULL;
	}
}

static void take_cpu(const struct nlmsghdr *answer, void *arg)
{
	struct table_reading *reading = arg;
	const struct nlattr *attr;

	reading->has |= READING_HAS_COUNTERS;
	mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg)) {
		uint64_t *sum = counter_of(&reading->counters, mnl_attr_get_type(attr));
		uint64_t value;

		if (sum && get_be32(attr, &value))
			*sum += value;
	}
}

/* The columns of /proc/net/stat/nf_conntrack by the names in its first line: they changed meaning
 * and place over the releases. `entries` is the same global number on every line and not summed. */
static int proc_column(const char *name)
{
	static const struct {
		const char *name;
		int type;
	} columns[] = {
		{"found", CTA_STATS_FOUND},
		{"invalid", CTA_STATS_INVALID},
		{"insert", CTA_STATS_INSERT},
		{"insert_failed", CTA_STATS_INSERT_FAILED},
		{"drop", CTA_STATS_DROP},
		{"early_drop", CTA_STATS_EARLY_DROP},
		{"icmp_error", CTA_STATS_ERROR},
		{"search_restart", CTA_STATS_SEARCH_RESTART},
		{"clashres", CTA_STATS_CLASH_RESOLVE},
		{"chainlength", CTA_STATS_CHAIN_TOOLONG},
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (!strcmp(columns[i].name, name))
			return columns[i].type;
	}
	return CTA_STATS_UNSPEC;
}

#define PROC_COLUMNS_MAX 32

static void read_proc_counters(struct table_reading *reading)
{
	int types[PROC_COLUMNS_MAX] = {0};
	unsigned columns = 0, i;
	char line[1024], *word, *rest;
	FILE *file = fopen("/proc/thread-self/net/stat/nf_conntrack", "re");

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		for (rest = line;
		     columns < PROC_COLUMNS_MAX && (word = strtok_r(rest, " \n", &rest));)
			types[columns++] = proc_column(word);
	}
	while (columns && fgets(line, sizeof(line), file)) {
		reading->has |= READING_HAS_COUNTERS;
		for (rest = line, i = 0; i < columns && (word = strtok_r(rest, " \n", &rest));
		     i++) {
			uint64_t *sum = counter_of(&reading->counters, (unsigned)types[i]);

			if (sum)
				*sum += strtoull(word, NULL, 16);
		}
	}
	fclose(file);
}

static void read_netlink(struct counters *counters, struct table_reading *reading)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *request;

	/* Whatever goes wrong here leaves parts unset, to be read elsewhere. */
	request = nl_request(&counters->socket, buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS,
			     0, 0);
	nl_query(&counters->socket, request, take_global, reading);
	request = nl_request(&counters->socket, buf, NFNL_SUBSYS_CTNETLINK,
			     IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, 0);
	if (nl_query(&counters->socket, request, take_cpu, reading) < 0) {
		/* The sum of some CPUs is no sum. */
		memset(&reading->counters, 0, sizeof(reading->counters));
		reading->has &= ~(uint32_t)READING_HAS_COUNTERS;
	}
}

static void read_setting(const char *name, uint32_t has, uint64_t *ret,
			 struct table_reading *reading)
{
	int64_t value;

	if (reading->has & has || proc_read(name, &value) < 0 || value < 0)
		return;
	*ret = (uint64_t)value;
	reading->has |= has;
}

static void read_buckets(struct counters *counters, struct table_reading *reading)
{
	int64_t now_ns = clock_monotonic_ns();

	if (!counters->buckets || now_ns - counters->buckets_ns >= BUCKETS_NS) {
		counters->buckets = buckets_read();
		counters->buckets_ns = now_ns;
	}
	if (!counters->buckets)
		return;
	reading->buckets = counters->buckets;
	reading->has |= READING_HAS_BUCKETS;
}

int counters_read(struct counters *counters, struct table_reading *ret_reading)
{
	struct table_reading reading = {0};

	read_netlink(counters, &reading);
	read_setting("nf_conntrack_count", READING_HAS_ENTRIES, &reading.entries, &reading);
	read_setting("nf_conntrack_max", READING_HAS_LIMIT, &reading.entries_limit, &reading);
	read_buckets(counters, &reading);
	if (!(reading.has & READING_HAS_COUNTERS))
		read_proc_counters(&reading);
	if (!reading.has)
		return -ENOENT;
	reading.monotonic_ns = clock_monotonic_ns();
	reading.real_ns = clock_real_ns();
	*ret_reading = reading;
	return 0;
}

uint64_t buckets_read(void)
{
	int64_t value;

	return proc_read("nf_conntrack_buckets", &value) < 0 || value < 0 ? 0 : (uint64_t)value;
}

int setting_read(const char *name)
{
	int64_t value;

	return proc_read(name, &value) < 0 ? -1 : (int)value;
}
