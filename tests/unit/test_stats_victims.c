/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims: the order, what is spared and why, and fairness against stats/fairness. */
#include <netinet/in.h>

#include "stats_world.h"
#include "stats/fairness.h"

struct bench {
	struct victims_config config;
	struct victims *victims;
	struct victims_report report;
	size_t count;
	const struct victim *list;
};

static struct bench bench_start(enum victim_stage deepest, size_t max)
{
	struct bench b = {.config = want(max)};

	b.config.deepest = deepest;
	b.victims = victims_new(&b.config);
	return b;
}

static void offer(struct bench *b, struct flow flow, uint32_t idle_sec, struct standing standing)
{
	struct flow_facts facts;

	flow_facts_of(&flow, NULL, 0, &facts);
	facts.has_idle = idle_sec != UINT32_MAX;
	facts.idle_sec = facts.has_idle ? idle_sec : 0;
	victims_offer(b->victims, &flow, &facts, &standing, false);
}

static void finish(struct bench *b)
{
	b->list = victims_finish(b->victims, &b->count, &b->report);
}

static struct flow tcp_in(uint8_t state, uint16_t sport)
{
	struct flow flow = flow_answered(TCP, USERS, SERVER, sport, 80);

	flow.state = state;
	return flow;
}

static void classes_go_worst_first_and_seniors_last(void **state)
{
	const struct standing none = {0}, senior = {.is_senior = true, .is_base = true},
			      active = {.is_active = true, .is_base = true},
			      base = {.is_base = true};
	static const enum flow_class order[] = {FLOW_CLASS_UNREPLIED,	FLOW_CLASS_PICKUP,
						FLOW_CLASS_HALF_OPEN,	FLOW_CLASS_CLOSING,
						FLOW_CLASS_REPLIED,	FLOW_CLASS_STREAM,
						FLOW_CLASS_ESTABLISHED, FLOW_CLASS_UNREPLIED,
						FLOW_CLASS_STREAM,	FLOW_CLASS_ESTABLISHED,
						FLOW_CLASS_ESTABLISHED, FLOW_CLASS_ESTABLISHED,
						FLOW_CLASS_ESTABLISHED};
	struct bench b = bench_start(VICTIM_SENIOR, 100);
	struct flow replied = flow_answered(UDP, USERS, SERVER, 6, 53);

	(void)state;
	replied.status = FLOW_STATUS_SEEN_REPLY;
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 12), 9, senior);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 11), 9, active);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 13), 9, base);
	offer(&b, flow_make(UDP, USERS, SERVER, 10, 1), 0, none); /* young */
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 9), 9, none);
	offer(&b, flow_answered(UDP, USERS, SERVER, 8, 1), 9, none);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 7), 7441, none);
	offer(&b, flow_answered(UDP, USERS, SERVER, 6, 1), 121, none);
	offer(&b, replied, 9, none);
	offer(&b, tcp_in(FLOW_TCP_TIME_WAIT, 4), 9, none);
	offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 3), 9, none);
	offer(&b, flow_pickup(USERS, SERVER, 2, 1), 9, none);
	offer(&b, flow_make(UDP, USERS, SERVER, 1, 1), 9, none);
	finish(&b);
	assert_int_equal(b.count, 13);
	for (size_t i = 0; i < 13; i++)
		assert_int_equal(b.list[i].class, order[i]);
	assert_int_equal(b.list[9].stage, VICTIM_SPARED_YOUNG);
	assert_int_equal(b.list[10].stage, VICTIM_BASE);
	assert_int_equal(b.list[11].stage, VICTIM_ACTIVE);
	assert_int_equal(b.list[12].stage, VICTIM_SENIOR);
	victims_free(b.victims);
}

