/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_heard: the surge without a pass. Events tell of each flow that is born; those that fit what the last
 * whole pass found the surge to be are read singly. That costs twice as much a flow, but no walk over a table that is
 * full of others, or over the buckets of a large hash. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "evict_private.h"

#define READ_NS 4500 /* of one flow: a request and an answer each */

static bool is_two_way(const struct signature *signature)
{
	return signature->pattern.classes && !(signature->pattern.classes & ~FLOW_CLASSES_TWO_WAY);
}

static bool is_any_idle(const struct eviction *e)
{
	for (size_t i = 0; i < e->signature_count; i++)
		if (is_two_way(&e->signatures[i]) && signature_is_idle(&e->signatures[i]))
			return true;
	return false;
}

/* Of those that are not answered yet, or only just, the young ones go last, as an honest one may be among them, and
 * births are the youngest; but they go before what is answered: they are left to a pass, and it to them. Connections
 * that end (those of users, while the flood goes on) are no births; they may be the lesser part. */
static bool are_two_way(const struct known *known)
{
	uint64_t all = 0, two_way = 0;

	for (size_t i = 0; i < known->count; i++) {
		const struct signature *signature = &known->signatures[i];

		if (!is_two_way(signature) && signature->pattern.classes != 1u << FLOW_CLASS_CLOSING)
			return false;
		all += known->hits[i];
		two_way += is_two_way(signature) ? known->hits[i] : 0;
	}
	return two_way && 2 * two_way >= all;
}

static uint64_t wanted(const struct eviction *e)
{
	uint64_t want = 0;

	for (size_t i = 0; i < e->lane_count; i++)
		want += e->lanes[i].decision->want_other;
	return want;
}

/* So many are enough: where it is not proven that the surge is not in use, no more than the round may take of it, and a
 * quarter for those that live. */
static uint64_t enough(const struct eviction *e)
{
	return is_any_idle(e) ? UINT64_MAX : wanted(e) + wanted(e) / 4 + FLOW_BATCH_MAX;
}

/* Born since they were taken last. */
static double expected(const struct eviction *e)
{
	return e->table->new_per_sec * (double)(e->began_ns - e->guard->heard_ns) / NS_PER_SEC;
}

/* Who only observes would be told of each birth once, as if it had gone. */
static bool does_any_observe(const struct eviction *e)
{
	for (size_t i = 0; i < e->lane_count; i++)
		if (e->lanes[i].decision->would)
			return true;
	return false;
}

/* What is born is not all that there is of a surge: where much of it was left, those who hold that go first, and they
 * are looked for in the table. */
bool evict_may_hear(const struct eviction *e)
{
	double births = expected(e);

	if (!e->table->births || does_any_observe(e) ||
	    fmin((double)enough(e), births) * READ_NS > (double)e->guard->pass_ns)
		return false;
	return (double)e->guard->known.left < births && are_two_way(&e->guard->known) &&
	       (is_any_idle(e) || wanted(e) > 0);
}

void evict_begin_hearing(struct eviction *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->signature_count; i++)
		if (is_two_way(&e->signatures[i]))
			e->signatures[kept++] = e->signatures[i];
	e->signature_count = kept;
	e->is_heard = true;
}

struct hearing {
	struct flow born[FLOW_BATCH_MAX], flows[FLOW_BATCH_MAX];
	struct flow_target targets[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
};

/* As far as the tuple tells: what class it has become only a reading does. */
static bool may_fit(const struct eviction *e, const struct flow *flow)
{
	for (size_t i = 0; i < e->signature_count; i++) {
		const struct signature_pattern *pattern = &e->signatures[i].pattern;

		if (pattern->classes &&
		    signature_match(pattern, flow, (enum flow_class)__builtin_ctz(pattern->classes)))
			return true;
	}
	return false;
}

/* Reads those of count births that may fit; how many, or -errno. */
static int read_singly(struct eviction *e, struct hearing *h, size_t count)
{
	const struct flow_ports *ports = e->table->ports;
	size_t used = 0;
	int result;

	for (size_t i = 0; i < count; i++)
		if (may_fit(e, &h->born[i]))
			flow_target_from(&h->born[i], &h->targets[used++]);
	if (!used)
		return 0;
	result = ports->read_again(ports->arg, h->targets, used, h->flows, h->found);
	for (size_t i = 0; !result && i < used; i++)
		if (h->found[i])
			evict_on_flow(&h->flows[i], NULL, 0, e);
	return result ? result : (int)used;
}

int evict_look_at_heard(struct eviction *e)
{
	const struct guard_births *births = e->table->births;
	struct hearing *h = mem_alloc(sizeof(*h));
	uint64_t most = enough(e), read = 0;
	size_t count;
	int result = 0;

	e->guard->heard_ns = e->began_ns;
	while (result >= 0 && read < most && (count = births->heard(births->arg, h->born, FLOW_BATCH_MAX))) {
		result = read_singly(e, h, count);
		read += result > 0 ? (uint64_t)result : 0;
	}
	round_end(&e->round);
	free(h);
	for (size_t i = 0; i < e->lane_count; i++)
		e->lanes[i].record->way = ACTION_WAY_HEARD;
	return result < 0 ? result : 0;
}
