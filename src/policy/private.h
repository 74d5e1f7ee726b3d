/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy/private: what the readers of this layer share. All of them fill the problem (line, path,
 * what would be right) and return -EINVAL; what they have read so far is freed with the policy. */
#ifndef CTWARDEN_POLICY_PRIVATE_H
#define CTWARDEN_POLICY_PRIVATE_H

#include "doc/doc.h"
#include "policy/policy.h"

/* "object" where node is one with only these keys (ends with NULL). */
int read_object(const struct doc_node *node, const char *const *known, struct problem *problem);
/* A number, cut to 12 digits so that it is written back as it was read. Absent: *ret stays. */
int read_number(const struct doc_node *node, double min, double max, double *ret,
		struct problem *problem);
/* Whole milliseconds, for the same reason. */
int read_duration(const struct doc_node *node, int64_t min_ns, int64_t max_ns, int64_t *ret_ns,
		  struct problem *problem);
int read_count(const struct doc_node *node, uint64_t min, uint64_t max, uint64_t *ret,
	       struct problem *problem);
/* A name or text of 1 to size - 1 bytes without control characters. */
int read_text(const struct doc_node *node, char *ret, size_t size, struct problem *problem);
/* Text or a list of texts; each item is handed on with its node. */
int read_list(const struct doc_node *node, size_t max,
	      int (*on_item)(const struct doc_node *item, void *arg), void *arg,
	      struct problem *problem);
int read_prefixes(const struct doc_node *node, struct policy_prefixes *prefixes,
		  struct problem *problem);

/* match.c */
void match_init(struct policy_match *match);
void match_free(struct policy_match *match);
int match_read(const struct doc_node *node, struct policy_match *match, struct problem *problem);
/* The key stands in the match, negated or not. */
bool match_has(const struct policy_match *match, enum flow_filter_key key, bool negated);
/* A new filter of all values of the match, without flow_filter_finish. */
struct flow_filter *match_copy(const struct policy_match *match);

/* when.c, action.c, rule.c */
int when_read(const struct doc_node *node, struct policy_rule *rule, struct problem *problem);
int action_read(const struct doc_node *node, struct policy_do *action, struct problem *problem);
int rule_read(const struct doc_node *node, struct policy_rule *rule, struct problem *problem);
/* What the parts of a rule say against each other and against the policy's marks. */
int rule_check(const struct doc_node *node, const struct policy *policy,
	       const struct policy_rule *rule, struct problem *problem);
void rule_free(struct policy_rule *rule);

#endif
