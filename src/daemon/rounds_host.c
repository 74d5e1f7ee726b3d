/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds_host: what a round has to know of this host, and the senior flows kept between runs. */
#include "rounds_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"

#define HOST_FRESH_NS (2 * NS_PER_SEC) /* how old the operator's sockets may be */
#define SENIORITY_FILE "seniority"
#define SSH_PORT 22
#define SAVED_MAX (64 << 20)

/* ---- kept between runs ---- */

static bool boot_id(uint8_t ret[SENIORITY_BOOT_ID])
{
	char text[64] = "";
	unsigned byte, at = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i + 1 < len && at < SENIORITY_BOOT_ID; i++) {
		if (text[i] == '-')
			continue;
		if (sscanf(&text[i], "%2x", &byte) != 1)
			return false;
		ret[at++] = (uint8_t)byte;
		i++;
	}
	return at == SENIORITY_BOOT_ID;
}

void rounds_keep_seniority(struct rounds *rounds)
{
	struct seniority *seniority = guard_seniority(rounds->guard);
	uint8_t id[SENIORITY_BOOT_ID];
	char path[512], fresh[520];
	size_t len;
	void *buf;
	int fd;

	if (!boot_id(id))
		return;
	snprintf(path, sizeof(path), "%s/%s", rounds->config.state_dir, SENIORITY_FILE);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	/* It holds the key of the hashes. */
	fd = file_open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	buf = mem_alloc(seniority_saved_max(seniority));
	len = seniority_save(seniority, clock_monotonic_ns(), id, buf);
	if (write(fd, buf, len) != (ssize_t)len || rename(fresh, path))
		unlink(fresh);
	close(fd);
	free(buf);
}

void rounds_take_seniority_over(struct rounds *rounds)
{
	struct seniority *seniority = guard_seniority(rounds->guard);
	size_t max;
	struct stat file;
	uint8_t id[SENIORITY_BOOT_ID], *buf;
	char path[512];
	ssize_t len;
	int fd, result;
	uint64_t known;

	snprintf(path, sizeof(path), "%s/%s", rounds->config.state_dir, SENIORITY_FILE);
	fd = file_open(path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return;
	/* By its own size: it may be of a time when the table was larger. */
	if (fstat(fd, &file) < 0 || file.st_size > SAVED_MAX) {
		close(fd);
		return;
	}
	max = (size_t)file.st_size;
	buf = mem_alloc(max + 1);
	len = read(fd, buf, max + 1);
	close(fd);
	result = len > 0 && boot_id(id) ? seniority_restore(seniority, clock_monotonic_ns(), id, buf, (size_t)len)
					: -EINVAL;
	known = seniority_counts_get(seniority).seniors;
	if (!result)
		snprintf(rounds->note, sizeof(rounds->note), "known of the last run: %llu senior flow%s",
			 (unsigned long long)known, units_plural(known));
	else if (result == -EINVAL)
		snprintf(rounds->note, sizeof(rounds->note), "%.100s is damaged: seniority begins anew", path);
	free(buf);
}

/* ---- the host ---- */

/* Where the operator's sockets cannot be seen (no right to look into /proc/PID/fd), ssh at its usual port is spared. */
static void protect_ssh_port(struct protect *protect)
{
	static const enum flow_filter_key keys[] = {FILTER_DPORT, FILTER_REPLY_SPORT};

	for (size_t i = 0; i < 2; i++) {
		struct flow_filter *filter = flow_filter_new();

		flow_filter_add(filter, FILTER_PROTOCOL, "tcp", false, NULL);
		flow_filter_add(filter, keys[i], "22", false, NULL);
		flow_filter_add(filter, FILTER_UNREPLIED, NULL, true, NULL);
		if (protect_add(protect, filter, "operator (port 22)"))
			flow_filter_free(filter);
	}
}

void rounds_ask_host(struct rounds *rounds, const struct policy *policy, int64_t now_ns)
{
	struct addr *own;
	int result;

	if (rounds->host_ns && now_ns - rounds->host_ns < HOST_FRESH_NS)
		return;
	rounds->host_ns = now_ns;
	rounds->has_timeouts = !timeouts_read(&rounds->timeouts);
	/* Where they cannot be read (no memory, no descriptor) those of the last time hold: none would
	 * spare nothing. */
	own = rounds->own;
	if (!host_addresses(&rounds->own, &rounds->own_count))
		free(own);
	free(rounds->operators);
	rounds->operators = NULL;
	rounds->operator_count = 0;
	protect_free(rounds->protect);
	rounds->protect = protect_new();
	if (!policy->protects_operator)
		return;
	result = host_operator_sockets(&rounds->operators, &rounds->operator_count);
	if (!result) {
		protect_set_operator(rounds->protect, rounds->operators, rounds->operator_count);
		return;
	}
	protect_ssh_port(rounds->protect);
	/* Whom no rule may ban. */
	if (host_port_sockets(SSH_PORT, &rounds->operators, &rounds->operator_count))
		rounds->operator_count = 0;
	if (!rounds->is_operator_hidden)
		snprintf(rounds->note, sizeof(rounds->note),
			 "the sockets of sshd cannot be seen (%s): answered flows to port 22 are spared instead",
			 strerror(-result));
	rounds->is_operator_hidden = true;
}