static void what_is_deeper_than_asked_is_spared_with_its_reason(void **state)
{
	const struct standing none = {0}, senior = {.is_senior = true},
			      active = {.is_active = true};
	struct bench b = bench_start(VICTIM_IDLE, 100), shallow = bench_start(VICTIM_UNANSWERED, 9);

	(void)state;
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 1), 9000, senior);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 2), 9000, active);
	offer(&b, flow_make(UDP, USERS, SERVER, 3, 1), 2, none);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 4), 7440, none);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 5), UINT32_MAX, (struct standing){.is_base = true});
	finish(&b);
	assert_int_equal(b.count, 0);
	assert_int_equal(b.report.spared[VICTIM_SPARED_SENIOR], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_ACTIVE], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_YOUNG_FLOW], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_FLOOR], 2);
	assert_int_equal(b.report.candidates[VICTIM_YOUNGER], 1);
	assert_int_equal(b.report.candidates[VICTIM_BASE], 1);
	assert_int_equal(b.report.offered, 5);
	offer(&shallow, tcp_in(FLOW_TCP_ESTABLISHED, 1), 9000, none);
	finish(&shallow);
	assert_int_equal(shallow.report.spared[VICTIM_SPARED_DEEPER], 1);
	victims_free(b.victims);
	victims_free(shallow.victims);
}

static void age_unknown_is_young_and_idle_is_a_lower_bound_of_it(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 100);
	struct flow flow = flow_make(UDP, USERS, SERVER, 1, 1);
	struct flow_facts facts = {.class = FLOW_CLASS_UNREPLIED};
	const struct standing none = {0};

	(void)state;
	offer(&b, flow, UINT32_MAX, none); /* nothing is known */
	offer(&b, flow, 2, none);
	facts.has_age = facts.has_idle = true;
	facts.idle_sec = facts.age_sec = 2;
	victims_offer(b.victims, &flow, &facts, &none, false);
	facts.idle_sec = 0;
	facts.age_sec = 3; /* a sender that goes on without an answer */
	victims_offer(b.victims, &flow, &facts, &none, false);
	offer(&b, flow, 3, none);
	offer(&b, flow, UINT32_MAX, (struct standing){.is_base = true});
	finish(&b);
	assert_int_equal(b.report.spared[VICTIM_SPARED_YOUNG_FLOW], 3);
	assert_int_equal(b.count, 3);
	victims_free(b.victims);
}

static void kinds_that_are_left_alone(void **state)
{
	const struct standing none = {0};
	struct bench b = bench_start(VICTIM_SENIOR, 100);
	struct flow offloaded = tcp_in(FLOW_TCP_ESTABLISHED, 1), unknown = tcp_in(0, 2);
	struct flow sctp = flow_answered(IPPROTO_SCTP, USERS, SERVER, 3, 4);
	struct flow loop = flow_make(UDP, IP(127, 0, 0, 1), IP(127, 0, 0, 1), 5, 6);
	struct flow loop6 = {.has = FLOW_HAS_STATUS};

	(void)state;
	offloaded.status |= FLOW_STATUS_OFFLOAD;
	unknown.has = 0;
	sctp.has |= FLOW_HAS_STATE;
	sctp.state = 4;
	loop6.tuple[FLOW_ORIG].family = AF_INET6;
	loop6.tuple[FLOW_ORIG].protocol = UDP;
	loop6.tuple[FLOW_ORIG].src[15] = loop6.tuple[FLOW_ORIG].dst[15] = 1;
	offer(&b, offloaded, 9000, none);
	offer(&b, unknown, 9000, none);
	offer(&b, sctp, 9000, none);
	offer(&b, loop, 9000, none);
	offer(&b, loop6, 9000, none);
	finish(&b);
	assert_int_equal(b.count, 0);
	assert_int_equal(b.report.spared[VICTIM_SPARED_OFFLOADED], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_UNKNOWN], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_SCTP], 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_LOOPBACK], 2);
	b.config.takes_sctp = b.config.takes_loopback = true;
	victims_reset(b.victims, &b.config);
	offer(&b, offloaded, 9000, none);
	offer(&b, sctp, 9000, none);
	offer(&b, loop, 9000, none);
	finish(&b);
	assert_int_equal(b.count, 2);
	victims_free(b.victims);
}

static bool protects_even_ports(const struct flow *flow, void *arg)
{
	++*(unsigned *)arg;
	return flow->tuple[FLOW_ORIG].sport % 2 == 0;
}

