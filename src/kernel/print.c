/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/print: entries as conntrack writes them. The text is libnetfilter_conntrack's own,
 * which is what that tool prints, so that both stay the same whatever the library's version. */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/mem.h"

struct printer {
	char text[4096];
};

struct printer *printer_new(void)
{
	return mem_alloc(sizeof(struct printer));
}

void printer_free(struct printer *printer)
{
	free(printer);
}

/* The library ends the whole program ("ctnetlink kernel ABI is broken") on an attribute that has
 * not the length of its kind. So what it checks is checked here first, level by level, and such a
 * message is not given to it. */
enum level {
	LEVEL_TOP,
	LEVEL_TUPLE,
	LEVEL_IP,
	LEVEL_PROTO,
	LEVEL_INFO,
	LEVEL_TCP,
	LEVEL_SCTP,
	LEVEL_DCCP,
	LEVEL_COUNTERS,
	LEVEL_SEQ,
	LEVEL_HELP,
	LEVEL_SECCTX,
	LEVEL_TIMESTAMP,
	LEVEL_SYNPROXY,
	LEVEL_NONE, /* no nest: size bytes */
	LEVEL_TEXT, /* ends with a 0 */
};

static const struct rule {
	enum level in;
	uint16_t first, last; /* attribute types */
	enum level inside;
	uint16_t size; /* exactly, of LEVEL_NONE */
} rules[] = {
	{LEVEL_TOP, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, LEVEL_TUPLE, 0},
	{LEVEL_TOP, CTA_TUPLE_MASTER, CTA_TUPLE_MASTER, LEVEL_TUPLE, 0},
	{LEVEL_TOP, CTA_STATUS, CTA_STATUS, LEVEL_NONE, 4},
	{LEVEL_TOP, CTA_PROTOINFO, CTA_PROTOINFO, LEVEL_INFO, 0},
	{LEVEL_TOP, CTA_HELP, CTA_HELP, LEVEL_HELP, 0},
	{LEVEL_TOP, CTA_TIMEOUT, CTA_MARK, LEVEL_NONE, 4},
	{LEVEL_TOP, CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, LEVEL_COUNTERS, 0},
	{LEVEL_TOP, CTA_USE, CTA_ID, LEVEL_NONE, 4},
	{LEVEL_TOP, CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY, LEVEL_SEQ, 0},
	{LEVEL_TOP, CTA_SECMARK, CTA_SECMARK, LEVEL_NONE, 4},
	{LEVEL_TOP, CTA_ZONE, CTA_ZONE, LEVEL_NONE, 2},
	{LEVEL_TOP, CTA_SECCTX, CTA_SECCTX, LEVEL_SECCTX, 0},
	{LEVEL_TOP, CTA_TIMESTAMP, CTA_TIMESTAMP, LEVEL_TIMESTAMP, 0},
	{LEVEL_TOP, CTA_SYNPROXY, CTA_SYNPROXY, LEVEL_SYNPROXY, 0},
	{LEVEL_TUPLE, CTA_TUPLE_IP, CTA_TUPLE_IP, LEVEL_IP, 0},
	{LEVEL_TUPLE, CTA_TUPLE_PROTO, CTA_TUPLE_PROTO, LEVEL_PROTO, 0},
	{LEVEL_TUPLE, CTA_TUPLE_ZONE, CTA_TUPLE_ZONE, LEVEL_NONE, 2},
	{LEVEL_IP, CTA_IP_V4_SRC, CTA_IP_V4_DST, LEVEL_NONE, 4},
	{LEVEL_IP, CTA_IP_V6_SRC, CTA_IP_V6_DST, LEVEL_NONE, 16},
	{LEVEL_PROTO, CTA_PROTO_NUM, CTA_PROTO_NUM, LEVEL_NONE, 1},
	{LEVEL_PROTO, CTA_PROTO_SRC_PORT, CTA_PROTO_ICMP_ID, LEVEL_NONE, 2},
	{LEVEL_PROTO, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE, LEVEL_NONE, 1},
	{LEVEL_PROTO, CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_ID, LEVEL_NONE, 2},
	{LEVEL_PROTO, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE, LEVEL_NONE, 1},
	{LEVEL_INFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP, LEVEL_TCP, 0},
	{LEVEL_INFO, CTA_PROTOINFO_SCTP, CTA_PROTOINFO_SCTP, LEVEL_SCTP, 0},
	{LEVEL_INFO, CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP, LEVEL_DCCP, 0},
	{LEVEL_TCP, CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_TCP_WSCALE_REPLY, LEVEL_NONE, 1},
	{LEVEL_TCP, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, CTA_PROTOINFO_TCP_FLAGS_REPLY, LEVEL_NONE, 2},
	{LEVEL_SCTP, CTA_PROTOINFO_SCTP_STATE, CTA_PROTOINFO_SCTP_STATE, LEVEL_NONE, 1},
	{LEVEL_SCTP, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, CTA_PROTOINFO_SCTP_VTAG_REPLY, LEVEL_NONE,
	 4},
	{LEVEL_DCCP, CTA_PROTOINFO_DCCP_STATE, CTA_PROTOINFO_DCCP_ROLE, LEVEL_NONE, 1},
	{LEVEL_DCCP, CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, LEVEL_NONE,
	 8},
	{LEVEL_COUNTERS, CTA_COUNTERS_PACKETS, CTA_COUNTERS_BYTES, LEVEL_NONE, 8},
	{LEVEL_COUNTERS, CTA_COUNTERS32_PACKETS, CTA_COUNTERS32_BYTES, LEVEL_NONE, 4},
	{LEVEL_SEQ, CTA_SEQADJ_CORRECTION_POS, CTA_SEQADJ_OFFSET_AFTER, LEVEL_NONE, 4},
	{LEVEL_HELP, CTA_HELP_NAME, CTA_HELP_NAME, LEVEL_TEXT, 0},
	{LEVEL_SECCTX, CTA_SECCTX_NAME, CTA_SECCTX_NAME, LEVEL_TEXT, 0},
	{LEVEL_TIMESTAMP, CTA_TIMESTAMP_START, CTA_TIMESTAMP_STOP, LEVEL_NONE, 8},
	{LEVEL_SYNPROXY, CTA_SYNPROXY_ISN, CTA_SYNPROXY_TSOFF, LEVEL_NONE, 4},
};

