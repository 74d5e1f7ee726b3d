/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/advise: what is said against valid policies, and that nothing is said against good ones. */
#include "policy_fixture.h"

#include "policy/advise.h"

static char said[2048];

static void on_advice(const char *text, void *arg)
{
	(void)arg;
	strcat(strcat(said, text), "\n");
}

/* The advice must have these words, and be as much; "" none at all. */
static void advised(const char *rest, size_t count, const char *words)
{
	char text[4096];
	struct policy *policy;

	snprintf(text, sizeof(text), HEAD ", \"mode\": \"act\", %s}", rest);
	policy = policy_of(text);
	said[0] = 0;
	assert_int_equal(policy_advise(policy, on_advice, NULL), count);
	if (!strstr(said, words))
		fail_msg("no \"%s\" in: %s", words, said);
	policy_free(policy);
}

#define RULE(when, action)  "{\"name\": \"r\", \"when\": " when ", \"do\": " action "}"
#define RULES(when, action) "\"rules\": [" RULE(when, action) "]"
#define ANSWERED	    "{\"action\": \"evict\", \"classes\": [\"closing\", \"established\"]}"

static void test_fill_alone(void **state)
{
	(void)state;
	advised(RULES("{\"fill_pct\": 80}", "\"evict\""), 1,
		"acts on fill alone: without growth it takes next to nothing");
	advised(RULES("{\"fill_pct\": 80}", "{\"action\": \"evict\", \"signature\": false}"), 1,
		"acts on fill alone, also where a table is honestly full");
	advised(RULES("{\"fill_pct\": 80, \"growth_per_sec\": 10}", "\"evict\""), 0, "");
	advised(RULES("{\"level\": \"warning\"}", "\"evict\""), 1, "acts on fill alone");
	/* Level full is a table that drops new flows. */
	advised(RULES("[{\"level\": \"warning\", \"drops_per_sec\": 1}, {\"level\": \"full\"}]",
		      "\"evict\""),
		0, "");
	advised(RULES("{\"level\": \"full\", \"fill_pct\": 10}", "\"evict\""), 0, "");
	advised(RULES("[{\"level\": \"full\"}, {\"level\": \"critical\"}]", "\"evict\""), 1, "acts on fill alone");
	advised(RULES("{\"level\": \"warning\", \"seconds_to_full\": 60}", "\"evict\""), 0, "");
	advised(RULES("{\"level\": \"warning\", \"classes\": {\"half-open\": 9}}", "\"evict\""), 0,
		"");
	advised(RULES("{\"level\": \"warning\", \"source\": {\"unreplied\": 9}}", "\"evict\""), 0,
		"");
	advised(RULES("{\"level\": \"warning\"}", "\"log\""), 0, "");
	advised(RULES("{\"level\": \"warning\"}", "\"sweep\""), 0, "");
}

static void test_answered_flows_first(void **state)
{
	(void)state;
	advised(RULES("{\"drops_per_sec\": 1}",
		      "{\"action\": \"evict\", \"classes\": [\"established\", \"unreplied\"]}"),
		1, "answered flows before unanswered");
	advised(RULES("{\"drops_per_sec\": 1}",
		      "{\"action\": \"evict\", \"classes\": [\"established\"]}"),
		1, "no rule before it");
	advised(RULES("{\"drops_per_sec\": 1}", ANSWERED), 0, ""); /* closing ones go first */
	advised("\"rules\": [{\"name\": \"a\", \"when\": {\"drops_per_sec\": 1}, \"do\": "
		"\"evict\"}, " RULE("{\"drops_per_sec\": 1}",
				    "{\"action\": \"evict\", \"classes\": [\"stream\"]}") "]",
		0, "");
	/* Cleaning up at any fill is another matter. */
	advised("\"rules\": [{\"name\": \"a\", \"when\": {\"always\": true}, \"match\": {\"idle\": "
		"\"1d\"}, \"do\": {\"action\": "
		"\"evict\", \"classes\": [\"established\"]}}]",
		0, "");
}

static void test_a_match_that_leaves_nothing_of_the_classes(void **state)
{
	static const char rule[] = "\"rules\": [{\"name\": \"a\", \"when\": {\"drops_per_sec\": 1}, \"match\": {%s}, "
				   "\"do\": {\"action\": \"%s\", \"classes\": [%s]}}]";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), rule, "\"class\": \"established\"", "evict", "\"unreplied\"");
	advised(text, 1, "rule \"a\" never takes a flow: its \"match\" leaves none of its classes (unreplied)");
	snprintf(text, sizeof(text), rule, "\"class\": \"unreplied\"", "shorten", "\"unreplied\", \"closing\"");
	advised(text, 1, "never takes these of its classes: closing;");
	snprintf(text, sizeof(text), rule, "\"class\": \"unreplied\", \"dport\": 53", "evict", "\"unreplied\"");
	advised(text, 0, "");
	snprintf(text, sizeof(text), rule, "\"not\": {\"class\": \"unreplied\"}", "evict", "\"unreplied\", \"pickup\"");
	advised(text, 1, "these of its classes: unreplied");
}

static void test_a_share_that_moves_on(void **state)
{
	static const char words[] = "rule \"r\" goes by share_pct alone";

	(void)state;
	advised(RULES("{\"source\": {\"share_pct\": 10}}", "\"evict\""), 1, words);
	advised(RULES("[{\"drops_per_sec\": 1, \"source\": {\"unreplied\": 9}}, {\"source\": {\"share_pct\": 10, "
		      "\"new_per_sec\": 5}}]", "\"evict\""), 1, words);
	advised(RULES("{\"prefix\": {\"share_pct\": 10}}", "\"evict\""), 1, words);
	advised(RULES("{\"source\": {\"share_pct\": 10, \"entries\": 500}}", "\"evict\""), 0, "");
	advised(RULES("{\"level\": \"critical\", \"source\": {\"share_pct\": 10}}", "\"evict\""), 0, "");
	advised(RULES("{\"source\": {\"share_pct\": 10}}", "\"log\""), 0, "");
	advised("\"rules\": [{\"name\": \"r\", \"when\": {\"source\": {\"share_pct\": 10}}, \"do\": \"evict\", "
		"\"until\": {\"entries\": 100}}]",
		0, "");
}

static void test_the_whole(void **state)
{
	(void)state;
	advised("\"rules\": []", 1, "nothing will be done");
	advised("\"protect\": {\"operator\": false}, " RULES("{\"drops_per_sec\": 1}", "\"evict\""),
		1, "operator");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_alone),
		cmocka_unit_test(test_answered_flows_first),
		cmocka_unit_test(test_a_match_that_leaves_nothing_of_the_classes),
		cmocka_unit_test(test_a_share_that_moves_on),
		cmocka_unit_test(test_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
