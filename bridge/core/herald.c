/* SPDX-License-Identifier: MIT */
/* herald.c - see herald.h. */
#include "core/herald.h"

#include "base/memory.h"
#include "link/link.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdlib.h>

struct herald {
    struct link *link;
    herald_change_fn *changed; /* or NULL */
    void *changed_owner;
    bool alone;
    struct herald_others others; /* unless alone */
};

/* Somebody who waits for a barrier. */
struct waiter {
    struct herald *herald;
    herald_barrier_fn *done;
    void *owner;
};

struct herald *herald_create(struct link *link)
{
    struct herald *h = must_calloc(1, sizeof *h);

    h->link = link;
    h->alone = true;
    return h;
}

void herald_destroy(struct herald *h)
{
    free(h);
}

void herald_on_change(struct herald *h, herald_change_fn *changed, void *owner)
{
    h->changed = changed;
    h->changed_owner = owner;
}

void herald_change(struct herald *h, const struct uuid *conversation)
{
    if (h->changed)
        h->changed(h->changed_owner, conversation);
}

void herald_tell_others(struct herald *h, const struct herald_others *others)
{
    h->others = *others;
    h->alone = false;
}

bool herald_is_heard(const struct herald *h)
{
    return !h->alone || link_is_connected(h->link);
}

bool herald_may_deliver(const struct herald *h)
{
    return h->alone || h->others.may_deliver(h->others.owner);
}

void herald_entry(struct herald *h, const struct frame_entry *f)
{
    if (herald_may_deliver(h))
        link_entry(h->link, f);
    if (!h->alone)
        h->others.entry(h->others.owner, f);
}

void herald_member(struct herald *h, const struct frame_member *f)
{
    link_member(h->link, f);
    if (!h->alone)
        h->others.member(h->others.owner, f);
}

/* A removal does not wait for that: whoever is in again will be told so. */
void herald_overtaken(struct herald *h, const struct frame_member *f)
{
    assert(!h->alone);
    if (f->role == ROLE_NONE)
        link_member(h->link, f);
    h->others.overtaken(h->others.owner, f);
}

void herald_ended(struct herald *h, const struct frame_ended *f)
{
    link_ended(h->link, f);
    if (!h->alone)
        h->others.ended(h->others.owner, f);
}

void herald_signal(struct herald *h, const struct frame_signal_out *f)
{
    link_signal(h->link, f);
    if (!h->alone)
        h->others.signal(h->others.owner, f);
}

void herald_profile_here(struct link *link, uint64_t uid)
{
    const struct frame_device f = {
        .uid = uid,
        .topic = slice_str(TOPIC_EVENT),
        .payload = slice_str("{\"event\":\"profile_changed\"}"),
    };

    link_device(link, &f);
}

void herald_profile(struct herald *h, uint64_t uid)
{
    herald_profile_here(h->link, uid);
    if (!h->alone)
        h->others.profile(h->others.owner, uid);
}

void herald_revoked(struct herald *h, const struct uuid *login, uint64_t uid, int64_t ended_at_ms)
{
    if (!h->alone)
        h->others.revoked(h->others.owner, login, uid, ended_at_ms);
}

void herald_kick(struct herald *h, const struct frame_kick *f)
{
    link_kick(h->link, f);
    if (!h->alone)
        h->others.kick(h->others.owner, f);
}

void herald_unsure(struct herald *h)
{
    link_reset(h->link);
    if (!h->alone)
        h->others.unsure(h->others.owner);
}

static void finish(void *owner, bool everywhere)
{
    struct waiter *w = owner;

    w->done(w->owner, everywhere);
    free(w);
}

static void on_own_plugin(void *owner)
{
    struct waiter *w = owner;
    struct herald *h = w->herald;

    if (h->alone)
        finish(w, true);
    else
        h->others.barrier(h->others.owner, finish, w);
}

void herald_barrier(struct herald *h, herald_barrier_fn *done, void *owner)
{
    struct waiter *w = must_calloc(1, sizeof *w);

    *w = (struct waiter){h, done, owner};
    link_barrier(h->link, on_own_plugin, w);
}
