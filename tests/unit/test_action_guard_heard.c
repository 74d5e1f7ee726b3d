/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds that read what events told of, singly, instead of a pass: of a surge that a pass has found a moment ago. */
#include "action_guard_world.h"

#include "base/clock.h"

static struct guard_outcome outcome;

/* What events tell of: the flows of the fake from the first untold one on. */
struct told {
	struct world *world;
	struct guard_births births;
	size_t next;
	bool is_wanted, is_lost;
};

static struct told told;

static void hear_anew(void *arg, bool wanted)
{
	struct told *t = arg;

	t->next = t->world->fake->count;
	t->is_wanted = wanted;
	t->is_lost = false;
}

static size_t heard(void *arg, struct flow *ret_flows, size_t max)
{
	struct told *t = arg;
	size_t count = 0;

	if (!t->is_wanted || t->is_lost)
		return 0;
	for (; count < max && t->next < t->world->fake->count; t->next++) {
		const struct flow *flow = &t->world->fake->flows[t->next];

		/* As it was when it was born. */
		ret_flows[count++] = (struct flow){.tuple[FLOW_ORIG] = flow->tuple[FLOW_ORIG],
						   .has = FLOW_HAS_STATUS,
						   .status = FLOW_STATUS_CONFIRMED,
						   .id = flow->id,
						   .zone = flow->zone,
						   .zone_reply = flow->zone_reply};
	}
	return count;
}

static void listen_to(struct world *w)
{
	told = (struct told){.world = w,
			     .births = {.hear_anew = hear_anew, .heard = heard, .arg = &told}};
	w->table.births = &told.births;
}

static void round_want(struct world *w, uint64_t want, uint64_t other)
{
	w->fake->scans = w->fake->whole_scans = w->fake->read_flows = 0;
	w->table.new_per_sec = 1000;
	round_at(w, LEVEL_WARNING, want, other, &outcome);
}

static void look(struct world *w)
{
	struct flow_scan_report report;

	assert_int_equal(guard_renew(w->guard, &w->table, &report), 0);
}

/* More of the same, by other ports. */
static void more(struct world *w, size_t count, uint16_t by)
{
	size_t from = w->fake->count;

	attack(w, count, true, 16);
	for (size_t i = from; i < w->fake->count; i++) {
		w->fake->flows[i].tuple[FLOW_ORIG].sport += by;
		w->fake->flows[i].tuple[FLOW_REPLY].dport += by;
	}
}

static void pass_by_a_while(struct fake *fake)
{
	(void)fake;
	now_ns += 40 * NS_PER_MS;
}

/* Handshakes that are tried not to be in use, and the round of a pass: all go. */
static void tried(struct world *w)
{
	listen_to(w);
	renew(w);
	renew(w);
	assert_false(told.is_wanted);
	attack(w, 8000, true, 16);
	look(w);
	now_ns += 3 * SEC;
	look(w);
	w->fake->on_scan = pass_by_a_while;
	round_want(w, 8000, 1000);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 8000);
	assert_true(told.is_wanted);
	now_ns += 300 * NS_PER_MS;
}

