/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question whether an entry has come further than it was read, on real entries in a namespace of its own: by
 * ctnetlink, and by real packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"
#include "write_lab.h"

static struct writer *writer;
static struct flow_ports ports;
static int fd; /* the lab's socket */

static int empty_table(void **state)
{
	(void)state;
	return write_lab_empty(&ports);
}

static void who_has_come_no_further_is_told_and_nothing_changes(void **state)
{
	struct flow_target *targets, asked[6];
	struct flow flows[4];
	bool sure[6], found[4];
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct lab_entry e = lab_udp(i);

		e.status |= i & 1 ? IPS_SEEN_REPLY : 0;
		e.status |= i == 3 ? IPS_ASSURED : 0;
		e.zone = i < 2 ? 0 : 3;
		assert_int_equal(lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL), 0);
	}
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 4);
	memcpy(asked, targets, 4 * sizeof(*targets));
	asked[4] = asked[5] = targets[0];
	asked[4].zone = asked[4].zone_reply = 9; /* nothing there */
	asked[5].orig.sport ^= 0x4000;
	asked[5].status |= IPS_SEEN_REPLY;
	for (int as_unanswered = 0; as_unanswered < 2; as_unanswered++) {
		for (size_t i = 0; as_unanswered && i < 6; i++)
			asked[i].status &= ~(uint32_t)IPS_SEEN_REPLY;
		assert_int_equal(ports.ask_unchanged(ports.arg, asked, 6, sure), 0);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(sure[i],
					 !(targets[i].status & (as_unanswered ? IPS_SEEN_REPLY : IPS_ASSURED)));
		assert_false(sure[4]);
		assert_false(sure[5]);
	}
	assert_int_equal(ports.read_again(ports.arg, targets, 4, flows, found), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_true(found[i]);
		assert_int_equal(flows[i].status, targets[i].status);
		assert_in_range(flows[i].timeout_sec, targets[i].timeout_sec - 600, targets[i].timeout_sec);
	}
	free(targets);
	targets = targets_now(&ports, &count); /* nothing was made */
	assert_int_equal(count, 4);
	free(targets);
}

/* A reply by a real packet, between two questions. */
static void a_reply_ends_being_sure(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET}, from;
	socklen_t len = sizeof(to);
	int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
	struct flow_target *targets;
	bool sure = false;
	size_t count;
	char byte;

	(void)state;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(sendto(client, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 1);
	assert_int_equal(ports.ask_unchanged(ports.arg, targets, 1, &sure), 0);
	assert_true(sure);
	len = sizeof(from);
	assert_int_equal(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &len), 1);
	assert_int_equal(sendto(server, "y", 1, 0, (struct sockaddr *)&from, len), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	assert_int_equal(ports.ask_unchanged(ports.arg, targets, 1, &sure), 0);
	assert_false(sure);
	free(targets);
	close(client);
	close(server);
}

/* ---- half-open TCP, by real packets ---- */

/* The client's packets after its SYN are dropped before they are tracked, but a reset. Nothing held: "". */
static void hold(const char *rule)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "nft -f - <<EOF\n"
		 "add chain inet lab hold { type filter hook output priority -301; }\n"
		 "flush chain inet lab hold\n"
		 "%s%s\n"
		 "EOF\n",
		 *rule ? "add rule inet lab hold " : "", rule);
	assert_int_equal(system(command), 0);
}

#define HOLD_ACKS  "tcp dport 7001 tcp flags & (syn|ack|rst) == ack drop"
#define HOLD_ALL   "tcp sport 7001 tcp flags & (syn|ack) == syn|ack drop"
#define ALL_STATUS (IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED)

static int listen_at_7001(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(7001), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(server, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(server, 8), 0);
	return server;
}

static int connect_from_7002(bool waits)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(7002), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0), on = 1;
	int r;

	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(client, (void *)&at, sizeof(at)), 0);
	at.sin_port = htons(7001);
	r = connect(client, (void *)&at, sizeof(at));
	assert_true(waits ? r == 0 : r < 0 && errno == EINPROGRESS);
	return client;
}

static struct flow read_one(const struct flow_target *target)
{
	struct flow flow;
	bool found = false;

	assert_int_equal(ports.read_again(ports.arg, target, 1, &flow, &found), 0);
	assert_true(found);
	return flow;
}

static bool is_unchanged(const struct flow_target *target)
{
	bool sure = false;

	assert_int_equal(ports.ask_unchanged(ports.arg, target, 1, &sure), 0);
	return sure;
}

