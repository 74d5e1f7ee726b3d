/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of doc: what is taken, and that what is refused is told with line, path and what would be
 * right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "doc/doc.h"

static struct doc *parse(const char *text)
{
	struct problem problem = {0};
	struct doc *doc = NULL;

	if (doc_parse(text, strlen(text), "test", true, &doc, &problem) < 0)
		fail_msg("line %d, %s: %s", problem.line, problem.path, problem.text);
	return doc;
}

static void refused_bytes(const char *text, size_t len, int line, const char *path,
			  const char *part)
{
	struct doc *doc = (struct doc *)0x1;
	struct problem problem;

	memset(&problem, 0x5a, sizeof(problem));
	assert_int_equal(doc_parse(text, len, "test", true, &doc, &problem), -EINVAL);
	assert_ptr_equal(doc, (struct doc *)0x1);
	assert_string_equal(problem.file, "test");
	assert_int_equal(problem.line, line);
	assert_string_equal(problem.path, path);
	if (!strstr(problem.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, problem.text);
	assert_int_equal(doc_parse(text, len, "test", true, &doc, NULL), -EINVAL);
}

static void refused(const char *text, int line, const char *path, const char *part)
{
	refused_bytes(text, strlen(text), line, path, part);
}

static int64_t whole_of(const struct doc *doc, const char *key)
{
	struct doc_node root = doc_root(doc), node = doc_get(&root, key);
	int64_t whole = -77;

	assert_int_equal(doc_whole(&node, INT64_MIN, INT64_MAX, &whole, NULL), 0);
	return whole;
}

static void problem_is(const struct problem *problem, int line, const char *path, const char *part)
{
	assert_int_equal(problem->line, line);
	assert_string_equal(problem->path, path);
	if (!strstr(problem->text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, problem->text);
}

static void comments_are_blanked_outside_strings_only(void **state)
{
	struct doc *doc = parse("// \"one\n{ \"url\": \"http://a#b\\\"//c\", # two \"}\n\"n\": 1 "
				"// \xc3\xa9\r\n}\n#");
	struct doc_node root = doc_root(doc), node = doc_get(&root, "url");
	const char *text = NULL;

	(void)state;
	assert_int_equal(doc_text(&node, &text, NULL), 0);
	assert_string_equal(text, "http://a#b\"//c");
	assert_int_equal(whole_of(doc, "n"), 1);
	doc_free(doc);
	refused("{ # one\n// two\n  / 3 }", 3, "", "/");
}

static void comments_are_refused_where_not_asked_for(void **state)
{
	struct doc *doc = NULL;
	struct problem problem;

	(void)state;
	assert_int_equal(doc_parse("{} # x", 6, "test", false, &doc, &problem), -EINVAL);
	assert_int_equal(problem.line, 1);
	assert_null(doc);
	doc_free(NULL);
}

static void wrong_json_is_told_with_line_and_path(void **state)
{
	(void)state;
	refused("", 0, "", "nothing");
	refused(" # only a comment\n", 0, "", "nothing");
	refused("{\n\"a\": {\n\"b\": 5,\n}}", 4, "a", "expected");
	refused("{\"a\": [1,\n{\"b\": tru}]}", 2, "a[1].b", "tru");
	refused("{\"a\": 1\n\"b\": 2}", 2, "a", "expected");
	refused("{\"a\": \"open\n, \"b\": 2}", 1, "a", "newline");
	refused("{} {}", 1, "", "end of file");
	refused("{\"a\": \"\\u0000\"}", 1, "a", "u0000 is no character of a text");
	refused("{\"a\": 99999999999999999999}", 1, "a", "big");
}

static void duplicate_keys_are_refused_with_their_path(void **state)
{
	(void)state;
	refused("{\"a\":\n{ \"b\": 1,\n\"c\": [ { \"b\": 1,\n\"b\": 2 } ] } }", 4, "a.c[0].b",
		"twice");
	refused("{\"a\": 1,\n\"\\u0061\": 2}", 2, "a", "twice");
}

static void text_that_is_not_utf8_is_refused_everywhere(void **state)
{
	(void)state;
	refused("{\n\"a\": \"x\xff\"}", 2, "a", "0xff");
	refused("{\"a\": 1}\n\n# \xc0\xaf", 3, "", "0xc0");
	refused("{\"a\": \"\xed\xa0\x80\"}", 1, "a", "0xed"); /* a surrogate */
	refused("{\"a\": \"\xf4\x90\x80\x80\"}", 1, "a", "0xf4");
	refused("{\"a\": \"\xe2\x82", 1, "a", "0xe2");
	refused_bytes("{\"a\": \n\0 1}", 11, 2, "a", "a zero byte");
	refused("{\n\"a\": \"x\\u0000\"}", 2, "a", "\\u0000 is no character of a text");
	refused("{\n\"a\\u0000\": 1}", 2, "", "\\u0000 is no character of a text");
}

static void depth_and_size_are_bounded(void **state)
{
	char *big = malloc(DOC_SIZE_MAX + 1), deep[2 * DOC_DEPTH_MAX + 3] = "";
	struct problem problem = {0};
	struct doc *doc;

	(void)state;
	assert_non_null(big);
	memset(big, ' ', DOC_SIZE_MAX + 1);
	memcpy(big, "{}", 2);
	assert_int_equal(doc_parse(big, DOC_SIZE_MAX, "test", true, &doc, &problem), 0);
	doc_free(doc);
	assert_int_equal(doc_parse(big, DOC_SIZE_MAX + 1, "test", true, &doc, &problem), -EFBIG);
	assert_true(problem.text[0]);
	memset(big, '[', DOC_SIZE_MAX);
	assert_int_equal(doc_parse(big, DOC_SIZE_MAX, "test", true, &doc, &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "deep"));
	free(big);
	memset(deep, '[', DOC_DEPTH_MAX);
	memset(deep + DOC_DEPTH_MAX, ']', DOC_DEPTH_MAX);
	assert_int_equal(doc_parse(deep, strlen(deep), "test", false, &doc, &problem), 0);
	doc_free(doc);
	memset(deep, '[', DOC_DEPTH_MAX + 1);
	memset(deep + DOC_DEPTH_MAX + 1, ']', DOC_DEPTH_MAX + 1);
	assert_int_equal(doc_parse(deep, strlen(deep), "test", false, &doc, &problem), -EINVAL);
}

static void absent_and_null_keep_their_path_and_null_has_no_type(void **state)
{
	struct doc *doc = parse("{\n\"a\": null,\n\"b\": {\n\"c\": 1 } }");
	struct doc_node root = doc_root(doc), node;
	struct problem problem;
	int64_t whole = 7;
	bool flag = true;

	(void)state;
	node = doc_get(&root, "a");
	assert_false(doc_has(&node));
	assert_int_equal(doc_whole(&node, 0, 9, &whole, &problem), -EINVAL);
	problem_is(&problem, 2, "a", "not null");
	node = doc_get(&root, "b.x.y");
	assert_false(doc_has(&node));
	assert_string_equal(node.path, "b.x.y");
	assert_int_equal(doc_bool(&node, &flag, &problem), 0);
	assert_true(flag);
	assert_int_equal(doc_problem(&node, &problem, "must be %s", "here"), -EINVAL);
	problem_is(&problem, 3, "b.x.y", "must be here");
	node = doc_get(&root, "b.c.d"); /* a number has no members */
	assert_false(doc_has(&node));
	assert_string_equal(node.path, "b.c.d");
	node = doc_at(&root, 3);
	assert_false(doc_has(&node));
	assert_int_equal(whole, 7);
	doc_free(doc);
	node = (struct doc_node){0};
	assert_false(doc_has(&node));
	node = doc_get(&node, "by");
	assert_int_equal(doc_problem(&node, &problem, "x"), -EINVAL);
	problem_is(&problem, 0, "by", "x");
}

static void members_and_items_come_in_document_order(void **state)
{
	struct doc *doc = parse("{\"z\": [10, [20,\n30]], \"a\": 2, \"a.b\\n\":\n{\"c\": \"x\"}}");
	struct doc_node root = doc_root(doc), node, item;
	struct problem problem;
	const char *key = NULL;
	int64_t whole = 0;

	(void)state;
	assert_int_equal(doc_count(&root), 3);
	node = doc_member(&root, 0, &key);
	assert_string_equal(key, "z");
	assert_true(doc_is_array(&node));
	item = doc_at(&node, 1);
	item = doc_at(&item, 1);
	assert_string_equal(item.path, "z[1][1]");
	assert_int_equal(doc_whole(&item, 0, 29, &whole, &problem), -EINVAL);
	problem_is(&problem, 2, "z[1][1]", "from 0 to 29 is expected, not 30");
	node = doc_member(&root, 2, &key);
	assert_string_equal(key, "a.b\n");
	item = doc_get(&node, "c");
	assert_int_equal(doc_whole(&item, 0, 29, &whole, &problem), -EINVAL);
	problem_is(&problem, 3, "[\"a.b\\u000a\"].c", "not \"x\"");
	node = doc_member(&root, 3, &key);
	assert_false(doc_has(&node));
	assert_string_equal(key, "a.b\n");
	doc_free(doc);
}

static void whole_numbers_have_type_and_range(void **state)
{
	struct doc *doc = parse("{\"a\": 5.0, \"b\": 5.5, \"c\": -9223372036854775808, \"d\": "
				"1e300, \"e\": \"5\"}");
	struct doc_node root = doc_root(doc), node;
	struct problem problem;
	int64_t whole = 7;

	(void)state;
	assert_int_equal(whole_of(doc, "a"), 5);
	assert_int_equal(whole_of(doc, "c"), INT64_MIN);
	for (const char *const *key = (const char *const[]){"b", "c", "d", "e", NULL}; *key;
	     key++) {
		node = doc_get(&root, *key);
		assert_int_equal(doc_whole(&node, 0, INT64_MAX, &whole, &problem), -EINVAL);
		problem_is(&problem, 1, *key, "a whole number of at least 0 is expected");
	}
	assert_int_equal(whole, 7);
	doc_free(doc);
}

static void numbers_durations_and_choices_are_checked(void **state)
{
	static const char *const names[] = {"auto", "on", "off", NULL};
	struct doc *doc = parse(
		"{\"n\": 3, \"t\": \"1h30m\", \"s\": 0.25, \"bad\": \"soon\",\n\"far\": 1e200,\n"
		"\"neg\": -1, \"mode\": \"off\", \"modus\": \"of\\u001bf\"}");
	struct doc_node root = doc_root(doc), node;
	struct problem problem;
	double number = 0;
	int64_t ns = 0;
	int choice = 0;

	(void)state;
	node = doc_get(&root, "n");
	assert_int_equal(doc_number(&node, 0, 3, &number, NULL), 0);
	assert_true(number > 2.9 && number < 3.1);
	assert_int_equal(doc_number(&node, 0, 2.5, &number, &problem), -EINVAL);
	problem_is(&problem, 1, "n", "a number from 0 to 2.5 is expected, not 3");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, NULL), 0);
	assert_int_equal(ns, 3 * NS_PER_SEC);
	node = doc_get(&root, "t");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, NULL), 0);
	assert_int_equal(ns, 5400 * NS_PER_SEC);
	assert_int_equal(doc_duration(&node, 0, 3600 * NS_PER_SEC, &ns, &problem), -EINVAL);
	node = doc_get(&root, "s");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, NULL), 0);
	assert_int_equal(ns, 250 * NS_PER_MS);
	node = doc_get(&root, "bad");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, &problem), -EINVAL);
	problem_is(&problem, 1, "bad", "no duration");
	node = doc_get(&root, "far");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, &problem), -EINVAL);
	assert_int_equal(problem.line, 2);
	node = doc_get(&root, "neg");
	assert_int_equal(doc_duration(&node, 0, INT64_MAX, &ns, &problem), -EINVAL);
	assert_int_equal(ns, 250 * NS_PER_MS);
	node = doc_get(&root, "mode");
	assert_int_equal(doc_choice(&node, names, &choice, NULL), 0);
	assert_int_equal(choice, 2);
	node = doc_get(&root, "modus");
	assert_int_equal(doc_choice(&node, names, &choice, &problem), -EINVAL);
	problem_is(&problem, 3, "modus", "auto, on or off is expected, not \"of?f\"");
	doc_free(doc);
}

