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
	if (mode->waits_for_seniors || mode->knows_seniors)
		json_add_bool(document, "seniors_known", mode->knows_seniors);
	return json_to_line(document);
}

static json_t *ban_object(const struct report_ban *ban, int64_t real_ns, bool has_rate)
{
	json_t *object = json_object();
	char text[ADDR_TEXT_MAX];

	json_add_text(object, "prefix", prefix_format(&ban->prefix, text));
	add_left(object, real_ns, ban->left_ns);
	if (has_rate)
		json_add_real(object, "rate_per_sec", ban->rate_per_sec);
	return object;
}

static void add_bans(json_t *document, const char *key, const struct report_ban *bans, size_t count, int64_t real_ns,
		     bool has_rate)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, ban_object(&bans[i], real_ns, has_rate));
	json_object_set_new(document, key, list);
}

char *report_bans_json(const struct report_bans *bans)
{
	json_t *document = document_of("ctwarden.bans/1", bans->real_ns, &bans->netns);

	add_bans(document, "bans", bans->bans, bans->count, bans->real_ns, true);
	add_bans(document, "spared", bans->spared, bans->spared_count, bans->real_ns, false);
	return json_to_line(document);
}

char *report_unban_json(const struct report_unban *done)
{
	json_t *document = document_of("ctwarden.unban/1", done->real_ns, &done->netns);

	json_add_count(document, "removed", done->removed);
	add_bans(document, "lifted", done->lifted, done->removed, done->real_ns, true);
	if (done->spared_ns > 0)
		json_add_count(document, "spared_sec", (uint64_t)((done->spared_ns + NS_PER_SEC - 1) / NS_PER_SEC));
	if (done->held_by.left_ns > 0)
		json_object_set_new(document, "held_by", ban_object(&done->held_by, done->real_ns, true));
	return json_to_line(document);
}

char *report_reload_json(const struct report_reload *reload)
{
	json_t *document = document_of("ctwarden.reload/1", reload->real_ns, &reload->netns);

	json_add_text(document, "policy", reload->policy);
	json_add_text(document, "mode", policy_mode_name(reload->mode));
	json_add_text(document, "base_mode", policy_mode_name(reload->base_mode));
	if (reload->left_ns)
		add_left(document, reload->real_ns, reload->left_ns);
	json_add_count(document, "rules", reload->rules);
	return json_to_line(document);
}
