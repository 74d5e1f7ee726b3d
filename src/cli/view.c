/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/view: the daemon's documents back into the structures that report shows as text, so that both
 * views look alike. What a document does not say stays unknown; a wrong type refuses the whole
 * document. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "cli.h"
#include "doc/doc.h"
#include "field.h"
#include "flow/names.h"
#include "view.h"

#define AT(member) offsetof(struct snapshot, member)

static const struct field status_fields[] = {
	{"entries", FIELD_U64, AT(fill.now.entries), 0},
	{"entries_limit", FIELD_U64, AT(fill.now.entries_limit), 0},
	{"buckets", FIELD_U64, AT(fill.now.buckets), 0},
	{"capacity", FIELD_U64, AT(fill.capacity), 0},
	{"fill_pct", FIELD_DOUBLE, AT(fill.fill_pct), 0},
	{"implausible", FIELD_BOOL, AT(fill.is_implausible), 0},
	{"growth_per_sec", FIELD_DOUBLE, AT(fill.growth_per_sec), SNAPSHOT_HAS_GROWTH},
	{"seconds_to_full", FIELD_DOUBLE, AT(fill.seconds_to_full), 0},
	{"peak.entries", FIELD_U64, AT(fill.peak.entries), SNAPSHOT_HAS_PEAK},
	{"peak.time", FIELD_MOMENT, AT(fill.peak.real_ns), 0},
	{"level_since", FIELD_MOMENT, AT(level_since_real_ns), SNAPSHOT_HAS_LEVEL},
	{"new_per_sec", FIELD_DOUBLE, AT(new_per_sec), SNAPSHOT_HAS_RATE},
	{"evictable_pct", FIELD_DOUBLE, AT(evictable_pct), SNAPSHOT_HAS_PASS},
	{"expired_pct", FIELD_DOUBLE, AT(expired_pct), SNAPSHOT_HAS_EXPIRED},
	{"expired", FIELD_U64, AT(expired), 0},
	{"listed", FIELD_U64, AT(listed), 0},
	{"counted", FIELD_U64, AT(counted_before), 0},
	{"counted_after", FIELD_U64, AT(counted_after), 0},
	{"refusal_probability", FIELD_DOUBLE, AT(refusal_probability), SNAPSHOT_HAS_REFUSAL},
	{"refusal_when_full", FIELD_DOUBLE, AT(refusal_when_full), 0},
	{"pass.age_sec", FIELD_DOUBLE, AT(pass_age_sec), SNAPSHOT_HAS_PASS},
	{"pass.duration_sec", FIELD_DOUBLE, AT(pass_sec), 0},
	{"pass.redone", FIELD_U32, AT(redone_passes), 0},
	{"folded_entries", FIELD_U64, AT(folded_entries), 0},
	{"approximate", FIELD_BOOL, AT(is_approximate), 0},
	{"lost_events", FIELD_U64, AT(lost_events), 0},
	{"marks.warning.enter_pct", FIELD_DOUBLE, AT(marks.warning.enter_pct), 0},
	{"marks.warning.leave_pct", FIELD_DOUBLE, AT(marks.warning.leave_pct), 0},
	{"marks.critical.enter_pct", FIELD_DOUBLE, AT(marks.critical.enter_pct), 0},
	{"marks.critical.leave_pct", FIELD_DOUBLE, AT(marks.critical.leave_pct), 0},
	{"marks.warning.forecast_sec", FIELD_DOUBLE, AT(marks.warning.forecast_sec), 0},
	{"marks.critical.forecast_sec", FIELD_DOUBLE, AT(marks.critical.forecast_sec), 0},
	{"marks.full_pct", FIELD_DOUBLE, AT(marks.full_pct), 0},
	{"marks.forecast_min_pct", FIELD_DOUBLE, AT(marks.forecast_min_pct), 0},
	{"daemon_since", FIELD_MOMENT, AT(daemon_since_real_ns), 0},
	{"events.listening", FIELD_BOOL, AT(is_listening), SNAPSHOT_HAS_EVENTS},
	{"events.received", FIELD_U64, AT(events_received), 0},
	{"events.lost", FIELD_U64, AT(events_lost), 0},
	{"events.overruns", FIELD_U64, AT(events_overruns), 0},
	{"events.undecodable", FIELD_U64, AT(events_undecodable), 0},
	{"events.not_kernel", FIELD_U64, AT(events_not_kernel), 0},
	{"guard.rules", FIELD_U32, AT(guard.rules), SNAPSHOT_HAS_GUARD},
	{"guard.until", FIELD_MOMENT, AT(guard.until_real_ns), 0},
	{"guard.running", FIELD_BOOL, AT(guard.is_running), 0},
	{"guard.calm", FIELD_BOOL, AT(guard.is_calm), 0},
	{"guard.surge", FIELD_BOOL, AT(guard.in_surge), 0},
	{"guard.seniors_known", FIELD_BOOL, AT(guard.knows_seniors), 0},
	{"guard.seniors", FIELD_U64, AT(guard.seniors), 0},
	{"guard.adopted", FIELD_U64, AT(guard.adopted), 0},
	{"guard.adopted_lost", FIELD_U64, AT(guard.adopted_lost), 0},
	{"guard.bans", FIELD_U64, AT(guard.bans), 0},
	{"guard.rounds", FIELD_U64, AT(guard.rounds), 0},
	{"guard.renewals", FIELD_U64, AT(guard.renewals), 0},
	{"guard.records", FIELD_U64, AT(guard.records), 0},
	{"guard.evicted", FIELD_U64, AT(guard.evicted), 0},
	{"guard.failed", FIELD_U64, AT(guard.failed), 0},
	{"guard.last.time", FIELD_MOMENT, AT(guard.last_real_ns), 0},
	{"fast_delete.on", FIELD_BOOL, AT(fast_delete), SNAPSHOT_HAS_FAST_DELETE},
	{"fast_delete.sets", FIELD_U32, AT(fast_delete_sets), 0},
	{"counters.found", FIELD_U64, AT(fill.now.counters.found), 0},
	{"counters.invalid", FIELD_U64, AT(fill.now.counters.invalid), 0},
	{"counters.insert", FIELD_U64, AT(fill.now.counters.insert), 0},
	{"counters.insert_failed", FIELD_U64, AT(fill.now.counters.insert_failed), 0},
	{"counters.drop", FIELD_U64, AT(fill.now.counters.drop), 0},
	{"counters.early_drop", FIELD_U64, AT(fill.now.counters.early_drop), 0},
	{"counters.error", FIELD_U64, AT(fill.now.counters.error), 0},
	{"counters.search_restart", FIELD_U64, AT(fill.now.counters.search_restart), 0},
	{"counters.clash_resolve", FIELD_U64, AT(fill.now.counters.clash_resolve), 0},
	{"counters.chaintoolong", FIELD_U64, AT(fill.now.counters.chaintoolong), 0},
};

