/* SPDX-License-Identifier: MIT */
/* view.c - the screen: its parts, and those around the log. */
#include "chat/view.h"

#include "chat/log.h"
#include "chat/wrap.h"

#include <stdio.h>
#include <string.h>

enum { DETAILS_SIZE = 256, TIME_SIZE = 32 };

const char *view_title(const struct room *r)
{
    if (r->title[0])
        return r->title;
    if (!r->is_known)
        return "…";
    return r->kind == ROOM_CHANNEL ? "(channel)" : "(group)";
}

/* ---- the title ---- */

static void describe_person(const struct model *m, const char *handle, char *out)
{
    const struct person *p = model_person(m, handle);
    char seen[TIME_SIZE] = "";

    out[0] = '\0';
    if (!p || !p->state[0] || !model_is_online(m))
        return;
    if (p->seen_ms > 0)
        log_time(p->seen_ms, m->wall_ms, seen, sizeof seen);
    if (strcmp(p->state, "offline") == 0 && seen[0])
        (void)snprintf(out, DETAILS_SIZE, "last seen %s", seen);
    else
        (void)snprintf(out, DETAILS_SIZE, "%s", p->state);
}

static void describe_members(const struct model *m, const struct room *r, char *out)
{
    size_t online = 0;

    out[0] = '\0';
    if (r->member_count == 0)
        return;
    for (size_t i = 0; i < r->member_count; i++) {
        const struct person *p = model_person(m, r->members[i].handle);

        online += p && strcmp(p->state, "online") == 0;
    }
    if (online > 0 && model_is_online(m))
        (void)snprintf(out, DETAILS_SIZE, "%zu members, %zu online", r->member_count, online);
    else
        (void)snprintf(out, DETAILS_SIZE, "%zu members", r->member_count);
}

static void draw_title(const struct model *m, const struct pane *pane, struct grid *g)
{
    const struct room *r = m->current;
    struct pen pen = pen_at(g, pane->top, pane->left, pane->left + pane->columns);
    struct pen right = pen;
    char details[DETAILS_SIZE] = "";
    int width;

    pen_fill(&pen, pen.end, STYLE_BAR);
    pen.column = pane->left;
    if (!r) {
        (void)pen_text(&pen, " Banter", STYLE_BAR);
        return;
    }
    if (r->kind == ROOM_DIRECT)
        describe_person(m, r->title, details);
    else if (r->kind == ROOM_CHANNEL)
        (void)snprintf(details, sizeof details, "channel");
    else
        describe_members(m, r, details);
    width = (int)strlen(details);
    if (width + TIME_SIZE > pane->columns)
        width = 0;
    (void)pen_text(&pen, " ", STYLE_BAR);
    pen_cut(&pen, view_title(r), pane->columns - width - 4, STYLE_BAR);
    right.column = pane->left + pane->columns - width - 1;
    if (width > 0)
        (void)pen_text(&right, details, STYLE_BAR);
}

/* ---- who is typing, or what is being answered ---- */

static void describe_typing(const struct room *r, char *out, size_t size)
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < r->typist_count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", i > 0 ? ", " : "",
                                   r->typists[i].handle);
    if (r->typist_count > 0 && length < size)
        (void)snprintf(out + length, size - length,
                       r->typist_count > 1 ? " are typing …" : " is typing …");
}

static void draw_context(const struct model *m, const struct pane *pane, struct grid *g)
{
    const struct room *r = m->current;
    struct pen pen = pen_at(g, pane->top, pane->left, pane->left + pane->columns);
    const struct message *about;
    char typing[DETAILS_SIZE];

    describe_typing(r, typing, sizeof typing);
    about = r->editing > 0 ? room_find(r, r->editing) : room_find(r, r->reply_to);
    if (r->editing > 0 || r->reply_to > 0) {
        (void)pen_text(&pen, r->editing > 0 ? " editing: " : " reply to ", STYLE_STRONG);
        if (r->reply_to > 0 && about) {
            (void)pen_text(&pen, about->from, STYLE_STRONG);
            (void)pen_text(&pen, ": ", STYLE_STRONG);
        }
        pen_cut(&pen, about ? about->text : "…", pane->columns, STYLE_FAINT);
        return;
    }
    pen_fill(&pen, pane->left + 1, STYLE_PLAIN);
    pen_cut(&pen, typing, pane->columns, STYLE_FAINT);
    if (pen.column == pane->left + 1 && r->anchor > 0)
        (void)pen_text(&pen, "↓ there is more below", STYLE_FAINT);
}

