/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users: the honest users of the gateway lab, with real TCP sockets. They open --rate connections a
 * second for --secs; each must connect and have 32 bytes back within --deadline. Before, --gold
 * long-lived flows come up, which beat (one byte, echoed) every --beat seconds, and --quiet ones,
 * which stay silent; with --keep the new connections stay too and beat. Counted are the connections
 * opened between the first SIGUSR1 and the second, without any all of them. On SIGTERM every
 * long-lived flow must still echo. Prints one line of figures. */
#include "../tools/nlct.h"
#include "prefix.h"
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>

#define SPARE_FILES    64 /* what the process needs besides its flows */
#define EVENTS	       512
#define REFUSED_ENOUGH 3 /* each long-lived flow that does not come up costs OPEN_SEC */
#define OPEN_SEC       5
#define SURVIVE_SEC    5 /* for the echo at the end, once more than a lost segment takes */
#define MESSAGE_LEN    32
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum state { STATE_FREE, STATE_CONNECTING, STATE_ECHO, STATE_HELD, STATE_ASKED };

struct address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* Connections opened before the first SIGUSR1, between it and the second, after it. */
enum phase { PHASE_BEFORE, PHASE_COUNTED, PHASE_AFTER, PHASE_COUNT };

struct tally {
	long tried, ok, late, refused, errors;
};

struct conn {
	int fd;
	enum state state;
	enum phase phase;
	double born_s;
};

struct users {
	const char *addr;
	struct prefix from;
	int port, keep, gold, quiet, spread;
	double rate, secs, deadline, beat, limit;
	int epoll;
	struct address to;
	uint32_t drawn;
	struct conn *conns; /* gold, then quiet, then the new ones */
	int *unused, conns_cap, conns_used, unused_count;
	int *held, held_count; /* who beats: gold, then kept */
	int gold_up, quiet_up;
	struct tally tallies[PHASE_COUNT];
	long opened, pending; /* pending: neither echoed nor ended */
	double beats;
	long beaten;
};

static volatile sig_atomic_t stopped, phase;

static void on_signal(int signal_number)
{
	if (signal_number == SIGTERM)
		stopped = 1;
	else if (phase < PHASE_AFTER)
		phase++;
}

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("memory");
	return p;
}

/* ---- sockets ---- */

static struct address parse_address(const char *text, int port)
{
	struct address a = {.len = 0};
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a.storage;
	struct sockaddr_in *four = (struct sockaddr_in *)&a.storage;

	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		a.len = sizeof *six;
	} else if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		a.len = sizeof *four;
	} else {
		fprintf(stderr, "users: not an address: %s\n", text);
		exit(2);
	}
	return a;
}

/* The address n further on. */
static struct address address_plus(struct address a, uint32_t n)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a.storage;
	struct sockaddr_in *four = (struct sockaddr_in *)&a.storage;

	if (a.storage.ss_family == AF_INET6)
		six->sin6_addr.s6_addr[15] += n;
	else
		four->sin_addr.s_addr = htonl(ntohl(four->sin_addr.s_addr) + n);
	return a;
}

/* A socket bound to the next source, where the users have many. */
static int open_socket(struct users *u, int type)
{
	int one = 1, fd = socket(u->to.storage.ss_family, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in source = {.sin_family = AF_INET};

	if (fd < 0 || !u->from.span)
		return fd;
	source.sin_addr.s_addr = htonl(u->from.base + u->drawn++ * 2654435761u % u->from.span);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
		die("bind");
	return fd;
}

static void watch(struct users *u, int op, int i, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u32 = (uint32_t)i};

	epoll_ctl(u->epoll, op, u->conns[i].fd, &e);
}

static void drain(int fd)
{
	char buffer[4096];

	while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
		;
}

/* ---- the long-lived flows that are there first ---- */

/* A flow proven by one byte there and back; -1 if it does not come up. */
static int open_held(struct users *u, struct address to)
{
	struct timeval wait = {OPEN_SEC, 0};
	int one = 1, fd = open_socket(u, SOCK_STREAM);
	char byte = 'g';

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!connect(fd, (struct sockaddr *)&to.storage, to.len) && write(fd, &byte, 1) == 1 &&
	    read(fd, &byte, 1) == 1)
		return fd;
	close(fd);
	return -1;
}

/* Quiet flow i goes to address + 1 + i % 3, so that each third can be aged by itself; with a spread
 * gold flow i goes to address + 8 + i % spread: one source has 64,512 ports to one address. */
