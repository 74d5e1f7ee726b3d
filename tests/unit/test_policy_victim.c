/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/victim: which flows a rule may take, and what protects them. */
#include "policy_snapshot.h"

#include <netinet/in.h>

#include "policy/victim.h"

static const int64_t now_real_ns = 1795599667LL * SEC;
static struct flow_timeouts timeouts;

static struct flow flow_of(uint8_t protocol, uint8_t state, uint32_t status, uint16_t dport,
			   uint32_t left)
{
	struct flow flow = {.has = FLOW_HAS_STATUS | FLOW_HAS_TIMEOUT | FLOW_HAS_REPLY,
			    .status = status,
			    .state = state,
			    .timeout_sec = left};
	struct flow_tuple *orig = &flow.tuple[FLOW_ORIG], *reply = &flow.tuple[FLOW_REPLY];

	orig->family = reply->family = AF_INET;
	orig->protocol = reply->protocol = protocol;
	orig->src[0] = reply->dst[0] = 10;
	orig->dst[0] = reply->src[0] = 192;
	orig->sport = reply->dport = 40000;
	orig->dport = reply->sport = dport;
	if (protocol == IPPROTO_TCP)
		flow.has |= FLOW_HAS_STATE;
	return flow;
}

static struct flow syn_sent(uint32_t left)
{
	return flow_of(IPPROTO_TCP, FLOW_TCP_SYN_SENT, FLOW_STATUS_CONFIRMED, 80, left);
}

#define TWO_WAY (FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED)

static struct flow established(uint16_t dport, uint32_t left)
{
	return flow_of(IPPROTO_TCP, FLOW_TCP_ESTABLISHED, TWO_WAY, dport, left);
}

/* The verdict of a policy of one rule at this level. */
static enum policy_verdict judge_at(const char *rest, const struct flow *flow, bool fits,
				    enum level level)
{
	struct policy_flow_context context = {{now_real_ns, &timeouts}, fits, NULL, 0};
	char text[2048];
	struct policy_decision decision = {.level = level};
	struct policy *policy;
	enum policy_verdict verdict;

	snprintf(text, sizeof(text), HEAD "%s}", rest);
	policy = policy_of(text);
	decision.filter = policy->rules[0].match.filter;
	verdict = policy_judge(policy, &decision, flow, &context, NULL);
	policy_free(policy);
	return verdict;
}

#define RULE(match, params)                                                                        \
	", \"rules\": [{\"name\": \"r\", \"when\": {\"level\": \"warning\"}, \"match\": " match    \
	", \"do\": {\"action\": "                                                                  \
	"\"evict\"" params "}}]"

static enum policy_verdict judge(const char *rest, struct flow flow)
{
	return judge_at(rest, &flow, false, LEVEL_WARNING);
}

static void test_class_and_match(void **state)
{
	(void)state;
	assert_int_equal(judge(RULE("{}", ""), syn_sent(100)), POLICY_VERDICT_TAKE);
	assert_int_equal(judge(RULE("{\"dport\": 81}", ""), syn_sent(100)),
			 POLICY_VERDICT_NO_MATCH);
	assert_int_equal(judge(RULE("{}", ""), established(80, 1000)), POLICY_VERDICT_CLASS);
}

static void test_what_may_still_be_answered_is_spared(void **state)
{
	struct flow flow = syn_sent(118);

	(void)state;
	assert_int_equal(judge(RULE("{}", ""), flow), POLICY_VERDICT_YOUNG); /* 2 s ago */
	assert_int_equal(judge(RULE("{}", ""), syn_sent(117)), POLICY_VERDICT_TAKE);
	assert_int_equal(judge(RULE("{}", ", \"min_age\": 0"), flow), POLICY_VERDICT_TAKE);
	/* What fits the surge is not spared, unless the rule does not go by it. */
	assert_int_equal(judge_at(RULE("{}", ""), &flow, true, LEVEL_WARNING), POLICY_VERDICT_TAKE);
	assert_int_equal(judge_at(RULE("{}", ", \"signature\": false"), &flow, true, LEVEL_WARNING),
			 POLICY_VERDICT_YOUNG);
	/* The kernel's stamp is better than idle time. */
	flow.has |= FLOW_HAS_TIMESTAMP;
	flow.start_ns = (uint64_t)(now_real_ns - 60 * SEC);
	assert_int_equal(judge(RULE("{}", ""), flow), POLICY_VERDICT_TAKE);
	flow.start_ns = (uint64_t)(now_real_ns - 2 * SEC);
	assert_int_equal(judge(RULE("{}", ""), flow), POLICY_VERDICT_YOUNG);
	/* At full, where even active flows may go, age is no excuse. */
	assert_int_equal(judge_at(RULE("{}", ", \"active_at_full\": true"), &flow, false, LEVEL_CRITICAL),
			 POLICY_VERDICT_YOUNG);
	assert_int_equal(judge_at(RULE("{}", ", \"active_at_full\": true"), &flow, false, LEVEL_FULL),
			 POLICY_VERDICT_TAKE);
	/* Where neither is known, nothing is spared for it. */
	flow.has &= ~(uint32_t)(FLOW_HAS_TIMESTAMP | FLOW_HAS_TIMEOUT);
	assert_int_equal(judge(RULE("{}", ""), flow), POLICY_VERDICT_TAKE);
}

