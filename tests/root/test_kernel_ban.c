/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bans of the kernel layer, in a namespace of its own: real packets over loopback, real sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"

static int sh(const char *command)
{
	return system(command);
}

static int setup(void **state)
{
	(void)state;
	if (!lab_enter())
		return -1;
	return sh("ip link set lo up && ip addr add 192.0.2.1/24 dev lo && ip addr add 192.0.2.2/24 dev lo && "
		  "ip -6 addr add 2001:db8:7::1/64 dev lo nodad && ip -6 addr add 2001:db8:8::1/64 dev lo nodad");
}

static struct ban ban_of(const char *prefix, int64_t seconds)
{
	struct ban ban = {.until_ns = clock_monotonic_ns() + seconds * NS_PER_SEC};

	assert_int_equal(prefix_parse(prefix, &ban.prefix, NULL), 0);
	return ban;
}

static struct bans *open_bans(size_t max)
{
	struct problem problem = {0};
	struct bans *bans;

	assert_int_equal(bans_open(max, &bans, &problem), 0);
	bans_tend(bans, true);
	return bans;
}

static void add(struct bans *bans, struct ban ban)
{
	struct problem problem = {0};

	if (bans_add(bans, &ban, &problem))
		fail_msg("bans_add: %s", problem.text);
}

static size_t in_force(struct bans *bans)
{
	size_t count;

	bans_list(bans, clock_monotonic_ns(), &count);
	return count;
}

struct end {
	struct sockaddr_storage addr;
	socklen_t len;
};

static struct end end_of(const char *text, uint16_t port)
{
	struct end end = {0};

	if (strchr(text, ':')) {
		struct sockaddr_in6 *in6 = (void *)&end.addr;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		end.len = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (void *)&end.addr;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
		end.len = sizeof(*in);
	}
	return end;
}

static int udp_socket(const char *from, uint16_t port)
{
	struct end end = end_of(from, port);
	int fd = socket(end.addr.ss_family, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&end.addr, end.len), 0);
	return fd;
}

/* Whether a datagram gets from one socket to a listening one: loopback delivers before sendto returns. */
static bool gets_through(int from, int to, const char *address, uint16_t port)
{
	struct end end = end_of(address, port);
	char byte = 'x';

	while (recv(to, &byte, 1, MSG_DONTWAIT) > 0)
		;
	if (sendto(from, &byte, 1, 0, (void *)&end.addr, end.len) != 1)
		return false;
	for (int i = 0; i < 20; i++) {
		if (recv(to, &byte, 1, MSG_DONTWAIT) == 1)
			return true;
		usleep(5000);
	}
	return false;
}

static bool passes(const char *source, int to, const char *address, uint16_t port)
{
	int from = udp_socket(source, 0);
	bool result = gets_through(from, to, address, port);

	close(from);
	return result;
}

static void new_flows_are_refused_and_old_ones_live(void **state)
{
	struct bans *bans = open_bans(10);
	int server = udp_socket("192.0.2.1", 9000), old = udp_socket("192.0.2.2", 4000);

	(void)state;
	/* The chain of a ban makes the namespace track; before it nothing would be known as old. */
	assert_int_equal(sh("nft 'add table ip t; add chain ip t o { type filter hook output priority 0; }; "
			    "add rule ip t o ct state new accept'"), 0);
	assert_true(gets_through(old, server, "192.0.2.1", 9000));
	/* An answer makes it a flow of two ways: `ct state established`. */
	assert_true(gets_through(server, old, "192.0.2.2", 4000));
	add(bans, ban_of("192.0.2.2", 600));
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9000));
	assert_true(gets_through(old, server, "192.0.2.1", 9000));
	assert_true(passes("192.0.2.1", server, "192.0.2.1", 9000));
	assert_int_equal(bans_remove(bans, &(struct prefix){ban_of("192.0.2.2", 1).prefix.addr, 32}, NULL), 0);
	assert_true(passes("192.0.2.2", server, "192.0.2.1", 9000));
	assert_int_equal(bans_remove(bans, &(struct prefix){ban_of("192.0.2.2", 1).prefix.addr, 32}, NULL), -ENOENT);
	assert_int_equal(bans_clear(bans, NULL), 0);
	assert_int_not_equal(sh("nft list table inet ctwarden >/dev/null 2>&1"), 0);
	bans_close(bans);
	close(server);
	close(old);
}

