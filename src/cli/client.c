/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/client: one question to the daemon's control socket. Bounded in time and size: a daemon that
 * hangs must not hang the person who wants to know why. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli.h"
#include "doc/doc.h"
#include "report/pretty.h"

#define CONNECT_NS     (2 * NS_PER_SEC)
#define ANSWER_NS      (5 * NS_PER_SEC)
#define LINE_MAX_BYTES (4u << 20)

static int wait_for(int fd, short events, int64_t end_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int64_t left;
	int count;

	for (;;) {
		left = end_ns - clock_monotonic_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		count = poll(&poll_fd, 1, (int)(left / NS_PER_MS) + 1);
		if (count > 0)
			return 0;
		if (count < 0 && errno != EINTR)
			return -errno;
	}
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t end = clock_monotonic_ns() + CONNECT_NS;
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN: the daemon's queue of connections is full; there is nothing to poll for, so it is
	 * tried again. */
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		if (error == EAGAIN && clock_monotonic_ns() < end) {
			poll(NULL, 0, 20);
			continue;
		}
		close(fd);
		return error == EAGAIN ? -ETIMEDOUT : -error;
	}
	return fd;
}

static int send_all(int fd, const char *text, size_t len, int64_t end_ns)
{
	ssize_t sent;
	int result;

	while (len) {
		sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			result = wait_for(fd, POLLOUT, end_ns);
			if (result)
				return result;
			continue;
		}
		if (sent < 0)
			return -errno;
		text += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* One line without its newline, to be freed. */
static int receive_line(int fd, int64_t end_ns, char **ret_line)
{
	size_t used = 0, room = 65536;
	char *line = mem_array(room, 1), *newline;
	ssize_t got;
	int result;

	for (;;) {
		result = wait_for(fd, POLLIN, end_ns);
		if (result)
			break;
		if (used + 1 == room) {
			result = -EFBIG;
			if (room >= LINE_MAX_BYTES)
				break;
			room *= 2;
			line = mem_resize(line, room, 1);
		}
		got = recv(fd, line + used, room - used - 1, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		result = got < 0 ? -errno : -ECONNRESET;
		if (got <= 0)
			break;
		newline = memchr(line + used, '\n', (size_t)got);
		used += (size_t)got;
		if (newline) {
			*newline = '\0';
			*ret_line = line;
			return 0;
		}
	}
	free(line);
	return result;
}

static int ask(const char *path, const char *command, const char *args, char **ret_line)
{
	char *request, *text;
	int64_t end;
	int fd, result;

	fd = open_socket(path);
	if (fd < 0)
		return fd;
	end = clock_monotonic_ns() + ANSWER_NS;
	request = report_request_json(1, command, args);
	text = mem_format("%s\n", request);
	result = send_all(fd, text, strlen(text), end);
	if (!result)
		result = receive_line(fd, end, ret_line);
	free(text);
	free(request);
	close(fd);
	return result;
}

#define CODE_MAX 32

/* The error of an answer into the problem and its code, if it has one: -EREMOTEIO, else 0. */
static int answer_error(const char *line, char ret_code[CODE_MAX], struct problem *reterr_problem)
{
	const char *text = "unknown error", *path = "", *code = "";
	struct doc_node root, node, member;
	struct doc *doc;

	if (doc_parse(line, strlen(line), "answer", false, &doc, PROBLEM_IGNORED))
		return 0; /* larger than doc takes, or broken: whoever reads the document will tell */
	root = doc_root(doc);
	node = doc_get(&root, "error");
	if (!doc_has(&node)) {
		doc_free(doc);
		return 0;
	}
	member = doc_get(&node, "text");
	doc_text(&member, &text, PROBLEM_IGNORED);
	member = doc_get(&node, "path");
	doc_text(&member, &path, PROBLEM_IGNORED);
	member = doc_get(&node, "code");
	doc_text(&member, &code, PROBLEM_IGNORED);
	snprintf(ret_code, CODE_MAX, "%s", code);
	problem_set(reterr_problem, path, "the daemon says: %s", text);
	doc_free(doc);
	return -EREMOTEIO;
}

static int ask_for(const char *path, const char *command, const char *args, char **ret_document,
		   char ret_code[CODE_MAX], struct problem *reterr_problem)
{
	char *line = NULL, *document;
	int result;

	result = ask(path, command, args, &line);
	if (result) {
		problem_set(reterr_problem, path, "the daemon cannot be reached: %s%s",
			    strerror(-result),
			    result == -EACCES ? "; root and members of the group ctwarden may" : "");
		return result;
	}
	result = answer_error(line, ret_code, reterr_problem);
	if (!result) {
		document = report_reprint_json(line, "document", false);
		if (document) {
			*ret_document = document;
		} else {
			problem_set(reterr_problem, path, "the daemon's answer cannot be read");
			result = -EPROTO;
		}
	}
	free(line);
	return result;
}

int client_ask(const char *path, const char *command, const char *args, char **ret_document,
	       struct problem *reterr_problem)
{
	char code[CODE_MAX] = "";

	return ask_for(path, command, args, ret_document, code, reterr_problem);
}

int client_order(const struct cli *cli, const char *command, const char *args, char **ret_document)
{
	const char *path = cli->values[OPTION_SOCKET] ? cli->values[OPTION_SOCKET]
						      : CLI_DEFAULT_SOCKET;
	char code[CODE_MAX] = "", line[800];
	struct problem problem = {0};
	int result;

	if (option_given(cli, OPTION_DIRECT)) {
		run_say("--direct: %s is the daemon's business", command);
		return EXIT_USAGE;
	}
	result = ask_for(path, command, args, ret_document, code, &problem);
	if (!result)
		return EXIT_DONE;
	run_say("%s", problem_format(&problem, line, sizeof(line)));
	if (result != -EREMOTEIO)
		return EXIT_NO_DAEMON;
	return !strcmp(code, "invalid")	      ? EXIT_INVALID
	       : !strcmp(code, "bad-request") ? EXIT_USAGE
					      : EXIT_FAILED;
}

int client_nonsense(const struct problem *problem)
{
	run_say("the daemon's answer cannot be read: %s", problem->text);
	return EXIT_NO_DAEMON;
}

int client_view(const struct cli *cli, const char *command, const char *args, char **ret_document)
{
	const char *path = cli->values[OPTION_SOCKET];
	struct problem problem = {0};
	int result;

	if (option_given(cli, OPTION_DIRECT))
		return 0;
	result =
		client_ask(path ? path : CLI_DEFAULT_SOCKET, command, args, ret_document, &problem);
	if (!result)
		return 1;
	/* Without --socket a daemon that does not run, or not for us, is no reason to fail: the
	 * kernel is asked. */
	if (!path && (result == -ENOENT || result == -ECONNREFUSED || result == -EACCES))
		return 0;
	run_say("%s%s%s%s", problem.path, problem.path[0] ? ": " : "", problem.text,
		path ? "" : "; asking the kernel (--direct does so at once)");
	return path ? result : 0;
}

int client_print(const struct cli *cli, const char *document)
{
	char *pretty = cli->out.is_pretty ? report_reprint_json(document, NULL, true) : NULL;

	fprintf(cli->out.file, "%s\n", pretty ? pretty : document);
	free(pretty);
	return fflush(cli->out.file) ? -errno : 0;
}
