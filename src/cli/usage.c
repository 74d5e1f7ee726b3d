/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/usage: help, made from the tables of commands, options and filter keys. */
#include <stdio.h>

#include "cli.h"

#define OPTION_WIDTH 30

void usage_all(FILE *file)
{
	size_t i;

	fputs("usage: ctwarden [--socket PATH] [--direct] [-j|-J] COMMAND [OPTION]...\n\n", file);
	for (i = 0; i < command_count; i++)
		fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\nctwarden help COMMAND tells a command's options and filters.\n", file);
}

static void put_option(FILE *file, char letter, const char *name, const char *value,
		       bool is_optional, const char *help)
{
	char text[80];
	int len;

	len = snprintf(text, sizeof(text), "%c%c%s --%s", letter ? '-' : ' ', letter ? letter : ' ',
		       letter ? "," : " ", name);
	if (value && len > 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, is_optional ? " [%s]" : " %s",
			 value);
	fprintf(file, "  %-*s %s\n", OPTION_WIDTH, text, help);
}

static void put_own(FILE *file, enum option_id id)
{
	const struct option_info *info = &option_infos[id];

	put_option(file, info->letter, info->name, info->value, false, info->help);
}

void usage_command(FILE *file, const struct command *command)
{
	const struct flow_filter_key_info *key;
	unsigned i;

	fprintf(file, "usage: ctwarden %s [OPTION]...%s%s%s\n%s\n\noptions:\n", command->name,
		command->has_filter ? " [FILTER]..." : "", command->operands ? " " : "",
		command->operands ? command->operands : "", command->help);
	for (i = 0; command->options[i] != OPTION_ID_COUNT; i++)
		put_own(file, command->options[i]);
	for (i = 0; i < OPTION_GLOBAL_COUNT; i++)
		put_own(file, (enum option_id)i);
	if (!command->has_filter)
		return;
	fputs("\nfilters (different ones must all match; of a list a,b or of a repeated one any; a "
	      "lone ! before one negates it;\n"
	      "@FILE takes values from a file, one a line):\n",
	      file);
	for (i = 0; i < FLOW_FILTER_KEY_COUNT; i++) {
		key = &flow_filter_keys[i];
		put_option(file, key->letter, key->name,
			   key->arg == FILTER_ARG_NONE ? NULL : key->value,
			   key->arg == FILTER_ARG_OPTIONAL, key->help);
	}
}
