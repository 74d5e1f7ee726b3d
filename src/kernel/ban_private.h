/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/ban_private: what the files of bans share. */
#ifndef CTWARDEN_KERNEL_BAN_PRIVATE_H
#define CTWARDEN_KERNEL_BAN_PRIVATE_H

#include <stdbool.h>

#include "kernel/kernel.h"

#define RATES_MAX    8
#define COMMANDS_MAX (1u << 20)
#define BAN_NAME_MAX 40 /* of a set: its kind, its family, the rate */

struct nft_ctx;

struct bans {
	struct nft_ctx *nft;
	struct ban *items; /* max of them, and room for one more */
	size_t max, used;
	double rates[RATES_MAX]; /* slowed: each rate has sets of its own */
	unsigned rate_count;
	bool has_table; /* as far as we know */
	bool has_hidden; /* a ban stands in no set, as a wider one covers it, and ends after that one */
	bool is_tended; /* else nothing is written but what is asked for */
	bool is_due; /* the table is not as this run would write it */
	unsigned rebuilt;
	char *commands; /* COMMANDS_MAX */
	size_t len;
};

/* One or more lines of nft's language. 0; -ENOENT: what they name is not there; -errno with the problem. */
int bans_run(struct bans *bans, const char *commands, struct problem *problem);
/* Whether sets of this rate may be; *ret_is_new: there are none yet. */
bool bans_know_rate(struct bans *bans, double rate, bool *ret_is_new);
/* ban_left.c: the bans that an earlier run left in the kernel, with rate and end; changes nothing there. 0 also where
 * there are none. */
int bans_take_over(struct bans *bans, int64_t now_ns, struct problem *problem);

#endif
