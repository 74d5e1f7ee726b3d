/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/listener: one thread, one event socket, one ring with a single writer (this thread) and a single reader (the
 * loop). Sleeping a few milliseconds and then draining costs half of a wake-up for each message (kernel-facts 5). */
#include "listener.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define RING_SIZE 32768 /* events; a power of two; 0.3 s at 100,000 events/s */
#define DRAIN_BUDGET 2048
/* recvmmsg may fetch this many messages more than the budget says. */
#define DRAIN_SLACK 128
/* The longer the sleep, the fewer wake-ups, but the buffer must hold what comes meanwhile. 8 MiB hold
 * 13,107 messages: 10 ms at 1.3 million a second; 16 MiB, and the ring behind it, 20 ms of that; the system's default
 * 166: 1 ms at 166,000 a second (kernel-facts 5). */
#define SLEEP_NS (10 * NS_PER_MS)
#define LARGE_SLEEP_NS (20 * NS_PER_MS)
#define LARGE_BUFFER_BYTES (16u << 20)
#define SMALL_SLEEP_NS NS_PER_MS
#define SMALL_BUFFER_BYTES (8u << 20)
/* Places are given back to the writer by so many: each time costs both sides a cache line. */
#define GIVE_BACK 256
#define CACHE_LINE 64

struct compact_event {
	struct flow_tuple tuple[FLOW_DIRECTION_COUNT];
	uint32_t has, status, timeout_sec, mark, id, portid;
	uint16_t zone, zone_reply;
	uint8_t state, kind;
};

struct listener {
	struct events *events;
	int64_t gather_ns; /* how long messages may gather before they are taken */
	int ready_fd; /* borrowed: tells the loop */
	int wake_fd;  /* tells the thread: stop or fence */
	pthread_t thread;
	atomic_bool is_stopping;
	atomic_uint_fast64_t fence_asked, fence_passed;
	/* Of the thread. Written but not yet handed over, and how many more there is place for. */
	size_t written, room;
	uint64_t ring_lost; /* events that found no place in spite of the slack */
	pthread_mutex_t lock; /* of counts */
	struct events_counts counts;
	/* What one side writes and the other reads lies apart from all else. */
	char apart_head[CACHE_LINE];
	atomic_size_t head; /* next to read, by the loop */
	char apart_tail[CACHE_LINE];
	atomic_size_t tail; /* next to write, by the thread */
	char apart_ring[CACHE_LINE];
	struct compact_event ring[RING_SIZE];
};

static size_t ring_free(const struct listener *listener)
{
	return RING_SIZE - (atomic_load_explicit(&listener->tail, memory_order_relaxed) -
			    atomic_load_explicit(&listener->head, memory_order_acquire));
}

static bool on_event(enum flow_event_kind kind, const struct flow *flow, const void *raw, size_t raw_len, void *arg)
{
	struct listener *listener = arg;
	struct compact_event *slot = &listener->ring[listener->written % RING_SIZE];

	(void)raw_len;
	if (listener->room == 0) {
		listener->ring_lost++;
		return false;
	}
	listener->room--;
	listener->written++;
	slot->tuple[FLOW_ORIG] = flow->tuple[FLOW_ORIG];
	slot->tuple[FLOW_REPLY] = flow->tuple[FLOW_REPLY];
	slot->has = flow->has & ~(uint32_t)(FLOW_HAS_COUNTERS | FLOW_HAS_TIMESTAMP | FLOW_HAS_LABELS | FLOW_HAS_MASTER);
	slot->status = flow->status;
	slot->timeout_sec = flow->timeout_sec;
	slot->mark = flow->mark;
	slot->id = flow->id;
	slot->portid = event_portid(raw);
	slot->zone = flow->zone;
	slot->zone_reply = flow->zone_reply;
	slot->state = flow->state;
	slot->kind = (uint8_t)kind;
	return true;
}

