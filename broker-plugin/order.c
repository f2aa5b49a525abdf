/* SPDX-License-Identifier: MIT */
/* order.c - see order.h. A gap lives from the first entry that came too early until nothing is
 * missing; it keeps its conversation alive, so an answer to FILL always finds it. */
#include "order.h"

#include "base/fault_point.h"
#include "core.h"
#include "parcel.h"

#include <assert.h>
#include <stdlib.h>

void order_init(struct order *o)
{
    *o = (struct order){0};
}

static void set_fill(struct core *c, struct gap *gap, enum fill_state state)
{
    if (gap->fill == FILL_ASKED)
        c->order.fills_asked--;
    if (state == FILL_ASKED)
        c->order.fills_asked++;
    gap->fill = state;
}

static struct gap *gap_of(struct core *c, struct conversation *conversation)
{
    struct gap *gap = conversation->gap;

    if (gap)
        return gap;
    gap = calloc(1, sizeof *gap);
    if (!gap)
        return NULL;
    gap->conversation = conversation;
    gap->next = c->order.gaps;
    if (gap->next)
        gap->next->prev = gap;
    c->order.gaps = gap;
    conversation->gap = gap;
    return gap;
}

static void free_first_held(struct core *c, struct gap *gap)
{
    struct parcel *first = gap->held;

    gap->held = first->next;
    if (!gap->held)
        gap->held_last = NULL;
    gap->held_count--;
    c->order.held_bytes -= first->size;
    free(first);
}

/* May free the conversation too. */
static void close_gap(struct core *c, struct gap *gap)
{
    struct conversation *conversation = gap->conversation;

    while (gap->held)
        free_first_held(c, gap);
    set_fill(c, gap, FILL_NONE);
    if (gap->next)
        gap->next->prev = gap->prev;
    if (gap->prev)
        gap->prev->next = gap->next;
    else
        c->order.gaps = gap->next;
    conversation->gap = NULL;
    free(gap);
    members_release(&c->members, conversation);
}

static void note_missing(struct gap *gap, int64_t head, uint64_t not_before_ms)
{
    if (head > gap->head)
        gap->head = head;
    if (gap->fill == FILL_NONE) {
        gap->fill = FILL_WANTED;
        gap->not_before_ms = not_before_ms;
    }
}

void order_behind(struct core *c, struct conversation *conversation, int64_t head)
{
    struct gap *gap;

    if (head <= conversation->delivered)
        return;
    gap = gap_of(c, conversation);
    if (gap)
        note_missing(gap, head, 0);
}

void order_rewind(struct core *c, struct conversation *conversation, int64_t since)
{
    int64_t head = conversation->delivered;

    if (since >= head)
        return;
    conversation->delivered = since;
    order_behind(c, conversation, head);
    if (conversation->gap) /* otherwise out of memory: the next entry will find the hole */
        conversation->gap->rewound = true;
}

/* Hands the entry out if it is the next one and there is memory for it. */
static bool accept(struct core *c, struct conversation *conversation, const struct frame_entry *f)
{
    if (f->seq != conversation->delivered + 1 && !fault_breaks(swap_delivery))
        return false;
    if (!fanout_entry(c, conversation, f))
        return false;
    conversation->delivered = f->seq;
    return true;
}

/* Hands out what was held and has its turn now, and closes the gap if nothing else is missing. */
static void drain(struct core *c, struct gap *gap)
{
    struct conversation *conversation = gap->conversation;

    while (gap->held) {
        if (gap->held->entry.seq > conversation->delivered &&
            !accept(c, conversation, &gap->held->entry))
            break;
        free_first_held(c, gap);
    }
    if (!gap->held && gap->head <= conversation->delivered && gap->fill != FILL_ASKED)
        close_gap(c, gap);
}

