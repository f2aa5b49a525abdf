/* SPDX-License-Identifier: MIT */
/* http_field.h - what both who read HTTP heads need to know of a line: the front door, for the
 * first request of a connection, and the API's server, for every one. */
#ifndef BANTER_BRIDGE_HTTP_FIELD_H
#define BANTER_BRIDGE_HTTP_FIELD_H

#include "base/slice.h"

#include <stdbool.h>
#include <strings.h>

static inline bool http_field_equals(struct slice s, const char *text)
{
    return s.length == strlen(text) && strncasecmp(s.data, text, s.length) == 0;
}

/* Without the blanks and tabs around it (RFC 9110 5.5). */
static inline struct slice http_field_trim(struct slice s)
{
    while (s.length > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_of(s.data + 1, s.length - 1);
    while (s.length > 0 && (s.data[s.length - 1] == ' ' || s.data[s.length - 1] == '\t'))
        s.length--;
    return s;
}

/* Control characters are what lines that two parsers read differently are made of. */
static inline bool http_field_is_clean(struct slice line)
{
    for (size_t i = 0; i < line.length; i++) {
        unsigned char c = (unsigned char)line.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

#endif