static void ipv6_prefixes_too(void **state)
{
	struct bans *bans = open_bans(10);
	int server = udp_socket("2001:db8:8::1", 9000);

	(void)state;
	add(bans, ban_of("2001:db8:7::/64", 600));
	assert_false(passes("2001:db8:7::1", server, "2001:db8:8::1", 9000));
	assert_true(passes("2001:db8:8::1", server, "2001:db8:8::1", 9000));
	assert_int_equal(bans_clear(bans, NULL), 0);
	assert_true(passes("2001:db8:7::1", server, "2001:db8:8::1", 9000));
	bans_close(bans);
	close(server);
}

static void a_ban_ends_by_itself(void **state)
{
	struct bans *bans = open_bans(10);
	int server = udp_socket("192.0.2.1", 9001);
	int64_t end_ns = clock_monotonic_ns() + 20 * NS_PER_SEC;

	(void)state;
	add(bans, ban_of("192.0.2.2", 1));
	assert_int_equal(in_force(bans), 1);
	while (!passes("192.0.2.2", server, "192.0.2.1", 9001))
		assert_true(clock_monotonic_ns() < end_ns);
	assert_int_equal(in_force(bans), 0);
	bans_clear(bans, NULL);
	bans_close(bans);
	close(server);
}

static void a_removed_table_is_made_anew_with_all_bans(void **state)
{
	struct bans *bans = open_bans(10);
	int server = udp_socket("192.0.2.1", 9002);

	(void)state;
	add(bans, ban_of("192.0.2.2", 600));
	assert_int_equal(sh("nft delete table inet ctwarden"), 0);
	assert_true(passes("192.0.2.2", server, "192.0.2.1", 9002));
	add(bans, ban_of("198.51.100.7", 600));
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9002));
	assert_int_equal(bans_rebuilt(bans), 1);
	bans_clear(bans, NULL);
	bans_close(bans);
	close(server);
}

static void a_second_run_takes_bans_over(void **state)
{
	struct bans *bans = open_bans(10);
	const struct ban *list;
	size_t count;

	(void)state;
	add(bans, ban_of("192.0.2.2", 600));
	add(bans, ban_of("203.0.113.0/24", 300));
	add(bans, ban_of("2001:db8:7::/64", 900));
	bans_close(bans);
	bans = open_bans(10);
	list = bans_list(bans, clock_monotonic_ns(), &count);
	assert_int_equal(count, 3);
	assert_int_equal(list[0].prefix.len, 24);
	assert_in_range(list[0].until_ns - clock_monotonic_ns(), 200 * NS_PER_SEC, 301 * NS_PER_SEC);
	assert_int_equal(list[2].prefix.addr.family, AF_INET6);
	assert_int_equal(list[2].prefix.len, 64);
	bans_clear(bans, NULL);
	bans_close(bans);
}

/* Sets that merge neighbours would give back one range. */
static void neighbours_are_taken_over_one_by_one(void **state)
{
	static const char *const neighbours[] = {"203.0.113.4", "203.0.113.5", "203.0.113.6", "203.0.113.8/29"};
	struct bans *bans = open_bans(10);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add(bans, ban_of(neighbours[i], 600));
	bans_close(bans);
	bans = open_bans(10);
	assert_int_equal(in_force(bans), 4);
	for (size_t i = 0; i < 4; i++) {
		struct prefix prefix = ban_of(neighbours[i], 1).prefix;

		assert_int_equal(bans_remove(bans, &prefix, NULL), 0);
	}
	bans_clear(bans, NULL);
	bans_close(bans);
}

static void overlaps_and_repeats_and_the_most(void **state)
{
	struct bans *bans = open_bans(3);
	int server = udp_socket("192.0.2.1", 9003);
	struct ban more = ban_of("198.51.100.1", 600);

	(void)state;
	add(bans, ban_of("192.0.2.2", 600));
	add(bans, ban_of("192.0.2.2/31", 600)); /* covers it */
	add(bans, ban_of("192.0.2.2", 900));
	add(bans, ban_of("198.51.100.0/24", 600));
	assert_int_equal(in_force(bans), 3);
	assert_int_equal(bans_add(bans, &more, NULL), -ENOSPC);
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9003));
	/* The wide one goes, the narrow one stands alone again. */
	assert_int_equal(bans_remove(bans, &(struct prefix){ban_of("192.0.2.2", 1).prefix.addr, 31}, NULL), 0);
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9003));
	bans_clear(bans, NULL);
	bans_close(bans);
	close(server);
}

