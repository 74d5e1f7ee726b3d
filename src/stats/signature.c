/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/signature: patterns against flows, as filters and in words, and the count of a pass. */
#include "stats/signature.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"
#include "flow/names.h"
#include "signature_private.h"

struct signature_config signature_config_default(void)
{
	return (struct signature_config){
		.min_coverage = 0.15, .max_base_share = 0.02, .min_growth = 50};
}

static void look_at(const struct flow *flow, enum flow_class class, struct look *ret_look)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];

	memcpy(ret_look->src, orig->src, sizeof(ret_look->src));
	memcpy(ret_look->dst, orig->dst, sizeof(ret_look->dst));
	ret_look->port = orig->dport;
	ret_look->zone = flow->zone;
	ret_look->zone_reply = flow->zone_reply;
	ret_look->class_bit = (uint16_t)(1u << class);
	ret_look->family = orig->family;
	ret_look->protocol = orig->protocol;
}

bool signature_match(const struct signature_pattern *pattern, const struct flow *flow,
		     enum flow_class class)
{
	struct look look;

	look_at(flow, class, &look);
	return look_fits(pattern, &look);
}

int signature_match_any(const struct signature *signatures, size_t n, const struct flow *flow,
			enum flow_class class)
{
	struct look look;

	if (!n)
		return -1;
	look_at(flow, class, &look);
	for (size_t i = 0; i < n; i++)
		if (look_fits(&signatures[i].pattern, &look))
			return (int)i;
	return -1;
}

static void count(struct signature_counts *counts, bool fits, bool is_base)
{
	if (is_base) {
		counts->base++;
		counts->base_hits += fits;
	} else {
		counts->growth++;
		counts->growth_hits += fits;
	}
}

void signature_count(struct signature_counts *counts, const struct signature_pattern *pattern,
		     const struct flow *flow, enum flow_class class, bool is_base)
{
	count(counts, signature_match(pattern, flow, class), is_base);
}

int signature_count_all(struct signature_counts *counts, const struct signature *signatures, size_t n,
			const struct flow *flow, enum flow_class class, bool is_base)
{
	struct look look;
	int first = -1;
	bool fits;

	if (!n)
		return -1;
	look_at(flow, class, &look);
	for (size_t i = 0; i < n; i++) {
		fits = look_fits(&signatures[i].pattern, &look);
		count(&counts[i], fits, is_base);
		if (fits && first < 0)
			first = (int)i;
	}
	return first;
}

bool signature_confirm(struct signature *signature, const struct signature_config *config,
		       const struct signature_counts *counts)
{
	bool hit_base = signature->hits_base;

	signature->is_confirmed = true;
	signature->growth = counts->growth_hits;
	signature->base = counts->base_hits;
	signature->coverage = counts->growth ? (double)counts->growth_hits / (double)counts->growth
					     : 0;
	if (counts->base) {
		signature->base_share = (double)counts->base_hits / (double)counts->base;
		signature->is_blind = false;
		signature->hits_base = signature_hits_base(signature, config);
		signature->cannot_tell_apart &= signature->hits_base;
	}
	return signature->coverage >= config->min_coverage && (hit_base || !signature->hits_base);
}

bool signature_is_idle(const struct signature *signature)
{
	return !signature->is_lively && !signature->is_untried;
}

bool signature_awaits_trial(const struct signature *signature)
{
	return signature->is_untried && signature->pattern.classes & FLOW_CLASSES_TWO_WAY;
}

bool signature_may_be_crowd(const struct signature *signature)
{
	return signature->is_lively || signature_awaits_trial(signature);
}

/* Unanswered flows that were there in calm (some always are) do not shield a flood ten times as large: nobody who was
 * answered fits. */
bool signature_hits_base(const struct signature *signature, const struct signature_config *config)
{
	const uint16_t unanswered = 1u << FLOW_CLASS_UNREPLIED | 1u << FLOW_CLASS_PICKUP;

	if (signature->base_share <= config->max_base_share)
		return false;
	return signature->pattern.classes & ~unanswered || signature->growth < 10 * signature->base;
}

/* ---- as a filter ---- */

static void without_prefix(uint8_t *len, uint64_t bytes[2], uint64_t mask[2])
{
	if (*len == 32)
		return;
	*len = 0;
	memset(bytes, 0, 2 * sizeof(*bytes));
	memset(mask, 0, 2 * sizeof(*mask));
}

