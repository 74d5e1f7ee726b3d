/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel: all that is asked of the kernel about one table. The only layer that includes netlink headers. */
#ifndef CTWARDEN_KERNEL_KERNEL_H
#define CTWARDEN_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/problem.h"
#include "flow/filter.h"
#include "flow/flow.h"
#include "flow/ports.h"
#include "flow/reading.h"
#include "flow/timeouts.h"

/* ---- counters (kernel/counters.c) ---- */

struct counters; /* a netlink socket of its own */

/* Opens in the calling thread's network namespace. 0 or -errno. */
int counters_open(struct counters **ret_counters);
void counters_close(struct counters *counters);
/* Entries, limit, per-CPU counters by netlink; buckets (up to a second old), and what netlink refused (no
 * CAP_NET_ADMIN), from /proc/sys/net. Missing parts are unset in has. About 10 us. 0, or -ENOENT where conntrack is not
 * in this kernel (nothing could be read). Blocks for the netlink answers only. */
int counters_read(struct counters *counters, struct table_reading *ret_reading);
/* nf_conntrack_buckets or 0 where it cannot be read (5 us). */
uint64_t buckets_read(void);
/* nf_conntrack_events, nf_conntrack_acct, nf_conntrack_timestamp: the value or -1 where it cannot be read. */
int setting_read(const char *name);
int netns_self(struct table_netns *ret_netns); /* 0 or -errno */

/* ---- dump (kernel/dump.c, kernel/pushdown.c) ---- */

struct scan_options {
	bool plain;           /* push nothing down (for tests and comparison) */
	int64_t deadline_ns;  /* monotonic; 0: none. Past it the scan ends with -ETIME */
	/* Called now and then (every 50 ms or so) with the entries received so far; may be NULL. Return false
	 * to end. */
	bool (*on_progress)(uint64_t received, void *arg);
	/* Called before a redone pass: what the callback gathered so far is void. May be NULL: then no redo, unsettled
	 * is set. */
	void (*on_redo)(void *arg);
	void *arg; /* for the two above */
};

/* One pass over the table of the calling thread's namespace: what the kernel can filter goes into the request, every
 * entry received is matched again against the whole filter (NULL: all). Blocks: about 2 us an entry sent, 0.3 us an
 * entry skipped by the kernel. A pass evicts expired entries. 0, -EPERM without CAP_NET_ADMIN, other -errno;
 * *ret_report is filled as far as it came, also on error. */
int scan_flows(const struct flow_filter *filter, const struct flow_filter_context *context, flow_scan_fn *fn, void *arg,
	       const struct scan_options *options, struct flow_scan_report *ret_report);

/* ---- decode (kernel/decode.c) ---- */

/* One ctnetlink message (nlmsghdr and all, len bytes readable) into *ret_flow, by a walk of fixed depth without
 * allocation. kind may be NULL. 0; -EBADMSG: cut short, no tuple, or not a conntrack message. Unknown attributes are
 * skipped. Output untouched on failure. */
int decode_message(const void *message, size_t len, struct flow *ret_flow, enum flow_event_kind *ret_kind);

/* ---- print (kernel/print.c) ---- */

struct printer; /* holds the libnetfilter_conntrack object and the buffer */
struct printer *printer_new(void);
void printer_free(struct printer *printer);
/* One message as `conntrack -L -o extended` (event false) or `conntrack -E -o extended` (event true, with the padded
 * tag) writes it, token for token, without the newline. Borrowed until the next call. NULL: not decodable. */
const char *printer_line(struct printer *printer, const void *message, size_t len, bool event);

/* ---- timeouts (kernel/timeouts.c) ---- */

/* Base timeouts of the calling thread's namespace by IPCTNL_MSG_TIMEOUT_DEFAULT_GET, else from /proc/sys/net. Always
 * fills what it can (0 elsewhere). 0, or -errno where nothing could be read. */
int timeouts_read(struct flow_timeouts *ret_timeouts);
/* Sets the base timeouts that are not 0 in set, of the calling thread's namespace (IPCTNL_MSG_TIMEOUT_DEFAULT_SET).
 * Entries keep what they have until their next packet. 0; -errno of the first protocol that was refused (the others are
 * set). */
int timeouts_write(const struct flow_timeouts *set);

/* ---- bans (kernel/ban.c) ---- */

#define BANS_TABLE "ctwarden" /* the nft table of family inet that is ours alone */

struct bans; /* the sets of banned prefixes, in a table of our own */

struct ban {
	struct prefix prefix;
	int64_t until_ns;    /* monotonic */
	double rate_per_sec; /* new flows a second still let in; 0: none */
};

