/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ban_check.h"

#include <stdio.h>
#include <string.h>

#define LEAST_IPV4 16 /* a wider prefix is never banned */
#define LEAST_IPV6 48

static bool covers(const struct prefix *prefix, uint8_t family, const uint8_t *bytes)
{
	struct addr addr = {.family = family};

	memcpy(addr.bytes, bytes, family == AF_INET ? 4 : 16);
	return prefix->addr.family == family && prefix_contains(prefix, &addr);
}

static bool overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->addr.family == b->addr.family && (prefix_contains(a, &b->addr) || prefix_contains(b, &a->addr));
}

static bool covers_any(const struct prefix *prefix, const struct addr *addrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (covers(prefix, addrs[i].family, addrs[i].bytes))
			return true;
	return false;
}

/* A protect entry that names sources names who must be heard. */
static const char *protected_source(const struct policy *policy, const struct prefix *prefix)
{
	struct prefix named;

	for (size_t i = 0; i < policy->protect_count; i++) {
		const struct policy_match *match = &policy->protect[i].match;

		for (size_t k = 0; k < match->count; k++) {
			const struct policy_value *value = &match->values[k];

			if (value->key == FILTER_SRC && !value->negated && value->value &&
			    !prefix_parse(value->value, &named, NULL) && overlaps(&named, prefix))
				return policy->protect[i].name;
		}
	}
	return NULL;
}

bool ban_allowed(const struct ban_context *context, const struct prefix *prefix, char *ret_why, size_t size)
{
	const char *name = protected_source(context->policy, prefix);

	if (prefix->len < (prefix->addr.family == AF_INET ? LEAST_IPV4 : LEAST_IPV6))
		return snprintf(ret_why, size, "not banned: the prefix is too wide"), false;
	if (covers_any(prefix, context->own, context->own_count))
		return snprintf(ret_why, size, "not banned: an address of this host"), false;
	for (size_t i = 0; i < context->operator_count; i++)
		if (covers(prefix, context->operators[i].family, context->operators[i].src))
			return snprintf(ret_why, size, "not banned: the operator comes from there"), false;
	if (covers_any(prefix, context->gateways, context->gateway_count))
		return snprintf(ret_why, size, "not banned: a gateway of this host"), false;
	if (name)
		return snprintf(ret_why, size, "not banned: protected as \"%s\"", name), false;
	return true;
}
