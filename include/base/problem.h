/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/problem: what a person must fix, where, and what would be right.
 * Filled by every function that reads what a person wrote (arguments, config, policy, requests). */
#ifndef CTWARDEN_BASE_PROBLEM_H
#define CTWARDEN_BASE_PROBLEM_H

struct problem {
	char file[160]; /* file name; empty: not from a file */
	int line;       /* 1 is the first line; 0: not known */
	char path[160]; /* where in the document ("levels.warning.enter") or the option ("-s 10.0.0.0/33") */
	char text[320]; /* one sentence without a full stop: what is wrong and what would be right */
};

/* Sets path and text of p (printf format) and leaves file and line; p may be NULL (nothing is done).
 * Always returns -EINVAL, so that a reader can say "return problem_set(...)". */
int problem_set(struct problem *p, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes "file:line: path: text" (parts that are not known are left out) to buf, always terminated;
 * returns buf. */
char *problem_format(const struct problem *p, char *buf, unsigned long size);

#endif
