/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/lines: labelled lines of parts. At a terminal they are wrapped to its width with a hanging indent; elsewhere a
 * line is as long as it is, so that scripts find one fact on one line. ASCII only. */
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "private.h"

#define PART_MAX   512
#define GAP_PARTS  3
#define NARROW	   60 /* columns below which the hanging indent is smaller */

static unsigned indent_of(const struct report_out *out)
{
	return out->is_terminal && out->columns < NARROW ? 2 : LINE_LABEL;
}

static void next_line(struct line *line)
{
	line->column = indent_of(line->out);
	fprintf(line->out->file, "\n%*s", (int)line->column, "");
	line->has_parts = false;
}

void line_start(struct line *line, const struct report_out *out, const char *label)
{
	*line = (struct line){.out = out};
	if (!label[0])
		return;
	fprintf(out->file, "%-*s", LINE_LABEL, label);
	line->column = LINE_LABEL;
}

/* Words of a part that fits no line. */
static void add_words(struct line *line, const char *part)
{
	size_t len;

	while (*part) {
		len = strcspn(part, " ");
		if (line->has_parts && line->column + 1 + len > line->out->columns)
			next_line(line);
		if (line->has_parts) {
			fputc(' ', line->out->file);
			line->column++;
		}
		fprintf(line->out->file, "%.*s", (int)len, part);
		line->column += (unsigned)len;
		line->has_parts = true;
		part += len;
		part += strspn(part, " ");
	}
}

static void add_part(struct line *line, const char *colour, const char *part)
{
	bool is_bound = line->out->is_terminal, has_colour = colour && line->out->has_colour;
	unsigned len = (unsigned)strlen(part), gap = line->has_parts ? GAP_PARTS : 0;

	if (is_bound && line->has_parts && line->column + gap + len > line->out->columns) {
		next_line(line);
		gap = 0;
	}
	fprintf(line->out->file, "%*s", (int)gap, "");
	line->column += gap;
	if (has_colour)
		fprintf(line->out->file, "\033[%sm", colour);
	if (is_bound && line->column + len > line->out->columns) {
		line->has_parts = false;
		add_words(line, part);
	} else {
		fputs(part, line->out->file);
		line->column += len;
	}
	if (has_colour)
		fputs("\033[0m", line->out->file);
	line->has_parts = true;
}

void line_add(struct line *line, const char *format, ...)
{
	char part[PART_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	add_part(line, NULL, part);
}

void line_add_colour(struct line *line, const char *colour, const char *format, ...)
{
	char part[PART_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	add_part(line, colour, part);
}

void line_end(struct line *line)
{
	fputc('\n', line->out->file);
}

void report_wrapped(const struct report_out *out, const char *text)
{
	unsigned column = 0;
	size_t blanks, len;

	for (; out->is_terminal && *text; text += blanks + len, column += (unsigned)len) {
		blanks = strspn(text, " ");
		len = strcspn(text + blanks, " ");
		if (column && column + blanks + len > out->columns) {
			column = indent_of(out);
			fprintf(out->file, "\n%*s", (int)column, "");
		} else {
			fprintf(out->file, "%*s", (int)blanks, "");
			column += (unsigned)blanks;
		}
		fprintf(out->file, "%.*s", (int)len, text + blanks);
	}
	fprintf(out->file, "%s\n", text);
}

char *place_format(const struct table_netns *netns, const char *view, char *buf, size_t size)
{
	struct text t;

	text_init(&t, buf, size);
	if (netns->name[0])
		text_add(&t, "namespace %s", netns->name);
	else
		text_add(&t, "%s namespace", netns->is_host ? "host" : "this");
	if (netns->inode)
		text_add(&t, " (net:[%llu])", (unsigned long long)netns->inode);
	text_add(&t, ", %s view", view);
	return buf;
}

const char *level_colour(enum level level)
{
	switch (level) {
	case LEVEL_OK:
		return "32";
	case LEVEL_WARNING:
		return "33";
	case LEVEL_CRITICAL:
		return "31";
	case LEVEL_FULL:
		return "1;31";
	case LEVEL_COUNT:
		break;
	}
	return "0";
}

char *bar_format(double share_pct, unsigned width, bool is_growing, char *buf)
{
	double cells = share_pct * width / 100.0;
	unsigned filled = cells >= width ? width : cells > 0 ? (unsigned)(cells + 0.5) : 0, i;

	if (share_pct > 0 && !filled)
		filled = share_pct >= 1 ? 1 : 0;
	for (i = 0; i < width; i++)
		buf[i] = i < filled ? '#' : '.';
	if (is_growing && filled < width)
		buf[filled] = '>';
	buf[width] = '\0';
	return buf;
}
