/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped policies: what they promise in their comments. */
#include "policy_snapshot.h"

#include "policy/victim.h"

static struct policy_decision decisions[POLICY_DECISIONS_MAX];

static struct policy *shipped(const char *name)
{
	const char *source = getenv("srcdir");
	struct problem problem = {0};
	struct policy *policy = NULL;
	char path[512], line[900];

	snprintf(path, sizeof(path), "%s/policies/%s.json", source ? source : ".", name);
	if (policy_load(path, &policy, &problem))
		fail_msg("%s", problem_format(&problem, line, sizeof(line)));
	return policy;
}

static size_t evaluate(const struct policy *policy, const struct snapshot *s,
		       struct policy_memory *memory, int64_t now_ns)
{
	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	return policy_evaluate(policy, POLICY_MODE_ACT, s, memory, now_ns, decisions);
}

/* What is decided now; with so many drops a second over the last two seconds, of which the first
 * showed an empty table. */
static size_t decide(const struct policy *policy, struct snapshot *s, uint64_t drops_per_sec)
{
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct snapshot now = *s, before = *snapshot_of(0);
	size_t count;

	before.fill.now.counters.drop = now.fill.now.counters.drop;
	assert_int_equal(evaluate(policy, &before, memory, SEC), 0);
	now.fill.now.counters.drop += 2 * drops_per_sec;
	count = evaluate(policy, &now, memory, 3 * SEC);
	policy_memory_free(memory);
	*s = now;
	return count;
}

static bool has_rule(const struct policy *policy, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(policy->rules[decisions[i].rule].name, name))
			return true;
	return false;
}

static bool takes_flows(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (decisions[i].action != POLICY_ACTION_SWEEP &&
		    decisions[i].action != POLICY_ACTION_LOG)
			return true;
	return false;
}

/* ---- all of them ---- */

static const char *const names[] = {"observe", "gateway", "stale-cleanup", "per-source-limit"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static void test_none_bans_or_changes_the_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct policy *policy = shipped(names[i]);

		assert_string_equal(policy->name, names[i]);
		assert_true(policy->protects_operator && policy->protects_own);
		assert_int_equal(policy->mode, i ? POLICY_MODE_ACT : POLICY_MODE_OBSERVE);
		for (size_t j = 0; j < policy->rule_count; j++) {
			assert_int_not_equal(policy->rules[j].action.action, POLICY_ACTION_BAN);
			assert_int_not_equal(policy->rules[j].action.action,
					     POLICY_ACTION_TIMEOUTS);
			/* At full, when all else did not suffice: one rule of two policies. */
			if (strcmp(policy->rules[j].name, "evict-answered") != 0)
				assert_false(policy->rules[j].action.takes_active_at_full);
		}
		policy_free(policy);
	}
}

static struct flow flow_of(uint8_t protocol, uint8_t state, uint32_t status, const char *src)
{
	struct flow flow = {.has = FLOW_HAS_STATUS | FLOW_HAS_TIMEOUT | FLOW_HAS_REPLY |
				   FLOW_HAS_STATE,
			    .status = status,
			    .state = state,
			    .timeout_sec = 1};
	struct addr addr;

	assert_int_equal(addr_parse(src, &addr, NULL), 0);
	flow.tuple[FLOW_ORIG].family = flow.tuple[FLOW_REPLY].family = addr.family;
	flow.tuple[FLOW_ORIG].protocol = flow.tuple[FLOW_REPLY].protocol = protocol;
	memcpy(flow.tuple[FLOW_ORIG].src, addr.bytes, 16);
	memcpy(flow.tuple[FLOW_REPLY].dst, addr.bytes, 16);
	return flow;
}

#define TWO_WAY (FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED)

/* By no rule of any of them, even at full and where it fits the surge. */
static void test_none_takes_loopback_offloaded_or_established_sctp(void **state)
{
	const struct flow flows[] = {
		flow_of(6, FLOW_TCP_ESTABLISHED, TWO_WAY, "127.0.0.1"),
		flow_of(6, FLOW_TCP_SYN_SENT, FLOW_STATUS_CONFIRMED, "::1"),
		flow_of(6, FLOW_TCP_ESTABLISHED, TWO_WAY | FLOW_STATUS_OFFLOAD, "10.0.0.1"),
		flow_of(132, 4, TWO_WAY, "10.0.0.1"),
		flow_of(47, 0, FLOW_STATUS_CONFIRMED | FLOW_STATUS_SEEN_REPLY, "10.0.0.1"),
	};
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct policy_flow_context context = {{1795599667 * SEC, &timeouts}, true, NULL, 0};
	struct flow victim = flow_of(6, FLOW_TCP_SYN_SENT, FLOW_STATUS_CONFIRMED, "10.0.0.1");
	unsigned taken = 0;

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct policy *policy = shipped(names[i]);

		for (size_t j = 0; j < policy->rule_count; j++) {
			struct policy_decision decision = {.rule = j,
							   .level = LEVEL_FULL,
							   .filter = policy->rules[j].match.filter};

			for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++)
				assert_int_not_equal(policy_judge(policy, &decision, &flows[k], &context, NULL),
						     POLICY_VERDICT_TAKE);
			taken += policy_judge(policy, &decision, &victim, &context, NULL) == POLICY_VERDICT_TAKE;
		}
		policy_free(policy);
	}
	assert_true(taken >= 3); /* the question can be answered with yes */
}

