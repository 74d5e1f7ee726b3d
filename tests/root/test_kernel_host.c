/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must not be cut off: real SSH sessions on an odd port (where sshd is installed), sessions of
 * a process that has its name, addresses, listeners; in a namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/kernel.h"

#define SSH_PORT 4022
#define TRIES	 600 /* of 50 ms */

static char directory[] = "/tmp/test_kernel_host.XXXXXX";

static void pause_briefly(void)
{
	usleep(50000);
}

/* The operator's flows once there are this many of them; 0 where they never come. */
static size_t wait_for(size_t wanted, struct flow_tuple **ret_tuples)
{
	size_t count = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		assert_int_equal(host_operator_sockets(ret_tuples, &count), 0);
		if (count == wanted)
			return count;
		free(*ret_tuples);
		*ret_tuples = NULL;
		pause_briefly();
	}
	return count;
}

static void is_from(const struct flow_tuple *tuple, const char *address, uint16_t dport)
{
	uint8_t bytes[16] = {0}, family = strchr(address, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, address, bytes), 1);
	assert_int_equal(tuple->family, family);
	assert_int_equal(tuple->protocol, IPPROTO_TCP);
	assert_memory_equal(tuple->src, bytes, 16);
	assert_memory_equal(tuple->dst, bytes, 16);
	assert_int_equal(tuple->dport, dport);
	assert_int_not_equal(tuple->sport, dport);
	assert_true(tuple->sport);
}

static void end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* ---- sshd itself ---- */

static pid_t start(const char *const arguments[])
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	return pid;
}

static int make_keys(void)
{
	char command[1024];

	if (!mkdtemp(directory) || access("/usr/sbin/sshd", X_OK) || access("/usr/bin/ssh", X_OK))
		return -1;
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f host && "
		 "ssh-keygen -q -t ed25519 -N '' -f user && cp user.pub authorized && "
		 "printf 'HostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes "
		 "no\nUsePAM no\n"
		 "PermitRootLogin yes\nPidFile none\n' >config",
		 directory, directory, directory);
	return system(command);
}

static void sessions_of_sshd_are_found_on_any_port(void **state)
{
	char config[64], key[64], port[8];
	const char *server[] = {"/usr/sbin/sshd", "-D", "-f", config, "-p", port, NULL};
	const char *client[] = {"/usr/bin/ssh",
				"-i",
				key,
				"-p",
				port,
				"-o",
				"StrictHostKeyChecking=no",
				"-o",
				"UserKnownHostsFile=/dev/null",
				"-o",
				"LogLevel=ERROR",
				"-o",
				"BatchMode=yes",
				"-F",
				"/dev/null",
				"127.0.0.1",
				"exec sleep 600",
				NULL};
	pid_t daemon, session[2];
	struct flow_tuple *tuples;

	(void)state;
	if (make_keys()) {
		print_message("no sshd here\n");
		skip();
	}
	snprintf(config, sizeof(config), "%s/config", directory);
	snprintf(key, sizeof(key), "%s/user", directory);
	snprintf(port, sizeof(port), "%d", SSH_PORT);
	daemon = start(server);
	pause_briefly();
	for (unsigned i = 0; i < TRIES; i++) { /* until it listens */
		session[0] = start(client);
		pause_briefly();
		pause_briefly();
		if (!waitpid(session[0], NULL, WNOHANG))
			break;
	}
	assert_int_equal(wait_for(1, &tuples), 1);
	is_from(&tuples[0], "127.0.0.1", SSH_PORT);
	free(tuples);
	client[15] = "::1";
	session[1] = start(client);
	assert_int_equal(wait_for(2, &tuples), 2);
	is_from(&tuples[0], "127.0.0.1", SSH_PORT);
	is_from(&tuples[1], "::1", SSH_PORT);
	free(tuples);
	end(session[0]);
	assert_int_equal(wait_for(1, &tuples), 1);
	is_from(&tuples[0], "::1", SSH_PORT);
	free(tuples);
	end(session[1]);
	end(daemon);
	wait_for(0, &tuples);
	print_message("real sshd: sessions on port %d, both families\n", SSH_PORT);
}

