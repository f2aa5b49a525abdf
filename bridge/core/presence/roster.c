/* SPDX-License-Identifier: MIT */
/* roster.c - see roster.h. The two queues are in the order of their deadlines because each delay is
 * always the same. */
#include "core/presence/people.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct roster *roster_create(uint64_t grace_ms, const struct roster_hooks *hooks)
{
    struct roster *r = must_calloc(1, sizeof *r);

    r->grace_ms = grace_ms;
    r->hooks = *hooks;
    people_init(r);
    return r;
}

void roster_destroy(struct roster *r)
{
    if (!r)
        return;
    while (!TAILQ_EMPTY(&r->aging))
        people_remove(r, TAILQ_FIRST(&r->aging));
    map_finish(&r->people);
    free(r);
}

/* The connection is a new one, or the plugin recalls it. */
static void begin_epoch(struct roster *r, struct device *d, struct roster_time time)
{
    const struct person *p = d->person;

    d->epoch = 0;
    if (!time.recalled) {
        r->epoch = (uint64_t)time.wall_ms > r->epoch ? (uint64_t)time.wall_ms : r->epoch + 1;
        d->epoch = r->epoch;
    }
    if (r->hooks.met && person_is_elsewhere(p))
        r->hooks.met(r->hooks.owner, p->uid, slice_str(d->name), d->epoch);
}

/* Somebody hides, or shows themselves again, by what one of their devices says. */
static void set_hidden(struct roster *r, struct person *p, bool hidden, int64_t wall_ms)
{
    bool is_known = p->loaded || p->said;

    if (is_known && p->hidden == hidden)
        return;
    p->said = true;
    p->said_ms = wall_ms > p->said_ms ? wall_ms : p->said_ms + 1;
    p->hidden = hidden;
    if (hidden)
        p->last_seen_ms = wall_ms;
    r->hooks.hidden(r->hooks.owner, p->uid, hidden, wall_ms);
}

static void on_up(struct roster *r, struct person *p, const struct frame_session *f,
                  struct roster_time time)
{
    struct device *d = person_device(p, f->device);

    if (!d) {
        d = person_add_device(p, f->device, SHOWN_ONLINE);
        r->devices_here++;
    }
    device_welcome(r, d);
    if (!f->said)
        begin_epoch(r, d, time);
    if (f->state == SESSION_AWAY)
        d->state = SHOWN_AWAY;
    if (!f->said)
        return; /* online: that is, what it was when it went */
    if (f->state == SESSION_ONLINE)
        d->state = SHOWN_ONLINE;
    set_hidden(r, p, f->state == SESSION_HIDDEN, time.wall_ms);
}

void roster_session(struct roster *r, const struct frame_session *f, struct roster_time time)
{
    struct person *p = people_find(r, f->uid);
    struct device *d;

    if (f->state == SESSION_DOWN) {
        d = p ? person_device(p, f->device) : NULL;
        if (d)
            device_let_go(r, d, time);
        return;
    }
    if (!p) {
        p = people_add(r, f->uid, f->handle, time.now_ms);
        r->hooks.unknown(r->hooks.owner, p->uid);
    }
    on_up(r, p, f, time);
    person_show(r, p);
}

void roster_link_lost(struct roster *r, struct roster_time time)
{
    struct person *p;
    struct device *d;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        LIST_FOREACH(d, &p->devices, siblings)
        {
            if (d->node == ROSTER_NODE_OWN)
                device_let_go(r, d, time);
        }
    }
}

void roster_loaded(struct roster *r, uint64_t uid, const struct presence_row *row)
{
    struct person *p = people_find(r, uid);

    if (!p || p->loaded)
        return;
    p->loaded = true;
    if (!p->said)
        p->hidden = row->hidden;
    if (!p->chosen)
        p->discreet = row->discreet;
    if (row->last_seen_ms > p->last_seen_ms || (row->hidden && !p->said))
        p->last_seen_ms = row->last_seen_ms;
    person_show(r, p);
}

