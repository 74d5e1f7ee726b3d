/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 prefixes on the command lines of the lab's programs. */
#ifndef CTWARDEN_TESTS_LAB_PREFIX_H
#define CTWARDEN_TESTS_LAB_PREFIX_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct prefix {
	uint32_t base, span; /* host order; number of addresses, 0: none given */
};

/* a.b.c.d or a.b.c.d/N with N from 1 to 32; exits with 2 on anything else. */
static inline struct prefix parse_prefix(const char *text)
{
	char copy[64], *slash;
	struct in_addr a;
	int len = 32;

	snprintf(copy, sizeof copy, "%s", text);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = 0;
		len = atoi(slash + 1);
	}
	if (len < 1 || len > 32 || inet_pton(AF_INET, copy, &a) != 1) {
		fprintf(stderr, "not a prefix: %s\n", text);
		exit(2);
	}
	return (struct prefix){ntohl(a.s_addr), 1u << (32 - len)};
}

static inline int prefix_has(const struct prefix *p, uint32_t addr)
{
	return addr - p->base < p->span;
}

#endif
