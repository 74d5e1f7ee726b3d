/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_decode: any bytes as a ctnetlink message. decode must never read outside them, and what it
 * accepts must be whole and printable. Built with -fsanitize=fuzzer, or with standalone.c as an
 * ordinary test. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct flow *flow, enum flow_event_kind kind)
{
	uint8_t family = flow->tuple[FLOW_ORIG].family;

	assert(family == AF_INET || family == AF_INET6);
	assert(kind < FLOW_EVENT_KIND_COUNT);
	assert(!(flow->has & FLOW_HAS_MASTER) || flow->master.family);
	assert(!(flow->has & FLOW_HAS_REPLY) || flow->tuple[FLOW_REPLY].family);
	assert(flow_class_of(flow) < FLOW_CLASS_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct printer *printer;
	enum flow_event_kind kind = FLOW_EVENT_KIND_COUNT;
	struct flow flow, before;
	/* A block of exactly this size: a sanitizer sees the first byte behind it. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	if (!printer)
		printer = printer_new();
	if (size)
		memcpy(copy, data, size);
	memset(&flow, 0xa5, sizeof(flow));
	before = flow;
	if (decode_message(copy, size, &flow, &kind) == 0) {
		check(&flow, kind);
		/* NULL is fine: the library may refuse what decode skips. */
		printer_line(printer, copy, size, false);
		printer_line(printer, copy, size, true);
	} else {
		assert(!memcmp(&flow, &before, sizeof(flow)));
		assert(kind == FLOW_EVENT_KIND_COUNT);
	}
	free(copy);
	return 0;
}
