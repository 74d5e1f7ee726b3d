/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/lock: one process at a time for a path: flock(2) on PATH.lock, which goes with its holder's life. */
#ifndef CTWARDEN_DAEMON_LOCK_H
#define CTWARDEN_DAEMON_LOCK_H

struct lock;

/* Does not wait. 0; -EADDRINUSE: somebody holds it; other -errno. */
int lock_take(const char *path, struct lock **ret_lock);
/* Removes the file as well; NULL allowed. */
void lock_drop(struct lock *lock);

#endif
