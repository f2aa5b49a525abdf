/* SPDX-License-Identifier: MIT */
/* log_fields.c - see log_fields.h. */
#include "base/log_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_MAX_BYTES = 4 };

static const struct rate quota_rate = {.count = 60, .seconds = 60};

static size_t escape_byte(char out[ESCAPE_MAX_BYTES], unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)c;
    if (c == '"' || c == '\\')
        return 2;
    out[1] = 'n';
    if (c == '\n')
        return 2;
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

size_t log_escape(char *out, size_t room, struct slice value)
{
    char escaped[ESCAPE_MAX_BYTES];
    size_t used = 0;

    for (size_t i = 0; i < value.length; i++) {
        size_t length = escape_byte(escaped, (unsigned char)value.data[i]);

        if (used + length > room)
            break;
        memcpy(out + used, escaped, length);
        used += length;
    }
    return used;
}

/* What can stand without quotes. */
static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return true;
}

void log_field(struct log_fields *f, const char *name, struct slice value)
{
    char escaped[LOG_VALUE_BYTES];
    const char *quote = is_plain(value) ? "" : "\"";
    int written;

    if (value.length == 0)
        return;
    written = snprintf(f->text + f->length, sizeof f->text - f->length, " %s=%s%.*s%s", name, quote,
                       (int)log_escape(escaped, sizeof escaped, value), escaped, quote);
    if (written > 0 && (size_t)written < sizeof f->text - f->length)
        f->length += (size_t)written;
    else
        f->text[f->length] = '\0';
}

void log_field_number(struct log_fields *f, const char *name, int64_t value)
{
    char decimal[24];

    snprintf(decimal, sizeof decimal, "%" PRId64, value);
    log_field(f, name, slice_str(decimal));
}

bool log_quota_take(struct log_quota *q, uint64_t now_ms, struct log_fields *fields)
{
    if (bucket_take(&q->bucket, quota_rate, now_ms) > 0) {
        q->left_out++;
        return false;
    }
    if (q->left_out > 0)
        log_field_number(fields, "left_out", (int64_t)q->left_out);
    q->left_out = 0;
    return true;
}
