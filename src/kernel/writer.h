/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/writer: the writer's inside, for the layer and its tests. */
#ifndef CTWARDEN_KERNEL_WRITER_H
#define CTWARDEN_KERNEL_WRITER_H

#include "kernel/kernel.h"
#include "message.h"
#include "socket.h"

struct prover;

/* An answer about one entry is at most a page, or 8 KiB where pages are larger (the kernel's NLMSG_DEFAULT_SIZE). */
#define WRITER_ANSWER_MAX    8192
#define WRITER_ANSWERS_BYTES (32 * WRITER_ANSWER_MAX)

struct writer {
	struct nl_socket socket;
	struct nl_socket filtered; /* for deletes by a filter; closed: by the other one */
	uint8_t *requests; /* FLOW_BATCH_MAX messages */
	uint8_t *answers;  /* WRITER_ANSWERS_BYTES */
	bool is_stale;	   /* answers to an older batch may still be queued */
	uint64_t lost;	   /* times answers did not fit the socket's queue */
	bool (*on_progress)(uint64_t received, void *arg); /* of passes; NULL: nobody listens */
	void *progress_arg;
	writer_delete_fn *on_delete; /* NULL: nobody listens */
	void *delete_arg;
	struct prover *prover; /* of the filtered delete; NULL in a throw-away namespace */
};

/* A writer's socket and buffers on a socket that is open already (of another namespace, say). */
void writer_init(struct writer *writer, struct nl_socket socket);
void writer_done(struct writer *writer);

/* As the functions of struct flow_ports. */
int writer_find(struct writer *writer, const struct flow_tuple *tuples, const uint16_t *zones, size_t count,
		struct flow *ret_flows, bool *ret_found);
int writer_read_again(struct writer *writer, const struct flow_target *targets, size_t count,
		      struct flow *ret_flows, bool *ret_found);
int writer_ask_unchanged(struct writer *writer, const struct flow_target *targets, size_t count, bool *ret_sure);
int writer_delete(struct writer *writer, const struct flow_target *targets, size_t count,
		  enum flow_outcome *ret_outcomes);
int writer_set_timeout(struct writer *writer, const struct flow_target *targets,
		       const struct flow_timeout_change *changes, size_t count,
		       enum flow_outcome *ret_outcomes);
int writer_count(struct writer *writer, uint64_t *ret_entries);
/* A request that names no single entry: on this socket, with its acknowledgement. 0 or -errno. */
struct nl_socket *writer_filtered(struct writer *writer);
int writer_request(struct writer *writer, struct nlmsghdr *request);
/* Evicts what has expired: 0 or -errno. */
int writer_sweep(struct writer *writer);

#endif
