/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/policy_test: a policy tried on a table. One pass for the figures, then decisions, then a pass
 * that asks of each entry whether they would take it. Rounds a second apart, as long as one takes
 * something: rules that wait for milder ones are asked again once it is known how much those would
 * find, and a budget comes back. Rules on sources decide once: the figures of a source are of the
 * one pass. */
#include "policy_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "action/protect.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "flow/saved.h"
#include "kernel/kernel.h"
#include "report/policy.h"

#define ROUNDS_MAX POLICY_TEST_ROUNDS

/* A decision with its count of sources and candidates by the rank of their class. */
struct trial {
	struct policy_test_decision shown;
	struct ranking *sources;
	uint64_t ranks[FLOW_CLASS_COUNT], taken[FLOW_CLASS_COUNT];
	bool is_due;		    /* in this round */
	struct policy_decision now; /* of this round, without a filter */
};

struct test {
	struct cli *cli;
	const struct policy *policy;
	const char *from; /* NULL: this machine's table */
	struct picture *picture;
	struct snapshot *snapshot, *view; /* view: the daemon's that runs here, or NULL */
	struct flow_timeouts timeouts;
	struct policy_flow_context context;
	struct protect *protect; /* the operator's */
	struct addr *own;
	struct trial trials[POLICY_DECISIONS_MAX];
	size_t count, first; /* trials; the first of this round */
	struct policy_test shown;
};

/* ---- passes ---- */

/* One pass over the table or the file. 0, or the exit code, said. */
static int look(struct test *t, flow_scan_fn *fn, void (*on_redo)(void *arg),
		struct saved_report *report)
{
	struct pass pass = {.fn = fn, .on_redo = on_redo, .arg = t};
	struct problem problem = {0};
	char line[800];
	int result;

	if (t->from) {
		result = saved_read(t->from, t->context.match.now_real_ns, fn, t, report, &problem);
		if (!result)
			return EXIT_DONE;
		run_say("%s", problem_format(&problem, line, sizeof(line)));
		return EXIT_FAILED;
	}
	result = run_pass(NULL, &pass);
	if (result)
		return run_failed_table(result, "reading the table");
	t->timeouts = pass.timeouts;
	return EXIT_DONE;
}

static void new_picture(struct test *t)
{
	const struct picture_config config = picture_config_default();

	picture_free(t->picture);
	t->picture = picture_new(&config);
}

static void on_redo_figures(void *arg)
{
	new_picture(arg);
}

static bool on_figures(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct test *t = arg;

	(void)raw;
	(void)raw_len;
	picture_add(t->picture, flow);
	return true;
}

/* ---- the figures ---- */

/* What a file does not say: entries are those in it, and the kernel's hash has as many buckets as
 * its limit by default. */
static void reading_of_file(const struct test *t, uint64_t capacity, uint64_t entries,
			    struct table_reading *ret)
{
	*ret = (struct table_reading){.monotonic_ns = clock_monotonic_ns(),
				      .real_ns = t->context.match.now_real_ns,
				      .has = READING_HAS_ENTRIES,
				      .entries = entries};
	if (!capacity)
		return;
	ret->has |= READING_HAS_LIMIT | READING_HAS_BUCKETS;
	ret->entries_limit = ret->buckets = capacity;
}

static void judge_level(struct test *t)
{
	struct fill *fill = &t->snapshot->fill;
	struct level_state state = {0};
	struct level_input input = {
		.now_ns = 1, .fill_pct = fill->fill_pct, .is_implausible = fill->is_implausible};

	fill->seconds_to_full = -1;
	if (t->shown.knows_growth) {
		t->snapshot->has |= SNAPSHOT_HAS_GROWTH;
		fill->has_growth = true;
		if (fill->growth_per_sec > 0 && fill->capacity > fill->now.entries)
			fill->seconds_to_full =
				(double)(fill->capacity - fill->now.entries) / fill->growth_per_sec;
		else if (fill->growth_per_sec > 0 && fill->capacity)
			fill->seconds_to_full = 0;
	}
	input.seconds_to_full = fill->seconds_to_full;
	if (fill->capacity)
		level_update(&state, &t->snapshot->marks, &input);
	t->snapshot->level = state.level;
}

