/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/protect: the operator's sockets, sorted, and a list of filters. */
#include "action/protect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One end of a connection, and a connection as its two ends in ascending order, so that its
 * direction does not matter. No padding: compared as bytes. */
struct end {
	uint8_t addr[16];
	uint16_t port;
};

struct ends {
	struct end low, high;
	uint16_t family;
};

struct protect {
	struct ends *sockets; /* sorted */
	size_t socket_count;
	struct flow *flows; /* of the sockets; NULL: not known */
	size_t flow_count;
	size_t count;
	struct flow_filter *filters[PROTECT_MAX]; /* NULL: the operator */
	char names[PROTECT_MAX][PROTECT_NAME_MAX];
};

struct protect *protect_new(void)
{
	return mem_alloc(sizeof(struct protect));
}

void protect_free(struct protect *protect)
{
	size_t i;

	if (!protect)
		return;
	for (i = 0; i < protect->count; i++)
		flow_filter_free(protect->filters[i]);
	free(protect->sockets);
	free(protect->flows);
	free(protect);
}

/* ::ffff:a.b.c.d: an IPv6 socket that speaks IPv4; its flow is IPv4. */
static bool is_mapped(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, prefix, sizeof(prefix));
}

static void set_end(struct end *end, const uint8_t addr[16], uint16_t port, bool mapped)
{
	memset(end, 0, sizeof(*end));
	if (mapped)
		memcpy(end->addr, addr + 12, 4);
	else
		memcpy(end->addr, addr, sizeof(end->addr));
	end->port = port;
}

static struct ends ends_of(const struct flow_tuple *tuple)
{
	bool mapped = tuple->family == AF_INET6 && is_mapped(tuple->src) && is_mapped(tuple->dst);
	struct end src, dst;
	struct ends ends = {.family = mapped ? AF_INET : tuple->family};
	bool swapped;

	set_end(&src, tuple->src, tuple->sport, mapped);
	set_end(&dst, tuple->dst, tuple->dport, mapped);
	swapped = memcmp(&src, &dst, sizeof(src)) > 0;
	ends.low = swapped ? dst : src;
	ends.high = swapped ? src : dst;
	return ends;
}

static int compare_ends(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ends));
}

static void append(struct protect *protect, struct flow_filter *filter, const char *name)
{
	size_t len = strnlen(name, PROTECT_NAME_MAX - 1);

	memcpy(protect->names[protect->count], name, len);
	protect->filters[protect->count++] = filter;
}

void protect_set_operator(struct protect *protect, const struct flow_tuple *tuples, size_t count)
{
	size_t i;

	protect->sockets = mem_array(count + 1, sizeof(*protect->sockets));
	for (i = 0; i < count; i++)
		protect->sockets[i] = ends_of(&tuples[i]);
	qsort(protect->sockets, count, sizeof(*protect->sockets), compare_ends);
	protect->socket_count = count;
	append(protect, NULL, "the operator's ssh connections");
}

void protect_set_operator_flows(struct protect *protect, const struct flow *flows, size_t count)
{
	protect->flows = mem_array(count + 1, sizeof(*flows));
	memcpy(protect->flows, flows, count * sizeof(*flows));
	protect->flow_count = count;
}

int protect_add(struct protect *protect, struct flow_filter *filter, const char *name)
{
	if (protect->count == PROTECT_MAX)
		return -ENOSPC;
	append(protect, filter, name);
	return 0;
}

size_t protect_count(const struct protect *protect)
{
	return protect->count;
}

const char *protect_name(const struct protect *protect, size_t index)
{
	return protect->names[index];
}

static bool has_tuple(const struct protect *protect, const struct flow_tuple *tuple)
{
	struct ends ends = ends_of(tuple);

	return bsearch(&ends, protect->sockets, protect->socket_count, sizeof(ends),
		       compare_ends) != NULL;
}

static bool is_operator(const struct protect *protect, const struct flow *flow)
{
	if (!protect->socket_count || flow->tuple[FLOW_ORIG].protocol != IPPROTO_TCP)
		return false;
	return has_tuple(protect, &flow->tuple[FLOW_ORIG]) ||
	       (flow->has & FLOW_HAS_REPLY && has_tuple(protect, &flow->tuple[FLOW_REPLY]));
}

int protect_hit(const struct protect *protect, const struct flow *flow,
		const struct flow_filter_context *context)
{
	size_t i;

	for (i = 0; i < protect->count; i++)
		if (protect->filters[i] ? flow_filter_match(protect->filters[i], flow, context)
					: is_operator(protect, flow))
			return (int)i;
	return PROTECT_NONE;
}

bool protect_may_come(const struct protect *protect, const struct flow *flow)
{
	/* The operator's sockets are known by what never changes. */
	for (size_t i = 0; i < protect->count; i++)
		if (protect->filters[i] && flow_filter_may_come(protect->filters[i], flow))
			return true;
	return false;
}

static bool operator_may_meet(const struct protect *protect, const struct flow_filter *filter)
{
	size_t i;

	for (i = 0; protect->flows && i < protect->flow_count; i++)
		if (flow_filter_may_match_life(filter, &protect->flows[i]))
			return true;
	for (i = 0; !protect->flows && i < protect->socket_count; i++)
		if (flow_filter_may_match(filter, IPPROTO_TCP, (uint8_t)protect->sockets[i].family))
			return true;
	return false;
}

bool protect_may_meet(const struct protect *protect, const struct flow_filter *filter,
		      size_t *ret_index)
{
	size_t i;

	for (i = 0; i < protect->count; i++) {
		if (!(protect->filters[i] ? flow_filter_may_meet(filter, protect->filters[i])
					  : operator_may_meet(protect, filter)))
			continue;
		if (ret_index)
			*ret_index = i;
		return true;
	}
	return false;
}
