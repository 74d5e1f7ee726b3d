/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/policy: what is read, what is refused, and where the problem says it is. */
#include "policy_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy/evaluate.h"
#include "policy/words.h"

#define EVICT "\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\"}"

static void test_an_empty_policy_observes_and_protects(void **state)
{
	struct policy *policy = policy_of(HEAD "}");

	(void)state;
	assert_int_equal(policy->mode, POLICY_MODE_OBSERVE);
	assert_true(policy->protects_operator);
	assert_true(policy->protects_own);
	assert_int_equal(policy->rule_count, 0);
	assert_false(policy->has_levels);
	assert_true(policy->levels.warning.enter_pct == 75);
	policy_free(policy);
	policy = policy_new_default();
	assert_int_equal(policy->mode, POLICY_MODE_OBSERVE);
	assert_true(policy->protects_operator && policy->protects_own);
	policy_free(policy);
	policy_free(NULL);
}

static void test_every_part_is_read(void **state)
{
	struct policy *policy = policy_of(
		"# a comment\n" HEAD
		", \"name\": \"all\", \"about\": \"every part\", \"mode\": \"act\", // another\n"
		"\"capacity\": 20000, \"levels\": {\"warning\": {\"enter_pct\": 60, \"leave_pct\": "
		"50}},\n"
		"\"protect\": {\"operator\": false, \"own\": false, \"flows\": [\n"
		"  {\"name\": \"dns\", \"match\": {\"dport\": 53, \"protocol\": [\"udp\", "
		"\"tcp\"]}}]},\n"
		"\"trusted\": [\"10.0.0.0/8\", \"fd00::/8\"],\n"
		"\"rules\": [{\"name\": \"half\", \"when\": [{\"level\": \"critical\", "
		"\"seconds_to_full\": 30},\n"
		"   {\"refusal_when_full\": 0.01, \"fill_pct\": 80, \"classes\": {\"half-open\": "
		"100}}],\n"
		"  \"match\": {\"age\": \"5s\", \"not\": {\"src\": \"127.0.0.0/8, 10.0.0.1\", "
		"\"unreplied\": true}},\n"
		"  \"do\": {\"action\": \"evict\", \"classes\": [\"half-open\", \"stream\"], "
		"\"min_age\": 2,\n"
		"         \"floors\": {\"stream\": \"5min\"}, \"signature\": false, "
		"\"active_at_full\": true},\n"
		"  \"until\": {\"fill_pct\": 55, \"headroom_sec\": 2}, \"budget\": {\"per_run\": "
		"40, \"per_sec\": 20},\n"
		"  \"cooldown\": \"2s\"}]}");
	const struct policy_rule *rule = &policy->rules[0];

	(void)state;
	assert_string_equal(policy->name, "all");
	assert_string_equal(policy->about, "every part");
	assert_int_equal(policy->mode, POLICY_MODE_ACT);
	assert_int_equal(policy->capacity, 20000);
	assert_true(policy->has_levels && policy->levels.warning.enter_pct == 60 &&
		    policy->levels.full_pct == 95);
	assert_false(policy->protects_operator || policy->protects_own);
	assert_int_equal(policy->protect_count, 1);
	assert_string_equal(policy->protect[0].name, "dns");
	assert_int_equal(policy->protect[0].match.count, 3);
	assert_int_equal(policy->trusted.count, 2);
	assert_int_equal(rule->when_count, 2);
	assert_int_equal(rule->whens[0].level, LEVEL_CRITICAL);
	assert_true(rule->whens[0].numbers[POLICY_WHEN_SECONDS_TO_FULL] == 30);
	assert_true(rule->whens[1].numbers[POLICY_WHEN_REFUSAL_FULL] == 0.01);
	assert_int_equal(rule->whens[1].classes[FLOW_CLASS_HALF_OPEN], 100);
	assert_int_equal(rule->match.count, 4); /* age, two sources, unreplied */
	assert_int_equal(rule->action.class_count, 2);
	assert_int_equal(rule->action.classes[1], FLOW_CLASS_STREAM);
	assert_int_equal(rule->action.floors_ns[FLOW_CLASS_STREAM], 300000000000LL);
	assert_int_equal(rule->action.min_age_ns, 2000000000LL);
	assert_true(!rule->action.has_signature && rule->action.takes_active_at_full);
	assert_true(rule->until.fill_pct == 55 && rule->until.headroom_sec == 2);
	assert_int_equal(rule->budget.per_run, 40);
	assert_int_equal(rule->budget.per_sec, 20);
	assert_int_equal(rule->cooldown_ns, 2000000000LL);
	policy_free(policy);
}

