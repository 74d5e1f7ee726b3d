/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rankings as table and document: columns go from the right where the width is small, keys and entries stay. */
#include "report_fixture.h"

static struct ranking_row rows[3];

static struct report_top fixture_top(void)
{
	struct report_top top = {.view = "kernel", .netns = fixture_netns(), .entries = 203417, .matched = 203417,
				 .filter = "", .rows = rows};

	top.config = ranking_config_default(RANKING_BY_SOURCE);
	top.used = fixture_rows(rows);
	top.totals = fixture_totals();
	top.scan.received = top.scan.matched = 203417;
	top.scan.ended_ns = 410 * NS_PER_MS;
	return top;
}

static void show(const struct report_top *top, unsigned columns, bool is_terminal, const char *name)
{
	struct capture c;

	capture_start(&c, columns, is_terminal);
	assert_int_equal(report_top(&c.out, top), 0);
	fflush(c.out.file);
	if (is_terminal)
		assert_fits(c.text, columns);
	capture_compare(&c, name);
}

static void sources_fit_40_80_and_120_columns(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	show(&top, 40, true, "top-source-40.txt");
	show(&top, 80, true, "top-source-80.txt");
	show(&top, 120, true, "top-source-120.txt");
	show(&top, 100, false, "top-source-pipe.txt");
	line_compare(report_top_json(&top), "top-source.json");
}

static void daemon_view_has_rates_age_and_folded(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	top.view = "daemon";
	top.age_sec = 12.5;
	top.is_approximate = true;
	memset(&top.scan, 0, sizeof(top.scan));
	top.totals.folded_entries = 20000;
	top.totals.folded_keys = 25000;
	top.totals.sum.new_per_sec = 800.5f;
	rows[0].new_per_sec = 601.2f;
	rows[1].new_per_sec = 14;
	show(&top, 100, true, "top-daemon.txt");
	line_compare(report_top_json(&top), "top-daemon.json");
}

static void filter_bytes_and_redone_dumps_are_said(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	top.filter = "-s 10.0.0.0/8";
	top.matched = top.totals.entries = 161070;
	top.used = 2;
	top.totals.keys = 2;
	top.scan.redone = 2;
	top.scan.undecodable = 1;
	snprintf(top.scan.pushed_down, sizeof(top.scan.pushed_down), "-f ipv4");
	rows[0].bytes = 1536 * 1024;
	show(&top, 120, false, "top-filter.txt");
	line_compare(report_top_json(&top), "top-filter.json");
}

static void births_are_ranked_with_what_still_lives(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	top.order = RANKING_ORDER_BORN;
	top.span_sec = 5;
	top.lost = 17;
	top.is_approximate = true;
	top.totals.sum.born = 4000;
	top.totals.entries = 3000;
	top.totals.keys = 40;
	rows[0].born = 3000;
	rows[0].entries = 2500;
	rows[0].new_per_sec = 600;
	rows[1].born = 70;
	rows[1].entries = 70;
	rows[1].new_per_sec = 14;
	top.used = 2;
	show(&top, 80, true, "top-new.txt");
	line_compare(report_top_json(&top), "top-new.json");
}

static void services_have_protocol_and_port(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	top.config = ranking_config_default(RANKING_BY_SERVICE);
	memset(&rows[0].key, 0, sizeof(rows[0].key));
	memset(&rows[1].key, 0, sizeof(rows[1].key));
	memset(&rows[2].key, 0, sizeof(rows[2].key));
	rows[0].key.protocol = IPPROTO_TCP;
	rows[0].key.value = 22;
	rows[1].key.protocol = IPPROTO_ICMP;
	rows[1].key.value = 8;
	rows[2].key.protocol = IPPROTO_GRE;
	show(&top, 80, false, "top-service.txt");
	line_compare(report_top_json(&top), "top-service.json");
}

static void empty_table_is_one_sentence(void **state)
{
	struct report_top top = fixture_top();

	(void)state;
	top.used = 0;
	top.entries = top.matched = 0;
	memset(&top.totals, 0, sizeof(top.totals));
	show(&top, 80, false, "top-empty.txt");
	line_compare(report_top_json(&top), "top-empty.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_fit_40_80_and_120_columns),
		cmocka_unit_test(daemon_view_has_rates_age_and_folded),
		cmocka_unit_test(filter_bytes_and_redone_dumps_are_said),
		cmocka_unit_test(births_are_ranked_with_what_still_lives),
		cmocka_unit_test(services_have_protocol_and_port),
		cmocka_unit_test(empty_table_is_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
