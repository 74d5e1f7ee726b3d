/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved_private: the two readers behind flow/saved. */
#ifndef CTWARDEN_FLOW_SAVED_PRIVATE_H
#define CTWARDEN_FLOW_SAVED_PRIVATE_H

#include "flow/saved.h"

int saved_json(const char *line, size_t len, int64_t now_real_ns, struct flow *ret_flow,
	       struct problem *problem);
/* An address into a tuple; sets its family. 0 or -EINVAL: no address, or of another family than
 * before. */
int saved_address(struct flow_tuple *tuple, const char *text, uint8_t bytes[16]);
/* What follows from the rest: families, protocol of the reply, NAT bits, CONFIRMED. -EINVAL where a
 * tuple is missing. */
int saved_complete(struct flow *flow, struct problem *problem);

#endif
