/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/subscription: whether the daemon listens to events. Listening costs every new flow of this machine about 2 us
 * and 128 bytes (kernel-facts 5 and 7), so with `auto` it rests where too many flows are born, and comes back later. */
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"

#define HIGH_FOR_NS (2 * NS_PER_SEC)
#define PUT_HIGH_FOR_NS (10 * NS_PER_SEC)
#define TRIAL_NS (3 * NS_PER_SEC)
#define TRIAL_SHARE 0.8
#define REST_FIRST_NS (10 * NS_PER_SEC)
#define REST_LAST_NS (60 * NS_PER_SEC)
#define RETRY_NS (10 * NS_PER_SEC)
#define CHECK_NS (10 * NS_PER_SEC)
#define RATE_HALF_LIFE_SEC 2.0
#define RUSH_SHARE 0.125 /* of the free room, born since the last reading: no time to wait for the tick */
#define RUSH_LEAST 64
#define RUSH_PAUSE_NS (20 * NS_PER_MS)

bool subscription_is_listening(const struct engine *engine)
{
	return engine->subscription.listener && !engine->subscription.is_off_in_kernel;
}

static void add_counts(struct events_counts *sum, const struct events_counts *more)
{
	sum->messages += more->messages;
	sum->lost += more->lost;
	sum->overruns += more->overruns;
	sum->undecodable += more->undecodable;
	sum->not_kernel += more->not_kernel;
}

static struct events_counts counts_of_all(const struct subscription *subscription)
{
	struct events_counts sum = subscription->before;

	if (subscription->listener) {
		struct events_counts open = listener_counts(subscription->listener);

		add_counts(&sum, &open);
	}
	return sum;
}

static void warn_small_buffer(const struct engine *engine)
{
	size_t granted = listener_rcvbuf_bytes(engine->subscription.listener);

	if (granted < engine->config.events_buffer_bytes)
		log_warning("the kernel granted %zu bytes for the event socket, %zu were asked for", granted,
			    engine->config.events_buffer_bytes);
}