#define IN_ROW(member) offsetof(struct ranking_row, member)

static const struct field row_fields[] = {
	{"entries", FIELD_U32, IN_ROW(entries), 0},
	{"new_per_sec", FIELD_FLOAT, IN_ROW(new_per_sec), 0},
	{"bytes", FIELD_U64, IN_ROW(bytes), 0},
	{"born", FIELD_U32, IN_ROW(born), 0},
	{"classes.unreplied", FIELD_U32, IN_ROW(classes[FLOW_CLASS_UNREPLIED]), 0},
	{"classes.half_open", FIELD_U32, IN_ROW(classes[FLOW_CLASS_HALF_OPEN]), 0},
	{"classes.pickup", FIELD_U32, IN_ROW(classes[FLOW_CLASS_PICKUP]), 0},
	{"classes.closing", FIELD_U32, IN_ROW(classes[FLOW_CLASS_CLOSING]), 0},
	{"classes.replied", FIELD_U32, IN_ROW(classes[FLOW_CLASS_REPLIED]), 0},
	{"classes.stream", FIELD_U32, IN_ROW(classes[FLOW_CLASS_STREAM]), 0},
	{"classes.established", FIELD_U32, IN_ROW(classes[FLOW_CLASS_ESTABLISHED]), 0},
	{"classes.offloaded", FIELD_U32, IN_ROW(classes[FLOW_CLASS_OFFLOADED]), 0},
	{"classes.other", FIELD_U32, IN_ROW(classes[FLOW_CLASS_OTHER]), 0},
	{"udp", FIELD_U32, IN_ROW(udp), 0},
};

