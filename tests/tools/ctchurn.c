/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctchurn: makes conntrack events at a given rate.
 * nl: creates and deletes entries by ctnetlink (one NEW and one DESTROY each);
 * udp: one packet a flow through a raw socket (NEW; DESTROY when it times out), loopback or own
 * veth addresses only; tcp: opens and closes real connections to a listener on loopback. */
#include "nlct.h"
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/wait.h>

static struct opts {
	double rate, secs;
	uint32_t batch, live, sources;
	uint64_t seed, count;
	int update;
	const char *dst;
	uint32_t src_base;
} o = {.rate = 0,
       .secs = 5,
       .batch = 64,
       .live = 1000,
       .sources = 1000,
       .seed = 1,
       .dst = "127.0.0.1",
       .src_base = 0x7f010000};

static uint64_t done_flows;
static unsigned errors;
static int last_err;

/* How many flows may start now, at most one batch; waits when ahead of the rate. */
static uint32_t allowance(double t0)
{
	for (;;) {
		double due, t = now_s() - t0;
		if (t >= o.secs || (o.count && done_flows >= o.count))
			return 0;
		due = o.rate > 0 ? t * o.rate - done_flows : o.batch;
		if (due > o.batch)
			due = o.batch;
		if (o.count && due > o.count - done_flows)
			due = o.count - done_flows;
		if (due >= 1)
			return due;
		usleep(200);
	}
}

static void flow_tuple(struct ct_tuple *t, uint64_t i)
{
	uint64_t s = o.seed + i % o.sources;
	uint32_t src = htonl(0x0a800001 + rnd64(&s) % o.sources),
		 dst = htonl(0xc6130000 + (i / 60000) % 4096);
	memset(t, 0, sizeof *t);
	t->family = AF_INET;
	t->proto = IPPROTO_UDP;
	t->sport = 1024 + i % 60000;
	t->dport = 53;
	memcpy(t->src, &src, 4);
	memcpy(t->dst, &dst, 4);
}

static void put_delete(struct nlb *b, uint64_t i)
{
	struct ct_tuple t;

	flow_tuple(&t, i);
	nlb_msg(b, IPCTNL_MSG_CT_DELETE, 0, AF_INET, 0);
	nlb_tuple(b, CTA_TUPLE_ORIG, &t);
	nlb_end(b);
}

static void put_flow(struct nlb *b, uint64_t i)
{
	struct ct_tuple t, r;

	flow_tuple(&t, i);
	r = ct_reply(&t);
	nlb_msg(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, AF_INET, 0);
	nlb_tuple(b, CTA_TUPLE_ORIG, &t);
	nlb_tuple(b, CTA_TUPLE_REPLY, &r);
	nlb_be32(b, CTA_STATUS, IPS_CONFIRMED);
	nlb_be32(b, CTA_TIMEOUT, 60);
	nlb_end(b);
	if (o.update) {
		nlb_msg(b, IPCTNL_MSG_CT_NEW, 0, AF_INET, 0);
		nlb_tuple(b, CTA_TUPLE_ORIG, &t);
		nlb_be32(b, CTA_MARK, 1);
		nlb_end(b);
	}
	if (i >= o.live)
		put_delete(b, i - o.live);
}

static void run_nl(double t0)
{
	int fd = nl_open();
	struct nlb b = nlb_new(o.batch * 640 + 4096);
	uint32_t n;

	nl_rcvbuf(fd, 4 << 20);
	nl_sndbuf(fd, (int)b.cap * 2);
	while ((n = allowance(t0))) {
		nlb_reset(&b);
		for (uint32_t k = 0; k < n; k++, done_flows++)
			put_flow(&b, done_flows);
		nl_send(fd, b.p, b.len);
		errors += nl_drain(fd, &last_err);
	}
	for (uint64_t i = done_flows > o.live ? done_flows - o.live : 0; i < done_flows; i++) {
		nlb_reset(&b);
		put_delete(&b, i);
		nl_send(fd, b.p, b.len);
		errors += nl_drain(fd, &last_err);
	}
	free(b.p);
}

static uint16_t ip_sum(const void *p, int n)
{
	const uint16_t *w = p;
	uint32_t s = 0;
	for (int i = 0; i < n / 2; i++)
		s += w[i];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	char data[4];
};

