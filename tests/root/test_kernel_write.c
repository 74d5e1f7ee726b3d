/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer on real entries in a namespace of its own: by ctnetlink, and by packets of every kind
 * of protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"
#include "write_lab.h"

static struct writer *writer;
static struct flow_ports ports;
static int fd; /* the lab's socket */

static void delete_all_targets(const struct flow_target *targets, size_t count,
			       enum flow_outcome *outcomes)
{
	for (size_t i = 0; i < count; i += FLOW_BATCH_MAX) {
		size_t n = count - i < FLOW_BATCH_MAX ? count - i : FLOW_BATCH_MAX;

		assert_int_equal(ports.delete(ports.arg, targets + i, n, outcomes + i), 0);
	}
}

static size_t count_of(const enum flow_outcome *outcomes, size_t count, enum flow_outcome which)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += outcomes[i] == which;
	return n;
}

static int empty_table(void **state)
{
	(void)state;
	return write_lab_empty(&ports);
}

static struct flow_target *random_table(unsigned tries, size_t *ret_count)
{
	uint64_t seed = 5;
	unsigned created = 0;
	struct flow_target *targets;

	for (unsigned i = 0; i < tries; i++) {
		struct lab_entry e = lab_random(&seed);
		int error = lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL);

		assert_true(!error || error == EEXIST);
		created += !error;
	}
	targets = targets_now(&ports, ret_count);
	assert_int_equal(*ret_count, created);
	return targets;
}

/* ---- delete ---- */

static void exactly_the_entries_named_are_deleted(void **state)
{
	size_t count, left, half;
	struct flow_target *targets = random_table(3000, &count), *now;
	struct flow_target *odd = mem_array(count, sizeof(*odd));
	enum flow_outcome *outcomes = mem_array(count, sizeof(*outcomes));
	uint64_t entries;

	(void)state;
	half = count / 2;
	for (size_t i = 0; i < half; i++)
		odd[i] = targets[2 * i + 1];
	delete_all_targets(odd, half, outcomes);
	assert_int_equal(count_of(outcomes, half, FLOW_OUTCOME_DONE), half);
	now = targets_now(&ports, &left);
	assert_int_equal(left, count - half);
	for (size_t i = 0; i < left; i++)
		assert_memory_equal(&now[i].orig, &targets[2 * i].orig, sizeof(now[i].orig));
	assert_int_equal(ports.count(ports.arg, &entries), 0);
	assert_int_equal(entries, left);
	/* A second time: every one is gone, none of the others is hit. */
	delete_all_targets(odd, half, outcomes);
	assert_int_equal(count_of(outcomes, half, FLOW_OUTCOME_GONE), half);
	free(now);
	now = targets_now(&ports, &left);
	assert_int_equal(left, count - half);
	/* Mixed: gone ones and live ones in one batch, each with its own outcome. */
	delete_all_targets(targets, count, outcomes);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(outcomes[i],
				 i % 2 && i < 2 * half ? FLOW_OUTCOME_GONE : FLOW_OUTCOME_DONE);
	assert_int_equal(ports.count(ports.arg, &entries), 0);
	assert_int_equal(entries, 0);
	free(now);
	free(odd);
	free(outcomes);
	free(targets);
}

static void another_life_of_the_tuple_is_left_alone(void **state)
{
	struct lab_entry e = lab_udp(1);
	struct flow_target *target, other;
	enum flow_outcome outcome;
	struct flow flow;
	size_t count;
	bool found;

	(void)state;
	assert_int_equal(lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL), 0);
	target = targets_now(&ports, &count);
	assert_int_equal(count, 1);
	other = *target;
	other.id ^= 1;
	assert_int_equal(ports.read_again(ports.arg, &other, 1, &flow, &found), 0);
	assert_false(found);
	assert_int_equal(ports.delete(ports.arg, &other, 1, &outcome), 0);
	assert_int_equal(outcome, FLOW_OUTCOME_GONE);
	assert_int_equal(ports.read_again(ports.arg, target, 1, &flow, &found), 0);
	assert_true(found);
	free(target);
}

