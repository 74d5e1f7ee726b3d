/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/filtered_delete: the one place where a DELETE without a tuple is built. Private to the
 * layer. */
#ifndef CTWARDEN_KERNEL_FILTERED_DELETE_H
#define CTWARDEN_KERNEL_FILTERED_DELETE_H

#include "pushdown.h"
#include "writer.h"

/* Everything. 0 or -errno. */
int delete_everything(struct writer *writer);

#endif
