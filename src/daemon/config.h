/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/config: what a config file may say, its defaults and its bounds. Plain data; knows nothing of sockets or
 * threads. */
#ifndef CTWARDEN_DAEMON_CONFIG_H
#define CTWARDEN_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"
#include "outlet.h"
#include "policy/policy.h"
#include "stats/level.h"
#include "stats/picture.h"

#define CONFIG_FILE_DEFAULT "/etc/ctwarden/ctwarden.json"
#define CONFIG_POLICY_DEFAULT "/etc/ctwarden/policy.json"
#define CONFIG_SOCKET_DEFAULT "/run/ctwarden/ctwarden.sock"
#define CONFIG_STATE_DIR_DEFAULT "/var/lib/ctwarden"
#define CONFIG_SOCKET_MAX 108  /* sun_path of a UNIX address, with the 0 */
#define CONFIG_DIR_MAX 256

enum events_mode { EVENTS_MODE_AUTO, EVENTS_MODE_ON, EVENTS_MODE_OFF, EVENTS_MODE_COUNT };

const char *events_mode_name(enum events_mode mode); /* "auto", "on", "off" */

struct daemon_config {
	uint64_t capacity;               /* 0: the kernel's limit */
	struct level_config levels;
	enum events_mode events;
	double events_max_new_per_sec;   /* auto: above it nobody listens */
	size_t events_buffer_bytes;      /* of the event socket, asked for */
	struct picture_config picture;
	double pass_share_pct;           /* of one core, for passes over the table */
	int64_t pass_min_ns, pass_max_ns; /* between passes */
	unsigned poll_ms;                /* between readings of the counters */
	char socket[CONFIG_SOCKET_MAX];
	char state_dir[CONFIG_DIR_MAX];
	uint64_t alarms_max_bytes;
	int64_t topline_ns, alarm_repeat_ns;
	enum outlet_to log;              /* where alarms are told */
	char file[CONFIG_DIR_MAX];       /* this config */
	char policy_file[CONFIG_DIR_MAX];
	bool has_policy_file;            /* named by somebody: then it must be there */
	bool has_mode;                   /* --mode: over that of the policy */
	enum policy_mode mode;
	int64_t seniority_renewal_ns;    /* between passes at rest that renew seniority */
	bool clear_bans;                 /* bans are lifted when the daemon ends */
};

void config_default(struct daemon_config *ret_config);
/* Reads file over the defaults: all of it or nothing. may_be_missing: no such file is as good as an empty one.
 * 0, -EINVAL and other -errno with the problem (file, line, path, text) filled. */
int config_load(const char *file, bool may_be_missing, struct daemon_config *ret_config,
		struct problem *reterr_problem);

/* Adds the file's list "protect" to what the policy protects. 0 (also without the file or the list) or -errno with the
 * problem. */
int config_protect(const char *file, struct policy *policy, struct problem *reterr_problem);

#endif
