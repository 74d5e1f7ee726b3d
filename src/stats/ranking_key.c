/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/ranking_key: which key an entry has in which ranking, and the words for keys. One row of
 * the table a ranking. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "flow/names.h"
#include "stats/ranking.h"

/* State keys of entries without a state: behind the numbers of states. */
enum { STATELESS_UNREPLIED = 0x100, STATELESS_REPLIED, STATELESS_ASSURED };

static const struct {
	const char *name;
	uint8_t prefix_len[2]; /* 0: the key is no address */
} infos[RANKING_BY_COUNT] = {
	[RANKING_BY_SOURCE] = {"source", {32, 64}},
	[RANKING_BY_PREFIX] = {"prefix", {24, 64}},
	[RANKING_BY_DESTINATION] = {"destination", {32, 128}},
	[RANKING_BY_SERVICE] = {"service", {0, 0}},
	[RANKING_BY_CLASS] = {"class", {0, 0}},
	[RANKING_BY_STATE] = {"state", {0, 0}},
	[RANKING_BY_ZONE] = {"zone", {0, 0}},
	[RANKING_BY_MARK] = {"mark", {0, 0}},
	[RANKING_BY_REPLY_SOURCE] = {"reply-source", {32, 128}},
};

const char *ranking_by_name(enum ranking_by by)
{
	return infos[by].name;
}

int ranking_by_parse(const char *text, enum ranking_by *ret_by)
{
	for (int by = 0; by < RANKING_BY_COUNT; by++) {
		if (strcmp(text, infos[by].name) == 0) {
			*ret_by = (enum ranking_by)by;
			return 0;
		}
	}
	return -EINVAL;
}

struct ranking_config ranking_config_default(enum ranking_by by)
{
	return (struct ranking_config){
		.by = by,
		.prefix_len = {infos[by].prefix_len[0], infos[by].prefix_len[1]},
	};
}

static void set_address(struct ranking_key *key, const struct ranking_config *config,
			uint8_t family, uint16_t zone, const uint8_t *address)
{
	unsigned len = config->prefix_len[family == AF_INET6], bits = addr_bits(family);

	if (len > bits)
		len = bits;
	key->family = family;
	key->zone = zone;
	if (len == 32) { /* most keys: a copy whose size the compiler knows */
		memcpy(key->addr, address, 4);
		return;
	}
	memcpy(key->addr, address, len / 8);
	if (len % 8)
		key->addr[len / 8] = (uint8_t)(address[len / 8] & 0xff << (8 - len % 8));
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static void set_service(struct ranking_key *key, const struct flow_tuple *orig)
{
	key->protocol = orig->protocol;
	key->value = is_icmp(orig->protocol) ? orig->dport >> 8 : orig->dport;
}

static void set_state(struct ranking_key *key, const struct flow *flow)
{
	key->protocol = flow->tuple[FLOW_ORIG].protocol;
	if ((flow->has & FLOW_HAS_STATE) && state_name(key->protocol, flow->state))
		key->value = flow->state;
	else if (flow->status & FLOW_STATUS_ASSURED)
		key->value = STATELESS_ASSURED;
	else if (flow->status & FLOW_STATUS_SEEN_REPLY)
		key->value = STATELESS_REPLIED;
	else
		key->value = STATELESS_UNREPLIED;
}

struct ranking_key ranking_key_of(const struct ranking_config *config, const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG], *reply = &flow->tuple[FLOW_REPLY];
	struct ranking_key key = {.value = 0};

	switch (config->by) {
	case RANKING_BY_SOURCE:
	case RANKING_BY_PREFIX:
		set_address(&key, config, orig->family, flow->zone, orig->src);
		break;
	case RANKING_BY_DESTINATION:
		set_address(&key, config, orig->family, flow->zone, orig->dst);
		break;
	case RANKING_BY_REPLY_SOURCE:
		/* Without a reply tuple nothing says that the destination was translated. */
		if (flow->has & FLOW_HAS_REPLY)
			set_address(&key, config, reply->family, flow->zone, reply->src);
		else
			set_address(&key, config, orig->family, flow->zone, orig->dst);
		break;
	case RANKING_BY_SERVICE:
		set_service(&key, orig);
		break;
	case RANKING_BY_CLASS:
		key.value = flow_class_of(flow);
		break;
	case RANKING_BY_STATE:
		set_state(&key, flow);
		break;
	case RANKING_BY_ZONE:
		key.value = flow->zone;
		break;
	case RANKING_BY_MARK:
		key.value = flow->mark;
		break;
	case RANKING_BY_COUNT:
		break;
	}
	return key;
}

static void address_text(struct text *t, const struct ranking_config *config,
			 const struct ranking_key *key)
{
	struct prefix prefix = {.addr = {.family = key->family},
				.len = config->prefix_len[key->family == AF_INET6]};
	char buf[ADDR_TEXT_MAX];

	memcpy(prefix.addr.bytes, key->addr, sizeof(prefix.addr.bytes));
	text_add(t, "%s", prefix_format(&prefix, buf));
	if (key->zone)
		text_add(t, " zone %u", key->zone);
}

static void service_text(struct text *t, const struct ranking_key *key)
{
	char name[NAMES_TEXT_MAX];

	text_add(t, "%s", protocol_name(key->protocol, name));
	switch (key->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		text_add(t, "/%u", key->value);
		break;
	default: /* no ports; GRE has its key there */
		if (key->value)
			text_add(t, "/%u", key->value);
		break;
	}
}

static const char *state_text(const struct ranking_key *key)
{
	const char *name;

	switch (key->value) {
	case STATELESS_UNREPLIED:
		return "unreplied";
	case STATELESS_REPLIED:
		return "replied";
	case STATELESS_ASSURED:
		return "assured";
	}
	name = state_name(key->protocol, (uint8_t)key->value);
	return name ? name : "UNKNOWN";
}

char *ranking_key_format(const struct ranking_config *config, const struct ranking_key *key,
			 char buf[RANKING_TEXT_MAX])
{
	char name[NAMES_TEXT_MAX];
	struct text t;

	text_init(&t, buf, RANKING_TEXT_MAX);
	switch (config->by) {
	case RANKING_BY_SOURCE:
	case RANKING_BY_PREFIX:
	case RANKING_BY_DESTINATION:
	case RANKING_BY_REPLY_SOURCE:
		address_text(&t, config, key);
		break;
	case RANKING_BY_SERVICE:
		service_text(&t, key);
		break;
	case RANKING_BY_CLASS:
		text_add(&t, "%s",
			 key->value < FLOW_CLASS_COUNT ? class_name((enum flow_class)key->value)
						       : "?");
		break;
	case RANKING_BY_STATE:
		text_add(&t, "%s %s", protocol_name(key->protocol, name), state_text(key));
		break;
	case RANKING_BY_ZONE:
		text_add(&t, "zone %u", key->value);
		break;
	case RANKING_BY_MARK:
		text_add(&t, "mark 0x%x", key->value);
		break;
	case RANKING_BY_COUNT:
		break;
	}
	return buf;
}
