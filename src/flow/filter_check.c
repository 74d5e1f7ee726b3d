/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_check: what the conditions of a filter imply together: the status bits of every match, and
 * contradictions. A contradiction is refused only where it is certain; a filter that merely happens to match
 * nothing passes. */
#include <errno.h>
#include <string.h>

#include "filter_private.h"
#include "flow/names.h"

#define OFFLOAD_BITS (FLOW_STATUS_OFFLOAD | FLOW_STATUS_HW_OFFLOAD)
#define NAT_BITS (FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT)
#define ALL_CLASSES ((1u << FLOW_CLASS_COUNT) - 1)

/* Status bits of every entry of a class: read off flow_class_of. `other` has entries of unknown status: nothing. */
static const struct masked class_status[FLOW_CLASS_COUNT] = {
	[FLOW_CLASS_UNREPLIED] = { 0, FLOW_STATUS_SEEN_REPLY | OFFLOAD_BITS },
	[FLOW_CLASS_HALF_OPEN] = { 0, OFFLOAD_BITS },
	[FLOW_CLASS_PICKUP] = { 0, FLOW_STATUS_SEEN_REPLY | OFFLOAD_BITS },
	[FLOW_CLASS_CLOSING] = { 0, OFFLOAD_BITS },
	[FLOW_CLASS_REPLIED] = { FLOW_STATUS_SEEN_REPLY, FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | OFFLOAD_BITS },
	[FLOW_CLASS_STREAM] = { FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED,
				FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | OFFLOAD_BITS },
	[FLOW_CLASS_ESTABLISHED] = { FLOW_STATUS_SEEN_REPLY, FLOW_STATUS_SEEN_REPLY | OFFLOAD_BITS },
};

/* TCP states an entry of a class can have, and whether other protocols can be in it. */
static const struct {
	uint16_t tcp_states;
	bool others;
} class_states[FLOW_CLASS_COUNT] = {
	[FLOW_CLASS_UNREPLIED] = { 1 << FLOW_TCP_NONE | 1 << FLOW_TCP_SYN_SENT | 1 << FLOW_TCP_SYN_SENT2, true },
	[FLOW_CLASS_HALF_OPEN] = { 1 << FLOW_TCP_SYN_RECV | 1 << FLOW_TCP_SYN_SENT2, false },
	[FLOW_CLASS_PICKUP] = { 1 << FLOW_TCP_ESTABLISHED, false },
	[FLOW_CLASS_CLOSING] = { 1 << FLOW_TCP_FIN_WAIT | 1 << FLOW_TCP_CLOSE_WAIT | 1 << FLOW_TCP_LAST_ACK |
				 1 << FLOW_TCP_TIME_WAIT | 1 << FLOW_TCP_CLOSE, false },
	[FLOW_CLASS_REPLIED] = { 0, true },
	[FLOW_CLASS_STREAM] = { 0, true },
	[FLOW_CLASS_ESTABLISHED] = { 1 << FLOW_TCP_ESTABLISHED, false },
	[FLOW_CLASS_OFFLOADED] = { 0xffff, true },
	[FLOW_CLASS_OTHER] = { 0xffff, true },
};

uint32_t filter_classes(const struct flow_filter *filter)
{
	uint32_t wanted = filter_half_has(&filter->want, FILTER_CLASS) ? filter->want.classes : ALL_CLASSES;

	return wanted & ~filter->exclude.classes;
}

static struct masked classes_status(uint32_t classes)
{
	struct masked common = { 0, 0 };
	bool first = true;

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (!(classes >> i & 1))
			continue;
		if (first)
			common = class_status[i];
		common.mask &= class_status[i].mask & ~(common.value ^ class_status[i].value);
		common.value &= common.mask;
		first = false;
	}
	return common;
}

/* Adds bits to sum; -EINVAL where one is already there with the opposite value. */
static int join(struct masked *sum, uint32_t value, uint32_t mask)
{
	if ((sum->value ^ value) & sum->mask & mask)
		return -EINVAL;
	sum->mask |= mask;
	sum->value |= value & mask;
	return 0;
}

