/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/passes: one pass a filter (the kernel skips most of the table) or one for all filters, and
 * what is spared. */
#include "passes.h"

#include <string.h>

bool action_means(const struct action_request *request, const struct flow *flow)
{
	unsigned i;

	for (i = 0; i < request->filter_count; i++)
		if (flow_filter_match(request->filters[i], flow, &request->context))
			return true;
	return false;
}

static bool is_young(const struct action_request *request, const struct flow *flow)
{
	/* A start in the future (a clock that was set back) is young too. What has no stamp is not
	 * known to be young. */
	return request->min_age_ns && flow->has & FLOW_HAS_TIMESTAMP && flow->start_ns &&
	       request->context.now_real_ns - (int64_t)flow->start_ns < request->min_age_ns;
}

int verdict_of(const struct action_request *request, const struct flow *flow)
{
	int hit;

	if (is_young(request, flow))
		return VERDICT_YOUNG;
	hit = request->protect ? protect_hit(request->protect, flow, &request->context)
			       : PROTECT_NONE;
	return hit;
}

void spared_add(struct action_spared *spared, int verdict)
{
	spared->total++;
	if (verdict == VERDICT_YOUNG)
		spared->young++;
	else
		spared->by[verdict]++;
}

bool change_of(const struct action_request *request, const struct flow *flow,
	       struct flow_timeout_change *ret_change)
{
	uint64_t left = flow->timeout_sec, sec = request->timeout_sec;
	bool becomes_fixed = request->is_fixed && !(flow->status & FLOW_STATUS_FIXED_TIMEOUT);

	switch (request->change) {
	case ACTION_CHANGE_SET:
	case ACTION_CHANGE_COUNT:
		break;
	case ACTION_CHANGE_AT_MOST:
		sec = left < sec ? left : sec;
		break;
	case ACTION_CHANGE_ADD:
		sec += left;
		break;
	}
	*ret_change = (struct flow_timeout_change){.timeout_sec = sec > UINT32_MAX ? UINT32_MAX
										   : (uint32_t)sec,
						   .is_fixed = request->is_fixed};
	return sec != left || becomes_fixed;
}

struct pass {
	const struct action_request *request;
	unsigned at; /* the filter of this pass; filter_count: all of them at once */
	bool (*fn)(const struct flow *flow, void *arg);
	void *arg;
	bool is_ended;
};

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct pass *pass = arg;
	unsigned i;

	(void)raw;
	(void)raw_len;
	/* Handed over by an earlier pass already. */
	for (i = 0; i < pass->at && pass->at < pass->request->filter_count; i++)
		if (flow_filter_match(pass->request->filters[i], flow, &pass->request->context))
			return true;
	if (pass->at == pass->request->filter_count && !action_means(pass->request, flow))
		return true;
	pass->is_ended = !pass->fn(flow, pass->arg);
	return !pass->is_ended;
}

static void sum_up(struct flow_scan_report *sum, const struct flow_scan_report *one, bool is_first)
{
	uint64_t received = sum->received, undecodable = sum->undecodable,
		 not_kernel = sum->not_kernel;
	int64_t started_ns = sum->started_ns, cpu_ns = sum->cpu_ns;
	unsigned redone = sum->redone;
	bool unsettled = sum->unsettled, unwatched = sum->unwatched;

	*sum = *one;
	if (is_first)
		return;
	sum->received += received;
	sum->undecodable += undecodable;
	sum->not_kernel += not_kernel;
	sum->redone += redone;
	sum->unsettled = sum->unsettled || unsettled;
	sum->unwatched = sum->unwatched || unwatched;
	sum->started_ns = started_ns;
	sum->cpu_ns += cpu_ns;
}

int passes_run(const struct action_request *request, const struct flow_ports *ports,
	       bool (*fn)(const struct flow *flow, void *arg), void *arg,
	       struct flow_scan_report *ret_report)
{
	bool is_one = request->is_one_pass || request->filter_count == 1;
	struct pass pass = {.request = request, .fn = fn, .arg = arg};
	struct flow_scan_report sum = {0}, report = {0};
	unsigned i, count = is_one ? 1 : request->filter_count;
	const struct flow_filter *filter;
	int result = 0;

	for (i = 0; i < count && !result && !pass.is_ended && !report.is_stopped; i++) {
		pass.at = request->is_one_pass ? request->filter_count : i;
		filter = request->is_one_pass ? request->common : request->filters[i];
		result =
			ports->scan(ports->arg, filter, &request->context, on_flow, &pass, &report);
		sum_up(&sum, &report, i == 0);
	}
	*ret_report = sum;
	return result;
}
