/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/decode: one ctnetlink message to a struct flow. Every read is checked against the end of
 * the enclosing attribute, nothing is recursive, nothing allocated: this runs once for every entry
 * of a dump and every event, and on what a fuzzer makes up. */
#include "decode.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

struct span {
	const uint8_t *at, *end;
};

struct attr {
	uint16_t type, len; /* without header, flags and padding */
	const uint8_t *data;
};

/* 1: *ret_attr is the next one; 0: none left; -EBADMSG: cut short. */
static inline int attr_next(struct span *span, struct attr *ret_attr)
{
	size_t left = (size_t)(span->end - span->at), step;
	struct nlattr header;

	if (!left)
		return 0;
	if (left < NLA_HDRLEN)
		return -EBADMSG;
	memcpy(&header, span->at, sizeof(header));
	if (header.nla_len < NLA_HDRLEN || header.nla_len > left)
		return -EBADMSG;
	ret_attr->type = header.nla_type & NLA_TYPE_MASK;
	ret_attr->len = (uint16_t)(header.nla_len - NLA_HDRLEN);
	ret_attr->data = span->at + NLA_HDRLEN;
	/* The padding of the last attribute may be missing. */
	step = (size_t)NLA_ALIGN(header.nla_len);
	span->at += step < left ? step : left;
	return 1;
}

static inline struct span inside(const struct attr *attr)
{
	return (struct span){attr->data, attr->data + attr->len};
}

/* All return 0, or -EBADMSG where the attribute is shorter than its kind. */
static inline int get_u8(const struct attr *attr, uint8_t *ret)
{
	if (attr->len < sizeof(*ret))
		return -EBADMSG;
	*ret = *attr->data;
	return 0;
}

static inline int get_be16(const struct attr *attr, uint16_t *ret)
{
	uint16_t value;

	if (attr->len < sizeof(value))
		return -EBADMSG;
	memcpy(&value, attr->data, sizeof(value));
	*ret = ntohs(value);
	return 0;
}

static inline int get_be32(const struct attr *attr, uint32_t *ret)
{
	uint32_t value;

	if (attr->len < sizeof(value))
		return -EBADMSG;
	memcpy(&value, attr->data, sizeof(value));
	*ret = ntohl(value);
	return 0;
}

static inline int get_be64(const struct attr *attr, uint64_t *ret)
{
	uint64_t value;

	if (attr->len < sizeof(value))
		return -EBADMSG;
	memcpy(&value, attr->data, sizeof(value));
	*ret = be64toh(value);
	return 0;
}

static inline int get_address(const struct attr *attr, uint8_t family, uint8_t *ret_bytes,
			      struct flow_tuple *tuple)
{
	unsigned len = family == AF_INET ? 4 : 16;

	if (attr->len < len || (tuple->family && tuple->family != family))
		return -EBADMSG;
	tuple->family = family;
	memcpy(ret_bytes, attr->data, len);
	return 0;
}