static void test_defaults_are_careful(void **state)
{
	struct policy *policy = policy_of_rule(EVICT);
	const struct policy_rule *rule = &policy->rules[0];

	(void)state;
	assert_int_equal(rule->action.class_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(rule->action.classes[i] == FLOW_CLASS_UNREPLIED ||
			    rule->action.classes[i] == FLOW_CLASS_PICKUP ||
			    rule->action.classes[i] == FLOW_CLASS_HALF_OPEN);
	assert_int_equal(rule->action.min_age_ns, 3000000000LL);
	assert_true(rule->action.has_signature);
	assert_false(rule->action.takes_active_at_full);
	assert_true(rule->until.has_level && rule->until.level == LEVEL_OK);
	assert_true(rule->until.has_headroom && rule->until.headroom_sec == POLICY_HEADROOM_SEC);
	assert_int_equal(rule->budget.per_run, policy_actions[POLICY_ACTION_EVICT].budget.per_run);
	assert_true(rule->budget.per_run > 0 && rule->budget.per_sec > 0);
	policy_free(policy);
}

static void test_a_class_that_is_taken_has_its_floor(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
		"\"classes\": [\"established\", \"stream\", \"closing\"]}");
	const struct policy_do *action = &policy->rules[0].action;

	(void)state;
	assert_int_equal(action->floors_ns[FLOW_CLASS_ESTABLISHED], 7440000000000LL);
	assert_int_equal(action->floors_ns[FLOW_CLASS_STREAM], 120000000000LL);
	assert_int_equal(action->floors_ns[FLOW_CLASS_CLOSING], 0);
	policy_free(policy);
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
		     "\"classes\": [\"established\"], "
		     "\"floors\": {\"established\": \"1h\"}}",
		     "rules[0].do.floors.established", "under 2 h 4 min");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"shorten\", "
		     "\"classes\": [\"stream\"], "
		     "\"floors\": {\"stream\": 60}}",
		     "rules[0].do.floors.stream", "under 2 min");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
		     "\"classes\": [\"closing\"], "
		     "\"floors\": {\"stream\": \"1h\"}}",
		     "rules[0].do.floors.stream", "not in \"classes\"");
	rule_refused(
		"\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"timeouts\", \"set\": "
		"{\"tcp_established\": 600}}",
		"rules[0].do.set.tcp_established", "from 2 h 4 min");
}

static void test_offloaded_flows_are_never_victims(void **state)
{
	(void)state;
	rule_refused("\"when\": {\"level\": \"full\"}, \"do\": {\"action\": \"evict\", "
		     "\"classes\": [\"offloaded\"]}",
		     "rules[0].do.classes[0]", "unreplied");
	rule_refused("\"when\": {\"level\": \"full\"}, \"do\": {\"action\": \"evict\", "
		     "\"classes\": [\"closing\", \"closing\"]}",
		     "rules[0].do.classes[1]", "twice");
}

