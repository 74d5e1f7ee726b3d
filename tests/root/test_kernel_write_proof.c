/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own filter is used only where a proof says that this kernel has it: kernels that
 * have less are played by taking parts of a proof's request away; what is kept on disk is believed
 * only if nobody but root can have written it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "filtered_lab.h"

/* A kernel that knows less, or compares wrongly: what a proof's request loses on its way. */
static struct {
	uint16_t without[4];	 /* attributes left out */
	uint32_t clear_flags[2]; /* bits of CTA_FILTER_{ORIG,REPLY}_FLAGS that are ignored */
	bool old_version;	 /* nfgenmsg.version 0: the family is ignored */
	uint16_t invert;	 /* attribute with the wrong value */
} lesser;

static void copy_without(const struct nlattr *attr, struct nlmsghdr *request)
{
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);
	uint8_t data[512];
	const struct nlattr *inner;
	struct nlattr *nest;

	for (size_t i = 0; i < 4; i++)
		if (lesser.without[i] && lesser.without[i] == type)
			return;
	memcpy(data, mnl_attr_get_payload(attr), len);
	if (lesser.invert && lesser.invert == type)
		data[len - 1] ^= 1;
	if (type != CTA_FILTER) {
		mnl_attr_put(request, attr->nla_type, len, data);
		return;
	}
	nest = mnl_attr_nest_start(request, CTA_FILTER);
	mnl_attr_for_each_nested(inner, attr)
	{
		uint32_t flags =
			mnl_attr_get_u32(inner) &
			~lesser.clear_flags[mnl_attr_get_type(inner) == CTA_FILTER_REPLY_FLAGS];

		mnl_attr_put_u32(request, mnl_attr_get_type(inner), flags);
	}
	mnl_attr_nest_end(request, nest);
}

static void distort(struct nlmsghdr *request)
{
	static _Alignas(8) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *copy = (void *)buf;
	const struct nlattr *attr;

	memcpy(copy, request, NLMSG_LENGTH(sizeof(struct nfgenmsg)));
	copy->nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	if (lesser.old_version)
		((struct nfgenmsg *)mnl_nlmsg_get_payload(copy))->version = 0;
	mnl_attr_for_each(attr, request, sizeof(struct nfgenmsg)) copy_without(attr, copy);
	memcpy(request, copy, copy->nlmsg_len);
}

static void forget(void)
{
	writer->prover->count = writer->prover->next = 0;
	memset(&lesser, 0, sizeof(lesser));
}

/* Whatever the kernel does with it, no entry of the real table goes and nothing is claimed. */
static void refused(const char *options, const char *lack)
{
	struct flow_filter *filter = parse(options);
	char why[256] = "";
	uint64_t before, after;

	assert_int_equal(ports.count(ports.arg, &before), 0);
	writer->prover->distort = distort;
	if (ports.can_delete_filtered(ports.arg, filter, why, sizeof(why)))
		fail_msg("%s is proven although the kernel ignores %s", options, lack);
	assert_int_equal(ports.delete_filtered(ports.arg, filter), -EOPNOTSUPP);
	writer->prover->distort = NULL;
	assert_true(why[0]);
	assert_int_equal(ports.count(ports.arg, &after), 0);
	assert_int_equal(before, after);
	flow_filter_free(filter);
	forget();
	/* The same kernel without the lack: so it was that. */
	if (!can(options, why))
		fail_msg("%s: %s", options, why);
	forget();
}

