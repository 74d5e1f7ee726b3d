/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/execute: writes batches. What is written was read a moment ago and was matched against the
 * whole request and the protection as it was read; each entry is accounted for exactly once. */
#include "action/action.h"

#include <errno.h>
#include <string.h>

#include "passes.h"
#include "targets.h"

#define VERIFY_MAX	 128 /* changed timeouts that are read back, in all and of one batch */
#define VERIFY_BATCH	 32
#define VERIFY_SLACK_SEC 5

struct execution {
	const struct action_request *request;
	const struct flow_ports *ports;
	struct action_result *result;
	struct flow flows[FLOW_BATCH_MAX]; /* gathered for the next write */
	size_t used;
	uint64_t taken;	 /* against the limit */
	bool is_reading; /* what is gathered is read again before it is written */
	int error;
};

/* Reads some of what was just changed back. */
static void verify(struct execution *e, const struct flow_target *targets,
		   const struct flow_timeout_change *changes, const enum flow_outcome *outcomes,
		   size_t count)
{
	struct flow_target some[VERIFY_BATCH];
	struct flow_timeout_change wanted[VERIFY_BATCH];
	struct flow flows[VERIFY_BATCH];
	bool found[VERIFY_BATCH];
	size_t i, used = 0;

	for (i = 0;
	     i < count && used < VERIFY_BATCH && e->result->verified_read + used < VERIFY_MAX;
	     i++) {
		if (outcomes[i] != FLOW_OUTCOME_DONE)
			continue;
		some[used] = targets[i];
		wanted[used++] = changes[i];
	}
	if (!used || e->ports->read_again(e->ports->arg, some, used, flows, found))
		return;
	for (i = 0; i < used; i++) {
		if (!found[i])
			continue;
		e->result->verified_read++;
		e->result->verified_right +=
			flows[i].timeout_sec <= wanted[i].timeout_sec &&
			flows[i].timeout_sec + VERIFY_SLACK_SEC >= wanted[i].timeout_sec &&
			(!wanted[i].is_fixed || flows[i].status & FLOW_STATUS_FIXED_TIMEOUT);
	}
}

static void count_outcomes(struct action_result *result, const enum flow_outcome *outcomes,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		switch (outcomes[i]) {
		case FLOW_OUTCOME_DONE:
			result->done++;
			break;
		case FLOW_OUTCOME_GONE:
			result->gone++;
			break;
		case FLOW_OUTCOME_REFUSED:
			result->refused++;
			break;
		case FLOW_OUTCOME_UNKNOWN:
		case FLOW_OUTCOME_COUNT:
			result->unknown++;
			break;
		}
	}
}