static void tell(int fd)
{
	uint64_t one = 1;

	/* Only a counter at its top could refuse, and then the other side has been told anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void sleep_ns(int64_t ns)
{
	struct timespec span = { .tv_nsec = ns };

	nanosleep(&span, NULL);
}

static void publish_counts(struct listener *listener)
{
	struct events_counts counts = events_counts_get(listener->events);

	counts.lost += listener->ring_lost;
	pthread_mutex_lock(&listener->lock);
	listener->counts = counts;
	pthread_mutex_unlock(&listener->lock);
}

/* Until the socket is empty. A fence asked for before the drain began has been passed when it ends. */
static void drain(struct listener *listener)
{
	uint64_t fence = atomic_load(&listener->fence_asked);
	uint64_t lost;
	size_t got;

	do {
		while (ring_free(listener) < DRAIN_BUDGET + DRAIN_SLACK && !atomic_load(&listener->is_stopping)) {
			tell(listener->ready_fd);
			sleep_ns(NS_PER_MS);
		}
		lost = 0;
		listener->room = ring_free(listener);
		got = events_drain(listener->events, DRAIN_BUDGET, on_event, listener, &lost);
		atomic_store_explicit(&listener->tail, listener->written, memory_order_release);
		if (got > 0 || lost > 0) {
			publish_counts(listener);
			tell(listener->ready_fd);
		}
	} while ((got > 0 || lost > 0) && !atomic_load(&listener->is_stopping));
	if (fence != atomic_load_explicit(&listener->fence_passed, memory_order_relaxed)) {
		publish_counts(listener);
		atomic_store_explicit(&listener->fence_passed, fence, memory_order_release);
		tell(listener->ready_fd);
	}
}

static void *listen_thread(void *arg)
{
	struct listener *listener = arg;
	struct pollfd fds[2] = {
		{ .fd = events_fd(listener->events), .events = POLLIN },
		{ .fd = listener->wake_fd, .events = POLLIN },
	};
	uint64_t count;

	while (!atomic_load(&listener->is_stopping)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			sleep_ns(listener->gather_ns);
		if (fds[1].revents && read(listener->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			break;
		if (atomic_load(&listener->is_stopping))
			break;
		if (!fds[1].revents)
			sleep_ns(listener->gather_ns);
		drain(listener);
	}
	return NULL;
}

static void listener_free(struct listener *listener)
{
	events_close(listener->events);
	if (listener->wake_fd >= 0)
		close(listener->wake_fd);
	pthread_mutex_destroy(&listener->lock);
	free(listener);
}

static int64_t gather_ns(size_t buffer_bytes)
{
	if (buffer_bytes < SMALL_BUFFER_BYTES)
		return SMALL_SLEEP_NS;
	return buffer_bytes < LARGE_BUFFER_BYTES ? SLEEP_NS : LARGE_SLEEP_NS;
}

int listener_start(size_t rcvbuf_bytes, uint32_t skip_portid, int ready_fd, struct listener **ret_listener)
{
	struct events_options options = { .groups = EVENTS_NEW | EVENTS_DESTROY,
					  .rcvbuf_bytes = rcvbuf_bytes,
					  .skip_portid = skip_portid };
	struct listener *listener;
	struct events *events;
	int r = events_open(&options, &events);

	if (r < 0)
		return r;
	listener = mem_alloc(sizeof(*listener));
	listener->events = events;
	listener->gather_ns = gather_ns(events_rcvbuf_bytes(events));
	listener->ready_fd = ready_fd;
	pthread_mutex_init(&listener->lock, NULL);
	listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (listener->wake_fd < 0) {
		r = -errno;
		goto fail;
	}
	r = thread_start("ct-events", listen_thread, listener, &listener->thread);
	if (r < 0)
		goto fail;
	*ret_listener = listener;
	return 0;
fail:
	listener_free(listener);
	return r;
}

void listener_stop(struct listener *listener)
{
	if (!listener)
		return;
	atomic_store(&listener->is_stopping, true);
	tell(listener->wake_fd);
	pthread_join(listener->thread, NULL);
	listener_free(listener);
}

int listener_skip(struct listener *listener, uint32_t portid)
{
	return events_skip(listener->events, portid);
}

int listener_mute_deaths(struct listener *listener, bool muted)
{
	return events_mute_deaths(listener->events, muted);
}

size_t listener_rcvbuf_bytes(const struct listener *listener)
{
	return events_rcvbuf_bytes(listener->events);
}

size_t listener_take(struct listener *listener, size_t budget, listener_fn *fn, void *arg)
{
	size_t head = atomic_load_explicit(&listener->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&listener->tail, memory_order_acquire);
	struct flow flow = { 0 };
	size_t taken = 0;

	while (head != tail && taken < budget) {
		const struct compact_event *slot = &listener->ring[head % RING_SIZE];

		flow.tuple[FLOW_ORIG] = slot->tuple[FLOW_ORIG];
		flow.tuple[FLOW_REPLY] = slot->tuple[FLOW_REPLY];
		flow.has = slot->has;
		flow.status = slot->status;
		flow.timeout_sec = slot->timeout_sec;
		flow.mark = slot->mark;
		flow.id = slot->id;
		flow.zone = slot->zone;
		flow.zone_reply = slot->zone_reply;
		flow.state = slot->state;
		fn((enum flow_event_kind)slot->kind, &flow, slot->portid, arg);
		head++;
		taken++;
		/* Not all at once at the end: the thread may be waiting for room. */
		if (taken % GIVE_BACK == 0)
			atomic_store_explicit(&listener->head, head, memory_order_release);
	}
	atomic_store_explicit(&listener->head, head, memory_order_release);
	return taken;
}

uint64_t listener_fence_ask(struct listener *listener)
{
	uint64_t number = atomic_fetch_add(&listener->fence_asked, 1) + 1;

	tell(listener->wake_fd);
	return number;
}

bool listener_fence_passed(struct listener *listener, uint64_t number)
{
	return atomic_load_explicit(&listener->fence_passed, memory_order_acquire) >= number;
}

struct events_counts listener_counts(struct listener *listener)
{
	struct events_counts counts;

	pthread_mutex_lock(&listener->lock);
	counts = listener->counts;
	pthread_mutex_unlock(&listener->lock);
	return counts;
}
