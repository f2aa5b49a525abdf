/* SPDX-License-Identifier: MIT */
/* view_status.c - the last row, which says how things are or asks something; and the help. */
#include "chat/log_rows.h"
#include "chat/view.h"

#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 640, MS_PER_SECOND = 1000, READERS_SHOWN = 5 };

static const char *const questions[] = {
    [PROMPT_OPEN] = "chat with (handle): ",
    [PROMPT_GROUP] = "title of the new group: ",
    [PROMPT_INVITED] = "with (handles): ",
    [PROMPT_ADD] = "add (handles): ",
    [PROMPT_REACT] = "reaction, 1 👍 2 ❤ 3 😂 4 🎉 5 😮 6 😢, or an emoji: ",
    [PROMPT_DELETE] = "delete this message for everybody? (y) ",
    [PROMPT_LEAVE] = "leave this conversation? (y) ",
};

static void describe_connection(const struct model *m, char *out, size_t size)
{
    uint64_t left = m->retry_at_ms > m->now_ms ? m->retry_at_ms - m->now_ms : 0;

    switch (m->connection) {
    case BANTER_ONLINE:
        (void)snprintf(out, size, "connected");
        break;
    case BANTER_SYNCING:
        (void)snprintf(out, size, "connected, catching up …");
        break;
    case BANTER_CONNECTING:
        (void)snprintf(out, size, "connecting …");
        break;
    case BANTER_WAITING:
        (void)snprintf(out, size, "offline, again in %u s (^R now): %s",
                       (unsigned)((left + MS_PER_SECOND - 1) / MS_PER_SECOND),
                       m->connection_reason);
        break;
    case BANTER_DISPLACED:
        (void)snprintf(out, size, "another program is connected as this device (^R: this one)");
        break;
    case BANTER_SIGNED_OUT:
        (void)snprintf(out, size, "signed out: %s", m->connection_reason);
        break;
    }
}

/* Who has read the selected message. */
static void describe_selected(const struct model *m, char *out, size_t size)
{
    const struct room *r = m->current;
    const struct message *selected = r ? room_find(r, m->selected) : NULL;
    size_t read = 0, length = 0;

    out[0] = '\0';
    if (!selected || !selected->own || selected->fate != FATE_STORED || !r->has_cursors)
        return;
    for (size_t i = 0; i < r->member_count; i++) {
        const struct member *member = &r->members[i];

        if (member->read < selected->seq || strcmp(member->handle, m->user) == 0)
            continue;
        if (read < READERS_SHOWN && length < size)
            length += (size_t)snprintf(out + length, size - length, "%s%s",
                                       read > 0 ? ", " : "read by ", member->handle);
        read++;
    }
    if (read > READERS_SHOWN && length < size)
        (void)snprintf(out + length, size - length, " and %zu more", read - READERS_SHOWN);
    if (read == 0)
        (void)snprintf(out, size, "%s", log_rows_reached(m, selected, false) ? "received" : "sent");
}

static const char *hint_of(const struct model *m)
{
    switch (m->focus) {
    case FOCUS_LIST:
        return "Enter open  ^N chat  ^G group  F1 help ";
    case FOCUS_WRITE:
        return "Tab list  ↑ messages  F1 help ";
    case FOCUS_SELECT:
        return "r reply  e edit  d delete  + react  Esc ";
    case FOCUS_PROMPT:
        return "Esc ";
    }
    return "";
}

static void draw_prompt(const struct model *m, struct pen pen, struct grid *g)
{
    char full[64];
    bool is_full = m->answer.characters >= m->answer.characters_max;

    (void)snprintf(full, sizeof full, "no more than %zu characters: ", m->answer.characters_max);
    (void)pen_text(&pen, " ", STYLE_BAR);
    pen_cut(&pen, is_full ? full : questions[m->prompt], pen.end - pen.column - 8, STYLE_BAR);
    if (glyph_width(line_text(&m->answer), m->answer.length) < pen.end - pen.column - 1) {
        (void)pen_text(&pen, line_text(&m->answer), STYLE_BAR);
    } else { /* its end is what is being written */
        const char *text = line_text(&m->answer) + m->answer.length;

        while (text > line_text(&m->answer) &&
               glyph_width(text - 1, strlen(text - 1)) < pen.end - pen.column - 1)
            text--;
        while (((unsigned char)*text & 0xc0) == 0x80)
            text++;
        (void)pen_text(&pen, text, STYLE_BAR);
    }
    g->cursor_row = pen.row;
    g->cursor_column = pen.column < g->columns ? pen.column : g->columns - 1;
}

