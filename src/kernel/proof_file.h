/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof_file: proven sets kept for this kernel and boot, so that a process that may make no namespace can use
 * them. Private to the layer. A file that somebody other than root could have written is not read: a wrong proof
 * empties a table. */
#ifndef CTWARDEN_KERNEL_PROOF_FILE_H
#define CTWARDEN_KERNEL_PROOF_FILE_H

#include "proof.h"

#define PROOF_FILE_NAME "proofs" /* in the directory */

struct proof_file;

/* NULL where there is none for this kernel and boot, or it is not to be trusted; ret_why says so in words. */
struct proof_file *proof_file_read(const char *dir, char *ret_why, size_t why_size);
void proof_file_free(struct proof_file *file);
size_t proof_file_count(const struct proof_file *file);
bool proof_file_has(const struct proof_file *file, const struct proof_set *set);
/* Replaces the file, at once and as a whole. Root only. 0 or -errno. */
int proof_file_write(const char *dir, const struct proof_set *sets, size_t count);

#endif
