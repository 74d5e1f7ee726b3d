/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of signature and victims: a made-up table of honest users and attackers, as
 * in the gateway lab, and one guard's view of it from pass to pass. */
#ifndef CTWARDEN_TESTS_STATS_WORLD_H
#define CTWARDEN_TESTS_STATS_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "stats/round.h"
#include "stats/trial.h"
#include "stats_fixture.h"

#define WORLD_MAX 70000
#define USERS	  IP(10, 1, 0, 2)
#define HEAVY	  IP(10, 1, 0, 80)
#define INFECTED  IP(10, 1, 0, 66)
#define SERVER	  IP(203, 0, 113, 2)

enum role { ROLE_GOLD, ROLE_QUIET, ROLE_NEW, ROLE_HEAVY, ROLE_CROWD, ROLE_ATTACK, ROLE_COUNT };

struct member {
	struct flow flow;
	enum role role;
	int64_t born_sec, last_sec; /* last packet */
};

struct world {
	struct member *members;
	size_t used;
	int64_t now_sec;
	uint64_t random;
	struct flow_timeouts timeouts;
	struct seniority *seniority;
	struct round round;
	struct trial trial;
	struct sample *base, *growth;
	uint64_t base_flows, growth_flows;
	struct signature signatures[SIGNATURE_MAX];
	size_t signature_count;
	struct signature_finder *finder;
	/* answers */
	struct victims *victims;
	struct victims_report report;
	size_t victim_count;
	const struct victim *list;
	uint64_t taken[ROLE_COUNT];
};

static inline struct world *world_new(void)
{
	struct seniority_config seniority = seniority_config_default();
	struct signature_config signature = signature_config_default();
	struct world *w = calloc(1, sizeof(*w));

	w->members = calloc(WORLD_MAX, sizeof(*w->members));
	w->base = calloc(1, sizeof(*w->base));
	w->growth = calloc(1, sizeof(*w->growth));
	w->now_sec = 1000000;
	w->random = 20260101;
	w->timeouts = flow_timeouts_default();
	w->seniority = seniority_new(&seniority);
	w->finder = signature_finder_new(&signature);
	return w;
}

static inline void world_free(struct world *w)
{
	victims_free(w->victims);
	seniority_free(w->seniority);
	signature_finder_free(w->finder);
	free(w->members);
	free(w->base);
	free(w->growth);
	free(w);
}

static inline uint32_t pick(struct world *w, uint32_t below)
{
	return (uint32_t)((random_next(&w->random) >> 32) * below >> 32);
}

/* An address of the internet. */
static inline uint32_t anywhere(struct world *w)
{
	uint32_t address;

	do
		address = IP(1, 0, 0, 0) + pick(w, IP(222, 0, 0, 0));
	while (address >> 24 == 127);
	return address;
}

static inline struct member *world_add(struct world *w, enum role role, struct flow flow)
{
	struct member *member = &w->members[w->used++];

	assert_true(w->used <= WORLD_MAX);
	flow.has |= FLOW_HAS_TIMEOUT;
	*member = (struct member){
		.flow = flow, .role = role, .born_sec = w->now_sec, .last_sec = w->now_sec};
	return member;
}

/* What the kernel would show as time left. */
static inline void world_age(struct world *w)
{
	for (size_t i = 0; i < w->used; i++) {
		struct member *member = &w->members[i];
		struct flow *flow = &member->flow;
		uint32_t base = 0, idle;

		flow->id = (uint32_t)i + 1; /* for world_find */

		if (member->role == ROLE_GOLD || member->role == ROLE_HEAVY)
			member->last_sec = w->now_sec - (w->now_sec - member->born_sec) % 2;
		idle = (uint32_t)(w->now_sec - member->last_sec);
		if (flow->tuple[FLOW_ORIG].protocol == TCP)
			base = w->timeouts.tcp[flow->state];
		else
			base = flow->status & FLOW_STATUS_ASSURED ? w->timeouts.udp_stream
								  : w->timeouts.udp_unreplied;
		flow->timeout_sec = base > idle ? base - idle : 0;
	}
}

static inline struct flow honest_flow(struct world *w, uint32_t src)
{
	return flow_answered(TCP, src, SERVER + pick(w, 4), (uint16_t)(1024 + w->used), 7000);
}

/* The lab's users: long-lived flows that beat, quiet ones, and new ones of all kinds. */
static inline void world_users(struct world *w, unsigned gold, unsigned quiet, unsigned heavy)
{
	for (unsigned i = 0; i < gold; i++)
		world_add(w, ROLE_GOLD, honest_flow(w, USERS));
	for (unsigned i = 0; i < quiet; i++) /* silent for 30 min, 1 h */
		world_add(w, ROLE_QUIET, honest_flow(w, USERS))->last_sec -= i % 2 ? 1800 : 3600;
	for (unsigned i = 0; i < heavy; i++)
		world_add(w, ROLE_HEAVY, honest_flow(w, HEAVY));
}

static inline void world_new_users(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct flow flow = honest_flow(w, USERS);

		if (i % 10 == 0) { /* just being opened */
			flow.state = FLOW_TCP_SYN_SENT;
			flow.status = 0;
		} else if (i % 10 < 6) {
			flow.state = FLOW_TCP_CLOSE;
		}
		world_add(w, ROLE_NEW, flow);
	}
}

