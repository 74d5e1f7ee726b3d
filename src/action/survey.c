/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/survey: a pass that changes nothing: what is meant, what is spared and why, who it is, and
 * the list of those that would be written. Memory is bounded: a list, a ranking and a table of
 * groups, whatever the size of the table. */
#include "action/action.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "passes.h"
#include "targets.h"

#define OFFLOAD_BITS (FLOW_STATUS_OFFLOAD | FLOW_STATUS_HW_OFFLOAD)
#define FOUND_EVERY  1024 /* entries between two calls of on_found */

struct survey {
	const struct action_request *request;
	struct action_plan *plan;
};

static const uint8_t slot_protocols[ACTION_GROUP_SLOTS - 1] = {IPPROTO_TCP,  IPPROTO_UDP,
							       IPPROTO_ICMP, IPPROTO_ICMPV6,
							       IPPROTO_GRE,  IPPROTO_SCTP,
							       IPPROTO_DCCP};

static unsigned slot_of(uint8_t protocol)
{
	unsigned i;

	for (i = 0; i < ACTION_GROUP_SLOTS - 1 && slot_protocols[i] != protocol; i++)
		;
	return i;
}

static void add_group(struct survey *survey, const struct flow *flow)
{
	uint8_t protocol = flow->tuple[FLOW_ORIG].protocol;
	bool has_state = flow->has & FLOW_HAS_STATE;
	uint8_t state = has_state ? flow->state % ACTION_GROUP_STATES : 0;
	enum flow_class class = flow_class_of(flow);
	struct action_group *group = &survey->plan->groups[slot_of(protocol)][state][class];
	uint32_t idle;

	if (!group->count) {
		group->protocol = protocol;
		group->state = flow->state;
		group->has_state = has_state;
		group->class = class;
	}
	group->is_mixed |= group->protocol != protocol;
	group->count++;
	if (!survey->request->context.timeouts ||
	    !flow_idle_sec(flow, survey->request->context.timeouts, &idle))
		return;
	if (!group->idle_known || idle < group->idle_min_sec)
		group->idle_min_sec = idle;
	if (!group->idle_known || idle > group->idle_max_sec)
		group->idle_max_sec = idle;
	group->idle_known++;
}

static uint64_t key_of(const struct action_request *request, const struct flow *flow)
{
	uint32_t idle;

	switch (request->order) {
	case ACTION_ORDER_IDLE:
		if (request->context.timeouts &&
		    flow_idle_sec(flow, request->context.timeouts, &idle))
			return idle + 1ull;
		return 0;
	case ACTION_ORDER_YOUNGEST:
		return flow->has & FLOW_HAS_TIMESTAMP ? flow->start_ns : 0;
	case ACTION_ORDER_HEAVIEST:
		return flow->bytes[FLOW_ORIG] + flow->bytes[FLOW_REPLY];
	case ACTION_ORDER_NONE:
	case ACTION_ORDER_COUNT:
		break;
	}
	return 0;
}

static void choose(struct survey *survey, const struct flow *flow)
{
	const struct action_request *request = survey->request;
	struct action_plan *plan = survey->plan;
	struct flow_timeout_change change;

	if (request->kind == ACTION_KIND_TIMEOUT && !change_of(request, flow, &change)) {
		plan->unchanged++;
		return;
	}
	/* Beyond the limit: without an order it is known that this one stays. */
	if (request->limit && plan->chosen == request->limit &&
	    request->order == ACTION_ORDER_NONE) {
		plan->left++;
		return;
	}
	add_group(survey, flow);
	ranking_add(plan->sources, flow, flow_class_of(flow));
	plan->offloaded += (flow->status & OFFLOAD_BITS) != 0;
	plan->fixed += (flow->status & FLOW_STATUS_FIXED_TIMEOUT) != 0;
	plan->loopback += flow_tuple_is_loopback(&flow->tuple[FLOW_ORIG]);
	plan->sctp += flow->tuple[FLOW_ORIG].protocol == IPPROTO_SCTP;
	if (plan->example_count < ACTION_EXAMPLES)
		plan->examples[plan->example_count++] = *flow;
	if (request->limit && plan->chosen == request->limit)
		plan->left++;
	else
		plan->chosen++;
	if (!plan->targets || targets_add(plan->targets, flow, key_of(request, flow)))
		return;
	/* Full: with a limit that is what was asked for, else there are too many for a list. */
	if (request->limit && request->limit == plan->targets->max)
		return;
	targets_free(plan->targets);
	plan->targets = NULL;
}

