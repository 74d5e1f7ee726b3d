/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_lab: a network namespace of our own and entries in it, made by raw ctnetlink (the tools'
 * side, not the program's). */
#ifndef CTWARDEN_TESTS_KERNEL_LAB_H
#define CTWARDEN_TESTS_KERNEL_LAB_H

#include <sched.h>

#include "../tools/nlct.h"

struct lab_entry {
	struct ct_tuple orig, reply;
	uint32_t status, timeout, mark;
	uint16_t zone, zone_orig, zone_reply; /* zone: of both directions; else of one */
	uint8_t tcp_state, labels;
	uint8_t snat, dnat; /* translate that side; IPv4 only */
	const char *helper;
};

/* Everything below happens in a namespace of this process alone. False: not allowed. */
static inline int lab_enter(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static inline void lab_put_zoned_tuple(struct nlb *b, int type, const struct ct_tuple *t,
				       uint16_t zone)
{
	size_t at = b->len;

	nlb_tuple(b, type, t);
	if (zone) {
		nlb_be16(b, CTA_TUPLE_ZONE, zone);
		nlb_nest_end(b, at);
	}
}

static inline void lab_put_options(struct nlb *b, const struct lab_entry *e)
{
	uint8_t labels[16] = {e->labels};
	size_t n, m;

	if (e->mark)
		nlb_be32(b, CTA_MARK, e->mark);
	if (e->zone)
		nlb_be16(b, CTA_ZONE, e->zone);
	if (e->labels)
		nlb_put(b, CTA_LABELS, labels, sizeof(labels));
	if (e->orig.proto == IPPROTO_TCP) {
		n = nlb_nest(b, CTA_PROTOINFO);
		m = nlb_nest(b, CTA_PROTOINFO_TCP);
		nlb_u8(b, CTA_PROTOINFO_TCP_STATE, e->tcp_state);
		nlb_nest_end(b, m);
		nlb_nest_end(b, n);
	}
	for (int i = 0; i < 2; i++) {
		if (!(i ? e->dnat : e->snat))
			continue;
		n = nlb_nest(b, i ? CTA_NAT_DST : CTA_NAT_SRC);
		nlb_be32(b, CTA_NAT_V4_MINIP, i ? 0xcb007102 : 0xcb007101);
		nlb_be32(b, CTA_NAT_V4_MAXIP, i ? 0xcb007102 : 0xcb007101);
		nlb_nest_end(b, n);
	}
	if (e->helper) {
		n = nlb_nest(b, CTA_HELP);
		nlb_put(b, CTA_HELP_NAME, e->helper, strlen(e->helper) + 1);
		nlb_nest_end(b, n);
	}
}

/* Creates (or updates: flags 0) one entry. 0 or an errno. */
static inline int lab_create(int fd, const struct lab_entry *e, int flags)
{
	uint8_t buf[1024] __attribute__((aligned(8)));
	struct nlb b = {.p = buf, .cap = sizeof(buf)};

	nlb_msg(&b, IPCTNL_MSG_CT_NEW, flags | NLM_F_ACK, e->orig.family, 1);
	lab_put_zoned_tuple(&b, CTA_TUPLE_ORIG, &e->orig, e->zone_orig);
	lab_put_zoned_tuple(&b, CTA_TUPLE_REPLY, &e->reply, e->zone_reply);
	nlb_be32(&b, CTA_STATUS, e->status);
	nlb_be32(&b, CTA_TIMEOUT, e->timeout);
	lab_put_options(&b, e);
	nlb_end(&b);
	nl_send(fd, b.p, b.len);
	return nl_ack(fd);
}

static inline int lab_delete(int fd, const struct lab_entry *e)
{
	uint8_t buf[512] __attribute__((aligned(8)));
	struct nlb b = {.p = buf, .cap = sizeof(buf)};

	nlb_msg(&b, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, e->orig.family, 1);
	nlb_tuple(&b, CTA_TUPLE_ORIG, &e->orig);
	if (e->zone)
		nlb_be16(&b, CTA_ZONE, e->zone);
	nlb_end(&b);
	nl_send(fd, b.p, b.len);
	return nl_ack(fd);
}

/* Entry number i of udp flows that never clash. */
static inline struct lab_entry lab_udp(unsigned i)
{
	struct lab_entry e = {.status = IPS_CONFIRMED, .timeout = 3600};
	uint32_t src = htonl(0x0a000001 + i / 50000), dst = htonl(0xc0000201);

	e.orig.family = AF_INET;
	e.orig.proto = IPPROTO_UDP;
	e.orig.sport = 1024 + i % 50000;
	e.orig.dport = 53;
	memcpy(e.orig.src, &src, 4);
	memcpy(e.orig.dst, &dst, 4);
	e.reply = ct_reply(&e.orig);
	return e;
}

/* A small world, so that exact filters hit: 12 sources, 6 destinations, 5 ports, 4 marks, zones of
 * all kinds. */
static inline struct lab_entry lab_random(uint64_t *seed)
{
	static const uint8_t protocols[] = {IPPROTO_TCP,  IPPROTO_TCP,	   IPPROTO_UDP,
					    IPPROTO_UDP,  IPPROTO_ICMP,	   IPPROTO_GRE,
					    IPPROTO_SCTP, IPPROTO_UDPLITE, 50};
	static const uint16_t ports[] = {53, 80, 443, 22, 8080};
	struct lab_entry e = {.status = IPS_CONFIRMED, .timeout = 3600 + rnd64(seed) % 1000};
	unsigned zone = rnd64(seed) % 10;

	e.orig.family = rnd64(seed) % 4 ? AF_INET : AF_INET6;
	e.orig.proto = protocols[rnd64(seed) % sizeof(protocols)];
	if (e.orig.proto == IPPROTO_ICMP && e.orig.family == AF_INET6)
		e.orig.proto = IPPROTO_ICMPV6;
	if (e.orig.family == AF_INET) {
		memcpy(e.orig.src, (uint8_t[]){10, 0, rnd64(seed) % 3, 1 + rnd64(seed) % 4}, 4);
		memcpy(e.orig.dst, (uint8_t[]){192, 0, 2, 1 + rnd64(seed) % 6}, 4);
	} else {
		memcpy(e.orig.src, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0, rnd64(seed) % 3}, 6);
		e.orig.src[15] = 1 + rnd64(seed) % 4;
		memcpy(e.orig.dst, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0xff}, 5);
		e.orig.dst[15] = 1 + rnd64(seed) % 6;
	}
	e.orig.sport = 1024 + rnd64(seed) % 40;
	e.orig.dport = ports[rnd64(seed) % 5];
	if (e.orig.proto == IPPROTO_ICMP || e.orig.proto == IPPROTO_ICMPV6)
		e.orig.dport = (e.orig.proto == IPPROTO_ICMP ? 8 : 128) << 8;
	e.reply = ct_reply(&e.orig);
	if (rnd64(seed) % 10 >= 3)
		e.status |= rnd64(seed) % 3 ? IPS_SEEN_REPLY | IPS_ASSURED : IPS_SEEN_REPLY;
	e.tcp_state = 1 + rnd64(seed) % 8;
	e.mark = rnd64(seed) % 3 ? (rnd64(seed) % 3) << 8 | rnd64(seed) % 2 : 0;
	e.zone = zone == 0 ? 3 : zone == 1 ? 7 : 0;
	e.zone_orig = zone == 2 ? 5 : 0;
	e.zone_reply = zone == 3 ? 6 : 0;
	e.labels = rnd64(seed) % 8 ? 0 : 1 << rnd64(seed) % 3;
	if (e.orig.family == AF_INET &&
	    (e.orig.proto == IPPROTO_TCP || e.orig.proto == IPPROTO_UDP)) {
		e.snat = rnd64(seed) % 6 == 0;
		e.dnat = rnd64(seed) % 6 == 0;
	}
	return e;
}

#endif
