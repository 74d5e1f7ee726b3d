/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers about the guard: mode, bans, what was lifted, what was read again. */
#include "report/guard.h"
#include "report_fixture.h"

static void mode_for_a_while_tells_what_comes_back(void **state)
{
	struct report_mode mode = {.real_ns = FIXTURE_NOW,
				   .netns = fixture_netns(),
				   .mode = POLICY_MODE_ACT,
				   .base_mode = POLICY_MODE_OBSERVE,
				   .left_ns = 1800 * NS_PER_SEC};
	struct capture c;

	(void)state;
	line_compare(report_mode_json(&mode), "mode-while.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_mode_text(&c.out, &mode), 0);
	assert_string_equal(c.text, "act for another 30 min, then observe\n");
	fclose(c.out.file);
	free(c.text);
}

static void mode_for_good_tells_no_end(void **state)
{
	struct report_mode mode = {.real_ns = FIXTURE_NOW,
				   .netns = fixture_netns(),
				   .mode = POLICY_MODE_ACT,
				   .base_mode = POLICY_MODE_ACT};
	struct capture c;

	(void)state;
	line_compare(report_mode_json(&mode), "mode.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_mode_text(&c.out, &mode), 0);
	assert_string_equal(c.text, "act\n");
	fclose(c.out.file);
	free(c.text);
	mode.waits_for_seniors = true;
	line_compare(report_mode_json(&mode), "mode-no-calm.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_mode_text(&c.out, &mode), 0);
	assert_string_equal(c.text, "act\n"
			    "no calm picture yet: answered flows go only where they are idle or closing\n");
	fclose(c.out.file);
	free(c.text);
	mode.mode = mode.base_mode = POLICY_MODE_OBSERVE;
	capture_start(&c, 80, false);
	assert_int_equal(report_mode_text(&c.out, &mode), 0);
	assert_string_equal(c.text, "observe\n");
	fclose(c.out.file);
	free(c.text);
}

static void bans_are_rows(void **state)
{
	struct report_ban items[3] = {{.left_ns = 298 * NS_PER_SEC},
				      {.left_ns = 3600 * NS_PER_SEC, .rate_per_sec = 5},
				      {.left_ns = 1}};
	struct report_ban spared = {.left_ns = 540 * NS_PER_SEC};
	struct report_bans bans = {
		.real_ns = FIXTURE_NOW, .netns = fixture_netns(), .bans = items, .count = 3};
	struct capture c;

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.7", &items[0].prefix, NULL), 0);
	assert_int_equal(prefix_parse("2001:db8:7::/64", &items[1].prefix, NULL), 0);
	assert_int_equal(prefix_parse("198.51.100.0/24", &items[2].prefix, NULL), 0);
	line_compare(report_bans_json(&bans), "bans.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_bans_text(&c.out, &bans), 0);
	capture_compare(&c, "bans.txt");
	capture_start(&c, 40, true);
	assert_int_equal(report_bans_text(&c.out, &bans), 0);
	fflush(c.out.file);
	assert_fits(c.text, 40);
	capture_compare(&c, "bans-40.txt");
	bans.count = 0;
	capture_start(&c, 80, false);
	assert_int_equal(report_bans_text(&c.out, &bans), 0);
	assert_string_equal(c.text, "nobody is banned\n");
	fclose(c.out.file);
	free(c.text);
	assert_int_equal(prefix_parse("192.0.2.9", &spared.prefix, NULL), 0);
	bans.spared = &spared;
	bans.spared_count = 1;
	line_compare(report_bans_json(&bans), "bans-spared.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_bans_text(&c.out, &bans), 0);
	assert_string_equal(c.text, "nobody is banned\n"
				    "lifted by hand: 192.0.2.9 is not banned again for 9 min\n");
	fclose(c.out.file);
	free(c.text);
}

static void lifting_and_reading_again_say_what_is_now(void **state)
{
	struct report_reload reload = {.real_ns = FIXTURE_NOW,
				       .netns = fixture_netns(),
				       .policy = "gateway",
				       .mode = POLICY_MODE_ACT,
				       .base_mode = POLICY_MODE_ACT,
				       .rules = 4};
	struct report_ban lifted[2] = {{.left_ns = 540 * NS_PER_SEC - 1},
				       {.left_ns = 600 * NS_PER_SEC, .rate_per_sec = 5}};
	struct report_unban done = {
		.real_ns = FIXTURE_NOW, .netns = fixture_netns(), .removed = 2, .lifted = lifted};
	struct capture c;

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.7", &lifted[0].prefix, NULL), 0);
	assert_int_equal(prefix_parse("2001:db8:7::/64", &lifted[1].prefix, NULL), 0);
	line_compare(report_unban_json(&done), "unban.json");
	done.removed = 1;
	done.spared_ns = 540 * NS_PER_SEC - 1;
	line_compare(report_unban_json(&done), "unban-one.json");
	done.held_by = (struct report_ban){.left_ns = 117 * NS_PER_SEC};
	assert_int_equal(prefix_parse("192.0.2.0/24", &done.held_by.prefix, NULL), 0);
	line_compare(report_unban_json(&done), "unban-held.json");
	line_compare(report_reload_json(&reload), "reload.json");
	capture_start(&c, 80, false);
	assert_int_equal(report_unban_text(&c.out, &done), 0);
	done.held_by.rate_per_sec = 5;
	done.spared_ns = 0;
	assert_int_equal(report_unban_text(&c.out, &done), 0);
	done.held_by.left_ns = 0;
	assert_int_equal(report_unban_text(&c.out, &done), 0);
	done.removed = 0;
	line_compare(report_unban_json(&done), "unban-none.json");
	assert_int_equal(report_reload_text(&c.out, &reload), 0);
	reload.base_mode = POLICY_MODE_OBSERVE;
	reload.left_ns = 3540 * NS_PER_SEC;
	line_compare(report_reload_json(&reload), "reload-while.json");
	assert_int_equal(report_reload_text(&c.out, &reload), 0);
	reload.rules = 0;
	assert_int_equal(report_reload_text(&c.out, &reload), 0);
	assert_string_equal(c.text, "1 ban lifted; not to be banned again for 8 min 59 s; still refused by "
				    "192.0.2.0/24 for 1 min 57 s\n"
				    "1 ban lifted; still slowed by 192.0.2.0/24 for 1 min 57 s\n"
				    "1 ban lifted\nin force: policy gateway, mode act, 4 rules\n"
				    "in force: policy gateway, mode act for another 59 min, then observe, 4 rules\n"
				    "in force: no rules, so nothing is done\n");
	fclose(c.out.file);
	free(c.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mode_for_a_while_tells_what_comes_back),
		cmocka_unit_test(mode_for_good_tells_no_end),
		cmocka_unit_test(bans_are_rows),
		cmocka_unit_test(lifting_and_reading_again_say_what_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