/* Keeps an entry that came too early, if there is room: if not, FILL brings it again. */
static void hold(struct core *c, struct gap *gap, const struct frame_entry *f)
{
    struct parcel **at = &gap->held;
    struct parcel *parcel;

    if (gap->held_last && gap->held_last->entry.seq < f->seq) /* as they usually come */
        at = &gap->held_last->next;
    while (*at && (*at)->entry.seq < f->seq)
        at = &(*at)->next;
    if (*at && (*at)->entry.seq == f->seq)
        return;
    if (gap->held_count >= ORDER_HELD_MAX ||
        c->order.held_bytes + f->payload.length > ORDER_HELD_BYTES_MAX)
        return;
    parcel = parcel_of_entry(f);
    if (!parcel)
        return;
    parcel->next = *at;
    if (!parcel->next)
        gap->held_last = parcel;
    *at = parcel;
    gap->held_count++;
    c->order.held_bytes += parcel->size;
    c->stats.held++;
}

/* What is held knows the device that posted it, which has its receipt and does not get it; the same
 * in an answer to FILL does not know. */
static const struct frame_entry *best_copy(const struct conversation *conversation,
                                           const struct frame_entry *f)
{
    const struct gap *gap = conversation->gap;
    bool is_held = gap && gap->held && gap->held->entry.seq == f->seq;

    return is_held ? &gap->held->entry : f;
}

void order_entry(struct core *c, const struct frame_entry *f)
{
    struct conversation *conversation = members_find(&c->members, &f->conversation);
    struct gap *gap;

    if (!conversation)
        return; /* nobody here is in it */
    if (f->seq <= conversation->delivered && !fault_breaks(swap_delivery)) {
        c->stats.repeated++;
        return;
    }
    if (c->resyncing > 0) {
        order_behind(c, conversation, f->seq);
        return;
    }
    if (accept(c, conversation, best_copy(conversation, f))) {
        if (conversation->gap)
            drain(c, conversation->gap);
        return;
    }
    gap = gap_of(c, conversation);
    if (!gap)
        return; /* out of memory: the next entry will find the hole again */
    note_missing(gap, f->seq, c->interests_wanted ? c->now_ms + ORDER_OTHERS_MS : 0);
    hold(c, gap, f);
}

bool order_filled(struct core *c, const struct frame_filled *f)
{
    struct conversation *conversation = members_find(&c->members, &f->conversation);
    struct gap *gap = conversation ? conversation->gap : NULL;
    bool complete;

    if (f->upto < 0)
        return false;
    if (!gap || gap->fill != FILL_ASKED)
        return true; /* the answer to a question of an earlier connection */
    complete = !f->more && !gap->held && gap->head <= conversation->delivered &&
               f->upto <= conversation->delivered;
    if (complete || conversation->member_count == 0) {
        close_gap(c, gap);
        return true;
    }
    set_fill(c, gap, FILL_WANTED);
    gap->not_before_ms = f->more || gap->rewound ? 0 : c->now_ms + ORDER_FILL_AGAIN_MS;
    return true;
}

void order_turn(struct core *c)
{
    struct gap *next;

    if (!link_is_up(&c->link) || c->resyncing > 0)
        return;
    for (struct gap *gap = c->order.gaps; gap && c->order.fills_asked < ORDER_FILLS_MAX;
         gap = next) {
        struct frame_fill fill = {gap->conversation->id, gap->conversation->delivered};

        next = gap->next;
        if (gap->fill != FILL_WANTED || gap->not_before_ms > c->now_ms)
            continue;
        if (gap->conversation->member_count == 0) {
            close_gap(c, gap);
            continue;
        }
        frame_write_fill(link_out(&c->link), &fill);
        set_fill(c, gap, FILL_ASKED);
        gap->head = 0;
        gap->rewound = false;
        c->stats.fills++;
    }
}

void order_link_lost(struct core *c)
{
    struct gap *next;

    for (struct gap *gap = c->order.gaps; gap; gap = next) {
        next = gap->next;
        while (gap->held)
            free_first_held(c, gap);
        if (gap->conversation->member_count == 0) {
            close_gap(c, gap);
            continue;
        }
        set_fill(c, gap, FILL_WANTED);
        gap->not_before_ms = 0;
    }
    assert(c->order.held_bytes == 0 && c->order.fills_asked == 0);
}

void order_finish(struct core *c)
{
    while (c->order.gaps)
        close_gap(c, c->order.gaps);
}
