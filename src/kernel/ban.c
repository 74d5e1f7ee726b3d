/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/ban: sources whose new flows are refused or slowed, as sets with timeouts in an nft table of our own: the
 * kernel enforces them between our runs and ends them by itself, also when we are gone.
 *
 * The chain is at prerouting, priority -150 (mangle): after conntrack (-200) has said whether the flow is new, before
 * it is confirmed, so that a refused packet leaves no entry. `ct state new` keeps existing flows alive. What is in
 * force is kept here too; on any doubt (the table was removed, sets of another make) the whole is written anew in one
 * transaction. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "ban_private.h"
#include "base/clock.h"
#include "base/mem.h"

#define METER_SIZE 65535

static __attribute__((format(printf, 2, 3))) void say(struct bans *bans, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(bans->commands + bans->len, COMMANDS_MAX - bans->len, format, args);
	va_end(args);
	if (n > 0 && bans->len + (size_t)n < COMMANDS_MAX)
		bans->len += (size_t)n;
}

int bans_run(struct bans *bans, const char *command, struct problem *problem)
{
	const char *error;

	if (!nft_run_cmd_from_buffer(bans->nft, command))
		return 0;
	error = nft_ctx_get_error_buffer(bans->nft);
	problem_set(problem, "nft", "%.*s", (int)strcspn(error, "\n"), error);
	if (strstr(error, "not permitted"))
		return -EPERM;
	if (strstr(error, "not supported"))
		return -EOPNOTSUPP;
	return strstr(error, "No such file") ? -ENOENT : -EIO;
}

static int run(struct bans *bans, struct problem *problem)
{
	return bans_run(bans, bans->commands, problem);
}

static void begin(struct bans *bans)
{
	bans->len = 0;
	bans->commands[0] = '\0';
}

/* ---- names ---- */

static int family_number(const struct prefix *prefix)
{
	return prefix->addr.family == AF_INET ? 4 : 6;
}

/* The next run reads the rate back from there. No plus of an exponent, which nft takes in no name. */
static char *rate_name(double rate, char buf[BAN_NAME_MAX])
{
	for (int decimals = 0; decimals <= 17; decimals++) {
		snprintf(buf, BAN_NAME_MAX, "%.*f", decimals, rate);
		if (strtod(buf, NULL) == rate)
			return buf;
	}
	snprintf(buf, BAN_NAME_MAX, "%.17g", rate);
	return buf;
}

static char *set_name(const struct ban *ban, char buf[BAN_NAME_MAX])
{
	int family = family_number(&ban->prefix);
	char rate[BAN_NAME_MAX];

	if (ban->rate_per_sec <= 0)
		snprintf(buf, BAN_NAME_MAX, "banned%d", family);
	else
		snprintf(buf, BAN_NAME_MAX, "slowed%d_%.28s", family, rate_name(ban->rate_per_sec, rate));
	return buf;
}

/* nft knows whole numbers a second, minute, hour. */
static void say_rate(struct bans *bans, double rate)
{
	if (rate >= 1)
		say(bans, "limit rate over %.0f/second burst %.0f packets", rate, rate);
	else if (rate * 60 >= 1)
		say(bans, "limit rate over %.0f/minute burst 1 packets", rate * 60);
	else
		say(bans, "limit rate over %.0f/hour burst 1 packets", rate * 3600 < 1 ? 1 : rate * 3600);
}

/* ---- the table ---- */

/* Not auto-merge: neighbours that end together would become one range, which is no ban that we made. */
static void say_set(struct bans *bans, const char *name, int family)
{
	say(bans, "add set inet " BANS_TABLE " %s { type %s; flags interval,timeout; }\n", name,
	    family == 4 ? "ipv4_addr" : "ipv6_addr");
}

