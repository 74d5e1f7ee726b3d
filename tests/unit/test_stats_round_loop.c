/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole choice in a loop, second by second: flows come and go, calm and surge are judged by the
 * count alone, passes renew in the calm, rounds cut the table in the surge. A table of 20,000, as
 * in the gateway lab, at a quarter of its speed. */
#include "stats/calm.h"
#include "stats_world.h"

#define CAPACITY 20000
#define ROUND_AT 15000 /* 75 % */
#define FULL_AT	 18000
#define CUT_TO	 12000 /* what fits the surge goes down to here, others to ROUND_AT */
#define RENEWAL	 30

typedef void attack_fn(struct world *, unsigned);

struct loop {
	struct world *w;
	struct calm_state calm;
	struct calm_config calm_config;
	uint64_t removed; /* by us, since the last judgement */
	int64_t renewed_sec, looked_sec;
	bool has_guard;
	enum victim_stage full_depth;
	unsigned rounds, refused, crowd_lost_active;
	uint64_t lost[ROLE_COUNT];
	uint64_t lost_alive; /* of new users: not closed yet */
};

static struct loop loop_start(void)
{
	struct loop l = {.w = world_new(), .calm_config = calm_config_default()};

	l.has_guard = true;
	l.full_depth = VICTIM_YOUNGER;
	l.renewed_sec = INT64_MIN / 2;
	return l;
}

/* New users live for a second, then are closed for ten. */
static bool is_over(const struct world *w, struct member *member)
{
	int64_t age = w->now_sec - member->born_sec;

	if (member->role == ROLE_NEW && age >= 1)
		member->flow.state = FLOW_TCP_CLOSE;
	if (member->role == ROLE_CROWD)
		member->last_sec = w->now_sec; /* all of them are at work */
	return (member->role == ROLE_NEW && age >= 11) ||
	       (member->role == ROLE_ATTACK && !(member->flow.status & FLOW_STATUS_SEEN_REPLY) &&
		age >= 30);
}

static void drop_marked(struct world *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->used; i++)
		if (w->members[i].role != ROLE_COUNT)
			w->members[kept++] = w->members[i];
	w->used = kept;
}

static void expire(struct world *w)
{
	for (size_t i = 0; i < w->used; i++)
		if (is_over(w, &w->members[i]))
			w->members[i].role = ROLE_COUNT;
	drop_marked(w);
}

static void evict(struct loop *l)
{
	struct world *w = l->w;

	for (size_t i = 0; i < w->victim_count; i++) {
		struct member *member = &w->members[world_find(w, &w->list[i])];

		l->lost[member->role]++;
		l->lost_alive += member->role == ROLE_NEW && member->flow.state != FLOW_TCP_CLOSE;
		member->role = ROLE_COUNT;
	}
	l->removed += w->victim_count;
	drop_marked(w);
}

static void guard(struct loop *l)
{
	struct world *w = l->w;
	struct calm_verdict verdict = calm_update(&l->calm, &l->calm_config,
						  &(struct calm_input){.now_ns = w->now_sec * SEC,
								       .entries = w->used,
								       .capacity = CAPACITY,
								       .removed = l->removed});

	l->removed = 0;
	if (verdict.surge_began)
		seniority_surge(w->seniority, w->now_sec * SEC);
	if (!l->calm.in_surge && w->now_sec - l->renewed_sec >= RENEWAL) {
		world_pass(w, true, false);
		l->renewed_sec = w->now_sec;
	}
	if (l->calm.in_surge && w->now_sec - l->looked_sec >= 2) {
		world_pass(w, false, false); /* who is in use? */
		l->looked_sec = w->now_sec;
	}
	if (w->used > ROUND_AT) {
		struct victims_config config = want(w->used - CUT_TO);

		/* At level full, as a policy may say. */
		config.deepest = w->used > FULL_AT ? l->full_depth : VICTIM_IDLE;
		config.max_others = w->used - ROUND_AT;
		world_choose(w, config);
		evict(l);
		l->rounds++;
	}
}

/* What does not fit is refused, as the kernel does. */
static void add(struct loop *l, attack_fn *attack, unsigned n)
{
	unsigned room = l->w->used < CAPACITY ? CAPACITY - (unsigned)l->w->used : 0;

	if (n > room) {
		l->refused += n - room;
		n = room;
	}
	if (attack)
		attack(l->w, n);
	else
		world_new_users(l->w, n);
}

static void run(struct loop *l, unsigned sec, attack_fn *attack, unsigned per_sec)
{
	while (sec--) {
		l->w->now_sec++;
		expire(l->w);
		if (attack)
			add(l, attack, per_sec);
		add(l, NULL, 25);
		if (l->has_guard)
			guard(l);
	}
}

static void assert_saved(const struct loop *l)
{
	assert_int_equal(l->refused, 0);
	assert_int_equal(l->lost[ROLE_GOLD], 0);
	assert_int_equal(l->lost[ROLE_QUIET], 0);
	assert_int_equal(l->lost[ROLE_HEAVY], 0);
	assert_true(l->lost_alive <= 3); /* connections being opened, of about 1,500 */
	assert_true(l->rounds > 0);
}

static void established_16(struct world *w, unsigned n)
{
	attack_established(w, n, 4);
}

static void established_65536(struct world *w, unsigned n)
{
	attack_established(w, n, 16);
}

