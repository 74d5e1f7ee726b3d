/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/writer: deletes entries, sets their timeouts and reads them again, in batches. */
#include "writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/mem.h"
#include "batch.h"
#include "decode.h"

/* The answers to a full batch of second readings: one packet buffer of a page and more each. */
#define RCVBUF_BYTES (1 << 20)

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

void writer_init(struct writer *writer, struct nl_socket socket)
{
	int fd = mnl_socket_get_fd(socket.mnl), bytes = RCVBUF_BYTES, on = 1;

	*writer = (struct writer){.socket = socket};
	/* Smaller ones serve too: answers get lost, which is noticed, and are asked for again. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	/* Errors without a copy of the request. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	writer->requests = mem_alloc(FLOW_BATCH_MAX * MESSAGE_TARGET_MAX);
	writer->answers = mem_alloc(WRITER_ANSWERS_BYTES);
}

void writer_done(struct writer *writer)
{
	nl_close(&writer->socket);
	nl_close(&writer->filtered);
	free(writer->requests);
	free(writer->answers);
}

/* ---- second reading ---- */

struct reading_again {
	const struct flow_target *targets;
	struct flow *flows;
	bool *found;
};

static struct nlmsghdr *build_get(struct batch *batch, void *buf, size_t i)
{
	const struct reading_again *again = batch->arg;

	return message_get(&batch->writer->socket, buf, &again->targets[i]);
}

static void take_flow(struct batch *batch, const struct nlmsghdr *answer, size_t i)
{
	struct reading_again *again = batch->arg;
	struct flow flow;

	if (decode_message(answer, answer->nlmsg_len, &flow, NULL) < 0 ||
	    !flow_target_is(&again->targets[i], &flow))
		return;
	again->flows[i] = flow;
	again->found[i] = true;
}

int writer_read_again(struct writer *writer, const struct flow_target *targets, size_t count,
		      struct flow *ret_flows, bool *ret_found)
{
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX] = {false};
	struct reading_again again = {targets, flows, found};
	struct batch batch = {.writer = writer,
			      .count = count,
			      .build = build_get,
			      .take = take_flow,
			      .arg = &again};
	int r = batch_run(&batch);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (batch.results[i] == BATCH_PENDING)
			return -ENOBUFS;
		if (batch.results[i] < 0 && batch.results[i] != -ENOENT)
			return batch.results[i];
	}
	for (size_t i = 0; i < count; i++) {
		ret_found[i] = found[i];
		if (found[i])
			ret_flows[i] = flows[i];
	}
	return 0;
}

static struct nlmsghdr *build_ask(struct batch *batch, void *buf, size_t i)
{
	const struct flow_target *targets = batch->arg;

	return message_ask_unchanged(&batch->writer->socket, buf, &targets[i]);
}

int writer_ask_unchanged(struct writer *writer, const struct flow_target *targets, size_t count, bool *ret_sure)
{
	struct batch batch = {.writer = writer,
			      .count = count,
			      .build = build_ask,
			      .takes_busy = true,
			      .arg = (void *)(uintptr_t)targets};
	int r = batch_run(&batch);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		ret_sure[i] = batch.results[i] == 0;
	return 0;
}

/* ---- finding by a tuple ---- */

struct finding {
	const struct flow_tuple *tuples;
	const uint16_t *zones;
	struct flow *flows;
	bool *found;
};

/* The kernel looks a tuple up among those of both directions, whichever attribute names it. */
static struct nlmsghdr *build_find(struct batch *batch, void *buf, size_t i)
{
	const struct finding *finding = batch->arg;
	struct flow_target target = {
		.orig = finding->tuples[i], .zone = finding->zones[i], .zone_reply = finding->zones[i]};

	return message_get(&batch->writer->socket, buf, &target);
}

static void take_found(struct batch *batch, const struct nlmsghdr *answer, size_t i)
{
	struct finding *finding = batch->arg;

	finding->found[i] = decode_message(answer, answer->nlmsg_len, &finding->flows[i], NULL) == 0;
}

int writer_find(struct writer *writer, const struct flow_tuple *tuples, const uint16_t *zones, size_t count,
		struct flow *ret_flows, bool *ret_found)
{
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX] = {false};
	struct finding finding = {tuples, zones, flows, found};
	struct batch batch = {.writer = writer,
			      .count = count,
			      .build = build_find,
			      .take = take_found,
			      .arg = &finding};
	int r = batch_run(&batch);

	for (size_t i = 0; i < count && !r; i++)
		if (batch.results[i] == BATCH_PENDING)
			r = -ENOBUFS;
	if (r < 0)
		return r;
	memcpy(ret_flows, flows, count * sizeof(*flows));
	memcpy(ret_found, found, count * sizeof(*found));
	return 0;
}

/* ---- delete ---- */

static struct nlmsghdr *build_delete(struct batch *batch, void *buf, size_t i)
{
	const struct flow_target *targets = batch->arg;

	return message_delete(&batch->writer->socket, buf, &targets[i]);
}

static enum flow_outcome outcome_of(int result)
{
	switch (result) {
	case 0:
		return FLOW_OUTCOME_DONE;
	case BATCH_PENDING:
		return FLOW_OUTCOME_UNKNOWN;
	case -ENOENT:
	case -ETIME: /* found, but dying */
		return FLOW_OUTCOME_GONE;
	default:
		return FLOW_OUTCOME_REFUSED;
	}
}

int writer_delete(struct writer *writer, const struct flow_target *targets, size_t count,
		  enum flow_outcome *ret_outcomes)
{
	struct batch batch = {.writer = writer,
			      .count = count,
			      .build = build_delete,
			      .arg = (void *)(uintptr_t)targets};
	int r;

