/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/addr: addresses and prefixes of both families. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

unsigned addr_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void addr_mask(struct addr *addr, unsigned len)
{
	unsigned bits = addr_bits(addr->family);

	if (len >= bits)
		return;
	if (len % 8)
		addr->bytes[len / 8] &= (uint8_t)(0xff << (8 - len % 8));
	for (unsigned i = (len + 7) / 8; i < bits / 8; i++)
		addr->bytes[i] = 0;
}

int addr_parse(const char *text, struct addr *ret_addr, struct problem *reterr_problem)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr addr = { .family = AF_INET };

	if (inet_pton(AF_INET, text, addr.bytes) == 1) {
		*ret_addr = addr;
		return 0;
	}
	addr = (struct addr){ .family = AF_INET6 };
	if (inet_pton(AF_INET6, text, addr.bytes) != 1)
		return problem_set(reterr_problem, "", "\"%s\" is no IPv4 or IPv6 address", text);
	if (!memcmp(addr.bytes, mapped, sizeof(mapped))) {
		addr.family = AF_INET;
		memmove(addr.bytes, addr.bytes + 12, 4);
		memset(addr.bytes + 4, 0, 12);
	}
	*ret_addr = addr;
	return 0;
}

static int length_parse(const char *text, unsigned bits, unsigned *ret_len, struct problem *reterr_problem)
{
	size_t n = strspn(text, "0123456789");
	unsigned len = 0;

	if (!n || text[n])
		return problem_set(reterr_problem, "", "\"/%s\" is no prefix length", text);
	for (size_t i = 0; i < n && len <= bits; i++)
		len = len * 10 + (unsigned)(text[i] - '0');
	if (len > bits)
		return problem_set(reterr_problem, "", "an %s prefix is at most /%u", bits == 32 ? "IPv4" : "IPv6",
				   bits);
	*ret_len = len;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret_prefix, struct problem *reterr_problem)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT_MAX];
	struct prefix prefix;
	unsigned len, bits;
	bool was_v6;
	int r;

	snprintf(host, sizeof(host), "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
	r = addr_parse(host, &prefix.addr, reterr_problem);
	if (r < 0)
		return r;
	bits = len = addr_bits(prefix.addr.family);
	/* The length of a v4-mapped prefix counts the 96 bits that went away. */
	was_v6 = bits == 32 && strchr(host, ':');
	if (slash) {
		r = length_parse(slash + 1, was_v6 ? 128 : bits, &len, reterr_problem);
		if (r < 0)
			return r;
		if (was_v6 && len < 96)
			return problem_set(reterr_problem, "", "a v4-mapped prefix is at least /96");
		if (was_v6)
			len -= 96;
	}
	prefix.len = (uint8_t)len;
	addr_mask(&prefix.addr, len);
	*ret_prefix = prefix;
	return 0;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	struct addr masked = *addr;

	addr_mask(&masked, prefix->len);
	return addr_equal(&masked, &prefix->addr);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

char *addr_format(const struct addr *addr, char buf[ADDR_TEXT_MAX])
{
	if (!addr->family || !inet_ntop(addr->family, addr->bytes, buf, ADDR_TEXT_MAX))
		snprintf(buf, ADDR_TEXT_MAX, "-");
	return buf;
}

char *prefix_format(const struct prefix *prefix, char buf[ADDR_TEXT_MAX])
{
	size_t n;

	addr_format(&prefix->addr, buf);
	n = strlen(buf);
	if (prefix->len < addr_bits(prefix->addr.family))
		snprintf(buf + n, ADDR_TEXT_MAX - n, "/%u", prefix->len);
	return buf;
}
