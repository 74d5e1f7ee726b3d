/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/round with all it drives: the attacks of the gateway lab replayed on made-up tables. */
#include "stats_world.h"

static struct world *lab(unsigned gold, unsigned quiet, unsigned heavy)
{
	struct world *w = world_new();

	world_users(w, gold, quiet, heavy);
	world_calm(w);
	world_new_users(w, 100);
	return w;
}

static void assert_honest_live(const struct world *w)
{
	assert_int_equal(w->taken[ROLE_GOLD], 0);
	assert_int_equal(w->taken[ROLE_QUIET], 0);
	assert_int_equal(w->taken[ROLE_HEAVY], 0);
	assert_int_equal(w->taken[ROLE_CROWD], 0);
}

/* Enough of the attack goes, nobody honest does. */
static void assert_only_attack(const struct world *w, size_t count)
{
	assert_honest_live(w);
	assert_int_equal(w->taken[ROLE_NEW], 0);
	assert_int_equal(w->taken[ROLE_ATTACK], count);
	assert_int_equal(w->victim_count, count);
}

static void lab_attack_is_taken_and_nobody_else(void **state)
{
	void (*const attacks[])(struct world *, unsigned) = {
		attack_syn, attack_udp, attack_infected, attack_two_way_udp, attack_stale};

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct world *w = lab(50, 50, 0);

		attacks[i](w, 16000);
		world_choose(w, want(8000));
		assert_only_attack(w, 8000);
		world_free(w);
	}
}

static void established_floods_of_16_to_65536_sources_are_taken(void **state)
{
	(void)state;
	for (unsigned bits = 4; bits <= 16; bits += 4) {
		struct world *w = lab(50, 300, 0);

		attack_established(w, 16000, bits);
		world_choose(w, want(8000));
		assert_only_attack(w, 8000);
		world_free(w);
	}
}

static void a_busy_honest_source_pays_for_no_flood(void **state)
{
	struct world *w = lab(50, 50, 14000);

	(void)state;
	attack_udp(w, 5000);
	world_choose(w, want(6000));
	assert_honest_live(w);
	assert_int_equal(w->taken[ROLE_ATTACK], 5000);
	assert_true(w->taken[ROLE_NEW] == 0);
	world_free(w);
}

static void spoofed_syns_at_the_users_service_take_no_answered_flow(void **state)
{
	struct world *w = lab(50, 50, 0);

	(void)state;
	attack_spoofed(w, 16000);
	world_choose(w, want(8000));
	assert_honest_live(w);
	assert_int_equal(w->taken[ROLE_ATTACK] + w->taken[ROLE_NEW], 8000);
	for (size_t i = 0; i < w->victim_count; i++)
		assert_int_equal(w->list[i].class, FLOW_CLASS_UNREPLIED);
	assert_true(w->taken[ROLE_NEW] <= 10); /* those being opened */
	world_free(w);
}

static void several_attacks_at_once_are_taken_whole(void **state)
{
	struct world *w = lab(50, 50, 0);

	(void)state;
	attack_spoofed(w, 5000);
	attack_established(w, 5000, 16);
	attack_infected(w, 5000);
	world_choose(w, want(14900));
	assert_honest_live(w);
	assert_true(w->taken[ROLE_ATTACK] >= 14890);
	world_free(w);
}

static void the_active_of_a_flash_crowd_are_never_taken(void **state)
{
	struct world *w = world_new();

	(void)state;
	flash_crowd(w, 3000);
	for (size_t i = 0; i < w->used; i++)
		w->members[i].role = ROLE_GOLD; /* they beat */
	world_calm(w);
	flash_crowd(w, 9000);
	world_pass(w, false, false);
	for (int i = 0; i < 4; i++) { /* each flow has traffic every 2 s */
		w->now_sec += 2;
		for (size_t k = 3000; k < w->used; k++)
			w->members[k].last_sec = w->now_sec;
		world_pass(w, false, false);
	}
	for (int deepest = VICTIM_UNANSWERED_FIT; deepest < VICTIM_ACTIVE; deepest++) {
		struct victims_config config = want(8000);

		config.deepest = (enum victim_stage)deepest;
		world_choose(w, config);
		assert_true(w->signatures[0].cannot_tell_apart);
		assert_int_equal(w->victim_count, 0);
		if (deepest > VICTIM_FIT)
			assert_true(w->report.spared[VICTIM_SPARED_ACTIVE] +
					    w->report.spared[VICTIM_SPARED_SENIOR] ==
				    w->used);
	}
	world_free(w);
}

