/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/alarm: alarms on their way to the outlet and the store. Knows nothing of how a level is found. */
#include "alarm.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/report.h"

#define ALARM_TEXT_MAX 4096

struct alarms {
	bool is_json;
	struct outlet *outlet;
	int64_t repeat_ns;
	struct store *store; /* borrowed */
	struct alarm waiting;
	bool is_waiting;
	int64_t waiting_since_ns;
	struct alarm held; /* the last one held back */
	bool is_held;
	enum level written;              /* level of the last line */
	int64_t written_ns[LEVEL_COUNT]; /* when that level was written last; 0: never */
	bool is_store_bad; /* said */
	struct alarms_counts counts;
};

struct alarms *alarms_new(bool is_json, enum outlet_to to, int64_t repeat_ns)
{
	struct alarms *alarms = mem_alloc(sizeof(*alarms));

	alarms->is_json = is_json;
	alarms->outlet = outlet_new(to);
	alarms->repeat_ns = repeat_ns;
	alarms->written = LEVEL_OK;
	return alarms;
}

void alarms_free(struct alarms *alarms)
{
	if (alarms)
		outlet_free(alarms->outlet);
	free(alarms);
}

void alarms_set(struct alarms *alarms, enum outlet_to to, int64_t repeat_ns, struct store *store)
{
	outlet_set(alarms->outlet, to);
	alarms->repeat_ns = repeat_ns;
	alarms->store = store;
	alarms->is_store_bad = false;
}

static void write_alarm(struct alarms *alarms, const struct alarm *alarm, int64_t now_ns)
{
	char text[ALARM_TEXT_MAX];
	char *json = alarms->is_json ? report_alarm_json(alarm) : NULL;

	report_alarm_text(alarm, text, sizeof(text));
	if (outlet_write(alarms->outlet, json ? json : text, text, alarm->at.level) < 0)
		alarms->counts.unwritten++;
	else
		alarms->counts.written++;
	free(json);
	alarms->written = alarm->at.level;
	alarms->written_ns[alarm->at.level] = now_ns;
	alarms->is_held = false;
}

static void store_line(struct alarms *alarms, const char *json)
{
	int r;

	if (!alarms->store)
		return;
	r = store_append(alarms->store, json);
	if (r < 0 && !alarms->is_store_bad)
		log_warning("cannot append to the state directory: %s", strerror(-r));
	else if (r == 0 && alarms->is_store_bad)
		log_info("alarms are appended to the state directory again");
	alarms->is_store_bad = r < 0;
}

static void store_alarm(struct alarms *alarms, const struct alarm *alarm)
{
	char *json = report_alarm_json(alarm);

	store_line(alarms, json);
	free(json);
}

void alarms_record(struct alarms *alarms, const char *json, const char *text, enum level level)
{
	if (outlet_write(alarms->outlet, alarms->is_json ? json : text, text, level) < 0)
		alarms->counts.unwritten++;
	store_line(alarms, json);
}

void alarms_cross(struct alarms *alarms, enum level previous, const struct snapshot *at, int64_t now_ns)
{
	if (alarms->is_waiting)
		alarms_release(alarms, now_ns);
	alarms->waiting.previous = previous;
	alarms->waiting.at = *at;
	alarms->is_waiting = true;
	alarms->waiting_since_ns = now_ns;
	alarms->counts.crossings++;
}

bool alarms_is_waiting(const struct alarms *alarms)
{
	return alarms->is_waiting;
}

int64_t alarms_waiting_since_ns(const struct alarms *alarms)
{
	return alarms->waiting_since_ns;
}

struct snapshot *alarms_waiting_view(struct alarms *alarms)
{
	return &alarms->waiting.at;
}

void alarms_release(struct alarms *alarms, int64_t now_ns)
{
	struct alarm *alarm = &alarms->waiting;
	enum level level = alarm->at.level;
	int64_t written_ns = alarms->written_ns[level];

	if (!alarms->is_waiting)
		return;
	alarms->is_waiting = false;
	store_alarm(alarms, alarm);
	/* The same level again within the time is a repeat. */
	if (written_ns && now_ns - written_ns < alarms->repeat_ns) {
		alarms->counts.held++;
		alarms->held = *alarm;
		alarms->is_held = true;
		return;
	}
	write_alarm(alarms, alarm, now_ns);
}

void alarms_tick(struct alarms *alarms, int64_t now_ns)
{
	enum level level = alarms->held.at.level;

	if (!alarms->is_held || now_ns - alarms->written_ns[level] < alarms->repeat_ns)
		return;
	alarms->is_held = false;
	if (level == alarms->written)
		return;
	alarms->held.previous = alarms->written;
	write_alarm(alarms, &alarms->held, now_ns);
}

struct alarms_counts alarms_counts_get(const struct alarms *alarms)
{
	return alarms->counts;
}
