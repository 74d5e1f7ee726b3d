/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nlct: raw ctnetlink for the test tools. No library and none of the program's code, on purpose:
 * the tools are the floor the program is compared with, and the independent side of its tests. They
 * end with a message on any error. */
#ifndef CTWARDEN_TESTS_NLCT_H
#define CTWARDEN_TESTS_NLCT_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define CT_TYPE(msg) ((NFNL_SUBSYS_CTNETLINK << 8) | (msg))

struct ct_tuple {
	uint8_t family, proto;
	uint16_t sport, dport; /* host order; ICMP: sport = id, dport = type<<8|code */
	uint8_t src[16], dst[16];
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- clock ---- */

struct usage {
	double wall, user, sys;
};

static inline double now_s(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static inline struct usage usage_now(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (struct usage){now_s(), r.ru_utime.tv_sec + r.ru_utime.tv_usec * 1e-6,
			      r.ru_stime.tv_sec + r.ru_stime.tv_usec * 1e-6};
}

static inline struct usage usage_since(struct usage a)
{
	struct usage b = usage_now();
	return (struct usage){b.wall - a.wall, b.user - a.user, b.sys - a.sys};
}

static inline long peak_rss_kb(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss;
}

/* ---- random ---- */

static inline uint64_t rnd64(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline double rnd01(uint64_t *s)
{
	return (rnd64(s) >> 11) * 0x1p-53;
}

/* ---- socket ---- */

static inline int nl_open(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK};
	int one = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die("netlink socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
	return fd;
}

/* Sets the receive buffer and returns what the kernel granted. */
static inline int nl_rcvbuf(int fd, int bytes)
{
	socklen_t l = sizeof bytes;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &l);
	return bytes;
}

static inline void nl_sndbuf(int fd, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static inline void nl_join(int fd, int group)
{
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		die("join group");
}

static inline void nl_send(int fd, const void *p, size_t len)
{
	struct sockaddr_nl k = {.nl_family = AF_NETLINK};
	if (sendto(fd, p, len, 0, (struct sockaddr *)&k, sizeof k) < 0)
		die("netlink send");
}

/* ---- message building: many messages packed in one buffer ---- */

struct nlb {
	uint8_t *p;
	size_t len, cap;
	unsigned msgs;
	struct nlmsghdr *h;
};

static inline struct nlb nlb_new(size_t cap)
{
	struct nlb b = {.p = malloc(cap), .cap = cap};
	if (!b.p)
		die("malloc");
	return b;
}

static inline void nlb_reset(struct nlb *b)
{
	b->len = 0;
	b->msgs = 0;
}

static inline void nlb_msg(struct nlb *b, int msg, int flags, uint8_t family, uint32_t seq)
{
	struct nfgenmsg *g;
	b->h = (struct nlmsghdr *)(b->p + b->len);
	*b->h = (struct nlmsghdr){
		.nlmsg_type = CT_TYPE(msg), .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = seq};
	g = NLMSG_DATA(b->h);
	*g = (struct nfgenmsg){.nfgen_family = family, .version = NFNETLINK_V0};
	b->len += NLMSG_LENGTH(sizeof *g);
	b->msgs++;
}

static inline void nlb_end(struct nlb *b)
{
	b->h->nlmsg_len = b->p + b->len - (uint8_t *)b->h;
	b->len = NLMSG_ALIGN(b->len);
}

static inline void nlb_put(struct nlb *b, int type, const void *d, size_t n)
{
	struct nlattr *a = (struct nlattr *)(b->p + b->len);
	if (b->len + NLA_HDRLEN + NLA_ALIGN(n) > b->cap) {
		fprintf(stderr, "message buffer too small\n");
		exit(1);
	}
	a->nla_type = (uint16_t)type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + n);
	memcpy((uint8_t *)a + NLA_HDRLEN, d, n);
	memset((uint8_t *)a + NLA_HDRLEN + n, 0, NLA_ALIGN(n) - n);
	b->len += NLA_HDRLEN + NLA_ALIGN(n);
}

static inline void nlb_u8(struct nlb *b, int t, uint8_t v)
{
	nlb_put(b, t, &v, 1);
}
static inline void nlb_be16(struct nlb *b, int t, uint16_t v)
{
	v = htons(v);
	nlb_put(b, t, &v, 2);
}
static inline void nlb_be32(struct nlb *b, int t, uint32_t v)
{
	v = htonl(v);
	nlb_put(b, t, &v, 4);
}

static inline size_t nlb_nest(struct nlb *b, int type)
{
	size_t at = b->len;
	nlb_put(b, type | NLA_F_NESTED, "", 0);
	return at;
}

static inline void nlb_nest_end(struct nlb *b, size_t at)
{
	((struct nlattr *)(b->p + at))->nla_len = (uint16_t)(b->len - at);
}

static inline int is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static inline void nlb_tuple(struct nlb *b, int type, const struct ct_tuple *t)
{
	size_t tup = nlb_nest(b, type), n = nlb_nest(b, CTA_TUPLE_IP);
	if (t->family == AF_INET) {
		nlb_put(b, CTA_IP_V4_SRC, t->src, 4);
		nlb_put(b, CTA_IP_V4_DST, t->dst, 4);
	} else {
		nlb_put(b, CTA_IP_V6_SRC, t->src, 16);
		nlb_put(b, CTA_IP_V6_DST, t->dst, 16);
	}
	nlb_nest_end(b, n);
	n = nlb_nest(b, CTA_TUPLE_PROTO);
	nlb_u8(b, CTA_PROTO_NUM, t->proto);
	if (is_icmp(t->proto)) {
		int v6 = t->proto == IPPROTO_ICMPV6;
		nlb_be16(b, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, t->sport);
		nlb_u8(b, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, t->dport >> 8);
		nlb_u8(b, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, t->dport & 255);
	} else {
		nlb_be16(b, CTA_PROTO_SRC_PORT, t->sport);
		nlb_be16(b, CTA_PROTO_DST_PORT, t->dport);
	}
	nlb_nest_end(b, n);
	nlb_nest_end(b, tup);
}

static inline struct ct_tuple ct_reply(const struct ct_tuple *t)
{
	struct ct_tuple r = *t;
	memcpy(r.src, t->dst, 16);
	memcpy(r.dst, t->src, 16);
	if (t->proto == IPPROTO_ICMP) {
		r.dport = 0; /* echo reply */
	} else if (t->proto == IPPROTO_ICMPV6) {
		r.dport = 129 << 8;
	} else {
		r.sport = t->dport;
		r.dport = t->sport;
	}
	return r;
}

/* ---- message reading: raw attribute walk ---- */

#define nla_data(a) ((uint8_t *)(a) + NLA_HDRLEN)
#define nla_kind(a) ((a)->nla_type & NLA_TYPE_MASK)
#define nla_each(a, start, end)                                                                    \
	for (struct nlattr *a = (struct nlattr *)(start);                                          \
	     (uint8_t *)a + NLA_HDRLEN <= (uint8_t *)(end) && (a)->nla_len >= NLA_HDRLEN;          \
	     a = (struct nlattr *)((uint8_t *)a + NLA_ALIGN(a->nla_len)))
#define nla_each_in(a, nest) nla_each(a, nla_data(nest), (uint8_t *)(nest) + (nest)->nla_len)

static inline uint32_t get_be32(const struct nlattr *a)
{
	uint32_t v;
	memcpy(&v, nla_data(a), 4);
	return ntohl(v);
}
static inline uint64_t get_be64(const struct nlattr *a)
{
	uint64_t v;
	memcpy(&v, nla_data(a), 8);
	return __builtin_bswap64(v);
}
static inline uint16_t get_be16(const struct nlattr *a)
{
	uint16_t v;
	memcpy(&v, nla_data(a), 2);
	return ntohs(v);
}

static inline uint8_t *msg_attrs(const struct nlmsghdr *h)
{
	return (uint8_t *)h + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
}

static inline void read_tuple(struct ct_tuple *t, struct nlattr *tup)
{
	nla_each_in(n, tup)
	{
		if (nla_kind(n) == CTA_TUPLE_IP) {
			nla_each_in(a, n) switch (nla_kind(a))
			{
			case CTA_IP_V4_SRC:
				memcpy(t->src, nla_data(a), 4);
				break;
			case CTA_IP_V4_DST:
				memcpy(t->dst, nla_data(a), 4);
				break;
			case CTA_IP_V6_SRC:
				memcpy(t->src, nla_data(a), 16);
				break;
			case CTA_IP_V6_DST:
				memcpy(t->dst, nla_data(a), 16);
				break;
			}
		} else if (nla_kind(n) == CTA_TUPLE_PROTO) {
			nla_each_in(a, n) switch (nla_kind(a))
			{
			case CTA_PROTO_NUM:
				t->proto = *nla_data(a);
				break;
			case CTA_PROTO_SRC_PORT:
				t->sport = get_be16(a);
				break;
			case CTA_PROTO_DST_PORT:
				t->dport = get_be16(a);
				break;
			case CTA_PROTO_ICMP_ID:
			case CTA_PROTO_ICMPV6_ID:
				t->sport = get_be16(a);
				break;
			case CTA_PROTO_ICMP_TYPE:
			case CTA_PROTO_ICMPV6_TYPE:
				t->dport |= *nla_data(a) << 8;
				break;
			case CTA_PROTO_ICMP_CODE:
			case CTA_PROTO_ICMPV6_CODE:
				t->dport |= *nla_data(a);
				break;
			}
		}
	}
}

struct ct_info {
	struct ct_tuple orig;
	uint32_t status, timeout, mark, id;
	uint16_t zone;
	uint8_t tcp_state, has_timeout;
};

static inline void read_ct(struct ct_info *c, struct nlmsghdr *h)
{
	memset(c, 0, sizeof *c);
	c->orig.family = ((struct nfgenmsg *)NLMSG_DATA(h))->nfgen_family;
	nla_each(a, msg_attrs(h), (uint8_t *)h + h->nlmsg_len) switch (nla_kind(a))
	{
	case CTA_TUPLE_ORIG:
		read_tuple(&c->orig, a);
		break;
	case CTA_STATUS:
		c->status = get_be32(a);
		break;
	case CTA_TIMEOUT:
		c->timeout = get_be32(a);
		c->has_timeout = 1;
		break;
	case CTA_MARK:
		c->mark = get_be32(a);
		break;
	case CTA_ID:
		c->id = get_be32(a);
		break;
	case CTA_ZONE:
		c->zone = get_be16(a);
		break;
	case CTA_PROTOINFO:
		nla_each_in(p, a) if (nla_kind(p) == CTA_PROTOINFO_TCP)
			nla_each_in(s, p) if (nla_kind(s) == CTA_PROTOINFO_TCP_STATE)
				c->tcp_state = *nla_data(s);
		break;
	}
}

/* Reads pending errors of un-ACKed batches; returns how many, keeps the last errno. */
static inline unsigned nl_drain(int fd, int *last_err)
{
	uint8_t buf[65536];
	unsigned n = 0;
	for (;;) {
		ssize_t len = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS) {
			n++;
			continue;
		}
		if (len <= 0)
			return n;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, (size_t)len);
		     h = NLMSG_NEXT(h, len)) {
			struct nlmsgerr *e = NLMSG_DATA(h);
			if (h->nlmsg_type == NLMSG_ERROR && e->error) {
				n++;
				if (last_err)
					*last_err = -e->error;
			}
		}
	}
}

/* Waits for the ACK of the message just sent; returns 0 or an errno. */
static inline int nl_ack(int fd)
{
	uint8_t buf[8192];
	for (;;) {
		ssize_t len = recv(fd, buf, sizeof buf, 0);
		if (len < 0)
			return errno;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, (size_t)len);
		     h = NLMSG_NEXT(h, len))
			if (h->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
	}
}

#endif
