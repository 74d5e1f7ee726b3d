/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/action: reads "do": the action and its parameters. A parameter is one row of readers[];
 * which action takes it says policy_actions[]. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "flow/names.h"
#include "policy/words.h"
#include "private.h"

#define HOUR_NS		   (3600 * NS_PER_SEC)
#define DAY_NS		   (24 * HOUR_NS)
#define FLOOR_MAX_NS	   (366 * DAY_NS)
#define MIN_AGE_DEFAULT_NS (3 * NS_PER_SEC) /* a SYN-ACK may be on its way */
#define BAN_DEFAULT_NS	   (600 * NS_PER_SEC)

/* Offloaded entries have no timeout and their counters stand still: nothing says that they are
 * idle. */
static bool is_victim(enum flow_class class)
{
	return class != FLOW_CLASS_OFFLOADED && class != FLOW_CLASS_OTHER;
}

struct classes_reading {
	struct policy_do *action;
	struct problem *problem;
};

static int on_class(const struct doc_node *item, void *arg)
{
	const char *names[FLOW_CLASS_COUNT + 1];
	struct classes_reading *r = arg;
	unsigned count = 0;
	int choice = 0, result;

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		if (is_victim((enum flow_class)i))
			names[count++] = class_name((enum flow_class)i);
	names[count] = NULL;
	result = doc_choice(item, names, &choice, r->problem);
	if (result < 0)
		return result;
	for (unsigned i = 0; i < r->action->class_count; i++)
		if (!strcmp(class_name(r->action->classes[i]), names[choice]))
			return doc_problem(item, r->problem, "%s is there twice; once is expected",
					   names[choice]);
	return class_parse(names[choice], &r->action->classes[r->action->class_count++]);
}

static int read_classes(const struct doc_node *node, struct policy_do *action,
			struct problem *problem)
{
	struct classes_reading r = {action, problem};

	action->class_count = 0; /* instead of the default */
	return read_list(node, FLOW_CLASS_COUNT, on_class, &r, problem);
}

static int read_floor(const struct doc_node *node, enum flow_class class, int64_t *floor_ns,
		      struct problem *problem)
{
	int64_t least = policy_floor_min_ns(class);
	char text[UNITS_TEXT_MAX];
	int result = read_duration(node, 0, FLOOR_MAX_NS, floor_ns, problem);

	if (!result && node->value && *floor_ns < least)
		return doc_problem(node, problem,
				   "is under %s, which such a flow may be silent for (RFC %s)",
				   units_format_duration(least, text),
				   class == FLOW_CLASS_ESTABLISHED ? "5382" : "4787");
	return result;
}

static int read_floors(const struct doc_node *node, struct policy_do *action,
		       struct problem *problem)
{
	const char *known[FLOW_CLASS_COUNT + 1];
	enum flow_class classes[FLOW_CLASS_COUNT];
	struct doc_node member;
	unsigned count = 0;
	int result;

	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (!is_victim((enum flow_class)i))
			continue;
		classes[count] = (enum flow_class)i;
		known[count++] = class_name((enum flow_class)i);
	}
	known[count] = NULL;
	result = read_object(node, known, problem);
	for (unsigned i = 0; !result && i < count; i++) {
		member = doc_get(node, known[i]);
		result = read_floor(&member, classes[i], &action->floors_ns[classes[i]], problem);
	}
	return result;
}

static int read_min_age(const struct doc_node *node, struct policy_do *action,
			struct problem *problem)
{
	return read_duration(node, 0, HOUR_NS, &action->min_age_ns, problem);
}

static int read_signature(const struct doc_node *node, struct policy_do *action,
			  struct problem *problem)
{
	return doc_bool(node, &action->has_signature, problem);
}

static int read_active_at_full(const struct doc_node *node, struct policy_do *action,
			       struct problem *problem)
{
	return doc_bool(node, &action->takes_active_at_full, problem);
}

static int read_start(const struct doc_node *node, struct policy_do *action,
		      struct problem *problem)
{
	return read_number(node, 0, 1000, &action->start_pct, problem);
}

static int read_end(const struct doc_node *node, struct policy_do *action, struct problem *problem)
{
	return read_number(node, 0, 1000, &action->end_pct, problem);
}

static int read_ban_duration(const struct doc_node *node, struct policy_do *action,
			     struct problem *problem)
{
	return read_duration(node, NS_PER_SEC, DAY_NS, &action->duration_ns, problem);
}

static int read_max_bans(const struct doc_node *node, struct policy_do *action,
			 struct problem *problem)
{
	return read_count(node, 1, 65536, &action->max_bans, problem);
}

static int read_rate(const struct doc_node *node, struct policy_do *action, struct problem *problem)
{
	return read_number(node, 0, 1e6, &action->rate_per_sec, problem);
}

static int read_set(const struct doc_node *node, struct policy_do *action, struct problem *problem)
{
	const char *known[32];
	struct doc_node member;
	uint64_t seconds;
	uint32_t value;
	size_t i;
	int result;

	for (i = 0; i < policy_timeout_count; i++)
		known[i] = policy_timeouts[i].key;
	known[i] = NULL;
	result = read_object(node, known, problem);
	if (!result && !doc_count(node))
		return doc_problem(node, problem,
				   "name a timeout and its seconds, as in \"udp\": 10");
	for (i = 0; !result && i < policy_timeout_count; i++) {
		int64_t ns = 0;

		member = doc_get(node, known[i]);
		if (!member.value)
			continue;
		result = read_duration(&member, policy_timeouts[i].min_sec * NS_PER_SEC,
				       FLOOR_MAX_NS, &ns, problem);
		seconds = (uint64_t)(ns / NS_PER_SEC);
		value = (uint32_t)seconds;
		memcpy((char *)&action->set + policy_timeouts[i].offset, &value, sizeof(value));
	}
	return result;
}

