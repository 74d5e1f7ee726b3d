/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/thread: see the header. */
#include "base/thread.h"

#include <signal.h>

int thread_start(const char *name, void *(*fn)(void *arg), void *arg, pthread_t *ret_thread)
{
	sigset_t all, old;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = -pthread_create(&thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		return r;
	pthread_setname_np(thread, name); /* for people alone: a name too long is no failure */
	*ret_thread = thread;
	return 0;
}
