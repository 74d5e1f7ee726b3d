/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/outlet: stdout by poll and write, syslog by syslog(3). Knows nothing of what the lines say. */
#include "outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define WRITE_CHUNK 4096   /* a pipe that polls writable takes this much at once (PIPE_BUF) */
#define WRITE_PATIENCE_MS 100
#define SYSLOG_SOCKET "/dev/log"

struct outlet {
	enum outlet_to to;
	bool is_stdout_bad, is_syslog_bad; /* said */
	bool is_torn; /* the last line was not written to its end */
};

struct outlet *outlet_new(enum outlet_to to)
{
	struct outlet *outlet = mem_alloc(sizeof(*outlet));

	outlet->to = to;
	return outlet;
}

void outlet_free(struct outlet *outlet)
{
	free(outlet);
}

void outlet_set(struct outlet *outlet, enum outlet_to to)
{
	outlet->to = to;
}

static int write_all(struct outlet *outlet, const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
		size_t chunk = len - done < WRITE_CHUNK ? len - done : WRITE_CHUNK;
		ssize_t n;

		if (poll(&out, 1, WRITE_PATIENCE_MS) <= 0) {
			outlet->is_torn = outlet->is_torn || done > 0;
			return -EAGAIN;
		}
		n = write(STDOUT_FILENO, text + done, chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			outlet->is_torn = outlet->is_torn || done > 0;
			return -errno;
		}
		done += (size_t)n;
	}
	return 0;
}

static int write_stdout(struct outlet *outlet, const char *line)
{
	char *text = mem_format("%s%s\n", outlet->is_torn ? "\n" : "", line);
	int r;

	outlet->is_torn = false;
	r = write_all(outlet, text, strlen(text));
	free(text);
	return r;
}

/* syslog(3) tells no failure and waits without end for a log daemon that has stopped reading: its socket is looked at
 * before. 0 where it takes a message now. */
static int probe_syslog(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET };
	struct pollfd out = { .events = POLLOUT };
	int r = 0;

	out.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out.fd < 0)
		return -errno;
	if (connect(out.fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = errno == EPROTOTYPE ? 0 : -errno; /* a stream socket, which syslog(3) takes as well */
	else if (poll(&out, 1, WRITE_PATIENCE_MS) <= 0)
		r = -EAGAIN;
	close(out.fd);
	return r;
}

static int write_syslog(const char *text, enum level level)
{
	static const int priorities[LEVEL_COUNT] = {
		[LEVEL_OK] = LOG_NOTICE,
		[LEVEL_WARNING] = LOG_WARNING,
		[LEVEL_CRITICAL] = LOG_CRIT,
		[LEVEL_FULL] = LOG_ALERT,
	};
	int r = probe_syslog();

	if (r < 0)
		return r;
	openlog("ctwardend", LOG_PID, LOG_DAEMON);
	syslog(LOG_DAEMON | priorities[level], "%s", text);
	return 0;
}

static void say(bool *is_bad, int r, const char *where)
{
	if (r < 0 && !*is_bad)
		log_warning("cannot write to %s: %s; the store and the control socket go on", where,
			    r == -EAGAIN ? "its reader does not read" : strerror(-r));
	else if (r == 0 && *is_bad)
		log_info("%s takes alarms again", where);
	*is_bad = r < 0;
}

int outlet_write(struct outlet *outlet, const char *line, const char *text, enum level level)
{
	int r, result = 0;

	if (outlet->to != OUTLET_TO_SYSLOG) {
		result = write_stdout(outlet, line);
		say(&outlet->is_stdout_bad, result, "stdout");
	}
	if (outlet->to != OUTLET_TO_STDOUT) {
		r = write_syslog(text, level);
		say(&outlet->is_syslog_bad, r, "syslog (" SYSLOG_SOCKET ")");
		result = result < 0 ? result : r;
	}
	return result;
}
