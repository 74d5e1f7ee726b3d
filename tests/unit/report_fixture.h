/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the tests of report: what is written is compared with files in tests/golden/report (found by GOLDEN_DIR or
 * srcdir). UPDATE_GOLDEN=1 writes them: look at the difference before committing it. */
#ifndef CTWARDEN_TESTS_REPORT_FIXTURE_H
#define CTWARDEN_TESTS_REPORT_FIXTURE_H

#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/clock.h"
#include "report/report.h"

/* 2026-11-25T09:41:07.123Z */
#define FIXTURE_NOW 1795599667123000000LL

struct capture {
	char *text;
	size_t len;
	struct report_out out;
};

static inline void capture_start(struct capture *c, unsigned columns, bool is_terminal)
{
	memset(c, 0, sizeof(*c));
	c->out.file = open_memstream(&c->text, &c->len);
	c->out.columns = columns;
	c->out.is_terminal = is_terminal;
	assert_non_null(c->out.file);
}

static inline void golden_path(const char *name, char *buf, size_t size)
{
	const char *directory = getenv("GOLDEN_DIR"), *source = getenv("srcdir");

	if (directory)
		snprintf(buf, size, "%s/%s", directory, name);
	else
		snprintf(buf, size, "%s/tests/golden/report/%s", source ? source : ".", name);
}

static inline void golden_compare(const char *name, const char *text)
{
	static char expected[1 << 16];
	char path[512];
	size_t len;
	FILE *file;

	golden_path(name, path, sizeof(path));
	if (getenv("UPDATE_GOLDEN")) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(text, file);
		fclose(file);
		return;
	}
	file = fopen(path, "r");
	if (!file)
		fail_msg("no golden file %s", path);
	len = fread(expected, 1, sizeof(expected) - 1, file);
	fclose(file);
	expected[len] = '\0';
	if (strcmp(text, expected))
		fail_msg("differs from %s; now:\n%s", path, text);
}

/* Ends the capture, compares, frees. */
static inline void capture_compare(struct capture *c, const char *name)
{
	fclose(c->out.file);
	golden_compare(name, c->text);
	free(c->text);
}

/* The same for a line to be freed. */
static inline void line_compare(char *line, const char *name)
{
	size_t len = strlen(line);
	char *text = malloc(len + 2);

	assert_non_null(text);
	memcpy(text, line, len);
	memcpy(text + len, "\n", 2);
	golden_compare(name, text);
	free(text);
	free(line);
}

/* No line is wider than columns (escapes do not count), no byte is outside ASCII, no blank ends a line. */
static inline void assert_fits(const char *text, unsigned columns)
{
	unsigned width = 0;
	const char *p;

	for (p = text; *p; p++) {
		assert_true((unsigned char)*p < 0x80);
		if (*p == '\033') {
			p += strcspn(p, "m");
			continue;
		}
		if (*p == '\n') {
			assert_true(p == text || p[-1] != ' ');
			width = 0;
			continue;
		}
		width++;
		if (width > columns)
			fail_msg("wider than %u:\n%s", columns, text);
	}
}

static inline void key_address(struct ranking_key *key, const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix, NULL), 0);
	key->family = prefix.addr.family;
	memcpy(key->addr, prefix.addr.bytes, sizeof(key->addr));
}

static inline struct table_netns fixture_netns(void)
{
	return (struct table_netns){.inode = 4026531840, .is_host = true};
}

/* Three sources: one heavy and unreplied, one honest, one of IPv6. Returns how many. */
static inline size_t fixture_rows(struct ranking_row *rows)
{
	memset(rows, 0, 3 * sizeof(*rows));
	key_address(&rows[0].key, "10.1.0.66");
	rows[0].entries = 151200;
	rows[0].classes[FLOW_CLASS_UNREPLIED] = 148210;
	rows[0].classes[FLOW_CLASS_HALF_OPEN] = 2900;
	rows[0].classes[FLOW_CLASS_ESTABLISHED] = 3;
	rows[0].classes[FLOW_CLASS_CLOSING] = 87;
	key_address(&rows[1].key, "10.1.0.12");
	rows[1].entries = 9870;
	rows[1].classes[FLOW_CLASS_UNREPLIED] = 112;
	rows[1].classes[FLOW_CLASS_HALF_OPEN] = 4;
	rows[1].classes[FLOW_CLASS_ESTABLISHED] = 9001;
	rows[1].classes[FLOW_CLASS_CLOSING] = 653;
	rows[1].classes[FLOW_CLASS_STREAM] = 60;
	rows[1].classes[FLOW_CLASS_REPLIED] = 40;
	rows[1].udp = 90;
	key_address(&rows[2].key, "2001:db8:7::");
	rows[2].entries = 4022;
	rows[2].classes[FLOW_CLASS_ESTABLISHED] = 4001;
	rows[2].classes[FLOW_CLASS_CLOSING] = 21;
	return 3;
}

