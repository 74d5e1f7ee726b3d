/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_policy: any bytes as a policy. What is refused must say where and why; what is taken must be
 * the same when it is printed back and read again, and must be told in sentences. Built with
 * -fsanitize=fuzzer, or with standalone.c as an ordinary test. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "report/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct policy *policy)
{
	struct report_out out = {.file = fopen("/dev/null", "w"), .columns = 80};
	char *once = report_policy_json(policy), *twice;
	struct problem problem = {0};
	struct policy *again = NULL;

	assert(out.file);
	assert(policy_parse(once, strlen(once), "once", &again, &problem) == 0);
	twice = report_policy_json(again);
	assert(!strcmp(once, twice));
	assert(report_policy_explain(&out, again) == 0);
	policy_free(again);
	fclose(out.file);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of exactly this size: a sanitizer sees the first byte behind it. */
	uint8_t *copy = malloc(size ? size : 1);
	struct problem problem = {0};
	struct policy *policy = NULL;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	if (policy_parse((const char *)copy, size, "fuzz", &policy, &problem) == 0) {
		check(policy);
		policy_free(policy);
	} else {
		assert(!policy && problem.text[0] && problem.file[0]);
	}
	free(copy);
	return 0;
}
