/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/act: what flush, timeout and kill share: options, protection, survey, confirmation, pace,
 * progress, summary. Private to cli. */
#ifndef CTWARDEN_CLI_ACT_H
#define CTWARDEN_CLI_ACT_H

#include "action/action.h"
#include "cli.h"
#include "report/act.h"

struct act;
struct writer;

struct act {
	struct cli *cli;
	enum report_act_kind kind;
	const char *done_word, *doing_word; /* "deleted", "deletes" */
	struct action_request request;	    /* filters by the command, the rest by act_run */
	uint64_t addresses;		    /* kill */
	bool asks_half;			    /* more than half of the table needs --yes */
	bool asks_always;		    /* --all */
	bool needs_survey;
	/* After the survey, before anything is written: 0, or an exit code with the reason said. */
	int (*check)(struct act *act);
	void *check_arg;

	/* below: act_run's own */
	char filter[1024];
	struct protect *protect;
	struct flow_tuple *sockets; /* of the operator */
	size_t socket_count;
	struct writer *writer;
	struct flow_ports ports;
	struct flow_timeouts timeouts;
	struct action_plan *plan;
	struct action_choice choice;
	uint64_t entries;
	uint64_t rate; /* flows a second; 0: not paced */
	bool is_default_rate;
	char listeners[160];
	int signals;
	bool is_interrupted, has_progress;
	int64_t started_ns, shown_ns;
};

/* The whole of a command once its filters are known; returns the exit code. */
int act_run(struct act *act);

/* ---- act_options.c ---- */

/* A filter or --all, not both, not neither: else says so, with the command's name, and is false. */
bool act_says_which(const struct act *act);
/* Options into the request. 0 or -EINVAL with the problem. */
int act_parse(struct act *act, struct problem *reterr_problem);
/* What is to be spared: operator, config, --protect. 0, or an exit code with the reason said. */
int act_protect(struct act *act);

/* ---- act_operator.c ---- */

/* Chooses the way. Where only the operator's connections stand against the kernel's own filter, their
 * flows are looked up: a filter that cannot match these needs no pass for their sake. */
void act_choose_way(struct act *act);

/* ---- act_pace.c ---- */

/* Who else listens, and with that the pace. */
void act_pace_init(struct act *act);
bool act_on_batch(uint64_t written, void *arg);
bool act_on_found(uint64_t matched, void *arg);
/* Of a pass: entries read. */
bool act_on_progress(uint64_t received, void *arg);
/* As act_on_batch, without waiting. */
bool act_on_shown(uint64_t shown, void *arg);
void act_end_progress(struct act *act);
/* Asks where it must be asked: 0 go on, else an exit code with the reason said. */
int act_confirm(struct act *act);
/* A yes at the terminal. signals (-1: none): what comes there is no. */
bool act_answers_yes(int signals, bool *ret_is_interrupted);

#endif
