/* SPDX-License-Identifier: MIT */
/* log_rows.c - drawing one message, and counting its rows by drawing it nowhere. */
#include "chat/log_rows.h"

#include "chat/log.h"
#include "chat/wrap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    TIME_COLUMNS = 6, /* "12:30 " */
    BAR_COLUMNS = 3,  /* " │ " */
    MARK_COLUMNS = 3, /* " ✓✓" */
    NAME_MIN = 3,
    NAME_MAX = 14,
    NAME_MAX_NARROW = 8,
    WIDE = 50,
    MS_PER_SECOND = 1000,
    SENTENCE_SIZE = 1200,
};

/* Where the next row goes. */
struct painter {
    const struct log_rows *l;
    struct grid *grid; /* NULL: rows are only counted */
    int at, count;
    bool is_marked;
};

/* ---- time ---- */

static struct tm day_of(int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / MS_PER_SECOND);
    struct tm tm = {0};

    (void)localtime_r(&seconds, &tm);
    return tm;
}

static bool is_same_day(int64_t a_ms, int64_t b_ms)
{
    struct tm a = day_of(a_ms), b = day_of(b_ms);

    return a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
}

void log_time(int64_t at_ms, int64_t now_ms, char *out, size_t size)
{
    struct tm tm = day_of(at_ms);

    out[0] = '\0';
    if (at_ms > 0)
        (void)strftime(out, size, is_same_day(at_ms, now_ms) ? "%H:%M" : "%e %b", &tm);
}

/* ---- columns ---- */

struct log_rows log_rows_of(const struct model *m, const struct pane *pane)
{
    struct log_rows l = {.model = m, .pane = *pane};
    const struct room *r = m->current;
    bool is_wide = pane->columns >= WIDE;
    int most = is_wide ? NAME_MAX : NAME_MAX_NARROW;

    l.time = is_wide ? TIME_COLUMNS : 0;
    l.name = NAME_MIN;
    for (size_t i = 0; r && i < r->count && l.name < most; i++)
        if (r->messages[i]->kind == MESSAGE_TEXT && (int)strlen(r->messages[i]->from) > l.name)
            l.name = (int)strlen(r->messages[i]->from);
    if (l.name > most)
        l.name = most;
    l.width = pane->columns - l.time - l.name - BAR_COLUMNS - MARK_COLUMNS;
    if (l.width < GLYPH_TAB_WIDTH)
        l.width = GLYPH_TAB_WIDTH;
    return l;
}

static int text_column(const struct log_rows *l)
{
    return l->pane.left + l->time + l->name + BAR_COLUMNS;
}

/* The next row, from its first column on. */
static struct pen next_row(struct painter *p)
{
    const struct pane *pane = &p->l->pane;
    int row = p->at + p->count++;
    bool is_seen = p->grid && row >= pane->top && row < pane->top + pane->rows;

    return pen_at(is_seen ? p->grid : NULL, row, pane->left, pane->left + pane->columns);
}

/* The next row, where its text begins; a mark has its place behind that. */
static struct pen next_text_row(struct painter *p)
{
    struct pen pen = next_row(p);
    struct pen bar = pen;

    bar.column = text_column(p->l) - BAR_COLUMNS;
    (void)pen_text(&bar, " │ ", STYLE_FAINT);
    pen.column = text_column(p->l);
    pen.end = pen.column + p->l->width;
    if (p->grid && pen.end > p->grid->columns)
        pen.end = p->grid->columns;
    if (p->is_marked)
        pen_restyle(&pen, STYLE_MARKED);
    return pen;
}

static enum style styled(const struct painter *p, enum style style)
{
    return p->is_marked ? STYLE_MARKED : style;
}

static void rule(struct painter *p, const char *text, enum style style)
{
    struct pen pen = next_row(p);

    (void)pen_text(&pen, "── ", style);
    pen_cut(&pen, text, p->l->pane.columns - 7, style);
    (void)pen_text(&pen, " ", style);
    while (pen.grid && pen_text(&pen, "─", style))
        continue;
}

/* ---- parts of a message ---- */

