/* SPDX-License-Identifier: MIT */
/* resp.c - see resp.h. Every reply begins with a line: a mark that says what it is, and either the
 * whole of it or a number that says how much follows. */
#include "bus/resp.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct reader {
    struct slice rest;
    enum resp_status status; /* RESP_WHOLE as long as all is well */
};

static bool stop(struct reader *r, enum resp_status why)
{
    if (r->status == RESP_WHOLE)
        r->status = why;
    return false;
}

static void skip(struct reader *r, size_t length)
{
    r->rest = slice_of(r->rest.data + length, r->rest.length - length);
}

/* Takes the next line, without its mark and its end. */
static bool take_line(struct reader *r, char *mark, struct slice *text)
{
    size_t longest = r->rest.length < RESP_LINE_MAX ? r->rest.length : RESP_LINE_MAX;
    const char *end = longest > 0 ? memchr(r->rest.data, '\r', longest) : NULL;
    size_t length;

    if (!end)
        return stop(r, longest == RESP_LINE_MAX ? RESP_MALFORMED : RESP_PARTIAL);
    length = (size_t)(end - r->rest.data);
    if (length == 0)
        return stop(r, RESP_MALFORMED);
    if (length + 1 == r->rest.length)
        return stop(r, RESP_PARTIAL);
    if (end[1] != '\n')
        return stop(r, RESP_MALFORMED);
    *mark = r->rest.data[0];
    *text = slice_of(r->rest.data + 1, length - 1);
    skip(r, length + 2);
    return true;
}

/* At most `max`, or -1, which is how nil is written. */
static bool read_count(struct slice text, int64_t max, int64_t *out)
{
    int64_t value = 0;

    if (slice_equal(text, slice_str("-1"))) {
        *out = -1;
        return true;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = 10 * value + (text.data[i] - '0');
        if (value > max)
            return false;
    }
    *out = value;
    return text.length > 0;
}

static bool take_string(struct reader *r, struct slice head, struct slice *out)
{
    int64_t count;
    size_t length;

    *out = slice_of(NULL, 0);
    if (!read_count(head, RESP_TEXT_MAX, &count))
        return stop(r, RESP_MALFORMED);
    if (count < 0)
        return true;
    length = (size_t)count;
    if (r->rest.length < length + 2)
        return stop(r, RESP_PARTIAL);
    if (memcmp(r->rest.data + length, RESP_END, 2) != 0)
        return stop(r, RESP_MALFORMED);
    *out = slice_of(r->rest.data, length);
    skip(r, length + 2);
    return true;
}

static bool take_element(struct reader *r, struct slice *out)
{
    struct slice text;
    char mark;

    if (!take_line(r, &mark, &text))
        return false;
    if (mark == '$')
        return take_string(r, text, out);
    *out = text;
    return mark == ':' || mark == '+' || stop(r, RESP_MALFORMED);
}

static bool take_array(struct reader *r, struct slice head, struct resp *out)
{
    int64_t count;

    if (!read_count(head, RESP_ELEMENTS_MAX, &count))
        return stop(r, RESP_MALFORMED);
    for (int64_t i = 0; i < count; i++) {
        if (!take_element(r, &out->elements[out->count]))
            return false;
        out->count++;
    }
    return true;
}

static bool take_reply(struct reader *r, struct resp *out)
{
    struct slice text;
    char mark;

    if (!take_line(r, &mark, &text))
        return false;
    out->text = text;
    switch (mark) {
    case '+':
    case ':':
        out->type = RESP_LINE;
        return true;
    case '-':
        out->type = RESP_ERROR;
        return true;
    case '$':
        out->type = RESP_STRING;
        return take_string(r, text, &out->text);
    case '*':
        out->type = RESP_ARRAY;
        return take_array(r, text, out);
    default:
        return stop(r, RESP_MALFORMED);
    }
}

enum resp_status resp_next(struct slice input, struct resp *out, size_t *used)
{
    struct reader r = {input, RESP_WHOLE};

    *out = (struct resp){0};
    if (!take_reply(&r, out))
        return r.status;
    *used = input.length - r.rest.length;
    return RESP_WHOLE;
}

size_t resp_command_head(char text[RESP_HEAD_MAX], unsigned words)
{
    return (size_t)snprintf(text, RESP_HEAD_MAX, "*%u" RESP_END, words);
}

size_t resp_word_head(char text[RESP_HEAD_MAX], size_t length)
{
    return (size_t)snprintf(text, RESP_HEAD_MAX, "$%zu" RESP_END, length);
}
