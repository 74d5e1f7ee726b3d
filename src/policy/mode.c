/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/mode: the two words. */
#include "policy/mode.h"

#include <errno.h>
#include <string.h>

static const char *const names[POLICY_MODE_COUNT] = {"observe", "act"};

const char *policy_mode_name(enum policy_mode mode)
{
	return names[mode];
}

int policy_mode_parse(const char *text, enum policy_mode *ret_mode)
{
	for (unsigned i = 0; i < POLICY_MODE_COUNT; i++) {
		if (!strcmp(text, names[i])) {
			*ret_mode = (enum policy_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}
