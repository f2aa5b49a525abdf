/* SPDX-License-Identifier: MIT */
/* rates.c - see rates.h.
 *
 * Wrong passwords are counted for an account and an address together: guesses from elsewhere do not
 * delay the owner. The count is a bucket's: one wrong password is forgotten every quarter of an
 * hour, and a delay is never longer than that. */
#include "core/rates.h"

#include "base/address.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

enum {
    TABLE_SLOTS = 1 << 15, /* 768 KiB, of which only what is used costs memory */
    TRIES_COUNTED = 24,    /* beyond which the delay does not grow: 2^10 s is more than its bound */
};

static const struct rate wrong_passwords = {
    .count = TRIES_COUNTED,
    .seconds = TRIES_COUNTED * (LOGIN_DELAY_MAX_MS / 1000),
};

struct rates {
    const struct networks *trusted_proxies;
    struct bucket_slot *slots; /* of all tables */
    struct buckets tables[RATES_LIMITS];
    struct rates_stats stats;
};

struct rates *rates_create(const struct rates_config *config)
{
    const struct rate rates[RATES_LIMITS] = {
        [RATES_ADDRESS_HTTP] = config->address_http,
        [RATES_USER_HTTP] = config->user_http,
        [RATES_ADDRESS_SIGNUPS] = config->address_signups,
        [RATES_ADDRESS_LOGINS] = config->address_logins,
        [RATES_ACCOUNT_LOGINS] = wrong_passwords,
        [RATES_USER_EXPORTS] = config->user_exports,
    };
    struct rates *r = must_calloc(1, sizeof *r);

    r->trusted_proxies = config->trusted_proxies;
    r->slots = must_calloc((size_t)RATES_LIMITS * TABLE_SLOTS, sizeof *r->slots);
    for (size_t i = 0; i < RATES_LIMITS; i++)
        buckets_init(&r->tables[i], config->on ? rates[i] : (struct rate){0, 0},
                     r->slots + i * TABLE_SLOTS, TABLE_SLOTS);
    return r;
}

void rates_destroy(struct rates *r)
{
    if (!r)
        return;
    free(r->slots);
    free(r);
}

static uint64_t take(struct rates *r, enum rates_limit limit, uint64_t key, uint64_t now_ms)
{
    uint64_t wait_ms = buckets_take(&r->tables[limit], key, now_ms);

    r->stats.refused[limit] += wait_ms > 0;
    return wait_ms;
}

/* 0: it stands for many. */
static uint64_t address_key(const struct rates *r, const struct address *address)
{
    struct address party = address_party(address);

    if (address_is_local(address) || networks_contain(r->trusted_proxies, address))
        return 0;
    return hash_bytes(party.bytes, sizeof party.bytes);
}

static uint64_t take_of_address(struct rates *r, enum rates_limit limit,
                                const struct address *address, uint64_t now_ms)
{
    uint64_t key = address_key(r, address);

    return key ? take(r, limit, key, now_ms) : 0;
}

uint64_t rates_address(struct rates *r, const struct address *address, uint64_t now_ms)
{
    return take_of_address(r, RATES_ADDRESS_HTTP, address, now_ms);
}

uint64_t rates_user(struct rates *r, uint64_t uid, uint64_t now_ms)
{
    return take(r, RATES_USER_HTTP, hash_bytes(&uid, sizeof uid), now_ms);
}

uint64_t rates_export(struct rates *r, uint64_t uid, uint64_t now_ms)
{
    return take(r, RATES_USER_EXPORTS, hash_bytes(&uid, sizeof uid), now_ms);
}

uint64_t rates_signup(struct rates *r, const struct address *address, uint64_t now_ms)
{
    return take_of_address(r, RATES_ADDRESS_SIGNUPS, address, now_ms);
}

/* How long after the last of so many wrong passwords the next one may be tried. */
static uint64_t delay_after(uint64_t tries)
{
    uint64_t delay_ms;

    if (tries < LOGIN_TRIES_FREE)
        return 0;
    delay_ms = (uint64_t)LOGIN_DELAY_MIN_MS << (tries - LOGIN_TRIES_FREE);
    return delay_ms < LOGIN_DELAY_MAX_MS ? delay_ms : LOGIN_DELAY_MAX_MS;
}

/* As buckets_take(), but the wait grows. */
static uint64_t take_try(struct rates *r, uint64_t key, uint64_t now_ms)
{
    struct buckets *table = &r->tables[RATES_ACCOUNT_LOGINS];
    const uint64_t one = (uint64_t)wrong_passwords.seconds * 1000;
    uint64_t elapsed_ms, delay_ms;
    const struct bucket *bucket = buckets_find(table, key);

    if (bucket && table->rate.count > 0) {
        delay_ms = delay_after((bucket_owed(bucket, table->rate, now_ms) + one - 1) / one);
        elapsed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
        if (elapsed_ms < delay_ms) {
            r->stats.refused[RATES_ACCOUNT_LOGINS]++;
            return delay_ms - elapsed_ms;
        }
    }
    return take(r, RATES_ACCOUNT_LOGINS, key, now_ms);
}

uint64_t rates_login(struct rates *r, struct slice handle, const struct address *address,
                     uint64_t now_ms, struct login_try *out)
{
    const struct {
        struct address party;
        uint64_t handle;
    } account = {address_party(address), hash_bytes(handle.data, handle.length)};
    uint64_t wait_ms;

    *out = (struct login_try){.account_key = hash_bytes(&account, sizeof account),
                              .address_key = address_key(r, address)};
    wait_ms = out->address_key ? take(r, RATES_ADDRESS_LOGINS, out->address_key, now_ms) : 0;
    if (wait_ms > 0)
        return wait_ms;
    wait_ms = take_try(r, out->account_key, now_ms);
    if (wait_ms > 0 && out->address_key)
        buckets_give_back(&r->tables[RATES_ADDRESS_LOGINS], out->address_key);
    return wait_ms;
}

void rates_login_done(struct rates *r, const struct login_try *t, enum code code)
{
    struct bucket *account = buckets_find(&r->tables[RATES_ACCOUNT_LOGINS], t->account_key);

    if (code == CODE_UNAUTHORIZED)
        return;
    if (t->address_key)
        buckets_give_back(&r->tables[RATES_ADDRESS_LOGINS], t->address_key);
    if (code == CODE_OK && account)
        *account = (struct bucket){0};
    else
        buckets_give_back(&r->tables[RATES_ACCOUNT_LOGINS], t->account_key);
}

void rates_note_plugin(struct rates *r, const struct frame_limited *f)
{
    r->stats.plugin = *f;
}

void rates_get_stats(const struct rates *r, struct rates_stats *out)
{
    *out = r->stats;
}
