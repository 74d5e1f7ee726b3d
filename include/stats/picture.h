/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/picture: all rankings of one table side by side, built by a pass and kept up to date by events. One picture is
 * built (in any thread) while another is in force; reconcile makes the built one exact for what happened meanwhile. */
#ifndef CTWARDEN_STATS_PICTURE_H
#define CTWARDEN_STATS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"
#include "stats/ranking.h"
#include "stats/sample.h"

/* The rankings a picture keeps; others are made by a pass on demand. */
enum picture_part { PICTURE_SOURCE, PICTURE_PREFIX, PICTURE_DESTINATION, PICTURE_SERVICE, PICTURE_PART_COUNT };

struct picture_config {
	size_t max_rows;          /* of each ranking; default 65,536 */
	uint8_t source_prefix[2]; /* 32, 64 */
	uint8_t prefix[2];        /* 24, 64 */
};

struct picture {
	struct picture_config config;
	struct ranking *parts[PICTURE_PART_COUNT];
	uint64_t entries;         /* seen by the pass, then kept by events */
	uint64_t classes[FLOW_CLASS_COUNT]; /* of the pass */
	uint64_t protocols[256];  /* of the pass */
	uint64_t assured, unassured, offloaded; /* of the pass */
	/* Of the pass: unreplied for over 10 minutes, where the kernel stamps flows; a lower bound (measured from the
	 * newest flow met so far, as nobody tells the time). */
	uint64_t old_unreplied;
	uint64_t newest_start_ns; /* real time; of the pass */
	uint64_t states[FLOW_TCP_COUNT];    /* TCP, of the pass */
	struct sample table;      /* sample of the pass */
	struct sample births;     /* sample of NEW events since the last calm */
	int64_t pass_started_ns, pass_ended_ns; /* monotonic; 0: no pass yet */
	int64_t pass_real_ns;     /* end of the pass, real time */
	int64_t pass_cpu_ns;
	bool has_base;            /* picture_set_base was called, here or in one inherited from */
	uint64_t base_entries;    /* entries then */
	uint64_t taken;           /* deleted by the guard since then */
	bool is_approximate;      /* since the pass events were lost or not listened to */
	bool has_missed;	  /* for moments nobody listened to deaths: approximate, and known to be nearly exact */
	uint64_t born, died;      /* events applied since the pass */
	uint64_t lost;            /* events lost since the pass */
};

/* 65,536 rows; sources 32,64; prefixes 24,64. */
struct picture_config picture_config_default(void);
struct picture *picture_new(const struct picture_config *config);
void picture_free(struct picture *picture);
enum ranking_by picture_part_by(enum picture_part part);

/* One entry of a pass. */
void picture_add(struct picture *picture, const struct flow *flow);
/* One event in force. */
void picture_born(struct picture *picture, const struct flow *flow);
void picture_died(struct picture *picture, const struct flow *flow);
/* As died, of one that the guard has deleted: it counts as growth since calm nevertheless. */
void picture_taken(struct picture *picture, const struct flow *flow);
void picture_tick(struct picture *picture, int64_t span_ns);

/* ---- reconcile: a pass takes time, events go on ---- */

struct journal; /* events since a pass began, bounded */
struct seen;    /* fingerprints of the flows a pass has counted: 32 bits each, bounded */

struct journal *journal_new(size_t max_events);
void journal_free(struct journal *journal);
void journal_clear(struct journal *journal);
bool journal_overflowed(const struct journal *journal);
void journal_add(struct journal *journal, enum flow_event_kind kind, const struct flow *flow);

/* expected: entries expected; grows by doubling up to max_bytes, then stops remembering (seen_overflowed). */
struct seen *seen_new(size_t expected, size_t max_bytes);
void seen_free(struct seen *seen);
bool seen_overflowed(const struct seen *seen);
void seen_add(struct seen *seen, const struct flow *flow);

/* Applies the journal to a picture that a pass built while the events came, so that each flow alive counts once:
 * NEW counts unless the pass saw the flow; DESTROY uncounts only what was counted. Reasoning at the top of
 * stats/reconcile.c. Returns false (picture approximate) if journal or seen overflowed. */
bool picture_reconcile(struct picture *picture, const struct journal *journal, struct seen *seen);
/* Takes rates, base, what was taken since and births sample over from the picture before. */
void picture_inherit(struct picture *picture, const struct picture *older);
/* The table is calm: what is there now is the base for growth. */
void picture_set_base(struct picture *picture);

#endif
