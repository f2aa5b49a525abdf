/* SPDX-License-Identifier: MIT */
/* layout.h - where on the screen things are. */
#ifndef BANTER_CLI_CHAT_LAYOUT_H
#define BANTER_CLI_CHAT_LAYOUT_H

#include "chat/model.h"

enum {
    ROWS_MIN = 6,
    COLUMNS_MIN = 24,
    PROMPT_SIGN = 2, /* columns before what is being written */
};

struct pane {
    int top, left, rows, columns; /* no columns: it is not shown */
};

struct layout {
    bool is_too_small;
    struct pane list;
    struct pane title; /* of the conversation, one row */
    struct pane log;
    struct pane context; /* one row: who is typing, what is being answered */
    struct pane write;
    struct pane status; /* one row */
};

struct layout layout_of(const struct model *m);
/* Of the text in `write`. */
int layout_write_width(const struct layout *l);

#endif
