/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/policy: what is printed back parses to the same policy (random ones too), and policies in
 * sentences. */
#include "policy_fixture.h"
#include "report_fixture.h"

#include "base/text.h"
#include "policy/words.h"
#include "report/policy.h"

/* ---- the same policy ---- */

static void same_match(const struct policy_match *a, const struct policy_match *b)
{
	char x[4096], y[4096];

	assert_string_equal(flow_filter_format(a->filter, x, sizeof(x)),
			    flow_filter_format(b->filter, y, sizeof(y)));
	assert_int_equal(a->count, b->count);
}

static void same_prefixes(const struct policy_prefixes *a, const struct policy_prefixes *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_true(addr_equal(&a->items[i].addr, &b->items[i].addr));
		assert_int_equal(a->items[i].len, b->items[i].len);
	}
}

static void same_when(const struct policy_when *a, const struct policy_when *b)
{
	assert_int_equal(a->has, b->has);
	assert_int_equal(a->level, b->level);
	assert_memory_equal(a->numbers, b->numbers, sizeof(a->numbers));
	assert_int_equal(a->scope, b->scope);
	assert_int_equal(a->counts_has, b->counts_has);
	assert_memory_equal(a->counts, b->counts, sizeof(a->counts));
	same_prefixes(&a->in, &b->in);
	assert_int_equal(a->classes_has, b->classes_has);
	assert_memory_equal(a->classes, b->classes, sizeof(a->classes));
	assert_int_equal(a->states_has, b->states_has);
	assert_memory_equal(a->states, b->states, sizeof(a->states));
}

static void same_rule(const struct policy_rule *a, const struct policy_rule *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->when_count, b->when_count);
	for (unsigned i = 0; i < a->when_count; i++)
		same_when(&a->whens[i], &b->whens[i]);
	same_match(&a->match, &b->match);
	assert_int_equal(a->action.class_count, b->action.class_count);
	assert_memory_equal(&a->action, &b->action, sizeof(a->action));
	assert_memory_equal(&a->until, &b->until, sizeof(a->until));
	assert_memory_equal(&a->budget, &b->budget, sizeof(a->budget));
	assert_int_equal(a->cooldown_ns, b->cooldown_ns);
}

static void same_policy(const struct policy *a, const struct policy *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->about, b->about);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->capacity, b->capacity);
	assert_int_equal(a->has_levels, b->has_levels);
	assert_memory_equal(&a->levels, &b->levels, sizeof(a->levels));
	assert_int_equal(a->protects_operator, b->protects_operator);
	assert_int_equal(a->protects_own, b->protects_own);
	assert_int_equal(a->protect_count, b->protect_count);
	for (size_t i = 0; i < a->protect_count; i++) {
		assert_string_equal(a->protect[i].name, b->protect[i].name);
		same_match(&a->protect[i].match, &b->protect[i].match);
	}
	same_prefixes(&a->trusted, &b->trusted);
	assert_int_equal(a->rule_count, b->rule_count);
	for (size_t i = 0; i < a->rule_count; i++)
		same_rule(&a->rules[i], &b->rules[i]);
}

static void round_trip(const struct policy *policy)
{
	char *once = report_policy_json(policy), *twice;
	struct policy *again = policy_of(once);

	same_policy(policy, again);
	twice = report_policy_json(again);
	assert_string_equal(once, twice);
	policy_free(again);
	free(once);
	free(twice);
}

/* ---- random policies, as text ---- */

static const char *one_of(struct random *r, const char *const *words, unsigned count)
{
	return words[random_below(r, count)];
}

