/* SPDX-License-Identifier: MIT */
/* people.c - see people.h. Those who have gone are in the order of their deadlines, because the
 * grace time is always the same. */
#include "core/presence/people.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const void *uid_of(const void *item)
{
    return &((const struct person *)item)->uid;
}

static const struct map_type people_type = {map_hash_u64, map_equal_u64, uid_of};

void people_init(struct roster *r)
{
    map_init(&r->people, &people_type);
    TAILQ_INIT(&r->gone);
    TAILQ_INIT(&r->aging);
}

static void person_free_device(struct roster *r, struct device *d)
{
    if (d->deadline_ms > 0)
        TAILQ_REMOVE(&r->gone, d, link);
    else if (d->node == ROSTER_NODE_OWN)
        r->devices_here--;
    LIST_REMOVE(d, siblings);
    free(d);
}

void people_remove(struct roster *r, struct person *p)
{
    while (!LIST_EMPTY(&p->devices))
        person_free_device(r, LIST_FIRST(&p->devices));
    TAILQ_REMOVE(&r->aging, p, aging);
    map_remove(&r->people, &p->uid);
    free(p);
}

struct person *people_find(const struct roster *r, uint64_t uid)
{
    return map_find(&r->people, &uid);
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

struct person *people_add(struct roster *r, uint64_t uid, struct slice handle, uint64_t now_ms)
{
    struct person *p = must_calloc(1, sizeof *p);

    p->uid = uid;
    p->shown = SHOWN_OFFLINE;
    p->refresh_ms = now_ms + ROSTER_REFRESH_MS;
    copy_text(p->handle, sizeof p->handle, handle);
    LIST_INIT(&p->devices);
    TAILQ_INSERT_TAIL(&r->aging, p, aging);
    must_insert(&r->people, p);
    return p;
}

struct device *person_device(const struct person *p, struct slice name)
{
    struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == ROSTER_NODE_OWN && slice_equal(slice_str(d->name), name))
            return d;
    }
    return NULL;
}

struct device *person_add_device(struct person *p, struct slice name, enum shown state)
{
    struct device *d = must_calloc(1, sizeof *d);

    d->person = p;
    d->state = state;
    copy_text(d->name, sizeof d->name, name);
    LIST_INSERT_HEAD(&p->devices, d, siblings);
    return d;
}

struct device *person_part_on(const struct person *p, unsigned node)
{
    struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == node)
            return d;
    }
    return NULL;
}

bool person_is_here_own(const struct person *p)
{
    const struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == ROSTER_NODE_OWN && d->deadline_ms == 0)
            return true;
    }
    return false;
}

bool person_is_elsewhere(const struct person *p)
{
    const struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node != ROSTER_NODE_OWN && d->deadline_ms == 0 && d->elsewhere)
            return true;
    }
    return false;
}

bool person_is_here(const struct person *p)
{
    return person_is_here_own(p) || person_is_elsewhere(p);
}

/* What others should be shown. */
static enum shown state_of(const struct person *p)
{
    enum shown state = SHOWN_OFFLINE;
    bool may_be_here = false;
    const struct device *d;

    if (p->hidden)
        return SHOWN_OFFLINE;
    LIST_FOREACH(d, &p->devices, siblings)
    {
        may_be_here = may_be_here || d->state == SHOWN_UNKNOWN;
        if (d->state > state)
            state = d->state;
    }
    return state == SHOWN_OFFLINE && may_be_here ? p->shown : state;
}

/* What this node's own devices make of the user. */
struct roster_part person_part(const struct person *p)
{
    struct roster_part part = {.uid = p->uid,
                               .handle = slice_str(p->handle),
                               .state = SHOWN_OFFLINE,
                               .here = person_is_here_own(p),
                               .hidden = p->hidden,
                               .discreet = p->discreet,
                               .said_ms = p->said_ms,
                               .seen_ms = p->last_seen_ms};
    const struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == ROSTER_NODE_OWN && d->state > part.state)
            part.state = d->state;
    }
    return part;
}

/* Tells the other nodes if it is another one than before. */
void person_tell_part(struct roster *r, struct person *p)
{
    const struct roster_part part = person_part(p);
    const struct told told = {part.state, part.here, part.hidden, part.discreet};

    if (!p->loaded || !r->hooks.part)
        return;
    if (told.state == SHOWN_OFFLINE && p->told.state <= SHOWN_OFFLINE)
        return; /* they are nobody of ours */
    if (told.state == p->told.state && told.here == p->told.here && told.hidden == p->told.hidden &&
        told.discreet == p->told.discreet)
        return;
    p->told = told;
    r->hooks.part(r->hooks.owner, &part);
}

struct roster_view person_view(const struct person *p)
{
    return (struct roster_view){.uid = p->uid,
                                .handle = slice_str(p->handle),
                                .shown = p->loaded ? p->shown : SHOWN_UNKNOWN,
                                .last_seen_ms = p->last_seen_ms,
                                .discreet = p->discreet};
}

void person_tell(struct roster *r, const struct person *p)
{
    const struct roster_view view = person_view(p);

    r->hooks.shown(r->hooks.owner, &view);
}

/* Tells if others are to be shown something else than before. */
void person_show(struct roster *r, struct person *p)
{
    enum shown state = state_of(p);

    person_tell_part(r, p);
    if (!p->loaded || state == p->shown)
        return;
    p->shown = state;
    person_tell(r, p);
}

void device_let_go(struct roster *r, struct device *d, struct roster_time time)
{
    struct person *p = d->person;

    if (d->deadline_ms > 0)
        return;
    d->deadline_ms = time.now_ms + r->grace_ms;
    TAILQ_INSERT_TAIL(&r->gone, d, link);
    if (d->node != ROSTER_NODE_OWN)
        return;
    r->devices_here--;
    if (!p->hidden && !person_is_here(p)) {
        p->last_seen_ms = time.wall_ms;
        r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
    }
    person_tell_part(r, p);
}

void device_welcome(struct roster *r, struct device *d)
{
    if (d->deadline_ms == 0)
        return;
    TAILQ_REMOVE(&r->gone, d, link);
    d->deadline_ms = 0;
    if (d->node == ROSTER_NODE_OWN)
        r->devices_here++;
}

void device_forget(struct roster *r, struct device *d)
{
    struct person *p = d->person;

    person_free_device(r, d);
    person_show(r, p);
    if (LIST_EMPTY(&p->devices))
        people_remove(r, p);
}
