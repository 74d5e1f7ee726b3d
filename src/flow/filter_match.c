/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_match: a filter against one flow. What a flow does not tell (idle, age, counters, time left, status, the
 * reply tuple) matches neither a condition on it nor its negation. */
#include "filter_private.h"

#define NS_IN_SEC 1000000000ll

enum verdict { NO, YES, UNKNOWN };

static enum verdict of(bool yes)
{
	return yes ? YES : NO;
}

static enum verdict match_address(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow)
{
	int row = filter_addrs_row(key);
	bool reply = row == ADDRS_REPLY_SRC || row == ADDRS_REPLY_DST;
	const struct flow_tuple *tuple = &flow->tuple[reply ? FLOW_REPLY : FLOW_ORIG];

	if (reply && !(flow->has & FLOW_HAS_REPLY))
		return UNKNOWN;
	return of(addr_set_has(&half->addrs[row], tuple->family,
			       row == ADDRS_SRC || row == ADDRS_REPLY_SRC ? tuple->src : tuple->dst));
}

static enum verdict match_port(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow)
{
	int row = filter_numbers_row(key);
	bool reply = row == NUMBERS_REPLY_SPORT || row == NUMBERS_REPLY_DPORT;
	const struct flow_tuple *tuple = &flow->tuple[reply ? FLOW_REPLY : FLOW_ORIG];

	if (!filter_protocol_has_ports(flow->tuple[FLOW_ORIG].protocol))
		return NO;
	if (reply && !(flow->has & FLOW_HAS_REPLY))
		return UNKNOWN;
	return of(number_set_has(&half->numbers[row],
				 row == NUMBERS_SPORT || row == NUMBERS_REPLY_SPORT ? tuple->sport : tuple->dport));
}

static bool nat_to(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow, uint32_t bit)
{
	const struct flow_tuple *reply = &flow->tuple[FLOW_REPLY];

	if (!(flow->status & bit))
		return false;
	if (half->any_address >> key & 1)
		return true;
	return addr_set_has(&half->addrs[filter_addrs_row(key)], reply->family,
			    bit == FLOW_STATUS_SRC_NAT ? reply->dst : reply->src);
}

/* As conntrack: a source translated to X gets its replies at X, a destination translated to X answers from X. */
static enum verdict match_nat(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow)
{
	if (!(flow->has & FLOW_HAS_STATUS))
		return UNKNOWN;
	if (!(half->any_address >> key & 1) && !(flow->has & FLOW_HAS_REPLY))
		return UNKNOWN;
	return of((key != FILTER_DST_NAT && nat_to(half, key, flow, FLOW_STATUS_SRC_NAT)) ||
		  (key != FILTER_SRC_NAT && nat_to(half, key, flow, FLOW_STATUS_DST_NAT)));
}

static enum verdict match_state(const struct filter_half *half, const struct flow *flow)
{
	int row = filter_states_row(flow->tuple[FLOW_ORIG].protocol);

	if (row < 0)
		return NO;
	if (!(flow->has & FLOW_HAS_STATE))
		return UNKNOWN;
	return of(flow->state < 16 && (half->states[row] >> flow->state & 1));
}

static enum verdict match_label(const struct filter_half *half, const struct flow *flow)
{
	if (!(flow->has & FLOW_HAS_LABELS))
		return NO; /* none set */
	for (unsigned i = 0; i < 128; i++) {
		if (filter_bit(half->labels, i) && (flow->labels[i >> 3] >> (i & 7) & 1))
			return YES;
	}
	return NO;
}

static enum verdict match_status(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow)
{
	uint32_t status = flow->status;

	if (!(flow->has & FLOW_HAS_STATUS))
		return UNKNOWN;
	switch (key) {
	case FILTER_UNREPLIED:
		return of(!(status & FLOW_STATUS_SEEN_REPLY));
	case FILTER_NO_NAT:
		return of(!(status & (FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT)));
	case FILTER_OFFLOAD:
		return of(status & (FLOW_STATUS_OFFLOAD | FLOW_STATUS_HW_OFFLOAD));
	case FILTER_EXPECTED:
		return of(status & FLOW_STATUS_EXPECTED);
	default:
		return of(masked_set_has(&half->statuses, status));
	}
}

static enum verdict match_time(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow,
			       const struct flow_filter_context *context)
{
	uint32_t idle_sec;
	int64_t age_ns;

	switch (key) {
	case FILTER_IDLE:
		if (!context || !context->timeouts || !flow_idle_sec(flow, context->timeouts, &idle_sec))
			return UNKNOWN;
		return of((int64_t)idle_sec * NS_IN_SEC >= half->idle_ns);
	case FILTER_AGE:
		if (!(flow->has & FLOW_HAS_TIMESTAMP) || (!context && !flow->stop_ns))
			return UNKNOWN;
		age_ns = (flow->stop_ns ? (int64_t)flow->stop_ns : context->now_real_ns) - (int64_t)flow->start_ns;
		return of(age_ns >= half->age_ns);
	default:
		if (!(flow->has & FLOW_HAS_TIMEOUT))
			return UNKNOWN;
		return of((int64_t)flow->timeout_sec * NS_IN_SEC <= half->expires_in_ns);
	}
}

