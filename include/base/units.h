/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/units: numbers with units, read and written; the lesser and the greater of two. */
#ifndef CTWARDEN_BASE_UNITS_H
#define CTWARDEN_BASE_UNITS_H

#include <stdint.h>

#include "base/problem.h"

#define UNITS_TEXT_MAX 48

static inline uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* "5", "5s", "500ms", "2min"/"2m", "1h30m", "1d", "2h 4min" -> nanoseconds (a bare number is seconds).
 * Negative, empty or above 100 years: -EINVAL. */
int units_parse_duration(const char *text, int64_t *ret_ns, struct problem *reterr_problem);
/* "1048576", "1M", "64k", "1G" (1024 steps) -> bytes. */
int units_parse_bytes(const char *text, uint64_t *ret_bytes, struct problem *reterr_problem);
/* A whole number from min to max, decimal or 0x; nothing may follow it. what names it in the error ("a port"). */
int units_parse_number(const char *text, uint64_t min, uint64_t max, const char *what, uint64_t *ret_number,
		       struct problem *reterr_problem);

/* What a regular noun ends with behind this number: "s", or "" of one. */
static inline const char *units_plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

/* All return buf. */
char *units_format_count(uint64_t number, char buf[UNITS_TEXT_MAX]);  /* "203,417" */
char *units_format_signed(int64_t number, char buf[UNITS_TEXT_MAX]);  /* "+612", "-3", "0" with separators */
/* "850 ms", "4.2 s", "1 min 36 s", "2 h 4 min", "3 d 2 h" */
char *units_format_duration(int64_t ns, char buf[UNITS_TEXT_MAX]);
char *units_format_bytes(uint64_t bytes, char buf[UNITS_TEXT_MAX]);   /* "1.5 MiB" */

#endif
