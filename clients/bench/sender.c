/* SPDX-License-Identifier: MIT */
/* sender.c - see sender.h.
 *
 * Outstanding drafts are the numbers head..sent-1. The first `refused` of them were refused; the
 * outcome expected next is that of head + refused. */
#include "sender.h"

#include <assert.h>
#include <string.h>

enum { SLOT_MASK = SENDER_OUTSTANDING_MAX - 1, RESEND_AFTER_US = 100000 };

static_assert((SENDER_OUTSTANDING_MAX & SLOT_MASK) == 0, "slots are found with a mask");

void sender_init(struct sender *s, uint32_t index)
{
    memset(s, 0, sizeof(*s));
    s->index = index;
}

uint64_t plan_due_us(const struct sender_plan *plan, uint64_t k)
{
    assert(plan->rate > 0);
    return plan->start_us + k * 1000000 / plan->rate;
}

uint32_t sender_outstanding(const struct sender *s)
{
    return s->sent - s->head;
}

uint64_t sender_oldest_due_us(const struct sender *s)
{
    assert(sender_outstanding(s) > 0);
    return s->due_us[s->head & SLOT_MASK];
}

static bool next_resend(struct sender *s, uint64_t now_us, uint32_t *number, uint64_t *due_us)
{
    if (s->resending == 0) {
        if (s->refused < sender_outstanding(s) || now_us < s->resend_at_us)
            return false;
        s->resending = s->refused;
    }
    *number = s->head + (s->refused - s->resending);
    *due_us = s->due_us[*number & SLOT_MASK];
    if (--s->resending == 0)
        s->refused = 0;
    return true;
}

bool sender_next(struct sender *s, const struct sender_plan *plan, uint64_t now_us,
                 uint32_t *number, uint64_t *due_us)
{
    uint64_t due = now_us;
    uint32_t outstanding = sender_outstanding(s);

    if (s->refused > 0)
        return next_resend(s, now_us, number, due_us);
    if (plan->rate > 0)
        due = plan_due_us(plan, (uint64_t)s->sent * plan->senders + s->index);
    if (due > now_us || due >= plan->end_us)
        return false;
    if (outstanding >= (plan->rate > 0 ? SENDER_OUTSTANDING_MAX : plan->window))
        return false;
    s->due_us[s->sent & SLOT_MASK] = due;
    *number = s->sent++;
    *due_us = due;
    return true;
}

bool sender_outcome(struct sender *s, uint32_t number, enum sender_verdict verdict, uint64_t now_us)
{
    if (s->resending > 0 || sender_outstanding(s) == s->refused || number != s->head + s->refused)
        return false;
    switch (verdict) {
    case SENDER_REFUSED_FOR_NOW:
        s->refused++;
        s->resend_at_us = now_us + RESEND_AFTER_US;
        return true;
    case SENDER_STORED:
    case SENDER_REFUSED:
        if (s->refused > 0)
            return false;
        s->head++;
        return true;
    }
    return false;
}
