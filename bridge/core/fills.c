/* SPDX-License-Identifier: MIT */
/* fills.c - answers FILL. The plugin has one per conversation under way, so the number that waits
 * is bounded by the conversations of its users; RUNNING_MAX of them are read at a time, so that the
 * histories that people ask for get their turn. */
#include "core/fills.h"

#include "base/buf.h"
#include "base/fault_point.h"
#include "base/memory.h"
#include "core/commands.h"
#include "core/herald.h"
#include "core/history.h"
#include "link/link.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
    RUNNING_MAX = 32,
    RETRY_MS = 250,
    FILL_BYTES_MAX = 1 << 20, /* of texts in one answer */
    CHANGE_MS = 5,            /* until a page is read again because of a change under way */
    CHANGES_MAX = 200,        /* times; members who change without end must not stop a fill */
};

struct fill {
    TAILQ_ENTRY(fill) siblings;
    struct fills *fills;
    struct frame_fill asked;
    unsigned changes; /* times it was put off */
    bool orphan;      /* the link it came over was lost */
};

TAILQ_HEAD(fill_list, fill);

struct fills {
    struct history *history;
    const struct commands *commands;
    struct link *link;
    const struct herald *herald;
    struct fill_list waiting; /* oldest first */
    struct fill_list running;
    unsigned running_count;
    struct event *timer; /* starts what waits */
    struct buf json;     /* scratch */
};

static void start_after(struct fills *f, unsigned ms)
{
    const struct timeval wait = {.tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(f->timer, NULL))
        event_add(f->timer, &wait);
}

static void write_page(struct fills *f, const struct frame_fill *asked,
                       const struct history_page *page)
{
    struct frame_filled filled = {
        .conversation = asked->conversation, .upto = page->last_seq, .more = page->more};

    for (size_t i = 0; i < page->count; i++) {
        const struct history_item *item = &page->items[i];
        buf_reset(&f->json);
        entry_write(&f->json, &item->entry);
        link_entry(f->link, &(struct frame_entry){.conversation = asked->conversation,
                                                  .seq = item->entry.seq,
                                                  .sender = item->sender,
                                                  .payload = buf_slice(&f->json)});
        filled.upto = page->more ? item->entry.seq : page->last_seq;
    }
    link_filled(f->link, &filled);
}

static void put_off(struct fill *fill, unsigned ms)
{
    TAILQ_INSERT_TAIL(&fill->fills->waiting, fill, siblings);
    start_after(fill->fills, ms);
}

/* Whether the page may be ahead of what the plugin has been told of the members. */
static bool is_too_early(struct fill *fill)
{
    return commands_is_changing(fill->fills->commands, &fill->asked.conversation) &&
           fill->changes++ < CHANGES_MAX;
}

static void on_page(void *owner, enum code code, const struct history_page *page)
{
    struct fill *fill = owner;
    struct fills *f = fill->fills;

    fault_point("bridge.in_fill");
    TAILQ_REMOVE(&f->running, fill, siblings);
    f->running_count--;
    if (!fill->orphan && (code == CODE_UNAVAILABLE || !herald_may_deliver(f->herald))) {
        put_off(fill, RETRY_MS);
        return;
    }
    if (code == CODE_OK && !fill->orphan && is_too_early(fill)) {
        put_off(fill, CHANGE_MS);
        return;
    }
    if (code == CODE_OK && !fill->orphan)
        write_page(f, &fill->asked, page);
    else if (!fill->orphan) /* there is no such conversation */
        link_filled(f->link, &(struct frame_filled){.conversation = fill->asked.conversation,
                                                    .upto = fill->asked.after});
    free(fill);
    if (!TAILQ_EMPTY(&f->waiting))
        start_after(f, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct fills *f = argument;
    struct fill *fill;
    (void)fd;
    (void)what;

    while (f->running_count < RUNNING_MAX && (fill = TAILQ_FIRST(&f->waiting)) != NULL) {
        struct history_query query = {.conversation = fill->asked.conversation,
                                      .after = fill->asked.after,
                                      .limit = HISTORY_LIMIT_MAX,
                                      .bytes_max = FILL_BYTES_MAX};
        if (!history_read(f->history, &query, on_page, fill)) {
            start_after(f, RETRY_MS);
            return;
        }
        TAILQ_REMOVE(&f->waiting, fill, siblings);
        TAILQ_INSERT_TAIL(&f->running, fill, siblings);
        f->running_count++;
    }
}

static void free_list(struct fill_list *list)
{
    struct fill *fill;

    while ((fill = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, fill, siblings);
        free(fill);
    }
}

struct fills *fills_create(struct event_base *base, struct history *history,
                           const struct commands *commands, struct link *link,
                           const struct herald *herald)
{
    struct fills *f = must_calloc(1, sizeof *f);

    f->history = history;
    f->commands = commands;
    f->link = link;
    f->herald = herald;
    TAILQ_INIT(&f->waiting);
    TAILQ_INIT(&f->running);
    buf_init(&f->json, LINK_BODY_MAX);
    f->timer = evtimer_new(base, on_timer, f);
    if (!f->timer) {
        free(f);
        return NULL;
    }
    return f;
}

void fills_destroy(struct fills *f)
{
    if (!f)
        return;
    free_list(&f->waiting);
    free_list(&f->running);
    event_free(f->timer);
    buf_finish(&f->json);
    free(f);
}

void fills_start(struct fills *f, const struct frame_fill *frame)
{
    struct fill *fill = must_calloc(1, sizeof *fill);

    fill->fills = f;
    fill->asked = *frame;
    TAILQ_INSERT_TAIL(&f->waiting, fill, siblings);
    start_after(f, 0);
}

void fills_link_lost(struct fills *f)
{
    struct fill *fill;

    free_list(&f->waiting);
    TAILQ_FOREACH(fill, &f->running, siblings)
    {
        fill->orphan = true;
    }
}