/* Takes over what an earlier run left in the table, and changes nothing there; it is made anew, with what is left, by
 * the first change or bans_tend. Nothing is created before the first ban. max: bans at one time.
 * 0, -errno (-EPERM, -EOPNOTSUPP without nf_tables) with the problem. */
int bans_open(size_t max, struct bans **ret_bans, struct problem *reterr_problem);
/* Tended: rules of this run replace those of an earlier one, and a ban inside a wider one that has ended is put into
 * the kernel's sets, now and in each bans_list and bans_check. Else (after bans_open) bans_list writes nothing, and
 * bans_check is not to be called. */
void bans_tend(struct bans *bans, bool is_tended);
/* What is refused now, by whomever put there: at most max of them, in order of their end. Changes nothing. Else as
 * bans_open. */
int bans_read(size_t max, struct ban *ret_bans, size_t *ret_count, struct problem *reterr_problem);
void bans_close(struct bans *bans); /* leaves the table as it is: every ban ends by itself */
/* New flows of the prefix are refused (or slowed) for so long; existing ones live. Again at this rate: the new end
 * counts. A milder one of this prefix that outlasts it stays, and is listed too; one that does not is over. A table
 * that somebody removed is made anew with all bans in force. 0; -ENOSPC: max are there; -ERANGE: a ninth distinct rate
 * in force; -errno with the problem. Blocks for a few milliseconds. */
int bans_add(struct bans *bans, const struct ban *ban, struct problem *reterr_problem);
/* At all its rates. -ENOENT: not banned; other -errno with the problem: none was lifted. */
int bans_remove(struct bans *bans, const struct prefix *prefix, struct problem *reterr_problem);
/* All bans and the table itself. 0; -errno: none was lifted. */
int bans_clear(struct bans *bans, struct problem *reterr_problem);
/* Those in force at now_ns, in order of their end; borrowed until the next call. To be asked now and then, for
 * bans_tend. */
const struct ban *bans_list(struct bans *bans, int64_t now_ns, size_t *ret_count);
/* Whether the kernel still has them: where somebody removed the table or emptied a set (a firewall that is loaded anew)
 * all is written anew. Returns how many bans that brought back, 0: nothing was missing; -errno. */
int bans_check(struct bans *bans, struct problem *reterr_problem);
unsigned bans_rebuilt(const struct bans *bans); /* times the table had to be made anew */

/* ---- events (kernel/events.c) ---- */

enum events_group { EVENTS_NEW = 1, EVENTS_UPDATE = 2, EVENTS_DESTROY = 4 };

struct events; /* the event socket */

struct events_options {
	unsigned groups;       /* enum events_group */
	size_t rcvbuf_bytes;   /* asked; SO_RCVBUFFORCE, else SO_RCVBUF */
	uint32_t skip_portid;  /* DESTROY messages of this netlink port are dropped by a BPF filter; 0: none */
};

struct events_counts { /* since events_open */
	uint64_t messages, lost, overruns, undecodable, not_kernel;
};

/* Subscribes in the calling thread's namespace. The descriptor is non-blocking. 0, -EPERM, other -errno. */
int events_open(const struct events_options *options, struct events **ret_events);
void events_close(struct events *events);
int events_fd(const struct events *events);
size_t events_rcvbuf_bytes(const struct events *events); /* granted; compare with what was asked */
/* skip_portid of the options, not 0, from now on. Any thread. 0 or -errno: then as before. */
int events_skip(struct events *events, uint32_t portid);
/* While deaths are muted no DESTROY comes, whoever caused it, and where nobody in any namespace listens to them (the
 * kernel keeps one mask of listeners for all, netlink_has_listeners) it does not even make them: of a delete of 3 us
 * they are 1.7. Costs half a microsecond. Any thread. 0 or -errno: then as before. */
int events_mute_deaths(struct events *events, bool muted);

/* Handed each message. brief-only users ignore raw. Return false to stop draining. */
typedef bool events_fn(enum flow_event_kind kind, const struct flow *flow, const void *raw, size_t raw_len, void *arg);

/* raw: who asked for what the message tells, by netlink port; 0: the kernel itself (a packet came, time ran out). */
uint32_t event_portid(const void *raw);

/* Drains up to budget messages by recvmmsg; never blocks. Returns messages handed over; *ret_lost is the exact number
 * lost since the last call (SO_MEMINFO drops). Lost events are known once the queue is empty again. */
size_t events_drain(struct events *events, size_t budget, events_fn *fn, void *arg, uint64_t *ret_lost);
struct events_counts events_counts_get(const struct events *events);

/* ---- writing (kernel/writer.c, kernel/filtered_delete.c, kernel/ports.c) ---- */

struct writer; /* the sockets and buffers of writes, 1 MiB at most */

