/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_status: how full the table is. Cheap (a few netlink requests) unless asked to look deep,
 * or somebody at a terminal sees a table that is tight: then a pass tells who fills it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli.h"
#include "kernel/kernel.h"

#define FRESH_PASS_SEC 10.0

static bool on_flow(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct picture **picture = arg;

	(void)raw;
	(void)raw_len;
	picture_add(*picture, flow);
	return true;
}

static struct picture *new_picture(void)
{
	const struct picture_config config = picture_config_default();

	return picture_new(&config);
}

static void on_redo(void *arg)
{
	struct picture **picture = arg;

	picture_free(*picture);
	*picture = new_picture();
}

/* A pass over the table into the snapshot; before is the reading just taken. 0 or -errno. */
static int look_deep(struct snapshot *snapshot, const struct table_reading *before,
		     uint64_t capacity, const struct level_config *marks)
{
	struct picture *picture = new_picture();
	struct pass pass = {.fn = on_flow, .on_redo = on_redo, .arg = &picture};
	struct table_netns netns = snapshot->netns;
	struct table_reading after = *before;
	int result;

	result = run_pass(NULL, &pass);
	if (result) {
		picture_free(picture);
		return result;
	}
	run_reading(&after);
	picture->pass_started_ns = pass.report.started_ns;
	picture->pass_ended_ns = pass.report.ended_ns;
	picture->pass_real_ns = clock_real_ns();
	picture->pass_cpu_ns = pass.report.cpu_ns;
	snapshot_from_reading(snapshot, before, capacity, marks, picture);
	picture_free(picture);
	snapshot->netns = netns;
	snapshot_add_counts(snapshot, before->entries, after.entries, pass.report.received);
	snapshot->has |= SNAPSHOT_HAS_EXPIRED; /* an empty table was read, not unread */
	snapshot->redone_passes = pass.report.redone;
	return 0;
}

/* A table that is not tight needs no culprit. */
static void show_text(struct cli *cli, struct snapshot *snapshot)
{
	if (snapshot->level < LEVEL_WARNING && !option_given(cli, OPTION_DEEP)) {
		snapshot->cause.is_known = false;
		snapshot->has &= ~(uint32_t)SNAPSHOT_HAS_TOP;
	}
	run_wrote(cli, report_status(&cli->out, snapshot));
}

/* 1: the daemon's view was shown; 0: the kernel is to be asked; else -errno, said. */
static int show_daemon_view(struct cli *cli)
{
	struct problem problem = {0};
	struct snapshot *snapshot;
	char *document;
	int result;

	if (option_given(cli, OPTION_CAPACITY))
		return 0;
	result = client_view(cli, "status", "{}", &document);
	if (result <= 0)
		return result;
	snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot || view_status(document, snapshot, &problem)) {
		run_say("%s: %s; asking the kernel", problem.path, problem.text);
		result = 0;
	} else if (option_given(cli, OPTION_DEEP) && (!(snapshot->has & SNAPSHOT_HAS_PASS) ||
						      snapshot->pass_age_sec > FRESH_PASS_SEC)) {
		result = 0;
	} else if (cli->out.is_json) {
		run_wrote(cli, client_print(cli, document));
	} else {
		show_text(cli, snapshot);
	}
	free(snapshot);
	free(document);
	return result;
}

int cmd_status(struct cli *cli)
{
	struct level_config marks = level_config_default();
	struct problem problem = {0};
	struct table_reading reading;
	struct snapshot snapshot = {0};
	uint64_t capacity = 0;
	bool is_deep = option_given(cli, OPTION_DEEP);
	int result;

	if (option_number(cli, OPTION_CAPACITY, 1, UINT32_MAX, &capacity, &problem))
		return run_usage(&problem);
	result = show_daemon_view(cli);
	if (result)
		return result > 0 ? EXIT_DONE : EXIT_NO_DAEMON;
	result = run_reading(&reading);
	if (result)
		return run_failed_table(result, "reading the counters");
	snapshot_from_reading(&snapshot, &reading, capacity, &marks, NULL);
	netns_self(&snapshot.netns);
	if (is_deep ||
	    (!cli->out.is_json && cli->out.is_terminal && snapshot.level >= LEVEL_WARNING)) {
		result = look_deep(&snapshot, &reading, capacity, &marks);
		if (result && is_deep)
			return run_failed_table(result, "reading the table");
	}
	if (is_deep) {
		snapshot.has |= SNAPSHOT_HAS_FAST_DELETE;
		snapshot.fast_delete = selftest_fast_delete(CLI_DEFAULT_PROOFS, snapshot.fast_delete_why,
							    sizeof(snapshot.fast_delete_why));
	}
	run_wrote(cli, report_status(&cli->out, &snapshot));
	if (!(reading.has & READING_HAS_ENTRIES))
		return run_failed_table(-EPERM, "counting the entries");
	if (!(reading.has & READING_HAS_BUCKETS))
		run_say_hidden(cli);
	return EXIT_DONE;
}
