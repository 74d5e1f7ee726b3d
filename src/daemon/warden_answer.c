/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/warden_answer: the control commands about the guard: mode, bans, unban, reload; and what
 * status tells of it. Who may change something is asked here: root, and who the daemon runs as. */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "report/guard.h"

#define BANS_SHOWN   4096
#define SPARED_SHOWN 1024 /* so that the answer stays below what a client takes */
#define FOR_MAX_SEC  (POLICY_MODE_FOR_MAX_DAYS * 86400.0)

static char *answer_with(int64_t id, char *document)
{
	char *answer = report_answer_json(id, document);

	free(document);
	return answer;
}

static char *bad_request(const struct control_request *request, const struct problem *problem)
{
	return report_error_json(request->id, "bad-request", problem->text, problem->path);
}

static bool may_change(const struct control_request *request)
{
	return request->uid == 0 || request->uid == geteuid();
}

static char *not_allowed(const struct control_request *request)
{
	return report_error_json(request->id, "not-allowed",
				 "only root may change what the guard does", "");
}

static bool only_keys(const struct control_request *request, const char *const *known,
		      struct problem *problem)
{
	return !doc_has(&request->args) || doc_only_keys(&request->args, known, problem) == 0;
}

/* ---- status ---- */

static bool bans(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].action.action == POLICY_ACTION_BAN)
			return true;
	return false;
}

void warden_tell(const struct engine *engine, struct snapshot *snapshot, int64_t now_ns)
{
	const struct warden *warden = &engine->warden;
	const struct policy *policy = warden->policy;
	struct snapshot_guard *guard = &snapshot->guard;

	snapshot->has |= SNAPSHOT_HAS_GUARD;
	if (policy->rule_count || policy->name[0])
		snprintf(guard->policy, sizeof(guard->policy), "%.63s",
			 policy->name[0] ? policy->name : engine->config.policy_file);
	guard->rules = (uint32_t)policy->rule_count;
	guard->acts = warden->mode == POLICY_MODE_ACT;
	guard->base_acts = warden->base_mode == POLICY_MODE_ACT;
	if (warden->mode_until_ns)
		guard->until_real_ns =
			snapshot->fill.now.real_ns + (warden->mode_until_ns - now_ns);
	guard->is_running = warden->rounds != NULL;
	guard->is_calm = warden->verdict.is_calm;
	guard->in_surge = warden->calm.in_surge;
	guard->knows_seniors = warden->seniors.is_ready;
	guard->seniors = warden->seniors.seniors;
	if (warden->rounds)
		guard->bans = rounds_ban_count(warden->rounds, now_ns, bans(policy));
	if (warden->rounds) {
		struct rounds_adoption adoption = rounds_adopted(warden->rounds);

		guard->adopted = adoption.adopted;
		guard->adopted_lost = adoption.lost;
	}
	guard->rounds = warden->counts.rounds;
	guard->renewals = warden->counts.renewals;
	guard->records = warden->counts.records;
	guard->evicted = warden->counts.evicted;
	guard->failed = warden->counts.failed;
	memcpy(guard->last, warden->last, sizeof(guard->last));
	guard->last_real_ns = warden->last_real_ns;
}

/* ---- mode ---- */

/* Of a switch for a while; 0: for good. */
static int64_t mode_left_ns(const struct warden *warden)
{
	int64_t left_ns = warden->mode_until_ns ? warden->mode_until_ns - clock_monotonic_ns() : 0;

	return warden->mode_until_ns && left_ns < 1 ? 1 : left_ns; /* until the next tick */
}

static char *show_mode(struct engine *engine, const struct control_request *request)
{
	const struct warden *warden = &engine->warden;
	struct report_mode shown = {.real_ns = clock_real_ns(),
				    .netns = engine->netns,
				    .mode = warden->mode,
				    .base_mode = warden->base_mode,
				    .left_ns = mode_left_ns(warden)};

	if (warden->rounds) {
		shown.knows_seniors = warden->seniors.is_ready || warden->seniors.seniors;
		shown.waits_for_seniors = !shown.knows_seniors;
	}
	return answer_with(request->id, report_mode_json(&shown));
}