/* ---- gateway ---- */

static void test_property_gateway_does_nothing_at_level_ok(void **state)
{
	struct policy *policy = shipped("gateway");
	struct random r = {0xabcdef12};
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct snapshot *s = snapshot_of(random_below(&r, 80000));

		snapshot_grow(s, (double)random_below(&r, 2000) - 500);
		snapshot_refuse(s, (double)random_below(&r, 1001) / 1000);
		snapshot_source(s, 1, random_below(&r, 80000), random_below(&r, 80000),
				random_below(&r, 80000), random_below(&r, 80000));
		if (s->level != LEVEL_OK)
			continue;
		assert_int_equal(decide(policy, s, random_below(&r, 2) ? 500 : 0), 0);
		seen++;
	}
	assert_true(seen > 5000);
	policy_free(policy);
}

static void test_gateway_leaves_a_table_alone_that_is_full_of_honest_flows(void **state)
{
	struct policy *policy = shipped("gateway");
	struct snapshot *s;

	(void)state;
	for (uint64_t entries = 70000; entries <= 99000; entries += 1000) {
		s = snapshot_of(entries); /* no growth, and the kernel could evict half of it */
		snapshot_grow(s, 0);
		snapshot_refuse(s, 0.0003);
		assert_false(takes_flows(decide(policy, s, 0)));
		snapshot_grow(s, -500);
		assert_false(takes_flows(decide(policy, s, 0)));
	}
	/* Honest, static and with nothing that the kernel could evict: unanswered flows may go, but
	 * no more than fit the surge, of which there is none. */
	s = snapshot_of(95000);
	snapshot_grow(s, 0);
	snapshot_refuse(s, 1);
	assert_true(decide(policy, s, 0) > 0);
	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		if (decisions[i].filter && decisions[i].action == POLICY_ACTION_EVICT)
			assert_int_equal(decisions[i].want_other, 0);
	policy_free(policy);
}

static void test_gateway_acts_on_the_forecast_on_drops_and_on_refusals(void **state)
{
	struct policy *policy = shipped("gateway");
	struct snapshot *s = snapshot_of(60000);
	size_t count;

	(void)state;
	snapshot_grow(s, 12000); /* full in 3.3 s: there is time yet */
	assert_false(has_rule(policy, decide(policy, s, 0), "evict-unanswered"));
	snapshot_grow(s, 30000); /* full in 1.3 s: long before any mark */
	count = decide(policy, s, 0);
	assert_true(has_rule(policy, count, "evict-unanswered"));
	/* Of the same pass, for what the unanswered ones leave to be done. */
	assert_true(has_rule(policy, count, "evict-answered"));
	assert_int_equal(decisions[count - 1].promised, 0);
	s = snapshot_of(98000);
	snapshot_grow(s, 0);
	snapshot_refuse(s, 0.0003);
	count = decide(policy, s, 50);
	assert_true(has_rule(policy, count, "evict-unanswered"));
	s = snapshot_of(92000);
	snapshot_grow(s, 0);
	snapshot_refuse(s, 0.5);
	assert_true(has_rule(policy, decide(policy, s, 0), "evict-unanswered"));
	policy_free(policy);
}

static void test_gateway_takes_answered_flows_when_unanswered_ones_do_not_suffice(void **state)
{
	struct policy *policy = shipped("gateway");
	struct policy_memory *memory = policy_memory_new(policy, NULL, NULL);
	struct policy_effect all = {.matched = 90000, .done = 90000}, none = {.matched = 10, .done = 10},
			     unneeded = {.is_unneeded = true};
	struct snapshot *s = snapshot_of(90000);
	size_t count;

	(void)state;
	snapshot_grow(s, 8000);
	count = evaluate(policy, s, memory, SEC);
	for (size_t i = 0; i < count; i++) {
		if (decisions[i].action == POLICY_ACTION_EVICT)
			policy_memory_result(
				memory, policy, &decisions[i],
				strcmp(policy->rules[decisions[i].rule].name, "evict-answered") ? &all : &unneeded,
				SEC);
		policy_decision_done(&decisions[i]);
	}
	/* They sufficed, and are trusted to. */
	count = evaluate(policy, s, memory, SEC + SEC / 2);
	assert_false(has_rule(policy, count, "evict-answered"));
	for (size_t i = 0; i < count; i++) {
		if (decisions[i].action == POLICY_ACTION_EVICT)
			policy_memory_result(memory, policy, &decisions[i], &none, SEC + SEC / 2);
		policy_decision_done(&decisions[i]);
	}
	count = evaluate(policy, s, memory, SEC + 3 * SEC / 4);
	assert_true(has_rule(policy, count, "evict-answered"));
	for (size_t i = 0; i < count; i++)
		policy_decision_done(&decisions[i]);
	policy_memory_free(memory);
	policy_free(policy);
}

