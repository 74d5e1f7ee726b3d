/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/batch: sends requests in pieces and gathers what came of each. */
#include "batch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TRIES_MAX   12 /* of one request: enough to come from a full batch down to single requests */
#define PASSING_MAX 3 /* of them with EBUSY and its like: an offloaded entry stays EBUSY for ever */
#define SENDS_MAX   5
#define RETRY_NS    (1000 * 1000)

struct piece {
	uint8_t at[FLOW_BATCH_MAX]; /* which requests, in the order sent */
	unsigned count, answered;
	uint32_t first_seq;
	bool is_lost, is_complete;
};

static void pause_briefly(void)
{
	const struct timespec span = {.tv_nsec = RETRY_NS};

	nanosleep(&span, NULL);
}

/* Answers taken with one call: one system call each costs as much as the rest of a reading here. */
#define RECEIVED_MAX (WRITER_ANSWERS_BYTES / WRITER_ANSWER_MAX)

struct received {
	struct mmsghdr messages[RECEIVED_MAX];
	struct iovec iov[RECEIVED_MAX];
	struct sockaddr_nl from[RECEIVED_MAX];
};

static void received_init(struct received *received, struct writer *writer)
{
	*received = (struct received){0};
	for (unsigned i = 0; i < RECEIVED_MAX; i++) {
		received->iov[i] = (struct iovec){.iov_base = writer->answers + (size_t)i * WRITER_ANSWER_MAX,
						  .iov_len = WRITER_ANSWER_MAX};
		received->messages[i].msg_hdr = (struct msghdr){.msg_name = &received->from[i],
								.msg_iov = &received->iov[i],
								.msg_iovlen = 1};
	}
}

/* How many came; 0: nothing queued; -errno. An error behind answers is that of the next call. */
static int receive_now(struct writer *writer, struct received *received)
{
	int fd = mnl_socket_get_fd(writer->socket.mnl), count;

	for (unsigned i = 0; i < RECEIVED_MAX; i++)
		received->messages[i].msg_hdr.msg_namelen = sizeof(received->from[i]);
	do
		count = recvmmsg(fd, received->messages, RECEIVED_MAX, MSG_DONTWAIT, NULL);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return errno == EAGAIN ? 0 : -errno;
	return count;
}

/* Any process may send to our port; only port 0 is the kernel. */
static bool is_from_kernel(const struct received *received, unsigned i)
{
	return received->messages[i].msg_hdr.msg_namelen == sizeof(received->from[i]) && received->from[i].nl_pid == 0;
}

void batch_drop_stale(struct writer *writer)
{
	struct received received;
	int r;

	if (!writer->is_stale)
		return;
	received_init(&received, writer);
	do
		r = receive_now(writer, &received);
	while (r > 0 || r == -ENOBUFS);
	writer->is_stale = false;
}

static void take_message(struct batch *batch, struct piece *piece, const struct nlmsghdr *message)
{
	uint32_t index = message->nlmsg_seq - piece->first_seq;
	bool is_last = index == piece->count - 1;
	size_t i;

	if (index >= piece->count)
		return;
	i = piece->at[index];
	if (message->nlmsg_type != NLMSG_ERROR) {
		batch->results[i] = 0;
		if (batch->take)
			batch->take(batch, message, i);
		return;
	}
	piece->answered++;
	piece->is_complete = piece->is_complete || is_last;
	batch->results[i] = nl_error_of(message);
}

static void take_datagram(struct batch *batch, struct piece *piece, const struct received *received, unsigned i)
{
	const struct nlmsghdr *message = received->iov[i].iov_base;
	int left = (int)received->messages[i].msg_len;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		take_message(batch, piece, message);
}

static int gather(struct batch *batch, struct piece *piece)
{
	struct writer *writer = batch->writer;
	struct received received;
	int r;

	received_init(&received, writer);
	while (!piece->is_complete) {
		r = receive_now(writer, &received);
		if (r == -ENOBUFS) {
			piece->is_lost = true;
			continue;
		}
		if (r < 0)
			return r;
		if (!r)
			break;
		for (unsigned i = 0; i < (unsigned)r; i++)
			if (is_from_kernel(&received, i))
				take_datagram(batch, piece, &received, i);
	}
	/* Without the right to do this the kernel answers the first message and looks at no other. */
	if (!piece->is_complete && !piece->is_lost && piece->answered == 1 &&
	    batch->results[piece->at[0]] == -EPERM) {
		batch->results[piece->at[0]] = BATCH_PENDING;
		return -EPERM;
	}
	piece->is_lost = piece->is_lost || !piece->is_complete;
	writer->is_stale = writer->is_stale || piece->is_lost;
	return 0;
}

