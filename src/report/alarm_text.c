/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/alarm_text: an alarm as one line of key=value for logs. */
#include <math.h>

#include "base/text.h"
#include "flow/names.h"
#include "private.h"

#define ALARM_ROWS 5
#define SHARE_MIN  0.05 /* per cent: less is printed as 0.0 */

/* A list of shares, key="a 1.2%, b 0.3%": what would be 0.0 % says nothing and is left out, and a list
 * of nothing else too. */
struct shares {
	struct text *text;
	const char *key;
	bool is_open;
};

static void add_share(struct shares *shares, const char *name, double share)
{
	if (share < SHARE_MIN)
		return;
	if (!shares->is_open)
		text_add(shares->text, " %s=\"", shares->key);
	text_add(shares->text, "%s%s %.1f%%", shares->is_open ? ", " : "", name, share);
	shares->is_open = true;
}

static void end_shares(const struct shares *shares)
{
	if (shares->is_open)
		text_add(shares->text, "\"");
}

static void add_rows(struct text *t, const char *key, const struct snapshot_top *top)
{
	struct shares shares = {.text = t, .key = key};
	char text[RANKING_TEXT_MAX];
	size_t i;

	for (i = 0; i < top->used && i < ALARM_ROWS; i++)
		add_share(&shares, ranking_key_format(&top->config, &top->rows[i].key, text),
			  share_of(top->rows[i].entries, top->totals.entries));
	end_shares(&shares);
}

static void add_mix(struct text *t, const struct snapshot *s)
{
	struct shares classes = {.text = t, .key = "classes"},
		      protocols = {.text = t, .key = "protocols"};
	char name[NAMES_TEXT_MAX];
	uint64_t sum = 0;
	int i;

	for (i = 0; i < FLOW_CLASS_COUNT; i++)
		sum += s->classes[i];
	if (!sum)
		return;
	for (i = 0; i < FLOW_CLASS_COUNT; i++)
		add_share(&classes, class_name((enum flow_class)i), share_of(s->classes[i], sum));
	end_shares(&classes);
	for (i = 0; i < 256; i++)
		add_share(&protocols, protocol_name((uint8_t)i, name),
			  share_of(s->protocols[i], sum));
	end_shares(&protocols);
}

static void add_fill(struct text *t, const struct snapshot *s)
{
	const struct fill *fill = &s->fill;

	if (fill->now.has & READING_HAS_ENTRIES)
		text_add(t, " entries=%llu", (unsigned long long)fill->now.entries);
	if (fill->capacity)
		text_add(t, " capacity=%llu", (unsigned long long)fill->capacity);
	if (fill->capacity && !fill->is_implausible)
		text_add(t, " fill_pct=%.1f", fill->fill_pct);
	if (s->has & SNAPSHOT_HAS_GROWTH) {
		text_add(t, " growth_per_sec=%+lld", llround(fill->growth_per_sec));
		if (fill->seconds_to_full >= 0)
			text_add(t, fill->seconds_to_full < 10 ? " seconds_to_full=%.2g" : " seconds_to_full=%.0f",
				 fill->seconds_to_full);
	}
	if (snapshot_knows_rate(s))
		text_add(t, " new_per_sec=%.0f", s->new_per_sec);
	if (s->has & SNAPSHOT_HAS_PASS)
		text_add(t, " evictable_pct=%.1f", s->evictable_pct);
	if (s->has & SNAPSHOT_HAS_EXPIRED)
		text_add(t, " expired_pct=%.1f", s->expired_pct);
	if (s->has & SNAPSHOT_HAS_REFUSAL)
		text_add(t, " refusal_probability=%.3f", s->refusal_probability);
	if (fill->now.has & READING_HAS_COUNTERS)
		text_add(t, " drop=%llu early_drop=%llu insert_failed=%llu",
			 (unsigned long long)fill->now.counters.drop,
			 (unsigned long long)fill->now.counters.early_drop,
			 (unsigned long long)fill->now.counters.insert_failed);
}

char *report_alarm_text(const struct alarm *alarm, char *buf, size_t size)
{
	const struct snapshot *s = &alarm->at;
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, "level=%s previous=%s", level_name(s->level), level_name(alarm->previous));
	if (s->netns.name[0])
		text_add_quoted(&t, "netns", s->netns.name);
	add_fill(&t, s);
	if (s->is_approximate)
		text_add(&t, " approximate=yes");
	/* What drives it comes before the long lists: a short buffer cuts those. */
	if (s->cause.is_known && s->cause.text[0])
		text_add_quoted(&t, "cause", s->cause.text);
	if (s->has & SNAPSHOT_HAS_TOP) {
		add_rows(&t, "sources", &s->sources);
		add_rows(&t, "services", &s->services);
	}
	if (s->has & SNAPSHOT_HAS_PASS)
		add_mix(&t, s);
	return buf;
}
