/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctfill: fills the conntrack table of the present network namespace by ctnetlink, many messages a
 * send and no ACKs. */
#include "nlct.h"
#include <getopt.h>
#include <math.h>

enum { P_TCP, P_UDP, P_ICMP, P_OTHER, NPROTO };

static const char *const tcp_names[] = {
	"none",	      "syn_sent", "syn_recv",  "established", "fin_wait",
	"close_wait", "last_ack", "time_wait", "close",	      "syn_sent2",
};
#define NTCP (sizeof tcp_names / sizeof *tcp_names)

static struct opts {
	uint64_t count, seed, offset;
	uint32_t sources, first_source, batch, timeout_lo, timeout_hi, mark, marks;
	double zipf, ipv6, nat, unreplied, assured;
	double proto[NPROTO], tcp[NTCP];
	int zone, per_state, quiet;
} o = {.count = 262144,
       .seed = 1,
       .sources = 1000,
       .batch = 128,
       .timeout_lo = 3600,
       .timeout_hi = 3600,
       .unreplied = 20,
       .assured = 70,
       .proto = {80, 18, 2, 0}};

/* The kernel's default timeout of each TCP state (seconds). */
static const uint32_t tcp_timeout[NTCP] = {300, 120, 60, 432000, 120, 60, 30, 120, 10, 120};

static void parse_mix(char *s, const char *const *names, size_t n, double *out)
{
	memset(out, 0, n * sizeof *out);
	for (char *t = strtok(s, ","); t; t = strtok(NULL, ",")) {
		char *eq = strchr(t, '=');
		size_t i;
		if (eq)
			*eq = 0;
		for (i = 0; i < n && strcmp(names[i], t); i++)
			;
		if (i == n) {
			fprintf(stderr, "unknown name in mix: %s\n", t);
			exit(2);
		}
		out[i] = eq ? atof(eq + 1) : 100;
	}
}

static size_t pick(const double *w, size_t n, uint64_t *s)
{
	double sum = 0, r;
	for (size_t i = 0; i < n; i++)
		sum += w[i];
	r = rnd01(s) * sum;
	for (size_t i = 0; i < n; i++)
		if ((r -= w[i]) < 0)
			return i;
	return 0;
}

/* Zipf by inversion over the cumulative weights. */
static double *zipf_cdf;

static void zipf_init(void)
{
	double sum = 0;
	if (o.zipf <= 0)
		return;
	zipf_cdf = malloc(o.sources * sizeof *zipf_cdf);
	for (uint32_t i = 0; i < o.sources; i++)
		zipf_cdf[i] = sum += pow(i + 1, -o.zipf);
	for (uint32_t i = 0; i < o.sources; i++)
		zipf_cdf[i] /= sum;
}

static uint32_t pick_source(uint64_t *s)
{
	uint32_t lo = 0, hi = o.sources - 1;
	double r;
	if (!zipf_cdf)
		return rnd64(s) % o.sources;
	r = rnd01(s);
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (zipf_cdf[mid] < r)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Entry i has its own (sport, destination), so no two entries ever clash. */
static void make_tuple(struct ct_tuple *t, uint64_t i, int v6, int proto, uint32_t src)
{
	static const uint16_t dports[] = {443, 80, 53, 22, 5432, 8080, 25, 123};
	uint32_t block = i / 60000;
	memset(t, 0, sizeof *t);
	t->family = v6 ? AF_INET6 : AF_INET;
	t->sport = 1024 + i % 60000;
	t->dport = dports[src % 8];
	if (v6) {
		uint32_t be = htonl(src), d = htonl(block);
		memcpy(t->src, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 1}, 6);
		memcpy(t->src + 12, &be, 4);
		memcpy(t->dst, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 2}, 6);
		memcpy(t->dst + 12, &d, 4);
	} else {
		uint32_t be = htonl(0x0a000001 + src), d = htonl(0xc6120000 + block);
		memcpy(t->src, &be, 4);
		memcpy(t->dst, &d, 4);
	}
	switch (proto) {
	case P_TCP:
		t->proto = IPPROTO_TCP;
		break;
	case P_UDP:
		t->proto = IPPROTO_UDP;
		break;
	case P_ICMP:
		t->proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		t->dport = (v6 ? 128 : 8) << 8;
		break;
	default:
		t->proto = IPPROTO_UDPLITE;
	}
}

