/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved_json: entries from documents ctwarden.flow/1. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "doc/doc.h"
#include "flow/names.h"
#include "saved_private.h"

#define NS_IN_SEC 1000000000ll

static int read_u(const struct doc_node *object, const char *key, int64_t max, uint64_t *ret,
		  bool *ret_is_there, struct problem *problem)
{
	struct doc_node node = doc_get(object, key);
	int64_t number = 0;
	int result = doc_whole(&node, 0, max, &number, problem);

	if (result < 0)
		return result;
	if (ret_is_there)
		*ret_is_there = node.value != NULL;
	if (node.value)
		*ret = (uint64_t)number;
	return 0;
}

static int read_port(const struct doc_node *object, const char *key, uint16_t *ret,
		     struct problem *problem)
{
	uint64_t number = *ret;
	int result = read_u(object, key, UINT16_MAX, &number, NULL, problem);

	*ret = (uint16_t)number;
	return result;
}

static int read_address(const struct doc_node *object, const char *key, struct flow_tuple *tuple,
			uint8_t bytes[16], struct problem *problem)
{
	struct doc_node node = doc_get(object, key);
	const char *text = NULL;
	int result = doc_text(&node, &text, problem);

	if (result < 0)
		return result;
	if (!text || saved_address(tuple, text, bytes) < 0)
		return doc_problem(&node, problem, "an address is expected");
	return 0;
}

static int read_tuple(const struct doc_node *node, uint8_t protocol, struct flow_tuple *tuple,
		      struct problem *problem)
{
	uint16_t type = 0, code = 0;
	int result;

	tuple->protocol = protocol;
	if ((result = read_address(node, "src", tuple, tuple->src, problem)) ||
	    (result = read_address(node, "dst", tuple, tuple->dst, problem)))
		return result;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		if ((result = read_port(node, "type", &type, problem)) ||
		    (result = read_port(node, "code", &code, problem)))
			return result;
		tuple->dport = (uint16_t)(type << 8 | (code & 0xff));
		return read_port(node, "id", &tuple->sport, problem);
	}
	if ((result = read_port(node, "sport", &tuple->sport, problem)))
		return result;
	return read_port(node, "dport", &tuple->dport, problem);
}

static int read_direction(const struct doc_node *root, const char *key, int direction,
			  uint8_t protocol, struct flow *flow, struct problem *problem)
{
	struct doc_node node = doc_get(root, key);
	bool has_packets = false;
	int result;

	if (!node.value && direction == FLOW_REPLY)
		return 0;
	if ((result = read_tuple(&node, protocol, &flow->tuple[direction], problem)) ||
	    (result = read_u(&node, "packets", INT64_MAX, &flow->packets[direction], &has_packets,
			     problem)) ||
	    (result = read_u(&node, "bytes", INT64_MAX, &flow->bytes[direction], NULL, problem)))
		return result;
	if (has_packets)
		flow->has |= FLOW_HAS_COUNTERS;
	return 0;
}

static int read_status(const struct doc_node *root, struct flow *flow, struct problem *problem)
{
	struct doc_node list = doc_get(root, "status"), item;
	uint32_t value, mask;
	const char *text;
	int result;

	for (size_t i = 0; i < doc_count(&list); i++) {
		item = doc_at(&list, i);
		text = "";
		result = doc_text(&item, &text, problem);
		if (result < 0)
			return result;
		if (status_parse(text, &value, &mask) == 0)
			flow->status |= value;
	}
	return 0;
}

static int read_labels(const struct doc_node *root, struct flow *flow, struct problem *problem)
{
	struct doc_node list = doc_get(root, "labels"), item;
	int64_t label;
	int result;

	for (size_t i = 0; i < doc_count(&list); i++) {
		item = doc_at(&list, i);
		label = 0;
		result = doc_whole(&item, 0, 127, &label, problem);
		if (result < 0)
			return result;
		flow->labels[label / 8] |= (uint8_t)(1u << (label % 8));
		flow->has |= FLOW_HAS_LABELS;
	}
	return 0;
}

static int read_state(const struct doc_node *root, uint8_t protocol, struct flow *flow,
		      struct problem *problem)
{
	struct doc_node node = doc_get(root, "state");
	const char *text = NULL;
	char state[64];
	int result = doc_text(&node, &text, problem);

