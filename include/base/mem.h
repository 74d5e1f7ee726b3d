/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/mem: checked memory. Out of memory ends the program with one line on stderr: memory is taken only at
 * start, at a reload and in the commands, never per event. */
#ifndef CTWARDEN_BASE_MEM_H
#define CTWARDEN_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed, overflow checked */
/* The same for what is read in no order; a large one in huge pages, where the kernel gives them: with small ones each
 * reading first waits for its address. */
void *mem_scattered(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *p, size_t count, size_t size) __attribute__((returns_nonnull)); /* new part not zeroed */
char *mem_copy_text(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2), malloc, returns_nonnull));

#endif