static void protected_flows_go_never_and_cost_no_budget(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 40);
	unsigned asked = 0;

	(void)state;
	b.config.is_protected = protects_even_ports;
	b.config.protected_arg = &asked;
	victims_reset(b.victims, &b.config);
	for (uint16_t i = 0; i < 100; i++)
		offer(&b, flow_make(UDP, USERS, SERVER, i, 1), 9, (struct standing){0});
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 1), 9, (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 40);
	for (size_t i = 0; i < b.count; i++)
		assert_int_equal(b.list[i].sport % 2, 1);
	assert_int_equal(b.report.spared[VICTIM_SPARED_PROTECTED], 50);
	assert_int_equal(asked, 100); /* not for what is spared anyway */
	victims_free(b.victims);
}

static void the_master_of_a_living_flow_is_spared(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 10);
	struct flow control = flow_answered(TCP, USERS, SERVER, 5000, 21), child, other = control;

	(void)state;
	other.tuple[FLOW_ORIG].sport = 5001;
	child = flow_answered(TCP, SERVER, USERS, 20, 6000);
	child.has |= FLOW_HAS_MASTER;
	child.master = control.tuple[FLOW_ORIG];
	offer(&b, control, 8000, (struct standing){0});
	offer(&b, other, 8000, (struct standing){0});
	offer(&b, child, 0, (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].sport, 5001);
	assert_int_equal(b.report.spared[VICTIM_SPARED_CHILD], 1);
	victims_free(b.victims);
}

static void pickups_do_not_count_against_their_source(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 10);

	(void)state;
	/* A server with many pickups, and a source with two: neither is heavier. */
	for (uint16_t i = 0; i < 200; i++)
		offer(&b, flow_pickup(SERVER, USERS, 80, i), i == 0 ? 50 : 9, (struct standing){0});
	offer(&b, flow_pickup(HEAVY, USERS, 80, 1), 60, (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 10);
	assert_int_equal(b.list[0].src[3], 80); /* the longest idle, whoever it is of */
	assert_int_equal(b.list[1].dport, 0);
	victims_free(b.victims);
}

static void days_of_idle_go_before_hours(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 3);

	(void)state;
	for (uint16_t i = 0; i < 30; i++) /* one honest source with many, idle for 3 h */
		offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, i), 3 * 3600, (struct standing){0});
	for (uint16_t i = 0; i < 3; i++)
		offer(&b, flow_answered(TCP, IP(10, 9, 0, 0) + i, SERVER, i, 80), 96 * 3600,
		      (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(b.list[i].src[1], 9);
		assert_int_equal(victim_idle_sec(&b.list[i]), 96 * 3600);
	}
	victims_free(b.victims);
}

