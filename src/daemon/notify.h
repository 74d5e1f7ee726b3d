/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/notify: readiness and watchdog messages to systemd; does nothing where libsystemd was not built in or the
 * daemon was not started by systemd. */
#ifndef CTWARDEN_DAEMON_NOTIFY_H
#define CTWARDEN_DAEMON_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void); /* followed by notify_ready */
void notify_stopping(void);
void notify_watchdog(void);
void notify_status(const char *text); /* one line shown by systemctl status */
/* How often notify_watchdog is due (half of the watchdog's time); 0: no watchdog. */
int64_t notify_watchdog_ns(void);

#endif
