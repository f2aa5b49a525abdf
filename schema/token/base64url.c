/* SPDX-License-Identifier: MIT */
/* base64url.c - base64url without padding. Canonical: every byte string has exactly one text, so
 * leftover bits must be zero and nothing is skipped. */
#include "base/buf.h"
#include "token/jwt.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(struct buf *out, struct slice bytes)
{
    unsigned bits = 0, count = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        bits = bits << 8 | (unsigned char)bytes.data[i];
        count += 8;
        while (count >= 6) {
            count -= 6;
            buf_char(out, alphabet[bits >> count & 63]);
        }
        bits &= (1u << count) - 1;
    }
    if (count > 0)
        buf_char(out, alphabet[bits << (6 - count) & 63]);
}

/* -1: not in the alphabet. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

bool base64url_decode(struct buf *out, struct slice text)
{
    unsigned bits = 0, count = 0;

    if (text.length % 4 == 1)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        int value = digit_value(text.data[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf_char(out, (char)(bits >> count & 0xff));
        }
        bits &= (1u << count) - 1;
    }
    return bits == 0 && !out->failed;
}
