/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/picture: what a pass adds, what events change, what is taken over. */
#include "stats_fixture.h"

#include <string.h>

#include "stats/picture.h"

static const struct picture_config config = {
	.max_rows = 4096, .source_prefix = {32, 64}, .prefix = {24, 64}};

static uint64_t entries_of(const struct picture *picture, enum picture_part part)
{
	return ranking_totals_get(picture->parts[part]).entries;
}

static void a_pass_counts_the_mix_and_all_rankings(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 0, 1, 1), 1, 53);

	(void)unused;
	picture_add(picture, &flow);
	flow = flow_answered(TCP, IP(10, 0, 0, 1), IP(10, 0, 1, 1), 1, 443);
	picture_add(picture, &flow);
	flow.status |= FLOW_STATUS_OFFLOAD;
	picture_add(picture, &flow);
	assert_int_equal(picture->entries, 3);
	assert_int_equal(picture->classes[FLOW_CLASS_UNREPLIED], 1);
	assert_int_equal(picture->classes[FLOW_CLASS_ESTABLISHED], 1);
	assert_int_equal(picture->classes[FLOW_CLASS_OFFLOADED], 1);
	assert_int_equal(picture->protocols[TCP], 2);
	assert_int_equal(picture->states[FLOW_TCP_ESTABLISHED], 2);
	assert_int_equal(picture->assured, 2);
	assert_int_equal(picture->unassured, 1);
	assert_int_equal(picture->offloaded, 1);
	assert_int_equal(picture->table.used, 3);
	assert_int_equal(picture->births.used, 0);
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		assert_int_equal(entries_of(picture, (enum picture_part)part), 3);
	assert_int_equal(ranking_totals_get(picture->parts[PICTURE_SERVICE]).keys, 2);
	picture_free(picture);
}

static void rankings_have_the_lengths_of_the_config(void **unused)
{
	const struct picture_config other = {
		.max_rows = 10, .source_prefix = {28, 56}, .prefix = {16, 48}};
	struct picture *picture = picture_new(&other);

	(void)unused;
	assert_int_equal(ranking_config_get(picture->parts[PICTURE_SOURCE])->prefix_len[0], 28);
	assert_int_equal(ranking_config_get(picture->parts[PICTURE_PREFIX])->prefix_len[1], 48);
	assert_int_equal(ranking_config_get(picture->parts[PICTURE_DESTINATION])->prefix_len[0],
			 32);
	for (int part = 0; part < PICTURE_PART_COUNT; part++) {
		const struct ranking_config *got = ranking_config_get(picture->parts[part]);

		assert_int_equal(got->max, 10);
		assert_int_equal(got->by, picture_part_by((enum picture_part)part));
	}
	picture_free(picture);
}

static void events_change_entries_and_leave_the_mix_of_the_pass(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 0, 1, 1), 1, 53);

	(void)unused;
	picture_add(picture, &flow);
	picture_born(picture, &flow);
	picture_born(picture, &flow);
	picture_died(picture, &flow);
	assert_int_equal(picture->entries, 2);
	assert_int_equal(picture->born, 2);
	assert_int_equal(picture->died, 1);
	assert_int_equal(picture->classes[FLOW_CLASS_UNREPLIED], 1);
	assert_int_equal(picture->births.used, 2);
	for (int i = 0; i < 5; i++)
		picture_died(picture, &flow);
	assert_int_equal(picture->entries, 0);
	assert_int_equal(entries_of(picture, PICTURE_SOURCE), 0);
	picture_free(picture);
}

static void base_and_births_are_taken_over(void **unused)
{
	struct picture *older = picture_new(&config), *newer = picture_new(&config);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 0, 1, 1), 1, 53);
	struct ranking_row row;

	(void)unused;
	picture_born(older, &flow);
	picture_set_base(older);
	assert_int_equal(older->births.used, 0); /* those of the calm are no growth */
	picture_taken(older, &flow);
	assert_int_equal(older->entries, 0);
	assert_int_equal(older->taken, 1);
	picture_set_base(older);
	assert_int_equal(older->taken, 0); /* calm again */
	for (int i = 0; i < 3; i++)
		picture_born(older, &flow);
	picture_taken(older, &flow);
	assert_int_equal(older->died, 2);
	for (int i = 0; i < 2; i++)
		picture_add(newer, &flow);
	picture_inherit(newer, older);
	assert_true(newer->has_base);
	assert_int_equal(newer->base_entries, 0);
	assert_int_equal(newer->taken, 1);
	assert_int_equal(newer->births.used, 3);
	assert_int_equal(ranking_top(newer->parts[PICTURE_SOURCE], RANKING_ORDER_GROWTH, 1, &row),
			 1);
	assert_int_equal(row.entries - row.base, 2);
	assert_int_equal(row.taken, 1);
	picture_free(older);
	picture_free(newer);
}

static void old_unreplied_flows_are_counted_where_stamped(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct flow flow = flow_make(UDP, IP(10, 0, 0, 1), IP(10, 0, 1, 1), 1, 53);

	(void)unused;
	picture_add(picture, &flow); /* not stamped */
	flow.has |= FLOW_HAS_TIMESTAMP;
	flow.start_ns = 10000 * (uint64_t)SEC;
	picture_add(picture, &flow);
	flow.start_ns = 9000 * (uint64_t)SEC;
	picture_add(picture, &flow);
	flow.status = FLOW_STATUS_SEEN_REPLY;
	picture_add(picture, &flow);
	assert_int_equal(picture->old_unreplied, 1);
	picture_free(picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_counts_the_mix_and_all_rankings),
		cmocka_unit_test(rankings_have_the_lengths_of_the_config),
		cmocka_unit_test(events_change_entries_and_leave_the_mix_of_the_pass),
		cmocka_unit_test(base_and_births_are_taken_over),
		cmocka_unit_test(old_unreplied_flows_are_counted_where_stamped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