static void open_all_held(struct users *u)
{
	int missed = 0;

	for (int i = 0; i < u->gold + u->quiet; i++) {
		struct conn *c = &u->conns[u->conns_used++];
		struct address to = u->to;

		if (i >= u->gold)
			to = address_plus(to, 1 + (i - u->gold) % 3);
		else if (u->spread)
			to = address_plus(to, 8 + i % u->spread);
		c->fd = missed < REFUSED_ENOUGH ? open_held(u, to) : -1;
		if (c->fd < 0) {
			missed++;
			continue;
		}
		c->state = STATE_HELD;
		if (i < u->gold) {
			u->gold_up++;
			u->held[u->held_count++] = i;
		} else {
			u->quiet_up++;
		}
	}
	fprintf(stderr, "up gold=%d of %d quiet=%d of %d\n", u->gold_up, u->gold, u->quiet_up,
		u->quiet);
}

static void beat(struct users *u, double passed_s)
{
	u->beats += passed_s * u->held_count / u->beat;
	for (; u->held_count && u->beaten < (long)u->beats; u->beaten++) {
		int fd = u->conns[u->held[u->beaten % u->held_count]].fd;

		drain(fd);
		send(fd, "b", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

/* Of the flows from..to: how many echo a byte now. */
static int survivors(struct users *u, int from, int to)
{
	int asked = 0, ok = 0;
	double end;
	char byte;

	for (int i = from; i < to; i++) {
		struct conn *c = &u->conns[i];

		if (c->state != STATE_HELD)
			continue;
		drain(c->fd);
		if (send(c->fd, "z", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
			c->state = STATE_ASKED;
		if (++asked % 50 == 0)
			usleep(1000);
	}
	for (end = now_s() + SURVIVE_SEC; ok < asked && now_s() < end; usleep(20000)) {
		for (int i = from; i < to; i++) {
			struct conn *c = &u->conns[i];

			if (c->state != STATE_ASKED || recv(c->fd, &byte, 1, MSG_DONTWAIT) != 1)
				continue;
			c->state = STATE_HELD;
			ok++;
		}
	}
	return ok;
}

/* ---- new connections ---- */

static void end_conn(struct users *u, int i)
{
	u->pending--;
	close(u->conns[i].fd);
	u->conns[i].state = STATE_FREE;
	u->unused[u->unused_count++] = i;
}

static struct tally *tally_of(struct users *u, int i)
{
	return &u->tallies[u->conns[i].phase];
}

static void open_new(struct users *u)
{
	struct linger reset = {1, 0};
	struct address to = u->to;
	struct conn *c;
	int i;

	u->opened++;
	if (!u->unused_count && u->conns_used == u->conns_cap) {
		u->tallies[phase].tried++;
		u->tallies[phase].errors++;
		return;
	}
	i = u->unused_count ? u->unused[--u->unused_count] : u->conns_used++;
	c = &u->conns[i];
	*c = (struct conn){open_socket(u, SOCK_STREAM | SOCK_NONBLOCK), STATE_CONNECTING, phase,
			   now_s()};
	tally_of(u, i)->tried++;
	u->pending++;
	if (u->spread)
		to = address_plus(to, 8 + i % u->spread);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	if (c->fd < 0 ||
	    (connect(c->fd, (struct sockaddr *)&to.storage, to.len) < 0 && errno != EINPROGRESS)) {
		tally_of(u, i)->errors++;
		end_conn(u, i);
		return;
	}
	watch(u, EPOLL_CTL_ADD, i, EPOLLOUT);
}

static void connected(struct users *u, int i)
{
	char message[MESSAGE_LEN] = "0123456789abcdef";
	struct conn *c = &u->conns[i];
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error || send(c->fd, message, sizeof message, MSG_NOSIGNAL) != sizeof message) {
		tally_of(u, i)->refused++;
		end_conn(u, i);
		return;
	}
	c->state = STATE_ECHO;
	watch(u, EPOLL_CTL_MOD, i, EPOLLIN);
}

static void echoed(struct users *u, int i)
{
	struct conn *c = &u->conns[i];
	char buffer[4096];

	if (read(c->fd, buffer, sizeof buffer) <= 0) {
		tally_of(u, i)->refused++;
		end_conn(u, i);
		return;
	}
	if (now_s() - c->born_s > u->deadline)
		tally_of(u, i)->late++;
	else
		tally_of(u, i)->ok++;
	if (!u->keep) {
		end_conn(u, i);
		return;
	}
	epoll_ctl(u->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	c->state = STATE_HELD;
	u->pending--;
	u->held[u->held_count++] = i;
}

static void give_up_late(struct users *u)
{
	double now = now_s();

	for (int i = u->gold + u->quiet; i < u->conns_used; i++) {
		struct conn *c = &u->conns[i];

		if ((c->state != STATE_CONNECTING && c->state != STATE_ECHO) ||
		    now - c->born_s <= u->deadline)
			continue;
		tally_of(u, i)->late++;
		end_conn(u, i);
	}
}

static void run_users(struct users *u)
{
	struct epoll_event events[EVENTS];
	double begin = now_s(), last = begin, stop = 0, looked = 0;

	while (!stop || (u->pending && now_s() - stop < u->deadline)) {
		double t = now_s();
		long due = (long)((t - begin < u->secs ? t - begin : u->secs) * u->rate);
		int n;

		if (!stop && (stopped || t - begin > u->limit))
			stop = t;
		while (!stop && u->opened < due)
			open_new(u);
		beat(u, t - last);
		last = t;
		n = epoll_wait(u->epoll, events, EVENTS, 2);
		for (int k = 0; k < n; k++) {
			int i = (int)events[k].data.u32;

			if (u->conns[i].state == STATE_CONNECTING)
				connected(u, i);
			else if (u->conns[i].state == STATE_ECHO)
				echoed(u, i);
		}
		if (t - looked > 0.1) {
			looked = t;
			give_up_late(u);
		}
	}
}

static void print_figures(struct users *u)
{
	int kept = u->held_count - u->gold_up, new_at = u->gold + u->quiet;
	int gold = survivors(u, 0, u->gold), quiet = survivors(u, u->gold, new_at);
	int kept_survived = survivors(u, new_at, u->conns_used);
	const struct tally *t = &u->tallies[phase ? PHASE_COUNTED : PHASE_BEFORE];

	printf("tried=%ld ok=%ld late=%ld refused=%ld errors=%ld gold=%d "
	       "gold_survived=%d quiet=%d quiet_survived=%d kept=%d kept_survived=%d\n",
	       t->tried, t->ok, t->late, t->refused, t->errors, u->gold_up, gold, u->quiet_up,
	       quiet, kept, kept_survived);
}

/* ---- start ---- */

static void usage(void)
{
	fprintf(stderr, "users --addr ADDRESS [--port N] [--from PREFIX] [--rate N --secs N]\n"
			"      [--deadline SEC] [--keep] [--gold N [--beat SEC] [--spread N]]\n"
			"      [--quiet N] [--limit SEC]\n");
	exit(2);
}

static void parse_options(struct users *u, int argc, char **argv)
{
	static const struct option options[] = {
		{"addr", 1, 0, 'a'},   {"port", 1, 0, 'p'},  {"from", 1, 0, 'f'},
		{"rate", 1, 0, 'r'},   {"secs", 1, 0, 't'},  {"deadline", 1, 0, 'd'},
		{"keep", 0, 0, 'k'},   {"gold", 1, 0, 'g'},  {"beat", 1, 0, 'b'},
		{"spread", 1, 0, 's'}, {"quiet", 1, 0, 'q'}, {"limit", 1, 0, 'l'},
		{0, 0, 0, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			u->addr = optarg;
			break;
		case 'p':
			u->port = atoi(optarg);
			break;
		case 'f':
			u->from = parse_prefix(optarg);
			break;
		case 'r':
			u->rate = atof(optarg);
			break;
		case 't':
			u->secs = atof(optarg);
			break;
		case 'd':
			u->deadline = atof(optarg);
			break;
		case 'k':
			u->keep = 1;
			break;
		case 'g':
			u->gold = atoi(optarg);
			break;
		case 'b':
			u->beat = atof(optarg);
			break;
		case 's':
			u->spread = atoi(optarg);
			break;
		case 'q':
			u->quiet = atoi(optarg);
			break;
		case 'l':
			u->limit = atof(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !u->addr || u->beat <= 0 || u->gold < 0 || u->quiet < 0)
		usage();
}

/* Room for all flows; says so where the process may not have as many files. */
static void make_room(struct users *u)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	u->conns_cap = u->gold + u->quiet +
		       (int)(u->keep ? u->rate * u->secs : 4 * u->rate * u->deadline) + 1;
	if ((rlim_t)u->conns_cap + SPARE_FILES > files.rlim_max) {
		fprintf(stderr, "users: %d flows need more files than %ld\n", u->conns_cap,
			(long)files.rlim_max);
		exit(1);
	}
	u->conns = must_alloc(u->conns_cap, sizeof *u->conns);
	u->unused = must_alloc(u->conns_cap, sizeof *u->unused);
	u->held = must_alloc(u->conns_cap, sizeof *u->held);
}

int main(int argc, char **argv)
{
	struct users u = {.port = 7000, .deadline = 1, .beat = 2, .limit = 600};
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	parse_options(&u, argc, argv);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	make_room(&u);
	u.epoll = epoll_create1(EPOLL_CLOEXEC);
	u.to = parse_address(u.addr, u.port);
	open_all_held(&u);
	run_users(&u);
	print_figures(&u);
	free(u.conns);
	free(u.unused);
	free(u.held);
	return 0;
}
