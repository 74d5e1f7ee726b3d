/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow/saved_read: a saved table from a file, line by line; memory does not grow with it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "saved_private.h"

struct reading {
	const char *name;
	int64_t now_real_ns;
	flow_scan_fn *fn;
	void *arg;
	struct saved_report report;
};

static void tell_unread(struct reading *r, const struct problem *problem)
{
	if (r->report.unread++)
		return;
	r->report.problem = *problem;
	snprintf(r->report.problem.file, sizeof(r->report.problem.file), "%s", r->name);
	r->report.problem.line = (int)r->report.lines;
}

/* False: enough. */
static bool read_line(struct reading *r, const char *line, size_t len)
{
	struct problem problem = {0};
	struct flow flow;
	int result = saved_line(line, len, r->now_real_ns, &flow, &problem);

	if (result == -ENODATA)
		return true;
	if (result < 0) {
		tell_unread(r, &problem);
		return true;
	}
	r->report.flows++;
	return r->fn(&flow, NULL, 0, r->arg);
}

static void skip_line(FILE *file)
{
	int c;

	do {
		c = getc(file);
	} while (c != EOF && c != '\n');
}

static void read_lines(struct reading *r, FILE *file)
{
	char line[SAVED_LINE_MAX + 2];
	struct problem problem = {0};
	size_t len;
	bool goes_on = true;

	while (goes_on && fgets(line, sizeof(line), file)) {
		r->report.lines++;
		len = strlen(line);
		if (len && line[len - 1] == '\n') {
			goes_on = read_line(r, line, len - 1);
		} else if (len <= SAVED_LINE_MAX) {
			goes_on = read_line(r, line, len); /* the last one, or cut by a zero byte */
		} else {
			problem_set(&problem, "", "a line of more than %d bytes is no entry",
				    SAVED_LINE_MAX);
			tell_unread(r, &problem);
			skip_line(file);
		}
	}
}

int saved_read(const char *file, int64_t now_real_ns, flow_scan_fn *fn, void *arg,
	       struct saved_report *ret_report, struct problem *reterr_problem)
{
	bool is_stdin = !strcmp(file, "-");
	struct reading r = {is_stdin ? "standard input" : file, now_real_ns, fn, arg, {0}};
	FILE *stream = is_stdin ? stdin : fopen(file, "re");
	int result = 0;

	*ret_report = r.report;
	errno = stream ? 0 : errno;
	if (stream)
		read_lines(&r, stream);
	if (!stream || ferror(stream)) {
		result = errno ? -errno : -EIO;
		problem_set(&r.report.problem, "", "cannot be read: %s", strerror(-result));
		snprintf(r.report.problem.file, sizeof(r.report.problem.file), "%s", r.name);
		r.report.problem.line = 0;
	} else if (!r.report.flows && r.report.unread) {
		result = -EINVAL;
		/* What is wrong with its first line as such would lead astray: it is another kind of file. */
		snprintf(r.report.problem.text, sizeof(r.report.problem.text),
			 "no entry, nor is any other line; entries one a line are expected, as conntrack -L, "
			 "/proc/net/nf_conntrack or ctwarden flows -j (not -J) give them");
	}
	if (stream && !is_stdin)
		fclose(stream);
	if (result < 0 && reterr_problem)
		*reterr_problem = r.report.problem;
	*ret_report = r.report;
	return result;
}
