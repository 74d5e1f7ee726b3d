/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a round of the guard costs against the kernel: guard_round POLICY VICTIMS COMMAND...
 * The table of the present network namespace is taken for the calm one (two renewals, a renewal
 * apart by a clock of our own); COMMAND then adds the surge; then one round of the evicting rules of
 * POLICY takes VICTIMS entries. Prints one JSON line: wall and CPU seconds of the round, of that
 * what the ports took, what went, peak memory of the process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "action/guard.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kernel/kernel.h"

#define RENEWAL_NS   (31 * NS_PER_SEC)
#define FILLED_SEC   3600 /* what bench/round fills UDP with: idle times can be told */

enum part { PART_SCAN, PART_READ_AGAIN, PART_DELETE, PART_COUNT };

struct bench {
	struct writer *writer;
	struct flow_ports real, ports;
	int64_t part_ns[PART_COUNT]; /* CPU */
	struct policy *policy;
	struct flow_timeouts timeouts;
	struct guard *guard;
	struct guard_table table;
};

/* A clock that can be put forward; one thread, one round. */
static int64_t ahead_ns;

static int64_t tell_now(void)
{
	return clock_monotonic_ns() + ahead_ns;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "guard_round: %s: %s\n", what, strerror(-error));
	exit(1);
}

/* ---- the real ports, measured ---- */

static int scan(void *arg, const struct flow_filter *filter, const struct flow_filter_context *context,
		flow_scan_fn *fn, void *fn_arg, struct flow_scan_report *ret_report)
{
	struct bench *b = arg;
	int64_t began_ns = clock_cpu_ns();
	int r = b->real.scan(b->real.arg, filter, context, fn, fn_arg, ret_report);

	b->part_ns[PART_SCAN] += clock_cpu_ns() - began_ns;
	return r;
}

static int read_again(void *arg, const struct flow_target *targets, size_t count, struct flow *ret_flows,
		      bool *ret_found)
{
	struct bench *b = arg;
	int64_t began_ns = clock_cpu_ns();
	int r = b->real.read_again(b->real.arg, targets, count, ret_flows, ret_found);

	b->part_ns[PART_READ_AGAIN] += clock_cpu_ns() - began_ns;
	return r;
}

static bool can_ask_unchanged(void *arg)
{
	struct bench *b = arg;

	return b->real.can_ask_unchanged(b->real.arg);
}

static int ask_unchanged(void *arg, const struct flow_target *targets, size_t count, bool *ret_sure)
{
	struct bench *b = arg;
	int64_t began_ns = clock_cpu_ns();
	int r = b->real.ask_unchanged(b->real.arg, targets, count, ret_sure);

	b->part_ns[PART_READ_AGAIN] += clock_cpu_ns() - began_ns;
	return r;
}

static int delete(void *arg, const struct flow_target *targets, size_t count, enum flow_outcome *ret_outcomes)
{
	struct bench *b = arg;
	int64_t began_ns = clock_cpu_ns();
	int r = b->real.delete(b->real.arg, targets, count, ret_outcomes);

	b->part_ns[PART_DELETE] += clock_cpu_ns() - began_ns;
	return r;
}

static int count_entries(void *arg, uint64_t *ret_entries)
{
	struct bench *b = arg;

	return b->real.count(b->real.arg, ret_entries);
}

/* ---- before the round ---- */

static void prepare(struct bench *b, const char *policy_file)
{
	struct guard_config config = guard_config_default();
	struct problem problem = {0};
	uint64_t entries = 0;
	int r = policy_load(policy_file, &b->policy, &problem);

	if (r) {
		fprintf(stderr, "guard_round: %s:%u: %s\n", policy_file, problem.line, problem.text);
		exit(1);
	}
	r = writer_open(NULL, &b->writer);
	if (r)
		fail("no netlink socket", r);
	b->real = writer_ports(b->writer);
	b->ports = (struct flow_ports){.arg = b,
				       .scan = scan,
				       .read_again = read_again,
				       .can_ask_unchanged = can_ask_unchanged,
				       .ask_unchanged = ask_unchanged,
				       .delete = delete,
				       .count = count_entries};
	r = b->real.count(b->real.arg, &entries);
	if (r)
		fail("the table cannot be counted", r);
	b->timeouts = flow_timeouts_default();
	b->timeouts.udp_unreplied = b->timeouts.udp_stream = FILLED_SEC;
	config.seniority.max_flows = entries + entries / 3; /* the surge too */
	b->guard = guard_new(&config);
	b->table = (struct guard_table){.ports = &b->ports,
					.policy = b->policy,
					.timeouts = &b->timeouts,
					.monotonic_ns = tell_now,
					.real_ns = clock_real_ns(),
					.capacity = entries,
					.is_calm = true};
}