static void read_netns(const struct doc_node *root, struct table_netns *netns)
{
	struct doc_node node = doc_get(root, "netns"), member;
	const char *text = NULL;
	int64_t inode = 0;

	member = doc_get(&node, "inode");
	if (!doc_whole(&member, 0, INT64_MAX, &inode, PROBLEM_IGNORED))
		netns->inode = (uint64_t)inode;
	member = doc_get(&node, "host");
	doc_bool(&member, &netns->is_host, PROBLEM_IGNORED);
	member = doc_get(&node, "name");
	if (!doc_text(&member, &text, PROBLEM_IGNORED) && text)
		strncpy(netns->name, text, sizeof(netns->name) - 1);
}

/* ---- rows ---- */

/* "10.1.0.66", "2001:db8:7::/64", with " zone 3" behind. */
static int parse_address_key(const char *text, struct ranking_key *key)
{
	char address[RANKING_TEXT_MAX];
	size_t len = strcspn(text, " ");
	struct prefix prefix;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (prefix_parse(address, &prefix, PROBLEM_IGNORED))
		return -EINVAL;
	key->family = prefix.addr.family;
	memcpy(key->addr, prefix.addr.bytes, sizeof(key->addr));
	if (!strncmp(text + len, " zone ", 6))
		key->zone = (uint16_t)strtoul(text + len + 6, NULL, 10);
	return 0;
}

/* "udp/53", "icmp/8", "gre". */
static int parse_service_key(const char *text, struct ranking_key *key)
{
	char protocol[NAMES_TEXT_MAX];
	size_t len = strcspn(text, "/");

	if (len >= sizeof(protocol))
		return -EINVAL;
	memcpy(protocol, text, len);
	protocol[len] = '\0';
	if (text[len])
		key->value = (uint32_t)strtoul(text + len + 1, NULL, 10);
	return protocol_parse(protocol, &key->protocol);
}

static int read_row(const struct doc_node *node, enum ranking_by by, struct ranking_row *row,
		    struct problem *problem)
{
	struct doc_node member = doc_get(node, "key");
	const char *text = NULL;
	int result;

	result = doc_text(&member, &text, problem);
	if (result)
		return result;
	if (!text || (by == RANKING_BY_SERVICE ? parse_service_key(text, &row->key)
					       : parse_address_key(text, &row->key)))
		return doc_problem(&member, problem, "the key cannot be read");
	return field_read_all(node, row_fields, sizeof(row_fields) / sizeof(row_fields[0]), row, NULL,
			   problem);
}

/* The rows of object: at most max. */
static int read_rows(const struct doc_node *list, enum ranking_by by, size_t max,
		     struct ranking_row *rows, size_t *ret_used, struct problem *problem)
{
	size_t i, count = doc_count(list);
	struct doc_node node;
	int result;

	for (i = 0; i < count && i < max; i++) {
		node = doc_at(list, i);
		result = read_row(&node, by, &rows[i], problem);
		if (result)
			return result;
	}
	*ret_used = i;
	return 0;
}

static void read_totals(const struct doc_node *object, const struct ranking_row *rows, size_t used,
			struct ranking_totals *totals)
{
	struct doc_node node = doc_get(object, "others.keys");
	int64_t keys = 0, entries = 0, folded = 0;
	size_t i;

	doc_whole(&node, 0, INT64_MAX, &keys, PROBLEM_IGNORED);
	node = doc_get(object, "others.entries");
	doc_whole(&node, 0, INT64_MAX, &entries, PROBLEM_IGNORED);
	totals->keys = used + (uint64_t)keys;
	totals->entries = (uint64_t)entries;
	for (i = 0; i < used; i++)
		totals->entries += rows[i].entries;
	/* `top` says it all; `status` only what stands above. */
	node = doc_get(object, "totals");
	field_read_all(&node, row_fields, sizeof(row_fields) / sizeof(row_fields[0]), &totals->sum, NULL,
		    PROBLEM_IGNORED);
	node = doc_get(object, "totals.entries");
	if (doc_has(&node) && !doc_whole(&node, 0, INT64_MAX, &entries, PROBLEM_IGNORED))
		totals->entries = (uint64_t)entries;
	node = doc_get(object, "totals.keys");
	if (doc_has(&node) && !doc_whole(&node, 0, INT64_MAX, &keys, PROBLEM_IGNORED))
		totals->keys = (uint64_t)keys;
	node = doc_get(object, "totals.folded_entries");
	if (!doc_whole(&node, 0, INT64_MAX, &folded, PROBLEM_IGNORED))
		totals->folded_entries = (uint64_t)folded;
}

/* ---- status ---- */

