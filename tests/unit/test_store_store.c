/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON lines in a directory of their own: written, turned over, torn, read by time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

struct place {
	char directory[64], file[96], old[96];
};

static struct place place_new(void)
{
	struct place p = { .directory = "/tmp/ctwarden-store-XXXXXX" };

	assert_non_null(mkdtemp(p.directory));
	snprintf(p.file, sizeof p.file, "%s/alarms.jsonl", p.directory);
	snprintf(p.old, sizeof p.old, "%s/alarms.jsonl.1", p.directory);
	return p;
}

static void place_done(const struct place *p)
{
	unlink(p->file);
	unlink(p->old);
	assert_int_equal(rmdir(p->directory), 0); /* nothing else is left behind */
}

static void append_at(struct store *store, int sec)
{
	char line[96];

	snprintf(line, sizeof line, "{\"schema\":\"ctwarden.alarm/1\",\"time\":\"2026-11-25T09:41:%02d.000Z\"}", sec);
	assert_int_equal(store_append(store, line), 0);
}

struct seen {
	unsigned count, stop_at;
	int64_t first, last;
};

static bool on_line(const char *line, size_t len, int64_t real_ns, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(line[len - 1], '}');
	if (!seen->count++)
		seen->first = real_ns;
	assert_true(real_ns >= seen->last);
	seen->last = real_ns;
	return seen->count != seen->stop_at;
}

static int64_t at(int sec)
{
	return (1795599660LL + sec) * NS_PER_SEC; /* 2026-11-25T09:41:00Z */
}

static void test_lines_are_read_back_by_time(void **state)
{
	struct place p = place_new();
	struct store *store = NULL;
	struct seen all = { 0 }, some = { 0 }, stopped = { .stop_at = 3 };
	uint64_t bad = 7;

	(void)state;
	assert_int_equal(store_open(p.directory, 1 << 20, &store, NULL), 0);
	for (int i = 0; i < 10; i++)
		append_at(store, i);
	store_close(store);
	assert_int_equal(store_read(p.directory, 0, INT64_MAX, on_line, &all, &bad), 0);
	assert_int_equal(all.count, 10);
	assert_int_equal(bad, 0);
	assert_int_equal(store_read(p.directory, at(3), at(5), on_line, &some, &bad), 0);
	assert_int_equal(some.count, 3);
	assert_int_equal(some.first, at(3));
	assert_int_equal(store_read(p.directory, 0, INT64_MAX, on_line, &stopped, &bad), 0);
	assert_int_equal(stopped.count, 3);
	place_done(&p);
}

static void test_both_files_stay_below_twice_the_bound(void **state)
{
	struct place p = place_new();
	struct store *store = NULL;
	struct seen seen = { 0 };
	struct stat st;
	uint64_t bad;

	(void)state;
	assert_int_equal(store_open(p.directory, 1000, &store, NULL), 0);
	for (int i = 0; i < 60; i++)
		append_at(store, i);
	assert_int_equal(store_append(store, "x"), 0);
	store_close(store);
	assert_int_equal(stat(p.file, &st), 0);
	assert_true(st.st_size <= 1000);
	assert_int_equal(stat(p.old, &st), 0);
	assert_true(st.st_size <= 1000 && st.st_size > 900);
	assert_int_equal(store_read(p.directory, 0, INT64_MAX, on_line, &seen, &bad), 0);
	assert_int_equal(seen.last, at(59)); /* the newest are kept, old file first */
	assert_int_equal(bad, 1);
	place_done(&p);
}

static void test_a_torn_last_line_is_ended_and_counted(void **state)
{
	struct place p = place_new();
	struct store *store = NULL;
	struct seen seen = { 0 };
	uint64_t bad;
	FILE *file = fopen(p.file, "w");

	(void)state;
	assert_non_null(file);
	fputs("{\"schema\":\"ctwarden.alarm/1\",\"ti", file);
	fclose(file);
	assert_int_equal(store_open(p.directory, 1 << 20, &store, NULL), 0);
	append_at(store, 1);
	store_close(store);
	assert_int_equal(store_read(p.directory, 0, INT64_MAX, on_line, &seen, &bad), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(bad, 1);
	place_done(&p);
}

static void test_what_cannot_be_written_is_said_and_counted(void **state)
{
	struct place p = place_new();
	struct problem problem = { 0 };
	struct store *store = NULL;
	struct seen seen = { 0 };
	uint64_t bad;
	char *line = calloc(1, 2000);

	(void)state;
	assert_int_equal(store_open("/proc/no-such-place", 1000, &store, &problem), -ENOENT);
	assert_non_null(strstr(problem.text, "cannot write to /proc/no-such-place/alarms.jsonl"));
	assert_null(store);
	assert_int_equal(store_read("/proc/no-such-place", 0, INT64_MAX, on_line, &seen, &bad), -ENOENT);
	assert_int_equal(store_open(p.directory, 1000, &store, NULL), 0);
	memset(line, 'x', 1999);
	assert_int_equal(store_append(store, line), -EFBIG);
	assert_int_equal(store_failed(store), 1);
	store_close(store);
	free(line);
	place_done(&p);
}

static void test_a_link_is_not_followed(void **state)
{
	struct place p = place_new();
	struct problem problem = { 0 };
	struct store *store = NULL;

	(void)state;
	assert_int_equal(symlink(p.old, p.file), 0);
	assert_int_equal(store_open(p.directory, 1000, &store, &problem), -ELOOP);
	assert_non_null(strstr(problem.text, "cannot write to"));
	assert_int_equal(access(p.old, F_OK), -1); /* nothing was made where it points */
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_read_back_by_time),
		cmocka_unit_test(test_both_files_stay_below_twice_the_bound),
		cmocka_unit_test(test_a_torn_last_line_is_ended_and_counted),
		cmocka_unit_test(test_what_cannot_be_written_is_said_and_counted),
		cmocka_unit_test(test_a_link_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