static bool on_flow(const struct flow *flow, void *arg)
{
	struct survey *survey = arg;
	const struct action_request *request = survey->request;
	struct action_plan *plan = survey->plan;
	int verdict;

	plan->matched++;
	if (request->inspect && !request->inspect(flow, request->arg))
		return false;
	if (request->min_age_ns && !(flow->has & FLOW_HAS_TIMESTAMP))
		plan->ages_unknown++;
	verdict = verdict_of(request, flow);
	if (verdict == VERDICT_FREE)
		choose(survey, flow);
	else
		spared_add(&plan->spared, verdict);
	if (request->on_found && plan->matched % FOUND_EVERY == 0 &&
	    !request->on_found(plan->matched, request->arg)) {
		plan->is_stopped = true;
		return false;
	}
	return true;
}

void action_plan_free(struct action_plan *plan)
{
	if (!plan)
		return;
	ranking_free(plan->sources);
	targets_free(plan->targets);
	free(plan);
}

static int survey_once(const struct action_request *request, const struct flow_ports *ports,
		       struct action_plan **ret_plan)
{
	struct ranking_config config = ranking_config_default(RANKING_BY_SOURCE);
	struct action_plan *plan = mem_alloc(sizeof(*plan));
	struct survey survey = {.request = request, .plan = plan};
	bool is_limited = request->limit && request->limit <= ACTION_TARGETS_MAX;
	int result;

	config.max = ACTION_SOURCES_MAX;
	plan->sources = ranking_new(&config);
	plan->targets = targets_new(is_limited ? (size_t)request->limit : ACTION_TARGETS_MAX,
				    is_limited && request->order != ACTION_ORDER_NONE);
	result = passes_run(request, ports, on_flow, &survey, &plan->scan);
	if (result) {
		action_plan_free(plan);
		return result;
	}
	plan->is_stopped |= plan->scan.is_stopped;
	*ret_plan = plan;
	return 0;
}

int action_survey(const struct action_request *request, const struct flow_ports *ports,
		  struct action_plan **ret_plan)
{
	struct action_plan *plan = NULL;
	unsigned redone = 0;
	int result;

	for (;;) {
		result = survey_once(request, ports, &plan);
		if (result)
			return result;
		if (!plan->scan.unsettled || plan->is_stopped || redone == ACTION_REDO_MAX)
			break;
		action_plan_free(plan);
		redone++;
	}
	plan->scan.redone += redone;
	if (plan->targets)
		targets_sort(plan->targets);
	*ret_plan = plan;
	return 0;
}

static void insert_group(struct action_group *groups, size_t *used, size_t max,
			 const struct action_group *group)
{
	size_t at;

	for (at = *used; at > 0 && groups[at - 1].count < group->count; at--)
		if (at < max)
			groups[at] = groups[at - 1];
	if (at < max)
		groups[at] = *group;
	if (*used < max)
		(*used)++;
}

size_t action_plan_groups(const struct action_plan *plan, size_t max,
			  struct action_group *ret_groups)
{
	const struct action_group *groups = &plan->groups[0][0][0];
	size_t i, used = 0, cells = sizeof(plan->groups) / sizeof(*groups);

	for (i = 0; i < cells; i++)
		if (groups[i].count)
			insert_group(ret_groups, &used, max, &groups[i]);
	return used;
}
