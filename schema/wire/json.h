/* SPDX-License-Identifier: MIT */
/* json.h - the way in for JSON that strangers wrote: bounded in length and depth, no duplicate
 * members, no U+0000, and a reason that a person can act on. Only plain drafts (plain_draft.h) come
 * in without it. */
#ifndef BANTER_WIRE_JSON_H
#define BANTER_WIRE_JSON_H

#include "base/compiler.h"
#include "base/slice.h"

#include <jansson.h>
#include <stdbool.h>

/* Parses one JSON object. NULL when `text` is anything else, is longer than PAYLOAD_MAX_BYTES or
 * nests deeper than JSON_MAX_DEPTH; *reason then says why in one sentence, in static storage, or is
 * json_no_memory. The caller owns the reference. */
json_t *json_read_object(struct slice text, const char **reason) MUST_USE;
extern const char json_no_memory[];

/* Jansson (2.14) does not say that memory ran out while it read a string: it leaves out a byte. So
 * a process that goes on then (and does not end, by json_set_alloc_funcs()) calls this first: it
 * makes json_read_object() find out. For the whole process, in front of what allocated for jansson
 * before, and until json_unwatch_memory() was called as often; nothing else may call
 * json_set_alloc_funcs() between. */
void json_watch_memory(void);
void json_unwatch_memory(void);

/* The string member `name`, borrowed, or an empty slice with NULL data when there is none or it is
 * not a string. An empty string has non-NULL data. */
struct slice json_member_string(const json_t *object, const char *name);

/* Writes the string value of the first member `name` of the outermost object, and a NUL, to `to`,
 * which has room for max_bytes + 1. Found without parsing the rest, so that it works on broken
 * documents and costs little on large ones; allocates nothing. False, and an empty string, when
 * there is none, it is no valid JSON string or is longer than `max_bytes` decoded. */
bool json_peek_string(struct slice text, const char *name, char *to, size_t max_bytes);

#endif
