/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctfloor: the least that a dump and an event listener can cost: messages are received and thrown
 * away. What the program takes beyond it is its own. One line of figures a run. */
#include <getopt.h>
#include <poll.h>

#include "nlct.h"

enum { BUFFER = 32768, SLOT = 4416, BATCH = 32 };

static int count_entries, rcvbuf = 64 << 20, seconds = 5;
static unsigned long long messages, calls, overruns;

static void count_messages(uint8_t *buf, ssize_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	for (; NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len))
		messages += h->nlmsg_type >= NLMSG_MIN_TYPE;
}

static void run_dump(void)
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
		if (count_entries)
			count_messages(buf, len);
		/* The end may stand behind the last entries: the last message is 20 bytes long. */
		if (len >= 20 && ((struct nlmsghdr *)(buf + len - 20))->nlmsg_type == NLMSG_DONE &&
		    ((struct nlmsghdr *)(buf + len - 20))->nlmsg_len == 20)
			break;
	}
	close(fd);
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
	fprintf(stderr, "ctfloor dump|events [options]\n"
			"  -c       count the entries of the dump\n"
			"  -d SECS  how long to listen (5)   -R BYTES  receive buffer (64 MiB)\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	struct usage u;
	int c;

	argv++;
	argc--;
	while ((c = getopt(argc, argv, "cd:R:")) != -1) {
		switch (c) {
		case 'c':
			count_entries = 1;
			break;
		case 'd':
			seconds = atoi(optarg);
			break;
		case 'R':
			rcvbuf = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	u = usage_now();
	if (!strcmp(mode, "dump"))
		run_dump();
	else if (!strcmp(mode, "events"))
		run_events();
	else
		usage();
	u = usage_since(u);
	printf("%s messages=%llu calls=%llu overruns=%llu wall=%.3f user=%.3f sys=%.3f rss=%ldK\n",
	       mode, messages, calls, overruns, u.wall, u.user, u.sys, peak_rss_kb());
	return 0;
}
