/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/top_json: ctwarden.top/1. */
#include "private.h"
#include "stats/fit.h"

static void add_scan(json_t *document, const struct flow_scan_report *scan)
{
	json_t *part;

	if (!scan->received && !scan->ended_ns)
		return; /* no pass was made for this */
	part = json_object();
	json_add_count(part, "received", scan->received);
	json_add_count(part, "undecodable", scan->undecodable);
	json_add_count(part, "not_kernel", scan->not_kernel);
	json_add_bool(part, "unsettled", scan->unsettled);
	if (scan->ended_ns > scan->started_ns)
		json_add_real(part, "duration_sec", (double)(scan->ended_ns - scan->started_ns) / 1e9);
	if (scan->pushed_down[0])
		json_add_text(part, "pushed_down", scan->pushed_down);
	json_object_set_new(document, "scan", part);
}

static void add_totals(json_t *document, const struct report_top *top, bool has_rates)
{
	json_t *part = json_object();
	bool is_born = top->order == RANKING_ORDER_BORN;
	struct ranking_totals totals = top->totals;

	json_add_count(part, "keys", top->totals.keys);
	json_add_count(part, "entries", top->totals.entries);
	if (is_born)
		json_add_count(part, "born", top->totals.sum.born);
	if (has_rates)
		json_add_real(part, "new_per_sec",
			      top->span_sec > 0 ? (double)top->totals.sum.born / top->span_sec
						: (double)top->totals.sum.new_per_sec);
	if (!is_born) {
		fit_totals(&totals, top->rows, top->used);
		json_add_columns(part, &totals.sum);
		if (top->totals.sum.bytes)
			json_add_count(part, "bytes", top->totals.sum.bytes);
		json_add_classes(part, totals.sum.classes);
	}
	json_add_count(part, "folded_entries", top->totals.folded_entries);
	json_add_count(part, "folded_keys", top->totals.folded_keys);
	json_object_set_new(document, "totals", part);
}

static void add_prefix_len(json_t *document, const struct ranking_config *config)
{
	json_t *part;

	if (config->by > RANKING_BY_DESTINATION && config->by != RANKING_BY_REPLY_SOURCE)
		return; /* no addresses to join */
	part = json_object();
	json_add_count(part, "ipv4", config->prefix_len[0]);
	json_add_count(part, "ipv6", config->prefix_len[1]);
	json_object_set_new(document, "prefix_len", part);
}

json_t *json_top(const struct report_top *top)
{
	bool is_born = top->order == RANKING_ORDER_BORN;
	struct row_context context = {
		.config = &top->config,
		.whole = is_born ? top->totals.sum.born : top->totals.entries,
		.is_born = is_born,
		.has_rates = top->span_sec > 0 || rows_have_rates(top->rows, top->used, &top->totals),
	};
	json_t *document = json_document("ctwarden.top/1");

	json_add_text(document, "by", ranking_by_name(top->config.by));
	add_prefix_len(document, &top->config);
	json_add_count(document, "entries", top->entries);
	json_add_count(document, "matched", top->matched);
	json_add_bool(document, "approximate", top->is_approximate);
	json_add_text(document, "view", top->view);
	json_add_netns(document, &top->netns);
	if (top->age_sec >= 0)
		json_add_real(document, "age_sec", top->age_sec);
	if (top->filter && top->filter[0])
		json_add_text(document, "filter", top->filter);
	if (top->span_sec > 0) {
		json_add_real(document, "span_sec", top->span_sec);
		json_add_count(document, "lost", top->lost);
	}
	json_object_set_new(document, "rows", json_rows(&context, top->rows, top->used));
	add_totals(document, top, context.has_rates);
	json_add_others(document, &top->totals, top->rows, top->used);
	json_add_count(document, "redone_dumps", top->scan.redone);
	add_scan(document, &top->scan);
	return document;
}

char *report_top_json(const struct report_top *top)
{
	return json_to_line(json_top(top));
}
