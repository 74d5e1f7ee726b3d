/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/decode: for the hot paths of the layer. Private to the layer. */
#ifndef CTWARDEN_KERNEL_DECODE_H
#define CTWARDEN_KERNEL_DECODE_H

#include "kernel/kernel.h"

/* As decode_message, but without its copy: after a failure *flow holds anything. */
int decode_in_place(const void *message, size_t len, struct flow *flow,
		    enum flow_event_kind *ret_kind);

#endif