static void test_answered_flows_have_their_floor(void **state)
{
	const char *const rule = RULE("{}", ", \"classes\": [\"established\"]");
	const char *const hard =
		RULE("{}", ", \"classes\": [\"established\"], \"active_at_full\": true");
	struct flow active = established(80, 431990), idle = established(80, 432000 - 7440),
		    edge = established(80, 432000 - 7439);
	struct flow unknown = established(80, 250); /* runs on the 300 s of unacknowledged data */

	(void)state;
	assert_int_equal(judge(rule, active), POLICY_VERDICT_ACTIVE);
	assert_int_equal(judge(rule, edge), POLICY_VERDICT_ACTIVE);
	assert_int_equal(judge(rule, idle), POLICY_VERDICT_TAKE);
	assert_int_equal(judge(rule, unknown), POLICY_VERDICT_ACTIVE);
	assert_int_equal(judge_at(rule, &active, false, LEVEL_FULL), POLICY_VERDICT_ACTIVE);
	assert_int_equal(judge_at(hard, &active, false, LEVEL_CRITICAL), POLICY_VERDICT_ACTIVE);
	assert_int_equal(judge_at(hard, &active, false, LEVEL_FULL), POLICY_VERDICT_TAKE);
	assert_int_equal(judge_at(rule, &active, true, LEVEL_WARNING), POLICY_VERDICT_TAKE);
}

static void test_the_protect_list_comes_last_and_holds_always(void **state)
{
	const char *const rest =
		", \"protect\": {\"flows\": [{\"name\": \"x\", \"match\": {\"src\": "
		"\"10.0.0.0/8\"}}]}" RULE("{}", ", \"active_at_full\": true");
	struct policy_flow_context context = {{now_real_ns, &timeouts}, true, NULL, 0};
	struct policy_decision decision = {.level = LEVEL_FULL};
	struct flow flow = syn_sent(5);
	char text[1024];
	struct policy *policy;
	struct policy_judgement judgement = {.protect = 99};

	(void)state;
	assert_int_equal(judge_at(rest, &flow, true, LEVEL_FULL), POLICY_VERDICT_PROTECTED);
	snprintf(text, sizeof(text), HEAD "%s}", rest);
	policy = policy_of(text);
	decision.filter = policy->rules[0].match.filter;
	assert_int_equal(policy_judge(policy, &decision, &flow, &context, &judgement), POLICY_VERDICT_PROTECTED);
	assert_int_equal(judgement.protect, 0);
	policy_free(policy);
}

static void test_overlapping_entries_protect_by_the_first(void **state)
{
	struct policy *policy = policy_of(HEAD ", \"protect\": {\"flows\": [{\"name\": \"a\", "
					       "\"match\": {\"src\": [\"10.0.0.0/8\", "
					       "\"10.0.0.0/16\"]}}, {\"name\": \"b\", \"match\": "
					       "{\"src\": \"10.0.0.0/24\"}}, {\"name\": \"c\", "
					       "\"match\": {\"dport\": 80}}]}}");
	struct policy_flow_context context = {{now_real_ns, &timeouts}, false, NULL, 0};
	struct flow flow = syn_sent(1);

	(void)state;
	assert_int_equal(policy_protected_by(policy, &flow, &context), 0);
	flow.tuple[FLOW_ORIG].src[0] = 11;
	assert_int_equal(policy_protected_by(policy, &flow, &context), 2);
	flow.tuple[FLOW_ORIG].dport = 81;
	assert_true(policy_protected_by(policy, &flow, &context) == SIZE_MAX);
	policy_free(policy);
}

