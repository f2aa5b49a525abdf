/* SPDX-License-Identifier: MIT */
/* peers.c - see peers.h. */
#include "core/cluster/peers.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void peers_init(struct peers *p)
{
    *p = (struct peers){0};
    LIST_INIT(&p->list);
}

void peers_finish(struct peers *p)
{
    while (!LIST_EMPTY(&p->list))
        peers_remove(p, LIST_FIRST(&p->list));
}

struct peer *peers_find(const struct peers *p, const struct node_id *id)
{
    struct peer *peer;

    LIST_FOREACH(peer, &p->list, link)
    {
        if (node_id_equal(&peer->id, id))
            return peer;
    }
    return NULL;
}

struct peer *peers_find_name(const struct peers *p, const char *name)
{
    struct peer *peer;

    LIST_FOREACH(peer, &p->list, link)
    {
        if (strcmp(peer->id.name, name) == 0)
            return peer;
    }
    return NULL;
}

struct peer *peers_find_index(const struct peers *p, unsigned index)
{
    struct peer *peer;

    LIST_FOREACH(peer, &p->list, link)
    {
        if (peer->index == index)
            return peer;
    }
    return NULL;
}

struct peer *peers_add(struct peers *p, const struct node_id *id, uint64_t taken, uint64_t now_ms)
{
    struct peer *peer = must_calloc(1, sizeof *peer);

    peer->id = *id;
    peer->index = ++p->last_index;
    peer->number = peer->taken = peer->settled = taken;
    peer->heard_ms = now_ms;
    peer->bus_ms = now_ms;
    STAILQ_INIT(&peer->held);
    LIST_INSERT_HEAD(&p->list, peer, link);
    p->count++;
    return peer;
}

static void drop_held(struct peer *peer)
{
    struct held_bulletin *h = STAILQ_FIRST(&peer->held);

    STAILQ_REMOVE_HEAD(&peer->held, link);
    peer->held_count--;
    peer->held_bytes -= h->bulletin.news.length;
    free(h->bytes);
    free(h);
}

void peers_remove(struct peers *p, struct peer *peer)
{
    while (!STAILQ_EMPTY(&peer->held))
        drop_held(peer);
    LIST_REMOVE(peer, link);
    p->count--;
    free(peer->about);
    free(peer->called);
    free(peer);
}

bool peer_has_gap(const struct peer *peer)
{
    return peer->number > peer->taken;
}

bool peer_is_stuck(struct peer *peer)
{
    if (!peer_has_gap(peer) || peer->gap_after != peer->taken) {
        peer->gap_after = peer->taken;
        peer->gap_turns = 0;
        return false;
    }
    return ++peer->gap_turns > PEER_STUCK_TURNS;
}

/* One that does not fit is missing again later. */
static void hold(struct peer *peer, const struct bulletin *b)
{
    struct held_bulletin *before = NULL;
    struct held_bulletin *h;

    if (b->number != peer->taken + 1 && /* which is taken at once */
        (peer->held_count >= PEER_HELD_MAX ||
         peer->held_bytes + b->news.length > PEER_HELD_BYTES_MAX))
        return;
    STAILQ_FOREACH(h, &peer->held, link)
    {
        if (h->bulletin.number == b->number)
            return;
        if (h->bulletin.number < b->number)
            before = h;
    }
    h = must_calloc(1, sizeof *h);
    h->bulletin = *b;
    h->bytes = must_malloc(b->news.length + 1);
    if (b->news.length > 0)
        memcpy(h->bytes, b->news.data, b->news.length);
    h->bulletin.news = slice_of(h->bytes, b->news.length);
    if (before)
        STAILQ_INSERT_AFTER(&peer->held, before, h, link);
    else
        STAILQ_INSERT_HEAD(&peer->held, h, link);
    peer->held_count++;
    peer->held_bytes += b->news.length;
}

void peer_bulletin(struct peer *peer, const struct bulletin *b)
{
    if (b->number > peer->number)
        peer->number = b->number;
    if (b->number > peer->taken)
        hold(peer, b);
}

bool peer_next(struct peer *peer, struct bulletin *out, char **owned)
{
    struct held_bulletin *h;

    while ((h = STAILQ_FIRST(&peer->held)) != NULL && h->bulletin.number <= peer->taken)
        drop_held(peer);
    if (!h || h->bulletin.number != peer->taken + 1)
        return false;
    *out = h->bulletin;
    *owned = h->bytes;
    h->bytes = NULL;
    drop_held(peer);
    peer->taken++;
    return true;
}

static void lift(uint64_t *number, uint64_t least)
{
    if (*number < least)
        *number = least;
}

void peer_skip_to(struct peer *peer, uint64_t number)
{
    lift(&peer->number, number);
    lift(&peer->taken, number);
    lift(&peer->settled, number);
}

uint64_t peers_applied(const struct peers *p)
{
    const struct peer *peer;
    uint64_t least = UINT64_MAX;

    LIST_FOREACH(peer, &p->list, link)
    {
        if (peer->applied < least)
            least = peer->applied;
    }
    return least;
}

void peer_read_applied(struct peer *peer, struct slice applied, const struct node_id *own)
{
    struct applied a;

    while (applied_next(&applied, &a)) {
        if (node_id_equal(&a.node, own) && a.number > peer->applied)
            peer->applied = a.number;
    }
}

void peers_write_applied(const struct peers *p, struct buf *b)
{
    const struct peer *peer;

    LIST_FOREACH(peer, &p->list, link)
    {
        const struct applied a = {peer->id, peer->settled};

        applied_write(b, &a);
    }
}
