/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table in memory behind the ports, for tests of the layer action: what a kernel would do, without
 * one. Entry i has the id i + 1 whatever its life, as ids of a re-created tuple may be the same. */
#ifndef CTWARDEN_TESTS_ACTION_FAKE_H
#define CTWARDEN_TESTS_ACTION_FAKE_H

#include "stats_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "action/action.h"

struct fake {
	struct flow *flows;
	bool *alive;
	size_t count;
	bool can_filter;			 /* the kernel's own filter is proven */
	unsigned writes, reads, scans, filtered; /* calls so far */
	unsigned whole_scans;			 /* of scans: without a filter */
	unsigned fail_write;			 /* the n-th write fails, 0: none */
	int write_error;
	unsigned asks; /* of them whether they have come further */
	bool hears_updates;
	int ask_error;
	unsigned read_flows; /* in all reads */
	unsigned fail_scan;
	bool is_unwatched;	   /* the number of buckets cannot be read */
	int filtered_error;	   /* of the next filtered delete, whose first half is done */
	bool count_fails_after;	   /* the counter cannot be read once a filtered delete was sent */
	unsigned torn_scans;	   /* of the next scans: the table is resized under them */
	unsigned ages_sec;	   /* time that passes before a scan */
	void (*on_write)(struct fake *fake); /* before each write: what others do meanwhile */
	void (*on_read)(struct fake *fake);
	void (*on_scan)(struct fake *fake);
	struct flow_ports ports;
};

static inline int fake_scan(void *arg, const struct flow_filter *filter,
			    const struct flow_filter_context *context, flow_scan_fn *fn,
			    void *fn_arg, struct flow_scan_report *ret_report)
{
	struct fake *fake = arg;
	size_t i;

	memset(ret_report, 0, sizeof(*ret_report));
	fake->whole_scans += !filter;
	if (fake->on_scan)
		fake->on_scan(fake);
	if (++fake->scans == fake->fail_scan)
		return -EPERM;
	for (i = 0; i < fake->count; i++)
		fake->flows[i].timeout_sec -= fake->ages_sec;
	ret_report->unsettled = fake->torn_scans;
	ret_report->unwatched = fake->is_unwatched;
	for (i = 0; i < fake->count; i++) {
		/* Torn: some are missed, some come where others were. */
		size_t at = ret_report->unsettled && i % 3 ? i - i % 3 : i;

		if (!fake->alive[at])
			continue;
		ret_report->received++;
		if (filter && !flow_filter_match(filter, &fake->flows[at], context))
			continue;
		ret_report->matched++;
		if (!fn(&fake->flows[at], NULL, 0, fn_arg))
			break;
	}
	fake->torn_scans -= ret_report->unsettled;
	return 0;
}

static inline int fake_read_again(void *arg, const struct flow_target *targets, size_t count,
				  struct flow *ret_flows, bool *ret_found)
{
	struct fake *fake = arg;
	size_t i, at;

	fake->reads++;
	fake->read_flows += count;
	assert_in_range(count, 1, FLOW_BATCH_MAX);
	if (fake->on_read)
		fake->on_read(fake);
	for (i = 0; i < count; i++) {
		at = targets[i].id - 1;
		ret_found[i] = fake->alive[at] && flow_target_is(&targets[i], &fake->flows[at]);
		if (ret_found[i])
			ret_flows[i] = fake->flows[at];
	}
	return 0;
}

static inline bool fake_can_ask_unchanged(void *arg)
{
	return !((struct fake *)arg)->hears_updates;
}

/* As the kernel: whatever the life, and SEEN_REPLY is set where it was not. */
static inline int fake_ask_unchanged(void *arg, const struct flow_target *targets, size_t count,
				      bool *ret_sure)
{
	struct fake *fake = arg;

	fake->asks++;
	assert_in_range(count, 1, FLOW_BATCH_MAX);
	assert_false(fake->hears_updates);
	if (fake->on_read)
		fake->on_read(fake);
	for (size_t i = 0; i < count && !fake->ask_error; i++) {
		uint32_t asked = targets[i].status & FLOW_STATUS_SEEN_REPLY;
		uint32_t *status = &fake->flows[targets[i].id - 1].status;

		ret_sure[i] = fake->alive[targets[i].id - 1] &&
			      !(*status & ~asked & (FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED));
		if (ret_sure[i])
			*status |= asked;
	}
	return fake->ask_error;
}

static inline int fake_delete(void *arg, const struct flow_target *targets, size_t count,
			      enum flow_outcome *ret_outcomes)
{
	struct fake *fake = arg;
	size_t i, at;

