/* SPDX-License-Identifier: MIT */
/* keys_select.c - keys while one of the messages is chosen. */
#include "chat/keys.h"
#include "chat/log.h"
#include "chat/prompts.h"

static struct message *selected_of(struct model *m)
{
    struct room *r = m->current;
    size_t at = room_index(r, m->selected);

    if (r->count == 0)
        return NULL;
    return r->messages[at < r->count ? at : r->count - 1];
}

static void select_move(struct model *m, int by)
{
    struct room *r = m->current;
    const struct message *selected = selected_of(m);
    size_t at;

    if (!selected)
        return;
    at = room_index(r, selected->seq);
    if (by < 0)
        at -= (size_t)-by < at ? (size_t)-by : at;
    else if (at + (size_t)by < r->count)
        at += (size_t)by;
    else if (by == 1) {
        m->focus = FOCUS_WRITE;
        keys_to_newest(m);
        return;
    } else
        at = r->count - 1;
    m->selected = r->messages[at]->seq;
    log_show(m, m->selected);
}

static void select_up(struct model *m)
{
    select_move(m, -1);
}

static void select_down(struct model *m)
{
    select_move(m, 1);
}

static void select_page_up(struct model *m)
{
    select_move(m, -keys_page(m) / 2 - 1);
}

static void select_page_down(struct model *m)
{
    select_move(m, keys_page(m) / 2 + 1);
}

static void select_leave(struct model *m)
{
    m->focus = FOCUS_WRITE;
}

/* The chosen one, if it is a text that is stored and still there. */
static const struct message *chosen_text(struct model *m)
{
    const struct message *chosen = selected_of(m);

    if (chosen && chosen->kind == MESSAGE_TEXT && chosen->fate == FATE_STORED &&
        !chosen->is_deleted) {
        m->selected = chosen->seq; /* the one before it may have gone */
        return chosen;
    }
    model_say(m, false, "not possible with this one");
    return NULL;
}

static void select_reply(struct model *m)
{
    const struct message *chosen = chosen_text(m);

    if (!chosen)
        return;
    m->current->reply_to = chosen->seq;
    m->current->editing = 0;
    m->focus = FOCUS_WRITE;
}

/* What was refused goes back to where it was written, as what it was. */
static void take_back(struct model *m, const struct message *refused)
{
    struct room *r = m->current;

    if (!line_is_blank(&r->draft)) {
        model_say(m, true, "there is another text being written");
        return;
    }
    line_set(&r->draft, refused->text);
    r->reply_to = refused->reply_to;
    r->editing = refused->edits;
    room_remove(r, room_index(r, refused->seq));
    m->draft_changes++;
    m->focus = FOCUS_WRITE;
}

static void select_edit(struct model *m)
{
    const struct message *chosen = selected_of(m);

    if (chosen && chosen->fate == FATE_REFUSED) {
        take_back(m, chosen);
        return;
    }
    chosen = chosen_text(m);
    if (!chosen)
        return;
    if (!chosen->own) {
        model_say(m, false, "only one's own messages can be edited");
        return;
    }
    if (!line_is_blank(&m->current->draft)) {
        model_say(m, true, "there is another text being written");
        return;
    }
    line_set(&m->current->draft, chosen->text);
    m->current->editing = chosen->seq;
    m->current->reply_to = 0;
    m->focus = FOCUS_WRITE;
}

static void select_delete(struct model *m)
{
    const struct message *chosen = selected_of(m);

    if (chosen && chosen->fate == FATE_REFUSED) {
        room_remove(m->current, room_index(m->current, chosen->seq));
        m->focus = FOCUS_WRITE;
        return;
    }
    if (chosen_text(m))
        prompt_begin(m, PROMPT_DELETE);
}

static void select_react(struct model *m)
{
    if (chosen_text(m))
        prompt_begin(m, PROMPT_REACT);
}

static const struct binding in_selecting[] = {
    KEY(PRESS_UP, select_up),
    KEY(PRESS_DOWN, select_down),
    KEY(PRESS_PAGE_UP, select_page_up),
    KEY(PRESS_PAGE_DOWN, select_page_down),
    KEY(PRESS_ESCAPE, select_leave),
    KEY(PRESS_TAB, select_leave),
    KEY(PRESS_ENTER, select_reply),
    PLAIN('k', select_up),
    PLAIN('j', select_down),
    PLAIN('r', select_reply),
    PLAIN('e', select_edit),
    PLAIN('d', select_delete),
    PLAIN('+', select_react),
    {PRESS_NOTHING, 0, false, NULL},
};

void keys_select(struct model *m, const struct press *press)
{
    (void)keys_run(m, in_selecting, press);
}