static void run_udp(double t0)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), big = 8 << 20;
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct packet *pkt = calloc(o.batch, sizeof *pkt);
	struct mmsghdr *mm = calloc(o.batch, sizeof *mm);
	struct iovec *iov = calloc(o.batch, sizeof *iov);
	uint32_t n;
	if (fd < 0 || inet_pton(AF_INET, o.dst, &to.sin_addr) != 1)
		die("raw socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
	for (uint32_t k = 0; k < o.batch; k++) {
		pkt[k].ip = (struct iphdr){.version = 4,
					   .ihl = 5,
					   .ttl = 64,
					   .protocol = IPPROTO_UDP,
					   .tot_len = htons(sizeof *pkt),
					   .daddr = to.sin_addr.s_addr};
		pkt[k].udp = (struct udphdr){.len = htons(sizeof *pkt - sizeof(struct iphdr))};
		iov[k] = (struct iovec){&pkt[k], sizeof *pkt};
		mm[k].msg_hdr = (struct msghdr){.msg_name = &to,
						.msg_namelen = sizeof to,
						.msg_iov = &iov[k],
						.msg_iovlen = 1};
	}
	while ((n = allowance(t0))) {
		int sent;
		for (uint32_t k = 0; k < n; k++) {
			uint64_t i = done_flows + k, s = o.seed + i;
			pkt[k].ip.saddr = htonl(o.src_base + 1 + rnd64(&s) % o.sources);
			pkt[k].ip.id = i;
			pkt[k].ip.check = 0;
			pkt[k].ip.check = ip_sum(&pkt[k].ip, sizeof pkt[k].ip);
			pkt[k].udp.source = htons(1024 + i % 64000);
			pkt[k].udp.dest = htons(1024 + i / 64000 % 60000);
		}
		sent = sendmmsg(fd, mm, n, 0);
		if (sent < 0) { /* the first of the batch was refused: skip it */
			errors++;
			last_err = errno;
			sent = 1;
		}
		done_flows += sent;
	}
	free(pkt);
	free(mm);
	free(iov);
}

/* Sends back what it gets, one connection after the other, until killed. */
static void serve(int ls)
{
	char c;

	for (;;) {
		int s = accept(ls, NULL, NULL);

		if (s < 0)
			_exit(0);
		while (read(s, &c, 1) == 1) {
			if (write(s, &c, 1) != 1)
				break;
		}
		close(s);
	}
}

static void run_tcp(double t0)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7007)};
	int one = 1, ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;
	inet_pton(AF_INET, o.dst, &a.sin_addr);
	setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(ls, (struct sockaddr *)&a, sizeof a) || listen(ls, 4096))
		die("listen");
	child = fork();
	if (!child)
		serve(ls);
	close(ls);
	while (allowance(t0)) {
		struct sockaddr_in me = {.sin_family = AF_INET};
		int s = socket(AF_INET, SOCK_STREAM, 0);
		char c = 'x';
		me.sin_addr.s_addr = htonl(o.src_base + 1 + done_flows % 60000);
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		if (o.src_base && bind(s, (struct sockaddr *)&me, sizeof me))
			die("bind");
		if (connect(s, (struct sockaddr *)&a, sizeof a) || write(s, &c, 1) != 1 ||
		    read(s, &c, 1) != 1) {
			errors++;
			last_err = errno;
		}
		close(s);
		done_flows++;
	}
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

static void usage(void)
{
	fprintf(stderr, "ctchurn nl|udp|tcp [options]\n"
			"  -r RATE  flows a second, 0 = as fast as it goes (0)   -d SECS  duration "
			"(5)   -c N  stop after N flows\n"
			"  -b N     flows per send (64)    -l N  live entries kept in nl mode "
			"(1000)     -u  also one UPDATE each (nl)\n"
			"  -s N     distinct sources (1000)   -a ADDR  destination (127.0.0.1)   "
			"-B ADDR  first source (127.1.0.0)\n"
			"  -S SEED\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	struct usage u;
	struct in_addr in;
	int c;
	argv++;
	argc--;
	while ((c = getopt(argc, argv, "r:d:b:l:s:S:a:B:c:u")) != -1)
		switch (c) {
		case 'r':
			o.rate = atof(optarg);
			break;
		case 'd':
			o.secs = atof(optarg);
			break;
		case 'c':
			o.count = strtoull(optarg, NULL, 0);
			break;
		case 'b':
			o.batch = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			o.live = strtoul(optarg, NULL, 0);
			break;
		case 's':
			o.sources = strtoul(optarg, NULL, 0);
			break;
		case 'S':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			o.dst = optarg;
			break;
		case 'B':
			inet_pton(AF_INET, optarg, &in);
			o.src_base = ntohl(in.s_addr);
			break;
		case 'u':
			o.update = 1;
			break;
		default:
			usage();
		}
	u = usage_now();
	if (!strcmp(mode, "nl"))
		run_nl(u.wall);
	else if (!strcmp(mode, "udp"))
		run_udp(u.wall);
	else if (!strcmp(mode, "tcp"))
		run_tcp(u.wall);
	else
		usage();
	u = usage_since(u);
	printf("churn mode=%s flows=%llu errors=%u%s%s wall=%.3f user=%.3f sys=%.3f rate=%.0f/s "
	       "us/flow=%.3f\n",
	       mode, (unsigned long long)done_flows, errors, errors ? " last=" : "",
	       errors ? strerror(last_err) : "", u.wall, u.user, u.sys, done_flows / u.wall,
	       (u.user + u.sys) * 1e6 / (done_flows ? done_flows : 1));
	return 0;
}
