/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/main: options, signals and the loop of ctwardend. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "engine.h"
#include "notify.h"
#include "report/report.h"
#include "settings.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define BIG_ALLOCATION (256 << 10) /* bytes */

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BAD_CONFIG = 4 };

struct options {
	const char *config_file; /* NULL: the default one, which may be missing */
	const char *socket, *state_dir, *policy_file;
	uint64_t capacity;
	bool has_capacity, has_mode, is_json, is_check, is_restore;
	enum policy_mode mode;
};

struct program {
	struct event_base *base;
	struct engine *engine;
	const struct options *options;
};

static const char help_text[] =
	"Usage: ctwardend [OPTION]...\n"
	"Watches the connection tracking table: counts, ranks and warns. Stays in the foreground; alarms go to\n"
	"stdout, messages to stderr.\n\n"
	"  --config FILE     instead of " CONFIG_FILE_DEFAULT "\n"
	"  --capacity N      entries this table may have (default: the kernel's limit)\n"
	"  --socket PATH     control socket (default: " CONFIG_SOCKET_DEFAULT ")\n"
	"  --state-dir DIR   where alarms are kept (default: " CONFIG_STATE_DIR_DEFAULT ")\n"
	"  --policy FILE     instead of " CONFIG_POLICY_DEFAULT "\n"
	"  --mode MODE       observe: say what the policy would do; act: do it (default: what the policy says)\n"
	"  -j, --json        alarms as JSON, one a line\n"
	"  --check-config    read config and policy, say what is wrong, exit\n"
	"  --restore         put kernel timeouts back that a run lowered and left so, exit\n"
	"  -h, --help\n"
	"  -V, --version\n\n"
	"SIGHUP reads config and policy again. Exit codes: 0 done, 1 failed, 2 usage, 4 bad config.\n";

static int usage_error(const char *format, const char *value)
{
	fputs("ctwardend: ", stderr);
	fprintf(stderr, "%s%s", format, value);
	fputs("; see ctwardend --help\n", stderr);
	return EXIT_USAGE;
}

/* The exit code of what only prints. */
static int end_of_output(void)
{
	int result = report_flush_file(stdout);

	if (result)
		fprintf(stderr, "ctwardend: cannot write to standard output: %s\n", strerror(-result));
	return result ? EXIT_FAILED : 0;
}

/* -1: go on; else the exit code. */
static int read_option(int option, const char *word, struct options *options)
{
	struct problem problem = { 0 };

	switch (option) {
	case 'c':
		options->config_file = optarg;
		return -1;
	case 'n':
		if (units_parse_number(optarg, 1, UINT32_MAX, "a number of entries", &options->capacity, &problem) < 0)
			return usage_error("--capacity: ", problem.text);
		options->has_capacity = true;
		return -1;
	case 's':
	case 'd':
		if (optarg[0] != '/' || strlen(optarg) >= CONFIG_SOCKET_MAX)
			return usage_error(
				option == 's' ? "--socket: an absolute path of at most 107 bytes is expected, not "
					      : "--state-dir: an absolute path of at most 107 bytes is expected, not ",
				optarg);
		*(option == 's' ? &options->socket : &options->state_dir) = optarg;
		return -1;
	case 'm':
		if (policy_mode_parse(optarg, &options->mode) < 0)
			return usage_error("--mode: observe or act is expected, not ", optarg);
		options->has_mode = true;
		return -1;
	case 'p':
		if (strlen(optarg) >= CONFIG_DIR_MAX)
			return usage_error("--policy: a path of at most 255 bytes is expected, not ", optarg);
		options->policy_file = optarg;
		return -1;
	case 'r':
		options->is_restore = true;
		return -1;
	case 'j':
		options->is_json = true;
		return -1;
	case 'k':
		options->is_check = true;
		return -1;
	case 'h':
		fputs(help_text, stdout);
		return end_of_output();
	case 'V':
		printf("ctwardend %s\n", PACKAGE_VERSION);
		return end_of_output();
	}
	return usage_error(option == ':' ? "a value is missing after " : "unknown option ", word);
}

