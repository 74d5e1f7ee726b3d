/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/throwaway: a network namespace of our own to try things in. Private to the layer. A socket keeps the namespace
 * it was opened in, so no thread has to move: closing the socket ends the namespace with all that is in it. A type of
 * its own, so that what is tried here cannot be handed a writer of the real table by mistake. */
#ifndef CTWARDEN_KERNEL_THROWAWAY_H
#define CTWARDEN_KERNEL_THROWAWAY_H

#include "writer.h"

struct throwaway {
	struct writer writer;
};

/* Needs CAP_SYS_ADMIN, or a kernel that lets anybody make a user namespace. 0, -EPERM, other -errno. About 1 ms. */
int throwaway_open(struct throwaway *ret_throwaway);
void throwaway_close(struct throwaway *throwaway);

#endif
