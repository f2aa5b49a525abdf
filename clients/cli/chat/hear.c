/* SPDX-License-Identifier: MIT */
/* hear.c - what news make of the model. */
#include "chat/model.h"

#include "chat/log.h"
#include "chat/memory.h"
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPING_MS = 7000, PREVIEW_SIZE = 160 };

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* ---- state ---- */

static void hear_state(struct model *m, const struct news *n)
{
    bool was_online = model_is_online(m);

    m->connection = (enum banter_connection)n->number;
    memcpy(m->connection_reason, n->reason, sizeof m->connection_reason);
    m->retry_at_ms = m->now_ms + (uint64_t)n->ms;
    if (was_online || !model_is_online(m))
        return;
    m->is_listed = false; /* it may have changed meanwhile */
    for (size_t i = 0; i < m->room_count; i++) {
        m->rooms[i]->members_asked = m->rooms[i]->is_asked = false;
        m->rooms[i]->wants_preview |= m->rooms[i]->active_ms == 0;
    }
}

/* ---- entries ---- */

static void set_preview(struct room *r, const struct message *message)
{
    char text[PREVIEW_SIZE];

    if (message->kind == MESSAGE_HAPPENING)
        (void)snprintf(text, sizeof text, "%s %s", message->from, message->text);
    else if (r->kind == ROOM_DIRECT && !message->own)
        (void)snprintf(text, sizeof text, "%s", message->is_deleted ? "deleted" : message->text);
    else
        (void)snprintf(text, sizeof text, "%s: %s", message->own ? "you" : message->from,
                       message->is_deleted ? "deleted" : message->text);
    free(r->preview);
    r->preview = memory_copy(text);
}

/* What is newest moves the conversation up. */
static void advance(struct model *m, struct room *r, const struct message *message)
{
    if (message->at_ms < r->active_ms)
        return;
    r->active_ms = message->at_ms;
    set_preview(r, message);
    m->rooms_moved = true;
}

static void hear_change(struct room *r, const json_t *entry)
{
    int64_t target = number_of(entry, "target");

    if (r->is_loaded || r->is_loading)
        room_make_stale(r, target, target);
    if (strcmp(member_text(entry, "kind"), "delete") == 0 && target > r->read)
        r->asks_again = true; /* one less is unread */
    if (strcmp(member_text(entry, "kind"), "reaction") != 0)
        r->wants_preview = true;
}

/* Texts and handles are others than before, and nothing says which: all of it is read again. */
static void hear_erasure(struct room *r, int64_t seq)
{
    if (r->is_loaded || r->is_loading)
        room_make_stale(r, 1, seq);
    r->wants_preview = true;
}

/* The chosen message stays the chosen one when it is stored. */
static void follow(struct model *m, const struct room *r, int64_t from, int64_t to)
{
    if (r == m->current && m->selected == from)
        m->selected = to;
}

static void put(struct model *m, struct room *r, struct message *message)
{
    const struct message *draft = message->own ? room_find_draft(r, message->id) : NULL;

    if (draft)
        follow(m, r, draft->seq, message->seq);
    room_put(r, message);
}

static void hear_message(struct model *m, struct room *r, struct message *message, bool is_new)
{
    if (is_new && !message->own && message->kind == MESSAGE_TEXT && r->unread < UNREAD_MAX)
        r->unread++;
    if (message->kind == MESSAGE_HAPPENING) {
        r->members_asked = false;
        r->asks_again = r->is_known;
    }
    advance(m, r, message);
    if ((r->is_loaded || r->is_loading) && !room_find(r, message->seq))
        put(m, r, message);
    else
        message_free(message);
    if (r != m->current)
        room_trim(r);
}

