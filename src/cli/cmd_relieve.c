/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_relieve: makes room by hand, without the daemon: one look, the plan, the question, the
 * guard's round. */
#include "relieve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/kernel.h"

static int open_table(struct relieve *relieve)
{
	size_t own_count = 0;
	int result = writer_open(CLI_DEFAULT_PROOFS, &relieve->writer);

	if (result)
		return run_failed_table(result, option_given(relieve->cli, OPTION_DRY_RUN)
							? "reading the table"
							: "writing to the table");
	relieve->ports = relieve->act.ports = writer_ports(relieve->writer);
	result = act_protect(&relieve->act);
	if (result)
		return result;
	result = host_addresses(&relieve->own, &own_count);
	if (result && relieve->policy->protects_own) {
		run_say("this host's addresses cannot be read (%s), so what is its own is not "
			"known; nothing was done",
			strerror(-result));
		return EXIT_FAILED;
	}
	relieve->table = (struct guard_table){.ports = &relieve->ports,
					      .policy = relieve->policy,
					      .protect = relieve->act.protect,
					      .own = relieve->own,
					      .own_count = own_count,
					      .monotonic_ns = clock_monotonic_ns,
					      .real_ns = clock_real_ns(),
					      .is_calm = false};
	if (!timeouts_read(&relieve->timeouts))
		relieve->table.timeouts = &relieve->timeouts;
	return EXIT_DONE;
}

/* How full it is and how full it may be. 0, or the exit code, said. */
static int measure(struct relieve *relieve, uint64_t capacity, uint64_t target_pct)
{
	struct report_relieve *shown = &relieve->shown;
	struct table_reading reading;
	int result = run_reading(&reading);

	if (result)
		return run_failed_table(result, "reading the counters");
	snapshot_from_reading(relieve->snapshot, &reading, capacity, &relieve->policy->levels,
			      NULL);
	netns_self(&relieve->snapshot->netns);
	if (!relieve->snapshot->fill.capacity) {
		run_say("there is no limit here to measure by; --capacity N sets one");
		return EXIT_USAGE;
	}
	shown->snapshot = relieve->snapshot;
	shown->capacity = relieve->table.capacity = relieve->snapshot->fill.capacity;
	shown->target_pct = target_pct ? (double)target_pct
				       : relieve->policy->levels.warning.leave_pct;
	shown->target_entries = (uint64_t)(shown->target_pct / 100 * (double)shown->capacity);
	shown->entries_before = shown->entries_after = reading.entries;
	if (shown->entries_before <= shown->target_entries)
		return EXIT_DONE;
	result = relieve_look(relieve, &reading, capacity);
	if (result)
		return result;
	/* The pass has freed what had expired. */
	if (relieve->ports.count(relieve->ports.arg, &shown->entries_after))
		shown->entries_after = reading.entries;
	if (shown->entries_after < reading.entries)
		shown->swept = reading.entries - shown->entries_after;
	shown->entries_before = shown->entries_after;
	if (shown->entries_after > shown->target_entries)
		shown->wanted = shown->entries_after - shown->target_entries;
	return EXIT_DONE;
}

static int show(struct relieve *relieve)
{
	run_wrote(relieve->cli, report_relieve(&relieve->cli->out, &relieve->shown));
	return EXIT_DONE;
}

/* 0: go on; else the exit code, said. */
static int ask(const struct relieve *relieve, int signals)
{
	char number[UNITS_TEXT_MAX];
	bool is_interrupted = false;

	units_format_count(relieve->shown.record.matched, number);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		run_say("this deletes %s flows: --yes does it, --dry-run shows them; nothing was "
			"done",
			number);
		return EXIT_USAGE;
	}
	fprintf(stderr, "\nctwarden: delete %s flows? [y/N] ", number);
	fflush(stderr);
	if (act_answers_yes(signals, &is_interrupted))
		return 0;
	if (is_interrupted)
		fputc('\n', stderr);
	run_say("nothing was done");
	return EXIT_FAILED;
}

static int finish(struct relieve *relieve)
{
	const struct report_relieve *shown = &relieve->shown;
	const struct action_record *record = &shown->record;
	char number[UNITS_TEXT_MAX];

	show(relieve);
	if (relieve->cli->write_error && record->done)
		run_say("%s flow%s deleted", units_format_count(record->done, number),
			record->done == 1 ? " is" : "s are");
	if (record->error || record->refused || record->unknown ||
	    shown->entries_after > shown->target_entries)
		return EXIT_FAILED;
	return EXIT_DONE;
}

