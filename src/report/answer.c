/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report/answer: the lines of the control socket. Documents and arguments are JSON already: they are put in as they
 * are. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "private.h"

char *report_answer_json(int64_t id, const char *document)
{
	if (!document)
		return mem_format("{\"schema\":\"ctwarden.answer/1\",\"id\":%" PRId64 ",\"end\":true}", id);
	return mem_format("{\"schema\":\"ctwarden.answer/1\",\"id\":%" PRId64 ",\"end\":true,\"document\":%s}",
			  id, document);
}

char *report_error_json(int64_t id, const char *code, const char *text, const char *path)
{
	json_t *document = json_document("ctwarden.answer/1"), *error = json_object();

	json_object_set_new(document, "id", json_integer(id));
	json_add_bool(document, "end", true);
	json_add_text(error, "code", code);
	/* What a client sent may come back in text and path, and need not be UTF-8. */
	json_add_text(error, "text", "");
	json_add_text(error, "text", text);
	json_add_text(error, "path", "");
	json_add_text(error, "path", path ? path : "");
	json_object_set_new(document, "error", error);
	return json_to_line(document);
}

char *report_request_json(int64_t id, const char *command, const char *args)
{
	json_t *document = json_document("ctwarden.request/1");
	char *head, *line;
	size_t len = 0;

	json_object_set_new(document, "id", json_integer(id));
	json_add_text(document, "command", command);
	head = json_to_line(document);
	while (head[len + 1])
		len++;
	line = mem_format("%.*s,\"args\":%s}", (int)len, head, args && *args ? args : "{}");
	free(head);
	return line;
}
