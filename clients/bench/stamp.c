/* SPDX-License-Identifier: MIT */
/* stamp.c - see stamp.h. The text is TTTTTTTT-TTTT-8NNN-8NNN-SSSSSSRRRRRR in hexadecimal. */
#include "stamp.h"

#include <assert.h>

static void put_hex(char *to, uint64_t value, unsigned digits)
{
    while (digits-- > 0) {
        to[digits] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    }
}

static bool get_hex(const char *from, unsigned digits, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < digits; i++) {
        char c = from[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = value;
    return true;
}

void stamp_format(const struct stamp *s, char text[UUID_TEXT_LENGTH])
{
    uint32_t number = s->number & STAMP_MASK;

    assert(s->due_us >> 48 == 0);
    put_hex(text, s->due_us >> 16, 8);
    text[8] = '-';
    put_hex(text + 9, s->due_us & 0xffff, 4);
    text[13] = '-';
    text[14] = '8';
    put_hex(text + 15, number >> 12, 3);
    text[18] = '-';
    text[19] = '8';
    put_hex(text + 20, number & 0xfff, 3);
    text[23] = '-';
    put_hex(text + 24, s->sender & STAMP_MASK, 6);
    put_hex(text + 30, s->run & STAMP_MASK, 6);
}

bool stamp_parse(struct slice text, struct stamp *out)
{
    const char *p = text.data;
    uint64_t due_high, due_low, number_high, number_low, sender, run;

    if (text.length != UUID_TEXT_LENGTH || p[14] != '8' || p[19] != '8')
        return false;
    if (!get_hex(p, 8, &due_high) || !get_hex(p + 9, 4, &due_low) ||
        !get_hex(p + 15, 3, &number_high) || !get_hex(p + 20, 3, &number_low) ||
        !get_hex(p + 24, 6, &sender) || !get_hex(p + 30, 6, &run))
        return false;
    out->due_us = due_high << 16 | due_low;
    out->number = (uint32_t)(number_high << 12 | number_low);
    out->sender = (uint32_t)sender;
    out->run = (uint32_t)run;
    return true;
}

/* The value after `"name":`, up to the end of the JSON; empty when there is none. */
static struct slice find_value(struct slice json, const char *quoted_name, size_t length)
{
    const char *at = memmem(json.data, json.length, quoted_name, length);

    if (!at)
        return slice_of(NULL, 0);
    at += length;
    return slice_of(at, (size_t)(json.data + json.length - at));
}

static struct slice string_at(struct slice value)
{
    if (value.length < 2 || value.data[0] != '"')
        return slice_of(NULL, 0);

    const char *start = value.data + 1;
    const char *end = memchr(start, '"', value.length - 1);

    return end ? slice_of(start, (size_t)(end - start)) : slice_of(NULL, 0);
}

static int64_t number_at(struct slice value)
{
    int64_t number = 0;

    for (size_t i = 0; i < value.length && i < 18; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            break;
        number = number * 10 + (value.data[i] - '0');
    }
    return number;
}

#define FIND(json, name) find_value(json, "\"" name "\":", sizeof("\"" name "\":") - 1)

void glance_read(struct slice json, struct glance *out)
{
    out->stamped = stamp_parse(string_at(FIND(json, "id")), &out->stamp);
    out->seq = number_at(FIND(json, "seq"));
    out->error_code = slice_of(NULL, 0);
    if (out->seq > 0)
        return;

    struct slice error = FIND(json, "error");

    if (error.length > 0)
        out->error_code = string_at(FIND(error, "code"));
}
