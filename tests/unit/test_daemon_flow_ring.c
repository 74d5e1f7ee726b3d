/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/flow_ring: what is offered is handed over once, in order; what finds no place is counted. */
#include "stats_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../../src/daemon/flow_ring.h"

#define RING 16384
#define MANY 200000

struct taken {
	uint64_t count, wrong;
	uint32_t next;
};

static struct flow numbered(uint32_t number)
{
	struct flow flow = flow_answered(TCP, IP(10, 0, 0, 0) + number, IP(10, 2, 0, 1), 1000, 443);

	flow.zone = (uint16_t)(number % 7);
	flow.id = number;
	return flow;
}

static uint32_t number_of(const struct flow *flow)
{
	const uint8_t *src = flow->tuple[FLOW_ORIG].src;

	return ((uint32_t)src[0] << 24 | (uint32_t)src[1] << 16 | (uint32_t)src[2] << 8 | src[3]) - IP(10, 0, 0, 0);
}

static void take(const struct flow *flow, struct taken *taken)
{
	uint32_t number = number_of(flow);

	/* Later than what came before, whole, and where nothing was lost the very next. */
	taken->wrong += number < taken->next || flow->id != number || flow->zone != number % 7 ||
			flow->state != FLOW_TCP_ESTABLISHED ||
			flow->status != (FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED) ||
			flow_class_of(flow) != FLOW_CLASS_ESTABLISHED;
	taken->next = number + 1;
	taken->count++;
}

static void drain(struct flow_ring *ring, struct taken *taken)
{
	struct flow flows[100];
	size_t count;

	while ((count = flow_ring_take(ring, flows, 100)))
		for (size_t i = 0; i < count; i++)
			take(&flows[i], taken);
}

static void offered_flows_come_in_order_and_once(void **state)
{
	struct flow_ring *ring = flow_ring_new(RING);
	struct taken taken = {0};

	(void)state;
	assert_true(flow_ring_is_empty(ring));
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			struct flow flow = numbered(round * 5000 + i);

			flow_ring_offer(ring, &flow);
		}
		assert_false(flow_ring_is_empty(ring));
		drain(ring, &taken);
		assert_true(flow_ring_is_empty(ring));
		assert_int_equal(taken.next, (round + 1) * 5000);
	}
	drain(ring, &taken);
	assert_int_equal(taken.count, 50000);
	assert_int_equal(taken.wrong, 0);
	assert_int_equal(flow_ring_lost(ring), 0);
	flow_ring_free(ring);
}

static void what_finds_no_place_is_counted(void **state)
{
	struct flow_ring *ring = flow_ring_new(RING);
	struct taken taken = {0};

	(void)state;
	for (uint32_t i = 0; i < RING + 100; i++) {
		struct flow flow = numbered(i);

		flow_ring_offer(ring, &flow);
	}
	assert_int_equal(flow_ring_lost(ring), 100);
	drain(ring, &taken);
	assert_int_equal(taken.count, RING);
	assert_int_equal(taken.next, RING);
	assert_int_equal(taken.wrong, 0);
	flow_ring_free(ring);
}

static void they_can_be_dropped(void **state)
{
	struct flow_ring *ring = flow_ring_new(RING);
	struct flow flow = numbered(1);

	(void)state;
	for (int i = 0; i < 10; i++)
		flow_ring_offer(ring, &flow);
	assert_int_equal(flow_ring_take(ring, NULL, 4), 4);
	assert_int_equal(flow_ring_take(ring, NULL, SIZE_MAX), 6);
	assert_true(flow_ring_is_empty(ring));
	flow_ring_free(ring);
}

struct pair {
	struct flow_ring *ring;
	atomic_bool is_done;
};

static void *offer_many(void *arg)
{
	struct pair *pair = arg;

	for (uint32_t i = 0; i < MANY; i++) {
		struct flow flow = numbered(i);

		flow_ring_offer(pair->ring, &flow);
	}
	atomic_store(&pair->is_done, true);
	return NULL;
}

static void two_threads_lose_nothing_uncounted(void **state)
{
	struct pair pair = {.ring = flow_ring_new(RING)};
	struct taken taken = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, offer_many, &pair), 0);
	while (!atomic_load(&pair.is_done))
		drain(pair.ring, &taken);
	pthread_join(thread, NULL);
	drain(pair.ring, &taken);
	assert_int_equal(taken.count + flow_ring_lost(pair.ring), MANY);
	assert_int_equal(taken.wrong, 0);
	flow_ring_free(pair.ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offered_flows_come_in_order_and_once),
		cmocka_unit_test(what_finds_no_place_is_counted),
		cmocka_unit_test(they_can_be_dropped),
		cmocka_unit_test(two_threads_lose_nothing_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
