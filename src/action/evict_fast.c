/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_fast: one request to the kernel instead of a pass and as many deletes. A pass has confirmed what the
 * surge is; where that is unanswered flows of one address, which nothing protects, the next rounds need not look at
 * each of them. Nothing can be spared by such a request, so it is made only where there is nothing to spare: the pass
 * that it rests on met no other flow that the filter means and no answered flow of that address, and no entry of a
 * protect list could ever match. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "evict_private.h"

#define GOOD_FOR_NS   (10 * NS_PER_SEC)
/* What is expected is an estimate: where the budget is the bound, so many times of it must be granted; else what is
 * wanted may be exceeded by so much. */
#define BUDGET_MARGIN 2
#define WANT_MARGIN   1.25

void fast_forget(struct fast *fast)
{
	for (size_t i = 0; i < fast->count; i++)
		flow_filter_free(fast->ways[i].filter);
	fast->count = 0;
}

/* ---- in the pass ---- */

static struct flow_filter *filter_of(const struct signature_pattern *pattern)
{
	struct flow_filter *filter = signature_filter(pattern);

	flow_filter_add(filter, FILTER_UNREPLIED, NULL, false, NULL);
	flow_filter_finish(filter, NULL);
	return filter;
}

static bool may_meet_protected(const struct guard_table *table, const struct flow_filter *filter)
{
	/* "own" protects answered flows alone. */
	for (size_t i = 0; i < table->policy->protect_count; i++)
		if (flow_filter_may_meet(filter, table->policy->protect[i].match.filter))
			return true;
	return table->protect && protect_may_meet(table->protect, filter, NULL);
}

void fast_begin(struct fast *fast, const struct guard_table *table, const struct signature *signatures, size_t count)
{
	fast_forget(fast);
	for (size_t i = 0; i < count; i++) {
		struct fast_way *way = &fast->ways[fast->count];

		*way = (struct fast_way){.number = i};
		if (signatures[i].hits_base || signatures[i].is_blind ||
		    !signature_for_kernel(&signatures[i].pattern, &way->pattern))
			continue;
		way->filter = filter_of(&way->pattern);
		if (may_meet_protected(table, way->filter))
			flow_filter_free(way->filter);
		else
			fast->count++;
	}
}

/* Who is answered is somebody, whoever else sends in his name: then each flow is looked at. */
static void note_user(struct fast *fast, const struct flow *flow)
{
	const struct flow_tuple *orig = &flow->tuple[FLOW_ORIG];

	for (size_t i = 0; i < fast->count; i++) {
		const struct signature_pattern *pattern = &fast->ways[i].pattern;

		if (orig->family != pattern->family)
			continue;
		if (pattern->src_len ? !memcmp(orig->src, pattern->src, sizeof(orig->src))
				     : !memcmp(orig->dst, pattern->dst, sizeof(orig->dst)))
			fast->ways[i].strangers++;
	}
}

void fast_see(struct fast *fast, const struct guard_table *table, const struct flow *flow, enum flow_class class,
	      const struct standing *standing)
{
	struct flow_filter_context context = guard_context(table);

	if (flow->status & FLOW_STATUS_SEEN_REPLY) {
		note_user(fast, flow);
		return;
	}
	for (size_t i = 0; i < fast->count; i++) {
		struct fast_way *way = &fast->ways[i];

		if (!flow_filter_match(way->filter, flow, &context))
			continue;
		way->met++;
		way->strangers += class != FLOW_CLASS_UNREPLIED || standing->is_base ||
				  flow_tuple_is_loopback(&flow->tuple[FLOW_ORIG]) ||
				  guard_protected_by(table, flow, &context) != NULL;
	}
}

/* What the pass has borne out stays, until it is old. */
void fast_confirm(struct fast *fast, const struct signature *signatures, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < fast->count; i++) {
		struct fast_way *way = &fast->ways[i];

		if (signatures[way->number].is_confirmed && way->met && !way->strangers)
			fast->ways[kept++] = *way;
		else
			flow_filter_free(way->filter);
	}
	fast->count = kept;
	fast->confirmed_ns = now_ns;
}

void fast_end(struct fast *fast, const struct guard_table *table, const uint64_t taken[SIGNATURE_MAX])
{
	fast->rest = 0;
	for (size_t i = 0; i < fast->count; i++) {
		const struct fast_way *way = &fast->ways[i];

		fast->rest += way->met > taken[way->number] ? way->met - taken[way->number] : 0;
	}
	fast->counted_ns = table->monotonic_ns();
	if (table->ports->count(table->ports->arg, &fast->entries))
		fast_forget(fast);
}

