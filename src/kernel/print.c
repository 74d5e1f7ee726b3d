/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/print: entries as the conntrack tool writes them. The text is libnetfilter_conntrack's own,
 * which is what that tool prints, so that both stay the same whatever the library's version. */
#include "kernel/kernel.h"

#include <stdlib.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "base/mem.h"

struct printer {
	char text[4096];
};

struct printer *printer_new(void)
{
	return mem_alloc(sizeof(struct printer));
}

void printer_free(struct printer *printer)
{
	free(printer);
}

static unsigned library_type(enum flow_event_kind kind)
{
	switch (kind) {
	case FLOW_EVENT_NEW:
		return NFCT_T_NEW;
	case FLOW_EVENT_UPDATE:
		return NFCT_T_UPDATE;
	case FLOW_EVENT_DESTROY:
		return NFCT_T_DESTROY;
	case FLOW_EVENT_KIND_COUNT:
		break;
	}
	return NFCT_T_UNKNOWN;
}

const char *printer_line(struct printer *printer, const void *message, size_t len, bool event)
{
	unsigned type = NFCT_T_UNKNOWN;
	enum flow_event_kind kind;
	struct nf_conntrack *entry;
	const char *line = NULL;
	struct flow flow;

	/* The library trusts lengths that decode has to check. */
	if (decode_message(message, len, &flow, &kind) < 0)
		return NULL;
	if (event)
		type = library_type(kind);
	/* A new object each time: there is no call that forgets all attributes of an old one. */
	entry = nfct_new();
	if (!entry)
		return NULL;
	if (nfct_nlmsg_parse(message, entry) >= 0 &&
	    nfct_snprintf(printer->text, sizeof(printer->text), entry, type, NFCT_O_DEFAULT,
			  NFCT_OF_SHOW_LAYER3) >= 0)
		line = printer->text;
	nfct_destroy(entry);
	return line;
}