	if (result < 0 || !text)
		return result;
	snprintf(state, sizeof(state), "%u:%s", protocol, text);
	if (state_parse(state, &protocol, &flow->state) < 0)
		return doc_problem(&node, problem, "a state of the protocol is expected");
	flow->has |= FLOW_HAS_STATE;
	return 0;
}

static int read_numbers(const struct doc_node *root, int64_t now_real_ns, struct flow *flow,
			struct problem *problem)
{
	uint64_t timeout = 0, mark = 0, zone = 0, zone_reply, id = 0;
	struct doc_node age = doc_get(root, "age_sec");
	bool has_timeout = false, has_id = false;
	double age_sec = -1;
	int result;

	if ((result = read_u(root, "timeout_sec", UINT32_MAX, &timeout, &has_timeout, problem)) ||
	    (result = read_u(root, "mark", UINT32_MAX, &mark, NULL, problem)) ||
	    (result = read_u(root, "zone", UINT16_MAX, &zone, NULL, problem)) ||
	    (result = read_u(root, "id", UINT32_MAX, &id, &has_id, problem)))
		return result;
	zone_reply = zone;
	if ((result = read_u(root, "zone_reply", UINT16_MAX, &zone_reply, NULL, problem)) ||
	    (result = doc_number(&age, 0, 1e10, &age_sec, problem)))
		return result;
	flow->timeout_sec = (uint32_t)timeout;
	flow->mark = (uint32_t)mark;
	flow->zone = (uint16_t)zone;
	flow->zone_reply = (uint16_t)zone_reply;
	flow->id = (uint32_t)id;
	flow->has |= (has_timeout ? FLOW_HAS_TIMEOUT : 0) | (mark ? FLOW_HAS_MARK : 0) |
		     (has_id ? FLOW_HAS_ID : 0);
	if (age_sec >= 0 && age_sec * 1e9 < (double)now_real_ns) {
		flow->start_ns = (uint64_t)(now_real_ns - (int64_t)(age_sec * 1e9));
		flow->has |= FLOW_HAS_TIMESTAMP;
	}
	return 0;
}

static int read_master(const struct doc_node *root, struct flow *flow, struct problem *problem)
{
	struct doc_node node = doc_get(root, "master");

	if (!node.value)
		return 0;
	flow->has |= FLOW_HAS_MASTER;
	return read_tuple(&node, flow->tuple[FLOW_ORIG].protocol, &flow->master, problem);
}

static int read_flow(const struct doc_node *root, int64_t now_real_ns, struct flow *flow,
		     struct problem *problem)
{
	struct doc_node schema = doc_get(root, "schema"), number = doc_get(root, "protocol_number");
	const char *text = "";
	int64_t protocol = -1;
	int result;

	if (doc_text(&schema, &text, NULL) < 0 || strcmp(text, "ctwarden.flow/1"))
		return doc_problem(&schema, problem, "\"ctwarden.flow/1\" is expected");
	if ((result = doc_whole(&number, 0, 255, &protocol, problem)))
		return result;
	if (protocol < 0)
		return doc_problem(&number, problem, "is missing");
	if ((result = read_direction(root, "orig", FLOW_ORIG, (uint8_t)protocol, flow, problem)) ||
	    (result =
		     read_direction(root, "reply", FLOW_REPLY, (uint8_t)protocol, flow, problem)) ||
	    (result = read_state(root, (uint8_t)protocol, flow, problem)) ||
	    (result = read_status(root, flow, problem)) ||
	    (result = read_labels(root, flow, problem)) ||
	    (result = read_master(root, flow, problem)))
		return result;
	return read_numbers(root, now_real_ns, flow, problem);
}

int saved_json(const char *line, size_t len, int64_t now_real_ns, struct flow *ret_flow,
	       struct problem *problem)
{
	struct flow flow = {0};
	struct doc_node root;
	struct doc *doc;
	int result = doc_parse(line, len, "", false, &doc, problem);

	if (result < 0)
		return -EINVAL;
	root = doc_root(doc);
	result = read_flow(&root, now_real_ns, &flow, problem);
	doc_free(doc);
	if (!result)
		result = saved_complete(&flow, problem);
	if (!result)
		*ret_flow = flow;
	return result;
}
