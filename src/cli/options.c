/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/options: the command line, read by tables: the options of the commands below and the filter
 * keys of the layer flow. Every error says what would be right. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "cli.h"

const struct option_info option_infos[OPTION_ID_COUNT] = {
	[OPTION_SOCKET] = {"socket", 0, "PATH",
			   "the daemon's control socket (" CLI_DEFAULT_SOCKET ")"},
	[OPTION_DIRECT] = {"direct", 0, NULL, "ask the kernel even where the daemon runs"},
	[OPTION_JSON] = {"json", 'j', NULL, "JSON, one document a line"},
	[OPTION_PRETTY] = {"json-pretty", 'J', NULL, "JSON, indented"},
	[OPTION_HELP] = {"help", 'h', NULL, "this text"},
	[OPTION_VERSION] = {"version", 'V', NULL, "the version"},
	[OPTION_DEEP] = {"deep", 0, NULL,
			 "look at every entry: classes, expired ones, top 10, cause"},
	[OPTION_CAPACITY] = {"capacity", 0, "N",
			     "judge by N entries instead of the kernel's limit"},
	[OPTION_BY] =
		{"by", 0, "KEY",
		 "source, prefix, destination, service, class, state, zone, mark, reply-source"},
	[OPTION_NUMBER] = {"number", 'n', "N", "at most N rows, entries, events or lines"},
	[OPTION_PREFIX_LEN] = {"prefix-len", 0, "N[,N]",
			       "join IPv4 and IPv6 addresses to prefixes this long (24,64)"},
	[OPTION_NEW] = {"new", 0, "T", "listen for T and rank what was born in it"},
	[OPTION_EVERY] = {"every", 0, "T", "show it again every T"},
	[OPTION_SORT] =
		{"sort", 0, "KEY",
		 "timeout, bytes, packets, idle (most first), src, dst; -KEY turns it round"},
	[OPTION_EVENT] = {"events", 'e', "KIND,...", "new, update, destroy; all by default"},
	[OPTION_STAMP] = {"time", 0, NULL, "the time before each line"},
	[OPTION_FOR] = {"for", 0, "T", "for T only; then events ends, and the mode of before comes back"},
	[OPTION_BUFFER] = {"buffer", 0, "BYTES", "receive buffer of the event socket (8M)"},
	[OPTION_SINCE] = {"since", 0, "TIME", "from this moment on (as journalctl takes it: 09:41, -10min, yesterday)"},
	[OPTION_UNTIL] = {"until", 0, "TIME", "up to this moment"},
	[OPTION_AT] = {"at", 0, "TIME", "all that is kept of the table at or before this moment"},
	[OPTION_STATE_DIR] = {"state-dir", 0, "DIR",
			      "where the daemon keeps its log (" CLI_DEFAULT_STATE_DIR ")"},
	[OPTION_DRY_RUN] = {"dry-run", 0, NULL, "say what would be done, change nothing"},
	[OPTION_EXPLAIN] = {"explain", 0, NULL, "say which way it goes and why, change nothing"},
	[OPTION_YES] = {"yes", 'y', NULL, "do not ask, whatever its size"},
	[OPTION_ALL] = {"all", 0, NULL, "all of them; takes the place of a filter or an address"},
	[OPTION_LIMIT] = {"limit", 0, "N", "at most N flows"},
	[OPTION_ORDER] = {"order", 0, "KEY", "with --limit: idle, youngest or heaviest first"},
	[OPTION_RATE] = {"rate", 0, "N", "at most N flows a second; 0: as fast as it goes"},
	[OPTION_MIN_AGE] = {"min-age", 0, "T", "spare flows known to be younger than T"},
	[OPTION_PROTECT] = {"protect", 0, "FILTER",
			    "spare what this matches, as in '-s 10.0.0.0/8 -p tcp'; may be repeated"},
	[OPTION_INCLUDE_SELF] = {"include-self", 0, NULL,
				 "do not spare this host's established ssh connections"},
	[OPTION_INCLUDE_PROTECTED] = {"include-protected", 0, NULL,
				      "do not spare what the config protects"},
	[OPTION_CONFIG] = {"config", 0, "FILE", "whose protect list holds (" CLI_DEFAULT_CONFIG ")"},
	[OPTION_FAIL_IF_NONE] = {"fail-if-none", 0, NULL, "exit with 5 where there was nothing to do"},
	[OPTION_SET] = {"set", 0, "T", "the time left becomes T"},
	[OPTION_AT_MOST] = {"at-most", 0, "T", "the time left becomes T where it is more"},
	[OPTION_ADD] = {"add", 0, "T", "T more time"},
	[OPTION_FIXED] = {"fixed", 0, NULL, "for good: packets do not renew it any more"},
	[OPTION_PROOFS] = {"proofs", 0, "DIR", "where the result is kept (" CLI_DEFAULT_PROOFS ")"},
	[OPTION_BUDGET] = {"budget", 0, "T", "how long it may take (4s); the most usual is proven first"},
	[OPTION_FROM] = {"from", 0, "FILE",
			 "a table saved by conntrack -L, /proc/net/nf_conntrack or flows -j"},
	[OPTION_POLICY] = {"policy", 0, "FILE", "whose rules and protect list hold, instead of the built-in ones"},
	[OPTION_TO] = {"to", 0, "PCT", "how full it may stay, in per cent"},
	[OPTION_GROWTH] = {"growth", 0, "N", "as if the table grew by N entries a second"},
};