static int write_timeouts(struct execution *e)
{
	struct flow_target targets[FLOW_BATCH_MAX];
	struct flow_timeout_change changes[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	size_t i, count = 0;
	int error;

	for (i = 0; i < e->used; i++) {
		if (change_of(e->request, &e->flows[i], &changes[count]))
			flow_target_from(&e->flows[i], &targets[count++]);
		else
			e->result->unchanged++;
	}
	if (!count)
		return 0;
	for (i = 0; i < count; i++)
		outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	error = e->ports->set_timeout(e->ports->arg, targets, changes, count, outcomes);
	count_outcomes(e->result, outcomes, count);
	if (!error)
		verify(e, targets, changes, outcomes, count);
	return error;
}

static int write_deletes(struct execution *e)
{
	struct flow_target targets[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	size_t i;
	int error;

	for (i = 0; i < e->used; i++) {
		flow_target_from(&e->flows[i], &targets[i]);
		outcomes[i] = FLOW_OUTCOME_UNKNOWN;
	}
	error = e->ports->delete (e->ports->arg, targets, e->used, outcomes);
	count_outcomes(e->result, outcomes, e->used);
	return error;
}

static void write_shown(struct execution *e)
{
	size_t i;

	for (i = 0; i < e->used && !e->result->is_stopped; i++) {
		e->result->is_stopped = !e->request->show(&e->flows[i], e->request->arg);
		e->result->done++;
	}
	e->result->left += e->used - i;
}

/* Drops of the gathered flows what is not the same any more, or is protected now. */
static int read_gathered(struct execution *e)
{
	struct flow_target targets[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
	size_t i, kept = 0;
	int verdict, error;

	for (i = 0; i < e->used; i++)
		flow_target_from(&e->flows[i], &targets[i]);
	error = e->ports->read_again(e->ports->arg, targets, e->used, flows, found);
	if (error) {
		e->result->unknown += e->used;
		e->used = 0;
		return error;
	}
	for (i = 0; i < e->used; i++) {
		if (!found[i] || !flow_target_is(&targets[i], &flows[i]) ||
		    !action_means(e->request, &flows[i])) {
			e->result->gone++;
			continue;
		}
		verdict = verdict_of(e->request, &flows[i]);
		if (verdict == VERDICT_FREE)
			e->flows[kept++] = flows[i];
		else
			spared_add(&e->result->spared, verdict);
	}
	e->used = kept;
	return 0;
}

/* Writes what is gathered. False: the work ends. */
static bool write_gathered(struct execution *e)
{
	if (!e->used)
		return true;
	if (e->is_reading)
		e->error = read_gathered(e);
	if (!e->error && e->used) {
		if (e->request->show)
			write_shown(e);
		else if (e->request->kind == ACTION_KIND_TIMEOUT)
			e->error = write_timeouts(e);
		else
			e->error = write_deletes(e);
	}
	e->used = 0;
	if (e->error ||
	    (e->request->on_batch && !e->request->on_batch(e->result->done, e->request->arg)))
		e->result->is_stopped = true;
	return !e->result->is_stopped;
}

static size_t batch_of(const struct action_request *request)
{
	return request->batch && request->batch < FLOW_BATCH_MAX ? request->batch : FLOW_BATCH_MAX;
}

/* ---- a pass that writes as it reads ---- */

static bool on_flow(const struct flow *flow, void *arg)
{
	struct execution *e = arg;
	struct action_result *result = e->result;
	int verdict = verdict_of(e->request, flow);
	struct flow_timeout_change change;

	result->matched++;
	if (verdict != VERDICT_FREE) {
		spared_add(&result->spared, verdict);
		return true;
	}
	if (e->request->kind == ACTION_KIND_TIMEOUT && !change_of(e->request, flow, &change)) {
		result->unchanged++;
		return true;
	}
	if (e->request->limit && e->taken == e->request->limit) {
		result->left++;
		return true;
	}
	e->taken++;
	e->flows[e->used++] = *flow;
	return e->used < batch_of(e->request) || write_gathered(e);
}

/* Whether another pass over what this one left is the same work: a change that adds would be made
 * twice, and one that is fixed is refused the second time. */
static bool may_repeat(const struct action_request *request)
{
	if (request->show)
		return false;
	return request->kind == ACTION_KIND_DELETE ||
	       (request->change != ACTION_CHANGE_ADD && !request->is_fixed && !request->limit);
}

/* What the next pass will meet again is not counted yet. Returns the changes made so far that it
 * will find to be as asked. */
static uint64_t begin_again(struct action_result *result, const struct action_request *request)
{
	uint64_t changed = 0;

	if (request->kind == ACTION_KIND_TIMEOUT && request->change == ACTION_CHANGE_SET) {
		result->done = 0; /* a second is gone since: all of them will be set again */
		result->verified_read = result->verified_right = 0;
	} else if (request->kind == ACTION_KIND_TIMEOUT) {
		changed = result->done;
	}
	result->refused = result->unknown = result->unchanged = result->left = 0;
	result->spared = (struct action_spared){0};
	result->matched = result->done + result->gone;
	result->redone++;
	return changed;
}

static int pass_through(struct execution *e, const struct action_plan *plan)
{
	struct action_result *result = e->result;
	struct flow_scan_report report = {0};
	uint64_t handled;
	int error;

	error = passes_run(e->request, e->ports, on_flow, e, &report);
	if (report.is_stopped && !result->is_stopped) {
		result->is_stopped = true;
		result->left += e->used; /* gathered, never written */
		e->used = 0;
	}
	if (result->is_stopped) {
		/* The rest is known from the survey, if there was one. */
		handled = result->matched - result->spared.total - result->unchanged;
		if (plan && plan->chosen + plan->left > handled) {
			result->left += plan->chosen + plan->left - handled;
			result->matched += plan->chosen + plan->left - handled;
		}
	} else if (error) {
		result->left += e->used;
		e->used = 0;
		result->is_stopped = true;
	} else {
		write_gathered(e);
	}
	result->is_unsettled = report.unsettled;
	return e->error ? e->error : error;
}

/* What earlier passes changed the last one found to be as asked: it was counted twice. Fewer than
 * were changed: a pass that was torn had changed some of them twice. */
static void settle(struct action_result *result, uint64_t changed, bool is_whole)
{
	uint64_t found = changed < result->unchanged ? changed : result->unchanged;

	result->unchanged -= found;
	result->matched -= found;
	if (!is_whole)
		return;
	result->done -= changed - found;
	result->matched -= changed - found;
}

static int stream(struct execution *e, const struct action_plan *plan)
{
	struct action_result *result = e->result;
	uint64_t changed = 0;
	int error;

	e->is_reading = e->request->is_paced;
	for (;;) {
		error = pass_through(e, plan);
		if (error || result->is_stopped || !result->is_unsettled ||
		    result->redone == ACTION_REDO_MAX || !may_repeat(e->request))
			break;
		changed = begin_again(result, e->request);
	}
	settle(result, changed, !error && !result->is_stopped);
	return error;
}

/* ---- the list of a survey ---- */

static void flow_of_target(const struct flow_target *target, struct flow *ret_flow)
{
	memset(ret_flow, 0, sizeof(*ret_flow));
	ret_flow->tuple[FLOW_ORIG] = target->orig;
	ret_flow->zone = target->zone;
	ret_flow->zone_reply = target->zone_reply;
	ret_flow->id = target->id;
	ret_flow->timeout_sec = target->timeout_sec;
	ret_flow->status = target->status;
	ret_flow->start_ns = target->start_ns;
	ret_flow->has = FLOW_HAS_ID | (target->start_ns ? FLOW_HAS_TIMESTAMP : 0);
}

static int work_list(struct execution *e, const struct action_plan *plan)
{
	const struct targets *targets = plan->targets;
	struct action_result *result = e->result;
	size_t i;

	e->is_reading = true;
	result->matched = plan->matched;
	result->spared = plan->spared;
	result->left = plan->left;
	result->unchanged = plan->unchanged;
	result->is_unsettled = plan->scan.unsettled;
	result->redone = plan->scan.redone;
	for (i = 0; i < targets->used && !result->is_stopped; i++) {
		flow_of_target(&targets->rows[i].target, &e->flows[e->used++]);
		if (e->used == batch_of(e->request) || i + 1 == targets->used)
			write_gathered(e);
	}
	result->left += targets->used - i;
	return e->error;
}

int action_execute(const struct action_request *request, const struct flow_ports *ports,
		   const struct action_plan *plan, struct action_result *ret_result)
{
	struct action_result result = {.way = ACTION_WAY_DUMP, .counted = ACTION_COUNTED_EACH};
	struct execution e = {.request = request, .ports = ports, .result = &result};
	int error;

	error = plan && plan->targets ? work_list(&e, plan) : stream(&e, plan);
	*ret_result = result;
	return error;
}
