/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/cmd_reload: has the daemon read its config and policy again; tells what is wrong with them */
#include <stdlib.h>

#include "cli.h"
#include "view_guard.h"

int cmd_reload(struct cli *cli)
{
	struct report_reload reload = {0};
	struct problem problem = {0};
	char policy[256], *document;
	int code = client_order(cli, "reload", "{}", &document);

	if (code)
		return code;
	if (cli->out.is_json)
		run_wrote(cli, client_print(cli, document));
	else if (view_reload(document, &reload, policy, sizeof(policy), &problem))
		code = client_nonsense(&problem);
	else
		run_wrote(cli, report_reload_text(&cli->out, &reload));
	free(document);
	return code;
}
