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

#endif
