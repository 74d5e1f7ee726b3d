/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/siphash: keyed hash for every table whose keys come from packets, so that nobody outside can choose
 * keys that collide. SipHash-1-3 (Aumasson, Bernstein: SipHash, 2012; the 1-3 variant as in the kernel's
 * hsiphash), 128-bit key, 64-bit result. */
#ifndef CTWARDEN_BASE_SIPHASH_H
#define CTWARDEN_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* A random key (getrandom; falls back to clocks and addresses where it would block). */
struct siphash_key siphash_key_random(void);
uint64_t siphash(const void *data, size_t len, struct siphash_key key);

#endif