/* ---- instead of the pass ---- */

static bool is_for(const struct policy_decision *decision, const struct policy_rule *rule)
{
	bool has_class = false;

	for (unsigned i = 0; i < rule->action.class_count; i++)
		has_class |= rule->action.classes[i] == FLOW_CLASS_UNREPLIED;
	/* Where it is counted how many may go nobody counts what one request takes. */
	return has_class && rule->action.has_signature && !decision->would && !decision->bounds.count &&
	       flow_filter_is_empty(decision->filter);
}

/* How many it may take: what was left, and all that came since, by the count (of which others may have ended) or by the
 * rate. */
static uint64_t expected(const struct fast *fast, const struct guard_table *table, uint64_t entries)
{
	double seconds = (double)(table->monotonic_ns() - fast->counted_ns) / NS_PER_SEC;
	uint64_t by_rate = (uint64_t)(table->new_per_sec * seconds);
	uint64_t came = entries > fast->entries ? entries - fast->entries : 0;
	uint64_t most = fast->rest + (came > by_rate ? came : by_rate);

	return most < entries ? most : entries;
}

static bool is_within_budget(const struct fast *fast, const struct guard_table *table,
			     const struct policy_decision *decision, uint64_t entries)
{
	double most = (double)expected(fast, table, entries);

	if (decision->granted < decision->want)
		return BUDGET_MARGIN * most <= (double)decision->granted;
	return most <= WANT_MARGIN * (double)decision->want;
}

/* Of an address that somebody else may have put there, honest flows that are just being opened look the same: then only
 * where a pass would come too late. */
static bool is_called_for(const struct fast_way *way, const struct guard_table *table, uint64_t entries,
			  int64_t pass_ns)
{
	double room = table->capacity > entries ? (double)(table->capacity - entries) : 0;

	return way->pattern.src_len || room < table->new_per_sec * 2 * (double)pass_ns / NS_PER_SEC;
}

static void tell(const struct fast_way *way, const struct guard *guard, uint64_t count, struct action_record *record)
{
	char text[SIGNATURE_TEXT_MAX];
	struct text how;

	text_init(&how, record->how, sizeof(record->how));
	/* Of two ways the last is named, and both are counted. */
	text_add(&how, "%s by one request to the kernel, as the pass before found",
		 signature_format(&way->pattern, text));
	record->way = ACTION_WAY_FILTER;
	if (way->pattern.src_len)
		evict_tally_source(record, guard->config.seniority.source_prefix, way->pattern.family,
				   (const uint8_t *)way->pattern.src, count);
	else
		record->source_count = 0;
}

/* False: it could not be done, or nothing is known to have gone. */
static bool run(struct guard *guard, const struct fast_way *way, const struct guard_table *table,
		struct action_record *record)
{
	struct fast *fast = &guard->fast;
	const struct flow_ports *ports = table->ports;
	uint64_t before = 0, after = 0;
	char why[160];

	if (!ports->can_delete_filtered(ports->arg, way->filter, why, sizeof(why)) ||
	    ports->count(ports->arg, &before) || ports->delete_filtered(ports->arg, way->filter) ||
	    ports->count(ports->arg, &after) || after >= before)
		return false;
	fast->entries = after;
	fast->counted_ns = table->monotonic_ns();
	tell(way, guard, before - after, record);
	record->matched += before - after;
	record->done += before - after;
	record->classes[FLOW_CLASS_UNREPLIED] += before - after;
	record->stages[VICTIM_UNANSWERED_FIT] += before - after;
	return true;
}

uint64_t fast_run(struct guard *guard, const struct guard_table *table, const struct policy_decision *decision,
		  struct action_record *record)
{
	struct fast *fast = &guard->fast;
	const struct policy_rule *rule = &table->policy->rules[decision->rule];
	uint64_t entries = record->entries_before;

	if (!fast->count || !is_for(decision, rule) || !entries)
		return 0;
	if (table->monotonic_ns() - fast->confirmed_ns > GOOD_FOR_NS ||
	    !is_within_budget(fast, table, decision, entries)) {
		fast_forget(fast);
		return 0;
	}
	for (size_t i = 0; i < fast->count; i++)
		if (may_meet_protected(table, fast->ways[i].filter) ||
		    (is_called_for(&fast->ways[i], table, entries, guard->pass_ns) &&
		     !run(guard, &fast->ways[i], table, record))) {
			fast_forget(fast);
			break;
		}
	fast->rest = fast->rest > record->done ? fast->rest - record->done : 0;
	return record->done;
}