static void unknown_keys_are_refused_with_the_nearest_known_one(void **state)
{
	static const char *const known[] = {"enter_pct", "leave_pct", NULL};
	struct doc *doc = parse("{\"w\": {\n\"enter_pct\": 1,\n\"laeve_pct\": 2 },\n\"x\": { "
				"\"colour\": 1 },\n\"y\": 5 }");
	struct doc_node root = doc_root(doc), node = doc_get(&root, "w");
	struct problem problem;

	(void)state;
	assert_int_equal(doc_only_keys(&node, known, &problem), -EINVAL);
	problem_is(&problem, 3, "w.laeve_pct", "did you mean \"leave_pct\"?");
	node = doc_get(&root, "x");
	assert_int_equal(doc_only_keys(&node, known, &problem), -EINVAL);
	problem_is(&problem, 4, "x.colour", "enter_pct or leave_pct is expected");
	node = doc_get(&root, "y");
	assert_int_equal(doc_only_keys(&node, known, &problem), -EINVAL);
	problem_is(&problem, 5, "y", "object");
	node = doc_get(&root, "none");
	assert_int_equal(doc_only_keys(&node, known, &problem), 0);
	doc_free(doc);
}

static void long_paths_are_cut_between_characters_and_find_their_line(void **state)
{
	static const char *const known[] = {"a", NULL};
	char text[1024], key[401];
	struct problem problem;
	struct doc_node root;
	struct doc *doc;

	(void)state;
	for (size_t i = 0; i < 400; i += 2)
		memcpy(key + i, "\xc3\xa9", 2);
	key[400] = 0;
	snprintf(text, sizeof(text), "{\n\n\"%s\": 1 }", key);
	doc = parse(text);
	root = doc_root(doc);
	assert_int_equal(doc_only_keys(&root, known, &problem), -EINVAL);
	assert_int_equal(problem.line, 3);
	assert_int_equal(strlen(problem.path), 158);
	assert_int_equal(strncmp(problem.path, key, 158), 0);
	assert_non_null(strstr(problem.text, "a is expected"));
	doc_free(doc);
}

