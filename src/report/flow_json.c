/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/flow_json: one entry, and one event, as a line of text or a document. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/units.h"
#include "flow/names.h"
#include "private.h"

static const char *const event_names[FLOW_EVENT_KIND_COUNT] = {
	[FLOW_EVENT_NEW] = "new", [FLOW_EVENT_UPDATE] = "update", [FLOW_EVENT_DESTROY] = "destroy"};

static void add_address(json_t *object, const char *key, uint8_t family, const uint8_t bytes[16])
{
	struct addr addr = {.family = family};
	char text[ADDR_TEXT_MAX];

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	json_add_text(object, key, addr_format(&addr, text));
}

static json_t *json_tuple(const struct flow_tuple *tuple)
{
	json_t *object = json_object();

	add_address(object, "src", tuple->family, tuple->src);
	add_address(object, "dst", tuple->family, tuple->dst);
	switch (tuple->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		json_add_count(object, "type", tuple->dport >> 8);
		json_add_count(object, "code", tuple->dport & 0xff);
		json_add_count(object, "id", tuple->sport);
		break;
	default:
		/* GRE keeps its keys there; protocols without ports have 0 in both. */
		if (!tuple->sport && !tuple->dport && tuple->protocol != IPPROTO_TCP &&
		    tuple->protocol != IPPROTO_UDP)
			break;
		json_add_count(object, "sport", tuple->sport);
		json_add_count(object, "dport", tuple->dport);
	}
	return object;
}

static void add_direction(json_t *document, const char *key, const struct flow *flow, int direction)
{
	json_t *object = json_tuple(&flow->tuple[direction]);

	if (flow->has & FLOW_HAS_COUNTERS) {
		json_add_count(object, "packets", flow->packets[direction]);
		json_add_count(object, "bytes", flow->bytes[direction]);
	}
	json_object_set_new(document, key, object);
}

static void add_status(json_t *document, uint32_t status)
{
	json_t *list = json_array();
	const char *name;
	unsigned bit;

	for (bit = 0; bit < 16; bit++) {
		name = status & (1u << bit) ? status_bit_name(bit) : NULL;
		if (name)
			json_array_append_new(list, json_string(name));
	}
	json_object_set_new(document, "status", list);
}

static void add_labels(json_t *document, const struct flow *flow)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < 8 * sizeof(flow->labels); i++)
		if (flow->labels[i / 8] & (1u << (i % 8)))
			json_array_append_new(list, json_integer(i));
	json_object_set_new(document, "labels", list);
}

static void add_times(json_t *document, const struct flow *flow, const struct flow_timeouts *timeouts,
		      int64_t now_real_ns)
{
	int64_t end = flow->stop_ns ? (int64_t)flow->stop_ns : now_real_ns;
	uint32_t idle;

	if (timeouts && flow_idle_sec(flow, timeouts, &idle))
		json_add_count(document, "idle_sec", idle);
	if (!(flow->has & FLOW_HAS_TIMESTAMP) || !flow->start_ns)
		return;
	if (end >= (int64_t)flow->start_ns)
		json_add_real(document, "age_sec", (double)(end - (int64_t)flow->start_ns) / 1e9);
	json_add_time(document, "start", (int64_t)flow->start_ns);
	if (flow->stop_ns)
		json_add_time(document, "stop", (int64_t)flow->stop_ns);
}

static void add_flow(json_t *document, const struct flow *flow, const struct flow_timeouts *timeouts,
		     int64_t now_real_ns)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];
	char text[NAMES_TEXT_MAX];
	const char *state;

	json_add_text(document, "family", family_name(orig->family));
	json_add_text(document, "protocol", protocol_name(orig->protocol, text));
	json_add_count(document, "protocol_number", orig->protocol);
	state = flow->has & FLOW_HAS_STATE ? state_name(orig->protocol, flow->state) : NULL;
	if (state)
		json_add_text(document, "state", state);
	if (flow->has & FLOW_HAS_TIMEOUT)
		json_add_count(document, "timeout_sec", flow->timeout_sec);
	add_direction(document, "orig", flow, FLOW_ORIG);
	if (flow->has & FLOW_HAS_REPLY)
		add_direction(document, "reply", flow, FLOW_REPLY);
	if (flow->has & FLOW_HAS_STATUS)
		add_status(document, flow->status);
	/* The kernel leaves a mark or zone of 0 out: absent is 0, which is a value. */
	json_add_count(document, "mark", flow->mark);
	json_add_count(document, "zone", flow->zone);
	if (flow->zone_reply != flow->zone)
		json_add_count(document, "zone_reply", flow->zone_reply);
	if (flow->has & FLOW_HAS_ID)
		json_add_count(document, "id", flow->id);
	if (flow->has & FLOW_HAS_LABELS)
		add_labels(document, flow);
	if (flow->has & FLOW_HAS_STATUS)
		json_add_text(document, "class", class_name(flow_class_of(flow)));
	add_times(document, flow, timeouts, now_real_ns);
	if (flow->has & FLOW_HAS_MASTER)
		json_object_set_new(document, "master", json_tuple(&flow->master));
}

