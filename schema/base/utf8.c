/* SPDX-License-Identifier: MIT */
/* utf8.c - see utf8.h. One function knows the encoding; ASCII is skipped eight bytes at a time. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The length of the ASCII run at the start of the `n` bytes at `p`, rounded down to 8. */
static size_t ascii_run(const unsigned char *p, size_t n)
{
    size_t i = 0;

    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

/* The length of the one code point at the start of the `n` (> 0) bytes at `p`, or 0 when it is
 * malformed or cut. The narrower ranges of the second byte (RFC 3629 section 4) are what excludes
 * overlong forms, surrogates and everything above U+10FFFF. */
static size_t sequence_length(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (n < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* Walks the longest valid prefix of `s`: returns its bytes and counts its code points. */
static size_t valid_prefix(struct slice s, size_t *count)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t at = 0, points = 0;

    while (at < s.length) {
        size_t step = ascii_run(p + at, s.length - at);

        if (step > 0) {
            points += step;
        } else {
            step = sequence_length(p + at, s.length - at);
            if (step == 0)
                break;
            points++;
        }
        at += step;
    }
    *count = points;
    return at;
}

bool utf8_count(struct slice s, size_t *count)
{
    size_t points;

    if (valid_prefix(s, &points) != s.length)
        return false;
    *count = points;
    return true;
}

struct slice utf8_prefix(struct slice s, size_t max_bytes)
{
    size_t points;

    if (s.length > max_bytes)
        s.length = max_bytes;
    return slice_of(s.data, valid_prefix(s, &points));
}
