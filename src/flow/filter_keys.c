/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/filter_keys: the table of keys: option, letter, argument and help, in the order of enum flow_filter_key. */
#include "flow/filter.h"

const struct flow_filter_key_info flow_filter_keys[FLOW_FILTER_KEY_COUNT] = {
	[FILTER_FAMILY] = { "family", 'f', FILTER_ARG_REQUIRED, "ipv4|ipv6", "address family" },
	[FILTER_SRC] = { "src", 's', FILTER_ARG_REQUIRED, "ADDRESS[/LEN]", "original source" },
	[FILTER_DST] = { "dst", 'd', FILTER_ARG_REQUIRED, "ADDRESS[/LEN]", "original destination" },
	[FILTER_REPLY_SRC] = { "reply-src", 'r', FILTER_ARG_REQUIRED, "ADDRESS[/LEN]", "source of the replies" },
	[FILTER_REPLY_DST] = { "reply-dst", 'q', FILTER_ARG_REQUIRED, "ADDRESS[/LEN]", "destination of the replies" },
	[FILTER_PROTOCOL] = { "protocol", 'p', FILTER_ARG_REQUIRED, "NAME|NUMBER", "protocol" },
	[FILTER_SPORT] = { "sport", 0, FILTER_ARG_REQUIRED, "PORT[-PORT]", "original source port" },
	[FILTER_DPORT] = { "dport", 0, FILTER_ARG_REQUIRED, "PORT[-PORT]", "original destination port" },
	[FILTER_REPLY_SPORT] = { "reply-sport", 0, FILTER_ARG_REQUIRED, "PORT[-PORT]", "source port of the replies" },
	[FILTER_REPLY_DPORT] = { "reply-dport", 0, FILTER_ARG_REQUIRED, "PORT[-PORT]", "destination port of the replies" },
	[FILTER_MARK] = { "mark", 'm', FILTER_ARG_REQUIRED, "VALUE[/MASK]", "connection mark" },
	[FILTER_ZONE] = { "zone", 'w', FILTER_ARG_REQUIRED, "NUMBER", "zone of either direction" },
	[FILTER_LABEL] = { "label", 'l', FILTER_ARG_REQUIRED, "NUMBER", "connection label, 0-127" },
	[FILTER_STATUS] = { "status", 'u', FILTER_ARG_REQUIRED, "WORD", "status: assured, seen-reply, unset, ..." },
	[FILTER_STATE] = { "state", 0, FILTER_ARG_REQUIRED, "STATE", "TCP state; sctp:STATE, dccp:STATE" },
	[FILTER_CLASS] = { "class", 0, FILTER_ARG_REQUIRED, "CLASS", "class: unreplied, half-open, closing, ..." },
	[FILTER_UNREPLIED] = { "unreplied", 0, FILTER_ARG_NONE, NULL, "no reply seen yet" },
	[FILTER_IDLE] = { "idle", 0, FILTER_ARG_REQUIRED, "TIME", "without a packet for at least TIME" },
	[FILTER_AGE] = { "age", 0, FILTER_ARG_REQUIRED, "TIME", "at least TIME old" },
	[FILTER_EXPIRES_IN] = { "expires-in", 0, FILTER_ARG_REQUIRED, "TIME", "at most TIME left" },
	[FILTER_SRC_NAT] = { "src-nat", 0, FILTER_ARG_OPTIONAL, "ADDRESS[/LEN]", "source translated (to ADDRESS)" },
	[FILTER_DST_NAT] = { "dst-nat", 0, FILTER_ARG_OPTIONAL, "ADDRESS[/LEN]", "destination translated (to ADDRESS)" },
	[FILTER_ANY_NAT] = { "any-nat", 0, FILTER_ARG_OPTIONAL, "ADDRESS[/LEN]", "source or destination translated" },
	[FILTER_NO_NAT] = { "no-nat", 0, FILTER_ARG_NONE, NULL, "not translated" },
	[FILTER_BYTES] = { "bytes", 0, FILTER_ARG_REQUIRED, "[MIN][:MAX]", "bytes of both directions, at least MIN" },
	[FILTER_PACKETS] = { "packets", 0, FILTER_ARG_REQUIRED, "[MIN][:MAX]", "packets of both directions" },
	[FILTER_OFFLOAD] = { "offload", 0, FILTER_ARG_NONE, NULL, "handled by a flow table" },
	[FILTER_EXPECTED] = { "expected", 0, FILTER_ARG_NONE, NULL, "expected by another flow (FTP data, ...)" },
};
