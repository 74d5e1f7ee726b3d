/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/shorten: brings the remaining lifetime of idle flows down, as pf's adaptive timeouts do: the whole allowance
 * times the scale of the fill. A flow that sends again gets its usual lifetime back from the kernel. Writes while the
 * pass reads. */
#include <string.h>

#include "guard_private.h"
#include "base/clock.h"
#include "policy/victim.h"

struct shortening {
	struct guard *guard;
	const struct guard_table *table;
	const struct policy_decision *decision;
	struct action_record *record;
	struct flow_filter_context context;
	struct flow_target targets[FLOW_BATCH_MAX];
	struct flow_timeout_change changes[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	size_t used;
};

static bool flush(struct shortening *s)
{
	const struct flow_ports *ports = s->table->ports;
	struct action_record *record = s->record;
	size_t i;

	if (!s->used)
		return true;
	for (i = 0; i < s->used; i++)
		s->outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	record->error = ports->set_timeout(ports->arg, s->targets, s->changes, s->used, s->outcomes);
	record_outcomes(record, s->outcomes, s->used);
	record->left -= s->used;
	s->used = 0;
	return !record->error;
}

/* What is left of the lifetime then; false: no shorter than now. */
static bool new_timeout(const struct shortening *s, const struct flow *flow, enum flow_class class, uint32_t *ret_sec)
{
	const struct policy_do *action = &s->table->policy->rules[s->decision->rule].action;
	uint32_t idle;

	if (!s->table->timeouts || !flow_idle_sec(flow, s->table->timeouts, &idle))
		return false;
	*ret_sec = policy_shortened_sec(action, s->decision->scale, class, idle, flow->timeout_sec);
	return *ret_sec < flow->timeout_sec;
}

static bool is_protected(struct shortening *s, const struct flow *flow)
{
	const char *name = guard_protected_by(s->table, flow, &s->context);

	if (name)
		record_protected(s->record, name);
	return name != NULL;
}

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct shortening *s = arg;
	struct policy_flow_context context = {.match = s->context};
	struct action_record *record = s->record;
	enum flow_class class = flow_class_of(flow);
	enum policy_verdict verdict;
	uint32_t sec;

	(void)raw;
	(void)raw_len;
	verdict = policy_judge(s->table->policy, s->decision, flow, &context, NULL);
	if (verdict == POLICY_VERDICT_PROTECTED) {
		record->spared_by[VICTIM_SPARED_PROTECTED]++;
		return true;
	}
	if (verdict != POLICY_VERDICT_TAKE || !new_timeout(s, flow, class, &sec))
		return true;
	if (seniority_is_senior(s->guard->seniority, flow)) {
		record->spared_by[VICTIM_SPARED_SENIOR]++;
		return true;
	}
	if (is_protected(s, flow)) {
		record->spared_by[VICTIM_SPARED_PROTECTED]++;
		return true;
	}
	record->matched++;
	record->left++;
	record->classes[class]++;
	if (record->example_count < RECORD_EXAMPLES)
		flow_brief_from(flow, &record->examples[record->example_count++]);
	if (!s->decision->would) {
		flow_target_from(flow, &s->targets[s->used]);
		s->changes[s->used++] = (struct flow_timeout_change){.timeout_sec = sec};
		if (s->used == FLOW_BATCH_MAX && !flush(s))
			return false;
	}
	return record->matched < s->decision->granted;
}

void guard_shorten(struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		   struct guard_outcome *outcome)
{
	struct shortening s = {.guard = guard,
			       .table = table,
			       .decision = decision,
			       .record = &outcome->record,
			       .context = guard_context(table)};
	struct flow_scan_report report = {0};
	int64_t began_ns = table->monotonic_ns();
	int result;

	record_begin(outcome, table, decision);
	guard_take_in(table);
	result = table->ports->scan(table->ports->arg, decision->filter, &s.context, on_flow, &s, &report);
	if (!s.record->error)
		flush(&s);
	if (!s.record->error)
		s.record->error = result;
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		s.record->spared += s.record->spared_by[i];
	record_end(outcome, table, began_ns);
}
