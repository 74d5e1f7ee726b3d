/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/guard: what is remembered from round to round, the pass at rest, and the order of a round. */
#include "guard_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "stats/round.h"

#define UNDO_NS (2 * NS_PER_SEC)

struct guard_config guard_config_default(void)
{
	return (struct guard_config){
		.seniority = seniority_config_default(),
		.signature = signature_config_default(),
		.max_victims = 327680, /* of two rules in one round half of it each: a sixth of a million entries */
		.senior_pct = 80};
}

struct guard *guard_new(const struct guard_config *config)
{
	struct guard *guard = mem_alloc(sizeof(*guard));

	guard->config = *config;
	guard->seniority = seniority_new(&config->seniority);
	guard->finder = signature_finder_new(&config->signature);
	sample_init(&guard->base, 1);
	trial_init(&guard->trial);
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	seniority_free(guard->seniority);
	signature_finder_free(guard->finder);
	fast_forget(&guard->fast);
	reserve_free(&guard->reserve);
	free(guard->early);
	free(guard->older);
	free(guard);
}

struct seniority *guard_seniority(struct guard *guard)
{
	return guard->seniority;
}

static const uint8_t this_run[SENIORITY_BOOT_ID];

/* What a calm pass is about to change. */
static void keep(struct guard *guard, int64_t now_ns)
{
	free(guard->older);
	guard->older = mem_alloc(seniority_saved_max(guard->seniority));
	guard->older_size = seniority_save(guard->seniority, now_ns, this_run, guard->older);
	guard->older_base = guard->base;
	guard->older_flows = guard->base_flows;
	guard->had_base = guard->has_base;
}

static void undo(struct guard *guard, int64_t now_ns)
{
	guard->renewed_ns = 0;
	if (seniority_undo(guard->seniority, now_ns, this_run, guard->older, guard->older_size))
		return;
	guard->base = guard->older_base;
	guard->base_flows = guard->older_flows;
	guard->has_base = guard->had_base;
}

void guard_forget_chosen(struct guard *guard)
{
	fast_forget(&guard->fast);
	guard->known.count = 0;
	reserve_forget(&guard->reserve);
}

void guard_surge(struct guard *guard, int64_t now_ns)
{
	if (guard->renewed_ns && now_ns - guard->renewed_ns < UNDO_NS)
		undo(guard, now_ns);
	guard_forget_chosen(guard); /* this may be another one */
	trial_init(&guard->trial);
	seniority_surge(guard->seniority, now_ns);
}

void guard_adopt(struct guard *guard, const struct flow *flow, int64_t now_ns)
{
	uint64_t before = seniority_adopted(guard->seniority);

	seniority_adopt(guard->seniority, flow, now_ns);
	if (seniority_adopted(guard->seniority) == before)
		return;
	/* No signature may be found that fits it. */
	sample_offer(&guard->base, flow);
	guard->base_flows++;
	if (!guard->renewed_ns)
		return;
	sample_offer(&guard->older_base, flow);
	guard->older_flows++;
}

struct flow_filter_context guard_context(const struct guard_table *table)
{
	return (struct flow_filter_context){.now_real_ns = table->real_ns, .timeouts = table->timeouts};
}

static bool is_own_address(const struct guard_table *table, uint8_t family, const uint8_t *bytes)
{
	for (size_t i = 0; i < table->own_count; i++)
		if (table->own[i].family == family && !memcmp(table->own[i].bytes, bytes, family == AF_INET ? 4 : 16))
			return true;
	return false;
}

bool guard_is_own(const struct guard_table *table, const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG], *reply = &flow->tuple[FLOW_REPLY];

	/* Unanswered ones would be a shield that anybody can put up. Who is behind masquerading is not this host: the
	 * original source and the source of the reply are, the translated ones are not. */
	if (!(flow->status & FLOW_STATUS_SEEN_REPLY))
		return false;
	return is_own_address(table, orig->family, orig->src) ||
	       (flow->has & FLOW_HAS_REPLY && is_own_address(table, reply->family, reply->src));
}