static void problem_may_quote_itself(void **state)
{
	struct problem problem = {.text = "inner"};
	struct doc *doc = parse("[1]");
	struct doc_node root = doc_root(doc);

	(void)state;
	assert_int_equal(doc_problem(&root, &problem, "outer: %s", problem.text), -EINVAL);
	assert_string_equal(problem.text, "outer: inner");
	doc_free(doc);
}

static void files_are_read_or_told(void **state)
{
	char file[] = "/tmp/ctwarden-doc-XXXXXX";
	struct problem problem = {0};
	struct doc *doc = NULL;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{ \"a\": 4 } # x", 14), 14);
	assert_int_equal(doc_load(file, &doc, &problem), 0);
	assert_int_equal(whole_of(doc, "a"), 4);
	doc_free(doc);
	assert_int_equal(ftruncate(fd, DOC_SIZE_MAX + 5), 0);
	assert_int_equal(doc_load(file, &doc, &problem), -EFBIG);
	assert_string_equal(problem.file, file);
	close(fd);
	unlink(file);
	assert_int_equal(doc_load(file, &doc, &problem), -ENOENT);
	assert_non_null(strstr(problem.text, "No such file"));
	assert_int_equal(doc_load("/tmp", &doc, &problem), -EISDIR);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(doc_load(file, &doc, &problem), -ENODEV);
	assert_string_equal(problem.text, "cannot be opened: it is no regular file");
	unlink(file);
}

