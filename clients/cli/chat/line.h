/* SPDX-License-Identifier: MIT */
/* line.h - a text that is being written: UTF-8 with a cursor between glyphs. May have several
 * lines, if its owner lets line feeds in. */
#ifndef BANTER_CLI_CHAT_LINE_H
#define BANTER_CLI_CHAT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

struct line {
    char *text; /* with a NUL; NULL while nothing was ever written */
    size_t length, room;
    size_t cursor;
    size_t characters, characters_max;
};

void line_init(struct line *l, size_t characters_max);
void line_finish(struct line *l);
void line_clear(struct line *l);
/* "" if there is nothing. */
const char *line_text(const struct line *l);
bool line_is_blank(const struct line *l);
/* Cuts what is too long. */
void line_set(struct line *l, const char *text);
/* False when there is no room. Control characters but line feed and tab are passed over. */
bool line_insert(struct line *l, wchar_t character);

enum line_move {
    LINE_LEFT,
    LINE_RIGHT,
    LINE_WORD_LEFT,
    LINE_WORD_RIGHT,
    LINE_HOME, /* of this line */
    LINE_END,
    LINE_TOP, /* of all */
    LINE_BOTTOM,
};

void line_move(struct line *l, enum line_move how);
/* Takes away what lies between the cursor and where this move leads. */
void line_delete(struct line *l, enum line_move how);
/* Up (-1) or down (1) by one row of a text wrapped to `width`; false if there is none there. */
bool line_move_row(struct line *l, int width, int delta);
/* The row and column of the cursor in that. */
void line_place(const struct line *l, int width, int *row, int *column);

#endif