static void test_unknown_keys_are_told_with_line_path_and_the_likely_one(void **state)
{
	(void)state;
	refused(HEAD ",\n\n\"ruels\": []}", 3, "ruels", "did you mean \"rules\"");
	refused(HEAD
		",\n\"rules\": [\n{\"name\": \"r\",\n\"when\": {\"fill\": 5}, \"do\": \"log\"}]}",
		4, "rules[0].when.fill", "fill_pct");
	rule_refused("\"when\": {\"always\": true}, \"do\": \"lgo\"", "rules[0].do", "log");
	rule_refused("\"when\": {\"always\": true}, \"do\": {\"action\": \"log\", \"classes\": []}",
		     "rules[0].do.classes", "not known here");
	rule_refused("\"when\": {\"level\": \"warming\"}, \"do\": \"log\"", "rules[0].when.level",
		     "warning");
	rule_refused("\"when\": {\"level\": \"ok\"}, \"do\": \"log\"", "rules[0].when.level",
		     "warning, critical or full");
	rule_refused(EVICT ", \"match\": {\"source\": \"10.0.0.1\"}", "rules[0].match.source",
		     "not known");
	rule_refused("\"when\": {\"classes\": {\"halfopen\": 5}}, \"do\": \"log\"",
		     "rules[0].when.classes.halfopen", "half-open");
}

static void test_what_is_missing_is_told(void **state)
{
	(void)state;
	refused("{}", 1, "", "\"schema\"");
	refused("{\"schema\": \"ctwarden.policy/2\"}", 1, "schema", "ctwarden.policy/1");
	refused("[]", 1, "", "object");
	refused("", 0, "", "nothing in it");
	refused(HEAD ", \"rules\": [{}]}", 1, "rules[0]", "\"name\" is missing");
	rule_refused("\"do\": \"log\"", "rules[0].when", "say when");
	rule_refused("\"when\": {}, \"do\": \"log\"", "rules[0].when", "always");
	rule_refused("\"when\": [], \"do\": \"log\"", "rules[0].when", "empty list");
	rule_refused("\"when\": {\"always\": true}", "rules[0].do", "is missing");
	rule_refused("\"when\": {\"always\": true}, \"do\": {}", "rules[0].do",
		     "\"action\" is missing");
	rule_refused("\"when\": {\"source\": {}}, \"do\": \"log\"", "rules[0].when.source",
		     "what is counted");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": \"timeouts\"", "rules[0].do",
		     "\"set\" is missing");
	rule_refused(EVICT ", \"until\": {}", "rules[0].until", "where the rule stops");
	refused(HEAD ", \"protect\": {\"flows\": [{\"name\": \"a\",\n\"match\": {}}]}}", 2, "protect.flows[0].match",
		"names no flow");
	refused(HEAD ", \"protect\": {\"flows\": [{\"name\": \"a\"}]}}", 1, "protect.flows[0]", "\"match\" is missing");
	refused(HEAD ", \"protect\": {\"flows\": [{\"match\": {\"dport\": 22}}]}}", 1,
		"protect.flows[0]", "\"name\"");
	refused(HEAD ", \"protect\": {\"flows\": [{\"name\": \"x\"}]}}", 1, "protect.flows[0]",
		"\"match\" is missing");
}

