/* SPDX-License-Identifier: MIT */
/* json.h - the only way in for JSON that strangers wrote: bounded in length and depth, no duplicate
 * members, no U+0000, and a reason that a person can act on. */
#ifndef BANTER_WIRE_JSON_H
#define BANTER_WIRE_JSON_H

#include "base/compiler.h"
#include "base/slice.h"

#include <jansson.h>
#include <stdbool.h>

/* Parses one JSON object. NULL when `text` is anything else, is longer than PAYLOAD_MAX_BYTES or
 * nests deeper than JSON_MAX_DEPTH; *reason then says why in one sentence, in static storage. The
 * caller owns the reference. */
json_t *json_read_object(struct slice text, const char **reason) MUST_USE;

/* The string member `name`, borrowed, or an empty slice with NULL data when there is none or it is
 * not a string. An empty string has non-NULL data. */
struct slice json_member_string(const json_t *object, const char *name);

/* The string value of the first member `name` of the outermost object, found without parsing the
 * rest, so that it works on broken documents and costs little on large ones. NULL when it cannot be
 * found or would be longer than `max_bytes` decoded. The caller owns the reference. */
json_t *json_peek_string(struct slice text, const char *name, size_t max_bytes) MUST_USE;

#endif