static void hear_entry(struct model *m, const json_t *entry)
{
    struct room *r = model_room(m, member_text(entry, "conversation"));
    int64_t seq = number_of(entry, "seq");
    struct message *message;
    bool is_new;

    if (!r || seq <= 0 || seq >= SEQ_UNSENT)
        return;
    is_new = seq > r->last_seq;
    if (is_new)
        r->last_seq = seq;
    if (entry_role(entry) == ENTRY_CHANGE)
        hear_change(r, entry);
    else if (strcmp(member_text(entry, "kind"), "member_erased") == 0)
        hear_erasure(r, seq);
    message = message_of_entry(entry, m->user);
    if (!message)
        return;
    room_typing(r, message->from, 0);
    hear_message(m, r, message, is_new);
}

/* ---- receipts ---- */

static void hear_receipt(struct model *m, const struct news *n)
{
    struct room *r = model_find(m, n->conversation);
    struct message *draft = r ? room_find_draft(r, n->draft) : NULL;
    struct message *edit = r ? room_take_edit(r, n->draft) : NULL;

    if (n->error)
        model_say(m, true, "not sent: %s", n->reason);
    if (n->error && edit) {
        draft = room_append(r, edit);
        draft->at_ms = m->wall_ms;
    } else {
        message_free(edit); /* the entry says what it has changed */
    }
    if (draft && n->error)
        message_refuse(draft, n->reason);
    if (!draft || n->error)
        return;
    if (n->number > r->last_seq)
        r->last_seq = n->number;
    follow(m, r, draft->seq, n->number);
    room_stored(r, draft, n->number, n->ms);
    advance(m, r, draft);
}

/* Back to where it was written; if something else is there by now it can be taken back by hand. */
static void give_back(struct model *m, struct room *r, const struct wish *wish, const char *reason)
{
    int64_t reply_to = wish->kind == WISH_TEXT ? wish->seq : 0;
    int64_t editing = wish->kind == WISH_EDIT ? wish->seq : 0;
    struct message *refused;

    if (line_is_blank(&r->draft)) {
        line_set(&r->draft, wish->text);
        r->reply_to = reply_to;
        r->editing = editing;
        m->draft_changes++;
        return;
    }
    refused = room_post(r, m->user, NULL, wish->text, reply_to);
    refused->edits = editing;
    refused->at_ms = m->wall_ms;
    message_refuse(refused, reason);
}

void model_posted(struct model *m, const struct wish *wish, const char *id, int error,
                  const char *reason)
{
    struct room *r = model_find(m, wish->conversation);

    if (error) {
        model_say(m, true, "not taken: %s", reason);
        if (r && (wish->kind == WISH_TEXT || wish->kind == WISH_EDIT))
            give_back(m, r, wish, reason);
    } else if (r && wish->kind == WISH_TEXT) {
        room_post(r, m->user, id, wish->text, wish->seq)->at_ms = m->wall_ms;
    } else if (r && wish->kind == WISH_EDIT) {
        room_keep_edit(r, m->user, id, wish->text, wish->seq);
    }
}

/* ---- others ---- */

static void hear_event(struct model *m, const json_t *event)
{
    const char *what = member_text(event, "event");
    struct room *r = model_find(m, member_text(event, "conversation"));
    struct person *p;

    if (strcmp(what, "added") == 0)
        r = model_room(m, member_text(event, "conversation"));
    if (r && (strcmp(what, "added") == 0 || strcmp(what, "role_changed") == 0)) {
        r->asks_again = true;
    } else if (r && strcmp(what, "removed") == 0) {
        if (r == m->current)
            model_say(m, false, "you are no longer in this conversation");
        model_drop(m, r);
    } else if (strcmp(what, "presence_refused") == 0) {
        p = model_person(m, member_text(event, "user"));
        if (p)
            p->state[0] = '\0';
    }
}

static void hear_cursor(struct model *m, const struct news *n)
{
    struct room *r = model_find(m, n->conversation);

    if (!r)
        return;
    if (strcmp(n->user, m->user) != 0) {
        room_set_member(r, n->user, n->number, n->read);
    } else if (n->read > r->read) { /* on another device */
        r->read = n->read;
        if (r->read >= r->last_seq)
            r->unread = 0;
        else
            r->asks_again = true;
    }
}