static void of_unanswered_ones_that_fit_the_older_go_first(void **state)
{
	struct signature all = {.pattern = {.classes = 0xffff}};
	struct bench b = bench_start(VICTIM_IDLE, 50);

	(void)state;
	b.config.signatures = &all;
	b.config.signature_count = 1;
	victims_reset(b.victims, &b.config);
	for (uint16_t i = 0; i < 100; i++) /* many of one source, just opened */
		offer(&b, flow_make(TCP, USERS, SERVER, i, 80), 0, (struct standing){0});
	for (uint16_t i = 0; i < 50; i++) /* one each, a little older */
		offer(&b, flow_make(TCP, IP(10, 9, 0, 0) + i, SERVER, i, 80), 1 + i % 9,
		      (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(b.list[i].src[1], 9);
	for (size_t i = 1; i < 50; i++) /* three seconds are enough not to be young */
		assert_true(victim_idle_sec(&b.list[i]) <= victim_idle_sec(&b.list[i - 1]));
	victims_free(b.victims);
}

/* ---- fairness ---- */

static void takes_from_sources_as_max_min_fairness_says(void **state)
{
	enum { SOURCES = 30 };
	uint64_t random = 31337;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct fairness_row rows[SOURCES];
		uint32_t left[SOURCES], taken[SOURCES] = {0}, all = 0;
		size_t need = 1 + random_next(&random) % 400;
		struct bench b = bench_start(VICTIM_IDLE, need);
		struct fairness_result fair;

		memset(rows, 0, sizeof(rows));
		for (uint32_t i = 0; i < SOURCES; i++) {
			left[i] = rows[i].holds = rows[i].candidates = random_next(&random) % 40;
			put_ipv4(rows[i].key.addr, i);
			all += left[i];
		}
		while (all) { /* in any order */
			uint32_t i = (uint32_t)(random_next(&random) % SOURCES);

			if (!left[i])
				continue;
			left[i]--;
			all--;
			offer(&b, flow_make(UDP, IP(10, 9, 0, 0) + i, SERVER, (uint16_t)all, 1),
			      5 + (uint32_t)(random_next(&random) % 20), (struct standing){0});
		}
		finish(&b);
		fair = fairness_share(rows, SOURCES, need);
		assert_int_equal(b.count, fair.taken);
		for (size_t i = 0; i < b.count; i++)
			taken[b.list[i].src[3]]++;
		for (uint32_t i = 0; i < SOURCES; i++) {
			/* At the level itself either of equals may give the last one. */
			assert_true(taken[i] == rows[i].take ||
				    rows[i].holds - taken[i] - fair.level <= 1);
			if (rows[i].holds <= fair.level)
				assert_int_equal(taken[i], 0);
		}
		victims_free(b.victims);
	}
}

static void the_answer_is_the_same_in_any_order_and_within_budget(void **state)
{
	struct bench a = bench_start(VICTIM_IDLE, 50), b = bench_start(VICTIM_IDLE, 50);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t j = 999 - i;

		offer(&a, flow_make(UDP, IP(10, 0, 0, 0) + i, SERVER, 1, 1), 3 + i % 27,
		      (struct standing){0});
		offer(&b, flow_make(UDP, IP(10, 0, 0, 0) + j, SERVER, 1, 1), 3 + j % 27,
		      (struct standing){0});
	}
	finish(&a);
	finish(&b);
	assert_int_equal(a.count, 50);
	assert_int_equal(b.count, 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(a.list[i].order, b.list[i].order);
	victims_reset(a.victims, &a.config);
	finish(&a);
	assert_int_equal(a.count, 0);
	assert_int_equal(sizeof(struct victim), 64);
	assert_true(victims_bytes(a.victims) < 20000000);
	victims_free(a.victims);
	victims_free(b.victims);
}

/* Ten established flows of the surge and one that has been silent for three hours; others: how many may go that do not
 * fit. */
static struct bench surge_of(struct signature *signature, enum victim_stage deepest, size_t others,
			     struct standing standing)
{
	struct bench b = {.config = want(100)};

	signature->pattern = (struct signature_pattern){.classes = 1u << FLOW_CLASS_ESTABLISHED,
							.has_port = true,
							.port = 80,
							.has_protocol = true,
							.protocol = TCP};
	b.config.deepest = deepest;
	b.config.max_others = others;
	b.config.signatures = signature;
	b.config.signature_count = 1;
	b.victims = victims_new(&b.config);
	for (uint16_t i = 0; i < 10; i++)
		offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, (uint16_t)(100 + i)), 1, standing);
	offer(&b, flow_answered(TCP, USERS, SERVER, 7, 7000), 3 * 3600, (struct standing){.is_base = true});
	finish(&b);
	return b;
}

static size_t fitting(const struct bench *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++)
		n += b->list[i].stage == VICTIM_FIT;
	return n;
}