static void read_classes(const struct doc_node *root, struct snapshot *snapshot)
{
	struct doc_node object = doc_get(root, "classes"), node;
	int64_t count;
	int i;

	for (i = 0; i < FLOW_CLASS_COUNT; i++) {
		count = 0;
		node = doc_get(&object, class_key((enum flow_class)i));
		if (!doc_whole(&node, 0, INT64_MAX, &count, PROBLEM_IGNORED))
			snapshot->classes[i] = (uint64_t)count;
	}
}

int view_read_top(const struct doc_node *root, const char *key, enum ranking_by by, struct snapshot_top *top,
		  struct problem *problem)
{
	struct doc_node list = doc_get(root, key), row, node;
	const char *text;
	int64_t len = -1;
	size_t i;
	int result;

	if (!doc_is_array(&list))
		return 0;
	top->by = by;
	top->config = ranking_config_default(by);
	/* As the daemon's config cuts addresses: the rows say it. */
	for (i = 0; i < doc_count(&list); i++) {
		row = doc_at(&list, i);
		node = doc_get(&row, "prefix_len");
		doc_whole(&node, 0, 128, &len, PROBLEM_IGNORED);
		node = doc_get(&row, "family");
		text = NULL;
		if (!doc_text(&node, &text, PROBLEM_IGNORED) && text && len >= 0)
			top->config.prefix_len[!strcmp(text, "ipv6")] = (uint8_t)len;
	}
	result = read_rows(&list, by, SNAPSHOT_TOP, top->rows, &top->used, problem);
	if (!result)
		read_totals(root, top->rows, top->used, &top->totals);
	return result;
}

/* What the daemon could read of the table: what the document holds. */
static uint32_t reading_has(const struct doc_node *root)
{
	static const struct {
		const char *key;
		uint32_t has;
	} parts[] = {{"entries", READING_HAS_ENTRIES},
		     {"entries_limit", READING_HAS_LIMIT},
		     {"counters", READING_HAS_COUNTERS},
		     {"buckets", READING_HAS_BUCKETS}};
	struct doc_node node;
	uint32_t has = 0;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		node = doc_get(root, parts[i].key);
		has |= doc_has(&node) ? parts[i].has : 0;
	}
	return has;
}

static void read_protocols(const struct doc_node *root, struct snapshot *s)
{
	struct doc_node object = doc_get(root, "protocols"), node;
	const char *name;
	uint8_t protocol;
	int64_t count;
	size_t i;

	for (i = 0; i < doc_count(&object); i++) {
		node = doc_member(&object, i, &name);
		if (!protocol_parse(name, &protocol) &&
		    !doc_whole(&node, 0, INT64_MAX, &count, PROBLEM_IGNORED))
			s->protocols[protocol] = (uint64_t)count;
	}
}

static void copy_text(const struct doc_node *root, const char *key, char *ret, size_t size)
{
	struct doc_node node = doc_get(root, key);
	const char *text = NULL;

	if (!doc_text(&node, &text, PROBLEM_IGNORED) && text)
		snprintf(ret, size, "%s", text);
}

static void read_guard(const struct doc_node *root, struct snapshot_guard *guard)
{
	char mode[16] = "", base_mode[16] = "";

	copy_text(root, "guard.policy", guard->policy, sizeof(guard->policy));
	copy_text(root, "guard.last.text", guard->last, sizeof(guard->last));
	copy_text(root, "guard.mode", mode, sizeof(mode));
	copy_text(root, "guard.base_mode", base_mode, sizeof(base_mode));
	guard->acts = !strcmp(mode, "act");
	guard->base_acts = !strcmp(base_mode, "act");
}

int view_read_status(const struct doc_node *root, struct snapshot *s, struct problem *problem)
{
	static const char *const levels[] = {"ok", "warning", "critical", "full", NULL};
	struct doc_node node;
	int result, level = 0;

	node = doc_get(root, "marks");
	if (doc_has(&node)) /* else it does not say what it was judged by */
		s->marks = level_config_default();
	s->fill.seconds_to_full = -1;
	s->is_daemon_view = true;
	result = field_read_all(root, status_fields, sizeof(status_fields) / sizeof(status_fields[0]),
			     s, &s->has, problem);
	if (result)
		return result;
	node = doc_get(root, "level");
	result = doc_choice(&node, levels, &level, problem);
	if (result)
		return result;
	s->level = (enum level)level;
	s->fill.has_growth = (s->has & SNAPSHOT_HAS_GROWTH) != 0;
	s->fill.now.has = reading_has(root);
	node = doc_get(root, "time");
	result = field_read_moment(&node, &s->fill.now.real_ns, problem);
	if (result)
		return result;
	read_netns(root, &s->netns);
	read_classes(root, s);
	read_protocols(root, s);
	read_guard(root, &s->guard);
	copy_text(root, "fast_delete.why", s->fast_delete_why, sizeof(s->fast_delete_why));
	copy_text(root, "events.note", s->events_note, sizeof(s->events_note));
	copy_text(root, "cause.text", s->cause.text, sizeof(s->cause.text));
	s->cause.is_known = s->cause.text[0];
	result = view_read_top(root, "top_sources", RANKING_BY_SOURCE, &s->sources, problem);
	if (!result && s->sources.used)
		s->has |= SNAPSHOT_HAS_TOP;
	return result;
}

