/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/table: rows of a ranking as aligned columns. Where the width does not hold all, columns are left out by rank:
 * the bar first, then from the right; key and entries always stay. */
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "private.h"

#define BAR_WIDTH 10
#define CELL_MAX  RANKING_TEXT_MAX

enum cell {
	CELL_RANK, CELL_KEY, CELL_BORN, CELL_ENTRIES, CELL_SHARE, CELL_BAR, CELL_UNREPLIED, CELL_HALF_OPEN,
	CELL_ESTABLISHED, CELL_CLOSING, CELL_UDP, CELL_OTHER, CELL_BYTES, CELL_RATE, CELL_COUNT
};

static const struct {
	const char *title;
	unsigned keep; /* the smallest goes first; 0: stays */
} cells[CELL_COUNT] = {
	[CELL_RANK] = {"RANK", 10},	   [CELL_KEY] = {"KEY", 0},
	[CELL_BORN] = {"NEW", 0},	   [CELL_ENTRIES] = {"ENTRIES", 0},
	[CELL_SHARE] = {"SHARE", 11},	   [CELL_BAR] = {"", 1},
	[CELL_UNREPLIED] = {"UNREPL.", 8}, [CELL_HALF_OPEN] = {"HALF", 7},
	[CELL_ESTABLISHED] = {"ESTAB.", 6}, [CELL_CLOSING] = {"CLOSING", 5},
	[CELL_UDP] = {"UDP", 4},	   [CELL_OTHER] = {"OTHER", 3},
	[CELL_BYTES] = {"BYTES", 2},	   [CELL_RATE] = {"NEW/s", 9},
};

static const enum ranking_column columns[CELL_COUNT] = {
	[CELL_UNREPLIED] = RANKING_UNREPLIED,	  [CELL_HALF_OPEN] = RANKING_HALF_OPEN,
	[CELL_ESTABLISHED] = RANKING_ESTABLISHED, [CELL_CLOSING] = RANKING_CLOSING,
	[CELL_UDP] = RANKING_UDP,		  [CELL_OTHER] = RANKING_OTHER,
};

struct grid {
	const struct report_out *out;
	const struct table *table;
	unsigned width[CELL_COUNT]; /* 0: left out */
};

/* A line of the table: a row, the totals (rank 0) or what is in no row (kind OTHERS). */
struct item {
	const struct ranking_row *row;
	const char *key; /* instead of the row's */
	size_t rank;
	uint64_t entries;
	bool has_columns;
};

static void share_format(double share_pct, struct text *t)
{
	if (share_pct > 0 && share_pct < 0.05)
		text_add(t, "<0.1 %%");
	else
		text_add(t, "%.1f %%", share_pct);
}

static void add_key(const struct grid *grid, const struct item *item, struct text *t)
{
	char key[RANKING_TEXT_MAX];

	text_add(t, "%s", item->key ? item->key
				    : ranking_key_format(grid->table->context.config, &item->row->key, key));
}

static void add_rate(const struct ranking_row *row, struct text *t)
{
	double rate = (double)row->new_per_sec;
	char number[UNITS_TEXT_MAX];

	if (rate < 10000)
		text_add(t, "%.1f", rate);
	else
		text_add(t, "%s", units_format_count((uint64_t)rate, number));
}

static char *cell_format(const struct grid *grid, const struct item *item, enum cell cell, char buf[CELL_MAX])
{
	const struct row_context *context = &grid->table->context;
	char number[UNITS_TEXT_MAX], bar[BAR_WIDTH + 1];
	uint64_t part = context->is_born && item->row ? item->row->born : item->entries;
	struct text t;

	text_init(&t, buf, CELL_MAX);
	if (cell == CELL_KEY)
		add_key(grid, item, &t);
	else if (cell == CELL_RANK && item->rank)
		text_add(&t, "%zu", item->rank);
	else if (cell == CELL_ENTRIES)
		text_add(&t, "%s", units_format_count(item->entries, number));
	else if (cell == CELL_SHARE && (item->row || !context->is_born))
		share_format(share_of(part, context->whole), &t);
	if (!item->row || !item->has_columns)
		return buf;
	if (cell == CELL_BORN) {
		text_add(&t, "%s", units_format_count(item->row->born, number));
	} else if (cell == CELL_BAR && item->rank) {
		bar_format(share_of(part, context->whole), BAR_WIDTH, false, bar);
		bar[strcspn(bar, ".")] = '\0';
		text_add(&t, "%s", bar);
	} else if (cell >= CELL_UNREPLIED && cell <= CELL_OTHER) {
		text_add(&t, "%s", units_format_count(ranking_row_column(item->row, columns[cell]), number));
	} else if (cell == CELL_BYTES) {
		text_add(&t, "%s", units_format_bytes(item->row->bytes, number));
	} else if (cell == CELL_RATE) {
		add_rate(item->row, &t);
	}
	return buf;
}

/* ---- which columns, how wide ---- */

static bool is_wanted(const struct grid *grid, enum cell cell)
{
	const struct table *table = grid->table;
	size_t i;

	switch (cell) {
	case CELL_BORN:
		return table->context.is_born;
	case CELL_BAR:
		return grid->out->is_terminal;
	case CELL_BYTES:
		for (i = 0; i < table->used && !table->context.is_born; i++)
			if (table->rows[i].bytes)
				return true;
		return false;
	case CELL_RATE:
		return table->context.has_rates;
	case CELL_RANK:
	case CELL_KEY:
	case CELL_ENTRIES:
	case CELL_SHARE:
		return true;
	case CELL_UNREPLIED:
	case CELL_HALF_OPEN:
	case CELL_ESTABLISHED:
	case CELL_CLOSING:
	case CELL_UDP:
	case CELL_OTHER:
		return !table->context.is_born;
	case CELL_COUNT:
		break;
	}
	return false;
}

