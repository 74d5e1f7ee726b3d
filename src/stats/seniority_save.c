/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/seniority_save: the standing of flows as bytes, for a restart within one boot (monotonic
 * time and flows go on). Host byte order: the bytes never leave the machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "seniority_private.h"

#define SAVED_FORMAT 2

static const char saved_magic[8] = "ctwsenio";
/* No secret: it finds damage, not malice. Who may write the file may do anything anyway. */
static const struct siphash_key checksum_key = {0x63747761726465eULL, 0x73656e696f72ULL};

struct saved {
	char magic[8];
	uint32_t format;
	uint32_t generation;
	uint64_t count; /* of slots, which follow */
	uint8_t boot_id[SENIORITY_BOOT_ID];
	struct siphash_key key;
	int64_t saved_ns;
	int64_t times[GENERATIONS];
	uint64_t checksum; /* of all, with 0 here */
};

size_t seniority_saved_max(const struct seniority *s)
{
	return sizeof(struct saved) + slots_all(s) * sizeof(uint64_t);
}

/* The checksum over header (with 0 in its place) and slots; incremental, so that nothing is copied.
 */
static uint64_t checksum_of(struct saved header, const void *slots, size_t size)
{
	struct siphash_key key = checksum_key;

	header.checksum = 0;
	key.k0 ^= siphash(slots, size, checksum_key);
	return siphash(&header, sizeof(header), key);
}

size_t seniority_save(const struct seniority *s, int64_t now_ns,
		      const uint8_t boot_id[SENIORITY_BOOT_ID], void *buf)
{
	struct saved saved = {.format = SAVED_FORMAT,
			      .generation = s->generation,
			      .key = s->key,
			      .saved_ns = now_ns};
	uint8_t *to = (uint8_t *)buf + sizeof(saved);

	memcpy(saved.magic, saved_magic, sizeof(saved.magic));
	memcpy(saved.boot_id, boot_id, SENIORITY_BOOT_ID);
	memcpy(saved.times, s->times, sizeof(saved.times));
	for (size_t i = 0; i < slots_all(s); i++) {
		if (!s->slots[i] || slot_unpack(s->slots[i]).state == SLOT_NEW)
			continue;
		memcpy(to, &s->slots[i], sizeof(uint64_t));
		to += sizeof(uint64_t);
		saved.count++;
	}
	saved.checksum =
		checksum_of(saved, (uint8_t *)buf + sizeof(saved), saved.count * sizeof(uint64_t));
	memcpy(buf, &saved, sizeof(saved));
	return (size_t)(to - (uint8_t *)buf);
}

/* Splits size bytes into *ret_saved and checks all of it but the boot. */
static int read_saved(const void *buf, size_t size, struct saved *ret_saved)
{
	struct saved saved;

	if (size < sizeof(saved))
		return -EINVAL;
	memcpy(&saved, buf, sizeof(saved));
	if (memcmp(saved.magic, saved_magic, sizeof(saved.magic)) != 0 ||
	    saved.format != SAVED_FORMAT || saved.generation >= GENERATIONS ||
	    saved.count != (size - sizeof(saved)) / sizeof(uint64_t) ||
	    (size - sizeof(saved)) % sizeof(uint64_t) ||
	    saved.checksum !=
		    checksum_of(saved, (const uint8_t *)buf + sizeof(saved), size - sizeof(saved)))
		return -EINVAL;
	*ret_saved = saved;
	return 0;
}

int seniority_restore(struct seniority *s, int64_t now_ns, const uint8_t boot_id[SENIORITY_BOOT_ID],
		      const void *buf, size_t size)
{
	const uint8_t *from = (const uint8_t *)buf + sizeof(struct saved);
	struct saved saved;
	int r = read_saved(buf, size, &saved);

	if (r < 0)
		return r;
	if (memcmp(saved.boot_id, boot_id, SENIORITY_BOOT_ID) != 0 || saved.saved_ns > now_ns)
		return -ESTALE;
	memset(s->slots, 0, slots_all(s) * sizeof(*s->slots));
	s->key = saved.key;
	s->generation = saved.generation;
	memcpy(s->times, saved.times, sizeof(s->times));
	s->is_open = s->has_calm_since = false;
	for (uint64_t i = 0; i < saved.count; i++, from += sizeof(uint64_t)) {
		struct slot slot;
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		slot = slot_unpack(word);
		if (!slot.tag)
			continue;
		slot.seen = s->parity;
		slot.active = slot.was_active = false;
		if (slot.state == SLOT_CANDIDATE)
			slot.state = SLOT_BASE;
		seniority_place(s, &slot);
	}
	seniority_sweep(s, false);
	s->counts.is_ready = s->counts.seniors > 0;
	return 0;
}

int seniority_undo(struct seniority *s, int64_t now_ns, const uint8_t boot_id[SENIORITY_BOOT_ID],
		   const void *buf, size_t size)
{
	uint64_t *newer = mem_array(slots_all(s), sizeof(*newer));
	int r;

	memcpy(newer, s->slots, slots_all(s) * sizeof(*newer));
	r = seniority_restore(s, now_ns, boot_id, buf, size);
	for (size_t i = 0; !r && i < slots_all(s); i++) {
		struct slot slot = slot_unpack(newer[i]);
		uint64_t *at;

		/* Adopted, or senior for long: then it is among the saved too. */
		if (!newer[i] || slot.state != SLOT_SENIOR || slot.generation)
			continue;
		at = seniority_find(s, slot.tag);
		if (at)
			*at = newer[i];
		else
			seniority_place(s, &slot);
	}
	if (!r)
		seniority_sweep(s, false);
	free(newer);
	return r;
}
