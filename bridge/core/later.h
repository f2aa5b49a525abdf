/* SPDX-License-Identifier: MIT */
/* later.h - calls a function on the next turn of the loop: for answers that are known at once but
 * may not come from inside the call that asked. Calls keep their order. */
#ifndef BANTER_BRIDGE_LATER_H
#define BANTER_BRIDGE_LATER_H

#include "base/compiler.h"

#include <sys/queue.h>

struct event_base;
struct later;

typedef void later_fn(void *owner);

/* Embedded in what waits; must stay where it is until the call. */
struct later_item {
    TAILQ_ENTRY(later_item) link;
    later_fn *call;
    void *owner;
};

/* NULL: out of descriptors or memory. */
struct later *later_create(struct event_base *base) MUST_USE;
/* Forgets the items that still wait; they are the caller's to free. */
void later_destroy(struct later *l);
/* The item must not be waiting already. */
void later_call(struct later *l, struct later_item *item, later_fn *call, void *owner);

#endif
