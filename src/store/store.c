/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store: appends JSON lines to a file of the state directory, turns it over when it grows, and reads both
 * files back. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "doc/doc.h"

#define STORE_FILE "alarms.jsonl"

struct store {
	char *path, *old_path;
	uint64_t max_bytes, failed;
	int fd;
};

/* Opens the file for appending; a last line without its end (power cut) is ended, so that the next is not lost
 * in it. */
static int open_file(const char *path)
{
	/* Not through a link: it would have another file of root's written to. */
	int fd = file_open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
	struct stat st;
	char last;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' &&
	    write(fd, "\n", 1) != 1) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int store_open(const char *directory, uint64_t max_bytes, struct store **ret_store, struct problem *reterr_problem)
{
	char *path = mem_format("%s/" STORE_FILE, directory);
	struct store *store;
	int fd;

	if (mkdir(directory, 0750) && errno != EEXIST)
		fd = -errno;
	else
		fd = open_file(path);
	if (fd < 0) {
		problem_set(reterr_problem, "", "cannot write to %s: %s", path, file_strerror(fd));
		free(path);
		return fd;
	}
	store = mem_alloc(sizeof *store);
	store->path = path;
	store->old_path = mem_format("%s.1", path);
	store->max_bytes = max_bytes;
	store->fd = fd;
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->fd >= 0)
		close(store->fd);
	free(store->path);
	free(store->old_path);
	free(store);
}

/* The file becomes the old one and a new one is begun. On failure the file in use stays. */
static int turn_over(struct store *store)
{
	int fd;

	if (rename(store->path, store->old_path))
		return -errno;
	fd = open_file(store->path);
	if (fd < 0) {
		/* Put back, so that readers and writer still agree. */
		if (rename(store->old_path, store->path))
			return -errno;
		return fd;
	}
	close(store->fd);
	store->fd = fd;
	return 0;
}

static int append(struct store *store, const char *line)
{
	size_t len = strlen(line);
	struct iovec parts[2] = { { (void *)(uintptr_t)line, len }, { (void *)(uintptr_t)"\n", 1 } };
	struct stat st;
	ssize_t written;
	int err;

	if (len + 1 > store->max_bytes)
		return -EFBIG;
	if (fstat(store->fd, &st))
		return -errno;
	if ((uint64_t)st.st_size + len + 1 > store->max_bytes) {
		err = turn_over(store);
		if (err)
			return err;
		st.st_size = 0;
	}
	written = writev(store->fd, parts, 2);
	if (written == (ssize_t)len + 1)
		return 0;
	err = written < 0 ? -errno : -ENOSPC;
	/* A part that was written goes again: no half lines. */
	if (written > 0 && ftruncate(store->fd, st.st_size))
		err = -errno;
	return err;
}

int store_append(struct store *store, const char *line)
{
	int err = append(store, line);

	if (err)
		store->failed++;
	return err;
}

uint64_t store_failed(const struct store *store)
{
	return store->failed;
}

/* ---- reading ---- */

struct reading {
	int64_t since_ns, until_ns;
	store_line_fn *fn;
	void *arg;
	uint64_t bad;
	bool is_over;
};

/* The time of a document; false where it has none. */
static bool line_time(const char *line, size_t len, int64_t *ret_real_ns)
{
	struct doc *doc = NULL;
	struct doc_node root, node;
	const char *text = NULL;
	bool ok;

	if (doc_parse(line, len, "", false, &doc, NULL))
		return false;
	root = doc_root(doc);
	node = doc_get(&root, "time");
	ok = !doc_text(&node, &text, NULL) && text && !clock_parse_moment(text, 0, ret_real_ns, NULL);
	doc_free(doc);
	return ok;
}

static void read_line(struct reading *reading, const char *line, size_t len)
{
	int64_t real_ns;

	if (!len)
		return;
	if (!line_time(line, len, &real_ns)) {
		reading->bad++;
		return;
	}
	if (real_ns >= reading->since_ns && real_ns <= reading->until_ns &&
	    !reading->fn(line, len, real_ns, reading->arg))
		reading->is_over = true;
}

static int read_file(struct reading *reading, const char *path)
{
	int fd = file_open(path, O_RDONLY, 0), err = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (fd < 0)
		return fd;
	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!reading->is_over && (len = getline(&line, &size, file)) > 0)
		read_line(reading, line, line[len - 1] == '\n' ? (size_t)len - 1 : (size_t)len);
	if (ferror(file))
		err = -EIO;
	free(line);
	fclose(file);
	return err;
}

int store_read(const char *directory, int64_t since_ns, int64_t until_ns, store_line_fn *fn, void *arg,
	       uint64_t *ret_bad)
{
	struct reading reading = { .since_ns = since_ns, .until_ns = until_ns, .fn = fn, .arg = arg };
	char *old_path = mem_format("%s/" STORE_FILE ".1", directory);
	char *path = mem_format("%s/" STORE_FILE, directory);
	int old_err = read_file(&reading, old_path);
	int err = reading.is_over ? 0 : read_file(&reading, path);

	/* One file is enough: there is no old one at first, and no new one for a moment while they are turned over. */
	if (err == -ENOENT && !old_err)
		err = 0;
	if (!err && old_err && old_err != -ENOENT)
		err = old_err;
	free(old_path);
	free(path);
	if (!err)
		*ret_bad = reading.bad;
	return err;
}