static void what_fits_goes_freely_only_where_it_is_known_not_to_be_in_use(void **state)
{
	static const struct {
		bool is_untried, is_lively, is_tried;
		size_t others, fit;
	} cases[] = {
		{false, false, false, 0, 10}, {true, false, false, 0, 0}, {true, false, false, 4, 4},
		{false, true, false, 4, 0},   {false, true, true, 4, 4},  {false, true, true, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct signature signature = {.is_untried = cases[i].is_untried, .is_lively = cases[i].is_lively};
		struct bench b = surge_of(&signature, VICTIM_IDLE, cases[i].others,
					  (struct standing){.is_tried = cases[i].is_tried});

		assert_int_equal(fitting(&b), cases[i].fit);
		victims_free(b.victims);
	}
}

static void at_full_a_surge_that_hits_the_base_goes_before_what_is_silent(void **state)
{
	struct signature signature = {.hits_base = true, .is_untried = true};
	struct bench b = surge_of(&signature, VICTIM_SENIOR, 5, (struct standing){0});

	(void)state;
	assert_int_equal(fitting(&b), 5);
	victims_free(b.victims);
	b = surge_of(&signature, VICTIM_IDLE, 5, (struct standing){0});
	assert_int_equal(fitting(&b), 0);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].stage, VICTIM_IDLE);
	victims_free(b.victims);
	signature.is_lively = true; /* a crowd of users: the silent one first */
	b = surge_of(&signature, VICTIM_SENIOR, 1, (struct standing){0});
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].stage, VICTIM_IDLE);
	victims_free(b.victims);
}

static void the_long_dead_go_as_freely_as_what_fits(void **state)
{
	struct bench b = {.config = want(100)};

	(void)state;
	b.config.max_others = 1;
	b.victims = victims_new(&b.config);
	for (uint16_t i = 1; i <= 5; i++)
		offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, i), 8 * 7440, (struct standing){.is_base = true});
	for (uint16_t i = 6; i <= 9; i++)
		offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, i), 8 * 7440 - 1, (struct standing){.is_base = true});
	finish(&b);
	assert_int_equal(b.count, 5); /* of the others one may go, were fewer than that to go before it */
	for (size_t i = 0; i < b.count; i++)
		assert_in_range(b.list[i].sport, 1, 5);
	victims_free(b.victims);
}

/* What goes freely and what does not are chosen apart; the answer is one order. */
static void the_free_and_the_others_come_in_one_order(void **state)
{
	struct bench b = bench_start(VICTIM_IDLE, 1000);
	uint64_t random = 3;

	(void)state;
	for (uint16_t i = 0; i < 1000; i++) {
		uint32_t src = USERS + (uint32_t)(random_next(&random) % 50), idle = 7441 + (uint32_t)(random % 100000);

		if (i % 3)
			offer(&b, flow_answered(TCP, src, SERVER, i, 80), idle, (struct standing){.is_base = true});
		else
			offer(&b, flow_make(UDP, src, SERVER, i, 53), 9, (struct standing){0});
	}
	finish(&b);
	assert_int_equal(b.count, 1000);
	for (size_t i = 1; i < b.count; i++)
		assert_true(b.list[i - 1].order >= b.list[i].order);
	assert_int_equal(b.list[0].stage, VICTIM_UNANSWERED);
	assert_true(b.list[334].has & VICTIM_HAS_PROOF);
	assert_false(b.list[999].has & VICTIM_HAS_PROOF);
	victims_free(b.victims);
}

static void who_was_put_in_is_never_long_dead(void **state)
{
	struct bench b = {.config = want(100)};

	(void)state;
	b.config.max_others = 0;
	b.victims = victims_new(&b.config);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 1), 20 * 3600, (struct standing){.is_base = true, .is_put = true});
	finish(&b);
	assert_int_equal(b.count, 0);
	victims_free(b.victims);
}

/* At a round trip of 100 ms a crowd has a tenth of a second's connections in the making. */
static void of_a_crowd_a_connection_in_the_making_goes_only_where_room_is_needed(void **state)
{
	static const struct {
		bool is_untried, is_lively, all_classes;
		size_t taken;
	} cases[] = {{false, false, true, 2}, {false, true, true, 0}, {true, false, true, 0}, {true, false, false, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct signature signature = {.is_untried = cases[i].is_untried, .is_lively = cases[i].is_lively};
		struct bench b = bench_start(VICTIM_IDLE, 100);

		signature.pattern =
			(struct signature_pattern){.classes = 1u << FLOW_CLASS_UNREPLIED | 1u << FLOW_CLASS_HALF_OPEN,
						   .has_protocol = true,
						   .protocol = TCP};
		if (cases[i].all_classes)
			signature.pattern.classes |= 1u << FLOW_CLASS_ESTABLISHED;
		b.config.signatures = &signature;
		b.config.signature_count = 1;
		b.config.max_others = 0; /* no room is needed */
		victims_reset(b.victims, &b.config);
		offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 1), 0, (struct standing){0});
		offer(&b, flow_make(TCP, USERS, SERVER, 2, 80), 0, (struct standing){0});
		finish(&b);
		assert_int_equal(b.count, cases[i].taken);
		b.config.max_others = 1; /* then one goes, whoever it is */
		victims_reset(b.victims, &b.config);
		offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 1), 0, (struct standing){0});
		finish(&b);
		assert_int_equal(b.count, 1);
		victims_free(b.victims);
	}
}

