/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in a fixed buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void what_fits_is_whole(void **state)
{
	char buf[12];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "one ");
	text_add(&t, "two %d", 345);
	assert_string_equal(buf, "one two 345");
	assert_int_equal(t.len, 11);
	assert_false(t.cut);
}

static void what_does_not_fit_ends_behind_a_word(void **state)
{
	char buf[20];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "2,000 fits the ");
	text_add(&t, "surge; and more");
	assert_string_equal(buf, "2,000 fits the...");
	assert_true(t.cut);
	text_add(&t, "!"); /* there would be room for it, but it belongs to what is missing */
	assert_string_equal(buf, "2,000 fits the...");
	assert_int_equal(t.len, 17);
}

static void one_long_word_is_cut_as_it_comes(void **state)
{
	char buf[8], tiny[2];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "0123456789");
	assert_string_equal(buf, "0123456");
	text_init(&t, tiny, sizeof(tiny));
	text_add(&t, "a b");
	assert_string_equal(tiny, "a");
	text_init(&t, NULL, 0);
	text_add(&t, "a b");
	assert_int_equal(t.len, 0);
}

static void who_begins_anew_is_not_cut(void **state)
{
	char buf[8];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add(&t, "a bc defgh");
	assert_string_equal(buf, "a bc...");
	t.len = 0;
	text_add(&t, "level");
	assert_string_equal(buf, "level");
	assert_false(t.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_whole),
		cmocka_unit_test(what_does_not_fit_ends_behind_a_word),
		cmocka_unit_test(one_long_word_is_cut_as_it_comes),
		cmocka_unit_test(who_begins_anew_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
