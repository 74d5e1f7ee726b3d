/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of daemon/config: what a config file may say and how a wrong one is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/daemon/config.h"
#include "base/clock.h"

static int load_text(const char *text, struct daemon_config *config, struct problem *problem)
{
	char file[] = "/tmp/ctwarden-config-XXXXXX";
	int fd = mkstemp(file), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	memset(problem, 0, sizeof(*problem));
	r = config_load(file, false, config, problem);
	unlink(file);
	return r;
}

static void refused(const char *text, int line, const char *path)
{
	struct daemon_config config, before;
	struct problem problem;

	memset(&config, 0x5a, sizeof(config));
	before = config;
	assert_int_equal(load_text(text, &config, &problem), -EINVAL);
	assert_memory_equal(&config, &before, sizeof(config));
	assert_int_equal(problem.line, line);
	assert_string_equal(problem.path, path);
	assert_true(problem.text[0] != 0);
}

static void empty_object_is_the_defaults(void **state)
{
	struct daemon_config config, defaults;
	struct problem problem;

	(void)state;
	config_default(&defaults);
	assert_int_equal(load_text("{}", &config, &problem), 0);
	assert_int_equal(config.picture.max_rows, 65536);
	assert_int_equal(config.poll_ms, defaults.poll_ms);
	assert_int_equal(config.events, EVENTS_MODE_AUTO);
	assert_int_equal(config.log, OUTLET_TO_STDOUT);
	assert_string_equal(config.socket, CONFIG_SOCKET_DEFAULT);
}

static void every_key_is_taken(void **state)
{
	struct daemon_config config;
	struct problem problem;

	(void)state;
	assert_int_equal(
		load_text(
			"{ # a comment\n\"capacity\": 1000, \"levels\": {\"warning\": {\"enter_pct\": 60,"
			"\"leave_pct\": 50, \"forecast_sec\": 30}, \"critical\": {\"enter_pct\": 80,"
			"\"leave_pct\": 75}, \"full_pct\": 97, \"dwell_sec\": \"2s\"},\n"
			"\"events\": \"off\", \"events_max_new_per_sec\": 5, \"events_buffer_bytes\": 4096,"
			"\"source_prefix\": [24, 56], \"prefix\": [16, 48], \"sources_max\": 100,"
			"\"pass\": {\"share_pct\": 10, \"min_interval_sec\": 1, \"max_interval_sec\": 20},"
			"\"poll_ms\": 50, \"socket\": \"/tmp/s\", \"state_dir\": \"/tmp/d\","
			"\"alarms_max_bytes\": 100000, \"topline_sec\": 60, \"alarm_repeat_sec\": 0, \"log\": \"both\","
			"\"protect\": [{\"name\": \"routers\", \"match\": {\"src\": \"10.0.0.0/29\"}}] }",
			&config, &problem),
		0);
	assert_int_equal(config.capacity, 1000);
	assert_true(config.levels.warning.enter_pct > 59.9 && config.levels.warning.enter_pct < 60.1);
	assert_int_equal(config.levels.dwell_ns, 2 * NS_PER_SEC);
	assert_int_equal(config.events, EVENTS_MODE_OFF);
	assert_int_equal(config.picture.source_prefix[1], 56);
	assert_int_equal(config.pass_max_ns, 20 * NS_PER_SEC);
	assert_string_equal(config.socket, "/tmp/s");
	assert_int_equal(config.log, OUTLET_TO_BOTH);
}

static void wrong_values_are_refused_with_line_and_path(void **state)
{
	(void)state;
	refused("{\n\"poll_ms\": \"often\" }", 2, "poll_ms");
	refused("{\n\n\"pass\": { \"share_pct\": 11 } }", 3, "pass.share_pct");
	refused("{\n\"socket\": \"relative\" }", 2, "socket");
	refused("{\n\"capacity\": 4294967296 }", 2, "capacity");
	refused("{\n\"prefix\": [24, 129] }", 2, "prefix[1]");
	refused("{\n\"events\": \"maybe\" }", 2, "events");
	refused("{\n\"log\": \"file\" }", 2, "log");
	refused("{\n\"protect\": [{\"name\": \"a\",\n\"match\": {\"src\": \"10.0.0.0/33\"}}] }", 3,
		"protect[0].match.src");
	refused("{\n\"protect\": {} }", 2, "protect");
	refused("{\n\"pass\": { \"min_interval_sec\": 20,\n\"max_interval_sec\": 10 } }", 3, "pass.max_interval_sec");
}

static void unknown_keys_are_refused(void **state)
{
	(void)state;
	refused("{\n\"capacitty\": 5 }", 2, "capacitty");
	refused("{\"levels\":\n{\"warning\":\n{ \"entre_pct\": 5 } } }", 3, "levels.warning.entre_pct");
}

static void what_the_config_protects_joins_what_the_policy_protects(void **state)
{
	static const char policy_text[] =
		"{\"schema\": \"ctwarden.policy/1\", \"protect\": {\"flows\": ["
		"{\"name\": \"a\", \"match\": {\"src\": \"192.0.2.1\"}},"
		"{\"name\": \"b\", \"match\": {\"src\": \"192.0.2.2\"}},"
		"{\"name\": \"c\", \"match\": {\"src\": \"192.0.2.3\"}}]}}";
	static const char *const names[] = { "a", "b", "c", "routers" };
	char file[] = "/tmp/ctwarden-config-XXXXXX";
	struct problem problem = { 0 };
	struct policy *policy = NULL;
	FILE *stream = fdopen(mkstemp(file), "w");

	(void)state;
	assert_non_null(stream);
	fputs("{\"protect\": [{\"name\": \"routers\", \"match\": {\"src\": \"10.0.0.0/29\"}}]}", stream);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(policy_parse(policy_text, strlen(policy_text), "policy", &policy, &problem), 0);
	assert_int_equal(config_protect(file, policy, &problem), 0);
	unlink(file);
	assert_int_equal(policy->protect_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(policy->protect[i].name, names[i]);
		assert_int_equal(policy->protect[i].match.count, 1);
		assert_non_null(policy->protect[i].match.filter);
	}
	policy_free(policy);
}

static void only_the_default_file_may_be_missing(void **state)
{
	struct daemon_config config;
	struct problem problem = { 0 };

	(void)state;
	assert_int_equal(config_load("/nonexistent/ctwarden.json", true, &config, &problem), 0);
	assert_int_equal(config_load("/nonexistent/ctwarden.json", false, &config, &problem), -ENOENT);
	assert_true(problem.text[0] != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_object_is_the_defaults),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(wrong_values_are_refused_with_line_and_path),
		cmocka_unit_test(unknown_keys_are_refused),
		cmocka_unit_test(what_the_config_protects_joins_what_the_policy_protects),
		cmocka_unit_test(only_the_default_file_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