static int send_all(struct writer *writer, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;
	int error = 0;

	for (unsigned i = 0; i < SENDS_MAX; i++) {
		sent = sendto(mnl_socket_get_fd(writer->socket.mnl), buf, len, 0,
			      (const struct sockaddr *)&kernel, sizeof(kernel));
		if (sent == (ssize_t)len)
			return 0;
		/* A datagram goes as a whole; should it not, sending it again does no harm: the
		 * answers tell. */
		error = sent < 0 ? errno : EIO;
		if (error != EINTR && error != ENOBUFS && error != ENOMEM && error != EAGAIN &&
		    error != EBUSY && error != EIO)
			break;
		if (error != EINTR)
			pause_briefly();
	}
	return -error;
}

static int send_piece(struct batch *batch, struct piece *piece)
{
	struct writer *writer = batch->writer;
	uint8_t *end = writer->requests;
	struct nlmsghdr *request = NULL;

	piece->first_seq = writer->socket.seq + 1;
	for (unsigned k = 0; k < piece->count; k++) {
		request = batch->build(batch, end, piece->at[k]);
		assert(request->nlmsg_len <= MESSAGE_TARGET_MAX);
		end += MNL_ALIGN(request->nlmsg_len);
	}
	if (!request)
		return 0;
	request->nlmsg_flags |= NLM_F_ACK;
	return send_all(writer, writer->requests, (size_t)(end - writer->requests));
}

static bool is_passing(const struct batch *batch, int error)
{
	return (error == -EBUSY && !batch->takes_busy) || error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM ||
	       error == -EINTR;
}

/* Silence is success where no answer was lost. Returns whether something is to be sent again. */
static bool judge(struct batch *batch, const struct piece *piece, uint8_t *tries)
{
	bool again = false;

	for (unsigned k = 0; k < piece->count; k++) {
		size_t i = piece->at[k];
		bool is_open = batch->results[i] == BATCH_PENDING;

		if (is_open && !piece->is_lost)
			batch->results[i] = 0;
		else if (is_open)
			batch->sent_again[i] = ++tries[i] < TRIES_MAX;
		else if (is_passing(batch, batch->results[i]) && ++tries[i] < PASSING_MAX)
			batch->results[i] = BATCH_PENDING;
		again = again || (batch->results[i] == BATCH_PENDING && tries[i] < TRIES_MAX);
	}
	return again;
}

static void fill_piece(const struct batch *batch, const uint8_t *tries, unsigned size,
		       struct piece *piece)
{
	*piece = (struct piece){0};
	for (size_t i = 0; i < batch->count && piece->count < size; i++) {
		if (batch->results[i] == BATCH_PENDING && tries[i] < TRIES_MAX)
			piece->at[piece->count++] = (uint8_t)i;
	}
}

int batch_run(struct batch *batch)
{
	uint8_t tries[FLOW_BATCH_MAX] = {0};
	unsigned size = FLOW_BATCH_MAX;
	struct piece piece;
	int r;

	assert(batch->count <= FLOW_BATCH_MAX);
	for (size_t i = 0; i < batch->count; i++) {
		batch->results[i] = BATCH_PENDING;
		batch->sent_again[i] = false;
	}
	for (;;) {
		fill_piece(batch, tries, size, &piece);
		if (!piece.count)
			return 0;
		batch_drop_stale(batch->writer);
		r = send_piece(batch, &piece);
		if (r < 0)
			return r;
		r = gather(batch, &piece);
		if (r < 0)
			return r;
		if (judge(batch, &piece, tries) && !piece.is_lost)
			pause_briefly(); /* EBUSY and its like pass */
		if (piece.is_lost) {
			batch->writer->lost++;
			size = size > 1 ? size / 2 : 1;
		}
	}
}
