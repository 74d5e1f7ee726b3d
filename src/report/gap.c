/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/gap: why the kernel's counter and its list differ, in words. */
#include "base/text.h"
#include "base/units.h"
#include "private.h"

char *gap_format(const struct snapshot *s, char buf[GAP_TEXT_MAX])
{
	uint64_t hidden = s->counted_after > s->listed ? s->counted_after - s->listed : 0;
	char number[UNITS_TEXT_MAX];
	struct text t;

	text_init(&t, buf, GAP_TEXT_MAX);
	if (s->counted_before < s->listed) {
		text_add(&t, "flows born while the pass ran");
		return buf;
	}
	/* A pass frees what has expired and does not list it. What is still counted behind it and was not listed waits
	 * for its first packet to leave (unconfirmed), or for the last holder to let go (dying). */
	if (s->expired)
		text_add(&t, "%s expired, freed by the pass", units_format_count(s->expired, number));
	if (hidden)
		text_add(&t, "%s%s unconfirmed or dying: counted, in no list", s->expired ? "; " : "",
			 units_format_count(hidden, number));
	if (!s->expired && !hidden)
		text_add(&t, "flows that ended while the pass ran");
	return buf;
}
