/* SPDX-License-Identifier: MIT */
/* slice.h - a borrowed run of bytes: never owned, never NUL-terminated by promise. */
#ifndef BANTER_BASE_SLICE_H
#define BANTER_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* may be NULL only when length is 0 */
    size_t length;    /* bytes */
};

static inline struct slice slice_of(const char *data, size_t length)
{
    return (struct slice){data, length};
}

/* Borrows a C string, without its NUL. NULL gives an empty slice. */
static inline struct slice slice_str(const char *string)
{
    return (struct slice){string, string ? strlen(string) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#endif
