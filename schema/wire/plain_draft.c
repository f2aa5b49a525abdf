/* SPDX-License-Identifier: MIT */
/* plain_draft.c - see plain_draft.h. A cursor walks over the document once; every step either takes
 * what it expects or gives up. */
#include "wire/plain_draft.h"

#include <stddef.h>
#include <string.h>

struct cursor {
    const char *at, *end;
};

static void skip_spaces(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

static bool take(struct cursor *c, char expected)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at != expected)
        return false;
    c->at++;
    return true;
}

/* Control characters may not stand in a JSON string, and a backslash makes something else of it. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == '\\')
            return false;
    }
    return true;
}

static bool take_string(struct cursor *c, struct slice *out)
{
    const char *quote;

    if (!take(c, '"'))
        return false;
    quote = memchr(c->at, '"', (size_t)(c->end - c->at));
    if (!quote)
        return false;
    *out = slice_of(c->at, (size_t)(quote - c->at));
    c->at = quote + 1;
    return is_plain(*out);
}

/* One of the two members that has not come yet. */
static bool take_member(struct cursor *c, struct slice *id, struct slice *text)
{
    struct slice name, value;
    struct slice *member;

    if (!take_string(c, &name) || !take(c, ':') || !take_string(c, &value))
        return false;
    member = slice_equal(name, slice_str("id"))     ? id
             : slice_equal(name, slice_str("text")) ? text
                                                    : NULL;
    if (!member || member->data)
        return false;
    *member = value;
    return true;
}

bool plain_draft_read(struct slice json, struct slice *id, struct slice *text)
{
    struct cursor c;

    *id = *text = slice_of(NULL, 0);
    if (json.length == 0)
        return false; /* and json.data may be NULL */
    c = (struct cursor){json.data, json.data + json.length};
    if (!take(&c, '{') || !take_member(&c, id, text) || !take(&c, ',') ||
        !take_member(&c, id, text) || !take(&c, '}'))
        return false;
    skip_spaces(&c);
    return c.at == c.end;
}
