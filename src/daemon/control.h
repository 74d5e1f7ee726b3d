/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/control: the control socket: one JSON request a line, answers are lines. Knows the frame of a request, not
 * what commands mean. */
#ifndef CTWARDEN_DAEMON_CONTROL_H
#define CTWARDEN_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/problem.h"
#include "doc/doc.h"

#define CONTROL_LINE_MAX 65536
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_UNSENT_MAX (1u << 20)

struct event_base;
struct control;

struct control_request {
	int64_t id;
	const char *command;
	struct doc_node args; /* absent: none */
	uid_t uid;            /* of the peer */
	pid_t pid;
};

/* Answers one request with a line of JSON (without the newline, to be freed by control); never NULL. */
typedef char *control_fn(const struct control_request *request, void *arg);

struct control_counts {
	uint64_t requests, errors;
	uint64_t refused; /* clients above the limit */
	uint64_t dropped; /* clients that did not read, or sent no end of line */
};

/* Listens on path (mode 0660, group ctwarden where there is one). A socket file nobody answers on is replaced,
 * by one of all that try: PATH.lock is held as long as the socket is.
 * 0; -EADDRINUSE: another ctwardend answers there; other -errno; the problem says it in words. */
int control_open(struct event_base *base, const char *path, control_fn *fn, void *arg, struct control **ret_control,
		 struct problem *reterr_problem);
/* Ends all clients and removes the socket file, if it is still ours; NULL allowed. */
void control_close(struct control *control);
struct control_counts control_counts_get(const struct control *control);

#endif
