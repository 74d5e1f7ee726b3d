/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view_breakdown: alarms and toplines of the log back into what report shows. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "field.h"
#include "flow/names.h"
#include "view.h"

static const char *text_of(const struct doc_node *object, const char *key)
{
	struct doc_node node = doc_get(object, key);
	const char *text = NULL;

	doc_text(&node, &text, PROBLEM_IGNORED);
	return text ? text : "";
}

static int64_t number_of(const struct doc_node *object, const char *key)
{
	struct doc_node node = doc_get(object, key);
	int64_t number = 0;

	doc_whole(&node, 0, UINT32_MAX, &number, PROBLEM_IGNORED);
	return number;
}

static bool read_address(const struct doc_node *object, const char *key, uint8_t bytes[16], uint8_t *family)
{
	struct prefix prefix;

	if (prefix_parse(text_of(object, key), &prefix, PROBLEM_IGNORED))
		return false;
	memcpy(bytes, prefix.addr.bytes, sizeof(prefix.addr.bytes));
	*family = prefix.addr.family;
	return true;
}

static void read_class(const struct doc_node *node, struct flow_brief *flow)
{
	const char *class = text_of(node, "class");

	for (int i = 0; i < FLOW_CLASS_COUNT; i++) {
		if (strcmp(class, class_name((enum flow_class)i)))
			continue;
		flow->class = (uint8_t)i;
		flow->has |= FLOW_HAS_STATUS;
	}
}

static void read_state(const struct doc_node *node, struct flow_brief *flow)
{
	const char *state = text_of(node, "state"), *name;

	for (unsigned i = 0; *state && i < 32; i++) {
		name = state_name(flow->protocol, (uint8_t)i);
		if (!name || strcmp(name, state))
			continue;
		flow->state = (uint8_t)i;
		flow->has |= FLOW_HAS_STATE;
		return;
	}
}

/* False: no flow to show. */
static bool read_example(const struct doc_node *node, struct flow_brief *flow)
{
	bool is_icmp;

	memset(flow, 0, sizeof(*flow));
	flow->protocol = (uint8_t)number_of(node, "protocol_number");
	is_icmp = flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
	if (!read_address(node, "orig.src", flow->src, &flow->family) ||
	    !read_address(node, "orig.dst", flow->dst, &flow->family))
		return false;
	if (read_address(node, "reply.src", flow->reply_src, &flow->family))
		flow->has |= FLOW_HAS_REPLY;
	flow->sport = (uint16_t)number_of(node, is_icmp ? "orig.id" : "orig.sport");
	flow->dport = is_icmp ? (uint16_t)(number_of(node, "orig.type") << 8 | number_of(node, "orig.code"))
			      : (uint16_t)number_of(node, "orig.dport");
	flow->mark = (uint32_t)number_of(node, "mark");
	flow->zone = (uint16_t)number_of(node, "zone");
	read_class(node, flow);
	read_state(node, flow);
	return true;
}

/* What others there are is told of the sources alone: of other tables the whole is known, not how many keys. */
static void set_totals(const struct snapshot_top *sources, struct snapshot_top *top)
{
	top->totals.entries = sources->totals.entries;
	top->totals.keys = top->used;
}

static int read_tops(const struct doc_node *root, struct snapshot *s, struct problem *problem)
{
	int result;

	if ((result = view_read_top(root, "top_prefixes", RANKING_BY_PREFIX, &s->prefixes, problem)) ||
	    (result = view_read_top(root, "top_services", RANKING_BY_SERVICE, &s->services, problem)) ||
	    (result = view_read_top(root, "top_destinations", RANKING_BY_DESTINATION, &s->destinations, problem)))
		return result;
	set_totals(&s->sources, &s->prefixes);
	set_totals(&s->sources, &s->services);
	set_totals(&s->sources, &s->destinations);
	return 0;
}

static int read_breakdown(const struct doc_node *root, struct alarm *alarm, bool *is_alarm, struct problem *problem)
{
	static const char *const levels[] = {"ok", "warning", "critical", "full", NULL};
	struct doc_node list = doc_get(root, "examples"), node = doc_get(root, "previous");
	const char *schema = text_of(root, "schema");
	struct snapshot *s = &alarm->at;
	int level = 0, result;

	*is_alarm = !strcmp(schema, "ctwarden.alarm/1");
	if (!*is_alarm && strcmp(schema, "ctwarden.topline/1"))
		return problem_set(problem, "", "this record has no breakdown; see -j");
	if ((result = doc_choice(&node, levels, &level, problem)) || (result = view_read_status(root, s, problem)) ||
	    (result = read_tops(root, s, problem)))
		return result;
	alarm->previous = (enum level)level;
	for (size_t i = 0; i < doc_count(&list) && s->examples_used < SNAPSHOT_EXAMPLES; i++) {
		node = doc_at(&list, i);
		s->examples_used += read_example(&node, &s->examples[s->examples_used]);
	}
	return 0;
}

int view_breakdown(const char *document, struct alarm *ret_alarm, bool *ret_is_alarm, struct problem *reterr_problem)
{
	struct alarm *alarm;
	struct doc_node root;
	bool is_alarm = false;
	struct doc *doc;
	int result = doc_parse(document, strlen(document), "log", false, &doc, reterr_problem);

	if (result)
		return result;
	alarm = mem_alloc(sizeof(*alarm));
	root = doc_root(doc);
	result = read_breakdown(&root, alarm, &is_alarm, reterr_problem);
	if (!result) {
		*ret_alarm = *alarm;
		*ret_is_alarm = is_alarm;
	}
	free(alarm);
	doc_free(doc);
	return result;
}
