/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause: what drives the growth, in words and numbers. Pure. */
#ifndef CTWARDEN_STATS_CAUSE_H
#define CTWARDEN_STATS_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "stats/picture.h"

#define CAUSE_TEXT_MAX 256

struct cause {
	bool is_known;            /* false: no picture, or nothing to explain */
	bool is_growth;           /* shares are of what has grown since calm, else of the whole table */
	bool is_late;             /* of growth of late (ranking_late), as there is some to speak of */
	bool is_past;             /* found earlier, and no longer so (stats/cause_memory.h) */
	bool has_dominant;        /* one source, prefix or destination explains at least half */
	enum picture_part part;   /* what the dominant key is */
	struct ranking_key key;
	double share_pct;         /* of the growth or of the table */
	uint64_t destinations;    /* distinct, of the dominant key, in the sample */
	uint64_t ports;
	bool at_least;            /* the sample saw only a part: counts are lower bounds */
	/* What the text says of the flows; examples fit it. */
	enum flow_class class;    /* FLOW_CLASS_COUNT: none stands out */
	bool has_protocol, has_service;
	struct ranking_key service; /* by service; protocol alone without has_service */
	char text[CAUSE_TEXT_MAX];/* "one source: 10.1.0.66 holds 74 %, 98 % unreplied tcp/22, 1,498 destinations" */
};

/* From the picture in force. */
struct cause cause_find(const struct picture *picture);
/* So much more in a table of so many is growth to speak of: 50 entries and 5 %. */
bool cause_is_growth(double growth, double entries);

/* Up to max flows that fit what the cause says, spread over the sample: of the last pass, where classes are true, and
 * where that has too few, of the births since calm; those tell no status, state or class (has lacks them), as every
 * flow is born unreplied. No tuple twice. Returns how many. */
size_t cause_examples(const struct picture *picture, const struct cause *cause, size_t max,
		      struct flow_brief *ret_flows);

#endif