static void equal_tuples_in_several_zones_are_told_apart(void **state)
{
	/* Both directions in zone 3; original in 5 only; reply in 6 only: its original tuple is in
	 * zone 0. */
	static const struct {
		uint16_t both, orig, reply;
	} zones[] = {{3, 0, 0}, {0, 5, 0}, {0, 0, 6}, {4, 0, 0}};
	struct flow_target *all, *left;
	enum flow_outcome outcome;
	size_t count;

	(void)state;
	for (size_t victim = 0; victim < 4; victim++) {
		for (size_t i = 0; i < 4; i++) {
			struct lab_entry e = lab_udp(1);

			e.zone = zones[i].both;
			e.zone_orig = zones[i].orig;
			e.zone_reply = zones[i].reply;
			/* Reply tuples of the ones zoned by original direction would meet in zone
			 * 0. */
			e.reply.sport = (uint16_t)(60 + i);
			assert_int_equal(lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL), 0);
		}
		all = targets_now(&ports, &count);
		assert_int_equal(count, 4);
		assert_int_equal(ports.delete(ports.arg, &all[victim], 1, &outcome), 0);
		assert_int_equal(outcome, FLOW_OUTCOME_DONE);
		left = targets_now(&ports, &count);
		assert_int_equal(count, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(left[i].zone, all[i + (i >= victim)].zone);
			assert_int_equal(left[i].zone_reply, all[i + (i >= victim)].zone_reply);
		}
		free(all);
		free(left);
		assert_int_equal(empty_table(NULL), 0);
	}
}

/* ---- second reading ---- */

static void a_second_reading_tells_who_is_left(void **state)
{
	size_t count;
	struct flow_target *targets = random_table(1000, &count);
	struct flow flows[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];

	(void)state;
	assert_true(count > FLOW_BATCH_MAX);
	assert_int_equal(ports.delete(ports.arg, targets + 10, 50, outcomes), 0);
	assert_int_equal(ports.read_again(ports.arg, targets, FLOW_BATCH_MAX, flows, found), 0);
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++) {
		assert_int_equal(found[i], i < 10 || i >= 60);
		if (found[i])
			assert_true(flow_target_is(&targets[i], &flows[i]) &&
				    flows[i].has & FLOW_HAS_REPLY);
	}
	free(targets);
}

/* ---- timeouts ---- */

static void timeouts_are_set_and_nothing_is_created(void **state)
{
	size_t count, left;
	struct flow_target *targets = random_table(1000, &count);
	struct flow_timeout_change changes[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];

	(void)state;
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++)
		changes[i] =
			(struct flow_timeout_change){.timeout_sec = 100000 + 1000 * (uint32_t)i};
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, FLOW_BATCH_MAX, outcomes),
			 0);
	assert_int_equal(count_of(outcomes, FLOW_BATCH_MAX, FLOW_OUTCOME_DONE), FLOW_BATCH_MAX);
	assert_int_equal(ports.read_again(ports.arg, targets, FLOW_BATCH_MAX, flows, found), 0);
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++) {
		assert_true(found[i]);
		assert_in_range(flows[i].timeout_sec, changes[i].timeout_sec - 900,
				changes[i].timeout_sec);
		assert_int_equal(flows[i].status, targets[i].status);
	}
	/* Vanished ones. */
	assert_int_equal(ports.delete(ports.arg, targets, FLOW_BATCH_MAX, outcomes), 0);
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, FLOW_BATCH_MAX, outcomes),
			 0);
	assert_int_equal(count_of(outcomes, FLOW_BATCH_MAX, FLOW_OUTCOME_GONE), FLOW_BATCH_MAX);
	free(targets);
	targets = targets_now(&ports, &left);
	assert_int_equal(left, count - FLOW_BATCH_MAX);
	free(targets);
}