static const char *title_of(const struct grid *grid, enum cell cell)
{
	return cell == CELL_ENTRIES && grid->table->context.is_born ? "ALIVE" : cells[cell].title;
}

static void measure(struct grid *grid, const struct item *items, size_t count)
{
	char buf[CELL_MAX];
	unsigned len;
	size_t i;
	int cell;

	for (cell = 0; cell < CELL_COUNT; cell++) {
		if (!is_wanted(grid, (enum cell)cell))
			continue;
		grid->width[cell] = cell == CELL_BAR ? BAR_WIDTH
						     : (unsigned)strlen(title_of(grid, (enum cell)cell));
		for (i = 0; i < count && cell != CELL_BAR; i++) {
			len = (unsigned)strlen(cell_format(grid, &items[i], (enum cell)cell, buf));
			if (len > grid->width[cell])
				grid->width[cell] = len;
		}
	}
}

static unsigned width_of(const struct grid *grid)
{
	unsigned sum = 0;
	int cell;

	for (cell = 0; cell < CELL_COUNT; cell++)
		sum += grid->width[cell] ? grid->width[cell] + 2 : 0;
	return sum ? sum - 2 : 0;
}

static void fit(struct grid *grid)
{
	unsigned keep;
	int cell;

	for (keep = 1; keep <= CELL_COUNT && width_of(grid) > grid->out->columns; keep++)
		for (cell = 0; cell < CELL_COUNT; cell++)
			if (cells[cell].keep == keep)
				grid->width[cell] = 0;
}

/* ---- lines ---- */

/* Blanks at the end of a line are not written. */
static void print_cells(const struct grid *grid, const struct item *item)
{
	char buf[CELL_MAX];
	const char *text;
	unsigned blanks = 0, width, len;
	int cell;

	for (cell = 0; cell < CELL_COUNT; cell++) {
		width = grid->width[cell];
		if (!width)
			continue;
		text = item ? cell_format(grid, item, (enum cell)cell, buf) : title_of(grid, (enum cell)cell);
		len = (unsigned)strlen(text);
		len = len > width ? width : len;
		if (!len) {
			blanks += width + 2;
		} else if (cell == CELL_KEY || cell == CELL_BAR) {
			fprintf(grid->out->file, "%*s%s", (int)blanks, "", text);
			blanks = width - len + 2;
		} else {
			fprintf(grid->out->file, "%*s%s", (int)(blanks + width - len), "", text);
			blanks = 2;
		}
	}
	fputc('\n', grid->out->file);
}

static struct item others_item(const struct table *table, char *buf, size_t size)
{
	char number[UNITS_TEXT_MAX];

	/* An old alarm tells how much others hold, and not how many they are. */
	if (rows_other_keys(table->totals, table->used))
		snprintf(buf, size, "... %s more",
			 units_format_count(rows_other_keys(table->totals, table->used), number));
	else
		snprintf(buf, size, "... others");
	return (struct item){.key = buf, .entries = rows_other_entries(table->totals, table->rows, table->used)};
}

/* What came back from the daemon may have totals without columns. */
static bool has_sums(const struct ranking_totals *totals, bool is_born)
{
	int i;

	for (i = 0; i < RANKING_COLUMN_COUNT; i++)
		if (ranking_row_column(&totals->sum, (enum ranking_column)i))
			return true;
	return is_born || !totals->entries;
}

void table_print(const struct report_out *out, const struct table *table)
{
	struct grid grid = {.out = out, .table = table};
	struct item items[2], item = {0};
	struct ranking_row sum = table->totals->sum;
	char others[CELL_MAX];
	size_t i, extra = 0;
	unsigned width[CELL_COUNT];
	int cell;

	if (rows_other_keys(table->totals, table->used) ||
	    rows_other_entries(table->totals, table->rows, table->used))
		items[extra++] = others_item(table, others, sizeof(others));
	if (table->has_total)
		items[extra++] = (struct item){.row = &sum, .key = "total", .entries = table->totals->entries,
					       .has_columns = has_sums(table->totals, table->context.is_born)};
	/* The widths of rows one by one: no list of items is needed for them. */
	measure(&grid, items, extra);
	for (i = 0; i < table->used; i++) {
		memcpy(width, grid.width, sizeof(width));
		item = (struct item){.row = &table->rows[i], .rank = i + 1,
				     .entries = table->rows[i].entries, .has_columns = true};
		measure(&grid, &item, 1);
		for (cell = 0; cell < CELL_COUNT; cell++)
			if (width[cell] > grid.width[cell])
				grid.width[cell] = width[cell];
	}
	fit(&grid);
	print_cells(&grid, NULL);
	for (i = 0; i < table->used; i++) {
		item = (struct item){.row = &table->rows[i], .rank = i + 1,
				     .entries = table->rows[i].entries, .has_columns = true};
		print_cells(&grid, &item);
	}
	for (i = 0; i < extra; i++)
		print_cells(&grid, &items[i]);
}
