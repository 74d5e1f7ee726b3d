/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority: who rises, who is struck out, who lapses, who is active. */
#include <stdlib.h>

#include "stats/seniority.h"
#include "stats_fixture.h"

#define START (1000 * SEC)

static struct seniority *make(size_t max_flows)
{
	struct seniority_config config = seniority_config_default();

	config.max_flows = max_flows;
	return seniority_new(&config);
}

static struct flow user(unsigned i)
{
	return flow_answered(TCP, IP(10, 1, 0, 2), IP(203, 0, 113, 2), (uint16_t)(1024 + i), 7000);
}

static struct flow other_source(unsigned i)
{
	return flow_answered(TCP, IP(10, 9, 0, 0) + i, IP(198, 51, 100, 9), 5000, 80);
}

static struct standing see(struct seniority *s, const struct flow *flow)
{
	struct flow_facts facts;

	flow_facts_of(flow, NULL, 0, &facts);
	return seniority_see(s, flow, &facts);
}

static struct standing see_idle(struct seniority *s, const struct flow *flow, uint32_t idle_sec)
{
	struct flow_facts facts;

	flow_facts_of(flow, NULL, 0, &facts);
	facts.has_idle = true;
	facts.idle_sec = idle_sec;
	return seniority_see(s, flow, &facts);
}

/* A whole pass over the users' first n flows at START + sec. */
static void pass(struct seniority *s, double sec, bool is_calm, unsigned n)
{
	seniority_begin(s, START + (int64_t)(sec * SEC), is_calm, 0);
	for (unsigned i = 0; i < n; i++) {
		struct flow flow = user(i);

		see(s, &flow);
	}
	seniority_end(s, true);
}

static void two_calm_passes_a_renewal_apart_make_seniors(void **state)
{
	struct seniority *s = make(1000);
	struct flow flow = user(0);

	(void)state;
	pass(s, 0, true, 10);
	assert_false(seniority_counts_get(s).is_ready);
	pass(s, 29.9, true, 10);
	assert_int_equal(seniority_counts_get(s).seniors, 0);
	pass(s, 30, true, 10);
	assert_int_equal(seniority_counts_get(s).seniors, 10);
	assert_true(seniority_counts_get(s).is_ready);
	assert_true(seniority_is_senior(s, &flow));
	flow.zone = 7; /* the same tuple in another zone is another flow */
	assert_false(seniority_is_senior(s, &flow));
	seniority_free(s);
}

static void frequent_passes_do_not_hold_anybody_back(void **state)
{
	struct seniority *s = make(1000);

	(void)state;
	for (double sec = 0; sec < 29; sec += 0.25) {
		pass(s, sec, true, 5);
		assert_int_equal(seniority_counts_get(s).seniors, 0);
	}
	for (double sec = 29; sec < 33; sec += 0.25)
		pass(s, sec, true, 5);
	assert_int_equal(seniority_counts_get(s).seniors, 5);
	seniority_free(s);
}

static void hours_without_a_pass_make_nobody_younger(void **state)
{
	struct seniority *s = make(1000);

	(void)state;
	pass(s, 0, true, 5);
	pass(s, 100000, true, 5);
	assert_int_equal(seniority_counts_get(s).seniors, 5);
	for (int i = 0; i < 400; i++) {
		pass(s, 100000 + 30 * i, true, 5);
		if (i > 2)
			seniority_surge(s, START + (int64_t)(100000 + 30 * i) * SEC);
	}
	assert_int_equal(seniority_counts_get(s).seniors, 5);
	assert_int_equal(seniority_counts_get(s).struck, 0);
	seniority_free(s);
}

static void unanswered_half_open_and_pickups_never_rise(void **state)
{
	struct seniority *s = make(1000);
	struct flow flows[] = {flow_make(UDP, 1, 2, 3, 4), flow_make(TCP, 1, 2, 3, 4),
			       flow_pickup(1, 2, 3, 5), flow_answered(TCP, 1, 2, 3, 6),
			       flow_answered(TCP, 1, 2, 3, 7)};

	(void)state;
	flows[3].state = FLOW_TCP_SYN_RECV;
	flows[4].state = FLOW_TCP_TIME_WAIT;
	for (int i = 0; i < 4; i++) {
		seniority_begin(s, START + i * 40 * SEC, true, 0);
		for (int k = 0; k < 5; k++)
			assert_false(see(s, &flows[k]).is_senior);
		seniority_end(s, true);
	}
	assert_int_equal(seniority_counts_get(s).seniors, 0);
	assert_int_equal(seniority_counts_get(s).base, 5);
	seniority_free(s);
}