static void a_narrow_ban_outlives_the_wide_one(void **state)
{
	struct bans *bans = open_bans(10);
	int server = udp_socket("192.0.2.1", 9005);
	int64_t end_ns = clock_monotonic_ns() + 60 * NS_PER_SEC;
	struct ban wide = ban_of("192.0.2.2/31", 4);
	size_t count;

	(void)state;
	add(bans, wide);
	add(bans, ban_of("192.0.2.2", 600));
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9005));
	do {
		bans_list(bans, clock_monotonic_ns(), &count);
		assert_true(clock_monotonic_ns() < end_ns);
		usleep(20000);
	} while (count == 2);
	assert_int_equal(count, 1);
	/* The kernel rounds up: past the end of the wide one there too. */
	while (clock_monotonic_ns() < wide.until_ns + 2 * NS_PER_SEC)
		usleep(20000);
	assert_false(passes("192.0.2.2", server, "192.0.2.1", 9005));
	assert_int_equal(bans_rebuilt(bans), 0);
	bans_clear(bans, NULL);
	bans_close(bans);
	close(server);
}

static void rates_no_ban_has_are_forgotten(void **state)
{
	struct bans *bans = open_bans(20);
	struct ban slow = ban_of("198.51.100.0", 600);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		slow.prefix.addr.bytes[3] = (uint8_t)i;
		slow.rate_per_sec = 100 + i;
		add(bans, slow);
	}
	slow.prefix.addr.bytes[3] = 8;
	slow.rate_per_sec = 200;
	assert_int_equal(bans_add(bans, &slow, NULL), -ERANGE);
	slow.prefix.addr.bytes[3] = 3;
	assert_int_equal(bans_remove(bans, &slow.prefix, NULL), 0);
	slow.prefix.addr.bytes[3] = 8;
	add(bans, slow);
	assert_int_equal(sh("nft list set inet ctwarden slowed4_200 | grep -q 198.51.100.8"), 0);
	assert_int_equal(sh("nft list set inet ctwarden slowed4_104 | grep -q 198.51.100.4"), 0);
	assert_int_not_equal(sh("nft list set inet ctwarden slowed4_103 >/dev/null 2>&1"), 0);
	bans_clear(bans, NULL);
	bans_close(bans);
}

