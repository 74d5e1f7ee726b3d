/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows and events as lines and documents. */
#include "report_fixture.h"

static void set_address(uint8_t bytes[16], const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr, NULL), 0);
	memcpy(bytes, addr.bytes, sizeof(addr.bytes));
}

static struct flow fixture_flow(uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct flow flow = {0};
	struct flow_tuple *orig = &flow.tuple[FLOW_ORIG], *reply = &flow.tuple[FLOW_REPLY];

	orig->family = reply->family = AF_INET;
	orig->protocol = reply->protocol = protocol;
	orig->sport = reply->dport = sport;
	orig->dport = reply->sport = dport;
	set_address(orig->src, "10.1.0.66");
	set_address(orig->dst, "192.0.2.7");
	set_address(reply->src, "192.0.2.7");
	set_address(reply->dst, "203.0.113.1");
	flow.has = FLOW_HAS_STATUS | FLOW_HAS_REPLY | FLOW_HAS_TIMEOUT | FLOW_HAS_ID;
	flow.status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | FLOW_STATUS_CONFIRMED | FLOW_STATUS_SRC_NAT;
	flow.timeout_sec = 431990;
	flow.id = 4000000000u;
	return flow;
}

static struct flow fixture_tcp(void)
{
	struct flow flow = fixture_flow(IPPROTO_TCP, 40000, 443);

	flow.has |= FLOW_HAS_STATE | FLOW_HAS_COUNTERS | FLOW_HAS_TIMESTAMP | FLOW_HAS_LABELS | FLOW_HAS_MARK;
	flow.state = FLOW_TCP_ESTABLISHED;
	flow.mark = 5;
	flow.zone = 3;
	flow.packets[0] = 10;
	flow.bytes[0] = 1234;
	flow.packets[1] = 9;
	flow.bytes[1] = 99999;
	flow.start_ns = FIXTURE_NOW - 3 * NS_PER_SEC;
	flow.labels[0] = 1;
	flow.labels[15] = 0x80;
	return flow;
}

static void flow_document_has_all_parts(void **state)
{
	struct flow_timeouts timeouts = flow_timeouts_default();
	struct flow flow = fixture_tcp();
	struct capture c;

	(void)state;
	capture_start(&c, 80, false);
	c.out.is_json = true;
	assert_int_equal(report_flow(&c.out, &flow, NULL, &timeouts, FIXTURE_NOW), 0);
	capture_compare(&c, "flow-tcp.json");
}

static void icmp_has_type_and_code_and_no_ports(void **state)
{
	struct flow flow = fixture_flow(IPPROTO_ICMP, 77, 8 << 8);
	struct capture c;

	(void)state;
	flow.status = 0;
	capture_start(&c, 80, false);
	c.out.is_json = true;
	assert_int_equal(report_flow(&c.out, &flow, NULL, NULL, FIXTURE_NOW), 0);
	capture_compare(&c, "flow-icmp.json");
}

static void flow_text_is_the_line_given(void **state)
{
	struct flow flow = fixture_tcp();
	struct capture c;

	(void)state;
	capture_start(&c, 80, false);
	assert_int_equal(report_flow(&c.out, &flow, "ipv4 2 tcp 6 ...", NULL, 0), 0);
	assert_int_equal(report_flow(&c.out, &flow, "ended\n", NULL, 0), 0);
	fclose(c.out.file);
	assert_string_equal(c.text, "ipv4 2 tcp 6 ...\nended\n");
	free(c.text);
}

static void event_document_leads_with_event_and_time(void **state)
{
	struct flow flow = fixture_tcp();
	struct capture c;

	(void)state;
	flow.stop_ns = FIXTURE_NOW - NS_PER_SEC;
	flow.has &= ~(uint32_t)(FLOW_HAS_STATUS | FLOW_HAS_TIMEOUT);
	capture_start(&c, 80, false);
	c.out.is_json = true;
	assert_int_equal(report_event(&c.out, FLOW_EVENT_DESTROY, &flow, NULL, true, FIXTURE_NOW), 0);
	capture_compare(&c, "event-destroy.json");
}

static void event_text_has_the_stamp_asked_for(void **state)
{
	struct flow flow = fixture_tcp();
	struct capture c;

	(void)state;
	capture_start(&c, 80, false);
	assert_int_equal(report_event(&c.out, FLOW_EVENT_NEW, &flow, "    [NEW] tcp", true, FIXTURE_NOW), 0);
	assert_int_equal(report_event(&c.out, FLOW_EVENT_NEW, &flow, "    [NEW] tcp", false, FIXTURE_NOW), 0);
	fclose(c.out.file);
	assert_string_equal(c.text, "2026-11-25T09:41:07.123Z     [NEW] tcp\n    [NEW] tcp\n");
	free(c.text);
}

static void lost_events_are_a_line_of_their_own(void **state)
{
	struct capture c;

	(void)state;
	capture_start(&c, 80, false);
	assert_int_equal(report_lost(&c.out, 1234, false, FIXTURE_NOW), 0);
	assert_int_equal(report_lost(&c.out, 1, true, FIXTURE_NOW), 0);
	capture_compare(&c, "event-lost.txt");
	capture_start(&c, 80, false);
	c.out.is_json = true;
	assert_int_equal(report_lost(&c.out, 1234, false, FIXTURE_NOW), 0);
	capture_compare(&c, "event-lost.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_document_has_all_parts),
		cmocka_unit_test(icmp_has_type_and_code_and_no_ports),
		cmocka_unit_test(flow_text_is_the_line_given),
		cmocka_unit_test(event_document_leads_with_event_and_time),
		cmocka_unit_test(event_text_has_the_stamp_asked_for),
		cmocka_unit_test(lost_events_are_a_line_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