static void a_surge_strikes_out_late_seniors_and_all_candidates(void **state)
{
	struct seniority *s = make(1000);
	struct flow late = other_source(1);

	(void)state;
	pass(s, 0, true, 10);
	pass(s, 30, true, 20);
	pass(s, 60, true, 30); /* 10 are senior since 30 s, 10 since now, 10 are candidates */
	assert_int_equal(seniority_counts_get(s).seniors, 20);
	seniority_begin(s, START + 61 * SEC, true, 0); /* in the middle of a pass */
	seniority_surge(s, START + 61 * SEC);
	assert_false(see(s, &late).is_base);
	seniority_end(s, false);
	assert_int_equal(seniority_counts_get(s).seniors, 10);
	assert_int_equal(seniority_counts_get(s).struck, 10);
	assert_int_equal(seniority_counts_get(s).candidates, 0);
	pass(s, 62, false, 30);
	assert_int_equal(seniority_counts_get(s).seniors, 10);
	assert_int_equal(seniority_counts_get(s).base, 30);
	pass(s, 80, true, 30); /* calm again: they begin anew */
	assert_int_equal(seniority_counts_get(s).seniors, 10);
	pass(s, 111, true, 30);
	assert_int_equal(seniority_counts_get(s).seniors, 30);
	seniority_free(s);
}

static void nobody_rises_in_a_surge_and_what_is_new_is_no_base(void **state)
{
	struct seniority *s = make(1000);
	struct flow old = user(0), new = user(100), unreplied = flow_make(UDP, 1, 2, 3, 4);

	(void)state;
	pass(s, 0, true, 1);
	for (int i = 1; i < 5; i++) {
		seniority_begin(s, START + i * 40 * SEC, false, 0);
		assert_true(see(s, &old).is_base);
		assert_false(see(s, &old).is_senior);
		assert_false(see(s, &new).is_base);
		assert_false(see(s, &unreplied).is_known);
		seniority_end(s, true);
	}
	assert_int_equal(seniority_counts_get(s).flows, 2);
	assert_int_equal(seniority_counts_get(s).base, 1);
	seniority_free(s);
}

static void what_a_complete_pass_does_not_see_is_forgotten(void **state)
{
	struct seniority *s = make(1000);

	(void)state;
	pass(s, 0, true, 10);
	pass(s, 30, true, 10);
	seniority_begin(s, START + 60 * SEC, true, 0);
	seniority_end(s, false); /* it failed */
	assert_int_equal(seniority_counts_get(s).seniors, 10);
	pass(s, 61, true, 9);
	assert_int_equal(seniority_counts_get(s).seniors, 9);
	seniority_begin(s, START + 62 * SEC, true, 0); /* never ended */
	pass(s, 63, true, 4);
	assert_int_equal(seniority_counts_get(s).seniors, 4);
	assert_int_equal(seniority_counts_get(s).lapsed, 6);
	seniority_free(s);
}

static void idle_beyond_the_floor_and_closing_lapse(void **state)
{
	struct seniority *s = make(1000);
	struct flow tcp = user(0), udp = flow_answered(UDP, 1, 2, 3, 4), closes = user(1);
	struct flow at_floor = user(2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		seniority_begin(s, START + i * 30 * SEC, true, 0);
		see_idle(s, &tcp, 0);
		see_idle(s, &udp, 0);
		see_idle(s, &closes, 0);
		see_idle(s, &at_floor, 0);
		seniority_end(s, true);
	}
	assert_int_equal(seniority_counts_get(s).seniors, 4);
	closes.state = FLOW_TCP_FIN_WAIT;
	seniority_begin(s, START + 60 * SEC, false, 0);
	assert_false(see_idle(s, &tcp, 7441).is_senior);
	assert_false(see_idle(s, &udp, 121).is_senior);
	assert_false(see_idle(s, &closes, 0).is_senior);
	assert_true(see_idle(s, &at_floor, 7440).is_senior);
	seniority_end(s, true);
	assert_int_equal(seniority_counts_get(s).seniors, 1);
	assert_int_equal(seniority_counts_get(s).base, 4);
	seniority_free(s);
}

