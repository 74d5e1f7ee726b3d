/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/private: what the files of this layer share: JSON members, rows of rankings, lines of text. */
#ifndef CTWARDEN_REPORT_PRIVATE_H
#define CTWARDEN_REPORT_PRIVATE_H

#include <jansson.h>

#include "report/report.h"

/* ---- json.c: members; what is no number (NaN) or no UTF-8 is left out, as is what is not known ---- */

void json_add_count(json_t *object, const char *key, uint64_t number); /* above INT64_MAX: that */
void json_add_real(json_t *object, const char *key, double number);    /* rounded: to 3 decimals, below 1 to 6 digits */
void json_add_bool(json_t *object, const char *key, bool value);
void json_add_text(json_t *object, const char *key, const char *text);
void json_add_time(json_t *object, const char *key, int64_t real_ns);
void json_add_netns(json_t *object, const struct table_netns *netns);
json_t *json_document(const char *schema); /* {"schema": ...} */
/* One line without a newline, to be freed; gives document up. Out of memory ends the program. */
char *json_to_line(json_t *document);
/* Prints document and a newline as out says; gives document up. 0 or -errno. */
int json_print(const struct report_out *out, json_t *document);

/* ---- rows_json.c: rows of a ranking ---- */

struct row_context {
	const struct ranking_config *config;
	uint64_t whole;  /* 100 % of share_pct */
	bool is_born;    /* shares are of births */
	bool has_rates;  /* new_per_sec is known */
};

json_t *json_rows(const struct row_context *context, const struct ranking_row *rows, size_t used);
void json_add_columns(json_t *object, const struct ranking_row *row);
void json_add_classes(json_t *object, const uint32_t classes[FLOW_CLASS_COUNT]);
/* {"keys","entries"}: what no shown row holds. */
void json_add_others(json_t *object, const struct ranking_totals *totals, const struct ranking_row *rows,
		     size_t used);
uint64_t rows_other_keys(const struct ranking_totals *totals, size_t used);
uint64_t rows_other_entries(const struct ranking_totals *totals, const struct ranking_row *rows, size_t used);
bool rows_have_rates(const struct ranking_row *rows, size_t used, const struct ranking_totals *totals);
double share_of(uint64_t part, uint64_t whole); /* per cent; 0 of nothing */

/* ---- flow_json.c ---- */

/* The keys of ctwarden.flow/1 that a brief knows; of the reply its source. */
json_t *json_flow_brief(const struct flow_brief *brief);

/* ---- record_json.c: parts of records ---- */

void json_add_spared(json_t *document, const struct action_record *record);
/* classes, stages, sources, signatures, examples */
void json_add_choice(json_t *document, const struct action_record *record);

/* ---- policy_text.c: a policy in sentences; a tab is a blank that is not broken at ---- */

#define POLICY_SENTENCES    5
#define POLICY_SENTENCE_MAX 4096

struct policy_sentences {
	char texts[POLICY_SENTENCES][POLICY_SENTENCE_MAX];
	size_t count;
};

struct text;
struct policy;
struct policy_rule;
void policy_head_sentences(const struct policy *policy, struct policy_sentences *ret_list);
void policy_rule_sentences(const struct policy_rule *rule, struct policy_sentences *ret_list);
void policy_add_timeouts(struct text *t, const struct policy_do *action); /* "udp to 10 s, icmp to 5 s" */
void policy_never_sentences(const struct policy *policy, struct policy_sentences *ret_list);

/* ---- documents ---- */

json_t *json_status(const struct snapshot *snapshot);
json_t *json_top(const struct report_top *top);
json_t *json_policy_explain(const struct policy *policy);
struct policy_test;
json_t *json_policy_test(const struct policy_test *test);
#define POLICY_TEST_WHY_MAX (POLICY_EXPLAIN_MAX + 64)
/* Why a rule decides nothing, in words; returns buf. */
char *policy_test_why_not(const struct policy_test *test, size_t rule, char *buf, size_t size);
struct policy_do;
json_t *json_timeouts_set(const struct policy_do *action);

struct report_relieve;
json_t *json_relieve(const struct report_relieve *relieve);

struct report_act;
struct report_sweep;
struct report_selftest;
int act_print_json(const struct report_out *out, const struct report_act *act);
int sweep_print_json(const struct report_out *out, const struct report_sweep *sweep);
int selftest_print_json(const struct report_out *out, const struct report_selftest *test);

/* ---- status_guard.c ---- */

/* What acting does not do before the table was seen calm. */
#define NO_CALM_PICTURE "no calm picture yet: answered flows go only where they are idle or closing"

void guard_lines(const struct report_out *out, const struct snapshot *s);
void json_add_guard(json_t *document, const struct snapshot *s);

/* The labelled lines of status without heading and table; previous: of a crossing, else NULL. */
void status_lines(const struct report_out *out, const struct snapshot *s, const enum level *previous);

/* ---- gap.c: why counter and list differ ---- */

#define GAP_TEXT_MAX 160
/* "412 expired, freed by the pass; 5 unconfirmed or dying: counted, in no list"; returns buf. */
char *gap_format(const struct snapshot *snapshot, char buf[GAP_TEXT_MAX]);

/* ---- lines.c: "label     part   part", wrapped at a terminal's width with a hanging indent ---- */

#define LINE_LABEL 12

struct line {
	const struct report_out *out;
	unsigned column; /* where the next part goes */
	bool has_parts;
};

void line_start(struct line *line, const struct report_out *out, const char *label);
/* A part is moved to the next line where it does not fit, and broken at blanks where it fits no line. */
void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same in a colour (an SGR number, "33"). */
void line_add_colour(struct line *line, const char *colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void line_end(struct line *line);
/* "host namespace (net:[4026531840]), kernel view"; returns buf. */
char *place_format(const struct table_netns *netns, const char *view, char *buf, size_t size);
const char *capacity_name(enum report_capacity from);  /* "kernel", "option", "policy", "daemon" */
const char *capacity_words(enum report_capacity from); /* "capacity of the daemon"; NULL: goes without saying */
int report_flush(const struct report_out *out); /* 0 or -errno */
const char *level_colour(enum level level);
/* width cells of which share_pct are filled; returns buf (at least width + 1). */
char *bar_format(double share_pct, unsigned width, bool is_growing, char *buf);

/* ---- paragraph.c: sentences, wrapped to the output's width (at most 100), each line indented; a tab is a blank not
 * broken at ---- */

void paragraph_print(const struct report_out *out, unsigned indent, const char *text);

/* ---- table.c: rows of a ranking as text ---- */

struct table {
	const struct ranking_row *rows;
	size_t used;
	const struct ranking_totals *totals;
	struct row_context context;
	bool has_total; /* a totals row */
};

void table_print(const struct report_out *out, const struct table *table);

/* ---- record_words.c ---- */

struct text;
/* "udp 30 s -> 10 s, tcp_syn_sent 2 min -> 20 s" */
void record_add_timeouts(struct text *t, const struct action_record *record);

#endif
