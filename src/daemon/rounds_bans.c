/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/rounds_bans: bans, decided by a rule or asked from outside. What observe would ban, and what was lifted by
 * hand, is kept beside those in force until its end. */
#include "rounds_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban_check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"

#define BANS_CHECK_NS	  (5 * NS_PER_SEC)
#define GATEWAYS_FRESH_NS (5 * NS_PER_SEC)
#define GATEWAYS_SHARE	  100 /* times as long as it took: no round waits for it */

/* ---- a decision ---- */

static int open_bans(struct rounds *rounds, struct problem *problem)
{
	int result = rounds->bans ? 0 : bans_open(rounds->config.max_bans, &rounds->bans, problem);

	if (!result)
		bans_tend(rounds->bans, rounds->tends_bans);
	return result;
}

/* Those in force at this rate; and until when this one is in force already, so or more strictly. */
static uint64_t bans_of_rule(struct rounds *rounds, const struct ban *ban, int64_t now_ns, int64_t *ret_until_ns)
{
	const struct ban *list;
	uint64_t same = 0;
	size_t count;

	list = bans_list(rounds->bans, now_ns, &count);
	for (size_t i = 0; i < count; i++) {
		same += list[i].rate_per_sec == ban->rate_per_sec;
		if (list[i].rate_per_sec <= ban->rate_per_sec && prefix_equal(&list[i].prefix, &ban->prefix))
			*ret_until_ns = list[i].until_ns;
	}
	return same;
}

/* Of those of different rates the last to end. */
static const struct ban *find_ban(struct rounds *rounds, const struct prefix *prefix, int64_t now_ns)
{
	size_t count;
	const struct ban *list = bans_list(rounds->bans, now_ns, &count), *found = NULL;

	for (size_t i = 0; i < count; i++)
		if (prefix_equal(&list[i].prefix, prefix))
			found = &list[i];
	return found;
}

/* In force already, or lifted by hand for a while: no event, and nothing to be done before. */
static int settle(struct action_record *record, int64_t until_ns, int64_t *ret_settled_ns)
{
	record->matched = record->left = 0;
	*ret_settled_ns = until_ns;
	return 0;
}

static int too_many(struct action_record *record, const struct policy_do *action, const char *are)
{
	record->ban.for_ns = 0;
	snprintf(record->how, sizeof(record->how), "at most %llu of the rule at a time, and so many %s in force",
		 (unsigned long long)action->max_bans, are);
	return 0;
}

/* Observe: as act would, so that one source is one record as long as its ban would stand. */
static int suppose(struct rounds *rounds, const struct policy_do *action, const struct ban *ban, int64_t now_ns,
		   struct action_record *record, int64_t *ret_settled_ns)
{
	size_t same;
	int64_t until_ns = ban_terms_end(rounds->config.supposed, ban, now_ns, &same);

	if (!until_ns && rounds->bans)
		bans_of_rule(rounds, ban, now_ns, &until_ns); /* made before the mode was changed */
	if (until_ns)
		return settle(record, until_ns, ret_settled_ns);
	if (same >= action->max_bans)
		return too_many(record, action, "would be");
	ban_terms_put(rounds->config.supposed, ban, now_ns);
	*ret_settled_ns = ban->until_ns;
	return 0;
}

/* 0 and *ret_settled_ns, the end of the ban that is in force then: of this moment (record->done) or an earlier one,
 * which is no event and is not prolonged; or without, and why in the record. -errno. */
static int put_in_force(struct rounds *rounds, const struct policy_do *action, const struct ban *ban, int64_t now_ns,
			struct action_record *record, int64_t *ret_settled_ns, struct problem *problem)
{
	int result = open_bans(rounds, problem);
	const struct ban *before;
	int64_t until_ns = 0;
	uint64_t same;