/* All of the table but its elements; what is there already stays as it is. */
static void say_frame(struct bans *bans)
{
	char name[BAN_NAME_MAX], rate[BAN_NAME_MAX];

	say(bans, "add table inet " BANS_TABLE "\n");
	say_set(bans, "banned4", 4);
	say_set(bans, "banned6", 6);
	for (unsigned i = 0; i < bans->rate_count; i++) {
		for (int family = 4; family <= 6; family += 2) {
			snprintf(name, sizeof(name), "slowed%d_%.28s", family, rate_name(bans->rates[i], rate));
			say_set(bans, name, family);
			say(bans,
			    "add set inet " BANS_TABLE " meter%d_%s { type %s; size %d; flags dynamic,timeout; timeout "
			    "1m; }\n",
			    family, rate, family == 4 ? "ipv4_addr" : "ipv6_addr", METER_SIZE);
		}
	}
	say(bans, "add chain inet " BANS_TABLE " new { type filter hook prerouting priority -150; policy accept; }\n");
	say(bans, "flush chain inet " BANS_TABLE " new\n");
	say(bans, "add rule inet " BANS_TABLE " new ct state new ip saddr @banned4 counter drop\n");
	say(bans, "add rule inet " BANS_TABLE " new ct state new ip6 saddr @banned6 counter drop\n");
	for (unsigned i = 0; i < bans->rate_count; i++) {
		for (int family = 4; family <= 6; family += 2) {
			const char *saddr = family == 4 ? "ip saddr" : "ip6 saddr";

			rate_name(bans->rates[i], rate);
			say(bans,
			    "add rule inet " BANS_TABLE " new ct state new %s @slowed%d_%s update @meter%d_%s { %s ",
			    saddr, family, rate, family, rate, saddr);
			say_rate(bans, bans->rates[i]);
			say(bans, " } counter drop\n");
		}
	}
}

static void say_element(struct bans *bans, const char *verb, const struct ban *ban, int64_t now_ns)
{
	char prefix[ADDR_TEXT_MAX], name[BAN_NAME_MAX];
	long long left_sec = (ban->until_ns - now_ns + NS_PER_SEC - 1) / NS_PER_SEC;

	say(bans, "%s element inet " BANS_TABLE " %s { %s", verb, set_name(ban, name),
	    prefix_format(&ban->prefix, prefix));
	if (*verb == 'a')
		say(bans, " timeout %llds", left_sec > 0 ? left_sec : 1);
	say(bans, " }\n");
}

/* True where one was. */
static bool forget_expired(struct bans *bans, int64_t now_ns)
{
	size_t kept = 0, before = bans->used;

	for (size_t i = 0; i < bans->used; i++)
		if (bans->items[i].until_ns > now_ns)
			bans->items[kept++] = bans->items[i];
	bans->used = kept;
	return kept < before;
}

/* A prefix inside another one of the same set cannot stand beside it; the wider one covers it. Where that one ends
 * first the narrow one has to be put into the set then (settle). */
static bool is_covered(struct bans *bans, size_t index)
{
	bool result = false;
	const struct ban *ban = &bans->items[index];

	for (size_t i = 0; i < bans->used; i++) {
		const struct ban *other = &bans->items[i];

		if (i != index && other->prefix.addr.family == ban->prefix.addr.family &&
		    other->rate_per_sec == ban->rate_per_sec && other->prefix.len < ban->prefix.len &&
		    prefix_contains(&other->prefix, &ban->prefix.addr)) {
			bans->has_hidden |= other->until_ns < ban->until_ns;
			result = true;
		}
	}
	return result;
}

/* The whole table as it should be, in one transaction. */
static int rebuild(struct bans *bans, int64_t now_ns, struct problem *problem)
{
	int result;

	forget_expired(bans, now_ns);
	begin(bans);
	/* add before delete: nothing to delete would be an error. */
	say(bans, "add table inet " BANS_TABLE "\ndelete table inet " BANS_TABLE "\n");
	say_frame(bans);
	bans->has_hidden = false;
	for (size_t i = 0; i < bans->used; i++)
		if (!is_covered(bans, i))
			say_element(bans, "add", &bans->items[i], now_ns);
	result = run(bans, problem);
	bans->has_table = !result;
	bans->is_due = false;
	return result;
}

