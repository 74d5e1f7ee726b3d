/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/levels: the marks of the levels, read over what is there. */
#include "policy/levels.h"

#include "base/clock.h"
#include "private.h"

#define DAY_NS	     (86400 * NS_PER_SEC)
#define DWELL_MAX_NS (3600 * NS_PER_SEC)

static int read_mark(const struct doc_node *object, const char *key, double *ret,
		     struct problem *problem)
{
	struct doc_node node = doc_get(object, key);

	return read_number(&node, 0, 1000, ret, problem);
}

static int read_marks(const struct doc_node *levels, const char *key, struct level_marks *marks,
		      struct problem *problem)
{
	static const char *const known[] = {"enter_pct", "leave_pct", "forecast_sec", NULL};
	struct doc_node node = doc_get(levels, key), forecast = doc_get(&node, "forecast_sec");
	int64_t forecast_ns = (int64_t)(marks->forecast_sec * (double)NS_PER_SEC + 0.5);
	int result = read_object(&node, known, problem);

	if (result || (result = read_mark(&node, "enter_pct", &marks->enter_pct, problem)) ||
	    (result = read_mark(&node, "leave_pct", &marks->leave_pct, problem)) ||
	    (result = read_duration(&forecast, 0, DAY_NS, &forecast_ns, problem)))
		return result;
	marks->forecast_sec = (double)forecast_ns / (double)NS_PER_SEC;
	return 0;
}

int policy_levels_read(const struct doc_node *root, struct level_config *levels, bool *ret_is_there,
		       struct problem *reterr_problem)
{
	static const char *const known[] = {"warning",		"critical",  "full_pct",
					    "forecast_min_pct", "dwell_sec", NULL};
	struct doc_node node = doc_get(root, "levels"), dwell = doc_get(&node, "dwell_sec"), wrong;
	struct problem order = {0};
	int result = read_object(&node, known, reterr_problem);

	if (result || (result = read_marks(&node, "warning", &levels->warning, reterr_problem)) ||
	    (result = read_marks(&node, "critical", &levels->critical, reterr_problem)) ||
	    (result = read_mark(&node, "full_pct", &levels->full_pct, reterr_problem)) ||
	    (result = read_mark(&node, "forecast_min_pct", &levels->forecast_min_pct,
				reterr_problem)) ||
	    (result = read_duration(&dwell, 0, DWELL_MAX_NS, &levels->dwell_ns, reterr_problem)))
		return result;
	if (ret_is_there)
		*ret_is_there = node.value != NULL;
	if (level_config_check(levels, &order) == 0)
		return 0;
	/* Marks out of order: stats knows which mark, doc knows its line. */
	wrong = doc_get(root, order.path[0] ? order.path : "levels");
	if (!doc_has(&wrong))
		wrong = node;
	return doc_problem(&wrong, reterr_problem, "%s", order.text);
}
