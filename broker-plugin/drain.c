/* SPDX-License-Identifier: MIT */
/* drain.c - see drain.h. Whoever acts upon the event leaves in the first half of the time; the
 * others are ended in the second. */
#include "drain.h"

#include "base/hash.h"
#include "broker.h"
#include "core.h"
#include "receipts.h"

enum {
    SCAN_INTERVAL_MS = 50,
    TOLD_PER_SCAN = 2000, /* each costs the broker a publish */
    AGAIN_MS = 5000,      /* after which one that is still there is ended again */
};

void drain_link_up(struct core *c)
{
    c->drain.on = false;
}

void drain_frame(struct core *c, const struct frame_drain *f)
{
    struct drain *d = &c->drain;

    if (d->on != f->on)
        broker_log(BROKER_INFO,
                   f->on ? "draining: connections end within %u ms" : "draining is over",
                   f->within_ms);
    d->on = f->on;
    d->within_ms = f->within_ms;
    d->round++;
    d->scan_ms = 0;
    d->has_reported = false;
}

static void tell(struct core *c, struct session *session)
{
    uint32_t half_ms = c->drain.within_ms / 2;

    session->drain_round = c->drain.round;
    session->drain_ms =
        c->now_ms + half_ms + hash_u64(session->token_hash ^ c->now_ms) % (half_ms + 1);
    if (!session->superseded)
        receipts_going_away(c, session, c->drain.within_ms);
}

static void report(struct core *c)
{
    struct drain *d = &c->drain;
    uint32_t left = (uint32_t)c->sessions.by_client.count;

    if (!link_is_up(&c->link) || (d->has_reported && d->reported == left))
        return;
    d->has_reported = true;
    d->reported = left;
    frame_write_left(link_out(&c->link), &(struct frame_left){.connections = left});
}

void drain_turn(struct core *c)
{
    struct drain *d = &c->drain;
    unsigned told = 0;

    if (!d->on || c->now_ms < d->scan_ms)
        return;
    d->scan_ms = c->now_ms + SCAN_INTERVAL_MS;
    for (struct session *s = c->sessions.first; s; s = s->next) {
        if (s->kick_turn > 0)
            continue;
        if (s->drain_round != d->round) {
            if (told++ < TOLD_PER_SCAN)
                tell(c, s);
        } else if (c->now_ms >= s->drain_ms) {
            s->drain_ms = c->now_ms + AGAIN_MS;
            core_kick(c, s);
        }
    }
    report(c);
}
