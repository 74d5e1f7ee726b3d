/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries: what the gateway lab does to the gateway's own table, by ctnetlink, in the namespace it
 * runs in. age BASE ADDRESS...    TCP flows to the n-th address look silent for 30 min, 1 h, 3 h:
 * what is left of BASE, the gateway's established timeout, is set; one that would be gone by then
 * is deleted put N --src PREFIX --dst PREFIX [--rate N] [--timeouts SEC,SEC...] [--late] N answered,
 * assured, established TCP entries to port 443 that nobody uses; a timeout that is not above 0
 * leaves its entry out count PREFIX           prints how many entries go to it watch SEC prints
 * time (CLOCK_MONOTONIC) and number of entries every 50 ms, until SIGTERM */
#include "../tools/nlct.h"
#include "prefix.h"
#include <fcntl.h>
#include <getopt.h>

#define DUMP_BUFFER  (1 << 18)
#define TIMEOUTS_MAX 8
#define SAMPLE_US    50000
#define BATCH	     128
#define WAYS_TO_AGE  3

static void usage(void)
{
	fprintf(stderr,
		"entries age BASE ADDRESS ADDRESS ADDRESS\n"
		"entries put N --src PREFIX --dst PREFIX [--rate N] [--timeouts SEC,SEC...] [--late]\n"
		"entries count PREFIX\n"
		"entries watch SEC\n");
	exit(2);
}

/* Calls look with every entry of the family. */
static void each_entry(int family, void (*look)(const struct ct_info *c, void *arg), void *arg)
{
	struct nlb request = nlb_new(256);
	uint8_t *buffer = malloc(DUMP_BUFFER);
	int fd = nl_open();
	struct ct_info c;

	nlb_msg(&request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family, 1);
	nlb_end(&request);
	nl_send(fd, request.p, request.len);
	for (;;) {
		ssize_t len = recv(fd, buffer, DUMP_BUFFER, 0);

		if (len < 0)
			die("dump");
		for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; NLMSG_OK(h, (size_t)len);
		     h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
				free(buffer);
				free(request.p);
				close(fd);
				return;
			}
			read_ct(&c, h);
			look(&c, arg);
		}
	}
}

/* ---- age ---- */

struct ageing {
	long base;
	uint8_t to[WAYS_TO_AGE][16];
	struct nlb changes;
	unsigned flows;
};

static void age_entry(const struct ct_info *c, void *arg)
{
	static const long idle_sec[WAYS_TO_AGE] = {1800, 3600, 10800};
	struct ageing *a = arg;

	if (c->orig.proto != IPPROTO_TCP)
		return;
	for (int i = 0; i < WAYS_TO_AGE; i++) {
		long left = a->base - idle_sec[i];

		if (memcmp(c->orig.dst, a->to[i], 16))
			continue;
		a->flows++;
		nlb_msg(&a->changes, left > 0 ? IPCTNL_MSG_CT_NEW : IPCTNL_MSG_CT_DELETE, 0,
			c->orig.family, a->flows);
		nlb_tuple(&a->changes, CTA_TUPLE_ORIG, &c->orig);
		if (left > 0)
			nlb_be32(&a->changes, CTA_TIMEOUT, (uint32_t)left);
		nlb_end(&a->changes);
	}
}

static int age(int argc, char **argv)
{
	int family, fd = nl_open(), error = 0;
	struct ageing a = {.changes = nlb_new(1 << 20)};
	unsigned errors;

	if (argc != 1 + WAYS_TO_AGE)
		usage();
	a.base = atol(argv[0]);
	family = strchr(argv[1], ':') ? AF_INET6 : AF_INET;
	for (int i = 0; i < WAYS_TO_AGE; i++) {
		if (inet_pton(family, argv[1 + i], a.to[i]) != 1)
			usage();
	}
	each_entry(family, age_entry, &a);
	nl_sndbuf(fd, 4 << 20);
	nl_rcvbuf(fd, 4 << 20);
	if (a.changes.len)
		nl_send(fd, a.changes.p,
			a.changes.len); /* the kernel has worked when this returns */
	errors = nl_drain(fd, &error);
	free(a.changes.p);
	printf("aged=%u errors=%u %s\n", a.flows, errors, errors ? strerror(error) : "");
	return errors || !a.flows;
}

/* ---- put ---- */

struct putting {
	int late; /* assured only after it was made */
	uint32_t count;
	double rate; /* entries a second, 0: at once */
	struct prefix src, dst;
	long timeouts[TIMEOUTS_MAX];
	int timeout_count;
};

/* As packets would: assured only after it was made. What is made assured comes from a table sync. */
static void assure_entry(struct nlb *b, const struct ct_tuple *t, uint32_t i)
{
	nlb_msg(b, IPCTNL_MSG_CT_NEW, 0, AF_INET, i);
	nlb_tuple(b, CTA_TUPLE_ORIG, t);
	nlb_be32(b, CTA_STATUS, IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED);
	nlb_end(b);
}