static bool is_whole(const void *payload, size_t len, enum level in);

static bool attribute_is_whole(const struct nlattr *attr, enum level in)
{
	const char *data = mnl_attr_get_payload(attr);
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];

		if (rule->in != in || type < rule->first || type > rule->last)
			continue;
		if (rule->inside == LEVEL_NONE)
			return len == rule->size;
		if (rule->inside == LEVEL_TEXT)
			return len > 0 && data[len - 1] == '\0';
		return is_whole(data, len, rule->inside);
	}
	return true; /* the library skips it too */
}

/* At most four levels deep: the levels of rules have no loop. */
static bool is_whole(const void *payload, size_t len, enum level in)
{
	const struct nlattr *attr;

	if (len > 0 && len < sizeof(*attr))
		return false;
	mnl_attr_for_each_payload(payload, len) {
		if (!attribute_is_whole(attr, in))
			return false;
	}
	return true;
}

static unsigned library_type(enum flow_event_kind kind)
{
	switch (kind) {
	case FLOW_EVENT_NEW:
		return NFCT_T_NEW;
	case FLOW_EVENT_UPDATE:
		return NFCT_T_UPDATE;
	case FLOW_EVENT_DESTROY:
		return NFCT_T_DESTROY;
	case FLOW_EVENT_KIND_COUNT:
		break;
	}
	return NFCT_T_UNKNOWN;
}

/* conntrack -E names the socket of the program that made, changed or deleted the entry. It also
 * looks the program's name up in every process of /proc (progname=), which is not done here. */
static void add_sender(struct printer *printer, const struct nlmsghdr *message)
{
	size_t len = strlen(printer->text);

	if (message->nlmsg_pid)
		snprintf(printer->text + len, sizeof(printer->text) - len, " [USERSPACE] portid=%u",
			 message->nlmsg_pid);
}

const char *printer_line(struct printer *printer, const void *message, size_t len, bool event)
{
	const struct nlmsghdr *header = message;
	unsigned type = NFCT_T_UNKNOWN;
	enum flow_event_kind kind;
	struct nf_conntrack *entry;
	struct flow flow;
	int r;

	/* The library trusts lengths that decode has to check. */
	if (decode_message(message, len, &flow, &kind) < 0 ||
	    !is_whole(mnl_nlmsg_get_payload_offset(header, sizeof(struct nfgenmsg)),
		      header->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg)), LEVEL_TOP))
		return NULL;
	if (event)
		type = library_type(kind);
	/* A new object each time: there is no call that forgets all attributes of an old one. */
	entry = nfct_new();
	if (!entry)
		return NULL;
	r = nfct_nlmsg_parse(header, entry);
	if (r >= 0)
		r = nfct_snprintf(printer->text, sizeof(printer->text), entry, type, NFCT_O_DEFAULT,
				  NFCT_OF_SHOW_LAYER3);
	nfct_destroy(entry);
	if (r < 0)
		return NULL;
	if (event)
		add_sender(printer, header);
	return printer->text;
}
