/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/adoption: a ring of flows that user space has put into the table (table synchronization at a fail-over), from
 * the loop (the only writer) to the thread of the rounds (the only reader), which makes them senior. Allocated once;
 * where it is full the flow is counted and not taken. */
#ifndef CTWARDEN_DAEMON_ADOPTION_H
#define CTWARDEN_DAEMON_ADOPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"

struct adoption;

struct adoption *adoption_new(void);
void adoption_free(struct adoption *adoption); /* NULL allowed */

/* The loop: offers a flow of a NEW event that user space caused. Only answered and assured ones are taken. */
void adoption_offer(struct adoption *adoption, const struct flow *flow);
/* Any thread. */
bool adoption_is_empty(const struct adoption *adoption);
uint64_t adoption_lost(const struct adoption *adoption); /* found the ring full, since adoption_new */

/* Takes a flow in, of which there are original tuple, zone, status and state. */
typedef void adoption_fn(const struct flow *flow, void *arg);
/* The thread of the rounds: hands over all that was offered before the call. */
void adoption_drain(struct adoption *adoption, adoption_fn *fn, void *arg);

#endif