static int join_excluded(const struct filter_half *exclude, struct masked *sum)
{
	int r = 0;

	/* Only the negation of a single bit says something of one bit. */
	for (size_t i = 0; i < exclude->statuses.count; i++) {
		struct masked m = exclude->statuses.items[i];

		if (!(m.mask & (m.mask - 1)))
			r |= join(sum, m.mask & ~m.value, m.mask);
	}
	if (filter_half_has(exclude, FILTER_UNREPLIED))
		r |= join(sum, FLOW_STATUS_SEEN_REPLY, FLOW_STATUS_SEEN_REPLY);
	if (filter_half_has(exclude, FILTER_OFFLOAD))
		r |= join(sum, 0, OFFLOAD_BITS);
	if (filter_half_has(exclude, FILTER_EXPECTED))
		r |= join(sum, 0, FLOW_STATUS_EXPECTED);
	if (exclude->any_address >> FILTER_SRC_NAT & 1)
		r |= join(sum, 0, FLOW_STATUS_SRC_NAT);
	if (exclude->any_address >> FILTER_DST_NAT & 1)
		r |= join(sum, 0, FLOW_STATUS_DST_NAT);
	if (exclude->any_address >> FILTER_ANY_NAT & 1)
		r |= join(sum, 0, NAT_BITS);
	return r;
}

int filter_implied_status(const struct flow_filter *filter, struct masked *ret_status)
{
	const struct filter_half *want = &filter->want;
	struct masked sum = { 0, 0 }, part;
	int r;

	masked_set_common(&want->statuses, &part);
	r = join(&sum, part.value, part.mask);
	part = classes_status(filter_classes(filter));
	r |= join(&sum, part.value, part.mask);
	if (filter_half_has(want, FILTER_UNREPLIED))
		r |= join(&sum, 0, FLOW_STATUS_SEEN_REPLY);
	if (filter_half_has(want, FILTER_EXPECTED))
		r |= join(&sum, FLOW_STATUS_EXPECTED, FLOW_STATUS_EXPECTED);
	if (filter_half_has(want, FILTER_NO_NAT))
		r |= join(&sum, 0, NAT_BITS);
	if (filter_half_has(want, FILTER_SRC_NAT))
		r |= join(&sum, FLOW_STATUS_SRC_NAT, FLOW_STATUS_SRC_NAT);
	if (filter_half_has(want, FILTER_DST_NAT))
		r |= join(&sum, FLOW_STATUS_DST_NAT, FLOW_STATUS_DST_NAT);
	r |= join_excluded(&filter->exclude, &sum);
	if (r < 0)
		return -EINVAL;
	*ret_status = sum;
	return 0;
}

static bool half_is_exact(const struct filter_half *half, bool excluded)
{
	const uint32_t some_address = half->keys & ~half->any_address;

	/* Several words: this or that. Of an excluded one: not all of its bits, unless it is one bit. */
	if (!excluded && half->statuses.count > 1)
		return false;
	for (size_t i = 0; excluded && i < half->statuses.count; i++) {
		if (half->statuses.items[i].mask & (half->statuses.items[i].mask - 1))
			return false;
	}
	/* One of two bits. */
	if (filter_half_has(half, excluded ? FILTER_NO_NAT : FILTER_OFFLOAD))
		return false;
	if (!excluded && filter_half_has(half, FILTER_ANY_NAT))
		return false;
	return !(some_address & (1u << FILTER_SRC_NAT | 1u << FILTER_DST_NAT | 1u << FILTER_ANY_NAT));
}

/* Where it is said that the protocol is another than TCP, these classes are a status and nothing
 * else (flow_class_of). */
static bool class_is_exact(const struct flow_filter *filter)
{
	const uint32_t one = filter->want.classes;
	uint32_t protocol;

	if (filter_half_has(&filter->exclude, FILTER_CLASS))
		return false;
	if (!filter_half_has(&filter->want, FILTER_CLASS))
		return true;
	return (one == 1u << FLOW_CLASS_UNREPLIED || one == 1u << FLOW_CLASS_REPLIED ||
		one == 1u << FLOW_CLASS_STREAM) &&
	       flow_filter_single_number(filter, FILTER_PROTOCOL, &protocol) && protocol != IPPROTO_TCP;
}

bool flow_filter_status_is_exact(const struct flow_filter *filter)
{
	struct masked status;

	return class_is_exact(filter) && half_is_exact(&filter->want, false) && half_is_exact(&filter->exclude, true) &&
	       !filter_implied_status(filter, &status);
}

/* "Some of these bits" (offload, any-nat, not no-nat) where all of them must be 0. */
static bool needs_bit_that_is_clear(const struct flow_filter *filter, struct masked status)
{
	uint32_t clear = status.mask & ~status.value;

	if (filter_half_has(&filter->want, FILTER_OFFLOAD) && (clear & OFFLOAD_BITS) == OFFLOAD_BITS)
		return true;
	return (filter_half_has(&filter->want, FILTER_ANY_NAT) || filter_half_has(&filter->exclude, FILTER_NO_NAT)) &&
	       (clear & NAT_BITS) == NAT_BITS;
}