static void a_fixed_timeout_is_set_once(void **state)
{
	struct lab_entry e[4];
	struct flow_target *targets, stale[4];
	struct flow_timeout_change changes[4];
	enum flow_outcome outcomes[4];
	struct flow flows[4];
	bool found[4];
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		e[i] = lab_udp(i);
		e[i].status |= i & 1 ? IPS_SEEN_REPLY | IPS_ASSURED : 0;
		assert_int_equal(lab_create(fd, &e[i], NLM_F_CREATE | NLM_F_EXCL), 0);
		changes[i] = (struct flow_timeout_change){.timeout_sec = 5000, .is_fixed = true};
	}
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 4);
	memcpy(stale, targets, sizeof(stale));
	/* A reply that comes between the reading and the change. */
	e[2].status |= IPS_SEEN_REPLY;
	assert_int_equal(lab_create(fd, &e[2], 0), 0);
	assert_int_equal(ports.set_timeout(ports.arg, stale, changes, 4, outcomes), 0);
	assert_int_equal(count_of(outcomes, 4, FLOW_OUTCOME_DONE), 4);
	assert_int_equal(ports.read_again(ports.arg, targets, 4, flows, found), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(found[i]);
		assert_in_range(flows[i].timeout_sec, 4000, 5000);
		assert_int_equal(flows[i].status, (i == 2 ? IPS_SEEN_REPLY : 0) |
							  targets[i].status | IPS_FIXED_TIMEOUT);
		changes[i] = (struct flow_timeout_change){.timeout_sec = 9000, .is_fixed = i == 0};
	}
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, 4, outcomes), 0);
	assert_int_equal(count_of(outcomes, 4, FLOW_OUTCOME_REFUSED), 4);
	assert_int_equal(ports.read_again(ports.arg, targets, 4, flows, found), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(flows[i].timeout_sec, 1, 5000);
	free(targets);
}

static void a_sweep_evicts_what_has_expired(void **state)
{
	struct flow_timeout_change changes[100] = {{0}};
	enum flow_outcome outcomes[100];
	struct flow_target *targets;
	uint64_t entries;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		struct lab_entry e = lab_udp(i);

		assert_int_equal(lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL), 0);
	}
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 150);
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, 100, outcomes), 0);
	assert_int_equal(count_of(outcomes, 100, FLOW_OUTCOME_DONE), 100);
	assert_int_equal(ports.sweep(ports.arg), 0);
	assert_int_equal(ports.count(ports.arg, &entries), 0);
	assert_int_equal(entries, 50);
	free(targets);
}

/* ---- bad days ---- */

/* 128 errors do not fit the smallest receive buffer: some are lost, and told nevertheless. */
static void lost_answers_are_asked_for_again(void **state)
{
	size_t count;
	struct flow_target *targets = random_table(1000, &count);
	struct flow_timeout_change changes[FLOW_BATCH_MAX] = {{.timeout_sec = 77777}};
	struct flow flows[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX];
	uint64_t lost = write_lab_shrink(writer), entries;

	(void)state;
	assert_true(count > FLOW_BATCH_MAX);
	assert_int_equal(ports.read_again(ports.arg, targets, FLOW_BATCH_MAX, flows, found), 0);
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++)
		assert_true(found[i] && flow_target_is(&targets[i], &flows[i]));
	assert_true(write_lab_lost(writer) > lost);
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++)
		targets[i].id ^= i % 8 ? 1 : 0; /* seven of eight are another life */
	lost = write_lab_lost(writer);
	assert_int_equal(ports.delete(ports.arg, targets, FLOW_BATCH_MAX, outcomes), 0);
	assert_true(write_lab_lost(writer) > lost);
	/* A first sending that was lost may have deleted it: gone as asked. One that stays is never
	 * "done". */
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++)
		assert_true(i % 8 ? outcomes[i] != FLOW_OUTCOME_REFUSED
				  : outcomes[i] == FLOW_OUTCOME_DONE);
	for (size_t i = 0; i < FLOW_BATCH_MAX; i++)
		changes[i].timeout_sec = 77777;
	lost = write_lab_lost(writer);
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, FLOW_BATCH_MAX, outcomes),
			 0);
	assert_int_equal(count_of(outcomes, FLOW_BATCH_MAX, FLOW_OUTCOME_GONE), FLOW_BATCH_MAX / 8);
	assert_int_equal(count_of(outcomes, FLOW_BATCH_MAX, FLOW_OUTCOME_DONE),
			 FLOW_BATCH_MAX - FLOW_BATCH_MAX / 8);
	assert_int_equal(ports.count(ports.arg, &entries), 0);
	assert_int_equal(entries, count - FLOW_BATCH_MAX / 8);
	write_lab_restore(writer);
	free(targets);
}

