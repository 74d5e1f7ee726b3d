/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/timeouts: the base timeouts of the calling thread's namespace. By netlink all of a
 * protocol come in one message, also where /proc/sys is hidden; what it does not tell is read from
 * /proc/sys. */
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_cttimeout.h>

#include "proc.h"
#include "socket.h"

#define GENERIC 255 /* how the kernel's DEFAULT_GET calls "every other protocol" */
#define DCCP(state)                                                                                \
	(state) /* nf_conntrack_dccp.h: REQUEST 1 ... TIMEWAIT 7, the attributes have the same     \
		   numbers */

struct row {
	uint8_t protocol;
	uint16_t attribute; /* in CTA_TIMEOUT_DATA */
	size_t offset;	    /* in struct flow_timeouts */
	const char *file;   /* under /proc/sys/net/netfilter; NULL: none */
};

#define AT(member) offsetof(struct flow_timeouts, member)
#define TCP(attribute, state, file)                                                                \
	{                                                                                          \
		IPPROTO_TCP, CTA_TIMEOUT_TCP_##attribute, AT(tcp[FLOW_TCP_##state]),               \
			"nf_conntrack_tcp_timeout_" file                                           \
	}
#define SCTP(name, file)                                                                           \
	{                                                                                          \
		IPPROTO_SCTP, CTA_TIMEOUT_SCTP_##name, AT(sctp[SCTP_CONNTRACK_##name]),            \
			"nf_conntrack_sctp_timeout_" file                                          \
	}
#define DCCP_ROW(name, file)                                                                       \
	{                                                                                          \
		IPPROTO_DCCP, CTA_TIMEOUT_DCCP_##name, AT(dccp[DCCP(CTA_TIMEOUT_DCCP_##name)]),    \
			"nf_conntrack_dccp_timeout_" file                                          \
	}

static const struct row rows[] = {
	TCP(SYN_SENT, SYN_SENT, "syn_sent"),
	TCP(SYN_RECV, SYN_RECV, "syn_recv"),
	TCP(ESTABLISHED, ESTABLISHED, "established"),
	TCP(FIN_WAIT, FIN_WAIT, "fin_wait"),
	TCP(CLOSE_WAIT, CLOSE_WAIT, "close_wait"),
	TCP(LAST_ACK, LAST_ACK, "last_ack"),
	TCP(TIME_WAIT, TIME_WAIT, "time_wait"),
	TCP(CLOSE, CLOSE, "close"),
	/* Not in /proc: the kernel uses the one of SYN_SENT as its default. */
	TCP(SYN_SENT2, SYN_SENT2, "syn_sent"),
	{IPPROTO_TCP, CTA_TIMEOUT_TCP_RETRANS, AT(tcp_max_retrans),
	 "nf_conntrack_tcp_timeout_max_retrans"},
	{IPPROTO_TCP, CTA_TIMEOUT_TCP_UNACK, AT(tcp_unacknowledged),
	 "nf_conntrack_tcp_timeout_unacknowledged"},
	{IPPROTO_UDP, CTA_TIMEOUT_UDP_UNREPLIED, AT(udp_unreplied), "nf_conntrack_udp_timeout"},
	{IPPROTO_UDP, CTA_TIMEOUT_UDP_REPLIED, AT(udp_stream), "nf_conntrack_udp_timeout_stream"},
	{IPPROTO_ICMP, CTA_TIMEOUT_ICMP_TIMEOUT, AT(icmp), "nf_conntrack_icmp_timeout"},
	{IPPROTO_ICMPV6, CTA_TIMEOUT_ICMPV6_TIMEOUT, AT(icmpv6), "nf_conntrack_icmpv6_timeout"},
	{GENERIC, CTA_TIMEOUT_GENERIC_TIMEOUT, AT(generic), "nf_conntrack_generic_timeout"},
	{IPPROTO_GRE, CTA_TIMEOUT_GRE_UNREPLIED, AT(gre_unreplied), "nf_conntrack_gre_timeout"},
	{IPPROTO_GRE, CTA_TIMEOUT_GRE_REPLIED, AT(gre_replied), "nf_conntrack_gre_timeout_stream"},
	SCTP(CLOSED, "closed"),
	SCTP(COOKIE_WAIT, "cookie_wait"),
	SCTP(COOKIE_ECHOED, "cookie_echoed"),
	SCTP(ESTABLISHED, "established"),
	SCTP(SHUTDOWN_SENT, "shutdown_sent"),
	SCTP(SHUTDOWN_RECD, "shutdown_recd"),
	SCTP(SHUTDOWN_ACK_SENT, "shutdown_ack_sent"),
	SCTP(HEARTBEAT_SENT, "heartbeat_sent"),
	DCCP_ROW(REQUEST, "request"),
	DCCP_ROW(RESPOND, "respond"),
	DCCP_ROW(PARTOPEN, "partopen"),
	DCCP_ROW(OPEN, "open"),
	DCCP_ROW(CLOSEREQ, "closereq"),
	DCCP_ROW(CLOSING, "closing"),
	DCCP_ROW(TIMEWAIT, "timewait"),
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP,  IPPROTO_ICMP, IPPROTO_ICMPV6,
				    IPPROTO_GRE, IPPROTO_SCTP, IPPROTO_DCCP, GENERIC};

