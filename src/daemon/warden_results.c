/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/warden_results: what has come of orders: into the policy's memory, the records and the counts. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "report/report.h"

#define RECORD_TEXT_MAX 4096

static void write_record(struct engine *engine, const struct action_record *record)
{
	struct warden *warden = &engine->warden;
	char text[RECORD_TEXT_MAX];
	char *json = report_record_json(record, &engine->netns);

	report_record_text(record, text, sizeof(text));
	/* What the kernel refuses is an alarm at any level. */
	alarms_record(engine->alarms, json, text,
		      record->error && record->level == LEVEL_OK ? LEVEL_WARNING : record->level);
	warden->counts.records++;
	report_record_words(record, warden->last, sizeof(warden->last));
	warden->last_real_ns = record->real_ns;
	free(json);
}

static void take_outcome(struct engine *engine, const struct policy_decision *decision, struct guard_outcome *outcome,
			 int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	struct action_record *record = &outcome->record;

	policy_memory_result(warden->memory, warden->policy, decision, &outcome->effect, now_ns);
	record->budget_left = policy_memory_rule(warden->memory, warden->policy, decision->rule, now_ns).budget_left;
	if (record->error)
		warden->counts.failed++;
	if (record->action == POLICY_ACTION_EVICT)
		warden->counts.evicted += record->done;
	/* What found nothing to do is no event; what met only what is protected is one. */
	if (outcome->effect.is_unneeded)
		return;
	/* Else the rule would find nothing again and again, and be held back for long when there is something. */
	if (outcome->effect.is_within)
		passes_want(engine, now_ns);
	if (!record->matched && !record->protected_count && !record->error && record->action != POLICY_ACTION_LOG)
		return;
	if (!told_again(&warden->told, decision->rule, record, now_ns))
		write_record(engine, record);
}

void warden_on_done(struct engine *engine, int64_t now_ns)
{
	struct warden *warden = &engine->warden;
	struct round_result *result = warden->result;

	if (!warden->rounds || !rounds_take(warden->rounds, result))
		return;
	warden->is_running = false;
	warden->seniors = result->seniors;
	if (result->is_renewal || result->count) {
		warden->passed_ns = now_ns;
		warden->pass_took_ns = now_ns - warden->begun_ns;
	}
	warden->removed += result->removed;
	/* What we took out makes no quiet: the flood goes on. */
	warden->quiet_entries -= result->removed < warden->quiet_entries ? result->removed : warden->quiet_entries;
	fill_removed(&engine->fill, result->removed);
	if (result->note[0])
		log_info("%s", result->note);
	if (result->is_renewal) {
		warden->counts.renewals++;
		if (result->error && !warden->is_failing)
			log_warning("the table cannot be gone through for seniority: %s", strerror(-result->error));
		warden->is_failing = result->error < 0;
	} else if (result->count) {
		warden->counts.rounds++;
		warden->round_ns = now_ns;
	}
	for (size_t i = 0; i < result->count; i++)
		take_outcome(engine, &result->decisions[i], &result->outcomes[i], now_ns);
	round_result_done(result);
}

static void on_restored(const struct action_record *record, void *arg)
{
	write_record(arg, record);
}

void warden_restore(struct engine *engine, const char *why)
{
	const struct action_record frame = {.real_ns = clock_real_ns(),
					    .level = engine->level.level,
					    .mode = POLICY_MODE_ACT,
					    .action = POLICY_ACTION_TIMEOUTS,
					    .is_end = true,
					    .capacity = engine->fill.capacity,
					    .entries_before = engine->fill.now.entries,
					    .entries_after = engine->fill.now.entries};

	rounds_restore(engine->warden.rounds, &frame, why, on_restored, engine);
}