static void seniors_of_one_source_count_up_to_its_fair_share(void **state)
{
	struct seniority *s = make(10000);
	unsigned counted[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 4; i++) {
		counted[0] = counted[1] = 0;
		seniority_begin(s, START + i * 30 * SEC, i < 2, 500);
		for (unsigned k = 0; k < 900; k++) { /* squatters: 900 of one source */
			struct flow flow = user(k);

			counted[0] += see(s, &flow).is_senior;
		}
		for (unsigned k = 0; k < 40; k++) {
			struct flow flow = other_source(k % 2);

			flow.tuple[FLOW_ORIG].sport = (uint16_t)(100 + k);
			counted[1] += see(s, &flow).is_senior;
		}
		seniority_end(s, true);
	}
	assert_int_equal(seniority_counts_get(s).fair_share, 460);
	assert_int_equal(counted[0], 460);
	assert_int_equal(counted[1], 40);
	assert_int_equal(seniority_counts_get(s).over_share, 440);
	assert_int_equal(seniority_counts_get(s).seniors, 940); /* they keep the rank */
	seniority_free(s);
}

static void adopted_flows_are_senior_and_no_surge_strikes_them(void **state)
{
	struct seniority *s = make(1000);
	struct flow flow = user(0), unassured = user(1), gone = user(2);

	(void)state;
	unassured.status &= ~(uint32_t)FLOW_STATUS_ASSURED;
	assert_true(seniority_adopt(s, &flow, START));
	assert_true(seniority_adopt(s, &flow, START));
	assert_true(seniority_adopt(s, &gone, START));
	assert_false(seniority_adopt(s, &unassured, START));
	assert_int_equal(seniority_counts_get(s).adopted, 2);
	seniority_surge(s, START);
	seniority_begin(s, START, false, 0);
	assert_true(see(s, &flow).is_senior);
	seniority_end(s, true);
	assert_true(seniority_is_senior(s, &flow));
	assert_false(seniority_is_senior(s, &gone));
	seniority_free(s);
}

/* conntrackd's CommitTimeout: 30 min to go of 5 days is no silence of 5 days. */
static void adopted_flows_do_not_lapse_by_the_timeout_they_were_given(void **state)
{
	const uint32_t five_days = 432000;
	struct seniority *s = make(1000);
	struct flow silent = user(0), busy = user(1);

	(void)state;
	seniority_adopt(s, &silent, START);
	seniority_adopt(s, &busy, START);
	for (int i = 1; i < 5; i++) {
		struct standing standing;

		seniority_begin(s, START + i * 30 * SEC, i % 2, 0);
		standing = see_idle(s, &silent, five_days - 1800 + 30 * (uint32_t)i);
		assert_true(standing.is_senior && standing.is_adopted && !standing.is_active);
		see_idle(s, &busy, 3);
		seniority_end(s, true);
	}
	/* The kernel has renewed this one: from then on its timeout tells. */
	seniority_begin(s, START + 200 * SEC, true, 0);
	assert_false(see_idle(s, &busy, 100).is_adopted);
	assert_false(see_idle(s, &busy, 7441).is_senior);
	seniority_end(s, false);
	/* A floor's length after the last adoption nobody is waited for. */
	seniority_begin(s, START + 7441 * SEC, true, 0);
	assert_false(see_idle(s, &silent, five_days - 100).is_senior);
	seniority_end(s, true);
	seniority_free(s);
}

static void a_long_timeout_of_who_was_put_in_tells_its_silence(void **state)
{
	struct seniority *s = make(1000);
	struct flow silent = user(0), fresh = user(1);
	struct standing standing;

	(void)state;
	silent.timeout_sec = 432000 - 4 * 3600; /* what is left of its life: silent for four hours */
	fresh.timeout_sec = 432000 - 60;
	seniority_adopt(s, &silent, START);
	seniority_adopt(s, &fresh, START);
	seniority_begin(s, START + SEC, false, 0);
	standing = see_idle(s, &silent, 4 * 3600);
	assert_false(standing.is_senior || standing.is_adopted);
	assert_true(standing.is_base);
	standing = see_idle(s, &fresh, 60);
	assert_true(standing.is_senior);
	seniority_end(s, true);
	seniority_free(s);
}

/* A fail-over of one NATed source beyond what may be senior (800, and 200 more as so many are adopted): the light
 * sources keep their rank, it keeps its share, all are base. */
