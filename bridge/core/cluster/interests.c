/* SPDX-License-Identifier: MIT */
/* interests.c - see interests.h. One queue: at its front those that wait to be subscribed to, at
 * its end those that nobody is in, in the order in which they are to be forgotten. */
#include "core/cluster/interests.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "bus/bus.h"

#include <stdlib.h>
#include <sys/queue.h>

struct interest {
    struct uuid conversation;
    int64_t seen;         /* highest seq heard of; 0: none */
    uint64_t deadline_ms; /* nobody is in it: when it is forgotten; 0: somebody is */
    bool subscribed;
    TAILQ_ENTRY(interest) link;   /* in `wanted` while it is not subscribed to */
    TAILQ_ENTRY(interest) linger; /* in `lingering` while there is a deadline */
};

struct interests {
    struct bus *bus;
    struct map by_id; /* owned */
    TAILQ_HEAD(interest_queue, interest) wanted;
    TAILQ_HEAD(, interest) lingering;
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
    return &((const struct interest *)item)->conversation;
}

static const struct map_type by_id_type = {hash_id, equal_id, id_of};

struct slice interest_channel(const struct uuid *conversation,
                              char name[INTEREST_CHANNEL_LENGTH + 1])
{
    name[0] = 'c';
    name[1] = ':';
    uuid_format(conversation, name + 2);
    return slice_of(name, INTEREST_CHANNEL_LENGTH);
}

struct interests *interests_create(struct bus *bus)
{
    struct interests *i = must_calloc(1, sizeof *i);

    i->bus = bus;
    map_init(&i->by_id, &by_id_type);
    TAILQ_INIT(&i->wanted);
    TAILQ_INIT(&i->lingering);
    return i;
}

static void forget(struct interests *i, struct interest *n)
{
    if (!n->subscribed)
        TAILQ_REMOVE(&i->wanted, n, link);
    if (n->deadline_ms > 0)
        TAILQ_REMOVE(&i->lingering, n, linger);
    map_remove(&i->by_id, &n->conversation);
    free(n);
}

void interests_destroy(struct interests *i)
{
    size_t cursor = 0;
    struct interest *n;

    if (!i)
        return;
    while ((n = map_next(&i->by_id, &cursor)) != NULL)
        free(n);
    map_finish(&i->by_id);
    free(i);
}

static void subscribe(struct interests *i, struct interest *n)
{
    char name[INTEREST_CHANNEL_LENGTH + 1];

    TAILQ_REMOVE(&i->wanted, n, link);
    n->subscribed = true;
    bus_subscribe(i->bus, interest_channel(&n->conversation, name));
}

static struct interest *add(struct interests *i, const struct uuid *conversation)
{
    struct interest *n = must_calloc(1, sizeof *n);

    n->conversation = *conversation;
    must_insert(&i->by_id, n);
    TAILQ_INSERT_TAIL(&i->wanted, n, link);
    if (bus_is_up(i->bus))
        subscribe(i, n);
    return n;
}

static void linger(struct interests *i, struct interest *n, uint64_t now_ms)
{
    if (n->deadline_ms > 0)
        return;
    n->deadline_ms = now_ms + INTEREST_LINGER_MS;
    n->seen = 0; /* the plugin forgets how far it was */
    TAILQ_INSERT_TAIL(&i->lingering, n, linger);
}

void interests_set(struct interests *i, const struct uuid *conversation, bool on, uint64_t now_ms)
{
    struct interest *n = map_find(&i->by_id, conversation);

    if (!on) {
        if (n)
            linger(i, n, now_ms);
        return;
    }
    if (!n)
        n = add(i, conversation);
    if (n->deadline_ms > 0)
        TAILQ_REMOVE(&i->lingering, n, linger);
    n->deadline_ms = 0;
}

void interests_expect(struct interests *i, const struct uuid *conversation, int64_t seq,
                      uint64_t now_ms)
{
    struct interest *n = map_find(&i->by_id, conversation);

    if (n && n->deadline_ms == 0)
        return;
    if (!n)
        n = add(i, conversation);
    else
        TAILQ_REMOVE(&i->lingering, n, linger);
    n->deadline_ms = 0;
    linger(i, n, now_ms);
    n->seen = seq;
}

bool interests_has(const struct interests *i, const struct uuid *conversation)
{
    return map_find(&i->by_id, conversation) != NULL;
}

void interests_link_lost(struct interests *i, uint64_t now_ms)
{
    size_t cursor = 0;
    struct interest *n;

    while ((n = map_next(&i->by_id, &cursor)) != NULL)
        linger(i, n, now_ms);
}

void interests_bus_up(struct interests *i)
{
    size_t cursor = 0;
    struct interest *n;

    while ((n = map_next(&i->by_id, &cursor)) != NULL) {
        if (n->subscribed)
            TAILQ_INSERT_TAIL(&i->wanted, n, link);
        n->subscribed = false;
    }
}

bool interests_note(struct interests *i, const struct uuid *conversation, int64_t seq)
{
    struct interest *n = map_find(&i->by_id, conversation);

    if (!n || seq <= n->seen)
        return false;
    n->seen = seq;
    return true;
}

bool interests_turn(struct interests *i, uint64_t now_ms)
{
    struct interest *n;
    char name[INTEREST_CHANNEL_LENGTH + 1];

    for (unsigned done = 0; done < INTERESTS_PER_TURN && bus_is_up(i->bus); done++) {
        if ((n = TAILQ_FIRST(&i->wanted)) == NULL)
            break;
        subscribe(i, n);
    }
    while ((n = TAILQ_FIRST(&i->lingering)) != NULL && n->deadline_ms <= now_ms) {
        if (n->subscribed)
            bus_unsubscribe(i->bus, interest_channel(&n->conversation, name));
        forget(i, n);
    }
    return bus_is_up(i->bus) && !TAILQ_EMPTY(&i->wanted);
}

size_t interests_count(const struct interests *i)
{
    return i->by_id.count;
}