static void a_kernel_without_the_filters_is_found_out(void **state)
{
	static const char all4[] =
		"-s 10.0.0.1 -q 10.0.0.9 -p tcp --dport 443 -m 3 -w 7 --unreplied -u confirmed";
	static const struct {
		const char *options, *lack;
		uint16_t without[4];
	} cases[] = {
		{"--unreplied", "the status", {CTA_STATUS, CTA_STATUS_MASK}},
		{"--unreplied", "the mask of the status", {CTA_STATUS_MASK}},
		{"-m 3", "the mark", {CTA_MARK, CTA_MARK_MASK}},
		{"-m 0x100/0xff00", "the mask of the mark", {CTA_MARK_MASK}},
		{"-w 7", "the zone", {CTA_ZONE}},
		{"-s 10.0.0.1", "CTA_FILTER", {CTA_FILTER}},
		{"-s 10.0.0.1", "tuple and CTA_FILTER", {CTA_FILTER, CTA_TUPLE_ORIG}},
		{"-r 10.0.0.1", "tuple and CTA_FILTER", {CTA_FILTER, CTA_TUPLE_REPLY}},
		{"-p udp", "tuple and CTA_FILTER", {CTA_FILTER, CTA_TUPLE_ORIG}},
		{all4, "the status", {CTA_STATUS, CTA_STATUS_MASK}},
		{all4, "the mark", {CTA_MARK, CTA_MARK_MASK}},
		{all4, "the zone", {CTA_ZONE}},
		{all4, "CTA_FILTER", {CTA_FILTER}},
		{all4, "tuples and CTA_FILTER", {CTA_FILTER, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}},
		{"-m 3 -w 7 --unreplied", "all", {CTA_STATUS, CTA_MARK, CTA_ZONE, CTA_STATUS_MASK}},
	};

	(void)state;
	fill(3);
	forget();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(lesser.without, cases[i].without, sizeof(lesser.without));
		refused(cases[i].options, cases[i].lack);
	}
	lesser.old_version = true;
	refused("-f ipv4", "the family");
	lesser.old_version = true;
	refused("-f ipv6 -m 3", "the family");
	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t types[] = {CTA_STATUS, CTA_MARK, CTA_ZONE};

		lesser.invert = types[i];
		refused("-m 3 -w 7 --unreplied", "what it is asked");
	}
	forget();
}

/* One condition of the tuple ignored, all others compared. */
static void a_kernel_that_ignores_one_condition_of_a_tuple_is_found_out(void **state)
{
	static const struct {
		const char *options;
		unsigned side;
		uint32_t flag;
	} cases[] = {
		{"-s 10.0.0.1 -d 10.0.0.2 -p tcp --dport 443", 0, SIDE_SRC},
		{"-s 10.0.0.1 -d 10.0.0.2 -p tcp --dport 443", 0, SIDE_DST},
		{"-s 10.0.0.1 -d 10.0.0.2 -p tcp --dport 443", 0, SIDE_DPORT},
		{"-s 10.0.0.1 -d 10.0.0.2 -p gre", 0, SIDE_PROTOCOL},
		{"-s 10.0.0.1 -p udp --sport 53 -m 1", 0, SIDE_SPORT},
		{"-r 10.0.0.1 -q 10.0.0.2 -d 10.0.0.3", 1, SIDE_SRC},
		{"-r 10.0.0.1 -q 10.0.0.2 -d 10.0.0.3", 1, SIDE_DST},
		{"-r 10.0.0.1 -q 10.0.0.2 -d 10.0.0.3", 0, SIDE_DST},
		{"-p udp", 0, SIDE_PROTOCOL},
		/* everything asked: told apart by zone */
		{"-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2", 0, SIDE_SPORT},
		{"-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2", 0, SIDE_SRC},
	};

	(void)state;
	forget();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lesser.clear_flags[cases[i].side] = cases[i].flag;
		refused(cases[i].options, "one condition");
	}
}

static void the_inverted_comparison_of_ipv6_addresses_is_found_out(void **state)
{
	struct proof_set set = {.family = AF_INET6, .flags = {SIDE_SRC, 0}};
	struct throwaway throwaway;
	char why[256] = "";

	(void)state;
	/* No filter comes to this set; were it asked, the proof would see that kernel/pushdown puts
	 * no such address. */
	assert_int_equal(throwaway_open(&throwaway), 0);
	assert_int_not_equal(proof_try(&throwaway, &set, NULL, why, sizeof(why)), 1);
	assert_true(why[0]);
	throwaway_close(&throwaway);
}

/* ---- what is kept ---- */

static char directory[] = "/tmp/test_kernel_proofs.XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
}

#define BUDGET_NS 60000000000 /* of a machine that is busy with other things */

static char *read_file(void)
{
	char path[128], *text = mem_alloc(1 << 20);
	FILE *stream;

	snprintf(path, sizeof(path), "%s/proofs", directory);
	stream = fopen(path, "r");
	assert_non_null(stream);
	assert_true(fread(text, 1, (1 << 20) - 1, stream) > 0);
	fclose(stream);
	return text;
}

