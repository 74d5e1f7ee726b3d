/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view: parts of documents that several kinds share. Private to the files of cli/view. */
#ifndef CTWARDEN_CLI_VIEW_H
#define CTWARDEN_CLI_VIEW_H

#include "doc/doc.h"
#include "stats/snapshot.h"

/* The members of ctwarden.status/1 into *s (zeroed by the caller). 0 or -EINVAL with the problem. */
int view_read_status(const struct doc_node *root, struct snapshot *s, struct problem *problem);
/* The rows of key, where it is there. 0 or -EINVAL with the problem. */
int view_read_top(const struct doc_node *root, const char *key, enum ranking_by by, struct snapshot_top *top,
		  struct problem *problem);

#endif