static enum style style_of_name(const struct message *m)
{
    unsigned hash = 5381;

    if (m->own)
        return STYLE_OWN;
    for (const char *c = m->from; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    return STYLE_NAME + hash % STYLE_NAMES;
}

static void put_left(const struct painter *p, struct pen pen, const struct message *m)
{
    char at[32] = "";
    int length = (int)strlen(m->from);
    struct tm tm = day_of(m->at_ms);

    pen.column = p->l->pane.left;
    pen.end = text_column(p->l);
    if (p->l->time > 0 && m->at_ms > 0 && strftime(at, sizeof at, "%H:%M", &tm) > 0)
        (void)pen_text(&pen, at, STYLE_FAINT);
    if (m->kind != MESSAGE_TEXT)
        return;
    pen.column = p->l->pane.left + p->l->time;
    if (length < p->l->name)
        pen.column += p->l->name - length;
    pen_cut(&pen, m->from, p->l->name, style_of_name(m));
}

bool log_rows_reached(const struct model *m, const struct message *message, bool is_read)
{
    const struct room *r = m->current;

    return r->member_count > 1 &&
           room_reached(r, m->user, message->seq, is_read) + 1 >= r->member_count;
}

static void put_mark(const struct painter *p, struct pen pen, const struct message *m)
{
    const char *mark = "✓";
    enum style style = STYLE_FAINT;

    pen.column = text_column(p->l) + p->l->width + 1;
    pen.end = pen.column + MARK_COLUMNS - 1;
    if (pen.grid && pen.end > pen.grid->columns)
        pen.end = pen.grid->columns;
    if (m->fate == FATE_SENDING) {
        mark = "…";
    } else if (m->fate == FATE_REFUSED) {
        mark = "✗";
        style = STYLE_BAD;
    } else if (p->l->model->current->has_cursors && log_rows_reached(p->l->model, m, false)) {
        mark = "✓✓";
        if (log_rows_reached(p->l->model, m, true))
            style = STYLE_GOOD;
    }
    (void)pen_text(&pen, mark, style);
}

static void draw_quote(struct painter *p, int64_t seq)
{
    const struct message *quoted = room_find(p->l->model->current, seq);
    struct pen pen = next_text_row(p);
    enum style style = styled(p, STYLE_FAINT);

    (void)pen_text(&pen, "↳ ", style);
    if (!quoted) {
        pen_cut(&pen, "an earlier message", p->l->width, style);
        return;
    }
    (void)pen_text(&pen, quoted->from, style);
    (void)pen_text(&pen, ": ", style);
    pen_cut(&pen, quoted->is_deleted ? "deleted" : quoted->text, p->l->width, style);
}

static void draw_reactions(struct painter *p, const struct message *m)
{
    struct pen pen = next_text_row(p);

    for (size_t i = 0; i < m->reaction_count; i++) {
        char count[16];

        (void)snprintf(count, sizeof count, " %u", m->reactions[i].count);
        (void)pen_text(&pen, i > 0 ? "  " : "", styled(p, STYLE_PLAIN));
        (void)pen_text(&pen, m->reactions[i].emoji, styled(p, STYLE_PLAIN));
        (void)pen_text(&pen, count, styled(p, m->reactions[i].own ? STYLE_STRONG : STYLE_FAINT));
    }
}

static void draw_note(struct painter *p, struct pen *last, const char *note)
{
    int width = glyph_width(note, strlen(note)), end = text_column(p->l) + p->l->width;
    struct pen pen = *last;

    if (pen.column > text_column(p->l) && pen.column + width + 1 > end)
        pen = next_text_row(p);
    else if (pen.column > text_column(p->l))
        (void)pen_text(&pen, " ", styled(p, STYLE_PLAIN));
    (void)pen_text(&pen, note, styled(p, STYLE_FAINT));
}

/* In rows; `last` is then behind the last of them, and `first` the first. */
static void draw_wrapped(struct painter *p, const char *text, enum style style, struct pen *first,
                         struct pen *last)
{
    struct wrap w;
    struct row row;

