/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/rows_json: rows of a ranking as JSON, the same in top, status, alarm and topline. */
#include <netinet/in.h>

#include "base/addr.h"
#include "flow/names.h"
#include "private.h"
#include "stats/fit.h"

static const char *const column_keys[RANKING_COLUMN_COUNT] = {
	[RANKING_UNREPLIED] = "unreplied", [RANKING_HALF_OPEN] = "half_open",
	[RANKING_ESTABLISHED] = "established", [RANKING_CLOSING] = "closing",
	[RANKING_UDP] = "udp", [RANKING_OTHER] = "other",
};

double share_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void add_address(json_t *object, const struct row_context *context, const struct ranking_key *key)
{
	unsigned len = context->config->prefix_len[key->family == AF_INET6];
	struct addr addr = {.family = key->family};
	char text[ADDR_TEXT_MAX];
	unsigned i;

	if (key->family != AF_INET && key->family != AF_INET6)
		return;
	for (i = 0; i < sizeof(addr.bytes); i++)
		addr.bytes[i] = key->addr[i];
	json_add_text(object, "family", family_name(key->family));
	json_add_text(object, "address", addr_format(&addr, text));
	json_add_count(object, "prefix_len", len);
	if (key->zone)
		json_add_count(object, "zone", key->zone);
}

static void add_service(json_t *object, const struct ranking_key *key)
{
	char text[NAMES_TEXT_MAX];

	json_add_text(object, "protocol", protocol_name(key->protocol, text));
	switch (key->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		json_add_count(object, "icmp_type", key->value);
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		json_add_count(object, "port", key->value);
		break;
	}
}

static void add_key_parts(json_t *object, const struct row_context *context, const struct ranking_key *key)
{
	char text[NAMES_TEXT_MAX];

	switch (context->config->by) {
	case RANKING_BY_SOURCE:
	case RANKING_BY_PREFIX:
	case RANKING_BY_DESTINATION:
	case RANKING_BY_REPLY_SOURCE:
		add_address(object, context, key);
		break;
	case RANKING_BY_SERVICE:
		add_service(object, key);
		break;
	case RANKING_BY_STATE:
		json_add_text(object, "protocol", protocol_name(key->protocol, text));
		break;
	case RANKING_BY_ZONE:
		json_add_count(object, "zone", key->value);
		break;
	case RANKING_BY_MARK:
		json_add_count(object, "mark", key->value);
		break;
	case RANKING_BY_CLASS:
	case RANKING_BY_COUNT:
		break;
	}
}

void json_add_columns(json_t *object, const struct ranking_row *row)
{
	int i;

	for (i = 0; i < RANKING_COLUMN_COUNT; i++)
		json_add_count(object, column_keys[i],
			       ranking_row_column(row, (enum ranking_column)i));
}

void json_add_classes(json_t *object, const uint32_t classes[FLOW_CLASS_COUNT])
{
	json_t *part = json_object();
	int i;

	for (i = 0; i < FLOW_CLASS_COUNT; i++)
		json_add_count(part, class_key((enum flow_class)i), classes[i]);
	json_object_set_new(object, "classes", part);
}

static json_t *json_row(const struct row_context *context, const struct ranking_row *row, size_t rank)
{
	char text[RANKING_TEXT_MAX];
	json_t *object = json_object();

	json_add_count(object, "rank", rank);
	json_add_text(object, "key", ranking_key_format(context->config, &row->key, text));
	add_key_parts(object, context, &row->key);
	json_add_count(object, "entries", row->entries);
	json_add_real(object, "share_pct",
		      share_of(context->is_born ? row->born : row->entries, context->whole));
	if (context->is_born)
		json_add_count(object, "born", row->born);
	if (context->has_rates)
		json_add_real(object, "new_per_sec", (double)row->new_per_sec);
	if (context->is_born) /* births are ranked before they have a class */
		return object;
	json_add_columns(object, row);
	if (row->bytes)
		json_add_count(object, "bytes", row->bytes);
	json_add_classes(object, row->classes);
	return object;
}

json_t *json_rows(const struct row_context *context, const struct ranking_row *rows, size_t used)
{
	json_t *list = json_array();
	struct ranking_row row;
	size_t i;

	for (i = 0; i < used; i++) {
		row = rows[i];
		fit_row(&row);
		json_array_append_new(list, json_row(context, &row, i + 1));
	}
	return list;
}

uint64_t rows_other_keys(const struct ranking_totals *totals, size_t used)
{
	return totals->keys > used ? totals->keys - used : 0;
}

uint64_t rows_other_entries(const struct ranking_totals *totals, const struct ranking_row *rows, size_t used)
{
	uint64_t shown = 0;
	size_t i;

	for (i = 0; i < used; i++)
		shown += rows[i].entries;
	return totals->entries > shown ? totals->entries - shown : 0;
}

void json_add_others(json_t *object, const struct ranking_totals *totals, const struct ranking_row *rows,
		     size_t used)
{
	json_t *part = json_object();

	json_add_count(part, "keys", rows_other_keys(totals, used));
	json_add_count(part, "entries", rows_other_entries(totals, rows, used));
	json_object_set_new(object, "others", part);
}

bool rows_have_rates(const struct ranking_row *rows, size_t used, const struct ranking_totals *totals)
{
	size_t i;

	for (i = 0; i < used; i++)
		if (rows[i].new_per_sec > 0)
			return true;
	return totals->sum.new_per_sec > 0;
}
