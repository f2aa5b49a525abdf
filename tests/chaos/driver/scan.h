/* SPDX-License-Identifier: MIT */
/* scan.h - walks through JSON that a program wrote, without building a tree: what a device hears is
 * looked at some ten thousand times a second. Pure.
 *
 * It finds where values begin and end and decodes strings and integers; it is no validator, but
 * whatever is not JSON in shape ends a walk with SCAN_BAD. */
#ifndef BANTER_CHAOS_SCAN_H
#define BANTER_CHAOS_SCAN_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_status { SCAN_ITEM, SCAN_END, SCAN_BAD };

/* Walks the members of an object or the elements of an array: start with `rest` = the whole value
 * and `begun` = false. */
struct scan {
    struct slice rest;
    bool begun;
};

struct scan scan_of(struct slice value);
/* The next member; both slices are raw, the name without its quotes. After SCAN_END nothing but
 * white space follows the object. */
enum scan_status scan_member(struct scan *s, struct slice *name, struct slice *value) MUST_USE;
enum scan_status scan_element(struct scan *s, struct slice *value) MUST_USE;

/* The string between the quotes of a raw value. It borrows from the value, unless the string has
 * escapes: then it is decoded into `room`, which is reset before. False: not a string. */
bool scan_string(struct slice value, struct buf *room, struct slice *out) MUST_USE;
bool scan_integer(struct slice value, int64_t *out) MUST_USE;

#endif
