/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_write: victims out of the table in batches, in their order. Each is looked at again right before: what
 * is not what was decided on any more (answered meanwhile, busy again, another life of the tuple, protected) is counted
 * as gone. Where only an answer, or the end of a handshake, could have changed the decision the kernel is asked for
 * that alone, which is cheaper than a reading. Who was read a moment ago, and is of a surge that trial has shown not to
 * be in use, goes as it was read. */
#include <string.h>

#include "base/clock.h"
#include "evict_private.h"
#include "policy/victim.h"

#define MOMENT_NS (200 * NS_PER_MS)
#define INSTANT_NS (25 * NS_PER_MS)
#define SOON_NS	  (2 * NS_PER_SEC)

static struct flow_target target_of(const struct victim *victim)
{
	struct flow_target target = {.zone = victim->zone,
				     .zone_reply = victim->zone_reply,
				     .id = victim->id,
				     .timeout_sec = victim->timeout_sec,
				     .status = victim->has & VICTIM_HAS_REPLY ? FLOW_STATUS_SEEN_REPLY : 0};

	target.orig = (struct flow_tuple){.family = victim->family,
					  .protocol = victim->protocol,
					  .sport = victim->sport,
					  .dport = victim->dport};
	memcpy(target.orig.src, victim->src, sizeof(victim->src));
	memcpy(target.orig.dst, victim->dst, sizeof(victim->dst));
	return target;
}

