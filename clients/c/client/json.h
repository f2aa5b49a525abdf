/* SPDX-License-Identifier: MIT */
/* json.h - JSON from the server: parsed by jansson, and whole or not at all.
 *
 * Jansson 2.14 leaves out a byte of a string when memory runs out while it reads it, and does not
 * say so. A library may not replace the allocation functions of its host's jansson to notice, so
 * json_read() compares what it got with what was written. */
#ifndef BANTER_CLIENT_JSON_H
#define BANTER_CLIENT_JSON_H

#include "base/compiler.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object. NULL: *error is BANTER_INTERNAL if it is none, or BANTER_NO_MEMORY. */
json_t *json_read(const char *text, size_t length, int *error) MUST_USE;

/* A string member, borrowed, or NULL. `object` may be NULL, here and below. */
const char *json_text_of(const json_t *object, const char *name);
/* An integer member, 0 if there is none. */
int64_t json_count_of(const json_t *object, const char *name);
bool json_truth_of(const json_t *object, const char *name);
/* Members that jansson makes; false: out of memory. */
bool json_put_text(json_t *object, const char *name, const char *text) MUST_USE;
bool json_put_count(json_t *object, const char *name, int64_t value) MUST_USE;

#endif
