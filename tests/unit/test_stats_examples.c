/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/examples: what is shown fits what is said. */
#include "stats_fixture.h"

#include <stdlib.h>

#include "stats/cause.h"

#define MAX 5

static const struct picture_config config = {
	.max_rows = 65536, .source_prefix = {32, 64}, .prefix = {24, 64}};

static void add_honest(struct picture *picture, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow flow = flow_answered(TCP, IP(100, 64, 0, 0) + i * 251, IP(198, 18, 0, 0) + i * 37,
						 (uint16_t)(10000 + i), 443);

		picture_add(picture, &flow);
	}
}

static size_t examples_of(const struct picture *picture, struct flow_brief examples[MAX])
{
	struct cause cause = cause_find(picture);

	return cause_examples(picture, &cause, MAX, examples);
}

static uint32_t address_of(const uint8_t bytes[16])
{
	return IP(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static void assert_distinct(const struct flow_brief *examples, size_t used)
{
	for (size_t i = 0; i < used; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&examples[i], &examples[j], sizeof(examples[i]));
}

static void they_are_of_the_source_service_and_class_named(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];
	size_t spread = 0;

	(void)unused;
	add_honest(picture, 520);
	for (uint32_t i = 0; i < 1500; i++) {
		/* One in ten of the scanner's is an honest one, and one goes to another port. */
		struct flow flow =
			i % 10 ? flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, i % 10 == 1 ? 80 : 22)
			       : flow_answered(TCP, IP(10, 1, 0, 66), IP(10, 3, 0, 0) + i, 40000, 443);

		picture_add(picture, &flow);
	}
	assert_int_equal(examples_of(picture, examples), MAX);
	for (int i = 0; i < MAX; i++) {
		assert_int_equal(address_of(examples[i].src), IP(10, 1, 0, 66));
		assert_int_equal(examples[i].dport, 22);
		assert_int_equal(examples[i].class, FLOW_CLASS_UNREPLIED);
		assert_true(examples[i].has & FLOW_HAS_STATUS);
		spread += address_of(examples[i].dst) > IP(10, 2, 2, 0);
	}
	assert_distinct(examples, MAX);
	assert_true(spread >= 3); /* not simply the first ones */
	picture_free(picture);
}

static void fewer_than_asked_where_there_are_no_more(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];
	struct flow flow;

	(void)unused;
	for (uint16_t i = 0; i < 3; i++) {
		flow = flow_make(UDP, IP(10, 1, 0, 66), IP(10, 2, 0, 1), i, 53);
		picture_add(picture, &flow);
	}
	assert_int_equal(examples_of(picture, examples), 3);
	assert_distinct(examples, 3);
	picture_free(picture);
}

static void of_a_birth_only_the_tuple_is_told(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	add_honest(picture, 500);
	picture_set_base(picture);
	for (uint32_t i = 0; i < 900; i++) {
		struct flow flow = flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i % 4, 40000, 443);

		picture_born(picture, &flow); /* four tuples, born again and again */
	}
	assert_int_equal(examples_of(picture, examples), 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(address_of(examples[i].src), IP(10, 1, 0, 66));
		assert_false(examples[i].has & (FLOW_HAS_STATUS | FLOW_HAS_STATE));
		assert_true(examples[i].has & FLOW_HAS_REPLY);
	}
	assert_distinct(examples, 4);
	picture_free(picture);
}

static void what_a_pass_saw_goes_before_births(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	picture_set_base(picture);
	for (uint32_t i = 0; i < 400; i++) {
		struct flow flow = flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 443);

		picture_born(picture, &flow);
		if (i >= 2)
			continue;
		flow = flow_answered(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 443);
		picture_add(picture, &flow);
		picture->entries--; /* born and seen by the pass: one flow */
	}
	assert_int_equal(examples_of(picture, examples), MAX);
	for (int i = 0; i < MAX; i++)
		assert_int_equal((examples[i].has & FLOW_HAS_STATUS) != 0, i < 2);
	assert_distinct(examples, MAX);
	picture_free(picture);
}

static void without_a_dominant_one_they_are_of_the_service(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	add_honest(picture, 300);
	for (uint32_t i = 0; i < 4000; i++) {
		struct flow flow = flow_make(UDP, i * 1000003u, IP(192, 0, 2, 0) + i * 7919u, (uint16_t)i, 53);

		picture_add(picture, &flow);
	}
	assert_int_equal(examples_of(picture, examples), MAX);
	for (int i = 0; i < MAX; i++) {
		assert_int_equal(examples[i].protocol, UDP);
		assert_int_equal(examples[i].dport, 53);
	}
	picture_free(picture);
}

static void of_a_port_scan_they_are_of_the_protocol(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	for (uint16_t i = 0; i < 2000; i++) {
		struct flow flow = flow_make(i % 4 ? TCP : UDP, IP(10, 1, 0, 66), IP(10, 2, 0, 1), 40000, i);

		picture_add(picture, &flow);
	}
	assert_int_equal(examples_of(picture, examples), MAX);
	for (int i = 0; i < MAX; i++)
		assert_int_equal(examples[i].protocol, TCP);
	assert_distinct(examples, MAX);
	picture_free(picture);
}

static void pickups_are_shown_as_pickups(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	add_honest(picture, 1000);
	picture_set_base(picture);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow flow = i % 3 ? flow_pickup(IP(192, 0, 2, 80), i * 1000003u, 443, (uint16_t)(i * 31))
					 : flow_make(UDP, i * 1000003u, IP(192, 0, 2, 80), 1, 2);

		picture_born(picture, &flow);
	}
	assert_int_equal(examples_of(picture, examples), MAX);
	for (int i = 0; i < MAX; i++)
		assert_int_equal(address_of(examples[i].src), IP(192, 0, 2, 80));
	picture_free(picture);
}

static void no_cause_has_no_examples(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow_brief examples[MAX];

	(void)unused;
	assert_int_equal(examples_of(picture, examples), 0);
	picture_free(picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_of_the_source_service_and_class_named),
		cmocka_unit_test(fewer_than_asked_where_there_are_no_more),
		cmocka_unit_test(of_a_birth_only_the_tuple_is_told),
		cmocka_unit_test(what_a_pass_saw_goes_before_births),
		cmocka_unit_test(without_a_dominant_one_they_are_of_the_service),
		cmocka_unit_test(of_a_port_scan_they_are_of_the_protocol),
		cmocka_unit_test(pickups_are_shown_as_pickups),
		cmocka_unit_test(no_cause_has_no_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
