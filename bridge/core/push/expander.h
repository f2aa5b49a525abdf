/* SPDX-License-Identifier: MIT */
/* expander.h - makes jobs of what the outbox of push holds, beside the path of messages.
 *
 * Every text that is committed leaves a row there. The expander has a connection of its own, looks
 * at a bounded number of rows and members at a time, rests in between, and whatever fails is done
 * again: a slice moves rows and makes jobs in one transaction. Of all bridges on a database one
 * expands at a time: the one that holds an advisory lock. */
#ifndef BANTER_BRIDGE_PUSH_EXPANDER_H
#define BANTER_BRIDGE_PUSH_EXPANDER_H

#include "base/compiler.h"

#include <stdint.h>

struct event_base;
struct push_expander;
struct push_online;

/* `dsn` and `online` are borrowed for the expander's life. `gather_ms`: a job waits this long for
 * messages that may join it. */
struct push_expander *push_expander_create(struct event_base *base, const char *dsn,
                                           const struct push_online *online,
                                           unsigned gather_ms) MUST_USE;
void push_expander_destroy(struct push_expander *x);
/* There is something new in the outbox. Cheap: may be called for every entry. */
void push_expander_note(struct push_expander *x);

struct push_expander_stats {
    uint64_t slices;   /* so far */
    uint64_t jobs;     /* made or joined, so far */
    uint64_t online;   /* who needed none, having a device connected, so far */
    uint64_t failures; /* slices that had to be done again, so far */
};
void push_expander_get_stats(const struct push_expander *x, struct push_expander_stats *out);

#endif