	assert_in_range(count, 1, FLOW_BATCH_MAX);
	if (++fake->writes == fake->fail_write)
		return fake->write_error;
	if (fake->on_write)
		fake->on_write(fake);
	for (i = 0; i < count; i++) {
		at = targets[i].id - 1;
		ret_outcomes[i] = fake->alive[at] ? FLOW_OUTCOME_DONE : FLOW_OUTCOME_GONE;
		fake->alive[at] = false;
	}
	return 0;
}

static inline int fake_set_timeout(void *arg, const struct flow_target *targets,
				   const struct flow_timeout_change *changes, size_t count,
				   enum flow_outcome *ret_outcomes)
{
	struct fake *fake = arg;
	size_t i, at;

	assert_in_range(count, 1, FLOW_BATCH_MAX);
	if (++fake->writes == fake->fail_write)
		return fake->write_error;
	if (fake->on_write)
		fake->on_write(fake);
	for (i = 0; i < count; i++) {
		at = targets[i].id - 1;
		if (!fake->alive[at]) {
			ret_outcomes[i] = FLOW_OUTCOME_GONE;
		} else if (fake->flows[at].status & FLOW_STATUS_FIXED_TIMEOUT) {
			ret_outcomes[i] = FLOW_OUTCOME_REFUSED;
		} else {
			ret_outcomes[i] = FLOW_OUTCOME_DONE;
			fake->flows[at].timeout_sec = changes[i].timeout_sec;
			if (changes[i].is_fixed)
				fake->flows[at].status |= FLOW_STATUS_FIXED_TIMEOUT;
		}
	}
	return 0;
}

static inline bool fake_can_delete_filtered(void *arg, const struct flow_filter *filter,
					    char *ret_why, size_t why_size)
{
	struct fake *fake = arg;

	assert_false(flow_filter_is_empty(filter));
	if (!fake->can_filter)
		snprintf(ret_why, why_size, "this kernel has no such filter");
	return fake->can_filter;
}

static inline int fake_delete_filtered(void *arg, const struct flow_filter *filter)
{
	struct fake *fake = arg;
	size_t i;

	fake->filtered++;
	for (i = 0; i < (fake->filtered_error ? fake->count / 2 : fake->count); i++)
		if (flow_filter_match(filter, &fake->flows[i], NULL))
			fake->alive[i] = false;
	return fake->filtered_error;
}

static inline int fake_delete_all(void *arg)
{
	struct fake *fake = arg;

	fake->filtered++;
	memset(fake->alive, 0, fake->count * sizeof(*fake->alive));
	return 0;
}

static inline int fake_count(void *arg, uint64_t *ret_entries)
{
	struct fake *fake = arg;
	size_t i;

	if (fake->filtered && fake->count_fails_after)
		return -ENOBUFS;
	*ret_entries = 0;
	for (i = 0; i < fake->count; i++)
		*ret_entries += fake->alive[i];
	return 0;
}

static inline struct fake *fake_new(size_t count)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->flows = calloc(count, sizeof(*fake->flows));
	fake->alive = calloc(count, sizeof(*fake->alive));
	assert_non_null(fake->flows);
	assert_non_null(fake->alive);
	fake->ports = (struct flow_ports){.arg = fake,
					  .scan = fake_scan,
					  .read_again = fake_read_again,
					  .can_ask_unchanged = fake_can_ask_unchanged,
					  .ask_unchanged = fake_ask_unchanged,
					  .delete = fake_delete,
					  .set_timeout = fake_set_timeout,
					  .can_delete_filtered = fake_can_delete_filtered,
					  .delete_filtered = fake_delete_filtered,
					  .delete_all = fake_delete_all,
					  .count = fake_count};
	return fake;
}

static inline void fake_free(struct fake *fake)
{
	free(fake->flows);
	free(fake->alive);
	free(fake);
}

static inline struct flow *fake_add(struct fake *fake, struct flow flow)
{
	size_t at = fake->count++;

	flow.id = (uint32_t)at + 1;
	flow.has |= FLOW_HAS_ID | FLOW_HAS_TIMEOUT;
	fake->flows[at] = flow;
	fake->alive[at] = true;
	return &fake->flows[at];
}

static inline struct flow_filter *fake_filter(enum flow_filter_key key, const char *value)
{
	struct flow_filter *filter = flow_filter_new();

	assert_int_equal(flow_filter_add(filter, key, value, false, NULL), 0);
	return filter;
}

static inline void assert_sums_up(const struct action_result *result)
{
	assert_int_equal(result->matched, result->done + result->gone + result->refused +
						  result->unknown + result->unchanged +
						  result->spared.total + result->left);
}

#endif
