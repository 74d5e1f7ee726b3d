/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/usage: help, made from the tables of commands, options and filter keys. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

#define OPTION_WIDTH 30

#define NARROW	     60 /* columns below which an option's help goes under it */
#define INDENT_SMALL 6

/* Where text goes and how wide it may be; 0: not to a terminal, a line is as long as it is. */
struct page {
	FILE *file;
	unsigned columns;
};

/* The rest of a line of which `at` columns are used: words, wrapped with an indent. Ends the line. */
static void put_words(const struct page *page, unsigned at, unsigned indent, const char *text)
{
	bool is_first = true;
	size_t len;

	for (; *text; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (!is_first && page->columns && at + 1 + len > page->columns) {
			fprintf(page->file, "\n%*s", (int)indent, "");
			at = indent;
			is_first = true;
		}
		fprintf(page->file, "%s%.*s", is_first ? "" : " ", (int)len, text);
		at += (unsigned)len + !is_first;
		is_first = false;
	}
	fputc('\n', page->file);
}

void usage_all(FILE *file, unsigned columns)
{
	const struct page page = {file, columns};
	size_t i;

	put_words(&page, 0, 7, "usage: ctwarden [--socket PATH] [--direct] [-j|-J] COMMAND [OPTION]...");
	fputc('\n', file);
	for (i = 0; i < command_count; i++) {
		fprintf(file, "  %-10s ", commands[i].name);
		put_words(&page, 13, 13, commands[i].help);
	}
	fputc('\n', file);
	put_words(&page, 0, 0, "ctwarden help COMMAND tells a command's options and filters.");
}

static void put_option(const struct page *page, char letter, const char *name, const char *value,
		       bool is_optional, const char *help)
{
	char text[80];
	int len;

	len = snprintf(text, sizeof(text), "%c%c%s --%s", letter ? '-' : ' ', letter ? letter : ' ',
		       letter ? "," : " ", name);
	if (value && len > 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, is_optional ? " [%s]" : " %s",
			 value);
	if (!page->columns || page->columns >= NARROW) {
		fprintf(page->file, "  %-*s ", OPTION_WIDTH, text);
		put_words(page, OPTION_WIDTH + 3, OPTION_WIDTH + 3, help);
		return;
	}
	fputs("  ", page->file);
	put_words(page, 2, INDENT_SMALL, text + strspn(text, " "));
	fprintf(page->file, "%*s", INDENT_SMALL, "");
	put_words(page, INDENT_SMALL, INDENT_SMALL, help);
}

static void put_own(const struct page *page, enum option_id id)
{
	const struct option_info *info = &option_infos[id];

	put_option(page, info->letter, info->name, info->value, false, info->help);
}

/* Of the options that every command is read with, those that do something here. */
static bool works(enum option_id id, const struct command *command, bool is_bare)
{
	if (id == OPTION_SOCKET)
		return command->daemon != DAEMON_NOT_ASKED && !is_bare;
	return id != OPTION_DIRECT || (command->daemon == DAEMON_MAY_TELL && !is_bare);
}

void usage_command(FILE *file, unsigned columns, const struct command *command, const char *word)
{
	bool is_bare = word && command->only_with && strcmp(word, command->only_with) != 0;
	const struct page page = {file, columns};
	char text[160];
	const struct flow_filter_key_info *key;
	unsigned i;

	snprintf(text, sizeof(text), "usage: ctwarden %s [OPTION]...%s%s%s", command->name,
		 command->has_filter ? " [FILTER]..." : "", command->operands ? " " : "",
		 command->operands ? command->operands : "");
	put_words(&page, 0, 7, text);
	put_words(&page, 0, 0, command->help);
	if (command->only_with && !word)
		fprintf(file, "\noptions (all but the last four for %s alone):\n", command->only_with);
	else
		fputs("\noptions:\n", file);
	for (i = 0; !is_bare && command->options[i] != OPTION_ID_COUNT; i++)
		put_own(&page, command->options[i]);
	for (i = 0; i < OPTION_GLOBAL_COUNT; i++)
		if (works((enum option_id)i, command, is_bare))
			put_own(&page, (enum option_id)i);
	if (!command->has_filter)
		return;
	fputc('\n', file);
	put_words(&page, 0, 0,
		  "filters (different ones must all match; of a list a,b or of a repeated one any; a "
		  "lone ! before one negates it; @FILE takes values from a file, one a line):");
	for (i = 0; i < FLOW_FILTER_KEY_COUNT; i++) {
		key = &flow_filter_keys[i];
		put_option(&page, key->letter, key->name,
			   key->arg == FILTER_ARG_NONE ? NULL : key->value,
			   key->arg == FILTER_ARG_OPTIONAL, key->help);
	}
}