    wrap_begin(&w, text, strlen(text), p->l->width);
    for (bool is_first = true; wrap_next(&w, &row); is_first = false) {
        *last = next_text_row(p);
        if (is_first)
            *first = *last;
        (void)pen_bytes(last, row.text, row.length, style);
    }
}

static void draw_text(struct painter *p, const struct message *m, bool is_first)
{
    struct pen first, last;

    if (m->reply_to > 0) {
        int before = p->count;

        draw_quote(p, m->reply_to);
        p->count = before;
        first = next_row(p);
        put_left(p, first, m);
        is_first = false;
    }
    draw_wrapped(p, m->is_deleted ? "deleted" : m->text,
                 styled(p, m->is_deleted ? STYLE_FAINT : STYLE_PLAIN), &first, &last);
    if (is_first)
        put_left(p, first, m);
    if (m->own && !m->is_deleted)
        put_mark(p, last, m);
    if (m->is_edited && !m->is_deleted)
        draw_note(p, &last, "(edited)");
    if (m->edits > 0)
        draw_note(p, &last, "(edit)");
    if (m->fate == FATE_REFUSED)
        draw_wrapped(p, m->reason ? m->reason : "refused", STYLE_BAD, &first, &last);
    if (m->reaction_count > 0)
        draw_reactions(p, m);
}

static void draw_happening(struct painter *p, const struct message *m)
{
    char sentence[SENTENCE_SIZE];
    struct pen first, last;

    (void)snprintf(sentence, sizeof sentence, "%s %s", m->own ? "you" : m->from, m->text);
    draw_wrapped(p, sentence, styled(p, STYLE_FAINT), &first, &last);
    put_left(p, first, m);
}

/* Whether it goes on where the one before ended: same writer, same minute. */
static bool continues(const struct message *before, const struct message *m)
{
    enum { MINUTE_MS = 60 * MS_PER_SECOND };

    return before && before->kind == MESSAGE_TEXT && strcmp(before->from, m->from) == 0 &&
           before->at_ms / MINUTE_MS == m->at_ms / MINUTE_MS;
}

static void draw(struct painter *p, size_t index)
{
    const struct room *r = p->l->model->current;
    const struct message *m = r->messages[index];
    const struct message *before = index > 0 ? r->messages[index - 1] : NULL;
    bool is_apart = false;
    char day[64];

    if (m->at_ms > 0 && !(before && is_same_day(before->at_ms, m->at_ms))) {
        struct tm tm = day_of(m->at_ms);

        (void)strftime(day, sizeof day, "%A, %e %B %Y", &tm);
        rule(p, day, STYLE_FAINT);
        is_apart = true;
    }
    if (r->new_from > 0 && m->seq >= r->new_from && (!before || before->seq < r->new_from)) {
        rule(p, "new", STYLE_NEW);
        is_apart = true;
    }
    p->is_marked = p->l->model->focus == FOCUS_SELECT && p->l->model->selected == m->seq;
    if (m->kind == MESSAGE_HAPPENING)
        draw_happening(p, m);
    else
        draw_text(p, m, is_apart || !continues(before, m));
}

/* ---- public ---- */

int log_rows_count(const struct log_rows *l, size_t index)
{
    struct painter p = {.l = l};

    draw(&p, index);
    assert(p.count > 0);
    return p.count;
}

void log_rows_draw(const struct log_rows *l, size_t index, struct grid *g, int at)
{
    struct painter p = {.l = l, .grid = g, .at = at};

    draw(&p, index);
}

void log_rows_begin(const struct log_rows *l, struct grid *g, int at)
{
    const struct room *r = l->model->current;
    struct painter p = {.l = l, .grid = g, .at = at};
    struct pen pen = next_row(&p);

    if (!r->is_loaded)
        (void)pen_text(&pen, model_is_online(l->model) ? "reading …" : "not connected",
                       STYLE_FAINT);
    else if (r->has_older && r->is_loading)
        (void)pen_text(&pen, "reading what is older …", STYLE_FAINT);
    else if (!r->has_older && r->count == 0)
        (void)pen_text(&pen, "nothing was written here yet", STYLE_FAINT);
}