static void put_entry(struct nlb *b, const struct putting *p, uint32_t i, long timeout)
{
	struct ct_tuple t = {.family = AF_INET, .proto = IPPROTO_TCP, .dport = 443}, reply;
	uint32_t src = htonl(p->src.base + i % p->src.span),
		 dst = htonl(p->dst.base + i % p->dst.span);
	size_t info, tcp;

	/* source and destination walk together: the port tells the rounds apart */
	t.sport = 1024 + i / p->src.span % 64000;
	memcpy(t.src, &src, 4);
	memcpy(t.dst, &dst, 4);
	reply = ct_reply(&t);
	nlb_msg(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, AF_INET, i);
	nlb_tuple(b, CTA_TUPLE_ORIG, &t);
	nlb_tuple(b, CTA_TUPLE_REPLY, &reply);
	nlb_be32(b, CTA_STATUS, IPS_CONFIRMED | IPS_SEEN_REPLY | (p->late ? 0 : IPS_ASSURED));
	nlb_be32(b, CTA_TIMEOUT, (uint32_t)timeout);
	info = nlb_nest(b, CTA_PROTOINFO);
	tcp = nlb_nest(b, CTA_PROTOINFO_TCP);
	nlb_u8(b, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	nlb_nest_end(b, tcp);
	nlb_nest_end(b, info);
	nlb_end(b);
	if (p->late)
		assure_entry(b, &t, i);
}

static void put_options(struct putting *p, int argc, char **argv)
{
	static const struct option options[] = {{"src", 1, 0, 's'},
						{"dst", 1, 0, 'd'},
						{"rate", 1, 0, 'r'},
						{"timeouts", 1, 0, 't'},
						{"late", 0, 0, 'l'},
						{0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			p->src = parse_prefix(optarg);
			break;
		case 'd':
			p->dst = parse_prefix(optarg);
			break;
		case 'r':
			p->rate = atof(optarg);
			break;
		case 'l':
			p->late = 1;
			break;
		case 't':
			p->timeout_count = 0;
			for (char *s = strtok(optarg, ","); s && p->timeout_count < TIMEOUTS_MAX;
			     s = strtok(NULL, ","))
				p->timeouts[p->timeout_count++] = atol(s);
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || !p->src.span || !p->dst.span || !p->timeout_count)
		usage();
	p->count = strtoul(argv[optind], NULL, 0);
}

static int put(int argc, char **argv)
{
	struct putting p = {.timeouts = {432000}, .timeout_count = 1};
	struct nlb b = nlb_new(BATCH * 512);
	double begin = now_s();
	unsigned errors = 0, made = 0;
	int fd = nl_open(), error = 0;

	put_options(&p, argc, argv);
	nl_rcvbuf(fd, 4 << 20);
	nl_sndbuf(fd, 4 << 20);
	for (uint32_t i = 0; i < p.count;) {
		uint32_t due = p.rate > 0 ? (uint32_t)((now_s() - begin) * p.rate) : p.count;

		nlb_reset(&b);
		for (; i < p.count && i < due && b.msgs < BATCH; i++) {
			/* the sum breaks the step with sources and destinations */
			long timeout = p.timeouts[(i + i / 251) % p.timeout_count];

			if (timeout > 0)
				put_entry(&b, &p, i, timeout);
		}
		made += p.late ? b.msgs / 2 : b.msgs;
		if (b.msgs)
			nl_send(fd, b.p, b.len);
		else if (i < p.count && i >= due)
			usleep(10000);
		errors += nl_drain(fd, &error);
	}
	free(b.p);
	printf("put=%u errors=%u %s\n", made, errors, errors ? strerror(error) : "");
	return 0; /* a full table refuses: that is no failure of this tool */
}

/* ---- count, watch ---- */

struct counting {
	struct prefix to;
	unsigned n;
};

static void count_entry(const struct ct_info *c, void *arg)
{
	struct counting *n = arg;
	uint32_t dst;

	memcpy(&dst, c->orig.dst, 4);
	n->n += prefix_has(&n->to, ntohl(dst));
}

static int count(int argc, char **argv)
{
	struct counting n = {.n = 0};

	if (argc != 1)
		usage();
	n.to = parse_prefix(argv[0]);
	each_entry(AF_INET, count_entry, &n);
	printf("%u\n", n.n);
	return 0;
}

static double boot_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int watch(int argc, char **argv)
{
	double end;
	char text[32];

	if (argc != 1)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (end = boot_s() + atof(argv[0]); boot_s() < end; usleep(SAMPLE_US)) {
		int fd = open("/proc/sys/net/netfilter/nf_conntrack_count", O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

		if (n <= 0)
			die("nf_conntrack_count");
		close(fd);
		text[n] = 0;
		printf("%.3f %ld\n", boot_s(), atol(text));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		usage();
	if (!strcmp(argv[1], "age"))
		return age(argc - 2, argv + 2);
	if (!strcmp(argv[1], "put"))
		return put(argc - 1, argv + 1);
	if (!strcmp(argv[1], "count"))
		return count(argc - 2, argv + 2);
	if (!strcmp(argv[1], "watch"))
		return watch(argc - 2, argv + 2);
	usage();
	return 2;
}