static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },    { "capacity", required_argument, NULL, 'n' },
		{ "socket", required_argument, NULL, 's' },    { "state-dir", required_argument, NULL, 'd' },
		{ "mode", required_argument, NULL, 'm' },      { "json", no_argument, NULL, 'j' },
		{ "policy", required_argument, NULL, 'p' },    { "restore", no_argument, NULL, 'r' },
		{ "check-config", no_argument, NULL, 'k' },    { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },         { NULL, 0, NULL, 0 },
	};
	int option, r;

	while ((option = getopt_long(argc, argv, ":jhV", known, NULL)) >= 0) {
		r = read_option(option, argv[optind - 1], options);
		if (r >= 0)
			return r;
	}
	if (optind < argc)
		return usage_error("unexpected argument ", argv[optind]);
	if (options->is_check && options->is_restore)
		return usage_error("either --check-config or --restore, not both", "");
	return -1;
}

/* The file, and over it the command line. */
static int load_config(const struct options *options, struct daemon_config *ret_config, struct problem *problem)
{
	const char *file = options->config_file ? options->config_file : CONFIG_FILE_DEFAULT;
	struct daemon_config config;
	int r = config_load(file, !options->config_file, &config, problem);

	if (r < 0)
		return r;
	if (options->has_capacity)
		config.capacity = options->capacity;
	if (options->socket)
		snprintf(config.socket, sizeof(config.socket), "%s", options->socket);
	if (options->state_dir)
		snprintf(config.state_dir, sizeof(config.state_dir), "%s", options->state_dir);
	snprintf(config.file, sizeof(config.file), "%s", file);
	if (options->policy_file) {
		snprintf(config.policy_file, sizeof(config.policy_file), "%s", options->policy_file);
		config.has_policy_file = true;
	}
	config.has_mode = options->has_mode;
	config.mode = options->mode;
	*ret_config = config;
	return 0;
}

/* For the unit's ExecStopPost: whatever ended the daemon. */
static int restore(const struct daemon_config *config)
{
	struct problem problem = { 0 };
	size_t count = 0;

	if (settings_restore(config->state_dir, &count, &problem) < 0) {
		log_error("%s: %s", problem.path, problem.text);
		return EXIT_FAILED;
	}
	if (count)
		log_info("%zu kernel timeout%s put back", count, count == 1 ? " was" : "s were");
	return 0;
}

/* The config is good; the policy too? */
static int check(const struct options *options, const struct daemon_config *config)
{
	struct problem problem = { 0 };
	struct policy *policy;
	char text[700];

	if (warden_load(config, &policy, &problem) < 0) {
		log_error("%s", problem_format(&problem, text, sizeof(text)));
		return EXIT_BAD_CONFIG;
	}
	if (!options->config_file && access(CONFIG_FILE_DEFAULT, F_OK) != 0)
		printf("%s: not there; the defaults are used\n", CONFIG_FILE_DEFAULT);
	else
		printf("%s: good\n", options->config_file ? options->config_file : CONFIG_FILE_DEFAULT);
	if (!config->has_policy_file && access(config->policy_file, F_OK) != 0)
		printf("%s: not there; nothing is ever done\n", config->policy_file);
	else
		printf("%s: good; %zu rule%s, mode %s\n", config->policy_file, policy->rule_count,
		       units_plural(policy->rule_count),
		       policy_mode_name(config->has_mode ? config->mode : policy->mode));
	policy_free(policy);
	return end_of_output();
}

static void on_stop_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct program *program = arg;

	(void)signal_number;
	(void)what;
	event_base_loopbreak(program->base);
}

/* by_client: over the control socket, which then must stay the same. */
static int reload(struct program *program, bool by_client, struct problem *problem)
{
	struct daemon_config config;
	char text[700];
	int r;

	notify_reloading();
	r = load_config(program->options, &config, problem);
	if (r == 0 && by_client && strcmp(config.socket, program->engine->config.socket) != 0)
		r = problem_set(problem, "socket", "another path is taken over by SIGHUP alone");
	if (r == 0)
		r = engine_reload(program->engine, &config, problem);
	if (r < 0)
		log_error("%s; the old config stays in force", problem_format(problem, text, sizeof(text)));
	else
		log_info("config read again");
	notify_ready();
	return r;
}

static int reload_for_client(void *arg, struct problem *reterr_problem)
{
	return reload(arg, true, reterr_problem);
}

static void on_reload_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct problem problem = { 0 };

	(void)signal_number;
	(void)what;
	reload(arg, false, &problem);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_watchdog();
}