static void of_a_proven_surge_births_are_read_singly_and_go(void **state)
{
	struct world *w = *state;
	size_t from;

	tried(w);
	from = w->fake->count;
	more(w, 500, 10000);
	/* Somebody else's, answered and new: not even read. */
	for (uint16_t i = 0; i < 40; i++)
		fake_add(w->fake, answered_tcp(IP(10, 1, 0, 9), IP(203, 0, 113, 9), (uint16_t)(9000 + i), 443, 431999));
	round_want(w, 600, 100);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(w->fake->read_flows, 500);
	assert_int_equal(outcome.record.done, 500);
	assert_int_equal(outcome.record.way, ACTION_WAY_HEARD);
	assert_non_null(strstr(outcome.record.how, "tcp/80"));
	assert_int_equal(alive(w, from, w->fake->count), 40);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void who_has_ended_since_is_no_victim(void **state)
{
	struct world *w = *state;
	size_t from;

	tried(w);
	from = w->fake->count;
	more(w, 500, 10000);
	memset(w->fake->alive + from, 0, 300 * sizeof(*w->fake->alive));
	round_want(w, 600, 100);
	assert_int_equal(outcome.record.way, ACTION_WAY_HEARD);
	assert_int_equal(outcome.record.done, 200);
	assert_int_equal(outcome.record.gone, 0);
}

static void where_births_were_lost_the_table_is_looked_at(void **state)
{
	struct world *w = *state;

	tried(w);
	more(w, 500, 10000);
	told.is_lost = true;
	round_want(w, 600, 100);
	assert_int_equal(w->fake->scans, 1);
	assert_int_equal(outcome.record.done, 500);
	assert_int_equal(outcome.record.way, ACTION_WAY_DUMP);
}

static void births_that_are_too_few_are_not_the_end(void **state)
{
	struct world *w = *state;
	size_t from;

	tried(w);
	more(w, 500, 10000);
	told.next = w->fake->count; /* nobody heard of these */
	from = w->fake->count;
	more(w, 100, 20000);
	round_want(w, 600, 400);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 600);
	assert_int_equal(outcome.record.matched, 600);
	assert_int_equal(alive(w, from, w->fake->count), 0);
}

static void after_seconds_the_whole_table_is_looked_at(void **state)
{
	struct world *w = *state;

	tried(w);
	more(w, 500, 10000);
	now_ns += 4 * SEC;
	round_want(w, 600, 100);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, 500);
}

/* Known for idle only since: then what was left before may go, too, and is no birth. */
static void what_a_pass_has_left_is_looked_for_once_it_may_go(void **state)
{
	struct world *w = *state;

	listen_to(w);
	w->fake->on_scan = pass_by_a_while;
	renew(w);
	renew(w);
	attack(w, 8000, true, 16);
	look(w);
	now_ns += 1900 * NS_PER_MS;
	round_want(w, 8000, 500); /* untried: as many as the next round needs */
	assert_int_equal(outcome.record.done, 500);
	now_ns += 300 * NS_PER_MS;
	look(w); /* tried now */
	more(w, 300, 10000);
	round_want(w, 7800, 300);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 7800);
}

/* A thousand births of a surge of which nothing is proven. */
static void untried_births(struct world *w)
{
	listen_to(w);
	w->fake->on_scan = pass_by_a_while;
	calm_then_attack(w, 600, true, 16);
	round_want(w, 8000, 200);
	assert_int_equal(outcome.record.done, 200);
	now_ns += 1950 * NS_PER_MS; /* what that pass has chosen beyond it is old */
	more(w, 1000, 10000);
}

static void of_an_untried_surge_no_more_births_go_than_are_needed(void **state)
{
	struct world *w = *state;
	size_t from;

	untried_births(w);
	from = w->fake->count - 1000;
	round_want(w, 8000, 300);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_HEARD);
	assert_int_equal(outcome.record.done, 300);
	assert_int_equal(alive(w, from, w->fake->count), 700);
	assert_int_equal(w->fake->read_flows, 512); /* four batches, once */
}

static void read_slowly(struct fake *fake)
{
	(void)fake;
	now_ns += 10 * NS_PER_MS;
}

/* Then they may be in use by the time it is their turn. */
static void where_reading_takes_its_time_untried_births_are_read_again(void **state)
{
	struct world *w = *state;

	untried_births(w);
	w->fake->on_read = read_slowly;
	round_want(w, 8000, 300);
	assert_int_equal(outcome.record.way, ACTION_WAY_HEARD);
	assert_int_equal(outcome.record.done, 300);
	assert_int_equal(w->fake->read_flows, 512 + 300);
}

/* Users whose connections end while the flood goes on. */
static void end_connections(struct world *w, uint16_t count, uint16_t from_port)
{
	for (uint16_t i = 0; i < count; i++) {
		struct flow flow =
			answered_tcp(IP(10, 1, 0, 2), IP(203, 0, 113, 2), (uint16_t)(from_port + i), 7000, 110);

		flow.state = FLOW_TCP_TIME_WAIT;
		fake_add(w->fake, flow);
	}
}