static void open_listener(struct engine *engine, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;
	struct rounds *rounds = engine->warden.rounds;
	int r = listener_start(engine->config.events_buffer_bytes, rounds ? rounds_portid(rounds) : 0,
			       engine->ready_fd, &subscription->listener);

	subscription->retry_ns = 0;
	subscription->high_since_ns = subscription->put_high_since_ns = 0;
	if (r < 0) {
		if (!subscription->is_refused)
			log_warning("cannot listen to events: %s%s; the picture lives by passes alone", strerror(-r),
				    r == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
		subscription->is_refused = true;
		subscription->retry_ns = now_ns + RETRY_NS;
		snprintf(subscription->note, sizeof(subscription->note), "events off: %s", strerror(-r));
		return;
	}
	subscription->is_refused = false;
	subscription->skips_own = rounds;
	if (rounds && !subscription->is_never_muted)
		rounds_set_listener(rounds, subscription->listener);
	subscription->note[0] = 0;
	warn_small_buffer(engine);
	/* Born while nobody listened: only a pass that begins now knows those flows. */
	passes_want(engine, now_ns);
}

void subscription_stop(struct engine *engine)
{
	struct subscription *subscription = &engine->subscription;

	if (!subscription->listener)
		return;
	subscription->before = counts_of_all(subscription);
	if (engine->warden.rounds)
		rounds_set_listener(engine->warden.rounds, NULL);
	listener_stop(subscription->listener);
	subscription->listener = NULL;
	subscription->skips_own = false;
	rounds_miss(engine->warden.rounds, 1); /* at least */
	subscription->new_per_sec = 0;
	/* The next one to listen looks again, and says again what it finds. */
	subscription->is_off_in_kernel = false;
	subscription->checked_ns = 0;
	passes_blind(engine);
}

void subscription_skip_own(struct engine *engine)
{
	struct subscription *subscription = &engine->subscription;
	struct rounds *rounds = engine->warden.rounds;

	if (!subscription->listener || !rounds)
		return;
	subscription->skips_own = !listener_skip(subscription->listener, rounds_portid(rounds));
	if (subscription->skips_own && !subscription->is_never_muted)
		rounds_set_listener(rounds, subscription->listener);
}

/* nf_conntrack_events = 0: a socket is open, but nothing will come. Said once each, when it begins and ends. */
static void check_kernel(struct engine *engine, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;
	bool is_off;

	if (subscription->checked_ns && now_ns - subscription->checked_ns < CHECK_NS)
		return;
	subscription->checked_ns = now_ns;
	is_off = setting_read("nf_conntrack_events") == 0;
	if (is_off == subscription->is_off_in_kernel)
		return;
	subscription->is_off_in_kernel = is_off;
	if (is_off) {
		log_warning("events are switched off in the kernel (nf_conntrack_events = 0): "
			    "the picture lives by passes alone");
		snprintf(subscription->note, sizeof(subscription->note),
			 "events off: switched off in the kernel (nf_conntrack_events = 0)");
		passes_blind(engine);
	} else {
		log_info("events are switched on in the kernel");
		subscription->note[0] = 0;
		passes_want(engine, now_ns);
	}
}

void subscription_start(struct engine *engine, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;

	if (engine->config.events == EVENTS_MODE_OFF) {
		snprintf(subscription->note, sizeof(subscription->note), "events off: by the config");
		return;
	}
	subscription->rest_ns = REST_FIRST_NS;
	open_listener(engine, now_ns);
	if (subscription->listener)
		check_kernel(engine, now_ns);
}

void subscription_reload(struct engine *engine, bool buffer_changed, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;
	bool is_wanted = engine->config.events != EVENTS_MODE_OFF;

	if (is_wanted && subscription->listener && !buffer_changed)
		return;
	subscription_stop(engine);
	subscription->retry_ns = subscription->trial_until_ns = 0;
	subscription_start(engine, now_ns);
}

static void rest(struct engine *engine, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;
	char count[UNITS_TEXT_MAX];

	units_format_count((uint64_t)engine->config.events_max_new_per_sec, count);
	snprintf(subscription->note, sizeof(subscription->note), "events off: above %s new/s", count);
	subscription_stop(engine);
	log_info("%s; back in %lld s for a look", subscription->note, (long long)(subscription->rest_ns / NS_PER_SEC));
	subscription->trial_until_ns = 0;
	subscription->retry_ns = now_ns + subscription->rest_ns;
	if (subscription->rest_ns < REST_LAST_NS)
		subscription->rest_ns *= 2;
	if (subscription->rest_ns > REST_LAST_NS)
		subscription->rest_ns = REST_LAST_NS;
}

static void note_high(int64_t *since_ns, bool is_high, int64_t now_ns)
{
	if (!is_high)
		*since_ns = 0;
	else if (!*since_ns)
		*since_ns = now_ns;
}

static bool is_high_for(int64_t since_ns, int64_t span_ns, int64_t now_ns)
{
	return since_ns && now_ns - since_ns >= span_ns;
}

/* auto: too many for two seconds (with what user space puts in, as a fail-over does for some: for ten), or (back from a
 * rest) still near it at the end of the trial. */
static void judge_rate(struct engine *engine, int64_t now_ns)
{
	struct subscription *subscription = &engine->subscription;
	double most = engine->config.events_max_new_per_sec;

	if (engine->config.events != EVENTS_MODE_AUTO)
		return;
	note_high(&subscription->high_since_ns, subscription->births_last_per_sec > most, now_ns);
	note_high(&subscription->put_high_since_ns, subscription->arrivals_last_per_sec > most, now_ns);
	if (is_high_for(subscription->high_since_ns, HIGH_FOR_NS, now_ns) ||
	    is_high_for(subscription->put_high_since_ns, PUT_HIGH_FOR_NS, now_ns)) {
		rest(engine, now_ns);
		return;
	}
	if (!subscription->trial_until_ns || now_ns < subscription->trial_until_ns)
		return;
	subscription->trial_until_ns = 0;
	if (subscription->new_per_sec > most * TRIAL_SHARE) {
		rest(engine, now_ns);
		return;
	}
	subscription->rest_ns = REST_FIRST_NS;
	log_info("listening to events again");
}

/* span 0: only the counts are brought up to date. */
void subscription_tick(struct engine *engine, int64_t now_ns, int64_t span_ns)
{
	struct subscription *subscription = &engine->subscription;
	struct events_counts now = counts_of_all(subscription);
	uint64_t lost = now.lost - subscription->now.lost;
	double span_sec = (double)span_ns / (double)NS_PER_SEC;

	subscription->now = now;
	if (lost > 0) {
		passes_lost(engine, lost, now_ns);
		rounds_miss(engine->warden.rounds, lost);
		/* About half of the lost are births. */
		subscription->births += lost / 2;
		subscription->arrivals += lost / 2;
	}
	if (span_ns <= 0 || engine->config.events == EVENTS_MODE_OFF)
		return;
	if (!subscription->listener) {
		if (subscription->retry_ns && now_ns >= subscription->retry_ns) {
			open_listener(engine, now_ns);
			subscription->trial_until_ns = subscription->listener ? now_ns + TRIAL_NS : 0;
		}
		return;
	}
	if (engine->warden.rounds && rounds_are_deaf(engine->warden.rounds)) {
		log_warning("the kernel does not tell of deaths any more: the event socket is opened anew");
		subscription->is_never_muted = true; /* it may go wrong again and again */
		subscription_stop(engine);
		open_listener(engine, now_ns);
		return;
	}
	check_kernel(engine, now_ns);
	subscription->births_last_per_sec = (double)subscription->births / span_sec;
	subscription->arrivals_last_per_sec = (double)subscription->arrivals / span_sec;
	subscription->births = subscription->arrivals = 0;
	subscription->new_per_sec += (subscription->arrivals_last_per_sec - subscription->new_per_sec) *
				     (1 - exp2(-span_sec / RATE_HALF_LIFE_SEC));
	judge_rate(engine, now_ns);
}

/* At rest the table is looked at a few times a second; a flood fills it in less. */
bool subscription_is_rush(const struct engine *engine, int64_t now_ns)
{
	const struct fill *fill = &engine->fill;
	double arrivals = (double)engine->subscription.arrivals;

	return fill->capacity && arrivals >= RUSH_LEAST && now_ns - engine->ticked_ns >= RUSH_PAUSE_NS &&
	       arrivals > RUSH_SHARE * ((double)fill->capacity - (double)fill->now.entries);
}
