/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo: the server of the lab's honest users, with real TCP sockets on every address. Several may
 * share the port, as the files of one process are limited. Says "up" on stderr when it listens;
 * ends after --limit seconds or on SIGTERM. */
#include "../tools/nlct.h"
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>

#define EVENTS	512
#define BACKLOG 4096

static void watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		close(fd);
}

static void serve(int epoll, int listener, int fd)
{
	char buffer[4096];
	ssize_t n;
	int peer;

	if (fd == listener) {
		while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
			watch(epoll, peer);
		return;
	}
	n = recv(fd, buffer, sizeof buffer, 0);
	if (n > 0)
		n = send(fd, buffer, n, MSG_NOSIGNAL);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		close(fd);
}

static int listen_at(int port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, BACKLOG) < 0)
		die("listen");
	return fd;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", 1, 0, 'p'}, {"limit", 1, 0, 'l'}, {0, 0, 0, 0}};
	struct epoll_event events[EVENTS];
	struct rlimit files;
	int port = 7000, limit_sec = 600, c, epoll, listener;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'p' && c != 'l')
			return 2;
		*(c == 'p' ? &port : &limit_sec) = atoi(optarg);
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	alarm(limit_sec); /* like SIGTERM: ends it */
	epoll = epoll_create1(EPOLL_CLOEXEC);
	listener = listen_at(port);
	watch(epoll, listener);
	fprintf(stderr, "up\n");
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			serve(epoll, listener, events[i].data.fd);
	}
}