#define ONE_OF(r, ...)                                                                             \
	one_of(r, (const char *const[]){__VA_ARGS__},                                              \
	       sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static void add_real(struct text *t, struct random *r, double max)
{
	switch (random_below(r, 3)) {
	case 0:
		text_add(t, "%u", random_below(r, (unsigned)max + 1));
		break;
	case 1:
		text_add(t, "%.17g", max * (double)(random_next(r) >> 11) / 9007199254740992.0);
		break;
	default:
		text_add(t, "%.3f", max * (double)random_below(r, 1000) / 1000);
	}
}

static void add_match(struct text *t, struct random *r, bool may_name_source)
{
	const char *lead = "{";

	if (may_name_source && random_one_in(r, 2)) {
		text_add(t, "%s\"src\": [\"10.%u.0.0/16\", \"192.0.2.0/24\", \"2001:db8::%x\"]",
			 lead, random_below(r, 256), random_below(r, 65536));
		lead = ", ";
	}
	if (random_one_in(r, 2)) {
		text_add(t, "%s\"dport\": [%u, \"%u-60000\"]", lead, random_below(r, 65536),
			 random_below(r, 60000));
		lead = ", ";
	}
	if (random_one_in(r, 3)) {
		text_add(t, "%s\"mark\": \"0x%x/0xff\"", lead, random_below(r, 256));
		lead = ", ";
	}
	if (random_one_in(r, 3)) {
		text_add(t, "%s\"%s\": %u", lead, ONE_OF(r, "idle", "age", "expires-in"),
			 random_below(r, 1000));
		lead = ", ";
	}
	if (random_one_in(r, 3)) {
		text_add(t, "%s\"bytes\": \"%uk\"", lead, random_below(r, 1000));
		lead = ", ";
	}
	if (random_one_in(r, 4)) {
		text_add(t, "%s\"dst-nat\": %s", lead, ONE_OF(r, "true", "\"192.0.2.0/24\""));
		lead = ", ";
	}
	text_add(t, "%s\"not\": {\"state\": \"%s\", \"protocol\": [\"gre\", %u]}}", lead,
		 ONE_OF(r, "CLOSE", "sctp:ESTABLISHED", "TIME_WAIT"), 100 + random_below(r, 100));
}

static void add_table_when(struct text *t, struct random *r)
{
	text_add(t, "{\"level\": \"%s\"", ONE_OF(r, "warning", "critical", "full"));
	if (random_one_in(r, 2)) {
		text_add(t, ", \"growth_per_sec\": ");
		add_real(t, r, 1e6);
	}
	if (random_one_in(r, 2)) {
		text_add(t, ", \"%s\": ", ONE_OF(r, "refusal_probability", "refusal_when_full"));
		add_real(t, r, 1);
	}
	if (random_one_in(r, 3))
		text_add(t, ", \"seconds_to_full\": %u", random_below(r, 86400));
	if (random_one_in(r, 3))
		text_add(t, ", \"classes\": {\"half-open\": %u, \"closing\": 7}",
			 1 + random_below(r, 9999));
	if (random_one_in(r, 3))
		text_add(t, ", \"states\": {\"SYN_RECV\": %u}", 1 + random_below(r, 9999));
	text_add(t, "}");
}

static void add_key_when(struct text *t, struct random *r, const char *scope)
{
	text_add(t, "{\"%s\": {\"entries\": %u", scope, 1 + random_below(r, 100000));
	if (random_one_in(r, 2))
		text_add(t, ", \"in\": \"10.%u.0.0/16\"", random_below(r, 256));
	if (random_one_in(r, 2))
		text_add(t, ", \"share_pct\": %u.5", 1 + random_below(r, 99));
	text_add(t, "}}");
}

static void add_evict(struct text *t, struct random *r)
{
	text_add(t, "{\"action\": \"evict\", \"signature\": %s, \"active_at_full\": %s",
		 ONE_OF(r, "true", "false"), ONE_OF(r, "true", "false"));
	if (random_one_in(r, 2))
		text_add(t,
			 ", \"classes\": [\"closing\", \"established\"], \"floors\": "
			 "{\"established\": \"%uh\", "
			 "\"closing\": %u.25}",
			 3 + random_below(r, 200), random_below(r, 100));
	if (random_one_in(r, 2))
		text_add(t, ", \"min_age\": \"%ums\"", random_below(r, 60000));
	text_add(t, "}");
}

static void add_table_rule(struct text *t, struct random *r)
{
	bool is_list = random_one_in(r, 3);

	text_add(t, "\"when\": %s", is_list ? "[" : "");
	for (unsigned i = is_list ? 1 + random_below(r, 4) : 1; i; i--) {
		add_table_when(t, r);
		text_add(t, "%s", i > 1 ? ", " : is_list ? "]" : "");
	}
	text_add(t, ", \"do\": ");
	switch (random_below(r, 5)) {
	case 0:
		text_add(t, "%s", ONE_OF(r, "\"sweep\"", "\"log\"", "{\"action\": \"log\"}"));
		break;
	case 1:
		text_add(t,
			 "{\"action\": \"timeouts\", \"set\": {\"udp\": %u, \"tcp_established\": "
			 "\"%uh\"}}",
			 1 + random_below(r, 100), 3 + random_below(r, 100));
		break;
	case 2:
		text_add(t, "{\"action\": \"shorten\", \"start_pct\": %u, \"end_pct\": %u.5}",
			 random_below(r, 60), 60 + random_below(r, 100));
		break;
	default:
		add_evict(t, r);
		text_add(t, ", \"match\": ");
		add_match(t, r, true);
		if (random_one_in(r, 2)) {
			text_add(t, ", \"until\": {\"fill_pct\": ");
			add_real(t, r, 70);
			text_add(t, "%s}",
				 ONE_OF(r, "", ", \"level\": \"ok\"", ", \"headroom_sec\": 2.5"));
		}
		if (random_one_in(r, 2))
			text_add(t, ", \"budget\": {\"%s\": %u}", ONE_OF(r, "per_run", "per_sec"),
				 1 + random_below(r, POLICY_BUDGET_MAX));
	}
}

static void add_key_rule(struct text *t, struct random *r)
{
	text_add(t, "\"when\": ");
	add_key_when(t, r, ONE_OF(r, "source", "prefix"));
	switch (random_below(r, 3)) {
	case 0:
		text_add(t,
			 ", \"do\": {\"action\": \"ban\", \"duration\": %u, \"max_bans\": %u, "
			 "\"rate_per_sec\": %u}",
			 1 + random_below(r, 86400), 1 + random_below(r, 1000),
			 random_below(r, 50));
		break;
	case 1:
		text_add(t, ", \"do\": \"evict\", \"until\": {\"entries\": %u}",
			 random_below(r, 1000));
		break;
	default:
		text_add(t, ", \"do\": \"evict\", \"match\": ");
		add_match(t, r, false);
	}
}

static void random_policy(struct random *r, char *buf, size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	text_add(&t, HEAD ", \"mode\": \"%s\"", ONE_OF(r, "act", "observe"));
	if (random_one_in(r, 2))
		text_add(&t, ", \"name\": \"n\\\"%u\", \"about\": \"\xc3\xa4 # // %u\"",
			 random_below(r, 99), random_below(r, 99));
	if (random_one_in(r, 2))
		text_add(&t, ", \"capacity\": %u", 1 + random_below(r, 1u << 31));
	if (random_one_in(r, 3))
		text_add(&t,
			 ", \"levels\": {\"warning\": {\"enter_pct\": 80.%u, \"leave_pct\": 7%u}, "
			 "\"dwell_sec\": %u.%03u}",
			 random_below(r, 1000), random_below(r, 10), random_below(r, 60),
			 random_below(r, 1000));
	if (random_one_in(r, 2)) {
		text_add(&t,
			 ", \"protect\": {\"own\": %s, \"flows\": [{\"name\": \"p\", \"match\": ",
			 ONE_OF(r, "true", "false"));
		add_match(&t, r, true);
		text_add(&t, "}]}");
	}
	if (random_one_in(r, 3))
		text_add(&t, ", \"trusted\": [\"10.0.0.0/8\", \"fd00::%x\"]",
			 random_below(r, 65536));
	text_add(&t, ", \"rules\": [");
	for (unsigned i = random_below(r, 5), n = 0; n < i; n++) {
		text_add(&t, "%s{\"name\": \"rule %u\", ", n ? ", " : "", n);
		if (random_one_in(r, 3))
			add_key_rule(&t, r);
		else
			add_table_rule(&t, r);
		if (random_one_in(r, 2))
			text_add(&t, ", \"cooldown\": %u.%06u", random_below(r, 1000),
				 random_below(r, 1000));
		text_add(&t, "}");
	}
	text_add(&t, "]}");
	assert_false(t.cut);
}

#define POLICIES 3000

static void test_property_random_policies_print_back_to_the_same(void **state)
{
	struct random r = {0x2545f491};
	struct problem problem;
	struct policy *policy;
	unsigned taken = 0, rules = 0;
	static char text[16384];
	char shown[900];

	(void)state;
	for (int i = 0; i < POLICIES; i++) {
		random_policy(&r, text, sizeof(text));
		/* Some contradict themselves (a port range that is backwards, a port of 100 with
		 * protocol gre). */
		if (policy_parse(text, strlen(text), "random", &policy, &problem)) {
			assert_true(problem.path[0] && problem.text[0] && problem.line > 0);
			if (i < 3)
				print_message("%s\n",
					      problem_format(&problem, shown, sizeof(shown)));
			continue;
		}
		round_trip(policy);
		taken++;
		rules += (unsigned)policy->rule_count;
		policy_free(policy);
	}
	assert_true(taken > POLICIES * 3 / 4);
	assert_true(rules > POLICIES);
}

static void test_an_empty_policy_prints_its_defaults(void **state)
{
	struct policy *policy = policy_of(HEAD "}");
	char *text = report_policy_json(policy);

	(void)state;
	assert_string_equal(text, "{\"schema\":\"ctwarden.policy/"
				  "1\",\"mode\":\"observe\",\"protect\":{\"operator\":true,"
				  "\"own\":true,\"flows\":[]},\"rules\":[]}");
	free(text);
	round_trip(policy);
	policy_free(policy);
}

/* ---- the shipped ones, and one with everything ---- */

static struct policy *shipped(const char *name)
{
	const char *source = getenv("srcdir");
	struct problem problem = {0};
	struct policy *policy = NULL;
	char path[512], line[900];

	snprintf(path, sizeof(path), "%s/policies/%s.json", source ? source : ".", name);
	if (policy_load(path, &policy, &problem))
		fail_msg("%s", problem_format(&problem, line, sizeof(line)));
	return policy;
}

static const char everything[] = HEAD
	", \"name\": \"everything\", \"mode\": \"act\", \"capacity\": 20000, \"levels\": "
	"{\"full_pct\": 97},\n"
	"\"trusted\": \"10.0.0.0/8\", \"protect\": {\"operator\": false},\n\"rules\": [\n"
	"{\"name\": \"sweep\", \"when\": {\"always\": true}, \"do\": \"sweep\"},\n"
	"{\"name\": \"timeouts\", \"when\": [{\"level\": \"full\"}, {\"refusal_probability\": "
	"0.01}], \"do\": {\"action\": "
	"\"timeouts\", \"set\": {\"udp\": 10, \"tcp_syn_sent\": \"20s\"}}},\n"
	"{\"name\": \"ban\", \"when\": {\"level\": \"warning\", \"source\": {\"new_per_sec\": 500, "
	"\"unreplied\": 2000, "
	"\"in\": [\"10.1.0.0/16\", \"10.2.0.0/16\"]}}, \"do\": {\"action\": \"ban\", "
	"\"rate_per_sec\": 20, \"duration\": "
	"\"10min\"}},\n"
	"{\"name\": \"hard\", \"when\": {\"classes\": {\"half-open\": 5000}, \"states\": "
	"{\"SYN_RECV\": 1000}}, \"match\": "
	"{\"protocol\": \"tcp\", \"not\": {\"dport\": 443}}, \"do\": {\"action\": \"evict\", "
	"\"active_at_full\": true, "
	"\"classes\": [\"half-open\", \"stream\"], \"signature\": false}},\n"
	"{\"name\": \"network\", \"when\": {\"prefix\": {\"share_pct\": 40}}, \"do\": \"evict\", "
	"\"until\": {\"entries\": 500}},\n"
	"{\"name\": \"tell\", \"when\": {\"growth_per_sec\": 1000, \"drops_per_sec\": 0.5}, "
	"\"do\": \"log\"}]}";

static void compare(const char *name, const struct policy *policy)
{
	struct capture c;
	char file[80];

	capture_start(&c, 100, false);
	assert_int_equal(report_policy(&c.out, policy), 0);
	snprintf(file, sizeof(file), "policy-%s.json", name);
	capture_compare(&c, file);
	capture_start(&c, 80, true);
	assert_int_equal(report_policy_explain(&c.out, policy), 0);
	snprintf(file, sizeof(file), "policy-%s.txt", name);
	capture_compare(&c, file);
	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(report_policy_explain(&c.out, policy), 0);
	snprintf(file, sizeof(file), "policyexplain-%s.json", name);
	capture_compare(&c, file);
}

static void test_golden_policies(void **state)
{
	static const char *const names[] = {"gateway", "observe", "stale-cleanup",
					    "per-source-limit"};
	struct policy *policy;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		policy = shipped(names[i]);
		round_trip(policy);
		compare(names[i], policy);
		policy_free(policy);
	}
	policy = policy_of(everything);
	round_trip(policy);
	compare("everything", policy);
	policy_free(policy);
}