/* An option found in one of the two tables. */
struct found {
	bool is_filter;
	unsigned index;
	const char *name, *value_help;
	char letter;
	enum flow_filter_arg arg;
};

/* What is being read. */
struct reader {
	struct cli *cli;
	char **argv;
	int argc, at;
	bool negate;
	bool is_ended; /* "--" was there: no more options */
	struct problem *problem;
};

static void found_own(struct found *found, unsigned id)
{
	const struct option_info *info = &option_infos[id];

	*found = (struct found){.index = id,
				.name = info->name,
				.letter = info->letter,
				.value_help = info->value,
				.arg = info->value ? FILTER_ARG_REQUIRED : FILTER_ARG_NONE};
}

static void found_key(struct found *found, unsigned key)
{
	const struct flow_filter_key_info *info = &flow_filter_keys[key];

	*found = (struct found){.is_filter = true,
				.index = key,
				.name = info->name,
				.letter = info->letter,
				.value_help = info->value,
				.arg = info->arg};
}

/* The index-th option that this command (NULL: before the command) takes. False past the last. */
static bool option_at(const struct command *command, size_t index, struct found *ret)
{
	size_t own = 0;

	if (index < OPTION_GLOBAL_COUNT) {
		found_own(ret, (unsigned)index);
		return true;
	}
	if (!command)
		return false;
	index -= OPTION_GLOBAL_COUNT;
	while (command->options[own] != OPTION_ID_COUNT)
		own++;
	if (index < own) {
		found_own(ret, command->options[index]);
		return true;
	}
	index -= own;
	if (!command->has_filter || index >= FLOW_FILTER_KEY_COUNT)
		return false;
	found_key(ret, (unsigned)index);
	return true;
}

static unsigned edits(const char *a, const char *b)
{
	unsigned row[32], diagonal, above, best;
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > 31 || lb > 31)
		return 99;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

/* True where word is nearer to candidate than *distance; a beginning of it counts as near. */
static bool is_nearer(const char *word, const char *candidate, unsigned *distance)
{
	size_t len = strlen(word);
	unsigned d = edits(word, candidate), most = len < 4 ? 1 : 2;

	if (len >= 2 && !strncmp(word, candidate, len))
		d = 1;
	if (d > most || d >= *distance)
		return false;
	*distance = d;
	return true;
}

const char *options_nearest(const char *word, size_t count, const char *(*word_of)(size_t index))
{
	const char *best = NULL;
	unsigned distance = 99;
	size_t i;

	for (i = 0; i < count; i++)
		if (is_nearer(word, word_of(i), &distance))
			best = word_of(i);
	return best;
}

static bool all_at(size_t index, struct found *ret)
{
	if (index < OPTION_ID_COUNT)
		found_own(ret, (unsigned)index);
	else if (index < OPTION_ID_COUNT + FLOW_FILTER_KEY_COUNT)
		found_key(ret, (unsigned)(index - OPTION_ID_COUNT));
	else
		return false;
	return true;
}

static bool is_named(const struct found *found, const char *name, char letter)
{
	return name ? !strcmp(found->name, name) : found->letter && found->letter == letter;
}

/* What the value of --protect is read with. */
static const struct command filter_text = {.name = "--protect", .has_filter = true,
					   .options = {OPTION_ID_COUNT}};

/* Neither table of this command has it: says so, with the nearest one, or that another command
 * takes it. */
static int unknown(const struct reader *r, const char *word, const char *name, char letter)
{
	const struct command *command = r->cli->command;
	const char *best = NULL;
	unsigned distance = 99;
	struct found found;
	size_t i;

	for (i = 0; all_at(i, &found); i++) {
		if (!is_named(&found, name, letter))
			continue;
		if (!command)
			return problem_set(r->problem, word,
					   "belongs after the command: ctwarden COMMAND %s", word);
		return problem_set(r->problem, word, "%s does not take it; see ctwarden help %s",
				   command->name, command->name);
	}
	for (i = 0; name && option_at(command, i, &found); i++)
		if (is_nearer(name, found.name, &distance))
			best = found.name;
	if (best)
		return problem_set(r->problem, word, "unknown option; did you mean --%s?", best);
	if (command == &filter_text)
		return problem_set(r->problem, word,
				   "no such filter; ctwarden help flush lists them");
	return problem_set(r->problem, word, "unknown option; see ctwarden help%s%s",
			   command ? " " : "", command ? command->name : "");
}

