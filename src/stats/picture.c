/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/picture: the rankings of one table side by side, its mix, and two samples. What a pass
 * alone can tell (classes, states, protocols, ASSURED) stays as the pass saw it; entries, births
 * and deaths follow the events. */
#include "stats/picture.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"

#define OLD_UNREPLIED_NS (600 * 1000000000ULL)

static const enum ranking_by part_by[PICTURE_PART_COUNT] = {
	[PICTURE_SOURCE] = RANKING_BY_SOURCE,
	[PICTURE_PREFIX] = RANKING_BY_PREFIX,
	[PICTURE_DESTINATION] = RANKING_BY_DESTINATION,
	[PICTURE_SERVICE] = RANKING_BY_SERVICE,
};

enum ranking_by picture_part_by(enum picture_part part)
{
	return part_by[part];
}

static struct ranking *part_new(const struct picture_config *config, enum picture_part part)
{
	struct ranking_config ranking = ranking_config_default(part_by[part]);

	ranking.max = config->max_rows;
	if (part == PICTURE_SOURCE)
		memcpy(ranking.prefix_len, config->source_prefix, sizeof(ranking.prefix_len));
	else if (part == PICTURE_PREFIX)
		memcpy(ranking.prefix_len, config->prefix, sizeof(ranking.prefix_len));
	return ranking_new(&ranking);
}

struct picture_config picture_config_default(void)
{
	return (struct picture_config){ .max_rows = 65536, .source_prefix = { 32, 64 }, .prefix = { 24, 64 } };
}

struct picture *picture_new(const struct picture_config *config)
{
	struct picture *picture = mem_alloc(sizeof(*picture));
	struct siphash_key seeds = siphash_key_random();

	picture->config = *config;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		picture->parts[part] = part_new(config, (enum picture_part)part);
	sample_init(&picture->table, seeds.k0);
	sample_init(&picture->births, seeds.k1);
	return picture;
}

void picture_free(struct picture *picture)
{
	if (!picture)
		return;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_free(picture->parts[part]);
	free(picture);
}

static bool is_old_unreplied(const struct picture *picture, const struct flow *flow,
			     enum flow_class class)
{
	return class == FLOW_CLASS_UNREPLIED && (flow->has & FLOW_HAS_TIMESTAMP) &&
	       flow->start_ns && flow->start_ns + OLD_UNREPLIED_NS < picture->newest_start_ns;
}

void picture_add(struct picture *picture, const struct flow *flow)
{
	enum flow_class class = flow_class_of(flow);
	uint8_t protocol = flow->tuple[FLOW_ORIG].protocol;

	picture->entries++;
	picture->classes[class]++;
	picture->protocols[protocol]++;
	/* Where the status is not told nobody knows whether early drop may take it: not counted
	 * as evictable. */
	if ((flow->has & FLOW_HAS_STATUS) && !(flow->status & FLOW_STATUS_ASSURED))
		picture->unassured++;
	else
		picture->assured++;
	picture->offloaded += class == FLOW_CLASS_OFFLOADED;
	if (protocol == IPPROTO_TCP && (flow->has & FLOW_HAS_STATE) && flow->state < FLOW_TCP_COUNT)
		picture->states[flow->state]++;
	if ((flow->has & FLOW_HAS_TIMESTAMP) && flow->start_ns > picture->newest_start_ns)
		picture->newest_start_ns = flow->start_ns;
	picture->old_unreplied += is_old_unreplied(picture, flow, class);
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_add(picture->parts[part], flow, class);
	sample_offer(&picture->table, flow);
}

void picture_born(struct picture *picture, const struct flow *flow)
{
	picture->entries++;
	picture->born++;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_born(picture->parts[part], flow);
	sample_offer(&picture->births, flow);
}

void picture_died(struct picture *picture, const struct flow *flow)
{
	if (picture->entries)
		picture->entries--;
	picture->died++;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_died(picture->parts[part], flow);
}

void picture_taken(struct picture *picture, const struct flow *flow)
{
	if (picture->entries)
		picture->entries--;
	picture->died++;
	picture->taken++;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_taken(picture->parts[part], flow);
}

void picture_tick(struct picture *picture, int64_t span_ns)
{
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_tick(picture->parts[part], span_ns);
}

void picture_inherit(struct picture *picture, const struct picture *older)
{
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_inherit(picture->parts[part], older->parts[part]);
	picture->has_base = older->has_base;
	picture->base_entries = older->base_entries;
	picture->taken = older->taken;
	picture->births.seen = older->births.seen;
	picture->births.random = older->births.random;
	picture->births.used = older->births.used;
	memcpy(picture->births.flows, older->births.flows,
	       older->births.used * sizeof(older->births.flows[0]));
}

void picture_set_base(struct picture *picture)
{
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_set_base(picture->parts[part]);
	picture->has_base = true;
	picture->base_entries = picture->entries;
	picture->taken = 0;
	/* What was born until now belongs to the calm. */
	sample_init(&picture->births, picture->births.random);
}
