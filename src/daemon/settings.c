/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/settings: the file has one line a value: name, what was there, what we set. */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "kernel/kernel.h"
#include "policy/words.h"

#define VALUES_MAX 64
#define TIMEOUT_MAX_SEC 2147483 /* what the kernel takes: INT_MAX milliseconds */

struct value {
	size_t index; /* in policy_timeouts */
	uint32_t before, ours;
};

struct values {
	struct value items[VALUES_MAX];
	size_t count;
};

static void path_of(const char *directory, const char *suffix, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s%s", directory, SETTINGS_FILE, suffix);
}

static void put(struct flow_timeouts *timeouts, size_t index, uint32_t sec)
{
	memcpy((char *)timeouts + policy_timeouts[index].offset, &sec, sizeof(sec));
}

static struct value *find(struct values *values, size_t index)
{
	for (size_t i = 0; i < values->count; i++)
		if (values->items[i].index == index)
			return &values->items[i];
	return NULL;
}

/* NAME BEFORE OURS; false: it names nothing that could be put back. */
static bool read_line(char *line, struct value *ret_value)
{
	char *save = NULL, *name = strtok_r(line, " \n", &save), *text, *end;
	unsigned long numbers[2];

	for (int i = 0; i < 2; i++) {
		text = strtok_r(NULL, " \n", &save);
		if (!text || *text < '0' || *text > '9')
			return false;
		numbers[i] = strtoul(text, &end, 10);
		if (*end || !numbers[i] || numbers[i] > TIMEOUT_MAX_SEC)
			return false;
	}
	for (size_t i = 0; i < policy_timeout_count; i++) {
		if (strcmp(policy_timeouts[i].key, name) != 0)
			continue;
		*ret_value = (struct value){i, (uint32_t)numbers[0], (uint32_t)numbers[1]};
		return true;
	}
	return false;
}

/* -EBADMSG: a line makes no sense, and what it meant to put back is not known. */
static int load(const char *directory, struct values *values)
{
	char path[512], line[128];
	struct value value;
	int fd, result = 0;
	FILE *file;

	values->count = 0;
	path_of(directory, "", path, sizeof(path));
	fd = file_open(path, O_RDONLY, 0);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		result = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return result;
	}
	while (values->count < VALUES_MAX && fgets(line, sizeof(line), file)) {
		if (!read_line(line, &value) || find(values, value.index))
			result = -EBADMSG;
		else
			values->items[values->count++] = value;
	}
	fclose(file);
	return result;
}

/* Whole or not at all, and on the disk before the kernel is touched. */
static int save(const char *directory, const struct values *values)
{
	char path[512], fresh[512], line[128];
	int fd, result = 0;

	path_of(directory, "", path, sizeof(path));
	path_of(directory, ".new", fresh, sizeof(fresh));
	/* A link here would have another file overwritten. */
	fd = file_open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < values->count && !result; i++) {
		const struct value *value = &values->items[i];
		int len = snprintf(line, sizeof(line), "%s %u %u\n", policy_timeouts[value->index].key, value->before,
				   value->ours);

		if (write(fd, line, (size_t)len) != len)
			result = errno ? -errno : -EIO;
	}
	if (!result && (fsync(fd) || rename(fresh, path)))
		result = -errno;
	close(fd);
	if (result)
		unlink(fresh);
	return result;
}

int settings_lower(const char *directory, const struct flow_timeouts *set, struct problem *reterr_problem)
{
	struct flow_timeouts now = {0}, lower = {0};
	struct values values = {0};
	struct value *value;
	size_t changed = 0;
	int result = timeouts_read(&now);

	if (result)
		return problem_set(reterr_problem, "timeouts", "cannot be read: %s", strerror(-result)), result;
	load(directory, &values);
	for (size_t i = 0; i < policy_timeout_count; i++) {
		uint32_t wanted = policy_timeout_get(set, i), there = policy_timeout_get(&now, i);

		if (!wanted || !there || wanted >= there)
			continue;
		value = find(&values, i);
		if (!value && values.count < VALUES_MAX) {
			value = &values.items[values.count++];
			*value = (struct value){.index = i, .before = there};
		}
		if (!value)
			continue;
		if (value->ours && there != value->ours)
			value->before = there; /* somebody's choice since then */
		value->ours = wanted;
		put(&lower, i, wanted);
		changed++;
	}
	if (!changed)
		return 0;
	result = save(directory, &values);
	if (result)
		return problem_set(reterr_problem, directory, "cannot be written, so no timeout is lowered: %s",
				   file_strerror(result)), result;
	result = timeouts_write(&lower);
	if (result) {
		settings_restore(directory, NULL, NULL);
		return problem_set(reterr_problem, "timeouts", "cannot be lowered: %s", strerror(-result)), result;
	}
	return 0;
}

int settings_restore(const char *directory, size_t *ret_count, struct problem *reterr_problem)
{
	struct flow_timeouts now = {0}, back = {0};
	struct values values;
	bool is_damaged;
	char path[512];
	size_t count = 0;
	int result = load(directory, &values);

	if (ret_count)
		*ret_count = 0;
	if (result == -ENOENT)
		return 0;
	path_of(directory, "", path, sizeof(path));
	is_damaged = result == -EBADMSG;
	if (result && !is_damaged)
		return problem_set(reterr_problem, path, "cannot be read: %s", file_strerror(result)), result;
	result = timeouts_read(&now);
	for (size_t i = 0; i < values.count && !result; i++) {
		const struct value *value = &values.items[i];

		if (policy_timeout_get(&now, value->index) != value->ours)
			continue;
		put(&back, value->index, value->before);
		count++;
	}
	if (!result && count)
		result = timeouts_write(&back);
	if (result)
		return problem_set(reterr_problem, "timeouts", "cannot be put back: %s", strerror(-result)), result;
	if (ret_count)
		*ret_count = count;
	/* What stays in force unseen is worse than a file that is said again. */
	if (is_damaged)
		return problem_set(reterr_problem, path,
				   "is damaged: what could be read was put back; look at the kernel's timeouts "
				   "and remove it"),
		       -EBADMSG;
	unlink(path);
	return 0;
}
