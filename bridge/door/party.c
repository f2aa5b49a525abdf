/* SPDX-License-Identifier: MIT */
/* party.c - how many connections each party has: see address_party().
 *
 * What comes from this machine itself or from a proxy that is trusted is not counted: it stands for
 * many. Behind such a proxy WebSockets are counted by the client that it names. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "door/internal.h"

#include <stdlib.h>

static uint64_t hash_address(const void *key)
{
    return hash_bytes(key, sizeof(struct address));
}

static bool same_address(const void *a, const void *b)
{
    return address_equal(a, b);
}

static const void *address_of(const void *party)
{
    return &((const struct party *)party)->address;
}

static const struct map_type parties_type = {hash_address, same_address, address_of};

enum { KNOCK_SLOTS = 1 << 15 }; /* 768 KiB, of which only what is used costs memory */

void parties_init(struct door *d)
{
    map_init(&d->parties, &parties_type);
    buckets_init(&d->knocks, d->config.rate_address_connects,
                 must_calloc(KNOCK_SLOTS, sizeof(struct bucket_slot)), KNOCK_SLOTS);
}

void parties_finish(struct door *d)
{
    map_finish(&d->parties);
    free(d->knocks.slots);
}

static bool stands_for_many(const struct connection *c)
{
    return address_is_local(&c->address) ||
           networks_contain(c->door->config.trusted_proxies, &c->address);
}

bool party_knock(struct connection *c)
{
    struct address address = address_party(&c->address);

    return stands_for_many(c) ||
           buckets_take(&c->door->knocks, hash_address(&address), clock_monotonic_ms()) == 0;
}

bool party_join(struct connection *c)
{
    struct door *d = c->door;
    struct address address = address_party(&c->address);
    struct party *party;

    if (stands_for_many(c))
        return true;
    party = map_find(&d->parties, &address);
    if (party && party->connections >= d->config.connections_per_address)
        return false;
    if (!party) {
        party = must_calloc(1, sizeof *party);
        party->address = address;
        must_insert(&d->parties, party);
    }
    party->connections++;
    c->party = party;
    return true;
}

void party_leave(struct connection *c)
{
    struct party *party = c->party;

    c->party = NULL;
    if (!party || --party->connections > 0)
        return;
    map_remove(&c->door->parties, &party->address);
    free(party);
}
