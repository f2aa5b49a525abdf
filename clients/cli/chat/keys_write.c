/* SPDX-License-Identifier: MIT */
/* keys_write.c - keys while a message is being written. */
#include "chat/keys.h"

#include "chat/layout.h"
#include "chat/log.h"

#include <string.h>

enum { TYPING_EVERY_MS = 4000 };

static struct line *draft_of(struct model *m)
{
    return &m->current->draft;
}

static void say_typing(struct model *m)
{
    struct wish wish = {.kind = WISH_TYPING};
    bool is_writing = draft_of(m)->length > 0;

    m->draft_changes++;
    if (!m->current->has_typing || !model_is_online(m) ||
        (is_writing ? m->typing_said_ms > 0 && m->now_ms < m->typing_said_ms + TYPING_EVERY_MS
                    : m->typing_said_ms == 0))
        return;
    memcpy(wish.conversation, m->current->id, sizeof wish.conversation);
    wish.flag = is_writing;
    wishes_add(&m->wishes, &wish);
    m->typing_said_ms = is_writing ? m->now_ms : 0;
}

void keys_write_character(struct model *m, wchar_t character)
{
    if (!line_insert(draft_of(m), character))
        model_say(m, true, "a message has at most %d characters", TEXT_MAX_CHARACTERS);
    say_typing(m);
}

static void write_line(struct model *m)
{
    keys_write_character(m, L'\n');
}

static void send(struct model *m)
{
    struct room *r = m->current;

    if (line_is_blank(&r->draft))
        return;
    if (!r->may_write) {
        model_say(m, true, "you may only read here");
        return;
    }
    model_wish(m, r->editing > 0 ? WISH_EDIT : WISH_TEXT, r,
               r->editing > 0 ? r->editing : r->reply_to, line_text(&r->draft));
    line_clear(&r->draft);
    if (r->editing == 0)
        r->anchor = 0;
    r->editing = r->reply_to = r->new_from = 0;
    m->typing_said_ms = 0; /* the message says that it has ended */
    m->draft_changes++;
}

static void write_leave(struct model *m)
{
    struct room *r = m->current;

    if (r->editing > 0)
        line_clear(&r->draft);
    else if (r->reply_to == 0)
        m->focus = FOCUS_LIST;
    r->editing = r->reply_to = 0;
    m->marked = r;
    say_typing(m);
}

static void write_to_list(struct model *m)
{
    m->focus = FOCUS_LIST;
    m->marked = m->current;
}

static void write_up(struct model *m)
{
    struct layout l = layout_of(m);
    struct room *r = m->current;

    if (line_move_row(&r->draft, layout_write_width(&l), -1) || r->count == 0)
        return;
    m->focus = FOCUS_SELECT;
    m->selected = log_lowest(m);
    log_show(m, m->selected);
}

static void write_down(struct model *m)
{
    struct layout l = layout_of(m);

    (void)line_move_row(draft_of(m), layout_write_width(&l), 1);
}

static void page_up(struct model *m)
{
    log_scroll(m, keys_page(m));
}

static void page_down(struct model *m)
{
    log_scroll(m, -keys_page(m));
}

static const struct binding in_writing[] = {
    KEY(PRESS_ENTER, send),          ALT_KEY(PRESS_ENTER, write_line),
    CONTROL('J', write_line),        KEY(PRESS_TAB, write_to_list),
    KEY(PRESS_ESCAPE, write_leave),  KEY(PRESS_UP, write_up),
    KEY(PRESS_DOWN, write_down),     KEY(PRESS_PAGE_UP, page_up),
    KEY(PRESS_PAGE_DOWN, page_down), {PRESS_NOTHING, 0, false, NULL},
};

void keys_write(struct model *m, const struct press *press)
{
    if (keys_run(m, in_writing, press))
        return;
    if (keys_edit(draft_of(m), press))
        say_typing(m);
    else if (press->code == PRESS_TEXT && !press->alt)
        keys_write_character(m, press->character);
}
