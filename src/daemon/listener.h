/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/listener: the thread that drains the event socket. It hands events over through a ring allocated once; when
 * the ring is full it stops draining, so that the kernel's count of lost events stays the one truth. */
#ifndef CTWARDEN_DAEMON_LISTENER_H
#define CTWARDEN_DAEMON_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "kernel/kernel.h"

struct listener;

/* Subscribes to NEW and DESTROY in the calling thread's namespace and starts the thread. Of skip_portid (0: none) no
 * DESTROY comes. ready_fd (an eventfd, borrowed) is written to when events wait. 0, -EPERM, other -errno. */
int listener_start(size_t rcvbuf_bytes, uint32_t skip_portid, int ready_fd, struct listener **ret_listener);
int listener_skip(struct listener *listener, uint32_t portid); /* skip_portid from now on; 0 or -errno */
int listener_mute_deaths(struct listener *listener, bool muted); /* as events_mute_deaths; any thread */
/* Ends the thread and closes the socket; NULL allowed. Takes at most a few milliseconds. */
void listener_stop(struct listener *listener);
size_t listener_rcvbuf_bytes(const struct listener *listener);

/* portid: as event_portid. */
typedef void listener_fn(enum flow_event_kind kind, const struct flow *flow, uint32_t portid, void *arg);
/* Hands up to budget waiting events to fn (timestamps, counters, labels and master are left out); returns how many. */
size_t listener_take(struct listener *listener, size_t budget, listener_fn *fn, void *arg);

/* A fence: once listener_fence_passed(number), every event that was in the socket when the fence was asked for is in
 * the ring or was counted as lost. */
uint64_t listener_fence_ask(struct listener *listener);
bool listener_fence_passed(struct listener *listener, uint64_t number);

struct events_counts listener_counts(struct listener *listener);

#endif
