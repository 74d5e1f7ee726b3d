/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/act_operator: which way a deletion goes, and for that where the operator's own flows are. An equal tuple may
 * stand in several zones (tenants, a bridge in front of the host), so that one that was found says nothing about the
 * others: it is looked for in each zone the filter could mean, or not at all, and then the guard's pass decides. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/mem.h"

#define ZONES	  65536u
#define FLOWS_MAX 256 /* of all sockets in all zones; with more the pass decides */
/* A lookup takes as long as the kernel's walk over this many entries (1.5 us and 0.28 us, measured). */
#define ENTRIES_A_LOOKUP 6

struct search {
	const struct flow_ports *ports;
	struct flow *flows; /* FLOWS_MAX */
	size_t used;
};

/* What this host sends on the socket: whatever NAT does, the entry that lets these packets pass has just this tuple in
 * one of its directions (of an outgoing connection the original, of an incoming one the reply). */
static struct flow_tuple sent_on(const struct flow_tuple *socket)
{
	struct flow_tuple r = *socket;

	r.sport = socket->dport;
	r.dport = socket->sport;
	memcpy(r.src, socket->dst, sizeof(r.src));
	memcpy(r.dst, socket->src, sizeof(r.dst));
	return r;
}

/* The flows of the tuple in these zones, count at most FLOW_BATCH_MAX. False: nothing certain can be said. */
static bool find_in(struct search *search, const struct flow_tuple *tuple, const uint16_t *zones, size_t count)
{
	struct flow_tuple tuples[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
	size_t i;

	for (i = 0; i < count; i++)
		tuples[i] = *tuple;
	if (search->ports->find(search->ports->arg, tuples, zones, count, flows, found))
		return false;
	for (i = 0; i < count; i++) {
		if (!found[i])
			continue;
		if (search->used == FLOWS_MAX)
			return false;
		search->flows[search->used++] = flows[i];
	}
	return true;
}

static bool find_in_all(struct search *search, const struct flow_tuple *tuple)
{
	uint16_t zones[FLOW_BATCH_MAX];
	unsigned zone, i;

	for (zone = 0; zone < ZONES; zone += FLOW_BATCH_MAX) {
		for (i = 0; i < FLOW_BATCH_MAX; i++)
			zones[i] = (uint16_t)(zone + i);
		if (!find_in(search, tuple, zones, FLOW_BATCH_MAX))
			return false;
	}
	return true;
}

/* In all zones: only where that is cheaper than the pass it may save. */
static bool is_worth_it(const struct act *act)
{
	uint64_t entries;

	return !act->ports.count(act->ports.arg, &entries) &&
	       entries / ENTRIES_A_LOOKUP >= (uint64_t)act->socket_count * ZONES;
}

static void find_operator(struct act *act)
{
	struct search search = {.ports = &act->ports, .flows = mem_array(FLOWS_MAX, sizeof(struct flow))};
	/* A flow of a zone may have zone 0 in one direction, and be found by that one. */
	uint16_t zones[2] = {0, 0};
	uint32_t zone;
	bool has_zone = flow_filter_single_number(act->request.filters[0], FILTER_ZONE, &zone);
	bool is_certain = has_zone || is_worth_it(act);
	struct flow_tuple tuple;
	size_t i, before;

	if (has_zone)
		zones[1] = (uint16_t)zone;
	for (i = 0; i < act->socket_count && is_certain; i++) {
		before = search.used;
		tuple = sent_on(&act->sockets[i]);
		is_certain = has_zone ? find_in(&search, &tuple, zones, 2) : find_in_all(&search, &tuple);
		/* Not tracked, or something that we do not understand: nothing certain can be said. */
		is_certain = is_certain && search.used > before;
	}
	if (i && is_certain)
		protect_set_operator_flows(act->protect, search.flows, search.used);
	free(search.flows);
}

void act_choose_way(struct act *act)
{
	action_choose(&act->request, &act->ports, &act->choice);
	if (act->choice.way != ACTION_WAY_FILTER || !act->choice.needs_guard || !act->socket_count)
		return;
	find_operator(act);
	action_choose(&act->request, &act->ports, &act->choice);
}
