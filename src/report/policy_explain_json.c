/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy_explain_json: a policy in sentences, as a document ctwarden.policyexplain/1. */
#include "policy/policy.h"
#include "policy/words.h"
#include "private.h"

static json_t *json_sentences(struct policy_sentences *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		for (char *at = list->texts[i]; *at; at++)
			if (*at == '\t')
				*at = ' ';
		json_array_append_new(array, json_string(list->texts[i]));
	}
	return array;
}

json_t *json_policy_explain(const struct policy *policy)
{
	json_t *document = json_document("ctwarden.policyexplain/1"), *rules = json_array(), *item;
	struct policy_sentences list;

	if (policy->name[0])
		json_add_text(document, "name", policy->name);
	if (policy->about[0])
		json_add_text(document, "about", policy->about);
	json_add_text(document, "mode", policy_mode_name(policy->mode));
	policy_head_sentences(policy, &list);
	json_object_set_new(document, "sentences", json_sentences(&list));
	for (size_t i = 0; i < policy->rule_count; i++) {
		item = json_object();
		json_add_text(item, "rule", policy->rules[i].name);
		json_add_text(item, "action", policy_actions[policy->rules[i].action.action].name);
		policy_rule_sentences(&policy->rules[i], &list);
		json_object_set_new(item, "sentences", json_sentences(&list));
		json_array_append_new(rules, item);
	}
	json_object_set_new(document, "rules", rules);
	policy_never_sentences(policy, &list);
	json_object_set_new(document, "never", json_sentences(&list));
	return document;
}
