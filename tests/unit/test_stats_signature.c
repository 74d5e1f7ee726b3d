/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/signature: what is named for which surge, what is never named without saying so, and that
 * pattern, filter and words mean the same. */
#include "stats_world.h"

static char text[SIGNATURE_TEXT_MAX];

static const char *words(const struct world *w, size_t i)
{
	assert_true(i < w->signature_count);
	return signature_format(&w->signatures[i].pattern, text);
}

static struct world *surge(void)
{
	struct world *w = world_new();

	world_users(w, 300, 300, 0);
	world_new_users(w, 300);
	world_calm(w);
	world_new_users(w, 100);
	return w;
}

static void look(struct world *w)
{
	world_pass(w, false, false);
	world_signature(w);
}

static void names_a_syn_flood_of_one_source(void **state)
{
	struct signature_pattern asked;
	struct world *w = surge();

	(void)state;
	attack_syn(w, 8000);
	look(w);
	assert_int_equal(w->signature_count, 1);
	assert_string_equal(words(w, 0), "unreplied tcp from 10.9.0.7 to 198.51.100.9");
	assert_true(w->signatures[0].coverage > 0.98);
	assert_true(w->signatures[0].base_share < 0.001);
	assert_true(w->signatures[0].growth > 7800 && w->signatures[0].growth < 8100);
	assert_true(signature_for_kernel(&w->signatures[0].pattern, &asked));
	assert_false(w->signatures[0].cannot_tell_apart || w->signatures[0].hits_base ||
		     w->signatures[0].is_blind);
	world_free(w);
}

static void names_an_infected_host_of_the_own_network(void **state)
{
	struct signature_pattern asked;
	struct world *w = surge();

	(void)state;
	attack_infected(w, 5000);
	look(w);
	assert_string_equal(words(w, 0), "unreplied tcp/22 from 10.1.0.66");
	assert_true(signature_for_kernel(&w->signatures[0].pattern, &asked));
	world_free(w);
}

static void names_a_flood_of_many_sources_by_prefix_and_service(void **state)
{
	struct signature_pattern asked;
	struct world *w = surge();

	(void)state;
	attack_established(w, 8000, 16);
	look(w);
	assert_string_equal(words(w, 0), "established tcp/80 from 10.9.0.0/16 to 198.51.100.0/24");
	assert_false(signature_for_kernel(&w->signatures[0].pattern, &asked));
	world_free(w);
}

static void names_spoofed_syns_to_the_users_own_service_by_class(void **state)
{
	struct world *w = surge();

	(void)state;
	attack_spoofed(w, 8000);
	look(w);
	assert_string_equal(words(w, 0), "unreplied tcp/7000 to 203.0.113.2");
	assert_true(w->signatures[0].coverage > 0.95);
	assert_false(w->signatures[0].hits_base);
	world_free(w);
}

static void names_several_surges_each(void **state)
{
	struct world *w = surge();
	bool spoofed = false, wide = false, infected = false;

	(void)state;
	attack_spoofed(w, 3000);
	attack_established(w, 3000, 16);
	attack_infected(w, 3000);
	look(w);
	assert_int_equal(w->signature_count, 3);
	for (size_t i = 0; i < 3; i++) {
		spoofed |= !strcmp(words(w, i), "unreplied tcp/7000 to 203.0.113.2");
		wide |= !strcmp(words(w, i),
				"established tcp/80 from 10.9.0.0/16 to 198.51.100.0/24");
		infected |= !strcmp(words(w, i), "unreplied tcp/22 from 10.1.0.66");
		assert_true(w->signatures[i].coverage > 0.28 && w->signatures[i].coverage < 0.4);
	}
	assert_true(spoofed && wide && infected);
	world_free(w);
}