static int open_document(const char *document, const char *schema, struct doc **ret_doc,
			 struct problem *problem)
{
	struct doc_node root, node;
	const char *text = NULL;
	int result;

	result = doc_parse(document, strlen(document), "answer", false, ret_doc, problem);
	if (result)
		return result;
	root = doc_root(*ret_doc);
	node = doc_get(&root, "schema");
	if (!doc_text(&node, &text, PROBLEM_IGNORED) && text && !strcmp(text, schema))
		return 0;
	doc_problem(&node, problem, "the daemon's answer is no %s", schema);
	doc_free(*ret_doc);
	return -EINVAL;
}

int view_status(const char *document, struct snapshot *ret_snapshot, struct problem *reterr_problem)
{
	struct snapshot *snapshot;
	struct doc_node root;
	struct doc *doc;
	int result;

	result = open_document(document, "ctwarden.status/1", &doc, reterr_problem);
	if (result)
		return result;
	snapshot = mem_alloc(sizeof(*snapshot));
	root = doc_root(doc);
	result = view_read_status(&root, snapshot, reterr_problem);
	if (!result)
		*ret_snapshot = *snapshot;
	free(snapshot);
	doc_free(doc);
	return result;
}

/* ---- top ---- */

static int read_report_top(const struct doc_node *root, struct view_top *view,
			   struct problem *problem)
{
	struct report_top *top = &view->top;
	struct doc_node node = doc_get(root, "by");
	enum ranking_by by = RANKING_BY_SOURCE;
	const char *text = NULL;
	int64_t number = 0;
	int result, family;

	if (doc_text(&node, &text, problem))
		return -EINVAL;
	if (!text || ranking_by_parse(text, &by))
		return doc_problem(&node, problem, "an unknown ranking");
	top->view = "daemon";
	top->filter = "";
	top->age_sec = -1;
	top->config = ranking_config_default(by);
	node = doc_get(root, "entries");
	doc_whole(&node, 0, INT64_MAX, &number, PROBLEM_IGNORED);
	top->entries = (uint64_t)number;
	node = doc_get(root, "matched");
	doc_whole(&node, 0, INT64_MAX, &number, PROBLEM_IGNORED);
	top->matched = (uint64_t)number;
	node = doc_get(root, "approximate");
	doc_bool(&node, &top->is_approximate, PROBLEM_IGNORED);
	node = doc_get(root, "age_sec");
	doc_number(&node, 0, 1e12, &top->age_sec, PROBLEM_IGNORED);
	read_netns(root, &top->netns);
	for (family = 0; family < 2; family++) {
		node = doc_get(root, family ? "prefix_len.ipv6" : "prefix_len.ipv4");
		number = top->config.prefix_len[family];
		doc_whole(&node, 0, family ? 128 : 32, &number, PROBLEM_IGNORED);
		top->config.prefix_len[family] = (uint8_t)number;
	}
	node = doc_get(root, "rows");
	view->rows = mem_array(doc_count(&node) + 1, sizeof(*view->rows));
	top->rows = view->rows;
	result = read_rows(&node, by, doc_count(&node), view->rows, &top->used, problem);
	if (!result)
		read_totals(root, view->rows, top->used, &top->totals);
	return result;
}

int view_top(const char *document, struct view_top *ret_top, struct problem *reterr_problem)
{
	struct view_top view = {0};
	struct doc_node root;
	struct doc *doc;
	int result;

	result = open_document(document, "ctwarden.top/1", &doc, reterr_problem);
	if (result)
		return result;
	root = doc_root(doc);
	result = read_report_top(&root, &view, reterr_problem);
	if (result)
		free(view.rows);
	else
		*ret_top = view;
	doc_free(doc);
	return result;
}