const char *guard_protected_by(const struct guard_table *table, const struct flow *flow,
			       const struct flow_filter_context *context)
{
	int hit;

	if (table->policy->protects_own && guard_is_own(table, flow))
		return "own";
	hit = table->protect ? protect_hit(table->protect, flow, context) : PROTECT_NONE;
	return hit == PROTECT_NONE ? NULL : protect_name(table->protect, (size_t)hit);
}

void guard_take_in(const struct guard_table *table)
{
	if (table->adopt)
		table->adopt(table->adopt_arg);
}

void guard_begin_pass(struct guard *guard, const struct guard_table *table, int64_t now_ns)
{
	guard_take_in(table);
	seniority_begin(guard->seniority, now_ns, table->is_calm,
			(uint64_t)(guard->config.senior_pct / 100 * (double)table->capacity));
}

/* ---- the pass at rest ---- */

struct renewal {
	struct guard *guard;
	const struct guard_table *table;
	struct round round;
	uint64_t flows;
	int64_t began_ns;
};

static void on_renewed(const struct flow *flow, const struct flow_facts *facts, const struct standing *standing,
		       void *arg)
{
	struct renewal *renewal = arg;

	if (trial_offer(&renewal->guard->trial, flow, facts, standing, renewal->began_ns))
		renewal->guard->tried_ns = renewal->began_ns;
	if (renewal->table->is_calm)
		sample_offer(&renewal->guard->fresh, flow);
	renewal->flows++;
}

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct renewal *renewal = arg;

	(void)raw;
	(void)raw_len;
	round_add(&renewal->round, flow);
	return true;
}

int guard_renew(struct guard *guard, const struct guard_table *table, struct flow_scan_report *ret_report)
{
	struct renewal renewal = {.guard = guard, .table = table, .began_ns = table->monotonic_ns()};
	struct flow_filter_context context = guard_context(table);
	int result;

	if (table->is_calm)
		reserve_forget(&guard->reserve); /* some of it may become senior */
	if (table->is_calm && table->births)
		table->births->hear_anew(table->births->arg, false);
	sample_init(&guard->fresh, ++guard->seed);
	if (table->is_calm)
		keep(guard, table->monotonic_ns());
	guard_begin_pass(guard, table, renewal.began_ns);
	round_begin(&renewal.round, &(struct round_config){.seniority = guard->seniority,
							   .timeouts = table->timeouts,
							   .now_real_ns = table->real_ns,
							   .on_flow = on_renewed,
							   .arg = &renewal});
	result = table->ports->scan(table->ports->arg, NULL, &context, on_flow, &renewal, ret_report);
	round_end(&renewal.round);
	seniority_end(guard->seniority, result == 0 && !ret_report->unsettled);
	if (result || !table->is_calm)
		return result;
	guard->base = guard->fresh;
	guard->base_flows = renewal.flows;
	guard->has_base = true;
	guard->renewed_ns = table->monotonic_ns();
	return 0;
}

/* ---- records ---- */

void guard_record_init(struct action_record *record, const struct guard_table *table,
		       const struct policy_decision *decision)
{
	*record = (struct action_record){.real_ns = table->real_ns,
					 .level = decision->level,
					 .mode = decision->would ? POLICY_MODE_OBSERVE : POLICY_MODE_ACT,
					 .action = decision->action,
					 .is_end = decision->is_end,
					 .capacity = table->capacity};
	snprintf(record->rule, sizeof(record->rule), "%s", table->policy->rules[decision->rule].name);
	snprintf(record->key, sizeof(record->key), "%s", decision->key_text);
	snprintf(record->reason, sizeof(record->reason), "%s", decision->reason);
}

void record_begin(struct guard_outcome *outcome, const struct guard_table *table,
		  const struct policy_decision *decision)
{
	struct action_record *record = &outcome->record;

	*outcome = (struct guard_outcome){.is_mine = true};
	guard_record_init(record, table, decision);
	if (table->ports->count(table->ports->arg, &record->entries_before))
		record->entries_before = 0;
}

