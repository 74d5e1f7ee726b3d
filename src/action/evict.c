/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict: one pass finds the victims of all decisions. The pass comes in the order of the hash, so that its first
 * flows are a fair sample of the table: they are kept until the signature of the surge is found on them, then offered
 * like the rest. Until then nothing is decided; after the pass the signature is confirmed by count, or what rests on it
 * alone lives. */
#include "evict_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/victim.h"

#define EARLY_FLOWS  16384
#define TRIED_OF_KNOWN 128 /* flows that say whether they are in use, in a pass over a known surge */
#define TAKE_IN_EVERY 2048 /* flows of the pass: what user space puts in meanwhile does not wait for its end */
/* Classes in which nobody has answered, or nobody will. */
#define UNANSWERED                                                                                                     \
	(1u << FLOW_CLASS_UNREPLIED | 1u << FLOW_CLASS_PICKUP | 1u << FLOW_CLASS_HALF_OPEN | 1u << FLOW_CLASS_CLOSING)

struct early_flow {
	struct flow flow;
	struct flow_facts facts;
	struct standing standing;
};

/* Without a calm table to compare with, what is common is not known to be a surge: then a signature speaks only for
 * flows that nobody answers. (None is found in no flows.) */
static void without_base(struct eviction *e)
{
	double share = (double)e->sampled / (double)(e->base_flows + e->growth_flows); /* those it was found among */
	size_t kept = 0;

	for (size_t i = 0; i < e->signature_count; i++) {
		struct signature *signature = &e->signatures[i];

		signature->is_blind = true;
		signature->pattern.classes &= UNANSWERED;
		signature->coverage *= share;
		if (signature->pattern.classes && signature->coverage >= e->guard->config.min_alike)
			e->signatures[kept++] = *signature;
	}
	e->signature_count = kept;
}

static void find_signature(struct eviction *e, uint64_t expected)
{
	uint64_t seen = e->base_flows + e->growth_flows;
	double scale = seen && expected > seen ? (double)expected / (double)seen : 1;
	struct signature_input input = {.base = &e->guard->base,
					.growth = &e->guard->growing,
					.base_flows = e->guard->base_flows,
					.growth_flows = (uint64_t)((double)e->sampled * scale)};

	e->signature_count = signature_find(e->guard->finder, &input, SIGNATURE_MAX, e->signatures);
	if (!evict_knows_calm(e->guard))
		without_base(e);
	for (size_t i = 0; i < e->signature_count; i++)
		trial_judge(&e->guard->trial, &e->signatures[i], e->began_ns);
}

/* ---- flows ---- */

/* Whether the signature says enough to put floors and age aside. */
static bool is_judged_by(const struct signature *signature, const struct standing *standing)
{
	if (!signature->hits_base)
		return true;
	return !standing->is_base && signature_is_idle(signature);
}

static void offer_to(struct eviction *e, struct lane *lane, const struct flow *flow, const struct flow_facts *facts,
		     const struct standing *standing, int signature)
{
	bool fits = lane->has_signature && signature >= 0 && is_judged_by(&e->signatures[signature], standing);
	struct policy_flow_context context = {.match = e->context, .fits_signature = fits};
	struct policy_judgement judgement;
	enum policy_verdict verdict;

	if (!lane->victims)
		return;
	if (evict_is_bounded(lane))
		evict_count(lane, flow, facts->class);
	if (!(lane->classes & 1u << facts->class)) { /* most of a calm table; the judgement costs 30 ns */
		victims_see(lane->victims, flow);
		return;
	}
	verdict = policy_judge(e->table->policy, lane->decision, flow, &context, &judgement);
	if (verdict != POLICY_VERDICT_TAKE)
		victims_see(lane->victims, flow);
	switch (verdict) {
	case POLICY_VERDICT_TAKE:
		victims_offer(lane->victims, flow, facts, standing, judgement.is_by_fit);
		break;
	case POLICY_VERDICT_ACTIVE:
		lane->floor_spared++;
		break;
	case POLICY_VERDICT_YOUNG:
		lane->young_spared++;
		break;
	case POLICY_VERDICT_PROTECTED:
		record_protected(lane->record, judgement.protect < e->table->policy->protect_count
						       ? e->table->policy->protect[judgement.protect].name
						       : "own");
		lane->record->spared_by[VICTIM_SPARED_PROTECTED]++;
		break;
	case POLICY_VERDICT_NO_MATCH:
	case POLICY_VERDICT_CLASS:
	case POLICY_VERDICT_COUNT:
		break;
	}
}

static void offer(struct eviction *e, const struct flow *flow, const struct flow_facts *facts,
		  const struct standing *standing)
{
	int signature = signature_count_all(e->counts, e->signatures, e->signature_count, flow, facts->class,
					    standing->is_base);

	if (e->is_known && (e->is_heard ? signature < 0 : signature != (int)e->scanned))
		return; /* met already, or does not fit */
	if (!e->is_known)
		fast_see(&e->guard->fast, e->table, flow, facts->class, standing);
	for (size_t i = 0; i < e->lane_count; i++)
		offer_to(e, &e->lanes[i], flow, facts, standing, signature);
}

