/* SPDX-License-Identifier: MIT */
/* wrap.c - breaking lines. */
#include "chat/wrap.h"

#include "chat/glyph.h"

#include <assert.h>

void wrap_begin(struct wrap *w, const char *text, size_t length, int width)
{
    assert(width >= GLYPH_TAB_WIDTH);
    *w = (struct wrap){.text = text, .length = length, .width = width};
}

/* Where the row that begins at `w->at` ends. */
static size_t end_of_row(const struct wrap *w)
{
    size_t at = w->at, behind_space = w->at;
    int column = 0;

    while (at < w->length && w->text[at] != '\n') {
        struct glyph glyph;
        size_t bytes = glyph_next(w->text + at, w->length - at, &glyph);
        bool is_space = glyph.text[0] == L' ';

        if (column + glyph.width > w->width && !(is_space && column <= w->width))
            return behind_space > w->at ? behind_space : at;
        at += bytes;
        column += glyph.width;
        if (is_space)
            behind_space = at;
        if (column > w->width)
            return at;
    }
    return at;
}

bool wrap_next(struct wrap *w, struct row *out)
{
    size_t end;

    if (w->is_over)
        return false;
    end = end_of_row(w);
    *out = (struct row){w->text + w->at, end - w->at};
    w->is_over = end == w->length;
    w->at = end < w->length && w->text[end] == '\n' ? end + 1 : end;
    return true;
}

int wrap_rows(const char *text, size_t length, int width)
{
    struct wrap w;
    struct row row;
    int count = 0;

    wrap_begin(&w, text, length, width);
    while (wrap_next(&w, &row))
        count++;
    return count;
}
