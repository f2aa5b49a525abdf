/* SPDX-License-Identifier: MIT */
/* layout.c - dividing the screen. */
#include "chat/layout.h"

#include "chat/grid.h"
#include "chat/wrap.h"

enum { LIST_MIN = 22, LIST_MAX = 40, WRITE_ROWS_MAX = 8 };

int layout_write_width(const struct layout *l)
{
    int width = l->write.columns - PROMPT_SIGN - 1; /* the cursor may stand behind the last */

    return width < GLYPH_TAB_WIDTH ? GLYPH_TAB_WIDTH : width;
}

struct layout layout_of(const struct model *m)
{
    bool is_narrow = m->columns < NARROW;
    bool is_list = m->focus == FOCUS_LIST || !m->current ||
                   (m->focus == FOCUS_PROMPT && m->focus_before == FOCUS_LIST);
    int list = is_narrow ? 0 : grid_within(m->columns / 4, LIST_MIN, LIST_MAX);
    int left = list > 0 ? list + 1 : 0, columns = m->columns - left, rows = m->rows - 1, write = 1;
    struct layout l = {.is_too_small = m->rows < ROWS_MIN || m->columns < COLUMNS_MIN};

    if (l.is_too_small)
        return l;
    l.status = (struct pane){rows, 0, 1, m->columns};
    if (is_narrow && is_list) {
        l.list = (struct pane){0, 0, rows, m->columns};
        columns = 0;
    } else {
        l.list = (struct pane){0, 0, rows, list};
    }
    l.write = (struct pane){0, left, 0, columns};
    if (m->current && columns > 0)
        write = wrap_rows(line_text(&m->current->draft), m->current->draft.length,
                          layout_write_width(&l));
    write = grid_within(write, 1, grid_within(rows / 3, 1, WRITE_ROWS_MAX));
    l.title = (struct pane){0, left, 1, columns};
    l.log = (struct pane){1, left, rows - 2 - write, columns};
    l.context = (struct pane){rows - write - 1, left, 1, columns};
    l.write = (struct pane){rows - write, left, write, columns};
    return l;
}