/* A surge tried not to be in use, with connections of users that have ended beside; then more of both. */
static void tried_beside(struct world *w, size_t flood, uint16_t ended)
{
	listen_to(w);
	renew(w);
	renew(w);
	attack(w, flood, true, 16);
	look(w);
	now_ns += 3 * SEC;
	look(w);
	end_connections(w, ended, 10000);
	w->fake->on_scan = pass_by_a_while;
	round_want(w, 16000, 1000);
	assert_int_equal(w->fake->whole_scans, 1);
	assert_int_equal(outcome.record.done, flood + ended);
	assert_non_null(strstr(outcome.record.how, "closing tcp/7000"));
	now_ns += 300 * NS_PER_MS;
	more(w, 500, 10000);
	end_connections(w, 100, 40000);
}

static void what_ends_beside_a_flood_does_not_call_for_a_pass(void **state)
{
	struct world *w = *state;
	size_t from;

	tried_beside(w, 4000, 1500);
	from = w->fake->count;
	/* Longer than what is untried is known for: connections that end never are tried. */
	now_ns += 3 * SEC;
	round_want(w, 600, 100);
	assert_int_equal(w->fake->scans, 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_HEARD);
	assert_int_equal(outcome.record.done, 500);
	assert_int_equal(alive(w, from - 100, from), 100);
}

/* Where they are the greater part, births of the lesser are not all that there is. */
static void what_mostly_ends_is_looked_for_in_the_table(void **state)
{
	struct world *w = *state;

	tried_beside(w, 1500, 4000);
	round_want(w, 600, 100);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_DUMP);
	assert_int_equal(outcome.record.done, 600);
}

static void spoofed(struct world *w, size_t count, uint32_t from)
{
	for (uint32_t i = from; i < from + count; i++) {
		struct flow flow = flow_make(UDP, IP(77, 0, 0, 0) + i * 40503u, IP(192, 0, 2, 7),
					     (uint16_t)(1024 + i % 60000), 53);

		flow.timeout_sec = 30;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
}

/* A crowd of users, it may be, and beside it what nobody answers: that goes first, and is looked for. */
static void who_is_answered_does_not_pay_for_the_unanswered(void **state)
{
	struct world *w = *state;
	size_t crowd, flood;

	listen_to(w);
	w->fake->on_scan = pass_by_a_while;
	calm_then_attack(w, 600, true, 16);
	spoofed(w, 500, 0);
	w->table.new_per_sec = 4000;
	round_at(w, LEVEL_WARNING, 500, 500, &outcome);
	assert_int_equal(outcome.record.done, 500);
	now_ns += 300 * NS_PER_MS;
	crowd = w->fake->count;
	more(w, 700, 10000);
	flood = w->fake->count;
	spoofed(w, 650, 10000);
	w->fake->scans = 0;
	round_at(w, LEVEL_WARNING, 300, 300, &outcome);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 300);
	assert_int_equal(alive(w, crowd, flood), 700);
	assert_int_equal(alive(w, flood, w->fake->count), 350);
}

static void handshakes_under_way_are_not_taken_youngest_first(void **state)
{
	struct world *w = *state;

	listen_to(w);
	w->fake->on_scan = pass_by_a_while;
	calm_then_attack(w, 600, true, 16);
	for (size_t i = w->honest; i < w->fake->count; i++)
		w->fake->flows[i].state = FLOW_TCP_SYN_RECV;
	round_want(w, 200, 200);
	assert_int_equal(outcome.record.done, 200);
	now_ns += 1950 * NS_PER_MS;
	more(w, 1000, 10000);
	for (size_t i = w->honest; i < w->fake->count; i++)
		w->fake->flows[i].state = FLOW_TCP_SYN_RECV;
	round_want(w, 300, 300);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.way, ACTION_WAY_DUMP);
	assert_int_equal(outcome.record.done, 300);
}

/* ---- who must not pay for it ---- */

