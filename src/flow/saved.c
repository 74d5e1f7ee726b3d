/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved: entries from lines of text. A line is read word by word: before the first src= stand
 * family, protocol, timeout and state; the second src= begins the reply; words that are not known
 * (secctx=, use=, helper=) are passed over, so that other versions of kernel and conntrack can be
 * read. */
#include "flow/saved.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "flow/names.h"
#include "saved_private.h"

#define NS_IN_SEC 1000000000ll
#define WORD_MAX  128

struct line {
	const char *at, *end;
	struct flow flow;
	int direction;	  /* -1 before the first src= */
	unsigned numbers; /* 1: the family's number comes next */
	bool has_id[2];	  /* of ICMP */
	bool has_protocol;
	int64_t now_real_ns;
	struct problem *problem;
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

int saved_address(struct flow_tuple *tuple, const char *text, uint8_t bytes[16])
{
	struct addr addr;

	if (addr_parse(text, &addr, NULL) < 0 || (tuple->family && tuple->family != addr.family))
		return -EINVAL;
	tuple->family = addr.family;
	memcpy(bytes, addr.bytes, 16);
	return 0;
}

int saved_complete(struct flow *flow, struct problem *problem)
{
	struct flow_tuple *orig = &flow->tuple[FLOW_ORIG], *reply = &flow->tuple[FLOW_REPLY];

	if (!orig->family)
		return problem_set(problem, "", "an entry has src= and dst=");
	reply->protocol = orig->protocol;
	flow->has |= FLOW_HAS_STATUS;
	flow->status |= FLOW_STATUS_CONFIRMED;
	if (!reply->family)
		return 0;
	flow->has |= FLOW_HAS_REPLY;
	if (memcmp(orig->src, reply->dst, 16) ||
	    (has_ports(orig->protocol) && orig->sport != reply->dport))
		flow->status |= FLOW_STATUS_SRC_NAT;
	if (memcmp(orig->dst, reply->src, 16) ||
	    (has_ports(orig->protocol) && orig->dport != reply->sport))
		flow->status |= FLOW_STATUS_DST_NAT;
	return 0;
}

/* ---- words ---- */

/* The next word; one in brackets may hold blanks. False at the end. */
static bool next_word(struct line *l, char word[WORD_MAX])
{
	const char *start;
	size_t len;
	char close = ' ';

	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\r'))
		l->at++;
	if (l->at == l->end)
		return false;
	start = l->at;
	if (*start == '[')
		close = ']';
	while (l->at < l->end && *l->at != close && *l->at != '\t')
		l->at++;
	if (close == ']' && l->at < l->end)
		l->at++;
	len = (size_t)(l->at - start);
	if (len >= WORD_MAX)
		len = WORD_MAX - 1;
	memcpy(word, start, len);
	word[len] = '\0';
	return true;
}

static bool number_of(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || *end || number > max)
		return false;
	*ret = number;
	return true;
}

static int wrong(const struct line *l, const char *word, const char *expected)
{
	return problem_set(l->problem, "", "%.60s: %s is expected", word, expected);
}

/* ---- before the tuples: [ipv4 2] tcp 6 [timeout] [STATE] ---- */

static int read_state(struct line *l, const char *word)
{
	uint8_t protocol = l->flow.tuple[FLOW_ORIG].protocol;
	char text[WORD_MAX + 8];

	/* The library's name for the state that the kernel calls SYN_SENT2. */
	if (protocol == IPPROTO_TCP && !strcmp(word, "LISTEN"))
		word = "SYN_SENT2";
	snprintf(text, sizeof(text), "%u:%s", protocol, word);
	if (state_parse(text, &protocol, &l->flow.state) == 0)
		l->flow.has |= FLOW_HAS_STATE;
	return 0; /* a word of a protocol without states that we know: passed over */
}

static int read_head(struct line *l, const char *word)
{
	struct flow *flow = &l->flow;
	uint8_t family;
	uint64_t number;

	if (word[0] == '[') /* a time stamp */
		return 0;
	if (!number_of(word, UINT32_MAX, &number)) {
		if (l->has_protocol)
			return read_state(l, word);
		if (!l->numbers && family_parse(word, &family) == 0)
			l->numbers = 1; /* its number comes first */
		return 0;
	}
	if (l->numbers == 1) {
		l->numbers = 2;
	} else if (!l->has_protocol) {
		if (number > 255)
			return wrong(l, word, "a protocol number from 0 to 255");
		flow->tuple[FLOW_ORIG].protocol = (uint8_t)number;
		l->has_protocol = true;
	} else {
		flow->timeout_sec = (uint32_t)number;
		flow->has |= FLOW_HAS_TIMEOUT;
	}
	return 0;
}

/* ---- key=value ---- */

static int read_tuple_number(struct line *l, const char *key, const char *value)
{
	struct flow_tuple *tuple = &l->flow.tuple[l->direction];
	uint64_t number;
	bool is_wide = !strcmp(key, "id");

	if (!number_of(value, is_wide ? UINT32_MAX : UINT16_MAX, &number))
		return wrong(l, value, is_wide ? "a number" : "a number from 0 to 65535");
	if (!strcmp(key, "sport") || !strcmp(key, "srckey")) {
		tuple->sport = (uint16_t)number;
	} else if (!strcmp(key, "dport") || !strcmp(key, "dstkey")) {
		tuple->dport = (uint16_t)number;
	} else if (!strcmp(key, "type")) {
		tuple->dport = (uint16_t)(number << 8);
	} else if (!strcmp(key, "code")) {
		tuple->dport |= (uint16_t)(number & 0xff);
	} else if ((l->flow.tuple[FLOW_ORIG].protocol == IPPROTO_ICMP ||
		    l->flow.tuple[FLOW_ORIG].protocol == IPPROTO_ICMPV6) &&
		   !l->has_id[l->direction]) {
		l->has_id[l->direction] = true;
		tuple->sport = (uint16_t)number;
	} else {
		l->flow.id = (uint32_t)number;
		l->flow.has |= FLOW_HAS_ID;
	}
	return 0;
}

