/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_add: reads what a person wrote for a key: lists, files, and one value of each kind. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "filter_private.h"
#include "flow/names.h"

#define NS_IN_MS 1000000ll
#define LINE_MAX_BYTES 512

static int add_address(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	struct prefix prefix;
	int r = prefix_parse(value, &prefix, p);

	if (r < 0)
		return r;
	assert(!(half->shared >> filter_addrs_row(key) & 1));
	addr_set_add(&half->addrs[filter_addrs_row(key)], &prefix);
	return 0;
}

static int add_number_range(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	const char *what = key == FILTER_ZONE ? "a zone" : "a port";
	size_t cut = strcspn(value, "-:");
	uint64_t from, to;
	char first[24];
	int r;

	if (cut >= sizeof(first))
		return problem_set(p, "", "%s is a number from 0 to 65535", what);
	memcpy(first, value, cut);
	first[cut] = '\0';
	r = units_parse_number(first, 0, UINT16_MAX, what, &from, p);
	if (r < 0)
		return r;
	to = from;
	if (value[cut]) {
		r = units_parse_number(value + cut + 1, 0, UINT16_MAX, what, &to, p);
		if (r < 0)
			return r;
	}
	if (to < from)
		return problem_set(p, "", "the range is backwards; %u-%u would be right", (unsigned)to, (unsigned)from);
	number_set_add(&half->numbers[filter_numbers_row(key)], (uint16_t)from, (uint16_t)to);
	return 0;
}

static int add_mark(struct filter_half *half, const char *value, struct problem *p)
{
	const char *slash = strchr(value, '/');
	size_t cut = slash ? (size_t)(slash - value) : strlen(value);
	uint64_t number, mask = UINT32_MAX;
	char first[24];
	int r;

	if (cut >= sizeof(first))
		return problem_set(p, "", "a mark is a number from 0 to 0xffffffff");
	memcpy(first, value, cut);
	first[cut] = '\0';
	r = units_parse_number(first, 0, UINT32_MAX, "a mark", &number, p);
	if (r == 0 && slash)
		r = units_parse_number(slash + 1, 0, UINT32_MAX, "a mask", &mask, p);
	if (r < 0)
		return r;
	if (!mask)
		return problem_set(p, "", "a mask of 0 matches every mark; leave the option out for that");
	if (number & ~mask)
		return problem_set(
			p, "", "the value has bits outside its mask and would never match; 0x%x/0x%x would be right",
			(unsigned)(number & mask), (unsigned)mask);
	masked_set_add(&half->marks, (struct masked){ (uint32_t)number, (uint32_t)mask });
	return 0;
}

static int parse_amount(enum flow_filter_key key, const char *text, uint64_t *ret, struct problem *p)
{
	if (key == FILTER_BYTES)
		return units_parse_bytes(text, ret, p);
	return units_parse_number(text, 0, UINT64_MAX, "a number of packets", ret, p);
}

static int add_amount(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	struct range range = { 0, UINT64_MAX };
	const char *colon = strchr(value, ':');
	size_t cut = colon ? (size_t)(colon - value) : strlen(value);
	char first[48];
	int r = 0;

	if (cut >= sizeof(first) || !strcmp(value, ":"))
		return problem_set(p, "", "this is no amount; 1000, :1000 or 1000:2000 would be right");
	memcpy(first, value, cut);
	first[cut] = '\0';
	if (cut)
		r = parse_amount(key, first, &range.min, p);
	if (r == 0 && colon && colon[1])
		r = parse_amount(key, colon + 1, &range.max, p);
	if (r < 0)
		return r;
	if (range.max < range.min)
		return problem_set(p, "", "the range is backwards; %s:%s would be right", colon + 1, first);
	range_set_add(key == FILTER_BYTES ? &half->bytes : &half->packets, range);
	return 0;
}

static int add_time(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	bool again = filter_half_has(half, key);
	int64_t ns;
	int r = units_parse_duration(value, &ns, p);

	if (r < 0)
		return r;
	ns -= ns % NS_IN_MS; /* so that the canonical text says exactly this */
	if (key == FILTER_EXPIRES_IN) {
		half->expires_in_ns = again && half->expires_in_ns > ns ? half->expires_in_ns : ns;
	} else {
		int64_t *least = key == FILTER_IDLE ? &half->idle_ns : &half->age_ns;

		*least = again && *least < ns ? *least : ns;
	}
	return 0;
}

static int add_status(struct filter_half *half, const char *value, struct problem *p)
{
	struct masked item;

	if (status_parse(value, &item.value, &item.mask) < 0)
		return problem_set(p, "",
				   "no such status; one of assured, seen-reply, unset, confirmed, expected, src-nat, "
				   "dst-nat, dying, fixed-timeout, helper, offload, hw-offload would be right");
	masked_set_add(&half->statuses, item);
	return 0;
}

static int add_state(struct filter_half *half, const char *value, struct problem *p)
{
	uint8_t protocol, state;

	if (state_parse(value, &protocol, &state) < 0)
		return problem_set(
			p, "",
			"no such state; one of SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, "
			"LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2, NONE (TCP) or sctp:STATE, dccp:STATE would be right");
	half->states[filter_states_row(protocol)] |= (uint16_t)(1u << state);
	return 0;
}

static int add_class(struct filter_half *half, const char *value, struct problem *p)
{
	enum flow_class class;

	if (class_parse(value, &class) == 0) {
		half->classes |= 1u << class;
		return 0;
	}
	return problem_set(p, "", "no such class; one of unreplied, half-open, pickup, closing, replied, stream, "
			   "established, offloaded, other would be right");
}

