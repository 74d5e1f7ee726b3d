/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proc: numbers in /proc/sys/net/netfilter, which shows the calling thread's namespace.
 * Private to the layer. */
#ifndef CTWARDEN_KERNEL_PROC_H
#define CTWARDEN_KERNEL_PROC_H

#include <stdint.h>

/* Reads /proc/sys/net/netfilter/NAME. 0, or -errno (-EINVAL: no number in it). */
int proc_read(const char *name, int64_t *ret_value);

#endif
