/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/mode: whether a policy acts or only says what it would do. */
#ifndef CTWARDEN_POLICY_MODE_H
#define CTWARDEN_POLICY_MODE_H

enum policy_mode {
	POLICY_MODE_OBSERVE, /* records what it would have done */
	POLICY_MODE_ACT,
	POLICY_MODE_COUNT
};

#define POLICY_MODE_FOR_MAX_DAYS 366 /* of a switch for a while; one for good needs no end */

const char *policy_mode_name(enum policy_mode mode);		     /* "observe", "act" */
int policy_mode_parse(const char *text, enum policy_mode *ret_mode); /* 0 or -EINVAL */

#endif
