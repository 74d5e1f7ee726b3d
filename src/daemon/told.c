/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/told: what observe has told already, by rule and source. */
#include "told.h"

#include <string.h>

static bool is_repeatable(const struct action_record *record)
{
	return record->mode == POLICY_MODE_OBSERVE && !record->error &&
	       (record->action == POLICY_ACTION_EVICT || record->action == POLICY_ACTION_SHORTEN ||
		record->action == POLICY_ACTION_SWEEP);
}

static bool is_same(const struct told_item *item, const struct action_record *record, int64_t now_ns)
{
	uint64_t most = item->matched > record->matched ? item->matched : record->matched,
		 least = item->matched > record->matched ? record->matched : item->matched;

	return now_ns - item->ns < TOLD_AGAIN_NS && item->level == record->level &&
	       (double)(most - least) <= TOLD_SHARE * (double)item->matched;
}

bool told_again(struct told *told, size_t rule, const struct action_record *record, int64_t now_ns)
{
	struct told_item *item = NULL, *oldest = &told->items[0];

	if (!is_repeatable(record))
		return false;
	for (size_t i = 0; i < told->used && !item; i++) {
		if (told->items[i].rule == rule && !strcmp(told->items[i].key, record->key))
			item = &told->items[i];
		else if (told->items[i].ns < oldest->ns)
			oldest = &told->items[i];
	}
	if (item && is_same(item, record, now_ns))
		return true;
	if (!item)
		item = told->used < TOLD_MAX ? &told->items[told->used++] : oldest;
	*item = (struct told_item){.rule = rule, .level = record->level, .matched = record->matched, .ns = now_ns};
	memcpy(item->key, record->key, sizeof(item->key));
	return false;
}