json_t *json_flow_brief(const struct flow_brief *brief)
{
	struct flow_tuple orig = {.family = brief->family, .protocol = brief->protocol,
				  .sport = brief->sport, .dport = brief->dport};
	json_t *object = json_object(), *reply;
	char text[NAMES_TEXT_MAX];
	const char *state;

	memcpy(orig.src, brief->src, sizeof(orig.src));
	memcpy(orig.dst, brief->dst, sizeof(orig.dst));
	json_add_text(object, "family", family_name(brief->family));
	json_add_text(object, "protocol", protocol_name(brief->protocol, text));
	json_add_count(object, "protocol_number", brief->protocol);
	state = brief->has & FLOW_HAS_STATE ? state_name(brief->protocol, brief->state) : NULL;
	if (state)
		json_add_text(object, "state", state);
	json_object_set_new(object, "orig", json_tuple(&orig));
	if (brief->has & FLOW_HAS_REPLY) {
		reply = json_object();
		add_address(reply, "src", brief->family, brief->reply_src);
		json_object_set_new(object, "reply", reply);
	}
	if (brief->has & FLOW_HAS_STATUS)
		add_status(object, brief->status);
	json_add_count(object, "mark", brief->mark);
	json_add_count(object, "zone", brief->zone);
	if (brief->has & FLOW_HAS_ID)
		json_add_count(object, "id", brief->id);
	if (brief->has & FLOW_HAS_STATUS)
		json_add_text(object, "class", class_name((enum flow_class)brief->class));
	return object;
}

/* stamp "" : none. */
static int print_line(const struct report_out *out, const char *stamp, const char *line)
{
	size_t len = strlen(line);

	errno = 0;
	if (fputs(stamp, out->file) < 0 || fputs(line, out->file) < 0 ||
	    ((!len || line[len - 1] != '\n') && fputc('\n', out->file) == EOF))
		return errno ? -errno : -EIO;
	return 0;
}

int report_flow(const struct report_out *out, const struct flow *flow, const char *line,
		const struct flow_timeouts *timeouts, int64_t now_real_ns)
{
	json_t *document;

	if (!out->is_json)
		return print_line(out, "", line);
	document = json_document("ctwarden.flow/1");
	add_flow(document, flow, timeouts, now_real_ns);
	return json_print(out, document);
}

static char *stamp_format(bool has_stamp, int64_t now_real_ns, char buf[CLOCK_TEXT_MAX + 1])
{
	if (has_stamp) {
		clock_format_rfc3339(now_real_ns, buf);
		memcpy(buf + strlen(buf), " ", 2);
	} else {
		buf[0] = '\0';
	}
	return buf;
}

int report_event(const struct report_out *out, enum flow_event_kind kind, const struct flow *flow,
		 const char *line, bool has_stamp, int64_t now_real_ns)
{
	char stamp[CLOCK_TEXT_MAX + 1];
	json_t *document;

	if (!out->is_json)
		return print_line(out, stamp_format(has_stamp, now_real_ns, stamp), line);
	document = json_document("ctwarden.event/1");
	json_add_text(document, "event", event_names[kind]);
	json_add_time(document, "time", now_real_ns);
	add_flow(document, flow, NULL, now_real_ns);
	return json_print(out, document);
}

int report_lost(const struct report_out *out, uint64_t count, bool has_stamp, int64_t now_real_ns)
{
	char stamp[CLOCK_TEXT_MAX + 1], number[UNITS_TEXT_MAX], line[128];
	json_t *document;

	if (!out->is_json) {
		/* As wide as conntrack's "[DESTROY]" and the like. */
		snprintf(line, sizeof(line), "%9s %s event%s: the socket's buffer was full", "[LOST]",
			 units_format_count(count, number), units_plural(count));
		return print_line(out, stamp_format(has_stamp, now_real_ns, stamp), line);
	}
	document = json_document("ctwarden.event/1");
	json_add_text(document, "event", "lost");
	json_add_time(document, "time", now_real_ns);
	json_add_count(document, "count", count);
	return json_print(out, document);
}