/* ---- the others ---- */

static void test_stale_cleanup_only_means_what_has_been_silent_for_long(void **state)
{
	struct policy *policy = shipped("stale-cleanup");
	struct policy_memory *memory;
	struct snapshot *s = snapshot_of(100);

	(void)state;
	memory = policy_memory_new(policy, NULL, NULL);
	assert_int_equal(evaluate(policy, s, memory, SEC), policy->rule_count); /* at any fill */
	policy_memory_free(memory);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct flow_filter *filter = policy->rules[i].match.filter;

		assert_true(flow_filter_has(filter, FILTER_IDLE) ||
			    flow_filter_has(filter, FILTER_AGE));
		assert_true(policy->rules[i].budget.per_run <= 5000);
		assert_true(policy->rules[i].cooldown_ns >= 600 * SEC);
	}
	policy_free(policy);
}

/* Whoever sets a lifetime (a timeout policy, ctwarden timeout) hides how long the flow has been idle. */
static void test_stale_cleanup_takes_none_whose_idle_time_is_not_known(void **state)
{
	const int64_t now_ns = 1795599667 * SEC;
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct policy_flow_context context = {{now_ns, &timeouts}, false, NULL, 0};
	struct flow flows[] = {flow_of(17, 0, FLOW_STATUS_CONFIRMED, "10.0.0.1"),
			       flow_of(6, FLOW_TCP_ESTABLISHED, TWO_WAY, "10.0.0.1"),
			       flow_of(6, FLOW_TCP_ESTABLISHED, FLOW_STATUS_CONFIRMED, "10.0.0.1")};
	const uint32_t left_sec[] = {1, 250000, 250000}; /* of the kernel's default */
	struct policy *policy = shipped("stale-cleanup");
	unsigned taken = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(flows) / sizeof(flows[0]); k++) {
		flows[k].has |= FLOW_HAS_TIMESTAMP;
		flows[k].start_ns = (uint64_t)(now_ns - 10 * 86400 * SEC);
		for (size_t j = 0; j < policy->rule_count; j++) {
			struct policy_decision decision = {.rule = j, .filter = policy->rules[j].match.filter};

			flows[k].timeout_sec = left_sec[k];
			taken += policy_judge(policy, &decision, &flows[k], &context, NULL) == POLICY_VERDICT_TAKE;
			flows[k].timeout_sec = 500000;
			assert_int_not_equal(policy_judge(policy, &decision, &flows[k], &context, NULL),
					     POLICY_VERDICT_TAKE);
		}
	}
	assert_int_equal(taken, 3);
	policy_free(policy);
}

static void test_per_source_limit_takes_unanswered_flows_above_the_limit_alone(void **state)
{
	struct policy *policy = shipped("per-source-limit");
	struct snapshot *s = snapshot_of(60000);

	(void)state;
	snapshot_source(s, 1, 4999, 1999, 50000, 50000);
	assert_int_equal(decide(policy, s, 0), 0);
	s->sources.rows[0].classes[FLOW_CLASS_UNREPLIED] = 6000;
	assert_int_equal(decide(policy, s, 0), 1);
	assert_int_equal(decisions[0].want, 1001);
	for (size_t i = 0; i < policy->rule_count; i++)
		for (unsigned j = 0; j < policy->rules[i].action.class_count; j++)
			assert_true(policy->rules[i].action.classes[j] == FLOW_CLASS_UNREPLIED ||
				    policy->rules[i].action.classes[j] == FLOW_CLASS_HALF_OPEN);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_bans_or_changes_the_kernel),
		cmocka_unit_test(test_none_takes_loopback_offloaded_or_established_sctp),
		cmocka_unit_test(test_property_gateway_does_nothing_at_level_ok),
		cmocka_unit_test(test_gateway_leaves_a_table_alone_that_is_full_of_honest_flows),
		cmocka_unit_test(test_gateway_acts_on_the_forecast_on_drops_and_on_refusals),
		cmocka_unit_test(
			test_gateway_takes_answered_flows_when_unanswered_ones_do_not_suffice),
		cmocka_unit_test(test_stale_cleanup_only_means_what_has_been_silent_for_long),
		cmocka_unit_test(test_stale_cleanup_takes_none_whose_idle_time_is_not_known),
		cmocka_unit_test(
			test_per_source_limit_takes_unanswered_flows_above_the_limit_alone),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	for (size_t i = 0; i < POLICY_DECISIONS_MAX; i++)
		policy_decision_done(&decisions[i]);
	return failed;
}