static void does_not_name_a_class_for_many_where_each_can_be_named(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_users(w, 300, 300, 0); /* nothing unreplied was there */
	world_calm(w);
	attack_spoofed(w, 4000);
	attack_infected(w, 4000);
	look(w);
	assert_int_equal(w->signature_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(w->signatures[i].pattern.has_port);
	world_free(w);
}

static void of_keys_about_as_good_names_the_narrowest(void **state)
{
	struct world *w = surge();

	(void)state;
	attack_established(w, 8000, 16);
	for (size_t i = w->used - 8000; i < w->used; i += 40)
		w->members[i].flow.state = FLOW_TCP_SYN_RECV;
	look(w);
	assert_string_equal(words(w, 0), "established tcp/80 from 10.9.0.0/16 to 198.51.100.0/24");
	world_free(w);
}

static void the_kernel_is_asked_without_prefixes_and_classes(void **state)
{
	struct signature_pattern asked, pattern;
	char asked_text[SIGNATURE_TEXT_MAX];
	struct world *w = surge();

	(void)state;
	attack_udp(w, 8000);
	look(w);
	assert_string_equal(words(w, 0), "unreplied udp from 10.9.0.7 to 198.51.100.0/24");
	pattern = w->signatures[0].pattern;
	assert_true(signature_for_kernel(&pattern, &asked));
	assert_string_equal(signature_format(&asked, asked_text), "udp from 10.9.0.7");
	/* Answered flows have seniors among them; nobody's address names nobody; zone 0 is many zones. */
	pattern.classes |= 1u << FLOW_CLASS_HALF_OPEN;
	assert_false(signature_for_kernel(&pattern, &asked));
	pattern = w->signatures[0].pattern;
	pattern.has_zone = true;
	assert_false(signature_for_kernel(&pattern, &asked));
	pattern.zone = 7;
	assert_true(signature_for_kernel(&pattern, &asked));
	pattern.src_len = 24;
	assert_false(signature_for_kernel(&pattern, &asked));
	world_free(w);
}

static void says_so_where_the_crowd_cannot_be_told_apart(void **state)
{
	struct world *w = world_new();

	(void)state;
	/* A server's table: honest clients of everywhere, then many more of the same. */
	flash_crowd(w, 3000);
	world_calm(w);
	flash_crowd(w, 9000);
	look(w);
	assert_int_equal(w->signature_count, 1);
	assert_true(w->signatures[0].cannot_tell_apart);
	assert_true(w->signatures[0].hits_base);
	assert_true(w->signatures[0].base_share > 0.02);
	world_free(w);
}

static void too_little_growth_or_none_in_common_is_not_named(void **state)
{
	struct world *w = surge();

	(void)state;
	w->used -= 100; /* only what was there */
	attack_syn(w, 49);
	look(w);
	assert_int_equal(w->signature_count, 0);
	world_free(w);
}

static void without_a_calm_picture_it_says_that_it_is_blind(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_users(w, 50, 50, 0);
	attack_syn(w, 8000);
	look(w);
	assert_string_equal(words(w, 0), "unreplied tcp from 10.9.0.7 to 198.51.100.9");
	assert_true(w->signatures[0].is_blind);
	world_free(w);
}

static void pickups_name_no_source(void **state)
{
	struct world *w = surge();
	struct flow honest = flow_answered(TCP, SERVER, USERS, 443, 9), pickup;

	(void)state;
	/* After a flush the server's packets make entries the wrong way round. */
	for (unsigned i = 0; i < 5000; i++)
		world_add(w, ROLE_ATTACK,
			  flow_pickup(SERVER, USERS + pick(w, 200), 443, (uint16_t)(1024 + i)));
	look(w);
	assert_true(w->signature_count > 0);
	assert_int_equal(w->signatures[0].pattern.src_len, 0);
	assert_int_equal(w->signatures[0].pattern.classes, 1 << FLOW_CLASS_PICKUP);
	pickup = w->members[w->used - 1].flow;
	assert_true(signature_match(&w->signatures[0].pattern, &pickup, FLOW_CLASS_PICKUP));
	assert_false(signature_match(&w->signatures[0].pattern, &honest, FLOW_CLASS_ESTABLISHED));
	world_free(w);
}

static void ipv6_floods_are_named_by_prefix(void **state)
{
	struct signature_pattern asked;
	struct world *w = surge();

	(void)state;
	for (unsigned i = 0; i < 6000; i++) {
		struct flow flow = flow_make(UDP, 0, 0, (uint16_t)i, 53);
		struct flow_tuple *orig = &flow.tuple[FLOW_ORIG];

		orig->family = AF_INET6;
		memcpy(orig->src,
		       (uint8_t[16]){0xfd, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, (uint8_t)(i >> 8),
				     (uint8_t)i},
		       16);
		memcpy(orig->dst, (uint8_t[16]){0xfd, 0, 0, 0, 0, 0, 0, 0x33, [15] = 1}, 16);
		world_add(w, ROLE_ATTACK, flow);
	}
	look(w);
	assert_string_equal(words(w, 0), "unreplied udp/53 from fd00:0:0:9::/64 to fd00:0:0:33::1");
	assert_false(signature_for_kernel(&w->signatures[0].pattern, &asked));
	world_free(w);
}

static void a_zone_is_named_where_there_are_several(void **state)
{
	struct world *w = surge();

	(void)state;
	for (unsigned i = 0; i < 6000; i++) {
		struct flow flow = honest_flow(w, USERS);

		flow.zone = flow.zone_reply = 7;
		world_add(w, ROLE_ATTACK, flow);
	}
	look(w);
	assert_non_null(strstr(words(w, 0), "in zone 7"));
	assert_false(w->signatures[0].hits_base);
	world_free(w);
}

/* Random floods over random honest tables. */
static void never_hits_much_of_the_base_without_saying_so(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct world *w = world_new();
		uint32_t src, dst, services;

		w->random = seed * 7919;
		src = pick(w, 0xffffffff) & ~((1u << pick(w, 25)) - 1);
		dst = pick(w, 0xffffffff);
		services = 1 + pick(w, 4);
		for (unsigned i = 0; i < 2000; i++)
			world_add(w, ROLE_NEW,
				  flow_answered(pick(w, 3) ? TCP : UDP, src + pick(w, 5000),
						dst + pick(w, 300), (uint16_t)(1024 + i),
						(uint16_t)(80 + pick(w, services))));
		world_calm(w);
		for (unsigned i = 0; i < 4000; i++)
			world_add(w, ROLE_ATTACK,
				  (pick(w, 3) ? flow_make : flow_answered)(
					  pick(w, 5) ? TCP : UDP,
					  src + pick(w, 1 + (uint32_t)seed * 90),
					  dst + pick(w, 1 + (uint32_t)seed * 5),
					  (uint16_t)(9000 + i), (uint16_t)(80 + pick(w, 5))));
		look(w);
		for (size_t s = 0; s < w->signature_count; s++) {
			const struct signature *signature = &w->signatures[s];
			unsigned hits = 0;

			for (unsigned i = 0; i < 2000; i++)
				hits += signature_match(&signature->pattern, &w->members[i].flow,
							flow_class_of(&w->members[i].flow));
			if (hits > 2000 * 0.02)
				assert_true(signature->hits_base);
			assert_int_equal(signature->cannot_tell_apart, signature->hits_base);
			if (signature->hits_base)
				assert_int_equal(w->signature_count, 1);
		}
		world_free(w);
	}
}