static void test_own_protocols_are_protected_when_answered(void **state)
{
	const char *const rule =
		RULE("{}", ", \"classes\": [\"unreplied\", \"established\", \"replied\"]");
	struct flow bgp = established(179, 100000),
		    ike = flow_of(IPPROTO_UDP, 0, TWO_WAY & ~4u, 4500, 1);
	struct flow gre = flow_of(IPPROTO_GRE, 0, TWO_WAY & ~4u, 0, 1);
	struct flow forged = flow_of(IPPROTO_UDP, 0, FLOW_STATUS_CONFIRMED, 4500, 1);

	(void)state;
	assert_int_equal(judge(rule, bgp), POLICY_VERDICT_PROTECTED);
	assert_int_equal(judge(rule, ike), POLICY_VERDICT_PROTECTED);
	assert_int_equal(judge(rule, gre), POLICY_VERDICT_PROTECTED);
	assert_int_equal(judge(rule, forged), POLICY_VERDICT_TAKE);
	assert_int_equal(judge(", \"protect\": {\"own\": false}" RULE(
				       "{}", ", \"classes\": [\"established\"]"),
			       bgp),
			 POLICY_VERDICT_TAKE);
}

static void test_answered_flows_of_this_host_are_protected(void **state)
{
	const struct addr own[] = {{.family = AF_INET, .bytes = {192}}};
	struct policy_flow_context context = {{now_real_ns, &timeouts}, false, own, 1};
	struct policy *policy = policy_of(HEAD "}");
	struct flow to_us = established(80, 1000), unanswered = syn_sent(1),
		    transit = established(80, 1000);

	(void)state;
	transit.tuple[FLOW_ORIG].dst[0] = transit.tuple[FLOW_REPLY].src[0] = 193;
	assert_int_equal(policy_protected_by(policy, &to_us, &context), 0);
	assert_true(policy_protected_by(policy, &unanswered, &context) == SIZE_MAX);
	assert_true(policy_protected_by(policy, &transit, &context) == SIZE_MAX);
	policy->protects_own = false;
	assert_true(policy_protected_by(policy, &to_us, &context) == SIZE_MAX);
	policy_free(policy);
}

static void test_only_what_has_too_much_left_is_shortened(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"shorten\", "
		"\"classes\": [\"established\", \"closing\"]}");
	struct policy_flow_context context = {{now_real_ns, &timeouts}, false, NULL, 0};
	struct policy_decision decision = {.filter = policy->rules[0].match.filter, .scale = 0.5};
	const struct policy_do *action = &policy->rules[0].action;
	struct flow longer = established(80, 216001), shorter = established(80, 216000),
		    unknown = established(80, 250);

	(void)state;
	assert_int_equal(policy_shortened_sec(action, 0.5, FLOW_CLASS_ESTABLISHED, 86400,
					      432000 - 86400),
			 216000);
	/* Once more changes nothing: what was written looks like idle time. */
	assert_int_equal(policy_shortened_sec(action, 0.5, FLOW_CLASS_ESTABLISHED, 216000, 216000),
			 216000);
	assert_int_equal(policy_shortened_sec(action, 0, FLOW_CLASS_ESTABLISHED, 0, 432000), 7440);
	assert_int_equal(policy_shortened_sec(action, 0, FLOW_CLASS_CLOSING, 0, 120), 1);
	assert_int_equal(policy_judge(policy, &decision, &longer, &context, NULL), POLICY_VERDICT_TAKE);
	assert_int_equal(policy_judge(policy, &decision, &shorter, &context, NULL), POLICY_VERDICT_NO_MATCH);
	assert_int_equal(policy_judge(policy, &decision, &unknown, &context, NULL), POLICY_VERDICT_NO_MATCH);
	decision.scale = 1; /* whole: nothing to shorten */
	assert_int_equal(policy_judge(policy, &decision, &longer, &context, NULL), POLICY_VERDICT_NO_MATCH);
	policy_free(policy);
}

static void test_classes_are_ranked_by_the_rule(void **state)
{
	struct policy *policy = policy_of_rule(
		"\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
		"\"classes\": [\"closing\", \"unreplied\"]}");
	struct policy_flow_context context = {{now_real_ns, &timeouts}, false, NULL, 0};
	struct policy_decision decision = {.filter = policy->rules[0].match.filter};
	struct flow closing = flow_of(IPPROTO_TCP, FLOW_TCP_TIME_WAIT, TWO_WAY, 80, 10),
		    unreplied = syn_sent(10);
	struct policy_judgement judgement = {.rank = 9};

	(void)state;
	assert_int_equal(policy_judge(policy, &decision, &closing, &context, &judgement), POLICY_VERDICT_TAKE);
	assert_int_equal(judgement.rank, 0);
	assert_int_equal(policy_judge(policy, &decision, &unreplied, &context, &judgement), POLICY_VERDICT_TAKE);
	assert_int_equal(judgement.rank, 1);
	policy_free(policy);
}