static bool looks_like_address(const char *word)
{
	return strspn(word, "0123456789abcdefABCDEF:./,") == strlen(word) &&
	       strpbrk(word, ".:") != NULL;
}

static int take(struct reader *r, const struct found *found, const char *word, const char *value)
{
	int result;

	if (found->arg == FILTER_ARG_NONE && value)
		return problem_set(r->problem, word, "takes no value");
	if (found->arg == FILTER_ARG_REQUIRED && !value) {
		if (r->at >= r->argc)
			return problem_set(r->problem, word, "needs a value: %s",
					   found->value_help);
		value = r->argv[r->at++];
	} else if (found->arg == FILTER_ARG_OPTIONAL && !value && r->at < r->argc) {
		if (looks_like_address(r->argv[r->at]) || r->argv[r->at][0] == '@')
			value = r->argv[r->at++];
	}
	if (!found->is_filter) {
		if (r->negate)
			return problem_set(r->problem, word,
					   "cannot be negated; ! goes before a filter");
		if (value && !*value)
			return problem_set(r->problem, word, "the value is empty; it takes %s",
					   found->value_help);
		r->cli->values[found->index] = value ? value : "";
		r->cli->is_short[found->index] = word[1] != '-';
		if (found->index == OPTION_PROTECT)
			r->cli->protects[r->cli->protect_count++] = value;
		return 0;
	}
	result = flow_filter_add(r->cli->filter, (enum flow_filter_key)found->index, value,
				 r->negate, r->problem);
	r->negate = false;
	return result;
}

static int read_long(struct reader *r, const char *word)
{
	const char *equals = strchr(word, '=');
	char name[40], shown[44];
	struct found found;
	size_t len, i;

	len = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
	if (len >= sizeof(name))
		return problem_set(r->problem, word, "unknown option");
	memcpy(name, word + 2, len);
	name[len] = '\0';
	snprintf(shown, sizeof(shown), "--%s", name);
	for (i = 0; option_at(r->cli->command, i, &found); i++)
		if (is_named(&found, name, 0))
			return take(r, &found, shown, equals ? equals + 1 : NULL);
	return unknown(r, shown, name, 0);
}

/* "-j", "-n5", "-jn 5": letters up to the first that takes a value. */
static int read_letters(struct reader *r, const char *word)
{
	char shown[3] = "-?";
	struct found found;
	bool is_known;
	size_t i;
	int result;

	for (word++; *word; word++) {
		shown[1] = *word;
		is_known = false;
		for (i = 0; !is_known && option_at(r->cli->command, i, &found); i++)
			is_known = is_named(&found, NULL, *word);
		if (!is_known)
			return unknown(r, shown, NULL, *word);
		if (found.arg != FILTER_ARG_NONE && word[1])
			return take(r, &found, shown, word + 1);
		result = take(r, &found, shown, NULL);
		if (result)
			return result;
	}
	return 0;
}

static int read_operand(struct reader *r, const char *word)
{
	const struct command *command = r->cli->command;

	if (!*word)
		return problem_set(r->problem, "\"\"", "an empty word; %s takes %s", command->name,
				   command->operands ? command->operands : "none");
	if (command == &filter_text)
		return problem_set(r->problem, word,
				   "not a filter, which are as those of flush (ctwarden help flush): -s 192.0.2.0/24");
	if (!command->operands_max)
		return problem_set(r->problem, word,
				   "unexpected word; a value needs its option before it (ctwarden help %s)",
				   command->name);
	if (r->cli->operand_count >= command->operands_max)
		return problem_set(r->problem, word, "a word too many; ctwarden %s %s is expected",
				   command->name, command->operands);
	r->cli->operands[r->cli->operand_count++] = word;
	return 0;
}

static int read_word(struct reader *r, const char *word)
{
	const char *near;
	size_t i;

	if (r->cli->command)
		return read_operand(r, word);
	if (option_given(r->cli, OPTION_HELP) && !r->cli->topic) {
		r->cli->topic = word;
		return 0;
	}
	if (!strcmp(word, "help") && !option_given(r->cli, OPTION_HELP)) {
		r->cli->values[OPTION_HELP] = "";
		return 0;
	}
	for (i = 0; i < command_count; i++) {
		if (!strcmp(word, commands[i].name)) {
			r->cli->command = &commands[i];
			return 0;
		}
	}
	near = options_nearest(word, command_count, command_name_at);
	if (near)
		return problem_set(r->problem, word, "unknown command; did you mean %s?", near);
	return problem_set(r->problem, word, "unknown command; ctwarden help lists them");
}

