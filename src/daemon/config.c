/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/config: reads the config file over the defaults. Every key is optional, an unknown key is an error; one row of
 * a table for each group of keys, so that nothing can be read without being known. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "doc/doc.h"
#include "policy/levels.h"

#define DAY_NS (86400 * NS_PER_SEC)

static const char *const events_mode_names[] = { "auto", "on", "off", NULL };

const char *events_mode_name(enum events_mode mode)
{
	return events_mode_names[mode];
}

void config_default(struct daemon_config *ret_config)
{
	*ret_config = (struct daemon_config) {
		.levels = level_config_default(),
		.events = EVENTS_MODE_AUTO,
		.events_max_new_per_sec = 20000,
		.events_buffer_bytes = 32u << 20,
		.picture = picture_config_default(),
		.pass_share_pct = 5,
		.pass_min_ns = 10 * NS_PER_SEC,
		.pass_max_ns = 300 * NS_PER_SEC,
		.poll_ms = 100,
		.socket = CONFIG_SOCKET_DEFAULT,
		.state_dir = CONFIG_STATE_DIR_DEFAULT,
		.alarms_max_bytes = 8u << 20,
		.topline_ns = 300 * NS_PER_SEC,
		.alarm_repeat_ns = 60 * NS_PER_SEC,
		.policy_file = CONFIG_POLICY_DEFAULT,
		.seniority_renewal_ns = 30 * NS_PER_SEC,
	};
}

/* ---- one value each; all leave *ret alone where the key is absent ---- */

static int read_size(const struct doc_node *root, const char *key, int64_t min, int64_t max, uint64_t *ret,
		     struct problem *problem)
{
	struct doc_node node = doc_get(root, key);
	int64_t value = (int64_t)*ret;
	int r = doc_whole(&node, min, max, &value, problem);

	if (r < 0)
		return r;
	*ret = (uint64_t)value;
	return 0;
}

static int read_number(const struct doc_node *object, const char *key, double min, double max, double *ret,
		       struct problem *problem)
{
	struct doc_node node = doc_get(object, key);

	return doc_number(&node, min, max, ret, problem);
}

static int read_span(const struct doc_node *object, const char *key, int64_t min_ns, int64_t max_ns, int64_t *ret,
		     struct problem *problem)
{
	struct doc_node node = doc_get(object, key);

	return doc_duration(&node, min_ns, max_ns, ret, problem);
}

/* [IPv4, IPv6] prefix lengths. */
static int read_lengths(const struct doc_node *root, const char *key, uint8_t ret[2], struct problem *problem)
{
	static const int64_t bits[2] = { 32, 128 };
	struct doc_node node = doc_get(root, key);
	uint8_t lengths[2];

	if (!doc_has(&node))
		return 0;
	if (!doc_is_array(&node) || doc_count(&node) != 2)
		return doc_problem(&node, problem, "two prefix lengths are expected, IPv4 and IPv6, as in [32, 64]");
	for (size_t i = 0; i < 2; i++) {
		struct doc_node item = doc_at(&node, i);
		int64_t value = 0;
		int r = doc_whole(&item, 1, bits[i], &value, problem);

		if (r < 0)
			return r;
		lengths[i] = (uint8_t)value;
	}
	memcpy(ret, lengths, sizeof(lengths));
	return 0;
}

