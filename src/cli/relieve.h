/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/relieve: one round of the guard by hand: the look before, the rules, the round. Private to
 * cli. */
#ifndef CTWARDEN_CLI_RELIEVE_H
#define CTWARDEN_CLI_RELIEVE_H

#include "act.h"
#include "action/guard.h"
#include "cli.h"
#include "report/relieve.h"

#define RELIEVE_RULES_MAX 16

struct relieve {
	struct cli *cli;
	struct policy *policy;
	size_t rules[RELIEVE_RULES_MAX]; /* of the policy: those that evict from the whole table */
	size_t rule_count;
	struct act act; /* what is protected */
	struct writer *writer;
	struct flow_ports ports;
	struct flow_timeouts timeouts;
	struct addr *own;
	struct guard_table table;
	struct picture *picture;
	struct snapshot *snapshot;
	struct report_relieve shown;
	bool is_interrupted; /* before the target was reached */
};

/* ---- relieve_policy.c ---- */

/* The policy that --policy names, else the built-in one, and which of its rules are run. 0, or the
 * exit code, said. */
int relieve_load(struct relieve *relieve);
/* Decisions on those rules: as if they held, down to the target. What is left to take is want.
 * Returns how many. */
size_t relieve_decide(const struct relieve *relieve, uint64_t want, bool would,
		      struct policy_decision *ret_decisions);

/* ---- relieve_look.c ---- */

/* One pass: who fills the table, and what no rule may touch. 0, or the exit code, said. */
int relieve_look(struct relieve *relieve, const struct table_reading *before, uint64_t capacity);

/* ---- relieve_round.c ---- */

/* What would be done, into shown. 0, or the exit code, said. */
int relieve_plan(struct relieve *relieve);
/* Rounds until the target is reached, nothing more is found, or a signal comes (signals: of
 * run_signals_open); a round that has begun is finished, so that all of it is accounted for. */
void relieve_work(struct relieve *relieve, int signals);

#endif
