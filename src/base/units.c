/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/units: numbers with units, read and written. */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DURATION_MAX_NS (100LL * 366 * 24 * 3600 * NS_PER_SEC) /* 100 years */

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit duration_units[] = {
	{ "", NS_PER_SEC },	      { "ns", 1 },
	{ "us", 1000 },		      { "ms", NS_PER_MS },
	{ "s", NS_PER_SEC },	      { "sec", NS_PER_SEC },
	{ "second", NS_PER_SEC },     { "seconds", NS_PER_SEC },
	{ "m", 60 * NS_PER_SEC },     { "min", 60 * NS_PER_SEC },
	{ "minute", 60 * NS_PER_SEC },{ "minutes", 60 * NS_PER_SEC },
	{ "h", 3600 * NS_PER_SEC },   { "hour", 3600 * NS_PER_SEC },
	{ "hours", 3600 * NS_PER_SEC },{ "d", 86400 * NS_PER_SEC },
	{ "day", 86400 * NS_PER_SEC },{ "days", 86400 * NS_PER_SEC },
	{ "w", 7 * 86400 * NS_PER_SEC },
};

static const struct unit *find_unit(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof duration_units / sizeof *duration_units; i++)
		if (strlen(duration_units[i].name) == len && !memcmp(duration_units[i].name, name, len))
			return &duration_units[i];
	return NULL;
}

int units_parse_duration(const char *text, int64_t *ret_ns, struct problem *reterr_problem)
{
	const char *p = text;
	double total = 0;
	bool any = false;

	while (*p) {
		const struct unit *unit;
		const char *name;
		double number;
		char *end;

		if (*p == ' ') {
			p++;
			continue;
		}
		if (!isdigit((unsigned char)*p))
			goto bad;
		/* strtod would also take hex and exponents; a duration has neither */
		number = strtod(p, &end);
		if (strspn(p, "0123456789.") != (size_t)(end - p))
			goto bad;
		name = end;
		while (*name == ' ')
			name++;
		p = name;
		while (isalpha((unsigned char)*p))
			p++;
		unit = find_unit(name, p - name);
		if (!unit)
			goto bad;
		total += number * unit->ns;
		any = true;
	}
	if (!any)
		goto bad;
	if (total > (double)DURATION_MAX_NS)
		return problem_set(reterr_problem, "", "%s is too long; at most 100 years", text);
	*ret_ns = (int64_t)total;
	return 0;
bad:
	return problem_set(reterr_problem, "", "\"%s\" is no duration; 30s, 500ms, 5min or 1h30m would be", text);
}

int units_parse_bytes(const char *text, uint64_t *ret_bytes, struct problem *reterr_problem)
{
	unsigned shift = 0;
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	switch (*end) {
	case 'k': case 'K': shift = 10; end++; break;
	case 'M': shift = 20; end++; break;
	case 'G': shift = 30; end++; break;
	case 'T': shift = 40; end++; break;
	}
	if (!isdigit((unsigned char)*text) || *end || errno)
		return problem_set(reterr_problem, "", "\"%s\" is no size; 65536, 64k or 8M would be", text);
	if (number > UINT64_MAX >> shift)
		return problem_set(reterr_problem, "", "%s is too large", text);
	*ret_bytes = number << shift;
	return 0;
}

int units_parse_number(const char *text, uint64_t min, uint64_t max, const char *what, uint64_t *ret_number,
		       struct problem *reterr_problem)
{
	uint64_t number;
	char *end;
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;

	errno = 0;
	number = strtoull(text, &end, base);
	if (!isdigit((unsigned char)*text) || *end || errno || number < min || number > max)
		return problem_set(reterr_problem, "", "%s is a whole number from %" PRIu64 " to %" PRIu64, what, min,
				   max);
	*ret_number = number;
	return 0;
}

char *units_format_count(uint64_t number, char buf[UNITS_TEXT_MAX])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
	char *out = buf;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = 0;
	return buf;
}

char *units_format_signed(int64_t number, char buf[UNITS_TEXT_MAX])
{
	uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char count[UNITS_TEXT_MAX];

	units_format_count(size, count);
	snprintf(buf, UNITS_TEXT_MAX, "%s%.40s", number < 0 ? "-" : number > 0 ? "+" : "", count);
	return buf;
}

/* A second part that is 0 says nothing. */
static void add_two(char buf[UNITS_TEXT_MAX], int64_t first, const char *unit, int64_t second, const char *second_unit)
{
	int len = snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 " %s", first, unit);

	if (second && len > 0 && len < UNITS_TEXT_MAX)
		snprintf(buf + len, UNITS_TEXT_MAX - (size_t)len, " %" PRId64 " %s", second, second_unit);
}

char *units_format_duration(int64_t ns, char buf[UNITS_TEXT_MAX])
{
	int64_t sec = ns / NS_PER_SEC;

	if (ns < NS_PER_SEC)
		snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 " ms", (int64_t)(ns / NS_PER_MS));
	else if (sec < 10)
		snprintf(buf, UNITS_TEXT_MAX, "%.1f s", (double)ns / NS_PER_SEC);
	else if (sec < 60)
		snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 " s", sec);
	else if (sec < 3600)
		add_two(buf, sec / 60, "min", sec % 60, "s");
	else if (sec < 86400)
		add_two(buf, sec / 3600, "h", sec % 3600 / 60, "min");
	else
		add_two(buf, sec / 86400, "d", sec % 86400 / 3600, "h");
	return buf;
}

char *units_format_bytes(uint64_t bytes, char buf[UNITS_TEXT_MAX])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	unsigned i = 0;

	for (; size >= 1024 && i < 4; i++)
		size /= 1024;
	if (i)
		snprintf(buf, UNITS_TEXT_MAX, "%.1f %s", size, names[i]);
	else
		snprintf(buf, UNITS_TEXT_MAX, "%" PRIu64 " B", bytes);
	return buf;
}