bool roster_discreet(struct roster *r, uint64_t uid, bool discreet)
{
    struct person *p = people_find(r, uid);

    if (!p)
        return false;
    p->discreet = discreet;
    p->chosen = true;
    person_tell_part(r, p);
    if (p->loaded && p->shown == SHOWN_OFFLINE)
        person_tell(r, p);
    return true;
}

void roster_expect(struct roster *r, uint64_t uid, struct slice handle,
                   const struct presence_row *row, struct roster_time time)
{
    struct person *p;
    struct device *d;

    assert(!people_find(r, uid));
    p = people_add(r, uid, handle, time.now_ms);
    p->shown = SHOWN_UNKNOWN;
    p->loaded = true;
    p->hidden = row->hidden;
    p->discreet = row->discreet;
    p->last_seen_ms = row->last_seen_ms;
    d = person_add_device(p, slice_str(""), SHOWN_UNKNOWN);
    d->deadline_ms = time.now_ms + r->grace_ms;
    TAILQ_INSERT_TAIL(&r->gone, d, link);
}

bool roster_find(const struct roster *r, uint64_t uid, struct roster_view *view)
{
    const struct person *p = people_find(r, uid);

    if (p)
        *view = person_view(p);
    return p != NULL;
}

bool roster_is_here(const struct roster *r, uint64_t uid)
{
    const struct person *p = people_find(r, uid);

    return p && person_is_here(p);
}

size_t roster_count(const struct roster *r)
{
    return r->people.count;
}

bool roster_is_here_own(const struct roster *r, uint64_t uid)
{
    const struct person *p = people_find(r, uid);

    return p && person_is_here_own(p);
}

void roster_each_device(const struct roster *r, uint64_t uid,
                        void (*see)(void *owner, struct slice device), void *owner)
{
    const struct person *p = people_find(r, uid);
    const struct device *d;

    if (!p)
        return;
    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == ROSTER_NODE_OWN && d->deadline_ms == 0)
            see(owner, slice_str(d->name));
    }
}

bool roster_was_here_own(const struct roster *r, uint64_t uid)
{
    const struct person *p = people_find(r, uid);

    return p && person_part_on(p, ROSTER_NODE_OWN);
}

static void forget_gone(struct roster *r, uint64_t now_ms)
{
    struct device *d;

    while ((d = TAILQ_FIRST(&r->gone)) != NULL && d->deadline_ms <= now_ms)
        device_forget(r, d);
}

/* True when nothing is left that is due. */
static bool refresh(struct roster *r, struct roster_time time)
{
    for (unsigned i = 0; i < ROSTER_REFRESH_MAX; i++) {
        struct person *p = TAILQ_FIRST(&r->aging);

        if (!p || p->refresh_ms > time.now_ms)
            return true;
        TAILQ_REMOVE(&r->aging, p, aging);
        p->refresh_ms = time.now_ms + ROSTER_REFRESH_MS;
        TAILQ_INSERT_TAIL(&r->aging, p, aging);
        if (person_is_here_own(p) && !p->hidden)
            r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
    }
    return false;
}

uint64_t roster_turn(struct roster *r, struct roster_time time)
{
    uint64_t next_ms = UINT64_MAX;

    forget_gone(r, time.now_ms);
    if (!refresh(r, time))
        next_ms = time.now_ms + ROSTER_TURN_MS;
    else if (!TAILQ_EMPTY(&r->aging))
        next_ms = TAILQ_FIRST(&r->aging)->refresh_ms;
    if (!TAILQ_EMPTY(&r->gone) && TAILQ_FIRST(&r->gone)->deadline_ms < next_ms)
        next_ms = TAILQ_FIRST(&r->gone)->deadline_ms;
    return next_ms;
}

void roster_write_all(struct roster *r, struct roster_time time)
{
    struct person *p;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        if (person_is_here_own(p) && !p->hidden)
            r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
    }
}
