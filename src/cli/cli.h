/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli: what the commands share: the words of the command line, output, passes with progress,
 * signals, the daemon's answers. A command is one row in main.c and one file. */
#ifndef CTWARDEN_CLI_CLI_H
#define CTWARDEN_CLI_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problem.h"
#include "flow/filter.h"
#include "flow/ports.h"
#include "flow/reading.h"
#include "report/report.h"
#include "stats/snapshot.h"

struct events;
struct events_options;

enum exit_code { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NO_DAEMON, EXIT_INVALID, EXIT_NONE };

/* For readers whose complaint nobody needs. */
#define PROBLEM_IGNORED (&(struct problem){0})

#define CLI_DEFAULT_SOCKET    "/run/ctwarden/ctwarden.sock"
#define CLI_DEFAULT_STATE_DIR "/var/lib/ctwarden"
#define CLI_DEFAULT_CONFIG    "/etc/ctwarden/ctwarden.json"
#define CLI_DEFAULT_PROOFS    "/run/ctwarden" /* as PROOFS_DIR_DEFAULT */

/* Every option that is no filter key; a command lists those it takes. */
enum option_id {
	OPTION_SOCKET,
	OPTION_DIRECT,
	OPTION_JSON,
	OPTION_PRETTY,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_GLOBAL_COUNT, /* those above are taken by every command and before it */
	OPTION_DEEP = OPTION_GLOBAL_COUNT,
	OPTION_CAPACITY,
	OPTION_BY,
	OPTION_NUMBER,
	OPTION_PREFIX_LEN,
	OPTION_NEW,
	OPTION_EVERY,
	OPTION_SORT,
	OPTION_EVENT,
	OPTION_STAMP,
	OPTION_FOR,
	OPTION_BUFFER,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_AT,
	OPTION_STATE_DIR,
	OPTION_DRY_RUN,
	OPTION_EXPLAIN,
	OPTION_YES,
	OPTION_ALL,
	OPTION_LIMIT,
	OPTION_ORDER,
	OPTION_RATE,
	OPTION_MIN_AGE,
	OPTION_PROTECT,
	OPTION_INCLUDE_SELF,
	OPTION_INCLUDE_PROTECTED,
	OPTION_CONFIG,
	OPTION_FAIL_IF_NONE,
	OPTION_SET,
	OPTION_AT_MOST,
	OPTION_ADD,
	OPTION_FIXED,
	OPTION_PROOFS,
	OPTION_BUDGET,
	OPTION_FROM,
	OPTION_GROWTH,
	OPTION_POLICY,
	OPTION_TO,
	OPTION_ID_COUNT
};

struct option_info {
	const char *name;  /* long, without the dashes */
	char letter;	   /* or 0 */
	const char *value; /* for help; NULL: a flag */
	const char *help;
};

extern const struct option_info option_infos[OPTION_ID_COUNT];

struct command;

/* The command line once read. */
struct cli {
	const struct command *command;	     /* NULL: none given */
	const char *values[OPTION_ID_COUNT]; /* NULL: not given; "" for a flag */
	bool is_short[OPTION_ID_COUNT];	     /* given by its letter */
	struct flow_filter *filter;	     /* what the filter options say; owned */
	const char *topic;		     /* of `help` */
	const char **operands;		     /* words behind the command, in order; owned, the words are argv's */
	unsigned operand_count;		     /* at most the command's operands_max */
	const char **protects;		     /* values of --protect, in order; owned, the texts are argv's */
	unsigned protect_count;
	bool has_acted;			     /* a failure is told even where nobody reads stdout */
	struct report_out out;		     /* stdout */
	int write_error;		     /* first -errno of writing to stdout */
	bool is_hidden_said;		     /* by run_say_hidden */
};

#define OPERANDS_ANY UINT_MAX

/* What a command has to do with the daemon: help offers --socket to those that may ask it, --direct to those that need
 * not. */
enum command_daemon { DAEMON_NOT_ASKED, DAEMON_MAY_TELL, DAEMON_NEEDED };

struct command {
	const char *name;
	int (*run)(struct cli *cli); /* returns an exit code */
	const char *help;	     /* one line */
	bool has_filter;
	enum option_id options[24];  /* ends with OPTION_ID_COUNT */
	/* A first operand; with another one these options and the daemon mean nothing. NULL: with any. */
	const char *only_with;
	enum command_daemon daemon;
	const char *operands;	     /* for help: "ADDRESS..."; NULL: takes none */
	unsigned operands_max;	     /* more words than these are refused; OPERANDS_ANY: any number */
};

extern const struct command commands[];
extern const size_t command_count;