static void offer_early(struct eviction *e, uint64_t expected)
{
	find_signature(e, expected);
	fast_begin(&e->guard->fast, e->table, e->signatures, e->signature_count);
	evict_open_lanes(e);
	for (size_t i = 0; i < e->used; i++) {
		const struct early_flow *early = &e->guard->early[i];

		offer(e, &early->flow, &early->facts, &early->standing);
	}
}

/* Whether the signature is looked for among such. Where that has to speak for most of the table, and the calm is not
 * known, only among those that it may mean: what the answered have in common with them says nothing. */
static bool may_be_alike(const struct eviction *e, enum flow_class class)
{
	return e->guard->config.min_alike <= 0 || evict_knows_calm(e->guard) || UNANSWERED >> class & 1;
}

/* Many of the known surge alone would push out what was tried of others, and the same few, met in each round, would
 * speak for many. */
static bool may_try(const struct eviction *e)
{
	if (!e->is_known)
		return true;
	return !e->is_heard && e->signatures[e->scanned].is_untried && e->tried < TRIED_OF_KNOWN &&
	       e->began_ns - e->guard->tried_ns >= e->guard->config.seniority.activity_ns;
}

static void on_standing(const struct flow *flow, const struct flow_facts *facts, const struct standing *standing,
			void *arg)
{
	struct eviction *e = arg;

	if (may_try(e))
		e->tried += trial_offer(&e->guard->trial, flow, facts, standing, e->began_ns);
	if (e->is_open) {
		offer(e, flow, facts, standing);
		return;
	}
	e->guard->early[e->used++] = (struct early_flow){.flow = *flow, .facts = *facts, .standing = *standing};
	if (standing->is_base) {
		e->base_flows++;
	} else {
		e->growth_flows++;
		if (may_be_alike(e, facts->class)) {
			e->sampled++;
			sample_offer(&e->guard->growing, flow);
		}
	}
	if (e->used == EARLY_FLOWS)
		offer_early(e, e->lanes[0].record->entries_before);
}

bool evict_on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct eviction *e = arg;

	(void)raw;
	(void)raw_len;
	if (++e->seen % TAKE_IN_EVERY == 0)
		guard_take_in(e->table);
	round_add(&e->round, flow);
	return true;
}

static void confirm(struct eviction *e)
{
	for (size_t i = 0; i < e->signature_count; i++) {
		struct signature *signature = &e->signatures[i];
		bool is_borne_out =
			signature_confirm(signature, &e->guard->config.signature, &e->counts[i]) &&
			(!signature->is_blind || signature->coverage >= e->guard->config.min_alike);

		signature->is_confirmed = is_borne_out;
	}
	fast_confirm(&e->guard->fast, e->signatures, e->began_ns);
}

static void begin_lanes(struct eviction *e, const struct evict_lane *lanes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct lane *lane = &e->lanes[i];

		record_begin(lanes[i].outcome, e->table, lanes[i].decision);
		*lane = (struct lane){.decision = lanes[i].decision,
				      .rule = &e->table->policy->rules[lanes[i].decision->rule],
				      .record = &lanes[i].outcome->record,
				      .table = e->table};
		lane->has_signature = lane->rule->action.has_signature;
		for (unsigned k = 0; k < lane->rule->action.class_count; k++)
			lane->classes |= 1u << lane->rule->action.classes[k];
	}
	e->lane_count = count;
}

void evict_begin_round(struct eviction *e)
{
	round_begin(&e->round, &(struct round_config){.seniority = e->guard->seniority,
						      .timeouts = e->table->timeouts,
						      .now_real_ns = e->table->real_ns,
						      .on_flow = on_standing,
						      .arg = e});
}

/* ---- the pass over the whole table ---- */

/* Unanswered flows that could have gone and did not go before the answered: a look at the surge alone would not see
 * them. */
static bool has_unanswered_left(const struct eviction *e)
{
	uint64_t there = 0;

	for (size_t i = 0; i < e->lane_count; i++)
		there += e->lanes[i].report.candidates[VICTIM_UNANSWERED_FIT] +
			 e->lanes[i].report.candidates[VICTIM_UNANSWERED];
	return there > e->unanswered_taken + e->unanswered_taken / 8 + FLOW_BATCH_MAX;
}

/* What it found is good for the next rounds, unless there are masters of living flows, which only a whole pass can
 * spare. */
static void keep_known(struct eviction *e)
{
	struct known *known = &e->guard->known;
	bool has_masters = false, is_all;

	for (size_t i = 0; i < e->lane_count; i++)
		has_masters |= e->lanes[i].report.masters > 0;
	if (has_masters) {
		fast_forget(&e->guard->fast);
		reserve_forget(&e->guard->reserve);
	}
	is_all = !has_masters && !has_unanswered_left(e);
	known->count = 0;
	known->is_wide = false;
	for (size_t i = 0; i < e->signature_count && is_all; i++)
		if (e->signatures[i].is_confirmed && !e->signatures[i].is_blind &&
		    (!e->signatures[i].hits_base || signature_is_idle(&e->signatures[i]))) {
			known->hits[known->count] = e->counts[i].growth_hits;
			known->signatures[known->count++] = e->signatures[i];
		}
	known->left = evict_left(e);
	known->found_ns = e->began_ns;
	known->new_per_sec = e->table->new_per_sec;
	known->rules = evict_rules(e);
}

