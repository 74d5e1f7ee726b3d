/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the lab in memory, for tests of the guard: honest flows that were there in calm, and attackers. */
#ifndef CTWARDEN_TESTS_ACTION_GUARD_WORLD_H
#define CTWARDEN_TESTS_ACTION_GUARD_WORLD_H

#include "action_fake.h"
#include "action/guard.h"

#define CAPACITY 20000

static int64_t now_ns = 1000 * SEC;

static inline int64_t tell_now(void)
{
	return now_ns;
}

/* The world of the lab, small: honest flows were there while it was calm. */
struct world {
	struct fake *fake;
	struct guard *guard;
	struct policy *policy;
	struct flow_timeouts timeouts;
	struct guard_table table;
	size_t honest; /* the first ones */
};

static const char evict_all[] = "\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"min_age\": 3, "
				"\"classes\": [\"unreplied\", \"pickup\", \"half-open\", \"closing\", \"replied\", "
				"\"stream\", \"established\"]}, \"until\": {\"fill_pct\": 50}";

static inline struct policy *policy_of_rule(const char *rule)
{
	struct problem problem = {0};
	struct policy *policy = NULL;
	char text[1024];

	snprintf(text, sizeof(text), "{\"schema\": \"ctwarden.policy/1\", \"rules\": [{\"name\": \"r\", %s}]}", rule);
	if (policy_parse(text, strlen(text), "p.json", &policy, &problem))
		fail_msg("%s: %s", problem.path, problem.text);
	return policy;
}

static inline struct flow answered_tcp(uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport, uint32_t left)
{
	struct flow flow = flow_make(TCP, src, dst, sport, dport);

	flow.state = FLOW_TCP_ESTABLISHED;
	flow.status |= FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
	flow.timeout_sec = left;
	flow.has |= FLOW_HAS_TIMEOUT;
	return flow;
}

static inline int fake_sweep(void *arg)
{
	(void)arg;
	return 0;
}

static inline int world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct guard_config config = guard_config_default();

	w->fake = fake_new(40000);
	w->fake->count = 0;
	w->fake->ports.sweep = fake_sweep;
	w->guard = guard_new(&config);
	w->policy = policy_of_rule(evict_all);
	w->timeouts = flow_timeouts_default();
	w->table = (struct guard_table){.ports = &w->fake->ports,
					.policy = w->policy,
					.timeouts = &w->timeouts,
					.monotonic_ns = tell_now,
					.capacity = CAPACITY,
					.is_calm = true};
	now_ns = 1000 * SEC;
	for (uint16_t i = 0; i < 300; i++)
		fake_add(w->fake, answered_tcp(IP(10, 1, 0, 2), IP(203, 0, 113, 2), (uint16_t)(2000 + i), 7000,
					       i % 2 ? 431990 : 428400));
	w->honest = w->fake->count;
	*state = w;
	return 0;
}

static inline int world_end(void **state)
{
	struct world *w = *state;

	guard_free(w->guard);
	policy_free(w->policy);
	fake_free(w->fake);
	free(w);
	return 0;
}

static inline void renew(struct world *w)
{
	struct flow_scan_report report;

	assert_int_equal(guard_renew(w->guard, &w->table, &report), 0);
	now_ns += 31 * SEC;
}

static inline void attack(struct world *w, size_t count, bool is_answered, unsigned sources)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t src = IP(10, 9, 0, 0) + (uint32_t)(i % sources),
			 dst = IP(198, 51, 100, 0) + (uint32_t)(i % 256);
		uint16_t sport = (uint16_t)(1024 + i / sources);
		struct flow flow = is_answered ? answered_tcp(src, dst, sport, 80, 299)
					       : flow_make(UDP, src, dst, sport, 53);

		if (!is_answered) {
			flow.timeout_sec = 30;
			flow.has |= FLOW_HAS_TIMEOUT;
		}
		fake_add(w->fake, flow);
	}
	w->table.is_calm = false;
}

static inline void calm_then_attack(struct world *w, size_t count, bool is_answered, unsigned sources)
{
	renew(w);
	renew(w);
	attack(w, count, is_answered, sources);
}

static inline struct policy_decision decide(struct world *w, uint64_t want, enum level level)
{
	(void)w;
	return (struct policy_decision){.action = POLICY_ACTION_EVICT,
					.level = level,
					.filter = flow_filter_new(),
					.want = want,
					.want_other = want,
					.granted = want,
					.scale = 1};
}

static inline size_t alive(const struct world *w, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += w->fake->alive[i];
	return count;
}

static inline void round_of(struct world *w, struct policy_decision *decision, struct guard_outcome *ret)
{
	guard_round(w->guard, &w->table, decision, 1, ret);
	policy_decision_done(decision);
	assert_true(ret->is_mine);
	assert_int_equal(ret->record.error, 0);
	assert_int_equal(ret->record.matched, ret->record.done + ret->record.gone + ret->record.refused +
						      ret->record.unknown + ret->record.left);
}

/* With a budget that nothing meets. */
static inline void round_at(struct world *w, enum level level, uint64_t want, uint64_t other, struct guard_outcome *ret)
{
	struct policy_decision decision = decide(w, want, level);

	decision.want_other = other;
	decision.granted = 40000;
	round_of(w, &decision, ret);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_make, world_end)

#endif
