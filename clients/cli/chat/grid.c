/* SPDX-License-Identifier: MIT */
/* grid.c - cells, and pens that write them. */
#include "chat/grid.h"

#include "chat/memory.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int grid_within(int value, int least, int most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

static struct cell *cell_at(const struct grid *g, int row, int column)
{
    assert(row >= 0 && row < g->rows && column >= 0 && column < g->columns);
    return &g->cells[(size_t)row * (size_t)g->columns + (size_t)column];
}

static void blank(struct cell *c, enum style style)
{
    *c = (struct cell){.text = L" ", .style = (uint8_t)style};
}

void grid_resize(struct grid *g, int rows, int columns)
{
    g->rows = grid_within(rows, 1, GRID_ROWS_MAX);
    g->columns = grid_within(columns, 1, GRID_COLUMNS_MAX);
    free(g->cells);
    g->cells = memory_new((size_t)g->rows * (size_t)g->columns, sizeof *g->cells);
    grid_clear(g);
}

void grid_clear(struct grid *g)
{
    for (int row = 0; row < g->rows; row++)
        for (int column = 0; column < g->columns; column++)
            blank(cell_at(g, row, column), STYLE_PLAIN);
    g->cursor_row = g->cursor_column = -1;
}

void grid_finish(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){0};
}

char *grid_row(const struct grid *g, int row, char *out, size_t size)
{
    size_t length = 0, end = 0;

    assert(size > 0);
    for (int column = 0; column < g->columns; column++) {
        const struct cell *c = cell_at(g, row, column);

        for (size_t i = 0; c->text[i] && length + MB_LEN_MAX < size; i++)
            length += glyph_encode(c->text[i], out + length);
        if (c->text[0] && c->text[0] != L' ')
            end = length;
    }
    out[end] = '\0';
    return out;
}

struct pen pen_at(struct grid *g, int row, int column, int end)
{
    struct pen p = {g, row, column, end};

    if (g && (row < 0 || row >= g->rows))
        p.end = p.column;
    if (g && p.end > g->columns)
        p.end = g->columns;
    return p;
}

static bool put(struct pen *p, const struct glyph *glyph, enum style style)
{
    bool is_tab = glyph->text[0] == L' ';

    if (p->column + glyph->width > p->end)
        return false;
    for (int i = 0; i < glyph->width && p->grid; i++) {
        struct cell *c = cell_at(p->grid, p->row, p->column + i);

        blank(c, style);
        if (i == 0)
            wmemcpy(c->text, glyph->text, GLYPH_SIZE);
        else if (!is_tab)
            c->text[0] = L'\0';
    }
    p->column += glyph->width;
    return true;
}

bool pen_bytes(struct pen *p, const char *text, size_t length, enum style style)
{
    struct glyph glyph;

    for (size_t at = 0; at < length && text[at] != '\n';) {
        at += glyph_next(text + at, length - at, &glyph);
        if (!put(p, &glyph, style))
            return false;
    }
    return true;
}

bool pen_text(struct pen *p, const char *text, enum style style)
{
    return pen_bytes(p, text, strlen(text), style);
}

void pen_cut(struct pen *p, const char *text, int width, enum style style)
{
    size_t length = strlen(text);
    int end = p->end;
    bool fits;

    if (width > p->end - p->column)
        width = p->end - p->column;
    if (width <= 0)
        return;
    fits = glyph_width(text, length) <= width && !strchr(text, '\n');
    p->end = p->column + width - !fits;
    (void)pen_bytes(p, text, length, style);
    p->end = end;
    if (!fits)
        (void)pen_text(p, "…", style);
}

void pen_fill(struct pen *p, int end, enum style style)
{
    const struct glyph space = {L" ", 1};

    while (p->column < end && put(p, &space, style))
        continue;
}

void pen_restyle(const struct pen *p, enum style style)
{
    for (int column = p->column; p->grid && column < p->end; column++)
        cell_at(p->grid, p->row, column)->style = (uint8_t)style;
}
