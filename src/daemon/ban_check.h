/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/ban_check: whom no rule may ban, whatever it counts: an attacker can forge addresses, and must not be able to
 * turn the guard against the operator, this host, its gateways, or who is protected. */
#ifndef CTWARDEN_DAEMON_BAN_CHECK_H
#define CTWARDEN_DAEMON_BAN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "policy/policy.h"

struct ban_context {
	const struct policy *policy;
	const struct addr *own; /* addresses of this host */
	size_t own_count;
	const struct flow_tuple *operators; /* the operator's sockets, src: the peer */
	size_t operator_count;
	const struct addr *gateways; /* next hops of this host's routes */
	size_t gateway_count;
};

/* Pure. False: ret_why says why not. A prefix with a gateway in it is not banned at all, so that IPv6 clients that
 * share their gateway's /64 never are: who would have to be told apart by full address is no source. */
bool ban_allowed(const struct ban_context *context, const struct prefix *prefix, char *ret_why, size_t size);

#endif