static void test_contradictory_marks_are_refused(void **state)
{
	(void)state;
	refused(HEAD ",\n\"levels\": {\"warning\": {\n\"enter_pct\": 70,\n\"leave_pct\": 80}}}", 4,
		"levels.warning.leave_pct", "below enter_pct");
	refused(HEAD ", \"levels\": {\"critical\": {\"enter_pct\": 70, \"leave_pct\": 60}}}", 1,
		"levels.critical.enter_pct", "above that of warning");
	rule_refused(
		"\"when\": {\"fill_pct\": 60}, \"do\": \"evict\", \"until\": {\"fill_pct\": 60}",
		"rules[0].until.fill_pct", "below the fill_pct");
	rule_refused("\"when\": {\"source\": {\"entries\": 500}}, \"do\": \"evict\", \"until\": {\"entries\": 500}",
		     "rules[0].until.entries", "below the entries that the rule begins at (500)");
	rule_refused(
		"\"when\": [{\"prefix\": {\"entries\": 5000}}, {\"prefix\": {\"entries\": 500}}], \"do\": \"evict\", "
		"\"until\": {\"entries\": 800}",
		"rules[0].until.entries", "(500)");
	/* Unreplied flows are entries; a source that has so many need not have more. */
	rule_refused("\"when\": {\"source\": {\"unreplied\": 1000}}, \"do\": \"evict\", \"until\": {\"entries\": 2000}",
		     "rules[0].until.entries", "below the unreplied that the rule begins at (1000)");
	rule_refused("\"when\": {\"source\": {\"half_open\": 10}}, \"do\": \"evict\", \"until\": {\"entries\": 10}",
		     "rules[0].until.entries", "below the half_open that the rule begins at (10)");
	policy_free(policy_of(HEAD ", \"rules\": [{\"name\": \"r\", \"when\": {\"source\": {\"unreplied\": 1000, "
				   "\"entries\": 3000}}, \"do\": \"evict\", \"until\": {\"entries\": 2000}}]}"));
	policy_free(policy_of(HEAD ", \"rules\": [{\"name\": \"r\", \"when\": {\"source\": {\"unreplied\": 1000}}, "
				   "\"do\": \"evict\", \"until\": {\"entries\": 999}}]}"));
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": \"evict\", \"until\": "
		     "{\"fill_pct\": 75}",
		     "rules[0].until.fill_pct", "below the mark of level warning (75)");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": \"evict\", \"until\": "
		     "{\"level\": \"warning\"}",
		     "rules[0].until.level", "below the level");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"shorten\", "
		     "\"start_pct\": 90, \"end_pct\": 80}",
		     "rules[0].do.end_pct", "above start_pct (90)");
	rule_refused("\"when\": [{\"level\": \"warning\"}, {\"source\": {\"entries\": 5}}], "
		     "\"do\": \"log\"",
		     "rules[0].when[1]", "every alternative");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}, \"prefix\": {\"entries\": 5}}, "
		     "\"do\": \"log\"",
		     "rules[0].when.prefix", "not both");
	rule_refused("\"when\": {\"always\": true, \"fill_pct\": 5}, \"do\": \"log\"",
		     "rules[0].when", "alone");
}

static void test_negative_and_huge_numbers_are_refused(void **state)
{
	(void)state;
	refused(HEAD ", \"capacity\": -1}", 1, "capacity", "whole number from 1 to");
	refused(HEAD ", \"capacity\": 0}", 1, "capacity", "from 1");
	refused(HEAD ", \"capacity\": 99999999999999}", 1, "capacity", "4294967295");
	refused(HEAD ", \"capacity\": 4294967296}", 1, "capacity", "4294967295");
	refused(HEAD ", \"capacity\": 1e400}", 1, "capacity", "");
	refused(HEAD ", \"capacity\": 123456789012345678901234567890}", 1, "capacity", "");
	refused(HEAD ", \"levels\": {\"warning\": {\"enter_pct\": -5}}}", 1,
		"levels.warning.enter_pct", "from 0 to 1000");
	rule_refused("\"when\": {\"fill_pct\": -1}, \"do\": \"log\"", "rules[0].when.fill_pct",
		     "from 0 to 1000");
	rule_refused("\"when\": {\"refusal_probability\": 5}, \"do\": \"log\"",
		     "rules[0].when.refusal_probability", "0 to 1");
	rule_refused("\"when\": {\"source\": {\"entries\": 0}}, \"do\": \"log\"",
		     "rules[0].when.source.entries", "from 1");
	rule_refused(EVICT ", \"budget\": {\"per_run\": 0}", "rules[0].budget.per_run",
		     "from 1 to 10000000");
	rule_refused(EVICT ", \"budget\": {\"per_sec\": 1e12}", "rules[0].budget.per_sec",
		     "from 1 to 10000000");
	rule_refused(EVICT ", \"cooldown\": -1", "rules[0].cooldown", "duration from");
	rule_refused(EVICT ", \"cooldown\": \"3 days\"", "rules[0].cooldown", "");
	rule_refused(EVICT ", \"cooldown\": null", "rules[0].cooldown", "not null");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}}, \"do\": {\"action\": \"ban\", "
		     "\"duration\": \"2d\"}",
		     "rules[0].do.duration", "to 1 d");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}}, \"do\": {\"action\": \"ban\", "
		     "\"max_bans\": 100000}",
		     "rules[0].do.max_bans", "65536");
}

