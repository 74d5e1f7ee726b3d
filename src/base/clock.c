/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/clock: the clocks, and moments written and read. */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t clock_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

char *clock_format_rfc3339(int64_t real_ns, char buf[CLOCK_TEXT_MAX])
{
	time_t sec = real_ns / NS_PER_SEC;
	int64_t rest = real_ns % NS_PER_SEC;
	struct tm tm;
	size_t len;

	if (rest < 0) { /* before 1970: the rest of a division is negative */
		rest += NS_PER_SEC;
		sec--;
	}
	gmtime_r(&sec, &tm);
	len = strftime(buf, CLOCK_TEXT_MAX - 8, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, CLOCK_TEXT_MAX - len, ".%03dZ", (int)(rest / NS_PER_MS));
	return buf;
}

char *clock_format_local(int64_t real_ns, char buf[CLOCK_TEXT_MAX])
{
	time_t sec = real_ns / NS_PER_SEC;
	struct tm tm;

	localtime_r(&sec, &tm);
	strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

/* A fraction ".123" and a zone "Z", "+01:00" or nothing (local time) behind a full date and time. */
static bool read_rest(const char *p, struct tm *tm, int64_t *ret_ns)
{
	int64_t ns = 0, scale = NS_PER_SEC / 10;
	int hours, minutes;
	char sign, end;

	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		for (; isdigit((unsigned char)*p); p++, scale /= 10)
			ns += (*p - '0') * scale;
	}
	if (!*p) {
		*ret_ns = mktime(tm) * NS_PER_SEC + ns;
		return true;
	}
	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*ret_ns = timegm(tm) * NS_PER_SEC + ns;
		return true;
	}
	if (sscanf(p, "%c%2d:%2d%c", &sign, &hours, &minutes, &end) != 3 || (sign != '+' && sign != '-') || hours < 0 ||
	    hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*ret_ns = (timegm(tm) - (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60)) * NS_PER_SEC + ns;
	return true;
}

/* The calendar forms. strptime takes days that a month does not have; mktime would move them: refused instead. */
static bool read_calendar(const char *text, int64_t now_real_ns, int64_t *ret_ns)
{
	static const struct {
		const char *format;
		bool has_date;
	} forms[] = {
		{ "%Y-%m-%d %H:%M:%S", true }, { "%Y-%m-%dT%H:%M:%S", true }, { "%Y-%m-%d %H:%M", true },
		{ "%Y-%m-%d", true },	       { "%H:%M:%S", false },	      { "%H:%M", false },
	};
	time_t now = now_real_ns / NS_PER_SEC;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = { 0 }, check;
		const char *rest;
		int64_t ns;

		if (!forms[i].has_date) {
			localtime_r(&now, &tm);
			tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		}
		rest = strptime(text, forms[i].format, &tm);
		if (!rest || (i > 1 && *rest))
			continue;
		tm.tm_isdst = -1;
		check = tm;
		check.tm_isdst = 0;
		timegm(&check);
		if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon)
			return false;
		if (!read_rest(rest, &tm, &ns))
			continue;
		*ret_ns = ns;
		return true;
	}
	return false;
}

static int64_t midnight(int64_t now_real_ns, int days)
{
	time_t now = now_real_ns / NS_PER_SEC;
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday += days;
	tm.tm_isdst = -1;
	return mktime(&tm) * NS_PER_SEC;
}

/* "-10min", "10min ago", "10min": that long before now; "+10min", "10min left": after. */
static bool read_span(const char *text, int64_t now_real_ns, int64_t *ret_ns)
{
	bool is_after = *text == '+', is_signed = is_after || *text == '-';
	char span[64];
	size_t len;
	int64_t ns;

	text += is_signed;
	len = strlen(text);
	if (!is_signed && len > 4 && !strcmp(text + len - 4, " ago")) {
		len -= 4;
	} else if (!is_signed && len > 5 && !strcmp(text + len - 5, " left")) {
		len -= 5;
		is_after = true;
	}
	if (!len || len >= sizeof span)
		return false;
	memcpy(span, text, len);
	span[len] = 0;
	if (units_parse_duration(span, &ns, NULL))
		return false;
	if (is_after && ns > INT64_MAX - now_real_ns)
		return false;
	*ret_ns = is_after ? now_real_ns + ns : now_real_ns - ns;
	return true;
}

int clock_parse_moment(const char *text, int64_t now_real_ns, int64_t *ret_real_ns, struct problem *reterr_problem)
{
	int64_t ns;
	uint64_t sec;

	if (!strcmp(text, "now"))
		ns = now_real_ns;
	else if (!strcmp(text, "today"))
		ns = midnight(now_real_ns, 0);
	else if (!strcmp(text, "yesterday"))
		ns = midnight(now_real_ns, -1);
	else if (!strcmp(text, "tomorrow"))
		ns = midnight(now_real_ns, 1);
	else if (*text == '@' && !units_parse_number(text + 1, 0, INT64_MAX / NS_PER_SEC, "a time", &sec, NULL))
		ns = (int64_t)sec * NS_PER_SEC;
	else if (!read_calendar(text, now_real_ns, &ns) && !read_span(text, now_real_ns, &ns))
		return problem_set(
			reterr_problem, "",
			"\"%s\" is no time; \"2026-11-25 09:41:07\", \"09:41\", \"today\" or \"-10min\" would be",
			text);
	*ret_real_ns = ns;
	return 0;
}