static void renew(struct bench *b)
{
	struct flow_scan_report report;
	int r = guard_renew(b->guard, &b->table, &report);

	if (r)
		fail("no pass over the table", r);
	ahead_ns += RENEWAL_NS;
}

static void run_command(char **argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
		fprintf(stderr, "guard_round: %s failed\n", argv[0]);
		exit(1);
	}
}

static void surge(struct bench *b, char **argv)
{
	uint64_t entries = 0;

	run_command(argv);
	b->real.count(b->real.arg, &entries);
	b->table.capacity = entries;
	b->table.is_calm = false;
	guard_surge(b->guard, tell_now());
}

/* Twice, some seconds apart: then it is known that what fits the surge is not in use, as it is in a surge
 * that lasts. */
static void try_surge(struct bench *b)
{
	struct flow_scan_report report;

	for (int i = 0; i < 2; i++) {
		if (i)
			sleep(3);
		if (guard_renew(b->guard, &b->table, &report))
			fail("no pass over the table", -EIO);
	}
}

/* ---- the round ---- */

static size_t decide(const struct bench *b, uint64_t want, struct policy_decision *decisions)
{
	size_t count = 0;

	for (size_t i = 0; i < b->policy->rule_count; i++)
		if (b->policy->rules[i].action.action == POLICY_ACTION_EVICT)
			decisions[count++] = (struct policy_decision){.rule = i,
								      .action = POLICY_ACTION_EVICT,
								      .level = LEVEL_CRITICAL,
								      .filter = flow_filter_new(),
								      .want = want,
								      .want_other = want * 3 / 10,
								      .granted = want,
								      .scale = 1};
	return count;
}

static double cpu_sec(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* VmHWM: what this program alone held, not who started it. */
static long peak_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void tell(const struct bench *b, double wall, double cpu, const struct guard_outcome *outcomes, size_t count)
{
	struct seniority_counts seniority = seniority_counts_get(guard_seniority(b->guard));
	uint64_t done = 0, gone = 0;

	for (size_t i = 0; i < count; i++) {
		if (outcomes[i].record.error)
			fail("round", outcomes[i].record.error);
		done += outcomes[i].record.done;
		gone += outcomes[i].record.gone;
	}
	printf("{\"wall\": %.3f, \"cpu\": %.3f, \"scan\": %.3f, \"read_again\": %.3f, \"delete\": %.3f, "
	       "\"done\": %" PRIu64 ", \"gone\": %" PRIu64 ", \"seniors\": %" PRIu64 ", \"peak_kib\": %ld, \"how\": [",
	       wall, cpu, (double)b->part_ns[PART_SCAN] / 1e9, (double)b->part_ns[PART_READ_AGAIN] / 1e9,
	       (double)b->part_ns[PART_DELETE] / 1e9, done, gone, seniority.seniors, peak_kib());
	for (size_t i = 0; i < count; i++)
		printf("%s\"%s: %s\"", i ? ", " : "", outcomes[i].record.rule, outcomes[i].record.how);
	printf("]}\n");
}

static void run(struct bench *b, uint64_t want)
{
	struct guard_outcome outcomes[POLICY_DECISIONS_MAX];
	struct policy_decision decisions[POLICY_DECISIONS_MAX];
	size_t count = decide(b, want, decisions);
	int64_t began_ns = clock_monotonic_ns();
	double cpu = cpu_sec(), wall;

	memset(b->part_ns, 0, sizeof(b->part_ns));
	guard_round(b->guard, &b->table, decisions, count, outcomes);
	cpu = cpu_sec() - cpu;
	wall = (double)(clock_monotonic_ns() - began_ns) / 1e9;
	tell(b, wall, cpu, outcomes, count);
	for (size_t i = 0; i < count; i++)
		policy_decision_done(&decisions[i]);
}

int main(int argc, char **argv)
{
	struct bench b = {0};

	if (argc < 4) {
		fprintf(stderr, "usage: guard_round POLICY VICTIMS COMMAND...\n");
		return 2;
	}
	prepare(&b, argv[1]);
	renew(&b);
	renew(&b);
	surge(&b, argv + 3);
	try_surge(&b);
	run(&b, strtoull(argv[2], NULL, 10));
	guard_free(b.guard);
	policy_free(b.policy);
	writer_close(b.writer);
	return 0;
}
