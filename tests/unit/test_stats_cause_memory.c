/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause_memory: what is said of a flood once it has gone. */
#include "stats_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "stats/cause_memory.h"

#define HONEST_NET IP(10, 1, 2, 0)
#define ATTACKER   IP(10, 9, 0, 66)
#define OTHER	   IP(10, 8, 0, 70)

struct lab {
	struct picture *picture;
	struct cause_memory memory;
	struct cause cause;
};

/* Four in five users are of one network. */
static struct flow honest(uint32_t i)
{
	uint32_t source = i % 5 ? HONEST_NET + i % 40 : i * 1000003u;

	return flow_answered(TCP, source, IP(198, 18, 0, 0) + i * 37, (uint16_t)(10000 + i), 443);
}

static struct flow flood(uint32_t source, uint32_t i)
{
	return flow_make(UDP, source, IP(203, 0, 113, 0) + i, 4000, 9000);
}

static int setup(void **state)
{
	const struct picture_config config = picture_config_default();
	struct lab *lab = calloc(1, sizeof(*lab));

	lab->picture = picture_new(&config);
	for (uint32_t i = 0; i < 2000; i++) {
		struct flow flow = honest(i);

		picture_add(lab->picture, &flow);
	}
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	picture_free(lab->picture);
	free(lab);
	return 0;
}

static void comes(struct lab *lab, uint32_t source, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct flow flow = source ? flood(source, i) : honest(i);

		picture_born(lab->picture, &flow);
	}
}

static void goes(struct lab *lab, uint32_t source, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct flow flow = source ? flood(source, i) : honest(i);

		picture_died(lab->picture, &flow);
	}
}

/* By the guard. */
static void takes(struct lab *lab, uint32_t source, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct flow flow = flood(source, i);

		picture_taken(lab->picture, &flow);
	}
}

/* One reading, and a look at the cause. */
static void look(struct lab *lab, enum level level)
{
	cause_watch(&lab->memory, lab->picture, level);
	lab->cause = cause_recall(&lab->memory, lab->picture);
}

static void assert_names(const struct lab *lab, bool is_past, const char *name)
{
	const char *start = is_past ? "earlier: " : "";

	assert_int_equal(lab->cause.is_past, is_past);
	if (strncmp(lab->cause.text, start, strlen(start)) || !strstr(lab->cause.text, name))
		fail_msg("\"%s\" does not name \"%s%s\"", lab->cause.text, start, name);
	if (strcmp(name, "10.1.2."))
		assert_null(strstr(lab->cause.text, "10.1.2."));
}

static void a_flood_that_has_gone_is_not_laid_to_the_users(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	look(lab, LEVEL_OK);
	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "one source: 10.9.0.66 holds 100 % of growth");
	goes(lab, ATTACKER, 0, 4000); /* there is less, and it is still there */
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "one source: 10.9.0.66 holds 100 % of growth");
	goes(lab, ATTACKER, 4000, 9000);
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "one source: 10.9.0.66 holds 100 % of growth");
	assert_true(lab->cause.has_dominant && lab->cause.is_growth);
	look(lab, LEVEL_OK); /* the way down has the same cause */
	assert_names(lab, true, "10.9.0.66");
	/* Calm again: what there is is as it always is, and no flood is told of any more. */
	picture_set_base(lab->picture);
	cause_forget(&lab->memory);
	look(lab, LEVEL_OK);
	assert_names(lab, false, "10.1.2.");
}

static void so_it_is_where_the_calm_was_never_seen(void **state)
{
	struct lab *lab = *state;

	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "one source: 10.9.0.66 holds 82 %");
	goes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "one source: 10.9.0.66 holds 82 %");
}

/* Who came in one go before the flood holds more than is left of it: nobody grows, and he did not. */
static void a_flood_that_has_ended_is_not_laid_to_who_came_before_it(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	comes(lab, OTHER, 0, 6000);
	for (int i = 0; i < 8; i++)
		picture_tick(lab->picture, SEC);
	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "10.9.0.66");
	takes(lab, ATTACKER, 0, 8000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "10.9.0.66");
	comes(lab, ATTACKER, 9000, 12000); /* more than there was when it was looked at: it has risen anew */
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "10.9.0.66");
	for (int i = 0; i < 20; i++)
		picture_tick(lab->picture, SEC);
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "10.9.0.66");
}

static void another_flood_is_named_while_the_table_is_less_than_it_was(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	takes(lab, ATTACKER, 0, 3000);
	for (int i = 0; i < 20; i++)
		picture_tick(lab->picture, SEC);
	comes(lab, OTHER, 0, 3000); /* as many expire */
	goes(lab, ATTACKER, 3000, 6000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "10.8.0.70");
}

static void a_wide_flood_stays_what_it_was(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	for (uint32_t i = 0; i < 9000; i++) {
		struct flow flow = flow_make(UDP, i * 1000003u, IP(192, 0, 2, 0) + i * 7919u, (uint16_t)i, 53);

		picture_born(lab->picture, &flow);
	}
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "no dominant source: 100 % of growth is udp/53");
	for (uint32_t i = 0; i < 9000; i++) {
		struct flow flow = flow_make(UDP, i * 1000003u, IP(192, 0, 2, 0) + i * 7919u, (uint16_t)i, 53);

		picture_died(lab->picture, &flow);
	}
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "no dominant source: 100 % of growth is udp/53");
	assert_false(lab->cause.has_dominant);
}

static void another_flood_is_named_as_soon_as_it_grows(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	goes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, true, "10.9.0.66");
	comes(lab, OTHER, 0, 200); /* in the same level */
	look(lab, LEVEL_CRITICAL);
	assert_names(lab, false, "10.8.0.70");
	goes(lab, OTHER, 0, 200);
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "10.8.0.70");
}

static void a_higher_level_asks_anew(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	comes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_WARNING);
	goes(lab, ATTACKER, 0, 9000);
	look(lab, LEVEL_WARNING);
	assert_names(lab, true, "10.9.0.66");
	cause_watch(&lab->memory, lab->picture, LEVEL_CRITICAL);
	look(lab, LEVEL_CRITICAL);
	assert_false(lab->cause.is_past);
}

static void a_table_that_is_well_and_gets_less_tells_no_old_story(void **state)
{
	struct lab *lab = *state;

	picture_set_base(lab->picture);
	look(lab, LEVEL_OK);
	goes(lab, 0, 0, 1500); /* by night */
	look(lab, LEVEL_OK);
	assert_false(lab->cause.is_past);
}

static void nothing_is_told_of_an_empty_table(void **state)
{
	struct lab *lab = *state;

	look(lab, LEVEL_WARNING);
	goes(lab, 0, 0, 2000);
	look(lab, LEVEL_WARNING);
	assert_false(lab->cause.is_known);
	cause_watch(&lab->memory, NULL, LEVEL_OK);
	assert_false(cause_recall(&lab->memory, NULL).is_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flood_that_has_gone_is_not_laid_to_the_users, setup, teardown),
		cmocka_unit_test_setup_teardown(so_it_is_where_the_calm_was_never_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_that_has_ended_is_not_laid_to_who_came_before_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_flood_is_named_while_the_table_is_less_than_it_was, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_wide_flood_stays_what_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(another_flood_is_named_as_soon_as_it_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_higher_level_asks_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_that_is_well_and_gets_less_tells_no_old_story, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_told_of_an_empty_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
