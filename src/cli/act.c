/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/act: from a request to a summary: what is spared, which way, a survey where one is needed,
 * the question, the work. */
#include "act.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "kernel/kernel.h"

#define COUNT_FIRST_MAX 100000 /* entries of the whole table: a pass takes 0.03 to 0.2 s */

static bool is_dry(const struct act *act)
{
	return option_given(act->cli, OPTION_DRY_RUN) || option_given(act->cli, OPTION_EXPLAIN);
}

static bool is_more_than_half(const struct act *act)
{
	return act->plan && act->asks_half && act->plan->chosen &&
	       (act->asks_always || act->plan->chosen > act->entries / 2);
}

static int report(struct act *act, const struct action_result *result, int64_t took_ns)
{
	struct report_act shown = {.kind = act->kind,
				   .filter = act->filter,
				   .addresses = act->addresses,
				   .entries = act->entries,
				   .plan = act->plan,
				   .result = result,
				   .protect = act->protect,
				   .way = act->choice.way,
				   .why = act->choice.why,
				   .change = act->request.change,
				   .timeout_sec = act->request.timeout_sec,
				   .is_fixed = act->request.is_fixed,
				   .rate = act->rate,
				   .listeners = act->listeners,
				   .needs_yes = is_more_than_half(act),
				   .took_ns = took_ns};
	struct report_out to_stderr = {.file = stderr, .columns = act->cli->out.columns};

	netns_self(&shown.netns);
	if (result && !act->cli->out.is_json)
		report_act(&to_stderr, &shown);
	else
		run_wrote(act->cli, report_act(&act->cli->out, &shown));
	return 0;
}

static int open_table(struct act *act)
{
	int result = writer_open(CLI_DEFAULT_PROOFS, &act->writer);

	if (result)
		return run_failed_table(result, "writing to the table");
	act->ports = writer_ports(act->writer);
	act->request.context.now_real_ns = clock_real_ns();
	if (timeouts_read(&act->timeouts) == 0)
		act->request.context.timeouts = &act->timeouts;
	act->request.protect = act->protect;
	writer_on_progress(act->writer, act_on_progress, act);
	return 0;
}

/* While it was counting: nothing has been written yet. */
static int interrupted(const struct act *act)
{
	char found[UNITS_TEXT_MAX], received[UNITS_TEXT_MAX];

	run_say("interrupted while counting, %s found among %s entries read; nothing was done",
		units_format_count(act->plan->matched, found),
		units_format_count(act->plan->scan.received, received));
	return EXIT_FAILED;
}

static int survey(struct act *act)
{
	int result;

	act->started_ns = clock_monotonic_ns();
	result = action_survey(&act->request, &act->ports, &act->plan);
	act_end_progress(act);
	if (result)
		return run_failed_table(result, "reading the table");
	/* After the pass: it has freed what had expired. */
	if (act->ports.count(act->ports.arg, &act->entries))
		act->entries = act->plan->scan.received;
	if (act->plan->is_stopped || !act_on_shown(0, act))
		return interrupted(act);
	if (act->plan->scan.unsettled)
		run_say("the table was resized during the pass: figures may be off");
	return 0;
}

/* ---- a dry run ---- */

static bool show_flow(const struct flow *flow, void *arg)
{
	struct act *act = arg;

	return run_wrote(act->cli,
			 report_flow(&act->cli->out, flow, NULL, act->request.context.timeouts,
				     act->request.context.now_real_ns));
}

/* Whether the survey's pass stands for the guard's: a resize would have been noticed, and was not. */
static bool has_seen_all(const struct act *act)
{
	return act->plan && !act->plan->scan.unsettled && !act->plan->scan.unwatched;
}

/* Whether the kernel way would find the guard's pass clear. */
static void settle_way(struct act *act)
{
	bool is_clear;

	if (act->choice.way != ACTION_WAY_FILTER || !act->choice.needs_guard)
		return;
	is_clear = has_seen_all(act) ? act->plan->spared.total == 0
				     : action_guard(&act->request, &act->ports) == 1;
	if (is_clear)
		return;
	act->choice.way = ACTION_WAY_DUMP;
	snprintf(act->choice.why, sizeof(act->choice.why), "something it matches must be spared");
}

static int dry_run(struct act *act)
{
	struct action_result unused;
	uint64_t count = act->plan ? act->plan->chosen : 1;

	settle_way(act);
	if (act->cli->out.is_json && act->plan && act->plan->chosen) {
		act->request.show = show_flow;
		act->request.on_batch = act_on_shown;
		if (action_execute(&act->request, &act->ports, act->plan, &unused) &&
		    !act->cli->write_error)
			run_say("reading the table failed on its way: not all entries are shown");
	}
	if (act->is_interrupted) {
		run_say("interrupted; not all entries are shown");
		return EXIT_FAILED;
	}
	report(act, NULL, clock_monotonic_ns() - act->started_ns);
	return !count && option_given(act->cli, OPTION_FAIL_IF_NONE) ? EXIT_NONE : EXIT_DONE;
}