static void say_start(const struct daemon_config *config, const struct engine *engine)
{
	log_info("watching %llu %s, capacity %llu%s", (unsigned long long)engine->fill.now.entries,
		 engine->fill.now.entries == 1 ? "entry" : "entries",
		 (unsigned long long)engine->fill.capacity, config->capacity ? " (set)" : "");
	if (engine->warden.policy->rule_count)
		log_info("policy %s, mode %s: %zu rule%s",
			 engine->warden.policy->name[0] ? engine->warden.policy->name : config->policy_file,
			 policy_mode_name(engine->warden.mode), engine->warden.policy->rule_count,
			 units_plural(engine->warden.policy->rule_count));
	else
		log_info("observing only: the policy has no rules");
	if (subscription_is_listening(engine))
		log_info("events %s: listening costs each new flow about 2 us and its entry 128 bytes; \"events\": "
			 "\"off\" in the config saves both%s",
			 events_mode_name(config->events),
			 config->events == EVENTS_MODE_AUTO ? ", above events_max_new_per_sec nobody listens" : "");
	else
		log_info("events %s: not listening, the picture is as old as the last pass",
			 events_mode_name(config->events));
}

static int run(struct program *program, const struct daemon_config *config)
{
	static const int stop_signals[] = { SIGTERM, SIGINT };
	struct event *events[4] = { 0 };
	struct problem problem = { 0 };
	int64_t watchdog_ns = notify_watchdog_ns();
	char text[700];
	int r;

	r = engine_start(program->base, config, program->options->is_json, &program->engine, &problem);
	if (r < 0) {
		log_error("%s", problem_format(&problem, text, sizeof(text)));
		return problem.line || problem.file[0] ? EXIT_BAD_CONFIG : EXIT_FAILED; /* of the policy */
	}
	for (int i = 0; i < 2; i++)
		events[i] = evsignal_new(program->base, stop_signals[i], on_stop_signal, program);
	events[2] = evsignal_new(program->base, SIGHUP, on_reload_signal, program);
	for (int i = 0; i < 3; i++)
		if (events[i])
			evsignal_add(events[i], NULL);
	if (watchdog_ns > 0) {
		struct timeval every = {.tv_sec = watchdog_ns / NS_PER_SEC, .tv_usec = watchdog_ns % NS_PER_SEC / 1000};

		events[3] = event_new(program->base, -1, EV_PERSIST, on_watchdog, NULL);
		if (events[3])
			event_add(events[3], &every);
	}
	program->engine->reload = reload_for_client;
	program->engine->reload_arg = program;
	say_start(config, program->engine);
	notify_ready();
	r = event_base_dispatch(program->base);
	notify_stopping();
	for (int i = 0; i < 4; i++)
		if (events[i])
			event_free(events[i]);
	engine_stop(program->engine);
	return r < 0 ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct program program = { .options = &options };
	struct problem problem = { 0 };
	struct daemon_config config;
	char text[700];
	int r, fd;

	/* A descriptor opened as 1 or 2 would get alarms and messages: closed ones are filled first, stdout so that
	 * writing fails and is said. */
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) < 0)
			return EXIT_FAILED;
	r = read_options(argc, argv, &options);
	if (r >= 0)
		return r;
	log_init("ctwardend", LOG_LEVEL_INFO);
	if (load_config(&options, &config, &problem) < 0) {
		log_error("%s", problem_format(&problem, text, sizeof(text)));
		return EXIT_BAD_CONFIG;
	}
	if (options.is_check)
		return check(&options, &config);
	if (options.is_restore)
		return restore(&config);
#ifdef M_MMAP_THRESHOLD
	/* Pictures come and go with each pass. Their tables are large and mostly untouched: from the
	 * kernel they are zero without being written, and given back when freed. By default glibc would
	 * stop asking the kernel after the first. */
	mallopt(M_MMAP_THRESHOLD, BIG_ALLOCATION);
#endif
	signal(SIGPIPE, SIG_IGN);
	program.base = event_base_new();
	if (!program.base) {
		log_error("cannot start the loop");
		return EXIT_FAILED;
	}
	r = run(&program, &config);
	event_base_free(program.base);
	libevent_global_shutdown();
	return r;
}
