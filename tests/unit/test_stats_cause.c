/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause: made-up floods, and what is said of them. */
#include "stats_fixture.h"

#include <string.h>

#include "stats/cause.h"

static const struct picture_config config = {
	.max_rows = 65536, .source_prefix = {32, 64}, .prefix = {24, 64}};

/* An honest table: n answered HTTPS flows of many clients in many networks to many servers. */
static void add_honest(struct picture *picture, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow flow = flow_answered(TCP, IP(100, 64, 0, 0) + i * 251,
						 IP(198, 18, 0, 0) + i * 37, (uint16_t)(10000 + i),
						 443);

		picture_add(picture, &flow);
	}
}

/* By a pass, or, where the daemon listens, by events. */
static void add(struct picture *picture, const struct flow *flow, bool is_event)
{
	if (is_event)
		picture_born(picture, flow);
	else
		picture_add(picture, flow);
}

static void assert_says(const struct cause *cause, const char *text)
{
	if (!strstr(cause->text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, cause->text);
}

static void one_scanner_is_named_with_what_it_does(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 520);
	for (uint32_t i = 0; i < 1498; i++) {
		struct flow flow = flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 22);

		picture_add(picture, &flow);
	}
	cause = cause_find(picture);
	assert_true(cause.is_known && cause.has_dominant && !cause.is_growth);
	assert_int_equal(cause.part, PICTURE_SOURCE);
	assert_int_equal(cause.destinations, 1498);
	assert_int_equal(cause.ports, 1);
	assert_false(cause.at_least);
	assert_string_equal(
		cause.text,
		"one source: 10.1.0.66 holds 74 %, 100 % unreplied tcp/22, 1,498 destinations");
	picture_free(picture);
}

static void a_sampled_part_gives_lower_bounds(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 5000);
	for (uint32_t i = 0; i < 60000; i++) {
		struct flow flow =
			flow_make(UDP, IP(10, 1, 0, 66), IP(10, 2, 0, 1), 40000, (uint16_t)i);

		picture_add(picture, &flow);
	}
	cause = cause_find(picture);
	assert_true(cause.at_least);
	assert_says(&cause, "one source: 10.1.0.66 holds 92 %, 100 % unreplied udp, at least 3,");
	assert_says(&cause, " ports, 1 destination");
	picture_free(picture);
}

static void growth_is_explained_and_not_the_table(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	/* One busy client holds most of the calm table; another grows. */
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow flow = flow_answered(TCP, IP(10, 0, 0, 9), IP(198, 18, 0, 0) + i,
						 (uint16_t)i, 443);

		picture_add(picture, &flow);
	}
	assert_says(&(struct cause[]){cause_find(picture)}[0], "one source: 10.0.0.9 holds 100 %");
	picture_set_base(picture);
	for (uint32_t i = 0; i < 900; i++) {
		struct flow flow = flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 22);

		add(picture, &flow, true);
	}
	cause = cause_find(picture);
	assert_true(cause.is_growth);
	assert_says(&cause,
		    "one source: 10.1.0.66 holds 100 % of growth, 100 % tcp/22, 900 destinations");
	picture_free(picture);
}

/* Three in four flows, of the calm table and of what comes, are of one user of one network. */
static void grow(struct picture *picture, uint32_t from, uint32_t to, uint32_t busy, bool is_event)
{
	for (uint32_t i = from; i < to; i++) {
		struct flow flow = flow_answered(TCP, i % 4 < busy ? IP(10, 0, 0, 9) : i * 1000003u,
						 IP(198, 18, 0, 0) + i * 37, (uint16_t)i, 443);

		add(picture, &flow, is_event);
	}
}

static void who_grows_as_the_table_does_is_not_to_blame(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	grow(picture, 0, 2000, 3, false);
	picture_set_base(picture);
	grow(picture, 2000, 2400, 3, true);
	cause = cause_find(picture);
	assert_true(cause.is_growth);
	assert_false(cause.has_dominant);
	assert_says(&cause, "no dominant source: 100 % of growth is tcp/443 (101 sources); the largest "
			    "source holds 75 %, its usual share");
	/* Who brings all of it stands out, whatever he held before: a squatter's surge. */
	grow(picture, 2400, 3600, 4, true);
	assert_says(&(struct cause[]){cause_find(picture)}[0], "one source: 10.0.0.9 holds 94 % of growth");
	picture_free(picture);
}

static void who_has_more_than_doubled_is_named_whatever_he_held(void **unused)
{
	struct picture *picture = picture_new(&config);

	(void)unused;
	grow(picture, 0, 2000, 3, false);
	picture_set_base(picture);
	grow(picture, 2000, 5000, 3, true);
	assert_says(&(struct cause[]){cause_find(picture)}[0], "one source: 10.0.0.9 holds 75 % of growth");
	picture_free(picture);
}