static bool goes_by_fit(const struct policy *policy, const struct flow *flow, enum level level)
{
	struct policy_flow_context context = {{now_real_ns, &timeouts}, true, NULL, 0};
	struct policy_decision decision = {.level = level, .filter = policy->rules[0].match.filter};
	struct policy_judgement judgement;

	assert_int_equal(policy_judge(policy, &decision, flow, &context, &judgement), POLICY_VERDICT_TAKE);
	assert_true(judgement.protect == SIZE_MAX);
	return judgement.is_by_fit;
}

/* Should the signature be refuted, those must not go that go by it alone. */
static void test_who_goes_by_the_signature_alone_is_told(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
					       "\"classes\": [\"unreplied\", \"established\"]}");
	struct policy *hard = policy_of_rule("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
					     "\"classes\": [\"unreplied\"], \"active_at_full\": true}");
	struct flow young = syn_sent(118), old = syn_sent(100);
	struct flow active = established(80, 431990), idle = established(80, 432000 - 7440);

	(void)state;
	assert_true(goes_by_fit(policy, &young, LEVEL_WARNING));
	assert_false(goes_by_fit(policy, &old, LEVEL_WARNING));
	assert_true(goes_by_fit(policy, &active, LEVEL_WARNING));
	assert_false(goes_by_fit(policy, &idle, LEVEL_WARNING));
	assert_true(goes_by_fit(hard, &young, LEVEL_CRITICAL));
	assert_false(goes_by_fit(hard, &young, LEVEL_FULL)); /* it would anyway */
	policy_free(hard);
	policy_free(policy);
}

/* Who looks once knows no calm table: what is answered may be young all the same. */
static void test_what_was_not_seen_in_calm_may_be_young(void **state)
{
	struct policy *policy = policy_of_rule("\"when\": {\"level\": \"warning\"}, \"do\": {\"action\": \"evict\", "
					       "\"classes\": [\"closing\"], \"min_age\": \"5s\", "
					       "\"active_at_full\": true}");
	struct policy_flow_context context = {{now_real_ns, &timeouts}, false, NULL, 0};
	struct policy_decision decision = {.level = LEVEL_CRITICAL, .filter = policy->rules[0].match.filter};
	struct flow young = flow_of(IPPROTO_TCP, FLOW_TCP_TIME_WAIT, TWO_WAY, 80, 116), old = young, unknown = young,
		    stamped = young;

	(void)state;
	old.timeout_sec = 115;
	unknown.has &= (uint16_t)~FLOW_HAS_TIMEOUT;
	stamped.has |= FLOW_HAS_TIMESTAMP;
	stamped.start_ns = (uint64_t)(now_real_ns - 6 * SEC);
	assert_int_equal(policy_judge(policy, &decision, &young, &context, NULL), POLICY_VERDICT_TAKE);
	assert_true(policy_may_be_young(policy, &decision, &young, &context.match));
	assert_true(policy_may_be_young(policy, &decision, &unknown, &context.match));
	assert_false(policy_may_be_young(policy, &decision, &old, &context.match));
	assert_false(policy_may_be_young(policy, &decision, &stamped, &context.match));
	stamped.start_ns = (uint64_t)(now_real_ns - 4 * SEC);
	assert_true(policy_may_be_young(policy, &decision, &stamped, &context.match));
	decision.level = LEVEL_FULL;
	assert_false(policy_may_be_young(policy, &decision, &young, &context.match));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_class_and_match),
		cmocka_unit_test(test_what_may_still_be_answered_is_spared),
		cmocka_unit_test(test_answered_flows_have_their_floor),
		cmocka_unit_test(test_what_was_not_seen_in_calm_may_be_young),
		cmocka_unit_test(test_who_goes_by_the_signature_alone_is_told),
		cmocka_unit_test(test_the_protect_list_comes_last_and_holds_always),
		cmocka_unit_test(test_overlapping_entries_protect_by_the_first),
		cmocka_unit_test(test_own_protocols_are_protected_when_answered),
		cmocka_unit_test(test_answered_flows_of_this_host_are_protected),
		cmocka_unit_test(test_only_what_has_too_much_left_is_shortened),
		cmocka_unit_test(test_classes_are_ranked_by_the_rule),
	};

	timeouts = flow_timeouts_default();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
