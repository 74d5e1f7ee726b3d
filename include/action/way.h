/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/way: how entries are taken out of the table. */
#ifndef CTWARDEN_ACTION_WAY_H
#define CTWARDEN_ACTION_WAY_H

enum action_way {
	ACTION_WAY_DUMP,   /* a pass finds them, batches of 128 by tuple, zone and id delete them */
	ACTION_WAY_FILTER, /* one request with a filter that was proven in this kernel */
	ACTION_WAY_RESERVE, /* of the guard: an earlier pass chose them; read again, then deleted as by DUMP */
	ACTION_WAY_HEARD,   /* of the guard: events told of them; each read singly, then deleted as by DUMP */
	ACTION_WAY_COUNT
};

const char *action_way_name(enum action_way way); /* "dump-and-delete", "kernel-filter", "reserve", "heard" */

#endif
