/* SPDX-License-Identifier: MIT */
/* fanout.c - see fanout.h. Nothing here calls back into the plugin: members and sessions stay where
 * they are during a slice, and may move between slices (see struct backlog). But the end of a
 * conversation makes its members leave, in slices too. */
#include "fanout.h"

#include "attach.h"
#include "base/fault_point.h"
#include "broker.h"
#include "core.h"
#include "heads.h"
#include "parcel.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fanout_init(struct fanout *f)
{
    *f = (struct fanout){0};
}

void fanout_refill(struct fanout *f)
{
    f->count_left = FANOUT_TURN_COUNT;
    f->bytes_left = FANOUT_TURN_BYTES;
    f->frames_left = FANOUT_TURN_FRAMES;
}

bool fanout_has_time(const struct fanout *f)
{
    return f->count_left > 0 && f->bytes_left > 0;
}

bool fanout_may_read(const struct fanout *f)
{
    /* Part of every turn belongs to the backlogs, so that new frames cannot starve them. */
    long kept_count = f->first ? FANOUT_TURN_COUNT / 4 : 0;
    long kept_bytes = f->first ? FANOUT_TURN_BYTES / 4 : 0;

    return f->count_left > kept_count && f->bytes_left > kept_bytes && f->frames_left > 0 &&
           f->backlog_bytes <= FANOUT_BACKLOG_MAX;
}

void fanout_count_frame(struct fanout *f)
{
    f->frames_left--;
}

bool fanout_is_busy(const struct fanout *f)
{
    return f->first != NULL;
}

bool fanout_publish(struct core *c, const struct session *session, const char *topic,
                    struct slice payload, struct slice correlation)
{
    bool ok = broker_publish(session->client_id, topic, payload, correlation);

    if (ok)
        c->stats.delivered++;
    else
        c->stats.lost++;
    c->fanout.count_left--;
    c->fanout.bytes_left -= (long)payload.length;
    return ok;
}

static void deliver_entry(struct core *c, const struct conversation *conversation, uint32_t slot,
                          const struct frame_entry *f, const char *topic)
{
    struct user *u = conversation->members[slot].user;
    struct membership *membership = members_at(conversation, slot);

    /* Of a newcomer that is behind (order_rewind()) this one is not the next. */
    if (membership->role < ROLE_READER ||
        (f->seq != membership->since + 1 && !fault_breaks(swap_delivery)))
        return;
    membership->since = f->seq;
    membership->changed = true;
    if (!u->changed) {
        u->changed = true;
        u->heads_ms = c->now_ms + HEADS_INTERVAL_MS;
    }
    for (const struct session *s = u->sessions; s; s = s->next_of_user) {
        if (s->superseded)
            continue;
        if (u->uid == f->sender && slice_equal(slice_str(session_device(s)), f->sender_device))
            continue;
        if (fault_breaks(drop_delivery_silently))
            continue;
        fanout_publish(c, s, topic, f->payload, slice_of(NULL, 0));
        if (fault_breaks(repeat_delivery))
            fanout_publish(c, s, topic, f->payload, slice_of(NULL, 0));
        if (fault_breaks(leak_to_stranger))
            fanout_publish(c, c->sessions.first, topic, f->payload, slice_of(NULL, 0));
    }
    fault_point("plugin.after_delivery");
}

static void deliver_device(struct core *c, const struct frame_device *f)
{
    const struct user *u = sessions_find_user(&c->sessions, f->uid);
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];

    if (!u)
        return;
    fault_point("plugin.before_receipt");
    assert(f->topic.length <= RESPONSE_TOPIC_MAX_LENGTH);
    memcpy(topic, f->topic.data, f->topic.length);
    topic[f->topic.length] = '\0';
    for (const struct session *s = u->sessions; s; s = s->next_of_user) {
        if (s->superseded)
            continue;
        if (f->device.length == 0 || slice_equal(slice_str(session_device(s)), f->device))
            fanout_publish(c, s, topic, f->payload, f->correlation);
    }
}

/* To the member's devices but the one that the signal is from. */
static void signal_member(struct core *c, const struct user *u, const char *topic,
                          const struct frame_signal_out *f)
{
    for (const struct session *s = u->sessions; s; s = s->next_of_user) {
        if (!s->superseded &&
            !(u->uid == f->sender && slice_equal(slice_str(session_device(s)), f->sender_device)))
            fanout_publish(c, s, topic, f->payload, slice_of(NULL, 0));
    }
}