static void a_heavy_adopted_source_counts_up_to_its_fair_share(void **state)
{
	struct seniority *s = make(10000);
	unsigned seniors = 0, light = 0;

	(void)state;
	for (unsigned i = 0; i < 1200; i++) {
		struct flow flow = user(i);

		seniority_adopt(s, &flow, START);
	}
	for (unsigned i = 0; i < 50; i++) {
		struct flow flow = other_source(i);

		seniority_adopt(s, &flow, START);
	}
	for (int round = 0; round < 2; round++) {
		seniors = light = 0;
		seniority_begin(s, START + SEC, false, 800);
		for (unsigned i = 0; i < 1200; i++) {
			struct flow flow = user(i);
			struct standing standing = see(s, &flow);

			seniors += standing.is_senior;
			assert_true(standing.is_base);
			assert_true(standing.is_senior || standing.is_over_share);
		}
		for (unsigned i = 0; i < 50; i++) {
			struct flow flow = other_source(i);

			light += see(s, &flow).is_senior;
		}
		seniority_end(s, true);
	}
	assert_int_equal(light, 50);
	assert_int_equal(seniors, 950);
	seniority_free(s);
}

/* More sources than the budget: not nobody, but as many as fit. */
static void where_sources_are_many_the_budget_is_used_up(void **state)
{
	struct seniority *s = make(10000);
	unsigned seniors = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		seniors = 0;
		seniority_begin(s, START + i * 30 * SEC, i < 2, 800);
		for (unsigned k = 0; k < 1000; k++) {
			struct flow flow = other_source(k);

			seniors += see(s, &flow).is_senior;
		}
		seniority_end(s, true);
	}
	assert_int_equal(seniority_counts_get(s).fair_share, 0);
	assert_int_equal(seniors, 800);
	assert_int_equal(seniority_counts_get(s).over_share, 200);
	seniority_free(s);
}

static void a_full_memory_lets_seniors_stay(void **state)
{
	struct seniority *s = make(300);
	unsigned seniors = 0;

	(void)state;
	pass(s, 0, true, 150);
	pass(s, 30, true, 150);
	seniority_begin(s, START + 31 * SEC, false, 0);
	for (unsigned i = 0; i < 50000; i++) {
		struct flow flow = other_source(i);

		see(s, &flow);
	}
	for (unsigned i = 0; i < 150; i++) {
		struct flow flow = user(i);

		seniors += see(s, &flow).is_senior;
	}
	seniority_end(s, true);
	assert_int_equal(seniors, 150);
	assert_true(seniority_counts_get(s).gave_way > 49000);
	assert_true(seniority_counts_get(s).flows <= 300 * 4 / 3 + 33);
	seniority_free(s);
}

static void counters_tell_who_is_active(void **state)
{
	struct seniority *s = make(1000);
	struct flow busy = user(0), one_way = user(1), silent = user(2);
	struct standing b = {0}, o = {0}, q = {0};

	(void)state;
	busy.has |= FLOW_HAS_COUNTERS;
	one_way.has |= FLOW_HAS_COUNTERS;
	silent.has |= FLOW_HAS_COUNTERS;
	for (int i = 0; i < 6; i++) {
		seniority_begin(s, START + i * SEC, false, 0);
		b = see(s, &busy);
		o = see(s, &one_way);
		q = see(s, &silent);
		seniority_end(s, true);
		assert_int_equal(b.is_active, i > 0); /* at first nobody knows */
		busy.packets[FLOW_ORIG]++;
		busy.packets[FLOW_REPLY]++;
		one_way.packets[FLOW_ORIG]++;
	}
	assert_false(o.is_active);
	assert_false(q.is_active);
	for (int i = 6; i < 12; i++) { /* busy falls silent */
		seniority_begin(s, START + i * SEC, false, 0);
		b = see(s, &busy);
		seniority_end(s, true);
	}
	assert_false(b.is_active);
	seniority_free(s);
}

static void without_counters_a_renewed_timeout_tells(void **state)
{
	struct seniority *s = make(1000);
	struct flow beats = user(0), silent = user(1);
	struct standing b = {0}, q = {0};

	(void)state;
	for (uint32_t sec = 0; sec < 20; sec++) { /* one beats every 2 s, one was born at 0 */
		seniority_begin(s, START + sec * SEC, false, 0);
		b = see_idle(s, &beats, sec % 2);
		q = see_idle(s, &silent, sec);
		seniority_end(s, true);
		assert_false(q.is_active);
		if (sec >= 4)
			assert_true(b.is_active);
	}
	seniority_free(s);
}