/* The TCP state: drawn from the mix, else what the status bits would have come from. */
static int pick_state(uint32_t status, uint64_t *s)
{
	double sum = 0;

	for (size_t k = 0; k < NTCP; k++)
		sum += o.tcp[k];
	if (sum > 0)
		return (int)pick(o.tcp, NTCP, s);
	if (status & IPS_ASSURED)
		return TCP_CONNTRACK_ESTABLISHED;
	return status & IPS_SEEN_REPLY ? TCP_CONNTRACK_SYN_RECV : TCP_CONNTRACK_SYN_SENT;
}

static uint32_t pick_timeout(int proto, int state, uint32_t status, uint64_t *s)
{
	if (!o.per_state)
		return o.timeout_lo + rnd64(s) % (o.timeout_hi - o.timeout_lo + 1);
	if (proto == P_TCP)
		return tcp_timeout[state];
	return proto == P_UDP && status & IPS_ASSURED ? 120 : 30;
}

static void put_options(struct nlb *b, int v6, int proto, int state, uint64_t *s)
{
	if (o.marks)
		nlb_be32(b, CTA_MARK, o.mark + rnd64(s) % o.marks);
	else if (o.mark)
		nlb_be32(b, CTA_MARK, o.mark);
	if (o.zone)
		nlb_be16(b, CTA_ZONE, o.zone);
	if (proto == P_TCP) {
		size_t p = nlb_nest(b, CTA_PROTOINFO), q = nlb_nest(b, CTA_PROTOINFO_TCP);

		nlb_u8(b, CTA_PROTOINFO_TCP_STATE, state);
		nlb_nest_end(b, q);
		nlb_nest_end(b, p);
	}
	if (!v6 && o.nat > 0 && rnd01(s) * 100 < o.nat) {
		size_t n = nlb_nest(b, CTA_NAT_SRC);

		nlb_be32(b, CTA_NAT_V4_MINIP, 0xcb007101);
		nlb_be32(b, CTA_NAT_V4_MAXIP, 0xcb007101);
		nlb_nest_end(b, n);
	}
}

static void put_entry(struct nlb *b, uint64_t i, uint64_t *s)
{
	int v6 = rnd01(s) * 100 < o.ipv6, proto = (int)pick(o.proto, NPROTO, s), state = 0;
	uint32_t status = IPS_CONFIRMED;
	double d = rnd01(s) * 100;
	struct ct_tuple t, r;

	make_tuple(&t, i, v6, proto, o.first_source + pick_source(s));
	r = ct_reply(&t);
	if (d >= o.unreplied) {
		status |= IPS_SEEN_REPLY;
		if (d < o.unreplied + o.assured && proto != P_ICMP)
			status |= IPS_ASSURED;
	}
	if (proto == P_TCP)
		state = pick_state(status, s);
	nlb_msg(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, t.family, i);
	nlb_tuple(b, CTA_TUPLE_ORIG, &t);
	nlb_tuple(b, CTA_TUPLE_REPLY, &r);
	nlb_be32(b, CTA_STATUS, status);
	nlb_be32(b, CTA_TIMEOUT, pick_timeout(proto, state, status, s));
	put_options(b, v6, proto, state, s);
	nlb_end(b);
}

static void usage(void)
{
	fprintf(stderr, "ctfill - create conntrack entries in this network namespace\n"
			"  -n N     entries (262144)            -s N     distinct sources (1000)\n"
			"  -z X     zipf exponent, 0 = uniform  -6 PCT   share of IPv6 (0)\n"
			"  -p MIX   tcp=80,udp=18,icmp=2,other=0\n"
			"  -T MIX   TCP states, e.g. established=60,time_wait=30,syn_sent=10\n"
			"           (default: follows the assured/replied/unreplied split)\n"
			"  -u PCT   unreplied (20)              -a PCT   assured (70); the rest is "
			"replied only\n"
			"  -t A[:B] timeout in seconds, or drawn from A..B (3600); 'state' = "
			"kernel defaults\n"
			"  -m A[:N] mark A, or N marks from A   -Z ZONE  conntrack zone\n"
			"  -N PCT   source-NATed share (IPv4)   -b N     messages per send (128)\n"
			"  -o N     first entry number (0): go on after an earlier fill\n"
			"  -F N     number of the first source (0): N is 10.0.0.1 + N\n"
			"  -S SEED  random seed (1)             -q       print nothing\n");
	exit(2);
}

