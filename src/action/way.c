/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/way: the words, as ctwarden.flush/1 has them. */
#include "action/way.h"

static const char *const names[ACTION_WAY_COUNT] = {"dump-and-delete", "kernel-filter", "reserve",
							       "heard"};

const char *action_way_name(enum action_way way)
{
	return names[way];
}
