/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/alarm: alarms on their way out: they wait for the pass that tells the cause, are written to stdout or syslog
 * once for each crossing and appended to the store. Repeats within a time are held back there, never in the store. */
#ifndef CTWARDEN_DAEMON_ALARM_H
#define CTWARDEN_DAEMON_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "outlet.h"
#include "stats/snapshot.h"
#include "store/store.h"

struct alarms;

struct alarms_counts {
	uint64_t crossings; /* each one */
	uint64_t written;   /* lines that stdout or syslog took */
	uint64_t held;      /* held back as repeats */
	uint64_t unwritten; /* one of them was closed or did not take it */
};

struct alarms *alarms_new(bool is_json, enum outlet_to to, int64_t repeat_ns);
void alarms_free(struct alarms *alarms); /* NULL allowed */
/* store: borrowed, may be NULL */
void alarms_set(struct alarms *alarms, enum outlet_to to, int64_t repeat_ns, struct store *store);

/* The level changed: at tells the moment. It waits for alarms_release; one that still waits goes first. */
void alarms_cross(struct alarms *alarms, enum level previous, const struct snapshot *at, int64_t now_ns);
bool alarms_is_waiting(const struct alarms *alarms);
int64_t alarms_waiting_since_ns(const struct alarms *alarms); /* the crossing, monotonic */
/* The waiting one's view, to be completed with what a later pass tells. */
struct snapshot *alarms_waiting_view(struct alarms *alarms);
/* Lets the waiting one out. */
void alarms_release(struct alarms *alarms, int64_t now_ns);
/* Writes what was held back, where by now the level is still another than the last one written. */
void alarms_tick(struct alarms *alarms, int64_t now_ns);
/* A record of the guard: to the outlet and the store, as it is. */
void alarms_record(struct alarms *alarms, const char *json, const char *text, enum level level);
struct alarms_counts alarms_counts_get(const struct alarms *alarms);

#endif