static int take_figures(struct test *t, uint64_t capacity, const double *growth)
{
	struct saved_report report = {0};
	struct table_reading reading = {0};
	int code;

	new_picture(t);
	if (!t->from && run_reading(&reading))
		return run_failed_table(-EPERM, "reading the counters");
	code = look(t, on_figures, on_redo_figures, &report);
	if (code)
		return code;
	if (t->from)
		reading_of_file(t, capacity, report.flows, &reading);
	t->shown.unread = report.unread;
	if (report.unread)
		run_say("%s:%d: %s; %llu line%s passed over", report.problem.file,
			report.problem.line, report.problem.text, (unsigned long long)report.unread,
			units_plural(report.unread));
	snapshot_from_reading(t->snapshot, &reading, capacity, &t->policy->levels, t->picture);
	snapshot_add_more(t->snapshot, t->picture);
	if (growth || (t->view && (t->view->has & SNAPSHOT_HAS_GROWTH))) {
		t->snapshot->fill.growth_per_sec = growth ? *growth : t->view->fill.growth_per_sec;
		t->shown.knows_growth = true;
	}
	judge_level(t);
	return EXIT_DONE;
}

/* ---- victims ---- */

static void clear_counts(struct trial *trial)
{
	struct ranking_config config = ranking_config_default(RANKING_BY_SOURCE);

	ranking_free(trial->sources);
	trial->sources = ranking_new(&config);
	memset(trial->ranks, 0, sizeof(trial->ranks));
	memset(trial->shown.spared, 0, sizeof(trial->shown.spared));
	trial->shown.candidates = 0;
}

static void on_redo_victims(void *arg)
{
	struct test *t = arg;

	for (size_t i = t->first; i < t->count; i++)
		clear_counts(&t->trials[i]);
}

static enum policy_verdict judge(const struct test *t, const struct trial *trial, const struct flow *flow,
				 struct policy_judgement *judgement)
{
	enum policy_verdict verdict = policy_judge(t->policy, &trial->shown.decision, flow, &t->context, judgement);

	if (verdict == POLICY_VERDICT_TAKE && t->policy->protects_operator &&
	    protect_hit(t->protect, flow, &t->context.match) != PROTECT_NONE)
		return POLICY_VERDICT_PROTECTED;
	if (verdict == POLICY_VERDICT_TAKE &&
	    policy_may_be_young(t->policy, &trial->shown.decision, flow, &t->context.match))
		return POLICY_VERDICT_YOUNG;
	return verdict;
}

static bool on_victim(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct test *t = arg;
	enum policy_verdict verdict;
	struct policy_judgement judgement;

	(void)raw;
	(void)raw_len;
	for (size_t i = t->first; i < t->count; i++) {
		struct trial *trial = &t->trials[i];

		verdict = judge(t, trial, flow, &judgement);
		if (verdict == POLICY_VERDICT_TAKE) {
			trial->shown.candidates++;
			trial->ranks[judgement.rank]++;
			ranking_add(trial->sources, flow, flow_class_of(flow));
		} else {
			trial->shown.spared[verdict]++;
		}
	}
	return true;
}

static bool heeds_surge(const struct test *t, const struct trial *trial)
{
	const struct policy_do *action = &t->policy->rules[trial->shown.decision.rule].action;

	return action->action == POLICY_ACTION_EVICT && action->has_signature;
}

/* Of this round. No surge is known here, so that all are others. */
static uint64_t most_of(const struct test *t, const struct trial *trial)
{
	return heeds_surge(t, trial) ? lesser(trial->now.granted, trial->now.want_other) : trial->now.granted;
}

/* What fits a surge goes whatever its age and floor. */
static uint64_t more_if_surge(const struct test *t, const struct trial *trial)
{
	const struct policy_test_decision *shown = &trial->shown;
	uint64_t there = shown->candidates + shown->spared[POLICY_VERDICT_ACTIVE] + shown->spared[POLICY_VERDICT_YOUNG];

	return heeds_surge(t, trial) ? lesser(there, trial->now.granted) - shown->taken : 0;
}

