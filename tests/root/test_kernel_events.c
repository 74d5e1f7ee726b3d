/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel layer's event socket, timeouts and rights in a namespace of its own. What was created,
 * changed and deleted is known, so every event can be counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"

#define NEW_EXCL (NLM_F_CREATE | NLM_F_EXCL)

struct seen {
	unsigned by_kind[FLOW_EVENT_KIND_COUNT], all, stop_after;
	uint64_t sports; /* sum of the ports of all flows seen: tells whether each came once */
};

static bool count(enum flow_event_kind kind, const struct flow *flow, const void *raw,
		  size_t raw_len, void *arg)
{
	struct seen *seen = arg;

	assert_true(raw && raw_len > 20);
	seen->by_kind[kind]++;
	seen->all++;
	seen->sports += flow->tuple[FLOW_ORIG].sport;
	return seen->all != seen->stop_after;
}

static struct events *listen_to(unsigned groups, size_t rcvbuf_bytes, uint32_t skip_portid)
{
	struct events_options options = {
		.groups = groups, .rcvbuf_bytes = rcvbuf_bytes, .skip_portid = skip_portid};
	struct events *events;

	assert_int_equal(events_open(&options, &events), 0);
	return events;
}

/* Drains until nothing comes; returns what was lost. */
static uint64_t drain(struct events *events, struct seen *seen)
{
	uint64_t lost, sum = 0;
	size_t got;

	do {
		got = events_drain(events, 100, count, seen, &lost);
		sum += lost;
	} while (got);
	return sum;
}

static void create_many(int fd, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct lab_entry e = lab_udp(i);

		assert_int_equal(lab_create(fd, &e, NEW_EXCL), 0);
	}
}

static void delete_many(int fd, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct lab_entry e = lab_udp(i);

		assert_int_equal(lab_delete(fd, &e), 0);
	}
}

static uint32_t portid_of(int fd)
{
	struct sockaddr_nl address = {0};
	socklen_t len = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return address.nl_pid;
}

static int enter(void **state)
{
	(void)state;
	return lab_enter() ? 0 : -1;
}

static void every_event_comes_once_with_its_kind(void **state)
{
	struct events *events = listen_to(EVENTS_NEW | EVENTS_UPDATE | EVENTS_DESTROY, 8 << 20, 0);
	struct seen seen = {0};
	struct lab_entry e;
	int fd = nl_open();

	(void)state;
	create_many(fd, 0, 100);
	for (unsigned i = 0; i < 40; i++) {
		e = lab_udp(i);
		e.mark = 5;
		assert_int_equal(lab_create(fd, &e, 0), 0);
	}
	delete_many(fd, 0, 100);
	assert_int_equal(drain(events, &seen), 0);
	assert_int_equal(seen.by_kind[FLOW_EVENT_NEW], 100);
	assert_int_equal(seen.by_kind[FLOW_EVENT_UPDATE], 40);
	assert_int_equal(seen.by_kind[FLOW_EVENT_DESTROY], 100);
	assert_int_equal(seen.sports, 2 * (100 * 1024 + 99 * 50) + 40 * 1024 + 39 * 20);
	assert_int_equal(events_counts_get(events).messages, 240);
	assert_int_equal(events_counts_get(events).overruns, 0);
	events_close(events);
	close(fd);
}

static void groups_not_asked_for_do_not_come(void **state)
{
	struct events *events = listen_to(EVENTS_DESTROY, 1 << 20, 0);
	struct seen seen = {0};
	int fd = nl_open();

	(void)state;
	create_many(fd, 0, 10);
	delete_many(fd, 0, 10);
	assert_int_equal(drain(events, &seen), 0);
	assert_int_equal(seen.all, 10);
	assert_int_equal(seen.by_kind[FLOW_EVENT_DESTROY], 10);
	events_close(events);
	close(fd);
}

/* In three rounds through a buffer for a few messages: what came plus what was lost is what
 * happened. */
static void lost_events_are_counted_exactly(void **state)
{
	struct events *events = listen_to(EVENTS_NEW | EVENTS_DESTROY, 16384, 0);
	struct seen seen = {0};
	uint64_t lost = 0;
	int fd = nl_open();

	(void)state;
	assert_in_range(events_rcvbuf_bytes(events), 16384, 20000);
	for (unsigned round = 1; round <= 3; round++) {
		create_many(fd, 0, 500);
		delete_many(fd, 0, 500);
		lost += drain(events, &seen);
		assert_int_equal(seen.all + lost, round * 1000);
	}
	assert_true(lost > 2000 && seen.all > 10);
	assert_int_equal(events_counts_get(events).lost, lost);
	assert_int_equal(events_counts_get(events).overruns, 3);
	assert_int_equal(events_counts_get(events).messages, seen.all);
	/* It goes on after an overrun. */
	create_many(fd, 0, 5);
	assert_int_equal(drain(events, &seen), 0);
	delete_many(fd, 0, 5);
	events_close(events);
	close(fd);
}

