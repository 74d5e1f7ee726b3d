/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/advise: what is valid in a policy and still likely a slip: it could harm honest flows, or
 * does nothing. Pure. */
#ifndef CTWARDEN_POLICY_ADVISE_H
#define CTWARDEN_POLICY_ADVISE_H

#include <stddef.h>

#include "policy/policy.h"

#define POLICY_ADVICE_MAX 256

/* Called with each piece of advice: one sentence without a full stop, valid for the call. */
typedef void policy_advice_fn(const char *text, void *arg);

/* Returns how many there are. */
size_t policy_advise(const struct policy *policy, policy_advice_fn *fn, void *arg);
/* Whether it evicts by a share of the table and nothing but that: what it takes makes the shares of all others larger,
 * so that it goes on, step by step, with sources that were below the mark before. */
bool policy_share_moves_on(const struct policy_rule *rule);

#endif
