/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/thread: a helper thread of the daemon. */
#ifndef CTWARDEN_BASE_THREAD_H
#define CTWARDEN_BASE_THREAD_H

#include <pthread.h>

/* Starts fn(arg) with every signal blocked: signals belong to the loop. name (at most 15 bytes) is what `top -H` shows.
 * 0 or -errno. */
int thread_start(const char *name, void *(*fn)(void *arg), void *arg, pthread_t *ret_thread);

#endif
