/* SPDX-License-Identifier: MIT */
/* log_fields.h - what a line of a log is about, as ` name=value` pairs in logfmt, and how often
 * something may be logged that strangers bring about.
 *
 * Never a token, a password or a text that somebody wrote. Values are escaped, so that a hostile
 * name can neither forge a line nor rewrite one on a terminal. */
#ifndef BANTER_BASE_LOG_FIELDS_H
#define BANTER_BASE_LOG_FIELDS_H

#include "base/bucket.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOG_FIELDS_BYTES = 1024,
    LOG_VALUE_BYTES = 256, /* of one value, escaped; what is longer is cut */
};

/* Starts as zeros. What does not fit is left out. */
struct log_fields {
    char text[LOG_FIELDS_BYTES]; /* with a NUL */
    size_t length;
};

/* An empty value is left out. */
void log_field(struct log_fields *f, const char *name, struct slice value);
void log_field_number(struct log_fields *f, const char *name, int64_t value);

/* Writes at most `room` bytes, without a NUL: what could end a line, a quoted value or an escape
 * is escaped. Returns how many. */
size_t log_escape(char *out, size_t room, struct slice value);

/* Zeroed: 60 lines at once, and then one a second. */
struct log_quota {
    struct bucket bucket;
    uint64_t left_out;
};

/* False: this line is one too many. Else `fields` say how many were since the last one. */
bool log_quota_take(struct log_quota *q, uint64_t now_ms, struct log_fields *fields) MUST_USE;

#endif
