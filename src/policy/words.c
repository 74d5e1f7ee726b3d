/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/words: the tables of what a policy may say: conditions, counts, actions, parameters,
 * kernel timeouts. */
#include "policy/words.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"

const struct policy_condition_info policy_conditions[POLICY_WHEN_COUNT] = {
	[POLICY_WHEN_ALWAYS] = {"always", 0, 0, false, "at any time"},
	[POLICY_WHEN_LEVEL] = {"level", 0, 0, false, "at # or above"},
	[POLICY_WHEN_FILL] = {"fill_pct", 0, 1000, false, "fill is # % or more"},
	[POLICY_WHEN_GROWTH] = {"growth_per_sec", 0, 1e9, false, "it grows by #/s or more"},
	[POLICY_WHEN_SECONDS_TO_FULL] = {"seconds_to_full", 0, 86400, true,
					 "it will be full within # s"},
	[POLICY_WHEN_REFUSAL] = {"refusal_probability", 0, 1, false,
				 "# % or more of new flows are refused"},
	[POLICY_WHEN_REFUSAL_FULL] = {"refusal_when_full", 0, 1, false,
				      "# % or more of new flows would be refused once full"},
	[POLICY_WHEN_DROPS] = {"drops_per_sec", 0, 1e9, false,
			       "a full table drops # or more new flows a second"},
};

const struct policy_count_info policy_counts[POLICY_COUNT_COUNT] = {
	[POLICY_COUNT_ENTRIES] = {"entries", 1, 4294967295.0, "# entries"},
	[POLICY_COUNT_UNREPLIED] = {"unreplied", 1, 4294967295.0, "# unreplied flows"},
	[POLICY_COUNT_HALF_OPEN] = {"half_open", 1, 4294967295.0, "# half-open flows"},
	[POLICY_COUNT_NEW] = {"new_per_sec", 0.001, 1e9, "# new flows a second"},
	[POLICY_COUNT_SHARE] = {"share_pct", 0.001, 100, "# % of the table"},
};

const char *const policy_param_keys[POLICY_PARAM_COUNT + 1] = {
	[POLICY_PARAM_CLASSES] = "classes",
	[POLICY_PARAM_FLOORS] = "floors",
	[POLICY_PARAM_MIN_AGE] = "min_age",
	[POLICY_PARAM_SIGNATURE] = "signature",
	[POLICY_PARAM_ACTIVE_AT_FULL] = "active_at_full",
	[POLICY_PARAM_START] = "start_pct",
	[POLICY_PARAM_END] = "end_pct",
	[POLICY_PARAM_DURATION] = "duration",
	[POLICY_PARAM_MAX_BANS] = "max_bans",
	[POLICY_PARAM_RATE] = "rate_per_sec",
	[POLICY_PARAM_SET] = "set",
};

#define P(name) (1u << POLICY_PARAM_##name)

const struct policy_action_info policy_actions[POLICY_ACTION_COUNT] = {
	[POLICY_ACTION_SWEEP] = {.name = "sweep",
				 .cooldown_ns = 10 * NS_PER_SEC,
				 .help = "evict what has expired but still counts"},
	[POLICY_ACTION_SHORTEN] = {.name = "shorten",
				   .params = P(CLASSES) | P(FLOORS) | P(START) | P(END),
				   .has_match = true,
				   .has_until = true,
				   .has_budget = true,
				   .budget = {10000, 20000},
				   .cooldown_ns = 5 * NS_PER_SEC,
				   .help = "bring the remaining lifetime down as the table fills"},
	[POLICY_ACTION_EVICT] = {.name = "evict",
				 .params = P(CLASSES) | P(FLOORS) | P(MIN_AGE) | P(SIGNATURE) |
					   P(ACTIVE_AT_FULL),
				 .has_match = true,
				 .has_until = true,
				 .has_budget = true,
				 .budget = {10000, 20000},
				 .cooldown_ns = 0,
				 .help = "take flows out, worst class first"},
	[POLICY_ACTION_BAN] = {.name = "ban",
			       .params = P(DURATION) | P(MAX_BANS) | P(RATE),
			       .has_budget = true,
			       .needs_key = true,
			       .budget = {4, 1},
			       .cooldown_ns = NS_PER_SEC,
			       .help = "refuse new flows of a source for a time"},
	[POLICY_ACTION_TIMEOUTS] =
		{.name = "timeouts",
		 .params = P(SET),
		 .has_until = true,
		 .help = "lower the kernel's timeouts while the rule is in force"},
	[POLICY_ACTION_LOG] = {.name = "log",
			       .has_match = true,
			       .cooldown_ns = 60 * NS_PER_SEC,
			       .help = "write a record, nothing else"},
};

