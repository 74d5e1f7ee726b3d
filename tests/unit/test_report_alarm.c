/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms, toplines and the lines of the control socket. */
#include "report_fixture.h"

static void alarm_document_has_the_full_breakdown(void **state)
{
	struct alarm alarm = {.previous = LEVEL_OK};

	(void)state;
	fixture_daemon(&alarm.at);
	line_compare(report_alarm_json(&alarm), "alarm-warning.json");
}

static void alarm_line_is_key_value(void **state)
{
	struct alarm alarm = {.previous = LEVEL_OK};
	char buf[2048];

	(void)state;
	fixture_daemon(&alarm.at);
	snprintf(alarm.at.cause.text, sizeof(alarm.at.cause.text), "a \"quoted\"\ncause");
	report_alarm_text(&alarm, buf, sizeof(buf));
	assert_null(strchr(buf, '\n'));
	assert_non_null(strstr(buf, "cause=\"a 'quoted' cause\""));
	golden_compare("alarm-warning.txt", buf);
	alarm.at.fill.seconds_to_full = 1.46;
	alarm.at.fill.growth_per_sec = 799.5;
	report_alarm_text(&alarm, buf, sizeof(buf));
	assert_non_null(strstr(buf, " growth_per_sec=+800 seconds_to_full=1.5 "));
	alarm.at.fill.seconds_to_full = 0.036;
	report_alarm_text(&alarm, buf, sizeof(buf));
	assert_non_null(strstr(buf, " seconds_to_full=0.036 "));
}

static void short_buffer_cuts_the_alarm_line(void **state)
{
	struct alarm alarm = {.previous = LEVEL_OK};
	char buf[32];

	(void)state;
	fixture_daemon(&alarm.at);
	report_alarm_text(&alarm, buf, sizeof(buf));
	assert_true(strlen(buf) < sizeof(buf));
	assert_int_equal(strncmp(buf, "level=warning previous=ok", 25), 0);
}

static void alarm_without_a_pass_has_no_breakdown(void **state)
{
	struct alarm alarm = {.previous = LEVEL_WARNING};

	(void)state;
	fixture_cheap(&alarm.at);
	alarm.at.level = LEVEL_OK;
	line_compare(report_alarm_json(&alarm), "alarm-bare.json");
}

static void breakdown_is_what_status_was_and_all_tables(void **state)
{
	struct alarm alarm = {.previous = LEVEL_OK};
	struct capture c;

	(void)state;
	fixture_daemon(&alarm.at);
	capture_start(&c, 100, false);
	assert_int_equal(report_breakdown(&c.out, &alarm, true), 0);
	capture_compare(&c, "breakdown-alarm.txt");
	capture_start(&c, 40, true);
	assert_int_equal(report_breakdown(&c.out, &alarm, true), 0);
	fflush(c.out.file);
	assert_fits(c.text, 40);
	capture_compare(&c, "breakdown-alarm-40.txt");
	/* A topline tells less; nothing is made up for what it does not say. */
	memset(&alarm.at.marks, 0, sizeof(alarm.at.marks));
	alarm.at.has = SNAPSHOT_HAS_TOP | SNAPSHOT_HAS_LEVEL;
	alarm.at.fill.now.has = READING_HAS_ENTRIES | READING_HAS_LIMIT;
	alarm.at.cause.is_known = false;
	memset(alarm.at.protocols, 0, sizeof(alarm.at.protocols));
	memset(alarm.at.classes, 0, sizeof(alarm.at.classes));
	alarm.at.prefixes.used = alarm.at.services.used = alarm.at.examples_used = 0;
	capture_start(&c, 100, false);
	assert_int_equal(report_breakdown(&c.out, &alarm, false), 0);
	capture_compare(&c, "breakdown-topline.txt");
}

static void topline_is_short(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_daemon(&s);
	line_compare(report_topline_json(&s), "topline.json");
}

static void answer_carries_the_document(void **state)
{
	struct snapshot s;
	char *document;

	(void)state;
	fixture_cheap(&s);
	document = report_status_json(&s);
	line_compare(report_answer_json(7, document), "answer-status.json");
	free(document);
	line_compare(report_answer_json(8, NULL), "answer-empty.json");
}

static void error_has_code_text_and_path(void **state)
{
	(void)state;
	line_compare(report_error_json(9, "bad-request", "no such ranking", "args.by"), "answer-error.json");
}

static void error_text_that_is_no_utf8_is_left_empty(void **state)
{
	char *line = report_error_json(9, "bad-request", "\xff", NULL);

	(void)state;
	assert_string_equal(line, "{\"schema\":\"ctwarden.answer/1\",\"id\":9,\"end\":true,\"error\":"
				  "{\"code\":\"bad-request\",\"text\":\"\",\"path\":\"\"}}");
	free(line);
}

static void request_has_its_arguments(void **state)
{
	(void)state;
	line_compare(report_request_json(1, "top", "{\"by\":\"source\",\"n\":10}"), "request-top.json");
	line_compare(report_request_json(2, "status", NULL), "request-status.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alarm_document_has_the_full_breakdown),
		cmocka_unit_test(alarm_line_is_key_value),
		cmocka_unit_test(short_buffer_cuts_the_alarm_line),
		cmocka_unit_test(alarm_without_a_pass_has_no_breakdown),
		cmocka_unit_test(breakdown_is_what_status_was_and_all_tables),
		cmocka_unit_test(topline_is_short),
		cmocka_unit_test(answer_carries_the_document),
		cmocka_unit_test(error_has_code_text_and_path),
		cmocka_unit_test(error_text_that_is_no_utf8_is_left_empty),
		cmocka_unit_test(request_has_its_arguments),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
