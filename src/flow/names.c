/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/names: the tables of words. Words are read in any case, with '-' and '_' alike. */
#include "flow/names.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const class_names[FLOW_CLASS_COUNT] = {
	[FLOW_CLASS_UNREPLIED] = "unreplied", [FLOW_CLASS_HALF_OPEN] = "half-open",
	[FLOW_CLASS_PICKUP] = "pickup",       [FLOW_CLASS_CLOSING] = "closing",
	[FLOW_CLASS_REPLIED] = "replied",     [FLOW_CLASS_STREAM] = "stream",
	[FLOW_CLASS_ESTABLISHED] = "established", [FLOW_CLASS_OFFLOADED] = "offloaded",
	[FLOW_CLASS_OTHER] = "other",
};

/* Indexed by the kernel's numbers, words as libnetfilter_conntrack prints them. */
static const char *const tcp_states[] = { "NONE",	"SYN_SENT", "SYN_RECV",	 "ESTABLISHED", "FIN_WAIT",
					  "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",	"SYN_SENT2" };
static const char *const sctp_states[] = { "NONE",	    "CLOSED",	     "COOKIE_WAIT",   "COOKIE_ECHOED",
					   "ESTABLISHED",   "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT",
					   "HEARTBEAT_SENT", "HEARTBEAT_ACKED" };
static const char *const dccp_states[] = { "NONE",     "REQUEST", "RESPOND",  "PARTOPEN", "OPEN",
					   "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE",	  "INVALID" };

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ IPPROTO_TCP, "tcp" },	  { IPPROTO_UDP, "udp" },   { IPPROTO_ICMP, "icmp" },	{ IPPROTO_ICMPV6, "icmpv6" },
	{ IPPROTO_GRE, "gre" },	  { IPPROTO_SCTP, "sctp" }, { IPPROTO_DCCP, "dccp" },	{ IPPROTO_UDPLITE, "udplite" },
	{ IPPROTO_IGMP, "igmp" }, { IPPROTO_IPIP, "ipip" }, { IPPROTO_IPV6, "ipv6" },	{ IPPROTO_ESP, "esp" },
	{ IPPROTO_AH, "ah" },	  { 89, "ospf" },	    { IPPROTO_PIM, "pim" },	{ 112, "vrrp" },
	{ 115, "l2tp" },	  { IPPROTO_ICMPV6, "ipv6-icmp" }, /* aliases behind the names we print */
};

static const char *const status_bits[] = { "expected",	   "seen-reply",   "assured",	"confirmed",
					   "src-nat",	   "dst-nat",	   "seq-adjust", "src-nat-done",
					   "dst-nat-done", "dying",	   "fixed-timeout", "template",
					   "untracked",	   "helper",	   "offload",	"hw-offload" };

static char fold(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static bool same_word(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return fold(*a) == fold(*b);
}

static int find_word(const char *text, const char *const *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (same_word(text, words[i]))
			return (int)i;
	}
	return -EINVAL;
}

const char *class_name(enum flow_class class)
{
	return (unsigned)class < FLOW_CLASS_COUNT ? class_names[class] : "other";
}

const char *class_key(enum flow_class class)
{
	return class == FLOW_CLASS_HALF_OPEN ? "half_open" : class_name(class);
}

int class_parse(const char *text, enum flow_class *ret_class)
{
	int i = find_word(text, class_names, FLOW_CLASS_COUNT);

	if (i < 0)
		return -EINVAL;
	*ret_class = (enum flow_class)i;
	return 0;
}

const char *tcp_state_name(uint8_t state)
{
	return state < COUNT(tcp_states) ? tcp_states[state] : "UNKNOWN";
}

const char *state_name(uint8_t protocol, uint8_t state)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return tcp_state_name(state);
	case IPPROTO_SCTP:
		return state < COUNT(sctp_states) ? sctp_states[state] : "UNKNOWN";
	case IPPROTO_DCCP:
		return state < COUNT(dccp_states) ? dccp_states[state] : "UNKNOWN";
	default:
		return NULL;
	}
}

int state_parse(const char *text, uint8_t *ret_protocol, uint8_t *ret_state)
{
	const char *colon = strchr(text, ':');
	uint8_t protocol = IPPROTO_TCP;
	int state;

	if (colon) {
		char name[NAMES_TEXT_MAX];
		size_t len = (size_t)(colon - text);

		if (len >= sizeof(name))
			return -EINVAL;
		memcpy(name, text, len);
		name[len] = '\0';
		if (protocol_parse(name, &protocol) < 0)
			return -EINVAL;
		text = colon + 1;
	}
	if (protocol == IPPROTO_TCP)
		state = find_word(text, tcp_states, COUNT(tcp_states));
	else if (protocol == IPPROTO_SCTP)
		state = find_word(text, sctp_states, COUNT(sctp_states));
	else if (protocol == IPPROTO_DCCP)
		state = find_word(text, dccp_states, COUNT(dccp_states));
	else
		return -EINVAL;
	if (state < 0)
		return -EINVAL;
	*ret_protocol = protocol;
	*ret_state = (uint8_t)state;
	return 0;
}

char *protocol_name(uint8_t protocol, char buf[NAMES_TEXT_MAX])
{
	for (unsigned i = 0; i < COUNT(protocols); i++) {
		if (protocols[i].number == protocol) {
			snprintf(buf, NAMES_TEXT_MAX, "%s", protocols[i].name);
			return buf;
		}
	}
	snprintf(buf, NAMES_TEXT_MAX, "%u", protocol);
	return buf;
}

int protocol_parse(const char *text, uint8_t *ret_protocol)
{
	unsigned number = 0;

	for (unsigned i = 0; i < COUNT(protocols); i++) {
		if (same_word(text, protocols[i].name)) {
			*ret_protocol = protocols[i].number;
			return 0;
		}
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > UINT8_MAX)
			return -EINVAL;
	}
	*ret_protocol = (uint8_t)number;
	return 0;
}

const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "ipv6" : family == AF_INET ? "ipv4" : "unknown";
}

int family_parse(const char *text, uint8_t *ret_family)
{
	static const char *const v4[] = { "ipv4", "inet", "4" }, *const v6[] = { "ipv6", "inet6", "6" };

	if (find_word(text, v4, COUNT(v4)) >= 0)
		*ret_family = AF_INET;
	else if (find_word(text, v6, COUNT(v6)) >= 0)
		*ret_family = AF_INET6;
	else
		return -EINVAL;
	return 0;
}

const char *status_bit_name(unsigned bit)
{
	return bit < COUNT(status_bits) ? status_bits[bit] : NULL;
}

int status_parse(const char *text, uint32_t *ret_value, uint32_t *ret_mask)
{
	int bit;

	if (same_word(text, "unset")) {
		*ret_value = 0;
		*ret_mask = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
		return 0;
	}
	bit = find_word(text, status_bits, COUNT(status_bits));
	if (bit < 0)
		return -EINVAL;
	*ret_value = *ret_mask = 1u << bit;
	return 0;
}