static void who_is_known_for_a_span_is_tried(void **state)
{
	struct seniority *s = make(1000);
	struct flow flow = user(0);
	struct standing standing;
	static const double passes[] = {0, 1, 1.9, 4, 4.1};

	(void)state;
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		seniority_begin(s, START + (int64_t)(passes[i] * SEC), false, 0);
		standing = see_idle(s, &flow, (uint32_t)passes[i] + 10);
		seniority_end(s, true);
		assert_int_equal(standing.is_tried, passes[i] >= 4);
		assert_false(standing.is_active);
	}
	pass(s, 5, true, 2); /* base is tried whenever it came */
	seniority_begin(s, START + 5 * SEC, true, 0);
	flow = user(1);
	assert_true(see(s, &flow).is_tried);
	seniority_end(s, false);
	seniority_free(s);
}

static void where_idle_is_unknown_only_base_is_believed_active(void **state)
{
	struct seniority *s = make(1000);
	struct flow base = user(0), late = user(1);

	(void)state;
	pass(s, 0, true, 1);
	for (int i = 1; i < 6; i++) {
		seniority_begin(s, START + i * 3 * SEC, false, 0);
		assert_true(see(s, &base).is_active);
		assert_false(see(s, &late).is_active);
		seniority_end(s, true);
	}
	seniority_free(s);
}

/* With random births, deaths and surges. */
struct model {
	bool lives;
	int64_t candidate_since, senior_since; /* 0: not */
};

static void random_lives_agree_with_a_plain_list(void **state)
{
	enum { FLOWS = 200 };
	struct model model[FLOWS] = {{0}};
	struct seniority *s = make(1000);
	uint64_t random = 4711;
	int64_t now = START;

	(void)state;
	for (int round = 0; round < 600; round++) {
		bool calm = random_next(&random) % 4 != 0;

		/* More than a generation apart: times are exact. */
		now += (int64_t)(2 * SEC + random_next(&random) % (20 * SEC));
		if (!calm) {
			seniority_surge(s, now);
			for (int i = 0; i < FLOWS; i++) {
				model[i].candidate_since = 0;
				if (now - model[i].senior_since < 30 * SEC)
					model[i].senior_since = 0;
			}
		}
		seniority_begin(s, now, calm, 0);
		for (int i = 0; i < FLOWS; i++) {
			struct flow flow = user((unsigned)i);
			bool is_senior;

			if (random_next(&random) % 10 == 0)
				model[i] = (struct model){.lives = !model[i].lives};
			if (!model[i].lives)
				continue;
			if (calm && !model[i].senior_since) {
				if (!model[i].candidate_since)
					model[i].candidate_since = now;
				else if (now - model[i].candidate_since >= 30 * SEC)
					model[i].senior_since = now;
			}
			is_senior = see(s, &flow).is_senior;
			assert_int_equal(is_senior, model[i].senior_since != 0);
		}
		seniority_end(s, true);
	}
	seniority_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_calm_passes_a_renewal_apart_make_seniors),
		cmocka_unit_test(frequent_passes_do_not_hold_anybody_back),
		cmocka_unit_test(hours_without_a_pass_make_nobody_younger),
		cmocka_unit_test(unanswered_half_open_and_pickups_never_rise),
		cmocka_unit_test(a_surge_strikes_out_late_seniors_and_all_candidates),
		cmocka_unit_test(nobody_rises_in_a_surge_and_what_is_new_is_no_base),
		cmocka_unit_test(what_a_complete_pass_does_not_see_is_forgotten),
		cmocka_unit_test(idle_beyond_the_floor_and_closing_lapse),
		cmocka_unit_test(seniors_of_one_source_count_up_to_its_fair_share),
		cmocka_unit_test(adopted_flows_are_senior_and_no_surge_strikes_them),
		cmocka_unit_test(adopted_flows_do_not_lapse_by_the_timeout_they_were_given),
		cmocka_unit_test(a_long_timeout_of_who_was_put_in_tells_its_silence),
		cmocka_unit_test(a_heavy_adopted_source_counts_up_to_its_fair_share),
		cmocka_unit_test(where_sources_are_many_the_budget_is_used_up),
		cmocka_unit_test(a_full_memory_lets_seniors_stay),
		cmocka_unit_test(counters_tell_who_is_active),
		cmocka_unit_test(without_counters_a_renewed_timeout_tells),
		cmocka_unit_test(who_is_known_for_a_span_is_tried),
		cmocka_unit_test(where_idle_is_unknown_only_base_is_believed_active),
		cmocka_unit_test(random_lives_agree_with_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
