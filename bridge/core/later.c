/* SPDX-License-Identifier: MIT */
/* later.c - see later.h. */
#include "core/later.h"

#include "base/memory.h"

#include <event2/event.h>
#include <stdlib.h>

TAILQ_HEAD(later_list, later_item);

struct later {
    struct event *event;
    struct later_list waiting;
};

/* Only what waits now: an item that is put back from inside its call gets the next turn. */
static void on_turn(evutil_socket_t fd, short what, void *owner)
{
    struct later *l = owner;
    struct later_list now = TAILQ_HEAD_INITIALIZER(now);
    struct later_item *item;

    (void)fd;
    (void)what;
    TAILQ_CONCAT(&now, &l->waiting, link);
    while ((item = TAILQ_FIRST(&now)) != NULL) {
        TAILQ_REMOVE(&now, item, link);
        item->call(item->owner);
    }
}

struct later *later_create(struct event_base *base)
{
    struct later *l = must_calloc(1, sizeof *l);

    TAILQ_INIT(&l->waiting);
    l->event = event_new(base, -1, 0, on_turn, l);
    if (!l->event) {
        free(l);
        return NULL;
    }
    return l;
}

void later_destroy(struct later *l)
{
    if (!l)
        return;
    event_free(l->event);
    free(l);
}

void later_call(struct later *l, struct later_item *item, later_fn *call, void *owner)
{
    item->call = call;
    item->owner = owner;
    TAILQ_INSERT_TAIL(&l->waiting, item, link);
    event_active(l->event, EV_TIMEOUT, 0);
}