static void what_cannot_be_told_apart_is_not_taken_for_its_signature(void **state)
{
	struct world *w = world_new();

	(void)state;
	flash_crowd(w, 3000);
	world_calm(w);
	flash_crowd(w, 9000); /* no traffic of theirs was seen yet */
	world_choose(w, want(8000));
	assert_true(w->signatures[0].hits_base);
	assert_int_equal(w->victim_count, 0);
	world_free(w);
}

static void without_a_calm_picture_no_answered_flow_is_taken_for_a_signature(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_users(w, 50, 50, 14000);
	attack_udp(w, 5000);
	world_choose(w, want(9000));
	assert_true(w->signature_count > 0);
	assert_honest_live(w);
	assert_int_equal(w->taken[ROLE_ATTACK], 5000);
	world_free(w);
}

/* Flows that nobody ever answered, of many sources, there since long. */
static void old_one_way(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_NEW,
			  flow_make(UDP, IP(10, 1, 1, 0) + i % 256, SERVER + i, (uint16_t)i, 514));
}

static void renew_one_way(struct world *w)
{
	for (size_t i = 0; i < w->used; i++)
		if (w->members[i].role == ROLE_NEW)
			w->members[i].last_sec = w->now_sec - 20;
}

static void no_answered_flow_while_unanswered_ones_suffice(void **state)
{
	struct world *w = world_new();
	bool answered = false;

	(void)state;
	world_users(w, 20, 20, 0);
	old_one_way(w, 3000);
	world_calm(w);
	renew_one_way(w);
	attack_established(w, 5000, 16);
	world_choose(w, want(2000));
	assert_int_equal(w->taken[ROLE_NEW], 2000);
	world_choose(w, want(5000));
	assert_int_equal(w->taken[ROLE_NEW], 3000);
	assert_int_equal(w->taken[ROLE_ATTACK], 2000);
	for (size_t i = 0; i < w->victim_count; i++) { /* in order */
		answered |= w->list[i].class != FLOW_CLASS_UNREPLIED;
		assert_int_equal(answered, w->list[i].class != FLOW_CLASS_UNREPLIED);
	}
	world_free(w);
}

static void others_stop_earlier_than_what_fits(void **state)
{
	struct world *w = world_new();
	struct victims_config config = want(4000);

	(void)state;
	old_one_way(w, 3000);
	world_calm(w);
	renew_one_way(w);
	attack_established(w, 5000, 16);
	world_pass(w, false, false);
	w->now_sec += 3; /* by then it shows that nobody uses them */
	config.max_others = 500;
	world_choose(w, config);
	assert_int_equal(w->taken[ROLE_NEW], 500);
	assert_int_equal(w->taken[ROLE_ATTACK], 3500);
	attack_syn(w, 3000); /* these go before all others */
	config.max_others = 3200;
	world_choose(w, config);
	assert_int_equal(w->taken[ROLE_NEW], 200);
	assert_int_equal(w->taken[ROLE_ATTACK], 3800);
	config.max_others = 0;
	world_choose(w, config);
	assert_int_equal(w->taken[ROLE_NEW], 0);
	assert_int_equal(w->taken[ROLE_ATTACK], 4000);
	world_free(w);
}