static void dns_with_nobody_dominant_is_said_so(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 2000);
	picture_set_base(picture);
	for (uint32_t i = 0; i < 4000; i++) {
		struct flow flow = flow_answered(i % 25 ? UDP : TCP, i * 1000003u,
						 IP(192, 0, 2, 0) + i * 7919u, (uint16_t)i,
						 i % 25 ? 53 : 80);

		add(picture, &flow, true);
	}
	cause = cause_find(picture);
	assert_true(cause.is_known && cause.is_growth);
	assert_false(cause.has_dominant);
	assert_string_equal(cause.text,
			    "no dominant source: 96 % of growth is udp/53 (4,000 sources); "
			    "limits per source will not help");
	picture_free(picture);
}

static void a_flood_from_a_wide_network_names_no_single_source(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 1000);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow flow = flow_make(TCP, IP(10, 7, 0, 0) + i * 21,
					     IP(192, 0, 0, 0) + i * 101, 4000, 80);

		picture_add(picture, &flow);
	}
	cause = cause_find(picture);
	assert_false(cause.has_dominant);
	assert_says(&cause, "no dominant source: 75 % of the table is unreplied tcp/80");
	picture_free(picture);
	/* As growth it stands alone, and its network can be told. */
	picture = picture_new(&config);
	add_honest(picture, 1000);
	picture_set_base(picture);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow flow = flow_make(TCP, IP(10, 7, 0, 0) + i * 21,
					     IP(192, 0, 0, 0) + i * 101, 4000, 80);

		add(picture, &flow, true);
	}
	cause = cause_find(picture);
	assert_says(&cause, "100 % of growth is tcp/80 from 10.7.0.0/16 (3,000 sources); limits "
			    "per source will not help");
	picture_free(picture);
}

static void one_prefix_is_named_where_no_source_is(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 300);
	for (uint32_t i = 0; i < 2000; i++) {
		struct flow flow = flow_make(UDP, IP(10, 7, 3, 0) + i % 250,
					     IP(192, 0, 0, 0) + i * 101, (uint16_t)i, 123);

		picture_add(picture, &flow);
	}
	cause = cause_find(picture);
	assert_int_equal(cause.part, PICTURE_PREFIX);
	assert_says(&cause, "one prefix: 10.7.3.0/24 holds 87 %, 100 % unreplied udp/123, 250 "
			    "sources, 2,000 destinations");
	picture_free(picture);
}

static void one_destination_is_named_where_sources_are_spread(void **unused)
{
	struct picture *picture = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 300);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow flow =
			flow_answered(TCP, i * 1000003u, IP(192, 0, 2, 80), (uint16_t)i, 80);

		flow.state = FLOW_TCP_SYN_RECV;
		flow.status = FLOW_STATUS_SEEN_REPLY;
		picture_add(picture, &flow);
	}
	cause = cause_find(picture);
	assert_int_equal(cause.part, PICTURE_DESTINATION);
	assert_says(
		&cause,
		"one destination: 192.0.2.80 holds 91 %, 100 % half-open tcp/80, 3,000 sources; "
		"limits per source will not help");
	picture_free(picture);
}

static void pickups_are_never_held_against_their_source(void **unused)
{
	struct picture *picture;
	struct cause cause;

	(void)unused;
	/* After a flush: the server's packets make entries with the server as their source. */
	for (int is_event = 0; is_event <= 1; is_event++) {
		picture = picture_new(&config);
		add_honest(picture, 1000);
		picture_set_base(picture);
		for (uint32_t i = 0; i < 3000; i++) {
			struct flow flow = flow_pickup(IP(192, 0, 2, 80), i * 1000003u, 443,
						       (uint16_t)(i * 31));

			add(picture, &flow, is_event);
		}
		cause = cause_find(picture);
		assert_false(cause.has_dominant);
		assert_null(strstr(cause.text, "192.0.2.80"));
		assert_says(&cause, "of growth is pickups");
		picture_free(picture);
	}
}

static void births_are_not_called_unreplied_because_they_were_born_so(void **unused)
{
	struct picture *picture = picture_new(&config), *pass = picture_new(&config);
	struct cause cause;

	(void)unused;
	add_honest(picture, 500);
	picture_set_base(picture);
	add_honest(pass, 500);
	for (uint32_t i = 0; i < 900; i++) { /* born unreplied, answered by the time of the pass */
		struct flow flow =
			flow_make(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 443);

		picture_born(picture, &flow);
		flow = flow_answered(TCP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 443);
		picture_add(pass, &flow);
	}
	picture_inherit(pass, picture);
	cause = cause_find(pass);
	assert_says(&cause, "one source: 10.1.0.66 holds 100 % of growth, 100 % established "
			    "tcp/443, 900 destinations");
	picture_free(picture);
	picture_free(pass);
}

