/* SPDX-License-Identifier: MIT */
/* buf.c - see buf.h. Every writer goes through buf_reserve(), the only place that grows or fails.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, U64_DIGITS = 20 };

void buf_init(struct buf *b, size_t ceiling)
{
    assert(ceiling > 0 && ceiling < SIZE_MAX / 2);
    *b = (struct buf){.ceiling = ceiling};
}

void buf_finish(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.ceiling = b->ceiling};
}

void buf_reset(struct buf *b)
{
    b->length = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

char *buf_detach(struct buf *b)
{
    char *data = NULL;

    /* An empty buffer owns nothing yet, but the caller is promised a string. */
    if (buf_reserve(b, 0)) {
        data = b->data;
        data[b->length] = '\0';
        b->data = NULL;
    }
    buf_finish(b);
    return data;
}

struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->data, b->length);
}

/* Doubles until `need` fits. `need` is at most ceiling + 1, so nothing here overflows. */
static bool grow(struct buf *b, size_t need)
{
    size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
    char *data;

    while (capacity < need)
        capacity *= 2;
    if (capacity > b->ceiling + 1)
        capacity = b->ceiling + 1;
    data = realloc(b->data, capacity);
    if (!data)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    assert(b->ceiling > 0 && b->length <= b->ceiling);
    if (b->failed)
        return NULL;
    if (n > b->ceiling - b->length ||
        (b->length + n + 1 > b->capacity && !grow(b, b->length + n + 1))) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->length;
}

/* Counts `n` bytes that were written at buf_reserve()'s place. */
static void advance(struct buf *b, size_t n)
{
    b->length += n;
    assert(b->length < b->capacity);
    b->data[b->length] = '\0';
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->length);
    if (n == 0)
        return;
    b->length -= n;
    memmove(b->data, b->data + n, b->length);
    b->data[b->length] = '\0';
}

void buf_bytes(struct buf *b, const void *data, size_t n)
{
    char *to = buf_reserve(b, n);

    if (!to)
        return;
    if (n > 0)
        memcpy(to, data, n);
    advance(b, n);
}

void buf_slice_put(struct buf *b, struct slice s)
{
    buf_bytes(b, s.data, s.length);
}

void buf_str(struct buf *b, const char *string)
{
    buf_bytes(b, string, strlen(string));
}

void buf_char(struct buf *b, char c)
{
    buf_bytes(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[U64_DIGITS];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_bytes(b, digits + at, sizeof digits - at);
}

void buf_i64(struct buf *b, int64_t value)
{
    if (value < 0) {
        buf_char(b, '-');
        buf_u64(b, -(uint64_t)value);
    } else {
        buf_u64(b, (uint64_t)value);
    }
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list arguments;
    int length;
    char *to;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        b->failed = true;
        return;
    }
    to = buf_reserve(b, (size_t)length);
    if (!to)
        return;
    va_start(arguments, format);
    vsnprintf(to, (size_t)length + 1, format, arguments);
    va_end(arguments);
    advance(b, (size_t)length);
}

static void put_le(struct buf *b, uint64_t value, size_t width)
{
    char bytes[8];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (char)(value >> (8 * i) & 0xff);
    buf_bytes(b, bytes, width);
}

void buf_le8(struct buf *b, uint8_t value)
{
    put_le(b, value, 1);
}

void buf_le16(struct buf *b, uint16_t value)
{
    put_le(b, value, 2);
}

void buf_le32(struct buf *b, uint32_t value)
{
    put_le(b, value, 4);
}

void buf_le64(struct buf *b, uint64_t value)
{
    put_le(b, value, 8);
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* The sign bit of some byte of the result is set if a byte of `word` is less than `limit` (<= 128).
 */
static uint64_t any_byte_below(uint64_t word, unsigned limit)
{
    return (word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes at the start of `s` may stand in a JSON string as they are. Texts are long and
 * escapes rare, so it looks at eight bytes at a time. */
static size_t plain_run(struct slice s)
{
    size_t i = 0;

    for (uint64_t word; s.length - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.data + i, sizeof word);
        if (any_byte_below(word, 0x20) || any_byte_below(word ^ EACH_BYTE('"'), 1) ||
            any_byte_below(word ^ EACH_BYTE('\\'), 1))
            break;
    }
    while (i < s.length && !needs_escape((unsigned char)s.data[i]))
        i++;
    return i;
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";

    if (c >= 0x20) {
        buf_bytes(b, (const char[]){'\\', (char)c}, 2);
    } else if (letters[c]) {
        buf_bytes(b, (const char[]){'\\', letters[c]}, 2);
    } else {
        buf_bytes(b, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
}

void buf_json(struct buf *b, struct slice s)
{
    buf_char(b, '"');
    while (s.length > 0) {
        size_t run = plain_run(s);

        buf_bytes(b, s.data, run);
        if (run < s.length)
            put_escape(b, (unsigned char)s.data[run++]);
        s = slice_of(s.data + run, s.length - run);
    }
    buf_char(b, '"');
}

void buf_json_key(struct buf *b, const char *name)
{
    if (b->length == 0 || b->data[b->length - 1] != '{')
        buf_char(b, ',');
    buf_char(b, '"');
    buf_str(b, name);
    buf_bytes(b, "\":", 2);
}
