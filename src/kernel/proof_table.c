/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof_table: makes the entries of a proof. */
#include "proof_table.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* The bits ctnetlink lets its users set on a new entry; all others are the kernel's own. */
#define SETTABLE (FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | FLOW_STATUS_FIXED_TIMEOUT)

enum { ZONE = 7, OTHER_ZONE = 8, FREE_ZONE = 100, FREE_PORT = 20000, MARK = 0x5a5aa5a5 };

static void set_address(uint8_t family, uint8_t bytes[16], uint8_t net, uint8_t host)
{
	memset(bytes, 0, 16);
	if (family == AF_INET) {
		bytes[0] = 10;
		bytes[1] = net;
		bytes[3] = host;
	} else {
		bytes[0] = 0xfd;
		bytes[1] = net;
		bytes[15] = host;
	}
}

/* The tuples of the entry that matches all, of either family. */
static void base_tuple(uint8_t family, uint8_t protocol, enum flow_direction side,
		       struct flow_tuple *ret_tuple)
{
	bool is_reply = side == FLOW_REPLY;

	*ret_tuple = (struct flow_tuple){.family = family,
					 .protocol = protocol,
					 .sport = is_reply ? 1002 : 1001,
					 .dport = is_reply ? 1003 : 1002};
	set_address(family, ret_tuple->src, is_reply ? 2 : 1, 1);
	set_address(family, ret_tuple->dst, is_reply ? 3 : 2, 1);
}

/* Another value in a member of a tuple: number tells it from others. */
static void vary(struct flow_tuple *tuple, enum pushdown_flag member, unsigned number)
{
	switch (member) {
	case SIDE_SRC:
		set_address(tuple->family, tuple->src, 4, (uint8_t)(number + 1));
		return;
	case SIDE_DST:
		set_address(tuple->family, tuple->dst, 5, (uint8_t)(number + 1));
		return;
	case SIDE_PROTOCOL:
		tuple->protocol = tuple->protocol == IPPROTO_UDP ? IPPROTO_TCP : IPPROTO_UDP;
		return;
	case SIDE_SPORT:
		tuple->sport = (uint16_t)(FREE_PORT + number);
		return;
	case SIDE_DPORT:
		tuple->dport = (uint16_t)(FREE_PORT + number);
		return;
	}
}

/* A member that is not asked for, to tell entries apart by; 0: none. */
static enum pushdown_flag free_member(uint32_t flags)
{
	static const enum pushdown_flag members[] = {SIDE_SPORT, SIDE_DPORT, SIDE_SRC, SIDE_DST};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!(flags & members[i]))
			return members[i];
	}
	return 0;
}

/* A copy of the entry that matches all, told apart from the others in what is not asked. Always there: what is too many
 * lands on the last, which only our own bug can cause; a table that is full is refused at the end. */
static struct proof_entry *add(const struct proof_set *set, struct proof_table *table, uint8_t family,
			       bool goes, const char *what)
{
	unsigned number = table->count < PROOF_ENTRIES_MAX ? table->count++ : PROOF_ENTRIES_MAX - 1;
	struct proof_entry *entry = &table->entries[number];
	bool by_zone = !free_member(set->flags[FLOW_ORIG]) || !free_member(set->flags[FLOW_REPLY]);

	*entry = (struct proof_entry){.goes = goes, .what = what};
	entry->status = FLOW_STATUS_CONFIRMED | (set->status & SETTABLE);
	entry->mark = MARK;
	entry->zone = entry->zone_reply = set->has_zone ? ZONE : 0;
	if (by_zone)
		entry->zone = entry->zone_reply = (uint16_t)(FREE_ZONE + number);
	for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		base_tuple(family, set->protocol ? set->protocol : IPPROTO_UDP, (enum flow_direction)side,
			   &entry->tuple[side]);
		if (!by_zone)
			vary(&entry->tuple[side], free_member(set->flags[side]), number);
	}
	return entry;
}

static unsigned number_of(const struct proof_table *table, const struct proof_entry *entry)
{
	return (unsigned)(entry - table->entries);
}

static void add_status(const struct proof_set *set, struct proof_table *table, uint8_t family)
{
	uint32_t asked = set->status_mask & SETTABLE, others = SETTABLE & ~set->status_mask;

	if (!set->status_mask)
		return;
	for (; asked; asked &= asked - 1)
		add(set, table, family, false, "another status")->status ^= asked & -asked;
	add(set, table, family, true, "other status bits than those asked for")->status ^= others;
}

static void add_mark(const struct proof_set *set, struct proof_table *table, uint8_t family)
{
	uint32_t mask = set->mark_mask;

	if (!mask)
		return;
	add(set, table, family, false, "another mark")->mark ^= mask & -mask;
	add(set, table, family, false, "another mark")->mark ^= 1u << (31 - __builtin_clz(mask));
	add(set, table, family, false, "mark 0")->mark ^= MARK & mask ? MARK : mask;
	add(set, table, family, true, "other mark bits than those asked for")->mark ^= ~mask;
}