static void test_a_match_is_read_as_the_options_are(void **state)
{
	struct policy *policy =
		policy_of_rule(EVICT ", \"match\": {\"dport\": [53, \"80-90\"], \"src-nat\": true, "
				     "\"mark\": 0, \"not\": {\"zone\": [1, 2]}}");
	char text[256];

	(void)state;
	assert_string_equal(flow_filter_format(policy->rules[0].match.filter, text, sizeof(text)),
			    "--dport 53,80-90 -m 0 ! -w 1-2 --src-nat");
	policy_free(policy);
	rule_refused(EVICT ", \"match\": {\"src\": [\"10.0.0.0/8\", \"10.0.0.0/33\"]}",
		     "rules[0].match.src[1]", "at most /32");
	rule_refused(EVICT ", \"match\": {\"src\": \"\"}", "rules[0].match.src", "empty");
	rule_refused(EVICT ", \"match\": {\"src\": []}", "rules[0].match.src", "empty list");
	rule_refused(EVICT ", \"match\": {\"src\": [[\"10.0.0.1\"]]}", "rules[0].match.src[0]",
		     "not another list");
	rule_refused(EVICT ", \"match\": {\"src\": {\"a\": 1}}", "rules[0].match.src",
		     "ADDRESS[/LEN]");
	rule_refused(EVICT ", \"match\": {\"src\": \"@/etc/passwd\"}", "rules[0].match.src",
		     "one file");
	rule_refused(EVICT ", \"match\": {\"src\": \"10.0.0.1,@/etc/passwd\"}",
		     "rules[0].match.src", "one file");
	rule_refused(EVICT ", \"match\": {\"dport\": -5}", "rules[0].match.dport", "");
	rule_refused(EVICT ", \"match\": {\"dport\": 5.5}", "rules[0].match.dport", "PORT");
	rule_refused(EVICT ", \"match\": {\"unreplied\": false}", "rules[0].match.unreplied",
		     "leave it out");
	rule_refused(EVICT ", \"match\": {\"unreplied\": 1}", "rules[0].match.unreplied",
		     "true is expected");
	rule_refused(EVICT ", \"match\": {\"not\": {}}", "rules[0].match.not", "empty");
	rule_refused(EVICT ", \"match\": {\"not\": {\"not\": {}}}", "rules[0].match.not.not",
		     "within");
	rule_refused(EVICT ", \"match\": {\"protocol\": \"udp\", \"not\": {\"protocol\": \"udp\"}}",
		     "rules[0].match", "nothing could ever match: protocol: all that is asked for is excluded too");
	rule_refused(EVICT ", \"match\": {\"not\": {\"family\": [\"ipv4\", \"ipv6\"]}}", "rules[0].match",
		     "nothing could ever match: not.family: both families are excluded");
}

/* The longest list of words that there is, whole. */
static void test_an_unknown_timeout_is_told_with_all_that_there_are(void **state)
{
	(void)state;
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"timeouts\", \"set\": {\"xyzzyx\": 5}}",
		     "rules[0].do.set.xyzzyx", "generic, gre or gre_stream is expected");
}

static void test_names_are_needed_once(void **state)
{
	(void)state;
	refused(HEAD ", \"rules\": [{\"name\": \"a\", " EVICT "},\n{\"name\": \"a\", " EVICT "}]}",
		2, "rules[1].name", "another rule");
	refused(HEAD ", \"protect\": {\"flows\": [{\"name\": \"a\", \"match\": {\"dport\": 1}},\n"
		     "{\"name\": \"a\", \"match\": {\"dport\": 2}}]}}",
		2, "protect.flows[1].name", "another entry");
	refused(HEAD ", \"rules\": [{\"name\": \"\", " EVICT "}]}", 1, "rules[0].name", "1 to 48");
	refused(HEAD ", \"rules\": [{\"name\": \"a\\u0007b\", " EVICT "}]}", 1, "rules[0].name",
		"control");
	refused(HEAD ", \"rules\": [{\"name\": "
		     "\"0123456789012345678901234567890123456789012345678\", " EVICT "}]}",
		1, "rules[0].name", "1 to 48");
}