	if (writer->on_delete)
		writer->on_delete(targets, count, NULL, writer->delete_arg);
	r = batch_run(&batch);
	for (size_t i = 0; i < count; i++) {
		ret_outcomes[i] = outcome_of(batch.results[i]);
		/* The answer to the first sending was lost, and the entry is gone as asked. */
		if (ret_outcomes[i] == FLOW_OUTCOME_GONE && batch.sent_again[i])
			ret_outcomes[i] = FLOW_OUTCOME_DONE;
	}
	if (writer->on_delete)
		writer->on_delete(targets, count, ret_outcomes, writer->delete_arg);
	return r;
}

/* ---- timeout ---- */

struct changing {
	const struct flow_target *targets;
	const struct flow_timeout_change *changes;
};

static struct nlmsghdr *build_change(struct batch *batch, void *buf, size_t i)
{
	const struct changing *changing = batch->arg;

	return message_set_timeout(&batch->writer->socket, buf, &changing->targets[i],
				   &changing->changes[i]);
}

static int change_all(struct writer *writer, const struct flow_target *targets,
		      const struct flow_timeout_change *changes, size_t count,
		      enum flow_outcome *outcomes, int *results)
{
	struct changing changing = {targets, changes};
	struct batch batch = {
		.writer = writer, .count = count, .build = build_change, .arg = &changing};
	int r = batch_run(&batch);

	for (size_t i = 0; i < count; i++) {
		outcomes[i] = outcome_of(batch.results[i]);
		/* Refused because an earlier sending, whose answer was lost, had fixed it? Nobody
		 * can say. */
		if (batch.results[i] == -EPERM && batch.sent_again[i] && changes[i].is_fixed)
			outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	}
	memcpy(results, batch.results, count * sizeof(*results));
	return r;
}

/* EBUSY to a fixed timeout: the entry's status has moved on since it was read (a reply came, say). */
static int change_moved(struct writer *writer, const struct flow_target *targets,
			const struct flow_timeout_change *changes, size_t count,
			enum flow_outcome *outcomes, const int *results)
{
	struct flow_target moved[FLOW_BATCH_MAX];
	struct flow_timeout_change moved_changes[FLOW_BATCH_MAX];
	enum flow_outcome moved_outcomes[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
	int moved_results[FLOW_BATCH_MAX], r;
	size_t at[FLOW_BATCH_MAX], n = 0;

	for (size_t i = 0; i < count; i++) {
		if (results[i] != -EBUSY || !changes[i].is_fixed)
			continue;
		moved[n] = targets[i];
		moved_changes[n] = changes[i];
		at[n++] = i;
	}
	if (!n)
		return 0;
	if (writer_read_again(writer, moved, n, flows, found) < 0)
		return 0; /* they stay refused */
	for (size_t k = 0; k < n; k++) {
		if (found[k])
			moved[k].status = flows[k].status;
	}
	r = change_all(writer, moved, moved_changes, n, moved_outcomes, moved_results);
	for (size_t k = 0; k < n; k++)
		outcomes[at[k]] = found[k] ? moved_outcomes[k] : FLOW_OUTCOME_GONE;
	return r;
}

int writer_set_timeout(struct writer *writer, const struct flow_target *targets,
		       const struct flow_timeout_change *changes, size_t count,
		       enum flow_outcome *ret_outcomes)
{
	int results[FLOW_BATCH_MAX];
	int r = change_all(writer, targets, changes, count, ret_outcomes, results);

	return r < 0 ? r : change_moved(writer, targets, changes, count, ret_outcomes, results);
}

/* ---- single requests ---- */

static void take_nothing(const struct nlmsghdr *answer, void *arg)
{
	(void)answer;
	(void)arg;
}

struct nl_socket *writer_filtered(struct writer *writer)
{
	return writer->filtered.mnl ? &writer->filtered : &writer->socket;
}

int writer_request(struct writer *writer, struct nlmsghdr *request)
{
	batch_drop_stale(writer);
	request->nlmsg_flags |= NLM_F_ACK;
	return nl_query(writer_filtered(writer), request, take_nothing, NULL);
}

static void take_entries(const struct nlmsghdr *answer, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_ENTRIES &&
		    mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			*(int64_t *)arg = ntohl(mnl_attr_get_u32(attr));
	}
}

int writer_count(struct writer *writer, uint64_t *ret_entries)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	int64_t entries = -1;
	int r;

	batch_drop_stale(writer);
	r = nl_query(&writer->socket,
		     nl_request(&writer->socket, buf, NFNL_SUBSYS_CTNETLINK,
				IPCTNL_MSG_CT_GET_STATS, 0, 0),
		     take_entries, &entries);
	if (r < 0)
		return r;
	if (entries < 0)
		return -EBADMSG;
	*ret_entries = (uint64_t)entries;
	return 0;
}

/* The kernel evicts expired entries wherever a dump passes by, before it looks at the filter
 * (kernel-facts). Every entry listed is confirmed, so that none matches. */
int writer_sweep(struct writer *writer)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *request;

	batch_drop_stale(writer);
	request = nl_request(&writer->socket, buf, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
			     NLM_F_DUMP, 0);
	mnl_attr_put_u32(request, CTA_STATUS, 0);
	mnl_attr_put_u32(request, CTA_STATUS_MASK, htonl(FLOW_STATUS_CONFIRMED));
	return nl_query(&writer->socket, request, take_nothing, NULL);
}
