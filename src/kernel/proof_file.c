/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof_file: three lines of heading (format, kernel, boot), then a set a line. */
#include "proof_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"

#define SIZE_MAX_BYTES (1 << 20)
#define HEADING_MAX    512
#define TEMPORARY      ".proofs.new"

struct proof_file {
	char *text;
};

/* The whole of a file up to max bytes, with a 0: the length or -errno. */
static ssize_t read_all(int fd, char *buf, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, max - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len == max)
			return -EFBIG;
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

static int heading(char buf[HEADING_MAX])
{
	char boot[64];
	struct utsname name;
	ssize_t len;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	len = read_all(fd, boot, sizeof(boot));
	close(fd);
	if (len < 0)
		return (int)len;
	if (uname(&name) < 0)
		return -errno;
	boot[strcspn(boot, "\n")] = '\0';
	if (snprintf(buf, HEADING_MAX, "ctwarden-proofs 1\nkernel %s %s\nboot %s\n", name.release, name.version,
		     boot) >= HEADING_MAX)
		return -EOVERFLOW;
	return 0;
}

static int open_in(const char *dir, const char *name, int flags)
{
	int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, error;

	if (dir_fd < 0)
		return -errno;
	fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	error = errno;
	close(dir_fd);
	return fd < 0 ? -error : fd;
}

static int check_owner(int fd)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return -errno;
	return S_ISREG(file.st_mode) && file.st_uid == 0 && !(file.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

struct proof_file *proof_file_read(const char *dir, char *ret_why, size_t why_size)
{
	char expected[HEADING_MAX], *text;
	struct proof_file *file;
	ssize_t r = heading(expected);
	int fd;

	fd = r < 0 ? (int)r : open_in(dir, PROOF_FILE_NAME, O_RDONLY);
	if (fd < 0) {
		snprintf(ret_why, why_size, "no self-test is kept in %s: ctwarden self-test makes one", dir);
		return NULL;
	}
	text = mem_alloc(SIZE_MAX_BYTES + 1);
	r = check_owner(fd);
	if (!r)
		r = read_all(fd, text, SIZE_MAX_BYTES);
	close(fd);
	if (r < 0 || strncmp(text, expected, strlen(expected)) != 0) {
		snprintf(ret_why, why_size, "the self-test kept in %s %s", dir,
			 r == -EPERM ? "could have been written by somebody other than root"
			 : r < 0     ? "cannot be read"
				     : "is of another kernel or boot: ctwarden self-test makes a new one");
		free(text);
		return NULL;
	}
	file = mem_alloc(sizeof(*file));
	file->text = mem_resize(text, (size_t)r + 1, 1);
	return file;
}

void proof_file_free(struct proof_file *file)
{
	if (!file)
		return;
	free(file->text);
	free(file);
}

bool proof_file_has(const struct proof_file *file, const struct proof_set *set)
{
	char line[PROOF_TEXT_MAX + 2], word[PROOF_TEXT_MAX];

	if (!file)
		return false;
	snprintf(line, sizeof(line), "\n%s\n", proof_set_format(set, word));
	return strstr(file->text, line);
}

size_t proof_file_count(const struct proof_file *file)
{
	char text[HEADING_MAX];
	const char *at;
	size_t lines = 0;

	if (heading(text) < 0)
		return 0;
	for (at = file->text + strlen(text); (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

static int put_sets(FILE *stream, const struct proof_set *sets, size_t count)
{
	char text[HEADING_MAX], word[PROOF_TEXT_MAX];
	int r = heading(text);

	if (r < 0)
		return r;
	fputs(text, stream);
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s\n", proof_set_format(&sets[i], word));
	if (fflush(stream) || ferror(stream))
		return errno ? -errno : -EIO;
	return fsync(fileno(stream)) < 0 ? -errno : 0;
}

int proof_file_write(const char *dir, const struct proof_set *sets, size_t count)
{
	char from[4096], to[4096];
	FILE *stream;
	int fd, r;

	if (geteuid() != 0)
		return -EPERM;
	if (snprintf(from, sizeof(from), "%s/" TEMPORARY, dir) >= (int)sizeof(from))
		return -ENAMETOOLONG;
	snprintf(to, sizeof(to), "%s/" PROOF_FILE_NAME, dir);
	unlink(from);
	fd = open_in(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return fd;
	stream = fdopen(fd, "w");
	if (!stream) {
		r = -errno;
		close(fd);
		goto failed;
	}
	/* Whatever the umask: everybody may read, nobody but root write. */
	r = fchmod(fd, 0644) < 0 ? -errno : put_sets(stream, sets, count);
	if (fclose(stream) && !r)
		r = -EIO;
	if (!r && rename(from, to) < 0)
		r = -errno;
	if (!r)
		return 0;
failed:
	unlink(from);
	return r;
}