static void hear_presence(struct model *m, const struct news *n)
{
    struct person *p = model_person(m, n->user);

    if (!p)
        return;
    (void)copy_text(p->state, sizeof p->state, n->reason);
    p->seen_ms = n->ms;
}

static void hear_typing(struct model *m, const struct news *n)
{
    struct room *r = model_find(m, n->conversation);

    if (r && strcmp(n->user, m->user) != 0)
        room_typing(r, n->user, n->flag ? m->now_ms + TYPING_MS : 0);
}

/* ---- answers ---- */

static void end_listing(struct model *m)
{
    m->is_listing = false;
    m->is_listed = true;
    for (size_t i = m->room_count; i > 0; i--)
        if (m->rooms[i - 1]->listing != m->listing)
            model_drop(m, m->rooms[i - 1]);
}

static void answer_list(struct model *m, const struct news *n)
{
    const json_t *list = json_object_get(n->json, "conversations"), *head;
    const char *last = NULL;
    size_t i;

    if (n->error) {
        m->is_listing = false;
        m->list_wait_ms = m->now_ms + RETRY_MS;
        return;
    }
    json_array_foreach(list, i, head)
    {
        struct room *r = model_room(m, member_text(head, "conversation"));

        last = member_text(head, "conversation");
        if (!r)
            continue;
        r->listing = m->listing;
        room_describe(r, head);
    }
    m->rooms_moved = true;
    if (json_is_true(json_object_get(n->json, "more")) && last && m->room_count < ROOMS_MAX)
        model_wish(m, WISH_LIST, NULL, 0, last);
    else
        end_listing(m);
}

/* What could not be answered is asked again, and not at once. */
static void ask_later(const struct model *m, struct room *r)
{
    r->wait_until_ms = m->now_ms + RETRY_MS;
}

static void answer_one(struct model *m, struct room *r, const struct news *n)
{
    r->is_asked = false;
    if (!n->error) {
        room_describe(r, n->json);
        r->asks_again = false;
        m->rooms_moved = true;
    } else if (n->error == BANTER_NOT_FOUND) {
        model_drop(m, r);
    } else {
        r->asks_again = true;
        ask_later(m, r);
    }
}

static void answer_members(struct model *m, struct room *r, const struct news *n)
{
    const json_t *list = json_object_get(n->json, "members"), *item;
    size_t i;

    if (n->error) {
        r->members_asked = false;
        ask_later(m, r);
        return;
    }
    r->member_count = 0;
    json_array_foreach(list, i, item)
    {
        room_set_member(r, member_text(item, "user"), number_of(item, "received"),
                        number_of(item, "read"));
        model_watch(m, member_text(item, "user"));
    }
}

static void answer_preview(struct model *m, struct room *r, const struct news *n)
{
    const json_t *entries = json_object_get(n->json, "entries");
    const json_t *entry = json_array_get(entries, json_array_size(entries) - 1);
    struct message *message = entry ? message_of_entry(entry, m->user) : NULL;

    if (n->error) {
        r->wants_preview = true;
        ask_later(m, r);
    }
    if (message)
        advance(m, r, message);
    message_free(message);
}

/* Messages of a page, into the window; returns the lowest seq among them, 0 if there is none. With
 * `only_known` nothing gets in that is not there: it may be beyond the window's end. */
static int64_t put_page(struct model *m, struct room *r, const json_t *page, bool only_known)
{
    const json_t *entries = json_object_get(page, "entries"), *entry;
    int64_t lowest = 0;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        struct message *message = message_of_entry(entry, m->user);
        int64_t seq = number_of(entry, "seq");

        if (message && (seq <= 0 || seq >= SEQ_UNSENT || (only_known && !room_find(r, seq)))) {
            message_free(message);
            continue;
        }
        if (seq > 0 && (lowest == 0 || seq < lowest))
            lowest = seq;
        if (message)
            put(m, r, message);
    }
    return lowest;
}

static int64_t next_before(const json_t *page, int64_t lowest)
{
    int64_t next = number_of(page, "next");

    return next > 0 ? next : lowest;
}

/* A page that the window does not begin behind any more, as it was trimmed meanwhile, would leave
 * a hole: it is asked for anew. */