static void draining_stops_by_budget_and_by_wish_and_loses_nothing(void **state)
{
	struct events *events = listen_to(EVENTS_NEW, 1 << 20, 0);
	struct seen seen = {.stop_after = 7};
	uint64_t lost;
	int fd = nl_open();

	(void)state;
	create_many(fd, 0, 100);
	assert_int_equal(events_drain(events, 50, count, &seen, &lost), 7);
	assert_int_equal(seen.all, 7);
	assert_int_equal(events_drain(events, 50, count, &seen, &lost), 50);
	assert_int_equal(seen.all, 57);
	assert_int_equal(events_drain(events, 1000, count, &seen, &lost), 43);
	assert_int_equal(events_drain(events, 1000, count, &seen, &lost),
			 0); /* and does not block */
	assert_int_equal(seen.sports, 100 * 1024 + 99 * 50);
	delete_many(fd, 0, 100);
	events_close(events);
	close(fd);
}

static void own_deletes_are_skipped_those_of_others_not(void **state)
{
	int ours = nl_open(), others = nl_open();
	struct events *events = listen_to(EVENTS_NEW | EVENTS_DESTROY, 1 << 20, portid_of(ours));
	struct seen seen = {0};

	(void)state;
	create_many(ours, 0, 30); /* NEW comes whoever made it */
	delete_many(ours, 0, 20);
	delete_many(others, 20, 30);
	assert_int_equal(drain(events, &seen), 0); /* what the filter drops is not lost */
	assert_int_equal(seen.by_kind[FLOW_EVENT_NEW], 30);
	assert_int_equal(seen.by_kind[FLOW_EVENT_DESTROY], 10);
	events_close(events);
	close(ours);
	close(others);
}

static void muted_deaths_do_not_come_births_do(void **state)
{
	struct events *events = listen_to(EVENTS_NEW | EVENTS_DESTROY, 1 << 20, 0);
	struct seen seen = {0};
	int fd = nl_open();

	(void)state;
	create_many(fd, 0, 10);
	delete_many(fd, 0, 2);
	assert_int_equal(events_mute_deaths(events, true), 0);
	assert_int_equal(events_mute_deaths(events, true), 0);
	delete_many(fd, 2, 7);
	create_many(fd, 10, 15);
	assert_int_equal(events_mute_deaths(events, false), 0);
	delete_many(fd, 7, 8);
	assert_int_equal(drain(events, &seen), 0);
	assert_int_equal(seen.by_kind[FLOW_EVENT_NEW], 15);
	assert_int_equal(seen.by_kind[FLOW_EVENT_DESTROY], 3);
	assert_int_equal(seen.sports, 15 * 1024 + 15 * 7 + 3 * 1024 + 0 + 1 + 7);
	delete_many(fd, 8, 15);
	events_close(events);
	close(fd);
}

