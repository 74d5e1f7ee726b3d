/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost: attackers and servers of the gateway lab that keep nothing about a flow. As server it
 * answers SYN with SYN-ACK and, asked to, a datagram with a datagram. As client it opens flows at a
 * rate, each of them new: syn, est (the handshake is completed) or udp. Raw frames over one
 * interface of a namespace made for it; bounded in time. Frames are built and read in their IPv4
 * form; with --v6 they travel as IPv6: a.b.c.d is fd00:0:0:b::a.b.c.d. */
#include "../tools/nlct.h"
#include "prefix.h"
#include <getopt.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>

/* Several of these share the cores with the gateway: a round sends at most this many before it
 * looks for answers. */
#define BURST	   64
#define READ_BURST 256

struct l4 {
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		uint8_t room[64];
	};
};

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct l4 l4;
} __attribute__((packed));

struct frame6 {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct l4 l4;
} __attribute__((packed));

enum mode { MODE_SYN, MODE_EST, MODE_UDP };

struct ghost {
	const char *interface;
	enum mode mode;
	int server, udp_echo, v6, fd;
	struct prefix src, dst;
	uint16_t port_lo, port_hi;
	double rate0, rate, secs, on,
		off; /* flows a second at begin and end; seconds on and off in turn */
	uint8_t gateway[6], mac[6];
	uint64_t random, flow; /* flow: walks source x source port, so that every flow is new */
	long sent, answered, established;
};

static uint32_t draw(struct ghost *g)
{
	g->random ^= g->random << 13;
	g->random ^= g->random >> 7;
	g->random ^= g->random << 17;
	return g->random >> 16;
}

/* ---- frames ---- */

