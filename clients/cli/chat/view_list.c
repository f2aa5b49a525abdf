/* SPDX-License-Identifier: MIT */
/* view_list.c - the conversations: whether the other is there, the name, what was said last, when,
 * and how many are unread. */
#include "chat/log.h"
#include "chat/view.h"

#include <stdio.h>
#include <string.h>

enum { SMALL = 32, PREVIEW_MIN = 14 };

static void draw_head(const struct model *m, const struct pane *pane, struct grid *g)
{
    struct pen pen = pen_at(g, pane->top, pane->left, pane->left + pane->columns);
    bool has_focus = m->focus == FOCUS_LIST;

    pen_fill(&pen, pen.end, STYLE_BAR);
    pen.column = pane->left;
    (void)pen_text(&pen, " ", STYLE_BAR);
    if (!has_focus && m->filter.length == 0) {
        pen_cut(&pen, m->user, pane->columns - 2, STYLE_BAR);
        return;
    }
    (void)pen_text(&pen, "find: ", STYLE_BAR);
    pen_cut(&pen, line_text(&m->filter), pane->columns - 9, STYLE_BAR);
    if (has_focus) {
        g->cursor_row = pane->top;
        g->cursor_column = pen.column;
    }
}

static const char *sign_of(const struct model *m, const struct room *r, enum style *style)
{
    const struct person *p = r->kind == ROOM_DIRECT ? model_person(m, r->title) : NULL;

    *style = STYLE_FAINT;
    if (r->kind == ROOM_CHANNEL)
        return "#";
    if (!p || !model_is_online(m))
        return " ";
    if (strcmp(p->state, "online") == 0) {
        *style = STYLE_GOOD;
        return "●";
    }
    return strcmp(p->state, "away") == 0 ? "○" : " ";
}

/* At the right end of the row; returns the columns that it takes. */
static int draw_right(const struct model *m, const struct room *r, const struct pen *row)
{
    char text[SMALL];
    struct pen pen = *row;
    bool has_draft = !line_is_blank(&r->draft) && r != m->current;
    int width;

    if (r->unread > 0)
        (void)snprintf(text, sizeof text, r->unread >= UNREAD_MAX ? " 99+ " : " %d ",
                       (int)r->unread);
    else if (r->typist_count > 0 && r != m->current)
        (void)snprintf(text, sizeof text, "typing…");
    else if (has_draft)
        (void)snprintf(text, sizeof text, "draft");
    else
        log_time(r->active_ms, m->wall_ms, text, sizeof text);
    width = glyph_width(text, strlen(text));
    pen.column = pen.end - width;
    if (width > 0)
        (void)pen_text(&pen, text, r->unread > 0 ? STYLE_BADGE : STYLE_FAINT);
    return width > 0 ? width + 1 : 0;
}

static void draw_room(const struct model *m, const struct room *r, struct pen pen)
{
    bool is_marked = m->focus == FOCUS_LIST && r == m->marked;
    enum style style = r->unread > 0 || r == m->current ? STYLE_STRONG : STYLE_PLAIN, sign_style;
    const char *sign = sign_of(m, r, &sign_style);
    struct pen row = pen;
    int taken;

    pen.end--;
    taken = draw_right(m, r, &pen);
    pen.end -= taken;
    (void)pen_text(&pen, r == m->current ? "▸" : " ", STYLE_STRONG);
    (void)pen_text(&pen, sign, sign_style);
    (void)pen_text(&pen, " ", STYLE_PLAIN);
    pen_cut(&pen, view_title(r), pen.end - pen.column, style);
    if (r->preview && pen.end - pen.column > PREVIEW_MIN) {
        (void)pen_text(&pen, "  ", STYLE_PLAIN);
        pen_cut(&pen, r->preview, pen.end - pen.column, STYLE_FAINT);
    }
    if (is_marked)
        pen_restyle(&row, STYLE_MARKED);
}

/* The index among those shown of the one that must be in sight. */
static int index_of_marked(const struct model *m)
{
    const struct room *wanted = m->focus == FOCUS_LIST ? m->marked : m->current;
    int index = 0;

    for (size_t i = 0; i < m->room_count && m->rooms[i] != wanted; i++)
        index += model_lists(m, m->rooms[i]);
    return wanted && model_lists(m, wanted) ? index : 0;
}

void view_list(const struct model *m, const struct pane *pane, struct grid *g)
{
    int rows = pane->rows - 1, marked = index_of_marked(m), index = 0;
    int first = marked >= rows ? marked - rows + 1 : 0;

    draw_head(m, pane, g);
    for (size_t i = 0; i < m->room_count && index < first + rows; i++) {
        if (!model_lists(m, m->rooms[i]))
            continue;
        if (index >= first)
            draw_room(
                m, m->rooms[i],
                pen_at(g, pane->top + 1 + index - first, pane->left, pane->left + pane->columns));
        index++;
    }
    if (index == 0) {
        struct pen pen = pen_at(g, pane->top + 1, pane->left + 1, pane->left + pane->columns);
        const char *why = m->filter.length > 0 ? "none is called that" : "none yet: ^N, ^G";

        pen_cut(&pen, m->is_listed || m->filter.length > 0 ? why : "reading …", pane->columns - 2,
                STYLE_FAINT);
    }
}
