/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/reconcile: makes a picture that a pass has built exact for what happened while the pass
 * ran.
 *
 * The journal begins before the pass and ends behind it (at a fence: every event the kernel had
 * sent by then is in it). The pass counts what it is shown and remembers it in `seen`. Identity is
 * (zone, family, protocol, original tuple, id). Then the journal is replayed in order:
 *	NEW:     in seen: nothing. Else count it, and it is in seen.
 *	DESTROY: in seen: uncount it, and it is out of seen. Else nothing.
 *
 * Why this is exact, whenever the pass met the flow: at each step an identity is counted once if it
 * is in seen and not at all if it is not; the pass begins that way and both rules keep it so. What
 * is left to show is that at the end seen holds exactly what lives. Take one identity.
 *	No event of it is in the journal: it lived, or did not, all the while from the
 *	  beginning of the pass to its end, and the pass, which goes by every bucket once,
 *	  saw it if and only if it lived.
 *	The last event is NEW: it lives. Behind this event it is in seen, whatever was before.
 *	The last event is DESTROY: it does not live. Behind this event it is not in seen,
 *	  whatever was before.
 * So the pass decides only where nothing happened; elsewhere the last event does, and neither the
 * order in which the pass met the flow nor how often the same tuple came and went with the same id
 * makes a difference: lives of one identity do not overlap, so that one place in seen is enough.
 * The same tuple with another id is another identity.
 *
 * The kernel may list an entry twice: when the one at which a message ended is gone, its bucket is
 * listed again from the start. seen_add notices, and the copies are uncounted before the replay.
 *
 * Deletes of the guard's own rounds do not come as events: who counts them sees to it that they stand behind the
 * birth. A flow that is born again at once, with the same tuple and id, may then stand before the end of its former
 * life, and is not counted until the next pass.
 *
 * What remains: two flows with the same 32 bits of fingerprint near the same place are taken for
 * one (2 in 2^32 for each event replayed); flows born while nobody listened send no DESTROY, and
 * stay counted until the next pass; an entry that is in the table before its NEW event is sent
 * can be met by the pass though its event comes behind the fence (microseconds). The classes and
 * the mix of the picture stay those the pass saw. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "stats/picture.h"

/* ---- identity ---- */

/* What identity and rankings need of a flow: without padding, hashed as bytes. */
struct identity {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint16_t sport, dport, zone;
	uint8_t family, protocol;
};

_Static_assert(sizeof(struct identity) == 44, "identities are hashed as bytes");

static struct identity identity_of(const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];
	struct identity identity = {
		.id = flow->id,
		.sport = orig->sport,
		.dport = orig->dport,
		.zone = flow->zone,
		.family = orig->family,
		.protocol = orig->protocol,
	};

	memcpy(identity.src, orig->src, sizeof(identity.src));
	memcpy(identity.dst, orig->dst, sizeof(identity.dst));
	return identity;
}

static void identity_flow(const struct identity *identity, struct flow *ret_flow)
{
	struct flow_tuple *orig = &ret_flow->tuple[FLOW_ORIG];

	memset(ret_flow, 0, sizeof(*ret_flow));
	ret_flow->has = FLOW_HAS_ID;
	ret_flow->id = identity->id;
	ret_flow->zone = identity->zone;
	orig->family = identity->family;
	orig->protocol = identity->protocol;
	orig->sport = identity->sport;
	orig->dport = identity->dport;
	memcpy(orig->src, identity->src, sizeof(orig->src));
	memcpy(orig->dst, identity->dst, sizeof(orig->dst));
}

/* ---- the journal ---- */

struct journal_event {
	struct identity identity;
	uint8_t is_new;
};

struct journal {
	size_t used, max;
	bool overflowed;
	struct journal_event *events;
};

struct journal *journal_new(size_t max_events)
{
	struct journal *journal = mem_alloc(sizeof(*journal));

	journal->max = max_events;
	journal->events = mem_array(max_events, sizeof(*journal->events));
	return journal;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	free(journal->events);
	free(journal);
}

void journal_clear(struct journal *journal)
{
	journal->used = 0;
	journal->overflowed = false;
}

bool journal_overflowed(const struct journal *journal)
{
	return journal->overflowed;
}

void journal_add(struct journal *journal, enum flow_event_kind kind, const struct flow *flow)
{
	if (kind != FLOW_EVENT_NEW && kind != FLOW_EVENT_DESTROY)
		return;
	if (journal->used == journal->max) {
		journal->overflowed = true;
		return;
	}
	journal->events[journal->used].identity = identity_of(flow);
	journal->events[journal->used].is_new = kind == FLOW_EVENT_NEW;
	journal->used++;
}

/* ---- what the pass has seen ---- */

/* A fingerprint of 32 bits does not tell its place again, so that a part cannot be rehashed into
 * a larger one, nor moved back over a hole: it grows by further parts, each as large as all
 * before, and removal leaves a mark. */
enum { PRINT_EMPTY, PRINT_REMOVED, PRINT_FIRST };

#define SEEN_PARTS_MAX	24
#define SEEN_SLOTS_MIN	1024
#define SEEN_COPIES_MAX 4096

struct seen_part {
	uint32_t *prints;
	size_t slots; /* a power of two */
	size_t taken; /* slots that are not empty */
};

