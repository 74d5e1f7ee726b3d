/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: every output format. Formats and never computes. jansson stays inside report and doc. */
#ifndef CTWARDEN_REPORT_REPORT_H
#define CTWARDEN_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "action/record.h"
#include "flow/flow.h"
#include "flow/ports.h"
#include "flow/timeouts.h"
#include "stats/ranking.h"
#include "stats/snapshot.h"

struct report_out {
	FILE *file;
	bool is_json, is_pretty; /* -j, -J */
	bool is_terminal;
	bool has_colour;   /* a terminal and no NO_COLOR */
	unsigned columns;  /* width of the terminal (COLUMNS goes first); 100 elsewhere */
};

/* Whose word the capacity is by which a command judges; the kernel's: its limit. */
enum report_capacity {
	REPORT_CAPACITY_KERNEL,
	REPORT_CAPACITY_OPTION,
	REPORT_CAPACITY_POLICY,
	REPORT_CAPACITY_DAEMON,
	REPORT_CAPACITY_COUNT
};

/* 0 where all that was written to file so far is out, else the -errno of what was not; -EIO where nobody can
 * say why. */
int report_flush_file(FILE *file);
/* A line of text: at a terminal broken at blanks to its width, with a hanging indent; elsewhere as it is. */
void report_wrapped(const struct report_out *out, const char *text);
/* For stdout: looks at the terminal, COLUMNS (at a terminal alone), NO_COLOR. */
struct report_out report_out_stdout(bool is_json, bool is_pretty);

/* What `top` shows: rows of one ranking. */
struct report_top {
	const char *view;             /* "kernel" or "daemon" */
	struct table_netns netns;
	struct ranking_config config;
	enum ranking_order order;     /* BORN: --new */
	uint64_t entries;             /* the whole table */
	uint64_t matched;             /* entries ranked */
	bool is_approximate;
	double age_sec;               /* of the pass; negative: not known */
	double span_sec;              /* --new: how long it listened; else 0 */
	uint64_t lost;                /* events lost while it listened */
	const char *filter;           /* canonical text, "" none */
	const struct ranking_row *rows;
	size_t used;
	struct ranking_totals totals;
	struct flow_scan_report scan; /* of the pass; zero for the daemon's view */
};

/* Text or JSON to out as it says; 0 or -errno of writing (-EPIPE: the reader has gone). */
int report_status(const struct report_out *out, const struct snapshot *snapshot);
int report_top(const struct report_out *out, const struct report_top *top);
/* A kept record as text: heading with the moment, the lines of status as they were then, protocols, the tables by
 * source, prefix, service, destination and class, examples. is_alarm: a crossing, which tells the level before. */
int report_breakdown(const struct report_out *out, const struct alarm *alarm, bool is_alarm);
/* line: the text as conntrack writes it (kernel/print); unused for JSON. */
int report_flow(const struct report_out *out, const struct flow *flow, const char *line,
		const struct flow_timeouts *timeouts, int64_t now_real_ns);
/* has_stamp: "2026-11-25T09:41:07.123Z " before a text line. */
int report_event(const struct report_out *out, enum flow_event_kind kind, const struct flow *flow, const char *line,
		 bool has_stamp, int64_t now_real_ns);
int report_lost(const struct report_out *out, uint64_t count, bool has_stamp, int64_t now_real_ns);

/* One-line JSON documents without the newline, to be freed by the caller. */
char *report_status_json(const struct snapshot *snapshot);
char *report_top_json(const struct report_top *top);
char *report_alarm_json(const struct alarm *alarm);    /* ctwarden.alarm/1 with the full breakdown */
char *report_record_json(const struct action_record *record, const struct table_netns *netns); /* ctwarden.record/1 */
char *report_topline_json(const struct snapshot *snapshot); /* ctwarden.topline/1: the five-minute top-10 line */
/* An answer of the control socket around document (JSON text, NULL: none), or an error. */
char *report_answer_json(int64_t id, const char *document);
char *report_error_json(int64_t id, const char *code, const char *text, const char *path);
/* A request line of the control socket; args: JSON object text. */
char *report_request_json(int64_t id, const char *command, const char *args);
/* One line of key=value for logs, without the newline; returns buf. */
char *report_alarm_text(const struct alarm *alarm, char *buf, size_t size);
char *report_record_text(const struct action_record *record, char *buf, size_t size);
/* A record for people: "rule evict-unanswered: 40,000 flows of 10.1.0.66 in 210 ms; 77.8 -> 62.6 %", "would evict ..."
 * in observe; returns buf. */
#define REPORT_WORDS_MAX 480
char *report_record_words(const struct action_record *record, char *buf, size_t size);

#endif
