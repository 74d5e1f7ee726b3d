/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved: tables that were saved, one entry a line: what `conntrack -L` writes (with -o
 * extended, id, timestamps or without), /proc/net/nf_conntrack (GRE timeouts before src=, full IPv6
 * addresses, zone=0), and `ctwarden flows -j`. The three may be mixed. */
#ifndef CTWARDEN_FLOW_SAVED_H
#define CTWARDEN_FLOW_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"
#include "flow/ports.h"

#define SAVED_LINE_MAX 16384 /* bytes of a line; longer ones are not read */

/* One line, without its newline, into *ret_flow. now_real_ns: when the table was saved as far as is
 * known; ages in the text (delta-time=, "age_sec") are taken from it. What no text says is set as
 * it must have been: CONFIRMED always; SRC_NAT and DST_NAT where the tuples differ. 0; -ENODATA:
 * nothing to read (empty, a comment, conntrack's summary); -EINVAL with the problem (path empty).
 * Pure. */
int saved_line(const char *line, size_t len, int64_t now_real_ns, struct flow *ret_flow,
	       struct problem *reterr_problem);

struct saved_report {
	uint64_t lines;		/* of the file */
	uint64_t flows;		/* handed to the callback */
	uint64_t unread;	/* lines that are no entry */
	struct problem problem; /* of the first of those: file, line, text */
};

/* Reads a file ("-": standard input) and calls fn for each entry (raw NULL) until it returns false.
 * 0; -errno of open or read; -EINVAL where no line is an entry but some are something else. The
 * problem is filled on failure, *ret_report always. Blocks on the file. */
int saved_read(const char *file, int64_t now_real_ns, flow_scan_fn *fn, void *arg,
	       struct saved_report *ret_report, struct problem *reterr_problem);

#endif
