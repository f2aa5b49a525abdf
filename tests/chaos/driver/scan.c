/* SPDX-License-Identifier: MIT */
/* scan.c - see scan.h. */
#include "scan.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

/* `p` is behind the opening quote; returns what is behind the closing one, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *escape;

        if (!quote)
            return NULL;
        escape = memchr(p, '\\', (size_t)(quote - p));
        if (!escape)
            return quote + 1;
        p = escape + 2;
    }
    return NULL;
}

static const char *skip_word(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && !is_space(*p) && !strchr(",:]}[{\"", *p))
        p++;
    return p > start ? p : NULL;
}

/* An object or array, by counting brackets of both kinds. */
static const char *skip_nested(const char *p, const char *end)
{
    unsigned depth = 0;

    while (p && p < end) {
        char c = *p++;

        if (c == '"')
            p = skip_string(p, end);
        else if ((c == '{' || c == '[') && ++depth > DEPTH_MAX)
            return NULL;
        else if ((c == '}' || c == ']') && --depth == 0)
            return p;
    }
    return NULL;
}

static const char *skip_value(const char *p, const char *end)
{
    if (p == end)
        return NULL;
    if (*p == '"')
        return skip_string(p + 1, end);
    if (*p == '{' || *p == '[')
        return skip_nested(p, end);
    return skip_word(p, end);
}

struct scan scan_of(struct slice value)
{
    return (struct scan){.rest = value};
}

static void advance(struct scan *s, const char *p)
{
    const char *end = s->rest.data + s->rest.length;

    s->rest = slice_of(p, (size_t)(end - p));
}

/* Steps over the opening bracket or the comma to where the next item begins. */
static enum scan_status step(struct scan *s, char open, char close)
{
    const char *end = s->rest.data + s->rest.length;
    const char *p = skip_space(s->rest.data, end);

    if (p == end || (!s->begun && *p != open))
        return SCAN_BAD;
    if (s->begun && *p == close)
        return skip_space(p + 1, end) == end ? SCAN_END : SCAN_BAD;
    if (s->begun && *p != ',')
        return SCAN_BAD;
    p = skip_space(p + 1, end);
    if (!s->begun && p < end && *p == close)
        return skip_space(p + 1, end) == end ? SCAN_END : SCAN_BAD;
    s->begun = true;
    advance(s, p);
    return SCAN_ITEM;
}

static enum scan_status take_value(struct scan *s, struct slice *value)
{
    const char *start = s->rest.data;
    const char *p = skip_value(start, start + s->rest.length);

    if (!p)
        return SCAN_BAD;
    *value = slice_of(start, (size_t)(p - start));
    advance(s, p);
    return SCAN_ITEM;
}

enum scan_status scan_member(struct scan *s, struct slice *name, struct slice *value)
{
    enum scan_status status = step(s, '{', '}');
    const char *end = s->rest.data + s->rest.length;
    const char *p;

    if (status != SCAN_ITEM)
        return status;
    if (take_value(s, name) != SCAN_ITEM || name->length < 2 || name->data[0] != '"')
        return SCAN_BAD;
    *name = slice_of(name->data + 1, name->length - 2);
    p = skip_space(s->rest.data, end);
    if (p == end || *p != ':')
        return SCAN_BAD;
    advance(s, skip_space(p + 1, end));
    return take_value(s, value);
}

enum scan_status scan_element(struct scan *s, struct slice *value)
{
    enum scan_status status = step(s, '[', ']');

    return status == SCAN_ITEM ? take_value(s, value) : status;
}

static bool read_hex(const char *p, const char *end, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";

    *out = 0;
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        const char *digit = memchr(digits, p[i] >= 'A' ? p[i] | 0x20 : p[i], 16);

        if (!digit)
            return false;
        *out = *out << 4 | (uint32_t)(digit - digits);
    }
    return true;
}

/* Surrogates are refused: nothing that is listened to here writes them as escapes. */
static bool put_escaped_unit(struct buf *room, uint32_t unit)
{
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000))
        return false;
    if (unit < 0x80) {
        buf_char(room, (char)unit);
    } else if (unit < 0x800) {
        buf_char(room, (char)(0xc0 | unit >> 6));
        buf_char(room, (char)(0x80 | (unit & 0x3f)));
    } else {
        buf_char(room, (char)(0xe0 | unit >> 12));
        buf_char(room, (char)(0x80 | (unit >> 6 & 0x3f)));
        buf_char(room, (char)(0x80 | (unit & 0x3f)));
    }
    return true;
}

static bool decode(struct slice raw, struct buf *room)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *p = raw.data;
    const char *end = p + raw.length;

    buf_reset(room);
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *letter;
        uint32_t unit;

        if (!escape)
            escape = end;
        buf_bytes(room, p, (size_t)(escape - p));
        if (escape == end)
            break;
        p = escape + 2;
        if (p > end)
            return false;
        letter = memchr(letters, p[-1], sizeof(letters) - 1);
        if (letter) {
            buf_char(room, meanings[letter - letters]);
        } else if (p[-1] == 'u' && read_hex(p, end, &unit) && put_escaped_unit(room, unit)) {
            p += 4;
        } else {
            return false;
        }
    }
    return !room->failed;
}

bool scan_string(struct slice value, struct buf *room, struct slice *out)
{
    if (value.length < 2 || value.data[0] != '"' || value.data[value.length - 1] != '"')
        return false;
    *out = slice_of(value.data + 1, value.length - 2);
    if (!memchr(out->data, '\\', out->length))
        return true;
    if (!decode(*out, room))
        return false;
    *out = buf_slice(room);
    return true;
}

bool scan_integer(struct slice value, int64_t *out)
{
    enum { DIGITS_MAX = 18 };
    bool negative = value.length > 0 && value.data[0] == '-';

    *out = 0;
    if (value.length == negative || value.length > DIGITS_MAX)
        return false;
    for (size_t i = negative; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        *out = 10 * *out + (value.data[i] - '0');
    }
    if (negative)
        *out = -*out;
    return true;
}