static void without_the_right_nothing_is_claimed(void **state)
{
	struct lab_entry e = lab_udp(1), e2 = lab_udp(2);
	struct flow_target *targets;
	size_t count;
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL), 0);
	assert_int_equal(lab_create(fd, &e2, NLM_F_CREATE | NLM_F_EXCL), 0);
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 2);
	child = fork();
	if (!child) {
		struct flow_timeout_change changes[2] = {{1, false}, {1, false}};
		enum flow_outcome outcomes[2];
		struct writer *other;
		struct flow flows[2];
		bool found[2];

		if (setresuid(65534, 65534, 65534))
			_exit(1);
		if (writer_open(NULL, &other) != -EPERM)
			_exit(2);
		if (ports.delete(ports.arg, targets, 2, outcomes) != -EPERM ||
		    count_of(outcomes, 2, FLOW_OUTCOME_UNKNOWN) != 2)
			_exit(3);
		if (ports.set_timeout(ports.arg, targets, changes, 2, outcomes) != -EPERM ||
		    count_of(outcomes, 2, FLOW_OUTCOME_UNKNOWN) != 2)
			_exit(4);
		if (ports.read_again(ports.arg, targets, 2, flows, found) != -EPERM)
			_exit(5);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	free(targets);
	targets = targets_now(&ports, &count);
	assert_int_equal(count, 2);
	free(targets);
}

/* ---- packets of every kind ---- */

static void entries_made_by_packets_of_every_protocol_obey(void **state)
{
	struct flow_timeout_change changes[FLOW_BATCH_MAX];
	enum flow_outcome outcomes[FLOW_BATCH_MAX];
	struct flow flows[FLOW_BATCH_MAX];
	bool found[FLOW_BATCH_MAX], sure[FLOW_BATCH_MAX];
	struct flow_target *targets, unanswered[FLOW_BATCH_MAX];
	bool seen[256] = {false};
	unsigned orig_only = 0, reply_only = 0;
	size_t count, left;

	(void)state;
	write_lab_send_packets();
	targets = targets_now(&ports, &count);
	assert_in_range(count, 10, FLOW_BATCH_MAX);
	for (size_t i = 0; i < count; i++) {
		seen[targets[i].orig.protocol] = true;
		orig_only += targets[i].zone && !targets[i].zone_reply;
		reply_only += !targets[i].zone && targets[i].zone_reply;
		changes[i].timeout_sec = 12345;
		changes[i].is_fixed = i % 2;
	}
	for (size_t i = 0; i < WRITE_LAB_PROTOCOLS; i++)
		if (!seen[write_lab_protocols[i]])
			fail_msg("no entry of protocol %u", write_lab_protocols[i]);
	assert_true(orig_only && reply_only);
	for (size_t i = 0; i < count; i++) {
		unanswered[i] = targets[i];
		unanswered[i].status = 0;
	}
	assert_int_equal(ports.ask_unchanged(ports.arg, unanswered, count, sure), 0);
	assert_int_equal(ports.read_again(ports.arg, targets, count, flows, found), 0);
	for (size_t i = 0; i < count; i++) {
		/* Replies may still have come. */
		assert_false(sure[i] && targets[i].status & IPS_SEEN_REPLY);
		assert_true(sure[i] || !found[i] || flows[i].status & IPS_SEEN_REPLY);
	}
	assert_int_equal(ports.set_timeout(ports.arg, targets, changes, count, outcomes), 0);
	assert_int_equal(count_of(outcomes, count, FLOW_OUTCOME_DONE), count);
	assert_int_equal(ports.read_again(ports.arg, targets, count, flows, found), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(found[i]);
		assert_in_range(flows[i].timeout_sec, 11000, 12345);
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ports.delete(ports.arg, &targets[i], 1, outcomes), 0);
		if (outcomes[0] != FLOW_OUTCOME_DONE)
			fail_msg("protocol %u family %u zone %u/%u: %d", targets[i].orig.protocol,
				 targets[i].orig.family, targets[i].zone, targets[i].zone_reply,
				 outcomes[0]);
		free(targets_now(&ports, &left));
		assert_int_equal(left, count - i - 1);
	}
	print_message(
		"%zu entries by packets, %u zoned in the original direction, %u in the reply's\n",
		count, orig_only, reply_only);
	free(targets);
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
		TEST(exactly_the_entries_named_are_deleted),
		TEST(another_life_of_the_tuple_is_left_alone),
		TEST(equal_tuples_in_several_zones_are_told_apart),
		TEST(a_second_reading_tells_who_is_left),
		TEST(timeouts_are_set_and_nothing_is_created),
		TEST(a_fixed_timeout_is_set_once),
		TEST(a_sweep_evicts_what_has_expired),
		TEST(lost_answers_are_asked_for_again),
		TEST(without_the_right_nothing_is_claimed),
		TEST(entries_made_by_packets_of_every_protocol_obey),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
