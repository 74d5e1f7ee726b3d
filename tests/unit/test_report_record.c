/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the guard as JSON, as a line of key=value and in words. */
#include <errno.h>

#include "report_fixture.h"

static void add_source(struct action_record *record, const char *name, uint64_t count)
{
	struct record_count *source = &record->sources[record->source_count++];

	snprintf(source->name, sizeof(source->name), "%s", name);
	source->count = count;
}

/* 40,000 of a scanner and 200 others. */
static struct action_record fixture_evict(void)
{
	struct action_record record = {.real_ns = FIXTURE_NOW,
				       .level = LEVEL_WARNING,
				       .mode = POLICY_MODE_ACT,
				       .action = POLICY_ACTION_EVICT,
				       .rule = "evict-unanswered",
				       .reason = "level warning, full in 40 s; 40,200 to go",
				       .how = "40,200 unanswered, fits the surge",
				       .matched = 40200,
				       .done = 40150,
				       .gone = 45,
				       .refused = 5,
				       .spared = 1214,
				       .way = ACTION_WAY_DUMP,
				       .entries_before = 203900,
				       .entries_after = 163750,
				       .capacity = 262144,
				       .budget_left = 59800,
				       .duration_ns = 210 * NS_PER_MS};
	struct signature *signature = &record.signatures[record.signature_count++];
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	assert_non_null(snapshot);
	fixture_examples(snapshot);
	record.examples[record.example_count++] = snapshot->examples[0];
	free(snapshot);
	record.spared_by[VICTIM_SPARED_SENIOR] = 1200;
	record.spared_by[VICTIM_SPARED_PROTECTED] = 14;
	record.protected_count = 1;
	snprintf(record.protected_by[0].name, sizeof(record.protected_by[0].name), "operator");
	record.protected_by[0].count = 14;
	record.classes[FLOW_CLASS_UNREPLIED] = 40198;
	record.classes[FLOW_CLASS_HALF_OPEN] = 2;
	record.stages[VICTIM_UNANSWERED_FIT] = 40200;
	add_source(&record, "10.1.0.66", 40000);
	add_source(&record, "2001:db8:7::/64", 200);
	signature->pattern = (struct signature_pattern){.has_protocol = true,
							.has_port = true,
							.protocol = IPPROTO_TCP,
							.port = 22,
							.classes = 1 << FLOW_CLASS_UNREPLIED};
	signature->coverage = 0.98;
	signature->base_share = 0.001;
	signature->is_confirmed = true;
	return record;
}

static void compare_json(const struct action_record *record, const char *name)
{
	struct table_netns netns = fixture_netns();

	line_compare(report_record_json(record, &netns), name);
}

static void compare_text(const struct action_record *record, const char *name)
{
	char buf[4096];

	report_record_text(record, buf, sizeof(buf));
	assert_null(strchr(buf, '\n'));
	golden_compare(name, buf);
}

static void assert_words(const struct action_record *record, const char *expected)
{
	char buf[REPORT_WORDS_MAX];

	assert_string_equal(report_record_words(record, buf, sizeof(buf)), expected);
}

static void eviction_tells_all_it_did(void **state)
{
	struct action_record record = fixture_evict();

	(void)state;
	compare_json(&record, "record-evict.json");
	compare_text(&record, "record-evict.txt");
	assert_words(&record, "rule evict-unanswered: 40,150 flows, 99 % of 10.1.0.66 in 210 ms; 5 "
			      "refused; 77.8 -> 62.5 %");
}

static void observing_says_would(void **state)
{
	struct action_record record = fixture_evict();

	(void)state;
	record.mode = POLICY_MODE_OBSERVE;
	record.done = record.gone = record.refused = 0;
	record.left = record.matched;
	record.entries_after = record.entries_before;
	compare_json(&record, "record-would.json");
	compare_text(&record, "record-would.txt");
	assert_words(
		&record,
		"rule evict-unanswered: would evict 40,200 flows, 99 % of 10.1.0.66; at 77.8 %");
}

static void sources_are_named_where_one_has_most(void **state)
{
	struct action_record record = fixture_evict();

	(void)state;
	record.refused = 0;
	record.sources[0].count = 20000;
	assert_words(&record, "rule evict-unanswered: 40,150 flows in 210 ms; 77.8 -> 62.5 %");
	record.sources[0].count = 40200;
	assert_words(&record,
		     "rule evict-unanswered: 40,150 flows of 10.1.0.66 in 210 ms; 77.8 -> 62.5 %");
	snprintf(record.key, sizeof(record.key), "192.0.2.0/24");
	record.done = record.matched = 1;
	assert_words(&record,
		     "rule evict-unanswered: 1 flow of 192.0.2.0/24 in 210 ms; 77.8 -> 62.5 %");
}

static struct action_record fixture_ban(void)
{
	struct action_record record = {.real_ns = FIXTURE_NOW,
				       .level = LEVEL_CRITICAL,
				       .mode = POLICY_MODE_ACT,
				       .action = POLICY_ACTION_BAN,
				       .rule = "ban",
				       .key = "192.0.2.7",
				       .reason = "192.0.2.7: 12,000 entries",
				       .matched = 1,
				       .done = 1,
				       .capacity = 262144,
				       .ban = {.for_ns = 600 * NS_PER_SEC, .is_new = true},
				       .duration_ns = 3 * NS_PER_MS};

	return record;
}

