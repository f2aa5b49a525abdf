/* SPDX-License-Identifier: MIT */
/* outbox.c - see outbox.h. A round publishes the open drafts once, from the oldest on. */
#include "outbox.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
    SLOT_MASK = OUTBOX_MAX - 1,
    RETRY_US = 100000, /* doubled with each refusal in a row */
    RETRY_DOUBLINGS_MAX = 4,
    PATIENCE_US = 1000000, /* for the answers to the rest of the round */
    SILENCE_US = 5000000,  /* doubled with each silent round */
    SILENCE_DOUBLINGS_MAX = 2,
};

static_assert((OUTBOX_MAX & SLOT_MASK) == 0, "slots are found with a mask");

static struct open_draft *slot(struct outbox *o, uint64_t n)
{
    return &o->drafts[n & SLOT_MASK];
}

static struct open_draft *find(struct outbox *o, uint64_t n)
{
    return n >= o->head && n < o->next && !slot(o, n)->closed ? slot(o, n) : NULL;
}

void outbox_init(struct outbox *o)
{
    memset(o, 0, sizeof(*o));
    o->head = o->next = o->cursor = 1;
}

bool outbox_open(struct outbox *o, uint64_t *n)
{
    if (o->next - o->head == OUTBOX_MAX)
        return false;
    *n = o->next++;
    *slot(o, *n) = (struct open_draft){0};
    return true;
}

static void start_round(struct outbox *o)
{
    for (uint64_t n = o->head; n < o->next; n++)
        slot(o, n)->in_flight = false;
    o->flying = 0;
    o->cursor = o->head;
    o->halted = false;
}

bool outbox_take(struct outbox *o, uint64_t now_us, uint64_t *n, bool *again)
{
    struct open_draft *draft;

    if (o->halted) {
        if (now_us < o->retry_us || (o->flying > 0 && now_us < o->patience_us))
            return false;
        start_round(o);
    }
    if (o->owed > 0 && !find(o, o->owed)) {
        *n = o->owed;
        *again = true;
        o->owed = 0;
        return true;
    }
    while (o->cursor < o->next && slot(o, o->cursor)->closed)
        o->cursor++;
    if (o->cursor == o->next)
        return false;
    *n = o->cursor++;
    if (*n == o->owed)
        o->owed = 0;
    draft = slot(o, *n);
    *again = draft->first_us > 0;
    if (!*again)
        draft->first_us = now_us;
    if (o->flying++ == 0)
        o->heard_us = now_us;
    draft->in_flight = true;
    return true;
}

unsigned outbox_count(const struct outbox *o)
{
    unsigned count = 0;

    for (uint64_t n = o->head; n < o->next; n++)
        count += !o->drafts[n & SLOT_MASK].closed;
    return count;
}

uint64_t outbox_oldest_us(const struct outbox *o)
{
    return o->head < o->next ? o->drafts[o->head & SLOT_MASK].first_us : 0;
}

static void land(struct outbox *o, struct open_draft *draft, uint64_t now_us)
{
    o->flying -= draft->in_flight;
    draft->in_flight = false;
    o->heard_us = now_us;
    o->silences = 0;
}

uint64_t outbox_close(struct outbox *o, uint64_t n, uint64_t now_us)
{
    struct open_draft *draft = find(o, n);

    if (!draft || draft->first_us == 0)
        return 0;
    land(o, draft, now_us);
    o->refusals = 0;
    draft->closed = true;
    while (o->head < o->next && slot(o, o->head)->closed)
        o->head++;
    if (o->cursor < o->head)
        o->cursor = o->head;
    return draft->first_us;
}

void outbox_refuse(struct outbox *o, uint64_t n, bool first, uint64_t wait_us, uint64_t random,
                   uint64_t now_us)
{
    struct open_draft *draft = find(o, n);
    uint64_t least_us = (uint64_t)RETRY_US << o->refusals;

    if (!draft && !first)
        return; /* it is stored, and nobody waits for it */
    if (draft)
        land(o, draft, now_us);
    if (first)
        o->owed = n;
    if (o->halted)
        return;
    o->halted = true;
    if (least_us < wait_us)
        least_us = wait_us;
    o->retry_us = now_us + least_us + random % least_us;
    o->patience_us = o->retry_us + PATIENCE_US;
    if (o->refusals < RETRY_DOUBLINGS_MAX)
        o->refusals++;
}

void outbox_restart(struct outbox *o)
{
    start_round(o);
    o->owed = 0;
    o->refusals = o->silences = 0;
}

bool outbox_check_silence(struct outbox *o, uint64_t now_us)
{
    if (o->flying == 0 || o->halted || now_us < o->heard_us + ((uint64_t)SILENCE_US << o->silences))
        return false;
    start_round(o);
    if (o->silences < SILENCE_DOUBLINGS_MAX)
        o->silences++;
    return true;
}