static void of_what_fits_goes_first_what_was_tried(void **state)
{
	struct signature signature = {.pattern = {.classes = 1u << FLOW_CLASS_ESTABLISHED}};
	struct bench b = bench_start(VICTIM_IDLE, 1);

	(void)state;
	b.config.signatures = &signature;
	b.config.signature_count = 1;
	victims_reset(b.victims, &b.config);
	for (uint16_t i = 1; i <= 9; i++) /* of one source: the last ones have the higher rank */
		offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, i), 1, (struct standing){.is_tried = i == 1});
	finish(&b);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].sport, 1);
	victims_free(b.victims);
}

static void offer_unanswered(struct bench *b, uint32_t src, uint16_t sport, uint16_t dport, uint32_t idle_sec,
			     bool goes_by_fit)
{
	struct flow flow = flow_make(UDP, src, SERVER, sport, dport);
	const struct standing none = {0};
	struct flow_facts facts;

	flow_facts_of(&flow, NULL, 0, &facts);
	facts.has_idle = true;
	facts.idle_sec = idle_sec;
	victims_offer(b->victims, &flow, &facts, &none, goes_by_fit);
}

/* Of ten that fit two rest on it, one as young and one by the rule; of those that do not fit seven are of one source,
 * which holds most of what is left. */
static struct bench refuted(struct signature *signature, size_t max, size_t others)
{
	struct bench b = {.config = want(max)};

	signature->pattern = (struct signature_pattern){.classes = 1u << FLOW_CLASS_UNREPLIED,
							.has_protocol = true,
							.protocol = UDP,
							.has_port = true,
							.port = 53};
	b.config.max_others = others;
	b.config.signatures = signature;
	b.config.signature_count = 1;
	b.victims = victims_new(&b.config);
	for (uint16_t i = 0; i < 4; i++) {
		offer_unanswered(&b, USERS, i, 53, 10, false);
		offer_unanswered(&b, USERS + 1, i, 53, 10, false);
	}
	offer_unanswered(&b, USERS, 4, 53, 1, false);
	offer_unanswered(&b, USERS, 5, 53, 10, true);
	for (uint16_t i = 0; i < 7; i++)
		offer_unanswered(&b, HEAVY, i, 54, 10, false);
	victims_refute(b.victims, 0);
	finish(&b);
	return b;
}

static void what_fits_a_refuted_signature_goes_as_if_it_fitted_none(void **state)
{
	struct signature signature = {0};
	struct bench b = refuted(&signature, 100, 100);

	(void)state;
	assert_int_equal(b.count, 15);
	assert_int_equal(b.report.chosen[VICTIM_UNANSWERED], 15);
	assert_int_equal(b.report.spared[VICTIM_SPARED_YOUNG_FLOW], 2);
	for (size_t i = 0; i < b.count; i++) {
		assert_int_equal(b.list[i].signature, 0);
		assert_false(b.list[i].has & VICTIM_HAS_PROOF);
		if (i < 3) /* who holds most comes first, fitting or not */
			assert_int_equal(b.list[i].dport, 54);
	}
	victims_free(b.victims);
	b = refuted(&signature, 3, 3);
	assert_int_equal(b.count, 3);
	for (size_t i = 0; i < b.count; i++)
		assert_int_equal(b.list[i].dport, 54);
	victims_free(b.victims);
	b = refuted(&signature, 100, 2); /* they do not go freely any more */
	assert_int_equal(b.count, 2);
	victims_free(b.victims);
}