static enum verdict match_counters(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow)
{
	if (!(flow->has & FLOW_HAS_COUNTERS))
		return UNKNOWN;
	if (key == FILTER_BYTES)
		return of(range_set_has(&half->bytes, flow->bytes[FLOW_ORIG] + flow->bytes[FLOW_REPLY]));
	return of(range_set_has(&half->packets, flow->packets[FLOW_ORIG] + flow->packets[FLOW_REPLY]));
}

static enum verdict match_key(const struct filter_half *half, enum flow_filter_key key, const struct flow *flow,
			      const struct flow_filter_context *context)
{
	switch (key) {
	case FILTER_FAMILY:
		return of(half->families & (flow->tuple[FLOW_ORIG].family == AF_INET6 ? FAMILY_V6 : FAMILY_V4));
	case FILTER_PROTOCOL:
		return of(filter_bit(half->protocols, flow->tuple[FLOW_ORIG].protocol));
	case FILTER_MARK:
		return of(masked_set_has(&half->marks, flow->mark));
	case FILTER_ZONE:
		return of(number_set_has(&half->numbers[NUMBERS_ZONE], flow->zone) ||
			  number_set_has(&half->numbers[NUMBERS_ZONE], flow->zone_reply));
	case FILTER_CLASS:
		return of(half->classes >> flow_class_of(flow) & 1);
	case FILTER_STATE:
		return match_state(half, flow);
	case FILTER_LABEL:
		return match_label(half, flow);
	case FILTER_SRC:
	case FILTER_DST:
	case FILTER_REPLY_SRC:
	case FILTER_REPLY_DST:
		return match_address(half, key, flow);
	case FILTER_SPORT:
	case FILTER_DPORT:
	case FILTER_REPLY_SPORT:
	case FILTER_REPLY_DPORT:
		return match_port(half, key, flow);
	case FILTER_SRC_NAT:
	case FILTER_DST_NAT:
	case FILTER_ANY_NAT:
		return match_nat(half, key, flow);
	case FILTER_IDLE:
	case FILTER_AGE:
	case FILTER_EXPIRES_IN:
		return match_time(half, key, flow, context);
	case FILTER_BYTES:
	case FILTER_PACKETS:
		return match_counters(half, key, flow);
	default:
		return match_status(half, key, flow);
	}
}

bool flow_filter_match(const struct flow_filter *filter, const struct flow *flow,
		       const struct flow_filter_context *context)
{
	uint32_t keys;

	for (keys = filter->want.keys; keys; keys &= keys - 1) {
		if (match_key(&filter->want, (enum flow_filter_key)__builtin_ctz(keys), flow, context) != YES)
			return false;
	}
	for (keys = filter->exclude.keys; keys; keys &= keys - 1) {
		if (match_key(&filter->exclude, (enum flow_filter_key)__builtin_ctz(keys), flow, context) != NO)
			return false;
	}
	return true;
}

bool flow_filter_may_match_life(const struct flow_filter *filter, const struct flow *flow)
{
	const uint32_t lasting = 1u << FILTER_FAMILY | 1u << FILTER_PROTOCOL | 1u << FILTER_SRC | 1u << FILTER_DST |
				 1u << FILTER_REPLY_SRC | 1u << FILTER_REPLY_DST | 1u << FILTER_SPORT |
				 1u << FILTER_DPORT | 1u << FILTER_REPLY_SPORT | 1u << FILTER_REPLY_DPORT |
				 1u << FILTER_ZONE;
	uint32_t keys;

	for (keys = filter->want.keys & lasting; keys; keys &= keys - 1) {
		if (match_key(&filter->want, (enum flow_filter_key)__builtin_ctz(keys), flow, NULL) == NO)
			return false;
	}
	for (keys = filter->exclude.keys & lasting; keys; keys &= keys - 1) {
		if (match_key(&filter->exclude, (enum flow_filter_key)__builtin_ctz(keys), flow, NULL) == YES)
			return false;
	}
	return true;
}

bool flow_filter_may_come(const struct flow_filter *filter, const struct flow *flow)
{
	int row = filter_states_row(flow->tuple[FLOW_ORIG].protocol);

	/* A state of another protocol is never reached. */
	if (filter_half_has(&filter->want, FILTER_STATE) && (row < 0 || !filter->want.states[row]))
		return false;
	return flow_filter_may_match_life(filter, flow);
}
