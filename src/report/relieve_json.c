/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/relieve_json: ctwarden.relieve/1. */
#include <string.h>

#include "private.h"
#include "report/relieve.h"

/* What the look at the whole table counted stands in for what the rules met of it. */
static void add_spared(json_t *document, const struct report_relieve *relieve)
{
	struct action_record record = relieve->record;
	uint64_t *by = record.spared_by;

	by[VICTIM_SPARED_PROTECTED] = relieve->protected_flows;
	by[VICTIM_SPARED_FLOOR] = relieve->in_use;
	by[VICTIM_SPARED_YOUNG_FLOW] = relieve->young + relieve->unsettled;
	by[VICTIM_SPARED_UNKNOWN] += relieve->others;
	record.spared = relieve->unmatched;
	for (unsigned i = 0; i < VICTIM_SPARED_COUNT; i++)
		record.spared += by[i];
	json_add_spared(document, &record);
	if (relieve->unmatched)
		json_add_count(json_object_get(document, "spared_by"), "not matched", relieve->unmatched);
}

static void add_after(json_t *document, const struct report_relieve *relieve)
{
	json_add_count(document, "entries_after", relieve->entries_after);
	json_add_real(document, "fill_after_pct",
		      share_of(relieve->entries_after, relieve->capacity));
	json_add_bool(document, "reached", relieve->entries_after <= relieve->target_entries);
	if (relieve->record.error)
		json_add_text(document, "error", strerror(-relieve->record.error));
	json_add_real(document, "duration_sec", (double)relieve->took_ns / 1e9);
}

json_t *json_relieve(const struct report_relieve *relieve)
{
	const struct action_record *record = &relieve->record;
	const struct snapshot *s = relieve->snapshot;
	json_t *document = json_document("ctwarden.relieve/1");

	json_add_time(document, "time", s->fill.now.real_ns);
	json_add_netns(document, &s->netns);
	json_add_bool(document, "dry_run", relieve->is_dry);
	json_add_text(document, "policy", relieve->policy);
	json_add_count(document, "capacity", relieve->capacity);
	json_add_text(document, "capacity_from", capacity_name(relieve->capacity_from));
	json_add_count(document, "entries_before", relieve->entries_before);
	json_add_real(document, "fill_before_pct",
		      share_of(relieve->entries_before, relieve->capacity));
	json_add_real(document, "target_pct", relieve->target_pct);
	json_add_count(document, "target_entries", relieve->target_entries);
	json_add_count(document, "wanted", relieve->wanted);
	if (s->cause.is_known && s->cause.text[0])
		json_add_text(document, "cause", s->cause.text);
	json_add_count(document, "swept", relieve->swept);
	json_add_count(document, "matched", record->matched);
	json_add_count(document, "done", record->done);
	json_add_count(document, "gone", record->gone);
	json_add_count(document, "refused", record->refused);
	json_add_count(document, "unknown", record->unknown);
	json_add_count(document, "left", record->left);
	json_add_count(document, "candidates", relieve->candidates);
	add_spared(document, relieve);
	json_add_choice(document, record);
	add_after(document, relieve);
	return document;
}