static int read_number(struct line *l, const char *key, const char *value)
{
	struct flow *flow = &l->flow;
	uint64_t number;

	if (!number_of(value, UINT64_MAX, &number))
		return wrong(l, value, "a number");
	if (!strcmp(key, "packets")) {
		flow->packets[l->direction] = number;
		flow->has |= FLOW_HAS_COUNTERS;
	} else if (!strcmp(key, "bytes")) {
		flow->bytes[l->direction] = number;
	} else if (!strcmp(key, "mark")) {
		flow->mark = (uint32_t)number;
		flow->has |= FLOW_HAS_MARK;
	} else if (!strcmp(key, "zone")) {
		flow->zone = flow->zone_reply = (uint16_t)number;
	} else if (!strcmp(key, "zone-orig")) {
		flow->zone = (uint16_t)number;
	} else if (!strcmp(key, "zone-reply")) {
		flow->zone_reply = (uint16_t)number;
	} else if (number < (uint64_t)(l->now_real_ns / NS_IN_SEC)) { /* delta-time */
		flow->start_ns = (uint64_t)l->now_real_ns - number * NS_IN_SEC;
		flow->has |= FLOW_HAS_TIMESTAMP;
	}
	return 0;
}

static bool is_one_of(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (!strcmp(key, *keys))
			return true;
	return false;
}

static int read_pair(struct line *l, const char *key, const char *value)
{
	static const char *const of_tuple[] = {"sport", "dport", "srckey", "dstkey",
					       "type",	"code",	 "id",	   NULL};
	static const char *const numbers[] = {"packets",   "bytes",	 "mark",       "zone",
					      "zone-orig", "zone-reply", "delta-time", NULL};
	bool is_src = !strcmp(key, "src");
	struct flow_tuple *tuple;

	if (is_src && ++l->direction > FLOW_REPLY)
		return wrong(l, "src=", "two directions; a third one is there, not this");
	if (l->direction < 0) /* timeout=, stream_timeout= of GRE in /proc */
		return 0;
	tuple = &l->flow.tuple[l->direction];
	if (is_src || !strcmp(key, "dst")) {
		if (saved_address(tuple, value, is_src ? tuple->src : tuple->dst) < 0)
			return wrong(l, value, "an address");
		return 0;
	}
	if (is_one_of(key, of_tuple))
		return read_tuple_number(l, key, value);
	return is_one_of(key, numbers) ? read_number(l, key, value) : 0;
}

static void read_flag(struct line *l, const char *word, bool *is_unreplied)
{
	if (!strcmp(word, "[UNREPLIED]"))
		*is_unreplied = true;
	else if (!strcmp(word, "[ASSURED]"))
		l->flow.status |= FLOW_STATUS_ASSURED;
	else if (!strcmp(word, "[OFFLOAD]"))
		l->flow.status |= FLOW_STATUS_OFFLOAD | FLOW_STATUS_ASSURED;
	else if (!strcmp(word, "[HW_OFFLOAD]"))
		l->flow.status |= FLOW_STATUS_HW_OFFLOAD | FLOW_STATUS_OFFLOAD |
				  FLOW_STATUS_ASSURED;
}

static int read_text(struct line *l)
{
	bool is_unreplied = false;
	char word[WORD_MAX], *equals;
	int result = 0;

	while (!result && next_word(l, word)) {
		equals = strchr(word, '=');
		if (word[0] == '[' && l->direction >= 0) {
			read_flag(l, word, &is_unreplied);
		} else if (equals && word[0] != '[') {
			*equals = '\0';
			equals[1 + strcspn(equals + 1, ",")] = '\0';
			result = read_pair(l, word, equals + 1);
		} else if (l->direction < 0) {
			result = read_head(l, word);
		}
	}
	if (result)
		return result;
	if (!l->has_protocol || l->direction < 0)
		return problem_set(
			l->problem, "",
			"no entry: conntrack -L, /proc/net/nf_conntrack or ctwarden flows -j "
			"is expected");
	if (!is_unreplied)
		l->flow.status |= FLOW_STATUS_SEEN_REPLY;
	return saved_complete(&l->flow, l->problem);
}

int saved_line(const char *line, size_t len, int64_t now_real_ns, struct flow *ret_flow,
	       struct problem *reterr_problem)
{
	struct line l = {.at = line,
			 .end = line + len,
			 .direction = -1,
			 .now_real_ns = now_real_ns,
			 .problem = reterr_problem};
	static const char summary[] = "conntrack v";
	int result;

	while (l.at < l.end && strchr(" \t\r", *l.at))
		l.at++;
	if (l.at == l.end || *l.at == '#' ||
	    ((size_t)(l.end - l.at) > sizeof(summary) &&
	     !memcmp(l.at, summary, sizeof(summary) - 1)))
		return -ENODATA;
	if (*l.at == '{')
		return saved_json(l.at, (size_t)(l.end - l.at), now_real_ns, ret_flow,
				  reterr_problem);
	result = read_text(&l);
	if (result == 0)
		*ret_flow = l.flow;
	return result;
}
