/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/json: members of documents and how documents become text. Keys keep the order in which they were added. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "private.h"

/* 15 digits: what was rounded to decimals is written with those, not as 77.599999999999994. */
#define DUMP_FLAGS JSON_REAL_PRECISION(15)

void json_add_count(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

void json_add_real(json_t *object, const char *key, double number)
{
	double scale = 1e3;

	if (!isfinite(number))
		return;
	if (number != 0 && fabs(number) < 1) /* probabilities may be tiny: six digits from the first that counts */
		scale = pow(10, 5 - floor(log10(fabs(number))));
	if (fabs(number) < 1e12 && isfinite(scale))
		number = round(number * scale) / scale;
	json_object_set_new(object, key, json_real(number == 0 ? 0.0 : number));
}

void json_add_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

void json_add_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	if (value)
		json_object_set_new(object, key, value);
}

void json_add_time(json_t *object, const char *key, int64_t real_ns)
{
	char text[CLOCK_TEXT_MAX];

	json_add_text(object, key, clock_format_rfc3339(real_ns, text));
}

void json_add_netns(json_t *object, const struct table_netns *netns)
{
	json_t *part = json_object();

	if (netns->inode)
		json_add_count(part, "inode", netns->inode);
	json_add_bool(part, "host", netns->is_host);
	if (netns->name[0])
		json_add_text(part, "name", netns->name);
	json_object_set_new(object, "netns", part);
}

json_t *json_document(const char *schema)
{
	json_t *document = json_object();

	json_add_text(document, "schema", schema);
	return document;
}

static char *dump(json_t *document, size_t flags)
{
	char *text = json_dumps(document, flags | DUMP_FLAGS);

	json_decref(document);
	if (!text) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return text;
}

char *json_to_line(json_t *document)
{
	return dump(document, JSON_COMPACT);
}

int json_print(const struct report_out *out, json_t *document)
{
	char *text = dump(document, out->is_pretty ? JSON_INDENT(2) : JSON_COMPACT);
	int result = 0;

	errno = 0;
	if (fputs(text, out->file) < 0 || fputc('\n', out->file) == EOF)
		result = errno ? -errno : -EIO;
	free(text);
	return result;
}
