/* SPDX-License-Identifier: MIT */
/* glyph.h - text in pieces that each fill whole cells of a terminal.
 *
 * Rule: whatever anybody wrote reaches the terminal as glyphs and in no other way. A glyph has
 * nothing that a terminal obeys: no control characters, of C0 or C1, and none that turn the
 * direction of writing, join, or pick variants, about whose width terminals differ.
 *
 * Widths are those of the C library (wcwidth), so the locale's LC_CTYPE must be UTF-8. */
#ifndef BANTER_CLI_CHAT_GLYPH_H
#define BANTER_CLI_CHAT_GLYPH_H

#include <stddef.h>
#include <wchar.h>

enum {
    GLYPH_MARKS = 3, /* on one character; further ones are left out */
    GLYPH_SIZE = GLYPH_MARKS + 2,
    GLYPH_TAB_WIDTH = 4,
};

struct glyph {
    wchar_t text[GLYPH_SIZE]; /* a character, its marks, and 0 */
    int width;                /* in cells: 1 or 2, of a tab 4; 0: nothing is to be seen */
};

/* Takes the first glyph off `text` (`length` > 0, not a line feed); returns its bytes, at least
 * one. It ends before a line feed. What is not UTF-8, or not to be shown, becomes U+FFFD. */
size_t glyph_next(const char *text, size_t length, struct glyph *out);
/* Cells that the first line of a text fills. */
int glyph_width(const char *text, size_t length);
/* Appends a character in UTF-8 to `out` (4 bytes of room); returns how many bytes it has, 0 if it
 * is no character. */
size_t glyph_encode(wchar_t character, char *out);

#endif