/* Of answered ones those that are idle beyond their floor, in the order of their idle time. */
static void answered_ones_of_a_refuted_signature_have_their_floor(void **state)
{
	struct signature signature = {.pattern = {.classes = 1u << FLOW_CLASS_ESTABLISHED}};
	struct bench b = bench_start(VICTIM_IDLE, 100);

	(void)state;
	b.config.signatures = &signature;
	b.config.signature_count = 1;
	victims_reset(b.victims, &b.config);
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 1), 60, (struct standing){0});
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 2), 3 * 3600, (struct standing){0});
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 3), 30 * 3600, (struct standing){0});
	victims_refute(b.victims, 0);
	finish(&b);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.list[0].sport, 3);
	assert_int_equal(b.list[1].sport, 2);
	assert_int_equal(b.report.chosen[VICTIM_IDLE], 2);
	assert_int_equal(b.report.spared[VICTIM_SPARED_FLOOR], 1);
	victims_free(b.victims);
}

static void half_open_flows_that_fit_need_no_trial(void **state)
{
	struct signature signature = {
		.is_untried = true,
		.pattern = {.classes = 1u << FLOW_CLASS_HALF_OPEN, .has_protocol = true, .protocol = TCP}};
	struct bench b = {.config = want(100)};

	(void)state;
	b.config.max_others = 0;
	b.config.signatures = &signature;
	b.config.signature_count = 1;
	b.victims = victims_new(&b.config);
	offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 1), 0, (struct standing){0});
	offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 2), 0, (struct standing){.is_base = true});
	finish(&b);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.list[0].sport, 1);
	assert_int_equal(b.list[0].stage, VICTIM_FIT);
	victims_free(b.victims);
}

static void where_attributes_do_not_tell_apart_use_does(void **state)
{
	struct signature signature = {.hits_base = true};
	struct bench b = surge_of(&signature, VICTIM_IDLE, 0, (struct standing){.is_tried = true});

	(void)state;
	assert_int_equal(fitting(&b), 10); /* known for a while, and not in use */
	victims_free(b.victims);
	b = surge_of(&signature, VICTIM_IDLE, 4, (struct standing){0}); /* too new to tell */
	assert_int_equal(fitting(&b), 4);
	victims_free(b.victims);
	b = surge_of(&signature, VICTIM_IDLE, 4, (struct standing){.is_tried = true, .is_base = true});
	assert_int_equal(fitting(&b), 0);
	victims_free(b.victims);
	b = surge_of(&signature, VICTIM_IDLE, 4, (struct standing){.is_tried = true, .is_active = true});
	assert_int_equal(fitting(&b), 0);
	victims_free(b.victims);
	signature.is_lively = true;
	b = surge_of(&signature, VICTIM_IDLE, 4, (struct standing){.is_tried = true});
	assert_int_equal(fitting(&b), 0);
	victims_free(b.victims);
}

static void at_full_the_blind_take_from_who_holds_most(void **state)
{
	struct bench b = bench_start(VICTIM_SENIOR, 3);

	(void)state;
	for (int blind = 0; blind < 2; blind++) {
		b.config.is_blind = blind;
		victims_reset(b.victims, &b.config);
		offer(&b, flow_answered(TCP, USERS, SERVER, 7, 7000), 3 * 3600, (struct standing){0});
		for (uint16_t i = 0; i < 10; i++)
			offer(&b, flow_answered(TCP, INFECTED, SERVER, i, 80), 1, (struct standing){0});
		finish(&b);
		assert_int_equal(b.count, 3);
		assert_int_equal(b.list[0].sport == 7, !blind);
	}
	victims_free(b.victims);
}