bool signature_for_kernel(const struct signature_pattern *pattern, struct signature_pattern *ret_pattern)
{
	const uint16_t unanswered = 1u << FLOW_CLASS_UNREPLIED | 1u << FLOW_CLASS_PICKUP;
	struct signature_pattern p = *pattern;

	if (!p.classes || p.classes & ~unanswered || p.family != AF_INET || (p.has_zone && !p.zone))
		return false;
	without_prefix(&p.src_len, p.src, p.src_mask);
	without_prefix(&p.dst_len, p.dst, p.dst_mask);
	if (!p.src_len && !p.dst_len)
		return false;
	if (p.has_port && p.protocol != IPPROTO_TCP && p.protocol != IPPROTO_UDP) { /* no other ports are compared */
		p.has_port = false;
		p.port = 0;
	}
	p.classes = CLASSES_ALL;
	*ret_pattern = p;
	return true;
}

static void add(struct flow_filter *filter, enum flow_filter_key key, const char *value,
		bool negated)
{
	int r = flow_filter_add(filter, key, value, negated, NULL);

	assert(r == 0); /* the text is our own */
	(void)r;
}

static void add_prefix(struct flow_filter *filter, enum flow_filter_key key, uint8_t family,
		       uint8_t len, const uint64_t bytes[2])
{
	struct prefix prefix = {.addr = {.family = family}, .len = len};
	char text[ADDR_TEXT_MAX];

	memcpy(prefix.addr.bytes, bytes, sizeof(prefix.addr.bytes));
	add(filter, key, prefix_format(&prefix, text), false);
}

static void add_number(struct flow_filter *filter, enum flow_filter_key key, unsigned number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	add(filter, key, text, false);
}

struct flow_filter *signature_filter(const struct signature_pattern *p)
{
	struct flow_filter *filter = flow_filter_new();

	if (p->src_len)
		add_prefix(filter, FILTER_SRC, p->family, p->src_len, p->src);
	if (p->dst_len)
		add_prefix(filter, FILTER_DST, p->family, p->dst_len, p->dst);
	if (p->has_protocol)
		add_number(filter, FILTER_PROTOCOL, p->protocol);
	if (p->has_port)
		add_number(filter, FILTER_DPORT, p->port);
	if (p->has_zone)
		add_number(filter, FILTER_ZONE, p->zone);
	for (int class = 0; class < FLOW_CLASS_COUNT; class ++) {
		bool has = p->classes >> class & 1;

		if (p->classes == CLASSES_NO_PICKUP && !has)
			add(filter, FILTER_CLASS, class_name((enum flow_class) class), true);
		else if (p->classes != CLASSES_NO_PICKUP && p->classes != CLASSES_ALL && has)
			add(filter, FILTER_CLASS, class_name((enum flow_class) class), false);
	}
	flow_filter_finish(filter, NULL);
	return filter;
}

/* ---- in words ---- */

static void add_end(struct text *t, const char *word, uint8_t family, uint8_t len,
		    const uint64_t bytes[2])
{
	struct prefix prefix = {.addr = {.family = family}, .len = len};
	char text[ADDR_TEXT_MAX];

	memcpy(prefix.addr.bytes, bytes, sizeof(prefix.addr.bytes));
	text_add(t, " %s %s", word, prefix_format(&prefix, text));
}

/* "unreplied, half-open or closing" */
static void add_classes(struct text *t, uint16_t classes)
{
	for (int class = 0; class < FLOW_CLASS_COUNT; class ++)
		if (classes >> class & 1)
			text_add(t, "%s%s", !t->len ? "" : classes >> (class + 1) ? ", " : " or ",
				 class_name((enum flow_class) class));
}

char *signature_format(const struct signature_pattern *p, char buf[SIGNATURE_TEXT_MAX])
{
	char name[NAMES_TEXT_MAX];
	struct text t;

	text_init(&t, buf, SIGNATURE_TEXT_MAX);
	if (p->classes != CLASSES_ALL && p->classes != CLASSES_NO_PICKUP)
		add_classes(&t, p->classes);
	if (p->has_protocol)
		text_add(&t, "%s%s", t.len ? " " : "", protocol_name(p->protocol, name));
	else
		text_add(&t, "%sflows", t.len ? " " : "");
	if (p->has_port)
		text_add(&t, "/%u", p->port);
	if (p->src_len)
		add_end(&t, "from", p->family, p->src_len, p->src);
	if (p->dst_len)
		add_end(&t, "to", p->family, p->dst_len, p->dst);
	if (p->has_zone)
		text_add(&t, " in zone %u", p->zone);
	return buf;
}
