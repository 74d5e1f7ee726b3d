/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/fit: classes are of the last pass, entries of now: where flows have ended since, a row would show more of a
 * class than it has entries. Here the counts of a pass are brought down to what is there, each by its share. Pure. */
#ifndef CTWARDEN_STATS_FIT_H
#define CTWARDEN_STATS_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "stats/ranking.h"

/* Where n counts add up to more than whole: each by its share of whole, so that they add up to it; else untouched. */
void fit_counts(uint64_t *counts, size_t n, uint64_t whole);
/* Classes and answered UDP of a row to its entries. */
void fit_row(struct ranking_row *row);
/* Where not all fit: the classes of totals to what the rows (fitted here, not there) and the rest hold, so that no row
 * has more than all. */
void fit_totals(struct ranking_totals *totals, const struct ranking_row *rows, size_t used);

#endif
