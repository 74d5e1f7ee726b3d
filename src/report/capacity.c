/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/capacity: whose word the capacity is. */
#include "private.h"

static const char *const names[REPORT_CAPACITY_COUNT] = {
	[REPORT_CAPACITY_KERNEL] = "kernel",
	[REPORT_CAPACITY_OPTION] = "option",
	[REPORT_CAPACITY_POLICY] = "policy",
	[REPORT_CAPACITY_DAEMON] = "daemon",
};

/* Who asks by option knows it, and the kernel's limit is what a reader expects. */
static const char *const words[REPORT_CAPACITY_COUNT] = {
	[REPORT_CAPACITY_POLICY] = "capacity of the policy",
	[REPORT_CAPACITY_DAEMON] = "capacity of the daemon",
};

const char *capacity_name(enum report_capacity from)
{
	return names[from];
}

const char *capacity_words(enum report_capacity from)
{
	return words[from];
}
