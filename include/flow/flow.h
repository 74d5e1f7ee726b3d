/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow: one entry of the connection tracking table as plain data. Ports are in host byte order; addresses are
 * bytes as on the wire. Absent parts are not zero but unset in `has`. */
#ifndef CTWARDEN_FLOW_FLOW_H
#define CTWARDEN_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of flow.status: the kernel's IPS_* (include/uapi/linux/netfilter/nf_conntrack_common.h), repeated here
 * because only the layer kernel may include that header; a test there compares them. */
enum flow_status {
	FLOW_STATUS_EXPECTED = 1 << 0,
	FLOW_STATUS_SEEN_REPLY = 1 << 1,
	FLOW_STATUS_ASSURED = 1 << 2,
	FLOW_STATUS_CONFIRMED = 1 << 3,
	FLOW_STATUS_SRC_NAT = 1 << 4,
	FLOW_STATUS_DST_NAT = 1 << 5,
	FLOW_STATUS_DYING = 1 << 9,
	FLOW_STATUS_FIXED_TIMEOUT = 1 << 10,
	FLOW_STATUS_UNTRACKED = 1 << 12,
	FLOW_STATUS_HELPER = 1 << 13,
	FLOW_STATUS_OFFLOAD = 1 << 14,
	FLOW_STATUS_HW_OFFLOAD = 1 << 15,
};

enum flow_tcp_state { /* the kernel's TCP_CONNTRACK_* */
	FLOW_TCP_NONE,
	FLOW_TCP_SYN_SENT,
	FLOW_TCP_SYN_RECV,
	FLOW_TCP_ESTABLISHED,
	FLOW_TCP_FIN_WAIT,
	FLOW_TCP_CLOSE_WAIT,
	FLOW_TCP_LAST_ACK,
	FLOW_TCP_TIME_WAIT,
	FLOW_TCP_CLOSE,
	FLOW_TCP_SYN_SENT2,
	FLOW_TCP_COUNT
};

enum flow_has {
	FLOW_HAS_TIMEOUT = 1 << 0,
	FLOW_HAS_STATE = 1 << 1,
	FLOW_HAS_MARK = 1 << 2,
	FLOW_HAS_ID = 1 << 3,
	FLOW_HAS_COUNTERS = 1 << 4,  /* accounting on: packets and bytes of both directions */
	FLOW_HAS_TIMESTAMP = 1 << 5, /* start_ns; stop_ns where not 0 */
	FLOW_HAS_LABELS = 1 << 6,
	FLOW_HAS_MASTER = 1 << 7,
	FLOW_HAS_STATUS = 1 << 8,
	FLOW_HAS_REPLY = 1 << 9, /* the reply tuple was there */
};

enum flow_direction { FLOW_ORIG, FLOW_REPLY, FLOW_DIRECTION_COUNT };

struct flow_tuple {
	uint8_t family;        /* AF_INET or AF_INET6 */
	uint8_t protocol;      /* IPPROTO_* */
	uint16_t sport, dport; /* ICMP: id, and type << 8 | code; protocols without ports: 0 */
	uint8_t src[16], dst[16];
};

struct flow {
	struct flow_tuple tuple[FLOW_DIRECTION_COUNT];
	uint32_t has;    /* enum flow_has */
	uint32_t status; /* enum flow_status */
	uint32_t timeout_sec; /* left, rounded down */
	uint32_t mark;        /* absent = 0 = a value */
	uint32_t id;          /* a 32-bit hash: not unique, never a key */
	uint16_t zone;        /* absent = 0 = a value; that of both directions or of the original one */
	uint16_t zone_reply;  /* of the reply direction; the same as zone where the zone is that of both */
	uint8_t state; /* TCP: enum flow_tcp_state; SCTP and DCCP: the kernel's numbers */
	uint64_t packets[FLOW_DIRECTION_COUNT], bytes[FLOW_DIRECTION_COUNT];
	uint64_t start_ns, stop_ns; /* real time */
	uint8_t labels[16];         /* bit n = label n */
	struct flow_tuple master;   /* original tuple of the flow that expected this one */
};

/* Each entry is in exactly one class; the table of what is in which is in flow_class_of. */
enum flow_class {
	FLOW_CLASS_UNREPLIED,
	FLOW_CLASS_HALF_OPEN,
	FLOW_CLASS_PICKUP,
	FLOW_CLASS_CLOSING,
	FLOW_CLASS_REPLIED,
	FLOW_CLASS_STREAM,
	FLOW_CLASS_ESTABLISHED,
	FLOW_CLASS_OFFLOADED,
	FLOW_CLASS_OTHER,
	FLOW_CLASS_COUNT
};

/* unreplied: no reply yet (not TCP, or TCP NONE, SYN_SENT, SYN_SENT2); half-open: TCP SYN_RECV, or SYN_SENT2 answered;
 * pickup: TCP ESTABLISHED never replied to; closing: TCP FIN_WAIT to CLOSE; replied: two-way, not TCP, not ASSURED;
 * stream: two-way ASSURED, not TCP; established: TCP ESTABLISHED, replied; offloaded: either offload bit. */
enum flow_class flow_class_of(const struct flow *flow);

/* Answered, neither being opened nor ending: what may be in use, as bits 1 << class. */
#define FLOW_CLASSES_TWO_WAY (1u << FLOW_CLASS_REPLIED | 1u << FLOW_CLASS_STREAM | 1u << FLOW_CLASS_ESTABLISHED)

static inline bool flow_class_is_two_way(enum flow_class class)
{
	return FLOW_CLASSES_TWO_WAY >> class & 1;
}

/* An end of it is in 127.0.0.0/8 or is ::1. */
bool flow_tuple_is_loopback(const struct flow_tuple *tuple);

enum flow_event_kind { FLOW_EVENT_NEW, FLOW_EVENT_UPDATE, FLOW_EVENT_DESTROY, FLOW_EVENT_KIND_COUNT };

/* A compact flow for samples, event batches and victim lists. */
struct flow_brief {
	uint8_t family, protocol, state, class; /* class: enum flow_class */
	uint16_t zone, sport, dport, has;       /* has: low bits of enum flow_has */
	uint32_t id, mark;
	uint8_t src[16], dst[16]; /* original direction */
	uint8_t reply_src[16];
	uint32_t status;
};

void flow_brief_from(const struct flow *flow, struct flow_brief *ret_brief);

#endif