/* ---- what is being written ---- */

static void draw_write(const struct model *m, const struct layout *l, struct grid *g)
{
    const struct pane *pane = &l->write;
    const struct line *draft = &m->current->draft;
    struct wrap w;
    struct row row;
    int at, column, first;

    line_place(draft, layout_write_width(l), &at, &column);
    first = at >= pane->rows ? at - pane->rows + 1 : 0;
    wrap_begin(&w, line_text(draft), draft->length, layout_write_width(l));
    for (int i = 0; wrap_next(&w, &row) && i < first + pane->rows; i++) {
        struct pen pen = pen_at(g, pane->top + i - first, pane->left, pane->left + pane->columns);

        if (i < first)
            continue;
        (void)pen_text(&pen, i == 0 ? "> " : "  ", STYLE_STRONG);
        (void)pen_bytes(&pen, row.text, row.length, STYLE_PLAIN);
    }
    if (draft->length == 0) {
        struct pen pen = pen_at(g, pane->top, pane->left + PROMPT_SIGN, pane->left + pane->columns);

        pen_cut(&pen, m->current->may_write ? "" : "you may only read here", pane->columns,
                STYLE_FAINT);
    }
    if (m->focus == FOCUS_WRITE) {
        g->cursor_row = pane->top + at - first;
        g->cursor_column = pane->left + PROMPT_SIGN + column;
    }
}

/* ---- all ---- */

static void draw_welcome(const struct model *m, const struct pane *pane, struct grid *g)
{
    static const char *const lines[] = {
        "Choose a conversation with ↑ ↓ and Enter,",
        "or type a part of its name.",
        "",
        "^N  a chat with somebody",
        "^G  a new group",
        "F1  all keys",
    };
    int count = sizeof lines / sizeof lines[0], top = pane->top + (pane->rows - count) / 2;

    if (top < pane->top || !m->is_listed)
        return;
    for (int i = 0; i < count; i++) {
        struct pen pen = pen_at(g, top + i, pane->left + 4, pane->left + pane->columns);

        (void)pen_text(&pen, lines[i], STYLE_FAINT);
    }
}

static void draw_parts(const struct model *m, const struct layout *l, struct grid *g)
{
    if (l->list.columns > 0)
        view_list(m, &l->list, g);
    if (l->title.columns > 0) {
        draw_title(m, &l->title, g);
        for (int row = 0; l->list.columns > 0 && row < l->list.rows; row++) {
            struct pen pen = pen_at(g, row, l->list.columns, l->list.columns + 1);

            (void)pen_text(&pen, "│", row == 0 ? STYLE_BAR : STYLE_FAINT);
        }
        if (m->current) {
            log_draw(m, g);
            draw_context(m, &l->context, g);
            draw_write(m, l, g);
        } else {
            draw_welcome(m, &l->log, g);
        }
    }
    view_status(m, &l->status, g);
}

void view_draw(const struct model *m, struct grid *g)
{
    struct layout l = layout_of(m);
    struct pen pen;

    if (g->rows != m->rows || g->columns != m->columns)
        grid_resize(g, m->rows, m->columns);
    else
        grid_clear(g);
    if (l.is_too_small) {
        pen = pen_at(g, 0, 0, g->columns);
        (void)pen_text(&pen, "too small", STYLE_PLAIN);
    } else if (m->shows_help) {
        view_help(m, g);
    } else {
        draw_parts(m, &l, g);
    }
}