static void messages_of_other_senders_are_not_believed(void **state)
{
	struct events *events = listen_to(EVENTS_NEW, 1 << 20, 0);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = portid_of(events_fd(events))};
	struct lab_entry e = lab_udp(1);
	uint8_t buf[512] __attribute__((aligned(8)));
	struct nlb b = {.p = buf, .cap = sizeof(buf)};
	struct seen seen = {0};
	int fd = nl_open();

	(void)state;
	nlb_msg(&b, IPCTNL_MSG_CT_NEW, NEW_EXCL, AF_INET, 0);
	nlb_tuple(&b, CTA_TUPLE_ORIG, &e.orig);
	nlb_end(&b);
	assert_true(sendto(fd, b.p, b.len, 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	create_many(fd, 0, 3);
	assert_int_equal(drain(events, &seen), 0);
	assert_int_equal(seen.all, 3);
	assert_int_equal(events_counts_get(events).not_kernel, 1);
	delete_many(fd, 0, 3);
	events_close(events);
	close(fd);
}

/* ---- lines against conntrack -E ---- */

#define PATIENCE_MS 60000 /* of a machine that is busy with other things */

struct lines {
	char text[256][512];
	unsigned count;
	struct printer *printer;
};

static void add_line(struct lines *lines, const char *text)
{
	char copy[512], *word, *rest = copy, *line = lines->text[lines->count++];
	size_t len = 0;

	assert_true(lines->count < 256);
	snprintf(copy, sizeof(copy), "%s", text);
	word = strstr(copy, " progname="); /* the tool looks it up in /proc where it can */
	if (word)
		*word = '\0';
	while ((word = strtok_r(rest, " \n", &rest)))
		len += (size_t)snprintf(line + len, sizeof(lines->text[0]) - len, "%s ", word);
}

static bool print(enum flow_event_kind kind, const struct flow *flow, const void *raw,
		  size_t raw_len, void *arg)
{
	struct lines *lines = arg;
	const char *line = printer_line(lines->printer, raw, raw_len, true);

	(void)kind;
	(void)flow;
	assert_non_null(line);
	assert_true(line[9] == ' ' && line[8] == ']'); /* the padded tag */
	add_line(lines, line);
	return true;
}

/* Sockets of this namespace that listen to netfilter's events. */
static unsigned listeners(void)
{
	FILE *file = fopen("/proc/net/netlink", "r");
	unsigned protocol, groups, count = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "%*x %u %*u %x", &protocol, &groups) == 2 && protocol == NETLINK_NETFILTER &&
			 groups;
	fclose(file);
	return count;
}

/* The next line of FILE; waits for it. */
static bool next_line(FILE *file, char *line, size_t size)
{
	size_t len = 0;

	while (len + 1 < size) {
		struct pollfd wait = {.fd = fileno(file), .events = POLLIN};

		if (poll(&wait, 1, PATIENCE_MS) <= 0 || read(wait.fd, line + len, 1) != 1)
			break;
		if (line[len++] == '\n')
			break;
	}
	line[len] = 0;
	return len > 0;
}

static void event_lines_are_those_of_conntrack(void **state)
{
	struct lines *ours = mem_alloc(sizeof(*ours)), *theirs = mem_alloc(sizeof(*theirs));
	struct events *events = listen_to(EVENTS_NEW | EVENTS_UPDATE | EVENTS_DESTROY, 8 << 20, 0);
	uint64_t seed = 99, lost;
	char text[512];
	int pipe_fds[2], fd = nl_open();
	unsigned before = listeners();
	FILE *tool;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	if (!child) {
		dup2(pipe_fds[1], 1);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		execlp("conntrack", "conntrack", "-E", "-o", "extended", NULL);
		_exit(127);
	}
	close(pipe_fds[1]);
	for (unsigned i = 0; i < PATIENCE_MS / 10 && listeners() == before; i++)
		usleep(10000);
	assert_int_equal(listeners(), before + 1);
	for (unsigned i = 0; i < 60; i++) {
		struct lab_entry e = lab_random(&seed);

		if (lab_create(fd, &e, NEW_EXCL))
			continue;
		e.mark ^= 1;
		lab_create(fd, &e, 0);
		if (!e.zone_orig && !e.zone_reply)
			lab_delete(fd, &e);
	}
	ours->printer = printer_new();
	while (events_drain(events, 100, print, ours, &lost))
		;
	printer_free(ours->printer);
	tool = fdopen(pipe_fds[0], "r");
	while (theirs->count < ours->count && next_line(tool, text, sizeof(text)))
		add_line(theirs, text);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
	while (next_line(tool, text, sizeof(text)))
		add_line(theirs, text);
	fclose(tool);
	print_message("%u event lines\n", ours->count);
	assert_true(ours->count > 100);
	assert_int_equal(ours->count, theirs->count);
	for (unsigned i = 0; i < ours->count; i++)
		assert_string_equal(ours->text[i], theirs->text[i]);
	events_close(events);
	close(fd);
	free(ours);
	free(theirs);
}

/* ---- timeouts and rights ---- */

