/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause_memory: see the header. Knows nothing of how a cause is found. */
#include "stats/cause_memory.h"

#include <string.h>

#include "base/text.h"

static void start_from(struct cause_memory *memory, const struct picture *picture)
{
	memory->highest = memory->lowest = picture->entries;
	memory->births = picture->births.seen;
}

static void follow(struct cause_memory *memory, const struct picture *picture)
{
	if (picture->entries > memory->highest)
		start_from(memory, picture);
	else if (picture->entries < memory->lowest)
		memory->lowest = picture->entries;
}

void cause_watch(struct cause_memory *memory, const struct picture *picture, enum level level)
{
	if (level > memory->level)
		cause_forget(memory);
	memory->level = level;
	if (picture)
		follow(memory, picture);
}

void cause_forget(struct cause_memory *memory)
{
	memory->is_known = false;
}

static bool has_fallen(const struct cause_memory *memory, uint64_t entries)
{
	return cause_is_growth((double)(memory->highest - entries), (double)memory->highest);
}

static bool has_risen_anew(const struct cause_memory *memory, uint64_t entries)
{
	return cause_is_growth((double)(entries - memory->lowest), (double)entries);
}

/* Who came in one go with the surge, and is at rest since, is not who drives the table now. */
static bool goes_on(const struct cause_memory *memory, const struct picture *picture)
{
	uint64_t seen = picture->births.seen, births = seen > memory->births ? seen - memory->births : 0;

	return !has_fallen(memory, picture->entries) || cause_is_growth((double)births, (double)picture->entries);
}

static bool is_same(const struct cause *a, const struct cause *b)
{
	if (a->has_dominant != b->has_dominant)
		return false;
	if (a->has_dominant)
		return a->part == b->part && !memcmp(&a->key, &b->key, sizeof(a->key));
	return a->has_service == b->has_service && !memcmp(&a->service, &b->service, sizeof(a->service));
}

static struct cause earlier(const struct cause *found)
{
	struct cause cause = *found;
	struct text t;

	cause.is_past = true;
	text_init(&t, cause.text, sizeof(cause.text));
	text_add(&t, "earlier: %s", found->text);
	return cause;
}

struct cause cause_recall(struct cause_memory *memory, const struct picture *picture)
{
	struct cause found = cause_find(picture);
	bool is_over = false;

	if (!found.is_known)
		return found;
	follow(memory, picture);
	if (found.is_late && found.has_dominant && goes_on(memory, picture))
		cause_forget(memory);
	if (memory->is_known && memory->cause.is_late && !found.is_late) {
		is_over = true;
	} else if (memory->is_known && has_fallen(memory, picture->entries)) {
		if (has_risen_anew(memory, picture->entries))
			cause_forget(memory);
		else
			is_over = true;
	}
	if (is_over)
		return is_same(&memory->cause, &found) ? found : earlier(&memory->cause);
	if (!found.is_growth && memory->level == LEVEL_OK)
		return found;
	if (!memory->is_known)
		start_from(memory, picture);
	memory->is_known = true;
	memory->cause = found;
	return found;
}
