/* SPDX-License-Identifier: GPL-2.0-or-later */
/* action/evict_tell: who goes and why, for the record. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "evict_private.h"

/* Of what fits more could go, were it known not to be in use. */
static bool is_held_back(const struct eviction *e, const struct lane *lane, size_t count)
{
	bool is_untried = false;

	for (size_t i = 0; i < e->signature_count && lane->has_signature; i++)
		is_untried |= signature_awaits_trial(&e->signatures[i]);
	return is_untried && lane->record->stages[VICTIM_FIT] && count < lane->decision->granted;
}

static void tell_how(const struct eviction *e, const struct lane *lane, size_t count)
{
	struct action_record *record = lane->record;
	char pattern[SIGNATURE_TEXT_MAX], number[UNITS_TEXT_MAX], before[RECORD_HOW_MAX];
	const char *comma = "";
	struct text text;

	memcpy(before, record->how, sizeof(before));
	text_init(&text, record->how, sizeof(record->how));
	/* That some went by one request; what else was told is of stages that are counted here. */
	if (record->way == ACTION_WAY_FILTER && before[0]) {
		text_add(&text, "%s", before);
		comma = "; in all ";
	}
	for (unsigned i = 0; i < VICTIM_STAGE_COUNT; i++) {
		if (!record->stages[i])
			continue;
		text_add(&text, "%s%s %s", comma, units_format_count(record->stages[i], number),
			 victim_stage_name((enum victim_stage)i));
		comma = "; ";
	}
	for (size_t i = 0; i < e->signature_count && lane->has_signature; i++) {
		const struct signature *signature = &e->signatures[i];

		text_add(&text, "%s%s%s: %.0f %% of what is new, %.0f %% of what was there%s", comma,
			 i ? "and " : "the surge is ", signature_format(&signature->pattern, pattern),
			 100 * signature->coverage, 100 * signature->base_share,
			 signature->hits_base && signature_is_idle(signature) ? " (told apart by use)"
			 : signature->cannot_tell_apart			      ? " (cannot tell apart)"
			 : signature->is_lively				      ? " (in use)"
									      : "");
		comma = "; ";
	}
	if (e->chosen.read_ns != e->began_ns) {
		text_add(&text, "%schosen by the pass before", comma);
		comma = "; ";
	}
	if (is_held_back(e, lane, count)) {
		text_add(&text, "%sno more than the next round needs, as nobody knows yet whether they are in use",
			 comma);
		comma = "; ";
	}
	if (!evict_knows_calm(e->guard))
		text_add(&text, "%sno calm picture yet", comma);
}

static struct flow_brief brief_of(const struct victim *victim)
{
	struct flow_brief brief = {.family = victim->family,
				   .protocol = victim->protocol,
				   .state = victim->state,
				   .class = victim->class,
				   .zone = victim->zone,
				   .sport = victim->sport,
				   .dport = victim->dport,
				   .id = victim->id,
				   .has = FLOW_HAS_ID | (victim->state ? FLOW_HAS_STATE : 0)};

	memcpy(brief.src, victim->src, sizeof(brief.src));
	memcpy(brief.dst, victim->dst, sizeof(brief.dst));
	return brief;
}

void evict_tell(const struct eviction *e, const struct lane *lane, const struct victim *victims, size_t count)
{
	struct action_record *record = lane->record;

	evict_tally_sources(record, e->guard->config.seniority.source_prefix, victims, count);
	record->matched += count;
	record->left = count;
	for (size_t i = 0; i < count; i++) {
		record->classes[victims[i].class]++;
		record->stages[victims[i].stage]++;
		if (record->example_count < RECORD_EXAMPLES)
			record->examples[record->example_count++] = brief_of(&victims[i]);
	}
	if (lane->has_signature) {
		memcpy(record->signatures, e->signatures, sizeof(record->signatures));
		record->signature_count = e->signature_count;
	}
	tell_how(e, lane, count);
}