/* The default says what gateway would do: their rules must not drift apart. */
static void test_observe_is_gateway_that_touches_nothing(void **state)
{
	struct policy *gateway = shipped("gateway"), *observe = shipped("observe");

	(void)state;
	assert_int_equal(observe->mode, POLICY_MODE_OBSERVE);
	assert_int_equal(gateway->mode, POLICY_MODE_ACT);
	assert_int_equal(gateway->rule_count, observe->rule_count);
	for (size_t i = 0; i < gateway->rule_count; i++)
		same_rule(&gateway->rules[i], &observe->rules[i]);
	policy_free(gateway);
	policy_free(observe);
}

/* ---- what it would do ---- */

static void fill_trial(struct policy_test_decision *trial, const struct policy *policy, size_t rule,
		       const char *reason)
{
	*trial = (struct policy_test_decision){.candidates = 9615,
					       .taken = 9000,
					       .top_used = 2,
					       .top_config =
						       ranking_config_default(RANKING_BY_SOURCE)};
	trial->decision = (struct policy_decision){.rule = rule,
						   .action = policy->rules[rule].action.action,
						   .filter = flow_filter_new(),
						   .want = 9000,
						   .granted = 9000,
						   .scale = 0.5};
	snprintf(trial->decision.reason, sizeof(trial->decision.reason), "%s", reason);
	trial->classes[FLOW_CLASS_UNREPLIED] = 8000;
	trial->classes[FLOW_CLASS_HALF_OPEN] = 1000;
	trial->spared[POLICY_VERDICT_YOUNG] = 2385;
	trial->spared[POLICY_VERDICT_PROTECTED] = 3;
	for (unsigned i = 0; i < 2; i++) {
		trial->top[i].entries = 5000 - 1000 * i;
		trial->top[i].key.family = AF_INET;
		memcpy(trial->top[i].key.addr, (uint8_t[]){10, 1, 0, (uint8_t)(66 + i)}, 4);
	}
}

