/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/relieve_round: the guard's round, planned and done; what all rules and rounds did as one
 * record. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "relieve.h"

#define VICTIMS_MAX (1u << 20) /* of one round: 200 MB at most, as much as is used of it */
#define ROUNDS_MAX  64
#define ALIKE_MIN   0.5 /* of the table: then even young ones that nobody answers go */
#define GREW_MAX    3 /* rounds for what came while others went */

/* ---- one record of many ---- */

static void add_source(struct action_record *sum, const struct record_count *source)
{
	size_t least = 0, i;

	for (i = 0; i < sum->source_count; i++) {
		if (!strcmp(sum->sources[i].name, source->name)) {
			sum->sources[i].count += source->count;
			return;
		}
		if (sum->sources[i].count < sum->sources[least].count)
			least = i;
	}
	if (sum->source_count < RECORD_SOURCES)
		sum->sources[sum->source_count++] = *source;
	else if (sum->sources[least].count < source->count)
		sum->sources[least] = *source;
}

static int most_first(const void *a, const void *b)
{
	uint64_t x = ((const struct record_count *)a)->count,
		 y = ((const struct record_count *)b)->count;

	return x > y ? -1 : x < y;
}

static void add_record(struct action_record *sum, const struct action_record *record)
{
	sum->matched += record->matched;
	sum->done += record->done;
	sum->gone += record->gone;
	sum->refused += record->refused;
	sum->unknown += record->unknown;
	sum->left += record->left;
	if (record->error && !sum->error)
		sum->error = record->error;
	for (unsigned i = 0; i < FLOW_CLASS_COUNT; i++)
		sum->classes[i] += record->classes[i];
	for (unsigned i = 0; i < VICTIM_STAGE_COUNT; i++)
		sum->stages[i] += record->stages[i];
	for (size_t i = 0; i < record->source_count; i++)
		add_source(sum, &record->sources[i]);
	qsort(sum->sources, sum->source_count, sizeof(sum->sources[0]), most_first);
	for (size_t i = 0; i < record->example_count && sum->example_count < RECORD_EXAMPLES; i++)
		sum->examples[sum->example_count++] = record->examples[i];
	if (!sum->signature_count) {
		memcpy(sum->signatures, record->signatures, sizeof(sum->signatures));
		sum->signature_count = record->signature_count;
	}
}

/* What a round met and let live, of this round alone: a second one meets the same again. */
static void keep_spared(struct action_record *sum, const struct action_record *records,
			size_t count)
{
	memset(sum->spared_by, 0, sizeof(sum->spared_by));
	for (size_t k = 0; k < count; k++)
		for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
			sum->spared_by[i] += records[k].spared_by[i];
	/* These were counted of the whole table by the look before. */
	sum->spared_by[VICTIM_SPARED_PROTECTED] = sum->spared_by[VICTIM_SPARED_FLOOR] = 0;
	sum->spared_by[VICTIM_SPARED_YOUNG_FLOW] = 0;
}

/* ---- rounds ---- */

static struct guard *new_guard(const struct relieve *relieve, uint64_t want)
{
	struct guard_config config = guard_config_default();
	uint64_t most = want * relieve->rule_count;

	config.max_victims = most > VICTIMS_MAX ? VICTIMS_MAX : (size_t)most;
	config.min_alike = ALIKE_MIN;
	/* One or two passes: what is remembered of flows serves nobody. */
	config.seniority.max_flows = 1024;
	config.seniority.max_sources = 1024;
	return guard_new(&config);
}

/* Returns how many flows were chosen; into *sum. */
static uint64_t run_round(struct relieve *relieve, uint64_t want, bool would,
			  struct action_record *sum)
{
	struct policy_decision decisions[RELIEVE_RULES_MAX];
	struct guard_outcome *outcomes = mem_array(RELIEVE_RULES_MAX, sizeof(*outcomes));
	struct action_record *records = mem_array(RELIEVE_RULES_MAX, sizeof(*records));
	struct guard *guard = new_guard(relieve, want);
	size_t count = relieve_decide(relieve, want, would, decisions);
	uint64_t matched = 0, by_fit = 0;
	bool is_first = !sum->matched;

	relieve->table.real_ns = clock_real_ns();
	guard_round(guard, &relieve->table, decisions, count, outcomes);
	for (size_t i = 0; i < count; i++) {
		records[i] = outcomes[i].record;
		matched += records[i].matched;
		by_fit = records[i].by_fit > by_fit ? records[i].by_fit : by_fit;
		add_record(sum, &records[i]);
		policy_decision_done(&decisions[i]);
	}
	keep_spared(sum, records, count);
	if (is_first) /* the look before met the same */
		sum->by_fit = by_fit;
	guard_free(guard);
	free(records);
	free(outcomes);
	return matched;
}

static uint64_t taken_off(uint64_t *from, uint64_t most)
{
	uint64_t taken = most < *from ? most : *from;

	*from -= taken;
	return taken;
}

/* What is alike in most of the table may go though it is young; who might have gone and did not is left. */
static void settle_counts(struct report_relieve *shown)
{
	uint64_t left = shown->record.matched, spared = 0;

	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		spared += shown->record.spared_by[i];
	shown->candidates += taken_off(&shown->young, shown->record.by_fit);
	taken_off(&shown->candidates, spared);
	left -= taken_off(&shown->candidates, left);
	left -= taken_off(&shown->young, left); /* grown old since the look */
	taken_off(&shown->unsettled, left);
}

int relieve_plan(struct relieve *relieve)
{
	struct report_relieve *shown = &relieve->shown;

	run_round(relieve, shown->wanted, true, &shown->record);
	if (shown->record.error)
		return run_failed_table(shown->record.error, "reading the table");
	shown->entries_after = shown->entries_before - shown->record.matched;
	settle_counts(shown);
	return EXIT_DONE;
}

static void clear_sums(struct action_record *record)
{
	struct action_record fresh = {.protected_count = record->protected_count};

	memcpy(fresh.protected_by, record->protected_by, sizeof(fresh.protected_by));
	*record = fresh;
}

static bool is_signalled(int signals)
{
	struct pollfd fd = {.fd = signals, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

void relieve_work(struct relieve *relieve, int signals)
{
	struct report_relieve *shown = &relieve->shown;
	uint64_t want = shown->wanted, now = 0, matched, done;
	int64_t began_ns = clock_monotonic_ns();
	unsigned grew = 0;

	clear_sums(&shown->record);
	relieve->cli->has_acted = true;
	for (unsigned round = 0; round < ROUNDS_MAX && want; round++) {
		relieve->is_interrupted = is_signalled(signals);
		if (relieve->is_interrupted)
			break;
		done = shown->record.done;
		matched = run_round(relieve, want, false, &shown->record);
		if (shown->record.error || !matched || shown->record.done == done)
			break;
		if (relieve->ports.count(relieve->ports.arg, &now))
			break;
		want = now > shown->target_entries ? now - shown->target_entries : 0;
		/* As many went as were asked for, and still it is above: it grows. */
		if (shown->record.done >= shown->wanted && ++grew > GREW_MAX)
			break;
	}
	if (relieve->ports.count(relieve->ports.arg, &shown->entries_after))
		shown->entries_after = shown->entries_before - shown->record.done;
	shown->took_ns = clock_monotonic_ns() - began_ns;
	if (!shown->is_planned)
		settle_counts(shown);
}
