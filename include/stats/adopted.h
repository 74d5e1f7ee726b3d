/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/adopted: how many entries user space has put in (table synchronization at a fail-over), which are no growth. By
 * the kernel's counter `insert`, which comes with the count of entries and misses nothing: in current kernels only
 * ctnetlink raises it. Where it rises without NEW events of user space (BPF programs insert too; kernels before 4.9
 * counted all flows) it is believed no more, and the events count, which come later and may be lost. Pure; told the
 * time. */
#ifndef CTWARDEN_STATS_ADOPTED_H
#define CTWARDEN_STATS_ADOPTED_H

#include <stdbool.h>
#include <stdint.h>

struct adopted_input {
	int64_t now_ns; /* monotonic */
	/* since the last input: */
	uint64_t inserts;      /* rise of the kernel's counter */
	uint64_t put, deleted; /* NEW and DESTROY events that user space caused, our own deletes aside */
	uint64_t lost;         /* events lost */
	bool is_listening;     /* false: no events, the counter is believed as it was */
};

struct adopted_state { /* zeroed at first; of adopted.c alone */
	uint64_t unexplained;  /* inserts that no event told of yet */
	int64_t since_ns;      /* since when there are such; 0: none */
	bool is_doubtful;
};

/* Entries put in since the last input, less those that user space deleted: where tables are kept in step all the time
 * both go on, and neither is growth. */
uint64_t adopted_update(struct adopted_state *state, const struct adopted_input *input);

#endif
