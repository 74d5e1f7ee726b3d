/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/selftest: tries the sets of attributes that filters usually come to, all in one throw-away namespace. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proof_file.h"
#include "prover.h"

/* A set takes one walk of the kernel over the table of all namespaces: 5 ms by 262 144 buckets, more where it
 * is full. */
#define SETS_MAX     512
#define UNREPLIED    FLOW_STATUS_SEEN_REPLY
#define NOT_ASSURED  FLOW_STATUS_ASSURED

/* What of the tuples is asked; the most usual first. */
static const struct shape {
	uint32_t orig, reply;
	bool is_v4; /* has addresses, which are never asked of IPv6 */
} shapes[] = {
	{0, 0, false},
	{SIDE_SRC, 0, true},
	{SIDE_DST, 0, true},
	{SIDE_PROTOCOL, 0, false},
	{SIDE_PROTOCOL | SIDE_DPORT, 0, false},
	{SIDE_PROTOCOL | SIDE_SPORT, 0, false},
	{0, SIDE_SRC, true},
	{0, SIDE_DST, true},
	{SIDE_SRC | SIDE_DST, 0, true},
	{SIDE_SRC | SIDE_PROTOCOL, 0, true},
	{SIDE_DST | SIDE_PROTOCOL, 0, true},
	{SIDE_SRC | SIDE_DST | SIDE_PROTOCOL, 0, true},
	{SIDE_SRC | SIDE_PROTOCOL | SIDE_DPORT, 0, true},
	{SIDE_DST | SIDE_PROTOCOL | SIDE_DPORT, 0, true},
	{SIDE_SRC | SIDE_DST | SIDE_PROTOCOL | SIDE_DPORT, 0, true},
	{SIDE_PROTOCOL, SIDE_SRC, true},
	{SIDE_PROTOCOL, SIDE_DST, true},
	{SIDE_PROTOCOL, SIDE_SRC | SIDE_PROTOCOL | SIDE_SPORT, true},
	{SIDE_PROTOCOL, SIDE_DST | SIDE_PROTOCOL | SIDE_DPORT, true},
	{SIDE_PROTOCOL, SIDE_PROTOCOL | SIDE_SPORT, false},
	{SIDE_PROTOCOL, SIDE_PROTOCOL | SIDE_DPORT, false},
};

