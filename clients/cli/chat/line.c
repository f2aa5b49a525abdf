/* SPDX-License-Identifier: MIT */
/* line.c - writing a text. */
#include "chat/line.h"

#include "chat/glyph.h"
#include "chat/memory.h"
#include "chat/wrap.h"

#include <stdlib.h>
#include <string.h>

enum { ENCODED_MAX = 4 };

void line_init(struct line *l, size_t characters_max)
{
    *l = (struct line){.characters_max = characters_max};
}

void line_finish(struct line *l)
{
    free(l->text);
    *l = (struct line){0};
}

void line_clear(struct line *l)
{
    l->length = l->cursor = l->characters = 0;
    if (l->text)
        l->text[0] = '\0';
}

const char *line_text(const struct line *l)
{
    return l->text ? l->text : "";
}

bool line_is_blank(const struct line *l)
{
    return strspn(line_text(l), " \t\n") == l->length;
}

static size_t count_characters(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

void line_set(struct line *l, const char *text)
{
    size_t length = 0;

    line_clear(l);
    for (; text[length] && l->characters <= l->characters_max; length++)
        l->characters += ((unsigned char)text[length] & 0xc0) != 0x80;
    if (l->characters > l->characters_max) {
        length--; /* the first byte of the character that is one too many */
        l->characters = l->characters_max;
    }
    l->text = memory_grow(l->text, &l->room, length + 1, 1);
    memcpy(l->text, text, length);
    l->text[length] = '\0';
    l->length = l->cursor = length;
}

bool line_insert(struct line *l, wchar_t character)
{
    char encoded[ENCODED_MAX];
    size_t bytes;

    if ((character < L' ' && character != L'\n' && character != L'\t') ||
        (character >= 0x7f && character < 0xa0))
        return true;
    bytes = glyph_encode(character, encoded);
    if (bytes == 0)
        return true;
    if (l->characters >= l->characters_max)
        return false;
    l->text = memory_grow(l->text, &l->room, l->length + bytes + 1, 1);
    memmove(l->text + l->cursor + bytes, l->text + l->cursor, l->length - l->cursor);
    memcpy(l->text + l->cursor, encoded, bytes);
    l->length += bytes;
    l->cursor += bytes;
    l->characters++;
    l->text[l->length] = '\0';
    return true;
}

/* ---- where moves lead ---- */

static size_t home_of(const struct line *l, size_t at)
{
    while (at > 0 && l->text[at - 1] != '\n')
        at--;
    return at;
}

static size_t end_of(const struct line *l, size_t at)
{
    while (at < l->length && l->text[at] != '\n')
        at++;
    return at;
}

static size_t right_of(const struct line *l, size_t at)
{
    struct glyph glyph;

    if (at == l->length)
        return at;
    return l->text[at] == '\n' ? at + 1 : at + glyph_next(l->text + at, l->length - at, &glyph);
}

static size_t left_of(const struct line *l, size_t at)
{
    size_t before = home_of(l, at), next = before;

    if (at == before)
        return at > 0 ? at - 1 : 0;
    while ((next = right_of(l, before)) < at)
        before = next;
    return before;
}

static bool is_space_at(const struct line *l, size_t at)
{
    return strchr(" \t\n", l->text[at]) != NULL;
}

static size_t word_left_of(const struct line *l, size_t at)
{
    while (at > 0 && is_space_at(l, at - 1))
        at--;
    while (at > 0 && !is_space_at(l, at - 1))
        at--;
    return at;
}

static size_t word_right_of(const struct line *l, size_t at)
{
    while (at < l->length && is_space_at(l, at))
        at++;
    while (at < l->length && !is_space_at(l, at))
        at++;
    return at;
}

static size_t aim(const struct line *l, enum line_move how)
{
    switch (how) {
    case LINE_LEFT:
        return left_of(l, l->cursor);
    case LINE_RIGHT:
        return right_of(l, l->cursor);
    case LINE_WORD_LEFT:
        return word_left_of(l, l->cursor);
    case LINE_WORD_RIGHT:
        return word_right_of(l, l->cursor);
    case LINE_HOME:
        return home_of(l, l->cursor);
    case LINE_END:
        return end_of(l, l->cursor);
    case LINE_TOP:
        return 0;
    case LINE_BOTTOM:
        return l->length;
    }
    return l->cursor;
}

void line_move(struct line *l, enum line_move how)
{
    if (l->text)
        l->cursor = aim(l, how);
}

void line_delete(struct line *l, enum line_move how)
{
    size_t to = l->text ? aim(l, how) : l->cursor;
    size_t from = to < l->cursor ? to : l->cursor, end = to < l->cursor ? l->cursor : to;

    if (from == end)
        return;
    l->characters -= count_characters(l->text + from, end - from);
    memmove(l->text + from, l->text + end, l->length - end + 1);
    l->length -= end - from;
    l->cursor = from;
}

/* ---- rows ---- */

/* The row that the cursor is in, counted from 0, and that row. */
static int find_row(const struct line *l, int width, size_t cursor, struct row *out)
{
    const char *text = line_text(l);
    struct wrap w;
    struct row row;
    int count = -1;

    wrap_begin(&w, text, l->length, width);
    while (wrap_next(&w, &row)) {
        if ((size_t)(row.text - text) > cursor)
            break;
        *out = row;
        count++;
    }
    return count;
}

void line_place(const struct line *l, int width, int *row, int *column)
{
    struct row in = {line_text(l), 0};

    *row = find_row(l, width, l->cursor, &in);
    *column = glyph_width(in.text, (size_t)(line_text(l) + l->cursor - in.text));
    if (*column > width)
        *column = width; /* behind a space that hangs over */
}

bool line_move_row(struct line *l, int width, int delta)
{
    const char *text = line_text(l);
    struct wrap w;
    struct row row = {text, 0};
    struct glyph glyph;
    int at, wanted, column = 0;
    size_t to = 0;

    line_place(l, width, &at, &wanted);
    if (at + delta < 0)
        return false;
    wrap_begin(&w, text, l->length, width);
    for (int i = 0; i <= at + delta; i++)
        if (!wrap_next(&w, &row))
            return false;
    while (to < row.length) {
        size_t bytes = glyph_next(row.text + to, row.length - to, &glyph);

        if (column + glyph.width > wanted ||
            (to + bytes == row.length && !w.is_over && row.text[row.length] != '\n'))
            break; /* the place behind a wrapped row is the next row's first */
        column += glyph.width;
        to += bytes;
    }
    l->cursor = (size_t)(row.text - text) + to;
    return true;
}