static int work(struct relieve *relieve, int signals)
{
	int code;

	relieve->shown.is_dry = false;
	relieve_work(relieve, signals);
	code = finish(relieve);
	if (!relieve->is_interrupted)
		return code;
	run_say("interrupted");
	return EXIT_FAILED;
}

/* As planned, once it is answered with yes or needs no question. */
static int ask_and_work(struct relieve *relieve, bool asks)
{
	int signals = run_signals_open(), code = 0;

	if (signals < 0) {
		run_say("cannot take signals: %s", strerror(-signals));
		return EXIT_FAILED;
	}
	if (asks)
		code = ask(relieve, signals);
	if (!code)
		code = work(relieve, signals);
	close(signals);
	return code;
}

static int run(struct relieve *relieve)
{
	struct report_relieve *shown = &relieve->shown;
	bool is_dry = option_given(relieve->cli, OPTION_DRY_RUN);
	int code;

	shown->is_dry = true;
	if (!shown->wanted) {
		shown->is_dry = is_dry;
		show(relieve);
		return option_given(relieve->cli, OPTION_FAIL_IF_NONE) && !shown->swept ? EXIT_NONE
											: EXIT_DONE;
	}
	if (option_given(relieve->cli, OPTION_YES) && !is_dry)
		return ask_and_work(relieve, false);
	code = relieve_plan(relieve);
	if (code)
		return code;
	if (is_dry) {
		show(relieve);
		if (!relieve->cli->out.is_json)
			fprintf(relieve->cli->out.file,
				"\nnothing was changed; run without --dry-run to do it\n");
		return EXIT_DONE;
	}
	if (!shown->record.matched) { /* nothing may go: there is nothing to ask */
		shown->is_dry = false;
		return finish(relieve);
	}
	if (!relieve->cli->out.is_json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		show(relieve);
		shown->is_planned = true;
	}
	return ask_and_work(relieve, true);
}

/* By whose capacity it is measured; the daemon is asked where nothing else says. 0, or the exit code,
 * said. */
static int choose_capacity(struct relieve *relieve, uint64_t *capacity)
{
	struct snapshot *view = mem_alloc(sizeof(*view));
	uint64_t of_policy = relieve->policy->capacity;
	int result = 0;

	if (!*capacity && !of_policy)
		result = capacity_ask_daemon(relieve->cli, view);
	relieve->shown.daemon_acts = result > 0 && view->has & SNAPSHOT_HAS_GUARD && view->guard.is_running &&
				     view->guard.acts && view->guard.rules;
	if (result >= 0)
		*capacity = capacity_choose(*capacity, of_policy, result ? view : NULL,
					    &relieve->shown.capacity_from);
	free(view);
	return result < 0 ? EXIT_NO_DAEMON : EXIT_DONE;
}

static int parse(const struct cli *cli, uint64_t *capacity, uint64_t *target_pct,
		 struct problem *problem)
{
	int result = option_number(cli, OPTION_CAPACITY, 1, UINT32_MAX, capacity, problem);

	return result ? result : option_number(cli, OPTION_TO, 1, 99, target_pct, problem);
}

int cmd_relieve(struct cli *cli)
{
	struct relieve *relieve;
	uint64_t capacity = 0, target_pct = 0;
	struct problem problem = {0};
	int code;

	if (parse(cli, &capacity, &target_pct, &problem))
		return run_usage(&problem);
	relieve = mem_alloc(sizeof(*relieve));
	relieve->cli = relieve->act.cli = cli;
	relieve->snapshot = mem_alloc(sizeof(*relieve->snapshot));
	code = relieve_load(relieve);
	if (!code)
		code = choose_capacity(relieve, &capacity);
	if (!code)
		code = open_table(relieve);
	if (!code)
		code = measure(relieve, capacity, target_pct);
	if (!code)
		code = run(relieve);
	picture_free(relieve->picture);
	policy_free(relieve->policy);
	protect_free(relieve->act.protect);
	free(relieve->act.sockets);
	free(relieve->own);
	if (relieve->writer)
		writer_close(relieve->writer);
	free(relieve->snapshot);
	free(relieve);
	return code;
}