/* One after another, without a ring. */
static void the_ring_changes_nothing(void **state)
{
	struct world *w = lab(200, 50, 3000), *plain = lab(200, 50, 3000);
	struct victims_config config = want(700);
	struct victims_report report;
	const struct victim *list;
	size_t count;

	(void)state;
	attack_established(w, 2000, 9);
	attack_established(plain, 2000, 9);
	config.deepest = VICTIM_SENIOR;
	world_choose(w, config);
	world_pass(plain, false, false);
	config.signatures = w->signatures;
	config.signature_count = w->signature_count;
	plain->victims = victims_new(&config);
	seniority_begin(plain->seniority, plain->now_sec * SEC, false, 0);
	for (size_t i = 0; i < plain->used; i++) {
		struct flow_facts facts;
		struct standing standing;

		flow_facts_of(&plain->members[i].flow, &plain->timeouts, 0, &facts);
		standing = seniority_see(plain->seniority, &plain->members[i].flow, &facts);
		victims_offer(plain->victims, &plain->members[i].flow, &facts, &standing, false);
	}
	seniority_end(plain->seniority, true);
	list = victims_finish(plain->victims, &count, &report);
	assert_int_equal(count, w->victim_count);
	assert_memory_equal(list, w->list, count * sizeof(*list));
	assert_memory_equal(&report, &w->report, sizeof(report));
	assert_int_equal(w->round.base_flows, 3250);
	assert_int_equal(w->round.growth_flows, 2100);
	world_free(w);
	world_free(plain);
}

static void next_in_order(const struct flow *flow, const struct flow_facts *facts,
			  const struct standing *standing, void *arg)
{
	assert_int_equal(flow->id, ++*(uint32_t *)arg);
	assert_int_equal(facts->class, FLOW_CLASS_UNREPLIED);
	assert_false(standing->is_base);
}

static void every_flow_is_counted_once_whatever_their_number(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 3 * ROUND_UNDER_WAY; n++) {
		struct world *w = world_new();
		struct signature all = {.pattern = {.classes = 0xffff}};
		struct signature_counts counts = {0};
		uint32_t called = 0;
		struct round_config config = {.seniority = w->seniority,
					      .growth = w->growth,
					      .signatures = &all,
					      .signature_count = 1,
					      .counts = &counts,
					      .on_flow = next_in_order,
					      .arg = &called};

		attack_syn(w, n);
		world_age(w); /* gives numbers */
		sample_init(w->growth, 1);
		seniority_begin(w->seniority, SEC, false, 0);
		round_begin(&w->round, &config);
		for (size_t i = 0; i < w->used; i++)
			round_add(&w->round, &w->members[i].flow);
		round_end(&w->round);
		seniority_end(w->seniority, true);
		assert_int_equal(w->growth->seen, n);
		assert_int_equal(called, n);
		assert_int_equal(counts.growth, n);
		assert_int_equal(counts.growth_hits, n);
		for (size_t i = 0; i < w->growth->used; i++)
			assert_int_equal(w->growth->flows[i].id, i + 1); /* in order */
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lab_attack_is_taken_and_nobody_else),
		cmocka_unit_test(established_floods_of_16_to_65536_sources_are_taken),
		cmocka_unit_test(a_busy_honest_source_pays_for_no_flood),
		cmocka_unit_test(spoofed_syns_at_the_users_service_take_no_answered_flow),
		cmocka_unit_test(several_attacks_at_once_are_taken_whole),
		cmocka_unit_test(the_active_of_a_flash_crowd_are_never_taken),
		cmocka_unit_test(what_cannot_be_told_apart_is_not_taken_for_its_signature),
		cmocka_unit_test(without_a_calm_picture_no_answered_flow_is_taken_for_a_signature),
		cmocka_unit_test(no_answered_flow_while_unanswered_ones_suffice),
		cmocka_unit_test(others_stop_earlier_than_what_fits),
		cmocka_unit_test(the_ring_changes_nothing),
		cmocka_unit_test(every_flow_is_counted_once_whatever_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