/* Forgets what has ended; what stood behind it comes to the front. Where that fails the next change says so. */
static void settle(struct bans *bans, int64_t now_ns)
{
	if (forget_expired(bans, now_ns) && bans->has_hidden)
		bans->is_due = true;
	if (bans->is_due && bans->is_tended)
		rebuild(bans, now_ns, NULL);
}

/* ---- open, read, close ---- */

int bans_open(size_t max, struct bans **ret_bans, struct problem *reterr_problem)
{
	struct bans *bans = mem_alloc(sizeof(*bans));
	struct problem problem = {0};
	int result;

	bans->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!bans->nft || nft_ctx_buffer_output(bans->nft) || nft_ctx_buffer_error(bans->nft)) {
		problem_set(reterr_problem, "nft", "libnftables cannot be used");
		if (bans->nft)
			nft_ctx_free(bans->nft);
		free(bans);
		return -EOPNOTSUPP;
	}
	bans->max = max;
	bans->items = mem_alloc((max + 1) * sizeof(*bans->items));
	bans->commands = mem_alloc(COMMANDS_MAX);
	result = bans_take_over(bans, clock_monotonic_ns(), &problem);
	if (result) {
		bans_close(bans);
		if (reterr_problem)
			*reterr_problem = problem;
		return result;
	}
	bans->is_due = bans->has_table; /* rules of this run */
	*ret_bans = bans;
	return 0;
}

void bans_tend(struct bans *bans, bool is_tended)
{
	bans->is_tended = is_tended;
	settle(bans, clock_monotonic_ns());
}

int bans_read(size_t max, struct ban *ret_bans, size_t *ret_count, struct problem *reterr_problem)
{
	const struct ban *list;
	struct bans *bans;
	int result = bans_open(max, &bans, reterr_problem);

	if (result)
		return result;
	list = bans_list(bans, clock_monotonic_ns(), ret_count);
	if (*ret_count)
		memcpy(ret_bans, list, *ret_count * sizeof(*list));
	bans_close(bans);
	return 0;
}

void bans_close(struct bans *bans)
{
	if (!bans)
		return;
	nft_ctx_free(bans->nft);
	free(bans->items);
	free(bans->commands);
	free(bans);
}

/* ---- changes ---- */

/* What the new one is in place of: one of its own rate, and milder ones that do not outlast it. A milder one that does
 * stays beside it, in its own set, and is what is left at its end. */
static bool is_replaced(const struct ban *old, const struct ban *ban)
{
	return prefix_equal(&old->prefix, &ban->prefix) &&
	       (old->rate_per_sec == ban->rate_per_sec ||
		(old->rate_per_sec > ban->rate_per_sec && old->until_ns <= ban->until_ns));
}

/* Of rates that no ban has any more. Their sets stay until the table is made anew. */
static void forget_rates(struct bans *bans)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < bans->rate_count; i++) {
		bool is_used = false;

		for (size_t k = 0; k < bans->used && !is_used; k++)
			is_used = bans->items[k].rate_per_sec == bans->rates[i];
		if (is_used)
			bans->rates[kept++] = bans->rates[i];
	}
	bans->rate_count = kept;
}

bool bans_know_rate(struct bans *bans, double rate, bool *ret_is_new)
{
	*ret_is_new = false;
	if (rate <= 0)
		return true;
	for (unsigned i = 0; i < bans->rate_count; i++)
		if (bans->rates[i] == rate)
			return true;
	if (bans->rate_count == RATES_MAX)
		forget_rates(bans);
	if (bans->rate_count == RATES_MAX)
		return false;
	bans->rates[bans->rate_count++] = rate;
	*ret_is_new = true;
	return true;
}