static attack_fn *const attacks[] = {attack_syn,     attack_udp,	 attack_infected,
				     attack_spoofed, attack_two_way_udp, attack_stale,
				     established_16, established_65536};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static void nothing_is_done_in_the_calm(void **state)
{
	struct loop l = loop_start();

	(void)state;
	world_users(l.w, 50, 50, 14000); /* 70 % */
	run(&l, 300, NULL, 0);
	assert_int_equal(l.rounds, 0);
	assert_true(l.calm.is_calm);
	/* Two of so many share a tag of 35 bits in one run of some hundred. */
	assert_in_range(seniority_counts_get(l.w->seniority).seniors, 14097, 14100);
	world_free(l.w);
}

static void without_a_guard_the_table_overflows(void **state)
{
	struct loop l = loop_start();

	(void)state;
	l.has_guard = false;
	world_users(l.w, 50, 50, 0);
	run(&l, 60, established_65536, 2000);
	assert_true(l.refused > 80000);
	world_free(l.w);
}

static void after_a_minute_of_calm_every_attack_is_withstood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACKS; i++) {
		struct loop l = loop_start();

		world_users(l.w, 50, 300, 0);
		run(&l, 70, NULL, 0);
		run(&l, 60, attacks[i], 2000);
		assert_saved(&l);
		assert_true(l.lost[ROLE_ATTACK] > 50000);
		world_free(l.w);
	}
}

/* Not one is senior yet; that they were there before the surge must do. */
static void two_seconds_of_calm_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACKS; i++) {
		struct loop l = loop_start();

		world_users(l.w, 50, 300, 0);
		run(&l, 2, NULL, 0);
		run(&l, 60, attacks[i], 2000);
		assert_saved(&l);
		world_free(l.w);
	}
}

static void a_busy_source_and_bursts(void **state)
{
	struct loop l = loop_start();

	(void)state;
	world_users(l.w, 50, 50, 12000);
	run(&l, 70, NULL, 0);
	for (int i = 0; i < 6; i++) {
		run(&l, 4, established_65536, 2000);
		run(&l, 20, NULL, 0);
	}
	assert_saved(&l);
	world_free(l.w);
}

static void a_slow_ramp_of_answered_flows(void **state)
{
	struct loop l = loop_start();

	(void)state;
	world_users(l.w, 50, 50, 0);
	run(&l, 70, NULL, 0);
	run(&l, 300, established_65536, 100); /* 0.5 % of the table a second */
	assert_saved(&l);
	world_free(l.w);
}

/* They hold three quarters for minutes, all answered and at work, then flood. */
static void squatters_before_a_surge_gain_nothing(void **state)
{
	struct loop l = loop_start();

	(void)state;
	l.full_depth = VICTIM_SPARED_YOUNG; /* the flood is a copy of what was there */
	world_users(l.w, 50, 50, 0);
	run(&l, 70, NULL, 0);
	for (int i = 0; i < 37; i++) {
		run(&l, 5, NULL, 0);
		attack_established(l.w, 400, 4);
	}
	run(&l, 70, NULL, 0);
	run(&l, 30, established_65536, 2000);
	assert_int_equal(l.refused, 0);
	assert_int_equal(l.lost[ROLE_GOLD] + l.lost[ROLE_QUIET], 0);
	world_free(l.w);
}

/* No picture of the calm at all: at level full the heaviest pay, whatever their age. */
static void a_late_start_takes_from_the_heaviest(void **state)
{
	struct loop l = loop_start();

	(void)state;
	l.full_depth = VICTIM_SPARED_YOUNG;
	world_users(l.w, 50, 50, 0);
	l.has_guard = false;
	run(&l, 20, established_16, 2000);
	assert_true(l.refused > 0);
	l.refused = 0;
	l.has_guard = true;
	l.calm.in_surge = true; /* what calm says after the first second */
	l.calm.has_last = true;
	l.calm.last_ns = l.calm.settled_ns = l.w->now_sec * SEC;
	l.calm.last_entries = l.w->used;
	run(&l, 1, NULL, 0);
	l.refused = 0; /* until the first round is done */
	run(&l, 30, established_16, 2000);
	assert_true(l.refused < 100); /* of 60,000: a look a second is coarse */
	assert_int_equal(l.lost[ROLE_GOLD] + l.lost[ROLE_QUIET], 0);
	/* Of 750 those that are being opened: nobody answered them yet. */
	assert_true(l.lost_alive <= 75);
	world_free(l.w);
}

static void a_flash_crowd_at_work_is_left_alone(void **state)
{
	struct loop l = loop_start();

	(void)state;
	flash_crowd(l.w, 3000);
	run(&l, 70, NULL, 0);
	run(&l, 40, flash_crowd, 400);
	/* Nobody can tell the crowd from a flood; who is at work stays, though the table fills. */
	assert_true(l.rounds > 0);
	assert_int_equal(l.lost[ROLE_CROWD], 0);
	assert_true(l.w->used > ROUND_AT);
	world_free(l.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_done_in_the_calm),
		cmocka_unit_test(without_a_guard_the_table_overflows),
		cmocka_unit_test(after_a_minute_of_calm_every_attack_is_withstood),
		cmocka_unit_test(two_seconds_of_calm_do),
		cmocka_unit_test(a_busy_source_and_bursts),
		cmocka_unit_test(a_slow_ramp_of_answered_flows),
		cmocka_unit_test(squatters_before_a_surge_gain_nothing),
		cmocka_unit_test(a_late_start_takes_from_the_heaviest),
		cmocka_unit_test(a_flash_crowd_at_work_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