/* ---- the work ---- */

static int work(struct act *act, bool has_asked, struct action_result *ret_result)
{
	bool is_guarded = has_seen_all(act) && !has_asked && act->plan->spared.total == 0;
	int guard = 1, result;

	if (act->choice.way == ACTION_WAY_FILTER && act->choice.needs_guard && !is_guarded)
		guard = action_guard(&act->request, &act->ports);
	/* Also a signal that came as the pass ended. */
	if (guard == -ECANCELED || !act_on_shown(0, act)) {
		ret_result->is_stopped = true;
		return 0;
	}
	if (act->choice.way == ACTION_WAY_FILTER && guard == 1) {
		result = action_execute_filtered(&act->request, &act->ports, act->plan, ret_result);
		if (result != -EOPNOTSUPP)
			return result;
		run_say("the kernel's own filter was refused after all: entry by entry");
	}
	if (act->choice.way == ACTION_WAY_FILTER) {
		act->choice.way = ACTION_WAY_DUMP;
		snprintf(act->choice.why, sizeof(act->choice.why),
			 "something it matches must be spared");
	}
	return action_execute(&act->request, &act->ports, act->plan, ret_result);
}

static int exit_code(struct act *act, const struct action_result *result, int error)
{
	if (error) {
		run_say("stopped: %s", strerror(-error));
		return EXIT_FAILED;
	}
	if (act->is_interrupted) {
		run_say("interrupted");
		return EXIT_FAILED;
	}
	if (result->refused || result->unknown || result->is_stopped)
		return EXIT_FAILED;
	if (!result->done && option_given(act->cli, OPTION_FAIL_IF_NONE))
		return EXIT_NONE;
	return EXIT_DONE;
}

static int execute(struct act *act)
{
	struct action_result result = {.way = act->choice.way};
	int64_t asked_ns = clock_monotonic_ns();
	int error;

	error = act_confirm(act);
	if (error)
		return error;
	if (act->is_default_rate && (!act->plan || act->plan->chosen > act->rate / 10))
		run_say("others listen to deletions (%s): at most %d flows a second; --rate 0 does "
			"not wait",
			act->listeners, (int)act->rate);
	act->cli->has_acted = true;
	act->started_ns = clock_monotonic_ns();
	act->request.context.now_real_ns = clock_real_ns();
	error = work(act, act->started_ns - asked_ns > NS_PER_SEC, &result);
	act_end_progress(act);
	report(act, &result, clock_monotonic_ns() - act->started_ns);
	return exit_code(act, &result, error);
}

/* One request to the kernel is not answered entry by entry, and the table's counter falls late:
 * flows whose packets wait for a neighbour count on. Where a pass costs next to nothing, or the
 * exit code hangs on it, the flows are counted first. */
static bool counts_first(const struct act *act)
{
	uint64_t entries;

	if (act->choice.way != ACTION_WAY_FILTER)
		return false;
	return option_given(act->cli, OPTION_FAIL_IF_NONE) ||
	       (!act->ports.count(act->ports.arg, &entries) && entries <= COUNT_FIRST_MAX);
}

static bool wants_survey(const struct act *act)
{
	if (option_given(act->cli, OPTION_EXPLAIN) && !option_given(act->cli, OPTION_DRY_RUN))
		return false;
	return act->needs_survey || option_given(act->cli, OPTION_DRY_RUN) ||
	       !option_given(act->cli, OPTION_YES) || act->request.order != ACTION_ORDER_NONE ||
	       (!is_dry(act) && counts_first(act));
}

/* From here on SIGINT and SIGTERM are looked for where the work may end. */
static int open_signals(struct act *act)
{
	int signals = run_signals_open();

	if (signals < 0) {
		run_say("cannot take signals: %s", strerror(-signals));
		return EXIT_FAILED;
	}
	act->signals = signals;
	return 0;
}

static int run(struct act *act)
{
	int result;

	result = act_protect(act);
	if (!result)
		result = open_signals(act);
	if (!result)
		result = open_table(act);
	if (result)
		return result;
	act_pace_init(act);
	act->started_ns = clock_monotonic_ns();
	act_choose_way(act);
	if (wants_survey(act)) {
		result = survey(act);
		if (!result && act->check)
			result = act->check(act);
		if (result)
			return result;
	}
	return is_dry(act) ? dry_run(act) : execute(act);
}

int act_run(struct act *act)
{
	struct problem problem = {0};
	int code;

	act->signals = -1;
	if (act_parse(act, &problem))
		return run_usage(&problem);
	code = run(act);
	action_plan_free(act->plan);
	protect_free(act->protect);
	free(act->sockets);
	if (act->signals >= 0)
		close(act->signals);
	if (act->writer)
		writer_close(act->writer);
	return code;
}