static int get_ip(const struct attr *nest, struct flow_tuple *tuple)
{
	struct span span = inside(nest);
	struct attr attr;
	int r;

	while ((r = attr_next(&span, &attr)) > 0) {
		switch (attr.type) {
		case CTA_IP_V4_SRC:
			r = get_address(&attr, AF_INET, tuple->src, tuple);
			break;
		case CTA_IP_V4_DST:
			r = get_address(&attr, AF_INET, tuple->dst, tuple);
			break;
		case CTA_IP_V6_SRC:
			r = get_address(&attr, AF_INET6, tuple->src, tuple);
			break;
		case CTA_IP_V6_DST:
			r = get_address(&attr, AF_INET6, tuple->dst, tuple);
			break;
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int get_proto(const struct attr *nest, struct flow_tuple *tuple)
{
	struct span span = inside(nest);
	uint8_t icmp_type = 0, icmp_code = 0;
	bool is_icmp = false;
	struct attr attr;
	int r;

	while ((r = attr_next(&span, &attr)) > 0) {
		switch (attr.type) {
		case CTA_PROTO_NUM:
			r = get_u8(&attr, &tuple->protocol);
			break;
		case CTA_PROTO_SRC_PORT:
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			r = get_be16(&attr, &tuple->sport);
			break;
		case CTA_PROTO_DST_PORT:
			r = get_be16(&attr, &tuple->dport);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			is_icmp = true;
			r = get_u8(&attr, &icmp_type);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			is_icmp = true;
			r = get_u8(&attr, &icmp_code);
			break;
		}
		if (r < 0)
			return r;
	}
	if (is_icmp)
		tuple->dport = (uint16_t)(icmp_type << 8 | icmp_code);
	return r;
}

/* *zone is touched only where the tuple has a zone of its own. */
static int get_tuple(const struct attr *nest, struct flow_tuple *tuple, uint16_t *zone,
		     bool *has_zone)
{
	struct span span = inside(nest);
	struct attr attr;
	int r;

	memset(tuple, 0, sizeof(*tuple)); /* it may have come before */
	while ((r = attr_next(&span, &attr)) > 0) {
		switch (attr.type) {
		case CTA_TUPLE_IP:
			r = get_ip(&attr, tuple);
			break;
		case CTA_TUPLE_PROTO:
			r = get_proto(&attr, tuple);
			break;
		case CTA_TUPLE_ZONE:
			r = get_be16(&attr, zone);
			*has_zone = true;
			break;
		}
		if (r < 0)
			return r;
	}
	/* No tuple without addresses. */
	return r < 0 || !tuple->family ? -EBADMSG : 0;
}

static int get_counters(const struct attr *nest, uint64_t *packets, uint64_t *bytes)
{
	struct span span = inside(nest);
	struct attr attr;
	int r;

	while ((r = attr_next(&span, &attr)) > 0) {
		if (attr.type == CTA_COUNTERS_PACKETS)
			r = get_be64(&attr, packets);
		else if (attr.type == CTA_COUNTERS_BYTES)
			r = get_be64(&attr, bytes);
		if (r < 0)
			return r;
	}
	return r;
}

static int get_timestamp(const struct attr *nest, struct flow *flow)
{
	struct span span = inside(nest);
	struct attr attr;
	int r;

	while ((r = attr_next(&span, &attr)) > 0) {
		if (attr.type == CTA_TIMESTAMP_START)
			r = get_be64(&attr, &flow->start_ns);
		else if (attr.type == CTA_TIMESTAMP_STOP)
			r = get_be64(&attr, &flow->stop_ns);
		if (r < 0)
			return r;
	}
	return r;
}

static int get_state(const struct attr *nest, struct flow *flow)
{
	/* The state is attribute 1 of each protocol's nest (CTA_PROTOINFO_{TCP,DCCP,SCTP}_STATE). */
	struct span span = inside(nest), inner;
	struct attr attr, member;
	int r;

	while ((r = attr_next(&span, &attr)) > 0) {
		if (attr.type != CTA_PROTOINFO_TCP && attr.type != CTA_PROTOINFO_DCCP &&
		    attr.type != CTA_PROTOINFO_SCTP)
			continue;
		inner = inside(&attr);
		while ((r = attr_next(&inner, &member)) > 0) {
			if (member.type != CTA_PROTOINFO_TCP_STATE)
				continue;
			if (get_u8(&member, &flow->state) < 0)
				return -EBADMSG;
			flow->has |= FLOW_HAS_STATE;
		}
		if (r < 0)
			return r;
	}
	return r;
}

static void get_labels(const struct attr *attr, uint8_t labels[16])
{
	/* The kernel's bitmap in host order, up to 128 bits; a shorter one leaves the rest clear. */
	for (unsigned i = 0; i + 4 <= attr->len && i < 16; i += 4) {
		uint32_t word;

		memcpy(&word, attr->data + i, sizeof(word));
		for (unsigned k = 0; k < 4; k++)
			labels[i + k] = (uint8_t)(word >> (8 * k));
	}
}

struct zones {
	uint16_t both, tuple[FLOW_DIRECTION_COUNT];
	bool has_both, has_tuple[FLOW_DIRECTION_COUNT];
};

static int get_word(const struct attr *attr, uint32_t *ret, struct flow *flow, uint32_t has)
{
	flow->has |= has;
	return get_be32(attr, ret);
}

static int get_nested(const struct attr *attr, struct flow *flow, struct zones *zones)
{
	uint16_t zone;
	bool has_zone;

	switch (attr->type) {
	case CTA_TUPLE_ORIG:
		return get_tuple(attr, &flow->tuple[FLOW_ORIG], &zones->tuple[FLOW_ORIG],
				 &zones->has_tuple[FLOW_ORIG]);
	case CTA_TUPLE_REPLY:
		flow->has |= FLOW_HAS_REPLY;
		return get_tuple(attr, &flow->tuple[FLOW_REPLY], &zones->tuple[FLOW_REPLY],
				 &zones->has_tuple[FLOW_REPLY]);
	case CTA_TUPLE_MASTER:
		flow->has |= FLOW_HAS_MASTER;
		return get_tuple(attr, &flow->master, &zone, &has_zone);
	case CTA_COUNTERS_ORIG:
		flow->has |= FLOW_HAS_COUNTERS;
		return get_counters(attr, &flow->packets[FLOW_ORIG], &flow->bytes[FLOW_ORIG]);
	case CTA_COUNTERS_REPLY:
		flow->has |= FLOW_HAS_COUNTERS;
		return get_counters(attr, &flow->packets[FLOW_REPLY], &flow->bytes[FLOW_REPLY]);
	case CTA_TIMESTAMP:
		flow->has |= FLOW_HAS_TIMESTAMP;
		return get_timestamp(attr, flow);
	default:
		return get_state(attr, flow);
	}
}

static int get_attribute(const struct attr *attr, struct flow *flow, struct zones *zones)
{
	switch (attr->type) {
	case CTA_TUPLE_ORIG:
	case CTA_TUPLE_REPLY:
	case CTA_TUPLE_MASTER:
	case CTA_COUNTERS_ORIG:
	case CTA_COUNTERS_REPLY:
	case CTA_TIMESTAMP:
	case CTA_PROTOINFO:
		return get_nested(attr, flow, zones);
	case CTA_STATUS:
		return get_word(attr, &flow->status, flow, FLOW_HAS_STATUS);
	case CTA_TIMEOUT:
		return get_word(attr, &flow->timeout_sec, flow, FLOW_HAS_TIMEOUT);
	case CTA_MARK:
		return get_word(attr, &flow->mark, flow, FLOW_HAS_MARK);
	case CTA_ID:
		return get_word(attr, &flow->id, flow, FLOW_HAS_ID);
	case CTA_ZONE:
		zones->has_both = true;
		return get_be16(attr, &zones->both);
	case CTA_LABELS:
		flow->has |= FLOW_HAS_LABELS;
		get_labels(attr, flow->labels);
		return 0;
	default:
		return 0;
	}
}

/* CTA_ZONE is that of both directions; a zone inside a tuple that of its direction alone (the other
 * one is 0). */
static void put_zones(const struct zones *zones, struct flow *flow)
{
	flow->zone = flow->zone_reply = zones->both;
	if (zones->has_tuple[FLOW_ORIG])
		flow->zone = zones->tuple[FLOW_ORIG];
	if (zones->has_tuple[FLOW_REPLY])
		flow->zone_reply = zones->tuple[FLOW_REPLY];
}

static int kind_of(const struct nlmsghdr *header, enum flow_event_kind *ret_kind)
{
	if (header->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK)
		return -EBADMSG;
	switch (header->nlmsg_type & 0xff) {
	case IPCTNL_MSG_CT_NEW: /* events and every entry of a dump */
		*ret_kind = header->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? FLOW_EVENT_NEW
									      : FLOW_EVENT_UPDATE;
		return 0;
	case IPCTNL_MSG_CT_DELETE:
		*ret_kind = FLOW_EVENT_DESTROY;
		return 0;
	default:
		return -EBADMSG;
	}
}

int decode_in_place(const void *message, size_t len, struct flow *flow,
		    enum flow_event_kind *ret_kind)
{
	const size_t fixed = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	struct nlmsghdr header;
	struct zones zones = {0};
	struct span span;
	struct attr attr;
	int r;

	if (len < fixed)
		return -EBADMSG;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_len < fixed || header.nlmsg_len > len || kind_of(&header, ret_kind) < 0)
		return -EBADMSG;
	memset(flow, 0, sizeof(*flow));
	span.at = (const uint8_t *)message + fixed;
	span.end = (const uint8_t *)message + header.nlmsg_len;
	while ((r = attr_next(&span, &attr)) > 0) {
		if (get_attribute(&attr, flow, &zones) < 0)
			return -EBADMSG;
	}
	if (r < 0 || !flow->tuple[FLOW_ORIG].family)
		return -EBADMSG;
	put_zones(&zones, flow);
	return 0;
}

int decode_message(const void *message, size_t len, struct flow *ret_flow,
		   enum flow_event_kind *ret_kind)
{
	enum flow_event_kind kind;
	struct flow flow;
	int r = decode_in_place(message, len, &flow, &kind);

	if (r < 0)
		return r;
	*ret_flow = flow;
	if (ret_kind)
		*ret_kind = kind;
	return 0;
}