static void test_forged_addresses_are_held_against_nobody(void **state)
{
	(void)state;
	rule_refused("\"when\": {\"source\": {\"unreplied\": 100}}, \"do\": \"ban\"",
		     "rules[0].when", "forged");
	rule_refused("\"when\": {\"source\": {\"new_per_sec\": 100}}, \"do\": {\"action\": "
		     "\"evict\", \"classes\": "
		     "[\"unreplied\", \"established\"]}",
		     "rules[0].when", "forged");
	rule_refused("\"when\": {\"level\": \"warning\"}, \"do\": \"ban\"", "rules[0].do",
		     "says whom");
	policy_free(policy_of(HEAD ", \"trusted\": \"10.0.0.0/8\", \"rules\": [{\"name\": \"r\", "
				   "\"when\": {\"source\": "
				   "{\"unreplied\": 100}}, \"do\": \"ban\"}]}"));
	policy_free(
		policy_of_rule("\"when\": {\"source\": {\"unreplied\": 100}}, \"do\": \"evict\""));
	policy_free(policy_of_rule("\"when\": {\"source\": {\"entries\": 100}}, \"do\": \"ban\""));
}

static void test_words_that_say_nothing_are_refused(void **state)
{
	(void)state;
	rule_refused(
		"\"when\": {\"level\": \"warning\"}, \"do\": \"sweep\", \"match\": {\"dport\": 5}",
		"rules[0].match", "sweep takes no \"match\"");
	rule_refused(
		"\"when\": {\"level\": \"warning\"}, \"do\": \"log\", \"budget\": {\"per_run\": 5}",
		"rules[0].budget", "log takes no");
	rule_refused("\"when\": {\"always\": true}, \"do\": \"evict\"", "rules[0]",
		     "needs a \"match\"");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}}, \"do\": \"sweep\"", "rules[0].do",
		     "whole table");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}}, \"do\": \"evict\", \"match\": "
		     "{\"src\": \"10.0.0.1\"}",
		     "rules[0].match", "\"in\"");
	rule_refused("\"when\": {\"source\": {\"entries\": 5}}, \"do\": \"evict\", \"until\": "
		     "{\"fill_pct\": 5}",
		     "rules[0].until", "stops at \"entries\"");
	rule_refused(EVICT ", \"until\": {\"entries\": 5}", "rules[0].until", "fill_pct or level");
}

/* What was shortened looks idle: no eviction may go by the idle time of the same class. */
static void test_shortened_flows_are_not_evicted_by_idle_time(void **state)
{
	static const struct {
		const char *class, *match;
		bool is_refused;
	} cases[] = {{"established", "", true},
		     {"stream", "", true},
		     {"unreplied", "", true},
		     {"closing", "", false},
		     {"closing", "\"match\": {\"idle\": 30}, ", true}};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			 HEAD ", \"rules\": [{\"name\": \"a\", \"when\": {\"level\": \"warning\"}, "
			      "\"do\": {\"action\": "
			      "\"shorten\", \"classes\": [\"%s\"]}},\n{\"name\": \"b\", \"when\": "
			      "{\"level\": \"warning\"}, "
			      "%s\"do\": {\"action\": \"evict\", \"classes\": [\"%s\"]}}]}",
			 cases[i].class, cases[i].match, cases[i].class);
		if (cases[i].is_refused)
			refused(text, 2, "rules[1].do", "look idle");
		else
			policy_free(policy_of(text));
	}
}

/* ---- bad days ---- */

static void test_duplicate_keys_are_refused(void **state)
{
	(void)state;
	refused(HEAD ",\n\"mode\": \"act\",\n\"mode\": \"observe\"}", 3, "mode", "twice");
}