static int read_path(const struct doc_node *root, const char *key, char *ret, size_t size, struct problem *problem)
{
	struct doc_node node = doc_get(root, key);
	const char *text = NULL;
	int r = doc_text(&node, &text, problem);

	if (r < 0 || !text)
		return r;
	if (text[0] != '/')
		return doc_problem(&node, problem, "an absolute path is expected, as in \"%s\"", ret);
	if (strlen(text) >= size)
		return doc_problem(&node, problem, "a path of at most %zu bytes is expected", size - 1);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

/* ---- groups ---- */

static int read_group(const struct doc_node *parent, const char *key, const char *const *known,
		      struct doc_node *ret_group, struct problem *problem)
{
	*ret_group = doc_get(parent, key);
	if (!doc_has(ret_group))
		return 0;
	if (!doc_is_object(ret_group))
		return doc_problem(ret_group, problem, "an object { ... } is expected");
	return doc_only_keys(ret_group, known, problem);
}

static int read_pass(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	static const char *const known[] = { "share_pct", "min_interval_sec", "max_interval_sec", NULL };
	struct doc_node node, wrong;
	int r = read_group(root, "pass", known, &node, problem);

	if (r < 0)
		return r;
	if ((r = read_number(&node, "share_pct", 0.1, 10, &config->pass_share_pct, problem)) < 0 ||
	    (r = read_span(&node, "min_interval_sec", NS_PER_SEC, DAY_NS, &config->pass_min_ns, problem)) < 0 ||
	    (r = read_span(&node, "max_interval_sec", NS_PER_SEC, DAY_NS, &config->pass_max_ns, problem)) < 0)
		return r;
	if (config->pass_max_ns < config->pass_min_ns) {
		wrong = doc_get(&node, "max_interval_sec");
		return doc_problem(doc_has(&wrong) ? &wrong : &node, problem,
				   "max_interval_sec must not be below min_interval_sec (%lld s)",
				   (long long)(config->pass_min_ns / NS_PER_SEC));
	}
	return 0;
}

static int read_events(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	struct doc_node node = doc_get(root, "events");
	uint64_t buffer = config->events_buffer_bytes;
	int mode = (int)config->events;
	int r = doc_choice(&node, events_mode_names, &mode, problem);

	if (r < 0)
		return r;
	if ((r = read_number(root, "events_max_new_per_sec", 1, 1e9, &config->events_max_new_per_sec, problem)) < 0 ||
	    (r = read_size(root, "events_buffer_bytes", 2048, 1 << 30, &buffer, problem)) < 0)
		return r;
	config->events = (enum events_mode)mode;
	config->events_buffer_bytes = (size_t)buffer;
	return 0;
}

static int read_log(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	static const char *const names[] = { "stdout", "syslog", "both", NULL };
	struct doc_node node = doc_get(root, "log");
	int to = (int)config->log;
	int r = doc_choice(&node, names, &to, problem);

	config->log = (enum outlet_to)to;
	return r;
}

static int read_guard(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	struct doc_node policy = doc_get(root, "policy"), clear = doc_get(root, "clear_bans");
	int r = read_path(root, "policy", config->policy_file, sizeof(config->policy_file), problem);

	if (r < 0)
		return r;
	config->has_policy_file = doc_has(&policy);
	r = doc_bool(&clear, &config->clear_bans, problem);
	return r < 0 ? r
		     : read_span(root, "seniority_renewal_sec", NS_PER_SEC, DAY_NS, &config->seniority_renewal_ns,
				 problem);
}

static int read_rest(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	uint64_t rows = config->picture.max_rows, poll_ms = config->poll_ms;
	int r;

	if ((r = read_size(root, "capacity", 0, UINT32_MAX, &config->capacity, problem)) < 0 ||
	    (r = read_size(root, "sources_max", 64, 1 << 24, &rows, problem)) < 0 ||
	    (r = read_size(root, "poll_ms", 10, 10000, &poll_ms, problem)) < 0 ||
	    (r = read_size(root, "alarms_max_bytes", 65536, 1LL << 40, &config->alarms_max_bytes, problem)) < 0 ||
	    (r = read_lengths(root, "source_prefix", config->picture.source_prefix, problem)) < 0 ||
	    (r = read_lengths(root, "prefix", config->picture.prefix, problem)) < 0 ||
	    (r = read_path(root, "socket", config->socket, sizeof(config->socket), problem)) < 0 ||
	    (r = read_path(root, "state_dir", config->state_dir, sizeof(config->state_dir), problem)) < 0 ||
	    (r = read_span(root, "topline_sec", NS_PER_SEC, DAY_NS, &config->topline_ns, problem)) < 0 ||
	    (r = read_span(root, "alarm_repeat_sec", 0, DAY_NS, &config->alarm_repeat_ns, problem)) < 0)
		return r;
	config->picture.max_rows = (size_t)rows;
	config->poll_ms = (unsigned)poll_ms;
	return 0;
}

/* What no action touches: held to be right here, taken over by config_protect. */
static int check_protect(const struct doc_node *root, struct problem *problem)
{
	struct doc_node list = doc_get(root, "protect");
	struct policy *policy = policy_new_default();
	int r = policy_protect_read(&list, policy, problem);

	policy_free(policy);
	return r;
}

int config_protect(const char *file, struct policy *policy, struct problem *reterr_problem)
{
	struct doc_node root, list;
	struct doc *doc;
	int r = doc_load(file, &doc, reterr_problem);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	root = doc_root(doc);
	list = doc_get(&root, "protect");
	r = policy_protect_read(&list, policy, reterr_problem);
	doc_free(doc);
	return r;
}

static int read_root(const struct doc_node *root, struct daemon_config *config, struct problem *problem)
{
	static const char *const known[] = {
		"capacity", "levels", "events", "events_max_new_per_sec", "events_buffer_bytes", "source_prefix",
		"prefix", "sources_max", "pass", "poll_ms", "socket", "state_dir", "alarms_max_bytes", "topline_sec",
		"alarm_repeat_sec", "log", "policy", "protect", "seniority_renewal_sec", "clear_bans", NULL
	};
	int r;

	if (!doc_is_object(root))
		return doc_problem(root, problem, "an object { ... } is expected");
	if ((r = doc_only_keys(root, known, problem)) < 0 ||
	    (r = policy_levels_read(root, &config->levels, NULL, problem)) < 0 ||
	    (r = read_events(root, config, problem)) < 0 || (r = read_pass(root, config, problem)) < 0 ||
	    (r = read_log(root, config, problem)) < 0 || (r = check_protect(root, problem)) < 0 ||
	    (r = read_guard(root, config, problem)) < 0)
		return r;
	return read_rest(root, config, problem);
}

int config_load(const char *file, bool may_be_missing, struct daemon_config *ret_config,
		struct problem *reterr_problem)
{
	struct daemon_config config;
	struct problem problem = { 0 };
	struct doc_node root;
	struct doc *doc;
	int r;

	config_default(&config);
	r = doc_load(file, &doc, &problem);
	if (r == -ENOENT && may_be_missing) {
		*ret_config = config;
		return 0;
	}
	if (r < 0)
		goto out;
	root = doc_root(doc);
	r = read_root(&root, &config, &problem);
	doc_free(doc);
out:
	if (r == 0)
		*ret_config = config;
	else if (reterr_problem)
		*reterr_problem = problem;
	return r;
}