	if (result)
		return result;
	same = bans_of_rule(rounds, ban, now_ns, &until_ns);
	if (until_ns)
		return settle(record, until_ns, ret_settled_ns);
	if (same >= action->max_bans)
		return too_many(record, action, "are");
	before = find_ban(rounds, &ban->prefix, now_ns);
	if (before) { /* a milder one */
		record->ban.is_new = false;
		record->ban.before_rate_per_sec = before->rate_per_sec;
		record->ban.before_left_ns = before->until_ns - now_ns;
	}
	result = bans_add(rounds->bans, ban, problem);
	if (result)
		return result;
	*ret_settled_ns = ban->until_ns;
	record->done = 1;
	record->left = 0;
	return 0;
}

/* Many are decided on in one round, and a router has many routes. False: nobody can say who the gateways are. */
static bool knows_gateways(struct rounds *rounds, int64_t now_ns)
{
	int64_t fresh_ns = GATEWAYS_SHARE * rounds->gateways_took_ns;

	if (fresh_ns < GATEWAYS_FRESH_NS)
		fresh_ns = GATEWAYS_FRESH_NS;
	/* Where they cannot be told those of the last time hold; that is not asked for each ban either. */
	if (!rounds->gateways_ns || now_ns - rounds->gateways_ns >= fresh_ns) {
		rounds->knows_gateways |= !host_gateways(rounds->gateways, &rounds->gateway_count);
		rounds->gateways_ns = now_ns;
		rounds->gateways_took_ns = clock_monotonic_ns() - now_ns;
	}
	return rounds->knows_gateways;
}

int rounds_ban(struct rounds *rounds, const struct policy *policy, const struct policy_decision *decision,
	       struct action_record *record, int64_t *ret_settled_ns)
{
	const struct policy_do *action = &policy->rules[decision->rule].action;
	int64_t now_ns = clock_monotonic_ns(), lifted_ns;
	bool is_known = knows_gateways(rounds, now_ns);
	struct ban_context context = {.policy = policy,
				      .own = rounds->own,
				      .own_count = rounds->own_count,
				      .operators = rounds->operators,
				      .operator_count = rounds->operator_count,
				      .gateways = rounds->gateways,
				      .gateway_count = rounds->gateway_count};
	struct ban ban = {.prefix = decision->prefix,
			  .until_ns = now_ns + action->duration_ns,
			  .rate_per_sec = action->rate_per_sec};
	struct problem problem = {0};
	int result;

	record->matched = record->left = 1;
	if (!is_known)
		snprintf(record->how, sizeof(record->how), "not banned: the gateways of this host cannot be read");
	if (!is_known || !ban_allowed(&context, &ban.prefix, record->how, sizeof(record->how))) {
		record->spared = 1;
		return 0;
	}
	record->ban = (struct record_ban){
		.for_ns = action->duration_ns, .rate_per_sec = action->rate_per_sec, .is_new = true};
	pthread_mutex_lock(&rounds->bans_lock);
	lifted_ns = ban_terms_overlap(rounds->config.lifted, &ban.prefix, now_ns);
	if (lifted_ns)
		result = settle(record, lifted_ns, ret_settled_ns);
	else if (decision->would)
		result = suppose(rounds, action, &ban, now_ns, record, ret_settled_ns);
	else
		result = put_in_force(rounds, action, &ban, now_ns, record, ret_settled_ns, &problem);
	pthread_mutex_unlock(&rounds->bans_lock);
	if (result)
		snprintf(record->how, sizeof(record->how), "%s", problem.text);
	return result;
}

/* ---- bans, asked from outside ---- */