/* 300 old ones and 300 younger ones, met in turns. */
static void of_one_source_the_longest_idle_go(void **state)
{
	(void)state;
	for (int is_one = 0; is_one < 2; is_one++) {
		struct bench b = bench_start(VICTIM_IDLE, 350);
		struct victims_config config = b.config;
		size_t old = 0;

		config.of_one_source = is_one;
		victims_reset(b.victims, &config);
		for (uint16_t i = 0; i < 600; i++)
			offer(&b, flow_make(UDP, USERS, SERVER, i, 1), i % 2 ? 32 : 7, (struct standing){0});
		offer(&b, tcp_in(FLOW_TCP_SYN_RECV, 601), 900, (struct standing){0}); /* a milder class waits */
		finish(&b);
		assert_int_equal(b.count, 350);
		for (size_t i = 0; i < b.count; i++) {
			assert_int_equal(b.list[i].class, FLOW_CLASS_UNREPLIED);
			old += victim_idle_sec(&b.list[i]) == 32;
		}
		if (is_one)
			assert_int_equal(old, 300);
		else /* else it is fairness that chooses */
			assert_int_equal(old, 175);
		victims_free(b.victims);
	}
}

static void no_budget_takes_nothing(void **state)
{
	struct bench b = bench_start(VICTIM_SENIOR, 0);

	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		offer(&b, flow_make(UDP, USERS, SERVER, i, 1), 9, (struct standing){0});
	finish(&b);
	assert_int_equal(b.count, 0);
	assert_int_equal(b.report.candidates[VICTIM_UNANSWERED], 10);
	victims_free(b.victims);
}

static void reasons_are_words(void **state)
{
	struct bench b = bench_start(VICTIM_SENIOR, 10);
	char text[VICTIM_TEXT_MAX];

	(void)state;
	offer(&b, flow_make(UDP, USERS, SERVER, 1, 1), 31, (struct standing){0});
	offer(&b, tcp_in(FLOW_TCP_ESTABLISHED, 1), 96 * 3600, (struct standing){0});
	finish(&b);
	assert_string_equal(victim_reason(&b.list[0], text), "unreplied, idle for 31 s");
	assert_string_equal(victim_reason(&b.list[1], text),
			    "established, idle for 4 d, idle beyond the floor");
	for (int i = 0; i < VICTIM_STAGE_COUNT; i++)
		assert_non_null(victim_stage_name((enum victim_stage)i));
	for (int i = 0; i < VICTIM_SPARED_COUNT; i++)
		assert_non_null(victim_spared_name((enum victim_spared)i));
	victims_free(b.victims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_go_worst_first_and_seniors_last),
		cmocka_unit_test(what_is_deeper_than_asked_is_spared_with_its_reason),
		cmocka_unit_test(age_unknown_is_young_and_idle_is_a_lower_bound_of_it),
		cmocka_unit_test(kinds_that_are_left_alone),
		cmocka_unit_test(protected_flows_go_never_and_cost_no_budget),
		cmocka_unit_test(the_master_of_a_living_flow_is_spared),
		cmocka_unit_test(pickups_do_not_count_against_their_source),
		cmocka_unit_test(days_of_idle_go_before_hours),
		cmocka_unit_test(of_unanswered_ones_that_fit_the_older_go_first),
		cmocka_unit_test(takes_from_sources_as_max_min_fairness_says),
		cmocka_unit_test(the_answer_is_the_same_in_any_order_and_within_budget),
		cmocka_unit_test(what_fits_goes_freely_only_where_it_is_known_not_to_be_in_use),
		cmocka_unit_test(at_full_a_surge_that_hits_the_base_goes_before_what_is_silent),
		cmocka_unit_test(the_long_dead_go_as_freely_as_what_fits),
		cmocka_unit_test(the_free_and_the_others_come_in_one_order),
		cmocka_unit_test(who_was_put_in_is_never_long_dead),
		cmocka_unit_test(of_a_crowd_a_connection_in_the_making_goes_only_where_room_is_needed),
		cmocka_unit_test(of_what_fits_goes_first_what_was_tried),
		cmocka_unit_test(what_fits_a_refuted_signature_goes_as_if_it_fitted_none),
		cmocka_unit_test(answered_ones_of_a_refuted_signature_have_their_floor),
		cmocka_unit_test(half_open_flows_that_fit_need_no_trial),
		cmocka_unit_test(where_attributes_do_not_tell_apart_use_does),
		cmocka_unit_test(at_full_the_blind_take_from_who_holds_most),
		cmocka_unit_test(of_one_source_the_longest_idle_go),
		cmocka_unit_test(no_budget_takes_nothing),
		cmocka_unit_test(reasons_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
