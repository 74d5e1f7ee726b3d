/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/round: a ring of flows; each is fetched for in three steps while those before it are
 * judged. */
#include "stats/round.h"

/* Flows between the steps: a wait for memory is a few flows long. */
#define STEP (ROUND_UNDER_WAY / 4)

void round_begin(struct round *round, const struct round_config *config)
{
	round->config = *config;
	round->base_flows = round->growth_flows = 0;
	round->began = round->ended = 0;
}

static void judge(struct round *round, struct round_flow *at)
{
	const struct round_config *config = &round->config;
	struct standing standing =
		seniority_see_fetched(config->seniority, &at->flow, &at->facts, &at->hint);
	struct sample *sample = standing.is_base ? config->base : config->growth;

	if (standing.is_adopted)
		at->facts.has_idle = false;
	if (standing.is_base)
		round->base_flows++;
	else
		round->growth_flows++;
	if (sample)
		sample_offer(sample, &at->flow);
	for (size_t i = 0; config->counts && i < config->signature_count; i++)
		signature_count(&config->counts[i], &config->signatures[i].pattern, &at->flow,
				at->facts.class, standing.is_base);
	if (config->victims)
		victims_offer(config->victims, &at->flow, &at->facts, &standing, false);
	if (config->on_flow)
		config->on_flow(&at->flow, &at->facts, &standing, config->arg);
}

static struct round_flow *back(struct round *round, size_t n)
{
	return &round->under_way[(round->began - 1 - n) % ROUND_UNDER_WAY];
}

void round_add(struct round *round, const struct flow *flow)
{
	struct seniority *seniority = round->config.seniority;
	size_t under_way = round->began - round->ended;
	struct round_flow *at;

	if (under_way == ROUND_UNDER_WAY) {
		judge(round, &round->under_way[round->ended++ % ROUND_UNDER_WAY]);
		under_way--;
	}
	at = &round->under_way[round->began++ % ROUND_UNDER_WAY];
	at->flow = *flow;
	flow_facts_of(flow, round->config.timeouts, round->config.now_real_ns, &at->facts);
	seniority_fetch(seniority, flow, &at->hint);
	if (under_way >= STEP) {
		at = back(round, STEP);
		seniority_fetch_source(seniority, &at->flow, &at->hint);
	}
	if (under_way >= 2 * STEP)
		seniority_fetch_row(seniority, &back(round, 2 * STEP)->hint);
}

void round_end(struct round *round)
{
	while (round->ended != round->began)
		judge(round, &round->under_way[round->ended++ % ROUND_UNDER_WAY]);
}
