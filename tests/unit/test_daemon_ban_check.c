/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom no rule may ban. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/daemon/ban_check.h"
#include "flow/flow.h"

static const char policy_text[] =
	"{\"schema\": \"ctwarden.policy/1\", \"protect\": {\"flows\": ["
	"{\"name\": \"office\", \"match\": {\"src\": [\"198.51.100.0/24\", \"2001:db8:9::/64\"]}},"
	"{\"name\": \"dns\", \"match\": {\"protocol\": \"udp\", \"dport\": 53}},"
	"{\"name\": \"others\", \"match\": {\"not\": {\"src\": \"203.0.113.0/24\"}}}]}}";

struct world {
	struct policy *policy;
	struct addr own[2];
	struct addr gateways[2];
	struct flow_tuple operator;
	struct ban_context context;
};

static int world_make(void **state)
{
	static struct world w;
	struct addr peer;

	memset(&w, 0, sizeof(w));
	assert_int_equal(policy_parse(policy_text, strlen(policy_text), "p", &w.policy, NULL), 0);
	assert_int_equal(addr_parse("198.18.7.1", &w.own[0], NULL), 0);
	assert_int_equal(addr_parse("2001:db8:1::1", &w.own[1], NULL), 0);
	assert_int_equal(addr_parse("203.0.113.77", &peer, NULL), 0);
	assert_int_equal(addr_parse("203.0.113.254", &w.gateways[0], NULL), 0);
	assert_int_equal(addr_parse("2001:db8:3::1", &w.gateways[1], NULL), 0);
	w.operator.family = peer.family;
	memcpy(w.operator.src, peer.bytes, sizeof(w.operator.src));
	w.context = (struct ban_context){.policy = w.policy,
					 .own = w.own,
					 .own_count = 2,
					 .operators = &w.operator,
					 .operator_count = 1,
					 .gateways = w.gateways,
					 .gateway_count = 2 };
	*state = &w;
	return 0;
}

static int world_end(void **state)
{
	policy_free(((struct world *)*state)->policy);
	return 0;
}

static bool allowed(const struct world *w, const char *text, char *why)
{
	char unused[200];
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix, NULL), 0);
	return ban_allowed(&w->context, &prefix, why ? why : unused, 200);
}

static void assert_refused(const struct world *w, const char *text, const char *reason)
{
	char why[200] = "";

	assert_false(allowed(w, text, why));
	assert_non_null(strstr(why, reason));
}

static void others_may_be_banned(void **state)
{
	const struct world *w = *state;

	assert_true(allowed(w, "203.0.113.7", NULL));
	assert_true(allowed(w, "203.0.113.0/28", NULL));
	assert_true(allowed(w, "2001:db8:7::/64", NULL));
}

static void own_addresses_are_not(void **state)
{
	const struct world *w = *state;

	assert_refused(w, "198.18.7.1", "this host");
	assert_refused(w, "198.18.7.0/24", "this host");
	assert_refused(w, "2001:db8:1::/64", "this host");
	assert_true(allowed(w, "198.18.7.2", NULL));
}

static void the_operator_is_not(void **state)
{
	const struct world *w = *state;

	assert_refused(w, "203.0.113.77", "operator");
	assert_refused(w, "203.0.113.64/26", "operator");
	assert_true(allowed(w, "203.0.113.78", NULL));
}

static void protected_sources_are_not_in_part_either(void **state)
{
	const struct world *w = *state;

	assert_refused(w, "198.51.100.9", "office");
	assert_refused(w, "198.51.0.0/16", "office");
	assert_refused(w, "2001:db8:9::/64", "office");
	/* Entries that name no source, or say whom they do not mean, protect no source. */
	assert_true(allowed(w, "203.0.113.5", NULL));
}

static void wide_prefixes_are_not(void **state)
{
	const struct world *w = *state;

	assert_refused(w, "100.64.0.0/15", "too wide");
	assert_refused(w, "2001:db8::/32", "too wide");
	assert_true(allowed(w, "100.64.0.0/16", NULL));
	assert_true(allowed(w, "2001:db8:77::/48", NULL));
}

static void a_gateway_is_not_nor_who_shares_its_prefix(void **state)
{
	const struct world *w = *state;

	assert_refused(w, "203.0.113.254", "gateway");
	assert_refused(w, "203.0.113.240/28", "gateway");
	assert_true(allowed(w, "203.0.113.253", NULL));
	assert_refused(w, "2001:db8:3::/64", "gateway");
	assert_true(allowed(w, "2001:db8:4::/64", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(others_may_be_banned, world_make, world_end),
		cmocka_unit_test_setup_teardown(own_addresses_are_not, world_make, world_end),
		cmocka_unit_test_setup_teardown(the_operator_is_not, world_make, world_end),
		cmocka_unit_test_setup_teardown(protected_sources_are_not_in_part_either,
						world_make, world_end),
		cmocka_unit_test_setup_teardown(wide_prefixes_are_not, world_make, world_end),
		cmocka_unit_test_setup_teardown(a_gateway_is_not_nor_who_shares_its_prefix, world_make, world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