static void test_text_that_is_no_utf8_is_refused(void **state)
{
	const char text[] = HEAD ",\n\"name\": \"\xff\xfe\"}";

	(void)state;
	refused_at(text, sizeof(text) - 1, -EINVAL, 2, "name", "0xff");
}

static void test_ten_megabytes_are_refused(void **state)
{
	size_t len = 10 << 20;
	char *text = mem_alloc(len);

	(void)state;
	memset(text, ' ', len);
	refused_at(text, len, -EFBIG, 0, "", "too large");
	free(text);
}

static void test_deep_nesting_is_refused(void **state)
{
	char text[4096];
	size_t len = (size_t)snprintf(text, sizeof(text), HEAD ", \"rules\": ");

	(void)state;
	memset(text + len, '[', 1000);
	memset(text + len + 1000, ']', 1000);
	text[len + 2000] = '}';
	refused_at(text, len + 2001, -EINVAL, 1,
		   "rules[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
		   "[0][0][0][0][0][0][0][0][0]",
		   "nested too deep");
}

static void test_too_many_of_anything_is_refused(void **state)
{
	size_t size = 1 << 19, len, i;
	char *text = mem_alloc(size);

	(void)state;
	len = (size_t)snprintf(text, size, HEAD ", \"rules\": [0");
	for (i = 0; i < POLICY_RULES_MAX; i++)
		len += (size_t)snprintf(text + len, size - len, ",0");
	snprintf(text + len, size - len, "]}");
	refused(text, 1, "rules", "at most 64");
	len = (size_t)snprintf(text, size, HEAD ", \"trusted\": [0");
	for (i = 0; i < POLICY_PREFIXES_MAX; i++)
		len += (size_t)snprintf(text + len, size - len, ",0");
	snprintf(text + len, size - len, "]}");
	refused(text, 1, "trusted", "at most 1024");
	len = (size_t)snprintf(text, size, HEAD ", \"protect\": {\"flows\": [0");
	for (i = 0; i < POLICY_PROTECT_MAX; i++)
		len += (size_t)snprintf(text + len, size - len, ",0");
	snprintf(text + len, size - len, "]}}");
	refused(text, 1, "protect.flows", "at most 256");
	free(text);
}

static void test_a_file_that_is_not_there_is_told(void **state)
{
	struct policy *policy = NULL;
	struct problem problem = {0};

	(void)state;
	assert_int_equal(policy_load("/nonexistent/policy.json", &policy, &problem), -ENOENT);
	assert_string_equal(problem.file, "/nonexistent/policy.json");
	assert_non_null(strstr(problem.text, "cannot be opened"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_policy_observes_and_protects),
		cmocka_unit_test(test_every_part_is_read),
		cmocka_unit_test(test_defaults_are_careful),
		cmocka_unit_test(test_a_class_that_is_taken_has_its_floor),
		cmocka_unit_test(test_offloaded_flows_are_never_victims),
		cmocka_unit_test(test_unknown_keys_are_told_with_line_path_and_the_likely_one),
		cmocka_unit_test(test_what_is_missing_is_told),
		cmocka_unit_test(test_contradictory_marks_are_refused),
		cmocka_unit_test(test_negative_and_huge_numbers_are_refused),
		cmocka_unit_test(test_a_match_is_read_as_the_options_are),
		cmocka_unit_test(test_an_unknown_timeout_is_told_with_all_that_there_are),
		cmocka_unit_test(test_names_are_needed_once),
		cmocka_unit_test(test_forged_addresses_are_held_against_nobody),
		cmocka_unit_test(test_words_that_say_nothing_are_refused),
		cmocka_unit_test(test_shortened_flows_are_not_evicted_by_idle_time),
		cmocka_unit_test(test_duplicate_keys_are_refused),
		cmocka_unit_test(test_text_that_is_no_utf8_is_refused),
		cmocka_unit_test(test_ten_megabytes_are_refused),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_too_many_of_anything_is_refused),
		cmocka_unit_test(test_a_file_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
