/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/out: where a report goes and how wide it may be. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

#define COLUMNS_ELSEWHERE 100
#define COLUMNS_MIN	  20
#define COLUMNS_MAX	  1000

static unsigned columns_of_terminal(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	long columns = text ? strtol(text, NULL, 10) : 0;

	if (columns <= 0 && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		columns = size.ws_col;
	if (columns <= 0)
		return 80;
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns > COLUMNS_MAX ? COLUMNS_MAX : (unsigned)columns;
}

struct report_out report_out_stdout(bool is_json, bool is_pretty)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	struct report_out out = {.file = stdout, .is_json = is_json || is_pretty, .is_pretty = is_pretty};
	bool is_dumb = term && term[0] == 'd' && term[1] == 'u';

	out.is_terminal = isatty(STDOUT_FILENO) == 1;
	/* no-color.org: any value but the empty one. */
	out.has_colour = out.is_terminal && !is_dumb && !(no_colour && *no_colour);
	out.columns = out.is_terminal ? columns_of_terminal() : COLUMNS_ELSEWHERE;
	return out;
}

int report_flush_file(FILE *file)
{
	errno = 0;
	if (fflush(file))
		return errno ? -errno : -EIO;
	if (!ferror(file))
		return 0;
	/* An earlier write failed, unseen, and its reason is forgotten: what is written is cut off anyway, so that the
	 * end of the line is tried, which most likely fails for the same reason. */
	clearerr(file);
	errno = 0;
	if (fputc('\n', file) == EOF || fflush(file))
		return errno ? -errno : -EIO;
	return -EIO;
}

int report_flush(const struct report_out *out)
{
	return report_flush_file(out->file);
}