/* Heavy sources hold most of an untried surge: the births of light ones do not go in their place. */
static void light_sources_do_not_pay_for_heavy_ones(void **state)
{
	struct world *w = *state;
	size_t from;

	listen_to(w);
	w->fake->on_scan = pass_by_a_while;
	calm_then_attack(w, 9000, true, 4);
	for (uint32_t i = 0; i < 2500; i++)
		fake_add(w->fake, answered_tcp(IP(10, 9, 0, 1) + i % 1000, IP(198, 51, 100, 0) + i % 256,
					       (uint16_t)(50000 + i / 1000), 80, 299));
	round_want(w, 9000, 300);
	now_ns += 1950 * NS_PER_MS;
	from = w->fake->count;
	for (uint32_t i = 0; i < 900; i++)
		fake_add(w->fake, answered_tcp(IP(10, 9, 0, 7) + i, IP(198, 51, 100, 0) + i % 256, 40000, 80, 299));
	round_want(w, 8000, 600);
	assert_int_equal(outcome.record.done, 600);
	assert_int_equal(alive(w, from, w->fake->count), 900);
}

static void add_unanswered_in_calm(struct world *w, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct flow flow = flow_make(UDP, IP(10, 1, 0, 0) + (uint32_t)i, IP(8, 8, 0, 0) + (uint32_t)(i % 200),
					     (uint16_t)(3000 + i), (uint16_t)(1000 + i));

		flow.timeout_sec = 15;
		flow.has |= FLOW_HAS_TIMEOUT;
		fake_add(w->fake, flow);
	}
}

/* Victims that do not fit the surge say nothing of how much of it is left. */
static void what_is_left_is_counted_of_the_surge_alone(void **state)
{
	struct world *w = *state;
	size_t surge_end;

	add_unanswered_in_calm(w, 400);
	listen_to(w);
	renew(w);
	renew(w);
	attack(w, 2000, true, 16);
	surge_end = w->fake->count;
	look(w);
	now_ns += 3 * SEC;
	look(w);
	w->fake->on_scan = pass_by_a_while;
	round_want(w, 2000, 2000);
	assert_int_equal(outcome.record.done, 2000);
	now_ns += 300 * NS_PER_MS;
	more(w, 500, 10000);
	round_want(w, 300, 300);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.done, 300);
	assert_int_equal(alive(w, surge_end, w->fake->count), 500);
}

/* One and the same, opened and reset again and again: the next round looks at the table. */
static const struct flow *told_again;
static size_t told_times;

static size_t heard_again(void *arg, struct flow *ret_flows, size_t max)
{
	size_t count = 0;

	(void)arg;
	for (; count < max && told_times; told_times--)
		ret_flows[count++] = (struct flow){.tuple[FLOW_ORIG] = told_again->tuple[FLOW_ORIG],
						   .has = FLOW_HAS_STATUS,
						   .status = FLOW_STATUS_CONFIRMED,
						   .id = told_again->id,
						   .zone = told_again->zone,
						   .zone_reply = told_again->zone_reply};
	return count;
}

static void one_that_is_told_again_and_again_does_not_hide_the_rest(void **state)
{
	struct world *w = *state;

	tried(w);
	more(w, 900, 10000);
	told_again = &w->fake->flows[w->fake->count - 1];
	told_times = 600;
	told.births.heard = heard_again;
	round_want(w, 600, 600);
	assert_true(outcome.record.done <= 1);
	now_ns += 300 * NS_PER_MS;
	told_again--;
	told_times = 600;
	round_want(w, 600, 600);
	assert_true(w->fake->scans > 0);
	assert_true(outcome.record.done >= 600);
}

