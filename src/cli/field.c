/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/field: members of a document into a structure, by a table: a new member is a new row. */
#include "field.h"

#include "base/clock.h"

int field_read_moment(const struct doc_node *node, int64_t *ret_ns, struct problem *problem)
{
	const char *text = NULL;
	int result = doc_text(node, &text, problem);

	return result || !text ? result : clock_parse_moment(text, 0, ret_ns, problem);
}

static int read_field(const struct doc_node *object, const struct field *field, void *to,
		      uint32_t *has, struct problem *problem)
{
	struct doc_node node = doc_get(object, field->key);
	char *at = (char *)to + field->offset;
	int64_t whole = 0;
	double number = 0;
	int result = 0;

	if (!doc_has(&node))
		return 0;
	switch (field->kind) {
	case FIELD_U64:
		result = doc_whole(&node, 0, INT64_MAX, &whole, problem);
		*(uint64_t *)at = (uint64_t)whole;
		break;
	case FIELD_U32:
		result = doc_whole(&node, 0, UINT32_MAX, &whole, problem);
		*(uint32_t *)at = (uint32_t)whole;
		break;
	case FIELD_DOUBLE:
		result = doc_number(&node, -1e300, 1e300, (double *)at, problem);
		break;
	case FIELD_FLOAT:
		result = doc_number(&node, -1e30, 1e30, &number, problem);
		*(float *)at = (float)number;
		break;
	case FIELD_BOOL:
		result = doc_bool(&node, (bool *)at, problem);
		break;
	case FIELD_MOMENT:
		result = field_read_moment(&node, (int64_t *)at, problem);
		break;
	}
	if (!result && has)
		*has |= field->has;
	return result;
}

int field_read_all(const struct doc_node *object, const struct field *fields, size_t count,
		       void *to, uint32_t *has, struct problem *problem)
{
	size_t i;
	int result;

	for (i = 0; i < count; i++) {
		result = read_field(object, &fields[i], to, has, problem);
		if (result)
			return result;
	}
	return 0;
}