/* In a writer that may make no namespace. */
static bool can_by_file(const char *options, char why[256])
{
	struct writer *bound;
	struct flow_filter *filter = parse(options);
	struct flow_ports bound_ports;
	bool yes;

	assert_int_equal(writer_open(directory, &bound), 0);
	bound_ports = writer_ports(bound);
	bound->prover->no_namespace = true;
	why[0] = '\0';
	yes = bound_ports.can_delete_filtered(bound_ports.arg, filter, why, 256);
	if (!yes)
		assert_int_equal(bound_ports.delete_filtered(bound_ports.arg, filter), -EOPNOTSUPP);
	flow_filter_free(filter);
	writer_close(bound);
	return yes;
}

static void a_kept_self_test_serves_this_kernel_and_boot_alone(void **state)
{
	struct selftest_result result;
	char why[256], path[128], aside[128], *text, *at;
	struct stat file;
	unsigned proven, kept;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/proofs", directory);
	snprintf(aside, sizeof(aside), "%s/aside", directory);
	assert_false(can_by_file("--unreplied", why));
	assert_non_null(strstr(why, "no self-test"));
	umask(0);
	assert_int_equal(selftest_run(directory, BUDGET_NS, &result), 0);
	assert_true(result.has_netns && result.proven > 5 && !result.failed && result.took_ns > 0);
	print_message("self-test: %u sets in %.0f ms %s\n", result.proven,
		      (double)result.took_ns / 1e6, result.text);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0644);
	assert_true(can_by_file("-s 10.0.0.1", why));
	assert_true(can_by_file("-f ipv6", why));
	/* What is not usual, nothing proves. */
	assert_false(can_by_file("-m 0x100/0xff00 -s 10.0.0.1 -w 3", why));
	assert_non_null(strstr(why, "no namespace"));

	text = read_file();
	at = strstr(text, "boot ") + 5;
	*at = *at == '0' ? '1' : '0';
	write_file("proofs", text);
	assert_false(can_by_file("-s 10.0.0.1", why));
	assert_non_null(strstr(why, "another kernel or boot"));
	*at = *at == '0' ? '1' : '0';
	free(text);

	assert_int_equal(selftest_run(directory, BUDGET_NS, &result), 0);
	assert_true(can_by_file("-s 10.0.0.1", why));
	assert_int_equal(chmod(path, 0664), 0);
	assert_false(can_by_file("-s 10.0.0.1", why));
	assert_non_null(strstr(why, "other than root"));
	assert_int_equal(chmod(path, 0646), 0);
	assert_false(can_by_file("-s 10.0.0.1", why));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_false(can_by_file("-s 10.0.0.1", why));
	assert_int_equal(chown(path, 0, 0), 0);
	assert_true(can_by_file("-s 10.0.0.1", why));
	/* Without time nothing new is tried, and what is proven stays proven; the most usual comes first. */
	proven = result.proven;
	assert_int_equal(selftest_run(directory, 0, &result), 0);
	assert_int_equal(result.proven, proven);
	assert_int_equal(selftest_kept(directory, &kept, why, sizeof(why)), 0);
	assert_int_equal(kept, proven);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(selftest_kept(directory, &kept, why, sizeof(why)), -ENOENT);
	assert_int_equal(selftest_run(directory, 0, &result), 0);
	assert_true(result.proven == 0 && !result.failed && strstr(result.text, "were not tried"));
	assert_int_equal(selftest_kept(directory, &kept, why, sizeof(why)), 0);
	assert_int_equal(kept, 0);
	assert_false(can_by_file("--unreplied", why));
	assert_int_equal(selftest_run(directory, BUDGET_NS, &result), 0);
	/* By way of a link anybody could choose what is read. */
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_false(can_by_file("-s 10.0.0.1", why));
	unlink(path);
	unlink(aside);
	assert_int_equal(rmdir(directory), 0);
}

static void without_root_the_file_is_not_written(void **state)
{
	struct selftest_result result;
	int status;
	pid_t child = fork();

	(void)state;
	if (!child)
		_exit(setresuid(65534, 65534, 65534) || selftest_run("/tmp", BUDGET_NS, &result) != -EPERM);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kernel_without_the_filters_is_found_out),
		TEST(a_kernel_that_ignores_one_condition_of_a_tuple_is_found_out),
		TEST(the_inverted_comparison_of_ipv6_addresses_is_found_out),
		TEST(a_kept_self_test_serves_this_kernel_and_boot_alone),
		TEST(without_root_the_file_is_not_written),
	};

	if (geteuid() != 0) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_lab, close_lab);
}