/* Opens in the calling thread's namespace. proofs_dir: where selftest_run kept what is proven for this kernel and boot
 * ("/run/ctwarden"), NULL: none. 0, -EPERM without CAP_NET_ADMIN, other -errno. */
int writer_open(const char *proofs_dir, struct writer **ret_writer);
void writer_close(struct writer *writer);
/* DESTROY events of its deletes carry a port: of those of single entries this one, */
uint32_t writer_portid(const struct writer *writer);
/* of those by a filter another. */
bool writer_has_portid(const struct writer *writer, uint32_t portid);
/* fn hears of deletes of single entries: before a batch goes to the kernel, with outcomes NULL, and after it. In the
 * thread that deletes. */
typedef void writer_delete_fn(const struct flow_target *targets, size_t count, const enum flow_outcome *outcomes,
			      void *arg);
void writer_on_delete(struct writer *writer, writer_delete_fn *fn, void *arg);
/* fn hears of the progress of passes, each 50 ms, with the entries read so far; false ends the pass (is_stopped). NULL:
 * nobody. */
void writer_on_progress(struct writer *writer, bool (*fn)(uint64_t received, void *arg), void *arg);
/* The ports of this writer; valid until writer_close. */
struct flow_ports writer_ports(struct writer *writer);

/* ---- what the kernel's own filter can do (kernel/selftest.c) ---- */

#define PROOFS_DIR_DEFAULT "/run/ctwarden"

struct selftest_result {
	bool has_netns;        /* a throw-away namespace could be made */
	unsigned usual, proven, failed; /* sets of attributes: all that are usual, and of them */
	int64_t took_ns;
	char text[160];        /* what failed or could not be tried, in words; "" all good */
};

/* Proves the usual sets in a throw-away namespace and, with proofs_dir (which must exist), keeps the result for this
 * kernel and boot in a file there, root's and readable by all. About 5 ms a set with 262 144 buckets (a set takes a
 * walk of the kernel over the tables of all namespaces), the most usual first, no new one that would end after
 * budget_ns. 0 also where nothing could be tried or something failed (see the result); -EPERM where the file could not
 * be written by this user, other -errno. */
int selftest_run(const char *proofs_dir, int64_t budget_ns, struct selftest_result *ret_result);
/* How many sets are kept in proofs_dir for this kernel and boot; changes and tries nothing, needs no rights. 0, or
 * -ENOENT: none that can be believed, ret_why says why. */
int selftest_kept(const char *proofs_dir, unsigned *ret_proven, char *ret_why, size_t why_size);
/* Whether the kernel-filtered delete can be used here; where not, ret_why says why, to follow "fast delete: off,
 * because". Looks into proofs_dir (may be NULL), else proves one set. */
bool selftest_fast_delete(const char *proofs_dir, char *ret_why, size_t why_size);

/* ---- this host (kernel/host.c, kernel/gateways.c, kernel/listeners.c) ---- */

/* The established TCP sockets of this namespace that a process named sshd or sshd-session holds, on whatever port, as
 * tuples seen from outside (src: the peer; IPv4-mapped ones as IPv4). By sock_diag and /proc/PID/fd. Behind DNAT the
 * entry's original destination is another: there the reply tuple is this one turned round. *ret_tuples is the caller's
 * (NULL for none). 0; -EACCES where /proc does not let us look, other -errno: then nobody can say what the operator's
 * are. Processes of another pid namespace are not seen. */
int host_operator_sockets(struct flow_tuple **ret_tuples, size_t *ret_count);
/* The same of all established TCP sockets at a port of ours, whoever holds them: needs no right. */
int host_port_sockets(uint16_t port, struct flow_tuple **ret_tuples, size_t *ret_count);
/* Addresses of this namespace's interfaces; *ret_addrs is the caller's. 0 or -errno. */
int host_addresses(struct addr **ret_addrs, size_t *ret_count);
#define HOST_GATEWAYS_MAX 1024 /* a full table of the internet has some hundred next hops */
/* The next hops of this namespace's routes, each once: of both families and all tables, multipath too. 0; -E2BIG: more
 * than HOST_GATEWAYS_MAX; other -errno. Blocks about 1 us a route. */
int host_gateways(struct addr ret_addrs[HOST_GATEWAYS_MAX], size_t *ret_count);
/* Listeners besides this process on the DESTROY group of ctnetlink in this namespace (our own daemon is one); 0 where
 * it cannot be told. names: of the processes, "conntrackd, ulogd"; "port 4711" where that is hidden. */
unsigned host_destroy_listeners(char *ret_names, size_t size);
/* Nobody in this namespace listens to the UPDATE group of ctnetlink; false where it cannot be told. */
bool host_hears_no_updates(void);

#endif
