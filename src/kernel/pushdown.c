/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/pushdown: from a filter to the attributes of a dump request (kernel-facts: family, status,
 * mark, zone, exact tuple members; no prefixes or ranges, ports only with the protocol). */
#include "pushdown.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/text.h"
#include "flow/names.h"

static const struct {
	enum flow_filter_key key;
	enum flow_direction side;
	uint32_t flag;
	const char *option;
} address_keys[] = {
	{FILTER_SRC, FLOW_ORIG, SIDE_SRC, "-s"},
	{FILTER_DST, FLOW_ORIG, SIDE_DST, "-d"},
	{FILTER_REPLY_SRC, FLOW_REPLY, SIDE_SRC, "-r"},
	{FILTER_REPLY_DST, FLOW_REPLY, SIDE_DST, "-q"},
};

static const struct {
	enum flow_filter_key key;
	enum flow_direction side;
	uint32_t flag;
	const char *option;
} port_keys[] = {
	{FILTER_SPORT, FLOW_ORIG, SIDE_SPORT, "--sport"},
	{FILTER_DPORT, FLOW_ORIG, SIDE_DPORT, "--dport"},
	{FILTER_REPLY_SPORT, FLOW_REPLY, SIDE_SPORT, "--reply-sport"},
	{FILTER_REPLY_DPORT, FLOW_REPLY, SIDE_DPORT, "--reply-dport"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void from_addresses(const struct flow_filter *filter, struct pushdown *p)
{
	struct prefix prefix;
	uint32_t family;

	if (flow_filter_single_number(filter, FILTER_FAMILY, &family))
		p->family = (uint8_t)family;
	for (size_t i = 0; i < COUNT(address_keys); i++) {
		struct pushdown_side *side = &p->side[address_keys[i].side];
		uint8_t *bytes = address_keys[i].flag == SIDE_SRC ? side->tuple.src
								  : side->tuple.dst;

		if (!flow_filter_single_address(filter, address_keys[i].key, &prefix))
			continue;
		/* A prefix cannot be pushed, but both tuples have its family. */
		if (!p->family)
			p->family = prefix.addr.family;
		/* No IPv6 address either: ctnetlink_filter_match_tuple() has its comparison the
		 * wrong way round (measured on 6.18): the kernel sends all but the entries asked
		 * for. */
		if (p->family != prefix.addr.family || p->family != AF_INET ||
		    prefix.len != addr_bits(AF_INET))
			continue;
		memcpy(bytes, prefix.addr.bytes, sizeof(prefix.addr.bytes));
		side->flags |= address_keys[i].flag;
	}
}

static void from_ports(const struct flow_filter *filter, struct pushdown *p)
{
	uint32_t protocol, port;

	if (!flow_filter_single_number(filter, FILTER_PROTOCOL, &protocol))
		return;
	p->side[FLOW_ORIG].tuple.protocol = p->side[FLOW_REPLY].tuple.protocol = (uint8_t)protocol;
	p->side[FLOW_ORIG].flags |= SIDE_PROTOCOL;
	/* The kernel compares the ports of these two only. */
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return;
	for (size_t i = 0; i < COUNT(port_keys); i++) {
		struct pushdown_side *side = &p->side[port_keys[i].side];

		if (!flow_filter_single_number(filter, port_keys[i].key, &port))
			continue;
		if (port_keys[i].flag == SIDE_SPORT)
			side->tuple.sport = (uint16_t)port;
		else
			side->tuple.dport = (uint16_t)port;
		side->flags |= port_keys[i].flag | SIDE_PROTOCOL;
	}
}

void pushdown_from(const struct flow_filter *filter, struct pushdown *ret_pushdown)
{
	struct pushdown p = {0};
	uint32_t zone, value, mask;

	if (filter) {
		from_addresses(filter, &p);
		from_ports(filter, &p);
		/* An entry with a zone in one direction only is in zone 0 with the other, which the
		 * kernel's comparison does not see: zone 0 would be narrower than the filter. */
		if (flow_filter_single_number(filter, FILTER_ZONE, &zone))
			p.zone = (uint16_t)zone;
		/* A mask of 0 says nothing, and the kernel refuses it for the status. */
		if (flow_filter_single_mark(filter, &value, &mask) && mask) {
			p.has_mark = true;
			p.mark = value & mask;
			p.mark_mask = mask;
		}
		if (flow_filter_status(filter, &value, &mask)) {
			p.status = value & mask;
			p.status_mask = mask;
		}
	}
	*ret_pushdown = p;
}

unsigned pushdown_families(const struct pushdown *p, uint8_t ret_families[2])
{
	if (p->family || !(p->side[FLOW_ORIG].flags | p->side[FLOW_REPLY].flags)) {
		ret_families[0] = p->family;
		return 1;
	}
	ret_families[0] = AF_INET;
	ret_families[1] = AF_INET6;
	return 2;
}

bool pushdown_is_empty(const struct pushdown *p)
{
	return !(p->family || p->zone || p->has_mark || p->status_mask ||
		 p->side[FLOW_ORIG].flags || p->side[FLOW_REPLY].flags);
}

static bool is_pushed_side(const struct pushdown *p, enum flow_filter_key key)
{
	for (size_t i = 0; i < COUNT(address_keys); i++) {
		if (address_keys[i].key == key)
			return p->side[address_keys[i].side].flags & address_keys[i].flag;
	}
	for (size_t i = 0; i < COUNT(port_keys); i++) {
		if (port_keys[i].key == key)
			return p->side[port_keys[i].side].flags & port_keys[i].flag;
	}
	return false;
}

/* What is not named here is not pushed, or not exactly. */
static bool is_pushed_exactly(const struct pushdown *p, const struct flow_filter *filter,
			      enum flow_filter_key key)
{
	uint32_t family;

	switch (key) {
	case FILTER_FAMILY:
		return flow_filter_single_number(filter, key, &family) && p->family == family;
	case FILTER_PROTOCOL:
		return p->side[FLOW_ORIG].flags & SIDE_PROTOCOL;
	case FILTER_MARK:
		return p->has_mark;
	case FILTER_ZONE:
		return p->zone;
	case FILTER_STATUS:
	case FILTER_CLASS:
	case FILTER_UNREPLIED:
	case FILTER_OFFLOAD:
	case FILTER_EXPECTED:
	case FILTER_SRC_NAT:
	case FILTER_DST_NAT:
	case FILTER_ANY_NAT:
	case FILTER_NO_NAT:
		return p->status_mask && flow_filter_status_is_exact(filter);
	default:
		return is_pushed_side(p, key);
	}
}

bool pushdown_is_whole(const struct pushdown *p, const struct flow_filter *filter)
{
	if (pushdown_is_empty(p))
		return false;
	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		if (flow_filter_has(filter, (enum flow_filter_key)key) &&
		    !is_pushed_exactly(p, filter, (enum flow_filter_key)key))
			return false;
	}
	return true;
}

static void put_side(const struct pushdown_side *side, uint16_t type, struct nlmsghdr *request)
{
	struct nlattr *tuple, *nest;

	if (!side->flags)
		return;
	tuple = mnl_attr_nest_start(request, type);
	nest = mnl_attr_nest_start(request, CTA_TUPLE_IP);
	if (side->flags & SIDE_SRC)
		mnl_attr_put(request, CTA_IP_V4_SRC, 4, side->tuple.src);
	if (side->flags & SIDE_DST)
		mnl_attr_put(request, CTA_IP_V4_DST, 4, side->tuple.dst);
	mnl_attr_nest_end(request, nest);
	if (side->flags & SIDE_PROTOCOL) {
		nest = mnl_attr_nest_start(request, CTA_TUPLE_PROTO);
		mnl_attr_put_u8(request, CTA_PROTO_NUM, side->tuple.protocol);
		if (side->flags & SIDE_SPORT)
			mnl_attr_put_u16(request, CTA_PROTO_SRC_PORT, htons(side->tuple.sport));
		if (side->flags & SIDE_DPORT)
			mnl_attr_put_u16(request, CTA_PROTO_DST_PORT, htons(side->tuple.dport));
		mnl_attr_nest_end(request, nest);
	}
	mnl_attr_nest_end(request, tuple);
}

void pushdown_put(const struct pushdown *p, struct nlmsghdr *request)
{
	uint32_t orig = p->side[FLOW_ORIG].flags, reply = p->side[FLOW_REPLY].flags;
	struct nlattr *nest;

	if (p->status_mask) {
		mnl_attr_put_u32(request, CTA_STATUS, htonl(p->status));
		mnl_attr_put_u32(request, CTA_STATUS_MASK, htonl(p->status_mask));
	}
	if (p->has_mark) {
		mnl_attr_put_u32(request, CTA_MARK, htonl(p->mark));
		mnl_attr_put_u32(request, CTA_MARK_MASK, htonl(p->mark_mask));
	}
	if (p->zone)
		mnl_attr_put_u16(request, CTA_ZONE, htons(p->zone));
	put_side(&p->side[FLOW_ORIG], CTA_TUPLE_ORIG, request);
	put_side(&p->side[FLOW_REPLY], CTA_TUPLE_REPLY, request);
	if (orig | reply) {
		nest = mnl_attr_nest_start(request, CTA_FILTER);
		if (orig)
			mnl_attr_put_u32(request, CTA_FILTER_ORIG_FLAGS, orig);
		if (reply)
			mnl_attr_put_u32(request, CTA_FILTER_REPLY_FLAGS, reply);
		mnl_attr_nest_end(request, nest);
	}
}

static void format_tuples(const struct pushdown *p, struct text *text)
{
	char buf[ADDR_TEXT_MAX], name[NAMES_TEXT_MAX];

	for (size_t i = 0; i < COUNT(address_keys); i++) {
		const struct pushdown_side *side = &p->side[address_keys[i].side];
		struct addr addr = {.family = p->family};

		if (!(side->flags & address_keys[i].flag))
			continue;
		memcpy(addr.bytes,
		       address_keys[i].flag == SIDE_SRC ? side->tuple.src : side->tuple.dst,
		       sizeof(addr.bytes));
		text_add(text, " %s %s", address_keys[i].option, addr_format(&addr, buf));
	}
	if (p->side[FLOW_ORIG].flags & SIDE_PROTOCOL)
		text_add(text, " -p %s", protocol_name(p->side[FLOW_ORIG].tuple.protocol, name));
	for (size_t i = 0; i < COUNT(port_keys); i++) {
		const struct pushdown_side *side = &p->side[port_keys[i].side];

		if (side->flags & port_keys[i].flag)
			text_add(text, " %s %u", port_keys[i].option,
				 port_keys[i].flag == SIDE_SPORT ? side->tuple.sport
								 : side->tuple.dport);
	}
}

void pushdown_format(const struct pushdown *p, char *buf, size_t size)
{
	struct text text;

	text_init(&text, buf, size);
	if (p->family)
		text_add(&text, " -f %s", family_name(p->family));
	format_tuples(p, &text);
	if (p->has_mark)
		text_add(&text, p->mark_mask == UINT32_MAX ? " -m %#x" : " -m %#x/%#x", p->mark,
			 p->mark_mask);
	if (p->zone)
		text_add(&text, " -w %u", p->zone);
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *name = status_bit_name(bit);

		if (!(p->status_mask >> bit & 1))
			continue;
		text_add(&text, p->status >> bit & 1 ? " -u " : " ! -u ");
		if (name)
			text_add(&text, "%s", name);
		else
			text_add(&text, "bit%u", bit);
	}
	if (text.len)
		memmove(buf, buf + 1, text.len); /* the first blank; takes the 0 along */
}
