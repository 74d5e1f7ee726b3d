/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/log: one line a message to stderr, with the journal's <N> under systemd. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static const char *log_program = "ctwarden";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_to_journal;

void log_init(const char *program, enum log_level max)
{
	log_program = program;
	log_max = max;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_line(enum log_level level, const char *format, ...)
{
	static const int priorities[LOG_LEVEL_COUNT] = { 3, 4, 6, 7 }; /* syslog(3) */
	char text[1024];
	va_list args;

	if (level > log_max)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	text_make_plain(text);
	if (log_to_journal)
		fprintf(stderr, "<%d>%s\n", priorities[level], text);
	else
		fprintf(stderr, "%s: %s\n", log_program, text);
}
