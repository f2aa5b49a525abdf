/* SPDX-License-Identifier: MIT */
/* glyph.c - UTF-8 into glyphs. */
#include "chat/glyph.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    REPLACEMENT = 0xfffd,
    SURROGATES = 0xd800,
    SURROGATES_END = 0xe000,
    UNICODE_END = 0x110000,
};

/* Characters that are left out: invisible, and terminals differ about them or obey them. */
static const struct {
    uint32_t first, last;
} left_out[] = {
    {'\r', '\r'},       {0xad, 0xad}, /* soft hyphen */
    {0x61c, 0x61c},                   /* Arabic letter mark */
    {0x180b, 0x180f},                 /* Mongolian selectors */
    {0x200b, 0x200f},                 /* zero width, joiners, directions */
    {0x202a, 0x202e},                 /* embeddings and overrides of direction */
    {0x2060, 0x206f},                 /* joiner, isolates, deprecated ones */
    {0xfe00, 0xfe0f},                 /* variants */
    {0xfeff, 0xfeff},                 /* byte order mark */
    {0xfff9, 0xfffb},                 /* interlinear annotations */
    {0x1f3fb, 0x1f3ff},               /* skin tones */
    {0xe0000, 0xe0fff},               /* tags and more variants */
};

static bool is_left_out(uint32_t c)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (c >= left_out[i].first && c <= left_out[i].last)
            return true;
    return false;
}

/* Length of the sequence that begins with `first`, and the least character it may encode. */
static size_t sequence_of(unsigned char first, uint32_t *bits, uint32_t *least)
{
    if (first < 0x80) {
        *bits = first;
        *least = 0;
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        *bits = first & 0x1fu;
        *least = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *bits = first & 0xfu;
        *least = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *bits = first & 7u;
        *least = 0x10000;
        return 4;
    }
    return 0;
}

static size_t decode(const char *text, size_t length, uint32_t *out)
{
    uint32_t c = 0, least = 0;
    size_t bytes = sequence_of((unsigned char)text[0], &c, &least);

    *out = REPLACEMENT;
    if (bytes == 0 || bytes > length)
        return 1;
    for (size_t i = 1; i < bytes; i++) {
        unsigned char next = (unsigned char)text[i];

        if (next < 0x80 || next >= 0xc0)
            return 1;
        c = c << 6 | (next & 0x3fu);
    }
    if (c >= least && c < UNICODE_END && !(c >= SURROGATES && c < SURROGATES_END))
        *out = c;
    return bytes;
}

static int width_of(uint32_t c)
{
    return c == '\t' ? GLYPH_TAB_WIDTH : wcwidth((wchar_t)c);
}

size_t glyph_next(const char *text, size_t length, struct glyph *out)
{
    size_t at = 0, marks = 0;

    assert(length > 0 && text[0] != '\n');
    memset(out, 0, sizeof *out);
    while (at < length && text[at] != '\n') {
        uint32_t c;
        size_t bytes = decode(text + at, length - at, &c);
        int width = is_left_out(c) ? 0 : width_of(c);

        if (width != 0 && out->width > 0)
            break;
        at += bytes;
        if (width != 0) {
            out->text[0] = c == '\t' ? L' ' : (wchar_t)(width > 0 ? c : REPLACEMENT);
            out->width = width > 0 ? width : 1;
        } else if (out->width > 0 && marks < GLYPH_MARKS && !is_left_out(c)) {
            out->text[++marks] = (wchar_t)c;
        }
    }
    return at;
}

int glyph_width(const char *text, size_t length)
{
    int width = 0;
    struct glyph glyph;

    for (size_t at = 0; at < length && text[at] != '\n';) {
        at += glyph_next(text + at, length - at, &glyph);
        width += glyph.width;
    }
    return width;
}

size_t glyph_encode(wchar_t character, char *out)
{
    uint32_t c = (uint32_t)character;

    if (c >= UNICODE_END || (c >= SURROGATES && c < SURROGATES_END))
        return 0;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}
