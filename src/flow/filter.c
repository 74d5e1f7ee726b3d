/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter: makes and frees filters, and says what of one a kernel could be asked for. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "filter_private.h"

struct flow_filter *flow_filter_new(void)
{
	return mem_alloc(sizeof(struct flow_filter));
}

static void half_clear(struct filter_half *half)
{
	for (int i = 0; i < ADDRS_COUNT; i++)
		if (!(half->shared >> i & 1))
			addr_set_clear(&half->addrs[i]);
	for (int i = 0; i < NUMBERS_COUNT; i++)
		number_set_clear(&half->numbers[i]);
	masked_set_clear(&half->marks);
	masked_set_clear(&half->statuses);
	range_set_clear(&half->bytes);
	range_set_clear(&half->packets);
}

void flow_filter_free(struct flow_filter *filter)
{
	if (!filter)
		return;
	half_clear(&filter->want);
	half_clear(&filter->exclude);
	free(filter);
}

void flow_filter_share(struct flow_filter *filter, enum flow_filter_key key, const struct flow_filter *from,
		       enum flow_filter_key from_key)
{
	int row = filter_addrs_row(key), from_row = filter_addrs_row(from_key);

	assert(row >= 0 && from_row >= 0 && !filter_half_has(&filter->want, key));
	filter->want.addrs[row] = from->want.addrs[from_row];
	filter->want.shared |= 1u << row;
	filter->want.keys |= 1u << key;
}

bool flow_filter_is_empty(const struct flow_filter *filter)
{
	return !(filter->want.keys | filter->exclude.keys);
}

bool flow_filter_has(const struct flow_filter *filter, enum flow_filter_key key)
{
	return (filter->want.keys | filter->exclude.keys) >> key & 1;
}

static bool only_wanted(const struct flow_filter *filter, enum flow_filter_key key)
{
	return filter_half_has(&filter->want, key) && !filter_half_has(&filter->exclude, key);
}

struct counting {
	unsigned count;
	struct prefix last;
};

static void count_prefix(const struct prefix *prefix, void *arg)
{
	struct counting *c = arg;

	c->count++;
	c->last = *prefix;
}

bool flow_filter_single_address(const struct flow_filter *filter, enum flow_filter_key key, struct prefix *ret_prefix)
{
	struct counting c = { 0 };
	int row = filter_addrs_row(key);

	if (row < 0 || !only_wanted(filter, key) || filter->want.any_address >> key & 1)
		return false;
	addr_set_each(&filter->want.addrs[row], count_prefix, &c);
	if (c.count != 1)
		return false;
	*ret_prefix = c.last;
	return true;
}

static bool single_protocol(const struct filter_half *half, uint32_t *ret_number)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 4; i++)
		count += (unsigned)__builtin_popcountll(half->protocols[i]);
	if (count != 1)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (half->protocols[i])
			*ret_number = i * 64 + (unsigned)__builtin_ctzll(half->protocols[i]);
	}
	return true;
}

bool flow_filter_single_number(const struct flow_filter *filter, enum flow_filter_key key, uint32_t *ret_number)
{
	const struct filter_half *half = &filter->want;
	int row = filter_numbers_row(key);
	unsigned first, last, other;

	if (!only_wanted(filter, key))
		return false;
	if (key == FILTER_FAMILY) {
		if (half->families == (FAMILY_V4 | FAMILY_V6))
			return false;
		*ret_number = half->families == FAMILY_V6 ? AF_INET6 : AF_INET;
		return true;
	}
	if (key == FILTER_PROTOCOL)
		return single_protocol(half, ret_number);
	if (row < 0 || !number_set_run(&half->numbers[row], 0, &first, &last) || first != last ||
	    number_set_run(&half->numbers[row], last + 1, &other, &other))
		return false;
	*ret_number = first;
	return true;
}

bool flow_filter_single_mark(const struct flow_filter *filter, uint32_t *ret_value, uint32_t *ret_mask)
{
	if (!only_wanted(filter, FILTER_MARK) || filter->want.marks.count != 1)
		return false;
	*ret_value = filter->want.marks.items[0].value;
	*ret_mask = filter->want.marks.items[0].mask;
	return true;
}

bool flow_filter_status(const struct flow_filter *filter, uint32_t *ret_value, uint32_t *ret_mask)
{
	struct masked status;

	if (filter_implied_status(filter, &status) < 0 || !status.mask)
		return false;
	*ret_value = status.value;
	*ret_mask = status.mask;
	return true;
}
