/* SPDX-License-Identifier: MIT */
/* keys.c - what keys make of the model: those that mean the same everywhere, and who gets the
 * others. */
#include "chat/keys.h"

#include "chat/layout.h"
#include "chat/log.h"
#include "chat/prompts.h"

/* ---- what the tables share ---- */

bool keys_run(struct model *m, const struct binding *table, const struct press *press)
{
    for (; table->run; table++)
        if (table->code == press->code && table->character == press->character &&
            table->alt == press->alt) {
            table->run(m);
            return true;
        }
    return false;
}

/* Moves, and deletions: an enum line_move for each key. */
static const struct edit {
    enum press_code code;
    wchar_t character;
    bool alt;
    bool deletes;
    enum line_move move;
} edits[] = {
    {PRESS_LEFT, 0, false, false, LINE_LEFT},
    {PRESS_RIGHT, 0, false, false, LINE_RIGHT},
    {PRESS_HOME, 0, false, false, LINE_HOME},
    {PRESS_END, 0, false, false, LINE_END},
    {PRESS_LEFT, 0, true, false, LINE_WORD_LEFT},
    {PRESS_RIGHT, 0, true, false, LINE_WORD_RIGHT},
    {PRESS_TEXT, 'b', true, false, LINE_WORD_LEFT},
    {PRESS_TEXT, 'f', true, false, LINE_WORD_RIGHT},
    {PRESS_CONTROL, 'A', false, false, LINE_HOME},
    {PRESS_CONTROL, 'B', false, false, LINE_LEFT},
    {PRESS_CONTROL, 'E', false, false, LINE_END},
    {PRESS_CONTROL, 'F', false, false, LINE_RIGHT},
    {PRESS_BACKSPACE, 0, false, true, LINE_LEFT},
    {PRESS_DELETE, 0, false, true, LINE_RIGHT},
    {PRESS_BACKSPACE, 0, true, true, LINE_WORD_LEFT},
    {PRESS_TEXT, 'd', true, true, LINE_WORD_RIGHT},
    {PRESS_CONTROL, 'D', false, true, LINE_RIGHT},
    {PRESS_CONTROL, 'K', false, true, LINE_END},
    {PRESS_CONTROL, 'U', false, true, LINE_HOME},
    {PRESS_CONTROL, 'W', false, true, LINE_WORD_LEFT},
};

bool keys_edit(struct line *l, const struct press *press)
{
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        const struct edit *e = &edits[i];

        if (e->code != press->code || e->character != press->character || e->alt != press->alt)
            continue;
        if (e->deletes)
            line_delete(l, e->move);
        else
            line_move(l, e->move);
        return true;
    }
    return false;
}

int keys_page(const struct model *m)
{
    struct layout l = layout_of(m);

    return l.log.rows > 2 ? l.log.rows - 1 : 1;
}

/* ---- everywhere ---- */

static void quit(struct model *m)
{
    model_wish(m, WISH_QUIT, NULL, 0, NULL);
}

static void suspend(struct model *m)
{
    model_wish(m, WISH_SUSPEND, NULL, 0, NULL);
}

static void redraw(struct model *m)
{
    model_wish(m, WISH_REDRAW, NULL, 0, NULL);
}

static void nudge(struct model *m)
{
    model_wish(m, WISH_NUDGE, NULL, 0, NULL);
}

static void show_help(struct model *m)
{
    m->shows_help = true;
}

static void ask_whom(struct model *m)
{
    prompt_begin(m, PROMPT_OPEN);
}

static void ask_group(struct model *m)
{
    prompt_begin(m, PROMPT_GROUP);
}

static void ask_add(struct model *m)
{
    if (m->current)
        prompt_begin(m, PROMPT_ADD);
}

static void ask_leave(struct model *m)
{
    if (m->current)
        prompt_begin(m, PROMPT_LEAVE);
}

static void go(struct model *m, int delta)
{
    struct room *to;

    line_clear(&m->filter);
    to = model_neighbor(m, m->current, delta);
    if (to)
        model_open(m, to);
}

