/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter: which flows are meant. One struct and one parser for command line, policies and requests.
 * Different keys AND; values of one key OR (lists "a,b", repetition, "@FILE" one value a line); negated values are all
 * excluded. Address sets are prefix tries, port sets bitmaps: the cost of a match does not grow with the set.
 * Zone 0 and mark 0 are values. Unknown idle or age never matches, negated or not. */
#ifndef CTWARDEN_FLOW_FILTER_H
#define CTWARDEN_FLOW_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/problem.h"
#include "flow/flow.h"
#include "flow/timeouts.h"

enum flow_filter_key { /* the order of the table in flow/filter_keys.c and of --help */
	FILTER_FAMILY,     /* -f ipv4|ipv6 */
	FILTER_SRC,        /* -s ADDRESS[/LEN], original source */
	FILTER_DST,        /* -d */
	FILTER_REPLY_SRC,  /* -r */
	FILTER_REPLY_DST,  /* -q */
	FILTER_PROTOCOL,   /* -p NAME|NUMBER */
	FILTER_SPORT,      /* --sport N, N-M, N:M; ICMP flows never match a port */
	FILTER_DPORT,      /* --dport */
	FILTER_REPLY_SPORT,
	FILTER_REPLY_DPORT,
	FILTER_MARK,       /* -m VALUE[/MASK] */
	FILTER_ZONE,       /* -w N; original or reply zone */
	FILTER_LABEL,      /* -l NUMBER (0-127) */
	FILTER_STATUS,     /* -u WORD */
	FILTER_STATE,      /* --state WORD */
	FILTER_CLASS,      /* --class NAME */
	FILTER_UNREPLIED,  /* --unreplied (flag): SEEN_REPLY not set */
	FILTER_IDLE,       /* --idle T: at least T */
	FILTER_AGE,        /* --age T: at least T */
	FILTER_EXPIRES_IN, /* --expires-in T: at most T left */
	FILTER_SRC_NAT,    /* --src-nat [ADDRESS[/LEN]]: source translated (to that address) */
	FILTER_DST_NAT,    /* --dst-nat [...] */
	FILTER_ANY_NAT,    /* --any-nat [...] */
	FILTER_NO_NAT,     /* --no-nat (flag) */
	FILTER_BYTES,      /* --bytes N[k|M|G]: at least, both directions; ":N" at most; "N:M" */
	FILTER_PACKETS,    /* --packets N, likewise */
	FILTER_OFFLOAD,    /* --offload (flag) */
	FILTER_EXPECTED,   /* --expected (flag) */
	FLOW_FILTER_KEY_COUNT
};

enum flow_filter_arg { FILTER_ARG_NONE, FILTER_ARG_REQUIRED, FILTER_ARG_OPTIONAL };

struct flow_filter_key_info {
	const char *name;   /* "src": the long option, the JSON key of a policy */
	char letter;        /* 's' or 0 */
	enum flow_filter_arg arg;
	const char *value;  /* "ADDRESS[/LEN]" for --help */
	const char *help;   /* a short phrase */
};

extern const struct flow_filter_key_info flow_filter_keys[FLOW_FILTER_KEY_COUNT];

struct flow_filter; /* opaque; accessors for push-down below */

struct flow_filter *flow_filter_new(void); /* matches everything */
void flow_filter_free(struct flow_filter *filter);
/* Adds one value (a list, or "@FILE"; NULL for flags and optional arguments) to a key. An empty value is an error
 * (a script's unset variable must never mean "all"). 0 or -EINVAL, -errno of @FILE; the problem says option
 * and value. */
int flow_filter_add(struct flow_filter *filter, enum flow_filter_key key, const char *value, bool negated,
		    struct problem *reterr_problem);
/* The addresses that from wants for from_key are wanted for key too: one set for both, so that many cost their memory
 * once. from gets no more addresses after that, and is freed last. The key had none. */
void flow_filter_share(struct flow_filter *filter, enum flow_filter_key key, const struct flow_filter *from,
		       enum flow_filter_key from_key);
/* Checks the whole for contradictions (nothing could ever match): 0 or -EINVAL with the problem. Call once, last. */
int flow_filter_finish(struct flow_filter *filter, struct problem *reterr_problem);
bool flow_filter_is_empty(const struct flow_filter *filter); /* no condition at all */
bool flow_filter_has(const struct flow_filter *filter, enum flow_filter_key key);

struct flow_filter_context {
	int64_t now_real_ns;
	const struct flow_timeouts *timeouts; /* NULL: idle unknown */
};

/* The whole filter against one flow. Pure, does not allocate. */
bool flow_filter_match(const struct flow_filter *filter, const struct flow *flow,
		       const struct flow_filter_context *context);
/* Whether some flow could match both: false only where that is certain. Pure, does not allocate. */
bool flow_filter_may_meet(const struct flow_filter *a, const struct flow_filter *b);
/* Whether the filter could match a flow of this protocol and family: false only where it certainly cannot. */
bool flow_filter_may_match(const struct flow_filter *filter, uint8_t protocol, uint8_t family);
/* The conditions on what never changes in a flow's life (family, protocol, addresses, ports, zone) hold for it: false
 * means that the filter will not match this flow, whatever becomes of it. */
bool flow_filter_may_match_life(const struct flow_filter *filter, const struct flow *flow);
/* Whether a flow that does not match now could come to match later in its life: false only where that is certain.
 * Cheap. */
bool flow_filter_may_come(const struct flow_filter *filter, const struct flow *flow);
/* Canonical text, as options that parse to the same filter ("-s 10.0.0.0/8 ! -p udp"); "" for the empty one; returns
 * buf. */
char *flow_filter_format(const struct flow_filter *filter, char *buf, size_t size);

/* For push-down: true where the key has exactly one value, not negated, and nothing excluded, which then is *ret. */
bool flow_filter_single_address(const struct flow_filter *filter, enum flow_filter_key key, struct prefix *ret_prefix);
/* Of family, protocol, ports, zone. */
bool flow_filter_single_number(const struct flow_filter *filter, enum flow_filter_key key, uint32_t *ret_number);
bool flow_filter_single_mark(const struct flow_filter *filter, uint32_t *ret_value, uint32_t *ret_mask);
/* The status bits every match must have (value under mask), from status, unreplied, class, offload, expected, no-nat.
 * False where nothing is implied. */
bool flow_filter_status(const struct flow_filter *filter, uint32_t *ret_value, uint32_t *ret_mask);
/* Whether the conditions on status and class (status, unreplied, offload, expected, NAT, class) mean exactly what
 * flow_filter_status says, no less. A class does where it is one of unreplied, replied and stream, of one protocol that
 * is not TCP: the others, and those of TCP, need the state too. */
bool flow_filter_status_is_exact(const struct flow_filter *filter);

#endif
