/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/processes: which process holds which socket, by /proc. Private to the layer. */
#ifndef CTWARDEN_KERNEL_PROCESSES_H
#define CTWARDEN_KERNEL_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_NAME_MAX 32 /* the kernel's comm is 15 letters */

/* Return < 0 to end the walk with it. */
typedef int process_fn(pid_t pid, const char *name, void *arg);
typedef int process_socket_fn(uint64_t inode, void *arg);

/* Every process of this pid namespace. 0; -EACCES where /proc hides some from us; what fn returned. */
int processes_each(process_fn *fn, void *arg);
/* Its sockets by inode. 0 (also where the process has ended meanwhile), -EACCES, what fn returned. */
int process_sockets_each(pid_t pid, process_socket_fn *fn, void *arg);

#endif