/* Left by the pass, and in use since: met again within seconds, by a look at the surge alone. */
static void who_is_in_use_since_the_pass_lives(void **state)
{
	struct world *w = *state;
	size_t used = 0, left = 0;

	listen_to(w);
	renew(w);
	renew(w);
	attack(w, 8000, true, 16);
	for (size_t i = w->honest; i < w->fake->count; i++) {
		w->fake->flows[i].has |= FLOW_HAS_COUNTERS;
		w->fake->flows[i].packets[FLOW_ORIG] = 2;
		w->fake->flows[i].packets[FLOW_REPLY] = 1;
	}
	look(w);
	now_ns += 3 * SEC;
	look(w);
	w->fake->on_scan = pass_by_a_while;
	w->table.new_per_sec = 1000;
	round_at(w, LEVEL_WARNING, 4000, 1000, &outcome);
	now_ns += SEC;
	for (size_t i = w->honest; i < w->fake->count; i++) {
		if (!w->fake->alive[i] || i % 2)
			continue;
		used++;
		w->fake->flows[i].packets[FLOW_ORIG] += 9;
		w->fake->flows[i].packets[FLOW_REPLY] += 9;
	}
	assert_in_range(used, 1000, 3000);
	now_ns += 2500 * NS_PER_MS;
	w->fake->on_scan = NULL;
	round_want(w, 3000, 500);
	for (size_t i = w->honest; i < w->fake->count; i++)
		left += w->fake->alive[i] && i % 2 == 0;
	assert_int_equal(left, used);
}

