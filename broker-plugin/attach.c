/* SPDX-License-Identifier: MIT */
/* attach.c - see attach.h. */
#include "attach.h"

#include "base/fault_point.h"
#include "broker.h"
#include "core.h"
#include "interests.h"
#include "receipts.h"

#include <assert.h>

static void set_state(struct core *c, struct user *u, enum attach_state state)
{
    c->attaching -= u->attach == ATTACH_ASKED;
    c->attaching += state == ATTACH_ASKED;
    u->attach = state;
}

static void ask(struct core *c, struct user *u)
{
    struct frame_attach f = {u->uid};

    for (uint32_t i = 0; i < u->memberships.count; i++)
        u->memberships.items[i].fresh = false;
    u->incomplete = false;
    set_state(c, u, ATTACH_ASKED);
    frame_write_attach(link_out(&c->link), &f);
}

static void send_ready(struct core *c, struct user *u)
{
    for (struct session *i = u->sessions; i; i = i->next_of_user) {
        if (!i->superseded && i->kick_turn == 0)
            receipts_ready(c, i);
    }
}

/* Tells the devices that have had me/ready what has become of a membership; the others will learn
 * it from the sync that they ask for then. `role` ROLE_NONE: it is over. */
static void tell_devices(struct core *c, const struct user *u, const struct uuid *conversation,
                         enum conversation_kind kind, enum role before, enum role role)
{
    if (role == before)
        return;
    for (const struct session *i = u->sessions; i; i = i->next_of_user) {
        if (i->ready && !i->superseded)
            receipts_membership(c, i, conversation, kind, before, role);
    }
}

static void tell_removed(struct core *c, const struct user *u, const struct membership *membership)
{
    tell_devices(c, u, &membership->conversation->id, (enum conversation_kind)membership->kind,
                 (enum role)membership->role, ROLE_NONE);
}

void attach_opened(struct core *c, struct session *session)
{
    struct user *u = session->user;

    if (!user_is_known(u) && u->attach != ATTACH_ASKED && link_is_up(&c->link))
        ask(c, u);
    if (u->attach == ATTACH_DONE)
        receipts_ready(c, session);
}

void attach_closed(struct core *c, struct user *u)
{
    if (u->sessions || u->attach == ATTACH_ASKED)
        return;
    members_leave_all(&c->members, u);
    sessions_release_user(&c->sessions, u);
}

void attach_link_up(struct core *c)
{
    assert(c->resyncing == 0);
    for (struct user *u = c->sessions.users; u; u = u->next) {
        ask(c, u);
        u->resyncing = true;
        c->resyncing++;
    }
}

void attach_again(struct core *c)
{
    for (struct user *u = c->sessions.users; u; u = u->next) {
        if (u->attach != ATTACH_DONE)
            continue;
        ask(c, u);
        u->again = true;
    }
}

void attach_link_lost(struct core *c)
{
    struct user *next;

    c->resyncing = 0;
    for (struct user *u = c->sessions.users; u; u = next) {
        next = u->next;
        set_state(c, u, ATTACH_NEEDED);
        u->resyncing = false;
        u->again = false;
        attach_closed(c, u);
    }
}

/* The devices come back, and everything is asked for anew. */
static void give_up(struct core *c, struct user *u)
{
    if (!u->incomplete)
        broker_log(BROKER_ERROR, "out of memory: a user's connections are ended");
    u->incomplete = true;
    for (struct session *i = u->sessions; i; i = i->next_of_user)
        core_kick(c, i);
}

/* The answer is complete: what it did not confirm is over. Frees the user if nobody is left. */
static void finish_attach(struct core *c, struct user *u)
{
    for (uint32_t i = u->memberships.count; i > 0; i--) {
        struct membership *membership = &u->memberships.items[i - 1];

        if (membership->fresh && membership->role != ROLE_NONE)
            continue;
        tell_removed(c, u, membership);
        members_leave(&c->members, u, membership);
    }
    set_state(c, u, ATTACH_DONE);
    u->again = false;
    if (u->resyncing) {
        u->resyncing = false;
        c->resyncing--;
    }
    if (u->incomplete)
        give_up(c, u); /* also those that came meanwhile */
    send_ready(c, u);
    attach_closed(c, u);
}

/* A member who need not be given what has been handed out already: the past is in the history. */
static void begin_now(struct membership *membership, int64_t last_seq)
{
    int64_t delivered = membership->conversation->delivered;

    membership->since = last_seq > delivered ? last_seq : delivered;
}

/* A member who gets every entry after `last_seq`, though some may have overtaken this news. Not so
 * in channels: joining one is no entry, and looking for newcomers takes time with many members. */
static void begin_after(struct core *c, struct membership *membership, int64_t last_seq)
{
    if (membership->kind == CONVERSATION_CHANNEL) {
        begin_now(membership, last_seq);
        return;
    }
    membership->since = last_seq;
    order_rewind(c, membership->conversation, last_seq);
}

/* A removal that was not heard of ended what was owed to the member before. */
static void begin_again(struct membership *membership, int64_t joined_seq)
{
    if (membership->since < joined_seq)
        membership->since = joined_seq;
}

