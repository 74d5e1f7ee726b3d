/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen and the document of relieve: a plan, what was done, too little to take, nothing to do.
 */
#include <errno.h>

#include "report/relieve.h"
#include "report_fixture.h"

static struct snapshot snapshot;

static void add_source(struct action_record *record, const char *name, uint64_t count)
{
	struct record_count *source = &record->sources[record->source_count++];

	snprintf(source->name, sizeof(source->name), "%s", name);
	source->count = count;
}

static struct report_relieve fixture(void)
{
	struct report_relieve relieve = {.is_dry = true,
					 .policy = "built-in",
					 .snapshot = &snapshot,
					 .target_pct = 70,
					 .capacity = 262144,
					 .target_entries = 183500,
					 .wanted = 19505,
					 .swept = 412,
					 .in_use = 48011,
					 .young = 120,
					 .unsettled = 57,
					 .protected_flows = 12,
					 .others = 3,
					 .unmatched = 2684,
					 .candidates = 115854,
					 .entries_before = 203005,
					 .entries_after = 183500,
					 .took_ns = 84 * NS_PER_MS};
	struct action_record *record = &relieve.record;
	struct signature *signature = &record->signatures[record->signature_count++];

	fixture_cheap(&snapshot);
	fixture_pass(&snapshot);
	record->matched = record->left = 19505;
	record->classes[FLOW_CLASS_HALF_OPEN] = 2;
	record->classes[FLOW_CLASS_UNREPLIED] = 19503;
	record->stages[VICTIM_UNANSWERED_FIT] = 19505;
	record->spared_by[VICTIM_SPARED_CHILD] = 1;
	add_source(record, "10.1.0.66", 19000);
	add_source(record, "2001:db8:7::/64", 300);
	add_source(record, "10.1.0.99", 7);
	record->protected_count = 2;
	snprintf(record->protected_by[0].name, sizeof(record->protected_by[0].name), "operator");
	record->protected_by[0].count = 2;
	snprintf(record->protected_by[1].name, sizeof(record->protected_by[1].name), "own");
	record->protected_by[1].count = 10;
	record->examples[record->example_count++] = snapshot.examples[0];
	signature->coverage = 0.2; /* the pass did not bear it out: it says nothing */
	signature = &record->signatures[record->signature_count++];
	signature->pattern = (struct signature_pattern){.has_protocol = true,
							.has_port = true,
							.protocol = IPPROTO_TCP,
							.port = 22,
							.classes = 1 << FLOW_CLASS_UNREPLIED};
	signature->coverage = 0.73;
	signature->is_confirmed = true;
	return relieve;
}

static void done(struct report_relieve *relieve)
{
	relieve->is_dry = false;
	relieve->record.done = 19490;
	relieve->record.gone = 15;
	relieve->record.left = 0;
}

static void show(const struct report_relieve *relieve, unsigned columns, bool has_colour,
		 const char *name)
{
	struct capture c;

	capture_start(&c, columns, columns != 0);
	c.out.columns = columns ? columns : 100;
	c.out.has_colour = has_colour;
	assert_int_equal(report_relieve(&c.out, relieve), 0);
	fflush(c.out.file);
	if (columns)
		assert_fits(c.text, columns);
	capture_compare(&c, name);
}

static void show_json(const struct report_relieve *relieve, const char *name)
{
	struct capture c;

	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(report_relieve(&c.out, relieve), 0);
	capture_compare(&c, name);
}

static void plan_tells_who_and_why_and_what_stays(void **state)
{
	struct report_relieve relieve = fixture();

	(void)state;
	show(&relieve, 0, false, "relieve-dry.txt");
	show(&relieve, 80, true, "relieve-dry-colour.txt");
	show(&relieve, 50, false, "relieve-dry-50.txt");
	show_json(&relieve, "relieve-dry.json");
}

static void work_tells_before_and_after(void **state)
{
	struct report_relieve relieve = fixture();

	(void)state;
	done(&relieve);
	relieve.capacity_from = REPORT_CAPACITY_DAEMON;
	show(&relieve, 0, false, "relieve-done.txt");
	show_json(&relieve, "relieve-done.json");
	relieve.is_planned = true;
	show(&relieve, 80, false, "relieve-planned.txt");
}

static void failure_and_a_target_not_reached_are_said(void **state)
{
	struct report_relieve relieve = fixture();

	(void)state;
	done(&relieve);
	relieve.record.matched = 5000;
	relieve.record.classes[FLOW_CLASS_UNREPLIED] = 4998;
	relieve.record.source_count = 0;
	add_source(&relieve.record, "10.1.0.66", 5000);
	relieve.record.done = 4990;
	relieve.record.refused = 6;
	relieve.record.unknown = 4;
	relieve.record.gone = 0;
	relieve.entries_after = 198015;
	relieve.candidates = 7;
	show(&relieve, 0, false, "relieve-short.txt");
	relieve.candidates = 0;
	show(&relieve, 0, false, "relieve-short-young.txt");
	relieve.young = relieve.unsettled = 0;
	show(&relieve, 0, false, "relieve-short-in-use.txt");
	relieve.record.matched = relieve.wanted;
	show(&relieve, 0, false, "relieve-short-fills.txt");
	relieve.daemon_acts = true;
	show(&relieve, 0, false, "relieve-short-guarded.txt");
	relieve.record.matched = 5000;
	relieve.candidates = 7;
	relieve.record.error = -EPERM;
	show(&relieve, 0, false, "relieve-error.txt");
	show_json(&relieve, "relieve-error.json");
}

static void nothing_to_do_is_one_line_more(void **state)
{
	struct report_relieve relieve = {.policy = "built-in",
					 .snapshot = &snapshot,
					 .target_pct = 80,
					 .capacity = 262144,
					 .target_entries = 209715,
					 .entries_before = 203417,
					 .entries_after = 203417};

	(void)state;
	fixture_cheap(&snapshot);
	show(&relieve, 0, false, "relieve-enough.txt");
	show_json(&relieve, "relieve-enough.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_tells_who_and_why_and_what_stays),
		cmocka_unit_test(work_tells_before_and_after),
		cmocka_unit_test(failure_and_a_target_not_reached_are_said),
		cmocka_unit_test(nothing_to_do_is_one_line_more),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
