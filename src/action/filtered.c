/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/filtered: when one request to the kernel does it, and that request. It can spare nothing,
 * so it is used only where nothing has to be spared. */
#include "action/action.h"

#include <errno.h>

#include "base/text.h"
#include "passes.h"

static const char *const counted_names[ACTION_COUNTED_COUNT] = {"each", "before", "counter"};

const char *action_counted_name(enum action_counted counted)
{
	return counted_names[counted];
}

/* What the request asks for that the kernel cannot do, in words; NULL: nothing. */
static const char *obstacle(const struct action_request *request)
{
	const struct flow_filter *filter = request->filters[0];

	if (request->kind != ACTION_KIND_DELETE)
		return "the kernel's filter can only delete";
	if (request->filter_count != 1)
		return "an address is looked for on four sides";
	if (request->limit)
		return "there is a limit";
	if (request->is_paced)
		return "it is paced";
	if (request->min_age_ns)
		return "there is a least age";
	if (flow_filter_has(filter, FILTER_IDLE) || flow_filter_has(filter, FILTER_AGE) ||
	    flow_filter_has(filter, FILTER_EXPIRES_IN))
		return "the kernel knows no idle time, age or time left";
	return NULL;
}

void action_choose(const struct action_request *request, const struct flow_ports *ports,
		   struct action_choice *ret_choice)
{
	const struct flow_filter *filter = request->filters[0];
	const char *against = obstacle(request);
	char why[ACTION_WHY_MAX / 2] = "";
	size_t index = 0;
	struct text t;

	*ret_choice = (struct action_choice){.way = ACTION_WAY_DUMP};
	text_init(&t, ret_choice->why, sizeof(ret_choice->why));
	if (against) {
		text_add(&t, "%s", against);
		return;
	}
	if (!flow_filter_is_empty(filter) &&
	    !ports->can_delete_filtered(ports->arg, filter, why, sizeof(why))) {
		text_add(&t, "%s", why);
		return;
	}
	ret_choice->needs_guard = request->protect &&
				  protect_may_meet(request->protect, filter, &index);
	if (flow_filter_is_empty(filter) && ret_choice->needs_guard) {
		text_add(&t, "everything is meant, and \"%s\" must be spared",
			 protect_name(request->protect, index));
		return;
	}
	ret_choice->way = ACTION_WAY_FILTER;
	if (flow_filter_is_empty(filter))
		text_add(&t, "everything is meant and nothing is protected");
	else if (ret_choice->needs_guard)
		text_add(&t,
			 "proven in this kernel; used where a pass right before finds nothing of "
			 "\"%s\"",
			 protect_name(request->protect, index));
	else
		text_add(&t, "proven in this kernel; nothing protected can match this filter");
}

struct guard {
	const struct action_request *request;
	bool is_clear;
};

static bool on_guard(const struct flow *flow, void *arg)
{
	struct guard *guard = arg;

	guard->is_clear = verdict_of(guard->request, flow) == VERDICT_FREE;
	return guard->is_clear;
}

int action_guard(const struct action_request *request, const struct flow_ports *ports)
{
	struct guard guard = {.request = request, .is_clear = true};
	struct flow_scan_report report;
	int error = passes_run(request, ports, on_guard, &guard, &report);

	if (error)
		return error;
	if (report.is_stopped)
		return -ECANCELED;
	return guard.is_clear && !report.unsettled && !report.unwatched ? 1 : 0;
}

/* What the counter says has gone. Where it cannot be asked nothing can be told. */
static int count_gone(const struct flow_ports *ports, uint64_t before, uint64_t most,
		      struct action_result *result)
{
	uint64_t after;
	int error = ports->count(ports->arg, &after);

	result->counted = ACTION_COUNTED_COUNTER;
	result->done = error || after > before ? 0 : before - after;
	if (result->done > most)
		result->done = most;
	result->unknown = error ? most : 0;
	return error;
}

int action_execute_filtered(const struct action_request *request, const struct flow_ports *ports,
			    const struct action_plan *plan, struct action_result *ret_result)
{
	struct action_result result = {.way = ACTION_WAY_FILTER};
	uint64_t before;
	int error = ports->count(ports->arg, &before), count_error;

	if (error)
		return error;
	error = flow_filter_is_empty(request->filters[0])
			? ports->delete_all(ports->arg)
			: ports->delete_filtered(ports->arg, request->filters[0]);
	if (plan && !error) {
		result.counted = ACTION_COUNTED_BEFORE;
		result.done = plan->matched;
	} else {
		/* On an error too: of two families one may have gone. */
		count_error = count_gone(ports, before, plan ? plan->matched : before, &result);
		if (plan)
			result.left = plan->matched - result.done - result.unknown;
		if (!error)
			error = count_error;
	}
	result.matched = result.done + result.unknown + result.left;
	*ret_result = result;
	return error;
}
