/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/relieve: one round of the guard by hand: who fills the table, what goes, what stays,
 * before and after. */
#ifndef CTWARDEN_REPORT_RELIEVE_H
#define CTWARDEN_REPORT_RELIEVE_H

#include "report/report.h"

/* ctwarden.relieve/1 */
struct report_relieve {
	bool is_dry;			 /* a plan: nothing is done */
	bool is_planned;		 /* the plan was shown before: tell what came of it alone */
	const char *policy;		 /* file, or "built-in" */
	const struct snapshot *snapshot; /* before: fill, level, cause */
	double target_pct;
	uint64_t capacity, target_entries;
	enum report_capacity capacity_from;
	bool daemon_acts; /* one was asked for its capacity, and carries the rules of a policy out */
	uint64_t wanted;	     /* entries to go; 0: nothing was looked for */
	uint64_t swept;		     /* expired ones that the passes freed */
	struct action_record record; /* of all rules together; protected_by is of the whole table */
	uint64_t in_use; /* answered, idle below the floor; of the whole table, as are the next */
	uint64_t young;	    /* nobody has answered yet, or the handshake goes on */
	uint64_t unsettled; /* as young, and answered: closing, or one answer */
	uint64_t protected_flows;
	uint64_t others;    /* of classes that no rule takes */
	uint64_t unmatched; /* of a class that a rule takes, and its match leaves them out */
	uint64_t candidates;			 /* could have gone too */
	uint64_t entries_before, entries_after;
	int64_t took_ns;
};

/* Text or JSON to out as it says; 0 or -errno of writing. */
int report_relieve(const struct report_out *out, const struct report_relieve *relieve);

#endif
