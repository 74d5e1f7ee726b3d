/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_tally: who has most is told, with all it has, however many others have little. */
#include "stats_fixture.h"

#include <stdlib.h>

#include "../../src/action/evict_private.h"

#define MANY 60000

static const uint8_t prefix[2] = {32, 64};

static struct victim of_source(uint32_t source)
{
	struct victim victim = {.family = AF_INET, .protocol = UDP};

	put_ipv4(victim.src, source);
	return victim;
}

static void told(const struct action_record *record, size_t at, const char *name, uint64_t count)
{
	assert_true(at < record->source_count);
	assert_string_equal(record->sources[at].name, name);
	assert_int_equal(record->sources[at].count, count);
}

/* Six have seven to two victims, far from each other; the others one. */
static void who_has_most_is_told_where_nearly_all_have_one(void **state)
{
	struct victim *victims = calloc(MANY, sizeof(*victims));
	struct action_record record = {0};

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		victims[i] = of_source(IP(10, 0, 0, 0) + i);
	for (uint32_t heavy = 0; heavy < 6; heavy++)
		for (uint32_t i = 0; i < 7 - heavy; i++)
			victims[i * (MANY / 7) + 100 * heavy] = of_source(IP(192, 0, 2, 1) + heavy);
	evict_tally_sources(&record, prefix, victims, MANY);
	assert_int_equal(record.source_count, RECORD_SOURCES);
	told(&record, 0, "192.0.2.1", 7);
	told(&record, 1, "192.0.2.2", 6);
	told(&record, 2, "192.0.2.3", 5);
	told(&record, 3, "192.0.2.4", 4);
	told(&record, 4, "192.0.2.5", 3);
	free(victims);
}

/* Against a plain count: 5,000 sources, of which a thousand have more than the others. */
static void every_victim_counts_once(void **state)
{
	struct victim *victims = calloc(MANY, sizeof(*victims));
	struct action_record record = {0};
	uint64_t counts[5000] = {0}, random = 7, most = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t source = (uint32_t)(random_next(&random) % 9999);

		source = source < 5000 ? source : source % 1000;
		victims[i] = of_source(IP(10, 0, 0, 0) + source);
		counts[source]++;
	}
	for (size_t i = 0; i < 5000; i++)
		most = counts[i] > most ? counts[i] : most;
	evict_tally_sources(&record, prefix, victims, MANY);
	assert_int_equal(record.sources[0].count, most);
	for (size_t i = 0; i < RECORD_SOURCES; i++) {
		unsigned c, d, source;

		assert_int_equal(sscanf(record.sources[i].name, "10.0.%u.%u", &c, &d), 2);
		source = c << 8 | d;
		assert_in_range(source, 0, 4999);
		assert_int_equal(record.sources[i].count, counts[source]);
		counts[source] = 0;
	}
	/* No other has more than the last that is told. */
	for (size_t i = 0; i < 5000; i++)
		assert_true(counts[i] <= record.sources[RECORD_SOURCES - 1].count);
	free(victims);
}

/* As full as it ever is. */
static void where_all_have_one_those_that_go_first_are_told(void **state)
{
	struct victim *victims = calloc(MANY, sizeof(*victims));
	struct action_record record = {0};
	char name[32];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		victims[i] = of_source(IP(10, 0, 0, 0) + (MANY - i) * 65537);
	evict_tally_sources(&record, prefix, victims, MANY);
	assert_int_equal(record.source_count, RECORD_SOURCES);
	for (uint32_t i = 0; i < RECORD_SOURCES; i++) {
		uint32_t source = IP(10, 0, 0, 0) + (MANY - i) * 65537;

		snprintf(name, sizeof(name), "%u.%u.%u.%u", source >> 24, source >> 16 & 0xff, source >> 8 & 0xff,
			 source & 0xff);
		told(&record, i, name, 1);
	}
	free(victims);
}

static void a_source_is_a_prefix_in_a_zone(void **state)
{
	struct action_record record = {0};
	struct victim victims[6] = {of_source(IP(10, 0, 0, 1)), of_source(IP(10, 0, 0, 1)), of_source(IP(10, 0, 0, 1))};

	(void)state;
	victims[1].zone = victims[2].zone = 7;
	for (uint8_t i = 3; i < 6; i++) {
		victims[i] = (struct victim){.family = AF_INET6, .src = {0x20, 0x01, 0x0d, 0xb8}};
		victims[i].src[15] = i;
	}
	evict_tally_sources(&record, prefix, victims, 6);
	assert_int_equal(record.source_count, 3);
	told(&record, 0, "2001:db8::/64", 3);
	told(&record, 1, "10.0.0.1 zone 7", 2);
	told(&record, 2, "10.0.0.1", 1);
}

static void of_no_victims_there_is_no_source(void **state)
{
	struct action_record record = {0};
	struct victim one = of_source(IP(10, 0, 0, 1));

	(void)state;
	evict_tally_sources(&record, prefix, &one, 0);
	assert_int_equal(record.source_count, 0);
	evict_tally_sources(&record, prefix, &one, 1);
	assert_int_equal(record.source_count, 1);
	told(&record, 0, "10.0.0.1", 1);
}

static void what_went_before_counts_with_it(void **state)
{
	struct action_record record = {0};
	struct victim victims[16];

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		victims[i] = of_source(IP(10, 0, 0, 1) + i / 2);
	evict_tally_source(&record, prefix, AF_INET, of_source(IP(192, 0, 2, 1)).src, 7000);
	record.matched = 7000;
	evict_tally_source(&record, prefix, AF_INET, of_source(IP(10, 0, 0, 8)).src, 1);
	record.matched = 7001;
	evict_tally_sources(&record, prefix, victims, 16);
	assert_int_equal(record.source_count, RECORD_SOURCES);
	told(&record, 0, "192.0.2.1", 7000);
	told(&record, 1, "10.0.0.8", 3);
	told(&record, 2, "10.0.0.1", 2);
	record.matched += 16;
	evict_tally_sources(&record, prefix, victims, 1);
	told(&record, 0, "192.0.2.1", 7000);
	told(&record, 1, "10.0.0.1", 3);
}

/* Of most of it nobody knows whose it was. */
static void where_that_is_not_known_no_source_is_told(void **state)
{
	struct action_record record = {.matched = 7000};
	struct victim one = of_source(IP(10, 0, 0, 1));

	(void)state;
	evict_tally_sources(&record, prefix, &one, 1);
	assert_int_equal(record.source_count, 0);
	record = (struct action_record){0};
	evict_tally_sources(&record, prefix, &one, 1);
	record.matched = 7000;
	evict_tally_source(&record, prefix, AF_INET, one.src, 10);
	assert_int_equal(record.source_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_most_is_told_where_nearly_all_have_one),
		cmocka_unit_test(every_victim_counts_once),
		cmocka_unit_test(where_all_have_one_those_that_go_first_are_told),
		cmocka_unit_test(a_source_is_a_prefix_in_a_zone),
		cmocka_unit_test(of_no_victims_there_is_no_source),
		cmocka_unit_test(what_went_before_counts_with_it),
		cmocka_unit_test(where_that_is_not_known_no_source_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
