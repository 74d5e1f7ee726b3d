/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctfloor: the least that a dump, an event listener and a dump with deletes can cost: messages are
 * received and thrown away. What the program takes beyond it is its own. One line of figures a run.
 * Which entries an `evict` deletes is found by a pass of its own, before the measurement. */
#include <getopt.h>
#include <poll.h>

#include "nlct.h"

enum { BUFFER = 32768, SLOT = 4416, BATCH = 32, DELETES = 128, ADDRESS_SHIFT = 16 };

static int count_entries, rcvbuf = 64 << 20, seconds = 5;
static unsigned to_delete;
static uint32_t prefix; /* IPv4, /16, host order */
static unsigned long long messages, calls, overruns;

static void count_messages(uint8_t *buf, ssize_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	for (; NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len))
		messages += h->nlmsg_type >= NLMSG_MIN_TYPE;
}

/* One pass; each datagram goes to fn, where there is one. */
static void dump(void (*fn)(uint8_t *buf, ssize_t len))
{
	static uint8_t buf[BUFFER] __attribute__((aligned(8)));
	struct nlmsghdr *first = (struct nlmsghdr *)buf;
	uint8_t request[64] __attribute__((aligned(8)));
	struct nlb b = {.p = request, .cap = sizeof(request)};
	int fd = nl_open();

	nlb_msg(&b, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC, 1);
	nlb_end(&b);
	nl_send(fd, b.p, b.len);
	for (;;) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);

		if (len < 0)
			die("recv");
		calls++;
		if (first->nlmsg_type == NLMSG_ERROR) {
			errno = -((struct nlmsgerr *)NLMSG_DATA(first))->error;
			die("dump");
		}
		if (first->nlmsg_type == NLMSG_DONE)
			break;
		if (fn)
			fn(buf, len);
		/* The end may stand behind the last entries: the last message is 20 bytes long. */
		if (len >= 20 && ((struct nlmsghdr *)(buf + len - 20))->nlmsg_type == NLMSG_DONE &&
		    ((struct nlmsghdr *)(buf + len - 20))->nlmsg_len == 20)
			break;
	}
	close(fd);
}

static void run_dump(void)
{
	dump(count_entries ? count_messages : NULL);
}

/* ---- evict ---- */

static struct ct_tuple *victims;
static unsigned victim_count;

static void pick_victims(uint8_t *buf, ssize_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	for (; NLMSG_OK(h, (size_t)len) && victim_count < to_delete; h = NLMSG_NEXT(h, len)) {
		struct ct_tuple tuple = {.family = AF_INET};
		uint32_t src;

		if (h->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		nla_each(a, msg_attrs(h), (uint8_t *)h + h->nlmsg_len)
		{
			if (nla_kind(a) == CTA_TUPLE_ORIG)
				read_tuple(&tuple, a);
		}
		memcpy(&src, tuple.src, sizeof(src));
		if ((ntohl(src) ^ prefix) >> ADDRESS_SHIFT == 0)
			victims[victim_count++] = tuple;
	}
}

/* No order of the table: who chooses deletes in the order of the choice. */
static void shuffle_victims(void)
{
	uint64_t seed = 1;

	for (unsigned i = victim_count; i > 1; i--) {
		unsigned k = (unsigned)(rnd64(&seed) % i);
		struct ct_tuple tuple = victims[i - 1];

		victims[i - 1] = victims[k];
		victims[k] = tuple;
	}
}

static void prepare_evict(int shuffles)
{
	victims = calloc(to_delete + 1, sizeof(*victims));
	if (!victims)
		die("calloc");
	dump(pick_victims);
	if (shuffles)
		shuffle_victims();
}

/* Batches by tuple; only the last of each is acknowledged. */
static void delete_victims(void)
{
	struct nlb b = nlb_new(DELETES * 256);
	uint8_t answer[BUFFER];
	int fd = nl_open();

	for (unsigned i = 0; i < victim_count;) {
		nlb_reset(&b);
		for (unsigned k = 0; k < DELETES && i < victim_count; k++, i++) {
			int ack = k == DELETES - 1 || i == victim_count - 1 ? NLM_F_ACK : 0;

			nlb_msg(&b, IPCTNL_MSG_CT_DELETE, ack, AF_INET, i);
			nlb_tuple(&b, CTA_TUPLE_ORIG, &victims[i]);
			nlb_end(&b);
		}
		nl_send(fd, b.p, b.len);
		/* Errors of single entries come before it. */
		for (uint32_t seq = 0; seq != i - 1;) {
			if (recv(fd, answer, sizeof(answer), 0) < NLMSG_HDRLEN)
				die("recv");
			seq = ((struct nlmsghdr *)answer)->nlmsg_seq;
		}
	}
	free(b.p);
	close(fd);
}

static void run_evict(void)
{
	struct usage u = usage_now();

	dump(NULL);
	u = usage_since(u);
	printf("dump wall=%.3f cpu=%.3f ", u.wall, u.user + u.sys);
	u = usage_now();
	delete_victims();
	u = usage_since(u);
	printf("deletes=%u wall=%.3f cpu=%.3f\n", victim_count, u.wall, u.user + u.sys);
}

static void run_events(void)
{
	static uint8_t slots[BATCH][SLOT] __attribute__((aligned(8)));
	static struct mmsghdr mm[BATCH];
	static struct iovec iov[BATCH];
	double end = now_s() + seconds;
	int fd = nl_open();

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){slots[i], SLOT};
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	nl_rcvbuf(fd, rcvbuf);
	nl_join(fd, NFNLGRP_CONNTRACK_NEW);
	nl_join(fd, NFNLGRP_CONNTRACK_DESTROY);
	while (now_s() < end) {
		int n = recvmmsg(fd, mm, BATCH, MSG_DONTWAIT, NULL);

		calls++;
		if (n > 0)
			messages += (unsigned)n;
		else if (errno == ENOBUFS)
			overruns++;
		else
			usleep(10000); /* let them gather: half the cost of a wake-up each */
	}
	close(fd);
}

static void usage(void)
{
	fprintf(stderr, "ctfloor dump|events|evict [options]\n"
			"  -c       count the entries of the dump\n"
			"  -n N     evict: how many    -p A.B.0.0  of this /16 of sources\n"
			"  -r       in no order        (else in that of the table)\n"
			"  -d SECS  how long to listen (5)   -R BYTES  receive buffer (64 MiB)\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int c, shuffles = 0;
	struct usage u;

	argv++;
	argc--;
	while ((c = getopt(argc, argv, "cd:n:p:rR:")) != -1) {
		switch (c) {
		case 'c':
			count_entries = 1;
			break;
		case 'd':
			seconds = atoi(optarg);
			break;
		case 'n':
			to_delete = (unsigned)atoi(optarg);
			break;
		case 'p':
			prefix = ntohl(inet_addr(optarg));
			break;
		case 'r':
			shuffles = 1;
			break;
		case 'R':
			rcvbuf = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (!strcmp(mode, "evict"))
		prepare_evict(shuffles);
	calls = 0;
	u = usage_now();
	if (!strcmp(mode, "dump"))
		run_dump();
	else if (!strcmp(mode, "evict"))
		run_evict();
	else if (!strcmp(mode, "events"))
		run_events();
	else
		usage();
	u = usage_since(u);
	printf("%s messages=%llu calls=%llu overruns=%llu wall=%.3f user=%.3f sys=%.3f rss=%ldK\n",
	       mode, messages, calls, overruns, u.wall, u.user, u.sys, peak_rss_kb());
	return 0;
}