static int add_word(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	uint8_t number;
	uint64_t label;
	int r;

	switch (key) {
	case FILTER_FAMILY:
		if (family_parse(value, &number) < 0)
			return problem_set(p, "", "no such family; ipv4 or ipv6 would be right");
		half->families |= number == AF_INET6 ? FAMILY_V6 : FAMILY_V4;
		return 0;
	case FILTER_PROTOCOL:
		if (protocol_parse(value, &number) < 0)
			return problem_set(p, "",
					   "no such protocol; a name (tcp, udp, icmp, ...) or a number from 0 to 255 "
					   "would be right");
		half->protocols[number >> 6] |= 1ull << (number & 63);
		return 0;
	default: /* FILTER_LABEL */
		r = units_parse_number(value, 0, 127, "a label", &label, p);
		if (r < 0)
			return r;
		half->labels[label >> 6] |= 1ull << (label & 63);
		return 0;
	}
}

static int add_value(struct filter_half *half, enum flow_filter_key key, const char *value, struct problem *p)
{
	if (filter_addrs_row(key) >= 0)
		return add_address(half, key, value, p);
	if (filter_numbers_row(key) >= 0)
		return add_number_range(half, key, value, p);
	switch (key) {
	case FILTER_MARK:
		return add_mark(half, value, p);
	case FILTER_BYTES:
	case FILTER_PACKETS:
		return add_amount(half, key, value, p);
	case FILTER_IDLE:
	case FILTER_AGE:
	case FILTER_EXPIRES_IN:
		return add_time(half, key, value, p);
	case FILTER_STATUS:
		return add_status(half, value, p);
	case FILTER_STATE:
		return add_state(half, value, p);
	case FILTER_CLASS:
		return add_class(half, value, p);
	default:
		return add_word(half, key, value, p);
	}
}

struct adding {
	struct filter_half *half;
	enum flow_filter_key key;
	bool negated;
	struct problem *problem;
};

/* The option and its value as the person wrote them. */
static int refuse(const struct adding *a, const char *value)
{
	const struct flow_filter_key_info *info = &flow_filter_keys[a->key];
	struct problem *p = a->problem;
	char option[32];

	if (!p)
		return -EINVAL;
	if (info->letter)
		snprintf(option, sizeof(option), "-%c", info->letter);
	else
		snprintf(option, sizeof(option), "--%s", info->name);
	snprintf(p->path, sizeof(p->path), "%s%s%s%.100s", a->negated ? "! " : "", option, value ? " " : "",
		 value && *value ? value : value ? "\"\"" : "");
	return -EINVAL;
}

/* One value, blanks around it cut off; text is written to. */
static int add_one(const struct adding *a, char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	if (!len) {
		problem_set(a->problem, "", "an empty value; %s would be right", flow_filter_keys[a->key].value);
		return refuse(a, "");
	}
	if (add_value(a->half, a->key, text, a->problem) < 0)
		return refuse(a, text);
	a->half->keys |= 1u << a->key;
	return 0;
}

static int add_list(const struct adding *a, const char *value)
{
	char *copy = mem_copy_text(value), *rest = copy, *item;
	int r = 0;

	while (r == 0 && (item = strsep(&rest, ",")))
		r = add_one(a, item);
	free(copy);
	return r;
}

static int add_file(const struct adding *a, const char *value)
{
	FILE *file = fopen(value + 1, "re");
	char line[LINE_MAX_BYTES];
	unsigned number = 0, values = 0;
	int r = 0;

	if (!file) {
		r = -errno;
		problem_set(a->problem, "", "cannot read the file: %s", strerror(-r));
		refuse(a, value);
		return r;
	}
	while (r == 0 && fgets(line, sizeof(line), file)) {
		bool whole = strchr(line, '\n') || feof(file);

		number++;
		if (!whole) {
			problem_set(a->problem, "", "a line is longer than %d bytes", LINE_MAX_BYTES - 2);
			r = refuse(a, value);
			break;
		}
		line[strcspn(line, "#\n")] = '\0';
		if (!line[strspn(line, " \t\r\v\f")])
			continue;
		r = add_one(a, line);
		values++;
	}
	if (r == 0 && ferror(file)) {
		r = -EIO;
		problem_set(a->problem, "", "cannot read the file: %s", strerror(-r));
		refuse(a, value);
	} else if (r == 0 && !values) {
		problem_set(a->problem, "", "the file holds no value; one a line would be right");
		r = refuse(a, value);
	} else if (r < 0 && a->problem) {
		snprintf(a->problem->file, sizeof(a->problem->file), "%s", value + 1);
		a->problem->line = (int)number;
	}
	fclose(file);
	return r;
}

int flow_filter_add(struct flow_filter *filter, enum flow_filter_key key, const char *value, bool negated,
		    struct problem *reterr_problem)
{
	struct adding a = { negated ? &filter->exclude : &filter->want, key, negated, reterr_problem };
	enum flow_filter_arg arg = flow_filter_keys[key].arg;

	if (!value && arg == FILTER_ARG_REQUIRED) {
		problem_set(reterr_problem, "", "a value is missing; %s would be right", flow_filter_keys[key].value);
		return refuse(&a, NULL);
	}
	if (value && arg == FILTER_ARG_NONE) {
		problem_set(reterr_problem, "", "this option takes no value");
		return refuse(&a, value);
	}
	if (!value) {
		a.half->keys |= 1u << key;
		if (arg == FILTER_ARG_OPTIONAL)
			a.half->any_address |= 1u << key;
		return 0;
	}
	return value[0] == '@' ? add_file(&a, value) : add_list(&a, value);
}
