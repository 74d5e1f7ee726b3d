/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base timeouts, set by kernel/timeouts, lowered and put back by daemon/settings, in a namespace of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/daemon/settings.h"
#include "kernel/kernel.h"
#include "kernel_lab.h"

static char directory[] = "/tmp/ctwarden-settings-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return lab_enter() && mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(directory);
}

static uint32_t udp_sec(void)
{
	struct flow_timeouts timeouts = {0};

	assert_int_equal(timeouts_read(&timeouts), 0);
	return timeouts.udp_unreplied;
}

static void set_udp(uint32_t sec)
{
	struct flow_timeouts set = {.udp_unreplied = sec};

	assert_int_equal(timeouts_write(&set), 0);
}

static int lower(uint32_t sec)
{
	struct flow_timeouts set = {.udp_unreplied = sec};
	struct problem problem = {0};

	return settings_lower(directory, &set, &problem);
}

static void restore(size_t expected)
{
	size_t count = 99;

	assert_int_equal(settings_restore(directory, &count, NULL), 0);
	assert_int_equal(count, expected);
}

static void what_was_there_is_put_back(void **state)
{
	(void)state;
	set_udp(100);
	assert_int_equal(lower(50), 0);
	assert_int_equal(lower(20), 0); /* the older value stays */
	assert_int_equal(lower(30), 0); /* not lower: no change */
	assert_int_equal(udp_sec(), 20);
	restore(1);
	assert_int_equal(udp_sec(), 100);
	restore(0);
}

static void what_somebody_else_set_is_his(void **state)
{
	(void)state;
	set_udp(100);
	assert_int_equal(lower(20), 0);
	set_udp(70);
	restore(0);
	assert_int_equal(udp_sec(), 70);
	/* And when it is lowered once more it is his value that comes back. */
	set_udp(100);
	assert_int_equal(lower(20), 0);
	set_udp(70);
	assert_int_equal(lower(20), 0);
	restore(1);
	assert_int_equal(udp_sec(), 70);
}

static void a_link_in_the_way_is_not_followed(void **state)
{
	char target[128], link[128], text[8] = "";
	int fd;

	(void)state;
	snprintf(target, sizeof(target), "%s/precious", directory);
	snprintf(link, sizeof(link), "%s/" SETTINGS_FILE ".new", directory);
	fd = open(target, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	assert_int_equal(symlink(target, link), 0);
	set_udp(100);
	assert_int_equal(lower(20), -ELOOP);
	assert_int_equal(udp_sec(), 100);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
	assert_string_equal(text, "keep");
	close(fd);
	unlink(link);
	unlink(target);
}

static void timeouts_are_set_and_put_back(void **state)
{
	struct flow_timeouts before, now, set = {0};

	(void)state;
	assert_int_equal(timeouts_read(&before), 0);
	set.udp_unreplied = 9;
	set.tcp[FLOW_TCP_CLOSE] = 7;
	set.tcp[FLOW_TCP_ESTABLISHED] = 12345;
	set.generic = 77;
	assert_int_equal(timeouts_write(&set), 0);
	assert_int_equal(timeouts_read(&now), 0);
	assert_int_equal(now.udp_unreplied, 9);
	assert_int_equal(now.tcp[FLOW_TCP_CLOSE], 7);
	assert_int_equal(now.tcp[FLOW_TCP_ESTABLISHED], 12345);
	assert_int_equal(now.generic, 77);
	/* What was not given stays, also of the same protocol. */
	assert_int_equal(now.udp_stream, before.udp_stream);
	assert_int_equal(now.tcp[FLOW_TCP_TIME_WAIT], before.tcp[FLOW_TCP_TIME_WAIT]);
	assert_int_equal(now.tcp_max_retrans, before.tcp_max_retrans);
	assert_int_equal(timeouts_write(&before), 0);
	assert_int_equal(timeouts_read(&now), 0);
	assert_memory_equal(&now, &before, sizeof(now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timeouts_are_set_and_put_back),
		cmocka_unit_test(what_was_there_is_put_back),
		cmocka_unit_test(what_somebody_else_set_is_his),
		cmocka_unit_test(a_link_in_the_way_is_not_followed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