void view_status(const struct model *m, const struct pane *pane, struct grid *g)
{
    struct pen pen = pen_at(g, pane->top, pane->left, pane->left + pane->columns);
    struct pen right = pen;
    char text[LINE_SIZE], waiting[64] = "", selected[LINE_SIZE / 2] = "";
    const char *hint = hint_of(m);
    bool is_notice = m->notice[0] && m->now_ms < m->notice_until_ms;
    int hint_width = glyph_width(hint, strlen(hint)), width;

    pen_fill(&pen, pen.end, STYLE_BAR);
    pen.column = pane->left;
    if (m->focus == FOCUS_PROMPT) {
        draw_prompt(m, pen, g);
        return;
    }
    (void)pen_text(&pen, " ", STYLE_BAR);
    describe_connection(m, text, sizeof text);
    if (m->focus == FOCUS_SELECT)
        describe_selected(m, selected, sizeof selected);
    if (is_notice)
        (void)snprintf(text, sizeof text, "%s", m->notice);
    else if (selected[0])
        (void)snprintf(text, sizeof text, "%s", selected);
    else if (m->waiting > 0)
        (void)snprintf(waiting, sizeof waiting, "%zu to send · ", m->waiting);
    (void)pen_text(&pen, waiting, STYLE_BAR);
    width = glyph_width(text, strlen(text));
    if (pen.column + width + hint_width + 2 > pen.end)
        hint_width = 0;
    pen_cut(&pen, text, pen.end - pen.column - 1,
            is_notice && m->notice_is_error ? STYLE_BAD : STYLE_BAR);
    right.column = right.end - hint_width;
    if (hint_width > 0)
        (void)pen_text(&right, hint, STYLE_BAR);
}

/* ---- help ---- */

static const char *const help[][2] = {
    {"Anywhere", ""},
    {"Tab, Esc", "conversations, and back"},
    {"Alt-n, Alt-p", "next, previous conversation; Alt-u: next unread one"},
    {"PgUp, PgDn", "scroll; Alt-< and Alt-> go to the ends"},
    {"^N", "chat with somebody, by handle"},
    {"^G", "new group; Alt-a adds members, Alt-l leaves"},
    {"^R", "connect now"},
    {"^Z, ^C", "suspend, quit: what is unsent is kept"},
    {"Conversations", ""},
    {"text", "find one by a part of its name"},
    {"Enter", "open it"},
    {"Writing", ""},
    {"Enter", "send; Alt-Enter or ^J: a new line"},
    {"↑", "choose a message"},
    {"^A ^E ^U ^K ^W", "as in a shell; Alt-b, Alt-f: by words"},
    {"A chosen message", ""},
    {"r or Enter, +", "reply, react"},
    {"e, d", "edit, delete; of what was refused: take it back, drop it"},
};

void view_help(const struct model *m, struct grid *g)
{
    int key_columns = m->columns < NARROW ? 16 : 20, count = sizeof help / sizeof help[0];
    int room = g->rows - 2;

    struct pen title = pen_at(g, 0, 0, g->columns);

    pen_fill(&title, g->columns, STYLE_BAR);
    title.column = 0;
    (void)pen_text(&title, " Keys (any key goes back)", STYLE_BAR);
    for (int i = 0; i < count && i < room; i++) {
        struct pen pen = pen_at(g, i + 1, 1, g->columns);
        bool is_heading = help[i][1][0] == '\0';

        pen_cut(&pen, help[i][0], key_columns, is_heading ? STYLE_STRONG : STYLE_PLAIN);
        pen.column = 1 + key_columns;
        pen_cut(&pen, help[i][1], g->columns - pen.column, STYLE_FAINT);
    }
}