static void go_next(struct model *m)
{
    go(m, 1);
}

static void go_previous(struct model *m)
{
    go(m, -1);
}

static void go_unread(struct model *m)
{
    for (size_t i = 0; i < m->room_count; i++)
        if (m->rooms[i]->unread > 0 && m->rooms[i] != m->current) {
            model_open(m, m->rooms[i]);
            return;
        }
    model_say(m, false, "nothing else is unread");
}

static void to_oldest(struct model *m)
{
    if (m->current && m->current->count > 0) {
        m->current->anchor = m->current->messages[0]->seq;
        m->current->anchor_below = 0;
        log_scroll(m, 0);
        log_show(m, m->current->messages[0]->seq);
    }
}

void keys_to_newest(struct model *m)
{
    if (m->current)
        m->current->anchor = 0;
}

static const struct binding everywhere[] = {
    CONTROL('C', quit),
    CONTROL('Q', quit),
    CONTROL('Z', suspend),
    CONTROL('L', redraw),
    CONTROL('R', nudge),
    CONTROL('N', ask_whom),
    CONTROL('G', ask_group),
    KEY(PRESS_HELP, show_help),
    ALT('a', ask_add),
    ALT('l', ask_leave),
    ALT('n', go_next),
    ALT('p', go_previous),
    ALT('u', go_unread),
    ALT('<', to_oldest),
    ALT('>', keys_to_newest),
    ALT_KEY(PRESS_DOWN, go_next),
    ALT_KEY(PRESS_UP, go_previous),
    {PRESS_NOTHING, 0, false, NULL},
};

/* ---- a question ---- */

static const struct binding in_prompt[] = {
    KEY(PRESS_ENTER, prompt_answer), KEY(PRESS_ESCAPE, prompt_end),   CONTROL('C', prompt_end),
    CONTROL('G', prompt_end),        {PRESS_NOTHING, 0, false, NULL},
};

/* ---- all ---- */

/* What is pasted is text, and its lines' ends send nothing. */
static void paste(struct model *m, const struct press *press)
{
    wchar_t character = press->character;

    if (press->code == PRESS_PASTE_END) {
        m->is_pasting = false;
        return;
    }
    if (press->code == PRESS_ENTER || (press->code == PRESS_CONTROL && character == 'J'))
        character = L'\n';
    else if (press->code == PRESS_TAB)
        character = L'\t';
    else if (press->code != PRESS_TEXT || press->alt)
        return;
    if (m->focus == FOCUS_PROMPT)
        (void)line_insert(&m->answer, character < L' ' ? L' ' : character);
    else if (m->focus == FOCUS_LIST)
        keys_list_character(m, character < L' ' ? L' ' : character);
    else if (m->current) {
        m->focus = FOCUS_WRITE;
        keys_write_character(m, character);
    }
}

static void wake(struct model *m)
{
    struct wish back = {.kind = WISH_AWAY};

    m->pressed_ms = m->now_ms;
    if (!m->is_away)
        return;
    m->is_away = false;
    wishes_add(&m->wishes, &back);
}

void model_press(struct model *m, const struct press *press)
{
    if (press->code == PRESS_NOTHING)
        return;
    wake(m);
    if (press->code == PRESS_PASTE_BEGIN) {
        m->is_pasting = true;
    } else if (m->is_pasting) {
        paste(m, press);
    } else if (m->shows_help) {
        m->shows_help = false;
    } else if (m->focus == FOCUS_PROMPT) {
        if (!keys_run(m, in_prompt, press) && !keys_edit(&m->answer, press) &&
            press->code == PRESS_TEXT && !press->alt)
            prompt_type(m, press->character);
    } else if (!keys_run(m, everywhere, press)) {
        if (m->focus == FOCUS_LIST)
            keys_list(m, press);
        else if (m->focus == FOCUS_SELECT)
            keys_select(m, press);
        else
            keys_write(m, press);
    }
}
