/* SPDX-License-Identifier: MIT */
/* roster_nodes.c - the part of roster.h that is about other nodes: what they make of users, and
 * what this one tells them. */
#include "core/presence/people.h"

#include "base/memory.h"

#include <stdlib.h>

bool roster_is_elsewhere(const struct roster *r, uint64_t uid)
{
    const struct person *p = people_find(r, uid);

    return p && person_is_elsewhere(p);
}

/* Takes over what another node knows of the user, where it is the newer. */
static void learn(struct person *p, const struct roster_part *part)
{
    bool newer =
        part->said_ms > p->said_ms || (part->said_ms == p->said_ms && part->hidden && !p->hidden);

    if (!p->loaded || newer) {
        p->hidden = part->hidden;
        p->said_ms = part->said_ms;
        p->said = p->said || part->said_ms > 0;
        p->last_seen_ms = part->hidden ? part->seen_ms : p->last_seen_ms;
    }
    p->discreet = part->discreet;
    if (part->seen_ms > p->last_seen_ms && !p->hidden)
        p->last_seen_ms = part->seen_ms;
    p->loaded = true;
}

/* Each side tells the other since when its devices are connected. */
static void meet(struct roster *r, const struct person *p)
{
    const struct device *d;

    if (!r->hooks.met)
        return;
    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->node == ROSTER_NODE_OWN && d->deadline_ms == 0)
            r->hooks.met(r->hooks.owner, p->uid, slice_str(d->name), d->epoch);
    }
}

void roster_elsewhere(struct roster *r, unsigned node, const struct roster_part *part,
                      struct roster_time time)
{
    struct person *p = people_find(r, part->uid);
    struct device *d;
    bool was_elsewhere;

    if (!p && part->state == SHOWN_OFFLINE)
        return;
    if (!p)
        p = people_add(r, part->uid, part->handle, time.now_ms);
    was_elsewhere = person_is_elsewhere(p);
    learn(p, part);
    d = person_part_on(p, node);
    if (part->state == SHOWN_OFFLINE) {
        if (d)
            device_forget(r, d);
        else
            person_show(r, p);
        return;
    }
    if (!d) {
        d = person_add_device(p, slice_str(""), part->state);
        d->node = node;
    }
    device_welcome(r, d);
    d->state = part->state;
    d->elsewhere = part->here;
    d->called = true;
    p->told.hidden = p->hidden; /* they know */
    p->told.discreet = p->discreet;
    person_show(r, p);
    if (!was_elsewhere && person_is_elsewhere(p))
        meet(r, p);
}

void roster_node_lost(struct roster *r, unsigned node, struct roster_time time)
{
    struct person *p;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        struct device *d = person_part_on(p, node);

        if (d)
            device_let_go(r, d, time);
    }
}

void roster_roll_begin(struct roster *r, unsigned node)
{
    struct person *p;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        struct device *d = person_part_on(p, node);

        if (d)
            d->called = false;
    }
}

void roster_roll_end(struct roster *r, unsigned node, struct roster_time time)
{
    struct person *p;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        struct device *d = person_part_on(p, node);

        if (d && !d->called)
            device_let_go(r, d, time);
    }
}

bool roster_part_of(const struct roster *r, uint64_t uid, struct roster_part *out)
{
    const struct person *p = people_find(r, uid);

    if (!p || !p->loaded)
        return false;
    *out = person_part(p);
    return out->state != SHOWN_OFFLINE;
}

uint64_t *roster_users(const struct roster *r, size_t *count)
{
    uint64_t *users = must_calloc(r->people.count + 1, sizeof *users);
    const struct person *p;

    *count = 0;
    TAILQ_FOREACH(p, &r->aging, aging)
    {
        if (person_part(p).state != SHOWN_OFFLINE)
            users[(*count)++] = p->uid;
    }
    return users;
}

bool roster_epoch_of(const struct roster *r, uint64_t uid, struct slice device, uint64_t *epoch)
{
    const struct person *p = people_find(r, uid);
    const struct device *d = p ? person_device(p, device) : NULL;

    if (!d || d->deadline_ms > 0)
        return false;
    *epoch = d->epoch;
    return true;
}

void roster_epoch_seen(struct roster *r, uint64_t epoch)
{
    if (epoch > r->epoch)
        r->epoch = epoch;
}

size_t roster_devices_here(const struct roster *r)
{
    return r->devices_here;
}