int bans_add(struct bans *bans, const struct ban *ban, struct problem *reterr_problem)
{
	int64_t now_ns = clock_monotonic_ns();
	struct ban replaced[RATES_MAX + 1]; /* a prefix has one ban of each rate */
	size_t kept = 0, gone = 0;
	bool is_new_rate;
	int result;

	settle(bans, now_ns);
	for (size_t i = 0; i < bans->used; i++)
		gone += is_replaced(&bans->items[i], ban);
	if (!gone && bans->used == bans->max)
		return problem_set(reterr_problem, "", "%zu bans are in force, the most there may be", bans->max),
		       -ENOSPC;
	if (!bans_know_rate(bans, ban->rate_per_sec, &is_new_rate))
		return problem_set(reterr_problem, "", "more than %d distinct rates", RATES_MAX), -ERANGE;
	gone = 0;
	for (size_t i = 0; i < bans->used; i++) {
		if (gone <= RATES_MAX && is_replaced(&bans->items[i], ban))
			replaced[gone++] = bans->items[i];
		else
			bans->items[kept++] = bans->items[i];
	}
	bans->items[kept] = *ban;
	bans->used = kept + 1;
	if (bans->has_table && !bans->is_due && !is_new_rate && !gone && !is_covered(bans, kept)) {
		begin(bans);
		say_element(bans, "add", ban, now_ns);
		if (!run(bans, NULL))
			return 0;
		bans->rebuilt++; /* somebody removed the table, or a prefix overlaps */
	}
	result = rebuild(bans, now_ns, reterr_problem);
	if (result) { /* the new one is the last */
		bans->used--;
		for (size_t i = 0; i < gone; i++)
			bans->items[bans->used++] = replaced[i];
	}
	return result;
}

/* One element tells of the whole: who empties ours empties it by table or by set. */
int bans_check(struct bans *bans, struct problem *reterr_problem)
{
	int64_t now_ns = clock_monotonic_ns();
	const struct ban *last = NULL;
	int result;

	settle(bans, now_ns);
	for (size_t i = 0; i < bans->used; i++)
		if (!last || bans->items[i].until_ns > last->until_ns)
			last = &bans->items[i];
	/* The kernel may have ended it a moment before us. */
	if (!last || last->until_ns - now_ns < 2 * NS_PER_SEC)
		return 0;
	if (bans->is_due)
		return rebuild(bans, now_ns, reterr_problem);
	begin(bans);
	say_element(bans, "get", last, now_ns);
	if (bans->has_table && !run(bans, NULL))
		return 0;
	bans->rebuilt++;
	result = rebuild(bans, now_ns, reterr_problem);
	return result ? result : (int)bans->used;
}

int bans_remove(struct bans *bans, const struct prefix *prefix, struct problem *reterr_problem)
{
	size_t kept = 0, before;
	int result;

	forget_expired(bans, clock_monotonic_ns());
	before = bans->used;
	for (size_t i = 0; i < before; i++) {
		struct ban ban = bans->items[i];

		if (prefix_equal(&ban.prefix, prefix))
			continue;
		bans->items[i] = bans->items[kept]; /* what goes is behind what stays, to be taken back */
		bans->items[kept++] = ban;
	}
	if (kept == before)
		return -ENOENT;
	bans->used = kept;
	result = rebuild(bans, clock_monotonic_ns(), reterr_problem);
	if (result) {
		memmove(&bans->items[bans->used], &bans->items[kept], (before - kept) * sizeof(*bans->items));
		bans->used += before - kept;
	}
	return result == -ENOENT ? -EIO : result;
}

int bans_clear(struct bans *bans, struct problem *reterr_problem)
{
	int result;

	begin(bans);
	say(bans, "add table inet " BANS_TABLE "\ndelete table inet " BANS_TABLE "\n");
	result = run(bans, reterr_problem);
	if (result)
		return result;
	bans->used = 0;
	bans->rate_count = 0;
	bans->has_table = bans->is_due = false;
	return 0;
}

static int by_end(const void *a, const void *b)
{
	int64_t x = ((const struct ban *)a)->until_ns, y = ((const struct ban *)b)->until_ns;

	return x < y ? -1 : x > y;
}

const struct ban *bans_list(struct bans *bans, int64_t now_ns, size_t *ret_count)
{
	settle(bans, now_ns);
	qsort(bans->items, bans->used, sizeof(*bans->items), by_end);
	*ret_count = bans->used;
	return bans->items;
}

unsigned bans_rebuilt(const struct bans *bans)
{
	return bans->rebuilt;
}
