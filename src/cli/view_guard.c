/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view_guard: the daemon's answers about its guard back into what report shows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli.h"
#include "doc/doc.h"
#include "report/guard.h"
#include "view_guard.h"

static int open_document(const char *document, struct doc **ret_doc, struct problem *problem)
{
	return doc_parse(document, strlen(document), "answer", false, ret_doc, problem);
}

static int read_mode(const struct doc_node *root, const char *key, enum policy_mode *ret_mode,
		     struct problem *problem)
{
	static const char *const modes[] = {"observe", "act", NULL};
	struct doc_node node = doc_get(root, key);
	int mode = 0, result = doc_choice(&node, modes, &mode, problem);

	*ret_mode = (enum policy_mode)mode;
	return result;
}

static int read_left(const struct doc_node *root, int64_t *ret_ns, struct problem *problem)
{
	struct doc_node node = doc_get(root, "remaining_sec");
	double left = 0;
	int result = doc_number(&node, 0, 1e10, &left, problem);

	*ret_ns = (int64_t)(left * (double)NS_PER_SEC);
	return result;
}

int view_mode(const char *document, struct report_mode *ret_mode, struct problem *reterr_problem)
{
	struct report_mode mode = {0};
	struct doc_node root, known;
	struct doc *doc;
	int result = open_document(document, &doc, reterr_problem);

	if (result)
		return result;
	root = doc_root(doc);
	known = doc_get(&root, "seniors_known");
	if (!(result = read_mode(&root, "mode", &mode.mode, reterr_problem)) &&
	    !(result = read_mode(&root, "base_mode", &mode.base_mode, reterr_problem)) &&
	    !(result = read_left(&root, &mode.left_ns, reterr_problem)) &&
	    !(result = doc_bool(&known, &mode.knows_seniors, reterr_problem))) {
		mode.waits_for_seniors = doc_has(&known) && !mode.knows_seniors;
		*ret_mode = mode;
	}
	doc_free(doc);
	return result;
}

static int read_ban(const struct doc_node *row, struct report_ban *ban, struct problem *problem)
{
	struct doc_node node = doc_get(row, "prefix");
	const char *text = NULL;
	int result = doc_text(&node, &text, problem);

	if (result)
		return result;
	if (!text || prefix_parse(text, &ban->prefix, PROBLEM_IGNORED))
		return doc_problem(&node, problem, "the prefix cannot be read");
	node = doc_get(row, "rate_per_sec");
	result = doc_number(&node, 0, 1e12, &ban->rate_per_sec, problem);
	return result ? result : read_left(row, &ban->left_ns, problem);
}

static int read_bans(const struct doc_node *list, struct report_ban *ret_bans, struct problem *problem)
{
	struct doc_node row;
	int result = 0;

	for (size_t i = 0; i < doc_count(list) && !result; i++) {
		row = doc_at(list, i);
		result = read_ban(&row, &ret_bans[i], problem);
	}
	return result;
}

int view_bans(const char *document, struct report_ban **ret_rows, struct report_bans *ret_bans,
	      struct problem *reterr_problem)
{
	struct doc_node root, list, spared;
	struct report_bans bans = {0};
	struct report_ban *rows;
	struct doc *doc;
	int result = open_document(document, &doc, reterr_problem);

	if (result)
		return result;
	root = doc_root(doc);
	list = doc_get(&root, "bans");
	spared = doc_get(&root, "spared");
	bans.count = doc_count(&list);
	bans.spared_count = doc_count(&spared);
	rows = mem_array(bans.count + bans.spared_count, sizeof(*rows));
	bans.bans = rows;
	bans.spared = rows + bans.count;
	if (!(result = read_bans(&list, rows, reterr_problem)))
		result = read_bans(&spared, rows + bans.count, reterr_problem);
	doc_free(doc);
	if (result) {
		free(rows);
		return result;
	}
	*ret_rows = rows;
	*ret_bans = bans;
	return 0;
}

static int read_count(const struct doc_node *root, const char *key, uint64_t *ret_number, struct problem *problem)
{
	struct doc_node node = doc_get(root, key);
	int64_t number = 0;
	int result = doc_whole(&node, 0, INT64_MAX, &number, problem);

	if (!result)
		*ret_number = (uint64_t)number;
	return result;
}

int view_unban(const char *document, struct report_unban *ret_done, struct problem *reterr_problem)
{
	struct report_unban done = {0};
	struct doc_node root, wider;
	uint64_t spared_sec = 0;
	struct doc *doc;
	int result = open_document(document, &doc, reterr_problem);

	if (result)
		return result;
	root = doc_root(doc);
	wider = doc_get(&root, "held_by");
	if (!(result = read_count(&root, "removed", &done.removed, reterr_problem)) &&
	    !(result = read_count(&root, "spared_sec", &spared_sec, reterr_problem)) &&
	    (!wider.value || !(result = read_ban(&wider, &done.held_by, reterr_problem)))) {
		done.spared_ns = (int64_t)spared_sec * NS_PER_SEC;
		*ret_done = done;
	}
	doc_free(doc);
	return result;
}

int view_reload(const char *document, struct report_reload *ret_reload, char *ret_policy,
		size_t size, struct problem *reterr_problem)
{
	struct doc_node root, node;
	const char *text = NULL;
	struct doc *doc;
	int result = open_document(document, &doc, reterr_problem);

	if (result)
		return result;
	root = doc_root(doc);
	node = doc_get(&root, "policy");
	if (!(result = doc_text(&node, &text, reterr_problem)) &&
	    !(result = read_mode(&root, "mode", &ret_reload->mode, reterr_problem)) &&
	    !(result = read_mode(&root, "base_mode", &ret_reload->base_mode, reterr_problem)) &&
	    !(result = read_left(&root, &ret_reload->left_ns, reterr_problem)) &&
	    !(result = read_count(&root, "rules", &ret_reload->rules, reterr_problem)))
		snprintf(ret_policy, size, "%s", text ? text : "");
	doc_free(doc);
	ret_reload->policy = ret_policy;
	return result;
}
