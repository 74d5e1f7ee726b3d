/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/field: members of a document into a structure, by a table. Private to cli. */
#ifndef CTWARDEN_CLI_FIELD_H
#define CTWARDEN_CLI_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "doc/doc.h"

enum field_kind { FIELD_U64, FIELD_DOUBLE, FIELD_MOMENT, FIELD_BOOL, FIELD_U32, FIELD_FLOAT };

/* A member of a document and where it goes; has is set where it was there. */
struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	uint32_t has;
};

/* An RFC 3339 text, in ns of real time. An absent node leaves *ret_ns. 0 or -EINVAL with the problem. */
int field_read_moment(const struct doc_node *node, int64_t *ret_ns, struct problem *problem);
/* All fields of the table into *to; what is absent stays as it is. has (may be NULL) gets the bits of what was there.
 * 0 or -EINVAL with the problem of the first wrong one. */
int field_read_all(const struct doc_node *object, const struct field *fields, size_t count, void *to, uint32_t *has,
		   struct problem *problem);

#endif
