/* SPDX-License-Identifier: MIT */
/* sender.h - when one sender's drafts are due, and which of them wait for their outcome. Pure.
 *
 * With a rate the times of all drafts follow from the plan alone, whatever the system under test
 * does: a draft that leaves late was still due on time, and its latency counts from then. That is
 * how coordinated omission is avoided. Without a rate a sender keeps a window of drafts
 * outstanding, and a draft is due when the window has room.
 *
 * Transient refusals are sticky (docs/architecture.md, "Order and refusals"): once a draft is
 * refused, the sender holds its peace until all outstanding ones are refused too, and then sends
 * them again in order. */
#ifndef BANTER_BENCH_SENDER_H
#define BANTER_BENCH_SENDER_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum { SENDER_OUTSTANDING_MAX = 256 }; /* a power of two */

struct sender_plan {
    uint64_t start_us; /* CLOCK_MONOTONIC */
    uint64_t end_us;   /* no draft is due at or after this time */
    uint64_t rate;     /* drafts per second of all senders together; 0: saturate */
    uint32_t senders;  /* how many share the rate */
    uint32_t window;   /* saturate: outstanding drafts per sender, 1..SENDER_OUTSTANDING_MAX */
};

struct sender {
    uint32_t index;     /* 0..plan.senders-1: its place in the round */
    uint32_t sent;      /* drafts sent so far, without resends: the next one's number */
    uint32_t head;      /* number of the oldest draft without a final outcome */
    uint32_t refused;   /* this many drafts from `head` on were refused and wait for a resend */
    uint32_t resending; /* this many drafts from `head` on are to be sent again now */
    uint64_t resend_at_us;
    uint64_t due_us[SENDER_OUTSTANDING_MAX]; /* of draft number n at n % SENDER_OUTSTANDING_MAX */
};

void sender_init(struct sender *s, uint32_t index);
/* When the round's draft `k` (of all senders; sender k % senders sends it) is due. */
uint64_t plan_due_us(const struct sender_plan *plan, uint64_t k);

/* True when a draft may leave now; then its number and due time are set, and it is outstanding.
 * Call until false. */
bool sender_next(struct sender *s, const struct sender_plan *plan, uint64_t now_us,
                 uint32_t *number, uint64_t *due_us) MUST_USE;

enum sender_verdict { SENDER_STORED, SENDER_REFUSED_FOR_NOW, SENDER_REFUSED };
/* Takes in the outcome of a draft. False: that outcome was not the next one expected, which means
 * that the system under test broke the order of a sender's drafts. */
bool sender_outcome(struct sender *s, uint32_t number, enum sender_verdict verdict,
                    uint64_t now_us);
uint32_t sender_outstanding(const struct sender *s);
/* When the oldest outstanding draft was due. Only while there is one. */
uint64_t sender_oldest_due_us(const struct sender *s);

#endif