static void attack_mixed(struct world *w, unsigned n)
{
	attack_syn(w, n / 2);
	for (unsigned i = 0; i < n / 2; i++)
		world_add(w, ROLE_ATTACK,
			  flow_answered(TCP, IP(10, 9, 0, 7), anywhere(w), (uint16_t)i, 25));
}

static void pattern_and_filter_agree_on_every_flow(void **state)
{
	void (*const attacks[])(struct world *, unsigned) = {attack_syn,	 attack_udp,
							     attack_spoofed,	 attack_infected,
							     attack_two_way_udp, attack_mixed,
							     flash_crowd};

	(void)state;
	for (size_t a = 0; a < sizeof(attacks) / sizeof(attacks[0]); a++) {
		struct world *w = surge();

		attacks[a](w, 3000);
		for (unsigned i = 0; i < 60; i++)
			world_add(w, ROLE_ATTACK, flow_pickup(IP(10, 9, 0, 7), SERVER, 1, 2));
		look(w);
		assert_true(w->signature_count > 0);
		for (size_t s = 0; s < w->signature_count; s++) {
			struct flow_filter *filter = signature_filter(&w->signatures[s].pattern);
			unsigned fits = 0;

			assert_false(flow_filter_is_empty(filter));
			for (size_t i = 0; i < w->used; i++) {
				const struct flow *flow = &w->members[i].flow;
				bool match = signature_match(&w->signatures[s].pattern, flow,
							     flow_class_of(flow));

				assert_int_equal(match, flow_filter_match(filter, flow, NULL));
				fits += match;
			}
			assert_true(fits > 0 && fits < w->used);
			flow_filter_free(filter);
		}
		world_free(w);
	}
}

