/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/names: the words for protocols, states, status bits, classes and families, the same in text, JSON,
 * options and policies. *_name return static text, never NULL for a valid value. */
#ifndef CTWARDEN_FLOW_NAMES_H
#define CTWARDEN_FLOW_NAMES_H

#include <stdint.h>

#include "flow/flow.h"

#define NAMES_TEXT_MAX 24

const char *class_name(enum flow_class class);      /* "half-open" */
const char *class_key(enum flow_class class);       /* "half_open", for JSON members */
int class_parse(const char *text, enum flow_class *ret_class); /* 0 or -EINVAL */
const char *tcp_state_name(uint8_t state);          /* "SYN_SENT"; above the last: "UNKNOWN" */
/* The state of this protocol by number: TCP, SCTP, DCCP; NULL where the protocol has no states. */
const char *state_name(uint8_t protocol, uint8_t state);
/* "ESTABLISHED" is TCP's; "sctp:..." others */
int state_parse(const char *text, uint8_t *ret_protocol, uint8_t *ret_state);
/* "tcp", "udp", "icmp", "icmpv6", "gre", "sctp", "dccp", "udplite", ...; else the number. Writes to buf, returns it. */
char *protocol_name(uint8_t protocol, char buf[NAMES_TEXT_MAX]);
int protocol_parse(const char *text, uint8_t *ret_protocol); /* name or number 0-255; "ipv6-icmp" too */
const char *family_name(uint8_t family);            /* "ipv4", "ipv6" */
int family_parse(const char *text, uint8_t *ret_family); /* also "inet", "inet6", "4", "6" */
/* Bit number 0-15 -> "expected", "seen-reply", "assured", "confirmed", "src-nat", "dst-nat", "dying",
 * "fixed-timeout", "helper", "offload", "hw-offload", ...; NULL for bits without a name. */
const char *status_bit_name(unsigned bit);
/* conntrack's words for -u: ASSURED, SEEN_REPLY, UNSET, EXPECTED, OFFLOAD, HW_OFFLOAD, FIXED_TIMEOUT, CONFIRMED,
 * DYING, SRC_NAT, DST_NAT, and the names above, in any case. UNSET means: neither seen reply nor assured. */
int status_parse(const char *text, uint32_t *ret_value, uint32_t *ret_mask);

#endif