/* ---- a process that has its name ---- */

static int dual_listener(uint16_t *ret_port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET6, SOCK_STREAM, 0), off = 0;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, (void *)&any, sizeof(any)) | listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (void *)&any, &len), 0);
	*ret_port = ntohs(any.sin6_port);
	return fd;
}

static int connect_v4(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000001)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (void *)&to, sizeof(to)), 0);
	return fd;
}

/* A process of this name that accepts one connection and holds it. */
static pid_t start_named(const char *name, int listener)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		accept(listener, NULL, NULL);
		close(listener);
		for (;;)
			pause();
	}
	return pid;
}

static void a_socket_of_both_families_is_ipv4_on_the_wire(void **state)
{
	struct flow_tuple *tuples;
	uint16_t port, other_port;
	int listener = dual_listener(&port), other = dual_listener(&other_port), fd[2];
	pid_t session = start_named("sshd-session", listener),
	      stranger = start_named("sshd2", other);

	(void)state;
	fd[0] = connect_v4(port);
	fd[1] = connect_v4(other_port); /* not the operator's */
	close(listener);
	close(other);
	assert_int_equal(wait_for(1, &tuples), 1);
	is_from(&tuples[0], "127.0.0.1", port);
	free(tuples);
	close(fd[0]);
	close(fd[1]);
	end(session);
	end(stranger);
}