struct reading {
	struct flow_timeouts timeouts;
	bool known[ROWS];
	uint8_t protocol; /* asked for */
};

static void put(struct reading *reading, size_t row, uint32_t value)
{
	memcpy((uint8_t *)&reading->timeouts + rows[row].offset, &value, sizeof(value));
	reading->known[row] = true;
}

static void take_value(struct reading *reading, const struct nlattr *attr)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].protocol == reading->protocol &&
		    rows[i].attribute == mnl_attr_get_type(attr) &&
		    mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			put(reading, i, ntohl(mnl_attr_get_u32(attr)));
	}
}

static void take_protocol(const struct nlmsghdr *answer, void *arg)
{
	struct reading *reading = arg;
	const struct nlattr *attr, *value;

	mnl_attr_for_each(attr, answer, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != CTA_TIMEOUT_DATA)
			continue;
		mnl_attr_for_each_nested(value, attr) take_value(reading, value);
	}
}

static int read_netlink(struct reading *reading)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nl_socket socket;
	struct nlmsghdr *request;
	int r = nl_open(&socket), first = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(protocols); i++) {
		reading->protocol = protocols[i];
		request = nl_request(&socket, buf, NFNL_SUBSYS_CTNETLINK_TIMEOUT,
				     IPCTNL_MSG_TIMEOUT_DEFAULT_GET, 0, 0);
		mnl_attr_put_u16(request, CTA_TIMEOUT_L3PROTO, htons(AF_INET));
		mnl_attr_put_u8(request, CTA_TIMEOUT_L4PROTO, protocols[i]);
		/* A protocol that this kernel does not track is no error. */
		r = nl_query(&socket, request, take_protocol, reading);
		if (r < 0 && !first)
			first = r;
	}
	nl_close(&socket);
	return first;
}

int timeouts_read(struct flow_timeouts *ret_timeouts)
{
	struct reading reading = {0};
	int r = read_netlink(&reading), file_error = 0;
	unsigned known = 0;

	for (size_t i = 0; i < ROWS; i++) {
		int64_t value;

		if (!reading.known[i]) {
			file_error = proc_read(rows[i].file, &value);
			if (!file_error && value >= 0 && value <= UINT32_MAX)
				put(&reading, i, (uint32_t)value);
		}
		known += reading.known[i];
	}
	if (!known)
		return r < 0 ? r : file_error < 0 ? file_error : -ENOENT;
	*ret_timeouts = reading.timeouts;
	return 0;
}

/* ---- writing ---- */

static void take_nothing(const struct nlmsghdr *answer, void *arg)
{
	(void)answer;
	(void)arg;
}

static uint32_t value_of(const struct flow_timeouts *timeouts, size_t row)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)timeouts + rows[row].offset, sizeof(value));
	return value;
}

/* One message sets all values of a protocol that are given; the kernel leaves the others as they are. */
static int write_protocol(struct nl_socket *socket, uint8_t protocol, const struct flow_timeouts *set)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *request;
	struct nlattr *nest;
	unsigned count = 0;

	request = nl_request(socket, buf, NFNL_SUBSYS_CTNETLINK_TIMEOUT, IPCTNL_MSG_TIMEOUT_DEFAULT_SET, NLM_F_ACK, 0);
	mnl_attr_put_u16(request, CTA_TIMEOUT_L3PROTO, htons(AF_INET));
	mnl_attr_put_u8(request, CTA_TIMEOUT_L4PROTO, protocol);
	nest = mnl_attr_nest_start(request, CTA_TIMEOUT_DATA);
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].protocol != protocol || !value_of(set, i))
			continue;
		mnl_attr_put_u32(request, rows[i].attribute, htonl(value_of(set, i)));
		count++;
	}
	mnl_attr_nest_end(request, nest);
	return count ? nl_query(socket, request, take_nothing, NULL) : 0;
}

int timeouts_write(const struct flow_timeouts *set)
{
	struct nl_socket socket;
	int result = nl_open(&socket), r;

	if (result < 0)
		return result;
	for (size_t i = 0; i < sizeof(protocols); i++) {
		r = write_protocol(&socket, protocols[i], set);
		if (r < 0 && !result)
			result = r;
	}
	nl_close(&socket);
	return result;
}