int rounds_bans(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max, size_t *ret_count,
		struct problem *reterr_problem)
{
	const struct ban *list;
	size_t count = 0;
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = rounds->bans ? 0 : bans_read(max, ret_bans, ret_count, reterr_problem);
	if (rounds->bans) {
		list = bans_list(rounds->bans, now_ns, &count);
		count = count < max ? count : max;
		if (count)
			memcpy(ret_bans, list, count * sizeof(*list));
		*ret_count = count;
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

size_t rounds_ban_count(struct rounds *rounds, int64_t now_ns, bool opens)
{
	size_t count = 0;

	pthread_mutex_lock(&rounds->bans_lock);
	if (opens && !rounds->bans && !rounds->were_bans_asked)
		open_bans(rounds, NULL);
	rounds->were_bans_asked |= opens;
	if (rounds->bans)
		bans_list(rounds->bans, now_ns, &count);
	pthread_mutex_unlock(&rounds->bans_lock);
	return count;
}

size_t rounds_spared(struct rounds *rounds, int64_t now_ns, struct ban *ret_bans, size_t max)
{
	size_t count;

	pthread_mutex_lock(&rounds->bans_lock);
	count = ban_terms_list(rounds->config.lifted, now_ns, ret_bans, max);
	pthread_mutex_unlock(&rounds->bans_lock);
	return count;
}

int rounds_lift(struct bans *bans, const struct prefix *prefix, struct rounds_lifted *ret_lifted,
		struct problem *reterr_problem)
{
	struct rounds_lifted lifted = {0};
	size_t count;
	const struct ban *list = bans_list(bans, clock_monotonic_ns(), &count);
	int result = 0;

	lifted.bans = mem_array(count, sizeof(*lifted.bans));
	for (size_t i = 0; i < count; i++)
		if (!prefix || prefix_equal(&list[i].prefix, prefix))
			lifted.bans[lifted.count++] = list[i];
	if (!prefix)
		result = bans_clear(bans, reterr_problem);
	else if (lifted.count)
		result = bans_remove(bans, prefix, reterr_problem);
	if (result == -ENOENT) { /* it has just ended */
		result = 0;
		lifted.count = 0;
	}
	if (result) {
		free(lifted.bans);
		return result;
	}
	list = bans_list(bans, clock_monotonic_ns(), &count);
	if (prefix)
		lifted.wider = ban_wider(list, count, prefix);
	*ret_lifted = lifted;
	return 0;
}

int rounds_unban(struct rounds *rounds, const struct prefix *prefix, struct rounds_lifted *ret_lifted,
		 struct problem *reterr_problem)
{
	const struct ban *last;
	int result;

	pthread_mutex_lock(&rounds->bans_lock);
	result = open_bans(rounds, reterr_problem);
	if (!result)
		result = rounds_lift(rounds->bans, prefix, ret_lifted, reterr_problem);
	if (!result && !prefix)
		rounds->config.lifted->used = 0;
	if (!result && prefix && ret_lifted->count) {
		last = &ret_lifted->bans[ret_lifted->count - 1];
		ban_terms_put(rounds->config.lifted, last, clock_monotonic_ns());
		ret_lifted->spared_until_ns = last->until_ns;
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	return result;
}

void rounds_settle_bans(struct rounds *rounds, bool acts, int64_t now_ns)
{
	struct problem problem = {0};
	size_t count;
	int back = 0;

	pthread_mutex_lock(&rounds->bans_lock);
	rounds->tends_bans = acts;
	if (rounds->bans) {
		bans_tend(rounds->bans, acts);
		bans_list(rounds->bans, now_ns, &count);
	}
	if (rounds->bans && acts && now_ns - rounds->bans_ns >= BANS_CHECK_NS) {
		rounds->bans_ns = now_ns;
		back = bans_check(rounds->bans, &problem);
	}
	pthread_mutex_unlock(&rounds->bans_lock);
	if (back > 0)
		snprintf(rounds->note, sizeof(rounds->note), "the nft table of bans was gone: made anew with %d ban%s",
			 back, units_plural((uint64_t)back));
	else if (back < 0 && !rounds->are_bans_lost)
		snprintf(rounds->note, sizeof(rounds->note), "the nft table of bans cannot be made anew: %.100s",
			 problem.text);
	rounds->are_bans_lost = back < 0;
}