const char *policy_scope_name(enum policy_scope scope)
{
	switch (scope) {
	case POLICY_SCOPE_TABLE:
		break;
	case POLICY_SCOPE_SOURCE:
		return "source";
	case POLICY_SCOPE_PREFIX:
		return "prefix";
	case POLICY_SCOPE_COUNT:
		break;
	}
	return "table";
}

/* RFC 5382 REQ-5: established TCP at least 2 h 4 min. RFC 4787 REQ-5: UDP at least 2 min. */
#define ESTABLISHED_MIN_SEC 7440
#define STREAM_MIN_SEC	    120

int64_t policy_floor_min_ns(enum flow_class class)
{
	switch (class) {
	case FLOW_CLASS_ESTABLISHED:
		return ESTABLISHED_MIN_SEC * NS_PER_SEC;
	case FLOW_CLASS_STREAM:
		return STREAM_MIN_SEC * NS_PER_SEC;
	case FLOW_CLASS_UNREPLIED:
	case FLOW_CLASS_HALF_OPEN:
	case FLOW_CLASS_PICKUP:
	case FLOW_CLASS_CLOSING:
	case FLOW_CLASS_REPLIED:
	case FLOW_CLASS_OFFLOADED:
	case FLOW_CLASS_OTHER:
	case FLOW_CLASS_COUNT:
		break;
	}
	return 0;
}

#define AT(member) offsetof(struct flow_timeouts, member)

const struct policy_timeout_info policy_timeouts[] = {
	{"tcp_syn_sent", AT(tcp[FLOW_TCP_SYN_SENT]), 1},
	{"tcp_syn_recv", AT(tcp[FLOW_TCP_SYN_RECV]), 1},
	{"tcp_established", AT(tcp[FLOW_TCP_ESTABLISHED]), ESTABLISHED_MIN_SEC},
	{"tcp_fin_wait", AT(tcp[FLOW_TCP_FIN_WAIT]), 1},
	{"tcp_close_wait", AT(tcp[FLOW_TCP_CLOSE_WAIT]), 1},
	{"tcp_last_ack", AT(tcp[FLOW_TCP_LAST_ACK]), 1},
	{"tcp_time_wait", AT(tcp[FLOW_TCP_TIME_WAIT]), 1},
	{"tcp_close", AT(tcp[FLOW_TCP_CLOSE]), 1},
	{"tcp_max_retrans", AT(tcp_max_retrans), 1},
	{"tcp_unacknowledged", AT(tcp_unacknowledged), 1},
	{"udp", AT(udp_unreplied), 1},
	{"udp_stream", AT(udp_stream), STREAM_MIN_SEC},
	{"icmp", AT(icmp), 1},
	{"icmpv6", AT(icmpv6), 1},
	{"generic", AT(generic), 1},
	{"gre", AT(gre_unreplied), 1},
	{"gre_stream", AT(gre_replied), STREAM_MIN_SEC},
};
const size_t policy_timeout_count = sizeof(policy_timeouts) / sizeof(policy_timeouts[0]);

uint32_t policy_timeout_get(const struct flow_timeouts *timeouts, size_t index)
{
	uint32_t seconds;

	memcpy(&seconds, (const char *)timeouts + policy_timeouts[index].offset, sizeof(seconds));
	return seconds;
}