/* Worst class first, as far as want and budget go, of what was not taken in an earlier round. How many. */
static uint64_t share_out(const struct test *t, struct trial *trial, bool is_first)
{
	struct policy_test_decision *shown = &trial->shown;
	const struct policy_do *action = &t->policy->rules[shown->decision.rule].action;
	uint64_t left = most_of(t, trial), taken, sum = 0;

	for (unsigned i = 0; i < action->class_count; i++) {
		taken = lesser(trial->ranks[i] - trial->taken[i], left);
		trial->taken[i] += taken;
		if (is_first)
			shown->classes[action->classes[i]] = taken;
		sum += taken;
		left -= taken;
	}
	if (!is_first) {
		shown->later_rounds += sum > 0;
		shown->later_taken += sum;
		return sum;
	}
	shown->taken = sum;
	shown->more_if_surge = more_if_surge(t, trial);
	shown->top_config = *ranking_config_get(trial->sources);
	shown->top_used =
		ranking_top(trial->sources, RANKING_ORDER_ENTRIES, POLICY_TEST_TOP, shown->top);
	return sum;
}

static bool takes_flows(const struct policy_decision *decision)
{
	return decision->action == POLICY_ACTION_EVICT || decision->action == POLICY_ACTION_SHORTEN;
}

/* What came of the decisions of this round, for those that wait for them. How many flows they would evict. */
static uint64_t take_results(struct test *t, struct policy_memory *memory, int64_t now_ns)
{
	struct fill *fill = &t->snapshot->fill;
	uint64_t evicted = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct trial *trial = &t->trials[i];
		struct policy_effect effect = {0};

		if (!trial->is_due || !takes_flows(&trial->now))
			continue;
		effect.matched = trial->shown.candidates;
		effect.done = share_out(t, trial, i >= t->first);
		policy_memory_result(memory, t->policy, &trial->now, &effect, now_ns);
		if (trial->now.action == POLICY_ACTION_EVICT)
			evicted += effect.done;
	}
	fill->now.entries -= evicted < fill->now.entries ? evicted : fill->now.entries;
	if (fill->capacity)
		fill->fill_pct = 100.0 * (double)fill->now.entries / (double)fill->capacity;
	return evicted;
}

static struct trial *trial_of(struct test *t, size_t rule)
{
	for (size_t i = 0; i < t->first; i++)
		if (t->trials[i].shown.decision.rule == rule)
			return &t->trials[i];
	return NULL;
}

/* One of a round. False: it adds nothing to what was decided before. */
static bool take_decision(struct test *t, struct policy_decision *decision, unsigned round)
{
	const struct policy_until *until = &t->policy->rules[decision->rule].until;
	struct trial *trial = trial_of(t, decision->rule);
	bool is_again = trial && decision->action == POLICY_ACTION_EVICT && decision->scope == POLICY_SCOPE_TABLE;

	if (trial ? !is_again : t->count == POLICY_DECISIONS_MAX) {
		policy_decision_done(decision);
		return false;
	}
	if (is_again) {
		policy_decision_done(decision);
	} else {
		trial = &t->trials[t->count++];
		trial->shown.decision = *decision;
		trial->shown.round = round;
		clear_counts(trial);
	}
	trial->now = *decision;
	trial->now.filter = NULL;
	/* The daemon always knows the growth: where none is supposed here, nothing has to make room for it. */
	if (!t->shown.knows_growth && (until->has_fill || until->has_level))
		trial->now.want_other = 0;
	trial->is_due = true;
	trial->shown.last_round = round;
	return true;
}

/* How many decisions there are in this round. */
static size_t decide(struct test *t, struct policy_memory *memory, unsigned round, int64_t now_ns)
{
	struct policy_decision *decisions = mem_array(POLICY_DECISIONS_MAX, sizeof(*decisions));
	size_t count =
		policy_evaluate(t->policy, t->policy->mode, t->snapshot, memory, now_ns, decisions);
	size_t due = 0;

	for (size_t i = 0; i < t->count; i++)
		t->trials[i].is_due = false;
	t->first = t->count;
	for (size_t i = 0; i < count; i++)
		due += take_decision(t, &decisions[i], round);
	free(decisions);
	return due;
}

static int run_rounds(struct test *t)
{
	struct policy_memory *memory = policy_memory_new(t->policy, NULL, NULL);
	struct snapshot before = *t->snapshot;
	struct saved_report report;
	int64_t now_ns = NS_PER_SEC;
	int code = EXIT_DONE;

	policy_memory_trust(memory, now_ns);
	for (unsigned round = 0; !code && round < ROUNDS_MAX && decide(t, memory, round, now_ns); round++) {
		bool has_new = t->count > t->first;

		if (has_new)
			code = look(t, on_victim, on_redo_victims, &report);
		if (!code && !take_results(t, memory, now_ns) && !has_new)
			break;
		now_ns += NS_PER_SEC;
	}
	policy_memory_free(memory);
	*t->snapshot = before; /* the heading tells the table as it is */
	return code;
}

