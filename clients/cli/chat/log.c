/* SPDX-License-Identifier: MIT */
/* log.c - which messages are on the screen. */
#include "chat/log.h"

#include "chat/layout.h"
#include "chat/log_rows.h"

/* The message at the bottom of the screen. */
static size_t bottom_of(const struct room *r)
{
    size_t at = r->anchor > 0 ? room_index(r, r->anchor) : r->count;

    return at < r->count ? at : r->count - 1;
}

/* Puts a message at the bottom, with so many of its rows below. */
static void set_bottom(struct room *r, size_t at, int below)
{
    bool is_newest = at + 1 >= r->count && below <= 0;

    r->anchor = is_newest || r->count == 0 ? 0 : r->messages[at]->seq;
    r->anchor_below = is_newest ? 0 : below;
}

void log_draw(const struct model *m, struct grid *g)
{
    struct layout l = layout_of(m);
    struct log_rows rows = log_rows_of(m, &l.log);
    const struct room *r = m->current;
    int top = l.log.top, at = top + l.log.rows + (r && r->anchor > 0 ? r->anchor_below : 0);

    if (!r || l.log.columns == 0)
        return;
    for (size_t i = r->count > 0 ? bottom_of(r) + 1 : 0; i > 0 && at > top; i--) {
        at -= log_rows_count(&rows, i - 1);
        log_rows_draw(&rows, i - 1, g, at);
    }
    if (at > top)
        log_rows_begin(&rows, g, at - 1);
}

/* Rows of the conversation above the screen's upper edge; counted no further than `most`. */
static int rows_above(const struct model *m, int most)
{
    struct layout l = layout_of(m);
    struct log_rows rows = log_rows_of(m, &l.log);
    const struct room *r = m->current;
    int count = -l.log.rows - (r->anchor > 0 ? r->anchor_below : 0);

    for (size_t i = r->count > 0 ? bottom_of(r) + 1 : 0; i > 0 && count < most; i--)
        count += log_rows_count(&rows, i - 1);
    if (count < 0)
        return 0;
    return count < most ? count : most;
}

void log_scroll(struct model *m, int by)
{
    struct room *r = m->current;
    struct layout l = layout_of(m);
    struct log_rows rows = log_rows_of(m, &l.log);
    size_t at;
    int below;

    if (!r || r->count == 0 || l.log.columns == 0)
        return;
    if (by > 0)
        by = rows_above(m, by);
    at = bottom_of(r);
    below = (r->anchor > 0 ? r->anchor_below : 0) + by;
    for (int height; at > 0 && below >= (height = log_rows_count(&rows, at)); at--)
        below -= height;
    while (below < 0 && at + 1 < r->count)
        below += log_rows_count(&rows, ++at);
    set_bottom(r, at, below);
}

void log_show(struct model *m, int64_t seq)
{
    struct room *r = m->current;
    struct layout l = layout_of(m);
    struct log_rows rows = log_rows_of(m, &l.log);
    size_t bottom, at, i;
    int used;

    if (!r || r->count == 0 || l.log.columns == 0)
        return;
    bottom = bottom_of(r);
    at = room_index(r, seq);
    if (at >= r->count)
        return;
    if (at > bottom || (at == bottom && r->anchor > 0)) {
        set_bottom(r, at, 0);
        return;
    }
    used = -(r->anchor > 0 ? r->anchor_below : 0);
    for (i = at; i <= bottom && used <= l.log.rows; i++)
        used += log_rows_count(&rows, i);
    if (used <= l.log.rows)
        return; /* all of it is in sight */
    used = 0;
    for (i = at; i < r->count && used < l.log.rows; i++)
        used += log_rows_count(&rows, i);
    set_bottom(r, i - 1, used > l.log.rows ? used - l.log.rows : 0);
}

void log_fit(struct model *m)
{
    struct layout l = layout_of(m);
    struct log_rows rows = log_rows_of(m, &l.log);
    const struct room *r = m->current;
    int shown;

    if (!r || r->count == 0 || r->anchor == 0 || l.log.columns == 0)
        return;
    shown = -r->anchor_below;
    for (size_t i = bottom_of(r) + 1; i > 0 && shown < l.log.rows; i--)
        shown += log_rows_count(&rows, i - 1);
    if (shown < l.log.rows)
        log_scroll(m, shown - l.log.rows);
}

int64_t log_lowest(const struct model *m)
{
    return m->current->messages[bottom_of(m->current)]->seq;
}

bool log_is_near_top(const struct model *m)
{
    struct layout l = layout_of(m);

    return l.log.columns > 0 && rows_above(m, l.log.rows) < l.log.rows;
}
