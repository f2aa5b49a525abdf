/* SPDX-License-Identifier: MIT */
/* keys_list.c - keys while a conversation is being chosen; text filters the list. */
#include "chat/keys.h"

#include <stdlib.h>

static void list_move(struct model *m, int by)
{
    m->is_marked_by_hand = true;
    for (int i = 0; i < abs(by); i++)
        m->marked = model_neighbor(m, m->marked, by);
}

static void list_up(struct model *m)
{
    list_move(m, -1);
}

static void list_down(struct model *m)
{
    list_move(m, 1);
}

static void list_page_up(struct model *m)
{
    list_move(m, 2 - m->rows);
}

static void list_page_down(struct model *m)
{
    list_move(m, m->rows - 2);
}

static void list_first(struct model *m)
{
    m->marked = model_neighbor(m, NULL, 1);
}

static void list_last(struct model *m)
{
    m->marked = model_neighbor(m, NULL, -1);
    m->is_marked_by_hand = true;
}

static void list_open(struct model *m)
{
    if (m->marked && model_lists(m, m->marked))
        model_open(m, m->marked);
}

static void list_leave(struct model *m)
{
    if (m->filter.length > 0)
        line_clear(&m->filter);
    else if (m->current)
        m->focus = FOCUS_WRITE;
}

/* Enter opens the first one that is found. */
static void list_filtered(struct model *m)
{
    m->marked = model_neighbor(m, NULL, 1);
    m->is_marked_by_hand = false;
}

static void list_erase(struct model *m)
{
    line_delete(&m->filter, LINE_LEFT);
    list_filtered(m);
}

static void list_erase_all(struct model *m)
{
    line_clear(&m->filter);
    list_filtered(m);
}

static const struct binding in_list[] = {
    KEY(PRESS_UP, list_up),           KEY(PRESS_DOWN, list_down),
    KEY(PRESS_PAGE_UP, list_page_up), KEY(PRESS_PAGE_DOWN, list_page_down),
    KEY(PRESS_HOME, list_first),      KEY(PRESS_END, list_last),
    KEY(PRESS_ENTER, list_open),      KEY(PRESS_TAB, list_leave),
    KEY(PRESS_ESCAPE, list_leave),    KEY(PRESS_BACKSPACE, list_erase),
    CONTROL('U', list_erase_all),     {PRESS_NOTHING, 0, false, NULL},
};

void keys_list_character(struct model *m, wchar_t character)
{
    (void)line_insert(&m->filter, character);
    list_filtered(m);
}

void keys_list(struct model *m, const struct press *press)
{
    if (keys_run(m, in_list, press) || press->code != PRESS_TEXT || press->alt)
        return;
    keys_list_character(m, press->character);
}
