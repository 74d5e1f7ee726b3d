/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/kept: one snapshot with the picture's part filled, and what it was made of. */
#include "kept.h"

#include <stdlib.h>

#include "base/mem.h"

/* The state of a picture, as far as its rankings follow it. */
struct stand {
	const struct picture *picture; /* compared only */
	int64_t pass_ended_ns, rates_tick;
	uint64_t born, died, entries, base_entries, births;
	bool has_base;
};

struct kept {
	struct snapshot from;
	struct stand stand;
	int64_t tick;
	uint64_t made;
};

struct kept *kept_new(void)
{
	return mem_alloc(sizeof(struct kept));
}

void kept_free(struct kept *kept)
{
	free(kept);
}

static struct stand stand_of(const struct picture *picture, int64_t rates_tick)
{
	return (struct stand){
		.picture = picture,
		.pass_ended_ns = picture->pass_ended_ns,
		.rates_tick = rates_tick,
		.born = picture->born,
		.died = picture->died,
		.entries = picture->entries,
		.base_entries = picture->base_entries,
		.births = picture->births.seen,
		.has_base = picture->has_base,
	};
}

static bool is_still(const struct stand *a, const struct stand *b)
{
	return a->rates_tick == b->rates_tick && a->born == b->born && a->died == b->died &&
	       a->entries == b->entries && a->base_entries == b->base_entries && a->births == b->births &&
	       a->has_base == b->has_base;
}

void kept_add(struct kept *kept, struct snapshot *snapshot, const struct picture *picture, struct cause_memory *memory,
	      int64_t now_monotonic_ns, int64_t tick, int64_t rates_tick)
{
	const struct stand stand = stand_of(picture, rates_tick);
	bool is_same = kept->made && kept->stand.picture == picture && kept->stand.pass_ended_ns == stand.pass_ended_ns;

	if (!is_same || (kept->tick != tick && !is_still(&kept->stand, &stand))) {
		snapshot_add_picture(&kept->from, picture, memory, now_monotonic_ns);
		kept->stand = stand;
		kept->tick = tick;
		kept->made++;
	}
	snapshot_add_picture_from(snapshot, picture, &kept->from, now_monotonic_ns);
}

uint64_t kept_made(const struct kept *kept)
{
	return kept->made;
}