static inline struct ranking_totals fixture_totals(void)
{
	struct ranking_totals totals = {.keys = 1204, .entries = 203417};

	totals.sum.entries = 203417;
	totals.sum.classes[FLOW_CLASS_UNREPLIED] = 150000;
	totals.sum.classes[FLOW_CLASS_HALF_OPEN] = 2917;
	totals.sum.classes[FLOW_CLASS_ESTABLISHED] = 48000;
	totals.sum.classes[FLOW_CLASS_CLOSING] = 1500;
	totals.sum.classes[FLOW_CLASS_STREAM] = 1000;
	totals.sum.udp = 1000;
	return totals;
}

/* A reading of 203,417 of 262,144 by the kernel alone. */
static inline void fixture_cheap(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->netns = fixture_netns();
	s->marks = level_config_default();
	s->level = LEVEL_WARNING;
	s->fill.now.real_ns = FIXTURE_NOW;
	s->fill.now.has = READING_HAS_ENTRIES | READING_HAS_LIMIT | READING_HAS_COUNTERS | READING_HAS_BUCKETS;
	s->fill.now.entries = 203417;
	s->fill.now.entries_limit = s->fill.capacity = 262144;
	s->fill.now.buckets = 262144;
	s->fill.now.counters.insert_failed = 12;
	s->fill.now.counters.invalid = 40712;
	s->fill.now.counters.search_restart = 1201;
	s->fill.fill_pct = 100.0 * 203417 / 262144;
	s->fill.seconds_to_full = -1;
}

/* One of TCP as the pass saw it, one of ICMP of which only the birth is known. */
static inline void fixture_examples(struct snapshot *s)
{
	struct flow_brief *tcp = &s->examples[0], *icmp = &s->examples[1];
	struct ranking_key src = {.value = 0}, dst = {.value = 0};

	s->examples_used = 2;
	key_address(&src, "10.1.0.66");
	key_address(&dst, "10.2.0.7");
	*tcp = (struct flow_brief){.family = AF_INET, .protocol = IPPROTO_TCP, .state = FLOW_TCP_SYN_SENT,
				   .class = FLOW_CLASS_UNREPLIED, .sport = 40000, .dport = 22, .id = 77, .mark = 5,
				   .has = FLOW_HAS_STATE | FLOW_HAS_STATUS | FLOW_HAS_REPLY | FLOW_HAS_ID,
				   .status = FLOW_STATUS_CONFIRMED | FLOW_STATUS_DST_NAT};
	memcpy(tcp->src, src.addr, sizeof(tcp->src));
	memcpy(tcp->dst, dst.addr, sizeof(tcp->dst));
	key_address(&dst, "10.9.0.7");
	memcpy(tcp->reply_src, dst.addr, sizeof(tcp->reply_src));
	*icmp = (struct flow_brief){.family = AF_INET, .protocol = IPPROTO_ICMP, .sport = 4711, .dport = 8 << 8,
				    .zone = 3};
	memcpy(icmp->src, src.addr, sizeof(icmp->src));
	memcpy(icmp->dst, dst.addr, sizeof(icmp->dst));
}