static void answer_page(struct model *m, struct room *r, const struct news *n)
{
    bool more = json_is_true(json_object_get(n->json, "more"));
    int64_t lowest;

    r->is_loading = false;
    if (n->error)
        ask_later(m, r);
    if (n->error || n->wish.seq != r->older_before)
        return;
    lowest = put_page(m, r, n->json, false);
    if (!r->is_loaded && more)
        while (lowest > 0 && r->count > 0 && r->messages[0]->seq < lowest)
            room_remove(r, 0); /* there may be a hole behind these */
    r->is_loaded = true;
    r->has_older = more;
    r->older_before = more ? next_before(n->json, lowest) : 0;
    if (n->wish.kind == WISH_NEWEST && r->count > 0 && r->messages[r->count - 1]->seq < SEQ_UNSENT)
        advance(m, r, r->messages[r->count - 1]);
}

static void answer_stale(struct model *m, struct room *r, const struct news *n)
{
    const json_t *entries = json_object_get(n->json, "entries");
    int64_t last = number_of(json_array_get(entries, json_array_size(entries) - 1), "seq");
    bool more = json_is_true(json_object_get(n->json, "more"));
    int64_t reached = number_of(n->json, "next") > 0 ? number_of(n->json, "next") : last;

    r->is_loading = false;
    if (n->error) {
        ask_later(m, r);
        room_make_stale(r, n->wish.seq, n->wish.to);
        return;
    }
    (void)put_page(m, r, n->json, true);
    if (more && reached >= n->wish.seq && reached < n->wish.to)
        room_make_stale(r, reached + 1, n->wish.to);
}

static void answer_conversation(struct model *m, const struct news *n)
{
    struct room *r = n->error ? NULL : model_room(m, member_text(n->json, "conversation"));

    if (!r)
        return;
    r->asks_again = true;
    model_open(m, r);
}

static void hear_answer(struct model *m, const struct news *n)
{
    static const bool is_asked_for[] = {
        [WISH_DIRECT] = true, [WISH_GROUP] = true, [WISH_ADD] = true, [WISH_LEAVE] = true};
    struct room *r = model_find(m, n->wish.conversation);

    if (n->error && n->error != BANTER_STOPPED && n->wish.kind <= WISH_LEAVE &&
        is_asked_for[n->wish.kind])
        model_say(m, true, "%s", n->reason);
    m->previews_asked -= n->wish.kind == WISH_PREVIEW && m->previews_asked > 0;
    if (n->wish.kind == WISH_LIST)
        answer_list(m, n);
    else if (n->wish.kind == WISH_DIRECT || n->wish.kind == WISH_GROUP)
        answer_conversation(m, n);
    if (!r)
        return;
    if (n->wish.kind == WISH_ONE)
        answer_one(m, r, n);
    else if (n->wish.kind == WISH_MEMBERS)
        answer_members(m, r, n);
    else if (n->wish.kind == WISH_PREVIEW)
        answer_preview(m, r, n);
    else if (n->wish.kind == WISH_NEWEST || n->wish.kind == WISH_OLDER)
        answer_page(m, r, n);
    else if (n->wish.kind == WISH_STALE)
        answer_stale(m, r, n);
    else if (n->wish.kind == WISH_LEAVE && !n->error)
        model_drop(m, r);
}

void model_hear(struct model *m, const struct news *n)
{
    switch (n->kind) {
    case NEWS_STATE:
        hear_state(m, n);
        break;
    case NEWS_ENTRY:
        hear_entry(m, n->json);
        break;
    case NEWS_RECEIPT:
        hear_receipt(m, n);
        break;
    case NEWS_EVENT:
        hear_event(m, n->json);
        break;
    case NEWS_TYPING:
        hear_typing(m, n);
        break;
    case NEWS_CURSOR:
        hear_cursor(m, n);
        break;
    case NEWS_PRESENCE:
        hear_presence(m, n);
        break;
    case NEWS_ANSWER:
        hear_answer(m, n);
        break;
    }
}
