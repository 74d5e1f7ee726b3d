/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/log: messages to stderr. Under systemd (JOURNAL_STREAM names stderr) each line starts with <N>, else
 * with the program's name. Layers below daemon and cli log at debug only. Safe to call from any thread. */
#ifndef CTWARDEN_BASE_LOG_H
#define CTWARDEN_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_COUNT };

/* program is borrowed for ever. Messages above max are dropped. */
void log_init(const char *program, enum log_level max);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