static inline void fixture_pass(struct snapshot *s)
{
	s->has |= SNAPSHOT_HAS_PASS | SNAPSHOT_HAS_EXPIRED | SNAPSHOT_HAS_REFUSAL | SNAPSHOT_HAS_TOP;
	s->evictable_pct = 75.2;
	s->expired = 412;
	s->expired_pct = 100.0 * 412 / 203417;
	s->listed = 203000;
	s->counted_before = 203417;
	s->counted_after = 203005;
	s->refusal_when_full = 0.0000871;
	s->classes[FLOW_CLASS_UNREPLIED] = 150000;
	s->classes[FLOW_CLASS_HALF_OPEN] = 2917;
	s->classes[FLOW_CLASS_ESTABLISHED] = 48000;
	s->classes[FLOW_CLASS_CLOSING] = 1500;
	s->classes[FLOW_CLASS_STREAM] = 583;
	s->protocols[IPPROTO_TCP] = 201000;
	s->protocols[IPPROTO_UDP] = 1990;
	s->protocols[IPPROTO_ICMP] = 10;
	s->pass_age_sec = 3.2;
	s->pass_sec = 0.41;
	s->cause.is_known = s->cause.is_growth = s->cause.has_dominant = true;
	s->cause.part = PICTURE_SOURCE;
	s->cause.share_pct = 74.3;
	s->cause.destinations = 1498;
	s->cause.ports = 1;
	snprintf(s->cause.text, sizeof(s->cause.text),
		 "one source: 10.1.0.66 holds 74 %%, 98 %% unreplied tcp/22, 1,498 destinations");
	fixture_examples(s);
	s->sources.by = RANKING_BY_SOURCE;
	s->sources.config = ranking_config_default(RANKING_BY_SOURCE);
	s->sources.used = fixture_rows(s->sources.rows);
	s->sources.totals = fixture_totals();
}

static inline void fixture_guard(struct snapshot *s)
{
	s->has |= SNAPSHOT_HAS_GUARD;
	s->guard = (struct snapshot_guard){
		.policy = "gateway",
		.rules = 4,
		.base_acts = true,
		.until_real_ns = FIXTURE_NOW + 1740 * NS_PER_SEC,
		.is_running = true,
		.in_surge = true,
		.knows_seniors = true,
		.seniors = 12031,
		.bans = 2,
		.rounds = 17,
		.adopted = 9120,
		.renewals = 41,
		.records = 5,
		.evicted = 80250,
		.failed = 1,
		.last = "rule evict-unanswered: would evict 40,200 flows of 10.1.0.66; at 77.8 %",
		.last_real_ns = FIXTURE_NOW - 120 * NS_PER_SEC};
}

static inline void fixture_daemon(struct snapshot *s)
{
	size_t i;

	fixture_cheap(s);
	fixture_pass(s);
	s->is_daemon_view = s->is_listening = true;
	s->has |= SNAPSHOT_HAS_LEVEL | SNAPSHOT_HAS_GROWTH | SNAPSHOT_HAS_PEAK | SNAPSHOT_HAS_RATE |
		  SNAPSHOT_HAS_EVENTS;
	s->level_since_real_ns = FIXTURE_NOW - 192 * NS_PER_SEC;
	s->daemon_since_real_ns = FIXTURE_NOW - 86400 * NS_PER_SEC;
	s->fill.has_growth = true;
	s->fill.growth_per_sec = 612.4;
	s->fill.seconds_to_full = 95.9;
	s->fill.delta.invalid = 3;
	s->fill.peak = (struct fill_peak){.entries = 204011, .real_ns = FIXTURE_NOW - 60 * NS_PER_SEC};
	s->fill.peak_asked = s->fill.peak;
	s->new_per_sec = 801.7;
	s->redone_passes = 1;
	fixture_guard(s);
	s->events_received = 1234567;
	s->sources.rows[0].new_per_sec = 601.2f;
	s->sources.rows[1].new_per_sec = 14.0f;
	s->prefixes.config = ranking_config_default(RANKING_BY_PREFIX);
	s->prefixes.used = 1;
	key_address(&s->prefixes.rows[0].key, "10.1.0.0");
	s->prefixes.rows[0].entries = 190000;
	s->prefixes.totals = s->sources.totals;
	s->destinations.config = ranking_config_default(RANKING_BY_DESTINATION);
	s->destinations.totals = s->sources.totals;
	s->services.config = ranking_config_default(RANKING_BY_SERVICE);
	s->services.totals = s->sources.totals;
	s->services.used = 2;
	for (i = 0; i < 2; i++) {
		s->services.rows[i].key.protocol = i ? IPPROTO_ICMP : IPPROTO_TCP;
		s->services.rows[i].key.value = i ? 8 : 22;
		s->services.rows[i].entries = i ? 10 : 148000;
	}
}

#endif