/* One pass; victims are offered where is_choosing. */
static inline void world_try(const struct flow *flow, const struct flow_facts *facts, const struct standing *standing,
			     void *arg)
{
	struct world *w = arg;

	trial_offer(&w->trial, flow, facts, standing, w->now_sec * SEC);
}

static inline void world_pass(struct world *w, bool is_calm, bool is_choosing)
{
	const struct round_config config = {.seniority = w->seniority,
					    .timeouts = &w->timeouts,
					    .base = is_calm ? w->base : NULL,
					    .growth = w->growth,
					    .victims = is_choosing ? w->victims : NULL,
					    .on_flow = world_try,
					    .arg = w};

	world_age(w);
	if (is_calm)
		sample_init(w->base, 5);
	sample_init(w->growth, 6);
	seniority_begin(w->seniority, w->now_sec * SEC, is_calm, 0);
	round_begin(&w->round, &config);
	for (size_t i = 0; i < w->used; i++)
		round_add(&w->round, &w->members[i].flow);
	round_end(&w->round);
	seniority_end(w->seniority, true);
	if (is_calm)
		w->base_flows = w->round.base_flows;
	w->growth_flows = w->round.growth_flows;
}

/* Calm for a minute, with a pass at its beginning and end; then the surge begins. */
static inline void world_calm(struct world *w)
{
	world_pass(w, true, false);
	w->now_sec += 31;
	world_pass(w, true, false);
	w->now_sec += 31;
	world_pass(w, true, false);
	w->now_sec += 2;
	seniority_surge(w->seniority, w->now_sec * SEC);
}

static inline void world_signature(struct world *w)
{
	struct signature_input input = {.base = w->base,
					.growth = w->growth,
					.base_flows = w->base_flows,
					.growth_flows = w->growth_flows};

	w->signature_count = signature_find(w->finder, &input, SIGNATURE_MAX, w->signatures);
	for (size_t i = 0; i < w->signature_count; i++)
		trial_judge(&w->trial, &w->signatures[i], w->now_sec * SEC);
}

static inline size_t world_find(const struct world *w, const struct victim *victim)
{
	assert_in_range(victim->id, 1, w->used);
	return victim->id - 1;
}

/* Two passes of a guard: the first to know what has grown, the second to choose. */
static inline void world_choose(struct world *w, struct victims_config config)
{
	world_pass(w, false, false);
	world_signature(w);
	config.signatures = w->signatures;
	config.signature_count = w->signature_count;
	victims_free(w->victims);
	w->victims = victims_new(&config);
	world_pass(w, false, true);
	w->list = victims_finish(w->victims, &w->victim_count, &w->report);
	memset(w->taken, 0, sizeof(w->taken));
	for (size_t i = 0; i < w->victim_count; i++)
		w->taken[w->members[world_find(w, &w->list[i])].role]++;
}

static inline struct victims_config want(size_t max)
{
	struct victims_config config = victims_config_default();

	config.max = config.max_others = max;
	return config;
}

/* ---- attacks, n flows each ---- */

static inline void attack_syn(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_make(TCP, IP(10, 9, 0, 7), IP(198, 51, 100, 9), (uint16_t)(1024 + i),
				    (uint16_t)(1 + pick(w, 60000))));
}

static inline void attack_udp(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_make(UDP, IP(10, 9, 0, 7), IP(198, 51, 100, 0) + pick(w, 256),
				    (uint16_t)(1024 + i), (uint16_t)(1 + pick(w, 60000))));
}

/* Handshakes completed, from 2^bits sources of 10.9.0.0/16. */
static inline void attack_established(struct world *w, unsigned n, unsigned bits)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_answered(TCP, IP(10, 9, 0, 0) + pick(w, 1u << bits),
					IP(198, 51, 100, 0) + pick(w, 256), (uint16_t)(1024 + i),
					80));
}

static inline void attack_spoofed(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_make(TCP, anywhere(w), SERVER, (uint16_t)(1024 + i), 7000));
}

static inline void attack_infected(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_make(TCP, INFECTED, anywhere(w), (uint16_t)(1024 + i), 22));
}

static inline void attack_two_way_udp(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct flow flow = flow_answered(UDP, IP(10, 9, 0, 0) + pick(w, 65536),
						 IP(198, 51, 100, 9), (uint16_t)(1024 + i), 123);

		flow.status = FLOW_STATUS_SEEN_REPLY;
		world_add(w, ROLE_ATTACK, flow);
	}
}

/* Left over from dead peers: ASSURED, idle for 1 h to 4 d, put in at once. */
static inline void attack_stale(struct world *w, unsigned n)
{
	static const int64_t idle[] = {3600, 14400, 86400, 345600};

	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_ATTACK,
			  flow_answered(TCP, IP(10, 9, 0, 0) + (i & 0xffff),
					IP(198, 51, 100, 1) + i % 250, (uint16_t)(1024 + i), 443))
			->last_sec -= idle[pick(w, 4)];
}

static inline void flash_crowd(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_add(w, ROLE_CROWD,
			  flow_answered(TCP, anywhere(w), SERVER, (uint16_t)(1024 + i), 7000));
}

#endif
