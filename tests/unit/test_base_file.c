/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files opened without waiting: what is in a file's place is refused, what a person names is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define PATIENCE_SEC 120 /* a test that waits for ever ends by a signal */

static char dir[] = "/tmp/ctwarden-file-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[sizeof(dir) + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_directory(void **state)
{
	(void)state;
	alarm(PATIENCE_SEC);
	return mkdtemp(dir) && mkfifo(in_dir("pipe"), 0600) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(in_dir("pipe"));
	unlink(in_dir("file"));
	unlink(in_dir("link"));
	unlink(in_dir("socket"));
	return rmdir(dir);
}

static void expect_text(int fd, const char *text)
{
	char buf[64] = "";
	size_t len = 0;
	ssize_t n;

	assert_true(fd >= 0);
	while (len < sizeof(buf) - 1 && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_string_equal(buf, text);
	close(fd);
}

static void a_regular_file_is_opened(void **state)
{
	int fd = file_open(in_dir("file"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct stat file;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(fstat(fd, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	close(fd);
	assert_int_equal(symlink("file", in_dir("link")), 0);
	expect_text(file_open(in_dir("link"), O_RDONLY, 0), "text");
	expect_text(file_open_any(in_dir("link")), "text");
	assert_int_equal(file_open(in_dir("link"), O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
}

static void what_is_no_file_is_refused(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", in_dir("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(file_open(in_dir("pipe"), O_RDONLY, 0), -ENODEV);
	assert_int_equal(file_open(in_dir("pipe"), O_WRONLY | O_CREAT, 0600), -ENODEV);
	assert_int_equal(file_open(in_dir("pipe"), O_RDWR, 0), -ENODEV);
	assert_int_equal(file_open(in_dir("socket"), O_RDONLY, 0), -ENODEV);
	assert_int_equal(file_open_any(in_dir("socket")), -ENODEV);
	assert_int_equal(file_open("/dev/zero", O_RDONLY, 0), -ENODEV);
	assert_int_equal(file_open(dir, O_RDONLY, 0), -EISDIR);
	assert_int_equal(file_open_any(dir), -EISDIR);
	assert_int_equal(file_open(in_dir("none"), O_RDONLY, 0), -ENOENT);
	assert_string_equal(file_strerror(-ENODEV), "it is no regular file");
	assert_string_equal(file_strerror(-ENOENT), strerror(ENOENT));
}

static void a_pipe_without_a_writer_reads_as_empty(void **state)
{
	(void)state;
	expect_text(file_open_any(in_dir("pipe")), "");
}

/* Two parts, the second a while after the reader has begun: it waits for as long as there is a writer. */
static void a_pipe_with_a_writer_is_read_to_its_end(void **state)
{
	int ends[2], status;
	char path[32];
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		usleep(2500000); /* longer than a pipe without a writer is given */
		if (write(ends[1], "one ", 4) == 4 && usleep(100000) == 0 && write(ends[1], "two", 3) == 3)
			_exit(0);
		_exit(1);
	}
	assert_true(child > 0);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	expect_text(file_open_any(path), "one two");
	/* The other descriptor of the pipe is as it was. */
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_regular_file_is_opened),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_pipe_without_a_writer_reads_as_empty),
		cmocka_unit_test(a_pipe_with_a_writer_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