/* What others lose makes no room of what one source has too much. */
static void a_source_is_brought_down_by_its_own(void **state)
{
	struct world *w = *state;
	struct policy *policy = w->policy;
	struct policy_decision decisions[2] = {decide(w, 4000, LEVEL_WARNING), decide(w, 500, LEVEL_WARNING)};
	struct guard_outcome outcomes[2];
	size_t from;

	w->table.policy = w->policy = policy_of_rule(
		"\"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": [\"unreplied\"]}, "
		"\"until\": {\"fill_pct\": 50}}, {\"name\": \"b\", \"when\": {\"source\": {\"entries\": 100}}, \"do\": "
		"{\"action\": \"evict\", \"min_age\": 0, \"classes\": [\"established\"], \"signature\": false}");
	policy_free(policy);
	calm_then_attack(w, 4000, false, 16);
	from = w->fake->count;
	for (uint16_t i = 0; i < 600; i++)
		fake_add(w->fake, answered_tcp(IP(10, 3, 0, 9), IP(203, 0, 113, 9), (uint16_t)(2000 + i), 25, 300));
	decisions[1].rule = 1;
	decisions[1].scope = POLICY_SCOPE_SOURCE;
	flow_filter_add(decisions[1].filter, FILTER_SRC, "10.3.0.9", false, NULL);
	flow_filter_finish(decisions[1].filter, NULL);
	guard_round(w->guard, &w->table, decisions, 2, outcomes);
	assert_int_equal(outcomes[0].record.done, 4000);
	assert_false(outcomes[1].effect.is_unneeded);
	assert_true(outcomes[1].record.done + outcomes[1].record.spared > 0);
	assert_int_equal(alive(w, from, w->fake->count), 600 - outcomes[1].record.done);
	policy_decision_done(&decisions[0]);
	policy_decision_done(&decisions[1]);
}

/* ---- what one pass does for all ---- */

static unsigned sweeps;

static int count_sweep(void *arg)
{
	(void)arg;
	sweeps++;
	return 0;
}

static void set_rules(struct world *w)
{
	struct policy *policy = w->policy;

	w->table.policy = w->policy = policy_of_rule(
		"\"when\": {\"fill_pct\": 60}, \"do\": \"sweep\"}, {\"name\": \"mild\", \"when\": {\"fill_pct\": 60}, "
		"\"do\": {\"action\": \"evict\", \"classes\": [\"unreplied\"]}, \"until\": {\"fill_pct\": 50}}, "
		"{\"name\": \"hard\", \"when\": {\"fill_pct\": 60}, \"do\": {\"action\": \"evict\", \"classes\": "
		"[\"established\"]}, \"until\": {\"fill_pct\": 50}");
	policy_free(policy);
	w->fake->ports.sweep = count_sweep;
	sweeps = 0;
}

static void round_of_three(struct world *w, uint64_t want, struct guard_outcome ret_outcomes[3])
{
	struct policy_decision decisions[3] = {{.action = POLICY_ACTION_SWEEP, .level = LEVEL_WARNING},
					       decide(w, want, LEVEL_WARNING), decide(w, want, LEVEL_WARNING)};

	decisions[1].rule = 1;
	decisions[2].rule = 2;
	decisions[2].want_other = want / 4;
	guard_round(w->guard, &w->table, decisions, 3, ret_outcomes);
	for (size_t i = 0; i < 3; i++)
		policy_decision_done(&decisions[i]);
}

static void a_pass_that_is_made_anyway_sweeps_too(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcomes[3];

	set_rules(w);
	listen_to(w);
	calm_then_attack(w, 6000, true, 16);
	round_of_three(w, 1000, outcomes);
	assert_int_equal(sweeps, 0);
	assert_true(outcomes[0].effect.is_unneeded);
	assert_true(outcomes[2].record.done > 0);
	/* The next one may do without. */
	now_ns += 200 * NS_PER_MS;
	round_of_three(w, 100, outcomes);
	assert_int_equal(sweeps, 1);
	assert_false(outcomes[0].effect.is_unneeded);
}

/* Both are asked of the same pass, and nobody takes what is not needed any more. */
static void what_the_milder_rule_has_done_the_harder_leaves(void **state)
{
	struct world *w = *state;
	struct guard_outcome outcomes[3];

	set_rules(w);
	renew(w);
	renew(w);
	attack(w, 3000, false, 200);
	attack(w, 3000, true, 16);
	round_of_three(w, 2000, outcomes);
	assert_int_equal(outcomes[1].record.done, 2000);
	assert_false(outcomes[1].effect.is_unneeded);
	assert_int_equal(outcomes[2].record.done, 0);
	assert_true(outcomes[2].effect.is_unneeded);
	now_ns += 5 * SEC;
	round_of_three(w, 2000, outcomes); /* 1,000 are left */
	assert_int_equal(outcomes[1].record.done, 1000);
	assert_in_range(outcomes[2].record.done, 1, 1000);
	assert_false(outcomes[2].effect.is_unneeded);
	assert_int_equal(alive(w, 0, w->honest), w->honest);
}

static void who_observes_looks_at_the_table(void **state)
{
	struct world *w = *state;
	struct policy_decision decision = decide(w, 600, LEVEL_WARNING);

	tried(w);
	more(w, 500, 10000);
	w->fake->scans = 0;
	decision.want_other = 100;
	decision.would = true;
	guard_round(w->guard, &w->table, &decision, 1, &outcome);
	policy_decision_done(&decision);
	assert_true(w->fake->scans > 0);
	assert_int_equal(outcome.record.matched, 500);
}

static void in_calm_nobody_listens(void **state)
{
	struct world *w = *state;

	tried(w);
	assert_true(told.is_wanted);
	w->table.is_calm = true;
	look(w);
	assert_false(told.is_wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_a_proven_surge_births_are_read_singly_and_go),
		TEST(who_has_ended_since_is_no_victim),
		TEST(where_births_were_lost_the_table_is_looked_at),
		TEST(births_that_are_too_few_are_not_the_end),
		TEST(after_seconds_the_whole_table_is_looked_at),
		TEST(what_a_pass_has_left_is_looked_for_once_it_may_go),
		TEST(of_an_untried_surge_no_more_births_go_than_are_needed),
		TEST(where_reading_takes_its_time_untried_births_are_read_again),
		TEST(what_ends_beside_a_flood_does_not_call_for_a_pass),
		TEST(what_mostly_ends_is_looked_for_in_the_table),
		TEST(who_is_answered_does_not_pay_for_the_unanswered),
		TEST(handshakes_under_way_are_not_taken_youngest_first),
		TEST(light_sources_do_not_pay_for_heavy_ones),
		TEST(what_is_left_is_counted_of_the_surge_alone),
		TEST(one_that_is_told_again_and_again_does_not_hide_the_rest),
		TEST(who_is_in_use_since_the_pass_lives),
		TEST(a_source_is_brought_down_by_its_own),
		TEST(a_pass_that_is_made_anyway_sweeps_too),
		TEST(what_the_milder_rule_has_done_the_harder_leaves),
		TEST(who_observes_looks_at_the_table),
		TEST(in_calm_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
