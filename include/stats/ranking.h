/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/ranking: entries counted by a key taken from the flow. Grows without bound (commands) or is bounded (daemon):
 * then light keys give way to new ones and are counted in "others", heavy ones stay. Not thread-safe. No I/O. */
#ifndef CTWARDEN_STATS_RANKING_H
#define CTWARDEN_STATS_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "flow/flow.h"

enum ranking_by {
	RANKING_BY_SOURCE,
	RANKING_BY_PREFIX,
	RANKING_BY_DESTINATION,
	RANKING_BY_SERVICE, /* protocol and original destination port; ICMP: type */
	RANKING_BY_CLASS,
	RANKING_BY_STATE,   /* protocol and state; without states: unreplied / replied / assured */
	RANKING_BY_ZONE,
	RANKING_BY_MARK,
	RANKING_BY_REPLY_SOURCE, /* who should answer: behind DNAT the real server */
	RANKING_BY_COUNT
};

const char *ranking_by_name(enum ranking_by by); /* "reply-source" */
int ranking_by_parse(const char *text, enum ranking_by *ret_by); /* 0 or -EINVAL */

struct ranking_key { /* no padding: compared and hashed as bytes */
	uint8_t addr[16];    /* masked; zero where the key is no address */
	uint32_t value;      /* service: port; class; state; mark: mark; zone */
	uint16_t zone;       /* of address keys */
	uint8_t family;      /* of address keys */
	uint8_t protocol;    /* service, state */
};

#define RANKING_TEXT_MAX 80

struct ranking_row {
	struct ranking_key key;
	uint32_t entries;
	uint32_t classes[FLOW_CLASS_COUNT]; /* by class; of the last pass where the daemon counts */
	uint32_t udp;        /* answered UDP: classes replied and stream of protocol 17 */
	uint32_t born;       /* NEW events since the last ranking_tick */
	uint32_t base;       /* entries when the table was last calm (level ok) */
	uint32_t taken;      /* deleted by the guard since then: grown, and not there any more */
	float new_per_sec;   /* EWMA of births */
	uint64_t bytes;      /* both directions where accounted; counted by ranking_add only */
};

/* Columns of the text table and of JSON rows; disjoint, they sum up to entries of the pass. */
enum ranking_column {
	RANKING_UNREPLIED, RANKING_HALF_OPEN, RANKING_ESTABLISHED, RANKING_CLOSING, RANKING_UDP, RANKING_OTHER,
	RANKING_COLUMN_COUNT
};
const char *ranking_column_name(enum ranking_column column);
uint32_t ranking_row_column(const struct ranking_row *row, enum ranking_column column);

struct ranking_config {
	enum ranking_by by;
	uint8_t prefix_len[2];  /* [0] IPv4, [1] IPv6: of source, prefix, destination and reply-source keys */
	size_t max;             /* rows kept; 0: unbounded */
};

/* source 32,64; prefix 24,64; destination and reply-source 32,128; max 0. */
struct ranking_config ranking_config_default(enum ranking_by by);

struct ranking;

struct ranking *ranking_new(const struct ranking_config *config);
void ranking_free(struct ranking *ranking);
void ranking_clear(struct ranking *ranking);
const struct ranking_config *ranking_config_get(const struct ranking *ranking);

struct ranking_key ranking_key_of(const struct ranking_config *config, const struct flow *flow);
/* One entry of a pass: entries, its class and bytes. */
void ranking_add(struct ranking *ranking, const struct flow *flow, enum flow_class class);
/* One event: entries and births (NEW), entries only (DESTROY, never below 0: those of folded keys come off others). */
void ranking_born(struct ranking *ranking, const struct flow *flow);
void ranking_died(struct ranking *ranking, const struct flow *flow);
/* As died, of one that the guard has deleted: counted in taken. */
void ranking_taken(struct ranking *ranking, const struct flow *flow);
/* One flow that is there and was in no pass and no event (picture_reconcile): entries only. */
void ranking_appear(struct ranking *ranking, const struct flow *flow);
/* Turns births into new_per_sec (EWMA, half-life 2 s); span since the last tick. Rows with no entries and no
 * rate go. */
void ranking_tick(struct ranking *ranking, int64_t span_ns);
/* Takes births, rates, base and taken over from an older ranking of the same config (a pass built this one anew). */
void ranking_inherit(struct ranking *ranking, const struct ranking *older);
/* base = entries in every row, taken = 0. */
void ranking_set_base(struct ranking *ranking);

enum ranking_order {
	RANKING_ORDER_ENTRIES, RANKING_ORDER_NEW, RANKING_ORDER_GROWTH, RANKING_ORDER_BORN,
	RANKING_ORDER_LATE,  /* ranking_row_late */
	/* By classes: of the last pass. */
	RANKING_ORDER_UNREPLIED, RANKING_ORDER_HALF_OPEN,
	RANKING_ORDER_ANSWERED, /* closing, replied, stream, established, offloaded */
	RANKING_ORDER_SHAKEN,   /* established and offloaded: what needed a handshake */
	RANKING_ORDER_COUNT
};
/* The heaviest n rows by order, ties by key, copied to ret_rows; returns how many. */
size_t ranking_top(const struct ranking *ranking, enum ranking_order order, size_t n, struct ranking_row *ret_rows);
const struct ranking_row *ranking_find(const struct ranking *ranking, const struct ranking_key *key);

/* Growth of late: what a row has grown by since its base, what the guard took of it included, and no more than its
 * births of the last seconds. So who has grown and is at rest counts for nothing, nor does who only changes flows
 * for others. */
double ranking_row_late(const struct ranking_row *row);
/* The sum over all rows, folded ones too. */
double ranking_late(const struct ranking *ranking);

struct ranking_totals {
	uint64_t keys;            /* rows kept */
	uint64_t entries;         /* of all, folded ones too */
	uint64_t folded_entries;  /* of keys that gave way: in no row */
	uint64_t folded_keys;     /* times a key gave way (one key may do so again and again) */
	struct ranking_row sum;   /* columns of all rows and the folded ones */
	size_t bytes;             /* memory */
};
struct ranking_totals ranking_totals_get(const struct ranking *ranking);

/* "10.1.0.66", "2001:db8:7::/64", "10.1.0.66 zone 3", "udp/53", "icmp/8", "half-open", "tcp SYN_SENT", "mark 0x5";
 * returns buf. */
char *ranking_key_format(const struct ranking_config *config, const struct ranking_key *key,
			 char buf[RANKING_TEXT_MAX]);

#endif