void fanout_signal(struct core *c, const struct conversation *conversation,
                   const struct frame_signal_out *f)
{
    char topic[TOPIC_SIGNAL_MAX_LENGTH + 1];

    if (conversation->backlog || !fanout_has_time(&c->fanout)) {
        c->stats.signals_dropped++;
        return;
    }
    topic_format_signal(&conversation->id, f->kind, topic);
    if (f->audience == AUDIENCE_OWN) { /* the other members may be very many */
        const struct user *sender = sessions_find_user(&c->sessions, f->sender);
        const struct membership *own = sender ? members_of(sender, conversation) : NULL;

        if (own && own->role >= ROLE_READER)
            signal_member(c, sender, topic, f);
        return;
    }
    for (uint32_t slot = 0; slot < conversation->member_count; slot++) {
        const struct user *u = conversation->members[slot].user;
        unsigned wanted = u->uid == f->sender ? AUDIENCE_OWN : AUDIENCE_OTHERS;

        if (members_at(conversation, slot)->role >= ROLE_READER && (f->audience & wanted))
            signal_member(c, u, topic, f);
    }
}

static struct backlog *backlog_of(struct core *c, struct conversation *conversation)
{
    struct backlog *backlog = conversation->backlog;

    if (backlog)
        return backlog;
    backlog = calloc(1, sizeof *backlog);
    if (!backlog)
        return NULL;
    backlog->conversation = conversation;
    backlog->prev = c->fanout.last;
    if (backlog->prev)
        backlog->prev->next = backlog;
    else
        c->fanout.first = backlog;
    c->fanout.last = backlog;
    conversation->backlog = backlog;
    return backlog;
}

static void append(struct core *c, struct backlog *backlog, struct parcel *parcel)
{
    parcel->ticket = ++c->fanout.ticket;
    if (backlog->last)
        backlog->last->next = parcel;
    else
        backlog->first = parcel;
    backlog->last = parcel;
    c->fanout.backlog_bytes += parcel->size;
    c->stats.sliced++;
}

static void drop_first(struct core *c, struct backlog *backlog)
{
    struct parcel *first = backlog->first;

    backlog->first = first->next;
    if (!backlog->first)
        backlog->last = NULL;
    backlog->visited = 0;
    c->fanout.backlog_bytes -= first->size;
    free(first);
}

static void unlink_backlog(struct fanout *f, struct backlog *backlog)
{
    if (backlog->next)
        backlog->next->prev = backlog->prev;
    else
        f->last = backlog->prev;
    if (backlog->prev)
        backlog->prev->next = backlog->next;
    else
        f->first = backlog->next;
}

/* May free the conversation too. */
static void close_backlog(struct core *c, struct backlog *backlog)
{
    struct conversation *conversation = backlog->conversation;

    while (backlog->first)
        drop_first(c, backlog);
    unlink_backlog(&c->fanout, backlog);
    conversation->backlog = NULL;
    free(backlog);
    members_release(&c->members, conversation);
}

void fanout_finish(struct core *c)
{
    while (c->fanout.first)
        close_backlog(c, c->fanout.first);
}

static bool is_small(const struct conversation *conversation, const struct frame_entry *f)
{
    size_t count = 0;

    if (conversation->member_count > FANOUT_TURN_COUNT)
        return false;
    for (uint32_t slot = 0; slot < conversation->member_count; slot++)
        count += conversation->members[slot].user->session_count;
    return count <= 1 ||
           (count <= FANOUT_TURN_COUNT && count * f->payload.length <= FANOUT_TURN_BYTES);
}

bool fanout_entry(struct core *c, struct conversation *conversation, const struct frame_entry *f)
{
    char topic[TOPIC_CHAT_LENGTH + 1];
    struct backlog *backlog;
    struct parcel *parcel;

    if (!conversation->backlog && is_small(conversation, f)) {
        topic_format_chat(&conversation->id, topic);
        for (uint32_t slot = 0; slot < conversation->member_count; slot++)
            deliver_entry(c, conversation, slot, f, topic);
        return true;
    }
    parcel = parcel_of_entry(f);
    if (!parcel)
        return false;
    backlog = backlog_of(c, conversation);
    if (!backlog) {
        free(parcel);
        return false;
    }
    append(c, backlog, parcel);
    return true;
}

/* A backlog that the user is still to get something from, or NULL. As long as one message waits for
 * the user, the next ones line up behind it, wherever the backlogs have moved. */
static struct backlog *backlog_before(struct core *c, const struct user *u)
{
    if (u->parcels > 0)
        return u->line;
    for (struct backlog *i = c->fanout.first; i; i = i->next) {
        if (members_of(u, i->conversation))
            return i;
    }
    return NULL;
}

void fanout_device(struct core *c, const struct frame_device *f)
{
    struct user *u = sessions_find_user(&c->sessions, f->uid);
    struct backlog *backlog = u ? backlog_before(c, u) : NULL;
    struct parcel *parcel = backlog ? parcel_of_device(f) : NULL;

    if (!parcel) {
        deliver_device(c, f);
        return;
    }
    append(c, backlog, parcel);
    u->line = backlog;
    u->parcels++;
}

static void device_slice(struct core *c, struct backlog *backlog)
{
    const struct frame_device *f = &backlog->first->device;
    struct user *u = sessions_find_user(&c->sessions, f->uid);

    deliver_device(c, f);
    if (u && u->line == backlog && u->parcels > 0) /* it may be another incarnation of the user */
        u->parcels--;
    drop_first(c, backlog);
}