static void test_golden_policy_test(void **state)
{
	struct policy *policy = shipped("gateway");
	struct policy_test_decision trials[4];
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct policy_test test = {.from = "saved.txt",
				   .policy = policy,
				   .snapshot = snapshot,
				   .decisions = trials,
				   .count = 4,
				   .unread = 2,
				   .knows_growth = true,
				   .capacity_from = REPORT_CAPACITY_OPTION};
	struct capture c;

	(void)state;
	snapshot->has = SNAPSHOT_HAS_GROWTH | SNAPSHOT_HAS_REFUSAL;
	snapshot->fill = (struct fill){.capacity = 16000,
				       .fill_pct = 93.75,
				       .has_growth = true,
				       .growth_per_sec = 2000,
				       .seconds_to_full = 0.5};
	snapshot->fill.now.has = READING_HAS_ENTRIES;
	snapshot->fill.now.entries = 15000;
	snapshot->level = LEVEL_CRITICAL;
	snapshot->refusal_when_full = 0.0123;
	snapshot->listed = 15000;
	fill_trial(&trials[0], policy, 0, "level critical, full in 500 ms");
	fill_trial(&trials[1], policy, 1, "level critical, full in 500 ms; all that match");
	fill_trial(&trials[2], policy, 2, "level critical, full in 500 ms; 9,000 to go");
	fill_trial(&trials[3], policy, 3, "level critical, full in 500 ms; 9,000 to go");
	trials[2].last_round = 1; /* in which it finds nothing more */
	trials[2].taken = trials[2].classes[FLOW_CLASS_UNREPLIED] = 600;
	trials[2].classes[FLOW_CLASS_HALF_OPEN] = 0;
	trials[2].more_if_surge = 8400;
	trials[3].round = 1;
	trials[3].last_round = 3;
	trials[3].later_rounds = 2;
	trials[3].later_taken = 615;
	capture_start(&c, 80, true);
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-gateway.txt");
	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-gateway.json");
	test.from = NULL;
	test.capacity_from = REPORT_CAPACITY_DAEMON;
	test.count = 3;
	capture_start(&c, 100, false);
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-daemon.txt");
	/* Calm, and nothing known. */
	test.capacity_from = REPORT_CAPACITY_KERNEL;
	test.count = 0;
	test.from = NULL;
	test.knows_growth = false;
	snapshot->has = 0;
	snapshot->fill.capacity = 0;
	snapshot->level = LEVEL_OK;
	capture_start(&c, 100, false);
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-unknown.txt");
	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-unknown.json");
	for (size_t i = 0; i < 4; i++)
		policy_decision_done(&trials[i].decision);
	free(snapshot);
	policy_free(policy);
}

