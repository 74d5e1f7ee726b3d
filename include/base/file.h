/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/file: files opened without waiting for anybody. open(2) of a pipe in a file's place waits for its other end: a
 * daemon would stand still until somebody writes. */
#ifndef CTWARDEN_BASE_FILE_H
#define CTWARDEN_BASE_FILE_H

#include <sys/types.h>

/* Opens a regular file. flags and mode as of open(2), close-on-exec always. The descriptor, to be closed by the caller,
 * or -errno of open; -EISDIR for a directory, -ENODEV for a pipe, socket or device. Never waits. */
int file_open(const char *path, int flags, mode_t mode);
/* Opens for reading what a person names in a command: a file, or a pipe, terminal or device, as in /dev/stdin or
 * <(...). As file_open; a pipe that nobody has opened for writing is given 2 s, and reads as empty then. */
int file_open_any(const char *path);
/* What is wrong, of these errors: strerror's words, or that it is no regular file. */
const char *file_strerror(int error);

#endif
