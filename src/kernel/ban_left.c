/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/ban_left: what an earlier run left in the nft table of bans, read back from nft's listing: strict ones by
 * their set, slowed ones with the rate that the name of their set tells. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "ban_private.h"
#include "base/units.h"

/* One element of nft's listing: "192.0.2.1 timeout 1m expires 59s900ms". */
static void take_element(struct bans *bans, char *text, double rate, int64_t now_ns)
{
	struct problem ignored;
	struct ban ban = {.rate_per_sec = rate};
	char *save = NULL, *word = strtok_r(text, " \n\t", &save);
	int64_t left_ns;
	bool is_new;

	if (!word || prefix_parse(word, &ban.prefix, &ignored))
		return;
	while ((word = strtok_r(NULL, " \n\t", &save))) {
		if (strcmp(word, "expires") != 0)
			continue;
		word = strtok_r(NULL, " \n\t", &save);
		if (word && !units_parse_duration(word, &left_ns, &ignored) && bans->used < bans->max &&
		    bans_know_rate(bans, rate, &is_new)) {
			ban.until_ns = now_ns + left_ns;
			bans->items[bans->used++] = ban;
		}
		return;
	}
}

/* No set, no table: nothing to take over. */
static int take_set(struct bans *bans, const char *name, double rate, int64_t now_ns, struct problem *problem)
{
	char command[96], *text, *save = NULL, *element, *end;
	const char *output;
	int result;

	snprintf(command, sizeof(command), "list set inet " BANS_TABLE " %s", name);
	result = bans_run(bans, command, problem);
	if (result)
		return result == -ENOENT ? 0 : result;
	bans->has_table = true;
	output = nft_ctx_get_output_buffer(bans->nft);
	output = output ? strstr(output, "elements = {") : NULL;
	if (!output)
		return 0;
	text = strdup(output + strlen("elements = {"));
	end = text ? strchr(text, '}') : NULL;
	if (end) {
		*end = '\0';
		for (element = strtok_r(text, ",", &save); element; element = strtok_r(NULL, ",", &save))
			take_element(bans, element, rate, now_ns);
	}
	free(text);
	return 0;
}

/* The rate stands in the name of the set: "slowed4_0.5". 0: none that we made. */
static double rate_of(const char *name)
{
	char *end;
	double rate;

	if (strncmp(name, "slowed4_", 8) != 0 && strncmp(name, "slowed6_", 8) != 0)
		return 0;
	rate = strtod(name + 8, &end);
	return !*end && isfinite(rate) && rate > 0 ? rate : 0;
}

/* Terse: the meters of busy sources are long, and are none of our business here. */
static int list_sets(struct bans *bans, char **ret_text, struct problem *problem)
{
	unsigned flags = nft_ctx_output_get_flags(bans->nft);
	const char *output;
	int result;

	nft_ctx_output_set_flags(bans->nft, flags | NFT_CTX_OUTPUT_TERSE);
	result = bans_run(bans, "list sets table inet " BANS_TABLE, problem);
	nft_ctx_output_set_flags(bans->nft, flags);
	if (result)
		return result;
	output = nft_ctx_get_output_buffer(bans->nft);
	*ret_text = strdup(output ? output : "");
	return *ret_text ? 0 : -ENOMEM;
}

static int take_slowed(struct bans *bans, int64_t now_ns, struct problem *problem)
{
	char *text = NULL, *save = NULL, *word;
	int result = list_sets(bans, &text, problem);

	if (result)
		return result == -ENOENT ? 0 : result;
	for (word = strtok_r(text, " {\n\t", &save); word && !result; word = strtok_r(NULL, " {\n\t", &save))
		if (strlen(word) < BAN_NAME_MAX && rate_of(word) > 0)
			result = take_set(bans, word, rate_of(word), now_ns, problem);
	free(text);
	return result;
}

int bans_take_over(struct bans *bans, int64_t now_ns, struct problem *problem)
{
	int result = take_set(bans, "banned4", 0, now_ns, problem);

	if (!result)
		result = take_set(bans, "banned6", 0, now_ns, problem);
	return result ? result : take_slowed(bans, now_ns, problem);
}
