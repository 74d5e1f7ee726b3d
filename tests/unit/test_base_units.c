/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers with units, addresses, the keyed hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/siphash.h"
#include "base/units.h"

static void test_duration_takes_units_and_refuses_the_rest(void **state)
{
	struct problem problem = { 0 };
	int64_t ns = 7;

	(void)state;
	assert_int_equal(units_parse_duration("5", &ns, NULL), 0);
	assert_int_equal(ns, 5 * NS_PER_SEC);
	assert_int_equal(units_parse_duration("1h30m", &ns, NULL), 0);
	assert_int_equal(ns, 5400 * NS_PER_SEC);
	assert_int_equal(units_parse_duration("2h 4min", &ns, NULL), 0);
	assert_int_equal(ns, 7440 * NS_PER_SEC);
	assert_int_equal(units_parse_duration("500ms", &ns, NULL), 0);
	assert_int_equal(ns, 500 * NS_PER_MS);
	ns = 7;
	for (const char *const *bad = (const char *const[]){"", " ", "-1", "5x", "1e9", "0x5", "200000d", NULL}; *bad;
	     bad++) {
		assert_int_equal(units_parse_duration(*bad, &ns, &problem), -EINVAL);
		assert_true(problem.text[0]);
		assert_int_equal(ns, 7); /* untouched */
	}
}

static void test_sizes_and_numbers_have_bounds(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(units_parse_bytes("64k", &n, NULL), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(units_parse_bytes("18446744073709551615G", &n, NULL), -EINVAL);
	assert_int_equal(units_parse_bytes("-1", &n, NULL), -EINVAL);
	assert_int_equal(units_parse_number("0x10", 0, 65535, "a port", &n, NULL), 0);
	assert_int_equal(n, 16);
	assert_int_equal(units_parse_number("65536", 0, 65535, "a port", &n, NULL), -EINVAL);
	assert_int_equal(units_parse_number("", 0, 65535, "a port", &n, NULL), -EINVAL);
}

static void test_numbers_are_written_for_people(void **state)
{
	char buf[UNITS_TEXT_MAX];

	(void)state;
	assert_string_equal(units_format_count(203417, buf), "203,417");
	assert_string_equal(units_format_count(0, buf), "0");
	assert_string_equal(units_format_signed(-1612, buf), "-1,612");
	assert_string_equal(units_format_signed(INT64_MIN, buf), "-9,223,372,036,854,775,808");
	assert_string_equal(units_format_duration(96 * NS_PER_SEC, buf), "1 min 36 s");
	assert_string_equal(units_format_duration(7440 * NS_PER_SEC, buf), "2 h 4 min");
	assert_string_equal(units_format_duration(3600 * NS_PER_SEC, buf), "1 h");
	assert_string_equal(units_format_duration(86400 * NS_PER_SEC, buf), "1 d");
	assert_string_equal(units_format_duration((366 * 24 + 3) * 3600 * NS_PER_SEC, buf), "366 d 3 h");
	assert_string_equal(units_format_duration(850 * NS_PER_MS, buf), "850 ms");
	assert_string_equal(units_format_bytes(1572864, buf), "1.5 MiB");
	assert_string_equal(units_plural(0), "s");
	assert_string_equal(units_plural(1), "");
	assert_string_equal(units_plural(2), "s");
}

static void test_prefixes_are_masked_and_refused_when_too_long(void **state)
{
	struct problem problem = { 0 };
	struct prefix prefix;
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(prefix_parse("10.1.2.3/20", &prefix, NULL), 0);
	assert_string_equal(prefix_format(&prefix, buf), "10.1.0.0/20");
	assert_int_equal(prefix_parse("2001:db8::1/33", &prefix, NULL), 0);
	assert_string_equal(prefix_format(&prefix, buf), "2001:db8::/33");
	assert_int_equal(prefix_parse("::ffff:10.0.0.1", &prefix, NULL), 0);
	assert_string_equal(prefix_format(&prefix, buf), "10.0.0.1");
	assert_int_equal(prefix_parse("10.0.0.0/33", &prefix, &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "an IPv4 prefix is at most /32"));
}

static void test_prefixes_are_equal_in_family_bits_and_length(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"10.1.2.0/24", "10.1.2.77/24", true},	   {"10.1.2.0/24", "10.1.2.0/25", false},
		{"10.1.2.0/24", "10.1.3.0/24", false},	   {"0.0.0.0/0", "::/0", false},
		{"2001:db8::/64", "2001:db8::1/64", true}, {"2001:db8::/64", "2001:db8::1", false},
		{"10.0.0.1", "::ffff:10.0.0.1", true},	   {"10.0.0.1", "10.0.0.2", false},
	};
	struct prefix a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(prefix_parse(cases[i].a, &a, NULL), 0);
		assert_int_equal(prefix_parse(cases[i].b, &b, NULL), 0);
		assert_int_equal(prefix_equal(&a, &b), cases[i].equal);
		assert_int_equal(prefix_equal(&b, &a), cases[i].equal);
	}
}

static void test_siphash_depends_on_key_and_every_byte(void **state)
{
	struct siphash_key a = { 1, 2 }, b = { 1, 3 };
	uint8_t data[24] = { 0 };
	uint64_t first = siphash(data, sizeof data, a);

	(void)state;
	assert_int_equal(first, siphash(data, sizeof data, a));
	assert_int_not_equal(first, siphash(data, sizeof data, b));
	for (size_t i = 0; i < sizeof data; i++) {
		data[i] = 1;
		assert_int_not_equal(first, siphash(data, sizeof data, a));
		data[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration_takes_units_and_refuses_the_rest),
		cmocka_unit_test(test_sizes_and_numbers_have_bounds),
		cmocka_unit_test(test_numbers_are_written_for_people),
		cmocka_unit_test(test_prefixes_are_masked_and_refused_when_too_long),
		cmocka_unit_test(test_prefixes_are_equal_in_family_bits_and_length),
		cmocka_unit_test(test_siphash_depends_on_key_and_every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