static char *answer_mode(struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = {"mode", "for_sec", NULL};
	static const char *const modes[] = {"observe", "act", NULL};
	struct doc_node mode_node = doc_get(&request->args, "mode"),
			for_node = doc_get(&request->args, "for_sec");
	struct problem problem = {0};
	double for_sec = 0;
	int mode = 0;

	if (!only_keys(request, known, &problem) ||
	    doc_choice(&mode_node, modes, &mode, &problem) < 0 ||
	    doc_number(&for_node, 0.001, FOR_MAX_SEC, &for_sec, &problem) < 0)
		return bad_request(request, &problem);
	if (!doc_has(&mode_node)) {
		if (doc_has(&for_node))
			return report_error_json(request->id, "bad-request", "needs a mode",
						 "args.for_sec");
		return show_mode(engine, request);
	}
	if (!may_change(request))
		return not_allowed(request);
	warden_set_mode(engine, (enum policy_mode)mode, (int64_t)(for_sec * (double)NS_PER_SEC),
			clock_monotonic_ns());
	return show_mode(engine, request);
}

/* ---- bans ---- */

static int list_bans(struct engine *engine, int64_t now_ns, struct ban *ret_bans, size_t *ret_count,
		     struct problem *problem)
{
	struct rounds *rounds = engine->warden.rounds;

	if (rounds)
		return rounds_bans(rounds, now_ns, ret_bans, BANS_SHOWN, ret_count, problem);
	/* No rules now, but an earlier run may have left some. */
	return bans_read(BANS_SHOWN, ret_bans, ret_count, problem);
}

static char *failed(const struct control_request *request, int r, const struct problem *problem)
{
	return report_error_json(request->id, "failed",
				 problem->text[0] ? problem->text : strerror(-r), problem->path);
}

static struct report_ban *rows_of(const struct ban *bans, size_t count, int64_t now_ns)
{
	struct report_ban *rows = mem_array(count, sizeof(*rows));

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct report_ban){.prefix = bans[i].prefix,
					      .left_ns = bans[i].until_ns > now_ns ? bans[i].until_ns - now_ns : 0,
					      .rate_per_sec = bans[i].rate_per_sec};
	return rows;
}

static char *answer_bans(struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = {NULL};
	struct report_bans shown = {.real_ns = clock_real_ns(), .netns = engine->netns};
	struct report_ban *rows, *spared_rows;
	int64_t now_ns = clock_monotonic_ns();
	struct problem problem = {0};
	struct ban *bans, *spared;
	char *document;
	int r;

	if (!only_keys(request, known, &problem))
		return bad_request(request, &problem);
	bans = mem_array(BANS_SHOWN, sizeof(*bans));
	r = list_bans(engine, now_ns, bans, &shown.count, &problem);
	if (r < 0) {
		free(bans);
		return failed(request, r, &problem);
	}
	spared = mem_array(SPARED_SHOWN, sizeof(*spared));
	if (engine->warden.rounds)
		shown.spared_count = rounds_spared(engine->warden.rounds, now_ns, spared, SPARED_SHOWN);
	shown.bans = rows = rows_of(bans, shown.count, now_ns);
	shown.spared = spared_rows = rows_of(spared, shown.spared_count, now_ns);
	document = report_bans_json(&shown);
	free(spared_rows);
	free(rows);
	free(spared);
	free(bans);
	return answer_with(request->id, document);
}

static int lift(struct engine *engine, const struct prefix *prefix, struct rounds_lifted *ret_lifted,
		struct problem *problem)
{
	struct rounds *rounds = engine->warden.rounds;
	struct bans *bans;
	int r;

	if (rounds)
		return rounds_unban(rounds, prefix, ret_lifted, problem);
	r = bans_open(BANS_SHOWN, &bans, problem);
	if (r < 0)
		return r;
	r = rounds_lift(bans, prefix, ret_lifted, problem);
	bans_close(bans);
	return r;
}

