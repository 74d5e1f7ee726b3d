/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fit: counts of the last pass, brought down to the entries of now. */
#include "stats/fit.h"

#include "base/units.h"

void fit_counts(uint64_t *counts, size_t n, uint64_t whole)
{
	uint64_t sum = 0, before = 0, upto, there = 0;

	for (size_t i = 0; i < n; i++)
		sum += counts[i];
	if (sum <= whole)
		return;
	/* By what is there up to each: so rounding neither loses nor adds one. A double holds 2^53 exactly. */
	for (size_t i = 0; i < n; i++) {
		there += counts[i];
		upto = (uint64_t)((double)there / (double)sum * (double)whole + 0.5);
		counts[i] = upto - before;
		before = upto;
	}
}

void fit_row(struct ranking_row *row)
{
	uint64_t counts[FLOW_CLASS_COUNT], two_way;

	for (size_t i = 0; i < FLOW_CLASS_COUNT; i++)
		counts[i] = row->classes[i];
	fit_counts(counts, FLOW_CLASS_COUNT, row->entries);
	for (size_t i = 0; i < FLOW_CLASS_COUNT; i++)
		row->classes[i] = (uint32_t)counts[i];
	two_way = counts[FLOW_CLASS_REPLIED] + counts[FLOW_CLASS_STREAM];
	row->udp = (uint32_t)lesser(row->udp, two_way);
}

static bool fits(const uint32_t classes[FLOW_CLASS_COUNT], uint64_t entries)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < FLOW_CLASS_COUNT; i++)
		sum += classes[i];
	return sum <= entries;
}

static uint32_t less(uint32_t all, uint32_t part)
{
	return all > part ? all - part : 0;
}

void fit_totals(struct ranking_totals *totals, const struct ranking_row *rows, size_t used)
{
	struct ranking_row rest = totals->sum, sum = {0}, row;
	uint64_t entries = totals->entries;
	bool all_fit = fits(totals->sum.classes, totals->entries);

	for (size_t i = 0; i < used && all_fit; i++)
		all_fit = fits(rows[i].classes, rows[i].entries);
	if (all_fit)
		return;
	for (size_t i = 0; i < used; i++) {
		row = rows[i];
		for (size_t k = 0; k < FLOW_CLASS_COUNT; k++)
			rest.classes[k] = less(rest.classes[k], row.classes[k]);
		rest.udp = less(rest.udp, row.udp);
		entries -= lesser(entries, row.entries);
		fit_row(&row);
		for (size_t k = 0; k < FLOW_CLASS_COUNT; k++)
			sum.classes[k] += row.classes[k];
		sum.udp += row.udp;
	}
	rest.entries = (uint32_t)lesser(entries, UINT32_MAX);
	fit_row(&rest);
	for (size_t k = 0; k < FLOW_CLASS_COUNT; k++)
		totals->sum.classes[k] = sum.classes[k] + rest.classes[k];
	totals->sum.udp = sum.udp + rest.udp;
}
