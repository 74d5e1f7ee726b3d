/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filtered_lab: a writer in a namespace of its own, a random table, filters by their options. */
#ifndef CTWARDEN_TESTS_FILTERED_LAB_H
#define CTWARDEN_TESTS_FILTERED_LAB_H

#include "base/mem.h"
#include "kernel_lab.h"
#include "write_lab.h"

#include "../../src/kernel/prover.h"

#define TABLE 250

static struct writer *writer;
static struct flow_ports ports;
static int fd; /* the lab's socket */

static inline void fill(uint64_t seed)
{
	for (unsigned i = 0; i < TABLE; i++) {
		struct lab_entry e = lab_random(&seed);
		int error = lab_create(fd, &e, NLM_F_CREATE | NLM_F_EXCL);

		assert_true(!error || error == EEXIST);
	}
}

static inline int empty_table(void **state)
{
	(void)state;
	return write_lab_empty(&ports);
}

static inline struct flow_filter *parse(const char *options)
{
	static const struct {
		const char *word;
		enum flow_filter_key key;
		bool has_value;
	} words[] = {{"-f", FILTER_FAMILY, true},
		     {"-s", FILTER_SRC, true},
		     {"-d", FILTER_DST, true},
		     {"-r", FILTER_REPLY_SRC, true},
		     {"-q", FILTER_REPLY_DST, true},
		     {"-p", FILTER_PROTOCOL, true},
		     {"--sport", FILTER_SPORT, true},
		     {"--dport", FILTER_DPORT, true},
		     {"-m", FILTER_MARK, true},
		     {"-w", FILTER_ZONE, true},
		     {"-u", FILTER_STATUS, true},
		     {"--unreplied", FILTER_UNREPLIED, false},
		     {"--state", FILTER_STATE, true},
		     {"--class", FILTER_CLASS, true},
		     {"--src-nat", FILTER_SRC_NAT, false},
		     {"--offload", FILTER_OFFLOAD, false},
		     {"--any-nat", FILTER_ANY_NAT, false},
		     {"--src-nat-to", FILTER_SRC_NAT, true},
		     {"--no-nat", FILTER_NO_NAT, false}};
	struct flow_filter *filter = flow_filter_new();
	char copy[256], *word, *rest = copy;
	bool negated = false;
	struct problem problem;

	snprintf(copy, sizeof(copy), "%s", options);
	while ((word = strtok_r(rest, " ", &rest))) {
		size_t i = 0;

		if (!strcmp(word, "!")) {
			negated = true;
			continue;
		}
		while (strcmp(words[i].word, word))
			assert_true(++i < sizeof(words) / sizeof(words[0]));
		if (flow_filter_add(filter, words[i].key,
				    words[i].has_value ? strtok_r(rest, " ", &rest) : NULL, negated,
				    &problem) < 0)
			fail_msg("%s: %s", options, problem.text);
		negated = false;
	}
	if (flow_filter_finish(filter, &problem) < 0)
		fail_msg("%s: %s", options, problem.text);
	return filter;
}

static inline bool can(const char *options, char why[256])
{
	struct flow_filter *filter = parse(options);
	bool yes;

	why[0] = '\0';
	yes = ports.can_delete_filtered(ports.arg, filter, why, 256);
	assert_int_equal(!yes, why[0] != '\0');
	flow_filter_free(filter);
	return yes;
}

static inline int open_lab(void **state)
{
	(void)state;
	if (!lab_enter() || writer_open(NULL, &writer))
		return -1;
	ports = writer_ports(writer);
	fd = nl_open();
	return 0;
}

static inline int close_lab(void **state)
{
	(void)state;
	writer_close(writer);
	close(fd);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, empty_table)

#endif
