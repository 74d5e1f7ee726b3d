/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: zeroed whatever its size, also where it was used before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* Around where huge pages begin, and a rest behind the last of them. */
static const size_t counts[] = {0, 1, 1000, 524287, 524288, 524289, 1400003};

static void what_is_scattered_is_zeroed_and_whole(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			uint64_t *words = mem_scattered(counts[i], sizeof(*words)), sum = 0;

			for (size_t k = 0; k < counts[i]; k++)
				sum |= words[k];
			assert_int_equal(sum, 0);
			memset(words, 0xff, counts[i] * sizeof(*words));
			free(words);
		}
	}
}

static void a_large_one_can_be_huge_pages(void **state)
{
	void *large = mem_scattered(524288, 8);

	(void)state;
	assert_int_equal((uintptr_t)large % (2 << 20), 0);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_scattered_is_zeroed_and_whole),
		cmocka_unit_test(a_large_one_can_be_huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
