/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/answer: what the commands of the control socket mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/kernel.h"
#include "report/report.h"

#define TOP_ROWS_DEFAULT 10
#define TOP_ROWS_MAX 1000

static char *answer_document(int64_t id, char *document)
{
	char *answer = report_answer_json(id, document);

	free(document);
	return answer;
}

/* What self-test has kept; or where we may make a namespace to try it in, what rounds prove by themselves. */
static void tell_fast_delete(const struct engine *engine, struct snapshot *snapshot)
{
	char *why = snapshot->fast_delete_why;
	unsigned sets = 0;

	if (!selftest_kept(PROOFS_DIR_DEFAULT, &sets, why, sizeof(snapshot->fast_delete_why)) && !sets)
		snprintf(why, sizeof(snapshot->fast_delete_why), "the self-test of this boot proved nothing");
	snapshot->fast_delete = sets || engine->can_prove;
	snapshot->fast_delete_sets = sets;
	snapshot->has |= SNAPSHOT_HAS_FAST_DELETE;
}

static char *answer_status(struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = { "take_peak", NULL };
	struct problem problem = { 0 };
	struct snapshot *snapshot;
	struct doc_node node;
	bool takes_peak = false;
	char *document;

	node = doc_get(&request->args, "take_peak");
	if ((doc_has(&request->args) && doc_only_keys(&request->args, known, &problem) < 0) ||
	    doc_bool(&node, &takes_peak, &problem) < 0)
		return report_error_json(request->id, "bad-request", problem.text, problem.path);
	snapshot = mem_alloc(sizeof(*snapshot));
	engine_snapshot(engine, snapshot);
	/* Whoever looks by the way must not take the peak from the collector that asks every minute. */
	if (takes_peak)
		fill_peak_take(&engine->fill);
	tell_fast_delete(engine, snapshot);
	document = report_status_json(snapshot);
	free(snapshot);
	return answer_document(request->id, document);
}

/* The picture's ranking by this key; NULL: the daemon does not keep it. */
static const struct ranking *kept_ranking(const struct picture *picture, enum ranking_by by)
{
	for (int part = 0; part < PICTURE_PART_COUNT; part++)
		if (picture_part_by((enum picture_part)part) == by)
			return picture->parts[part];
	return NULL;
}

static char *top_of(const struct engine *engine, const struct ranking *ranking, enum ranking_order order, size_t n)
{
	const struct picture *picture = engine->passes.picture;
	struct ranking_row *rows = mem_array(n, sizeof(*rows));
	struct report_top top = {
		.view = "daemon",
		.netns = engine->netns,
		.config = *ranking_config_get(ranking),
		.order = order,
		/* Not the counter, which is a poll older than the rows: no row may exceed the whole. */
		.entries = picture->entries,
		.is_approximate = picture->is_approximate || picture->has_missed,
		.age_sec = (double)(clock_monotonic_ns() - picture->pass_ended_ns) / (double)NS_PER_SEC,
		.lost = picture->lost,
		.filter = "",
		.rows = rows,
		.totals = ranking_totals_get(ranking),
	};
	char *document;

	top.matched = top.totals.entries;
	top.used = ranking_top(ranking, order, n, rows);
	document = report_top_json(&top);
	free(rows);
	return document;
}

static char *answer_top(const struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = { "by", "n", "order", NULL };
	static const char *const orders[] = { "entries", "new", "growth", NULL };
	enum ranking_by by = RANKING_BY_SOURCE;
	struct problem problem = { 0 };
	const struct ranking *ranking;
	const char *name = NULL;
	struct doc_node node;
	int64_t n = TOP_ROWS_DEFAULT;
	int order = 0;

	if (doc_has(&request->args) && doc_only_keys(&request->args, known, &problem) < 0)
		goto bad;
	node = doc_get(&request->args, "by");
	if (doc_text(&node, &name, &problem) < 0)
		goto bad;
	if (name && ranking_by_parse(name, &by) < 0) {
		doc_problem(&node, &problem, "\"%s\" is no ranking", name);
		goto bad;
	}
	node = doc_get(&request->args, "n");
	if (doc_whole(&node, 1, TOP_ROWS_MAX, &n, &problem) < 0)
		goto bad;
	node = doc_get(&request->args, "order");
	if (doc_choice(&node, orders, &order, &problem) < 0)
		goto bad;
	if (!engine->passes.picture)
		return report_error_json(request->id, "not-ready", "the first pass over the table has not ended", "");
	ranking = kept_ranking(engine->passes.picture, by);
	if (!ranking)
		return report_error_json(request->id, "not-kept", "the daemon does not keep this ranking", "args.by");
	return answer_document(request->id, top_of(engine, ranking, (enum ranking_order)order, (size_t)n));
bad:
	return report_error_json(request->id, "bad-request", problem.text, problem.path);
}

char *answer_request(const struct control_request *request, void *arg)
{
	struct engine *engine = arg;
	char *answer;

	if (strcmp(request->command, "status") == 0)
		return answer_status(engine, request);
	if (strcmp(request->command, "top") == 0)
		return answer_top(engine, request);
	if (strcmp(request->command, "ping") == 0)
		return report_answer_json(request->id, NULL);
	answer = warden_answer(engine, request);
	if (answer)
		return answer;
	return report_error_json(request->id, "unknown-command",
				 "known commands are status, top, mode, bans, unban, reload and ping", "command");
}