static void a_ban_tells_why_how_long_and_what_was_before(void **state)
{
	struct action_record record = fixture_ban();

	(void)state;
	assert_words(&record, "rule ban: refuses new flows of 192.0.2.7 for 10 min: 12,000 entries");
	record.mode = POLICY_MODE_OBSERVE;
	assert_words(&record, "rule ban: would refuse new flows of 192.0.2.7 for 10 min: 12,000 entries");
	record.mode = POLICY_MODE_ACT;
	record.ban.is_new = false;
	record.ban.rate_per_sec = 5;
	record.ban.before_rate_per_sec = 20;
	record.ban.before_left_ns = 90 * NS_PER_SEC;
	compare_json(&record, "record-ban.json");
	compare_text(&record, "record-ban.txt");
	assert_words(&record,
		     "rule ban: refuses new flows of 192.0.2.7 beyond 5 a second for 10 min, until now beyond 20 a "
		     "second: 12,000 entries");
	record.ban.for_ns = 0; /* of the log of an older version */
	record.reason[0] = '\0';
	record.ban.rate_per_sec = 0;
	assert_words(&record, "rule ban: refuses new flows of 192.0.2.7");
}

static void refused_ban_says_why(void **state)
{
	struct action_record record = fixture_ban();

	(void)state;
	record.done = 0;
	record.left = record.spared = 1;
	record.ban = (struct record_ban){0};
	snprintf(record.how, sizeof(record.how), "not banned: a gateway of this host");
	compare_json(&record, "record-ban-refused.json");
	compare_text(&record, "record-ban-refused.txt");
	assert_words(&record, "rule ban: 192.0.2.7 not banned: a gateway of this host");
}

static void timeouts_have_a_beginning_and_an_end(void **state)
{
	struct action_record record = {.real_ns = FIXTURE_NOW,
				       .level = LEVEL_OK,
				       .mode = POLICY_MODE_ACT,
				       .action = POLICY_ACTION_TIMEOUTS,
				       .rule = "short-udp",
				       .reason = "the rule is over",
				       .is_end = true,
				       .matched = 1,
				       .done = 1,
				       .timeouts = {{.index = 0, .from_sec = 20, .to_sec = 120},
						    {.index = 10, .from_sec = 10, .to_sec = 30}},
				       .timeout_count = 2,
				       .capacity = 262144};

	(void)state;
	compare_json(&record, "record-timeouts-end.json");
	compare_text(&record, "record-timeouts-end.txt");
	assert_words(&record, "rule short-udp: kernel timeouts put back: tcp_syn_sent 20 s -> 2 min, udp 10 s -> 30 s");
	record.is_end = false;
	record.timeouts[0] = (struct record_timeout){.index = 11, .from_sec = 120, .to_sec = 60};
	record.timeout_count = 1;
	assert_words(&record, "rule short-udp: kernel timeouts lowered: udp_stream 2 min -> 1 min");
	record.mode = POLICY_MODE_OBSERVE;
	assert_words(&record, "rule short-udp: kernel timeouts would be lowered: udp_stream 2 min -> 1 min");
	record.mode = POLICY_MODE_ACT;
	record.timeout_count = 0;
	snprintf(record.how, sizeof(record.how), "nothing was to be lowered: they are as low already");
	assert_words(&record, "rule short-udp: kernel timeouts: nothing was to be lowered: they are as low already");
}

static void failure_is_told_with_what_was_done_before(void **state)
{
	struct action_record record = fixture_evict();

	(void)state;
	record.error = -EPERM;
	record.done = record.gone = record.refused = 0;
	record.left = record.matched;
	compare_json(&record, "record-error.json");
	compare_text(&record, "record-error.txt");
	assert_words(&record, "rule evict-unanswered: failed: Operation not permitted (40,200 "
			      "unanswered, fits the surge)");
	record.done = 128;
	record.how[0] = '\0';
	assert_words(&record,
		     "rule evict-unanswered: failed: Operation not permitted after 128 of 40,200");
}

static void sweep_shorten_and_log_have_words(void **state)
{
	struct action_record record = fixture_evict();

	(void)state;
	record.refused = record.source_count = 0;
	record.action = POLICY_ACTION_SWEEP;
	assert_words(&record, "rule evict-unanswered: 40,150 expired in 210 ms; 77.8 -> 62.5 %");
	record.action = POLICY_ACTION_SHORTEN;
	assert_words(&record, "rule evict-unanswered: 40,150 idle flows in 210 ms; 77.8 -> 62.5 %");
	record.action = POLICY_ACTION_LOG;
	assert_words(&record, "rule evict-unanswered: level warning, full in 40 s; 40,200 to go");
	record.mode = POLICY_MODE_OBSERVE;
	record.action = POLICY_ACTION_SWEEP;
	assert_words(&record, "rule evict-unanswered: would free what has expired");
}

static void quotes_and_newlines_cannot_forge_a_field(void **state)
{
	struct action_record record = fixture_ban();
	char buf[1024];

	(void)state;
	snprintf(record.reason, sizeof(record.reason), "a \"quoted\"\nreason");
	report_record_text(&record, buf, sizeof(buf));
	assert_non_null(strstr(buf, "reason=\"a 'quoted' reason\""));
	report_record_text(&record, buf, 24);
	assert_true(strlen(buf) < 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eviction_tells_all_it_did),
		cmocka_unit_test(observing_says_would),
		cmocka_unit_test(sources_are_named_where_one_has_most),
		cmocka_unit_test(refused_ban_says_why),
		cmocka_unit_test(a_ban_tells_why_how_long_and_what_was_before),
		cmocka_unit_test(timeouts_have_a_beginning_and_an_end),
		cmocka_unit_test(failure_is_told_with_what_was_done_before),
		cmocka_unit_test(sweep_shorten_and_log_have_words),
		cmocka_unit_test(quotes_and_newlines_cannot_forge_a_field),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
