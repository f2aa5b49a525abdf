/* SPDX-License-Identifier: MIT */
/* rates.c - see rates.h. */
#include "rates.h"

#include "base/hash.h"
#include "core.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLES = 5,
    TABLE_SLOTS = 1 << 15, /* 768 KiB, of which only what is used costs memory */
    TELL_INTERVAL_MS = 500,
    PARTY_BYTES_V6 = 8, /* a customer has a /64 */
};

bool rates_init(struct rates *r, const struct options *o)
{
    struct {
        struct buckets *table;
        struct rate rate;
    } tables[TABLES] = {
        {&r->device_drafts, o->rate_device_drafts},
        {&r->user_drafts, o->rate_user_drafts},
        {&r->conversation_drafts, o->rate_conversation_drafts},
        {&r->user_requests, o->rate_user_requests},
        {&r->address_connects, o->rate_address_connects},
    };

    *r = (struct rates){.slots = calloc((size_t)TABLES * TABLE_SLOTS, sizeof *r->slots)};
    if (!r->slots)
        return false;
    r->secret = hash_bytes(NULL, 0);
    for (size_t i = 0; i < TABLES; i++)
        buckets_init(tables[i].table, o->rate_limits ? tables[i].rate : (struct rate){0, 0},
                     r->slots + i * TABLE_SLOTS, TABLE_SLOTS);
    if (o->rate_limits)
        r->device_signals = o->rate_device_signals;
    return true;
}

void rates_finish(struct rates *r)
{
    free(r->slots);
    *r = (struct rates){0};
}

static uint64_t user_key(const struct rates *r, const struct session *session)
{
    return hash_u64(session->user->uid ^ r->secret);
}

static uint64_t conversation_key(const struct rates *r, const struct uuid *id)
{
    uint64_t half[2];

    static_assert(sizeof half == sizeof id->bytes, "a UUID is two words");
    memcpy(half, id->bytes, sizeof half);
    return hash_u64(hash_u64(half[0] ^ r->secret) ^ half[1]);
}

static uint64_t count_draft(struct rates *r, const struct session *session,
                            const struct uuid *conversation, uint64_t now_ms)
{
    uint64_t wait_ms = buckets_take(&r->device_drafts, session->device_key, now_ms);

    if (wait_ms > 0)
        return wait_ms;
    wait_ms = buckets_take(&r->user_drafts, user_key(r, session), now_ms);
    if (wait_ms > 0)
        goto not_user;
    if (!conversation || r->conversation_drafts.rate.count == 0)
        return 0;
    wait_ms = buckets_take(&r->conversation_drafts, conversation_key(r, conversation), now_ms);
    if (wait_ms == 0)
        return 0;
    buckets_give_back(&r->user_drafts, user_key(r, session));
not_user:
    buckets_give_back(&r->device_drafts, session->device_key);
    return wait_ms;
}

uint64_t rates_draft(struct core *c, const struct session *session, const struct uuid *conversation)
{
    uint64_t wait_ms = count_draft(&c->rates, session, conversation, c->now_ms);

    c->stats.limited.drafts += wait_ms > 0;
    return wait_ms;
}

uint64_t rates_request(struct core *c, const struct session *session)
{
    uint64_t wait_ms =
        buckets_take(&c->rates.user_requests, user_key(&c->rates, session), c->now_ms);

    c->stats.limited.requests += wait_ms > 0;
    return wait_ms;
}

uint64_t rates_signal(struct core *c, struct session *session)
{
    uint64_t wait_ms = bucket_take(&session->signals, c->rates.device_signals, c->now_ms);

    c->stats.limited.signals += wait_ms > 0;
    return wait_ms;
}

/* What belongs to one customer and counts as one: an IPv4 address, an IPv6 /64. 0: nobody. */
static uint64_t key_of(const char *text)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr v6;
    struct in_addr v4;

    if (!text)
        return 0;
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        if (memcmp(v6.s6_addr, mapped, sizeof mapped) != 0)
            return IN6_IS_ADDR_LOOPBACK(&v6) ? 0 : hash_bytes(&v6, PARTY_BYTES_V6);
        memcpy(&v4, v6.s6_addr + sizeof mapped, sizeof v4);
    } else if (inet_pton(AF_INET, text, &v4) != 1) {
        return 0;
    }
    return v4.s_addr == htonl(INADDR_LOOPBACK) ? 0 : hash_bytes(&v4, sizeof v4);
}

uint64_t rates_connect(struct core *c, const char *address)
{
    uint64_t key = c->rates.address_connects.rate.count > 0 ? key_of(address) : 0;
    uint64_t wait_ms = key ? buckets_take(&c->rates.address_connects, key, c->now_ms) : 0;

    c->stats.limited.connections += wait_ms > 0;
    return wait_ms;
}

void rates_turn(struct core *c)
{
    const struct frame_limited *f = &c->stats.limited;
    uint64_t all = f->drafts + f->requests + f->signals + f->connections;

    if (all == c->rates.told || c->now_ms < c->rates.told_ms + TELL_INTERVAL_MS ||
        !link_is_up(&c->link) || !link_has_room(&c->link))
        return;
    frame_write_limited(link_out(&c->link), f);
    c->rates.told = all;
    c->rates.told_ms = c->now_ms;
}

void rates_link_up(struct core *c)
{
    c->rates.told = 0;
    c->rates.told_ms = 0;
}