struct batch {
	struct flow_target targets[FLOW_BATCH_MAX], some[FLOW_BATCH_MAX];
	size_t at[FLOW_BATCH_MAX]; /* where those of some stand among the targets */
	struct flow flows[FLOW_BATCH_MAX];
	bool goes[FLOW_BATCH_MAX], found[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
};

struct writing {
	const struct eviction *e;
	const struct guard_table *table;
	const struct policy_decision *decision;
	int64_t now_ns; /* of the batch */
	struct action_record *record;
	bool may_ask; /* whether victims have come further meanwhile, instead of reading them again */
	struct batch batch;
};

/* Whether the decision rests on there being no traffic. */
static bool is_for_silence(const struct eviction *e, const struct victim *victim)
{
	if (victim->class == FLOW_CLASS_HALF_OPEN)
		return false; /* the answer is sent again and again; the handshake's end would be another class */
	switch ((enum victim_stage)victim->stage) {
	case VICTIM_FIT:
	case VICTIM_SHORT:
	case VICTIM_IDLE:
	case VICTIM_YOUNGER:
	case VICTIM_BASE:
		return true;
	case VICTIM_SPARED_YOUNG: /* of a round before: in use it would have been the last of all */
		return e->chosen.read_ns != e->began_ns;
	case VICTIM_UNANSWERED_FIT:
	case VICTIM_UNANSWERED:
	case VICTIM_ACTIVE:
	case VICTIM_SENIOR:
	case VICTIM_STAGE_COUNT:
		break;
	}
	return false;
}

/* Since the pass: by its timeout, or by what the pass noted of it. */
static bool has_traffic(const struct writing *w, const struct victim *victim, const struct flow *flow)
{
	struct flow_facts facts;

	if (victim->has & VICTIM_HAS_TIMEOUT && flow->timeout_sec > victim->timeout_sec)
		return true;
	flow_facts_of(flow, w->table->timeouts, w->table->real_ns, &facts);
	return seniority_shows_traffic(w->e->guard->seniority, w->table->monotonic_ns(), flow, &facts);
}

bool evict_is_senior_now(const struct eviction *e, const struct victim *victim)
{
	const struct seniority *seniority = e->guard->seniority;
	struct flow flow = {.zone = victim->zone};

	if (seniority_adopted(seniority) == e->chosen.adopted)
		return false;
	if (victim->has & VICTIM_HAS_RANK)
		return false; /* it was when it was chosen */
	flow.tuple[FLOW_ORIG] = target_of(victim).orig;
	return seniority_is_senior(seniority, &flow);
}

static bool is_still(const struct writing *w, const struct victim *victim, const struct flow *flow)
{
	const struct guard_table *table = w->table;
	struct policy_flow_context context = {.match = guard_context(table), .fits_signature = true};

	if (flow_class_of(flow) != (enum flow_class)victim->class)
		return false;
	if (is_for_silence(w->e, victim) && has_traffic(w, victim, flow))
		return false;
	if (policy_judge(table->policy, w->decision, flow, &context, NULL) != POLICY_VERDICT_TAKE)
		return false;
	return !guard_protected_by(table, flow, &context.match);
}

/* ---- whether they are still what was decided on ---- */

/* What the rule goes by, but for the class, cannot change any more. */
static bool may_ask(const struct guard_table *table, const struct policy_decision *decision)
{
	const struct flow_ports *ports = table->ports;

	return ports->ask_unchanged && table->policy->rules[decision->rule].action.has_signature &&
	       flow_filter_is_empty(decision->filter) && ports->can_ask_unchanged(ports->arg);
}

/* Whether it could come under protection by anything but an answer and the end of the handshake. */
static bool may_be_protected(const struct guard_table *table, const struct flow_target *target)
{
	const struct policy *policy = table->policy;
	const struct flow flow = {
		.tuple[FLOW_ORIG] = target->orig, .zone = target->zone, .zone_reply = target->zone_reply};

	for (size_t i = 0; i < policy->protect_count; i++)
		if (flow_filter_may_come(policy->protect[i].match.filter, &flow))
			return true;
	return table->protect && protect_may_come(table->protect, &flow);
}

/* By the pass of this very round, which knew the same addresses of this host and the same sockets of the operator. */
static bool was_read_within(const struct writing *w, int64_t ns)
{
	return w->e->chosen.read_ns == w->e->began_ns && w->now_ns - w->e->chosen.read_ns < ns;
}

/* All that a second reading could tell of it is whether it was answered; of half-open ones (TCP alone has them) whether
 * the handshake has ended, which makes them ASSURED, or that they were closed without that: then there is nothing to be
 * kept. Whether they are "own" cannot change: for that it counts that they are answered, as they were.
 *
 * Of half-open ones the question makes another life of the tuple that nobody has answered yet count as answered. For
 * that the one that was read must be gone: dropped by a full table or by somebody, or reset by the client, which began
 * anew on the same ports. The rules have let that SYN through a moment ago; what differs is that they would see its
 * repetition as ESTABLISHED, as they saw those of the life before, and as an answer would have it too. Where the kernel
 * has put it into the same memory it even has the same id and goes: then its repetition makes it anew. Two seconds
 * bound how many may meet that. */
static bool can_be_asked(const struct writing *w, const struct victim *victim, const struct flow_target *target)
{
	bool is_unanswered = victim->class == FLOW_CLASS_UNREPLIED || victim->class == FLOW_CLASS_PICKUP;
	bool is_half_open = victim->class == FLOW_CLASS_HALF_OPEN && was_read_within(w, SOON_NS);

	return (is_unanswered || is_half_open) && !may_be_protected(w->table, target);
}

/* How long its reading in this very round stands for another one: a moment where its like is known by trial not to be
 * in use, an instant where nobody knows that yet; not at all where they are in use, so that the next packet may come at
 * any time. */
static int64_t sure_for_ns(const struct eviction *e, const struct victim *victim)
{
	const struct signature *signature = &e->signatures[victim->signature - 1];

	if (signature->is_untried)
		return INSTANT_NS;
	return !signature->is_lively && victim->has & VICTIM_HAS_PROOF ? MOMENT_NS : 0;
}

/* A second reading would tell nothing. (Half-open and closing ones fit untried: what they become only a reading tells.)
 */
static bool is_sure(const struct writing *w, const struct victim *victim, const struct flow_target *target)
{
	if (!flow_class_is_two_way(victim->class) || victim->stage != VICTIM_FIT || !victim->signature ||
	    !(victim->has & VICTIM_HAS_ID) || victim->has & VICTIM_HAS_USE)
		return false;
	return was_read_within(w, sure_for_ns(w->e, victim)) && flow_filter_is_empty(w->decision->filter) &&
	       !evict_is_senior_now(w->e, victim) && !may_be_protected(w->table, target);
}

/* Who cannot be asked, or is not sure, goes not yet. An error means that nobody is sure. */
static void ask(struct writing *w, const struct victim *victims, size_t count)
{
	const struct flow_ports *ports = w->table->ports;
	struct batch *batch = &w->batch;
	size_t used = 0, i;

	for (i = 0; i < count; i++) {
		if (batch->goes[i] || !can_be_asked(w, &victims[i], &batch->targets[i]))
			continue;
		batch->some[used] = batch->targets[i];
		batch->at[used++] = i;
	}
	if (!used || ports->ask_unchanged(ports->arg, batch->some, used, batch->found))
		return;
	for (i = 0; i < used; i++)
		batch->goes[batch->at[i]] = batch->found[i];
}

static int read_others(struct writing *w, const struct victim *victims, size_t count)
{
	const struct flow_ports *ports = w->table->ports;
	struct batch *batch = &w->batch;
	size_t used = 0, i;
	int result;

	for (i = 0; i < count; i++) {
		if (batch->goes[i])
			continue;
		batch->some[used] = batch->targets[i];
		batch->at[used++] = i;
	}
	if (!used)
		return 0;
	result = ports->read_again(ports->arg, batch->some, used, batch->flows, batch->found);
	if (result)
		return result;
	/* It may have been put in meanwhile: answered, so that whom nobody had answered cannot be one of them. */
	guard_take_in(w->table);
	for (i = 0; i < used; i++) {
		const struct victim *victim = &victims[batch->at[i]];

		batch->goes[batch->at[i]] = batch->found[i] && !evict_is_senior_now(w->e, victim) &&
					    is_still(w, victim, &batch->flows[i]);
	}
	return 0;
}

/* ---- writing ---- */

static int write_batch(struct writing *w, const struct victim *victims, size_t count)
{
	const struct flow_ports *ports = w->table->ports;
	struct batch *batch = &w->batch;
	size_t used = 0, i;
	int result;

	guard_take_in(w->table);
	w->now_ns = w->table->monotonic_ns();
	for (i = 0; i < count; i++) {
		batch->targets[i] = target_of(&victims[i]);
		batch->goes[i] = is_sure(w, &victims[i], &batch->targets[i]);
	}
	if (w->may_ask)
		ask(w, victims, count);
	result = read_others(w, victims, count);
	if (result)
		return result;
	for (i = 0; i < count; i++)
		if (batch->goes[i])
			batch->targets[used++] = batch->targets[i];
	w->record->gone += count - used;
	w->record->left -= count;
	if (!used)
		return 0;
	for (i = 0; i < used; i++)
		batch->outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	result = ports->delete(ports->arg, batch->targets, used, batch->outcomes);
	record_outcomes(w->record, batch->outcomes, used);
	return result;
}

void evict_write(const struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count)
{
	struct action_record *record = lane->record;
	struct writing w = {.e = e,
			    .table = e->table,
			    .decision = lane->decision,
			    .record = record,
			    .may_ask = may_ask(e->table, lane->decision)};
	size_t at, n;

	for (at = 0; at < count && !record->error; at += n) {
		n = count - at < FLOW_BATCH_MAX ? count - at : FLOW_BATCH_MAX;
		record->error = write_batch(&w, victims + at, n);
	}
}