struct covering {
	const struct addr_set *by;
	bool all;
};

static void covered(const struct prefix *prefix, void *arg)
{
	struct covering *c = arg;

	c->all = c->all && addr_set_covers(c->by, prefix);
}

static bool bitmap_within(const uint64_t *set, const uint64_t *other, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		if (set[i] & ~other[i])
			return false;
	}
	return true;
}

/* Everything wanted of this key is excluded too. */
static bool all_excluded(const struct flow_filter *filter, enum flow_filter_key key)
{
	const struct filter_half *w = &filter->want, *x = &filter->exclude;
	struct covering c = { NULL, true };

	if (filter_addrs_row(key) >= 0) {
		if (x->any_address >> key & 1)
			return true;
		if (w->any_address >> key & 1)
			return false;
		c.by = &x->addrs[filter_addrs_row(key)];
		addr_set_each(&w->addrs[filter_addrs_row(key)], covered, &c);
		/* Either of two addresses may satisfy any-nat and be excluded: covered is covered there too. */
		return c.all;
	}
	if (filter_numbers_row(key) >= 0)
		return number_set_within(&w->numbers[filter_numbers_row(key)], &x->numbers[filter_numbers_row(key)]);
	switch (key) {
	case FILTER_FAMILY:
		return !(w->families & ~x->families);
	case FILTER_PROTOCOL:
		return bitmap_within(w->protocols, x->protocols, 4);
	case FILTER_LABEL:
		return bitmap_within(w->labels, x->labels, 2);
	case FILTER_CLASS:
		return !(w->classes & ~x->classes);
	case FILTER_STATE:
		return !((w->states[0] & ~x->states[0]) | (w->states[1] & ~x->states[1]) |
			 (w->states[2] & ~x->states[2]));
	case FILTER_MARK:
		return masked_set_within(&w->marks, &x->marks);
	case FILTER_STATUS:
		return masked_set_within(&w->statuses, &x->statuses);
	case FILTER_IDLE:
		return w->idle_ns >= x->idle_ns;
	case FILTER_AGE:
		return w->age_ns >= x->age_ns;
	case FILTER_EXPIRES_IN:
		return w->expires_in_ns <= x->expires_in_ns;
	case FILTER_BYTES:
		return range_set_within(&w->bytes, &x->bytes);
	case FILTER_PACKETS:
		return range_set_within(&w->packets, &x->packets);
	default:
		return true; /* a flag and its negation */
	}
}

uint32_t filter_families(const struct flow_filter *filter)
{
	const struct filter_half *w = &filter->want;
	uint32_t left = filter_half_has(w, FILTER_FAMILY) ? w->families : FAMILY_V4 | FAMILY_V6;

	left &= ~filter->exclude.families;
	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		int row = filter_addrs_row((enum flow_filter_key)key);

		if (row < 0 || !filter_half_has(w, (enum flow_filter_key)key) || w->any_address >> key & 1)
			continue;
		if (!addr_set_has_family(&w->addrs[row], AF_INET))
			left &= ~FAMILY_V4;
		if (!addr_set_has_family(&w->addrs[row], AF_INET6))
			left &= ~FAMILY_V6;
	}
	return left;
}

/* Families a match can have, by -f and by the addresses asked for. */
static int check_families(const struct flow_filter *filter, struct problem *p)
{
	const struct filter_half *w = &filter->want;
	uint32_t left = filter_half_has(w, FILTER_FAMILY) ? w->families : FAMILY_V4 | FAMILY_V6;

	left &= ~filter->exclude.families;
	if (!left)
		return problem_set(p, "! -f", "both families are excluded, so nothing could match");
	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		int row = filter_addrs_row((enum flow_filter_key)key);
		uint32_t here = 0;
		char option[32];

		if (row < 0 || !filter_half_has(w, (enum flow_filter_key)key) || w->any_address >> key & 1)
			continue;
		if (addr_set_has_family(&w->addrs[row], AF_INET))
			here |= FAMILY_V4;
		if (addr_set_has_family(&w->addrs[row], AF_INET6))
			here |= FAMILY_V6;
		if (!(left & here)) {
			snprintf(option, sizeof(option), "--%s", flow_filter_keys[key].name);
			return problem_set(p, option, "all its addresses are %s, but other conditions leave only %s",
					   here == FAMILY_V6 ? "IPv6" : "IPv4", left == FAMILY_V6 ? "IPv6" : "IPv4");
		}
		left &= here;
	}
	return 0;
}

