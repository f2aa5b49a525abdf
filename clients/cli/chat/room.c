/* SPDX-License-Identifier: MIT */
/* room.c - one conversation. */
#include "chat/room.h"

#include "chat/memory.h"
#include "member.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct room *room_new(const char *id)
{
    struct room *r = memory_new(1, sizeof *r);

    (void)copy_text(r->id, sizeof r->id, id);
    line_init(&r->draft, TEXT_MAX_CHARACTERS);
    r->may_write = true;
    r->wants_preview = true;
    return r;
}

void room_free(struct room *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        message_free(r->messages[i]);
    for (size_t i = 0; i < r->edit_count; i++)
        message_free(r->edits[i]);
    free(r->messages);
    free(r->edits);
    free(r->members);
    free(r->preview);
    line_finish(&r->draft);
    free(r);
}

static enum room_kind kind_of(const char *name)
{
    if (strcmp(name, "direct") == 0)
        return ROOM_DIRECT;
    return strcmp(name, "channel") == 0 ? ROOM_CHANNEL : ROOM_GROUP;
}

void room_describe(struct room *r, const json_t *head)
{
    const json_t *limits = json_object_get(head, "limits");
    int64_t last = json_integer_value(json_object_get(head, "last_seq"));
    int64_t read = json_integer_value(json_object_get(head, "read"));

    r->is_known = true;
    r->kind = kind_of(member_text(head, "kind"));
    (void)copy_text(r->title, sizeof r->title,
                    member_text(head, r->kind == ROOM_DIRECT ? "user" : "title"));
    r->may_write = strcmp(member_text(head, "role"), "reader") != 0;
    r->has_typing = json_is_true(json_object_get(limits, "typing"));
    r->has_cursors = json_is_true(json_object_get(limits, "cursors"));
    if (read > r->read)
        r->read = read;
    if (last < r->last_seq) {
        r->asks_again = true; /* it has been told more than that by now */
        return;
    }
    if (last > r->last_seq)
        r->wants_preview = true;
    r->last_seq = last;
    r->unread = json_integer_value(json_object_get(head, "unread"));
    r->asks_again = false;
}

/* ---- the window ---- */

size_t room_index(const struct room *r, int64_t seq)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r->messages[middle]->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct message *room_find(const struct room *r, int64_t seq)
{
    size_t i = room_index(r, seq);

    return i < r->count && r->messages[i]->seq == seq ? r->messages[i] : NULL;
}

struct message *room_find_draft(const struct room *r, const char *id)
{
    for (size_t i = r->count; id && i > 0 && r->messages[i - 1]->seq >= SEQ_UNSENT; i--)
        if (r->messages[i - 1]->id && strcmp(r->messages[i - 1]->id, id) == 0)
            return r->messages[i - 1];
    return NULL;
}

static struct message *take_out(struct room *r, size_t index)
{
    struct message *m = r->messages[index];

    assert(index < r->count);
    r->bytes -= message_bytes(m);
    r->count--;
    memmove(r->messages + index, r->messages + index + 1,
            (r->count - index) * sizeof(struct message *));
    return m;
}

void room_remove(struct room *r, size_t index)
{
    message_free(take_out(r, index));
}

void room_put(struct room *r, struct message *m)
{
    struct message *draft = m->own ? room_find_draft(r, m->id) : NULL;
    size_t at;

    if (draft && draft != m) {
        if (r->anchor == draft->seq)
            r->anchor = m->seq;
        room_remove(r, room_index(r, draft->seq));
    }
    at = room_index(r, m->seq);
    if (at < r->count && r->messages[at]->seq == m->seq)
        room_remove(r, at);
    r->messages = memory_grow(r->messages, &r->space, r->count + 1, sizeof(struct message *));
    memmove(r->messages + at + 1, r->messages + at, (r->count - at) * sizeof(struct message *));
    r->messages[at] = m;
    r->count++;
    r->bytes += message_bytes(m);
}

static struct message *draft_new(const char *user, const char *id, const char *text)
{
    struct message *m = message_new(user, text);

    m->id = memory_copy(id);
    m->own = true;
    return m;
}

struct message *room_append(struct room *r, struct message *m)
{
    m->seq = SEQ_UNSENT + r->unsent++;
    room_put(r, m);
    return m;
}

