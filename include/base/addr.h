/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/addr: addresses and prefixes of both families. Bytes are as on the wire; unused bytes are zero. */
#ifndef CTWARDEN_BASE_ADDR_H
#define CTWARDEN_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/problem.h"

#define ADDR_TEXT_MAX 64 /* longest text of an address or a prefix, with the 0 */

struct addr {
	uint8_t family; /* AF_INET or AF_INET6; 0: none */
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;      /* 0-32 or 0-128 */
};

/* The number of bits of an address of this family: 32 or 128. */
unsigned addr_bits(uint8_t family);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Clears the bits of addr behind the first len. len above the family's bits changes nothing. */
void addr_mask(struct addr *addr, unsigned len);

/* Reads one address ("10.0.0.1", "2001:db8::1"). A v4-mapped address ("::ffff:10.0.0.1") becomes IPv4.
 * 0, or -EINVAL with reterr_problem (may be NULL) filled; its path is left to the caller ("" set). */
int addr_parse(const char *text, struct addr *ret_addr, struct problem *reterr_problem);
/* Reads "ADDRESS" or "ADDRESS/LEN". Set host bits are cleared. Errors as addr_parse: "an IPv4 prefix is at
 * most /32". */
int prefix_parse(const char *text, struct prefix *ret_prefix, struct problem *reterr_problem);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
/* The same addresses: family, bits and length agree. */
bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* Canonical text (RFC 5952); a prefix of full length is written without /LEN. Both return buf. */
char *addr_format(const struct addr *addr, char buf[ADDR_TEXT_MAX]);
char *prefix_format(const struct prefix *prefix, char buf[ADDR_TEXT_MAX]);

#endif
