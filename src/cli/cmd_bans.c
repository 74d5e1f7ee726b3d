/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_bans: whose new flows the daemon refuses or slows. */
#include <stdlib.h>

#include "cli.h"
#include "view_guard.h"

int cmd_bans(struct cli *cli)
{
	struct report_bans shown = {0};
	struct problem problem = {0};
	struct report_ban *rows;
	char *document;
	int code = client_order(cli, "bans", "{}", &document);

	if (code)
		return code;
	if (cli->out.is_json) {
		run_wrote(cli, client_print(cli, document));
	} else if (view_bans(document, &rows, &shown, &problem)) {
		code = client_nonsense(&problem);
	} else {
		run_wrote(cli, report_bans_text(&cli->out, &shown));
		free(rows);
	}
	free(document);
	return code;
}