static int ask_as_nobody(bool hidden)
{
	struct flow_tuple *tuples;
	size_t count;
	int status;
	pid_t child = fork();

	if (!child) {
		if (hidden &&
		    (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		     mount("proc", "/proc", "proc", 0, "hidepid=2")))
			_exit(100);
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(101);
		_exit(-host_operator_sockets(&tuples, &count));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* How many sockets are at the port, as told to who has no right. */
static int count_as_nobody(uint16_t port)
{
	struct flow_tuple *tuples;
	size_t count = 100;
	int status;
	pid_t child = fork();

	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(101);
		_exit(host_port_sockets(port, &tuples, &count) ? 102 : (int)count);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void who_cannot_look_says_so(void **state)
{
	struct flow_tuple *tuples;
	uint16_t port;
	int listener = dual_listener(&port), fd;
	pid_t session = start_named("sshd", listener);

	(void)state;
	fd = connect_v4(port);
	assert_int_equal(wait_for(1, &tuples), 1);
	free(tuples);
	assert_int_equal(ask_as_nobody(false), EACCES);
	/* Who is at a port anybody may ask. */
	assert_int_equal(count_as_nobody(port), 1);
	assert_int_equal(count_as_nobody((uint16_t)(port ^ 1)), 0);
	end(session);
	/* Where processes are hidden "none" is no answer. */
	assert_int_equal(ask_as_nobody(true), EACCES);
	close(fd);
	close(listener);
}

/* ---- addresses ---- */

static void addresses_of_the_namespace_are_listed(void **state)
{
	static const char *const wanted[] = {"127.0.0.1", "::1", "192.0.2.77", "2001:db8::77"};
	struct addr *addrs;
	size_t count;

	(void)state;
	assert_int_equal(system("ip addr add 192.0.2.77/24 dev lo && ip addr add 2001:db8::77/64 "
				"dev lo nodad"),
			 0);
	assert_int_equal(host_addresses(&addrs, &count), 0);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < 4; i++) {
		char text[ADDR_TEXT_MAX];
		bool found = false;

		for (size_t k = 0; k < count; k++)
			found = found || !strcmp(addr_format(&addrs[k], text), wanted[i]);
		if (!found)
			fail_msg("%s is missing", wanted[i]);
	}
	free(addrs);
}

/* ---- gateways ---- */

static void next_hops_of_every_table_are_gateways(void **state)
{
	static const char *const wanted[] = {"198.18.5.1",    "198.18.5.2",    "198.18.5.3",
					     "198.18.5.4",    "2001:db8:5::1", "2001:db8:5::2",
					     "2001:db8:5::3", "2001:db8:5::4", "2001:db8:5::5",
					     "198.18.5.6",    "2001:db8:5::6"};
	const size_t wanted_count = sizeof(wanted) / sizeof(wanted[0]);
	static struct addr addrs[HOST_GATEWAYS_MAX];
	size_t count;

	(void)state;
	assert_int_equal(host_gateways(addrs, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(system("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up && "
				"ip addr add 198.18.5.78/24 dev d0 && "
				"ip addr add 2001:db8:5::78/64 dev d0 nodad && ip route add default via 198.18.5.1 && "
				"ip route add 198.51.100.0/24 via 198.18.5.1 && "
				"ip route add default via 198.18.5.2 table 77 && "
				"ip route add 203.0.113.0/24 nexthop via 198.18.5.3 nexthop via 198.18.5.4 && "
				"ip route add 203.0.114.0/24 via inet6 2001:db8:5::5 && "
				"echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode && "
				"ip nexthop add id 6 via 198.18.5.6 dev d0 && ip route add 203.0.115.0/24 nhid 6 && "
				"ip nexthop add id 7 via 2001:db8:5::6 dev d0 && "
				"ip -6 route add default via 2001:db8:5::1 && "
				"ip -6 route add default via 2001:db8:5::2 table 78 && "
				"ip -6 route add 2001:db8:7::/48 nexthop via 2001:db8:5::3 nexthop via 2001:db8:5::4"),
			 0);
	assert_int_equal(host_gateways(addrs, &count), 0);
	assert_int_equal(count, wanted_count);
	for (size_t i = 0; i < wanted_count; i++) {
		char text[ADDR_TEXT_MAX];
		bool found = false;

		for (size_t k = 0; k < count; k++)
			found = found || !strcmp(addr_format(&addrs[k], text), wanted[i]);
		if (!found)
			fail_msg("%s is missing", wanted[i]);
	}
}

/* ---- listeners ---- */

static pid_t start_listener(const char *name, unsigned groups)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		struct events_options options = {.groups = groups, .rcvbuf_bytes = 1 << 16};
		struct events *first, *second;

		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The first takes the process's number for its port, the second cannot. */
		options.groups = EVENTS_NEW;
		if (events_open(&options, &first))
			_exit(1);
		options.groups = groups;
		if (events_open(&options, &second) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void other_listeners_on_destroy_are_named(void **state)
{
	struct events_options options = {.groups = EVENTS_NEW | EVENTS_DESTROY,
					 .rcvbuf_bytes = 1 << 16};
	struct events *ours;
	char names[64];
	pid_t pids[4];

	(void)state;
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 0);
	assert_string_equal(names, "");
	assert_int_equal(events_open(&options, &ours), 0);
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 0);
	pids[0] = start_listener("onlynew", EVENTS_NEW);
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 0);
	pids[1] = start_listener("conntrackd", EVENTS_DESTROY | EVENTS_NEW);
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 1);
	assert_string_equal(names, "conntrackd");
	pids[2] = start_listener("ulogd", EVENTS_DESTROY);
	pids[3] = start_listener("ulogd", EVENTS_DESTROY);
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 3);
	assert_true(!strcmp(names, "conntrackd, ulogd") || !strcmp(names, "ulogd, conntrackd"));
	for (unsigned i = 0; i < 4; i++)
		end(pids[i]);
	assert_int_equal(host_destroy_listeners(names, sizeof(names)), 0);
	events_close(ours);
}

static int open_lab(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) || system("ip link set lo up");
}

static int close_lab(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return strchr(directory, 'X') ? 0 : system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_of_sshd_are_found_on_any_port),
		cmocka_unit_test(a_socket_of_both_families_is_ipv4_on_the_wire),
		cmocka_unit_test(who_cannot_look_says_so),
		cmocka_unit_test(addresses_of_the_namespace_are_listed),
		cmocka_unit_test(next_hops_of_every_table_are_gateways),
		cmocka_unit_test(other_listeners_on_destroy_are_named),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
