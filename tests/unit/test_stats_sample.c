/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/sample: uniform, repeatable, all of a short stream. */
#include "stats_fixture.h"

#include <stdlib.h>

#include "stats/sample.h"

static void offer(struct sample *sample, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct flow flow = flow_make(UDP, i, 1, 2, 3);

		flow.id = i;
		sample_offer(sample, &flow);
	}
}

static void a_short_stream_is_kept_whole(void **unused)
{
	struct sample *sample = malloc(sizeof(*sample));

	(void)unused;
	sample_init(sample, 1);
	offer(sample, 0, 100);
	assert_int_equal(sample->seen, 100);
	assert_int_equal(sample->used, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(sample->flows[i].id, i);
	free(sample);
}

static void every_part_of_a_long_stream_has_its_share(void **unused)
{
	enum { PARTS = 8, STREAM = 400000 };
	struct sample *sample = malloc(sizeof(*sample));
	unsigned parts[PARTS] = {0};

	(void)unused;
	sample_init(sample, 42);
	offer(sample, 0, STREAM);
	assert_int_equal(sample->used, SAMPLE_MAX);
	for (size_t i = 0; i < sample->used; i++)
		parts[sample->flows[i].id / (STREAM / PARTS)]++;
	for (int i = 0; i < PARTS; i++) /* 512 each; five standard deviations are about 106 */
		assert_true(parts[i] > 512 - 106 && parts[i] < 512 + 106);
	free(sample);
}

static void the_same_stream_and_seed_give_the_same_sample(void **unused)
{
	struct sample *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	(void)unused;
	sample_init(a, 7);
	sample_init(b, 7);
	offer(a, 0, 20000);
	offer(b, 0, 20000);
	assert_memory_equal(a->flows, b->flows, sizeof(a->flows));
	sample_init(b, 8);
	offer(b, 0, 20000);
	assert_true(memcmp(a->flows, b->flows, sizeof(a->flows)) != 0);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_stream_is_kept_whole),
		cmocka_unit_test(every_part_of_a_long_stream_has_its_share),
		cmocka_unit_test(the_same_stream_and_seed_give_the_same_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
