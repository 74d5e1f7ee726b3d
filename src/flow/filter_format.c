/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_format: the canonical text of a filter. What is cut for want of room is cut at the end. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "filter_private.h"
#include "flow/names.h"

struct writing {
	struct text text;
	bool first; /* of the values of this key */
};

static void comma(struct writing *w)
{
	text_add(&w->text, w->first ? " " : ",");
	w->first = false;
}

static void write_prefix(const struct prefix *prefix, void *arg)
{
	struct writing *w = arg;
	char buf[ADDR_TEXT_MAX];

	comma(w);
	text_add(&w->text, "%s", prefix_format(prefix, buf));
}

static void write_numbers(struct writing *w, const struct number_set *set)
{
	unsigned first, last = 0;

	for (unsigned from = 0; number_set_run(set, from, &first, &last); from = last + 1) {
		comma(w);
		if (first == last)
			text_add(&w->text, "%u", first);
		else
			text_add(&w->text, "%u-%u", first, last);
	}
}

static void write_bitmap(struct writing *w, const uint64_t *bitmap, unsigned count, bool protocols)
{
	char buf[NAMES_TEXT_MAX];

	for (unsigned i = 0; i < count; i++) {
		if (!filter_bit(bitmap, i))
			continue;
		comma(w);
		if (protocols)
			text_add(&w->text, "%s", protocol_name((uint8_t)i, buf));
		else
			text_add(&w->text, "%u", i);
	}
}

static void write_masked(struct writing *w, const struct masked_set *set, bool statuses)
{
	for (size_t i = 0; i < set->count; i++) {
		struct masked m = set->items[i];

		comma(w);
		if (statuses && m.value)
			text_add(&w->text, "%s", status_bit_name((unsigned)__builtin_ctz(m.value)));
		else if (statuses)
			text_add(&w->text, "unset");
		else if (m.mask == UINT32_MAX)
			text_add(&w->text, "%" PRIu32, m.value);
		else
			text_add(&w->text, "0x%" PRIx32 "/0x%" PRIx32, m.value, m.mask);
	}
}

static void write_ranges(struct writing *w, const struct range_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct range r = set->ranges[i];

		comma(w);
		if (r.min || r.max == UINT64_MAX)
			text_add(&w->text, "%" PRIu64, r.min);
		if (r.max != UINT64_MAX)
			text_add(&w->text, ":%" PRIu64, r.max);
	}
}

static void write_states(struct writing *w, const struct filter_half *half)
{
	char buf[NAMES_TEXT_MAX];

	for (int row = 0; row < STATES_COUNT; row++) {
		uint8_t protocol = filter_states_protocol(row);

		for (uint8_t i = 0; i < 16; i++) {
			if (!(half->states[row] >> i & 1))
				continue;
			comma(w);
			if (row != STATES_TCP)
				text_add(&w->text, "%s:", protocol_name(protocol, buf));
			text_add(&w->text, "%s", state_name(protocol, i));
		}
	}
}

static void write_time(struct writing *w, int64_t ns)
{
	comma(w);
	if (ns % 1000000000)
		text_add(&w->text, "%" PRId64 "ms", ns / 1000000);
	else
		text_add(&w->text, "%" PRId64 "s", ns / 1000000000);
}

static void write_values(struct writing *w, const struct filter_half *half, enum flow_filter_key key)
{
	if (half->any_address >> key & 1)
		return;
	if (filter_addrs_row(key) >= 0) {
		addr_set_each(&half->addrs[filter_addrs_row(key)], write_prefix, w);
		return;
	}
	if (filter_numbers_row(key) >= 0) {
		write_numbers(w, &half->numbers[filter_numbers_row(key)]);
		return;
	}
	switch (key) {
	case FILTER_FAMILY:
		for (unsigned i = 0; i < 2; i++) {
			if (!(half->families >> i & 1))
				continue;
			comma(w);
			text_add(&w->text, "%s", family_name(i ? AF_INET6 : AF_INET));
		}
		break;
	case FILTER_CLASS:
		for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
			if (!(half->classes >> i & 1))
				continue;
			comma(w);
			text_add(&w->text, "%s", class_name((enum flow_class)i));
		}
		break;
	case FILTER_PROTOCOL:
		write_bitmap(w, half->protocols, 256, true);
		break;
	case FILTER_LABEL:
		write_bitmap(w, half->labels, 128, false);
		break;
	case FILTER_MARK:
		write_masked(w, &half->marks, false);
		break;
	case FILTER_STATUS:
		write_masked(w, &half->statuses, true);
		break;
	case FILTER_STATE:
		write_states(w, half);
		break;
	case FILTER_IDLE:
	case FILTER_AGE:
		write_time(w, key == FILTER_IDLE ? half->idle_ns : half->age_ns);
		break;
	case FILTER_EXPIRES_IN:
		write_time(w, half->expires_in_ns);
		break;
	case FILTER_BYTES:
	case FILTER_PACKETS:
		write_ranges(w, key == FILTER_BYTES ? &half->bytes : &half->packets);
		break;
	default:
		break; /* flags */
	}
}

char *flow_filter_format(const struct flow_filter *filter, char *buf, size_t size)
{
	const struct filter_half *const halves[] = { &filter->want, &filter->exclude };
	struct writing w = { .first = true };

	text_init(&w.text, buf, size);
	for (int key = 0; key < FLOW_FILTER_KEY_COUNT; key++) {
		const struct flow_filter_key_info *info = &flow_filter_keys[key];

		for (unsigned i = 0; i < 2; i++) {
			if (!filter_half_has(halves[i], (enum flow_filter_key)key))
				continue;
			text_add(&w.text, "%s%s", w.text.len ? " " : "", i ? "! " : "");
			if (info->letter)
				text_add(&w.text, "-%c", info->letter);
			else
				text_add(&w.text, "--%s", info->name);
			w.first = true;
			write_values(&w, halves[i], (enum flow_filter_key)key);
		}
	}
	return buf;
}