int cmd_status(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_flows(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_log(struct cli *cli);
int cmd_policy(struct cli *cli);
int cmd_flush(struct cli *cli);
int cmd_timeout(struct cli *cli);
int cmd_kill(struct cli *cli);
int cmd_sweep(struct cli *cli);
int cmd_selftest(struct cli *cli);
int cmd_relieve(struct cli *cli);
int cmd_mode(struct cli *cli);
int cmd_bans(struct cli *cli);
int cmd_unban(struct cli *cli);
int cmd_reload(struct cli *cli);

/* ---- options.c ---- */

/* Reads argv into *cli (zeroed, filter made by the caller). Behind "--" every word is an operand. 0, or -EINVAL (-errno
 * of an @FILE) with the problem. */
int options_parse(struct cli *cli, int argc, char **argv, struct problem *reterr_problem);
/* A filter as one text, options separated by blanks ('-s 10.0.0.0/8 ! -p udp'), into filter. 0 or -errno with the
 * problem. */
int options_parse_filter(const char *text, struct flow_filter *filter, struct problem *reterr_problem);
bool option_given(const struct cli *cli, enum option_id id);
/* Typed values; not given: *ret stays. 0 or -EINVAL with the problem, whose path names option and
 * value. */
int option_number(const struct cli *cli, enum option_id id, uint64_t min, uint64_t max,
		  uint64_t *ret_number, struct problem *reterr_problem);
int option_duration(const struct cli *cli, enum option_id id, int64_t *ret_ns,
		    struct problem *reterr_problem);
int option_moment(const struct cli *cli, enum option_id id, int64_t now_real_ns,
		  int64_t *ret_real_ns, struct problem *reterr_problem);
/* Fills the problem of an option's value; returns -EINVAL. */
int option_problem(const struct cli *cli, enum option_id id, struct problem *reterr_problem,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The nearest of count words (word_of by index) within two edits (one for short words), or NULL. */
const char *options_nearest(const char *word, size_t count, const char *(*word_of)(size_t index));
const char *command_name_at(size_t index);

/* ---- usage.c ---- */

/* columns: of the terminal; 0: not to one, nothing is wrapped. */
void usage_all(FILE *file, unsigned columns);
/* word: the first operand, where one is known, else NULL: only what works with it is shown. */
void usage_command(FILE *file, unsigned columns, const struct command *command, const char *word);

/* ---- run.c ---- */

/* One line "ctwarden: ..." on stderr. */
void run_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int run_usage(const struct problem *problem); /* says it; returns EXIT_USAGE */
/* Makes fds 0-2 safe to use and ignores SIGPIPE; before anything is opened. */
void run_prepare(void);
/* Flushes stdout and tells a failed write; returns the exit code (a reader that has gone is no
 * failure). */
int run_finish(struct cli *cli, int code);
/* Remembers the first failed write; true where output can go on. */
bool run_wrote(struct cli *cli, int result);
/* Empties stdout's buffer; as run_wrote where that fails. */
bool run_flush(struct cli *cli);
/* Says why the table could not be read (what: -errno) and what can be told without it; returns
 * EXIT_FAILED. */
int run_failed_table(int error, const char *what);
/* Says once that what only /proc/sys tells is missing. */
void run_say_hidden(struct cli *cli);
/* Subscribes; says where events are switched off in the kernel. 0, or the exit code with the reason said. */
int run_events_open(const struct events_options *options, struct events **ret_events);
/* SIGINT and SIGTERM as a descriptor that becomes readable; -errno. */
int run_signals_open(void);
/* Waits until ns have passed (negative: for ever), fd (-1: none) is readable, a signal came, or the
 * reader of stdout has gone. */
enum run_wait { RUN_WAIT_TIME, RUN_WAIT_READY, RUN_WAIT_STOP };
enum run_wait run_wait(int signals, int fd, int64_t ns);

struct pass {
	flow_scan_fn *fn;
	void (*on_redo)(void *arg); /* NULL: what was shown cannot be taken back */
	void *arg;
	struct flow_scan_report report;
	struct flow_timeouts timeouts;
};

/* One pass with progress on a terminal's stderr. Returns 0 or -errno (nothing said yet); an
 * unsettled pass is said. */
int run_pass(const struct flow_filter *filter, struct pass *pass);
int run_reading(struct table_reading *ret_reading); /* 0 or -errno */

/* ---- client.c ---- */

/* Asks the daemon at path; *ret_document is the JSON text of its document, to be freed. 0;
 * -EREMOTEIO: it answered with an error (problem filled); other -errno: not reachable (problem
 * filled). Waits 2 s to connect, 5 s for the answer. */
int client_ask(const char *path, const char *command, const char *args, char **ret_document,
	       struct problem *reterr_problem);
/* As client_ask for a command's view. 1: answered; 0: no daemon and none was insisted on: ask the
 * kernel; -errno: said. */
int client_view(const struct cli *cli, const char *command, const char *args, char **ret_document);
/* As client_ask for a command that only the daemon can do. *ret_document is NULL where there is none. Returns an exit
 * code; what is wrong is said. */
int client_order(const struct cli *cli, const char *command, const char *args, char **ret_document);
int client_nonsense(const struct problem *problem); /* says that an answer makes no sense; returns the exit code */
/* Prints a document as -j or -J say. */
int client_print(const struct cli *cli, const char *document);

/* ---- capacity.c ---- */

/* The status of a daemon that watches this very namespace, into *ret_view. 1: it answered; 0: there is none; -errno:
 * one was insisted on (--socket) and cannot be reached, said. */
int capacity_ask_daemon(const struct cli *cli, struct snapshot *ret_view);
/* What is given by option or set by the policy (0: not), else the daemon's own (view may be NULL); 0: the kernel's
 * limit. */
uint64_t capacity_choose(uint64_t given, uint64_t of_policy, const struct snapshot *view,
			 enum report_capacity *ret_from);

/* ---- view.c ---- */

/* A ctwarden.status/1 document into *ret_snapshot. 0 or -EINVAL with the problem. */
int view_status(const char *document, struct snapshot *ret_snapshot,
		struct problem *reterr_problem);
/* A ctwarden.alarm/1 or ctwarden.topline/1 document. 0 or -EINVAL with the problem. */
int view_breakdown(const char *document, struct alarm *ret_alarm, bool *ret_is_alarm, struct problem *reterr_problem);
/* A ctwarden.record/1 document, as far as report_record_words needs it. 0 or -EINVAL with the problem. */
struct doc_node;
int view_record(const struct doc_node *root, struct action_record *ret_record, struct problem *reterr_problem);
struct view_top {
	struct report_top top;	  /* rows point to rows below */
	struct ranking_row *rows; /* owned */
};
int view_top(const char *document, struct view_top *ret_top, struct problem *reterr_problem);

#endif
