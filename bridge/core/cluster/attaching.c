/* SPDX-License-Identifier: MIT */
/* attaching.c - between the database's answer to ATTACH, which says how far a conversation was, and
 * the moment from which its heads are heeded here, another node may commit an entry and tell of it.
 *
 * So while a query is under way the heads of all conversations are kept; those that its answer
 * turns out to be behind go to the plugin after it.
 *
 * And of whom the plugin has asked it may not have said yet that they are here: after a start it
 * asks for everybody at once, and says who is here bit by bit. What another node does to their
 * memberships meanwhile concerns this node. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "core/cluster/parts.h"
#include "link/link.h"

#include <stdlib.h>

struct noted {
    struct uuid conversation;
    int64_t seq;
    bool late; /* the answer is behind it */
};

struct awaited {
    uint64_t uid;
};

struct attaching {
    bool under_way;
    struct map noted;   /* struct noted by conversation; owned */
    struct map awaited; /* struct awaited by uid; owned */
};

static uint64_t hash_id(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_id(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *id_of(const void *item)
{
    return &((const struct noted *)item)->conversation;
}

static const struct map_type noted_type = {hash_id, equal_id, id_of};

static const void *uid_of(const void *item)
{
    return &((const struct awaited *)item)->uid;
}

static const struct map_type awaited_type = {map_hash_u64, map_equal_u64, uid_of};

struct attaching *attaching_create(void)
{
    struct attaching *a = must_calloc(1, sizeof *a);

    map_init(&a->noted, &noted_type);
    map_init(&a->awaited, &awaited_type);
    return a;
}

static void forget_all(struct attaching *a)
{
    size_t cursor = 0;
    struct noted *n;

    while ((n = map_next(&a->noted, &cursor)) != NULL)
        free(n);
    map_finish(&a->noted);
    map_init(&a->noted, &noted_type);
}

static void forget_awaited(struct attaching *a)
{
    size_t cursor = 0;
    struct awaited *w;

    while ((w = map_next(&a->awaited, &cursor)) != NULL)
        free(w);
    map_finish(&a->awaited);
    map_init(&a->awaited, &awaited_type);
}

void attaching_destroy(struct attaching *a)
{
    if (!a)
        return;
    forget_all(a);
    forget_awaited(a);
    map_finish(&a->noted);
    map_finish(&a->awaited);
    free(a);
}

void attaching_await(struct attaching *a, uint64_t uid)
{
    struct awaited *w;

    if (map_find(&a->awaited, &uid))
        return;
    w = must_calloc(1, sizeof *w);
    w->uid = uid;
    must_insert(&a->awaited, w);
}

void attaching_come(struct attaching *a, uint64_t uid)
{
    struct awaited *w = map_find(&a->awaited, &uid);

    if (!w)
        return;
    map_remove(&a->awaited, &uid);
    free(w);
}

bool attaching_concerns(const struct attaching *a, uint64_t uid)
{
    return a->under_way || map_find(&a->awaited, &uid);
}

void attaching_link_lost(struct attaching *a)
{
    forget_awaited(a);
}

void attaching_note(struct attaching *a, const struct uuid *conversation, int64_t seq)
{
    struct noted *n;

    if (!a->under_way)
        return;
    n = map_find(&a->noted, conversation);
    if (!n) {
        n = must_calloc(1, sizeof *n);
        n->conversation = *conversation;
        must_insert(&a->noted, n);
    }
    if (n->seq < seq)
        n->seq = seq;
}

void cluster_attach_asked(struct cluster *c)
{
    c->attaching->under_way = true;
}

void cluster_attached(struct cluster *c, const struct uuid *conversation, int64_t last_seq)
{
    struct noted *n = map_find(&c->attaching->noted, conversation);

    interests_expect(c->interests, conversation, last_seq, clock_monotonic_ms());
    if (n && n->seq > last_seq)
        n->late = true;
}

void cluster_attach_answered(struct cluster *c)
{
    size_t cursor = 0;
    const struct noted *n;

    c->attaching->under_way = false;
    while ((n = map_next(&c->attaching->noted, &cursor)) != NULL) {
        if (n->late && interests_note(c->interests, &n->conversation, n->seq))
            link_head(c->config.link, &(struct frame_head){n->conversation, n->seq});
    }
    forget_all(c->attaching);
}
