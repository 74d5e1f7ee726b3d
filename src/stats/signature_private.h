/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/signature_private: a flow made ready for comparison. Private to stats/signature*.c. */
#ifndef CTWARDEN_STATS_SIGNATURE_PRIVATE_H
#define CTWARDEN_STATS_SIGNATURE_PRIVATE_H

#include <netinet/in.h>
#include <string.h>

#include "stats/signature.h"

#define CLASSES_ALL	  ((uint16_t)((1u << FLOW_CLASS_COUNT) - 1))
#define CLASSES_NO_PICKUP ((uint16_t)(CLASSES_ALL & ~(1u << FLOW_CLASS_PICKUP)))

/* Whether base_share, growth and base say that it would hit what was there before. */
bool signature_hits_base(const struct signature *signature, const struct signature_config *config);

struct look {
	uint64_t src[2], dst[2];
	uint16_t port, zone, zone_reply, class_bit;
	uint8_t family, protocol;
};

static inline struct look look_at_brief(const struct flow_brief *brief)
{
	struct look look = {.port = brief->dport,
			    .zone = brief->zone,
			    .zone_reply = brief->zone,
			    .class_bit = (uint16_t)(1u << brief->class),
			    .family = brief->family,
			    .protocol = brief->protocol};

	memcpy(look.src, brief->src, sizeof(look.src));
	memcpy(look.dst, brief->dst, sizeof(look.dst));
	return look;
}

static inline bool look_fits(const struct signature_pattern *p, const struct look *look)
{
	uint64_t off = ((look->src[0] & p->src_mask[0]) ^ p->src[0]) |
		       ((look->src[1] & p->src_mask[1]) ^ p->src[1]) |
		       ((look->dst[0] & p->dst_mask[0]) ^ p->dst[0]) |
		       ((look->dst[1] & p->dst_mask[1]) ^ p->dst[1]);

	return !off && (p->classes & look->class_bit) &&
	       (!p->family || p->family == look->family) &&
	       (!p->has_protocol || p->protocol == look->protocol) &&
	       (!p->has_port || p->port == look->port) &&
	       (!p->has_zone || p->zone == look->zone || p->zone == look->zone_reply);
}

static inline bool signature_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

#endif
