/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard's choice costs a flow, without the kernel: stats_cost [FLOWS [PASSES]]. Tables of
 * made-up flows are walked as a pass would: facts, standing, signature, offer; each alone, then all
 * together, and the parts that are done once a pass. Prints nanoseconds a flow, best of PASSES. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "stats/fairness.h"
#include "stats/round.h"

struct bench {
	size_t flows;
	struct flow *table;
	struct flow_facts *facts;
	struct standing *standings;
	struct flow_timeouts timeouts;
	struct signature signatures[SIGNATURE_MAX];
	size_t signature_count;
	struct seniority *seniority;
	struct round round;
	int64_t now_ns;
};

static double now_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint32_t next_random(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static void put(uint8_t address[16], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		address[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Three of ten are of users, answered and there since long; the rest is a flood of 65,536 sources. */
static void fill(struct bench *b)
{
	for (size_t i = 0; i < b->flows; i++) {
		struct flow *flow = &b->table[i];
		struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];
		bool honest = next_random() % 10 < 3;

		flow->has = FLOW_HAS_STATUS | FLOW_HAS_STATE | FLOW_HAS_TIMEOUT | FLOW_HAS_ID;
		orig->family = AF_INET;
		orig->protocol = IPPROTO_TCP;
		orig->sport = (uint16_t)next_random();
		orig->dport = honest ? 443 : 80;
		put(orig->src, (honest ? 0x0a010000 : 0x0a090000) + (next_random() & 0xffff));
		put(orig->dst, honest ? next_random() : 0xc6336400 + (next_random() & 0xff));
		flow->status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
		flow->state = FLOW_TCP_ESTABLISHED;
		flow->timeout_sec = 432000 - next_random() % 100;
	}
}

static bool is_honest(const struct flow *flow)
{
	return flow->tuple[FLOW_ORIG].dport == 443;
}

static void tell(const char *what, double sec, size_t flows)
{
	printf("%-36s %8.1f ns a flow\n", what, sec * 1e9 / (double)flows);
}

enum step {
	STEP_FACTS,
	STEP_STANDING,
	STEP_SIGNATURE,
	STEP_OFFER,
	STEP_ALL,
	STEP_ROUND,
	STEP_COUNT
};

static double walk(struct bench *b, enum step step, struct victims *v)
{
	double start = now_sec();
	volatile int sink = 0;

	if (step == STEP_ROUND) {
		const struct round_config config = {
			.seniority = b->seniority, .timeouts = &b->timeouts, .victims = v};

		round_begin(&b->round, &config);
		for (size_t i = 0; i < b->flows; i++)
			round_add(&b->round, &b->table[i]);
		round_end(&b->round);
		return now_sec() - start;
	}
	for (size_t i = 0; i < b->flows; i++) {
		const struct flow *flow = &b->table[i];

		if (step == STEP_FACTS || step == STEP_ALL)
			flow_facts_of(flow, &b->timeouts, 0, &b->facts[i]);
		if (step == STEP_STANDING || step == STEP_ALL)
			b->standings[i] = seniority_see(b->seniority, flow, &b->facts[i]);
		if (step == STEP_SIGNATURE)
			sink += signature_match_any(b->signatures, b->signature_count, flow,
						    b->facts[i].class);
		if (step == STEP_OFFER || step == STEP_ALL)
			victims_offer(v, flow, &b->facts[i], &b->standings[i], false);
	}
	(void)sink;
	return now_sec() - start;
}

static void calm(struct bench *b, struct sample *base, struct sample *growth)
{
	for (int pass = 0; pass < 3; pass++) {
		seniority_begin(b->seniority, b->now_ns, true, 0);
		for (size_t i = 0; i < b->flows; i++) {
			flow_facts_of(&b->table[i], &b->timeouts, 0, &b->facts[i]);
			if (!is_honest(&b->table[i]))
				continue;
			seniority_see(b->seniority, &b->table[i], &b->facts[i]);
			if (pass == 2)
				sample_offer(base, &b->table[i]);
		}
		seniority_end(b->seniority, true);
		b->now_ns += 31000000000LL;
	}
	for (size_t i = 0; i < b->flows; i++)
		if (!is_honest(&b->table[i]))
			sample_offer(growth, &b->table[i]);
}

static void find_signature(struct bench *b)
{
	struct signature_config config = signature_config_default();
	struct signature_finder *finder = signature_finder_new(&config);
	struct sample *base = mem_alloc(sizeof(*base)), *growth = mem_alloc(sizeof(*growth));
	struct signature_input input = {.base = base, .growth = growth};
	char text[SIGNATURE_TEXT_MAX];
	double sec;

	sample_init(base, 1);
	sample_init(growth, 2);
	calm(b, base, growth);
	input.base_flows = base->seen;
	input.growth_flows = growth->seen;
	sec = now_sec();
	b->signature_count = signature_find(finder, &input, SIGNATURE_MAX, b->signatures);
	printf("%-36s %8.1f ms\n", "signature_find, once a surge", (now_sec() - sec) * 1e3);
	if (b->signature_count)
		printf("  %s\n", signature_format(&b->signatures[0].pattern, text));
	signature_finder_free(finder);
	free(base);
	free(growth);
}

static void measure(struct bench *b, unsigned passes)
{
	static const char *const names[STEP_COUNT] = {"facts (class, idle)",
						      "standing (seniority_see)",
						      "signature_match_any",
						      "victims_offer, with its match",
						      "all of a pass, one after another",
						      "all of a pass, by stats/round"};
	struct victims_config config = victims_config_default();
	struct victims_report report;
	struct victims *v;
	double best[STEP_COUNT], end = 1e9, finish = 1e9;
	size_t count = 0;

	config.max = config.max_others = b->flows / 5;
	config.signatures = b->signatures;
	config.signature_count = b->signature_count;
	v = victims_new(&config);
	for (int step = 0; step < STEP_COUNT; step++)
		best[step] = 1e9;
	for (unsigned pass = 0; pass < passes * STEP_COUNT; pass++) {
		enum step step = (enum step)(pass % STEP_COUNT);
		double sec;

		victims_reset(v, &config);
		seniority_begin(b->seniority, b->now_ns += 1000000000LL, false, 0);
		sec = walk(b, step, v);
		best[step] = sec < best[step] ? sec : best[step];
		sec = now_sec();
		seniority_end(b->seniority, step == STEP_ROUND);
		sec = now_sec() - sec;
		if (step != STEP_ROUND)
			continue;
		end = sec < end ? sec : end;
		sec = now_sec();
		victims_finish(v, &count, &report);
		sec = now_sec() - sec;
		finish = sec < finish ? sec : finish;
	}
	for (int step = 0; step < STEP_COUNT; step++)
		tell(names[step], best[step], b->flows);
	tell("seniority_end, once a pass", end, b->flows);
	tell("victims_finish, once a pass", finish, b->flows);
	printf("%zu victims of %zu flows, %.1f MB of victims, %.1f MB of seniority\n", count,
	       b->flows, (double)victims_bytes(v) / 1e6,
	       (double)seniority_bytes(b->seniority) / 1e6);
	victims_free(v);
}

int main(int argc, char **argv)
{
	struct bench b = {.flows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000,
			  .timeouts = flow_timeouts_default(),
			  .now_ns = 1000000000000LL};
	unsigned passes = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
	struct seniority_config config = seniority_config_default();

	if (!b.flows || !passes) {
		fprintf(stderr, "usage: stats_cost [FLOWS [PASSES]]\n");
		return 2;
	}
	b.table = mem_array(b.flows, sizeof(*b.table));
	b.facts = mem_array(b.flows, sizeof(*b.facts));
	b.standings = mem_array(b.flows, sizeof(*b.standings));
	config.max_flows = b.flows;
	b.seniority = seniority_new(&config);
	fill(&b);
	find_signature(&b);
	measure(&b, passes);
	seniority_free(b.seniority);
	free(b.standings);
	free(b.facts);
	free(b.table);
	return 0;
}