static bool protocol_left(const struct flow_filter *filter, unsigned protocol)
{
	if (filter_half_has(&filter->want, FILTER_PROTOCOL) && !filter_bit(filter->want.protocols, protocol))
		return false;
	return !filter_bit(filter->exclude.protocols, protocol);
}

/* Could an entry of this protocol satisfy --state and --class? */
static bool states_possible(const struct flow_filter *filter, uint8_t protocol)
{
	int row = filter_states_row(protocol);
	bool wanted = filter_half_has(&filter->want, FILTER_STATE);
	uint16_t states = wanted ? 0 : 0xffff;
	uint32_t classes = filter_classes(filter);

	if (wanted && row < 0)
		return false;
	if (wanted)
		states = filter->want.states[row];
	if (row >= 0)
		states &= (uint16_t)~filter->exclude.states[row];
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (!(classes >> i & 1))
			continue;
		if (protocol == IPPROTO_TCP ? (class_states[i].tcp_states & states) :
					      class_states[i].others && states)
			return true;
	}
	return false;
}

static bool wants_ports(const struct flow_filter *filter)
{
	const uint32_t keys = 1u << FILTER_SPORT | 1u << FILTER_DPORT | 1u << FILTER_REPLY_SPORT |
			      1u << FILTER_REPLY_DPORT;

	return filter->want.keys & keys;
}

void filter_protocols(const struct flow_filter *filter, uint64_t ret_protocols[4])
{
	bool needs_ports = wants_ports(filter);

	memset(ret_protocols, 0, 4 * sizeof(*ret_protocols));
	for (unsigned i = 0; i < 256; i++) {
		if (protocol_left(filter, i) && (!needs_ports || filter_protocol_has_ports((uint8_t)i)) &&
		    states_possible(filter, (uint8_t)i))
			ret_protocols[i >> 6] |= 1ull << (i & 63);
	}
}

static int check_protocols(const struct flow_filter *filter, struct problem *p)
{
	bool needs_ports = wants_ports(filter);
	bool any = false, any_ports = false, any_state = false, any_both = false;

	for (unsigned i = 0; i < 256; i++) {
		bool ports = !needs_ports || filter_protocol_has_ports((uint8_t)i);
		bool states = states_possible(filter, (uint8_t)i);

		if (!protocol_left(filter, i))
			continue;
		any = true;
		any_ports |= ports;
		any_state |= states;
		any_both |= ports && states;
	}
	if (!any)
		return problem_set(p, "! -p", "every protocol is excluded, so nothing could match");
	if (!any_ports)
		return problem_set(p, "-p",
				   "this protocol has no ports, so a port could never match; tcp, udp, udplite, "
				   "sctp and dccp have");
	if (any_both)
		return 0;
	if (!any_state && filter_half_has(&filter->want, FILTER_STATE))
		return problem_set(p, "--state", "no entry of the protocol and class asked for can be in this state");
	return problem_set(p, filter_half_has(&filter->want, FILTER_STATE) ? "--state" : "--class",
			   "no entry of the protocol asked for can be of this kind");
}

int flow_filter_finish(struct flow_filter *filter, struct problem *reterr_problem)
{
	struct masked status;
	char option[32];
	int r;

	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		if (!filter_half_has(&filter->want, (enum flow_filter_key)key) ||
		    !filter_half_has(&filter->exclude, (enum flow_filter_key)key) ||
		    !all_excluded(filter, (enum flow_filter_key)key))
			continue;
		snprintf(option, sizeof(option), "--%s", flow_filter_keys[key].name);
		return problem_set(reterr_problem, option,
				   "all that is asked for is excluded too, so nothing could match");
	}
	r = check_families(filter, reterr_problem);
	if (r == 0)
		r = check_protocols(filter, reterr_problem);
	if (r < 0)
		return r;
	if (!filter_classes(filter))
		return problem_set(reterr_problem, "! --class", "every class is excluded, so nothing could match");
	if (filter_implied_status(filter, &status) < 0 || needs_bit_that_is_clear(filter, status))
		return problem_set(reterr_problem, "filter",
				   "conditions on replies, NAT, offload, class or status exclude each "
				   "other, so nothing could match; leave one of them out");
	return 0;
}
