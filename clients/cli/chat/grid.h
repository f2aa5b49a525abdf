/* SPDX-License-Identifier: MIT */
/* grid.h - what the screen shows: rows of cells, drawn by the view, compared by tests, and brought
 * to a terminal by screen.c. Text gets in as glyphs only (glyph.h). */
#ifndef BANTER_CLI_CHAT_GRID_H
#define BANTER_CLI_CHAT_GRID_H

#include "chat/glyph.h"

#include <stdbool.h>
#include <stdint.h>

/* What a cell is for; screen.c knows how that looks, with colors and without. */
enum style {
    STYLE_PLAIN,
    STYLE_FAINT,
    STYLE_STRONG,
    STYLE_BAR,    /* titles and the status line */
    STYLE_BADGE,  /* how many are unread */
    STYLE_GOOD,   /* online, read */
    STYLE_BAD,    /* errors */
    STYLE_MARKED, /* what the keys are about */
    STYLE_NEW,    /* the line above what is new */
    STYLE_OWN,    /* one's own handle */
    STYLE_NAME,   /* and those of others: STYLE_NAMES of them */
    STYLE_NAMES = 6,
    STYLE_COUNT = STYLE_NAME + STYLE_NAMES
};

struct cell {
    wchar_t text[GLYPH_SIZE]; /* "": the right half of the one before */
    uint8_t style;
};

struct grid {
    int rows, columns;
    struct cell *cells;
    int cursor_row, cursor_column; /* -1: no cursor is shown */
};

/* A part of a row that is written from left to right; what does not fit is cut off. */
struct pen {
    struct grid *grid; /* NULL: nothing is drawn */
    int row, column, end;
};

enum { GRID_ROWS_MAX = 500, GRID_COLUMNS_MAX = 1000 };

/* `value`, or whichever bound it is beyond. */
int grid_within(int value, int least, int most);
/* All of it blank; a size beyond the bounds above is cut to them. */
void grid_resize(struct grid *g, int rows, int columns);
void grid_clear(struct grid *g);
void grid_finish(struct grid *g);
/* Text of a row without the spaces at its end, in UTF-8. Returns `out`. */
char *grid_row(const struct grid *g, int row, char *out, size_t size);

struct pen pen_at(struct grid *g, int row, int column, int end);
/* Both write up to the first line feed, and return whether all of it fitted. */
bool pen_text(struct pen *p, const char *text, enum style style);
bool pen_bytes(struct pen *p, const char *text, size_t length, enum style style);
/* At most `width` cells of a text; the last is an ellipsis if it has more. */
void pen_cut(struct pen *p, const char *text, int width, enum style style);
/* Up to the column `end` of the grid, and not beyond the pen's own. */
void pen_fill(struct pen *p, int end, enum style style);
/* Gives the row from the pen's column to its end another style. */
void pen_restyle(const struct pen *p, enum style style);

#endif