struct message *room_post(struct room *r, const char *user, const char *id, const char *text,
                          int64_t reply_to)
{
    struct message *m = draft_new(user, id, text);

    m->reply_to = reply_to;
    return room_append(r, m);
}

void room_keep_edit(struct room *r, const char *user, const char *id, const char *text,
                    int64_t target)
{
    struct message *m = draft_new(user, id, text);

    m->edits = target;
    r->edits = memory_grow(r->edits, &r->edit_space, r->edit_count + 1, sizeof(struct message *));
    r->edits[r->edit_count++] = m;
}

struct message *room_take_edit(struct room *r, const char *id)
{
    size_t i = 0;
    struct message *m;

    while (i < r->edit_count && strcmp(r->edits[i]->id, id) != 0)
        i++;
    if (i == r->edit_count)
        return NULL;
    m = r->edits[i];
    r->edits[i] = r->edits[--r->edit_count];
    return m;
}

void room_stored(struct room *r, struct message *draft, int64_t seq, int64_t at_ms)
{
    (void)take_out(r, room_index(r, draft->seq));
    if (r->anchor == draft->seq)
        r->anchor = seq;
    draft->seq = seq;
    draft->at_ms = at_ms;
    draft->fate = FATE_STORED;
    room_put(r, draft);
}

void room_make_stale(struct room *r, int64_t low, int64_t high)
{
    if (r->stale_low == 0 || low < r->stale_low)
        r->stale_low = low;
    if (high > r->stale_high)
        r->stale_high = high;
}

void room_trim(struct room *r)
{
    size_t stored = room_index(r, SEQ_UNSENT);
    size_t over = stored > WINDOW_ASIDE ? stored - WINDOW_ASIDE : 0;

    if (over == 0)
        return;
    for (size_t i = 0; i < over; i++) {
        r->bytes -= message_bytes(r->messages[i]);
        message_free(r->messages[i]);
    }
    r->count -= over;
    memmove(r->messages, r->messages + over, r->count * sizeof(struct message *));
    r->has_older = true;
    r->older_before = r->messages[0]->seq;
}

/* ---- others ---- */

void room_set_member(struct room *r, const char *handle, int64_t received, int64_t read)
{
    struct member *m = NULL;

    for (size_t i = 0; i < r->member_count && !m; i++)
        if (strcmp(r->members[i].handle, handle) == 0)
            m = &r->members[i];
    if (!m) {
        if (r->member_count == MEMBERS_MAX)
            return;
        r->members = memory_grow(r->members, &r->member_space, r->member_count + 1, sizeof *m);
        m = &r->members[r->member_count];
        *m = (struct member){0};
        if (!copy_text(m->handle, sizeof m->handle, handle))
            return;
        r->member_count++;
    }
    if (received > m->received)
        m->received = received;
    if (read > m->read)
        m->read = read;
    if (m->read > m->received)
        m->received = m->read;
}

size_t room_reached(const struct room *r, const char *user, int64_t seq, bool is_read)
{
    size_t count = 0;

    for (size_t i = 0; i < r->member_count; i++) {
        const struct member *m = &r->members[i];

        if (strcmp(m->handle, user) != 0 && (is_read ? m->read : m->received) >= seq)
            count++;
    }
    return count;
}

static void stop_typing(struct room *r, size_t index)
{
    r->typist_count--;
    memmove(r->typists + index, r->typists + index + 1,
            (r->typist_count - index) * sizeof *r->typists);
}

void room_typing(struct room *r, const char *handle, uint64_t until_ms)
{
    size_t i = 0;

    while (i < r->typist_count && strcmp(r->typists[i].handle, handle) != 0)
        i++;
    if (i == r->typist_count) {
        if (i == TYPISTS_MAX || until_ms == 0 ||
            !copy_text(r->typists[i].handle, sizeof r->typists[i].handle, handle))
            return;
        r->typist_count++;
    }
    r->typists[i].until_ms = until_ms;
    if (until_ms == 0)
        stop_typing(r, i);
}

bool room_typing_tick(struct room *r, uint64_t now_ms)
{
    size_t before = r->typist_count;

    for (size_t i = r->typist_count; i > 0; i--)
        if (r->typists[i - 1].until_ms <= now_ms)
            stop_typing(r, i - 1);
    return r->typist_count != before;
}
