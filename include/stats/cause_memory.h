/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause_memory: the cause of a surge outlives it. Once the table has fallen, who holds most of it is somebody
 * else: often an honest user, with what he always holds. Then the cause found earlier is told, until somebody grows
 * anew. So it is with who grew of late and does so no more, while others hold more of what has come since the calm.
 * Pure; bounded. */
#ifndef CTWARDEN_STATS_CAUSE_MEMORY_H
#define CTWARDEN_STATS_CAUSE_MEMORY_H

#include "stats/cause.h"
#include "stats/level.h"

struct cause_memory { /* zeroed at first; of cause_memory.c alone */
	bool is_known;
	struct cause cause;
	enum level level;
	uint64_t highest, lowest; /* entries of the picture since it was found: the most, and the least since then */
	uint64_t births;	  /* of the picture at the most */
};

/* At every reading, with the level judged by it: how the table rises and falls. A higher level is a new question: what
 * was found before is forgotten. picture may be NULL. */
void cause_watch(struct cause_memory *memory, const struct picture *picture, enum level level);
/* The table is calm, or another one: nothing was found. */
void cause_forget(struct cause_memory *memory);
/* As cause_find. Where the table has fallen by something to speak of since a cause was found, and has not risen by as
 * much again, or where that one was found in the growth of late and there is none any more, a cause that names somebody
 * else is not told, but the one found earlier (is_past, and "earlier: " in the text). One that dominates the growth of
 * late is told, unless nothing to speak of was born since the table began to fall. What is found of the whole table at
 * level ok (nobody has grown) is told, and not remembered. */
struct cause cause_recall(struct cause_memory *memory, const struct picture *picture);

#endif