struct seen {
	struct siphash_key key;
	struct seen_part parts[SEEN_PARTS_MAX];
	size_t part_count, slots, max_slots;
	bool overflowed;
	size_t copy_count;
	struct identity copies[SEEN_COPIES_MAX]; /* listed more than once */
};

static void part_add(struct seen *seen, size_t slots)
{
	struct seen_part *part = &seen->parts[seen->part_count++];

	part->prints = mem_array(slots, sizeof(*part->prints));
	part->slots = slots;
	seen->slots += slots;
}

static bool part_is_full(const struct seen_part *part)
{
	return part->taken >= part->slots - part->slots / 4;
}

struct seen *seen_new(size_t expected, size_t max_bytes)
{
	struct seen *seen = mem_alloc(sizeof(*seen));
	size_t slots = SEEN_SLOTS_MIN;

	seen->key = siphash_key_random();
	seen->max_slots = max_bytes / sizeof(uint32_t);
	while (slots - slots / 4 < expected && slots * 2 <= seen->max_slots)
		slots *= 2;
	part_add(seen, slots);
	return seen;
}

void seen_free(struct seen *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < seen->part_count; i++)
		free(seen->parts[i].prints);
	free(seen);
}

bool seen_overflowed(const struct seen *seen)
{
	return seen->overflowed;
}

static uint64_t hash_of(const struct seen *seen, const struct identity *identity)
{
	return siphash(identity, sizeof(*identity), seen->key);
}

static uint32_t print_of(uint64_t hash)
{
	uint32_t print = (uint32_t)hash;

	return print < PRINT_FIRST ? print + PRINT_FIRST : print;
}

/* The slot of this hash in this part or NULL; *ret_free: where it would go (NULL: nowhere). */
static uint32_t *part_find(const struct seen_part *part, uint64_t hash, uint32_t **ret_free)
{
	size_t at = (size_t)(hash >> 32) & (part->slots - 1);

	*ret_free = NULL;
	/* Ends: a part is never more than three quarters full. */
	for (; part->prints[at] != PRINT_EMPTY; at = (at + 1) & (part->slots - 1)) {
		if (part->prints[at] == print_of(hash))
			return &part->prints[at];
		if (part->prints[at] == PRINT_REMOVED && !*ret_free)
			*ret_free = &part->prints[at];
	}
	if (!*ret_free)
		*ret_free = &part->prints[at];
	return NULL;
}

static uint32_t *seen_find(const struct seen *seen, uint64_t hash)
{
	uint32_t *print = NULL, *unused;

	for (size_t i = 0; i < seen->part_count && !print; i++)
		print = part_find(&seen->parts[i], hash, &unused);
	return print;
}

/* False where there is no room: then it is forgotten, and seen_overflowed. */
static bool seen_put(struct seen *seen, uint64_t hash)
{
	struct seen_part *part = &seen->parts[seen->part_count - 1];
	uint32_t *print;

	if (part_is_full(part)) {
		if (seen->part_count == SEEN_PARTS_MAX || seen->slots * 2 > seen->max_slots) {
			seen->overflowed = true;
			return false;
		}
		part_add(seen, seen->part_count == 1 ? seen->slots : part->slots * 2);
		part = &seen->parts[seen->part_count - 1];
	}
	part_find(part, hash, &print);
	part->taken += *print == PRINT_EMPTY;
	*print = print_of(hash);
	return true;
}

void seen_add(struct seen *seen, const struct flow *flow)
{
	struct identity identity = identity_of(flow);
	uint64_t hash = hash_of(seen, &identity);

	if (!seen_find(seen, hash)) {
		seen_put(seen, hash);
		return;
	}
	if (seen->copy_count == SEEN_COPIES_MAX) {
		seen->overflowed = true;
		return;
	}
	seen->copies[seen->copy_count++] = identity;
}

/* ---- the replay ---- */

static void count(struct picture *picture, const struct identity *identity)
{
	struct flow flow;

	identity_flow(identity, &flow);
	picture->entries++;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_appear(picture->parts[part], &flow);
}

static void uncount(struct picture *picture, const struct identity *identity)
{
	struct flow flow;

	identity_flow(identity, &flow);
	if (picture->entries)
		picture->entries--;
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		ranking_died(picture->parts[part], &flow);
}

static void replay(struct picture *picture, struct seen *seen, const struct journal_event *event)
{
	uint64_t hash = hash_of(seen, &event->identity);
	uint32_t *print = seen_find(seen, hash);

	if (event->is_new && !print) {
		count(picture, &event->identity);
		seen_put(seen, hash);
	} else if (!event->is_new && print) {
		uncount(picture, &event->identity);
		*print = PRINT_REMOVED;
	}
}

bool picture_reconcile(struct picture *picture, const struct journal *journal, struct seen *seen)
{
	for (size_t i = 0; i < seen->copy_count; i++)
		uncount(picture, &seen->copies[i]);
	seen->copy_count = 0;
	for (size_t i = 0; i < journal->used; i++)
		replay(picture, seen, &journal->events[i]);
	if (journal->overflowed || seen->overflowed) {
		picture->is_approximate = true;
		return false;
	}
	return true;
}
