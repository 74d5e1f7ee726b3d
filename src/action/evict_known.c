/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_known: a pass over the surge alone. For a moment after a pass over the whole table it is known what the
 * surge is; the kernel then leaves most of the others out, and where the table is full of honest flows that is most of
 * the work. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "evict_private.h"

/* Then the whole table is looked at again. */
#define KNOWN_FOR_NS   (4 * NS_PER_SEC)
#define UNTRIED_FOR_NS (2 * NS_PER_SEC)
#define WORTH_TENTHS   8 /* of the time of a whole pass */

uint64_t evict_rules(const struct eviction *e)
{
	uint64_t rules = 0;

	for (size_t i = 0; i < e->lane_count; i++) {
		if (e->lanes[i].decision->rule >= 64)
			return 0;
		rules |= 1ULL << e->lanes[i].decision->rule;
	}
	return rules;
}

/* Whether the kernel can leave out most of the others. */
static bool is_narrow(const struct signature_pattern *p)
{
	return p->has_port || (p->family == AF_INET && (p->src_len == 32 || p->dst_len == 32));
}

static bool are_narrow(const struct known *known)
{
	for (size_t i = 0; i < known->count; i++)
		if (!is_narrow(&known->signatures[i].pattern))
			return false;
	return true;
}

static bool knows_enough(const struct eviction *e)
{
	const struct known *known = &e->guard->known;
	int64_t known_for_ns = KNOWN_FOR_NS;

	if (evict_is_other_rush(e, known->new_per_sec))
		return false;
	for (size_t i = 0; i < known->count; i++)
		if (signature_awaits_trial(&known->signatures[i]))
			known_for_ns = UNTRIED_FOR_NS;
	for (size_t i = 0; i < e->lane_count; i++)
		if (!e->lanes[i].has_signature || e->lanes[i].decision->want == POLICY_ALL ||
		    evict_is_bounded(&e->lanes[i]))
			return false;
	if (!evict_rules(e) || (evict_rules(e) & ~known->rules))
		return false;
	return known->count && e->began_ns - known->found_ns < known_for_ns;
}

/* Of what may be a crowd of users some goes only as far as room is needed. */
static bool is_any_wanted(const struct eviction *e)
{
	for (size_t i = 0; i < e->lane_count; i++)
		if (e->lanes[i].decision->want_other)
			return true;
	for (size_t i = 0; i < e->signature_count; i++)
		if (!signature_may_be_crowd(&e->signatures[i]))
			return true;
	return false;
}

static int scan_known(struct eviction *e)
{
	const struct guard_table *table = e->table;
	struct flow_scan_report report = {0};
	int result = 0;

	for (e->scanned = 0; e->scanned < e->signature_count && !result; e->scanned++) {
		struct flow_filter *filter = signature_filter(&e->signatures[e->scanned].pattern);

		result = table->ports->scan(table->ports->arg, filter, &e->context, evict_on_flow, e, &report);
		/* Flows under way still go by the number of this scan. */
		round_end(&e->round);
		flow_filter_free(filter);
	}
	return result;
}

uint64_t evict_left(const struct eviction *e)
{
	uint64_t hits = 0;

	for (size_t i = 0; i < e->signature_count; i++)
		hits += e->counts[i].growth_hits;
	return hits > e->fits_taken ? hits - e->fits_taken : 0;
}

/* As the trial judges it now. */
static void take_known(struct eviction *e)
{
	e->is_known = true;
	e->signature_count = e->guard->known.count;
	memcpy(e->signatures, e->guard->known.signatures, sizeof(e->signatures));
	for (size_t i = 0; i < e->signature_count; i++)
		trial_judge(&e->guard->trial, &e->signatures[i], e->began_ns);
}

/* False: it was not enough, and nothing was done. */
static bool run(struct eviction *e, uint64_t freed, int (*look)(struct eviction *))
{
	bool is_enough;

	evict_open_lanes(e);
	seniority_look(e->guard->seniority, e->began_ns);
	evict_begin_round(e);
	is_enough = look(e) == 0;
	evict_choose(e);
	is_enough = is_enough && evict_is_chosen_enough(e);
	if (is_enough) {
		reserve_begin(&e->guard->reserve, e);
		evict_finish(e, freed);
	}
	for (size_t i = 0; i < e->lane_count; i++)
		if (e->lanes[i].report.masters)
			reserve_forget(&e->guard->reserve);
	evict_drop_chosen(e);
	return is_enough;
}

static int look_by_filter(struct eviction *e)
{
	int result = scan_known(e);

	/* Where the kernel cannot leave out much it is no use. */
	e->guard->known.is_wide = (e->table->monotonic_ns() - e->began_ns) * 10 > e->guard->pass_ns * WORTH_TENTHS;
	return result;
}

bool evict_run_known(struct eviction *e, uint64_t freed)
{
	struct known *known = &e->guard->known;

	if (!knows_enough(e))
		return false;
	take_known(e);
	if (!is_any_wanted(e))
		return false;
	if (evict_may_hear(e)) {
		evict_begin_hearing(e);
		if (run(e, freed, evict_look_at_heard)) {
			/* Many were one and the same, told again and again, or are gone. */
			for (size_t i = 0; i < e->lane_count; i++)
				if (2 * (e->done + freed) < e->lanes[i].decision->want_other)
					known->count = 0;
			return true;
		}
		evict_begin_anew(e);
		take_known(e);
	}
	if (known->is_wide || !are_narrow(known) || !run(e, freed, look_by_filter))
		return false;
	known->left = evict_left(e);
	return true;
}