static void setting_write(const char *name, const char *value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/%s", name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static void timeouts_are_those_of_the_namespace(void **state)
{
	struct flow_timeouts timeouts;
	const struct {
		const char *name;
		const uint32_t *value;
	} cases[] = {
		{"nf_conntrack_tcp_timeout_syn_sent", &timeouts.tcp[FLOW_TCP_SYN_SENT]},
		{"nf_conntrack_tcp_timeout_syn_recv", &timeouts.tcp[FLOW_TCP_SYN_RECV]},
		{"nf_conntrack_tcp_timeout_established", &timeouts.tcp[FLOW_TCP_ESTABLISHED]},
		{"nf_conntrack_tcp_timeout_fin_wait", &timeouts.tcp[FLOW_TCP_FIN_WAIT]},
		{"nf_conntrack_tcp_timeout_close_wait", &timeouts.tcp[FLOW_TCP_CLOSE_WAIT]},
		{"nf_conntrack_tcp_timeout_last_ack", &timeouts.tcp[FLOW_TCP_LAST_ACK]},
		{"nf_conntrack_tcp_timeout_time_wait", &timeouts.tcp[FLOW_TCP_TIME_WAIT]},
		{"nf_conntrack_tcp_timeout_close", &timeouts.tcp[FLOW_TCP_CLOSE]},
		{"nf_conntrack_tcp_timeout_max_retrans", &timeouts.tcp_max_retrans},
		{"nf_conntrack_tcp_timeout_unacknowledged", &timeouts.tcp_unacknowledged},
		{"nf_conntrack_udp_timeout", &timeouts.udp_unreplied},
		{"nf_conntrack_udp_timeout_stream", &timeouts.udp_stream},
		{"nf_conntrack_icmp_timeout", &timeouts.icmp},
		{"nf_conntrack_icmpv6_timeout", &timeouts.icmpv6},
		{"nf_conntrack_generic_timeout", &timeouts.generic},
		{"nf_conntrack_gre_timeout", &timeouts.gre_unreplied},
		{"nf_conntrack_gre_timeout_stream", &timeouts.gre_replied},
		{"nf_conntrack_sctp_timeout_closed", &timeouts.sctp[1]},
		{"nf_conntrack_sctp_timeout_established", &timeouts.sctp[4]},
		{"nf_conntrack_sctp_timeout_shutdown_ack_sent", &timeouts.sctp[7]},
	};

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(timeouts_read(&timeouts), 0);
		assert_int_not_equal(timeouts.tcp[FLOW_TCP_SYN_SENT2], 0);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			int setting = setting_read(cases[i].name);

			if (setting >= 0)
				assert_int_equal(*cases[i].value, setting);
		}
		setting_write("nf_conntrack_udp_timeout", "17");
		setting_write("nf_conntrack_tcp_timeout_established", "12345");
	}
	assert_int_equal(timeouts.udp_unreplied, 17);
	assert_int_equal(setting_read("no_such_setting"), -1);
}

/* Runs fn in a child that has no privileges any more: true where it passed. */
static bool as_nobody(int (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(setuid(65534) < 0 ? 99 : fn());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool stop_at_first(const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	(void)flow;
	(void)raw;
	(void)raw_len;
	(void)arg;
	return false;
}

static int try_without_rights(void)
{
	struct events_options options = {.groups = EVENTS_NEW};
	struct flow_scan_report report;
	struct table_reading reading;
	struct flow_timeouts timeouts;
	struct table_netns netns;
	struct counters *counters;
	struct events *events;

	if (scan_flows(NULL, NULL, stop_at_first, NULL, NULL, &report) != -EPERM)
		return 1;
	if (events_open(&options, &events) != -EPERM)
		return 2;
	if (counters_open(&counters) < 0 || counters_read(counters, &reading) < 0)
		return 3;
	counters_close(counters);
	if (!(reading.has & READING_HAS_ENTRIES) || !(reading.has & READING_HAS_LIMIT) ||
	    !(reading.has & READING_HAS_COUNTERS) || !reading.counters.insert)
		return 4;
	if (timeouts_read(&timeouts) < 0 || !timeouts.tcp[FLOW_TCP_ESTABLISHED] ||
	    !timeouts.udp_stream)
		return 5;
	return netns_self(&netns) < 0 || !netns.inode || netns.is_host ? 6 : 0;
}

static void without_rights_what_can_be_read_is_read(void **state)
{
	(void)state;
	assert_true(as_nobody(try_without_rights));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_comes_once_with_its_kind),
		cmocka_unit_test(groups_not_asked_for_do_not_come),
		cmocka_unit_test(lost_events_are_counted_exactly),
		cmocka_unit_test(draining_stops_by_budget_and_by_wish_and_loses_nothing),
		cmocka_unit_test(own_deletes_are_skipped_those_of_others_not),
		cmocka_unit_test(muted_deaths_do_not_come_births_do),
		cmocka_unit_test(messages_of_other_senders_are_not_believed),
		cmocka_unit_test(event_lines_are_those_of_conntrack),
		cmocka_unit_test(timeouts_are_those_of_the_namespace),
		cmocka_unit_test(without_rights_what_can_be_read_is_read),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, enter, NULL);
}