static void run_pass(struct eviction *e, uint64_t freed)
{
	const struct guard_table *table = e->table;
	struct flow_scan_report report = {0};
	struct guard *guard = e->guard;
	int result;

	e->done = 0; /* the records tell what was done already */
	memset(e->taken, 0, sizeof(e->taken)); /* by the numbers of other signatures */
	if (!guard->early)
		guard->early = mem_alloc(EARLY_FLOWS * sizeof(*guard->early));
	sample_init(&guard->growing, ++guard->seed);
	guard_begin_pass(guard, table, e->began_ns);
	/* What is born while it goes on it may have passed by. */
	if (table->births)
		table->births->hear_anew(table->births->arg, true);
	guard->heard_ns = e->began_ns;
	evict_begin_round(e);
	result = table->ports->scan(table->ports->arg, NULL, &e->context, evict_on_flow, e, &report);
	round_end(&e->round);
	guard->pass_ns = table->monotonic_ns() - e->began_ns;
	seniority_end(guard->seniority, result == 0 && !report.unsettled);
	if (!result && !e->is_open)
		offer_early(e, e->used);
	if (!result)
		confirm(e);
	if (result || report.unsettled) {
		fast_forget(&guard->fast);
		evict_uncount(e);
	}
	for (size_t i = 0; result && i < e->lane_count; i++) {
		e->lanes[i].record->error = result;
		victims_free(e->lanes[i].victims);
	}
	guard->known.count = 0;
	reserve_forget(&guard->reserve);
	if (result)
		return;
	evict_choose(e);
	reserve_begin(&guard->reserve, e);
	evict_finish(e, freed);
	keep_known(e);
}

/* What the kernel took by one request may be enough: then nobody needs to look at each flow. */
static bool is_enough(const struct eviction *e, uint64_t freed)
{
	if (!freed)
		return false;
	for (size_t i = 0; i < e->lane_count; i++)
		if (freed < e->lanes[i].decision->want_other || evict_is_bounded(&e->lanes[i]))
			return false;
	return true;
}

static uint64_t run_fast(struct eviction *e)
{
	uint64_t gone = 0;

	for (size_t i = 0; i < e->lane_count && !gone; i++)
		gone = fast_run(e->guard, e->table, e->lanes[i].decision, e->lanes[i].record);
	return gone;
}

static void begin(struct eviction *e, struct guard *guard, const struct guard_table *table,
		  const struct evict_lane *lanes, size_t count)
{
	*e = (struct eviction){.guard = guard,
			       .table = table,
			       .asked = lanes,
			       .context = guard_context(table),
			       .began_ns = table->monotonic_ns()};
	e->chosen = (struct chosen){.read_ns = e->began_ns,
				    .adopted = seniority_adopted(guard->seniority),
				    .new_per_sec = table->new_per_sec};
	begin_lanes(e, lanes, count);
}

void evict_begin_anew(struct eviction *e)
{
	begin(e, e->guard, e->table, e->asked, e->lane_count);
}

static bool is_untouched(const struct action_record *record)
{
	return !record->done && !record->error && !record->matched;
}

void guard_evict(struct guard *guard, const struct guard_table *table, const struct evict_lane *lanes, size_t count,
		 uint64_t freed)
{
	struct eviction *e = mem_alloc(sizeof(*e));
	uint64_t by_request;
	bool is_done;

	begin(e, guard, table, lanes, count);
	by_request = run_fast(e);
	is_done = is_enough(e, by_request);
	if (!is_done && !by_request) {
		is_done = evict_run_reserve(e, freed) || (!e->has_begun && evict_run_known(e, freed));
		if (is_done)
			fast_forget(&guard->fast); /* what it left is not counted */
		if (!is_done && e->is_known)
			evict_begin_anew(e);
	}
	if (!is_done) {
		run_pass(e, freed);
		fast_end(&guard->fast, table, e->taken);
	}
	if (e->tried)
		guard->tried_ns = e->began_ns;
	for (size_t i = 0; i < count; i++) {
		record_end(lanes[i].outcome, table, e->began_ns);
		lanes[i].outcome->effect.made = e->lanes[i].made;
		lanes[i].outcome->effect.is_within = e->lanes[i].is_within;
		lanes[i].outcome->effect.is_unneeded =
			e->lanes[i].is_unneeded ||
			(by_request && is_done && is_untouched(&lanes[i].outcome->record));
		if (!by_request)
			lanes[i].outcome->effect.longest_sec = (double)guard->pass_ns / NS_PER_SEC;
	}
	free(e);
}
