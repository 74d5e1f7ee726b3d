/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/worker: the thread that makes the blocking kernel calls: passes over the table. One job at a time. */
#ifndef CTWARDEN_DAEMON_WORKER_H
#define CTWARDEN_DAEMON_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/ports.h"
#include "stats/picture.h"

struct worker;

struct pass_order {
	struct picture_config picture;
	uint64_t expected; /* entries */
	bool wants_seen;   /* events are journalled meanwhile: remember what was counted */
};

struct pass {
	int error; /* 0 or -errno: then picture is NULL */
	struct picture *picture;
	struct seen *seen; /* NULL: not wanted */
	struct flow_scan_report report;
	uint64_t counted_before, counted_after; /* the kernel's count around the pass */
};

/* done_fd (an eventfd, borrowed) is written to when a pass has ended. 0 or -errno. */
int worker_start(int done_fd, struct worker **ret_worker);
/* Ends a running pass and the thread; NULL allowed. */
void worker_stop(struct worker *worker);
/* Begins a pass; false where one is running or its result was not taken yet. */
bool worker_begin(struct worker *worker, const struct pass_order *order);
/* True where a pass has ended: *ret_pass is the caller's, to be given to pass_done. */
bool worker_take(struct worker *worker, struct pass *ret_pass);
void pass_done(struct pass *pass);

#endif