/* One by one and all at once: the same. */
static struct signature_counts count_all(struct world *w)
{
	struct signature_counts counts = {0}, all[SIGNATURE_MAX] = {0};

	seniority_begin(w->seniority, ++w->now_sec * SEC, false, 0);
	for (size_t i = 0; i < w->used; i++) {
		const struct flow *flow = &w->members[i].flow;
		struct flow_facts facts;
		bool is_base;

		flow_facts_of(flow, NULL, 0, &facts);
		is_base = seniority_see(w->seniority, flow, &facts).is_base;
		signature_count(&counts, &w->signatures[0].pattern, flow, facts.class, is_base);
		assert_int_equal(signature_count_all(all, w->signatures, w->signature_count, flow, facts.class,
						     is_base),
				 signature_match_any(w->signatures, w->signature_count, flow, facts.class));
	}
	seniority_end(w->seniority, true);
	assert_memory_equal(&all[0], &counts, sizeof(counts));
	return counts;
}

static void the_count_of_a_pass_confirms_or_refutes(void **state)
{
	struct signature_config config = signature_config_default();
	struct world *w = surge();
	struct signature_counts counts, bad;

	(void)state;
	attack_syn(w, 8000);
	look(w);
	counts = count_all(w);
	assert_int_equal(counts.growth, 8100);
	assert_int_equal(counts.growth_hits, 8000);
	assert_int_equal(counts.base, 900);
	assert_int_equal(counts.base_hits, 0);
	assert_true(signature_confirm(&w->signatures[0], &config, &counts));
	assert_true(w->signatures[0].is_confirmed);
	assert_int_equal(w->signatures[0].growth, 8000);
	bad = counts;
	bad.base_hits = 800; /* a tenth of the flood, kept up in calm, does not shield it */
	assert_true(signature_confirm(&w->signatures[0], &config, &bad));
	assert_false(w->signatures[0].hits_base);
	bad.base_hits = 801;
	assert_false(signature_confirm(&w->signatures[0], &config, &bad));
	assert_true(w->signatures[0].hits_base);
	bad = counts;
	bad.growth_hits = 100;
	assert_false(signature_confirm(&w->signatures[0], &config, &bad));
	world_free(w);
}

static void classes_are_told_as_a_choice(void **state)
{
	struct signature_pattern pattern = {.classes = 1u << FLOW_CLASS_UNREPLIED};

	(void)state;
	assert_string_equal(signature_format(&pattern, text), "unreplied flows");
	pattern.classes |= 1u << FLOW_CLASS_CLOSING;
	assert_string_equal(signature_format(&pattern, text), "unreplied or closing flows");
	pattern.classes |= 1u << FLOW_CLASS_HALF_OPEN;
	assert_string_equal(signature_format(&pattern, text), "unreplied, half-open or closing flows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_syn_flood_of_one_source),
		cmocka_unit_test(names_an_infected_host_of_the_own_network),
		cmocka_unit_test(names_a_flood_of_many_sources_by_prefix_and_service),
		cmocka_unit_test(names_spoofed_syns_to_the_users_own_service_by_class),
		cmocka_unit_test(names_several_surges_each),
		cmocka_unit_test(does_not_name_a_class_for_many_where_each_can_be_named),
		cmocka_unit_test(of_keys_about_as_good_names_the_narrowest),
		cmocka_unit_test(the_kernel_is_asked_without_prefixes_and_classes),
		cmocka_unit_test(says_so_where_the_crowd_cannot_be_told_apart),
		cmocka_unit_test(too_little_growth_or_none_in_common_is_not_named),
		cmocka_unit_test(without_a_calm_picture_it_says_that_it_is_blind),
		cmocka_unit_test(classes_are_told_as_a_choice),
		cmocka_unit_test(pickups_name_no_source),
		cmocka_unit_test(ipv6_floods_are_named_by_prefix),
		cmocka_unit_test(a_zone_is_named_where_there_are_several),
		cmocka_unit_test(never_hits_much_of_the_base_without_saying_so),
		cmocka_unit_test(pattern_and_filter_agree_on_every_flow),
		cmocka_unit_test(the_count_of_a_pass_confirms_or_refutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