/* An entry has one number, for both directions or for one: the kernel is to look at the number alone. */
static void add_zones(const struct proof_set *set, struct proof_table *table, uint8_t family)
{
	struct proof_entry *entry;

	if (!set->has_zone)
		return;
	entry = add(set, table, family, false, "another zone");
	entry->zone = entry->zone_reply = OTHER_ZONE;
	entry = add(set, table, family, false, "zone 0");
	entry->zone = entry->zone_reply = 0;
	add(set, table, family, false, "another zone of one direction")->zone = OTHER_ZONE;
	table->entries[table->count - 1].zone_reply = 0;
	add(set, table, family, true, "the zone, of the original direction")->zone_reply = 0;
	add(set, table, family, true, "the zone, of the reply direction")->zone = 0;
}

static void add_members(const struct proof_set *set, struct proof_table *table, uint8_t family)
{
	static const struct {
		enum pushdown_flag member;
		const char *what[FLOW_DIRECTION_COUNT];
	} members[] = {
		{SIDE_SRC, {"another source", "another reply source"}},
		{SIDE_DST, {"another destination", "another reply destination"}},
		{SIDE_SPORT, {"another source port", "another reply source port"}},
		{SIDE_DPORT, {"another destination port", "another reply destination port"}},
	};
	struct proof_entry *entry;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
			if (!(set->flags[side] & members[i].member))
				continue;
			entry = add(set, table, family, false, members[i].what[side]);
			vary(&entry->tuple[side], members[i].member, number_of(table, entry));
		}
	}
	if (!set->protocol)
		return;
	/* Both tuples of an entry have the same. */
	entry = add(set, table, family, false, "another protocol");
	vary(&entry->tuple[FLOW_ORIG], SIDE_PROTOCOL, 0);
	vary(&entry->tuple[FLOW_REPLY], SIDE_PROTOCOL, 0);
}

/* Differs in everything that is not asked. */
static void add_loose(const struct proof_set *set, struct proof_table *table, uint8_t family)
{
	static const enum pushdown_flag members[] = {SIDE_SRC, SIDE_DST, SIDE_SPORT, SIDE_DPORT};
	struct proof_entry *entry = add(set, table, family, true, "others in what is not asked");

	for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			if (!(set->flags[side] & members[i]))
				vary(&entry->tuple[side], members[i], number_of(table, entry));
		}
		if (!set->protocol)
			vary(&entry->tuple[side], SIDE_PROTOCOL, 0);
	}
	entry->mark ^= ~set->mark_mask;
	entry->status ^= SETTABLE & ~set->status_mask;
	if (!set->has_zone)
		entry->zone = entry->zone_reply = OTHER_ZONE;
}

static void request_of(const struct proof_set *set, struct pushdown *ret_request)
{
	*ret_request = (struct pushdown){.family = set->family,
					 .has_mark = set->mark_mask,
					 .mark = MARK & set->mark_mask,
					 .mark_mask = set->mark_mask,
					 .zone = set->has_zone ? ZONE : 0,
					 .status = set->status,
					 .status_mask = set->status_mask};
	for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		ret_request->side[side].flags = set->flags[side];
		base_tuple(AF_INET, set->protocol, (enum flow_direction)side,
			   &ret_request->side[side].tuple);
	}
}

static bool can_be_made(const struct proof_set *set)
{
	uint32_t clear = set->status_mask & ~set->status;
	bool is_apart = free_member(set->flags[FLOW_ORIG]) && free_member(set->flags[FLOW_REPLY]);

	/* A bit that must be set has to be one we can set, and one bit at least must be ours to get wrong. */
	if (set->status & ~(uint32_t)(SETTABLE | FLOW_STATUS_CONFIRMED) || clear & FLOW_STATUS_CONFIRMED ||
	    (set->status_mask && !(set->status_mask & SETTABLE)))
		return false;
	return is_apart || !set->has_zone;
}

int proof_table_make(const struct proof_set *set, struct proof_table *ret_table)
{
	uint8_t family = set->family ? set->family : AF_INET;
	struct proof_table table = {0};

	if (!can_be_made(set))
		return -EOPNOTSUPP;
	request_of(set, &table.request);
	add(set, &table, family, true, "all that is asked for");
	add_loose(set, &table, family);
	add_status(set, &table, family);
	add_mark(set, &table, family);
	add_zones(set, &table, family);
	add_members(set, &table, family);
	add(set, &table, family == AF_INET ? AF_INET6 : AF_INET, !set->family, "the other family");
	if (table.count == PROOF_ENTRIES_MAX)
		return -EOPNOTSUPP;
	*ret_table = table;
	return 0;
}
