/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/batch: many requests in one send, their answers told apart by sequence number. Private to
 * the layer.
 *
 * A request that succeeds is not answered: only errors come, and the acknowledgement of the last
 * message, which says that all before it are done with. The kernel works on a batch within the
 * send, so that every answer is queued when it returns: nothing here waits. Answers that did not
 * fit the socket's queue are lost (ENOBUFS); then silence means nothing, and what was not answered
 * is sent again in smaller pieces. */
#ifndef CTWARDEN_KERNEL_BATCH_H
#define CTWARDEN_KERNEL_BATCH_H

#include "writer.h"

#define BATCH_PENDING 1 /* a result: not sent, or not known */

struct batch {
	struct writer *writer;
	size_t count; /* up to FLOW_BATCH_MAX */
	/* Builds request number i. */
	struct nlmsghdr *(*build)(struct batch *batch, void *buf, size_t i);
	/* Handed each answer that is no error; NULL where there is none. */
	void (*take)(struct batch *batch, const struct nlmsghdr *answer, size_t i);
	void *arg;
	bool takes_busy; /* EBUSY is an answer, not a reason to try again */
	int results[FLOW_BATCH_MAX];	 /* 0 done, -errno of the kernel, BATCH_PENDING */
	bool sent_again[FLOW_BATCH_MAX]; /* the answer to an earlier sending was lost */
};

/* 0 where every request was sent and answered, or given up as BATCH_PENDING; -EPERM without
 * CAP_NET_ADMIN, other -errno where sending failed (what was not sent is BATCH_PENDING). */
int batch_run(struct batch *batch);
/* Before another kind of request on the same socket. */
void batch_drop_stale(struct writer *writer);

#endif