void record_end(struct guard_outcome *outcome, const struct guard_table *table, int64_t began_ns)
{
	struct action_record *record = &outcome->record;
	bool has_entries = record->entries_before && !table->ports->count(table->ports->arg, &record->entries_after);

	record->duration_ns = table->monotonic_ns() - began_ns;
	outcome->effect = (struct policy_effect){.error = record->error,
						 .matched = record->matched,
						 .done = record->done,
						 .has_entries = has_entries,
						 .entries_before = record->entries_before,
						 .entries_after = record->entries_after,
						 .seconds = (double)record->duration_ns / 1e9,
						 .growth_per_sec = table->new_per_sec};
}

void record_protected(struct action_record *record, const char *name)
{
	size_t i;

	for (i = 0; i < record->protected_count; i++)
		if (!strncmp(record->protected_by[i].name, name, sizeof(record->protected_by[i].name) - 1))
			break;
	if (i == RECORD_PROTECTED)
		return;
	if (i == record->protected_count)
		snprintf(record->protected_by[record->protected_count++].name, sizeof(record->protected_by[i].name),
			 "%s", name);
	record->protected_by[i].count++;
}

void record_outcomes(struct action_record *record, const enum flow_outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		switch (outcomes[i]) {
		case FLOW_OUTCOME_DONE:
			record->done++;
			break;
		case FLOW_OUTCOME_GONE:
			record->gone++;
			break;
		case FLOW_OUTCOME_REFUSED:
			record->refused++;
			break;
		case FLOW_OUTCOME_UNKNOWN:
		case FLOW_OUTCOME_COUNT:
			record->unknown++;
			break;
		}
	}
}

/* ---- a round ---- */

/* A pass that matches nothing evicts what has expired; how many is the difference of the count. */
static uint64_t sweep(const struct guard_table *table, const struct policy_decision *decision,
		      struct guard_outcome *outcome)
{
	struct action_record *record = &outcome->record;
	int64_t began_ns = table->monotonic_ns();

	record_begin(outcome, table, decision);
	if (!decision->would)
		record->error = table->ports->sweep(table->ports->arg);
	record_end(outcome, table, began_ns);
	if (decision->would || record->error || record->entries_after >= record->entries_before)
		return 0;
	record->matched = record->done = record->entries_before - record->entries_after;
	outcome->effect.matched = outcome->effect.done = record->done;
	return record->done;
}

static uint64_t leave_to_pass(const struct guard_table *table, const struct policy_decision *decision,
			      struct guard_outcome *outcome)
{
	record_begin(outcome, table, decision);
	record_end(outcome, table, table->monotonic_ns());
	outcome->effect.is_unneeded = true;
	return 0;
}

/* A pass over the whole table, which the evictions of the same round are about to make, evicts what has expired. */
static bool is_swept_anyway(const struct guard *guard, const struct policy_decision *decisions, size_t count)
{
	if (guard->known.count || guard->reserve.count || guard->fast.count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (decisions[i].action == POLICY_ACTION_EVICT)
			return true;
	return false;
}

void guard_round(struct guard *guard, const struct guard_table *table, const struct policy_decision *decisions,
		 size_t count, struct guard_outcome *ret_outcomes)
{
	struct evict_lane lanes[POLICY_DECISIONS_MAX];
	size_t lane_count = 0, i;
	bool is_swept = is_swept_anyway(guard, decisions, count);
	uint64_t freed = 0;

	for (i = 0; i < count; i++) {
		struct guard_outcome *outcome = &ret_outcomes[i];

		switch (decisions[i].action) {
		case POLICY_ACTION_SWEEP:
			freed += is_swept ? leave_to_pass(table, &decisions[i], outcome)
					  : sweep(table, &decisions[i], outcome);
			break;
		case POLICY_ACTION_SHORTEN:
			guard_shorten(guard, table, &decisions[i], outcome);
			break;
		case POLICY_ACTION_EVICT:
			lanes[lane_count++] = (struct evict_lane){.decision = &decisions[i], .outcome = outcome};
			break;
		case POLICY_ACTION_LOG:
			record_begin(outcome, table, &decisions[i]);
			record_end(outcome, table, table->monotonic_ns());
			break;
		case POLICY_ACTION_BAN:
		case POLICY_ACTION_TIMEOUTS:
		case POLICY_ACTION_COUNT:
			*outcome = (struct guard_outcome){.is_mine = false};
			break;
		}
	}
	if (lane_count)
		guard_evict(guard, table, lanes, lane_count, freed);
}
