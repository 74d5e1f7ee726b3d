/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/run: what every command needs around its work: output that may break, messages, signals,
 * waiting, one pass over the table with progress. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "cli.h"
#include "kernel/kernel.h"

void run_say(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_make_plain(text);
	fflush(stdout); /* on a terminal both are seen in the order they were written */
	fprintf(stderr, "ctwarden: %s\n", text);
}

int run_usage(const struct problem *problem)
{
	char line[800];

	run_say("%s", problem_format(problem, line, sizeof(line)));
	return EXIT_USAGE;
}

void run_prepare(void)
{
	int fd;

	/* A socket opened as fd 1 would get our text: closed descriptors are filled, stdout so that
	 * writing fails. */
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) < 0)
			_exit(EXIT_FAILED);
	signal(SIGPIPE, SIG_IGN);
}

int run_finish(struct cli *cli, int code)
{
	int flushed = report_flush_file(stdout), error = -cli->write_error;

	if (!error)
		error = -flushed;
	if (error == EPIPE)
		return code == EXIT_FAILED && !cli->has_acted ? EXIT_DONE : code;
	if (error) {
		fprintf(stderr, "ctwarden: cannot write to standard output: %s\n", strerror(error));
		return EXIT_FAILED;
	}
	return code;
}

bool run_wrote(struct cli *cli, int result)
{
	if (result < 0 && !cli->write_error)
		cli->write_error = result;
	return !cli->write_error;
}

bool run_flush(struct cli *cli)
{
	return run_wrote(cli, fflush(stdout) ? -errno : 0);
}

int run_reading(struct table_reading *ret_reading)
{
	struct counters *counters;
	int result;

	result = counters_open(&counters);
	if (result < 0)
		return result;
	result = counters_read(counters, ret_reading);
	counters_close(counters);
	return result;
}

void run_say_hidden(struct cli *cli)
{
	if (cli->is_hidden_said)
		return;
	cli->is_hidden_said = true;
	run_say("nf_conntrack_buckets cannot be read (is /proc/sys/net hidden?): the load and the odds "
		"of a refusal are not known, a resize during a pass is not noticed");
}

int run_failed_table(int error, const char *what)
{
	char entries[UNITS_TEXT_MAX], limit[UNITS_TEXT_MAX];
	struct table_reading reading;
	int result;

	result = run_reading(&reading);
	if (error == -ENOENT || result == -ENOENT) {
		run_say("%s fails: connection tracking is not in this kernel or not loaded; "
			"modprobe nf_conntrack loads it",
			what);
	} else if (error != -EPERM && error != -EACCES) {
		run_say("%s fails: %s", what, strerror(-error));
	} else if (result || !(reading.has & READING_HAS_ENTRIES)) {
		run_say("%s needs CAP_NET_ADMIN; try sudo", what);
	} else if (!(reading.has & READING_HAS_LIMIT) || !reading.entries_limit) {
		run_say("%s needs CAP_NET_ADMIN; try sudo. Without it: %s entries", what,
			units_format_count(reading.entries, entries));
	} else {
		run_say("%s needs CAP_NET_ADMIN; try sudo. Without it: %s of %s entries (%.1f %%)",
			what, units_format_count(reading.entries, entries),
			units_format_count(reading.entries_limit, limit),
			100.0 * (double)reading.entries / (double)reading.entries_limit);
	}
	return EXIT_FAILED;
}

int run_events_open(const struct events_options *options, struct events **ret_events)
{
	int result;

	if (setting_read("nf_conntrack_events") == 0)
		run_say("events are switched off in this kernel (net.netfilter.nf_conntrack_events "
			"= 0): none will come");
	result = events_open(options, ret_events);
	return result ? run_failed_table(result, "listening to events") : 0;
}

int run_signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

enum run_wait run_wait(int signals, int fd, int64_t ns)
{
	/* stdout is asked for nothing, so only POLLERR comes: a pipe whose reader has gone. */
	struct pollfd fds[3] = {{.fd = signals, .events = POLLIN},
				{.fd = STDOUT_FILENO},
				{.fd = fd, .events = POLLIN}};
	int64_t end = clock_monotonic_ns() + ns;
	int count;

	for (;;) {
		int64_t left = ns < 0 ? -1 : end - clock_monotonic_ns();
		struct timespec wait = {.tv_sec = left > 0 ? left / NS_PER_SEC : 0,
					.tv_nsec = left > 0 ? left % NS_PER_SEC : 0};

		count = ppoll(fds, 3, ns < 0 ? NULL : &wait, NULL);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || fds[0].revents || (fds[1].revents & POLLERR))
			return RUN_WAIT_STOP;
		return count > 0 && fds[2].revents ? RUN_WAIT_READY : RUN_WAIT_TIME;
	}
}

/* ---- a pass ---- */

struct progress {
	struct pass *pass;
	int64_t started_ns, shown_ns;
	bool is_terminal;
};

static bool on_progress(uint64_t received, void *arg)
{
	struct progress *progress = arg;
	int64_t now = clock_monotonic_ns();
	char count[UNITS_TEXT_MAX];

	if (!progress->is_terminal || now - progress->started_ns < NS_PER_SEC ||
	    now - progress->shown_ns < 200 * NS_PER_MS)
		return true;
	progress->shown_ns = now;
	fprintf(stderr, "\r%s entries read ...", units_format_count(received, count));
	return true;
}

static void on_redo(void *arg)
{
	struct progress *progress = arg;

	progress->pass->on_redo(progress->pass->arg);
}

int run_pass(const struct flow_filter *filter, struct pass *pass)
{
	struct progress progress = {.pass = pass,
				    .started_ns = clock_monotonic_ns(),
				    .is_terminal = isatty(STDERR_FILENO)};
	struct scan_options options = {.on_progress = on_progress,
				       .on_redo = pass->on_redo ? on_redo : NULL,
				       .arg = &progress};
	struct flow_filter_context context = {.now_real_ns = clock_real_ns(),
					      .timeouts = &pass->timeouts};
	int result;

	if (timeouts_read(&pass->timeouts) < 0)
		context.timeouts = NULL;
	result = scan_flows(filter, &context, pass->fn, pass->arg, &options, &pass->report);
	if (progress.shown_ns)
		fputs("\r\033[K", stderr);
	if (!result && pass->report.unsettled)
		run_say("the hash table was resized during the pass: entries may be missing or "
			"shown twice");
	return result;
}
