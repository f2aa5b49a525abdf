/* SPDX-License-Identifier: MIT */
/* origin.c - see origin.h. */
#include "base/origin.h"

#include <ctype.h>
#include <strings.h>

enum { PORT_MAX_DIGITS = 5 };

static const char blanks[] = " \t,";

static const struct {
    const char *begin;
    const char *port; /* that it implies */
} schemes[] = {
    {"http://", ":80"},
    {"https://", ":443"},
    {"ws://", ":80"},
    {"wss://", ":443"},
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* Length of "[2001:db8::1]" at the beginning, 0: there is none. */
static size_t bracketed_length(struct slice text)
{
    size_t length = 1;

    if (text.length == 0 || text.data[0] != '[')
        return 0;
    while (length < text.length &&
           (isxdigit((unsigned char)text.data[length]) || is_one_of(text.data[length], ":.")))
        length++;
    return length > 1 && length < text.length && text.data[length] == ']' ? length + 1 : 0;
}

static size_t host_length(struct slice text)
{
    size_t length = bracketed_length(text);

    if (length > 0)
        return length;
    while (length < text.length &&
           (is_alphanumeric(text.data[length]) || is_one_of(text.data[length], "-._")))
        length++;
    return length;
}

/* Length of ":8080" at the beginning; 0: there is none. */
static size_t port_length(struct slice text)
{
    size_t length = 1;

    if (text.length == 0 || text.data[0] != ':')
        return 0;
    while (length < text.length && text.data[length] >= '0' && text.data[length] <= '9')
        length++;
    return length > 1 && length <= 1 + PORT_MAX_DIGITS ? length : 0;
}

static struct slice after(struct slice text, size_t length)
{
    return slice_of(text.data + length, text.length - length);
}

bool origin_of(struct slice url, char out[ORIGIN_TEXT_BYTES])
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t scheme = strlen(schemes[i].begin), host, port, length;
        struct slice rest;

        if (url.length <= scheme || strncasecmp(url.data, schemes[i].begin, scheme) != 0)
            continue;
        rest = after(url, scheme);
        host = host_length(rest);
        rest = after(rest, host);
        port = port_length(rest);
        length = scheme + host;
        if (host == 0 || length + port >= ORIGIN_TEXT_BYTES ||
            (rest.length > port && !is_one_of(rest.data[port], "/?#")))
            return false;
        if (!slice_equal(slice_of(rest.data, port), slice_str(schemes[i].port)))
            length += port;
        for (size_t at = 0; at < length; at++)
            out[at] = (char)tolower((unsigned char)url.data[at]);
        out[length] = '\0';
        return true;
    }
    return false;
}

bool origin_is_listed(const char *origins, struct slice origin)
{
    for (origins += strspn(origins, blanks); *origins; origins += strspn(origins, blanks)) {
        struct slice one = slice_of(origins, strcspn(origins, blanks));

        if (slice_equal(one, slice_str("*")) ||
            (one.length == origin.length && strncasecmp(one.data, origin.data, one.length) == 0))
            return true;
        origins += one.length;
    }
    return false;
}

bool origin_sources_are_good(const char *sources)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._:/*[] ";

    return sources[strspn(sources, allowed)] == '\0';
}
