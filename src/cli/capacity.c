/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/capacity: by whose capacity a command judges the table. */
#include <stdlib.h>

#include "cli.h"
#include "kernel/kernel.h"

int capacity_ask_daemon(const struct cli *cli, struct snapshot *ret_view)
{
	struct snapshot *view;
	struct table_netns netns = {0};
	char *document = NULL;
	int result = client_view(cli, "status", "{}", &document);

	if (result <= 0)
		return result;
	view = calloc(1, sizeof(*view));
	/* The socket is a file, which a daemon of another namespace may have made. */
	result = view && !view_status(document, view, PROBLEM_IGNORED) && !netns_self(&netns) &&
		 view->netns.inode == netns.inode;
	if (result)
		*ret_view = *view;
	free(view);
	free(document);
	return result;
}

uint64_t capacity_choose(uint64_t given, uint64_t of_policy, const struct snapshot *view,
			 enum report_capacity *ret_from)
{
	if (given) {
		*ret_from = REPORT_CAPACITY_OPTION;
		return given;
	}
	if (of_policy) {
		*ret_from = REPORT_CAPACITY_POLICY;
		return of_policy;
	}
	/* What is the kernel's limit there too is not the daemon's word. */
	if (view && view->fill.capacity && view->fill.capacity != view->fill.now.entries_limit) {
		*ret_from = REPORT_CAPACITY_DAEMON;
		return view->fill.capacity;
	}
	*ret_from = REPORT_CAPACITY_KERNEL;
	return 0;
}
