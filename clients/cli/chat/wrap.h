/* SPDX-License-Identifier: MIT */
/* wrap.h - text in rows of a width: broken at spaces, else anywhere between glyphs. Every byte of
 * the text is in one row, or is the line feed behind one; a space that does not fit hangs over. */
#ifndef BANTER_CLI_CHAT_WRAP_H
#define BANTER_CLI_CHAT_WRAP_H

#include <stdbool.h>
#include <stddef.h>

struct wrap {
    const char *text;
    size_t length, at;
    int width; /* of a row, at least 4 */
    bool is_over;
};

struct row {
    const char *text;
    size_t length;
};

void wrap_begin(struct wrap *w, const char *text, size_t length, int width);
/* The next row; an empty text has one, and so has what follows a last line feed. */
bool wrap_next(struct wrap *w, struct row *out);
/* How many there are. */
int wrap_rows(const char *text, size_t length, int width);

#endif