/* ---- what protects ---- */

static void know_this_host(struct test *t)
{
	struct flow_tuple *tuples = NULL;
	size_t count = 0;
	int result;

	t->protect = protect_new();
	if (t->from)
		return;
	result = host_operator_sockets(&tuples, &count);
	if (result)
		run_say("the operator's ssh connections cannot be told (%s): they are not looked "
			"at here",
			strerror(-result));
	else
		protect_set_operator(t->protect, tuples, count);
	free(tuples);
	if (host_addresses(&t->own, &t->context.own_count))
		t->context.own_count = 0;
	t->context.own_addrs = t->own;
}

static int show(struct test *t)
{
	struct policy_test_decision *decisions = mem_array(t->count + 1, sizeof(*decisions));

	for (size_t i = 0; i < t->count; i++)
		decisions[i] = t->trials[i].shown;
	t->shown.from = t->from;
	t->shown.policy = t->policy;
	t->shown.snapshot = t->snapshot;
	t->shown.decisions = decisions;
	t->shown.count = t->count;
	run_wrote(t->cli, report_policy_test(&t->cli->out, &t->shown));
	free(decisions);
	return EXIT_DONE;
}

static void test_free(struct test *t)
{
	for (size_t i = 0; i < t->count; i++) {
		policy_decision_done(&t->trials[i].shown.decision);
		ranking_free(t->trials[i].sources);
	}
	protect_free(t->protect);
	picture_free(t->picture);
	free(t->own);
	free(t->view);
	free(t->snapshot);
	free(t);
}

/* Capacity and growth of the daemon that runs here, where there is one and one of them is not told.
 * 0, or the exit code, said. */
static int ask_daemon(struct test *t, bool knows_all)
{
	struct snapshot *view;
	int result;

	if (t->from || knows_all)
		return EXIT_DONE;
	view = mem_alloc(sizeof(*view));
	result = capacity_ask_daemon(t->cli, view);
	if (result == 1)
		t->view = view;
	else
		free(view);
	return result < 0 ? EXIT_NO_DAEMON : EXIT_DONE;
}

static int parse(const struct cli *cli, uint64_t *capacity, double *growth, struct problem *problem)
{
	const char *from = cli->values[OPTION_FROM], *text = cli->values[OPTION_GROWTH];
	struct stat file;
	char *end;

	if (from && (!strcmp(from, "-") || (!stat(from, &file) && !S_ISREG(file.st_mode))))
		return option_problem(cli, OPTION_FROM, problem,
				      "a file is needed: it is read twice");
	if (text) {
		*growth = strtod(text, &end);
		if (end == text || *end || !(*growth >= 0 && *growth <= 1e9))
			return option_problem(cli, OPTION_GROWTH, problem,
					      "a number from 0 to 1000000000 is expected");
	}
	return option_number(cli, OPTION_CAPACITY, 1, UINT32_MAX, capacity, problem);
}

int policy_test_run(struct cli *cli, const struct policy *policy, const char *file)
{
	uint64_t capacity = 0;
	struct problem problem = {0};
	double growth = 0;
	struct test *t;
	int code;

	(void)file;
	if (parse(cli, &capacity, &growth, &problem))
		return run_usage(&problem);
	t = mem_alloc(sizeof(*t));
	t->cli = cli;
	t->policy = policy;
	t->from = cli->values[OPTION_FROM];
	t->snapshot = mem_alloc(sizeof(*t->snapshot));
	t->timeouts = flow_timeouts_default();
	t->context.match = (struct flow_filter_context){clock_real_ns(), &t->timeouts};
	know_this_host(t);
	code = ask_daemon(t, (capacity || policy->capacity) && option_given(cli, OPTION_GROWTH));
	capacity = capacity_choose(capacity, policy->capacity, t->view, &t->shown.capacity_from);
	if (!code)
		code = take_figures(t, capacity, option_given(cli, OPTION_GROWTH) ? &growth : NULL);
	if (!code)
		code = run_rounds(t);
	if (!code)
		code = show(t);
	test_free(t);
	return code;
}