static uint32_t sum_add(const void *p, int n, uint32_t sum)
{
	const uint8_t *b = p;
	uint16_t word;

	for (; n > 1; n -= 2, b += 2) {
		memcpy(&word, b, 2);
		sum += word;
	}
	return n ? sum + *b : sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* addrs: both addresses as the pseudo header has them. */
static void seal_l4(struct l4 *l4, int protocol, int len, const void *addrs, int addrs_len)
{
	uint32_t sum = sum_add(addrs, addrs_len, htons(protocol) + htons(len));
	uint16_t check;

	if (protocol == IPPROTO_TCP) {
		l4->tcp.check = 0;
		l4->tcp.check = sum_fold(sum_add(l4, len, sum));
		return;
	}
	l4->udp.check = 0;
	check = sum_fold(sum_add(l4, len, sum));
	l4->udp.check = check ? check : 0xffff;
}

static void address6(void *to, uint32_t addr_be)
{
	uint8_t *a = to;

	memset(a, 0, 16);
	a[0] = 0xfd;
	a[7] = ((uint8_t *)&addr_be)[1];
	memcpy(a + 12, &addr_be, 4);
}

static int seal4(struct frame *f, int len)
{
	struct iphdr ip = f->ip;
	struct l4 l4 = f->l4;

	ip.ihl = 5;
	ip.version = 4;
	ip.ttl = 64;
	ip.tot_len = htons(sizeof ip + len);
	ip.check = 0;
	ip.check = sum_fold(sum_add(&ip, sizeof ip, 0));
	seal_l4(&l4, ip.protocol, len, (uint8_t *)&ip + offsetof(struct iphdr, saddr), 8);
	f->ip = ip;
	f->l4 = l4;
	return sizeof f->eth + sizeof ip + len;
}

static int seal6(const struct frame *f, struct frame6 *to, int len)
{
	struct ip6_hdr ip = {.ip6_flow = htonl(6u << 28)};
	struct l4 l4 = f->l4;

	ip.ip6_plen = htons(len);
	ip.ip6_nxt = f->ip.protocol;
	ip.ip6_hlim = 64;
	address6(&ip.ip6_src, f->ip.saddr);
	address6(&ip.ip6_dst, f->ip.daddr);
	seal_l4(&l4, ip.ip6_nxt, len, (uint8_t *)&ip + offsetof(struct ip6_hdr, ip6_src), 32);
	to->eth = f->eth;
	to->eth.h_proto = htons(ETH_P_IPV6);
	to->ip = ip;
	to->l4 = l4;
	return sizeof to->eth + sizeof ip + len;
}

/* A full transmit queue is waited for, at most 10 ms. */
static void transmit(struct ghost *g, struct frame *f, int l4_len)
{
	struct frame6 six;
	int len = g->v6 ? seal6(f, &six, l4_len) : seal4(f, l4_len);

	for (int i = 0; i < 50; i++) {
		if (send(g->fd, g->v6 ? (void *)&six : (void *)f, len, 0) >= 0)
			return;
		if (errno != ENOBUFS && errno != EAGAIN)
			return;
		usleep(200);
	}
}

/* 1: a frame to look at, 0: one that is none of ours, -1: no more. */
static int receive(struct ghost *g, struct frame *f)
{
	struct frame6 six;
	ssize_t n;

	memset(f, 0, sizeof *f);
	if (!g->v6) {
		n = recv(g->fd, f, sizeof *f, MSG_DONTWAIT);
		return n < 0 ? -1 : n >= 42 && f->ip.ihl == 5;
	}
	n = recv(g->fd, &six, sizeof six, MSG_DONTWAIT);
	if (n < 0)
		return -1;
	if (n < 62 || (six.ip.ip6_nxt != IPPROTO_TCP && six.ip.ip6_nxt != IPPROTO_UDP))
		return 0;
	f->eth = six.eth;
	f->ip.protocol = six.ip.ip6_nxt;
	memcpy(&f->ip.saddr, six.ip.ip6_src.s6_addr + 12, 4);
	memcpy(&f->ip.daddr, six.ip.ip6_dst.s6_addr + 12, 4);
	f->l4 = six.l4;
	return 1;
}

static void frame_begin(struct ghost *g, struct frame *f, const uint8_t *to)
{
	memset(f, 0, sizeof *f);
	memcpy(f->eth.h_dest, to, 6);
	memcpy(f->eth.h_source, g->mac, 6);
	f->eth.h_proto = htons(ETH_P_IP);
}

static void send_udp(struct ghost *g, struct frame *f)
{
	f->ip.protocol = IPPROTO_UDP;
	f->l4.udp.len = htons(16); /* 8 bytes of nothing */
	transmit(g, f, 16);
}

static void send_tcp(struct ghost *g, struct frame *f)
{
	f->ip.protocol = IPPROTO_TCP;
	f->l4.tcp.doff = 5;
	f->l4.tcp.window = htons(64240);
	transmit(g, f, sizeof f->l4.tcp);
}

/* ---- what it does ---- */

static void open_flow(struct ghost *g)
{
	uint64_t k = g->flow++;
	struct frame f;
	uint16_t sport = htons(1024 + k / g->src.span % 64000);
	uint16_t dport = htons(g->port_lo + draw(g) % (g->port_hi - g->port_lo + 1));

	frame_begin(g, &f, g->gateway);
	f.ip.saddr = htonl(g->src.base + (uint32_t)(k * 2654435761u % g->src.span));
	f.ip.daddr = htonl(g->dst.base + draw(g) % g->dst.span);
	if (g->mode == MODE_UDP) {
		f.l4.udp.source = sport;
		f.l4.udp.dest = dport;
		send_udp(g, &f);
	} else {
		f.l4.tcp.source = sport;
		f.l4.tcp.dest = dport;
		f.l4.tcp.seq = htonl(draw(g));
		f.l4.tcp.syn = 1;
		send_tcp(g, &f);
	}
	g->sent++;
}

static void answer_tcp(struct ghost *g, const struct frame *in, struct frame *f)
{
	const struct tcphdr tcp = in->l4.tcp;

	f->l4.tcp.source = tcp.dest;
	f->l4.tcp.dest = tcp.source;
	f->l4.tcp.ack = 1;
	f->l4.tcp.ack_seq = htonl(ntohl(tcp.seq) + 1);
	if (g->server && tcp.syn && !tcp.ack) {
		f->l4.tcp.syn = 1;
		f->l4.tcp.seq = htonl(0x1000);
		send_tcp(g, f);
		g->answered++;
	} else if (!g->server && g->mode == MODE_EST && tcp.syn && tcp.ack) {
		f->l4.tcp.seq = tcp.ack_seq;
		send_tcp(g, f);
		g->established++;
	}
}

static void answer(struct ghost *g, const struct frame *in)
{
	const struct prefix *mine = g->server ? &g->dst : &g->src;
	struct frame f;

	if (!prefix_has(mine, ntohl(in->ip.daddr)))
		return;
	frame_begin(g, &f, in->eth.h_source);
	f.ip.saddr = in->ip.daddr;
	f.ip.daddr = in->ip.saddr;
	if (in->ip.protocol == IPPROTO_TCP) {
		answer_tcp(g, in, &f);
	} else if (in->ip.protocol == IPPROTO_UDP && g->server && g->udp_echo) {
		f.l4.udp.source = in->l4.udp.dest;
		f.l4.udp.dest = in->l4.udp.source;
		send_udp(g, &f);
		g->answered++;
	}
}

/* Flows due after t seconds: a ramp from rate0 to rate, in the seconds that are on. */
static long flows_due(const struct ghost *g, double t)
{
	double period = g->on + g->off;

	if (g->off > 0)
		t = floor(t / period) * g->on + fmin(fmod(t, period), g->on);
	return (long)(t * g->rate0 + t * t * (g->rate - g->rate0) / (2 * g->secs));
}

static void run(struct ghost *g)
{
	double begin = now_s(), t;
	struct frame in;

	while ((t = now_s() - begin) < g->secs) {
		struct pollfd p = {g->fd, POLLIN, 0};
		int behind = 0, got;

		if (!g->server) {
			long due = flows_due(g, t) - g->sent;

			behind = due > BURST;
			for (int i = 0; i < due && i < BURST; i++)
				open_flow(g);
		}
		if (poll(&p, 1, g->server ? 100 : !behind) <= 0)
			continue;
		for (int i = 0; i < READ_BURST && (got = receive(g, &in)) >= 0; i++)
			if (got)
				answer(g, &in);
	}
}

/* ---- start ---- */

static void usage(void)
{
	fprintf(stderr, "ghost --if NAME --server --dst PREFIX [--udp-echo] [--v6] --secs N\n"
			"ghost --if NAME --gw MAC --src PREFIX --dst PREFIX --dport N[-N] --mode "
			"syn|est|udp\n"
			"      --rate N [--rate0 N] [--on N --off N] [--seed N] [--v6] --secs N\n");
	exit(2);
}

static void parse_ports(struct ghost *g, const char *text)
{
	const char *dash = strchr(text, '-');

	g->port_lo = atoi(text);
	g->port_hi = dash ? atoi(dash + 1) : g->port_lo;
	if (g->port_hi < g->port_lo)
		usage();
}

static enum mode parse_mode(const char *text)
{
	if (!strcmp(text, "syn"))
		return MODE_SYN;
	if (!strcmp(text, "est"))
		return MODE_EST;
	if (strcmp(text, "udp"))
		usage();
	return MODE_UDP;
}

static void parse_option(struct ghost *g, int c, const char *text)
{
	uint8_t *m = g->gateway;

	switch (c) {
	case 'i':
		g->interface = text;
		break;
	case 'S':
		g->server = 1;
		break;
	case 'e':
		g->udp_echo = 1;
		break;
	case '6':
		g->v6 = 1;
		break;
	case 's':
		g->src = parse_prefix(text);
		break;
	case 'd':
		g->dst = parse_prefix(text);
		break;
	case 'p':
		parse_ports(g, text);
		break;
	case 'm':
		g->mode = parse_mode(text);
		break;
	case 'r':
		g->rate = atof(text);
		break;
	case '0':
		g->rate0 = atof(text);
		break;
	case 'o':
		g->on = atof(text);
		break;
	case 'f':
		g->off = atof(text);
		break;
	case 't':
		g->secs = atof(text);
		break;
	case 'x':
		g->random ^= strtoull(text, NULL, 0) * 0x9e3779b97f4a7c15ull;
		break;
	case 'g':
		if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4,
			   m + 5) != 6)
			usage();
		break;
	default:
		usage();
	}
}

