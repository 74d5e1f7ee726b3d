/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/snapshot: what a reading and a picture tell, and what they do not. */
#include "stats_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/refusal.h"
#include "stats/snapshot.h"

static const struct picture_config config = {
	.max_rows = 4096, .source_prefix = {32, 64}, .prefix = {24, 64}};
static const struct table_reading reading = {
	.monotonic_ns = 100 * SEC,
	.real_ns = 5000 * SEC,
	.has = READING_HAS_ENTRIES | READING_HAS_LIMIT | READING_HAS_COUNTERS | READING_HAS_BUCKETS,
	.entries = 800,
	.entries_limit = 1000,
	.buckets = 1000,
};

/* 600 of one source not ASSURED, 200 that are. */
static struct picture *picture_make(void)
{
	struct picture *picture = picture_new(&config);

	for (uint32_t i = 0; i < 800; i++) {
		struct flow flow = i < 600 ? flow_make(UDP, IP(10, 0, 0, 1), i, 1, 53)
					   : flow_answered(TCP, IP(10, 0, 1, 0) + i, i, 1, 443);

		picture_add(picture, &flow);
	}
	picture->pass_started_ns = 96 * SEC;
	picture->pass_ended_ns = 97 * SEC;
	return picture;
}

static void a_reading_alone_gives_fill_and_level(void **unused)
{
	struct level_config marks = level_config_default();
	struct snapshot *snapshot = malloc(sizeof(*snapshot));

	(void)unused;
	memset(snapshot, 0xff, sizeof(*snapshot));
	snapshot_from_reading(snapshot, &reading, 0, &marks, NULL);
	assert_int_equal(snapshot->has, 0);
	assert_true(fabs(snapshot->fill.fill_pct - 80) < 1e-9);
	assert_int_equal(snapshot->level, LEVEL_WARNING);
	assert_true(snapshot->fill.seconds_to_full == -1);
	assert_false(snapshot->cause.is_known);
	assert_int_equal(snapshot->sources.used, 0);
	snapshot_from_reading(snapshot, &reading, 850, &marks, NULL);
	assert_int_equal(snapshot->level, LEVEL_CRITICAL);
	free(snapshot);
}

static void a_pass_adds_classes_tops_cause_and_refusal(void **unused)
{
	struct level_config marks = level_config_default();
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	struct picture *picture = picture_make();

	(void)unused;
	snapshot_from_reading(snapshot, &reading, 0, &marks, picture);
	assert_int_equal(snapshot->has,
			 SNAPSHOT_HAS_PASS | SNAPSHOT_HAS_TOP | SNAPSHOT_HAS_REFUSAL);
	assert_true(fabs(snapshot->evictable_pct - 75) < 1e-9);
	assert_true(snapshot->refusal_probability == 0); /* below the limit */
	assert_int_equal(snapshot->examples_used, SNAPSHOT_EXAMPLES);
	assert_int_equal(snapshot->examples[4].dport, 53);
	assert_true(snapshot->refusal_when_full == refusal_when_full(1000, 1000, 0.75));
	assert_int_equal(snapshot->classes[FLOW_CLASS_UNREPLIED], 600);
	assert_int_equal(snapshot->protocols[UDP], 600);
	assert_true(fabs(snapshot->pass_age_sec - 3) < 1e-9);
	assert_true(fabs(snapshot->pass_sec - 1) < 1e-9);
	assert_int_equal(snapshot->listed, 800);
	assert_true(snapshot->cause.has_dominant);
	assert_int_equal(snapshot->sources.used, SNAPSHOT_TOP);
	assert_int_equal(snapshot->sources.rows[0].entries, 600);
	assert_int_equal(snapshot->sources.totals.keys, 201);
	assert_int_equal(snapshot->services.used, 2);
	assert_int_equal(snapshot->prefixes.by, RANKING_BY_PREFIX);
	assert_int_equal(snapshot->destinations.config.by, RANKING_BY_DESTINATION);
	picture_free(picture);
	free(snapshot);
}

static void without_limit_or_buckets_no_refusal_is_claimed(void **unused)
{
	struct level_config marks = level_config_default();
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	struct picture *picture = picture_make();
	struct table_reading other = reading;

	(void)unused;
	other.entries_limit = 0;
	snapshot_from_reading(snapshot, &other, 0, &marks, picture);
	assert_int_equal(snapshot->has & SNAPSHOT_HAS_REFUSAL, 0);
	assert_int_equal(snapshot->level, LEVEL_OK);
	other = reading;
	other.has &= ~(uint32_t)READING_HAS_BUCKETS;
	snapshot_from_reading(snapshot, &other, 0, &marks, picture);
	assert_int_equal(snapshot->has & SNAPSHOT_HAS_REFUSAL, 0);
	picture_free(picture);
	free(snapshot);
}