/* The member at `visited` leaves; the last one takes the place. */
static void end_member(struct core *c, struct conversation *conversation, uint32_t *visited)
{
    c->fanout.count_left--;
    if (!attach_end(c, conversation, *visited))
        (*visited)++;
}

static void end_slice(struct core *c, struct backlog *backlog)
{
    struct conversation *conversation = backlog->conversation;

    for (int i = 0; i < FANOUT_SLICE_COUNT && fanout_has_time(&c->fanout) &&
                    backlog->visited < conversation->member_count;
         i++)
        end_member(c, conversation, &backlog->visited);
}

static void end_at_once(struct core *c, struct conversation *conversation)
{
    uint32_t visited = 0;

    while (visited + 1 < conversation->member_count)
        end_member(c, conversation, &visited);
    if (conversation->member_count > 0)
        end_member(c, conversation, &visited); /* who may take the conversation along */
}

void fanout_ended(struct core *c, struct conversation *conversation)
{
    bool is_few = !conversation->backlog && conversation->member_count <= FANOUT_SLICE_COUNT;
    struct parcel *parcel = is_few ? NULL : parcel_of_end();
    struct backlog *backlog = parcel ? backlog_of(c, conversation) : NULL;

    if (backlog) {
        append(c, backlog, parcel);
        c->fanout.ended_ticket = parcel->ticket;
        return;
    }
    free(parcel);
    end_at_once(c, conversation); /* few, or there is no memory for a better way */
}

static void entry_slice(struct core *c, struct backlog *backlog)
{
    const struct conversation *conversation = backlog->conversation;
    uint32_t end = backlog->visited + FANOUT_SLICE_COUNT;
    char topic[TOPIC_CHAT_LENGTH + 1];

    topic_format_chat(&conversation->id, topic);
    while (backlog->visited < conversation->member_count && backlog->visited < end &&
           fanout_has_time(&c->fanout)) {
        deliver_entry(c, conversation, backlog->visited, &backlog->first->entry, topic);
        backlog->visited++;
    }
}

/* Hands out one slice of the backlog's first parcel. */
static void deliver_slice(struct core *c, struct backlog *backlog)
{
    switch (backlog->first->kind) {
    case PARCEL_DEVICE:
        device_slice(c, backlog);
        return;
    case PARCEL_ENTRY:
        entry_slice(c, backlog);
        break;
    case PARCEL_ENDED:
        end_slice(c, backlog);
        break;
    }
    if (backlog->visited >= backlog->conversation->member_count)
        drop_first(c, backlog);
}

/* Puts the backlog behind the others. */
static void rotate(struct fanout *f, struct backlog *backlog)
{
    if (f->last == backlog)
        return;
    unlink_backlog(f, backlog);
    backlog->next = NULL;
    backlog->prev = f->last;
    f->last->next = backlog;
    f->last = backlog;
}

/* The ticket of the oldest parcel that waits. */
static uint64_t oldest_ticket(const struct fanout *f)
{
    uint64_t oldest = UINT64_MAX;

    for (const struct backlog *i = f->first; i; i = i->next) {
        if (i->first->ticket < oldest)
            oldest = i->first->ticket;
    }
    return oldest;
}

static void echo_barriers(struct core *c)
{
    struct fanout *f = &c->fanout;
    uint64_t oldest = f->barrier_count > 0 ? oldest_ticket(f) : 0;
    unsigned done = 0;

    while (done < f->barrier_count && f->barriers[done].ticket < oldest) {
        struct frame_barrier echo = {f->barriers[done].number};

        fault_point("plugin.before_barrier_echo");
        frame_write_barrier_done(link_out(&c->link), &echo);
        done++;
    }
    f->barrier_count -= done;
    memmove(f->barriers, f->barriers + done, f->barrier_count * sizeof f->barriers[0]);
}

void fanout_barrier(struct core *c, uint64_t number)
{
    struct fanout *f = &c->fanout;
    struct pending_barrier *last = f->barrier_count ? &f->barriers[f->barrier_count - 1] : NULL;

    /* An echo answers every lower number too. Without room the last one waits for more. */
    if (last && (last->ticket == f->ended_ticket || f->barrier_count == FANOUT_BARRIERS_MAX)) {
        last->number = number > last->number ? number : last->number;
        last->ticket = f->ended_ticket;
    } else {
        f->barriers[f->barrier_count++] = (struct pending_barrier){number, f->ended_ticket};
    }
    echo_barriers(c);
}

void fanout_turn(struct core *c)
{
    struct fanout *f = &c->fanout;

    while (f->first && fanout_has_time(f)) {
        struct backlog *backlog = f->first;

        deliver_slice(c, backlog);
        if (backlog->first)
            rotate(f, backlog);
        else
            close_backlog(c, backlog);
    }
    echo_barriers(c);
}

void fanout_link_lost(struct fanout *f)
{
    f->barrier_count = 0;
}
