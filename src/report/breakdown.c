/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/breakdown: a kept record for people: what status would have said then, and the whole breakdown. */
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "private.h"

#define EXAMPLE_MAX 320

static void print_heading(const struct report_out *out, const struct snapshot *s)
{
	char buf[160], stamp[CLOCK_TEXT_MAX];
	struct line line;

	line_start(&line, out, "");
	line_add(&line, "%s", clock_format_local(s->fill.now.real_ns, stamp));
	line_add(&line, "%s", place_format(&s->netns, s->is_daemon_view ? "daemon" : "kernel", buf, sizeof(buf)));
	line_end(&line);
}

static void print_protocols(const struct report_out *out, const struct snapshot *s)
{
	char name[NAMES_TEXT_MAX], number[UNITS_TEXT_MAX];
	uint64_t sum = 0;
	struct line line;
	int i;

	for (i = 0; i < 256; i++)
		sum += s->protocols[i];
	if (!sum)
		return;
	line_start(&line, out, "protocols");
	for (i = 0; i < 256; i++)
		if (s->protocols[i])
			line_add(&line, "%s %s (%.1f %%)", protocol_name((uint8_t)i, name),
				 units_format_count(s->protocols[i], number), share_of(s->protocols[i], sum));
	line_end(&line);
}

static void print_table(const struct report_out *out, const struct snapshot_top *top, const char *title)
{
	struct table table = {
		.rows = top->rows, .used = top->used, .totals = &top->totals,
		.context = {.config = &top->config, .whole = top->totals.entries,
			    .has_rates = rows_have_rates(top->rows, top->used, &top->totals)}};

	if (!top->used)
		return;
	fprintf(out->file, "\nby %s\n", title);
	table_print(out, &table);
}

/* The classes of the pass as rows, the heaviest first. */
static void print_classes(const struct report_out *out, const struct snapshot *s)
{
	struct snapshot_top top = {.by = RANKING_BY_CLASS, .config = ranking_config_default(RANKING_BY_CLASS)};
	bool is_shown[FLOW_CLASS_COUNT] = {false};
	struct ranking_row *row;
	int i, most;

	for (;;) {
		for (i = 0, most = -1; i < FLOW_CLASS_COUNT; i++)
			if (s->classes[i] && !is_shown[i] && (most < 0 || s->classes[i] > s->classes[most]))
				most = i;
		if (most < 0)
			break;
		is_shown[most] = true;
		row = &top.rows[top.used++];
		row->key.value = (uint32_t)most;
		row->entries = row->classes[most] = (uint32_t)s->classes[most];
		top.totals.entries += s->classes[most];
	}
	top.totals.keys = top.used;
	print_table(out, &top, "class");
}

static void add_end(struct text *t, const struct flow_brief *flow, const char *key, const uint8_t bytes[16])
{
	struct addr addr = {.family = flow->family};
	char text[ADDR_TEXT_MAX];

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	text_add(t, " %s=%s", key, addr_format(&addr, text));
}

/* As conntrack writes entries, as far as it is known. */
static void print_example(const struct report_out *out, const struct flow_brief *flow)
{
	char buf[EXAMPLE_MAX], name[NAMES_TEXT_MAX];
	const char *state = flow->has & FLOW_HAS_STATE ? state_name(flow->protocol, flow->state) : NULL;
	bool is_icmp = flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6;
	struct line line;
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%s%s%s", protocol_name(flow->protocol, name), state ? " " : "", state ? state : "");
	add_end(&t, flow, "src", flow->src);
	add_end(&t, flow, "dst", flow->dst);
	if (is_icmp)
		text_add(&t, " type=%u code=%u id=%u", flow->dport >> 8, flow->dport & 0xffu, flow->sport);
	else if (flow->sport || flow->dport)
		text_add(&t, " sport=%u dport=%u", flow->sport, flow->dport);
	if ((flow->has & FLOW_HAS_REPLY) && memcmp(flow->reply_src, flow->dst, sizeof(flow->dst)))
		add_end(&t, flow, "reply-src", flow->reply_src);
	if (flow->mark)
		text_add(&t, " mark=%u", flow->mark);
	if (flow->zone)
		text_add(&t, " zone=%u", flow->zone);
	if (flow->has & FLOW_HAS_STATUS)
		text_add(&t, " (%s)", class_name((enum flow_class)flow->class));
	line_start(&line, out, "");
	line_add(&line, "%s", buf);
	line_end(&line);
}

int report_breakdown(const struct report_out *out, const struct alarm *alarm, bool is_alarm)
{
	const struct snapshot *s = &alarm->at;
	size_t i;

	print_heading(out, s);
	status_lines(out, s, is_alarm ? &alarm->previous : NULL);
	print_protocols(out, s);
	print_table(out, &s->sources, "source");
	print_table(out, &s->prefixes, "prefix");
	print_table(out, &s->services, "service");
	print_table(out, &s->destinations, "destination");
	print_classes(out, s);
	if (s->examples_used)
		fputs("\nexamples\n", out->file);
	for (i = 0; i < s->examples_used; i++)
		print_example(out, &s->examples[i]);
	return report_flush(out);
}
