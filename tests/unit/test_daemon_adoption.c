/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/adoption: what is offered is handed over once, in order; what finds no place is counted. */
#include "stats_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../../src/daemon/adoption.h"

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
	return flow;
}

static uint32_t number_of(const struct flow *flow)
{
	const uint8_t *src = flow->tuple[FLOW_ORIG].src;

	return ((uint32_t)src[0] << 24 | (uint32_t)src[1] << 16 | (uint32_t)src[2] << 8 | src[3]) - IP(10, 0, 0, 0);
}

static void take(const struct flow *flow, void *arg)
{
	struct taken *taken = arg;
	uint32_t number = number_of(flow);

	/* Later than what came before, whole, and where nothing was lost the very next. */
	taken->wrong += number < taken->next || flow->zone != number % 7 || flow->state != FLOW_TCP_ESTABLISHED ||
			flow->status != (FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED) ||
			flow_class_of(flow) != FLOW_CLASS_ESTABLISHED;
	taken->next = number + 1;
	taken->count++;
}

static void offered_flows_come_in_order_and_once(void **state)
{
	struct adoption *adoption = adoption_new();
	struct taken taken = {0};

	(void)state;
	assert_true(adoption_is_empty(adoption));
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			struct flow flow = numbered(round * 5000 + i);

			adoption_offer(adoption, &flow);
		}
		assert_false(adoption_is_empty(adoption));
		adoption_drain(adoption, take, &taken);
		assert_true(adoption_is_empty(adoption));
		assert_int_equal(taken.next, (round + 1) * 5000);
	}
	adoption_drain(adoption, take, &taken);
	assert_int_equal(taken.count, 50000);
	assert_int_equal(taken.wrong, 0);
	assert_int_equal(adoption_lost(adoption), 0);
	adoption_free(adoption);
}

static void unanswered_and_unassured_are_left_out(void **state)
{
	struct adoption *adoption = adoption_new();
	struct flow unanswered = flow_make(UDP, 1, 2, 3, 4), unassured = numbered(1);

	(void)state;
	unassured.status = FLOW_STATUS_SEEN_REPLY;
	adoption_offer(adoption, &unanswered);
	adoption_offer(adoption, &unassured);
	assert_true(adoption_is_empty(adoption));
	assert_int_equal(adoption_lost(adoption), 0);
	adoption_free(adoption);
}

static void what_finds_no_place_is_counted(void **state)
{
	struct adoption *adoption = adoption_new();
	struct taken taken = {0};

	(void)state;
	for (uint32_t i = 0; i < RING + 100; i++) {
		struct flow flow = numbered(i);

		adoption_offer(adoption, &flow);
	}
	assert_int_equal(adoption_lost(adoption), 100);
	adoption_drain(adoption, take, &taken);
	assert_int_equal(taken.count, RING);
	assert_int_equal(taken.next, RING);
	assert_int_equal(taken.wrong, 0);
	adoption_free(adoption);
}

struct pair {
	struct adoption *adoption;
	atomic_bool is_done;
};

static void *offer_many(void *arg)
{
	struct pair *pair = arg;

	for (uint32_t i = 0; i < MANY; i++) {
		struct flow flow = numbered(i);

		adoption_offer(pair->adoption, &flow);
	}
	atomic_store(&pair->is_done, true);
	return NULL;
}

static void two_threads_lose_nothing_uncounted(void **state)
{
	struct pair pair = {.adoption = adoption_new()};
	struct taken taken = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, offer_many, &pair), 0);
	while (!atomic_load(&pair.is_done))
		adoption_drain(pair.adoption, take, &taken);
	pthread_join(thread, NULL);
	adoption_drain(pair.adoption, take, &taken);
	assert_int_equal(taken.count + adoption_lost(pair.adoption), MANY);
	assert_int_equal(taken.wrong, 0);
	adoption_free(pair.adoption);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offered_flows_come_in_order_and_once),
		cmocka_unit_test(unanswered_and_unassured_are_left_out),
		cmocka_unit_test(what_finds_no_place_is_counted),
		cmocka_unit_test(two_threads_lose_nothing_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