typedef int param_reader(const struct doc_node *node, struct policy_do *action,
			 struct problem *problem);

static param_reader *const readers[POLICY_PARAM_COUNT] = {
	[POLICY_PARAM_CLASSES] = read_classes,
	[POLICY_PARAM_FLOORS] = read_floors,
	[POLICY_PARAM_MIN_AGE] = read_min_age,
	[POLICY_PARAM_SIGNATURE] = read_signature,
	[POLICY_PARAM_ACTIVE_AT_FULL] = read_active_at_full,
	[POLICY_PARAM_START] = read_start,
	[POLICY_PARAM_END] = read_end,
	[POLICY_PARAM_DURATION] = read_ban_duration,
	[POLICY_PARAM_MAX_BANS] = read_max_bans,
	[POLICY_PARAM_RATE] = read_rate,
	[POLICY_PARAM_SET] = read_set,
};

static void set_default(struct policy_do *action, enum policy_action which)
{
	static const enum flow_class unanswered[] = {FLOW_CLASS_UNREPLIED, FLOW_CLASS_PICKUP,
						     FLOW_CLASS_HALF_OPEN};

	*action = (struct policy_do){.action = which};
	if (which == POLICY_ACTION_EVICT) {
		memcpy(action->classes, unanswered, sizeof(unanswered));
		action->class_count = sizeof(unanswered) / sizeof(unanswered[0]);
		action->min_age_ns = MIN_AGE_DEFAULT_NS;
		action->has_signature = true;
	} else if (which == POLICY_ACTION_SHORTEN) {
		action->classes[0] = FLOW_CLASS_CLOSING;
		action->class_count = 1;
		action->start_pct = 60; /* pf: adaptive.start and .end */
		action->end_pct = 120;
	} else if (which == POLICY_ACTION_BAN) {
		action->duration_ns = BAN_DEFAULT_NS;
		action->max_bans = 64;
	}
}

/* Every class that is taken has a floor that is no less than the RFCs'; a floor of a class not
 * taken is a slip. */
static int check_floors(const struct doc_node *node, struct policy_do *action,
			struct problem *problem)
{
	bool is_taken[FLOW_CLASS_COUNT] = {false};
	struct doc_node floors = doc_get(node, "floors"), wrong;
	enum flow_class class;

	for (unsigned i = 0; i < action->class_count; i++) {
		class = action->classes[i];
		is_taken[class] = true;
		if (action->floors_ns[class] < policy_floor_min_ns(class))
			action->floors_ns[class] = policy_floor_min_ns(class);
	}
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++) {
		wrong = doc_get(&floors, class_name((enum flow_class)i));
		if (wrong.value && !is_taken[i])
			return doc_problem(&wrong, problem,
					   "a floor for a class that is not in \"classes\"");
	}
	return 0;
}

static int check_params(const struct doc_node *node, struct policy_do *action,
			struct problem *problem)
{
	struct doc_node wrong;
	int result = check_floors(node, action, problem);

	if (result)
		return result;
	if (action->action == POLICY_ACTION_SHORTEN && !(action->end_pct > action->start_pct)) {
		wrong = doc_get(node, doc_get(node, "end_pct").value ? "end_pct" : "start_pct");
		return doc_problem(&wrong, problem, "end_pct (%g) must be above start_pct (%g)",
				   action->end_pct, action->start_pct);
	}
	if (action->action == POLICY_ACTION_TIMEOUTS && !doc_get(node, "set").value)
		return doc_problem(node, problem,
				   "\"set\" is missing: which timeouts, as in {\"udp\": 10}");
	return 0;
}

/* "do": "sweep" is short for {"action": "sweep"}. */
int action_read(const struct doc_node *node, struct policy_do *action, struct problem *problem)
{
	const char *names[POLICY_ACTION_COUNT + 1], *known[POLICY_PARAM_COUNT + 2];
	struct doc_node which = *node, member;
	int choice = -1, result;
	size_t count = 0;

	for (unsigned i = 0; i < POLICY_ACTION_COUNT; i++)
		names[i] = policy_actions[i].name;
	names[POLICY_ACTION_COUNT] = NULL;
	if (doc_is_object(node))
		which = doc_get(node, "action");
	result = doc_choice(&which, names, &choice, problem);
	if (result < 0)
		return result;
	if (choice < 0)
		return doc_problem(node, problem, "%s: sweep, shorten, evict, ban, timeouts or log",
				   doc_is_object(node) ? "\"action\" is missing" : "is missing");
	set_default(action, (enum policy_action)choice);
	known[count++] = "action";
	for (unsigned i = 0; i < POLICY_PARAM_COUNT; i++)
		if (policy_actions[choice].params & 1u << i)
			known[count++] = policy_param_keys[i];
	known[count] = NULL;
	result = doc_is_object(node) ? read_object(node, known, problem) : 0;
	for (unsigned i = 0; !result && i < POLICY_PARAM_COUNT; i++) {
		member = doc_get(node, policy_param_keys[i]);
		if (member.value)
			result = readers[i](&member, action, problem);
	}
	return result ? result : check_params(node, action, problem);
}
