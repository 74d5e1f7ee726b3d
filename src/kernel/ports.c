/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/ports: the writer as other layers see it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "filtered_delete.h"
#include "writer.h"

int writer_open(const char *proofs_dir, struct writer **ret_writer)
{
	struct nl_socket socket, filtered;
	struct writer *writer;
	uint64_t entries;
	int r = nl_open(&socket);

	if (r < 0)
		return r;
	r = nl_open(&filtered);
	if (r < 0) {
		nl_close(&socket);
		return r;
	}
	writer = mem_alloc(sizeof(*writer));
	writer_init(writer, socket);
	writer->filtered = filtered;
	writer->prover = mem_alloc(sizeof(*writer->prover));
	prover_init(writer->prover, proofs_dir);
	/* Whether we may ask the kernel at all. */
	r = writer_count(writer, &entries);
	if (r < 0) {
		writer_close(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

void writer_close(struct writer *writer)
{
	if (!writer)
		return;
	prover_done(writer->prover);
	free(writer->prover);
	writer_done(writer);
	free(writer);
}

void writer_on_progress(struct writer *writer, bool (*fn)(uint64_t received, void *arg), void *arg)
{
	writer->on_progress = fn;
	writer->progress_arg = arg;
}

uint32_t writer_portid(const struct writer *writer)
{
	return mnl_socket_get_portid(writer->socket.mnl);
}

bool writer_has_portid(const struct writer *writer, uint32_t portid)
{
	return portid == writer_portid(writer) || portid == mnl_socket_get_portid(writer->filtered.mnl);
}

void writer_on_delete(struct writer *writer, writer_delete_fn *fn, void *arg)
{
	writer->on_delete = fn;
	writer->delete_arg = arg;
}

static int port_scan(void *arg, const struct flow_filter *filter,
		     const struct flow_filter_context *context, flow_scan_fn *fn, void *fn_arg,
		     struct flow_scan_report *ret_report)
{
	const struct writer *writer = arg;
	struct scan_options options = {.on_progress = writer->on_progress, .arg = writer->progress_arg};

	return scan_flows(filter, context, fn, fn_arg, &options, ret_report);
}

static int port_read_again(void *arg, const struct flow_target *targets, size_t count,
			   struct flow *ret_flows, bool *ret_found)
{
	return writer_read_again(arg, targets, count, ret_flows, ret_found);
}

static bool port_can_ask_unchanged(void *arg)
{
	(void)arg;
	return host_hears_no_updates();
}

static int port_ask_unchanged(void *arg, const struct flow_target *targets, size_t count, bool *ret_sure)
{
	return writer_ask_unchanged(arg, targets, count, ret_sure);
}

static int port_find(void *arg, const struct flow_tuple *tuples, const uint16_t *zones, size_t count,
		     struct flow *ret_flows, bool *ret_found)
{
	return writer_find(arg, tuples, zones, count, ret_flows, ret_found);
}

static int port_delete(void *arg, const struct flow_target *targets, size_t count,
		       enum flow_outcome *ret_outcomes)
{
	return writer_delete(arg, targets, count, ret_outcomes);
}

static int port_set_timeout(void *arg, const struct flow_target *targets,
			    const struct flow_timeout_change *changes, size_t count,
			    enum flow_outcome *ret_outcomes)
{
	return writer_set_timeout(arg, targets, changes, count, ret_outcomes);
}

static bool port_can_delete_filtered(void *arg, const struct flow_filter *filter, char *ret_why,
				     size_t why_size)
{
	struct writer *writer = arg;

	return filtered_delete_can(writer->prover, filter, ret_why, why_size);
}

static int port_delete_filtered(void *arg, const struct flow_filter *filter)
{
	struct writer *writer = arg;

	return filtered_delete_run(writer, writer->prover, filter);
}

static int port_delete_all(void *arg)
{
	return delete_everything(arg);
}

static int port_sweep(void *arg)
{
	return writer_sweep(arg);
}

static int port_count(void *arg, uint64_t *ret_entries)
{
	return writer_count(arg, ret_entries);
}

struct flow_ports writer_ports(struct writer *writer)
{
	return (struct flow_ports){
		.arg = writer,
		.scan = port_scan,
		.read_again = port_read_again,
		.can_ask_unchanged = port_can_ask_unchanged,
		.ask_unchanged = port_ask_unchanged,
		.find = port_find,
		.delete = port_delete,
		.set_timeout = port_set_timeout,
		.can_delete_filtered = port_can_delete_filtered,
		.delete_filtered = port_delete_filtered,
		.delete_all = port_delete_all,
		.sweep = port_sweep,
		.count = port_count,
	};
}