/* What is asked besides. */
static const struct besides {
	uint32_t status, status_mask, mark_mask;
	bool has_zone, is_rare; /* rare: tried without a tuple only */
} besides[] = {
	{0, 0, 0, false, false},
	{0, UNREPLIED, 0, false, false},
	{0, NOT_ASSURED, 0, false, false},
	{0, 0, UINT32_MAX, false, false},
	{0, 0, 0, true, false},
	{UNREPLIED, UNREPLIED, 0, false, true},
	{NOT_ASSURED, NOT_ASSURED, 0, false, true},
	{0, UNREPLIED | NOT_ASSURED, 0, false, true},
	{0, UNREPLIED, UINT32_MAX, false, true},
	{0, UNREPLIED, 0, true, true},
	{0, NOT_ASSURED, UINT32_MAX, false, true},
	{0, NOT_ASSURED, 0, true, true},
	{0, 0, UINT32_MAX, true, true},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct usual {
	struct proof_set sets[SETS_MAX];
	size_t count;
};

static void add(struct usual *usual, const struct shape *shape, const struct besides *more, uint8_t family,
		uint8_t protocol)
{
	struct proof_set set = {.family = family,
				.protocol = protocol,
				.has_zone = more->has_zone,
				.flags = {shape->orig, shape->reply},
				.status = more->status,
				.status_mask = more->status_mask,
				.mark_mask = more->mark_mask};
	bool is_nothing = !family && !shape->orig && !shape->reply && !more->status_mask && !more->mark_mask &&
			  !more->has_zone;

	if (!is_nothing && usual->count < SETS_MAX)
		usual->sets[usual->count++] = set;
}

static void add_shape(struct usual *usual, const struct shape *shape, const struct besides *more)
{
	static const uint8_t families[] = {0, AF_INET, AF_INET6}, protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	const bool has_tuple = shape->orig | shape->reply;
	const bool has_ports = (shape->orig | shape->reply) & (SIDE_SPORT | SIDE_DPORT);

	if (more->is_rare && has_tuple)
		return;
	for (size_t i = 0; i < COUNT(families); i++) {
		/* A tuple is never asked without a family. */
		if ((has_tuple && !families[i]) || (shape->is_v4 && families[i] != AF_INET))
			continue;
		for (size_t k = 0; k < (has_ports ? COUNT(protocols) : 1); k++)
			add(usual, shape, more, families[i], shape->orig & SIDE_PROTOCOL ? protocols[k] : 0);
	}
}

/* The most usual first: what has no tuple (unreplied, a mark, a zone), then a tuple alone, then both. */
static void list_usual(struct usual *usual)
{
	usual->count = 0;
	for (size_t i = 0; i < COUNT(besides); i++)
		add_shape(usual, &shapes[0], &besides[i]);
	for (size_t i = 0; i < COUNT(besides); i++) {
		for (size_t k = 1; k < COUNT(shapes); k++)
			add_shape(usual, &shapes[k], &besides[i]);
	}
}

/* Whether there is no time for one more, which will take as long as the last one did. */
static bool is_over(int64_t now_ns, int64_t end_ns, int64_t last_ns)
{
	return now_ns + last_ns >= end_ns;
}

/* Keeps the proven ones at the front of the list. What there was no time for stands as the last self-test of this boot
 * left it. */
static void try_all(struct throwaway *throwaway, const struct proof_file *earlier, struct usual *usual,
		    int64_t budget_ns, struct selftest_result *result)
{
	int64_t now_ns = clock_monotonic_ns(), end_ns = now_ns + budget_ns, before_ns = now_ns;
	size_t kept = 0, untried = 0;
	char why[96];

	result->usual = (unsigned)usual->count;
	for (size_t i = 0; i < usual->count; i++) {
		bool is_late = untried || is_over(now_ns, end_ns, now_ns - before_ns);
		int r = is_late ? proof_file_has(earlier, &usual->sets[i])
				: proof_try(throwaway, &usual->sets[i], NULL, why, sizeof(why));

		before_ns = now_ns;
		now_ns = clock_monotonic_ns();
		result->proven += r > 0;
		untried += is_late && !r;
		if (r > 0) {
			usual->sets[kept++] = usual->sets[i];
		} else if (!is_late) {
			result->failed++;
			if (!result->text[0])
				snprintf(result->text, sizeof(result->text), "%s", why);
		}
	}
	if (untried && !result->text[0])
		snprintf(result->text, sizeof(result->text),
			 "%zu of %zu sets were not tried: each takes the kernel a walk over the table, and %.1f s "
			 "were over",
			 untried, usual->count, (double)budget_ns / 1e9);
	usual->count = kept;
}

int selftest_run(const char *proofs_dir, int64_t budget_ns, struct selftest_result *ret_result)
{
	int64_t begin_ns = clock_monotonic_ns();
	struct selftest_result result = {0};
	struct proof_file *earlier;
	struct throwaway throwaway;
	struct usual *usual;
	char why[96];
	int r = throwaway_open(&throwaway);

	if (r < 0) {
		snprintf(result.text, sizeof(result.text), "no namespace to try it in can be made: %s%s", strerror(-r),
			 r == -EPERM ? "; that needs CAP_SYS_ADMIN and CAP_NET_ADMIN; try sudo" : "");
		result.took_ns = clock_monotonic_ns() - begin_ns;
		*ret_result = result;
		return 0;
	}
	result.has_netns = true;
	usual = mem_alloc(sizeof(*usual));
	list_usual(usual);
	earlier = proofs_dir ? proof_file_read(proofs_dir, why, sizeof(why)) : NULL;
	try_all(&throwaway, earlier, usual, budget_ns, &result);
	proof_file_free(earlier);
	throwaway_close(&throwaway);
	/* Also where none is proven: an older file must not stand for this kernel. */
	r = proofs_dir ? proof_file_write(proofs_dir, usual->sets, usual->count) : 0;
	free(usual);
	if (r < 0)
		return r;
	result.took_ns = clock_monotonic_ns() - begin_ns;
	*ret_result = result;
	return 0;
}

bool selftest_fast_delete(const char *proofs_dir, char *ret_why, size_t why_size)
{
	const struct proof_set unreplied = {.status_mask = FLOW_STATUS_SEEN_REPLY};
	struct prover *prover = mem_alloc(sizeof(*prover));
	bool yes;

	prover_init(prover, proofs_dir);
	yes = prover_has(prover, &unreplied, ret_why, why_size);
	prover_done(prover);
	free(prover);
	return yes;
}

int selftest_kept(const char *proofs_dir, unsigned *ret_proven, char *ret_why, size_t why_size)
{
	struct proof_file *file = proof_file_read(proofs_dir, ret_why, why_size);

	if (!file)
		return -ENOENT;
	*ret_proven = (unsigned)proof_file_count(file);
	proof_file_free(file);
	return 0;
}