/* Rules that hold and decide nothing say by which reason, those that do not take flows what they do. */
static void test_golden_policy_test_of_everything(void **state)
{
	struct policy *policy = policy_of(everything);
	struct policy_test_decision trials[4];
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct policy_test test = {.policy = policy, .snapshot = snapshot, .decisions = trials, .count = 4};
	struct capture c;

	(void)state;
	snapshot->fill = (struct fill){.capacity = 20000, .fill_pct = 98, .seconds_to_full = -1};
	snapshot->fill.now.has = READING_HAS_ENTRIES;
	snapshot->fill.now.entries = 19600;
	snapshot->level = LEVEL_FULL;
	snapshot->has = SNAPSHOT_HAS_TOP;
	snapshot->listed = 19600;
	fill_trial(&trials[0], policy, 0, "at any time");
	fill_trial(&trials[1], policy, 1, "level full");
	fill_trial(&trials[2], policy, 2, "10.1.0.66: 3,000 unreplied");
	fill_trial(&trials[3], policy, 3, "5,000 half-open; 1 to go");
	trials[3].candidates = trials[3].taken = trials[3].top_used = 0;
	memset(trials[3].classes, 0, sizeof(trials[3].classes));
	snprintf(trials[2].decision.key_text, sizeof(trials[2].decision.key_text), "10.1.0.66");
	capture_start(&c, 80, true);
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-everything.txt");
	capture_start(&c, 100, false);
	c.out.is_json = true;
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-everything.json");
	policy->rules[2].action.rate_per_sec = 0;
	capture_start(&c, 100, false);
	assert_int_equal(report_policy_test(&c.out, &test), 0);
	capture_compare(&c, "policytest-refused.txt");
	for (size_t i = 0; i < 4; i++)
		policy_decision_done(&trials[i].decision);
	free(snapshot);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_property_random_policies_print_back_to_the_same),
		cmocka_unit_test(test_an_empty_policy_prints_its_defaults),
		cmocka_unit_test(test_golden_policies),
		cmocka_unit_test(test_golden_policy_test),
		cmocka_unit_test(test_golden_policy_test_of_everything),
		cmocka_unit_test(test_observe_is_gateway_that_touches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