static char *tell_lifted(struct engine *engine, const struct rounds_lifted *lifted, const char *text)
{
	struct report_unban done = {.real_ns = clock_real_ns(), .netns = engine->netns, .removed = lifted->count};
	int64_t now_ns = clock_monotonic_ns();
	struct report_ban *rows = rows_of(lifted->bans, lifted->count, now_ns),
			  *wider = rows_of(&lifted->wider, 1, now_ns);
	char time[UNITS_TEXT_MAX] = "", *document;

	done.lifted = rows;
	done.held_by = *wider;
	done.spared_ns = lifted->spared_until_ns ? lifted->spared_until_ns - now_ns : 0;
	if (lifted->count || !text)
		log_info("bans lifted: %s%s%s", text ? text : "all",
			 done.spared_ns > 0 ? ", not to be banned again for " : "",
			 done.spared_ns > 0 ? units_format_duration(done.spared_ns, time) : "");
	document = report_unban_json(&done);
	free(rows);
	free(wider);
	return document;
}

static char *answer_unban(struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = {"prefix", "all", NULL};
	struct doc_node prefix_node = doc_get(&request->args, "prefix"),
			all_node = doc_get(&request->args, "all");
	struct rounds_lifted lifted = {0};
	struct problem problem = {0};
	const char *text = NULL;
	struct prefix prefix;
	bool all = false;
	char *document;
	int r;

	if (!only_keys(request, known, &problem) || doc_text(&prefix_node, &text, &problem) < 0 ||
	    doc_bool(&all_node, &all, &problem) < 0)
		return bad_request(request, &problem);
	if (all == (text != NULL))
		return report_error_json(request->id, "bad-request",
					 "needs either \"prefix\" or \"all\": true", "args");
	if (text && prefix_parse(text, &prefix, &problem) < 0)
		return report_error_json(request->id, "bad-request", problem.text, "args.prefix");
	if (!may_change(request))
		return not_allowed(request);
	r = lift(engine, all ? NULL : &prefix, &lifted, &problem);
	if (r < 0)
		return failed(request, r, &problem);
	if (all || lifted.count)
		policy_memory_forget_settled(engine->warden.memory);
	document = tell_lifted(engine, &lifted, text);
	free(lifted.bans);
	return answer_with(request->id, document);
}

/* ---- reload ---- */

static char *answer_reload(struct engine *engine, const struct control_request *request)
{
	static const char *const known[] = {NULL};
	const struct warden *warden = &engine->warden;
	struct problem problem = {0};
	const struct policy *policy;
	enum policy_mode base_mode;
	char text[700];

	if (!only_keys(request, known, &problem))
		return bad_request(request, &problem);
	if (!may_change(request))
		return not_allowed(request);
	if (!engine->reload)
		return report_error_json(request->id, "failed", "cannot be done here", "");
	if (engine->reload(engine->reload_arg, &problem) < 0)
		return report_error_json(request->id, problem.file[0] ? "invalid" : "failed",
					 problem_format(&problem, text, sizeof(text)), "");
	policy = warden->next ? warden->next : warden->policy;
	base_mode = engine->config.has_mode ? engine->config.mode : policy->mode;
	return answer_with(
		request->id,
		report_reload_json(&(struct report_reload){
			.real_ns = clock_real_ns(),
			.netns = engine->netns,
			.policy = policy->name[0] ? policy->name : engine->config.policy_file,
			.mode = warden->mode_until_ns ? warden->mode : base_mode,
			.base_mode = base_mode,
			.left_ns = mode_left_ns(warden),
			.rules = policy->rule_count}));
}

char *warden_answer(struct engine *engine, const struct control_request *request)
{
	static const struct {
		const char *name;
		char *(*answer)(struct engine *engine, const struct control_request *request);
	} commands[] = {
		{"mode", answer_mode},
		{"bans", answer_bans},
		{"unban", answer_unban},
		{"reload", answer_reload},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(request->command, commands[i].name) == 0)
			return commands[i].answer(engine, request);
	return NULL;
}
