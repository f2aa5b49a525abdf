/* SPDX-License-Identifier: MIT */
/* link.h - the plugin's end of the link: a Unix socket that never blocks and connects again by
 * itself.
 *
 * Outgoing bytes come from two places: `out`, for frames that die with this connection, and the
 * ring of drafts. Nothing is written outside link_turn() and link_flush(). */
#ifndef BANTER_PLUGIN_LINK_H
#define BANTER_PLUGIN_LINK_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "ring.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LINK_RETRY_MS = 250,        /* between attempts to connect */
    LINK_WELCOME_MS = 5000,     /* from connecting to WELCOME */
    LINK_OUT_MAX = 16 << 20,    /* bytes of `out`; beyond, the link is closed */
    LINK_REQUEST_MAX = 4 << 20, /* bytes of `out` beyond which requests are refused */
};

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };

struct link_handlers {
    /* WELCOME has come: from now on frames can be written. It is borrowed. */
    void (*up)(void *owner, const struct frame_welcome *welcome);
    /* The link was up and is lost. */
    void (*down)(void *owner);
    /* False: the frame is not what may come here; the link is closed. It may not close it. */
    bool (*frame)(void *owner, const struct frame *f);
    /* Asked before every frame: is there time for one more in this turn? */
    bool (*may_read)(void *owner);
    void *owner;
};

struct link {
    const char *path; /* borrowed */
    struct slice key; /* borrowed */
    uint64_t boot;
    struct ring *ring; /* borrowed */
    struct link_handlers handlers;
    enum link_state state;
    int fd;               /* -1 when down */
    uint64_t retry_ms;    /* LINK_DOWN: not before */
    uint64_t deadline_ms; /* LINK_GREETING: give up */
    struct buf in;        /* received and not yet handled */
    size_t in_taken;      /* bytes of `in` that are done */
    struct buf out;       /* to be written before the ring's next frame */
    size_t out_taken;     /* bytes of `out` that are written */
    bool unread;          /* reading stopped because may_read() said so */
    bool restart;         /* see link_restart() */
    bool held;            /* the bridge wants no drafts now */
    bool deaf;            /* the bridge reads no more; what it has written is still to be read */
    bool complained;      /* the log knows that the bridge is not there */
};

/* Allocates nothing. */
void link_init(struct link *l, const char *path, struct slice key, uint64_t boot, struct ring *ring,
               const struct link_handlers *handlers);
void link_finish(struct link *l);

static inline bool link_is_up(const struct link *l)
{
    return l->state == LINK_UP;
}

/* Has the connection ended by the next link_flush(): the bridge then says everything anew. For what
 * could not be taken in for lack of memory. */
void link_restart(struct link *l);

/* Where to append frames; only while the link is up. */
struct buf *link_out(struct link *l);
/* Whether there is room for a request: other frames always have some. */
bool link_has_room(const struct link *l);

/* Whether drafts stay in the ring for now; until the connection ends at the latest. */
void link_hold(struct link *l, bool hold);

/* Connects when it is time, and reads what has come. */
void link_turn(struct link *l, uint64_t now_ms);
/* Reads what has come. */
void link_read(struct link *l);
/* Writes as much as the socket takes. */
void link_flush(struct link *l);

#endif