/* A look writes nothing: not even what another hand added to the chain goes. */
static void a_look_changes_nothing(void **state)
{
	struct bans *bans = open_bans(10);
	struct ban seen[10];
	size_t count = 99;

	(void)state;
	assert_int_equal(bans_read(10, seen, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_not_equal(sh("nft list table inet ctwarden >/dev/null 2>&1"), 0);
	add(bans, ban_of("203.0.113.9", 600));
	bans_close(bans);
	assert_int_equal(sh("nft add rule inet ctwarden new counter comment mine"), 0);
	assert_int_equal(bans_read(10, seen, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(seen[0].prefix.len, 32);
	assert_int_equal(sh("nft list chain inet ctwarden new | grep -q mine"), 0);
	assert_int_equal(bans_open(10, &bans, NULL), 0);
	assert_int_equal(in_force(bans), 1);
	assert_int_equal(sh("nft list chain inet ctwarden new | grep -q mine"), 0);
	bans_tend(bans, true);
	assert_int_not_equal(sh("nft list chain inet ctwarden new | grep -q mine"), 0);
	assert_int_equal(bans_check(bans, NULL), 0);
	bans_clear(bans, NULL);
	bans_close(bans);
}

static void a_slowed_source_gets_some_through(void **state)
{
	struct bans *bans = open_bans(10);
	struct ban slow = ban_of("192.0.2.2", 600);
	int server = udp_socket("192.0.2.1", 9004);
	unsigned through = 0;

	(void)state;
	slow.rate_per_sec = 0.01; /* 36 an hour: one of the burst, then hardly any */
	add(bans, slow);
	for (int i = 0; i < 5; i++)
		through += passes("192.0.2.2", server, "192.0.2.1", 9004);
	assert_int_equal(through, 1);
	bans_clear(bans, NULL);
	bans_close(bans);
	close(server);
}

/* With its rate, which the sets of the next run have again; in both families. */
static void slowed_ones_are_taken_over_too(void **state)
{
	static const double rates[] = {0.01, 20, 1e6, 1.0 / 3};
	struct bans *bans = open_bans(20);
	struct ban slow = ban_of("2001:db8:7::/64", 600), seen[20];
	const struct ban *list;
	size_t count;

	(void)state;
	slow.rate_per_sec = 20;
	add(bans, slow);
	for (unsigned i = 0; i < 4; i++) {
		slow = ban_of("198.51.100.0", 300 - 60 * i);
		slow.prefix.addr.bytes[3] = (uint8_t)i;
		slow.rate_per_sec = rates[i];
		add(bans, slow);
	}
	bans_close(bans);
	assert_int_equal(bans_read(20, seen, &count, NULL), 0);
	assert_int_equal(count, 5);
	bans = open_bans(20); /* writes the table anew */
	bans_close(bans);
	bans = open_bans(20);
	list = bans_list(bans, clock_monotonic_ns(), &count);
	assert_int_equal(count, 5);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(list[3 - i].prefix.addr.bytes[3], i);
		assert_true(list[3 - i].rate_per_sec == rates[i]);
		assert_in_range(list[3 - i].until_ns - clock_monotonic_ns(), (200 - 60 * i) * NS_PER_SEC,
				(302 - 60 * i) * NS_PER_SEC);
	}
	assert_int_equal(list[4].prefix.len, 64);
	assert_true(list[4].rate_per_sec == 20);
	bans_clear(bans, NULL);
	bans_close(bans);
}

static void a_stricter_ban_leaves_a_longer_milder_one_its_time(void **state)
{
	struct bans *bans = open_bans(10);
	struct ban slow = ban_of("192.0.2.2", 600), strict = ban_of("192.0.2.2", 2);
	const struct ban *list;
	size_t count;

	(void)state;
	slow.rate_per_sec = 5;
	add(bans, slow);
	add(bans, strict);
	list = bans_list(bans, clock_monotonic_ns(), &count);
	assert_int_equal(count, 2);
	assert_true(list[0].rate_per_sec == 0 && list[1].rate_per_sec == 5);
	while (clock_monotonic_ns() < strict.until_ns)
		usleep(20000);
	list = bans_list(bans, clock_monotonic_ns(), &count);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].until_ns, slow.until_ns);
	assert_int_equal(sh("nft list set inet ctwarden slowed4_5 | grep -q 192.0.2.2"), 0);
	add(bans, ban_of("192.0.2.2", 900)); /* outlasts it */
	assert_int_equal(in_force(bans), 1);
	add(bans, strict = ban_of("192.0.2.2", 300));
	assert_int_equal(bans_remove(bans, &strict.prefix, NULL), 0); /* at all rates */
	assert_int_equal(in_force(bans), 0);
	bans_clear(bans, NULL);
	bans_close(bans);
}

static void what_the_kernel_refuses_to_lift_stays(void **state)
{
	struct bans *bans = open_bans(10);
	struct ban strict = ban_of("192.0.2.2", 600), slow = ban_of("192.0.2.2", 900);
	struct problem problem = {0};

	(void)state;
	slow.rate_per_sec = 5;
	add(bans, slow);
	add(bans, ban_of("192.0.2.9", 300));
	add(bans, strict);
	assert_int_equal(seteuid(65534), 0); /* without the right to change sets */
	assert_int_equal(bans_remove(bans, &strict.prefix, &problem), -EPERM);
	assert_int_equal(bans_clear(bans, NULL), -EPERM);
	assert_int_equal(seteuid(0), 0);
	assert_string_not_equal(problem.text, "");
	assert_int_equal(in_force(bans), 3);
	assert_int_equal(sh("nft flush set inet ctwarden banned4"), 0);
	assert_int_equal(bans_check(bans, NULL), 3); /* as many are put back */
	assert_int_equal(sh("nft list set inet ctwarden banned4 | grep -q 192.0.2.2"), 0);
	assert_int_equal(sh("nft list set inet ctwarden slowed4_5 | grep -q 192.0.2.2"), 0);
	assert_int_equal(bans_remove(bans, &strict.prefix, NULL), 0);
	assert_int_equal(in_force(bans), 1);
	assert_int_equal(sh("nft list table inet ctwarden | grep -q 192.0.2.2"), 256);
	bans_clear(bans, NULL);
	bans_close(bans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_flows_are_refused_and_old_ones_live),
		cmocka_unit_test(ipv6_prefixes_too),
		cmocka_unit_test(a_ban_ends_by_itself),
		cmocka_unit_test(a_removed_table_is_made_anew_with_all_bans),
		cmocka_unit_test(a_second_run_takes_bans_over),
		cmocka_unit_test(neighbours_are_taken_over_one_by_one),
		cmocka_unit_test(overlaps_and_repeats_and_the_most),
		cmocka_unit_test(a_narrow_ban_outlives_the_wide_one),
		cmocka_unit_test(rates_no_ban_has_are_forgotten),
		cmocka_unit_test(a_look_changes_nothing),
		cmocka_unit_test(a_slowed_source_gets_some_through),
		cmocka_unit_test(slowed_ones_are_taken_over_too),
		cmocka_unit_test(a_stricter_ban_leaves_a_longer_milder_one_its_time),
		cmocka_unit_test(what_the_kernel_refuses_to_lift_stays),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
