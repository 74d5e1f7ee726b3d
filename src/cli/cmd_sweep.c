/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_sweep: frees what has expired but still counts, by a pass that matches nothing. */
#include "base/clock.h"
#include "cli.h"
#include "kernel/kernel.h"
#include "report/act.h"

int cmd_sweep(struct cli *cli)
{
	struct report_sweep sweep = {0};
	int64_t started = clock_monotonic_ns();
	struct flow_ports ports;
	struct writer *writer;
	int result;

	result = writer_open(NULL, &writer);
	if (result)
		return run_failed_table(result, "sweeping the table");
	ports = writer_ports(writer);
	result = ports.count(ports.arg, &sweep.before);
	if (!result)
		result = ports.sweep(ports.arg);
	if (!result)
		result = ports.count(ports.arg, &sweep.after);
	writer_close(writer);
	if (result)
		return run_failed_table(result, "sweeping the table");
	sweep.took_ns = clock_monotonic_ns() - started;
	netns_self(&sweep.netns);
	run_wrote(cli, report_sweep(&cli->out, &sweep));
	return EXIT_DONE;
}