static void parse_options(struct ghost *g, int argc, char **argv)
{
	static const struct option options[] = {
		{"if", 1, 0, 'i'},   {"server", 0, 0, 'S'}, {"udp-echo", 0, 0, 'e'},
		{"v6", 0, 0, '6'},   {"gw", 1, 0, 'g'},	    {"src", 1, 0, 's'},
		{"dst", 1, 0, 'd'},  {"dport", 1, 0, 'p'},  {"mode", 1, 0, 'm'},
		{"rate", 1, 0, 'r'}, {"rate0", 1, 0, '0'},  {"on", 1, 0, 'o'},
		{"off", 1, 0, 'f'},  {"secs", 1, 0, 't'},   {"seed", 1, 0, 'x'},
		{0, 0, 0, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(g, c, optarg);
	if (optind != argc || !g->interface || !g->dst.span || g->secs <= 0 ||
	    (!g->server && !g->src.span))
		usage();
	if (g->rate0 < 0)
		g->rate0 = g->rate;
	g->flow = g->random >> 8;
}

static void open_interface(struct ghost *g)
{
	int one = 1, buffer = 64 << 20;
	uint16_t protocol = htons(g->v6 ? ETH_P_IPV6 : ETH_P_IP);
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = protocol};
	struct ifreq request = {0};

	link.sll_ifindex = (int)if_nametoindex(g->interface);
	g->fd = socket(AF_PACKET, SOCK_RAW, protocol);
	if (g->fd < 0 || bind(g->fd, (struct sockaddr *)&link, sizeof link) < 0)
		die(g->interface);
	setsockopt(g->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
	setsockopt(g->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
	setsockopt(g->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", g->interface);
	if (ioctl(g->fd, SIOCGIFHWADDR, &request) < 0)
		die("hardware address");
	memcpy(g->mac, request.ifr_hwaddr.sa_data, 6);
}

int main(int argc, char **argv)
{
	struct ghost g = {
		.port_lo = 80, .port_hi = 80, .rate0 = -1, .on = 1, .random = 88172645463325252ull};

	parse_options(&g, argc, argv);
	open_interface(&g);
	run(&g);
	printf("sent=%ld answered=%ld established=%ld\n", g.sent, g.answered, g.established);
	return 0;
}
