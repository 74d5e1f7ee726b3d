/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/act_pace: how fast it goes, what is shown meanwhile, a signal in the middle, and the question
 * before. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act.h"
#include "base/clock.h"
#include "base/units.h"
#include "kernel/kernel.h"

/* Where others listen to deletions: conntrackd and loggers take about 30 us an event (measured with
 * conntrack -E), so this is a third of a core of theirs; the first thousand find room in their
 * buffers. */
#define RATE_WITH_LISTENERS 10000
#define BURST_DEFAULT	    1000
#define BATCHES_PER_SEC	    8
#define SHOW_NS		    (200 * NS_PER_MS)

/* Our own daemon notices what it missed and reads the table again: nobody need wait for it. */
static bool others_listen(struct act *act)
{
	if (host_destroy_listeners(act->listeners, sizeof(act->listeners)) > 0 &&
	    strcmp(act->listeners, "ctwardend"))
		return true;
	act->listeners[0] = '\0';
	return false;
}

void act_pace_init(struct act *act)
{
	uint64_t batch;

	if (!option_given(act->cli, OPTION_RATE) && act->kind != REPORT_ACT_TIMEOUT &&
	    others_listen(act)) {
		act->rate = RATE_WITH_LISTENERS;
		act->is_default_rate = true;
	}
	batch = act->rate ? act->rate / BATCHES_PER_SEC : FLOW_BATCH_MAX;
	act->request.batch = batch > FLOW_BATCH_MAX ? FLOW_BATCH_MAX : batch ? (unsigned)batch : 1;
	act->request.is_paced = act->rate != 0;
	act->request.on_batch = act_on_batch;
	act->request.on_found = act_on_found;
	act->request.arg = act;
}

/* False where a signal came. A reader of stdout that has gone is no reason to stop half-way. */
static bool wait_until(struct act *act, int64_t end_ns)
{
	struct pollfd fd = {.fd = act->signals, .events = POLLIN};
	struct timespec wait;
	int64_t left;
	int count;

	do {
		left = end_ns - clock_monotonic_ns();
		wait = (struct timespec){.tv_sec = left > 0 ? left / NS_PER_SEC : 0,
					 .tv_nsec = left > 0 ? left % NS_PER_SEC : 0};
		count = ppoll(&fd, 1, &wait, NULL);
		if (count > 0) {
			act->is_interrupted = true;
			return false;
		}
	} while (left > 0 && (count == 0 || errno == EINTR));
	return true;
}

static void show(struct act *act, uint64_t number, const char *what)
{
	int64_t now = clock_monotonic_ns();
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

	if (!isatty(STDERR_FILENO) || now - act->started_ns < NS_PER_SEC ||
	    now - act->shown_ns < SHOW_NS)
		return;
	act->shown_ns = now;
	act->has_progress = true;
	if (act->plan)
		fprintf(stderr, "\r%s of %s flows %s ...\033[K", units_format_count(number, a),
			units_format_count(act->plan->chosen, b), what);
	else
		fprintf(stderr, "\r%s flows %s ...\033[K", units_format_count(number, a), what);
}

void act_end_progress(struct act *act)
{
	if (act->has_progress)
		fputs("\r\033[K", stderr);
	act->has_progress = false;
}

static bool is_signalled(struct act *act)
{
	struct pollfd fd = {.fd = act->signals, .events = POLLIN};

	act->is_interrupted |= poll(&fd, 1, 0) > 0;
	return act->is_interrupted;
}

bool act_on_found(uint64_t matched, void *arg)
{
	(void)matched;
	return !is_signalled(arg);
}

bool act_on_progress(uint64_t received, void *arg)
{
	struct act *act = arg;

	/* While it writes as it reads, act_on_batch shows how far it is. */
	if (!act->cli->has_acted)
		show(act, received, "read");
	return !is_signalled(act);
}

bool act_on_shown(uint64_t shown, void *arg)
{
	(void)shown;
	return !is_signalled(arg);
}

bool act_on_batch(uint64_t written, void *arg)
{
	struct act *act = arg;
	uint64_t burst = act->is_default_rate ? BURST_DEFAULT : act->request.batch;
	int64_t due = 0;

	show(act, written, act->done_word);
	if (act->rate && written > burst)
		due = act->started_ns +
		      (int64_t)((double)(written - burst) * (double)NS_PER_SEC / (double)act->rate);
	return wait_until(act, due);
}

bool act_answers_yes(int signals, bool *ret_is_interrupted)
{
	struct pollfd fds[2] = {{.fd = signals, .events = POLLIN},
				{.fd = STDIN_FILENO, .events = POLLIN}};
	char line[16];

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	*ret_is_interrupted = fds[0].revents != 0;
	if (*ret_is_interrupted || !fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return !strcmp(line, "y") || !strcmp(line, "Y") || !strcmp(line, "yes");
}

static void describe(const struct act *act, char *buf, size_t size)
{
	uint64_t chosen = act->plan->chosen;
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

	snprintf(buf, size, "this %s %s of %s flows (%.1f %%)", act->doing_word,
		 units_format_count(chosen, a), units_format_count(act->entries, b),
		 act->entries ? 100.0 * (double)chosen / (double)act->entries : 100.0);
}

int act_confirm(struct act *act)
{
	bool is_much = act->asks_half && act->plan && act->plan->chosen > act->entries / 2;
	char text[160];

	if (option_given(act->cli, OPTION_YES) || !act->plan || !act->plan->chosen ||
	    !(act->asks_always || is_much))
		return 0;
	describe(act, text, sizeof(text));
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		run_say("%s, %s: --yes does it; nothing was done", text,
			is_much ? "more than half" : "all of them");
		return EXIT_USAGE;
	}
	fprintf(stderr, "ctwarden: %s. Go on? [y/N] ", text);
	fflush(stderr);
	if (act_answers_yes(act->signals, &act->is_interrupted))
		return 0;
	if (act->is_interrupted)
		fputc('\n', stderr);
	run_say("nothing was done");
	return EXIT_FAILED;
}
