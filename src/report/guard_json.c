/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/guard_json: ctwarden.mode/1, ctwarden.bans/1, ctwarden.unban/1, ctwarden.reload/1. */
#include "base/clock.h"
#include "private.h"
#include "report/guard.h"

static json_t *document_of(const char *schema, int64_t real_ns, const struct table_netns *netns)
{
	json_t *document = json_document(schema);

	json_add_time(document, "time", real_ns);
	json_add_netns(document, netns);
	return document;
}

static void add_left(json_t *object, int64_t real_ns, int64_t left_ns)
{
	json_add_time(object, "until", real_ns + left_ns);
	json_add_real(object, "remaining_sec", (double)left_ns / (double)NS_PER_SEC);
}

char *report_mode_json(const struct report_mode *mode)
{
	json_t *document = document_of("ctwarden.mode/1", mode->real_ns, &mode->netns);

	json_add_text(document, "mode", policy_mode_name(mode->mode));
	json_add_text(document, "base_mode", policy_mode_name(mode->base_mode));
	if (mode->left_ns)
		add_left(document, mode->real_ns, mode->left_ns);
	return json_to_line(document);
}

char *report_bans_json(const struct report_bans *bans)
{
	json_t *document = document_of("ctwarden.bans/1", bans->real_ns, &bans->netns),
	       *list = json_array();
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < bans->count; i++) {
		json_t *item = json_object();

		json_add_text(item, "prefix", prefix_format(&bans->bans[i].prefix, text));
		add_left(item, bans->real_ns, bans->bans[i].left_ns);
		json_add_real(item, "rate_per_sec", bans->bans[i].rate_per_sec);
		json_array_append_new(list, item);
	}
	json_object_set_new(document, "bans", list);
	return json_to_line(document);
}

char *report_unban_json(int64_t real_ns, const struct table_netns *netns, uint64_t removed, int64_t spared_ns)
{
	json_t *document = document_of("ctwarden.unban/1", real_ns, netns);

	json_add_count(document, "removed", removed);
	if (spared_ns > 0)
		json_add_count(document, "spared_sec", (uint64_t)((spared_ns + NS_PER_SEC - 1) / NS_PER_SEC));
	return json_to_line(document);
}

char *report_reload_json(const struct report_reload *reload)
{
	json_t *document = document_of("ctwarden.reload/1", reload->real_ns, &reload->netns);

	json_add_text(document, "policy", reload->policy);
	json_add_text(document, "mode", policy_mode_name(reload->mode));
	json_add_count(document, "rules", reload->rules);
	return json_to_line(document);
}