static void lost_events_and_a_clock_behind_are_carried(void **unused)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct picture *picture = picture_make();

	(void)unused;
	picture->is_approximate = true;
	picture->lost = 7;
	snapshot_add_picture(snapshot, picture, NULL, 90 * SEC);
	assert_true(snapshot->is_approximate);
	assert_int_equal(snapshot->lost_events, 7);
	assert_true(snapshot->pass_age_sec == 0);
	picture_free(picture);
	free(snapshot);
}

static void add_flows(struct picture *picture, uint32_t source, int count, const struct flow *of)
{
	for (int i = 0; i < count; i++) {
		struct flow flow = *of;

		put_ipv4(flow.tuple[FLOW_ORIG].src, source);
		put_ipv4(flow.tuple[FLOW_REPLY].dst, source);
		flow.tuple[FLOW_ORIG].sport = flow.tuple[FLOW_REPLY].dport = (uint16_t)i;
		picture_add(picture, &flow);
	}
}

static bool is_among(const struct snapshot_more *more, uint32_t source)
{
	uint8_t address[16] = {0};

	put_ipv4(address, source);
	for (size_t i = 0; i < more->used; i++)
		if (!memcmp(more->rows[i].key.addr, address, sizeof(address)))
			return true;
	return false;
}

/* Twenty heavy sources of answered flows, and behind them one of each other kind. */
static void who_is_heavy_by_another_count_than_entries_is_not_hidden(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct level_config marks = level_config_default();
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	struct flow answered = flow_answered(UDP, 0, 1, 1, 53), shaken = flow_answered(TCP, 0, 1, 1, 80),
		    unreplied = flow_make(UDP, 0, 1, 1, 53), half_open = flow_make(TCP, 0, 1, 1, 80);

	(void)unused;
	half_open.status = FLOW_STATUS_SEEN_REPLY;
	half_open.state = FLOW_TCP_SYN_RECV;
	for (uint32_t i = 0; i < 25; i++)
		add_flows(picture, IP(10, 9, i, 1), 200, &answered);
	add_flows(picture, IP(10, 1, 0, 1), 50, &unreplied);
	add_flows(picture, IP(10, 2, 0, 1), 50, &half_open);
	add_flows(picture, IP(10, 3, 0, 1), 50, &shaken);
	snapshot_from_reading(snapshot, &reading, 0, &marks, picture);
	assert_int_equal(snapshot->more_sources.used, 0);
	snapshot_add_more(snapshot, picture);
	assert_true(is_among(&snapshot->more_sources, IP(10, 1, 0, 1)));
	assert_true(is_among(&snapshot->more_sources, IP(10, 2, 0, 1)));
	assert_true(is_among(&snapshot->more_sources, IP(10, 3, 0, 1)));
	for (size_t i = 0; i < snapshot->more_sources.used; i++) /* nobody twice */
		for (size_t k = 0; k < snapshot->sources.used; k++)
			assert_memory_not_equal(&snapshot->more_sources.rows[i].key,
						&snapshot->sources.rows[k].key,
						sizeof(struct ranking_key));
	assert_true(is_among(&snapshot->more_prefixes, IP(10, 1, 0, 0)));
	free(snapshot);
	picture_free(picture);
}

/* The table has jumped, and the events that tell of it are not read yet. */
static void a_rate_below_half_of_the_growth_is_not_known(void **unused)
{
	static struct snapshot snapshot;

	(void)unused;
	assert_false(snapshot_knows_rate(&snapshot));
	snapshot.has = SNAPSHOT_HAS_RATE;
	assert_true(snapshot_knows_rate(&snapshot)); /* 0/s at rest */
	snapshot.has |= SNAPSHOT_HAS_GROWTH;
	snapshot.fill.growth_per_sec = 0.4;
	assert_true(snapshot_knows_rate(&snapshot));
	snapshot.fill.growth_per_sec = 3000;
	assert_false(snapshot_knows_rate(&snapshot));
	snapshot.new_per_sec = 1000;
	assert_false(snapshot_knows_rate(&snapshot));
	snapshot.new_per_sec = 1500;
	assert_true(snapshot_knows_rate(&snapshot));
	snapshot.fill.growth_per_sec = -3000;
	snapshot.new_per_sec = 0;
	assert_true(snapshot_knows_rate(&snapshot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reading_alone_gives_fill_and_level),
		cmocka_unit_test(a_pass_adds_classes_tops_cause_and_refusal),
		cmocka_unit_test(without_limit_or_buckets_no_refusal_is_claimed),
		cmocka_unit_test(who_is_heavy_by_another_count_than_entries_is_not_hidden),
		cmocka_unit_test(a_rate_below_half_of_the_growth_is_not_known),
		cmocka_unit_test(lost_events_and_a_clock_behind_are_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