int options_parse(struct cli *cli, int argc, char **argv, struct problem *reterr_problem)
{
	struct reader r = {
		.cli = cli, .argv = argv, .argc = argc, .at = 1, .problem = reterr_problem};
	const char *word;
	int result;

	cli->operands = mem_array((size_t)argc + 1, sizeof(*cli->operands));
	cli->protects = mem_array((size_t)argc + 1, sizeof(*cli->protects));
	while (r.at < argc) {
		word = argv[r.at++];
		if (!r.is_ended && !strcmp(word, "--")) {
			r.is_ended = true;
			continue;
		}
		if (!r.is_ended && !strcmp(word, "!")) {
			if (r.negate)
				return problem_set(reterr_problem, "! !", "one ! is enough");
			r.negate = true;
			continue;
		}
		if (!r.is_ended && word[0] == '-' && word[1] == '-')
			result = read_long(&r, word);
		else if (!r.is_ended && word[0] == '-' && word[1])
			result = read_letters(&r, word);
		else
			result = read_word(&r, word);
		if (result)
			return result;
	}
	if (r.negate)
		return problem_set(reterr_problem, "!", "needs a filter option after it");
	return flow_filter_finish(cli->filter, reterr_problem);
}

int options_parse_filter(const char *text, struct flow_filter *filter, struct problem *reterr_problem)
{
	struct cli inner = {.command = &filter_text, .filter = filter};
	char *copy = mem_copy_text(text), *rest = copy, *word;
	char **argv = mem_array(strlen(text) + 2, sizeof(*argv));
	struct problem problem = {0};
	int argc = 1, result, id;

	while ((word = strsep(&rest, " \t\n")))
		if (*word)
			argv[argc++] = word;
	result = options_parse(&inner, argc, argv, &problem);
	for (id = 0; id < OPTION_GLOBAL_COUNT && !result; id++)
		if (inner.values[id])
			result = problem_set(&problem, option_infos[id].name, "is no filter");
	if (!result && flow_filter_is_empty(filter))
		result = problem_set(&problem, "", "no filter in it, so everything would be protected");
	if (result)
		problem_set(reterr_problem, "--protect", "%s%s%s", problem.path, problem.path[0] ? ": " : "",
			    problem.text);
	free(inner.operands);
	free(inner.protects);
	free(argv);
	free(copy);
	return result;
}

bool option_given(const struct cli *cli, enum option_id id)
{
	return cli->values[id] != NULL;
}

int option_problem(const struct cli *cli, enum option_id id, struct problem *reterr_problem,
		   const char *format, ...)
{
	const char *value = cli->values[id] ? cli->values[id] : "";
	char letter[2] = {cli->is_short[id] ? option_infos[id].letter : '\0', '\0'};
	char path[128], text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "-%s%s %s", letter[0] ? "" : "-",
		 letter[0] ? letter : option_infos[id].name, value);
	return problem_set(reterr_problem, path, "%s", text);
}

int option_number(const struct cli *cli, enum option_id id, uint64_t min, uint64_t max,
		  uint64_t *ret_number, struct problem *reterr_problem)
{
	struct problem inner = {0};

	if (!cli->values[id])
		return 0;
	if (!units_parse_number(cli->values[id], min, max, "a number", ret_number, &inner))
		return 0;
	return option_problem(cli, id, reterr_problem, "%s", inner.text);
}

int option_duration(const struct cli *cli, enum option_id id, int64_t *ret_ns,
		    struct problem *reterr_problem)
{
	struct problem inner = {0};
	int64_t ns;

	if (!cli->values[id])
		return 0;
	if (units_parse_duration(cli->values[id], &ns, &inner))
		return option_problem(cli, id, reterr_problem, "%s", inner.text);
	if (ns <= 0)
		return option_problem(cli, id, reterr_problem,
				      "a time above 0 is needed, such as 5s or 2min");
	*ret_ns = ns;
	return 0;
}

int option_moment(const struct cli *cli, enum option_id id, int64_t now_real_ns,
		  int64_t *ret_real_ns, struct problem *reterr_problem)
{
	struct problem inner = {0};

	if (!cli->values[id])
		return 0;
	if (!clock_parse_moment(cli->values[id], now_real_ns, ret_real_ns, &inner))
		return 0;
	return option_problem(cli, id, reterr_problem, "%s", inner.text);
}
