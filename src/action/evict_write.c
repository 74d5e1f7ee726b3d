/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_write: victims out of the table in batches, in their order. Each is read again right before: what is not what
 * was decided on any more (answered meanwhile, busy again, another life of the tuple, protected) is counted as gone. */
#include <string.h>

#include "guard_private.h"
#include "policy/victim.h"

static struct flow_target target_of(const struct victim *victim)
{
	struct flow_target target = {.zone = victim->zone,
				     .zone_reply = victim->zone_reply,
				     .id = victim->id,
				     .timeout_sec = victim->timeout_sec};

	target.orig = (struct flow_tuple){.family = victim->family,
					  .protocol = victim->protocol,
					  .sport = victim->sport,
					  .dport = victim->dport};
	memcpy(target.orig.src, victim->src, sizeof(victim->src));
	memcpy(target.orig.dst, victim->dst, sizeof(victim->dst));
	return target;
}

/* Traffic since the pass, where the decision rests on there being none. */
static bool is_renewed(const struct victim *victim, const struct flow *flow)
{
	switch ((enum victim_stage)victim->stage) {
	case VICTIM_FIT:
	case VICTIM_SHORT:
	case VICTIM_IDLE:
	case VICTIM_YOUNGER:
	case VICTIM_BASE:
		return victim->has & VICTIM_HAS_TIMEOUT && flow->timeout_sec > victim->timeout_sec;
	case VICTIM_UNANSWERED_FIT:
	case VICTIM_UNANSWERED:
	case VICTIM_SPARED_YOUNG:
	case VICTIM_ACTIVE:
	case VICTIM_SENIOR:
	case VICTIM_STAGE_COUNT:
		break;
	}
	return false;
}

bool evict_is_senior_now(const struct guard *guard, const struct victim *victim)
{
	struct flow flow = {.zone = victim->zone};

	if (victim->has & VICTIM_HAS_RANK)
		return false; /* it was when it was chosen */
	flow.tuple[FLOW_ORIG] = target_of(victim).orig;
	return seniority_is_senior(guard->seniority, &flow);
}

static bool is_still(const struct guard_table *table, const struct policy_decision *decision, const struct victim *victim,
		     const struct flow *flow)
{
	struct policy_flow_context context = {.match = guard_context(table), .fits_signature = true};

	if (flow_class_of(flow) != (enum flow_class)victim->class || is_renewed(victim, flow))
		return false;
	if (policy_judge(table->policy, decision, flow, &context, NULL, NULL) != POLICY_VERDICT_TAKE)
		return false;
	return !guard_protected_by(table, flow, &context.match);
}

struct batch {
	struct flow_target targets[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
};

static int write_batch(const struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		       const struct victim *victims, size_t count, struct batch *batch, struct action_record *record)
{
	const struct flow_ports *ports = table->ports;
	size_t used = 0, i;
	int result;

	for (i = 0; i < count; i++)
		batch->targets[i] = target_of(&victims[i]);
	result = ports->read_again(ports->arg, batch->targets, count, batch->flows, batch->found);
	if (result)
		return result;
	guard_take_in(table);
	for (i = 0; i < count; i++)
		if (batch->found[i] && !evict_is_senior_now(guard, &victims[i]) &&
		    is_still(table, decision, &victims[i], &batch->flows[i]))
			batch->targets[used++] = batch->targets[i];
	record->gone += count - used;
	record->left -= count;
	if (!used)
		return 0;
	for (i = 0; i < used; i++)
		batch->outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	result = ports->delete(ports->arg, batch->targets, used, batch->outcomes);
	record_outcomes(record, batch->outcomes, used);
	return result;
}

void evict_write(const struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		 const struct victim *victims, size_t count, struct action_record *record)
{
	struct batch batch;
	size_t at, n;

	for (at = 0; at < count && !record->error; at += n) {
		n = count - at < FLOW_BATCH_MAX ? count - at : FLOW_BATCH_MAX;
		record->error = write_batch(guard, table, decision, victims + at, n, &batch, record);
	}
}
