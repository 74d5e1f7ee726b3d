/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status screen and its document: what is known is said, what is not is left out, at every width. */
#include "report_fixture.h"

static void show(const struct snapshot *s, unsigned columns, bool is_terminal, bool has_colour, const char *name)
{
	struct capture c;

	capture_start(&c, columns, is_terminal);
	c.out.has_colour = has_colour;
	assert_int_equal(report_status(&c.out, s), 0);
	fflush(c.out.file);
	if (is_terminal)
		assert_fits(c.text, columns);
	capture_compare(&c, name);
}

static void cheap_reading_in_a_pipe_is_plain_lines(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	show(&s, 100, false, false, "status-cheap-pipe.txt");
	line_compare(report_status_json(&s), "status-cheap.json");
}

static void daemon_view_fits_40_80_and_120_columns(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_daemon(&s);
	show(&s, 40, true, false, "status-daemon-40.txt");
	show(&s, 80, true, false, "status-daemon-80.txt");
	show(&s, 120, true, false, "status-daemon-120.txt");
	show(&s, 120, true, true, "status-daemon-colour.txt");
	line_compare(report_status_json(&s), "status-daemon.json");
}

static void pipe_has_neither_bar_nor_colour(void **state)
{
	struct snapshot s;
	struct capture c;

	(void)state;
	fixture_daemon(&s);
	capture_start(&c, 100, false);
	assert_int_equal(report_status(&c.out, &s), 0);
	fclose(c.out.file);
	assert_null(strchr(c.text, '#'));
	assert_null(strchr(c.text, '\033'));
	free(c.text);
}

static void deep_look_shows_gap_with_reason(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	fixture_pass(&s);
	show(&s, 100, false, false, "status-deep-pipe.txt");
	line_compare(report_status_json(&s), "status-deep.json");
}

/* Nothing is in it: no share of it is evictable, and nobody can say what will fill it. */
static void an_empty_table_tells_no_odds(void **state)
{
	struct snapshot s;
	struct capture c;
	char *json;

	(void)state;
	fixture_cheap(&s);
	s.has |= SNAPSHOT_HAS_PASS | SNAPSHOT_HAS_REFUSAL;
	s.refusal_when_full = 1;
	for (s.listed = 0; s.listed <= SNAPSHOT_MIX_MIN; s.listed += SNAPSHOT_MIX_MIN) {
		bool is_known = s.listed > 0;

		capture_start(&c, 100, false);
		assert_int_equal(report_status(&c.out, &s), 0);
		fclose(c.out.file);
		json = report_status_json(&s);
		assert_int_equal(strstr(c.text, "once full") != NULL, is_known);
		assert_int_equal(strstr(c.text, "evictable") != NULL, is_known);
		assert_non_null(strstr(c.text, "0.0 % of new flows now"));
		assert_int_equal(strstr(json, "refusal_when_full") != NULL, is_known);
		assert_non_null(strstr(json, "refusal_probability"));
		free(json);
		free(c.text);
	}
}

static void limit_zero_is_said_to_be_none(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.level = LEVEL_OK;
	s.fill.now.entries_limit = s.fill.capacity = 0;
	s.fill.fill_pct = 0;
	show(&s, 80, true, false, "status-limit-zero.txt");
	line_compare(report_status_json(&s), "status-limit-zero.json");
}

static void count_above_limit_says_by_how_much(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.level = LEVEL_FULL;
	s.fill.now.entries_limit = s.fill.capacity = 200000;
	s.fill.fill_pct = 100.0 * 203417 / 200000;
	s.fill.limit_changed = true;
	show(&s, 80, true, false, "status-over.txt");
}

static void capacity_below_the_limit_names_both(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.fill.capacity = 250000;
	s.fill.fill_pct = 100.0 * 203417 / 250000;
	snprintf(s.netns.name, sizeof(s.netns.name), "blue");
	s.netns.is_host = false;
	show(&s, 100, false, false, "status-capacity.txt");
}

static void implausible_count_is_not_believed(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.level = LEVEL_OK;
	s.fill.now.entries = 4294967290u;
	s.fill.is_implausible = true;
	show(&s, 80, true, false, "status-implausible.txt");
	line_compare(report_status_json(&s), "status-implausible.json");
}

static void what_could_not_be_read_is_absent(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.level = LEVEL_OK;
	s.netns.inode = 0;
	s.fill.now.has = READING_HAS_ENTRIES;
	s.fill.capacity = 0;
	show(&s, 80, true, false, "status-unknown.txt");
	line_compare(report_status_json(&s), "status-unknown.json");
}

static void events_off_and_approximate_are_said(void **state)
{
	struct snapshot s;

	(void)state;
	fixture_daemon(&s);
	s.is_listening = false;
	s.is_approximate = true;
	s.events_lost = 5120;
	s.events_overruns = 2;
	s.lost_events = 5120;
	snprintf(s.events_note, sizeof(s.events_note), "events off: above 20,000 new/s");
	show(&s, 100, false, false, "status-approximate.txt");
	line_compare(report_status_json(&s), "status-approximate.json");
}

static void full_disk_is_an_error(void **state)
{
	struct report_out out = {.columns = 80};
	struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	out.file = fopen("/dev/full", "w");
	if (!out.file)
		skip();
	assert_true(report_status(&out, &s) < 0);
	fclose(out.file);
}

static void fast_delete_is_told_with_its_reason(void **state)
{
	static struct snapshot s;

	(void)state;
	fixture_cheap(&s);
	s.has |= SNAPSHOT_HAS_FAST_DELETE;
	snprintf(s.fast_delete_why, sizeof(s.fast_delete_why), "no throw-away namespace can be made");
	show(&s, 100, false, false, "status-fast-delete.txt");
	line_compare(report_status_json(&s), "status-fast-delete.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fast_delete_is_told_with_its_reason),
		cmocka_unit_test(cheap_reading_in_a_pipe_is_plain_lines),
		cmocka_unit_test(daemon_view_fits_40_80_and_120_columns),
		cmocka_unit_test(pipe_has_neither_bar_nor_colour),
		cmocka_unit_test(deep_look_shows_gap_with_reason),
		cmocka_unit_test(an_empty_table_tells_no_odds),
		cmocka_unit_test(limit_zero_is_said_to_be_none),
		cmocka_unit_test(count_above_limit_says_by_how_much),
		cmocka_unit_test(capacity_below_the_limit_names_both),
		cmocka_unit_test(implausible_count_is_not_believed),
		cmocka_unit_test(what_could_not_be_read_is_absent),
		cmocka_unit_test(events_off_and_approximate_are_said),
		cmocka_unit_test(full_disk_is_an_error),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