/* One network came in one go since the calm, and rests. */
static struct picture *after_a_burst(void)
{
	struct picture *picture = picture_new(&config);

	add_honest(picture, 100);
	picture_set_base(picture);
	for (uint32_t i = 0; i < 8000; i++) {
		struct flow flow = flow_make(TCP, IP(10, 0, 0, 0) + i % 30, IP(10, 2, 0, 1), (uint16_t)i, 443);

		picture_born(picture, &flow);
	}
	for (int i = 0; i < 8; i++)
		picture_tick(picture, SEC);
	return picture;
}

static struct flow flood(uint32_t i)
{
	return flow_make(UDP, IP(10, 1, 0, 66), IP(10, 2, 0, 0) + i, 40000, 9000);
}

/* Whatever the guard has taken of him: 5,000 new in each of ten seconds. */
static void who_grows_is_named_and_not_who_rests(void **unused)
{
	struct picture *picture = after_a_burst(), *pass;
	struct cause cause;
	struct flow flow;

	(void)unused;
	cause = cause_find(picture);
	assert_says(&cause, "one prefix: 10.0.0.0/24 holds 100 % of growth");
	assert_false(cause.is_late);
	for (uint32_t sec = 0; sec < 10; sec++) {
		for (uint32_t i = 0; i < 5000; i++) {
			flow = flood(sec * 5000 + i);
			picture_born(picture, &flow);
		}
		cause = cause_find(picture);
		assert_true(cause.is_growth && cause.is_late);
		assert_says(&cause, "one source: 10.1.0.66 holds ");
		for (uint32_t i = 0; i < 5000 && sec % 3; i++) {
			flow = flood(sec * 5000 + i);
			picture_taken(picture, &flow);
		}
		cause = cause_find(picture);
		assert_says(&cause, "one source: 10.1.0.66 holds ");
		picture_tick(picture, SEC);
	}
	assert_int_equal(picture->taken, 30000);
	pass = after_a_burst(); /* meets none of the flood, and takes over what was taken */
	picture_inherit(pass, picture);
	cause = cause_find(pass);
	assert_says(&cause, "one source: 10.1.0.66 holds ");
	picture_free(pass);
	/* It ends: what has come since the calm and is there explains the table. */
	for (int i = 0; i < 20; i++)
		picture_tick(picture, SEC);
	cause = cause_find(picture);
	assert_true(cause.is_growth && !cause.is_late);
	picture_free(picture);
}

/* Short flows of a resolver: many births, no growth. */
static void who_only_changes_flows_for_others_is_not_named(void **unused)
{
	struct picture *picture = after_a_burst();
	struct cause cause;
	struct flow flow;

	(void)unused;
	for (uint32_t i = 0; i < 60000; i++) {
		flow = flow_make(UDP, IP(10, 3, 0, 53), IP(10, 2, 0, 0) + i, 40000, 53);
		picture_born(picture, &flow);
		picture_died(picture, &flow);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		flow = flood(i);
		picture_born(picture, &flow);
	}
	cause = cause_find(picture);
	assert_says(&cause, "one source: 10.1.0.66 holds ");
	picture_free(picture);
}

static void an_empty_picture_has_nothing_to_explain(void **unused)
{
	struct picture *picture = picture_new(&config);

	(void)unused;
	assert_false(cause_find(NULL).is_known);
	assert_false(cause_find(picture).is_known);
	picture_free(picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_scanner_is_named_with_what_it_does),
		cmocka_unit_test(a_sampled_part_gives_lower_bounds),
		cmocka_unit_test(growth_is_explained_and_not_the_table),
		cmocka_unit_test(who_grows_as_the_table_does_is_not_to_blame),
		cmocka_unit_test(who_has_more_than_doubled_is_named_whatever_he_held),
		cmocka_unit_test(dns_with_nobody_dominant_is_said_so),
		cmocka_unit_test(a_flood_from_a_wide_network_names_no_single_source),
		cmocka_unit_test(one_prefix_is_named_where_no_source_is),
		cmocka_unit_test(one_destination_is_named_where_sources_are_spread),
		cmocka_unit_test(pickups_are_never_held_against_their_source),
		cmocka_unit_test(births_are_not_called_unreplied_because_they_were_born_so),
		cmocka_unit_test(who_grows_is_named_and_not_who_rests),
		cmocka_unit_test(who_only_changes_flows_for_others_is_not_named),
		cmocka_unit_test(an_empty_picture_has_nothing_to_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
