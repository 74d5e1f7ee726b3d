/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store: alarms and records as JSON lines in the state directory, bounded in size. */
#ifndef CTWARDEN_STORE_STORE_H
#define CTWARDEN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"

struct store;

/* Opens (makes) directory/alarms.jsonl for appending. When it exceeds max_bytes it becomes alarms.jsonl.1 (replacing
 * the one before): both together stay below 2 x max_bytes. A torn last line (power cut) is ended first.
 * 0 or -errno with the problem ("cannot write to ...: ..."). */
int store_open(const char *directory, uint64_t max_bytes, struct store **ret_store, struct problem *reterr_problem);
void store_close(struct store *store);
/* Appends one line (text without newline) by one write. 0 or -errno (ENOSPC: nothing half-written stays). */
int store_append(struct store *store, const char *line);
uint64_t store_failed(const struct store *store); /* appends that failed */

/* Called for each line in time order, old file first; the time is that of the document. Return false to stop. */
typedef bool store_line_fn(const char *line, size_t len, int64_t real_ns, void *arg);
/* Reads without the daemon. Lines outside since..until (real time, ns) are skipped; lines that are no document with a
 * time are counted in *ret_bad. 0, -ENOENT, other -errno. */
int store_read(const char *directory, int64_t since_ns, int64_t until_ns, store_line_fn *fn, void *arg,
	       uint64_t *ret_bad);

#endif