static struct flow_target only_target(void)
{
	size_t count;
	struct flow_target *targets = targets_now(&ports, &count), target;

	assert_int_equal(count, 1);
	target = *targets;
	free(targets);
	return target;
}

static void the_end_of_a_handshake_ends_being_sure(void **state)
{
	int server = listen_at_7001(), client, peer;
	struct flow_target target, as_unanswered;
	enum flow_outcome outcome;
	struct flow before, after;
	size_t count;
	char byte;

	(void)state;
	assert_int_equal(system("sysctl -qw net.netfilter.nf_conntrack_acct=1"), 0);
	hold(HOLD_ACKS);
	client = connect_from_7002(true);
	target = as_unanswered = only_target();
	assert_int_equal(target.status & ALL_STATUS, IPS_CONFIRMED | IPS_SEEN_REPLY);
	before = read_one(&target);
	assert_int_equal(before.state, FLOW_TCP_SYN_RECV);
	assert_true(before.has & FLOW_HAS_COUNTERS);
	for (int i = 0; i < 3; i++)
		assert_true(is_unchanged(&target));
	as_unanswered.status = IPS_CONFIRMED;
	assert_false(is_unchanged(&as_unanswered));
	after = read_one(&target);
	assert_int_equal(after.status, before.status);
	assert_int_equal(after.state, before.state);
	/* The server may have sent its answer again. */
	assert_in_range(after.timeout_sec, 1, 60);
	assert_int_equal(after.packets[FLOW_ORIG], before.packets[FLOW_ORIG]);
	hold("");
	assert_int_equal(send(client, "x", 1, 0), 1);
	peer = accept(server, NULL, NULL);
	assert_int_equal(recv(peer, &byte, 1, 0), 1);
	assert_false(is_unchanged(&target));
	after = read_one(&target);
	assert_int_equal(after.status & ALL_STATUS, ALL_STATUS);
	assert_int_equal(after.state, FLOW_TCP_ESTABLISHED);
	target.status = after.status;
	assert_false(is_unchanged(&target)); /* nobody is sure who was assured when read */
	assert_int_equal(ports.delete(ports.arg, &target, 1, &outcome), 0);
	assert_int_equal(outcome, FLOW_OUTCOME_DONE);
	assert_false(is_unchanged(&target));
	free(targets_now(&ports, &count));
	assert_int_equal(count, 0);
	close(peer);
	close(client);
	close(server);
}

/* Reset by the client, which begins anew on the same ports: what the question does to a life that nobody has answered
 * yet (include/flow/ports.h). The same id or not is the kernel's choice of memory. */
static void another_life_counts_as_answered_once_it_was_asked(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	int server = listen_at_7001(), client, again;
	struct flow_target target, now;

	(void)state;
	hold(HOLD_ACKS);
	client = connect_from_7002(true);
	target = only_target();
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(client);
	assert_int_equal(read_one(&target).state, FLOW_TCP_CLOSE);
	assert_true(is_unchanged(&target));
	hold(HOLD_ALL);
	again = connect_from_7002(false);
	now = only_target();
	assert_int_equal(now.status & ALL_STATUS, IPS_CONFIRMED);
	assert_true(is_unchanged(&now));
	assert_int_equal(read_one(&now).status, now.status);
	assert_true(is_unchanged(&target));
	assert_int_equal(read_one(&now).status, now.status | IPS_SEEN_REPLY);
	assert_int_equal(read_one(&now).state, FLOW_TCP_SYN_SENT);
	assert_false(is_unchanged(&now));
	hold("");
	close(again);
	close(server);
}

static void who_listens_to_updates_is_seen(void **state)
{
	int listener = nl_open();

	(void)state;
	assert_true(ports.can_ask_unchanged(ports.arg));
	nl_join(listener, NFNLGRP_CONNTRACK_DESTROY);
	assert_true(ports.can_ask_unchanged(ports.arg));
	nl_join(listener, NFNLGRP_CONNTRACK_UPDATE);
	assert_false(ports.can_ask_unchanged(ports.arg));
	close(listener);
}

static int open_lab(void **state)
{
	(void)state;
	return write_lab_open(&writer, &ports, &fd);
}

static int close_lab(void **state)
{
	(void)state;
	writer_close(writer);
	close(fd);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, empty_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_come_no_further_is_told_and_nothing_changes),
		TEST(a_reply_ends_being_sure),
		TEST(the_end_of_a_handshake_ends_being_sure),
		TEST(another_life_counts_as_answered_once_it_was_asked),
		TEST(who_listens_to_updates_is_seen),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
