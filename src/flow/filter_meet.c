/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_meet: whether two filters could match the same flow. "No" is a promise, "yes" may be
 * a doubt: nobody is spared by guessing. */
#include "filter_private.h"

/* Keys of which a flow has one address, or one port, of its own: two sets without a common value
 * exclude each other. (A flow has two zones and up to two translations, so those say nothing here.)
 */
static const enum flow_filter_key address_keys[] = {FILTER_SRC, FILTER_DST, FILTER_REPLY_SRC,
						    FILTER_REPLY_DST};
static const enum flow_filter_key port_keys[] = {FILTER_SPORT, FILTER_DPORT, FILTER_REPLY_SPORT,
						 FILTER_REPLY_DPORT};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool both_want(const struct flow_filter *a, const struct flow_filter *b,
		      enum flow_filter_key key)
{
	return filter_half_has(&a->want, key) && filter_half_has(&b->want, key);
}

struct covering {
	const struct addr_set *by;
	bool all;
};

static void covered(const struct prefix *prefix, void *arg)
{
	struct covering *c = arg;

	c->all = c->all && addr_set_covers(c->by, prefix);
}

/* All that a wants of this key b excludes. */
static bool address_excluded(const struct flow_filter *a, const struct flow_filter *b,
			     enum flow_filter_key key)
{
	int row = filter_addrs_row(key);
	struct covering c = {NULL, true};

	if (row < 0 || !filter_half_has(&a->want, key) || !filter_half_has(&b->exclude, key))
		return false;
	c.by = &b->exclude.addrs[row];
	addr_set_each(&a->want.addrs[row], covered, &c);
	return c.all;
}

static bool port_excluded(const struct flow_filter *a, const struct flow_filter *b,
			  enum flow_filter_key key)
{
	int row = filter_numbers_row(key);

	return row >= 0 && filter_half_has(&a->want, key) && filter_half_has(&b->exclude, key) &&
	       number_set_within(&a->want.numbers[row], &b->exclude.numbers[row]);
}

static bool addresses_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	for (size_t i = 0; i < COUNT(address_keys); i++) {
		int row = filter_addrs_row(address_keys[i]);

		if (row >= 0 && both_want(a, b, address_keys[i]) &&
		    !addr_set_overlaps(&a->want.addrs[row], &b->want.addrs[row]))
			return true;
		if (address_excluded(a, b, address_keys[i]) ||
		    address_excluded(b, a, address_keys[i]))
			return true;
	}
	return false;
}

static bool ports_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	for (size_t i = 0; i < COUNT(port_keys); i++) {
		int row = filter_numbers_row(port_keys[i]);

		if (row >= 0 && both_want(a, b, port_keys[i]) &&
		    !number_set_overlaps(&a->want.numbers[row], &b->want.numbers[row]))
			return true;
		if (port_excluded(a, b, port_keys[i]) || port_excluded(b, a, port_keys[i]))
			return true;
	}
	return false;
}

static bool protocols_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	uint64_t of_a[4], of_b[4];

	filter_protocols(a, of_a);
	filter_protocols(b, of_b);
	for (unsigned i = 0; i < 4; i++) {
		if (of_a[i] & of_b[i])
			return false;
	}
	return true;
}

static bool states_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	if (!both_want(a, b, FILTER_STATE))
		return false;
	for (unsigned i = 0; i < STATES_COUNT; i++) {
		if (a->want.states[i] & b->want.states[i])
			return false;
	}
	return true;
}

static bool marks_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	const struct masked_set *of_a = &a->want.marks, *of_b = &b->want.marks;

	if (filter_half_has(&a->want, FILTER_MARK) && masked_set_within(of_a, &b->exclude.marks))
		return true;
	if (filter_half_has(&b->want, FILTER_MARK) && masked_set_within(of_b, &a->exclude.marks))
		return true;
	if (!both_want(a, b, FILTER_MARK))
		return false;
	for (size_t i = 0; i < of_a->count; i++) {
		for (size_t k = 0; k < of_b->count; k++) {
			uint32_t both = of_a->items[i].mask & of_b->items[k].mask;

			if (!((of_a->items[i].value ^ of_b->items[k].value) & both))
				return false;
		}
	}
	return true;
}

static bool statuses_exclude(const struct flow_filter *a, const struct flow_filter *b)
{
	struct masked of_a, of_b;

	if (filter_implied_status(a, &of_a) < 0 || filter_implied_status(b, &of_b) < 0)
		return true; /* one of them contradicts itself */
	return (of_a.value ^ of_b.value) & of_a.mask & of_b.mask;
}

bool flow_filter_may_meet(const struct flow_filter *a, const struct flow_filter *b)
{
	return !(!(filter_families(a) & filter_families(b)) ||
		 !(filter_classes(a) & filter_classes(b)) || addresses_exclude(a, b) ||
		 ports_exclude(a, b) || protocols_exclude(a, b) || states_exclude(a, b) ||
		 marks_exclude(a, b) || statuses_exclude(a, b));
}

bool flow_filter_may_match(const struct flow_filter *filter, uint8_t protocol, uint8_t family)
{
	uint64_t protocols[4];

	filter_protocols(filter, protocols);
	return filter_bit(protocols, protocol) &&
	       filter_families(filter) & (family == AF_INET6 ? FAMILY_V6 : FAMILY_V4);
}
