/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the layer policy share: policies from text, snapshots of a moment, random
 * policies. */
#ifndef CTWARDEN_TESTS_POLICY_FIXTURE_H
#define CTWARDEN_TESTS_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"

#define HEAD "{\"schema\": \"ctwarden.policy/1\""

static inline struct policy *policy_of(const char *text)
{
	struct policy *policy = NULL;
	struct problem problem = {0};
	char line[900];

	if (policy_parse(text, strlen(text), "p.json", &policy, &problem))
		fail_msg("%s", problem_format(&problem, line, sizeof(line)));
	return policy;
}

/* One rule in a policy. */
static inline struct policy *policy_of_rule(const char *rule)
{
	static char text[8192];

	snprintf(text, sizeof(text), HEAD ", \"rules\": [{\"name\": \"r\", %s}]}", rule);
	return policy_of(text);
}

static inline void refused_at(const char *text, size_t len, int result, int line, const char *path,
			      const char *words)
{
	struct policy *policy = NULL;
	struct problem problem = {0};
	char shown[900];

	assert_int_equal(policy_parse(text, len, "p.json", &policy, &problem), result);
	assert_null(policy);
	problem_format(&problem, shown, sizeof(shown));
	assert_string_equal(problem.file, "p.json");
	if (problem.line != line || strcmp(problem.path, path) || !strstr(problem.text, words))
		fail_msg("expected line %d, %s: ...%s...; got: %s", line, path, words, shown);
}

static inline void refused(const char *text, int line, const char *path, const char *words)
{
	refused_at(text, strlen(text), -22 /* -EINVAL */, line, path, words);
}

/* The rule stands on line 1. */
static inline void rule_refused(const char *rule, const char *path, const char *words)
{
	static char text[8192];

	snprintf(text, sizeof(text), HEAD ", \"rules\": [{\"name\": \"r\", %s}]}", rule);
	refused(text, 1, path, words);
}

/* A small generator of its own: the same seed, the same policies. */
struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state;
}

static inline unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)(random_next(r) % n);
}

static inline bool random_one_in(struct random *r, unsigned n)
{
	return random_below(r, n) == 0;
}

#endif
