/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Half-open victims: asked for the end of the handshake instead of being read again, and only where nothing else could
 * have changed what was decided. */
#include "action_guard_world.h"

#include "base/clock.h"

#define FLOOD 12000
#define TAKEN 5000
#define DESTINATION(i) (IP(198, 51, 100, 0) + (i) % 256)

static struct guard_outcome outcome;

static void half_open(struct world *w, uint16_t dport, uint32_t status)
{
	renew(w);
	renew(w);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct flow flow = flow_make(TCP, IP(10, 9, 0, 0) + i % 4096, DESTINATION(i),
					     (uint16_t)(2024 + i / 4096), dport);

		flow.state = FLOW_TCP_SYN_RECV;
		flow.status |= status;
		flow.timeout_sec = 59;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
	w->table.is_calm = false;
	w->fake->reads = w->fake->asks = w->fake->scans = 0;
}

static void take_half_open(struct world *w)
{
	half_open(w, 80, FLOW_STATUS_SEEN_REPLY);
	round_at(w, LEVEL_WARNING, TAKEN, TAKEN, &outcome);
}

static void who_is_half_open_is_asked(void **state)
{
	struct world *w = *state;

	take_half_open(w);
	assert_int_equal(outcome.record.done, TAKEN);
	assert_int_equal(outcome.record.classes[FLOW_CLASS_HALF_OPEN], TAKEN);
	assert_true(w->fake->asks > 0);
	assert_int_equal(w->fake->reads, 0);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void end_handshakes(struct fake *fake)
{
	for (size_t i = 0; i < fake->count; i++) {
		fake->flows[i].status |= FLOW_STATUS_ASSURED;
		fake->flows[i].state = FLOW_TCP_ESTABLISHED;
	}
}

static void who_ended_the_handshake_meanwhile_lives(void **state)
{
	struct world *w = *state;

	w->fake->on_read = end_handshakes;
	take_half_open(w);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(outcome.record.gone, TAKEN);
	assert_true(w->fake->asks > 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

static void close_all(struct fake *fake)
{
	for (size_t i = 0; i < fake->count; i++) {
		fake->flows[i].state = FLOW_TCP_CLOSE;
		fake->flows[i].timeout_sec = 9;
	}
}

static void who_was_reset_meanwhile_goes_as_well(void **state)
{
	struct world *w = *state;

	w->fake->on_read = close_all;
	take_half_open(w);
	assert_int_equal(outcome.record.done, TAKEN);
	assert_int_equal(w->fake->reads, 0);
}

static void whom_its_end_protects_lives(void **state)
{
	struct flow_filter *closed = fake_filter(FILTER_STATE, "CLOSE");
	struct protect *protect = protect_new();
	struct world *w = *state;

	assert_int_equal(flow_filter_finish(closed, NULL), 0);
	assert_int_equal(protect_add(protect, closed, "closed"), 0);
	w->table.protect = protect;
	w->fake->on_read = close_all;
	take_half_open(w);
	assert_int_equal(outcome.record.done, 0);
	assert_int_equal(w->fake->asks, 0);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
	protect_free(protect);
}

/* ---- by what it was when it was read ---- */

static void answer_all(struct fake *fake)
{
	for (size_t i = 0; i < fake->count; i++)
		fake->flows[i].status |= FLOW_STATUS_SEEN_REPLY;
}

/* Put in by user space. Protected from the answer on. */
static void who_had_no_answer_is_asked_for_that(void **state)
{
	struct world *w = *state;

	half_open(w, 179, 0);
	w->fake->on_read = answer_all;
	round_at(w, LEVEL_WARNING, TAKEN, TAKEN, &outcome);
	assert_true(w->fake->asks > 0);
	assert_int_equal(outcome.record.gone, TAKEN);
	assert_int_equal(alive(w, 0, w->fake->count), w->fake->count);
}

static void the_question_changes_nothing(void **state)
{
	struct world *w = *state;

	half_open(w, 80, 0);
	w->fake->fail_write = 1;
	w->fake->write_error = -ENOBUFS;
	struct policy_decision decision = decide(w, TAKEN, LEVEL_WARNING);

	guard_round(w->guard, &w->table, &decision, 1, &outcome);
	policy_decision_done(&decision);
	assert_int_equal(outcome.record.error, -ENOBUFS);
	assert_true(w->fake->asks > 0);
	for (size_t i = w->honest; i < w->fake->count; i++)
		assert_int_equal(w->fake->flows[i].status, 0);
}

/* ---- how long ago it was read ---- */

static int64_t pass_ns;

static int scan_slowly(void *arg, const struct flow_filter *filter, const struct flow_filter_context *context,
		       flow_scan_fn *fn, void *fn_arg, struct flow_scan_report *ret_report)
{
	int result = fake_scan(arg, filter, context, fn, fn_arg, ret_report);

	now_ns += pass_ns;
	return result;
}

static void take_after(struct world *w, int64_t ns)
{
	half_open(w, 80, FLOW_STATUS_SEEN_REPLY);
	pass_ns = ns;
	w->fake->ports.scan = scan_slowly;
	round_at(w, LEVEL_WARNING, TAKEN, TAKEN, &outcome);
	assert_int_equal(outcome.record.done, TAKEN);
}

static void who_was_read_just_now_is_asked(void **state)
{
	struct world *w = *state;

	take_after(w, 2 * SEC - 1);
	assert_true(w->fake->asks > 0);
	assert_int_equal(w->fake->reads, 0);
}

static void who_was_read_long_ago_is_read_again(void **state)
{
	struct world *w = *state;

	take_after(w, 2 * SEC);
	assert_int_equal(w->fake->asks, 0);
	assert_true(w->fake->reads > 0);
}

static size_t alive_to(const struct world *w, uint32_t destination)
{
	size_t count = 0;

	for (uint32_t i = 0; i < FLOOD; i++)
		count += w->fake->alive[w->honest + i] && DESTINATION(i) == destination;
	return count;
}

/* A crowd or a flood, nobody knows yet: the next round takes what the pass of this one chose, half-open ones first. By
 * then an address has come to this host. */
static void whom_an_earlier_pass_chose_is_read_again(void **state)
{
	struct addr own = {.family = AF_INET, .bytes = {198, 51, 100, 7}};
	struct world *w = *state;
	size_t before, others;

	half_open(w, 80, FLOW_STATUS_SEEN_REPLY);
	attack(w, FLOOD, true, 4096);
	round_at(w, LEVEL_WARNING, FLOOD - 1000, 1000, &outcome);
	assert_int_equal(outcome.record.done, 1000);
	before = alive_to(w, DESTINATION(7));
	others = alive(w, w->honest, w->fake->count);
	w->fake->scans = w->fake->asks = 0;
	now_ns += 300 * NS_PER_MS;
	w->table.own = &own;
	w->table.own_count = 1;
	round_at(w, LEVEL_WARNING, FLOOD - 2000, 4000, &outcome);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_RESERVE);
	assert_int_equal(w->fake->asks, 0);
	assert_true(outcome.record.gone > 0);
	assert_int_equal(outcome.record.classes[FLOW_CLASS_HALF_OPEN], 4000);
	assert_int_equal(outcome.record.done + outcome.record.gone, 4000);
	assert_int_equal(alive(w, w->honest, w->fake->count), others - outcome.record.done);
	assert_int_equal(alive_to(w, DESTINATION(7)), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_half_open_is_asked),
		TEST(who_ended_the_handshake_meanwhile_lives),
		TEST(who_was_reset_meanwhile_goes_as_well),
		TEST(whom_its_end_protects_lives),
		TEST(who_had_no_answer_is_asked_for_that),
		TEST(the_question_changes_nothing),
		TEST(who_was_read_just_now_is_asked),
		TEST(who_was_read_long_ago_is_read_again),
		TEST(whom_an_earlier_pass_chose_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