static void a_pipe_is_read_where_a_person_names_it(void **state)
{
	struct problem problem = {0};
	struct doc *doc = NULL;
	char path[32];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "{ \"a\": 4 } # x", 14), 14);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(doc_load(path, &doc, &problem), -ENODEV);
	assert_int_equal(doc_load_any(path, &doc, &problem), 0);
	assert_int_equal(whole_of(doc, "a"), 4);
	doc_free(doc);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_are_blanked_outside_strings_only),
		cmocka_unit_test(comments_are_refused_where_not_asked_for),
		cmocka_unit_test(wrong_json_is_told_with_line_and_path),
		cmocka_unit_test(duplicate_keys_are_refused_with_their_path),
		cmocka_unit_test(text_that_is_not_utf8_is_refused_everywhere),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(absent_and_null_keep_their_path_and_null_has_no_type),
		cmocka_unit_test(members_and_items_come_in_document_order),
		cmocka_unit_test(whole_numbers_have_type_and_range),
		cmocka_unit_test(numbers_durations_and_choices_are_checked),
		cmocka_unit_test(unknown_keys_are_refused_with_the_nearest_known_one),
		cmocka_unit_test(long_paths_are_cut_between_characters_and_find_their_line),
		cmocka_unit_test(problem_may_quote_itself),
		cmocka_unit_test(files_are_read_or_told),
		cmocka_unit_test(a_pipe_is_read_where_a_person_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