/* Options with a text of their own; 0 where c is none of them. */
static int parse_texts(int c, char *text)
{
	static const char *const protos[] = {"tcp", "udp", "icmp", "other"};
	char *colon;

	switch (c) {
	case 'p':
		parse_mix(text, protos, NPROTO, o.proto);
		return 1;
	case 'T':
		parse_mix(text, tcp_names, NTCP, o.tcp);
		return 1;
	case 't':
		o.per_state = !strcmp(text, "state");
		if (o.per_state)
			return 1;
		o.timeout_lo = o.timeout_hi = strtoul(text, &colon, 0);
		if (*colon == ':')
			o.timeout_hi = strtoul(colon + 1, NULL, 0);
		return 1;
	case 'm':
		o.mark = strtoul(text, &colon, 0);
		if (*colon == ':')
			o.marks = strtoul(colon + 1, NULL, 0);
		return 1;
	case 'q':
		o.quiet = 1;
		return 1;
	}
	return 0;
}

static int parse_number(int c, const char *text)
{
	switch (c) {
	case 'n':
		o.count = strtoull(text, NULL, 0);
		return 1;
	case 's':
		o.sources = strtoul(text, NULL, 0);
		return 1;
	case 'z':
		o.zipf = atof(text);
		return 1;
	case '6':
		o.ipv6 = atof(text);
		return 1;
	case 'u':
		o.unreplied = atof(text);
		return 1;
	case 'a':
		o.assured = atof(text);
		return 1;
	case 'Z':
		o.zone = atoi(text);
		return 1;
	case 'N':
		o.nat = atof(text);
		return 1;
	case 'F':
		o.first_source = strtoul(text, NULL, 0);
		return 1;
	case 'b':
		o.batch = strtoul(text, NULL, 0);
		return 1;
	case 'o':
		o.offset = strtoull(text, NULL, 0);
		return 1;
	case 'S':
		o.seed = strtoull(text, NULL, 0);
		return 1;
	}
	return 0;
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:z:6:p:T:u:a:t:m:Z:N:b:o:S:F:q")) != -1) {
		if (!parse_texts(c, optarg) && !parse_number(c, optarg))
			usage();
	}
	if (optind != argc || !o.sources || !o.batch || o.timeout_hi < o.timeout_lo)
		usage();
}

int main(int argc, char **argv)
{
	unsigned errors = 0;
	int err = 0, fd;
	uint64_t s;
	struct usage u;
	struct nlb b;

	parse_options(argc, argv);
	s = o.seed * 0x632be59bd9b4e019ULL + o.offset;
	zipf_init();
	fd = nl_open();
	nl_rcvbuf(fd, 4 << 20);
	b = nlb_new(o.batch * 512 + 4096);
	nl_sndbuf(fd, b.cap * 2);
	u = usage_now();
	for (uint64_t i = 0; i < o.count;) {
		nlb_reset(&b);
		for (uint32_t k = 0; k < o.batch && i < o.count; k++, i++)
			put_entry(&b, o.offset + i, &s);
		nl_send(fd, b.p, b.len);
		errors += nl_drain(fd, &err);
	}
	u = usage_since(u);
	free(b.p);
	free(zipf_cdf);
	if (!o.quiet)
		printf("fill entries=%llu errors=%u%s%s wall=%.3f user=%.3f sys=%.3f rate=%.0f/s\n",
		       (unsigned long long)o.count, errors, errors ? " last=" : "",
		       errors ? strerror(err) : "", u.wall, u.user, u.sys, o.count / u.wall);
	return errors != 0;
}