static bool take_item(struct core *c, struct user *u, const struct attached_conversation *item)
{
    struct conversation *conversation = members_find(&c->members, &item->conversation);
    struct membership *membership = conversation ? members_of(u, conversation) : NULL;
    enum role before = membership ? (enum role)membership->role : ROLE_NONE;

    if (membership && membership->fresh) { /* a MEMBER frame has told newer news */
        begin_again(membership, item->joined_seq);
        return true;
    }
    if (!membership)
        membership = members_join(&c->members, u, &item->conversation, item->kind, item->role,
                                  item->last_seq);
    if (!membership)
        return false;
    interests_note(c, membership->conversation);
    if (before == ROLE_NONE) /* the device asks for a sync when it is ready */
        begin_now(membership, item->last_seq);
    else
        begin_again(membership, item->joined_seq);
    membership->role = (uint8_t)item->role;
    membership->fresh = true;
    tell_devices(c, u, &item->conversation, item->kind, before, item->role);
    if (c->resyncing > 0 || u->again)
        order_behind(c, membership->conversation, item->last_seq);
    return true;
}

void attach_attached(struct core *c, struct frame_attached *f)
{
    struct user *u = sessions_find_user(&c->sessions, f->uid);
    struct attached_conversation item;

    if (!u || u->attach != ATTACH_ASKED)
        return;
    while (frame_next_attached(f, &item)) {
        if (!take_item(c, u, &item)) {
            give_up(c, u);
            break;
        }
    }
    if (f->last)
        finish_attach(c, u);
}

void attach_member(struct core *c, const struct frame_member *f)
{
    struct user *u = sessions_find_user(&c->sessions, f->uid);
    struct conversation *conversation = members_find(&c->members, &f->conversation);
    struct membership *membership = u && conversation ? members_of(u, conversation) : NULL;
    enum role before = membership ? (enum role)membership->role : ROLE_NONE;

    if (!u)
        return;
    tell_devices(c, u, &f->conversation, f->kind, before, f->role);
    if (f->role == ROLE_NONE && u->attach == ATTACH_DONE) {
        if (membership && !fault_breaks(leak_to_removed))
            members_leave(&c->members, u, membership);
        return;
    }
    /* While the answer is under way a removal is remembered, because the answer may be older. */
    if (!membership)
        membership = members_join(&c->members, u, &f->conversation, f->kind, f->role, f->last_seq);
    if (!membership) {
        give_up(c, u);
        return;
    }
    interests_note(c, membership->conversation);
    if (before == ROLE_NONE)
        begin_after(c, membership, f->last_seq);
    membership->role = (uint8_t)f->role;
    membership->fresh = true;
}

/* The answers under way may still name the conversation: they are to be told that it is over. */
static void remember_ended(struct core *c, const struct uuid *id)
{
    for (struct user *u = c->sessions.users; u && c->attaching > 0; u = u->next) {
        struct conversation *conversation = members_find(&c->members, id);
        struct membership *membership = conversation ? members_of(u, conversation) : NULL;

        if (u->attach != ATTACH_ASKED || membership)
            continue;
        membership = members_join(&c->members, u, id, CONVERSATION_GROUP, ROLE_NONE, 0);
        if (membership)
            membership->fresh = true;
        else
            give_up(c, u);
    }
}

void attach_ended(struct core *c, const struct frame_ended *f)
{
    struct conversation *conversation;

    remember_ended(c, &f->conversation);
    conversation = members_find(&c->members, &f->conversation);
    if (conversation)
        fanout_ended(c, conversation);
}

bool attach_end(struct core *c, struct conversation *conversation, uint32_t slot)
{
    struct user *u = conversation->members[slot].user;
    struct membership *membership = members_at(conversation, slot);
    const struct frame_member over = {
        .conversation = conversation->id,
        .kind = (enum conversation_kind)membership->kind,
        .uid = u->uid,
        .role = ROLE_NONE,
    };

    tell_removed(c, u, membership);
    if (over.kind != CONVERSATION_CHANNEL) /* whose members see no presence by it */
        watches_member(c, &over);
    if (u->attach == ATTACH_ASKED) {
        membership->role = ROLE_NONE;
        membership->fresh = true;
        return false;
    }
    members_leave(&c->members, u, membership);
    return true;
}

void attach_kick(struct core *c, const struct frame_kick *f)
{
    struct user *u = sessions_find_user(&c->sessions, f->uid);

    if (!u)
        return;
    for (struct session *i = u->sessions; i; i = i->next_of_user) {
        if (f->device.length > 0 && !slice_equal(slice_str(session_device(i)), f->device))
            continue;
        if (!i->superseded)
            receipts_closing(c, i, f->reason);
        core_kick(c, i);
    }
    /* There is no such user any more, and no other answer counts. */
    if (slice_equal(f->reason, slice_str(KICK_DISABLED)) && u->attach == ATTACH_ASKED) {
        members_leave_all(&c->members, u);
        finish_attach(c, u);
    }
}
